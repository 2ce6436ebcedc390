from __future__ import annotations

import datetime
import io
import json
from pathlib import Path

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from chains.forms.register import Register
from chains.forms.requirement_sheet import COLUMNS, read_file
from chains.models import Import, Requirement
from chains.services import requirement_drafts
from chains.services.requirement_writing import LineDraft
from chains.spreadsheets import read_table
from tests.factories.chains import EnterpriseFactory, MembershipFactory, RequirementFactory

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[2] / "cases"
IMPORT = "/my/requirements/import/"


@pytest.fixture
def member(client):
    membership = MembershipFactory()
    client.force_login(membership.user)
    return membership


def sheet(*rows):
    """A workbook with these rows."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer)
    page = workbook.add_worksheet()
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            page.write(at, place, value)
    workbook.close()
    return buffer.getvalue()


def upload(content, name="清单_一.xlsx"):
    return SimpleUploadedFile(name, content)


def case():
    return (CASES / "requirement_lines.xlsx").read_bytes()


def facts(row):
    draft = row.draft
    found = {}
    if draft.quantity is not None:
        found["quantity"] = draft.quantity
    found["unit"] = draft.unit.name_zh if draft.unit else None
    found["period"] = draft.period
    found["needed_by"] = draft.needed_by_on.isoformat() if draft.needed_by_on else None
    return found


# --- The case file ------------------------------------------------------------------------------------


def test_case_file_gives_the_expected_lines_errors_and_warnings():
    expected = json.loads((CASES / "requirement_lines.expected.json").read_text())

    read = read_file(case(), Register())

    assert read.header_row == expected["header_row"]
    assert [row.ordinal for row in read.good] == expected["lines_kept"]
    by_ordinal = {str(row.ordinal): row for row in read.rows}
    for ordinal, wanted in expected["rows"].items():
        row = by_ordinal[ordinal]
        if "error" in wanted:
            assert row.draft is None
            assert [note.header for note in row.errors] == [wanted["column"]]
        else:
            found = facts(row)
            assert {name: found[name] for name in wanted if name != "warning"} == {
                name: value for name, value in wanted.items() if name != "warning"
            }
        assert bool(row.warnings) == ("warning" in wanted)
    assert [text for _row, text in read.skipped] == expected["not_lines"]
    assert [(row.ordinal, row.number) for row in read.hidden] == [(5, 8)]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "The product name is missing.",
                "“2026-13-40” is no date. Enter year, month and day.",
                "The quantity must be more than 0.",
            ],
        ),
        ("zh-hans", None),
    ],
)
def test_case_file_errors_are_sentences_in_the_reader_s_language(language, sentences):
    with translation.override(language):
        read = read_file(case(), Register())

    found = [note.sentence for row in read.bad for note in row.errors]
    assert len(found) == 3
    if sentences:
        assert found == sentences
        warnings = {
            row.ordinal: [n.sentence for n in row.warnings] for row in read.good if row.warnings
        }
        assert warnings == {
            5: ["“2026-Q4”: no day; 2026-12-31 proposed"],
            8: ["“约150” read as 150", "“面议”: no date"],
            10: ["Same text and specification as line 1: kept."],
        }
    else:
        assert [sentence[-1] for sentence in found] == ["。"] * 3


def test_upload_of_the_case_file_keeps_the_good_rows_as_one_draft(client, member):
    response = client.post(IMPORT, {"file": upload(case())})

    draft = Requirement.objects.get()
    assert (draft.status, draft.title, draft.enterprise) == ("draft", "清单 一", member.enterprise)
    assert list(draft.lines.values_list("number", "text")) == [
        (1, "低压配电柜"),
        (2, "不锈钢管道 DN50 316L"),
        (3, "MES software"),
        (4, "氢气减压阀"),
        (5, "膜电极"),
        (6, "DC/DC变换器"),
        (7, "低压配电柜"),
    ]
    assert "7 of 10 rows are good" in response.text
    assert "Row 10, column F “交货期”: “2026-13-40” is no date." in response.text
    assert "备注" in response.text  # said to be not imported
    assert 'id="row-12-quantity" name="row-12-quantity" value="0"' in response.text


def test_upload_of_the_same_file_again_doubles_nothing(client, member):
    client.post(IMPORT, {"file": upload(case())})

    again = client.post(IMPORT, {"file": upload(case(), "renamed.xlsx")})

    draft = Requirement.objects.get()
    assert draft.lines.count() == 7
    assert "nothing was doubled" in again.text


def test_bad_rows_put_right_on_the_page_join_the_draft(client, member):
    client.post(IMPORT, {"file": upload(case())})
    draft = Requirement.objects.get()
    data = {
        "requirement": draft.public_id,
        "do": "fix",
        "row": ["9", "10", "12"],
        "row-9-text": "检测服务",
        "row-9-quantity": "1",
        "row-9-unit": "项",
        "row-10-text": "双极板",
        "row-10-needed_by_on": "2026-12-40",
        "row-12-text": "空压机",
        "row-12-quantity": "4",
        "row-12-unit": "台",
    }

    response = client.post(IMPORT, data)
    client.post(IMPORT, data)

    assert list(draft.lines.values_list("text", flat=True))[7:] == ["检测服务", "空压机"]
    assert "2 lines are added" in response.text
    assert [row.number for row in response.context["sheet"].bad] == [10]


def test_bad_rows_download_with_reasons_in_a_sheet_that_can_be_read_again(client, member):
    data = {
        "do": "download",
        "row": ["10"],
        "row-10-text": "双极板",
        "row-10-needed_by_on": "2026-13-40",
    }

    response = client.post(IMPORT, data)

    table = read_table(b"".join(response.streaming_content), COLUMNS)
    assert [row.values["text"] for row in table.rows] == ["双极板"]
    assert table.columns[-1] == "Reason"
    assert response["Content-Disposition"] == 'attachment; filename="rows-to-put-right.xlsx"'


# --- Into a draft with lines --------------------------------------------------------------------------


def test_upload_that_changes_and_adds_asks_first_and_does_it_then(client, member):
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        title="接线盒",
        lines=[LineDraft(text="A", specification="x"), LineDraft(text="B"), LineDraft(text="C")],
    )
    content = sheet(
        ["Item", "Spec", "Qty", "Unit"], ["A", "x", 5, "套"], ["B", "", "", ""], ["D", "", 2, "台"]
    )

    asked = client.post(IMPORT, {"file": upload(content), "requirement": draft.public_id})
    assert (asked.context["plan"].same, len(asked.context["plan"].changed)) == (1, 1)
    assert draft.lines.count() == 3
    rows = {"row": ["2", "3", "4"], "do": "apply", "requirement": draft.public_id}
    for row in asked.context["sheet"].rows:
        rows |= {f"row-{row.number}-{name}": value for name, value in row.cells.items()}
    client.post(IMPORT, rows)

    assert list(draft.lines.values_list("text", "quantity")) == [
        ("A", 5),
        ("B", None),
        ("C", None),
        ("D", 2),
    ]


def test_upload_half_known_can_become_a_new_draft(client, member):
    requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        lines=[LineDraft(text="A"), LineDraft(text="B")],
    )
    content = sheet(["Item", "Qty"], ["A", ""], ["B", ""], ["C", ""])

    asked = client.post(IMPORT, {"file": upload(content)})
    client.post(
        IMPORT,
        {
            "new": "1",
            "row": ["2", "3", "4"],
            "row-2-text": "A",
            "row-3-text": "B",
            "row-4-text": "C",
            "file_name": "x.xlsx",
        },
    )

    assert asked.context["asks"] is True
    assert sorted(d.lines.count() for d in Requirement.objects.all()) == [2, 3]


def test_upload_into_a_requirement_of_others_or_a_published_one_is_not_found(client, member):
    foreign = RequirementFactory(draft=True)
    published = RequirementFactory(enterprise=member.enterprise)

    for target in (foreign, published):
        data = {"file": upload(sheet(["Item", "Qty"], ["A", 1])), "requirement": target.public_id}
        assert client.post(IMPORT, data).status_code == 404

    assert not foreign.lines.exists()


# --- Files of other kinds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "quantity", "unit", "period"),
    [
        (["产品名称", "数量(万片/年)"], ["硅片", 1.2], 12000, "sheet", "year"),
        (["产品名称", "数量（万）", "单位"], ["硅片", "1.5", "片"], 15000, "sheet", "once"),
        (["名称", "年需求量", "计量单位"], ["硅片", "300", "吨"], 300, "t", "year"),
        (
            ["Product name", "Annual quantity", "UoM"],
            ["Wafer", "900,000", "sets"],
            900000,
            "set",
            "year",
        ),
        (["Item", "Qty", "Unit", "Period"], ["Wafer", "1200", "t", "monthly"], 1200, "t", "month"),
        (["设备名称", "采购数量"], ["空压机", "三百台"], 300, "unit", "once"),
    ],
)
def test_quantities_are_read_as_their_headers_say(header, cells, quantity, unit, period):
    read = read_file(sheet(header, cells), Register())

    draft = read.rows[0].draft
    assert (draft.quantity, draft.unit.code, draft.period) == (quantity, unit, period)


def test_csv_in_gb18030_with_english_and_chinese_headers_is_read(client, member):
    content = "需求名称,Spec,Qty,Unit,Delivery date\n继电器,24V,100,只,2027/3/1\n".encode("gb18030")

    client.post(IMPORT, {"file": upload(content, "a.csv")})

    line = Requirement.objects.get().lines.get()
    assert (line.text, line.quantity, line.unit.code, line.needed_by_on) == (
        "继电器",
        100,
        "only",
        datetime.date(2027, 3, 1),
    )


def test_every_fault_of_a_row_is_said_at_once():
    read = read_file(
        sheet(["Item", "Qty", "Unit", "Due date"], ["", "many", "flurb", "2027-02-30"]), Register()
    )

    assert [(n.column, n.field) for n in read.rows[0].errors] == [
        ("A", "text"),
        ("C", "unit"),
        ("D", "needed_by_on"),
    ]


def test_category_by_name_or_code_is_kept_and_an_unknown_one_is_pointed_out():
    register = Register()
    leaf = next(row for row in register._categories.values() if row.level == 3)
    read = read_file(
        sheet(["Item", "Category"], ["A", leaf.name_zh], ["B", leaf.code], ["C", "no such thing"]),
        register,
    )

    assert [row.draft.category for row in read.rows] == [leaf, leaf, None]
    assert [len(row.warnings) for row in read.rows] == [0, 0, 1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "Choose a file."),
        (b"%PDF-1.7 something", "This is no .xlsx, .xls or .csv file"),
        (sheet(["Item", "Qty"]), "The sheet holds no lines below its header."),
        (
            sheet(["Item", "Qty"], *[[f"P{n}", 1] for n in range(201)]),
            "holds 201 lines; a requirement takes 200",
        ),
    ],
)
def test_file_that_cannot_be_imported_is_refused_with_a_sentence(client, member, content, sentence):
    data = {"file": upload(content)} if content else {}

    response = client.post(IMPORT, data)

    assert response.status_code == 422
    assert sentence in response.text
    assert not Requirement.objects.exists()


def test_template_can_be_filled_in_and_read_back_without_its_example(client, member):
    response = client.get("/my/requirements/template.xlsx")

    table = read_table(response.content, COLUMNS)
    assert sorted(table.titles) == sorted(column.field for column in COLUMNS)
    assert table.rows == []


def test_import_for_an_enterprise_of_others_falls_back_to_the_own_one(client, member):
    other = EnterpriseFactory()

    client.post(IMPORT, {"file": upload(sheet(["Item", "Qty"], ["A", 1])), "for": other.public_id})

    assert Requirement.objects.get().enterprise == member.enterprise


# --- Columns that no name tells -----------------------------------------------------------------------


def test_columns_nobody_knows_are_asked_for_and_remembered_for_the_enterprise(client, member):
    content = sheet(
        ["采购清单"],
        ["内容描述", "多少", "啥时候要"],
        ["阀门", "3台", "2027-03-31"],
        ["水泵", "很多", ""],
    )

    answer = client.post(IMPORT, {"file": upload(content)})
    assert answer.status_code == 302
    assert not Requirement.objects.exists()
    page = client.get(answer["Location"])
    assert f'action="{IMPORT}"' in page.content.decode()
    assert page.context["faults"] == ["Choose the column that holds “Product”."]
    data = {
        "import": answer["Location"].split("/")[-2],
        "at": page.context["at"],
        "sheet": "0",
        "do": "run",
        "col-0": "text",
        "col-1": "quantity",
        "col-2": "needed_by_on",
    }
    done = client.post(IMPORT, data)

    assert [row.number for row in done.context["sheet"].bad] == [4]
    line = Requirement.objects.get().lines.get()
    assert (line.text, line.quantity, str(line.needed_by_on)) == ("阀门", 3, "2027-03-31")
    job = Import.objects.get()
    assert (job.status, bytes(job.content)) == ("done", b"")
    assert client.post(IMPORT, data).status_code == 404  # pressed twice: the file has been read

    again = client.post(IMPORT, {"file": upload(content)})
    assert again.status_code == 200
    assert again.context["plan"].same == 1
    other = MembershipFactory()
    client.force_login(other.user)
    assert client.post(IMPORT, {"file": upload(content)}).status_code == 302
