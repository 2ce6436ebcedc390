from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from matchmaking.engine.encoder import NoEncoder
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy, positive_clauses
from matchmaking.engine.text import language_of, normalise
from tests.matchmaking.engine.conftest import SMALL


@pytest.mark.parametrize(
    ("description", "kept"),
    [
        ("合成过程中的中间物，本身不是药用成分", "合成过程中的中间物，本身"),
        ("电芯壳体，不含电解液", "电芯壳体"),
        ("Boards with chips; not bare dies.", "Boards with chips"),
        ("Notched steel sheets", "Notched steel sheets"),
    ],
)
def test_description_loses_what_the_category_is_not(description, kept):
    assert positive_clauses(description) == kept


@pytest.mark.parametrize(
    ("text", "code", "term"),
    [
        ("9微米湿法隔膜，月供200万平方米", "LB0101", "湿法隔膜"),
        ("coated separators for pouch cells", "LB0101", "coated separator"),
        ("110 kW string inverters for rooftops", "PV0101", "string inverter"),
    ],
)
def test_suggest_names_leaf_and_the_term_that_spoke_for_it(small, encoder, text, code, term):
    best = small.suggest(text, encoder, 1)

    assert [(s.code, s.term) for s in best] == [(code, term)]
    assert best[0].probability > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "jucntion box for pv modles", "IGBT", "dog food bowls", "copper foil 9 micron", "machine frames",
        "光伏组件用接线盒", "宠物食盆", "高压配电柜", "铜箔 9μm", "轴承 6204 ZZ",
    ],
)  # fmt: skip
def test_the_term_told_is_of_the_language_of_the_text_or_stands_in_it(shipped, encoder, text):
    for found in shipped.views(text, encoder, 5, 0.0):
        assert len(found) == 5
        for one in found:
            assert language_of(one.term) == language_of(text) or normalise(one.term) in text.lower()


def test_a_term_inside_of_another_word_does_not_speak_for_its_leaf(encoder):
    tree = Taxonomy(
        [
            CategoryRow("X", None, 1, "机械", "Machinery"),
            CategoryRow("X1", "X", 2, "设备", "Equipment"),
            CategoryRow("X101", "X1", 3, "包装机", "Packing machines", (), ("AC", "bagging machine")),
        ]
    )  # fmt: skip

    def told(text):
        return tree.views(text, encoder, 1, 0.0)[0][0].term

    assert told("bagging machines for flour") == "bagging machine"
    assert told("vacuum packing machine") == "Packing machines"
    assert told("AC, 3 pieces of") == "AC"


@pytest.mark.parametrize(
    "text", ["", "asdf", "冷冻鸡肉", "frozen chicken meat", "children's books", "婚礼摄影"]
)
def test_suggest_says_nothing_when_nothing_fits(shipped, encoder, text):
    assert shipped.suggest(text, encoder) == []


def test_many_texts_are_read_as_each_alone(shipped, encoder, golden, monkeypatch):
    monkeypatch.setattr("matchmaking.engine.taxonomy._BLOCK", 9)
    texts = ["", "frozen chicken meat", *(query.text for query in golden.queries[:20]), ""]

    alone = [[(s.code, s.probability) for s in shipped.suggest(text, encoder)] for text in texts]

    assert shipped.likely(texts, encoder) == alone
    assert sum(map(bool, alone)) > 15
    assert Taxonomy([]).likely(texts[:2], encoder) == [[], []]


def test_suggest_is_right_about_the_golden_lines(shipped, encoder, golden):
    asked = [query for query in golden.queries if query.categories]
    found = [[s.code for s in shipped.suggest(query.text, encoder)] for query in asked]

    pairs = list(zip((set(query.categories) for query in asked), found, strict=True))
    assert np.mean([bool(right & set(codes[:1])) for right, codes in pairs]) >= 0.60
    assert np.mean([bool(right & set(codes)) for right, codes in pairs]) >= 0.80
    assert np.mean([bool(codes) for codes in found]) >= 0.93


def test_suggest_is_quick_once_warm(shipped, encoder):
    shipped.suggest("warm", encoder)
    spent = []
    for number in range(9):
        before = time.process_time()
        shipped.suggest(f"涂覆隔膜 {number} 微米", encoder)
        spent.append(time.process_time() - before)

    # CPU time, the best of nine: the goal is 15 ms, the rest is for slow and busy machines.
    assert min(spent) < 0.03


