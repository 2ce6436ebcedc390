from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import search, searchtext
from chains.models import Category


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
