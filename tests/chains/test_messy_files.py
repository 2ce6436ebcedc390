"""Files as strangers send them: what is good is read, what is not is named by row and column, nothing is guessed."""

from __future__ import annotations

import time
from datetime import date

import pytest
from django.utils import translation

from chains.errors import DomainError
from chains.forms.import_columns import columns_of
from chains.forms.import_sheet import read_rows
from chains.forms.register import Register
from chains.forms.requirement_sheet import read_file
from chains.models import Import
from chains.quantities import parse_date
from chains.spreadsheets import fold_header, open_sheets, propose
from chains.spreadsheets.grid import read_grids
from tests.chains.test_spreadsheets import cells, sheet_of, with_sheet, workbook
from tests.factories.chains import OrganiserRoleFactory

pytestmark = pytest.mark.django_db

A, B, C = "91330421MA2AYCCC25", "91330421MA2PYA858W", "91330421MA273X9Q3M"


def lines(data):
    """Text, quantity, unit and day of the good rows; row and column of the others."""
    read = read_file(data, Register())
    good = [
        (
            row.draft.text,
            row.draft.quantity,
            row.draft.unit.name_zh if row.draft.unit else None,
            row.draft.needed_by_on,
        )
        for row in read.good
    ]
    return good, [(row.number, note.column) for row in read.bad for note in row.errors]


def rows(kind, data):
    sheets = open_sheets(data)
    layout = propose(sheets, columns_of(kind)).layout
    _table, read = read_rows(kind, sheets, layout, OrganiserRoleFactory().user)
    return read


def grouped(rows, groups):
    """A sheet with merged cells over its headers."""

    def write(book):
        page = book.add_worksheet()
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)
        for area, title in groups.items():
            page.merge_range(area, title)

    return workbook(write)


def text(delimiter, encoding):
    table = [
        ["产品名称", "规格", "数量", "单位"],
        ["接触器", "CJX2", "200", "只"],
        ["断路器", "DZ47", "150", "只"],
    ]
    return "".join(delimiter.join(row) + "\r\n" for row in table).encode(encoding)


READ = [("接触器", 200, "只", None), ("断路器", 150, "只", None)]
NEW_YEAR = date(2027, 1, 1)

