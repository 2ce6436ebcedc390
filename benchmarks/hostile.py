"""Files made to hurt whoever reads them, in every format the reader takes: processor time and memory of each.

Goals: refused or read within 1.5 s of processor time and 200 MB, the process that unpacks workbooks included; 2 s are
promised, and machines differ. Lists as large as they may be are read beside them, for what that costs: they may take
longer, people wait for those.

`python -m benchmarks.hostile [word …]` – only those whose names hold one of the words.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import stage

SECONDS, MEGABYTES = 1.5, 200
# Names that the reader knows, on which it does most work.
NAMES = (
    "企业名称",
    "联系人",
    "联系电话",
    "地址",
    "主要产品",
    "英文名称",
    "统一社会信用代码",
    "备注",
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


# --- Workbooks of XML ---------------------------------------------------------------------------------


def letters(column: int) -> str:
    """1 → A."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def cell(row: int, column: int, text: object) -> str:
    at = f"{letters(column)}{row}"
    if isinstance(text, int | float):
        return f'<c r="{at}"><v>{text}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


def sheet(rows: Iterable[Iterable[object]], after: str = "", before: str = "") -> str:
    body = "".join(
        f'<row r="{at}">{"".join(cell(at, nth, text) for nth, text in enumerate(row, 1))}</row>'
        for at, row in enumerate(rows, 1)
    )
    return raw(body, after, before)


def raw(body: str, after: str = "", before: str = "") -> str:
    return f'<worksheet xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{before}<sheetData>{body}</sheetData>{after}</worksheet>'


