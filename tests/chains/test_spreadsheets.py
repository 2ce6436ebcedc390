from __future__ import annotations

import csv
import io
import itertools
import json
import struct
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from unittest import mock

import pytest
import python_calamine
import xlsxwriter
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile import FILES as HOSTILE
from chains import spreadsheets
from chains.errors import DomainError
from chains.identity import fold_number, phones_of, split_former
from chains.quantities import Units, parse_date, parse_quantity
from chains.spreadsheets import Column, Finding, read_table, workbook_process
from chains.spreadsheets.grid import read_grids
from chains.spreadsheets.writing import covered

CASES = Path(__file__).parents[1] / "cases"
UNITS = Units(
    json.loads((Path(__file__).parents[2] / "chains/reference/units.json").read_text("utf-8"))
)
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)

ENTERPRISES = [
    Column("name", "企业名称", "Enterprise", ("单位名称",), required=True),
    Column("number", "统一社会信用代码", "Social credit code", kind="code"),
    Column("phones", "手机", "Mobile", ("联系电话",), many=True, parse=phones_of),
    Column("capabilities", "主要产品", "Main products"),
    Column("region", "所在县（市、区）", "County"),
]
LINES = [
    Column("text", "产品名称", "Item", required=True),
    Column("specification", "规格要求", "Spec"),
    Column("quantity", "数量", "Quantity", kind="value", fill_down=False),
    Column("unit", "单位", "Unit"),
    Column("needed_by", "交货期", "Needed by", kind="value", parse=parse_date),
    Column("remark", "备注", "Remark"),
]
PLAIN = [Column("name", "名称", "Name", required=True), Column("note", "说明", "Note")]


def amount(values):
    try:
        values["amount"] = parse_quantity(values["quantity"], UNITS, unit=values["unit"])
    except DomainError as refusal:
        yield Finding("quantity", str(refusal))
        return
    if values["amount"].warning:
        yield Finding("quantity", values["amount"].warning, is_error=False)


def workbook(write, **options):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    write(book)
    book.close()
    return buffer.getvalue()


def sheet_of(rows, name="Sheet"):
    def write(book):
        page = book.add_worksheet(name)
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)

    return workbook(write)


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def with_sheet(xml, *, more=()):
    """A workbook whose sheet is the given XML."""
    source = zipfile.ZipFile(io.BytesIO(sheet_of([["名称"], ["a"]])))
    members = [(n, source.read(n)) for n in source.namelist() if n != SHEET]
    return zipped([*members, (SHEET, xml), *more])


def cells(rows):
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{rows}</sheetData></worksheet>'


# --- The given files ----------------------------------------------------------------------------------


def expected(name):
    return json.loads((CASES / name).read_text("utf-8"))


def test_enterprises_in_gbk_are_read_as_expected():
    wanted = expected("enterprises.expected.json")["enterprises_gbk.csv"]

    table = read_table((CASES / "enterprises_gbk.csv").read_bytes(), ENTERPRISES)
    rows = []
    for row in table.rows:
        name = split_former(row.values["name"])
        rows.append(
            {
                "name": name.name,
                "number": fold_number(row.values["number"]),
                "phones": row.values["phones"],
            }
        )
        if name.former:
            rows[-1]["former_names"] = name.former

    assert table.encoding == wanted["encoding"]
    assert table.header_rows == wanted["header_rows"]
    assert table.columns == wanted["columns"]
    assert [sorted(r.items()) for r in rows] == [sorted(r.items()) for r in wanted["rows"]]
    assert [one.text for one in table.skipped] == wanted["not_rows"]
    assert table.errors == []


def test_merged_enterprises_are_read_as_expected():
    wanted = expected("enterprises.expected.json")["enterprises_merged.xlsx"]

    table = read_table((CASES / "enterprises_merged.xlsx").read_bytes(), ENTERPRISES)

    assert table.header_rows == [wanted["header_row"]]
    assert table.columns == wanted["columns"]
    fields = ("name", "capabilities", "region", "number")
    assert [{f: row.values[f] for f in fields} for row in table.rows] == wanted["rows"]
    assert {str(e.ordinal): e.sentence for e in table.errors} == {
        ordinal: sentence[0].upper() + sentence[1:] + "."
        for ordinal, sentence in (
            (o, s.removeprefix("the code").join(["The code", ""]))
            for o, s in wanted["errors"].items()
        )
    }
    assert [(e.row, e.column) for e in table.errors] == [(9, "O")]


