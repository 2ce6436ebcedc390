"""What a run leaves as it is: pairs of one fingerprint read the same, and whatever is read of a pair is in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchmaking.engine import fingerprint, scoring
from matchmaking.engine.encoder import NoEncoder
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.records import KeptOffers, offer_to_json
from matchmaking.engine.scoring import Ranker
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import (
    Capacity,
    Condition,
    Held,
    Need,
    Offer,
    OfferText,
    Place,
    Scored,
    Unchanged,
)
from matchmaking.engine.units import Unit, Units
from matchmaking.engine.weights import WEIGHTING_1, Weights
from tests.matchmaking.engine.test_index import Letters
from tests.matchmaking.engine.test_scoring import (
    GUANGZHOU,
    JIASHAN,
    PINGHU,
    SUZHOU,
    TAXONOMY,
    UNITS,
)

LINES = (
    "采购三分体接线盒，1500V，IP68，双玻组件",
    "透明背板，不含安装",
    "湿法隔膜 9μm，用于动力电池",
    "split junction box for half-cut modules, 1500 V, no resale",
    "层压机",
)
OFFERED = (
    "三分体接线盒，1500V，IP68，双玻组件用",
    "split junction box 1500 V for half-cut modules, IP68",
    "组件层压机，双腔，含安装",
    "湿法隔膜 12μm",
    "透明背板贸易，求购",
    "层压机维修服务",
)
CATEGORIES = ((), ("PV0101",), ("PV0102",), ("LB0101",), ("8536",))
PLACES = (JIASHAN, PINGHU, SUZHOU, GUANGZHOU, Place())


WITHOUT = NoEncoder()


@dataclass
class World:
    """All that a ranking comes out of."""

    needs: list[Need]
    offers: list[Offer]
    taxonomy: Taxonomy = TAXONOMY
    units: Units = UNITS
    weights: Weights = WEIGHTING_1
    encoder: Any = WITHOUT
    of_buyers: bool = False

    def ranker(self) -> Ranker:
        index = OfferIndex.build(self.offers, self.taxonomy, self.encoder)
        index.of_buyers = self.of_buyers
        return Ranker(index, self.weights, self.units)

    def ranked(self, known=None):
        return list(self.ranker().rank_anew(self.needs, known or {}))

    def scores(self) -> dict[tuple[int, int], Scored]:
        return {(one.need, one.offer): one for one in self.ranked()}


def a_condition(dice: random.Random, number: int) -> Condition:
    kind, values = dice.choice(
        [
            ("certification", {"codes": ("CQC",)}),
            ("sample_time", {"value": 20.0}),
            ("lead_time", {"value": 30.0}),
            ("capacity", {"value": 500.0, "unit": "kg"}),
            ("region", {"codes": ("330000",)}),
            ("distance", {"value": 80.0}),
            ("cooperation", {"codes": ("joint_rd",)}),
            ("origin", {"codes": ("CN",)}),
            ("other", {"text": "see the drawing"}),
        ]
    )
    return Condition(number, kind, dice.choice(["must", "prefer"]), **values)


def a_text(dice: random.Random, number: int) -> OfferText:
    spoken = dice.choice(OFFERED)
    return OfferText(
        number,
        spoken,
        dice.choice(["zh", "en"]),
        categories=dice.choice(CATEGORIES),
        capacity=dice.choice([None, Capacity(1.0, "t"), Capacity(300.0, "kg")]),
        lead_time_days=dice.choice([None, 10, 60]),
        sample_days=dice.choice([None, 15, 45]),
        cooperation_kinds=dice.choice([frozenset(), frozenset({"joint_rd", "purchase_order"})]),
    )


def an_offer(dice: random.Random, number: int) -> Offer:
    papers = (Held("CQC", True), Held("CQC", False), Held("TUV", True))
    return Offer(
        number,
        "enterprise",
        tuple(a_text(dice, 10 * number + place) for place in range(dice.randint(1, 3))),
        certifications=tuple(dice.sample(papers, dice.randint(0, 2))),
        place=dice.choice(PLACES),
        country=dice.choice(["CN", "CN", "DE"]),
    )


def a_need(dice: random.Random, number: int) -> Need:
    return Need(
        number,
        dice.choice(LINES),
        dice.choice(["zh", "en"]),
        category=dice.choice([None, "PV0101", "PV0102", "LB0101"]),
        conditions=tuple(a_condition(dice, 10 * number + n) for n in range(dice.randint(0, 3))),
        place=dice.choice(PLACES),
    )


def _offer_changed(dice: random.Random, offer: Offer) -> Offer:
    other = an_offer(dice, offer.id)
    what = dice.choice(["texts", "certifications", "place", "country", "facts"])
    if what != "facts":
        return replace(offer, **{what: getattr(other, what)})
    names = ("capacity", "sample_days", "lead_time_days", "cooperation_kinds", "categories")
    facts = {name: getattr(other.texts[0], name) for name in names}
    return replace(offer, texts=(replace(offer.texts[0], **facts), *offer.texts[1:]))


def changed(dice: random.Random, world: World) -> World:
    """One thing is otherwise."""
    place, number = dice.randrange(len(world.offers)), dice.randrange(len(world.needs))
    offers, needs = list(world.offers), list(world.needs)
    what = dice.choice(["offer", "offer", "come", "gone", "need", "weights", "side"])
    if what == "offer":
        offers[place] = _offer_changed(dice, offers[place])
    elif what == "come":
        offers.append(an_offer(dice, 100 + len(offers)))
    elif what == "gone" and len(offers) > 1:
        del offers[place]
    elif what == "need":
        needs[number] = a_need(dice, needs[number].id)
    elif what == "weights":
        return replace(world, weights=replace(WEIGHTING_1, text=35, locality=20))
    elif what == "side":
        return replace(world, of_buyers=not world.of_buyers)
    return replace(world, offers=offers, needs=needs)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 4))
def test_whatever_changes_a_pair_of_the_same_fingerprint_reads_the_same(seed, changes):
    dice = random.Random(seed)
    world = World(
        [a_need(dice, number) for number in range(1, 4)],
        [an_offer(dice, number) for number in range(1, 7)],
    )
    before = world.scores()
    for _ in range(changes):
        world = changed(dice, world)
    after = world.scores()

    known = {pair: one.fingerprint for pair, one in before.items()}
    found = world.ranked(known)
    same = {(one.need, one.offer) for one in found if isinstance(one, Unchanged)}
    told = {(one.need, one.offer): one for one in found if isinstance(one, Scored)}
    assert {pair: before[pair] for pair in same} | told == after
    if not changes:
        assert same == after.keys()


NEED = Need(
    1, "采购三分体接线盒，1500V，IP68，双玻组件", "zh", category="PV0101", place=JIASHAN,
    conditions=(Condition(1, "certification", "must", ("CQC",)), Condition(2, "sample_time", "prefer", value=20.0)),
)  # fmt: skip
TEXT = OfferText(10, "分体接线盒，1500V", "zh", ("PV0101",), Capacity(1.0, "t"), 30, 15)
OTHER = OfferText(11, "透明背板", "zh")
OFFER = Offer(1, "enterprise", (TEXT, OTHER), place=PINGHU, certifications=(Held("CQC", True),))
RIVAL = Offer(2, "enterprise", (OfferText(20, "split junction box 1500 V", "en"),), place=SUZHOU)
WORLD = World([NEED], [OFFER, RIVAL])
FOREIGN = tuple(replace(RIVAL.texts[0], id=20 + n, categories=("8536",)) for n in range(4))


def need(**values):
    return replace(WORLD, needs=[replace(NEED, **values)])


def offer(**values):
    return replace(WORLD, offers=[replace(OFFER, **values), RIVAL])


def text(**values):
    return offer(texts=(replace(TEXT, **values), OTHER))


TREE = [replace(row, synonyms_zh=("接线匣",)) if row.code == "PV0101" else row for row in TAXONOMY.rows]  # fmt: skip
NOTICED = {
    "words of the line": need(text=NEED.text + "！"),
    "language of the line": need(language="en"),
    "category of the line": need(category=None),
    "place of the line": need(place=replace(JIASHAN, longitude=120.93)),
    "condition gone": need(conditions=NEED.conditions[:1]),
    "condition weighs more": need(conditions=(NEED.conditions[0], replace(NEED.conditions[1], strength="must"))),
    "condition asks for another paper": need(conditions=(replace(NEED.conditions[0], codes=("TUV",)), NEED.conditions[1])),
    "condition asks for more": need(conditions=(NEED.conditions[0], replace(NEED.conditions[1], value=10.0))),
    "condition is another row": need(conditions=(replace(NEED.conditions[0], id=7), NEED.conditions[1])),
    "words of the text": text(text=TEXT.text + "！"),
    "category of the text": text(categories=()),
    "capacity": text(capacity=Capacity(2.0, "t")),
    "unit of the capacity": text(capacity=Capacity(1.0, "kg")),
    "lead time": text(lead_time_days=None),
    "days for a sample": text(sample_days=16),
    "kinds of cooperation": text(cooperation_kinds=frozenset({"joint_rd"})),
    "another text has won": offer(texts=(replace(TEXT, id=12), OTHER)),
    "language of another text": offer(texts=(TEXT, replace(OTHER, language="en"))),
    "words of another text": offer(texts=(TEXT, replace(OTHER, text="IP68 双玻组件"))),
    "paper gone": offer(certifications=()),
    "paper only stated": offer(certifications=(Held("CQC", False),)),
    "qualification": offer(qualifications=(Held("little_giant", True),)),
    "place of the supplier": offer(place=replace(PINGHU, longitude=121.0152)),
    "country of the supplier": offer(country="DE"),
    "words of a category": replace(WORLD, taxonomy=Taxonomy(TREE)),
    "factor of a unit": replace(WORLD, units=Units.of([Unit("kg", "mass", 1), Unit("t", "mass", 907)])),
    "weighting": replace(WORLD, weights=replace(WEIGHTING_1, decay_km=81.0)),
    "version of the weighting": replace(WORLD, weights=replace(WEIGHTING_1, version=2)),
    "encoder": replace(WORLD, encoder=Letters()),
    "side": replace(WORLD, of_buyers=True),
    # Where texts are filed under codes of their own no line is read as one name.
    "codes that are not ours": replace(WORLD, offers=[OFFER, replace(RIVAL, texts=FOREIGN)]),
}  # fmt: skip


@pytest.mark.parametrize("what", NOTICED)
def test_is_noticed(what):
    before, after = (world.scores()[1, 1].fingerprint for world in (WORLD, NOTICED[what]))

    assert before != after


def test_another_version_of_the_engine_is_noticed(monkeypatch):
    before = WORLD.scores()[1, 1].fingerprint
    monkeypatch.setattr(scoring, "ENGINE_VERSION", "next")

    assert WORLD.scores()[1, 1].fingerprint != before


def one_of(ranker):
    return next(one.fingerprint for one in ranker.rank([NEED]) if one.offer == 1)


# What hangs on all texts of the market may turn while neither the line nor the supplier has changed.


def test_another_leaf_read_in_the_line_is_noticed(monkeypatch):
    before, read = one_of(WORLD.ranker()), OfferIndex.read
    monkeypatch.setattr(OfferIndex, "read", lambda *asked: replace(read(*asked), leading=[3]))

    assert one_of(WORLD.ranker()) != before


def test_another_leaf_read_in_the_text_is_noticed():
    ranker = WORLD.ranker()
    before = one_of(ranker)
    ranker.index.leaders = [3] * len(ranker.index.leaders)

    assert one_of(ranker) != before


def test_words_that_are_told_of_other_texts_are_noticed(monkeypatch):
    before = one_of(WORLD.ranker())
    monkeypatch.setattr(scoring, "ELSEWHERE_TOLD", -1.0)

    assert one_of(WORLD.ranker()) != before


def test_another_text_of_the_same_words_is_noticed():
    ranker = offer(texts=(TEXT, replace(TEXT, id=11))).ranker()
    before = one_of(ranker)
    ranker.index.text_ids[ranker.index.text_ids == 10] = 12

    assert one_of(ranker) != before


def test_another_supplier_is_not_noticed_as_long_as_it_changes_nothing():
    moved = replace(WORLD, offers=[OFFER, replace(RIVAL, place=GUANGZHOU)])
    known = {pair: one.fingerprint for pair, one in WORLD.scores().items()}

    found = {(one.need, one.offer): type(one) for one in moved.ranked(known)}

    assert found == {(1, 1): Unchanged, (1, 2): Scored}


def test_a_kept_offer_is_read_as_one_that_has_come():
    lines = [offer_to_json(one).encode() + b"\n" for one in (OFFER, RIVAL)]
    kept = KeptOffers([1, 2], b"".join(lines), [0, len(lines[0]), sum(map(len, lines))])
    fresh = KeptOffers()
    fresh[2], fresh[1] = RIVAL, OFFER

    assert [kept.written(number) for number in (1, 2)] == [fresh.written(n) for n in (1, 2)]
    assert kept[1] == OFFER
    assert kept.written(1) == fresh.written(1)


def test_written_alike_in_every_process():
    many = frozenset(f"code {number}" for number in range(50))

    assert fingerprint.written(many) == fingerprint.written(frozenset(sorted(many, reverse=True)))
    assert b"vector" not in fingerprint.written(NEED)
