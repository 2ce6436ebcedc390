"""How much each part of a score counts: the constants of one weighting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """The maxima of the four parts in points, together 100, and the constants inside the parts.

    Attributes
    ----------
    must, prefer
        How the points of the conditions are shared: a must counts twice a preference.
    same_county, same_city, same_province, same_group
        Share of the locality's maximum (0..1) for the closest region both sides share.
    decay_km
        Distance over which the share by kilometres falls to 1/e.
    same_u, same_t, same_b, same_constant
        Text share of a pair of one language: logistic function of the weighted features (see `Features`).
    across_u, across_t, across_b, across_constant
        The same for a pair of two languages.
    leaf, parent, chain
        Weights of the agreement at the three levels of the category tree.
    """

    version: int = 1
    text: int = 45
    category: int = 25
    conditions: int = 20
    locality: int = 10
    must: int = 2
    prefer: int = 1
    same_county: float = 1.0
    same_city: float = 0.75
    same_province: float = 0.4
    same_group: float = 0.2
    decay_km: float = 80.0
    same_u: float = 3.0
    same_t: float = 2.0
    same_b: float = 0.6
    same_constant: float = -2.5
    across_u: float = 5.5
    across_t: float = 4.0
    across_b: float = 1.0
    across_constant: float = -2.7
    leaf: float = 0.45
    parent: float = 0.43
    chain: float = 0.12


WEIGHTING_1 = Weights()