def test_requirement_lines_are_read_as_expected():
    wanted = expected("requirement_lines.expected.json")

    table = read_table((CASES / "requirement_lines.xlsx").read_bytes(), LINES, check=amount)

    assert table.header_rows == [wanted["header_row"]]
    assert [row.ordinal for row in table.good] == wanted["lines_kept"]
    for row in table.good:
        want = wanted["rows"][str(row.ordinal)]
        read, day = row.values["amount"], row.values["needed_by"]
        if "quantity" in want:
            assert read.value == want["quantity"]
        assert want.get("period") == read.period
        if "unit" in want:
            assert read.unit == UNITS.find(want["unit"])
        if "needed_by" in want:
            assert (day.value.isoformat() if day.value else None) == want["needed_by"]
    assert [(e.ordinal, e.header, e.sentence) for e in table.errors] == [
        (6, "Item / 产品名称", "Item / 产品名称 is missing."),
        (7, "交货期", "“2026-13-40” is no date. Enter year, month and day."),
        (9, "数量", "The quantity must be more than 0."),
    ]
    assert [(w.ordinal, w.sentence) for w in table.warnings] == [
        (5, "“2026-Q4”: no day; 2026-12-31 proposed"),
        (8, "“面议”: no date"),
        (8, "“约150” read as 150"),
    ]
    assert [one.text for one in table.skipped] == wanted["not_lines"]
    assert [row.number for row in table.rows if row.is_hidden] == [8]
    same = spreadsheets.duplicates(
        table.good, lambda r: (r.values["text"], r.values["specification"])
    )
    assert [(later.ordinal, first.ordinal) for later, first in same] == [(10, 1)]


# --- Files of the same kinds --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_is_read_in_every_encoding_and_cut(encoding, delimiter):
    text = f'名称{delimiter}说明\r\n示例甲{delimiter}"a{delimiter}b\r\nc"\r\n'

    table = read_table(text.encode(encoding), PLAIN)

    assert [row.values for row in table.rows] == [{"name": "示例甲", "note": f"a{delimiter}b\r\nc"}]


def test_excel_separator_hint_is_followed_and_row_numbers_stay():
    table = read_table("sep=|\n名称|说明\n甲|,,,\n".encode(), PLAIN)

    assert [(row.number, row.values) for row in table.rows] == [(3, {"name": "甲", "note": ",,,"})]


def test_headers_in_english_with_stars_and_hints_are_found():
    table = read_table(b"NAME *,Note (optional)\nfoo,bar\n", PLAIN)

    assert [row.values for row in table.rows] == [{"name": "foo", "note": "bar"}]


def test_rows_that_are_none_are_told_apart():
    text = "一览表,\n名称,说明\n一、浙江,\n甲,x\n名称,说明\n无,-\n合 计：,3\n注塑机有限公司,\n制表：办公室,\n注：见附件,\n"

    table = read_table(text.encode(), PLAIN)

    assert [row.values["name"] for row in table.rows] == ["甲", "注塑机有限公司"]
    assert [(one.row, one.why) for one in table.skipped] == [
        (3, "heading"), (5, "header"), (6, "placeholder"), (7, "sum"), (9, "note"), (10, "note"),
    ]  # fmt: skip


def test_cells_merged_downwards_fill_the_rows_but_not_the_amounts():
    def write(book):
        page = book.add_worksheet()
        page.write_row(0, 0, ["产品名称", "数量", "单位"])
        page.merge_range("A2:A3", "阀门")
        page.merge_range("B2:B3", 5)
        page.write_column("C2", ["台", "套"])

    table = read_table(workbook(write), LINES)

    assert [(r.values["text"], r.values["quantity"], r.values["unit"]) for r in table.rows] == [
        ("阀门", 5.0, "台"),
        ("阀门", None, "套"),
    ]