LINES = {
    "title, note, header further down, a wish in its name, a page's sum": (
        sheet_of(
            [
                ["配套需求清单"], ["填报单位：示例电子"], [], ["说明：填年用量"], [], [],
                ["序号", "品名及规格", "数量（万只）", "要求交货日期", "参考单价"],
                [1, "电容", 120, "2027.01.01", 2],
                [2, "晶振", "1.5万只", "26年12月", 3],
                ["本页小计", None, 121],
                ["注：单价仅供参考"],
            ]
        ),
        [("电容", 1_200_000, "只", NEW_YEAR), ("晶振", 15_000, "只", None)],
        [],
    ),
    "signs that nobody sees": (
        sheet_of(
            [
                ["产品\n名称", "数\u00a0量", "单\u3000位", "交\u200b货期"],
                ["\u200b光纤\u00a0跳线", "1\u00a0000", "\u200b条\u00a0", " 2027-01-01\u200b"],
                ["\u200b", "\u00a0", "\u3000", "\ufeff"],
            ]
        ),
        [("光纤 跳线", 1000, "件", NEW_YEAR)],
        [],
    ),
    "apostrophes that keep a figure as text": (
        sheet_of([["产品名称", "数量", "单位"], ["泵", "'12", "台"], ["’阀", "‘30", "台"], ["‘甲’型座", "5", "双"]]),
        [("泵", 12, "台", None), ("阀", 30, "台", None), ("‘甲’型座", 5, "对", None)],
        [],
    ),
    "several figures in one cell": (
        sheet_of([["产品名称", "数量", "单位"], ["螺栓", "500、600", "个"], ["焊丝", "2吨\n3吨", None], ["垫片", 9, "盒"]]),
        [("垫片", 9, "盒", None)],
        [(2, "B"), (3, "B")],
    ),
    "another table below whose columns stand otherwise": (
        sheet_of(
            [
                ["品名", "型号", "数量", "单位"], ["轴承", "6308", 40, "套"],
                ["名称", "数量", "单位", "型号"], ["油封", 200, "个", "TC50"],
                ["品名", "型号", "数量", "单位"], ["皮带", "A60", 3, "根"],
            ]
        ),
        [("轴承", 40, "套", None), ("皮带", 3, "件", None)],
        [(4, "A"), (4, "D")],
    ),
    "a buyer in India": (
        sheet_of([["Sr. No.", "Item Description", "Qty. (Nos.)", "Reqd. Date"], [1, "Valve", "1,00,000", "1-Jan-27"]]),
        [("Valve", 100_000, "只", NEW_YEAR)],
        [],
    ),
    "a buyer in Taiwan": (
        sheet_of([["項次", "品名規格", "需求數量", "單位", "交貨日期"], [1, "螺絲", "5,000", "顆", "民國116年1月1日"]]),
        [("螺絲", 5000, "只", NEW_YEAR)],
        [],
    ),
    "a mark of inches that is never closed": (
        '产品名称,规格,数量,单位\r\n甲管,"1/2 镀锌,10,根\r\n乙管,"两行\r\n镀锌",20,根\r\n丙管,2寸,30,根\r\n'.encode(),
        [("甲管", 10, "件", None), ("乙管", 20, "件", None), ("丙管", 30, "件", None)],
        [],
    ),
    "line ends of three kinds": (
        "产品名称,数量,单位\r\n甲件,1,台\n乙件,2,台\r丙件,3,台\r\n".encode(),
        [("甲件", 1, "台", None), ("乙件", 2, "台", None), ("丙件", 3, "台", None)],
        [],
    ),
    "three rows of headers": (
        grouped(
            [["物料"], [], ["名称", "型号", "数值", "单位"], ["轴承", "6308", 5, "套"]],
            {"C1:D1": "需求", "C2:D2": "数量"},
        ),
        [("轴承", 5, "套", None)],
        [],
    ),
    "a buyer of parts for cars": (
        sheet_of([["Part No.", "Part Name", "EAU", "UoM"], ["A-1", "Bracket", "120k", "pcs"]]),
        [("Bracket", 120_000, "件", None)],
        [],
    ),
    "figures kept as text, a figure in words, a column for two": (
        '产品名称,数量/单位,交期\n="00123",5个,现货\n仪表,一批,3月底\n阀,一批,\n'.encode(),
        [("00123", 5, "件", None), ("阀", 1, "批", None)],
        [(3, "C")],
    ),
    "bars": (text("|", "utf-8"), READ, []),
    "wide commas": (text("，", "gb18030"), READ, []),
    "sixteen bits without a mark": (text(",", "utf-16-be"), READ, []),
    "the encoding of Taiwan": (
        "產品名稱,規格,數量,單位\r\n連接器,12Pin 防水,300,個\r\n線束,1.5米,200,條\r\n".encode("big5"),
        [("連接器", 300, "件", None), ("線束", 200, "件", None)],
        [],
    ),
    "the encoding of Western Europe": (
        "Item;Quantity;Unit\r\nSchlüssel für Größe 10;20;pcs\r\nKabelschuh 16 mm²;1.500,5;kg\r\n".encode("cp1252"),
        [("Schlüssel für Größe 10", 20, "件", None), ("Kabelschuh 16 mm²", 1500.5, "千克", None)],
        [],
    ),
    "units in two languages, in brackets, with a remark": (
        (
            "物料 Material,数量 Qty,单位 UOM,交期\n轴承,20,套 / set,2027/Mar/31\n密封圈,\"1,500\",pcs/件,31.03.2027\n"
            "电机,100台（首批）,,\n风机,3,台（套）,\n砂,半吨,,\n珠,1万5千,只,\n泵,日产50台,,\n阀,500（台/天）,,\n"
        ).encode(),
        [
            ("轴承", 20, "套", date(2027, 3, 31)),
            ("密封圈", 1500, "件", date(2027, 3, 31)),
            ("电机", 100, "台", None),
            ("风机", 3, "台", None),
            ("砂", 0.5, "吨", None),
            ("珠", 15_000, "只", None),
        ],
        [(8, "B"), (9, "B")],
    ),
    "marks for what stands above": (
        "名称,规格,数量,单位\n法兰,DN50,10,片\n〃,DN80,12,同\n“,DN100,5,-//-\nas above,DN125,6,↑\n螺母,M12,7,“\n".encode(),
        [("法兰", n, "片", None) for n in (10, 12, 5, 6)] + [("螺母", 7, "片", None)],
        [],
    ),
    "pages of a form: carried sums, ends, asides, an example, a note of several rows": (
        (
            "序号,*期望到货时间（格式：yyyy-mm-dd）,*货物名称（必填，不超过50字）,数量,单位\n示例,2027-01-01,轴承,100,套\n"
            "1,2027-01-01,泵,2,台\n,,过次页,2,\n,,承前页,2,\n2,,阀,3,台\n,,（以上为急需）,,\n3,,管,4,台\n大写,,玖,,\n"
            ",,——以下空白——,,\n备注：1、含税,,,,\n2、送货上门,,,,\n"
        ).encode(),
        [("泵", 2, "台", NEW_YEAR), ("阀", 3, "台", None), ("管", 4, "台", None)],
        [],
    ),
    "an authority's table of demands: the enterprise is no product": (
        (
            "县（市、区）,企业名称,需求产品（技术）名称,具体要求,采购数量,拟采购时间\n海盐县,示例甲有限公司,轴承,P4级,贰佰套,2027-01-01(含)\n"
            "平湖市,示例乙有限公司,磨床,,壹拾贰台,合同后45日\n"
        ).encode(),
        [("轴承", 200, "套", NEW_YEAR), ("磨床", 12, "台", None)],
        [],
    ),
    "the mark of one encoding before another": (
        b"\xef\xbb\xbf" + text(",", "gb18030"), READ, [],
    ),
    "a page that calls itself a workbook": (
        (
            '<html xmlns:x="urn:x"><head><meta charset="gb2312"><style>td{}</style></head><body><table><tr><td>菜单'
            '</td></tr><tr><td><table border=1><tr><th colspan=3>需求表</th></tr><tr><td rowspan=2>产品名称</td><td '
            'colspan=2>需求</td></tr><tr><td>数量</td><td>单位</td></tr><tr><td><b>接触器</b></td><td>200<td>只</tr>'
            "<!-- <tr><td>x --><tr><td>断路器&nbsp;</td><td>150</td><td>只</table></table>"
        ).encode("gbk"),
        READ,
        [],
    ),
    "a workbook of 2003 in XML": (
        (
            '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns:ss="urn:x"><Worksheet ss:Name="1">'
            "<Table><Row><Cell><Data>产品名称</Data></Cell><Cell><Data>数量</Data><Comment><ss:Data>备注</ss:Data></Comment>"
            '</Cell><Cell><Data>单位</Data></Cell></Row><Row ss:Index="4"><Cell><Data ss:Type="String">接触器</Data></Cell>'
            '<Cell><Data>200</Data></Cell><Cell ss:MergeDown="1"><Data>只</Data></Cell></Row><Row><Cell><Data>断路器</Data>'
            '</Cell><Cell ss:Index="2"><Data>150</Data></Cell></Row></Table></Worksheet></Workbook>'
        ).encode(),
        READ,
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_lines_are_read_and_what_is_not_is_named(name):
    data, good, bad = LINES[name]

    assert lines(data) == (good, bad)


def test_what_a_file_holds_beside_the_read_table_is_said():
    def two(book):
        for name, row in (
            ("一车间", ["砂轮", 30]),
            ("说明", ["只填数字", ""]),
            ("二车间", ["钻头", 9]),
        ):
            page = book.add_worksheet(name)
            heads = ["产品名称", "数量"] if name != "说明" else ["填写说明", ""]
            page.write_row(0, 0, [*heads, None, *heads])
            page.write_row(1, 0, row)

    read = read_file(workbook(two), Register())

    assert (read.name, read.other_sheets) == ("一车间", ["二车间"])
    assert read.ignored == ["D 产品名称", "E 数量"]
    assert read.has_remarks


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf\r\n\r\n", "spreadsheet.empty"),
        ("产品名称,数量\n".encode(), "spreadsheet.empty"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "spreadsheet.kind"),
        (b"%PDF-1.7\n", "spreadsheet.kind"),
    ],
)  # fmt: skip
def test_file_that_is_no_list_is_refused_with_a_sentence(data, code):
    with pytest.raises(DomainError) as refused:
        read_file(data, Register())

    assert refused.value.code == code
    with translation.override("zh-hans"):
        assert len(str(refused.value)) > 8


