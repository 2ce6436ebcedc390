from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchmaking.engine import search, stock
from matchmaking.engine.encoder import NoEncoder
from matchmaking.engine.features import Features, Objections, _named, _objections
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.pairs import Pairs
from matchmaking.engine.similarity import category_share, likeness, text_share
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.text import asserted
from matchmaking.engine.types import Capacity, Held, Need, Offer, OfferText, Place
from matchmaking.engine.weights import WEIGHTING_1
from tests.matchmaking.engine.conftest import SMALL, objections

SPOKEN = [
    *(
        "湿法隔膜，9微米",
        "wet-process separator 9 μm",
        "六氟磷酸锂电解液",
        "LiPF6 electrolyte for pouch cells",
    ),
    *("组串逆变器 110 kW", "string inverters, 110 kW", "光伏支架 tracker", "会议服务", "PVDF"),
]


class Letters:
    """A stand-in that is quick: one direction a letter."""

    version = "letters"

    def encode(self, texts):
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text:
                row[ord(letter) % 64] += 1
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.maximum(norms, 1)).astype(np.float16).astype(np.float32)


LETTERS = Letters()
TREE = Taxonomy(SMALL)


def offer(number, *texts, **values):
    spoken = tuple(OfferText(10 * number + i, text, "") for i, text in enumerate(texts))
    return Offer(number, values.pop("kind", "enterprise"), spoken, **values)


def need(text, **values):
    return Need(1, text, "", **values)


def found(index, needs, k=100):
    """Offer, text, and features of each candidate, in an order that does not hang on rows."""
    lines = index.read(needs, k)
    pairs = index.candidates(lines, k)
    features = index.features(lines, pairs)
    columns = np.stack([getattr(features, field.name) for field in fields(Features)], axis=1)
    keys = [(int(index.owners[row]), index.texts[row].id) for row in pairs.row]
    return sorted(
        (int(line), *key, *map(float, values))
        for line, key, values in zip(pairs.line, keys, columns, strict=True)
    )


def same(one, other):
    assert [row[:3] for row in one] == [row[:3] for row in other]
    assert np.array(one) == pytest.approx(np.array(other), abs=2e-4)


OFFERS = st.lists(
    st.lists(st.sampled_from(SPOKEN), min_size=1, max_size=3), min_size=1, max_size=8
).map(lambda lists: [offer(number, *texts) for number, texts in enumerate(lists, 1)])
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(OFFERS, st.data())
def test_adding_and_removing_equals_building_anew(offers, data):
    extra = data.draw(st.lists(st.sampled_from(offers), unique_by=lambda o: o.id))
    index = OfferIndex.build(offers, TREE, LETTERS)
    needs = [need(text) for text in SPOKEN]
    found(index, needs[:1])

    for gone in extra:
        index.remove(gone.id)
    found(index, needs[:1])
    added = [offer(50 + o.id, *(text.text + " 新" for text in o.texts)) for o in extra]
    for new in added:
        index.add(new)

    left = [o for o in offers if o not in extra]
    same(found(index, needs), found(OfferIndex.build(left + added, TREE, LETTERS), needs))


@quick
@given(OFFERS, st.integers(1, 4))
def test_one_line_alone_gets_what_it_gets_among_others(offers, k):
    index = OfferIndex.build(offers, TREE, LETTERS)
    needs = [need(text) for text in SPOKEN]

    together = found(index, needs, k)

    for number, one in enumerate(needs):
        same(
            [(0, *row[1:]) for row in together if row[0] == number],
            found(index, [one], k),
        )


@quick
@given(OFFERS, st.randoms(use_true_random=False))
def test_order_of_arrival_decides_nothing(offers, random):
    shuffled = random.sample(offers, len(offers))
    needs = [need(text) for text in SPOKEN]
    index = OfferIndex(TREE, LETTERS)
    for one in shuffled:
        index.add(one)

    same(found(index, needs, 2), found(OfferIndex.build(offers, TREE, LETTERS), needs, 2))


@quick
@given(OFFERS)
def test_features_stay_in_their_ranges(offers):
    index = OfferIndex.build(offers, TREE, LETTERS)
    lines = index.read([need(text) for text in SPOKEN])
    features = index.features(lines, index.all_pairs(lines))

    for field in fields(Features):
        column = getattr(features, field.name)
        assert column.min() >= (-1.001 if field.name == "u" else 0)
        assert column.max() <= 1.001
    for share in (text_share(features, WEIGHTING_1), category_share(features, WEIGHTING_1)):
        assert share.min() >= 0
        assert share.max() <= 1.001