def test_old_binary_workbook_is_read():
    table = read_table((CASES / "lines_merged.xls").read_bytes(), LINES)

    assert (table.kind, table.sheet, table.header_rows) == ("xls", "名单", [3])
    assert [
        (r.values["text"], r.values["needed_by"].value, r.values["quantity"]) for r in table.rows
    ] == [("阀门", date(2026, 9, 30), 12.0), ("阀门", date(2026, 10, 1), "1.2万")]


def test_a_wide_cell_is_a_heading_only_when_it_lies_across_columns():
    def write(book):
        page = book.add_worksheet()
        page.merge_range("A1:C1", "名称")
        page.merge_range("D1:F1", "说明")
        page.merge_range("A2:F2", "嘉兴市")
        page.merge_range("A3:C3", "联系电子 有限公司")

    table = read_table(workbook(write), PLAIN)

    assert [row.values["name"] for row in table.rows] == ["联系电子 有限公司"]
    assert [(one.row, one.text, one.why) for one in table.skipped] == [(2, "嘉兴市", "heading")]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_our_own_export_is_read_back_without_its_last_line(language):
    with translation.override(language):
        data = b"".join(spreadsheets.csv_stream(["Name", "Note"], [["a", "=b"]], as_of=NOW))

    table = read_table(data, PLAIN)

    assert [row.values for row in table.rows] == [{"name": "a", "note": "=b"}]
    assert [one.why for one in table.skipped] == ["note"]


def test_header_of_two_merged_rows_is_joined():
    def write(book):
        page = book.add_worksheet()
        page.merge_range("A1:A2", "企业名称")
        page.merge_range("B1:C1", "联系人")
        page.write_row("B2", ["姓名", "手机"])
        page.write_row("A3", ["示例甲", "x", 13000000000])

    table = read_table(workbook(write), ENTERPRISES)

    assert table.header_rows == [1, 2]
    assert table.columns == ["企业名称", "联系人/姓名", "联系人/手机"]
    assert table.rows[0].values["phones"] == ["13000000000"]


NEEDS = (
    Column("text", "产品名称", "Product", required=True),
    Column("quantity", "数量", "Quantity", aliases=("需求量",), kind="value"),
)


def test_second_header_row_that_only_divides_groups_is_no_row_of_data():
    """Nothing is won by the second row – the first has all columns – but it holds the unit."""

    def write(book):
        page = book.add_worksheet()
        page.merge_range("A1:A2", "产品名称")
        page.merge_range("B1:C1", "需求量")
        page.write_row("B2", ["数量(吨)", "金额(万元)"])
        page.write_row("A3", ["铝型材", 1200, 3000])

    merged = read_table(workbook(write), NEEDS)
    plain = read_table("产品名称,需求量,\n,数量(吨),金额(万元)\n铝型材,1200,3000\n".encode(), NEEDS)
    data = read_table("产品名称,需求量,\n铝型材,1200,\n,,见附件\n".encode(), NEEDS)

    for table in (merged, plain):
        assert [row.values for row in table.rows] == [
            {"text": "铝型材", "quantity": table.rows[0].values["quantity"]}
        ]
        assert table.titles["quantity"] == "需求量/数量(吨)"
    assert data.rows[0].values["text"] == "铝型材"


def test_formula_without_its_result_is_no_empty_cell():
    def cell(name, text):
        return f'<c r="{name}" t="inlineStr"><is><t>{text}</t></is></c>'

    rows = [
        cell("A1", "产品名称") + cell("B1", "数量"),
        cell("A2", "阀门") + '<c r="B2"><f>3*100</f><v/></c>',
        cell("A3", "泵") + '<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        cell("A4", "管") + '<c r="B4" t="str"><f>IF(A1="","",1)</f><v></v></c>',
        cell("A5", "阀") + '<c r="B5"><f>3*100</f><v>300</v></c>',
        # Some programs leave the result out altogether.
        cell("A6", "件") + '<c r="B6"><f>3*100</f></c>',
    ]
    xml = "".join(f'<row r="{at}">{row}</row>' for at, row in enumerate(rows, 1))

    unsaved, wrong, empty, saved, left_out = read_table(with_sheet(cells(xml)), NEEDS).rows

    for row in (unsaved, left_out):
        assert [error.sentence[:24] for error in row.errors] == ["The cell holds a formula"]
    assert [error.sentence for error in wrong.errors] == [
        "The cell shows #DIV/0!: correct the formula."
    ]
    assert (empty.errors, empty.values["quantity"]) == ([], None)
    assert saved.values["quantity"] == 300


