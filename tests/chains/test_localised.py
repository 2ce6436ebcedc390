from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import translation

from chains.templatetags.localised import lang_of, quantity


@pytest.mark.parametrize(
    ("amount", "unit", "period", "zh", "en"),
    [
        (300000, ("只", "piece"), "once", "30 万只", "300,000 pieces"),
        (300000, ("kg", "kg"), "month", "30 万 kg/月", "300,000 kg a month"),
        (480, ("件", "piece"), "year", "480 件/年", "480 pieces a year"),
        (12345, ("件", "piece"), "once", "12,345 件", "12,345 pieces"),
        (96, ("套", "set"), "once", "96 套", "96 sets"),
        (1, ("套", "set"), "once", "1 套", "1 set"),
        (20, ("箱", "box"), "once", "20 箱", "20 boxes"),
    ],
)
def test_a_space_stands_beside_digits_and_never_between_two_chinese_words(
    amount, unit, period, zh, en
):
    row = SimpleNamespace(
        quantity=Decimal(amount),
        unit=SimpleNamespace(name_zh=unit[0], name_en=unit[1]),
        period=period,
    )
    with translation.override("zh-hans"):
        assert quantity(row) == zh
    with translation.override("en"):
        assert quantity(row) == en


def test_the_language_of_a_title_is_that_of_the_words_shown():
    only_english = SimpleNamespace(title_zh="", title_en="Bipolar plates")
    both = SimpleNamespace(title_zh="双极板", title_en="Bipolar plates")
    with translation.override("zh-hans"):
        assert [lang_of(row, "title") for row in (only_english, both)] == ["en", "zh-Hans"]
    with translation.override("en"):
        assert [lang_of(row, "title") for row in (only_english, both)] == ["en", "en"]