def test_workbook_of_a_million_formatted_rows_is_refused_before_it_is_read():
    data = with_sheet(cells('<row r="2"><c r="A2" s="1"/></row>' * 1_048_576))

    started = time.process_time()
    with pytest.raises(DomainError) as refused:
        open_sheets(data)

    assert refused.value.code == "spreadsheet.too_long"
    assert time.process_time() - started < 1


def test_merged_cells_over_one_another_cost_no_more_than_their_rows():
    def write(book):
        page = book.add_worksheet()
        page.write_row(0, 0, ["产品名称", "数量"])
        for row in range(1, 150):
            page.write_row(row, 0, ["甲", 1])

    plain = workbook(write)
    sheets = open_sheets(plain)
    sheets.grids[0].merged = [(at, 0, at + 9_999, 0) for at in range(1, 60_000)]

    started = time.process_time()
    read = read_file(sheets, Register())

    assert len(read.good) == 149
    assert time.process_time() - started < 2


def test_suppliers_of_other_countries_and_of_other_kinds():
    read = rows(
        Import.Kind.ENTERPRISES,
        sheet_of(
            [
                ["Supplier Name", "City, Country", "类型", "注册号/统一社会信用代码", "E-mail"],
                ["Demo Bearings GmbH", "Schweinfurt, Germany", "", "", "Demo <m@example.com>"],
                ["Demo Motors S.p.A.", "Torino (IT)", "", "", "m@example。com"],
                ["Demo Pumps Inc.", "", "", "", ""],
                ["示例大学机械学院", "海盐县", "高校", "", ""],
                ["海盐县经济和信息化局", "海盐县", "其他单位", "", ""],
                ["示例戊有限公司", "海盐县", "民营企业", f"330421000123457/{A}", ""],
                [B, "海盐县", "", "示例己有限公司", ""],
            ]
        ),
    )

    assert [(r.draft.country, r.draft.kind, r.draft.number) for r in read if r.draft] == [
        ("DE", "", None), ("IT", "", None), ("", "", None),
        ("", "university", None), ("", "government", None), ("", "enterprise", A),
    ]  # fmt: skip
    assert [p.email for r in read[:2] for p in r.draft.people] == ["m@example.com"] * 2
    assert read[2].notes[0]["sentence"] == "No country is stated: taken for one of China."
    assert (read[6].draft, read[6].notes[0]["column"]) == (None, "A")


