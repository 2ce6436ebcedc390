"""Lines of a requirement as people keep them in a spreadsheet: one reading for the file and for the cells put right on the page."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, Protocol

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from chains import search
from chains.errors import DomainError
from chains.forms.register import Register
from chains.models import Category, Period, Requirement, RequirementLine
from chains.quantities import Amount, Units, names_scale, parse_date, parse_quantity, parse_unit
from chains.searchtext import fold
from chains.services.requirement_writing import LineDraft
from chains.spreadsheets import Column, Layout, Row, Sheets, Table, duplicates, read_table
from chains.templatetags.localised import is_chinese, localised

COLUMNS = (
    Column(
        "text",
        "产品名称",
        "Product",
        aliases=(
            "存货名称", "物品名称", "材料名称", "原料名称", "原材料名称", "商品", "货品名称", "货品", "配件名称", "备件名称", "设备", "拟采购产品", "需求产品或技术名称", "nomenclature", "material name", "goods name", "productname", "item desc", "品目", "名称", "品名", "产品", "物料名称", "货物名称", "设备名称", "物资名称", "零部件名称", "商品名称", "需求名称",
            "需求产品", "需求产品名称", "所需产品", "采购产品名称", "采购货物名称", "采购物资名称", "采购设备名称", "采购内容", "配套产品", "配套产品名称", "需求明细", "明细", "采购产品", "采购物资", "采购品名", "零件名称", "部件名称",
            "需求内容", "物料描述", "产品描述", "货物描述", "品名规格", "名称规格", "名称型号", "品名型号", "产品名称规格型号", "物料名称规格", "设备名称型号", "bezeichnung",
            "item", "item name", "product name", "name", "what", "line", "material", "part", "part name",
            "description", "item description", "product description", "goods description", "material description", "commodity", "article", "description of goods", "goods", "part description", "description of goods or services", "goods or services", "short text", "material short text", "kurztext", "produkt", "artikel", "benennung",
        ),
        required=True,
        example="三分体接线盒",
        note="One product a row. 每行一个产品。",
    ),
    Column(
        "specification",
        "技术要求",
        "Specification",
        aliases=(
            "型式", "仕様", "规格参数", "技术要求及参数", "品牌型号", "规格要求", "具体要求", "具体需求", "需求描述", "规格", "规格型号", "型号规格", "型号", "技术参数", "参数", "技术规格", "技术指标", "要求", "性能要求",
            "spec", "specs", "specifications", "technical requirements", "requirements", "model", "type", "parameters",
            "description", "产品描述", "物料描述", "货物描述", "规格及型号", "规格/型号", "spec / model", "technical specification",
        ),
        example="1500 V,25 A,IP68",
        note="Type, size, standard. 型号、尺寸、标准。",
    ),
    Column(
        "quantity",
        "数量",
        "Quantity",
        aliases=(
            "申请数量", "购买数量", "请购数量", "订购数量", "订货数量", "计划数量", "需用数量", "总数量", "需求总量", "年需求", "年采购数量", "计划采购量", "annual qty", "qty per assy", "qty per", "order qty", "order quantity", "requested quantity", "required quantity", "required qty", "req qty", "total qty", "open quantity", "annual quantity required", "需求数量", "采购数量", "采购量", "需求量", "用量", "年用量", "年需求量", "年采购量", "月用量", "月需求量", "数目",
            "qty", "qnty", "quantities", "menge", "amount", "annual quantity", "yearly quantity", "monthly quantity", "volume", "annual volume", "eau", "annual usage", "usage", "annual demand", "demand",
        ),
        kind="value",
        fill_down=False,
        example="90万",
        note="As you write it: 900,000 or 90万. 可写 900,000 或 90万。",
    ),
    Column(
        "unit",
        "单位",
        "Unit",
        aliases=("主计量", "主计量单位", "采购单位", "基本单位", "库存单位", "u/m", "um", "un", "me", "uom code", "unit of issue", "単位", "计量单位", "数量单位", "uom", "units", "unit of measure", "einheit"),
        example="套",
        note="With the period if you like: sets/year. 可带周期,如 套/年。",
    ),
    Column(
        "period",
        "周期",
        "Period",
        aliases=("采购周期", "需求周期", "频次", "frequency", "per"),
        example="每年",
        note="once, a month, a year. 一次性、每月、每年。",
    ),
    Column(
        "needed_by_on",
        "需求时间",
        "Needed by",
        aliases=(
            "收货日期", "收货时间", "到位时间", "到货", "交货", "交付期", "納期", "need by date", "needed by date", "deliverydate", "delivery requested", "交货期", "交期", "交货时间", "交货日期", "交付时间", "交付日期", "采购时间", "需要时间", "使用时间", "到货时间", "到货日期", "需求日期", "需用日期", "要求交期",
            "delivery", "delivery date", "delivery time", "due", "due date", "date needed", "date required", "required date", "reqd date", "req date", "requested date", "need by", "delivery by", "required by", "deliv date", "del date", "交付要求时间", "liefertermin",
        ),
        kind="value",
        example="2027-03-31",
        note="Year, month and day. 年月日。",
    ),
    Column(
        "category",
        "品类",
        "Category",
        groups=True,
        aliases=("产品类别", "类别", "分类", "产品分类", "所属品类", "品类代码", "category code", "product category", "class"),
        example="接线盒",
        note="Name or code; without one it is suggested. 名称或代码;不填则由系统建议。",
    ),
)  # fmt: skip


def label_of(column: Column) -> str:
    return column.zh if is_chinese() else column.en


FIELDS = tuple(column.field for column in COLUMNS)


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say about one cell. `header` is what the file calls its column."""

    field: str
    column: str
    header: str
    sentence: str