CELLS = [
    '<c r="{at}"><v>1</v></c>', '<c r="{at}" s="0" t="s"><v>0</v></c>', '<c r="{at}" t="str" s="1"><v></v></c>',
    '<c r="{at}" s="1"/>', '<c r="{at}" t="inlineStr"><is><t xml:space="preserve"> x</t></is></c>',
    '<c r="{at}" t="e"><v>#N/A</v></c>', '<c r="{at}" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    '<c r="{at}"><f>A1</f></c>', '<c r="{at}"><f t="shared" si="0"/><v> </v></c>',
    '<c r="{at}" t="str"><f>A1</f><v></v></c>', '<c r="{at}"><f>A1</f><v>2</v></c>', "<c r='{at}'><v>1</v></c>",
    '<c s="1" r="{at}"><v>3</v></c>', '<c s="1"><v>3</v></c>', '<c t="e"><v>#REF!</v></c>', "<c/>", "",
]  # fmt: skip


def scanned(rows, struck):
    """What is told of a sheet whose second row is hidden."""
    xml = ""
    for at, row in enumerate(rows, 1):
        inside = "".join(one.replace("{at}", f"{chr(65 + n)}{at}") for n, one in enumerate(row))
        xml += f'<row r="{at}" hidden="{int(at == 2)}">{inside}</row>'
    scan = workbook_process.Scan(max_rows=3, max_columns=3, struck=struck)
    with zipfile.ZipFile(io.BytesIO(zipped([(SHEET, cells(xml))]))) as archive:
        workbook_process._scan(archive, SHEET, scan)
    return scan.too_large or (scan.hidden, scan.struck, scan.dropped)


@pytest.mark.parametrize("struck", [frozenset(), frozenset("1")])
def test_what_is_told_of_a_sheet_is_the_same_whether_plain_cells_are_parsed(struck):
    sheets = [[pair, pair[::-1]] for pair in itertools.product(CELLS, CELLS)]
    sheets += [[[one] * 4] for one in CELLS] + [[[one]] * 4 for one in CELLS]

    told = [scanned(rows, struck) for rows in sheets]

    assert (
        told.count("too_wide") == told.count("too_long") == len(CELLS) - 3
    )  # without the empty ones
    with mock.patch.object(workbook_process.Scan, "take", lambda _scan, piece: piece):
        assert told == [scanned(rows, struck) for rows in sheets]


def test_the_sheet_with_the_columns_is_taken_and_hidden_sheets_are_not():
    def write(book):
        book.add_worksheet("说明").write_column("A1", ["填表说明", "名称要写全称"])
        old = book.add_worksheet("去年")
        old.write_column("A1", ["名称", "旧"])
        old.write_column("B1", ["说明", "旧"])
        old.hide()
        new = book.add_worksheet("今年")
        new.write_column("A1", ["名称", "新"])

    table = read_table(workbook(write), PLAIN)

    assert (table.sheet, [row.values["name"] for row in table.rows]) == ("今年", ["新"])


def test_missing_columns_are_named():
    with pytest.raises(DomainError, match="名称 / Name") as refusal:
        read_table(b"foo,bar\n1,2\n", PLAIN)

    assert refusal.value.code == "spreadsheet.columns_missing"


@pytest.mark.parametrize("cell", ["9.13304E+17", "9.1330402800419E+17"])
def test_code_saved_as_a_number_in_csv_is_refused(cell):
    table = read_table(f"企业名称,统一社会信用代码\n示例甲,{cell}\n".encode(), ENTERPRISES)

    assert [(e.row, e.column, e.field) for e in table.errors] == [(2, "B", "number")]


