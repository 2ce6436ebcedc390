from __future__ import annotations

import json
import re
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from matchmaking.engine.evaluation import MinimalPair, read_minimal_pairs, won_shares
from matchmaking.engine.scoring import Ranker
from matchmaking.engine.text import language_of
from matchmaking.engine.types import Need
from matchmaking.engine.units import Unit, Units
from matchmaking.engine.weights import WEIGHTING_1
from matchmaking.management.commands import evaluate_engine
from matchmaking.management.commands.evaluate_engine import index_of, margins, numbered
from tests.matchmaking.engine.conftest import GOLDEN

PAIRS = GOLDEN / "minimal_pairs.tsv"

# A little below what is reached, so that a change that costs a kind is seen. Raise them with the engine.
ALL = 0.888
LANGUAGES = {"zh-zh": 0.82, "en-en": 0.86, "zh-en": 0.80, "en-zh": 0.82}
KINDS = {
    "context": 0.85,
    "form": 0.58,
    "number": 0.75,
    "standard": 0.88,
    "code": 0.85,
    "script": 0.90,
    "pinyin": 0.92,
    "typo": 0.87,
    "short": 0.90,
    "neighbour": 0.88,
    "treatment": 0.93,
    "spelling": 0.93,
    "jargon": 0.73,
    "long": 0.72,
    "crossed": 0.85,
    "exclusion": 0.85,
    "role": 0.85,
}
# Of the set that was written without knowing the engine.
BLIND = 0.87
BLIND_KINDS = {
    "context": 0.85,
    "level": 0.94,
    "voice": 0.58,
    "exclusion": 0.79,
    "form": 0.86,
    "unit": 0.70,
    "standard": 0.93,
    "model": 0.77,
    "short": 0.80,
    "zh-en": 0.78,
    "en-zh": 0.70,
    "mixed": 0.62,
    "long": 0.80,
}
LATER_KINDS = {"form": 0.60, "short": 0.79, "crossed": 0.80, "long": 0.68}
TYPED_KINDS = {"pinyin": 0.80, "typo": 0.90, "exclusion": 0.93, "number": 0.91, "context": 0.50}


@pytest.fixture(scope="module")
def pairs():
    return read_minimal_pairs(PAIRS)


@pytest.fixture(scope="module")
def index(pairs, shipped, encoder):
    return index_of(pairs, shipped, encoder)


@pytest.fixture(scope="module")
def led(pairs, index):
    return margins(pairs, index)


@pytest.fixture(scope="module")
def shares(pairs, led):
    return won_shares(pairs, led)


def test_pairs_are_many_of_every_kind_and_each_stands_once(pairs):
    assert len(pairs) >= 300
    assert len({pair.line for pair in pairs}) == len(pairs)
    assert all(pair.wins != pair.loses for pair in pairs)
    # The pages of kind "long" stand on both sides; nothing else is used a second time.
    texts = Counter(t for p in pairs if p.kind != "long" for t in (p.wins, p.loses))
    assert texts.most_common(1)[0][1] == 1
    kinds = Counter(pair.kind for pair in pairs)
    assert set(kinds) == {*KINDS}
    assert min(kinds.values()) >= 20


def test_pairs_are_of_both_languages_and_some_lines_mix_them(pairs):
    languages = Counter(pair.languages for pair in pairs)

    assert languages["zh-zh"] >= 100
    assert languages["en-en"] >= 70
    assert languages["zh-en"] >= 70
    assert languages["en-zh"] >= 60
    mixed = [p for p in pairs if re.search(r"[一-鿿]", p.line) and re.search("[a-z]{3}", p.line)]
    assert len(mixed) >= 10


def test_every_pair_says_why_in_a_sentence(pairs):
    for pair in pairs:
        assert pair.reason.endswith("."), pair
        assert not pair.reason[0].islower(), pair
        assert len(pair.reason.split()) >= 4, pair


def test_pairs_won_in_all_reach_the_floor(shares):
    assert shares["won"] >= ALL


@pytest.mark.parametrize("languages", LANGUAGES)
def test_pairs_won_by_languages_reach_the_floor(shares, languages):
    assert shares["languages"][languages] >= LANGUAGES[languages]


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_won_by_kind_reach_the_floor(shares, kind):
    assert shares["kinds"][kind] >= KINDS[kind] >= 0.5


def test_pairs_written_blind_reach_their_floors(shipped, encoder):
    blind = read_minimal_pairs(GOLDEN / "blind_pairs.tsv")
    assert len({pair.line for pair in blind}) == len(blind) == 277

    won = won_shares(blind, margins(blind, index_of(blind, shipped, encoder)))

    assert won["won"] >= BLIND
    assert won["kinds"].keys() == BLIND_KINDS.keys()
    assert {kind for kind, share in won["kinds"].items() if share < BLIND_KINDS[kind]} == set()


def test_pairs_of_a_stranger_reach_their_floor(shipped, encoder):
    strange = read_minimal_pairs(GOLDEN / "stranger_pairs.tsv")
    assert len({pair.line for pair in strange}) == len(strange) == 235

    won = won_shares(strange, margins(strange, index_of(strange, shipped, encoder)))

    assert won["won"] >= 0.86
    assert min(won["kinds"].values()) >= 0.60


