"""The steps that were written out for speed give what the plain ones of scipy give, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from matchmaking.engine.pairs import (
    BLOCK,
    PAIRS_AT_ONCE,
    Pairs,
    dots,
    dots_of_all,
    dots_of_few,
    places_among,
)
from matchmaking.engine.sparse import (
    Vocabulary,
    csr,
    product,
    rows_between,
    strongest,
    times_rows,
    total,
    unit_rows,
    with_all,
    with_data,
    without_zeros,
)


def _drawn(*, seed: int, sort: bool = True, zeros: bool = False) -> sp.csr_matrix:
    rng = np.random.default_rng(seed)
    table = rng.random((40, 60), np.float32) * (rng.random((40, 60)) < 0.3)
    table[3] = 0
    matrix = sp.csr_matrix(table)
    if zeros:
        matrix.data[::7] = 0
    if not sort:
        # A product leaves its rows unsorted.
        matrix = sp.identity(40, np.float32, "csr") @ matrix
        assert not matrix.has_sorted_indices
    return matrix


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("zeros", [True, False])
def test_rows_get_the_length_that_scipy_reckons(sort, zeros):
    matrix = _drawn(seed=1, sort=sort, zeros=zeros)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), np.float32).ravel())
    expected = matrix.data / np.repeat(np.maximum(lengths, 1e-9), np.diff(matrix.indptr))
    before = matrix.data.copy()
    assert unit_rows(matrix).data.tobytes() == expected.astype(np.float32).tobytes()
    assert matrix.data.tobytes() == before.tobytes()


def test_rows_without_anything_stay_empty():
    empty = sp.csr_matrix((3, 5), dtype=np.float32)
    assert unit_rows(empty).nnz == strongest(empty, 2).nnz == 0


def _parts(matrix: sp.csr_matrix) -> tuple[object, ...]:
    assert (matrix.indices.dtype, matrix.indptr.dtype) == (np.int32, np.int32)
    places = matrix.indices.tolist(), matrix.indptr.tolist()
    return matrix.shape, matrix.dtype, *places, matrix.data.tobytes()


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("zeros", [True, False])
def test_what_is_put_together_here_is_what_scipy_makes_the_order_of_entries_too(sort, zeros):
    left, right = (_drawn(seed=seed, sort=sort, zeros=zeros) for seed in (4, 5))
    turned = right.T.tocsr()
    factors = np.linspace(0.1, 3, 40, dtype=np.float32)
    filled = left.copy()
    filled.eliminate_zeros()
    for ours, theirs in (
        (csr(left.data, left.indices, left.indptr, left.shape), left),
        (product(left, turned), left @ turned),
        (total(left, right), left + right),
        (times_rows(left, factors), sp.diags(factors) @ left),
        (rows_between(left, 2, 9), left[2:9]),
        (rows_between(left, 30, 90), left[30:]),
        (without_zeros(left), filled),
    ):
        assert _parts(ours) == _parts(theirs)
    assert product(left, turned).nnz > 0
    assert left.nnz - filled.nnz == np.count_nonzero(left.data == 0)


def test_nothing_multiplied_or_added_gives_nothing():
    empty = sp.csr_matrix((40, 60), dtype=np.float32)
    turned = _drawn(seed=4).T.tocsr()
    assert _parts(product(empty, turned)) == _parts(empty @ turned)
    assert _parts(total(empty, empty)) == _parts(empty + empty)


def test_what_is_not_plain_goes_the_way_of_scipy():
    left, right = _drawn(seed=4), _drawn(seed=5)
    doubles = right.astype(np.float64)
    for ours, theirs in (
        (product(left, right.T), left @ right.T),
        (product(left, doubles.T.tocsr()), left @ doubles.T.tocsr()),
        (total(left, doubles), left + doubles),
    ):
        assert _parts(ours) == _parts(theirs)
    for put_together in (product, total):
        with pytest.raises(ValueError, match=r"mismatch|inconsistent"):
            put_together(left, left[:, :-1])


@pytest.mark.parametrize("count", [0, 1, 3, 8, 9, 40])
def test_few_vectors_are_as_near_to_all_rows_as_many_are(count):
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((count, 24), np.float32)
    table = rng.standard_normal((70, 24), np.float32)
    room = np.full((count + 2, 70), np.nan, np.float32)

    found = with_all(vectors, table, out=room[:count])

    expected = vectors.astype(np.float64) @ table.T.astype(np.float64)
    assert np.abs(found - expected).max(initial=0) < 1e-5
    assert np.shares_memory(found, room) or not count
    assert with_all(vectors, table).tobytes() == found.tobytes()


def test_of_equal_entries_the_first_are_the_strongest():
    matrix = sp.csr_matrix(
        np.array([[1, 3, 3, 3, 2], [0, 0, 5, 0, 0], [4, 4, 4, 4, 9]], np.float32)
    )
    kept = [[0, 3, 3, 0, 0], [0, 0, 5, 0, 0], [4, 0, 0, 0, 9]]
    assert strongest(matrix, 2).toarray().tolist() == kept


def test_tokens_are_counted_in_the_order_of_their_columns():
    known = Vocabulary()
    first = known.counts(["b a b", "", "c a"], str.split, grow=True)
    assert list(known.columns) == ["b", "a", "c"]
    assert first.toarray().tolist() == [[2, 1, 0], [0, 0, 0], [0, 1, 1]]
    asked = known.counts(["d c c", "d"], str.split, grow=False)
    assert (len(known), asked.toarray().tolist()) == (3, [[0, 0, 2], [0, 0, 0]])
    assert Vocabulary().counts(["d"], str.split, grow=False).shape == (1, 0)


def test_several_figures_of_the_same_places_are_multiplied_as_each_alone():
    left, right = _drawn(seed=2), _drawn(seed=3)
    pairs = Pairs(np.repeat(np.arange(40), 10), np.arange(400) % 40)
    other, more = with_data(left, left.data**2), with_data(right, right.data + 1)
    figures = [(left.data, right.data), (other.data, more.data)]
    both = dots_of_all(left, right, pairs, figures)
    assert [one.tolist() for one in both] == [
        dots(left, right, pairs).tolist(),
        dots(other, more, pairs).tolist(),
    ]
    assert np.allclose(both[0], (left @ right.T).toarray()[pairs.line, pairs.row], atol=1e-5)


@pytest.mark.parametrize("sort", [True, False])
def test_of_few_columns_products_are_the_same_to_the_last_bit(sort):
    left, right = _drawn(seed=2, sort=sort), _drawn(seed=3, sort=sort, zeros=True)
    many = sp.vstack([left] * (2 * BLOCK // 40 + 1), format="csr")
    line = np.repeat(np.arange(many.shape[0]), 30)
    row = np.random.default_rng(7).integers(0, 40, len(line))
    pairs = Pairs(line, row)
    assert len(pairs) > PAIRS_AT_ONCE
    found = dots_of_few(many, right, pairs)
    assert found.tobytes() == dots(many, right, pairs).tobytes()
    assert np.count_nonzero(found) > len(found) // 2


def test_of_no_pairs_there_are_no_products():
    nothing = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    assert dots_of_few(_drawn(seed=2), _drawn(seed=3), nothing).tolist() == []


@pytest.mark.parametrize(("count", "others"), [(0, 20), (20, 0), (60, 80), (200, 7)])
def test_pairs_are_found_among_others(count, others):
    rng = np.random.default_rng(8)

    def drawn(size):
        both = {(int(line), int(row)) for line, row in rng.integers(0, 12, (size, 2))}
        table = np.array(sorted(both), np.int64).reshape(-1, 2)
        return Pairs(table[:, 0], table[:, 1])

    pairs, known = drawn(count), drawn(others)
    listed = list(zip(known.line.tolist(), known.row.tolist(), strict=True))
    expected = [
        listed.index(pair) if pair in listed else -1
        for pair in zip(pairs.line.tolist(), pairs.row.tolist(), strict=True)
    ]
    assert places_among(pairs, known).tolist() == expected