def test_dates_errors_and_formulas_of_a_workbook_are_seen():
    def write(book):
        page = book.add_worksheet()
        page.write_row(0, 0, ["产品名称", "交货期", "备注", "数量"])
        page.write_string(1, 0, "=cmd|' /C calc'!A0")
        page.write_datetime(1, 1, date(2026, 9, 30), book.add_format({"num_format": "yyyy-mm-dd"}))
        page.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        page.write_formula(1, 3, "=1+2", None, 3)

    table = read_table(workbook(write), LINES)

    row = table.rows[0]
    assert row.values["text"] == "=cmd|' /C calc'!A0"
    assert row.values["needed_by"].value == date(2026, 9, 30)
    assert row.values["quantity"] == 3.0


def test_two_addresses_that_differ_in_case_are_named_by_row():
    table = read_table(b"name,note\nA@x.example,\nb,\na@X.example,\n", PLAIN)

    pairs = spreadsheets.duplicates(table.rows, lambda row: row.values["name"].casefold())

    assert [(later.number, first.number) for later, first in pairs] == [(4, 2)]


def test_empty_never_agrees_with_empty():
    table = read_table(b"name,note\na,\nb,\n", PLAIN)

    assert spreadsheets.duplicates(table.rows, lambda row: row.values["note"]) == []


def test_template_is_read_back_without_its_example():
    columns = [
        Column(
            "text", "产品名称", "Item", required=True, example="轴承", note="As in the drawing."
        ),
        Column("quantity", "数量", "Quantity", kind="value", example="1.2万"),
        Column("unit", "单位", "Unit", example="片/年"),
    ]
    data = spreadsheets.template_xlsx(columns, sheet="需求/明细", notes=["One line per product."])

    table = read_table(data, columns)
    notes = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        .get_sheet_by_index(1)
        .to_python()
    )

    assert table.columns == ["产品名称 / Item *", "数量 / Quantity", "单位 / Unit"]
    assert (table.rows, [one.why for one in table.skipped]) == ([], ["example"])
    assert notes[0][0] == "One line per product."
    assert ["产品名称 / Item *", "required. As in the drawing."] in notes


# --- What a file is -----------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpeg"),
        (b"<!DOCTYPE html><table>", "html"),
        (b"\xef\xbb\xbf<html>", "html"),
        (b"<svg xmlns='x'>", "html"),
        (b"MZ\x90\0", "program"),
        (b"GIF89a", "gif"),
        (zipped([("a.txt", "x")]), "zip"),
        (zipped([("[Content_Types].xml", "x"), ("word/document.xml", "x")]), "docx"),
        (sheet_of([["a"]]), "xlsx"),
        ("名称,说明".encode("gb18030"), "csv"),
        ("名称,说明".encode("utf-16"), "csv"),
        (b"\0\1\2\3", "unknown"),
        (b"", "unknown"),
    ],
)
def test_content_decides_what_a_file_is(data, kind):
    assert spreadsheets.sniff(data) == kind
    assert spreadsheets.sniff(io.BytesIO(data)) == kind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>", "file.kind"),
        (sheet_of([["a"]]), "file.kind"),
        (b"", "file.empty"),
        (PNG + b"\0" * 1000, "file.too_big"),
        (b"junk %PDF-1.7", "file.kind"),
    ],
)
def test_document_of_another_kind_or_size_is_refused(data, code):
    with pytest.raises(DomainError) as refusal:
        spreadsheets.check_document(io.BytesIO(data), max_bytes=500)

    # The workbook is larger than the limit as well: size is looked at first.
    assert refusal.value.code == (code if len(data) <= 500 else "file.too_big")


def test_allowed_document_is_left_at_its_beginning():
    file = io.BytesIO(PNG)

    assert spreadsheets.check_document(file, max_bytes=500) == "png"
    assert file.read() == PNG


# --- Bad files ----------------------------------------------------------------------------------------


def far_cells():
    return with_sheet(
        cells(
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        )
    )


