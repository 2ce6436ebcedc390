from __future__ import annotations

import numpy as np
import pytest
from django.db import connection

from chains import changes
from matchmaking import market, nearest
from matchmaking.adapters import KeptEncoder
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import Need
from tests.factories.matchmaking import supplier
from tests.matchmaking.engine.conftest import SMALL
from tests.matchmaking.engine.test_index import LETTERS, offer

pytestmark = pytest.mark.django_db

WORDS = (
    "pump",
    "valve",
    "gasket",
    "bearing",
    "隔膜",
    "接线盒",
    "逆变器",
    "motor",
    "cable",
    "steel",
)
K = 20
# Other letters for the same words, in directions that these do not have.
TURNED = str.maketrans({chr(n): chr(n - 32) for n in range(ord("a"), ord("z") + 1)})


@pytest.fixture(autouse=True)
def _extension():
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'vector'")
        is_there = cursor.fetchone() is not None
    if not is_there:
        pytest.skip("this PostgreSQL has no pgvector")


def spoken(number):
    dice = np.random.default_rng(number)
    return " ".join(dice.choice(WORDS, 3)) + f" {number}"


@pytest.fixture
def index():
    return OfferIndex.build(
        [offer(number, spoken(number), spoken(1000 + number)) for number in range(1, 151)],
        Taxonomy(SMALL),
        LETTERS,
    )


def found(index, *lines):
    """Offers and texts that a search by meaning and words brings, by line."""
    read = index.read([Need(n, line, "", enterprise=-1) for n, line in enumerate(lines)], K)
    pairs = read.found
    keys = [(int(index.owners[row]), index.texts[row].id) for row in pairs.row]
    return [
        {k for k, at in zip(keys, pairs.line, strict=True) if at == n} for n in range(len(lines))
    ]


def test_search_among_many_looks_at_more(index, monkeypatch):
    assert nearest.of_index("test", index).effort == nearest.LOOKED_AT
    monkeypatch.setattr(nearest, "MANY", 299)  # there are 300 texts

    assert nearest.of_index("test", index).effort == 1000


def test_database_finds_what_memory_finds(index, monkeypatch):
    lines = [spoken(number) for number in range(2000, 2020)]
    exact = found(index, *lines)

    index.nearest = nearest.of_index("supply", index)
    # What memory sees by itself alone would make the claim empty.
    monkeypatch.setattr("matchmaking.engine.search._nearest_here", None)
    told = found(index, *lines)

    share = np.mean([len(one & other) / len(one) for one, other in zip(exact, told, strict=True)])
    assert share >= 0.97


@pytest.fixture
def few_directions(monkeypatch):
    """As with a whole tree and many texts: most directions are left out, and most texts are not looked at."""
    monkeypatch.setattr("matchmaking.engine.taxonomy._FEW_TERMS", 1)
    monkeypatch.setattr("matchmaking.engine.taxonomy._COARSE", 12)
    monkeypatch.setattr(nearest, "LEAST_TELLING", 100)
    monkeypatch.setattr(nearest, "COARSE", 12)
    monkeypatch.setattr(nearest, "LOOKED_AT", 60)


def recall(stored, index, lines, k=20):
    """The share of the k nearest texts of each line that the table finds; of equally near ones it may take any."""
    asked = LETTERS.encode(lines)
    likeness = asked @ index.vectors.T
    least = np.sort(likeness, axis=1)[:, -k] - 1e-3
    row = {(int(index.owners[n]), text.id): n for n, text in enumerate(index.texts)}
    return np.mean(
        [
            np.mean([scores[row[key]] >= bound for key in told])
            for scores, bound, told in zip(likeness, least, stored.find(asked, k), strict=True)
        ]
    )


LINES = [spoken(number) for number in range(2000, 2020)]


@pytest.mark.usefixtures("few_directions")
def test_first_look_is_taken_in_the_directions_of_the_texts(index):
    stored = nearest.of_index("supply", index)

    assert recall(stored, index, LINES) >= 0.97
    with connection.cursor() as cursor:
        cursor.execute("SELECT coarse::text, whole::text FROM matchmaking_nearest_supply LIMIT 1")
        coarse, whole = (np.fromstring(one[1:-1], sep=",") for one in cursor.fetchone())
    assert (len(coarse), len(whole)) == (12, 64)
    # Hardly anything of a text lies elsewhere.
    assert np.linalg.norm(coarse) > 0.9


