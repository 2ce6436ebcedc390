from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from matchmaking.engine import kinship
from matchmaking.engine.kinship import Kinship
from matchmaking.engine.labels import Labels

HOUSES, KINDS, WORDS = 60, 3, 30


@pytest.fixture
def market():
    """Houses with three texts of one kind under one code; the kind shows weakly in the vectors and not in shared words."""
    draws = np.random.default_rng(7)
    kinds = np.repeat(np.arange(HOUSES) % KINDS, 3)
    vectors = draws.normal(size=(len(kinds), 16)).astype(np.float32)
    vectors[:, :KINDS] = 0.3 * np.eye(KINDS, dtype=np.float32)[kinds]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    said = kinds * 10 + draws.integers(0, 10, len(kinds))
    words = sp.csr_matrix(
        (np.ones(len(kinds), np.float32), (np.arange(len(kinds)), said)), (len(kinds), WORDS)
    )
    return kinds, np.repeat(np.arange(HOUSES), 3), vectors, words


def learned(market, alive=None):
    kinds, houses, vectors, words = market
    alive = np.ones(len(kinds), np.bool_) if alive is None else alive
    labels = Labels([["7"]] * len(kinds), {}, alive, vectors, lambda: words)
    return Kinship(labels, houses, alive, vectors)


def led(market, kin):
    """How often a text of the line's kind, and of another house, is nearer to it than one of another kind."""
    kinds, houses, vectors, _ = market
    rows = kin.of_texts if kin is not None else vectors
    near = rows @ rows.T
    same = (kinds[:, None] == kinds) & (houses[:, None] != houses)
    other = kinds[:, None] != kinds
    return np.mean([
        near[row][same[row]].mean() > near[row][other[row]].mean() for row in range(len(kinds))
    ])  # fmt: skip


def test_what_houses_offer_together_stands_nearer(market, monkeypatch):
    monkeypatch.setattr(kinship, "ENOUGH", 100)
    kin = learned(market)

    assert kin
    assert led(market, None) < 0.8
    assert led(market, kin) == 1.0
    assert np.linalg.norm(kin.of_texts, axis=1) == pytest.approx(1)


def test_a_line_of_unknown_words_is_told_by_its_meaning(market, monkeypatch):
    monkeypatch.setattr(kinship, "ENOUGH", 100)
    kin = learned(market)

    line = kin.turned(market[2][:1], sp.csr_matrix((1, WORDS), dtype=np.float32))

    assert np.linalg.norm(line) == pytest.approx(1)
    assert float(line[0] @ kin.of_texts[0]) > 0.5


def test_of_few_texts_or_of_houses_with_one_nothing_is_learned(market, monkeypatch):
    assert not learned(market)

    monkeypatch.setattr(kinship, "ENOUGH", 100)
    one_each = np.arange(len(market[0])) % 3 == 0
    assert not learned(market, one_each)
    kinds, _, vectors, words = market
    assert not learned((kinds, np.arange(len(kinds)), vectors, words))


def test_texts_that_are_gone_teach_nothing(market, monkeypatch):
    monkeypatch.setattr(kinship, "ENOUGH", 100)
    kinds, houses, vectors, words = market
    alive = houses < HOUSES - 6

    whole = learned(market, alive).of_texts[alive]
    built_anew = learned((kinds[alive], houses[alive], vectors[alive], words[alive])).of_texts

    assert whole @ whole.T == pytest.approx(built_anew @ built_anew.T, abs=1e-4)