def million_rows():
    return with_sheet(
        cells(
            "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 1_000_001))
        )
    )


def zeros():
    return with_sheet(cells("") + " " * 70_000_000)


def declared_small():
    """The directory says 10 bytes; the member unpacks to 40 MB."""
    data = bytearray(with_sheet(cells("") + " " * 40_000_000))
    at = data.rindex(SHEET.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(data)


def laughs():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return with_sheet(
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>'
        + cells('<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>')
    )


def laughs_in_utf_16():
    return with_sheet(("\ufeff<!DOCTYPE x [<!ENTITY a 'b'>]>" + cells("")).encode("utf-16-le"))


def many_members():
    return with_sheet(cells(""), more=[(f"xl/m{n}", b"") for n in range(1200)])


def empty_elements():
    return with_sheet(
        cells(
            "".join(
                f'<row r="1">{"<c/>" * 25}<!--{n * 7919 % 100003:x}--></row>'
                for n in range(300_000)
            )
        )
    )


def two_of_a_name():
    with pytest.warns(UserWarning, match="Duplicate name"):
        return with_sheet(cells(""), more=[(SHEET, cells(""))])


def symlink():
    link = zipfile.ZipInfo("xl/media/x")
    link.external_attr = 0o120777 << 16
    return with_sheet(cells(""), more=[(link, "/etc/passwd")])


def broken_stream():
    data = bytearray(sheet_of([["名称"], ["a"]]))
    at = data.index(b"sheetData") if b"sheetData" in data else len(data) // 2
    data[at : at + 40] = b"\xff" * 40
    return bytes(data)


BOMBS = {
    "far_cells": (far_cells, "spreadsheet.too_long"),
    "million_rows": (million_rows, "spreadsheet.too_long"),
    "zeros": (zeros, "spreadsheet.unpacked_size"),
    "declared_small": (declared_small, "spreadsheet.unreadable"),
    "laughs": (laughs, "spreadsheet.unreadable"),
    "laughs_in_utf_16": (laughs_in_utf_16, "spreadsheet.unreadable"),
    "far_cells_xls": ((CASES / "far_cells.xls").read_bytes, "spreadsheet.unreadable"),
    "many_members": (many_members, "spreadsheet.unpacked_size"),
    "empty_elements": (empty_elements, "spreadsheet.too_long"),
    "two_of_a_name": (two_of_a_name, "spreadsheet.unreadable"),
    "symlink": (symlink, "spreadsheet.unreadable"),
    "path_traversal": (lambda: with_sheet(cells(""), more=[("../../etc/x", "x")]), "spreadsheet.unreadable"),
    "broken_stream": (broken_stream, "spreadsheet.unreadable"),
    "cut_off": (lambda: sheet_of([["名称"], ["a"]])[:-200], "spreadsheet.unreadable"),
    "not_a_workbook": (lambda: zipped([("a", "b")]), "spreadsheet.kind"),
    "html_as_xls": (lambda: b"<html><table><tr><td>x", "spreadsheet.kind"),
    "open_quote": (lambda: b'name,note\n"' + b"a\n" * 1_000_000, "spreadsheet.unreadable"),
    "commas": (lambda: b"name,note\n" + b"," * 9_000_000 + b"x", "spreadsheet.too_wide"),
    "long_csv": (lambda: b"name,note\n" + b"a,b\n" * 1_000_000, "spreadsheet.too_long"),
    "empty_lines": (lambda: b"name\n" + b"\n" * 9_000_000, "spreadsheet.too_long"),
    "gaps": (lambda: b'name,note\n"' + b"a b: c  " * 1_200_000 + b'",b', "spreadsheet.unreadable"),
    "letter_of_bounds": (lambda: b'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="-"\n\n' + b"---\n" * 2_000_000, "spreadsheet.kind"),
    "sheets_of_names": (HOSTILE["100 equal sheets of 60 x 60 names"], "spreadsheet.too_much"),
    "one_sheet_under_many_names": (HOSTILE["100 names for 1 sheet of 60 x 60"], "spreadsheet.unreadable"),
    "old_sheets_under_many_names": (HOSTILE["biff8 60 x 60 names under 100 names"], "spreadsheet.too_much"),
    "far_row": (HOSTILE["row 1,048,576 only"], "spreadsheet.too_long"),
    "far_cells_in_a_near_row": (HOSTILE["cells far below their rows"], "spreadsheet.too_long"),
    "long_cells": (HOSTILE["one shared long string 2,000 times"], "spreadsheet.too_much"),
    "merged_on_many_sheets": (HOSTILE["20 sheets of 20,000 merged in one row"], "spreadsheet.too_much"),
    "too_big": (lambda: b"name\n" + b"a" * 11_000_000, "file.too_big"),
    "no_text": (lambda: "名称,说明\n".encode() + b"\xff\xff\xfe\x81", "spreadsheet.encoding"),
    "ole_rubbish": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook\0".encode("utf-16-le") * 1000, "spreadsheet.unreadable"),
    "encrypted": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "spreadsheet.encrypted"),
}  # fmt: skip