def workbook(
    sheets: list[str],
    *,
    more: Iterable[tuple[str, str | bytes]] = (),
    names: str = "",
    strings: str | None = None,
    styles: str = "",
    same: int = 1,
    stored: bool = False,
) -> bytes:
    """`same`: so many names of sheets point at each part."""
    parts = [n for n in range(1, len(sheets) + 1) for _one in range(same)]
    listed = "".join(
        f'<sheet name="S{at}" sheetId="{at}" r:id="r{n}"/>' for at, n in enumerate(parts, 1)
    )
    related = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    related += f'<Relationship Id="st" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    related += f'<Relationship Id="ss" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    members: list[tuple[str, str | bytes]] = [
        ("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
        ("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'),
        ("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets>{names}</workbook>'),
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{related}</Relationships>'),
        ("xl/styles.xml", styles or f'<styleSheet xmlns="{_MAIN}"><cellXfs count="1"><xf/></cellXfs></styleSheet>'),
    ]  # fmt: skip
    if strings is not None:
        members.append(("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{strings}</sst>'))
    members += [(f"xl/worksheets/sheet{n}.xml", xml) for n, xml in enumerate(sheets, 1)]
    members = [(name, _padded(content)) for name, content in members]
    buffer = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", kind, compresslevel=None if stored else 6) as archive:
        for name, content in (*members, *more):
            archive.writestr(name, content)
    return buffer.getvalue()


def _padded(content: str | bytes) -> str | bytes:
    """With a remark that packs badly: whoever wants to hurt does not pack 1,000 to 1."""
    if isinstance(content, bytes) or len(content) < 900_000:
        return content
    noise = random.Random(1).randbytes(len(content) // 150).hex()
    return f"{content}<!--{noise}-->"


def distinct(at: int) -> str:
    """A word of its own that packs badly, as a name may be."""
    return f"{chr(0x4E00 + at * 7919 % 20000)}{chr(0x4E00 + at * 104729 % 20011)}{at}"


def names(at: int) -> str:
    return NAMES[at % len(NAMES)]


def grid(
    rows: int, columns: int, text: Callable[[int], object], start: int = 0
) -> list[list[object]]:
    return [
        [text(start + row * columns + column) for column in range(columns)] for row in range(rows)
    ]


def sheets_of(count: int, rows: int, columns: int, text: Callable[[int], object]) -> list[str]:
    return [sheet(grid(rows, columns, text, n * rows * columns)) for n in range(count)]


def labelled(at: int) -> object:
    """A form of names with a value beside each."""
    return names(at // 2) if at % 2 == 0 else distinct(at)


def nearly(at: int) -> str:
    """All signs of a name, and no name."""
    return f"{names(at)}{distinct(at)}{names(at + 3)}"


def title(*, of: str, after: bool = True) -> Callable[[int], object]:
    """Of a thousand signs; nearly a name."""

    def text(at: int) -> object:
        name, signs = f"{names(at)}{distinct(at)}", (of * 1000)[:950]
        return name + signs if after else signs + name

    return text


def titled(of: str, **how: Any) -> bytes:
    return workbook(sheets_of(2, 2, 110, title(of=of, **how)))


def cells(rows: int, columns: int, one: Callable[[int, int], str], how: str = "") -> str:
    """`one`: a cell by its row and column."""
    return raw(
        "".join(
            f'<row r="{at}"{how}>{"".join(one(at, nth) for nth in range(1, columns + 1))}</row>'
            for at in range(1, rows + 1)
        )
    )


def shared_cells(rows: int, columns: int, start: int = 0, after: str = "") -> str:
    """Each with a shared string of its own."""
    body = cells(
        rows,
        columns,
        lambda at, nth: (
            f'<c r="{letters(nth)}{at}" t="s"><v>{start + at * columns - columns + nth - 1}</v></c>'
        ),
    )
    return body.removesuffix("</worksheet>") + after + "</worksheet>"


def merged(count: int, row: int | None = None) -> str:
    """Each in a row of its own, or all in one."""
    one = "".join(f'<mergeCell ref="A{row or n}:C{row or n}"/>' for n in range(1, count + 1))
    return f"<mergeCells>{one}</mergeCells>"


def struck(formats: int) -> str:
    return (
        f'<styleSheet xmlns="{_MAIN}"><fonts><font/><font><strike/></font></fonts><cellXfs><xf/>'
        + '<xf fontId="1"/>' * formats
        + "</cellXfs></styleSheet>"
    )


def listed(rows: int, columns: int, text: Callable[[int], object] = distinct) -> list[list[object]]:
    header: list[object] = [*NAMES]
    header += (f"列{n}" for n in range(columns))
    return [header[:columns], *grid(rows, columns, text)]


def after_list(xml: str, **options: Any) -> bytes:
    return workbook([sheet(listed(3, 4), after=xml)], **options)


def strings(count: int, text: Callable[[int], str]) -> str:
    return "".join(f"<si><t>{text(n)}</t></si>" for n in range(count))


XLSX: dict[str, Callable[[], bytes]] = {
    "100 sheets of 60 x 60 names": lambda: workbook(sheets_of(100, 60, 60, names)),
    "100 equal sheets of 60 x 60 names": lambda: workbook([sheet(grid(60, 60, names))] * 100),
    "100 sheets of 60 x 100 cells": lambda: workbook(sheets_of(100, 60, 100, distinct)),
    "100 sheets of 60 x 100 labelled": lambda: workbook(sheets_of(100, 60, 100, labelled)),
    "100 sheets of 2 x 200 cells": lambda: workbook(sheets_of(100, 2, 200, distinct)),
    "100 sheets of 40 x 30 names and colons": lambda: workbook(sheets_of(100, 40, 30, lambda at: f"{names(at)}：{distinct(at)}")),
    "100 sheets of 100 x 8 names": lambda: workbook(sheets_of(100, 100, 8, names)),
    "20 sheets of 30 x 200 cells": lambda: workbook(sheets_of(20, 30, 200, distinct)),
    "16 sheets of 30 x 200 cells": lambda: workbook(sheets_of(16, 30, 200, distinct)),
    "100 sheets of 10 x 100 cells": lambda: workbook(sheets_of(100, 10, 100, distinct)),
    "100 sheets of 30 x 33 names": lambda: workbook(sheets_of(100, 30, 33, names)),
    "100 sheets of 30 x 33 labelled": lambda: workbook(sheets_of(100, 30, 33, labelled)),
    "100 sheets of 30 x 33 titles nearly": lambda: workbook(sheets_of(100, 30, 33, nearly)),
    "100 sheets of 30 x 20 titles nearly, 100,000 formats": lambda: workbook(sheets_of(100, 30, 20, nearly), styles=f'<styleSheet xmlns="{_MAIN}"><cellXfs>' + '<xf numFmtId="14"/>' * 100_000 + "</cellXfs></styleSheet>"),
    "100 sheets of 30 x 30 shared titles nearly, merged": lambda: workbook([shared_cells(30, 30, 7 * n, after=merged(150)) for n in range(100)], strings=strings(3000, nearly)),
    "a list of 10,000 x 30 and 90 sheets of 30 x 33 names": lambda: workbook([sheet(listed(10_000, 30)), *sheets_of(90, 30, 33, names)]),
    "a list of 10,000 x 30 and 90 sheets of 30 x 33 labelled": lambda: workbook([sheet(listed(10_000, 30)), *sheets_of(90, 30, 33, labelled)]),
    "10,000 x 40 figures and 60 sheets of 30 x 33 names": lambda: workbook([sheet(grid(10_000, 40, int)), *sheets_of(60, 30, 33, names)]),
    "10,000 x 60 figures": lambda: workbook(sheets_of(1, 10_000, 60, int)),
    "10,000 x 40 figures without their places": lambda: workbook([cells(10_000, 40, lambda r, c: f"<c><v>{r * c}</v></c>")]),
    "10,000 x 30 names, the format before the place": lambda: workbook([cells(10_000, 30, lambda r, c: f'<c s="0" r="{letters(c)}{r}" t="inlineStr"><is><t>{names(c)}</t></is></c>')]),
    "10,000 x 30 names with a prefix": lambda: workbook([sheet(grid(10_000, 30, names)).replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:").replace("xmlns=", "xmlns:x=")]),
    "10,000 x 30 names, each in a line": lambda: workbook([sheet(grid(10_000, 30, names)).replace("<", "\n<")]),
    "10,000 x 30 names struck out": lambda: workbook([cells(10_000, 30, lambda r, c: f'<c r="{letters(c)}{r}" s="1" t="inlineStr"><is><t>{names(c)}</t></is></c>')], styles=struck(1)),
    "10,000 x 30 names hidden": lambda: workbook([cells(10_000, 30, lambda r, c: cell(r, c, names(c)), ' hidden="1"')]),
    "10,000 x 30 errors without their places": lambda: workbook([cells(10_000, 30, lambda _r, _c: '<c t="e"><v>#N/A</v></c>')]),
    "10,000 x 30 formulas saved": lambda: workbook([cells(10_000, 30, lambda r, c: f'<c r="{letters(c)}{r}" t="str"><f>A{r}+{c}</f><v>x{r}</v></c>')]),
    "10,000 x 20 formulas saved blank": lambda: workbook([cells(10_000, 20, lambda r, c: f'<c r="{letters(c)}{r}"><f>A{r}</f><v> </v></c>')]),
    "10,000 x 20 formulas left out": lambda: workbook([cells(10_000, 20, lambda r, c: f'<c r="{letters(c)}{r}"><f>A{r}</f></c>')]),
    "empty cells before filled ones": lambda: workbook([cells(7_000, 200, lambda r, c: f'<c r="{letters(c)}{r}" s="1"/>' if c < 200 else f'<c r="GR{r}"><v>1</v></c>' if c == 200 else "")]),
    "cells far below their rows": lambda: workbook([raw('<row r="1"><c r="A9999999"><v>1</v></c><c r="ZZZ1"><v>1</v></c></row>')]),
    "cells that begin only": lambda: workbook([raw('<row r="1">' + '<c r="A1" t="s"><v>1' * 400_000)]),
    "places that begin only": lambda: workbook([raw('<row r="1">' + '<c r="A1" s="' * 500_000)]),
    "20 sheets of 20,000 merged": lambda: workbook([sheet(grid(40, 12, nearly, n * 480), after=merged(19_990)) for n in range(20)]),
    "20 sheets of 20,000 merged in one row": lambda: workbook([sheet(grid(30, 10, distinct, n * 300), after=merged(19_990, 5)) for n in range(20)]),
    "shared strings 300,000, all in cells": lambda: workbook([shared_cells(10_000, 30)], strings=strings(300_000, distinct)),
    "struck formats 200,000 over a list": lambda: workbook([sheet(listed(5_000, 20))], styles=struck(200_000)),
    "titles of question marks": lambda: titled("?"),
    "titles of colons": lambda: titled(":"),
    "titles of slashes": lambda: titled("产/"),
    "titles of bars and slashes": lambda: titled("a|b/"),
    "titles of brackets": lambda: titled("(a)"),
    "titles of open brackets": lambda: titled("(a"),
    "titles of two scripts": lambda: titled("产a"),
    "titles of two scripts and blanks": lambda: titled("产 a "),
    "titles of figures": lambda: titled("1 "),
    "titles of lines": lambda: titled("a\n"),
    "titles of signs that grow": lambda: titled("\ufdfa"),
    "titles of wishes": lambda: titled("请填写", after=False),
    "titles of points": lambda: titled("1、", after=False),
    "labels of 40 signs": lambda: workbook(sheets_of(40, 25, 33, lambda at: (names(at) if at % 33 == 0 else f"({distinct(at)})" * 5)[:40])),
    "items over figures": lambda: workbook([sheet([["Item"] * 200, *grid(30, 200, lambda _at: "1 " * 400)])]),
    "cells of half addresses": lambda: workbook(sheets_of(1, 50, 200, lambda _at: "a@b." * 49)),
    "cells of half places": lambda: workbook(sheets_of(1, 50, 200, lambda _at: "省市区" * 66)),
    "100 sheets of forms of 120 rows": lambda: workbook([sheet([[names(row), distinct(n * 500 + row), f"项目{row}", "x"] for row in range(120)]) for n in range(100)]),
    "20 sheets of 30 x 200 long cells": lambda: workbook(sheets_of(20, 30, 200, lambda at: distinct(at) * 30)),
    "5 sheets of 10,000 x 10 names": lambda: workbook(sheets_of(5, 10_000, 10, names)),
    "1 sheet of 10,000 x 40 names": lambda: workbook(sheets_of(1, 10_000, 40, names)),
    "1 sheet of 10,000 x 5 labelled": lambda: workbook(sheets_of(1, 10_000, 5, labelled)),
    "1 sheet of 10,000 x 4 labelled": lambda: workbook(sheets_of(1, 10_000, 4, labelled)),
    "1 sheet of 40 x 200 labelled": lambda: workbook(sheets_of(1, 40, 200, labelled)),
    "1 sheet of 250 x 200 labelled": lambda: workbook(sheets_of(1, 250, 200, labelled)),
    "1 sheet of 5,000 x 200 cells": lambda: workbook(sheets_of(1, 5_000, 200, distinct)),
    "30 sheets of 10,000 x 4 figures": lambda: workbook(sheets_of(30, 10_000, 4, int)),
    "100 names for 1 sheet of 10,000 x 10": lambda: workbook(sheets_of(1, 10_000, 10, names), same=100),
    "100 names for 1 sheet of 10,000 x 10 figures": lambda: workbook(sheets_of(1, 10_000, 10, int), same=100),
    "100 names for 1 sheet of 60 x 60": lambda: workbook(sheets_of(1, 60, 60, names), same=100),
    "100 names for 1 sheet of 1,000 x 12": lambda: workbook(sheets_of(1, 1000, 12, distinct), same=100),
    "20,000 names for 1 sheet": lambda: workbook(sheets_of(1, 3, 3, names), same=20_000),
    "400 sheets": lambda: workbook(sheets_of(400, 3, 3, names)),
    "16,384 columns": lambda: workbook(sheets_of(1, 3, 16_384, distinct)),
    "201 columns": lambda: workbook(sheets_of(1, 30, 201, distinct)),
    "200 columns of one long text": lambda: workbook(sheets_of(1, 30, 200, lambda _at: "企业名称 / " * 90)),
    "200 columns of blanks": lambda: workbook(sheets_of(1, 30, 200, lambda _at: "(" * 400 + " " * 500 + ")")),
    "merged 200,000": lambda: after_list("<mergeCells>" + "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(1, 200_001)) + "</mergeCells>"),
    "merged whole sheet 5,000 times": lambda: after_list("<mergeCells>" + '<mergeCell ref="A1:XFD1048576"/>' * 5000 + "</mergeCells>"),
    "merged 10,000 over a list": lambda: workbook([sheet(listed(10_000, 4), after="<mergeCells>" + '<mergeCell ref="A1:D10000"/>' * 10_000 + "</mergeCells>")]),
    "merged columns 3,000": lambda: workbook([sheet(listed(10_000, 3), after="<mergeCells>" + "".join(f'<mergeCell ref="A{n}:C10000"/>' for n in range(2, 3002)) + "</mergeCells>")]),
    "merged over the header 150,000": lambda: workbook([sheet(listed(50, 200), after="<mergeCells>" + '<mergeCell ref="A1:GR1"/>' * 150_000 + "</mergeCells>")]),
    "shared strings 500,000": lambda: workbook([sheet(listed(3, 4))], strings=strings(500_000, lambda n: f"{n}")),
    "shared string of 30 MB": lambda: workbook([sheet(listed(3, 4))], strings=f"<si><t>{'企业' * 5_000_000}</t></si>"),
    "one shared long string 400,000 times": lambda: workbook([raw("".join(f'<row r="{r}">{"".join("""<c t="s"><v>0</v></c>""" for _ in range(40))}</row>' for r in range(1, 10_001)))], strings=f"<si><t>{'字' * 30_000}</t></si>"),
    "one shared long string 2,000 times": lambda: workbook([cells(50, 40, lambda _r, _c: '<c t="s"><v>0</v></c>')], strings=f"<si><t>{'word, ' * 5_000}</t></si>"),
    "one shared string of 3,000 signs 4,000 times": lambda: workbook([raw("".join(f'<row r="{r}">{"".join("""<c t="s"><v>0</v></c>""" for _ in range(40))}</row>' for r in range(1, 101)))], strings=f"<si><t>{'字 :：(' * 600}</t></si>"),
    "shared strings in 200,000 runs": lambda: workbook([sheet(listed(3, 4))], strings="<si>" + "<r><rPr><b/></rPr><t>x</t></r>" * 200_000 + "</si>"),
    "styles 300,000": lambda: workbook([sheet(listed(3, 4))], styles=f'<styleSheet xmlns="{_MAIN}"><fonts><font><strike/></font></fonts><cellXfs>' + '<xf fontId="0" numFmtId="14"/>' * 300_000 + "</cellXfs></styleSheet>"),
    "formats 200,000": lambda: workbook([sheet(listed(3, 4))], styles=f'<styleSheet xmlns="{_MAIN}"><numFmts>' + "".join(f'<numFmt numFmtId="{n}" formatCode="[Red]yyyy{n}"/>' for n in range(164, 200_164)) + "</numFmts><cellXfs><xf/></cellXfs></styleSheet>"),
    "nested 500,000 deep": lambda: workbook([raw("<row>" + "<a>" * 500_000 + "</a>" * 500_000 + "</row>")]),
    "nested in styles": lambda: workbook([sheet(listed(3, 4))], styles=f'<styleSheet xmlns="{_MAIN}">' + "<fonts>" * 500_000 + "</fonts>" * 500_000 + "</styleSheet>"),
    "defined names 200,000": lambda: workbook([sheet(listed(3, 4))], names="<definedNames>" + "".join(f'<definedName name="n{n}">S1!$A$1</definedName>' for n in range(200_000)) + "</definedNames>"),
    "formulas 300,000 unsaved": lambda: workbook([raw("".join(f'<row r="{r}">{"".join("<c><f>A1</f></c>" for _ in range(30))}</row>' for r in range(1, 10_001)))]),
    "shared formulas 300,000": lambda: workbook([raw("".join(f'<row r="{r}">' + "".join(f'<c r="{letters(c)}{r}"><f t="shared" ref="A1:AD10000" si="0">A1+B1</f><v>1</v></c>' for c in range(1, 31)) + "</row>" for r in range(1, 10_001)))]),
    "formula of 20 MB": lambda: workbook([raw(f'<row r="1"><c r="A1"><f>{"A1+" * 7_000_000}1</f></c></row>')]),
    "errors 400,000": lambda: workbook([raw("".join(f'<row r="{r}">' + '<c t="e"><v>#N/A</v></c>' * 40 + "</row>" for r in range(1, 10_001)))]),
    "hidden and struck rows 10,000": lambda: workbook([raw("".join(f'<row r="{r}" hidden="1"><c r="A{r}" s="1" t="inlineStr"><is><t>企业{r}</t></is></c></row>' for r in range(1, 10_001)))], styles=f'<styleSheet xmlns="{_MAIN}"><fonts><font/><font><strike/></font></fonts><cellXfs><xf/><xf fontId="1"/></cellXfs></styleSheet>'),
    "comments 200,000": lambda: after_list("", more=[("xl/comments1.xml", f'<comments xmlns="{_MAIN}"><commentList>' + "".join(f'<comment ref="A{n}"><text><t>x</t></text></comment>' for n in range(200_000)) + "</commentList></comments>")]),
    "conditional formats 300,000": lambda: after_list("".join(f'<conditionalFormatting sqref="A{n}"><cfRule type="expression" priority="{n}"><formula>1</formula></cfRule></conditionalFormatting>' for n in range(150_000))),
    "hyperlinks 500,000": lambda: after_list("<hyperlinks>" + "".join(f'<hyperlink ref="A{n}" r:id="r1"/>' for n in range(500_000)) + "</hyperlinks>"),
    "data validations 300,000": lambda: after_list("<dataValidations>" + "".join(f'<dataValidation sqref="A{n}"><formula1>B1</formula1></dataValidation>' for n in range(300_000)) + "</dataValidations>"),
    "columns 300,000": lambda: workbook([sheet(listed(3, 4), before="<cols>" + '<col min="1" max="16384" width="9"/>' * 300_000 + "</cols>")]),
    "drawings 900": lambda: after_list("", more=[(f"xl/drawings/drawing{n}.xml", "<wsDr>" + "<a/>" * 2000 + "</wsDr>") for n in range(900)]),
    "external links 900": lambda: after_list("", more=[(f"xl/externalLinks/externalLink{n}.xml", "<x/>" * 3000) for n in range(900)]),
    "pictures of 9 MB": lambda: after_list("", more=[("xl/media/image1.png", os.urandom(9_000_000))]),
    "row 1,048,576 only": lambda: workbook([raw('<row r="1048576"><c r="A1048576"><v>1</v></c></row>')]),
    "empty rows 140,000": lambda: workbook([raw("".join(f'<row r="{r}" spans="1:200" ht="15"/>' for r in range(1, 140_001)))]),
    "empty rows on 20 sheets": lambda: workbook([raw("".join(f'<row r="{r}"/>' for r in range(1, 60_001)))] * 20),
    "empty cells 1,400,000": lambda: workbook([raw("".join(f'<row r="{r}">' + "<c s='0'/>" * 140 + "</row>" for r in range(1, 10_001)))]),
    "empty cells on 20 sheets": lambda: workbook([raw("".join(f'<row r="{r}">' + "<c/>" * 140 + "</row>" for r in range(1, 2001)))] * 20),
    "10,000 members": lambda: after_list("", more=[(f"xl/m{n}", b"") for n in range(10_000)]),
    "entities": lambda: workbook([f'<!DOCTYPE x [<!ENTITY a "{"b" * 1000}">]>' + raw("<row><c><v>" + "&a;" * 100_000 + "</v></c></row>")]),
    "sign entities 3,000,000": lambda: workbook([raw('<row r="1"><c r="A1" t="inlineStr"><is><t>' + "&#20225;" * 3_000_000 + "</t></is></c></row>")]),
    "attribute of 20 MB": lambda: workbook([raw(f'<row r="1" x="{"a" * 20_000_000}"><c r="A1"><v>1</v></c></row>')]),
    "100,000 attributes": lambda: workbook([raw('<row r="1" ' + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>")]),
    "name of 5 MB": lambda: workbook([sheet(listed(3, 4))], names=f"<definedNames><definedName name='{'n' * 5_000_000}'>1</definedName></definedNames>"),
    "unfinished": lambda: workbook([raw('<row r="1"><c r="A1"><v>1' * 400_000)]),
    "comment of 30 MB": lambda: workbook([raw(f"<!--{'x y ' * 7_500_000}-->")]),
    "processing instructions 500,000": lambda: workbook([raw("<?a b?>" * 500_000)]),
    "cdata 500,000": lambda: workbook([raw('<row r="1"><c r="A1" t="inlineStr"><is><t>' + "<![CDATA[x]]>" * 500_000 + "</t></is></c></row>")]),
    "namespaces 100,000": lambda: workbook([raw("".join(f'<row xmlns:a{n}="u{n}"/>' for n in range(100_000)))]),
    "cells all at A1": lambda: workbook([raw('<row r="1">' + '<c r="A1"><v>1</v></c>' * 400_000 + "</row>")]),
    "rows all numbered 1": lambda: workbook([raw('<row r="1"><c r="A1" t="inlineStr"><is><t>企业名称</t></is></c></row>' * 140_000)]),
    "cells of 32,767 signs": lambda: workbook(sheets_of(1, 300, 5, lambda at: (distinct(at) + " :：") * 3000)),
    "cells of colons": lambda: workbook(sheets_of(20, 30, 30, lambda _at: "企业名称:x  " * 800)),
    "cells of colons not known": lambda: workbook(sheets_of(20, 40, 30, lambda at: "".join(f"{distinct(at * 800 + n)}:x  " for n in range(60)))),
    "right-to-left marks": lambda: workbook(sheets_of(1, 10_000, 20, lambda at: "\u202e\u200b\u200f" * 20 + str(at))),
    "apostrophes": lambda: workbook(sheets_of(1, 10_000, 10, lambda _at: "'1" + "a" * 100)),
    "one long apostrophe": lambda: workbook(sheets_of(1, 100, 4, lambda _at: "'1" + "’ " * 15_000)),
    "sums": lambda: workbook([sheet(listed(10_000, 10, lambda _at: "合计"))]),
    "dittos": lambda: workbook([sheet(listed(10_000, 20, lambda _at: "同上"))]),
    "headers again": lambda: workbook([sheet([list(NAMES)] * 10_000)]),
    "dates 200,000": lambda: workbook([raw("".join(f'<row r="{r}">' + f'<c s="1"><v>{40000 + r}</v></c>' * 20 + "</row>" for r in range(1, 10_001)))], styles=f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>'),
    "figures of 1,000 digits": lambda: workbook([raw("".join(f'<row r="{r}"><c r="A{r}"><v>{"9" * 1000}</v></c></row>' for r in range(1, 10_001)))]),
    "sheets by the old way of the 1904 days": lambda: workbook(sheets_of(1, 10, 10, names), names='<workbookPr date1904="1"/>'),
}  # fmt: skip


# --- Old binary workbooks -----------------------------------------------------------------------------


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def compound(stream: bytes, name: str = "Workbook") -> bytes:
    """One stream in a compound file."""
    free, end, table, none = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    tables = 1
    while tables * 128 < sectors + tables + 1:
        tables += 1
    chain = [table] * tables + [end]
    first = tables + 1
    chain += [*range(first + 1, first + sectors), end]
    chain += [free] * (tables * 128 - len(chain))

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        letters_ = (title + "\0").encode("utf-16-le")
        head = letters_.ljust(64, b"\0") + struct.pack("<HBB", len(letters_), kind, 1)
        return (
            head
            + struct.pack("<III", none, none, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    directory = entry("Root Entry", 5, 1, end, 0) + entry(name, 2, none, first, len(stream))
    directory = directory.ljust(512, b"\0")
    placed = [*range(tables)][:109]
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    )
    more = tables - 109  # tables of tables
    extra = -(-more // 127) if more > 0 else 0
    if extra:
        raise ValueError("larger than this writer makes")
    head += bytes(6) + struct.pack("<IIIIIIIII", 0, tables, tables, 0, 4096, end, 0, end, 0)
    head += struct.pack("<109I", *(placed + [free] * (109 - len(placed))))
    return head + struct.pack(f"<{len(chain)}I", *chain) + directory + stream


def biff(
    bodies: list[bytes], *, version: int = 0x0600, same: int = 1, shared: bytes = b""
) -> bytes:
    """Sheets of these records; `same`: so many names for each."""
    start = record(
        0x0809, struct.pack("<HHHHII", version, 5, 0, 0, 0, 0)[: 16 if version == 0x600 else 8]
    )
    start += record(0x0042, struct.pack("<H", 1200 if version == 0x600 else 936))
    titles = [f"S{n}" for n in range(len(bodies) * same)]

    def bound(title: str, at: int) -> bytes:
        signs = title.encode()
        flags = b"\0" if version == 0x600 else b""
        return record(0x0085, struct.pack("<IHB", at, 0, len(signs)) + flags + signs)

    size = len(start) + sum(len(bound(t, 0)) for t in titles) + len(shared) + 4
    sheets = [
        record(
            0x0809,
            struct.pack("<HHHHII", version, 0x10, 0, 0, 0, 0)[: 16 if version == 0x600 else 8],
        )
        + body
        + record(0x000A)
        for body in bodies
    ]
    places, at = [], size
    for one in sheets:
        places += [at] * same
        at += len(one)
    bounds = b"".join(map(bound, titles, places))
    return compound(
        start + bounds + shared + record(0x000A) + b"".join(sheets),
        "Workbook" if version == 0x600 else "Book",
    )


def label(row: int, column: int, text: str, version: int = 0x600) -> bytes:
    if version == 0x600:
        data = text.encode("utf-16-le")
        return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + data)
    data = text.encode("gb18030")
    return record(0x0204, struct.pack("<HHHH", row, column, 0, len(data)) + data)


def labels(
    rows: int, columns: int, text: Callable[[int], object], start: int = 0, version: int = 0x600
) -> bytes:
    return b"".join(
        label(at, column, str(value), version)
        for at, row in enumerate(grid(rows, columns, text, start))
        for column, value in enumerate(row)
    )


def small_figures(rows: int, columns: int) -> bytes:
    """RK figures, of which one takes six bytes."""
    one = b"".join(struct.pack("<HI", 0, 4 * n + 2) for n in range(columns))
    return b"".join(
        record(0x00BD, struct.pack("<HH", row, 0) + one + struct.pack("<H", columns - 1))
        for row in range(rows)
    )


def shared_strings(count: int, text: str) -> bytes:
    data = text.encode("utf-16-le")
    one = struct.pack("<HB", len(text), 1) + data
    most = 8000 // len(one)
    parts: list[bytes] = []
    left = count
    head = struct.pack("<II", count, count)
    while left > 0:
        now = min(most, left)
        parts.append(
            record(0x00FC if not parts else 0x003C, (head if not parts else b"") + one * now)
        )
        left -= now
    return b"".join(parts)


XLS: dict[str, Callable[[], bytes]] = {
    "biff8 60 x 60 names under 100 names": lambda: biff([labels(60, 60, names)], same=100),
    "biff8 100 sheets of 40 x 40 cells": lambda: biff([labels(40, 40, distinct)] * 100),
    "biff8 10,000 x 60 figures under 100 names": lambda: biff([small_figures(10_000, 60)], same=100),
    "biff8 10,000 x 60 figures under 8 names": lambda: biff([small_figures(10_000, 60)], same=8),
    "biff8 10,000 x 100 figures": lambda: biff([small_figures(10_000, 100)]),
    "biff8 200 x 200 figures under 5,000 names": lambda: biff([small_figures(200, 200)], same=5000),
    "biff8 two far cells": lambda: biff([label(0, 0, "a") + label(65535, 255, "b")]),
    "biff8 two far cells under 100 names": lambda: biff([label(0, 0, "a") + label(65535, 255, "b")], same=100),
    "biff8 far cells under 3,000 names": lambda: biff([label(0, 0, "a") + label(20000, 50, "b")], same=3000),
    "biff8 labelled": lambda: biff([labels(4_000, 10, labelled)]),
    "biff8 merged 500,000": lambda: biff([labels(3, 4, names) + record(0x00E5, struct.pack("<H", 1000) + struct.pack("<HHHH", 0, 65535, 0, 255) * 1000) * 500]),
    "biff8 shared strings": lambda: biff([labels(3, 4, names)], shared=shared_strings(400_000, "企业")),
    "biff8 one shared string 200,000 times": lambda: biff([b"".join(record(0x00FD, struct.pack("<HHHI", n // 20, n % 20, 0, 0)) for n in range(200_000))], shared=shared_strings(1, "企" * 3900)),
    "biff8 names 100,000": lambda: biff([labels(3, 4, names)], shared=record(0x0018, struct.pack("<HBBHHHBBBB", 0, 0, 3, 0, 0, 0, 0, 0, 0, 0) + b"\0abc") * 100_000),
    "biff8 formulas": lambda: biff([b"".join(record(0x0006, struct.pack("<HHHdHIH", n // 20, n % 20, 0, 1.5, 0, 0, 3) + b"\x1e\x01\x00") for n in range(150_000))]),
    "biff8 formula strings": lambda: biff([b"".join(record(0x0006, struct.pack("<HHH", n // 20, n % 20, 0) + b"\0\0\0\0\0\0\xff\xff" + struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00") + record(0x0207, struct.pack("<HB", 2, 1) + "企业".encode("utf-16-le")) for n in range(100_000))]),
    "biff8 100 sheets of 30 x 30 titles nearly": lambda: biff([labels(30, 30, nearly, 900 * n) for n in range(100)]),
    "biff8 a list of 10,000 x 15 and 80 sheets of names": lambda: biff([labels(1, 15, names) + small_figures(10_000, 15), *[labels(30, 30, names)] * 80]),
    "biff8 20 sheets of 19,000 merged": lambda: biff([labels(40, 12, nearly) + record(0x00E5, struct.pack("<H", 1000) + b"".join(struct.pack("<HHHH", n % 40, n % 40, 0, 2) for n in range(1000))) * 19] * 20),
    "biff8 long titles": lambda: biff([labels(2, 200, title(of="?"))]),
    "biff8 empty records": lambda: biff([record(0x0201) * 1_500_000]),
    "biff8 lengths that lie": lambda: biff([b"\x04\x02\xff\xff" * 500_000]),
    "biff8 chain that ends never": lambda: _looped(biff([labels(100, 20, names)])),
    "biff5 60 x 60 names under 100 names": lambda: biff([labels(60, 60, names, version=0x500)], version=0x500, same=100),
    "biff5 labelled": lambda: biff([labels(4_000, 10, labelled, version=0x500)], version=0x500),
    "biff5 10,000 x 60 figures under 100 names": lambda: biff([small_figures(10_000, 60)], version=0x500, same=100),
}  # fmt: skip


def _looped(data: bytes) -> bytes:
    """The table of sectors leads the last one back to the first."""
    table = bytearray(data)
    at = 512 + 4 * (len(data) // 512 - 2)
    table[at : at + 4] = struct.pack("<I", 3)
    return bytes(table)


# --- Pages and XML of 2003 ----------------------------------------------------------------------------


def table(rows: Iterable[Iterable[object]], attributes: str = "") -> str:
    body = "".join(f"<tr>{''.join(f'<td{attributes}>{v}</td>' for v in row)}</tr>" for row in rows)
    return f"<table>{body}</table>"


def page(body: str) -> bytes:
    return f"<html><meta charset=utf-8><body>{body}</body></html>".encode()


def office(rows: str, count: int = 1) -> bytes:
    one = f"<Worksheet ss:Name='S'><Table>{rows}</Table></Worksheet>"
    return (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        + one * count
        + "</Workbook>"
    ).encode()


PAGES: dict[str, Callable[[], bytes]] = {
    "html 20 tables of 100 x 70 names": lambda: page(table(grid(100, 70, names)) * 20),
    "html 20 tables of 100 x 70 cells": lambda: page("".join(table(grid(100, 70, distinct, n * 7000)) for n in range(20))),
    "html 20 tables of 100 x 70 labelled": lambda: page("".join(table(grid(100, 70, labelled, n * 7000)) for n in range(20))),
    "html 20 tables of 30 x 200 cells": lambda: page("".join(table(grid(30, 200, distinct, n * 6000)) for n in range(20))),
    "html 20 tables of 500 x 14 labelled": lambda: page("".join(table(grid(500, 14, labelled, n * 7000)) for n in range(20))),
    "html 20 tables of 30 x 33 titles nearly": lambda: page("".join(table(grid(30, 33, nearly, n * 990)) for n in range(20))),
    "html 20 tables of 10 x 20 long titles": lambda: page("".join(table(grid(10, 20, title(of="?"), n * 200)) for n in range(20))),
    "html 20 tables of 60 x 40 titles nearly, merged": lambda: page("".join(table(grid(60, 40, nearly, n * 2400), " colspan=2") for n in range(20))),
    "html a list of 5,000 x 15 and 19 tables of names": lambda: page(table(listed(5_000, 15)) + table(grid(40, 60, names)) * 19),
    "html 10,000 tables": lambda: page(table(grid(2, 2, names)) * 10_000),
    "html nested 100,000": lambda: page("<table><tr><td>" * 100_000),
    "html nested and closed": lambda: page("<table><tr><td>a<td>b" * 19 + "</table>" * 19),
    "html 150,000 cells": lambda: page(table(grid(7_400, 20, distinct))),
    "html 800,000 cells": lambda: page("<table>" + "<tr><td>" * 800_000),
    "html spans": lambda: page(table(grid(5_000, 20, names), " rowspan=9999 colspan=9999")),
    "html spans of 2 x 2": lambda: page(table(grid(5_000, 25, names), " rowspan=2 colspan=2")),
    "html rows spanned": lambda: page("<table>" + "".join("<tr>" + "<td rowspan=10000>x" for _ in range(10_000)) + "</table>"),
    "html columns spanned to 200": lambda: page("<table>" + "<tr><td colspan=200 rowspan=10000>x" * 9_000),
    "html entities": lambda: page(table([["&amp;&#x4f01;&nbsp;" * 300_000, "x"], ["a", "b"]])),
    "html open marks": lambda: page("<" * 9_000_000),
    "html open comment": lambda: page("<table><tr><td>a<!--" + "- -" * 3_000_000),
    "html open comments": lambda: page("<table><tr><td>a" + "<!--" * 2_000_000),
    "html scripts": lambda: page("<table><tr><td>a" + "<script>" * 1_000_000),
    "html scripts closed": lambda: page("<table><tr><td>a" + "<script></script>" * 500_000),
    "html styles never closed": lambda: page("<table><tr><td>a" + "<style></styl " * 500_000),
    "html attribute of 9 MB": lambda: page(f"<table><tr><td title='{'a ' * 4_500_000}'>x<td>y<tr><td>a<td>b</table>"),
    "html attributes of 2,000 signs": lambda: page("<table>" + f"<tr><td {'colspan ' * 240}>x" * 4_500),
    "html attributes of spans": lambda: page("<table>" + f"<tr><td {'spanindexmerge' * 140}>x" * 4_500),
    "html blanks": lambda: page(table([[" " * 9_000_000, "x"], ["a", "b"]])),
    "html line breaks": lambda: page("<table><tr><td>" + "<br>" * 2_000_000),
    "html one cell of 9 MB": lambda: page(table([["企业 " * 1_200_000, "x"], ["a", "b"]])),
    "html utf-16": lambda: ("\ufeff<html>" + table(grid(5_000, 20, names))).encode("utf-16-le"),
    "html charset punycode": lambda: b"<html><meta charset=punycode>" + b"<table><tr><td>a-b<td>c" * 100_000,
    "html in a letter, quoted": lambda: b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n" + b"=3D" * 3_000_000,
    "html in a letter, base64": lambda: b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n" + b"PHRk\n" * 1_900_000,
    "html letter of blank lines": lambda: b"MIME-Version: 1.0\nboundary=b\n" + b"\r\n" * 4_500_000,
    "xml 2003 of 40 x 200 labelled": lambda: office("".join(f"<Row>{''.join(f'<Cell><Data>{v}</Data></Cell>' for v in row)}</Row>" for row in grid(40, 200, labelled)), 20),
    "xml 2003 indices": lambda: office("".join(f"<Row ss:Index='{r * 9}'><Cell ss:Index='200'><Data>x</Data></Cell></Row>" for r in range(1, 1100)), 20),
    "xml 2003 rows far": lambda: office("<Row ss:Index='10059'><Cell><Data>x</Data></Cell></Row>" * 50_000),
    "xml 2003 merged": lambda: office("<Row><Cell ss:MergeAcross='199' ss:MergeDown='9999'><Data>x</Data></Cell></Row>" * 9_000),
    "xml 2003 entities": lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Workbook><Table>' + b"<Row><Cell>&a;</Cell></Row>" * 100_000,
    "svg": lambda: b"<svg>" + b"<a/>" * 2_000_000,
}  # fmt: skip


# --- Text ---------------------------------------------------------------------------------------------


def text(rows: Iterable[Iterable[object]], cut: str = ",") -> str:
    return "\n".join(cut.join(map(str, row)) for row in rows)


def _encoded(encoding: str, cut: str, columns: int, kind: Callable[[int], object]) -> bytes:
    return text(grid(10_000, columns, kind), cut).encode(encoding, "replace")


def _by_chance(pieces: list[str]) -> bytes:
    return "".join(random.Random(1).choices(pieces, k=1_500_000)).encode()


TEXTS: dict[str, Callable[[], bytes]] = {
    **{
        f"{encoding} {cut!r} of 10,000 x {columns} {kind.__name__}": partial(_encoded, encoding, cut, columns, kind)
        for encoding, cut, columns, kind in (
            ("utf-8", ",", 40, names), ("gb18030", "\t", 40, names), ("utf-16", ";", 40, names), ("utf-16-le", ",", 20, distinct),
            ("utf-8-sig", ";", 20, labelled), ("gb18030", "|", 20, labelled), ("utf-8", "，", 20, labelled), ("utf-8", "\t", 4, labelled),
        )
    },
    "text 30 x 200 titles nearly": lambda: text(grid(30, 200, nearly)).encode(),
    "text 8,000 x 40 titles nearly, five cuts": lambda: "\n".join("".join(nearly(n * 40 + at) + ",\t;|，"[at % 5] for at in range(40)) for n in range(8_000)).encode(),
    "text long titles": lambda: text(grid(2, 110, title(of="?"))).encode(),
    "text labels of 40 signs": lambda: text([[names(row), *[f"({distinct(row * 30 + at)})" * 4 for at in range(30)]] for row in range(3_000)]).encode(),
    "text sep of a quote": lambda: b'sep="\n' + b'"a","b"\n' * 200_000,
    "text sep of a blank": lambda: b"sep= \n" + b"a b c\n" * 200_000,
    "text sep of a word": lambda: "sep=企\n名企称\n".encode() * 10_000,
    "text quotes of quotes": lambda: b"a,b,c\n" + b'"a""b""\n' * 1_000_000,
    "text quotes and long rests": lambda: b"a,b,c\n" + (b'"' + b"1,2,3\n" * 20_000) * 70,
    **{
        f"text of {pieces!r} by chance": partial(_by_chance, pieces)
        for pieces in (['"', ",", "a", "\n"], ['"', '""', ",", "\n", "企业"], ['"', ";", "\t", "\r", "1"], ['"\n', '",', 'a,"', "\n"], ["  ", "\u3000", "a", "\n", ","])
    },
    "text one line of 10 MB": lambda: b"name," + b"a" * 10_000_000,
    "text one line of 10 MB in gb18030": lambda: "名称,说明\n".encode("gb18030") + "企业".encode("gb18030") * 2_400_000,
    "text 1,000,000 lines": lambda: b"name,note\n" + b"a,b\n" * 1_000_000,
    "text 5,000,000 empty lines": lambda: b"name,note\n" + b"\n" * 5_000_000,
    "text 5,000,000 returns": lambda: b"name,note\r" + b"\r" * 5_000_000,
    "text 2,000,000 lines of returns": lambda: b"name,note\r" + b"a,b\r" * 2_000_000,
    "text quote open": lambda: b'name,note\n"' + b"a,b\n" * 2_000_000,
    "text quotes open in each line": lambda: b"name,note\n" + b'"a,b\n' * 40_000,
    "text quotes open, long rows": lambda: b"name,note,x\n" + b'3" pipe,"b\n' * 40_000,
    "text quotes open, short lines": lambda: b"name,note,c,d\n" + b'"a\n' * 10_000 + b"1,2,3,4\n",
    "text quotes open, and full rows": lambda: b"name,note,c,d\n" + b'"a\n1,2,3,4\n' * 10_000,
    "text quotes all": lambda: b"name,note\n" + b'"' * 9_000_000,
    "text quotes and commas": lambda: b"name,note\n" + b'"",' * 3_000_000,
    "text NULs": lambda: b"name,note\n" + b"\0" * 9_000_000,
    "text NULs between": lambda: b"name,note\n" + b"a\0,b\0\n" * 1_400_000,
    "text commas only": lambda: b"," * 9_000_000,
    "text 3,999 commas a line": lambda: (b"," * 3_999 + b"\n") * 2_400,
    "text 3,999 cells a line": lambda: (b"a," * 3_999 + b"\n") * 1_200,
    "text all cuts": lambda: "企业名称,a\tb;c|d，e\n".encode() * 300_000,
    "text bars in prose": lambda: ("|，" * 300 + "\n").encode() * 8_000,
    "text gaps": lambda: b"name  note\n" + b"a  b\n" * 10_000 + b" " * 9_000,
    "text blanks": lambda: b"name  note\n" + (b" " * 19_000 + b"\n") * 500,
    "text sep": lambda: b"sep=;\n" + b"a;" * 4_000_000,
    "text lone surrogates": lambda: b"\xff\xfe" + ("企业名称,说明\n" + "a,b\n" * 100).encode("utf-16-le") + b"\x00\xd8" * 1_000_000,
    "text lone surrogates in utf-8": lambda: "名称,说明\n".encode() + b"\xed\xa0\x80," * 1_000_000,
    "text right-to-left": lambda: "名称,说明\n".encode() + ("\u202e\u200f\u200b" * 100 + ",x\n").encode() * 9_000,
    "text mixed lines": lambda: b"".join(("企业名称甲乙,说明\n").encode("utf-8" if n % 2 else "gb18030") for n in range(190_000)),
    "text mixed short lines": lambda: b"".join(("企业\n").encode("utf-8" if n % 2 else "gb18030") for n in range(199_000)),
    "text bytes of chance": lambda: b"name,note\n" + os.urandom(9_000_000).replace(b"\0", b"a"),
    "text high bytes": lambda: b"name,note\n" + bytes(range(0x81, 0xFF)) * 70_000,
    "text gb18030 of four bytes": lambda: b"name,note\n" + b"\x81\x30\x81\x30" * 2_400_000,
    "text big5 private": lambda: b"name,note\n" + b"\xfa\x40" * 4_500_000,
    "text accents": lambda: ("a" + "\u0301" * 1000 + ",b\n").encode() * 4_000,
    "text NFKC bombs": lambda: ("\ufdfa" * 1000 + ",b\n").encode() * 3_000,
    "text western": lambda: "naïve;é\n".encode("latin-1") * 1_000_000,
    "text apostrophes": lambda: ("'=1,'" * 3 + "\n").encode() * 10_000,
    "text formulas": lambda: b'name,note\n' + b'="a",=cmd\n' * 10_000,
    "text header of 200 long names": lambda: (",".join("(要求" + " " * 900 + ")企业/名称 and " for _ in range(200)) + "\n").encode() * 40,
    "text points": lambda: ",".join(f"{n}.{n}.{n}." * 100 for n in range(200)).encode() * 30,
}  # fmt: skip

# Lists and forms as people may have them, which must be read.
GOOD: dict[str, Callable[[], bytes]] = {
    "good xlsx list of 10,000 x 20": lambda: workbook([sheet(listed(10_000, 20, distinct))]),
    "good xlsx list of 10,000 x 40": lambda: workbook([sheet(listed(10_000, 40, lambda at: distinct(at) if at % 2 else at))]),
    "good xlsx list of 10,000 x 30 and 90 sheets of 30 x 33 cells": lambda: workbook([sheet(listed(10_000, 30)), *sheets_of(90, 30, 33, distinct)]),
    "good xlsx list of 10,000 x 30 and 90 sheets of 30 x 33 titles nearly": lambda: workbook([sheet(listed(10_000, 30)), *sheets_of(90, 30, 33, nearly)]),
    "good xlsx of 60 small forms": lambda: workbook([sheet([[name, distinct(nth + n * 10)] for nth, name in enumerate(NAMES)]) for n in range(60)]),
    "good xlsx of 100 forms of 30 rows": lambda: workbook([sheet([[f"{name}", distinct(nth + n * 10), f"{other}", "x"] for nth, (name, other) in enumerate(zip(NAMES * 4, [f"项目{m}" for m in range(32)], strict=True))]) for n in range(100)]),
    "good xlsx of 2,000 cards": lambda: workbook([sheet([[name, distinct(n)] for n in range(2_000) for name in NAMES[:3]])]),
    "good xlsx of a list and 20 lists of choices": lambda: workbook([sheet(listed(3_000, 20)), *sheets_of(20, 200, 4, distinct)]),
    "good html of 5,000 x 20": lambda: page(table(listed(5_000, 20))),
    "good csv of 10,000 x 20": lambda: text(listed(10_000, 20)).encode("gb18030"),
    "good csv of 10,000 x 40": lambda: text(listed(10_000, 40)).encode(),
    "good xls of 10,000 x 15": lambda: biff([labels(1, 15, names) + small_figures(10_000, 15)]),
}  # fmt: skip

FILES = XLSX | XLS | PAGES | TEXTS


# --- Measuring ----------------------------------------------------------------------------------------


def _peak() -> int:
    """Of this process; `ru_maxrss` would be taken over from the one that started it."""
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _look(data: bytes, kind: str) -> dict[str, Any]:
    """What an upload does: open, propose, and read the whole."""
    from chains.errors import DomainError  # noqa: PLC0415 -- Django is set up by main
    from chains.forms.import_columns import columns_of  # noqa: PLC0415 -- as above
    from chains.spreadsheets import (  # noqa: PLC0415 -- as above
        open_sheets,
        propose,
        read_table,
    )

    columns = columns_of(kind)
    spent: list[float] = []
    said: list[str] = []

    def step(name: str, do: Callable[[], Any]) -> Any:
        began = _processor()
        result = None
        try:
            result = do()
        except DomainError as error:
            said.append(f"{name}: {error.code}")
        except Exception as error:
            said.append(f"{name}: FAULT {error!r} {traceback.format_exc()[-400:]}")
        spent.append(round(_processor() - began, 2))
        return result

    sheets = step("open", lambda: open_sheets(data))
    if sheets is not None:
        proposal = step("propose", lambda: propose(sheets, columns))
        found = step("read", lambda: read_table(sheets, columns))
        if found is not None:
            said.append(f"{len(found.rows)} rows")
        elif proposal is not None:
            found = step("layout", lambda: read_table(sheets, columns, layout=proposal.layout))
            said.append(f"{len(found.rows)} rows" if found else "")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": spent,
        "cpu_s": max(spent[0] + more for more in (*spent[1:], 0.0)),
        "said": "; ".join(filter(None, said)),
        # A file that is proposed as a list may yet be refused when no column of it is what each row must have.
        "is_read": any(one.endswith(" rows") for one in said),
        "own_mb": _peak(),
        "child_mb": children.ru_maxrss // 1024,
    }


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(build: Callable[[], bytes], kind: str) -> dict[str, Any]:
    """Built in one process and read in another, so that the peak is of reading this file."""
    with tempfile.TemporaryFile(buffering=0) as file:
        size = _apart(lambda: file.write(build()))
        file.seek(0)
        return {"mb": size / 1e6, **_apart(lambda: _look(file.read(), kind))}


def _apart(do: Callable[[], Any]) -> Any:
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        with os.fdopen(send, "w") as out:
            json.dump(do(), out)
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as answer:
        said = json.loads(answer.read() or '{"said": "FAULT killed"}')
    os.waitpid(child, 0)
    return said


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
    import django  # noqa: PLC0415 -- slow import

    django.setup()
    import chains.forms.import_columns  # noqa: F401, PLC0415 -- before the processes that are measured

    words = sys.argv[1:]
    over = 0
    for name, build in (FILES | GOOD).items():
        if words and not any(word in name for word in words):
            continue
        figures = measure(build, "enterprises")
        met = "FAULT" not in figures["said"] and (
            name in GOOD
            or (
                figures["cpu_s"] <= SECONDS
                and max(figures["own_mb"], figures["child_mb"]) <= MEGABYTES
            )
        )
        over += not met
        stage.report("hostile", file=name, **figures, met=met)
    if over:
        raise SystemExit(f"{over} files take more than {SECONDS:g} s or {MEGABYTES} MB")


if __name__ == "__main__":
    main()
