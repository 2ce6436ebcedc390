"""Lists as people keep them: what their columns are called, and what one row of them says."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from chains import identity
from chains.errors import DomainError
from chains.forms import requirement_sheet
from chains.forms.requirement_sheet import Stated, shown, stated_in_header
from chains.forms.requirements import Register
from chains.models import (
    Capability,
    Category,
    Import,
    ParticipantKind,
    Region,
    User,
)
from chains.quantities import Amount, Units, parse_date, parse_quantity, parse_unit
from chains.searchtext import CHINESE, fold, language_of
from chains.services.imports import CapabilityDraft, EnterpriseDraft, Person, ReadRow
from chains.spreadsheets import Column, Layout, Proposal, Row, RowError, Sheets, Table, read_table

ENTERPRISES = (
    Column(
        "number",
        "统一社会信用代码",
        "Social credit code",
        aliases=(
            "信用代码", "社会信用代码", "统一代码", "机构代码", "组织机构代码", "企业代码", "营业执照号", "营业执照号码", "注册号", "工商注册号",
            "税号", "纳税人识别号", "uscc", "unified social credit code", "credit code", "registration number", "registration no.", "reg. no.", "company number", "business registration number", "code", "tax id",
        ),
        kind="code",
        example="91330421MA2H06LY4R",
        note="Format the column as text, or its last digits are lost. 请将该列设为文本格式。",
        shape=re.compile(r"^\s*[0-9A-Za-z]{2}\d{6}[0-9A-Za-z]{10}\s*$"),
    ),
    Column(
        "name",
        "企业名称",
        "Name",
        aliases=(
            "名称", "单位名称", "公司名称", "公司", "企业", "单位", "企业全称", "公司全称", "单位全称", "全称", "参会单位", "参会企业", "供应商", "供应商名称",
            "供应商全称", "供货商", "供方", "供方名称", "厂家", "厂商", "厂家名称", "生产厂家", "生产企业", "制造商", "客商名称", "机构名称", "会员单位", "企业名",
            "company", "company name", "enterprise", "enterprise name", "organisation", "organization", "legal name", "supplier", "supplier name",
            "vendor", "vendor name", "manufacturer", "member",
        ),
        required=True,
        fill_down=True,
        example="示例青禾光伏材料有限公司",
        note="As on the licence; a former name behind it in brackets. 与营业执照一致，原名可写在括号内。",
        shape=re.compile(r"(?:公司|集团|厂|合作社|研究院|研究所|大学|学院|银行|协会|商会)(?:\(.*\))?$|\b(?:ltd|limited|inc|gmbh|llc|corp|co)\.?$", re.IGNORECASE),
    ),
    Column(
        "name_en",
        "英文名称",
        "English name",
        aliases=("英文名", "企业英文名称", "公司英文名称", "单位英文名称", "外文名称", "name in english", "company name (english)", "name (en)"),
        example="Demo Qinghe PV Materials Co., Ltd.",
    ),
    Column(
        "former",
        "曾用名",
        "Former name",
        aliases=("原名", "原名称", "企业曾用名", "前称", "former names", "previous name", "formerly"),
    ),
    Column(
        "kind",
        "单位类型",
        "Kind of body",
        aliases=("类型", "企业类型", "机构类型", "主体类型", "单位性质", "参会类型", "kind", "type of body", "organisation type", "participant type"),
        note="Enterprise if empty. 不填即为企业。",
    ),
    Column(
        "region",
        "所在地区",
        "Region",
        aliases=(
            "地区", "区域", "所在地", "所在县(市、区)", "所在区县", "县市区", "县(市、区)", "区县", "所属地区", "所属区域", "所属县市区", "属地", "行政区划", "行政区划代码",
            "所在市", "城市", "所在城市", "市县", "所属县(市、区)", "所属区县", "所属县", "所在县市区", "所属市", "所属地", "县区", "区域(县市区)", "town", "region/city", "注册地", "county", "city", "district", "location", "region code", "place",
        ),
        example="海盐县",
        note="County, district or city; by name or code. 县、区或市，可写名称或代码。",
    ),
    Column(
        "address",
        "地址",
        "Address",
        aliases=("企业地址", "公司地址", "单位地址", "注册地址", "详细地址", "通讯地址", "联系地址", "经营地址", "street", "registered address", "postal address"),
    ),
    Column(
        "summary",
        "主要产品",
        "Main products",
        aliases=(
            "主营产品", "主导产品", "产品", "主要产品(服务)", "主要产品或服务", "主营业务", "经营范围", "业务范围", "供应产品", "供货产品", "供货范围", "可供产品", "配套产品",
            "产品及服务", "主要产品及服务", "能力", "供应能力", "企业简介", "公司简介", "简介", "products", "product", "business", "scope", "summary", "about",
            "profile", "capabilities", "products and services", "supplies", "what they make",
        ),
        example="光伏边框、支架铝型材",
    ),
    Column(
        "website",
        "网址",
        "Website",
        aliases=("网站", "官网", "公司网站", "企业网址", "url", "web", "homepage"),
        shape=re.compile(r"^(?:https?://|www\.)", re.IGNORECASE),
    ),
    Column(
        "person",
        "联系人",
        "Contact person",
        aliases=(
            "姓名", "联系人姓名", "负责人", "负责人姓名", "企业联系人", "法定代表人", "法人", "法人代表", "参会人", "参会人员", "业务联系人", "对接人",
            "contact", "contact name", "person", "representative", "attn",
        ),
        many=True,
    ),
    Column(
        "job_title",
        "职务",
        "Job title",
        aliases=("联系人职务", "职位", "岗位", "position", "job", "title", "role"),
        many=True,
    ),
    Column(
        "phone",
        "电话",
        "Phone",
        aliases=(
            "手机", "手机号", "手机号码", "联系电话", "联系手机", "联系方式", "联系人电话", "联系人手机", "电话号码", "固定电话", "办公电话", "座机", "负责人手机", "负责人电话",
            "mobile", "mobile phone", "telephone", "tel", "phone number", "cell", "contact number",
        ),
        many=True,
        shape=re.compile(r"^\D*(?:1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|\+\d[\d\s-]{7,})\D*$"),
    ),
    Column(
        "email",
        "邮箱",
        "E-mail",
        aliases=("电子邮箱", "电子邮件", "邮件", "联系邮箱", "邮箱地址", "email", "mail", "e-mail address", "email address"),
        many=True,
        shape=re.compile(r"^\S+@\S+\.\S+$"),
    ),
)  # fmt: skip

CAPABILITIES = (
    Column(
        "title",
        "产品名称",
        "Title",
        aliases=(
            "名称", "产品", "能力名称", "供应能力", "品名", "产品(服务)名称", "服务名称", "主要产品", "主导产品", "技术名称", "成果名称", "产品/服务", "可供产品",
            "product", "product name", "capability", "item", "name", "service", "technology", "what",
        ),
        required=True,
        example="1500 V 分体接线盒",
        note="One product or service a row. 每行一项产品或服务。",
    ),
    Column(
        "title_en",
        "英文名称",
        "English title",
        aliases=("产品英文名称", "英文名", "name in english", "title in english", "product name (english)"),
    ),
    Column(
        "text",
        "说明",
        "Description",
        aliases=(
            "产品说明", "产品描述", "描述", "介绍", "产品介绍", "详细说明", "技术参数", "参数", "规格", "规格型号", "规格参数", "技术指标", "性能", "性能指标", "特点",
            "text", "details", "specification", "specs", "parameters", "about",
        ),
        example="三分体灌封，25 A，IP68，适配 182 与 210 组件",
    ),
    Column(
        "categories",
        "品类",
        "Category",
        aliases=("产品类别", "类别", "分类", "产品分类", "所属品类", "品类代码", "所属行业", "category code", "categories", "product category", "class"),
        example="接线盒",
        note="Up to five names or codes. 至多五个，可写名称或代码。",
    ),
    Column(
        "capacity",
        "年产能",
        "Yearly capacity",
        aliases=(
            "产能", "年产量", "产量", "月产能", "月产量", "生产能力", "年生产能力", "年供货能力", "供货能力", "供应量", "设计产能", "capacity", "annual capacity",
            "monthly capacity", "output", "production capacity", "capacity per year",
        ),
        kind="value",
        fill_down=False,
        example="90万",
    ),
    Column(
        "unit",
        "单位",
        "Unit",
        aliases=("产能单位", "计量单位", "uom", "units", "unit of measure"),
        example="套",
    ),
    Column("period", "周期", "Period", aliases=("产能周期", "per", "frequency")),
    Column(
        "lead_time_days",
        "交货期(天)",
        "Delivery, days",
        aliases=("交货期", "交期", "交货周期", "供货周期", "交付周期", "生产周期", "lead time", "delivery", "delivery time", "lead time days"),
        kind="value",
        example="30",
    ),
    Column(
        "sample_days",
        "送样(天)",
        "Samples, days",
        aliases=("送样", "送样周期", "打样周期", "样品周期", "样品交期", "sample", "samples", "sample time", "sample lead time"),
        kind="value",
    ),
    Column("is_new", "是否新产品", "New product", aliases=("新产品", "新品", "是否新品", "new")),
    Column(
        "valid_until_on",
        "有效期至",
        "Valid until",
        aliases=("有效期", "截止日期", "有效日期", "expires", "expiry", "expiry date"),
        kind="value",
    ),
)  # fmt: skip

_COLUMNS = {
    Import.Kind.ENTERPRISES: ENTERPRISES,
    Import.Kind.CAPABILITIES: CAPABILITIES,
    Import.Kind.LINES: requirement_sheet.COLUMNS,
}


def columns_of(kind: str) -> tuple[Column, ...]:
    return _COLUMNS[Import.Kind(kind)]


def faults_of(kind: str, fields: Mapping[int, str]) -> list[str]:
    """What is wrong with a choice of columns, by their place in the file."""
    taken = list(fields.values())
    known = columns_of(kind)
    faults = [
        _("“%(field)s” is chosen for several columns. Leave one of them.")
        % {"field": requirement_sheet.label_of(column)}
        for column in known
        if taken.count(column.field) > 1 and not column.many
    ]
    return faults + [
        _("Choose the column that holds “%(field)s”.")
        % {"field": requirement_sheet.label_of(column)}
        for column in known
        if column.required and column.field not in taken
    ]


def words_of(proposal: Proposal, layout: Layout) -> dict[str, Any]:
    """What the file calls its columns, and what is remembered of the choice."""
    named = [one for one in proposal.columns if one.title != one.letter]
    return {
        "heads": {one.place: one.title for one in proposal.columns},
        "chosen": {one.key: layout.fields.get(one.place, "") for one in named},
    }


def read_rows(
    kind: str, file: bytes | Sheets, layout: Layout, by: User, *, limit: int | None = None
) -> tuple[Table, list[ReadRow]]:
    """The rows of the file, good and bad, in their order. Refuses only what is wrong with the whole file."""
    table = read_table(file, columns_of(kind), layout=layout, limit=limit)
    if kind == Import.Kind.LINES:
        return table, _lines(table)
    reader: _Reader = (
        _EnterpriseRows(table, by) if kind == Import.Kind.ENTERPRISES else _CapabilityRows(table)
    )
    rows = [_read(row, table, reader) for row in table.rows]
    reader.compare(rows)
    return table, rows


def _lines(table: Table) -> list[ReadRow]:
    """A look at lines; they become a draft on the page of the requirement."""
    cells = {row.number: row.cells for row in table.rows}
    return [
        ReadRow(
            row.number,
            row.draft,
            {str(place): text for place, text in cells[row.number].items()},
            [
                {"column": note.column, "header": note.header, "sentence": note.sentence}
                for note in (*row.errors, *row.warnings)
            ],
        )
        for row in requirement_sheet.sheet_of(table, Register()).rows
    ]


class _Reader(Protocol):
    def draft(self, row: Row, say: _Say) -> EnterpriseDraft | CapabilityDraft: ...

    def compare(self, rows: Sequence[ReadRow]) -> None: ...


@dataclass(slots=True)
class _Say:
    """What there is to say about a row, cell by cell."""

    table: Table
    notes: list[dict[str, str]] = field(default_factory=list)
    has_errors: bool = False

    def error(self, name: str, sentence: str) -> None:
        self._say(name, sentence)
        self.has_errors = True

    def warn(self, name: str, sentence: str) -> None:
        self._say(name, sentence)

    def known(self, found: RowError) -> None:
        self.notes.append(
            {"column": found.column, "header": found.header, "sentence": found.sentence}
        )

    def _say(self, name: str, sentence: str) -> None:
        letters = self.table.letters.get(name, [""])
        header = self.table.titles.get(name, "")
        self.notes.append({"column": letters[0], "header": header, "sentence": sentence})


def _read(row: Row, table: Table, reader: _Reader) -> ReadRow:
    say = _Say(table)
    for found in (*row.errors, *row.warnings):
        say.known(found)
    draft = reader.draft(row, say)
    is_good = not row.errors and not say.has_errors
    cells = {str(place): text for place, text in row.cells.items()}
    return ReadRow(row.number, draft if is_good else None, cells, say.notes)


def _words(text: Any, most: int) -> str:
    return " ".join(str(text or "").split())[:most]


# --- Enterprises --------------------------------------------------------------------------------------

_LENGTHS = {"name_en": 200, "address": 300, "summary": 2000}
# Names that say what sort of body it is, where no column does.
_KINDS_BY_NAME = (
    (re.compile(r"(?:大学|学院|\buniversity|\bcollege)$", re.IGNORECASE), "university"),
    (re.compile(r"(?:研究院|研究所|实验室|\binstitute)$", re.IGNORECASE), "research_institute"),
    (re.compile(r"银行(?:股份有限公司)?(?:.{2,8}(?:支行|分行))?$"), "financial_institution"),
    (re.compile(r"(?:协会|商会|联合会|\bassociation)$", re.IGNORECASE), "association"),
    (re.compile(r"(?:局|厅|委员会|管委会|人民政府)$"), "government"),
)


@dataclass
class _EnterpriseRows:
    table: Table
    by: User
    people: _People = field(init=False)
    regions: _Regions = field(init=False)

    def __post_init__(self) -> None:
        self.people = _People(self.table)
        self.regions = _Regions(self.by)

    def draft(self, row: Row, say: _Say) -> EnterpriseDraft:
        values = row.values
        name = identity.split_former(_words(values.get("name"), 400))
        if not identity.normalise_name(name.name) and values.get("name"):
            say.error("name", _("This is no name of an enterprise."))
        elif len(name.name) > 200:
            say.error("name", _("The name is longer than 200 characters."))
        former = [_words(text, 200) for text in name.former]
        former += [t for t in re.split(r"[、;；,，/\n]", values.get("former") or "") if t.strip()]
        number, is_odd = self._number(values.get("number"), say)
        return EnterpriseDraft(
            name=name.name,
            number=number,
            number_confirmed=is_odd,
            former=[_words(text, 200) for text in former],
            region=self.regions.of(values.get("region"), number, say),
            kind=self._kind(values.get("kind"), name.name, say),
            people=self.people.of(row, say),
            profile=self._profile(values, say),
        )

    def _number(self, raw: str | None, say: _Say) -> tuple[str | None, bool]:
        """As written when it is odd: the register asks about it, it refuses no body for it."""
        if not raw:
            return None, False
        verdict = identity.check_number("uscc", raw)
        if len(verdict.number) > 40:
            say.error("number", _("A number has at most 40 characters."))
        elif verdict.verdict != "valid" and verdict.sentence:
            say.warn("number", verdict.sentence)
        return verdict.number or None, verdict.verdict != "valid"

    @cached_property
    def _kinds(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for kind in ParticipantKind.objects.filter(is_active=True):
            for word in (kind.code, kind.name_zh, kind.name_en):
                found[fold(word)] = kind.code
        return found

    def _kind(self, typed: str | None, name: str, say: _Say) -> str:
        if typed:
            kind = self._kinds.get(fold(typed))
            if kind is None and not self._by_name(typed):
                say.warn(
                    "kind",
                    _("“%(text)s” is no kind of body: taken for an enterprise.") % {"text": typed},
                )
            return kind or self._by_name(typed)
        return self._by_name(name)

    def _by_name(self, name: str) -> str:
        return next((kind for words, kind in _KINDS_BY_NAME if words.search(name)), "")

    def _profile(self, values: Mapping[str, Any], say: _Say) -> dict[str, str]:
        profile: dict[str, str] = {}
        for name, most in _LENGTHS.items():
            text = str(values.get(name) or "").strip()
            if len(text) > most:
                say.warn(
                    name,
                    _("Longer than %(most)d characters: the rest was cut off.") % {"most": most},
                )
            if text:
                profile[name] = text[:most]
        site = str(values.get("website") or "").strip()
        if site:
            site = site if "://" in site else f"https://{site}"
            if re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(?:/\S*)?", site) and len(site) <= 200:
                profile["website"] = site
            else:
                say.warn(
                    "website",
                    _("“%(text)s” is no address of a website: left out.") % {"text": site},
                )
        if "summary" in profile:
            profile["summary_language"] = language_of(profile["summary"])
        return profile

    def compare(self, rows: Sequence[ReadRow]) -> None:
        """One number twice, one e-mail for two bodies: both rows are named."""
        first: dict[str, ReadRow] = {}
        mails: dict[str, tuple[int, str]] = {}
        for row in rows:
            draft = row.draft
            if not isinstance(draft, EnterpriseDraft):
                continue
            if draft.number and draft.number in first:
                self._again(row, draft, first[draft.number])
                continue
            if draft.number:
                first[draft.number] = row
            for person in draft.people:
                mail = person.email.lower()
                number, name = mails.setdefault(mail, (row.number, draft.name))
                if mail and number != row.number and name != draft.name:
                    row.note(
                        _("Rows %(first)d and %(row)d name the same e-mail address.")
                        % {"first": number, "row": row.number}
                    )

    def _again(self, row: ReadRow, draft: EnterpriseDraft, first: ReadRow) -> None:
        """A list of persons has a row for each of them: one body, several people. Another name is a question."""
        above = first.draft
        if isinstance(above, EnterpriseDraft) and (
            identity.normalise_name(above.name) == identity.normalise_name(draft.name)
        ):
            above.people += draft.people
            draft.people = []
        else:
            self._repeated(row, first.number)

    def _repeated(self, row: ReadRow, first: int) -> None:
        letters = self.table.letters.get("number", [""])
        sentence = _(
            "The same code stands in row %(first)d. Which of rows %(first)d and %(row)d is right?"
        )
        row.notes.insert(
            0,
            {
                "column": letters[0],
                "header": self.table.titles.get("number", ""),
                "sentence": sentence % {"first": first, "row": row.number},
            },
        )
        row.draft = None


_PHONE = re.compile(r"[+(]?\d[\d\-() ]{5,}\d")


class _People:
    """Who belongs to which telephone: columns under one heading, else the name to the left of it."""

    def __init__(self, table: Table) -> None:
        self.names = table.places.get("person", [])
        self.owner: dict[
            int, int
        ] = {}  # a column of the person → the column of the name; -1: nobody is named
        self.fields: dict[int, str] = {}
        self._has_said = False
        for name in ("phone", "email", "job_title"):
            for place in table.places.get(name, []):
                self.fields[place] = name
                self.owner[place] = self._owner(place, table.heads)

    def _owner(self, place: int, heads: Mapping[int, str]) -> int:
        group = heads.get(place, "").rpartition("/")[0]
        same = [n for n in self.names if group and heads.get(n, "").rpartition("/")[0] == group]
        left = [n for n in self.names if n < place]
        right = [n for n in self.names if n > place]
        return next(iter(same), left[-1] if left else right[0] if right else -1)

    def of(self, row: Row, say: _Say) -> list[Person]:
        people = {place: self._named(row.cells.get(place, "")) for place in self.names}
        for place, name in self.fields.items():
            text = row.cells.get(place, "")
            if text:
                person = people.setdefault(self.owner[place], Person(""))
                self._reach(person, name, text, say)
        reachable = [one for one in people.values() if one.phone or one.email]
        self._say_who_is_left_out([one for one in people.values() if one not in reachable], say)
        for one in reachable:
            one.name, one.job_title = one.name[:80], one.job_title[:80]
        return reachable

    def _say_who_is_left_out(self, people: Sequence[Person], say: _Say) -> None:
        """A contact is a way to reach somebody. A list that knows no way at all says so once."""
        names = [one.name for one in people if one.name]
        if not names:
            return
        if {"phone", "email"} & {*self.fields.values()}:
            say.warn(
                "person",
                _("“%(name)s” has no telephone and no e-mail: not kept as a contact.")
                % {"name": " / ".join(names)},
            )
        elif not self._has_said:
            self._has_said = True
            say.warn(
                "person",
                _(
                    "The list has no telephones and no e-mails: the persons it names are not kept as contacts."
                ),
            )

    def _named(self, text: str) -> Person:
        """A telephone often stands behind the name in one cell."""
        folded = unicodedata.normalize("NFKC", text)
        name = _PHONE.sub(" ", folded)
        phones = identity.phones_of(folded) if name != folded else []
        return Person(_words(name.strip(" ,;:/、"), 80), _joined(phones))

    def _reach(self, person: Person, name: str, text: str, say: _Say) -> None:
        if name == "phone":
            numbers = identity.phones_of(text)
            if not numbers:
                say.warn(
                    "phone", _("“%(text)s” is no telephone number: left out.") % {"text": text}
                )
            person.phone = _joined([*filter(None, person.phone.split(" / ")), *numbers])
        elif name == "email":
            person.email = person.email or self._mail(text, say)
        else:
            person.job_title = person.job_title or _words(text, 80)

    def _mail(self, text: str, say: _Say) -> str:
        mail = unicodedata.normalize("NFKC", re.split(r"[;；,，、\s]", text.strip())[0])
        try:
            validate_email(mail)
        except ValidationError:
            say.warn("email", _("“%(text)s” is no e-mail address: left out.") % {"text": text})
            return ""
        return mail


def _joined(phones: Sequence[str]) -> str:
    """As many as the field takes, each once."""
    text = ""
    for phone in dict.fromkeys(phones):
        longer = f"{text} / {phone}" if text else phone
        text = longer if len(longer) <= 40 else text
    return text


_SUFFIX = re.compile(r"(?:特别行政区|自治区|自治州|自治县|地区|省|市|县|区|盟|旗)$")
_SUFFIX_EN = re.compile(
    r" (?:county|city|district|province|prefecture|municipality|banner|league)$"
)
_BETWEEN = re.compile(r"[\s/\\\-—–·,，、|>]+")


class _Regions:
    """Regions by what people write: a name, a chain of names, a code; the number says where nothing does."""

    def __init__(self, by: User) -> None:
        self.scope = by.organiser_regions
        self.by_word: dict[str, list[Region]] = {}
        self.by_code: dict[str, Region] = {}
        self.words: dict[str, set[str]] = {}  # code → its names
        for region in Region.objects.filter(is_active=True).exclude(level=Region.Level.COUNTRY):
            self.by_code[region.code] = region
            short = _SUFFIX.sub("", region.name_zh)
            names = {
                region.name_zh,
                region.name_en.lower(),
                _SUFFIX_EN.sub("", region.name_en.lower()),
                short if len(short) > 1 else region.name_zh,
            }
            self.words[region.code] = names
            for name in names:
                self.by_word.setdefault(name, []).append(region)

    def of(self, typed: Any, number: str | None, say: _Say) -> Region | None:
        by_number = self.by_code.get(identity.region_code_of(number) or "")
        text = unicodedata.normalize("NFKC", str(typed or ""))
        text = _BETWEEN.sub("" if CHINESE.search(text) else " ", text).strip()
        if text:
            found = self._written(text, by_number)
            if found is not None:
                return found
            say.warn("region", self._doubt(text, by_number))
        if by_number is not None:
            return by_number
        return self.scope[0] if self.scope else None

    def _doubt(self, text: str, by_number: Region | None) -> str:
        instead = by_number or (self.scope[0] if self.scope else None)
        known = len(self._tail(text)) > 1
        words = {"text": text, "region": instead.name_zh if instead else ""}
        if known:
            return (
                _(
                    "“%(text)s” is the name of several regions; %(region)s is taken until somebody says which."
                )
                % words
            )
        return (
            _("“%(text)s” is no region of the list; %(region)s is taken until somebody says which.")
            % words
        )

    def _written(self, text: str, by_number: Region | None) -> Region | None:
        if text in self.by_code:
            return self.by_code[text]
        found = self._tail(text) or self._tail(text.lower())
        if len(found) > 1:
            found = self._named_above(found, text) or found
        for narrower in (self.scope, [by_number] if by_number else []):
            inside = [one for one in found if any(region.contains(one) for region in narrower)]
            found = inside if len(found) > 1 and inside else found
        return found[0] if len(found) == 1 else None

    def _tail(self, text: str) -> list[Region]:
        """Those that the end of the text names, by its longest piece. "Jiashan" does not end in "Shan"."""
        pieces = (
            text[at:]
            for at in range(len(text))
            if not (text[at].isascii() and text[at].isalpha()) or not text[at - 1 : at].isalpha()
        )
        return next((self.by_word[piece] for piece in pieces if piece in self.by_word), [])

    def _named_above(self, found: Sequence[Region], text: str) -> list[Region]:
        """Those whose city or province stands in the text too. A city and its county of one name: the city."""

        def said(region: Region) -> int:
            above = region.codes[1:-1]
            return sum(any(word in text for word in self.words.get(code, ())) for code in above)

        most = max(map(said, found))
        best = [one for one in found if said(one) == most]
        top = [one for one in best if not any(o is not one and o.contains(one) for o in best)]
        return top if most or len(top) < len(best) else []


# --- Capabilities -------------------------------------------------------------------------------------

_TITLES = {"title_zh": 120, "title_en": 160, "text_zh": 2000, "text_en": 3000}
_DAYS = re.compile(
    r"^(?:约|<=|≤|小于)?\s*(\d+(?:\.\d+)?)\s*(?:[-~至到]\s*(\d+(?:\.\d+)?)\s*)?(个?工作日|天|日|周|星期|个?月|days?|weeks?|months?|d|w)?(?:内|以内)?$"
)
_DAYS_OF = {
    "周": 7,
    "星期": 7,
    "week": 7,
    "weeks": 7,
    "w": 7,
    "月": 30,
    "个月": 30,
    "month": 30,
    "months": 30,
}
_YES = frozenset(("是", "有", "y", "yes", "true", "1", "√", "✓", "新", "新品", "新产品", "new"))
_NO = frozenset(("否", "无", "不是", "n", "no", "false", "0", "×", "x", "-"))


@dataclass(slots=True)
class _CapabilityRows:
    table: Table
    register: Register = field(default_factory=Register)
    stated: Stated = field(init=False)

    def __post_init__(self) -> None:
        title = self.table.titles.get("capacity", "")
        self.stated = stated_in_header(title, self.register.units)

    def draft(self, row: Row, say: _Say) -> CapabilityDraft:
        values = row.values
        draft = CapabilityDraft(titles=self._titles(values, say))
        draft.categories = self._categories(values.get("categories"), say)
        amount = self._capacity(values, say)
        if amount is not None and amount.value is not None:
            draft.yearly_capacity = amount.value * (12 if amount.period == "month" else 1)
            draft.unit = self.register.unit(amount.unit)
        for name in ("lead_time_days", "sample_days"):
            draft.facts[name] = _days(values.get(name), name, say)
        draft.facts["is_new"] = _yes(values.get("is_new"), say)
        draft.facts["valid_until_on"] = _day(values.get("valid_until_on"), say)
        return draft

    def _titles(self, values: Mapping[str, Any], say: _Say) -> dict[str, str]:
        title, text = _words(values.get("title"), 1000), str(values.get("text") or "").strip()
        in_chinese = CHINESE.search(title) is not None
        texts = {"title_zh" if in_chinese else "title_en": title}
        if values.get("title_en"):
            texts["title_en"] = _words(values["title_en"], 1000)
        texts["text_zh" if CHINESE.search(text) else "text_en"] = text
        for name, value in texts.items():
            most = _TITLES[name]
            if len(value) > most:
                say.error(
                    "title" if name.startswith("title") else "text",
                    _("Longer than %(most)d characters. Shorten it.") % {"most": most},
                )
        return {name: value for name, value in texts.items() if value}

    def _categories(self, typed: str | None, say: _Say) -> list[Category]:
        found: list[Category] = []
        whole = self.register.category(typed) if typed else None
        words = re.split(r"[、;；,，/\n]", typed or "") if whole is None else []
        for word in filter(None, (word.strip() for word in words)):
            category = self.register.category(word)
            if category is None:
                say.warn(
                    "categories",
                    _("“%(text)s” is no category of the list: left out.") % {"text": word},
                )
            elif category not in found:
                found.append(category)
        if len(found) > Capability.MAX_CATEGORIES:
            say.warn("categories", _("More than five categories: the first five are kept."))
        return [whole] if whole else found[: Capability.MAX_CATEGORIES]

    def _capacity(self, values: Mapping[str, Any], say: _Say) -> Amount | None:
        figure, unit = values.get("capacity"), values.get("unit") or self.stated.unit
        if figure is None:
            return None
        if not unit and self.stated.scale:
            figure = f"{shown(figure)}{self.stated.scale}"
        try:
            amount = parse_quantity(figure, self.register.units, unit=unit)
            period = amount.period or self._period(values.get("period"))
        except DomainError as refused:
            say.error("capacity", str(refused))
            return None
        if amount.warning:
            say.warn("capacity", amount.warning)
        if amount.value is not None and amount.unit is None:
            say.error("unit", _("No unit is stated. Enter one, for example sets."))
        return Amount(amount.value, amount.unit, period, amount.warning)

    def _period(self, typed: str | None) -> Any:
        return parse_unit(typed, Units([])).period if typed else self.stated.period or None

    def compare(self, rows: Sequence[ReadRow]) -> None:
        """A title twice is said where it is kept: drafts of before count too."""
        del rows


def _days(raw: Any, name: str, say: _Say) -> int | None:
    if raw is None:
        return None
    found = _DAYS.match(unicodedata.normalize("NFKC", shown(raw)).strip().lower())
    if found is None:
        say.error(
            name,
            _("“%(text)s” is no number of days. Enter one, for example 30.") % {"text": shown(raw)},
        )
        return None
    unit = found[3] or ""
    days = Decimal(found[2] or found[1]) * _DAYS_OF.get(unit, 1)
    if days > 3650:
        say.error(name, _("More than ten years. Enter the days."))
        return None
    if found[2]:
        say.warn(name, _("“%(text)s”: the longer time is taken.") % {"text": shown(raw)})
    return int(days)


def _yes(raw: Any, say: _Say) -> bool | None:
    word = fold(shown(raw)).strip() if raw is not None else ""
    if not word or word in _NO:
        return None
    if word not in _YES:
        say.warn("is_new", _("“%(text)s” is neither yes nor no: left out.") % {"text": shown(raw)})
        return None
    return True


def _day(raw: Any, say: _Say) -> datetime.date | None:
    if isinstance(raw, str) and raw.strip() in ("长期", "长期有效", "永久"):
        return None
    try:
        day = parse_date(raw)
    except DomainError as refused:
        say.error("valid_until_on", str(refused))
        return None
    if day.warning:
        say.warn("valid_until_on", day.warning)
    return day.value


def pieces(rows: Sequence[ReadRow], size: int) -> Iterator[Sequence[ReadRow]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]