def test_rows_that_are_struck_out_are_left_out_and_said():
    def write(book):
        page = book.add_worksheet()
        struck = book.add_format({"font_strikeout": True})
        page.write_row(0, 0, ["产品名称", "数量"])
        page.write_row(1, 0, ["泵", 1])
        page.write_row(2, 0, ["阀", 2], struck)
        page.write(3, 0, "管", struck)
        page.write(3, 1, 3)

    read = read_file(workbook(write), Register())

    assert [row.draft.text for row in read.good] == ["泵", "管"]
    assert read.skipped == [(3, "阀 2 – struck out")]


def test_marks_of_a_page_cost_no_more_than_their_number():
    started = time.process_time()
    for hostile in (
        "<td",
        "<!--",
        "<script>",
        "<table><tr><td rowspan=9999 colspan=99>",
        "<table><tr>" + "<td>" * 200,
        "<Row ss:Index='9999999'/>",
    ):
        text = f"<html><table><tr><td>x<tr><td>y{hostile * (1_000_000 // len(hostile))}"
        with pytest.raises(DomainError):
            open_sheets(text.encode())

    assert time.process_time() - started < 12  # of any, each mark looked for to the end: hours


@pytest.mark.parametrize("named", ["punycode", "undefined", "unicode_escape"])
def test_page_names_an_encoding_that_only_python_knows(named):
    """Its punycode takes hours for a few megabytes."""
    page = f"<html><meta charset={named}><table><tr><td>\\u4e00<td>乙<tr><td>丙<td>丁</table>"
    words = page.encode() + b"-" + b"a" * 200_000
    started = time.process_time()

    kind, [sheet] = read_grids(words, max_rows=10)

    assert (kind, sheet.rows) == ("html", [["\\u4e00", "乙"], ["丙", "丁"]])
    assert time.process_time() - started < 2