def test_later_pairs_reach_their_floor(shipped, encoder):
    """Harder on purpose: the loser has the words of the line, the winner others for the same."""
    later = read_minimal_pairs(GOLDEN / "later_pairs.tsv")
    assert len({pair.line for pair in later}) == len(later) == 88

    won = won_shares(later, margins(later, index_of(later, shipped, encoder)))

    assert won["won"] >= 0.76
    assert won["kinds"].keys() == LATER_KINDS.keys()
    assert {kind for kind, share in won["kinds"].items() if share < LATER_KINDS[kind]} == set()


def test_pairs_of_what_people_type_reach_their_floor(shipped, encoder):
    typed = read_minimal_pairs(GOLDEN / "typed_pairs.tsv")
    assert len({pair.line for pair in typed}) == len(typed) == 70

    won = won_shares(typed, margins(typed, index_of(typed, shipped, encoder)))

    assert won["won"] >= 0.89
    assert won["kinds"].keys() == TYPED_KINDS.keys()
    assert {kind for kind, least in TYPED_KINDS.items() if won["kinds"][kind] < least} == set()


def test_control_pairs_are_not_lost_further(shipped, encoder):
    """Never tuned on, and hard: what the loser says of something else is mostly what the line asks for."""
    control = read_minimal_pairs(GOLDEN / "control_pairs.tsv")
    assert Counter(pair.kind for pair in control) == {"form": 14, "crossed": 14, "long": 14}

    assert won_shares(control, margins(control, index_of(control, shipped, encoder)))["won"] >= 0.57


def test_neither_a_shared_number_nor_the_words_before_a_noun_outweigh_the_product(shipped, encoder):
    """Of the kind "head" (the noun at the end of a compound) three of five are still lost: a control, never tuned on."""
    product = read_minimal_pairs(GOLDEN / "product_pairs.tsv")
    assert Counter(pair.kind for pair in product) == {"head": 20, "number": 20}

    kinds = won_shares(product, margins(product, index_of(product, shipped, encoder)))["kinds"]

    assert kinds["number"] >= 0.80
    assert kinds["head"] >= 0.50


def test_what_leads_is_what_is_shown_with_more_points(pairs, led, index):
    ranker = Ranker(index, WEIGHTING_1, Units.of([Unit("kg", "mass", 1)]))
    numbers = numbered(pairs)
    clear = [place for place, margin in enumerate(led) if abs(margin) > 0.5][::25]

    for place in clear:
        pair = pairs[place]
        need = Need(0, pair.line, language_of(pair.line), enterprise=-1)
        wins, loses = (
            ranker.score_pair(need, numbers[text]).tenths for text in (pair.wins, pair.loses)
        )
        assert (wins > loses) == (led[place] > 0), pair


def test_an_equal_score_is_not_won():
    pair = MinimalPair("short", "轴承", "深沟球轴承", "bearing steel", "A bearing is asked for.")

    assert won_shares([pair, pair, pair], [0.1, 0.0, -1.0])["won"] == 0.3333


@pytest.fixture
def small_folder(tmp_path, monkeypatch, trees):
    monkeypatch.setattr(evaluate_engine, "read_taxonomy", trees)
    (tmp_path / "docs.jsonl").write_text('{"id": "s1", "texts": ["湿法隔膜"]}\n', "utf-8")
    (tmp_path / "queries.jsonl").write_text('{"id": "q1", "text": "隔膜"}\n', "utf-8")
    (tmp_path / "qrels.tsv").write_text("q1\ts1\t2\n", "utf-8")
    (tmp_path / "pairs.tsv").write_text(
        "kind\tline\twins\tloses\treason\n"
        "short\t轴承\t深沟球轴承\t法律咨询\tA bearing is asked for.\n"
        "short\tgasket\tlegal advice\tflat gaskets\tThe wrong way round on purpose.\n",
        "utf-8",
    )
    return tmp_path


def test_command_tells_the_shares_only_when_asked(small_folder):
    def told(*options):
        out = StringIO()
        call_command("evaluate_engine", str(small_folder), "--no-embedding", *options, stdout=out)
        return out.getvalue()

    with_pairs = told("--pairs", str(small_folder / "pairs.tsv"), "--json")

    assert "minimal_pairs" not in told("--json")
    assert json.loads(with_pairs)["minimal_pairs"] == {
        "pairs": 2,
        "won": 0.5,
        "kinds": {"short": 0.5},
        "languages": {"en-en": 0.0, "zh-zh": 1.0},
    }
    assert told("--pairs", str(small_folder / "pairs.tsv")).splitlines()[-5:] == [
        "minimal_pairs           2",
        "won                     0.5",
        "en-en                   0.0",
        "zh-zh                   1.0",
        "short                   0.5",
    ]


@pytest.mark.parametrize("line", ["short\t轴承\t深沟球轴承", "short\t轴承\t\t轴承钢\tWhy."])
def test_malformed_pair_is_named_by_file_and_number(small_folder, line):
    path = small_folder / "pairs.tsv"
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")

    with pytest.raises(CommandError, match=r"pairs\.tsv, line 4: not five filled fields"):
        call_command("evaluate_engine", str(small_folder), "--pairs", str(path))
