"""Words are marked where they stand, in text as it was written."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import searchtext
from chains.marks import Marker


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("結線", "结线端子", "<mark>结线</mark>端子"),
        ("Ｍ１０", "螺栓 m10×30", "螺栓 <mark>m10</mark>×30"),
        ("IEC-61215", "通过 IEC 61215 认证", "通过 <mark>IEC 61215</mark> 认证"),
        ("9um", "铜箔 9 微米", "铜箔 <mark>9 微米</mark>"),
        ("1200", "宽 1,200 mm", "宽 <mark>1,200</mark> mm"),
        ("qhgf", "示例青禾光伏", "示例<mark>青禾光伏</mark>"),
        ("jiexianh", "光伏接线盒", "光伏<mark>接线盒</mark>"),
        ("光伏 接线盒", "光伏接线盒", "<mark>光伏接线盒</mark>"),
        ("amp", "a & b", "a &amp; b"),
        ("轴承", "光伏接线盒", "光伏接线盒"),
        ("", "光伏", "光伏"),
    ],
)
def test_marked(query, text, marked):
    assert Marker(query).marked(text) == marked


def test_what_is_one_slip_away_is_marked_where_it_was_looked_for():
    text = "PV backsheat film"

    assert Marker("backsheet").marked(text) == text
    assert Marker("backsheet", typos=True).marked(text) == "PV <mark>backsheat</mark> film"
    assert Marker("接线合", typos=True).marked("光伏接线盒") == "光伏<mark>接线盒</mark>"


@given(st.text(alphabet="接线盒光伏 ab<>&\"'19０．,-/\u200b\u3000微米mV", max_size=30), st.data())
def test_nothing_is_lost_or_let_through_and_what_is_found_is_marked(text, data):
    begin = data.draw(st.integers(0, len(text)))
    query = text[begin : data.draw(st.integers(begin, len(text)))]

    marked = Marker(query).marked(text)

    assert html.unescape(re.sub(r"</?mark>", "", marked)) == text
    assert re.fullmatch(r"(?:[^<>&\"']|&(?:lt|gt|amp|quot|#x27);|</?mark>)*", marked)
    terms = searchtext.query_terms(query)
    if terms and all(term.folded in searchtext.fold(text) for term in terms):
        assert "<mark>" in marked