@dataclass(slots=True)
class SheetRow:
    number: int  # as the file counts
    ordinal: int  # 1 is the first line
    cells: dict[str, str]
    is_hidden: bool = False
    draft: LineDraft | None = None
    errors: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    def shown_cells(self) -> list[dict[str, str]]:
        """The cells to put right on the page, each with what is wrong with it."""
        wrong: dict[str, str] = {}
        for note in self.errors:
            wrong.setdefault(note.field, note.sentence)
        return [
            {
                "field": column.field,
                "label": label_of(column),
                "value": self.cells[column.field],
                "error": wrong.get(column.field, ""),
            }
            for column in COLUMNS
        ]


@dataclass(slots=True)
class Sheet:
    rows: list[SheetRow]
    titles: dict[str, str] = field(default_factory=dict)  # field → what the file calls it
    letters: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)  # columns that are not imported
    name: str = ""
    header_row: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)
    other_sheets: list[str] = field(default_factory=list)
    is_form: bool = False

    @property
    def good(self) -> list[SheetRow]:
        return [row for row in self.rows if row.draft is not None]

    @property
    def bad(self) -> list[SheetRow]:
        return [row for row in self.rows if row.draft is None]

    @property
    def hidden(self) -> list[SheetRow]:
        return [row for row in self.rows if row.is_hidden]

    @property
    def hidden_numbers(self) -> str:
        return ", ".join(str(row.number) for row in self.hidden)

    @property
    def has_remarks(self) -> bool:
        return bool(self.hidden or self.other_sheets or self.is_form) or any(
            row.warnings for row in self.good
        )

    def mapping(self) -> list[dict[str, str]]:
        return [
            {
                "letter": self.letters[column.field],
                "title": self.titles[column.field],
                "label": label_of(column),
            }
            for column in COLUMNS
            if column.field in self.titles
        ]


def read_file(
    file: bytes | IO[bytes] | Sheets, register: Register, layout: Layout | None = None
) -> Sheet:
    """All rows of an uploaded sheet, good and bad; refuses only what is wrong with the whole file."""
    table = read_table(file, COLUMNS, layout=layout)
    if not table.rows:
        raise DomainError(_("The sheet holds no lines below its header."), code="spreadsheet.empty")
    if len(table.rows) > Requirement.MAX_LINES:
        raise DomainError(
            _("The sheet holds %(count)d lines; a requirement takes %(most)d. Split it.")
            % {"count": len(table.rows), "most": Requirement.MAX_LINES},
            code="requirement.too_many_lines",
        )
    return sheet_of(table, register)