def test_the_nearest_term_of_a_promising_leaf_is_known_by_whole_vectors(shipped, encoder, golden):
    texts = [query.text for query in golden.queries[:40]]
    vectors = encoder.encode(texts)
    terms, centres = shipped.vectors(encoder)
    bounds = np.cumsum([0, *(len(row.terms) for row in shipped.leaves)])
    near = np.maximum.reduceat(vectors @ terms.T, bounds[:-1], axis=1)
    counts = shipped._counts(texts)
    _, _, of_leaves, of_terms = shipped._lexicon
    spoken = shipped._spoken(counts).toarray()
    whole = spoken @ of_leaves.toarray() + 0.5 * (vectors @ centres.T + near)
    likest = np.maximum.reduceat(spoken @ of_terms.toarray(), bounds[:-1], axis=1)
    share = np.minimum(1, 40 / np.asarray(counts.sum(axis=1)))
    scores = shipped.leaf_scores(texts, vectors, encoder) - 0.35 * share * likest
    best = whole.argsort(axis=1)[:, -5:]
    assert np.allclose(
        np.take_along_axis(scores, best, 1), np.take_along_axis(whole, best, 1), atol=1e-5
    )


def test_probabilities_sum_to_one(small, encoder):
    texts = ["隔膜", "", "inverter"]

    rows = small.probabilities(texts, encoder.encode(texts), encoder)

    assert np.abs(np.asarray(rows.sum(axis=1)).ravel() - 1).max() < 1e-5


def test_given_leaf_is_mixed_in_and_wins(small, encoder):
    likely = small.probabilities(["string inverter"], encoder.encode(["string inverter"]), encoder)

    mixed = small.with_given(likely, [["LB0102"]]).toarray()[0]

    expected = 0.6 * likely.toarray()[0]
    expected[small.position["LB0102"]] += 0.4
    assert mixed == pytest.approx(expected, abs=1e-6)


def test_given_branch_is_spread_over_its_leaves_as_the_text_weighs_them(small, encoder):
    likely = small.probabilities(
        ["coated separator"], encoder.encode(["coated separator"]), encoder
    )

    before, after = likely.toarray()[0], small.with_given(likely, [["LB"]]).toarray()[0]

    gain = after - 0.6 * before
    at = small.position
    assert gain[[at["LB0101"], at["LB0102"]]].sum() == pytest.approx(0.4, abs=1e-5)
    assert gain[at["LB0101"]] > gain[at["LB0102"]] > 0
    assert gain[[at["PV0101"], at["PV0102"]]] == pytest.approx([0, 0], abs=1e-6)


def test_each_text_keeps_to_the_categories_given_with_it(small, encoder):
    texts = ["coated separator", "隔膜", "string inverter", "轴承"]
    given = [["LB", "LB0102"], [], ["999", "PV0101"], ["999"]]
    likely = small.probabilities(texts, encoder.encode(texts), encoder)

    together = small.with_given(likely, given).toarray()

    for row, codes in enumerate(given):
        alone = small.with_given(likely[row], [codes]).toarray()[0]
        assert together[row].tobytes() == alone.tobytes()
    # Half of the choice goes to the leaf alone, half to all leaves of its branch.
    gain = together[0] - 0.6 * likely.toarray()[0]
    at = small.position
    assert gain.sum() == pytest.approx(0.4, abs=1e-5)
    assert gain[at["LB0102"]] > 0.2
    assert gain[at["LB0101"]] > 0


def test_unknown_given_category_changes_nothing(small, encoder):
    likely = small.probabilities(["隔膜"], encoder.encode(["隔膜"]), encoder)

    assert (small.with_given(likely, [["999"]]) != likely).nnz == 0


def test_fingerprint_follows_content_not_order():
    changed = [replace(SMALL[2], synonyms_zh=("干法隔膜",)), *SMALL[:2], *SMALL[3:]]

    assert Taxonomy(SMALL).fingerprint == Taxonomy(SMALL[::-1]).fingerprint
    assert Taxonomy(SMALL).fingerprint != Taxonomy(changed).fingerprint


def test_saved_vectors_are_found_by_the_same_content_only(small, encoder, tmp_path):
    small.save(tmp_path, encoder)
    same, other = Taxonomy(SMALL), Taxonomy(SMALL[:-1])

    assert same.load(tmp_path, encoder)
    assert np.array_equal(same.basis(encoder), small.basis(encoder))
    assert not other.load(tmp_path, encoder)
    assert (same.vectors(encoder)[0] == small.vectors(encoder)[0]).all()


def test_terms_are_the_words_of_a_category_by_language(small):
    assert small.terms("LB0102") == {
        "zh": ("电解液", "六氟磷酸锂电解液"),
        "en": ("Electrolyte", "LiPF6 electrolyte"),
    }


def test_without_encoder_words_alone_classify(small):
    assert small.suggest("涂覆隔膜", NoEncoder(), 1)[0].code == "LB0101"
    assert small.views("涂覆隔膜", NoEncoder(), 5, 0.0)[1] == []


def test_an_empty_tree_suggests_nothing(encoder):
    assert Taxonomy([]).suggest("隔膜", encoder) == []