def test_the_noun_of_each_text_stays_beside_it(tmp_path):
    said = ("风电叶片，80米级", "Gearboxes for wind turbines", "热泵系统", "叶片模具")
    index = OfferIndex.build([offer(n, text) for n, text in enumerate(said)], TREE, LETTERS)

    def nouns(index):
        named = [index.noun_names[noun] for noun in index.nouns]
        return [(index.texts[row].text, noun) for row, noun in enumerate(named)]

    assert nouns(index) == [*zip(said, ("叶片", " gearbox ", "热泵", "模具"), strict=True)]
    index.remove(1)
    index.add(offer(9, "Bearings"))
    index.make_compact()
    left = [("风电叶片，80米级", "叶片"), ("热泵系统", "热泵"), ("叶片模具", "模具"), ("Bearings", " bearing ")]  # fmt: skip
    assert nouns(index) == left
    assert sorted(index.noun_names) == sorted(noun for _text, noun in left)
    index.save(tmp_path)
    assert nouns(OfferIndex.load(tmp_path, TREE, LETTERS)) == left


def test_saved_and_loaded_finds_the_same_and_can_still_change(tmp_path, monkeypatch):
    rich = replace(
        offer(3, "湿法隔膜", kind="service_provider", group=7, country="DE"),
        certifications=(Held("iso9001", True),),
        place=Place(("000000", "330000"), frozenset({"YRD"}), 120.5, 30.7, True),
    )
    text = replace(
        rich.texts[0],
        categories=("LB01",),
        capacity=Capacity(5.0, "t"),
        cooperation_kinds=frozenset("a"),
    )
    rich = replace(rich, texts=(text,))
    index = OfferIndex.build(
        [offer(1, *SPOKEN[:4]), offer(2, *SPOKEN[4:]), rich, offer(4, "x")], TREE, LETTERS
    )
    index.remove(4)
    index.save(tmp_path)
    loaded = OfferIndex.load(tmp_path, Taxonomy(SMALL), LETTERS)
    needs = [need(text) for text in SPOKEN]

    expected = found(index, needs)
    with monkeypatch.context() as patch:
        patch.setattr(OfferIndex, "_measure", lambda _: pytest.fail("measured anew"))
        assert found(loaded, needs) == expected
    assert loaded.offers == index.offers
    assert loaded.stated.tolist() == index.stated.tolist()
    for one in (loaded, index):
        one.add(offer(9, "湿法隔膜 12微米"))
    assert 9 in {row[1] for row in found(loaded, needs)}
    assert found(loaded, needs) == found(index, needs)
    # One that was saved without its measures takes them itself.
    (tmp_path / "weights_said.npy").unlink()
    assert found(OfferIndex.load(tmp_path, Taxonomy(SMALL), LETTERS), needs) == expected


def test_index_of_another_tree_or_encoder_is_refused(tmp_path):
    OfferIndex.build([offer(1, "隔膜")], TREE, LETTERS).save(tmp_path)

    with pytest.raises(ValueError, match="Build it anew"):
        OfferIndex.load(tmp_path, Taxonomy(SMALL[:-1]), LETTERS)
    with pytest.raises(ValueError, match="Build it anew"):
        OfferIndex.load(tmp_path, TREE, NoEncoder())


def owners(index, one):
    lines = index.read([one])
    chosen = {int(index.owners[row]) for row in index.candidates(lines).row}
    assert chosen == {int(index.owners[row]) for row in index.all_pairs(lines).row}
    return chosen


@pytest.fixture(scope="module")
def market():
    return OfferIndex.build(
        [
            offer(1, "湿法隔膜"),
            offer(2, "湿法隔膜", group=7),
            offer(3, "湿法隔膜", group=8),
            offer(4, "湿法隔膜", kind="bank"),
        ],
        TREE,
        LETTERS,
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {1, 2, 3, 4}),
        ({"enterprise": 1}, {2, 3, 4}),
        ({"enterprise": 9, "group": 7}, {1, 3, 4}),
        ({"counterparts": frozenset({"enterprise"})}, {1, 2, 3}),
        ({"counterparts": frozenset({"bank", "investor"})}, {4}),
        ({"enterprise": 3, "group": 7, "counterparts": frozenset({"enterprise"})}, {1}),
        ({"counterparts": frozenset({"nobody"})}, set()),
    ],
)
def test_own_house_affiliates_and_other_kinds_are_never_candidates(market, values, expected):
    assert owners(market, need("湿法隔膜", **values)) == expected


