from __future__ import annotations

import csv
import doctest
import re
import time
from pathlib import Path

import pypinyin
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from chains import searchtext
from chains.searchtext import EXACT, PINYIN, SYNONYM, TYPO, document, fold, matches

CASES = Path(__file__).parents[1] / "cases"
SYNONYMS = {"junction box": ["光伏接线盒", "PV junction box", "solar junction box"]}


def cases():
    with (CASES / "search.tsv").open(encoding="utf-8", newline="") as file:
        return [(r["query"], r["text"], r["found"]) for r in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize(
    "text", ["重庆长江轴承行业协会", "音乐与快乐", "参差不齐的参数", "长度增长", "〇号𠀀料"]
)
def test_characters_are_read_by_the_words_around_them(text):
    assert searchtext.syllables(text) == pypinyin.lazy_pinyin(text, errors="ignore")


@pytest.mark.parametrize(("query", "text", "found"), cases())
def test_search_cases_are_found_as_the_table_says(query, text, found):
    rank = matches(query, document(text, synonyms=SYNONYMS.get(query, [])))

    assert ("no" if rank is None else "yes") == found


@pytest.mark.django_db
def test_postgresql_finds_the_same_with_like_and_a_regular_expression():
    for query, text, found in cases():
        stored = document(text, synonyms=SYNONYMS.get(query, []))
        groups, patterns = searchtext.alternatives(query), searchtext.typo_patterns(query)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bool_and(strpos(%s, any_of.one) > 0 OR strpos(%s, any_of.two) > 0)"
                " FROM unnest(%s::text[], %s::text[]) AS any_of(one, two)",
                [stored, stored, [g[0] for g in groups], [g[-1] for g in groups]],
            )
            exact = cursor.fetchone()[0]
            cursor.execute(
                "SELECT bool_and(%s ~ p) FROM unnest(%s::text[]) AS p", [stored, patterns]
            )
            near = cursor.fetchone()[0]

        assert ("yes" if exact or near else "no") == found, query


def test_doctests_hold():
    assert doctest.testmod(searchtext).failed == 0


@pytest.mark.parametrize(
    ("query", "text", "rank"),
    [
        ("接线盒", "光伏接线盒", EXACT),
        ("9微米", "9μm 基膜", EXACT),
        ("9 um", "厚度9微米", EXACT),
        ("GB/T 19001", "通过GB/T19001-2016认证", EXACT),
        ("iec-61215", "IEC61215", EXACT),
        ("ball-valve", "Stainless ball valves", EXACT),
        ("6205-2rs", "深沟球轴承 6205 2RS", EXACT),
        ("螺栓 m10", "M10 高强螺栓", EXACT),
        ("6205-2RS", "深沟球轴承 6205/2RS", EXACT),
        ("6205/2RS", "深沟球轴承 6205 2RS", EXACT),
        ("6205 2RS", "深沟球轴承 62052RS", EXACT),
        ("62052rs", "bearing 6205-2RS, sealed", EXACT),
        ("22205/C3", "22205 C3", EXACT),
        ("1020", "10-20 mm", None),
        ("Muller", "Müller 冲压", EXACT),
        ("MÜLLER", "Muller stamping", EXACT),
        ("Lübeck", "Lubeck", EXACT),
        ("Mu\u0308ller", "Müller", EXACT),
        ("Skoda", "Škoda", EXACT),
        ("Strasse", "Straße 12", EXACT),
        ("カ", "ガラス", None),
        ("1200台", "产能 1,200 台", EXACT),
        ("gfjiexian", "光伏接线盒", None),
        ("guangfujiexianhe", "光伏接线盒", PINYIN),
        ("jie xian he", "光伏接线盒", PINYIN),
        ("xi'an", "西安机床", PINYIN),
        ("lüdianchi", "铝电池", PINYIN),
        ("nüzhuang", "女装面料", PINYIN),
        ("guangfujiexianh", "光伏接线盒", PINYIN),
        ("chongqing", "重庆齿轮", PINYIN),
        ("lvxingcai", "铝型材", PINYIN),
        ("接线盆", "光伏接线盒", TYPO),
        ("光伏线盒", "光伏接线盒", TYPO),
        ("invertor", "string inverter", TYPO),
        ("bearnig", "ball bearing", TYPO),
        ("盒线接", "光伏接线盒", None),
        ("m12", "M10螺栓", None),
        ("ion", "兄弟机床", None),
        ("han", "山东机床", None),
        ("", "轴承", None),
        ("…", "轴承", None),
    ],
)
def test_query_of_one_kind_has_its_rank(query, text, rank):
    assert matches(query, document(text)) == rank


def test_initials_and_aliases_find_an_enterprise():
    stored = document("", names=["示例青禾光伏材料有限公司", "Demo Qinghe PV", "示例清河"])

    assert [matches(q, stored) for q in ("qhgf", "QINGHE", "清河", "qinghe")] == [2, 0, 0, 0]


def test_synonyms_rank_below_the_text():
    stored = document("组件配件", synonyms=["接线盒", "junction box"])

    assert matches("junction box", stored) == SYNONYM
    assert matches("组件", stored) == EXACT


def test_the_same_character_folds_alike_whatever_stands_beside_it():
    # Phrase rules would fold 乾 in 乾燥機 and 乾隆 to two characters.
    assert fold("乾燥機")[0] == fold("乾隆")[0] == fold("乾")


words = st.text(
    st.sampled_from("轴承光伏接线盒機械ＡＢabmM10 9μ-/.,、()IEC微米"), min_size=1, max_size=14
)


@given(words)
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(words, words, words)
def test_like_over_the_stored_text_agrees_with_matches(query, text, synonym):
    stored = document(text, synonyms=[synonym], names=[synonym])

    rank = matches(query, stored)
    groups = searchtext.alternatives(query)
    found = bool(groups) and all(any(s in stored for s in group) for group in groups)
    patterns = searchtext.typo_patterns(query)
    near = bool(patterns) and all(re.search(p, stored) for p in patterns)

    assert found == (rank is not None and rank < TYPO)
    assert near or rank != TYPO


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
def test_any_text_can_be_stored_and_asked(query, text):
    stored = document(text, names=[text])

    assert "\0" not in stored
    assert matches(query, stored) in (None, 0, 1, 2, 3)


def test_a_long_latin_word_is_cut_in_bounded_time():
    started = time.process_time()
    searchtext.query_terms("xianan" * 6 + "q")
    searchtext.query_terms("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")

    assert time.process_time() - started < 0.5


def test_folding_is_fast():
    text = "需要精密軸承座鑄件，材質QT450-10，通過 IEC 61215 認證，厚度9μm，年產1.2萬噸。" * 2
    fold(text)
    best = min(_seconds(lambda: [fold(text) for _ in range(200)]) for _ in range(5))

    assert best / 200 < 0.0002


def _seconds(call):
    started = time.process_time()
    call()
    return time.process_time() - started


@pytest.mark.parametrize(
    ("before", "query"),
    [
        ("深沟球轴承 6205/2rs\x1f\x1f\x1f", "6205-2RS"),
        ("müller stanztechnik\x1fmüller\x1f\x1f", "Muller"),
        ("轴承\x1f22205/c3\x1fzHOUcHENG\x1f", "22205C3"),
    ],
)
def test_document_of_earlier_rules_is_found_once_renewed(before, query):
    assert matches(query, before) in (None, TYPO)
    assert re.search(searchtext.TO_RENEW, before)
    assert matches(query, searchtext.renewed(before)) in (EXACT, SYNONYM)
    assert searchtext.renewed(searchtext.renewed(before)) == searchtext.renewed(before)
