from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import DomainError
from chains.quantities import (
    Amount,
    Unit,
    Units,
    parse_date,
    parse_figure,
    parse_quantity,
    parse_unit,
)

UNITS = Units(
    json.loads((Path(__file__).parents[2] / "chains/reference/units.json").read_text("utf-8"))
)


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        (12.0, "台", (12, "unit", None)),
        ("1,200", "米", (1200, "m", None)),
        ("３００", "只", (300, "only", None)),
        ("1.2万", "片/年", (12000, "sheet", "year")),
        ("1.2", "万片/年", (12000, "sheet", "year")),
        ("１２", None, (12, None, None)),
        ("900,000", "", (900000, None, None)),
        ("1 200", "m", (1200, "m", None)),
        ("1200 t/月", None, (1200, "t", "month")),
        ("年产1.2万吨", None, (12000, "t", "year")),
        ("12000 pcs per year", None, (12000, "pcs", "year")),
        ("5k units annually", None, (5000, "unit", "year")),
        ("1000 Nm³/h", None, (1000, "nm3_h", None)),
        ("8 台/套", None, (8, "unit", None)),
        ("三百套", None, (300, "set", None)),
        ("两万五千", "件", (25000, "pcs", None)),
        ("1.5億元", None, (150000000, "cny", None)),
        ("12 pcs", "件", (12, "pcs", None)),
        (0.5, "t", (Decimal("0.5"), "t", None)),
        ("1e3", None, (1000, None, None)),
        ("1,00,000", "Nos.", (100000, "only", None)),
        ("2.5 lakh", "nos", (250000, "only", None)),
        ("8.5万吨", "万吨", (85000, "t", None)),
        ("5千", "个", (5000, "pcs", None)),
        ("3打", None, (3, "dozen", None)),
        ("-", "台", (None, "unit", None)),
        (None, None, (None, None, None)),
    ],
)
def test_quantity_is_read(cell, unit, expected):
    assert parse_quantity(cell, UNITS, unit=unit) == Amount(*expected)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("约150", 150),
        ("150台左右", 150),
        ("不少于20套", 20),
        ("≥ 3", 3),
        ("1.200", Decimal("1.200")),
        ("1.234,56", Decimal("1234.56")),
        ("1.234.567", 1234567),
        ("1.2M", Decimal("1.2")),
        ("面议", None),
    ],
)
def test_uncertain_quantity_is_read_with_a_warning(cell, value):
    read = parse_quantity(cell, UNITS)

    assert read.value == value
    assert cell in read.warning


def test_scale_said_by_the_cell_and_by_the_unit_counts_once_and_is_asked_about():
    read = parse_quantity("1.2万", UNITS, unit="万只")

    assert (read.value, read.unit) == (12_000, "only")
    assert "1.2万" in read.warning


def test_capital_m_beside_a_stated_unit_is_a_million():
    read = parse_quantity("1.2M", UNITS, unit="pcs")

    assert (read.value, read.unit) == (1_200_000, "pcs")
    assert "1.2M" in read.warning
    assert parse_quantity("12 m", UNITS).unit == "m"


@pytest.mark.parametrize(
    ("cell", "unit", "code"),
    [
        ("0", "台", "quantity.not_positive"),
        (-5, None, "quantity.not_positive"),
        ("100-200", "台", "quantity.range"),
        ("100 至 200", "台", "quantity.range"),
        ("1,20", None, "quantity.ambiguous"),
        ("10 t/day", None, "quantity.period"),
        ("500、600", "个", "quantity.several"),
        ("500±10", "个", "quantity.several"),
        ("3×20箱", None, "quantity.several"),
        ("1/2", None, "quantity.several"),
        ("2吨 3吨", None, "quantity.several"),
        ("5", "箱子", "quantity.unit"),
        ("5 t", "台", "quantity.two_units"),
        ("5 台/月", "台/年", "quantity.two_units"),
        ("很多", None, "quantity.unreadable"),
        (float("nan"), None, "quantity.unreadable"),
        (float("inf"), None, "quantity.unreadable"),
        (True, None, "quantity.unreadable"),
        (date(2026, 1, 1), None, "quantity.unreadable"),
        ("9" * 40, None, "quantity.too_large"),
    ],
)
def test_quantity_that_cannot_be_read_for_certain_is_refused(cell, unit, code):
    with pytest.raises(DomainError) as refusal:
        parse_quantity(cell, UNITS, unit=unit)

    assert refusal.value.code == code