def test_cells_that_go_on_for_pages_are_read_at_once():
    long = sheet_of(
        [
            ["企业名称", "联系人", "邮箱"],
            *(["示例甲有限公司", "王丙", "万" * 30_000] for _ in range(5)),
        ]
    )
    started = time.process_time()

    with pytest.raises(DomainError) as refusal:
        parse_date("前" * 30_000 + "x")
    (row, *_more) = rows(Import.Kind.ENTERPRISES, long)

    assert refusal.value.code == "date.unreadable"
    assert row.notes
    assert time.process_time() - started < 5  # of the letters each looked at from each: minutes


def test_lists_of_bodies_with_more_in_a_cell_than_its_header_says():
    english = "Demo Jia Machinery Co., Ltd."
    read = rows(
        Import.Kind.ENTERPRISES,
        sheet_of(
            [
                ["英文名称", "行政区划名称", "法人单位名称", "联系人及电话"],
                [
                    english,
                    "昌吉州",
                    f"1. 示例甲有限公司 / {english}",
                    "李乙 13900000002、王丙13900000003",
                ],
                ["", "", f"★{english}（示例乙有限公司）", "0573-86000000转802 赵丁"],
                ["", "上海浦东", "示例丙有限公司【专精特新】", "13900000005（陈总）"],
                ["", "海盐县", "示例丁有限公司（已注销）", ""],
                ["", "海盐县", "示例戊有限公司\n示例己有限公司", ""],
                ["", "海盐县", "待定", ""],
            ]
        ),
    )

    good = [row.draft for row in read if row.draft]
    assert [one.name for one in good] == ["示例甲有限公司", "示例乙有限公司", "示例丙有限公司"]
    assert [one.profile.get("name_en") for one in good] == [english, english, None]
    assert [one.region.name_zh for one in good] == ["昌吉回族自治州", "昌吉回族自治州", "浦东新区"]
    assert [[(p.name, p.phone) for p in one.people] for one in good] == [
        [("李乙", "13900000002"), ("王丙", "13900000003")],
        [("赵丁", "0573-86000000转802")],
        [("陈总", "13900000005")],
    ]
    assert (
        read[1].notes[0]["sentence"] == "Nothing stands here: “昌吉州” of the rows above is taken."
    )
    assert [(r.number, r.notes[0]["column"]) for r in read if r.draft is None] == [
        (5, "C"), (6, "C"), (7, "C"),
    ]  # fmt: skip


