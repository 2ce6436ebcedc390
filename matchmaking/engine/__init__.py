"""Compares what is needed with what is offered. Plain Python: no Django, no database, no clock, no randomness."""

ENGINE_VERSION = "1.0"