def sheet_of(table: Table, register: Register) -> Sheet:
    sheet = Sheet(
        rows=[],
        titles=table.titles,
        letters={name: letters[0] for name, letters in table.letters.items()},
        ignored=table.unread,
        name=table.sheet,
        header_row=table.header_rows[-1] if table.header_rows else 0,
        skipped=[(row.row, row.text) for row in table.skipped],
        other_sheets=table.other_sheets,
        is_form=table.is_form,
    )
    stated = stated_in_header(table.titles.get("quantity", ""), register.units)
    places = table.places.get("text", [])
    sheet.rows = [_row_of(row, sheet, stated, register, places) for row in table.rows]
    _point_out_repeats(sheet, table)
    return sheet


def read_posted(data: MultiValueDict[str, str], register: Register) -> Sheet:
    """Rows as the page sent them back: those to be put right, or all that wait for a yes."""
    numbers = [int(n) for n in data.getlist("row") if re.fullmatch("[0-9]{1,9}", n)]
    rows = []
    for ordinal, number in enumerate(dict.fromkeys(numbers[: Requirement.MAX_LINES]), 1):
        cells = {name: data.get(f"row-{number}-{name}", "").strip() for name in FIELDS}
        row = SheetRow(number=number, ordinal=ordinal, cells=cells)
        _read(row, cells, Sheet(rows=[]), register)
        rows.append(row)
    return Sheet(rows=rows)


# --- One row ------------------------------------------------------------------------------------------

_SCALE = re.compile(r"^(?:亿|千万|百万|十万|万|千|百)")


@dataclass(frozen=True, slots=True)
class Stated:
    """What the header of the quantity says for all rows: "数量(万片/年)", "年用量"."""

    unit: str = ""
    scale: str = ""
    period: str = ""


def stated_in_header(title: str, units: Units) -> Stated:
    brackets = re.search(r"[（(\[【]\s*([^()（）\[\]【】]+?)\s*[)）\]】]", title)
    # "数量/吨": the unit stood in a row of its own.
    below = re.search(r"/\s*([^/()（）]{1,8})$", title)
    unit = brackets[1] if brackets else below[1] if below else ""
    unit = unit.removeprefix("单位").lstrip(":：").strip()
    try:
        known = parse_unit(unit, units)
    except DomainError:
        unit, known = "", parse_unit("", units)
    scale = _SCALE.match(unit) if known.factor != 1 else None
    word = title.lower()
    period = ""
    if word.startswith("年") or re.search(r"annual|annum|yearly|per year|p\.a\.|\beau\b", word):
        period = Period.YEAR
    elif word.startswith("月") or re.search("monthly|per month", word):
        period = Period.MONTH
    return Stated(unit if known.code else "", scale[0] if scale else "", period)


def _row_of(
    row: Row, sheet: Sheet, stated: Stated, register: Register, places: Sequence[int]
) -> SheetRow:
    raw: dict[str, Any] = {name: row.values.get(name) for name in FIELDS}
    if raw["quantity"] is None and re.search(
        r"\d|^[一二两三四五六七八九十]+(?!次)", str(raw["unit"] or "")
    ):
        # One column for both: "数量/单位" over "12台".
        raw["quantity"], raw["unit"] = raw["unit"], None
    has_quantity = raw["quantity"] is not None
    if has_quantity and not raw["unit"] and stated.unit:
        raw["unit"] = stated.unit
    elif has_quantity and stated.scale and not names_scale(raw["quantity"]):
        raw["quantity"] = f"{shown(raw['quantity'])}{stated.scale}"
    if has_quantity and not raw["period"] and stated.period:
        raw["period"] = stated.period
    read = SheetRow(
        number=row.number,
        ordinal=row.ordinal,
        cells={name: shown(value) for name, value in raw.items()},
        is_hidden=row.is_hidden,
    )
    # A required cell that is empty comes as the reader's error; here it gets the sentence of the page.
    is_empty = not any(row.cells.get(at) for at in places)
    said = {e.field: e.sentence for e in row.errors if e.field != "text" or not is_empty}
    _read(read, raw, sheet, register, cell_errors=said)
    return read


