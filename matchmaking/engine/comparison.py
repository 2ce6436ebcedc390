"""Two results on the same lines, compared line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from matchmaking.engine.calibration import compared
from matchmaking.engine.evaluation import MEASURES

_ROUNDING = 1e-5  # what is saved has six decimals


class ForeignResultError(ValueError):
    """Two results that cannot be compared line by line."""


@dataclass(frozen=True, slots=True)
class Result:
    """The measures of each line of a set under one weighting, as they are written down and read again."""

    name: str
    set: str
    category: str
    engine_version: str
    lines: Mapping[str, Mapping[str, float]]

    def to_json(self) -> str:
        rounded = {
            line: {name: round(value, 6) for name, value in found.items()}
            for line, found in self.lines.items()
        }
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({**told, "lines": rounded}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Result:
        lines = {
            str(line): {name: float(value) for name, value in found.items() if name in MEASURES}
            for line, found in values["lines"].items()
        }
        return cls(
            name=str(values["name"]),
            set=str(values["set"]),
            category=str(values["category"]),
            engine_version=str(values["engine_version"]),
            lines=lines,
        )


def compare(this: Result, other: Result) -> dict[str, dict[str, Any]]:
    """By measure: both means, the difference of `this` to `other` with its 95 % interval (paired bootstrap over
    lines, fixed seed), and how many lines got better and worse.

    Raises
    ------
    ForeignResultError
        They are of different sets, or were told different categories.

    Examples
    --------
    >>> better = {str(line): {"ndcg10": 0.5 + line / 100} for line in range(9)}
    >>> worse = {line: {"ndcg10": 0.5} for line in better}
    >>> this, other = (Result("", "trade", "none", "1", lines) for lines in (better, worse))
    >>> compare(this, other)["ndcg10"]
    {'lines': 9, 'this': 0.54, 'other': 0.5, 'difference': 0.04, 'low': 0.0222, 'high': 0.0567, 'better': 8, 'worse': 0}
    """
    if (this.set, this.category) != (other.set, other.category):
        raise ForeignResultError(
            f"{this.name} is of {this.set} ({this.category}),"
            f" {other.name} of {other.set} ({other.category}): nothing to compare."
        )
    table = {}
    for measure in MEASURES:
        pairs = [
            (this.lines[line][measure], other.lines[line][measure])
            for line in this.lines
            if line in other.lines and measure in this.lines[line] and measure in other.lines[line]
        ]
        if not pairs:
            continue
        drawn = compared([(number, old, new) for number, (new, old) in enumerate(pairs)])
        table[measure] = {
            "lines": drawn["lines"],
            "this": drawn["new"],
            "other": drawn["old"],
            "difference": round(float(np.mean([new - old for new, old in pairs])), 4),
            "low": drawn["low"],
            "high": drawn["high"],
            "better": sum(new > old + _ROUNDING for new, old in pairs),
            "worse": sum(new < old - _ROUNDING for new, old in pairs),
        }
    return table
