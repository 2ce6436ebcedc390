"""Compares what is needed with what is offered. Plain Python: no Django, no database, no clock, no randomness."""

from __future__ import annotations

import os

# Before numpy is imported: lines are split over processes, and threads that wait for each other made one short
# product on a busy machine forty times slower. Whoever sets the variables has the last word.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Raise it with whatever makes a pair score or read otherwise: kept indexes and scores of one version are believed.
ENGINE_VERSION = "1.16"