_BESIDE = {"quantity": "unit", "unit": "quantity"}


class _Say(Protocol):
    def __call__(self, name: str, sentence: str, *, is_error: bool = True) -> None: ...


def _read(
    row: SheetRow,
    raw: Mapping[str, Any],
    sheet: Sheet,
    register: Register,
    cell_errors: Mapping[str, str] | None = None,
) -> None:
    """Everything that is wrong with the row is said at once; only a row without errors becomes a line."""

    def say(name: str, sentence: str, *, is_error: bool = True) -> None:
        # One column may hold both.
        at = name if name in sheet.letters else _BESIDE.get(name, name)
        note = Note(name, sheet.letters.get(at, ""), sheet.titles.get(at, ""), sentence)
        (row.errors if is_error else row.warnings).append(note)

    for name, sentence in (cell_errors or {}).items():
        say(name, sentence)
    text, specification = _texts(raw, say, has_said="text" in (cell_errors or {}))
    amount = _amount(raw, register, say)
    period = _period(raw["period"], say)
    day = _day(raw["needed_by_on"], say)
    category = _category(
        str(raw["category"] or ""), f"{text} {specification}".strip(), register, say
    )
    if row.errors:
        return
    row.draft = LineDraft(
        text=text,
        specification=specification,
        category=category,
        quantity=amount.value,
        unit=register.unit(amount.unit),
        period=amount.period or period or Period.ONCE,
        needed_by_on=day,
    )


def _texts(raw: Mapping[str, Any], say: _Say, *, has_said: bool) -> tuple[str, str]:
    text = " ".join(str(raw["text"] or "").split())
    if not text and not has_said:
        say("text", _("The product name is missing."))
    elif len(text) > 500:
        say(
            "text",
            _("The product name is longer than 500 characters. Move details to the specification."),
        )
    specification = str(raw["specification"] or "").strip()
    if len(specification) > 1000:
        say("specification", _("The specification is longer than 1,000 characters. Shorten it."))
    return text, specification


def _category(typed: str, text: str, register: Register, say: _Say) -> Category | None:
    category = register.category(typed) if typed else None
    if typed and category is None:
        said = _("“%(text)s” is no category of the list.") % {"text": typed}
        say("category", f"{said}{gap()}{proposal(text)}", is_error=False)
    return category


def proposal(text: str) -> str:
    """What a text that nobody has given a category of the list speaks of; the draft lets one tick it."""
    names = [localised(row) for row in search.fitting_categories(text, 3)]
    if not names:
        return _("No category fits its text. Leave it: the text is compared as well.")
    return _("Proposed for its text: %(names)s. Tick what fits in the draft.") % {
        "names": ("、" if is_chinese() else ", ").join(names)
    }


def gap() -> str:
    """Between two sentences: none in Chinese."""
    return "" if is_chinese() else " "


def _amount(raw: Mapping[str, Any], register: Register, say: _Say) -> Amount:
    try:
        amount = parse_quantity(raw["quantity"], register.units, unit=raw["unit"])
    except DomainError as refused:
        # The unit may stand in the cell of the figure.
        is_units = refused.code in _UNIT_FAULTS and _is_odd_unit(raw["unit"], register)
        say("unit" if is_units else "quantity", str(refused))
        return Amount(None)
    if amount.warning:
        say("quantity", amount.warning, is_error=False)
    if amount.value is not None and amount.unit is None:
        say(
            "unit",
            _("No unit is stated. The line is kept; choose the unit before you submit."),
            is_error=False,
        )
    return amount


def _is_odd_unit(raw: Any, register: Register) -> bool:
    try:
        parse_unit(raw, register.units)
    except DomainError:
        return True
    return False