def test_unit_rows_may_be_objects():
    class Row:
        code, name_zh, name_en, order = "pcs", "件", "piece", 1
        synonyms_zh, synonyms_en = ["个"], []

    assert parse_unit("万个/年", Units([Row()])) == Unit("pcs", "year", 10000)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-09-30",
        "2026/9/30",
        46295,
        46295.0,
        "46295",
        "2026年9月30日",
        "２０２６．９．３０",
        "20260930",
        20260930.0,
        "30 Sep 2026",
        "Sep 30th, 2026",
        "30/09/2026",
        "9/30/2026",
        "2026-09-30 00:00:00",
        "2026年9月30日前",
        "2026·9·30",
        "2026，9，30",
        "2026 09 30",
        "2026-09-30T08:00:00+08:00",
        "26年9月30日",
        "二〇二六年九月三十日",
        "民國115年9月30日",
        "30. September 2026",
        "46295.5",
        date(2026, 9, 30),
        datetime(2026, 9, 30, 12),  # noqa: DTZ001 -- as a spreadsheet cell has it
    ],
)
def test_day_is_read_in_every_spelling(cell):
    read = parse_date(cell)

    assert (read.value, read.proposed, read.warning) == (date(2026, 9, 30), None, "")


@pytest.mark.parametrize(
    ("cell", "proposed"),
    [
        ("2027年3月", date(2027, 3, 31)),
        ("March 2027", date(2027, 3, 31)),
        ("2024年2月底前", date(2024, 2, 29)),
        ("Q4 2026", date(2026, 12, 31)),
        ("2026-Q4", date(2026, 12, 31)),
        ("2026年第三季度", date(2026, 9, 30)),
        ("2026年上半年", date(2026, 6, 30)),
        ("2026", date(2026, 12, 31)),
        (2026.0, date(2026, 12, 31)),
        ("2026年底", date(2026, 12, 31)),
        ("26年12月", date(2026, 12, 31)),
        ("2026年12月上旬", date(2026, 12, 10)),
        ("2026年12月中旬", date(2026, 12, 20)),
        ("2026年12月下旬", date(2026, 12, 31)),
        ("12.2026", date(2026, 12, 31)),
        ("Ende März 2027", date(2027, 3, 31)),
        ("KW 12/2027", date(2027, 3, 28)),
        ("2027年第12周", date(2027, 3, 28)),
    ],
)
def test_span_without_a_day_proposes_its_last_one(cell, proposed):
    read = parse_date(cell)

    assert (read.value, read.proposed) == (None, proposed)
    assert proposed.isoformat() in read.warning


@pytest.mark.parametrize(
    "cell",
    [
        "尽快",
        "ASAP",
        "合同签订后30天",
        "30天内",
        "2-3周",
        "45 days after order",
        "within 6 weeks",
        "3个月",
    ],
)
def test_time_that_names_no_day_is_kept_without_one(cell):
    read = parse_date(cell)

    assert (read.value, read.proposed) == (None, None)
    assert cell in read.warning


def test_year_of_two_figures_behind_a_month_in_words_is_read_and_pointed_out():
    read = parse_date("15-Mar-27")

    assert read.value == date(2027, 3, 15)
    assert "15-Mar-27" in read.warning


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("年底前", "date.no_year"),
        ("三季度", "date.no_year"),
        ("12月", "date.no_year"),
        ("26/12/26", "date.ambiguous"),
        ("2026-13-40", "date.unreadable"),
        ("2026-02-30", "date.unreadable"),
        ("2026-13", "date.unreadable"),
        (1e300, "date.unreadable"),
        (float("nan"), "date.unreadable"),
        (True, "date.unreadable"),
        ("09/10/2026", "date.ambiguous"),
        ("26-09-30", "date.ambiguous"),
        ("9月30日", "date.no_year"),
        ("9999-01-01", "date.out_of_range"),
    ],
)
def test_date_that_is_none_or_two_is_refused(cell, code):
    with pytest.raises(DomainError) as refusal:
        parse_date(cell)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("cell", "warning"), [("", ""), (None, ""), ("/", ""), ("面议", "“面议”: no date")]
)
def test_no_date_is_no_error(cell, warning):
    read = parse_date(cell)

    assert (read.value, read.proposed, read.warning) == (None, None, warning)


cells = (
    st.text(st.sampled_from("0123456789,. 万亿千年月日/-~约台t片Qq上半底per"), max_size=14)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.floats()
)


@given(cells, st.none() | cells.map(str))
def test_any_cell_is_read_or_refused(cell, unit):
    try:
        read = parse_quantity(cell, UNITS, unit=unit)
    except DomainError:
        return
    assert read.value is None or 0 < read.value < 10**15


@given(cells)
def test_any_cell_is_a_day_or_refused(cell):
    try:
        read = parse_date(cell)
    except DomainError:
        return
    assert read.value is None or 2000 <= read.value.year <= 2100


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_every_day_survives_its_spellings(day):
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d %b %Y"):
        assert parse_date(day.strftime(form)).value == day


@pytest.mark.parametrize(
    ("typed", "figure"),
    [("", None), (" ", None), ("200,000", 200_000), (" 20万 ", 200_000), ("1.200", Decimal("1.2"))],
)
def test_figure_in_a_field_of_its_own_is_read(typed, figure):
    assert parse_figure(typed) == figure


@pytest.mark.parametrize(
    "typed", ["1,5", "0,5", "约150", "900/月", "500台", "面议", "-", "5-8", "0", "-1", "9" * 41]
)
def test_figure_that_would_have_to_be_confirmed_is_refused(typed):
    with pytest.raises(DomainError):
        parse_figure(typed)