def test_rows_of_a_list_of_bodies_that_are_none():
    heads = ["企业名称", "统一社会信用代码", "联系人", "电话"]
    read = rows(
        Import.Kind.ENTERPRISES,
        sheet_of(
            [
                heads,
                ["海盐县（2家）"],
                ["示例甲有限公司", A, "甲", "13900000001"],
                ["平湖市"],
                ["示例乙有限公司", "办理中", "乙", "13900000002"],
                ["12345", B],
                ["示例丙有限公司", f"{B}、{C}"],
                ["示例丁有限公司", "9.13304E+17"],
                ["电气类："],
                ["合计：4家"],
            ]
        ),
    )

    drafts = [(r.number, r.draft.name, r.draft.number) for r in read if r.draft]
    assert drafts == [(3, "示例甲有限公司", A), (5, "示例乙有限公司", None)]
    assert [(r.number, r.notes[0]["column"]) for r in read if r.draft is None] == [
        (4, "A"), (6, "A"), (7, "B"), (8, "B"),
    ]  # fmt: skip


def test_list_of_suppliers_with_its_columns_apart():
    heads = [
        "供应商全称（盖章）",
        "省",
        "市",
        "区县",
        "联系人1",
        "电话1",
        "联系人2",
        "电话2",
        "邮箱",
    ]
    read = rows(
        Import.Kind.ENTERPRISES,
        sheet_of(
            [
                heads,
                ["示例甲有限公司（盖章）", "辽宁省", "朝阳市", "朝阳县", "甲", "13900000001", "乙", "13900000002", "mailto:a@example.com"],
                ["示例乙有限公司", "同上", "同上", "双塔区", "丙", "〃"],
                ["示例丙有限公司、示例丁有限公司", "", "", "", "", ""],
                ["示例戊有限公司", "", "", "朝阳", "", ""],
                ["示例己有限公司", "", "", "海盐县武原街道", "", ""],
                ["示例庚有限公司", "", "", "330424000000", "", ""],
            ]
        ),
    )  # fmt: skip

    first, second, several, unclear, street, code = read
    assert first.draft.name == "示例甲有限公司"
    assert [(one.name, one.phone) for one in first.draft.people] == [
        ("甲", "13900000001"), ("乙", "13900000002"),
    ]  # fmt: skip
    assert first.draft.people[1].email == "a@example.com"
    assert [r.draft.region.name_zh for r in (first, second, street, code)] == [
        "朝阳县", "双塔区", "海盐县", "海盐县",
    ]  # fmt: skip
    assert second.draft.people[0].phone == "13900000001"
    assert (several.draft, several.notes[0]["column"]) == (None, "A")
    assert [note["column"] for note in unclear.notes] == ["D"]


def test_units_in_the_headers_of_capabilities_count_once():
    read = rows(
        Import.Kind.CAPABILITIES,
        sheet_of(
            [
                ["主要产品", "年产能(万吨)", "交货周期(周)"],
                ["聚丙烯", 12, 6],
                ["聚乙烯", "8.5万吨", "45天"],
                ["苯乙烯", "3", "两周"],
                ["丙烯", "1.2", "4-6 wks"],
            ]
        ),
    )

    assert [(r.draft.yearly_capacity, r.draft.facts["lead_time_days"]) for r in read] == [
        (120_000, 42), (85_000, 45), (30_000, 14), (12_000, 42),
    ]  # fmt: skip


def test_signs_that_grow_make_no_header_longer():
    assert len(fold_header("\ufdfa" * 1000)) < 1000


def test_blanks_in_a_header_cost_no_more_than_their_number():
    before = time.process_time()

    good, bad = lines(f'"品名{" " * 2000}Name",数量,单位\n螺栓,5,件\n'.encode())

    assert (good, bad) == ([("螺栓", 5, "件", None)], [])
    assert time.process_time() - before < 5  # each part of the run tried: minutes


def test_text_too_long_for_a_region_is_not_searched_for_one():
    data = sheet_of(
        [["企业名称", "统一社会信用代码", "所在地"], ["示例甲有限公司", A, "区" * 1500]]
    )
    before = time.process_time()

    [row] = rows(Import.Kind.ENTERPRISES, data)

    [note] = [note for note in row.notes if note["column"] == "C"]
    assert "区" * 200 + "…" in note["sentence"]
    assert time.process_time() - before < 4  # each end with each beginning: minutes
