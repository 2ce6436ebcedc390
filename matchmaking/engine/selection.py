"""Which pairs of a line are kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Of the room for the pairs of a line this share goes by points alone.
_BY_POINTS = 0.2


def kept(misses_must: Bools, tenths: Ints, ids: Ints, k: int) -> Ints:
    """Places of the k pairs of a line that are kept, best first; whoever misses a must stands below all who miss none.

    Strangers who state nothing miss nothing either: in a large register they would fill all of the room, and the
    supplier that is the very one but for a must would be hidden. So the last places go to whoever has most points.
    Lists of parts of the suppliers, each cut by this rule, merge into what it makes of all.
    """
    order = np.lexsort((ids, -tenths, misses_must)).astype(np.int64)
    if len(order) <= k or not misses_must.any():
        return order[:k]
    firm = k - int(k * _BY_POINTS)
    rest = order[firm:]
    by_points = np.lexsort((ids[rest], misses_must[rest], -tenths[rest]))
    return np.concatenate([order[:firm], rest[np.sort(by_points[: k - firm])]])
