"""Categories proposed while one types, over the golden lines."""

from __future__ import annotations

import pytest

from matchmaking.engine import proposals
from tests.matchmaking.engine.conftest import GOLDEN

# Leaves that are newer than the categories of the golden lines, and say more exactly what the line asks for.
NEWER = {
    "lfpcam-r3": "LB0108",
    "essfire-r4": "LB0311",
    "aircomp-r2": "H20302",
    "switchgear-r4": "GS0111",
    "dglog-r4": "BM0306",
}


@pytest.fixture(scope="module")
def proposed(shipped, encoder, golden):
    shipped.vectors(encoder)
    return {query.id: proposals.propose(shipped, query.text, encoder) for query in golden.queries}


def test_the_right_category_is_among_the_first_five_of_nine_lines_in_ten(proposed, golden):
    right = {query.id: {*query.categories} for query in golden.queries}
    codes = {line: {one.code for one in found} for line, found in proposed.items()}
    by_author = sum(bool(right[line] & codes[line]) for line in right)
    newer = sum(proposed[line][0].code == leaf for line, leaf in NEWER.items())

    assert by_author >= 135  # of 150
    assert newer == len(NEWER)
    # That some of the newer ones are right as well is not counted.
    first = sum(proposed[line][0].code in right[line] for line in right)
    assert first >= 108


def test_lines_of_a_stranger_have_their_category_among_the_first_five(shipped, encoder):
    """Written by somebody who had read the tree and not the engine."""
    rows = (GOLDEN / "stranger_categories.tsv").read_text("utf-8").splitlines()[1:]
    lines = dict(row.split("\t") for row in rows)
    found = {line: proposals.propose(shipped, line, encoder) for line in lines}

    assert len(lines) == 83
    assert sum(lines[line] in {one.code for one in own} for line, own in found.items()) >= 81


def test_every_proposal_has_its_reason(proposed):
    assert all(one.term for found in proposed.values() for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("光伏接线盒，1500V", False),
        ("Ladies' leather handbags, autumn collection", True),
        ("qqqq zzzz xxxx", True),
    ],
)
def test_what_fits_nothing_is_said_to_fit_nothing(shipped, encoder, text, expected):
    assert proposals.is_doubtful(proposals.propose(shipped, text, encoder)) is expected


def test_nonsense_is_answered_with_nothing(shipped, encoder):
    assert proposals.propose(shipped, "qqqq zzzz xxxx", encoder) == []


@pytest.mark.parametrize(
    ("chosen", "instead"),
    [
        ([], None),  # nobody chose anything
        (["PV0306"], None),
        (["IE0101"], "PV0306"),
        (["IE0101", "PV0306"], None),  # one of several is right
    ],
)
def test_a_doubtful_choice_is_questioned(shipped, encoder, chosen, instead):
    found = proposals.propose(shipped, "三分体接线盒，1500 V，25 A，IP68，适配 210 组件", encoder)

    asked = proposals.doubted(found, chosen)

    assert (asked and asked.code) == instead


def test_an_unclear_text_questions_nobody(shipped, encoder):
    found = proposals.propose(shipped, "Ladies' leather handbags, autumn collection", encoder)

    assert proposals.doubted(found, ["PV0306"]) is None


def test_neighbours_of_one_parent_stand_together(shipped, encoder):
    """Microinverters are asked for: the other inverters come before a furnace that shares a word."""
    found = proposals.propose(
        shipped, "Module-level microinverters 2-in-1 800 VA for balcony solar in Germany", encoder
    )

    assert found[0].code == "PV0403"
    assert sum(one.code.startswith("PV04") for one in found) >= 4


@pytest.mark.parametrize(
    ("word", "distance"),
    [
        ("junction box", 0),
        ("split junction box", 1),
        ("junction box adhesive", 2),
        ("junction boxes", 3),
        ("pv junction boxes", 4),
    ],
)
def test_nearer_words_come_first(word, distance):
    assert proposals._distance("junction box", word) == distance


def test_abbreviation_and_part_of_a_word_name_nothing(shipped):
    assert proposals._said(shipped, "Electrolyte additives FEC and VC, battery grade") == []
    assert proposals._said(shipped, "xjunction box") == []
    assert [one.term for one in proposals._said(shipped, "Split junction box: 1500 V")] == [
        "split junction box"
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("氢燃料电池双极板", "H20206"),
        ("fuel cell bipolar plates, 2,000 pcs", "H20206"),
        ("packaging cartons for inverters", "GS0601"),
        ("燃料电池电堆", "H20210"),
        ("燃料电池双极板 石墨", "H20206"),
    ],
)
def test_what_a_name_ends_with_is_proposed(shipped, encoder, text, code):
    assert code in [one.code for one in proposals.propose(shipped, text, encoder)][:3]