# Each file is read in a process of its own, so that memory is measured for it alone; all are forked from one that has
# imported what they need. Answered are the code, seconds of processor time (the clock on the wall tells how busy the
# machine is) and both peaks.
_MEASURE = """
import json, os, resource, sys, time
from django.conf import settings
settings.configure(USE_I18N=False)
from chains.errors import DomainError
from chains.spreadsheets import Column, read_table
columns = [Column("name", "名称", "Name", required=True), Column("note", "说明", "Note")]

def measure(path):
    started = time.process_time()
    with open(path, "rb") as data:
        try:
            code = f"{len(read_table(data, columns).rows)} rows"
        except DomainError as refusal:
            code = refusal.code
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() - started + spent.ru_utime + spent.ru_stime
    # Not ru_maxrss, which a process takes over from the one that started it.
    own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    child = spent.ru_maxrss
    print(json.dumps([code, seconds, own // 1024, child // 1024]), flush=True)

for line in sys.stdin:
    reader = os.fork()
    if not reader:
        try:
            measure(line.rstrip())
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if os.waitpid(reader, 0)[1]:
        print("null", flush=True)
"""


@pytest.fixture(scope="module")
def measured():
    with subprocess.Popen(
        [sys.executable, "-c", _MEASURE],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as readers:

        def measure(path):
            readers.stdin.write(f"{path}\n")
            readers.stdin.flush()
            return json.loads(readers.stdout.readline())

        yield measure


@pytest.mark.parametrize("name", BOMBS)
def test_bad_file_is_refused_soon_and_with_little_memory(name, tmp_path, measured):
    build, code = BOMBS[name]
    path = tmp_path / "file"
    path.write_bytes(build())

    refused, seconds, own, child = measured(path)

    assert refused == code
    assert (seconds < 2, own < 200, child < 200) == (True, True, True), (seconds, own, child)


def test_without_its_limits_the_reader_would_take_the_memory(tmp_path):
    """Negative control: the same two far cells, given to the bare reader under a limit of 1 GB."""
    path = tmp_path / "file.xlsx"
    path.write_bytes(far_cells())
    program = (
        "import resource, sys, python_calamine as c\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "c.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, timeout=60, check=False
    )

    assert done.returncode != 0


def test_a_full_file_is_read(tmp_path, measured):
    header = ["名称", "说明", *(f"列{n}" for n in range(38))]
    path = tmp_path / "full.xlsx"
    path.write_bytes(
        sheet_of([header, *([f"示例{n}", *["一段文字"] * 20, *range(19)] for n in range(10_000))])
    )

    rows, seconds, own, child = measured(path)

    assert rows == "10000 rows"
    assert (own < 400, child < 200) == (True, True), (seconds, own, child)


def test_one_row_too_many_is_refused():
    read_table(b"name\n" + b"a\n" * 20, PLAIN, max_rows=20)

    with pytest.raises(DomainError) as refusal:
        read_table(b"name\n" + b"a\n" * 21, PLAIN, max_rows=20)

    assert refusal.value.code == "spreadsheet.too_long"


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Workbook", b"\xff\xfe"]),
)
def test_any_bytes_are_read_or_refused(data, start):
    try:
        read_table(start + data, PLAIN)
    except DomainError as refusal:
        assert refusal.code.partition(".")[0] in {"spreadsheet", "file"}  # noqa: PT017


