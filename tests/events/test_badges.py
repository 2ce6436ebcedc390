"""Badges as a file: a page for each label, both languages, and names nobody has thought of."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from events import badges, typesetting

HOSTILE = [
    ("张三", "采购总监", "示例光伏科技有限公司", "Demo Photovoltaic Technology"),
    ("W" * 80, "w" * 80, "无" * 200, "W" * 200),
    ("\x00\x07\u202e", "\u200f", "\ud800", ""),
    ("محمد", "😀 engineer", "𠮷野家", "(a) \\ %%EOF endstream"),
    ("", "", "", ""),
]


def person(name, job_title="", enterprise="示例", name_en=""):
    body = SimpleNamespace(
        name=enterprise,
        name_en=name_en,
        kind=SimpleNamespace(name_zh="企业", name_en="Enterprise"),
    )
    return SimpleNamespace(
        name=name,
        job_title=job_title,
        token="t" * 32,
        short_code="abc234",
        registration=SimpleNamespace(enterprise=body),
    )


@pytest.fixture
def plain(monkeypatch):
    """Pages that can be read without unpacking them."""
    monkeypatch.setattr("reportlab.rl_config.pageCompression", 0)
    event = SimpleNamespace(name_zh="示例大会", name_en="Demo docking")

    def draw(paper, *people):
        return badges.draw(event=event, people=people, paper=badges.PAPERS[paper])

    return draw


def pages(file):
    return re.findall(rb"/MediaBox \[ ([0-9. ]+) \]", file)


@pytest.mark.parametrize(
    ("paper", "size", "number"),
    [
        ("a4", b"0 0 595.2756 841.8898", 2),
        ("90x55", b"0 0 255.1181 155.9055", 9),
        ("62x100", b"0 0 175.748 283.4646", 9),
    ],
)
def test_nine_badges_take_two_sheets_or_nine_labels_of_their_size(plain, paper, size, number):
    file = plain(paper, *[person(f"Delegate {place}") for place in "ABCDEFGHI"])

    assert pages(file) == [size] * number
    assert re.findall(rb"\(Delegate (.)\)", file) == [bytes([place]) for place in b"ABCDEFGHI"]


def test_badge_is_in_both_languages_with_its_short_code(plain):
    file = plain("62x100", person("接线", "Buyer", "接线制造", "Junction Works"))

    # Chinese as UCS-2: 接 is 63A5, which is written as c and an octal number.
    assert file.count(rb"c\245") == 2
    for text in (b"(Buyer)", b"(Junction Works)", b"(Demo docking)", b"Enterprise)", b"(abc234)"):
        assert file.count(text) == 1, text


@pytest.mark.parametrize("paper", badges.PAPERS)
def test_hostile_names_are_drawn_on_every_paper(plain, paper):
    file = plain(paper, *[person(*one) for one in HOSTILE])

    assert file.startswith(b"%PDF-1.")
    assert file.rstrip().endswith(b"%%EOF")
    assert len(pages(file)) == (1 if paper == "a4" else len(HOSTILE))
    assert rb"\(a\) \\ %%EOF endstream" in file  # kept as text


@pytest.mark.parametrize(
    ("name", "is_lacking"),
    [
        ("欧阳·阿卜杜拉", False),
        ("José Müller", False),
        ("Ştefan Nguyễn", False),  # without the marks
        ("Łukasz", True),
        ("محمد", True),
        ("𠮷田", True),
        ("李😀", True),
        ("a\u202eb\x00", False),
    ],
)
def test_names_the_file_cannot_write_are_known(name, is_lacking):
    assert typesetting.lacks(name) is is_lacking


def test_nothing_is_written_beyond_the_edge():
    for text in ("Maximilian-Alexander von Hohenstaufen-Wittelsbach", "无" * 60, "W" * 90):
        size, lines = typesetting.broken(text, 150, (22, 13), 2, bold=True)
        assert size == 13
        assert len(lines) == 2
        assert lines[-1].endswith("…")
        assert max(typesetting.width_of(line.rstrip(), size, bold=True) for line in lines) <= 150
