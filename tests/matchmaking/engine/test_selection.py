from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matchmaking.engine.selection import kept

# misses a must, tenths; the place is the id
ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=40)


def chosen(rows, k, ids=None):
    ids = list(range(len(rows))) if ids is None else ids
    columns = (
        np.array([rows[one][0] for one in ids], bool),
        np.array([rows[one][1] for one in ids], np.int64),
        np.array(ids, np.int64),
    )
    return [ids[place] for place in kept(*columns, k).tolist()]


def in_order(rows, one):
    return rows[one][0], -rows[one][1], one


@given(ROWS, st.sampled_from([1, 4, 5, 10]))
def test_four_fifths_go_by_order_and_the_rest_by_points(rows, k):
    order = sorted(range(len(rows)), key=lambda one: in_order(rows, one))
    firm = order[: k - k // 5]
    rest = sorted(order[len(firm) :], key=lambda one: (-rows[one][1], rows[one][0], one))

    found = chosen(rows, k)

    assert set(found) == {*firm, *rest[: k // 5]}
    assert found == sorted(found, key=lambda one: in_order(rows, one))


def test_the_very_one_but_for_a_must_is_not_hidden_by_strangers_who_state_nothing():
    strangers = [(False, points) for points in range(60)]
    rows = [*strangers, (True, 724), (True, 3)]

    found = chosen(rows, 50)

    assert found[-1] == 60
    assert 61 not in found
    assert len(found) == 50


@given(ROWS, st.sets(st.integers(0, 39)), st.sampled_from([1, 5, 10]))
def test_lists_of_two_parts_merge_into_that_of_all(rows, some, k):
    ids = range(len(rows))
    parts = [[one for one in ids if one in some], [one for one in ids if one not in some]]

    found = [one for part in parts for one in chosen(rows, k, part)]

    assert chosen(rows, k, sorted(found)) == chosen(rows, k)