# --- Writing ------------------------------------------------------------------------------------------

RISKY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "'=1",
    "''=1",
    "'",
    "=cmd|' /C calc'!A0",
]
texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=30)
    | st.sampled_from(RISKY)
    | st.builds("{}{}".format, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'"]), st.text("=+-@'\t\r a1", max_size=5)),
    min_size=100,
    max_size=100,
)  # fmt: skip


def workbook_of(headers, rows, **options):
    with spreadsheets.write_xlsx(headers, rows, as_of=NOW, **options) as file:
        return file.read()


def written(rows):
    return b"".join(spreadsheets.csv_stream(["a"], rows, as_of=NOW))


@settings(max_examples=50, deadline=None)
@given(texts)
def test_no_text_in_csv_runs_and_each_is_read_back_equal(values):
    """50 × 100 strings."""
    data = written([[v, "x"] for v in values])

    raw = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:-1]
    _kind, grids = read_grids(data, max_rows=1000)

    assert [
        cell for row in raw for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    ] == []
    assert [row[0] for row in grids[0].rows[1:-1]] == values


@settings(max_examples=50, deadline=None)
@given(texts)
def test_no_text_in_xlsx_runs_and_each_is_read_back_equal(values):
    """50 × 100 strings."""
    data = workbook_of(["a"], [[v, "x"] for v in values])

    xml = zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)

    assert (b"<f>" in xml, b"<hyperlink" in xml) == (False, False)
    assert [row[0] for row in sheet.to_python(skip_empty_area=False)[1:]] == values


def test_without_the_apostrophe_cells_would_run():
    """Negative control of the two above: what the bare csv module writes starts like a formula."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(RISKY)

    assert buffer.getvalue().startswith("=1+1")
    assert all(not covered(text).startswith(("=", "+", "-", "@", "\t", "\r")) for text in RISKY)


def test_numbers_and_days_stay_what_they_are():
    row = [-5, 1.5, Decimal("-2.50"), True, None, date(2026, 9, 30), NOW, 913304028004191688]

    text = written([row]).decode("utf-8-sig").splitlines()[1]
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(workbook_of(["a"], [row])))
    cells = sheet.get_sheet_by_index(0).to_python()[1]

    assert text == "-5,1.5,-2.50,1,,2026-09-30,2026-11-25 12:00,913304028004191688"
    assert cells == [
        -5.0,
        1.5,
        -2.5,
        True,
        "",
        date(2026, 9, 30),
        datetime(2026, 11, 25, 12),  # noqa: DTZ001
        "913304028004191688",
    ]


def test_both_files_say_as_of_when_and_how_many():
    rows = [["a"], ["b"]]

    text = written(rows).decode("utf-8-sig")
    data = workbook_of(["x"], rows, sheet="List")
    notes = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        .get_sheet_by_index(1)
        .to_python()
    )
    properties = zipfile.ZipFile(io.BytesIO(data)).read("docProps/core.xml").decode()

    assert text.splitlines()[-1] == "As of 2026-11-25 12:00; rows: 2"
    assert notes == [["As of 2026-11-25 12:00; rows: 2"]]
    assert "As of 2026-11-25 12:00; rows: 2" in properties


def test_a_stream_that_breaks_off_says_so(caplog):
    def rows():
        yield ["a"]
        raise RuntimeError("connection lost")

    lines = written(rows()).decode("utf-8-sig").splitlines()

    assert lines == ["a", "a", "INCOMPLETE: the file broke off after row 1. Download it again."]
    assert "broke off after 1 rows" in caplog.text


def test_csv_is_written_piece_by_piece():
    taken = 0

    def rows():
        nonlocal taken
        for taken in range(100_000):  # noqa: B007
            yield ["x" * 50]

    stream = spreadsheets.csv_stream(["a"], rows(), as_of=NOW)
    next(stream), next(stream)

    assert taken < 1000