_UNIT_FAULTS = frozenset(("quantity.unit", "quantity.period"))


def _period(raw: Any, say: _Say) -> str:
    if not raw:
        return ""
    if raw in Period.values:
        return str(raw)
    try:
        found = parse_unit(raw, Units([])).period
    except DomainError:
        found = None
    if found is None:
        say("period", _("“%(text)s” is no period. Enter once, a month or a year.") % {"text": raw})
    return found or ""


def _day(raw: Any, say: _Say) -> datetime.date | None:
    try:
        day = parse_date(raw)
    except DomainError as refused:
        say("needed_by_on", str(refused))
        return None
    if day.warning:
        say("needed_by_on", day.warning, is_error=False)
    return day.value


def shown(value: Any) -> str:
    """A cell as the page and the download show it."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


def _point_out_repeats(sheet: Sheet, table: Table) -> None:
    by_number = {row.number: row for row in sheet.rows}
    for row, first in duplicates(table.rows, lambda row: _key_of_row(by_number[row.number])):
        note = _("Same text and specification as line %(number)d: kept.") % {
            "number": first.ordinal
        }
        by_number[row.number].warnings.append(
            Note("text", sheet.letters.get("text", ""), sheet.titles.get("text", ""), note)
        )


def _key_of_row(row: SheetRow) -> tuple[str, str] | None:
    return key(row.draft.text, row.draft.specification) if row.draft else None


# --- Into a draft that has lines already --------------------------------------------------------------


def key(text: str, specification: str) -> tuple[str, str]:
    return fold(text), fold(specification)


@dataclass(slots=True)
class Merge:
    """What an upload does to a draft: lines that stay, change and come. `lines` is the whole new list."""

    lines: list[LineDraft]
    same: int = 0
    changed: list[LineDraft] = field(default_factory=list)
    added: list[LineDraft] = field(default_factory=list)


def merge(stored: Sequence[RequirementLine], fresh: Iterable[LineDraft]) -> Merge:
    """The same sheet twice changes nothing: a row finds its line by text and specification, else by text alone
    where that is plain; what it leaves empty stays."""
    result = Merge([_draft_of(line) for line in stored])
    free = dict(enumerate(result.lines))
    left: list[LineDraft] = []
    for draft in fresh:
        at = next((n for n, old in free.items() if _key(old) == _key(draft)), None)
        if at is None:
            left.append(draft)
        else:
            _replace(result, at, free.pop(at), draft)
    for draft in left:
        like = [n for n, old in free.items() if fold(old.text) == fold(draft.text)]
        alone = sum(fold(other.text) == fold(draft.text) for other in left) == 1
        if len(like) == 1 and alone:
            _replace(result, like[0], free.pop(like[0]), draft)
        else:
            result.lines.append(draft)
            result.added.append(draft)
    return result


def _key(draft: LineDraft) -> tuple[str, str]:
    return key(draft.text, draft.specification)


def _draft_of(line: RequirementLine) -> LineDraft:
    return LineDraft(
        public_id=line.public_id,
        text=line.text,
        language=line.language,
        category=line.category,
        segment=line.segment,
        quantity=line.quantity,
        unit=line.unit,
        period=line.period,
        needed_by_on=line.needed_by_on,
        specification=line.specification,
    )


def _replace(result: Merge, at: int, old: LineDraft, new: LineDraft) -> None:
    joined = dataclasses.replace(
        new,
        public_id=old.public_id,
        category=new.category or old.category,
        segment=new.segment or old.segment,
        quantity=new.quantity if new.quantity is not None else old.quantity,
        unit=new.unit or old.unit,
        period=new.period if new.quantity is not None else old.period,
        needed_by_on=new.needed_by_on or old.needed_by_on,
        specification=new.specification or old.specification,
    )
    result.lines[at] = joined
    if dataclasses.replace(joined, language="", conditions=None) == dataclasses.replace(
        old, language="", conditions=None
    ):
        result.same += 1
    else:
        result.changed.append(joined)
