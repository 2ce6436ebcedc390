from __future__ import annotations

import re

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from chains import search, searchtext
from chains.models import Category, Enterprise
from matchmaking.search import nearly
from tests.factories.chains import EnterpriseFactory


@pytest.mark.django_db
def test_a_new_synonym_of_a_category_is_found_at_once():
    category = Category.objects.filter(level=3).first()
    assert search.categories("示例别名甲") == []

    for word in ("示例别名甲", "示例别名乙"):
        category.synonyms_zh = [word]
        category.save()
        assert search.categories(word) == [category]

    assert search.categories("示例别名甲") == [category]  # one slip away


@pytest.mark.django_db
def test_a_category_that_was_retired_is_not_found():
    category = Category.objects.filter(level=3).first()
    category.synonyms_zh = ["示例别名甲"]
    category.save()
    assert search.categories("示例别名甲") == [category]

    category.is_active = False
    category.save()

    assert search.categories("示例别名甲") == []


@pytest.mark.django_db
def test_no_other_process_reads_the_words_of_categories_anew(monkeypatch):
    made = []
    make = searchtext.document

    def document(*args, **kwargs):
        made.append(args)
        return make(*args, **kwargs)

    monkeypatch.setattr(searchtext, "document", document)

    def a_process_starts():
        search._category_documents.cache_clear()
        search._category_document.cache_clear()
        made.clear()

    a_process_starts()
    search.prepare()
    assert made
    found = search.categories("接线盒")

    a_process_starts()
    assert search.categories("接线盒") == found
    assert not made

    monkeypatch.setattr(searchtext, "rules", lambda: "as of tomorrow")
    a_process_starts()
    assert search.categories("接线盒") == found
    assert made


@pytest.mark.django_db
def test_categories_that_say_the_word_stand_before_near_misses(django_assert_num_queries):
    search.categories("接线盒")

    with django_assert_num_queries(2):
        found = search.categories("接线盒")

    documents = [
        searchtext.document(
            f"{row.name_zh}\n{row.name_en}", synonyms=(*row.synonyms_zh, *row.synonyms_en)
        )
        for row in found
    ]
    ranks = [searchtext.matches("接线盒", document) for document in documents]
    assert ranks
    assert ranks == sorted(ranks)


@given(st.text("abcde接线盒电池", min_size=3, max_size=9), st.text("abcde接线盒电池", max_size=14))
def test_what_a_near_miss_finds_the_patterns_of_the_index_find_too(query, text):
    exact, loose = searchtext.typo_patterns(query), searchtext.loose_patterns(query)

    assert len(exact) == len(loose)
    for one, other in zip(exact, loose, strict=True):
        assert not re.search(one, text) or re.search(other, text)


WORDS = st.text("abcde", min_size=5, max_size=9) | st.text("接线盒电池", min_size=3, max_size=7)


@given(WORDS, st.data())
def test_what_is_one_slip_away_holds_a_clue(word, data):
    slips = searchtext.typo_patterns(word)[0].split("|")
    text = data.draw(st.sampled_from(slips)).replace("[^\n\x1f]", "x")
    (clues,) = searchtext.near_clues(word)

    # A word of five letters that is short one leaves nothing an index could tell.
    assert bool(clues) == (not word.isascii() or len(word) > 5)
    assert not clues or any(
        all(one in text for one in c.texts) and set(c.signs) <= set(text) for c in clues
    )


@pytest.mark.django_db
def test_the_index_of_signs_finds_what_looking_into_every_row_finds():
    texts = [
        "深沟球轴承",
        "承轴架",
        "光伏接线盒",
        "接线板合成",
        "合线接",
        "bearing house",
        "beraing",
        "a brg",
        "电池箱",
    ]
    rows = EnterpriseFactory.create_batch(len(texts))
    for row, text in zip(rows, texts, strict=True):
        Enterprise.objects.filter(pk=row.pk).update(search_text=searchtext.document(text))
    found = {}
    for query in (
        "轴承",
        "电池",
        "合",
        "zhoucheng",
        "接线合",
        "bearing",
        "beating",
        "baering",
        "brg",
        "电池 箱",
    ):
        for of_query in (search.typed, nearly):
            plain, by_signs = (of_query("search_text", query, by_signs=on) for on in (False, True))
            if plain is None:
                assert by_signs is None
                continue
            there, here = (
                {texts[rows.index(row)] for row in Enterprise.objects.filter(condition)}
                for condition in (plain, by_signs)
            )
            assert here == there, query
            found[query, of_query] = here

    assert found["轴承", search.typed] == {"深沟球轴承"}
    assert found["接线合", nearly] == {"光伏接线盒", "接线板合成"}
    assert found["beating", nearly] == {"bearing house"}


@pytest.mark.django_db
def test_the_database_does_not_see_how_common_a_word_is():
    """Or it looks into every row for a common one, and takes each text that holds it apart."""
    for row in EnterpriseFactory.create_batch(40):
        Enterprise.objects.filter(pk=row.pk).update(search_text="轴承")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chains_enterprise")
    found = Enterprise.objects.filter(search.holds_signs("search_text", "轴承"))

    assert "rows=1 " in found.explain().splitlines()[0]
    assert found.count() == 40