@pytest.mark.usefixtures("few_directions")
def test_who_has_filled_the_table_anew_changes_the_directions_for_everybody(index):
    theirs = nearest.of_index("supply", index)
    assert recall(theirs, index, LINES) >= 0.97
    other = OfferIndex.build(
        [offer(n, spoken(n).translate(TURNED)) for n in range(1, 301)], Taxonomy(SMALL), LETTERS
    )
    lines = [line.translate(TURNED) for line in LINES]
    nearest.of_index("supply", other, anew=True)

    assert recall(theirs, other, lines) >= 0.97
    other.add(offer(7, "PUMP PUMP PUMP"))
    nearest.follow(theirs, other, [7])
    # A process that comes later reads them, too.
    later = nearest.of_index("supply", other)
    for stored in (theirs, later):
        assert stored.find(LETTERS.encode(["PUMP PUMP PUMP"]), 1) == [[(7, 70)]]
    assert recall(later, other, lines) >= 0.97


@pytest.mark.usefixtures("few_directions")
@pytest.mark.parametrize("lost", ["directions", "row", "encoder", "engine"])
def test_table_without_its_directions_or_of_another_encoder_or_engine_is_filled_anew(
    index, monkeypatch, lost
):
    nearest.of_index("supply", index)
    for number in range(1, 21):
        index.remove(number)
    with connection.cursor() as cursor:
        if lost == "directions":
            cursor.execute("DROP TABLE matchmaking_nearest_supply_directions")
        elif lost == "row":
            cursor.execute("DELETE FROM matchmaking_nearest_supply_directions")
        elif lost == "encoder":
            monkeypatch.setattr(LETTERS, "version", "other letters")
        else:
            monkeypatch.setattr(nearest, "ENGINE_VERSION", "0")

    stored = nearest.of_index("supply", index)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM matchmaking_nearest_supply")
        assert cursor.fetchone()[0] == 260
    index.make_compact()
    assert recall(stored, index, LINES) >= 0.97


def test_database_follows_offers_that_change_and_go(index):
    index.nearest = stored = nearest.of_index("supply", index)
    index.add(offer(3, "zzzz qqqq"))
    index.remove(5)
    nearest.follow(stored, index, [3, 5])

    asked = LETTERS.encode(["zzzz qqqq"])
    assert stored.find(asked, 1) == [[(3, 30)]]
    offers = {one for one, _text in stored.find(asked, 400)[0]}
    assert (len(offers), 5 in offers) == (149, False)
    assert (3, 30) in found(index, "zzzz qqqq")[0]


def test_texts_that_live_no_more_or_are_barred_are_no_candidates(index):
    index.nearest = nearest.of_index("supply", index)
    index.add(offer(7, "zzzz qqqq"))
    index.remove(7)

    read = index.read([Need(1, spoken(7), "", enterprise=8)], K)

    owners = set(index.owners[read.found.row].tolist())
    assert not owners & {7, 8}


def test_table_of_the_same_content_is_taken_over_and_of_another_made_anew(index):
    def rows():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM matchmaking_nearest_supply")
            return cursor.fetchone()[0]

    nearest.of_index("supply", index)
    for number in range(1, 101):
        index.remove(number)
    nearest.of_index("supply", index)
    assert rows() == 300
    nearest.of_index("supply", index, anew=True)
    assert rows() == 100
    nearest.forget("supply")
    nearest.forget("supply")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('matchmaking_nearest_supply')")
        assert cursor.fetchone()[0] is None


def test_setting_switches_the_market_and_a_changed_supplier_is_found(settings, monkeypatch):
    kept = KeptEncoder(LETTERS)
    monkeypatch.setattr(market, "encoder", lambda: kept)
    monkeypatch.setattr(market, "_taxonomy_at", lambda _state: Taxonomy(SMALL))
    one, other = supplier("三分体接线盒"), supplier("铝合金边框")
    line = Need(1, "谐波减速器", "zh", enterprise=-1)
    market.forget()
    before = market.current().index("supply")
    assert before.nearest is None

    settings.MATCHING_CANDIDATES = "pgvector"
    market.forget()
    index = market.current().index("supply")
    assert isinstance(index.nearest, nearest.StoredVectors)
    capability = other.capabilities.get()
    capability.title_zh = capability.text_zh = "谐波减速器"
    capability.save()
    changes.record("capability", capability, "amended")
    index = market.current().index("supply")

    (first, *_rest) = index.nearest.find(index.read([line]).vectors, 2)[0]
    assert first[0] == other.pk
    assert one.pk in {
        owner for owner, _text in index.nearest.find(index.read([line]).vectors, 9)[0]
    }
    market.forget()
