"""How alike a line and a text are: features put together to the shares of the parts text and category."""

from __future__ import annotations

import numpy as np

from matchmaking.engine.features import Features
from matchmaking.engine.sparse import Floats
from matchmaking.engine.weights import Weights

# Five times what a word counts that the text says itself: few suppliers have it at all, and it tells them apart.
_ELSEWHERE = 3.0
# As much as meaning: what suppliers offer together parts finer than what texts say.
_KIN = 3.0


def text_share(features: Features, weights: Weights) -> Floats:
    """Share of the text part reached by each pair, between 0 and 1.

    A pair of two languages has its own constants: it can share hardly more words than codes, numbers and
    abbreviations, and lacking the others must not count against it. What the supplier says in other texts adds to the
    words of a text in the line's language; a supplier of one text loses nothing by it.

    Examples
    --------
    >>> from matchmaking.engine.weights import WEIGHTING_1
    >>> columns = {name: np.array([0.0, 1.0], np.float32) for name in ("u", "t", "b", "leaf", "parent", "chain")}
    >>> columns |= dict.fromkeys(("differ", "elsewhere", "kin", "unnamed", "apart"), np.zeros(2, np.float32))
    >>> text_share(Features(**columns, fit=np.ones(2, np.float32)), WEIGHTING_1).astype(float).round(2).tolist()
    [0.08, 0.96]
    """
    w = weights
    same = (
        w.same_u * features.u
        + w.same_t * features.t
        + w.same_b * features.b
        + _ELSEWHERE * features.elsewhere
        + _KIN * features.kin
        + w.same_constant
    )
    across = (
        w.across_u * features.u
        + w.across_t * features.t
        + w.across_b * features.b
        + _KIN * features.kin
        + w.across_constant
    )
    share: Floats = features.fit / (1 + np.exp(-np.where(features.differ > 0, across, same)))
    return share.astype(np.float32)


def category_share(features: Features, weights: Weights) -> Floats:
    """Share of the category part reached by each pair, between 0 and 1: agreement of leaf, parent and chain."""
    w = weights
    total = w.leaf + w.parent + w.chain
    share: Floats = (
        w.leaf * features.leaf + w.parent * features.parent + w.chain * features.chain
    ) / total
    return (features.fit * share).astype(np.float32)


def likeness(features: Features, weights: Weights) -> Floats:
    """Points of text and category together: what a pair is worth before conditions and place are known."""
    points = weights.text * text_share(features, weights) + weights.category * category_share(
        features, weights
    )
    return np.round(points, 3).astype(np.float32)