def test_barred_rows_take_no_place_from_others():
    index = OfferIndex.build(
        [offer(number, "湿法隔膜", group=7) for number in range(1, 41)], TREE, LETTERS
    )
    index.add(offer(99, "别的东西"))

    lines = index.read([need("湿法隔膜", group=7)], 4)

    assert [int(index.owners[row]) for row in index.candidates(lines, 4).row] == [99]


def test_equal_texts_are_taken_by_id():
    index = OfferIndex.build([offer(number, "湿法隔膜") for number in range(1, 41)], TREE, LETTERS)
    index.remove(2)
    index.add(offer(2, "湿法隔膜"))

    lines = index.read([need("湿法隔膜")], 4)

    assert sorted(int(index.owners[row]) for row in index.candidates(lines, 4).row) == [1, 2, 3, 4]


def test_an_offer_added_twice_is_replaced():
    index = OfferIndex.build([offer(1, "湿法隔膜", "电解液")], TREE, LETTERS)
    index.add(offer(1, "光伏支架"))

    assert [text.text for text in (index.texts[row] for row in index.rows_of(1))] == ["光伏支架"]
    assert len(index) == 1
    index.remove(1)
    index.remove(1)
    assert len(index) == 0
    assert found(index, [need("光伏支架")]) == []


def test_vectors_of_one_offer_after_the_other_come_below_the_others_and_leave_earlier_readers_theirs():
    # Room for every sixteenth row: the third change finds none left.
    index = OfferIndex.build([offer(n, SPOKEN[n % 9]) for n in range(32)], TREE, LETTERS)
    spoken, seen = [SPOKEN[n % 9] for n in range(32)], []
    for n in range(5):
        seen.append((index.vectors, index.vectors.copy()))
        index.add(offer(100 + n, f"spare {n}"))
        index.refresh()
        spoken.append(f"spare {n}")
        assert index.vectors.tolist() == LETTERS.encode(spoken).tolist()
        assert index.coarse is index.vectors
    assert all(np.array_equal(then, now) for then, now in seen)
    # Some share their table and some had to be copied.
    assert len({id(one.base) for one, _ in seen[1:]}) == 2


def test_of_many_texts_the_first_look_is_a_coarse_one_that_the_living_texts_alone_decide(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(stock, "_SEEN_WHOLE", 90)
    monkeypatch.setattr(stock, "_COARSE", 9)
    monkeypatch.setattr(stock, "_CHOSEN_BITS", 5)
    texts = [f"{word} {number}" for number in range(20) for word in SPOKEN[:6]]
    grown = OfferIndex.build([offer(n, text) for n, text in enumerate(texts[:80])], TREE, LETTERS)
    assert grown.basis is None
    assert grown.coarse is grown.vectors
    bases = []
    for n, text in enumerate(texts[80:], 80):
        grown.add(offer(n, text))
        grown.refresh()
        bases.append(grown.basis)
    # While none of those that decide comes or goes, the directions are kept and the fresh rows stand below.
    assert bases[8] is None
    assert 1 < len({id(basis) for basis in bases}) < 20
    whole = OfferIndex.build([offer(n, text) for n, text in enumerate(texts)], TREE, LETTERS)

    grown.save(tmp_path)
    read = OfferIndex.load(tmp_path, TREE, LETTERS)
    for one in (grown, read):
        assert one.basis.tolist() == whole.basis.tolist()
        assert one.chosen == whole.chosen
        assert np.allclose(one.coarse, whole.coarse, atol=1e-6)
    assert whole.coarse.shape == (120, 9)
    # Directions in which they differ most hold most of their likeness.
    likeness = whole.vectors @ whole.vectors.T
    assert np.abs(whole.coarse @ whole.coarse.T - likeness).mean() < 0.05
    asked = [need(text) for text in texts[:30]]
    exact = OfferIndex.build([offer(n, text) for n, text in enumerate(texts)], TREE, LETTERS)
    exact.basis, exact.coarse = None, exact.vectors
    near = [
        {*zip(pairs.line.tolist(), pairs.row.tolist(), strict=True)}
        for pairs in (one.read(asked, 20).found for one in (whole, exact))
    ]
    assert len(near[0] & near[1]) >= 0.95 * len(near[1])
    for n in range(40, 120):
        grown.remove(n)
    grown.refresh()
    assert grown.basis is None
    assert grown.coarse is grown.vectors


def test_stored_vector_is_used_instead_of_a_fresh_one():
    stored = LETTERS.encode(["逆变器"])[0]
    index = OfferIndex.build([offer(1, "逆变器"), offer(2, "电解液")], TREE, LETTERS)

    lines = index.read([replace(need("电解液"), vector=stored)])
    features = index.features(lines, index.all_pairs(lines))

    assert features.u[0] == pytest.approx(1.0, abs=2e-3)
    assert features.u[1] < 0.9


def test_given_categories_of_any_level_pull_both_sides_together():
    plain = OfferIndex.build([offer(1, "会议服务")], TREE, LETTERS)
    marked = offer(1, "会议服务")
    marked = replace(marked, texts=(replace(marked.texts[0], categories=("PV",)),))
    told = OfferIndex.build([marked], TREE, LETTERS)

    def chain(index, category):
        lines = index.read([replace(need("展览"), category=category)])
        return float(index.features(lines, index.all_pairs(lines)).chain[0])

    assert chain(told, "PV0101") > chain(told, "LB0101") + 0.1
    assert chain(told, "LB0101") < chain(plain, "LB0101") - 0.02


def test_languages_differ_follows_the_text_not_the_label():
    index = OfferIndex.build([offer(1, "湿法隔膜 PVDF", "wet separator PVDF")], TREE, LETTERS)
    lines = index.read([need("PVDF 涂覆隔膜")])

    assert index.features(lines, index.all_pairs(lines)).differ.tolist() == [0.0, 1.0]


def test_works_without_embedding():
    index = OfferIndex.build([offer(1, "湿法隔膜"), offer(2, "组串逆变器")], TREE, NoEncoder())
    lines = index.read([need("涂覆隔膜")])
    pairs = index.candidates(lines)
    features = index.features(lines, pairs)

    assert features.u.tolist() == [0.0, 0.0]
    points = likeness(features, WEIGHTING_1)
    assert points[index.owners[pairs.row] == 1] > points[index.owners[pairs.row] == 2] + 10


@pytest.mark.parametrize("few", [1, 4], ids=["by groups of scores", "one line after the other"])
def test_search_of_a_large_index_finds_what_a_full_sort_finds(monkeypatch, few):
    rng = np.random.default_rng(5)
    count, k = 3003, 20
    index = OfferIndex(TREE, LETTERS)
    index.order, index.alive = rng.permutation(count), rng.random(count) > 0.1
    index.owners, index.groups = rng.integers(1, 60, count), rng.integers(-1, 5, count)
    index.vectors = np.eye(count, dtype=np.float32)
    index.coarse = index.vectors
    index.kinds, index.kind_names = rng.integers(0, 2, count), ["enterprise", "bank"]
    index.arrange_parties()
    needs = [
        need("", enterprise=1 + number, group=number % 3 or None, counterparts=asked)
        for number, asked in enumerate([frozenset()] * 3 + [frozenset({"bank"})] * 3)
    ]
    table = np.round(rng.random((len(needs), count)), 2).astype(np.float32)
    # The best of one line are all of its own house.
    table[4][index.owners == needs[4].enterprise] = 1
    wanted = []
    for number, one in enumerate(needs):
        best = np.lexsort((index.order, -table[number]))
        wanted.append(sorted(best[~index.barred(one)[best]][:k].tolist()))
    monkeypatch.setattr(search, "_FEW", few)

    for line, row in (
        search._nearest_here(index, needs, table, np.empty_like(table), k)[0],
        search._best_of_rows(index, needs, sp.csr_matrix(table), k),
    ):
        assert [sorted(row[line == number].tolist()) for number in range(len(needs))] == wanted
    free = np.arange(count)
    best = search.highest(index, table[0], free, k)
    assert best.tolist() == np.lexsort((index.order, -table[0]))[:k].tolist()


def test_pairs_with_names_each_text_of_one_offer():
    index = OfferIndex.build([offer(1, "隔膜", "电解液"), offer(2, "支架")], TREE, LETTERS)
    lines = index.read([need("隔膜"), need("支架")])

    pairs = index.pairs_with(lines, 1)

    assert pairs.line.tolist() == [0, 0, 1, 1]
    assert [index.texts[row].id for row in pairs.row] == [10, 11, 10, 11]
    assert index.leaf_code(lines.leading[0]) == "LB0101"
    assert index.leaf_code(index.leaders[int(pairs.row[1])]) == "LB0102"
    assert index.leaf_code(-1) == ""


def marked(number, text, *codes):
    plain = offer(number, text)
    return replace(plain, texts=(replace(plain.texts[0], categories=codes),))


MARKED = [
    marked(1, "会议服务", "35"),
    marked(2, "会议展览", "35", "41"),
    marked(3, "冷冻鸡肉", "29"),
    offer(4, "鸡肉"),
    marked(5, "展览场地", "41"),
    marked(6, "会议策划", "35"),
]


def agreement(index, text, category=None):
    lines = index.read([replace(need(text), category=category)])
    pairs = index.all_pairs(lines)
    features = index.features(lines, pairs)
    assert features.leaf.tolist() == features.parent.tolist() == features.chain.tolist()
    return dict(zip(index.owners[pairs.row].tolist(), features.leaf.tolist(), strict=True))


def test_flat_codes_are_learned_from_the_texts_that_carry_them():
    index = OfferIndex.build(MARKED, TREE, LETTERS)

    silent = agreement(index, "会议")
    told, wrong = agreement(index, "会议", "35"), agreement(index, "会议", "29")
    assert silent[1] > 0.6 > 0.3 > silent[3]
    assert told[1] > silent[1] > wrong[1]
    assert wrong[3] > silent[3]
    assert agreement(index, "会议", "unheard of") == silent


def test_a_text_is_about_that_code_of_its_supplier_that_its_words_speak_for():
    index = OfferIndex.build(MARKED, TREE, LETTERS)

    found = agreement(index, "会议服务策划")

    assert found[1] > found[2] > found[5]


def test_a_text_without_code_among_coded_ones_is_judged_by_its_words():
    index = OfferIndex.build(MARKED, TREE, LETTERS)

    found = agreement(index, "冷冻鸡肉")

    assert found[3] > found[4] > found[1]


def test_a_few_foreign_codes_do_not_take_the_place_of_the_tree():
    texts = ("湿法隔膜", "电解液", "组串逆变器")
    plain = [offer(number, text) for number, text in enumerate(texts, 1)]
    coded = [*plain[:2], marked(3, texts[2], "99")]

    def columns(offers):
        index = OfferIndex.build(offers, TREE, LETTERS)
        lines = index.read([need("涂覆隔膜")])
        return index.features(lines, index.all_pairs(lines)).leaf.tolist()

    assert columns(coded) == columns(plain)


def test_codes_that_left_with_their_texts_are_forgotten():
    index = OfferIndex.build([*MARKED, marked(7, "会议鸡肉", "29")], TREE, LETTERS)
    index.remove(7)

    assert agreement(index, "会议鸡肉") == agreement(
        OfferIndex.build(MARKED, TREE, LETTERS), "会议鸡肉"
    )


def test_a_shared_model_code_counts_more_than_a_shared_word():
    index = OfferIndex.build(
        [
            offer(1, "bearing xk62 seal"),
            offer(2, "bearing 6204 seal"),
            offer(3, "motor cover seal"),
        ],
        TREE,
        LETTERS,
    )
    index.add(offer(4, "gasket hm70 seal"))

    def covered(text):
        lines = index.read([need(text)])
        pairs = index.all_pairs(lines)
        owners = index.owners[pairs.row].tolist()
        return dict(zip(owners, index.features(lines, pairs).b.tolist(), strict=True))

    plain, coded, late = covered("motor 6204"), covered("motor xk62"), covered("motor hm70")
    assert plain[2] == plain[3]
    assert coded[1] == pytest.approx(3 * coded[3], abs=2e-4)
    assert late[4] == pytest.approx(3 * late[3], abs=2e-4)


def test_an_empty_index_finds_nothing_and_can_be_filled():
    index = OfferIndex.build([], TREE, LETTERS)

    assert found(index, [need("隔膜")]) == []
    assert found(index, []) == []
    index.add(offer(1, "隔膜"))
    assert [row[1] for row in found(index, [need("隔膜")])] == [1]


HOUSES = (
    offer(1, "wide seal ring", "rubber pump part", "seal of rubber"),
    offer(2, "rubber seal"),
    offer(3, "pump ring", "rubber"),
)


def elsewhere(index, text):
    lines = index.read([need(text)])
    pairs = index.all_pairs(lines)
    ids = [index.texts[row].id for row in pairs.row]
    features = index.features(lines, pairs)
    return (
        lines,
        pairs,
        dict(zip(ids, zip(features.b, features.elsewhere, strict=True), strict=True)),
    )


def test_what_other_texts_add_is_the_best_of_all_texts_word_by_word():
    index = OfferIndex.build([*HOUSES, offer(4, "rubber pump ring seal")], TREE, LETTERS)
    index.remove(4)

    lines, _, told = elsewhere(index, "rubber ring pump")

    cover = lines.cover.toarray()[0]
    said = index.with_counts(index.saturated).toarray()
    for one in HOUSES:
        rows = index.rows_of(one.id)
        together = float(said[rows].max(axis=0) @ cover)
        for row in rows:
            own, more = told[index.texts[row].id]
            assert own + more == pytest.approx(together, abs=2e-4)
    assert told[20][1] == 0
    assert told[10][1] > 0


def test_what_other_texts_say_can_be_left_aside():
    index = OfferIndex.build(HOUSES, TREE, LETTERS)
    lines, pairs, _ = elsewhere(index, "rubber ring pump")

    assert not index.features(lines, pairs, houses=False).elsewhere.any()


def test_a_code_is_known_by_a_word_that_its_texts_share():
    # Without vectors only the words are left to learn from.
    texts = ["pump alpha", "pump beta", "pump gamma", "lamp delta", "lamp alpha", "lamp beta"]
    coded = [marked(n, text, "P" if "pump" in text else "L") for n, text in enumerate(texts, 1)]
    index = OfferIndex.build(coded, TREE, NoEncoder())

    likely = index.read([need("pump omega")]).labels.toarray()[0]

    assert likely[1] > 3 * likely[0]


def test_a_name_of_many_words_counts_before_the_code_it_was_filed_under():
    name = "acme optical wireless desktop mouse silver blue usb receiver mini xk62"
    coded = [
        marked(1, name, "home"),
        marked(2, "quiet mouse", "mice"),
        marked(3, "gaming mouse", "mice"),
        marked(4, "garden chair", "home"),
        *(marked(number, f"zinc pipe {number}", "pipe") for number in range(5, 15)),
    ]
    index = OfferIndex.build(coded, TREE, NoEncoder())

    silent = agreement(index, name)
    assert silent[1] > 0.7 > silent[2]
    # Of a few words the codes tell which is meant, and so they do where somebody has named one.
    assert agreement(index, "usb mouse")[2] > agreement(index, "usb mouse")[1]
    told = agreement(index, name, "mice")
    assert told[2] > told[1]


def test_a_shorter_name_counts_for_more_where_a_text_says_all_of_it():
    columns = {name: np.zeros(3, np.float32) for name in ("differ", "elsewhere", "u")}
    # A whole line covered, and as many words of a longer one; 2.2 takes the damping of the shares off.
    columns["b"] = np.array([1, 6 / 12, 0.7], np.float32) / np.float32(2.2)
    index = OfferIndex.build([marked(1, "铁管", "a")], TREE, LETTERS)
    six = "acme optical wireless mouse silver blue"
    lines = index.read([need(six), need(f"{six} usb receiver mini xk62 kit left"), need(six)])

    whole, part, some = _named(lines, Pairs(np.arange(3), np.zeros(3, np.int64)), columns).tolist()

    assert whole > 0.7 > 0.4 > part > 0.2
    # Four words of six may be those of any text of the code.
    assert some == 0


def test_likeness_of_meaning_stands_for_the_words_that_two_languages_cannot_share():
    coded = [marked(1, "seven words of one english text here now", "a"), marked(2, "铁管", "b")]
    index = OfferIndex.build(coded, TREE, LETTERS)
    lines = index.read([need("seven words of one english text here now then and later")])
    pairs = index.all_pairs(lines)
    columns = {
        "b": np.zeros(2, np.float32),
        "elsewhere": np.zeros(2, np.float32),
        "u": np.array([0.9, 0.9], np.float32),
    }

    def named(*differ):
        return _named(lines, pairs, {**columns, "differ": np.array(differ)}).tolist()

    assert named(0, 0) == [0, 0]
    same, other = named(0, 1)
    assert same == 0 < 0.3 < other


def test_a_text_of_what_a_line_rules_out_is_less_like_it():
    index = OfferIndex.build(
        [
            offer(1, "conveyor kit"),
            offer(2, "conveyor installation"),
            offer(3, "belt"),
            offer(4, "conveyor, no installation"),
        ],
        TREE,
        LETTERS,
    )

    def told(line):
        lines = index.read([need(line), need("belt")])
        pairs = index.all_pairs(lines)
        features = index.features(lines, pairs)
        return {
            (int(at), int(index.owners[row])): (u, b)
            for at, row, u, b in zip(pairs.line, pairs.row, features.u, features.b, strict=True)
        }

    plain, ruled = told("conveyor"), told("conveyor, without installation")

    # Nothing else of the line is touched, and no other line.
    assert ruled[0, 2][1] == plain[0, 2][1]
    text, said, out = LETTERS.encode(
        ["conveyor installation", asserted("conveyor, without installation"), "installation"]
    )
    assert ruled[0, 2][0] == pytest.approx(text @ said - (text @ out - 0.3), abs=2e-3)
    assert plain[0, 2][0] > ruled[0, 2][0]
    text, said = LETTERS.encode(
        ["conveyor, no installation", asserted("conveyor, without installation")]
    )
    assert ruled[0, 4][0] == pytest.approx(text @ said, abs=2e-3)
    assert all(ruled[1, owner] == plain[1, owner] for owner in (1, 2, 3))


def objection(index, read, line, row):
    (found,) = objections(index, read, line, np.array([row]))
    return found


def fits(index, *lines):
    read = index.read([need(line) for line in lines])
    pairs = index.all_pairs(read)
    fit = index.features(read, pairs).fit.astype(float).round(3).tolist()
    return dict(
        zip(
            zip(pairs.line.tolist(), index.owners[pairs.row].tolist(), strict=True),
            fit,
            strict=True,
        )
    )


def test_work_does_not_stand_for_the_machine_nor_a_rival_for_a_partner():
    index = OfferIndex.build(
        [
            offer(1, "轴承清洗机"),
            offer(2, "轴承清洗"),
            offer(3, "轴承厂，长期采购清洗机"),
            offer(4, "轴承"),
        ],
        TREE,
        LETTERS,
    )
    lines = ("采购轴承清洗机", "轴承清洗外包", "出售轴承清洗机", "轴承")

    found = fits(index, *lines)

    # Who offers the washing, or the bearing that is to be washed, and nothing of a machine, has another thing. A buyer
    # who names the washing only beside his bearings loses by both.
    assert [found[0, offer] for offer in (1, 2, 3, 4)] == pytest.approx([1, 0.3, 0.4, 0.3])
    assert [found[1, offer] for offer in (1, 2, 3, 4)] == pytest.approx([0.7, 1, 0.24, 0.3])
    assert [found[2, offer] for offer in (1, 2, 3, 4)] == [0.4, 0.28, 1, 0.4]
    # One name alone: a machine or work for it is another thing.
    assert [found[3, offer] for offer in (1, 2, 3, 4)] == pytest.approx([0.6, 0.6, 0.4, 1])
    read = index.read([need(line) for line in lines])
    told = [objection(index, read, line, row) for line, row in ((0, 1), (1, 0), (2, 0), (0, 2))]
    assert [(one.form, one.party) for one in told] == [
        ("service", ""), ("machine", ""), ("", "seller"), ("", "buyer"),
    ]  # fmt: skip
    # Among the lines of buyers everybody buys.
    index.of_buyers = True
    assert set(fits(index, "采购轴承钢球", "出售轴承钢球").values()) == {1}


def test_objections_are_the_same_for_many_texts_at_once():
    said = [
        "轴承钢球检测", "轴承钢球检测设备", "Hand tool distributor", "年采购轴承钢球 300 吨", "nickel 0.1 mm", "nickel 1 mm",
        "pump", "gasket", "installation", "轴承钢管", "轴承", "valve 40 kW",
    ]  # fmt: skip
    asked = [
        "轴承钢球检测设备", "出售轴承钢球", "nickel 100 um", "gasket for pump", "conveyor, without installation", "求购轴承",
        "valve 4 kW", "", "Bolts, manufacturers only",
    ]  # fmt: skip
    offers = [offer(number, text) for number, text in enumerate(said)]
    index = OfferIndex.build(offers, TREE, LETTERS)
    read, rows = index.read([need(text) for text in asked]), np.arange(len(said))

    found = [objections(index, read, line, rows) for line in range(len(asked))]

    alone = [
        [_objections(index, read, line, row, True, True) for row in rows]
        for line in range(len(asked))
    ]
    assert found == alone
    spoken = [one for own in found for one in own]
    for name in ("form", "party", "numbers", "purpose", "ruled_out", "beside", "unnamed"):
        assert any(getattr(one, name) for one in spoken), name


def test_numbers_far_off_cost_a_fifth_and_are_told():
    index = OfferIndex.build(
        [offer(1, "nickel 0.1 mm"), offer(2, "nickel 1 mm"), offer(3, "nickel")], TREE, LETTERS
    )
    read = index.read([need("nickel 100 um")])

    assert fits(index, "nickel 100 um") == {(0, 1): 1, (0, 2): 0.8, (0, 3): 1}
    assert [objection(index, read, 0, row).numbers for row in range(3)] == [
        None, ("100 um", "1 mm"), None,
    ]  # fmt: skip


def test_what_a_line_is_for_speaks_more_softly_than_what_it_asks_for():
    index = OfferIndex.build(
        [offer(1, "gasket"), offer(2, "pump"), offer(3, "valve"), offer(4, "zzzz qqqq")],
        TREE,
        LETTERS,
    )

    def told(line):
        read = index.read([need(line)])
        pairs = index.all_pairs(read)
        features = index.features(read, pairs)
        return features.b.tolist(), features.u.tolist(), read

    equal, plain, _ = told("gasket pump")
    softly, away, read = told("gasket for pump")

    assert equal[0] == equal[1] > 0
    assert softly[1] == pytest.approx(0.3 / 1.3 * sum(softly), abs=1e-3)
    assert softly[0] > equal[0]
    # "pump" is said to be what the gasket goes into, and what is much nearer to it than to a gasket loses by that.
    assert objection(index, read, 0, 1).purpose == "for pump"
    assert objection(index, read, 0, 0).purpose == ""
    assert objection(index, read, 0, 3).purpose == ""
    assert away[1] < plain[1]


def test_what_a_line_rules_out_is_named_to_who_offers_it():
    index = OfferIndex.build([offer(1, "conveyor belt"), offer(2, "installation")], TREE, LETTERS)
    read = index.read([need("conveyor, without installation"), need("conveyor")])

    assert objection(index, read, 0, 1).ruled_out == "installation"
    assert objection(index, read, 1, 1) == Objections()


def test_who_names_just_what_is_ruled_out_or_stands_between_loses_by_it_and_is_told():
    texts = (
        "Crane parts, copies",
        "Crane parts, no copies",
        "Trading house for crane parts",
        "Crane parts plant",
    )
    index = OfferIndex.build([offer(n, text) for n, text in enumerate(texts, 1)], TREE, LETTERS)
    read = index.read([need("Crane parts, no copies"), need("Crane parts, manufacturers only")])

    left = (
        index.features(read, index.all_pairs(read))
        .fit.reshape(2, 4)
        .astype(float)
        .round(2)
        .tolist()
    )
    told = [[objection(index, read, line, row).ruled_out for row in range(4)] for line in (0, 1)]

    assert left == [[0.75, 1, 1, 1], [1, 1, 0.4, 1]]
    assert told[0][:2] == ["copies", ""]
    assert told[1] == ["", "", "manufacturers only", ""]
    assert objection(index, read, 1, 2).party == ""


def test_phrases_of_lines_are_encoded_once():
    asked = []

    class Counting(Letters):
        def encode(self, texts):
            asked.extend(texts)
            return super().encode(texts)

    index = OfferIndex.build([offer(1, "gasket")], TREE, Counting())
    lines = [replace(need("gasket for pumps"), vector=LETTERS.encode(["gasket for pumps"])[0])]
    index.read(lines)
    asked.clear()

    index.read(lines * 2)

    assert asked == []
