"""What one row of a list of enterprises says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from chains import identity
from chains.forms.import_cells import Say, words
from chains.forms.import_countries import country_of
from chains.forms.import_regions import Regions
from chains.models import ParticipantKind, User
from chains.searchtext import CHINESE, fold, language_of
from chains.services.import_rows import EnterpriseDraft, Person, ReadRow
from chains.spreadsheets import Row, Table

# What forms ask for beside a name, copied along with it.
_SEAL = re.compile(r"\s*[（(](?:盖章|公章|签章|加盖公章|盖公章)[)）]\s*$")
_SEVERAL = re.compile(r"(?:公司|厂|集团)\s*[、;；/,，\s]\s*[^、;；/,，\s]{2,}(?:公司|厂|集团)$")
# Marks and numbers that lists put before a name or behind it.
_MARKS = re.compile(
    r"^(?:[★☆▲△●○◆◇■□※*＊#√✓]\s*|[（(【\[]?\d{1,4}[)）】\]、.．](?!\d)\s*|[①-⑳]\s*)+|[\s★☆▲△●○◆◇■□※*＊#√✓]+$"
)
# What a list says about the body behind its name: praise is no part of it; one that has ended is no participant.
_PRAISE = re.compile(
    r"\s*[（(【\[](?:[^（）()【】\[\]]*(?:专精特新|小巨人|链主|龙头|规上|上市|高新|新增|重点|会员)[^（）()【】\[\]]*)[）)】\]]\s*$"
)
_ENDED = re.compile(
    r"[（(【\[]\s*(?P<word>已?(?:注销|吊销|停产|倒闭|破产|关停|歇业)|(?:in liquidation|dissolved|insolvent))\s*[）)】\]]",
    re.IGNORECASE,
)
_NO_MORE = re.compile(
    r"^(?:已)?(?:注销|吊销|撤销|歇业|清算|停业|责令关闭)|\b(?:dissolved|liquidat|insolven|struck off|deregistered)",
    re.IGNORECASE,
)
# A name that the width of its cell broke in two.
_WRAPPED = re.compile(r"(?<=[\u3400-\u9fff])\n(?=[\u3400-\u9fff])")
_LATIN_FORM = re.compile(
    r"\b(?:ltd|limited|inc|llc|gmbh|corp|corporation|company|co)\.?$", re.IGNORECASE
)
_NO_NAMES = frozenset(
    ("待定", "待确认", "未定", "不详", "未知", "保密", "个人", "tbd", "tba", "unknown")
)
# Where an address is looked for: a cell may go on for pages.
_LONGEST_MAIL = 1000
_LENGTHS = {"name_en": 200, "address": 300, "summary": 2000}
# Names that say what sort of body it is, where no column does.
_KINDS_BY_NAME = (
    (re.compile(r"(?:大学|学院|\buniversity|\bcollege)$", re.IGNORECASE), "university"),
    (re.compile(r"(?:研究院|研究所|实验室|\binstitute)$", re.IGNORECASE), "research_institute"),
    (re.compile(r"银行(?:股份有限公司)?(?:.{2,8}(?:支行|分行))?$"), "financial_institution"),
    (re.compile(r"(?:协会|商会|联合会|\bassociation)$", re.IGNORECASE), "association"),
    (re.compile(r"(?:局|厅|委员会|管委会|人民政府)$"), "government"),
)

# What lists call the kinds.
_KIND_WORDS = {
    word: kind
    for kind, words in {
        "university": ("高校", "院校", "大专院校", "高职院校", "学校"),
        "research_institute": ("科研机构", "研究机构", "科研单位"),
        "financial_institution": ("投资机构", "银行", "基金", "保险", "担保", "融资机构", "investor", "bank"),
        "association": ("协会", "商会", "社会团体", "联盟", "社会组织"),
        "government": ("政府部门", "政府", "机关", "政府机构", "党政机关", "主管部门", "园区", "开发区", "authority"),
        "service_provider": ("服务机构", "中介机构", "检测机构", "第三方机构", "服务商", "service"),
        "enterprise": ("民营企业", "国有企业", "国企", "民企", "外资企业", "合资企业", "合作社", "个体工商户", "个体户", "company"),
    }.items()
    for word in words
}  # fmt: skip


def _unwrapped(name: Any) -> Any:
    if not isinstance(name, str):
        return name
    first, *rest = name.split("\n")
    # Where the first line is whole, the next is another's.
    return name if not rest or _WHOLE.search(first) else _WRAPPED.sub("", name)


_WHOLE = re.compile(r"(?:公司|集团|厂|合作社|研究院|研究所|大学|学院|银行|协会|商会)$")


@dataclass
class EnterpriseRows:
    table: Table
    by: User
    people: _People = field(init=False)
    regions: Regions = field(init=False)

    def __post_init__(self) -> None:
        self.people = _People(self.table)
        self.regions = Regions(self.by)

    def draft(self, row: Row, say: Say) -> EnterpriseDraft:
        values = row.values
        chinese, english = bare_name(words(_unwrapped(values.get("name")), 400))
        name = identity.split_former(chinese)
        if ended := _ENDED.search(name.name):
            say.error(
                "name",
                _(
                    "The name says “%(word)s”. Take the row out of the list, or the remark off the name."
                )
                % {"word": ended["word"]},
            )
        standing = words(values.get("standing"), 40)
        if _NO_MORE.search(standing):
            say.error("standing", _("“%(text)s”: the body is no more.") % {"text": standing})
        if values.get("name") and not self._is_name(name.name):
            say.error("name", _("This is no name of an enterprise."))
        elif _SEVERAL.search(name.name):
            say.error("name", _("Several names stand in one cell. Give each a row."))
        elif len(name.name) > 200:
            say.error("name", _("The name is longer than 200 characters."))
        former = [words(text, 200) for text in name.former]
        former += [t for t in re.split(r"[、;；,，/\n]", values.get("former") or "") if t.strip()]
        country = self._country(values, say)
        number, is_odd = self._number(values.get("number"), say, country)
        if (
            not country
            and not number
            and not values.get("region")
            and not CHINESE.search(name.name)
        ):
            say.warn("name", _("No country is stated: taken for one of China."))
        if country not in ("", "CN") and values.get("region") and values.get("country"):
            say.warn("region", _("Regions are those of China: left out."))
        return EnterpriseDraft(
            name=name.name,
            country=country,
            number=number,
            number_confirmed=is_odd,
            former=[words(text, 200) for text in former],
            region=self.regions.of(self._place(values), number, say)
            if country in ("", "CN")
            else None,
            kind=self._kind(values.get("kind"), name.name, say),
            people=self.people.of(row, say),
            profile=self._profile({**values, "name_en": values.get("name_en") or english}, say),
        )

    def _place(self, values: Mapping[str, Any]) -> str:
        """Province, city and county stand in one column or in three."""
        region = str(values.get("region") or "")
        return "".join([*(values.get("area") or ()), region]) if CHINESE.search(region) else region

    def _country(self, values: Mapping[str, Any], say: Say) -> str:
        """Two letters; "" where the list says nothing. Lists without a column for it write a country for a region."""
        typed = words(values.get("country"), 80)
        if not typed:
            place = words(values.get("region"), 80)
            is_foreign = len(place) > 2 and not self.regions.knows(place)
            found = country_of(place) or _country_behind(place) if is_foreign else None
            return found if found and found != "CN" else ""
        country = country_of(typed)
        if country is None:
            say.error(
                "country",
                _(
                    "“%(text)s” is no country. Enter its name in Chinese or English, or its two letters."
                )
                % {"text": typed},
            )
            return ""
        if (
            country != "CN"
            and identity.check_number("uscc", values.get("number")).verdict == "valid"
        ):
            say.warn(
                "country",
                _("The number is a Chinese one: taken for an enterprise registered in China."),
            )
            return "CN"
        return country

    def _is_name(self, name: str) -> bool:
        """Lists are divided by regions, and figures slip into the next column: neither is a body."""
        is_region = any(region.name_zh == name for region in self.regions.by_word.get(name, ()))
        has_letter = any(character.isalpha() for character in name)
        has_letter = has_letter and name.lower() not in _NO_NAMES
        # A code in the column of names: the two have been mixed up.
        has_letter = has_letter and not identity.CODES.fullmatch(name.upper())
        return has_letter and not is_region and bool(identity.normalise_name(name))

    def _number(self, raw: str | None, say: Say, country: str) -> tuple[str | None, bool]:
        """As written when it is odd: the register asks about it, it refuses no body for it."""
        if not raw:
            return None, False
        if not any(character.isdigit() for character in raw):
            say.warn("number", _("“%(text)s” is no number: left out.") % {"text": words(raw, 40)})
            return None, False
        codes = identity.CODES.findall(unicodedata.normalize("NFKC", raw).upper())
        if len(codes) == 1 and re.fullmatch(_OLD_AND_NEW, raw.strip(), re.IGNORECASE):
            raw = codes[0]
        if len(codes) > 1:
            say.error("number", _("Two codes stand in one cell. Which of them is right?"))
            return None, False
        verdict = identity.check_number("uscc" if country in ("", "CN") else "foreign", raw)
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

    def _kind(self, typed: str | None, name: str, say: Say) -> str:
        if typed:
            kind = self._kinds.get(fold(typed)) or _KIND_WORDS.get(fold(typed), "")
            kind = kind or self._by_name(typed) or self._by_name(name)
            if not kind:
                say.warn(
                    "kind",
                    _("“%(text)s” is no kind of body: taken for an enterprise.") % {"text": typed},
                )
            return kind
        return self._by_name(name)

    def _by_name(self, name: str) -> str:
        return next((kind for words, kind in _KINDS_BY_NAME if words.search(name)), "")

    def _profile(self, values: Mapping[str, Any], say: Say) -> dict[str, str]:
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
            site = re.sub(
                r"^https?://", lambda scheme: scheme[0].lower(), site, flags=re.IGNORECASE
            )
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
        first: dict[tuple[str, str], ReadRow] = {}
        mails: dict[str, tuple[int, str]] = {}
        for row in rows:
            draft = row.draft
            if not isinstance(draft, EnterpriseDraft):
                continue
            key = (draft.register["country"], draft.number or "")
            if draft.number and key in first:
                self._again(row, draft, first[key])
                continue
            if draft.number:
                first[key] = row
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


# The number of before 2015 and the code that came in its place.
_OLD_AND_NEW = r"\d{13,15}\s*[/、,，;；|\s(（]\s*[0-9A-Z]{18}[)）]?|[0-9A-Z]{18}\s*[/、,，;；|\s(（]\s*\d{13,15}[)）]?"


def _country_behind(place: str) -> str | None:
    """ "Schweinfurt, Germany", "Torino (Italy)"."""
    parts = re.split(r"\s*[,，(（/]\s*", place.rstrip(")） "))
    return country_of(parts[-1]) if len(parts) > 1 and parts[-1] else None


def bare_name(written: str) -> tuple[str, str]:
    """The name alone, without what a list puts before and behind it, and the English one where both stand there."""
    return _by_language(_PRAISE.sub("", _MARKS.sub("", _SEAL.sub("", written))))


def _by_language(name: str) -> tuple[str, str]:
    """The name of a Chinese body and the English one beside it: "甲有限公司 / Jia Co., Ltd.", one of them in brackets.

    >>> _by_language("示例甲有限公司 / Demo Jia Co., Ltd."), _by_language("Demo Jia Ltd（示例甲有限公司）")
    (('示例甲有限公司', 'Demo Jia Co., Ltd.'), ('示例甲有限公司', 'Demo Jia Ltd'))
    >>> _by_language("示例LED照明有限公司")
    ('示例LED照明有限公司', '')
    """
    outer, _open, inner = re.sub(r"[)）]\s*$", "", name).rpartition("(" if "(" in name else "（")
    slash = re.split(r"\s*[/|]\s*", name)
    space = re.split(r"(?<=公司|集团)\s*(?=[A-Za-z])|(?<=[A-Za-z.])\s+(?=[\u3400-\u9fff])", name)
    for parts in ([outer.strip(), inner.strip()], slash, space):
        if len(parts) != 2:
            continue
        left, right = parts
        chinese, latin = (right, left) if CHINESE.search(right) else (left, right)
        if (
            re.search(r"(?:公司|集团|厂)$", chinese)
            and not CHINESE.search(latin)
            and _LATIN_FORM.search(latin)
        ):
            return chinese, latin
    return name, ""


_PHONE = re.compile(r"[+(]?\d[\d\-() ]{5,}\d(?:\s*(?:转|分机|ext\.?)\s*\d+)?", re.IGNORECASE)
# "李乙 139…、王丙 139…": a name before each number.
_EACH = re.compile(r"\s*[、,;/\n]\s*|(?<=\d)\s+(?=[\u3400-\u9fff]{2,4}\s*[+(]?\d)")


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

    def of(self, row: Row, say: Say) -> list[Person]:
        people = {place: self._named(row.cells.get(place, "")) for place in self.names}
        others = [one for place in self.names for one in self._others(row.cells.get(place, ""))]
        for place, name in self.fields.items():
            text = row.cells.get(place, "")
            if text:
                person = people.setdefault(self.owner[place], Person(""))
                self._reach(person, name, text, say)
        reachable = [one for one in (*people.values(), *others) if one.phone or one.email]
        self._say_who_is_left_out([one for one in people.values() if one not in reachable], say)
        for one in reachable:
            one.name, one.job_title = one.name[:80], one.job_title[:80]
        return reachable

    def _say_who_is_left_out(self, people: Sequence[Person], say: Say) -> None:
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
        folded = (self._each(folded) or [folded])[0]
        name = _PHONE.sub(" ", folded)
        phones = identity.phones_of(" / ".join(_PHONE.findall(folded)))
        return Person(words(name.strip(" ,;:/、()"), 80), _joined(phones))

    def _each(self, text: str) -> list[str]:
        """The pieces of a cell with several people, each with a name and a number of its own."""
        pieces = _EACH.split(text)
        named = [one for one in pieces if _PHONE.search(one) and re.search(r"[^\W\d_]{2}", one)]
        return pieces if 1 < len(named) == len(pieces) else []

    def _others(self, text: str) -> list[Person]:
        return [self._named(one) for one in self._each(unicodedata.normalize("NFKC", text))[1:]]

    def _reach(self, person: Person, name: str, text: str, say: Say) -> None:
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
            person.job_title = person.job_title or words(text, 80)

    def _mail(self, text: str, say: Say) -> str:
        bare = re.sub(r"^mailto:", "", text.strip(), flags=re.IGNORECASE)
        bare = unicodedata.normalize("NFKC", bare).replace("。", ".")
        # "Demo <demo@example.com>"
        found = re.search(r"[^\s<>()\[\];,、]+@[^\s<>()\[\];,、]+", bare[:_LONGEST_MAIL])
        mail = found[0] if found else re.split(r"[;,、\s]", bare)[0]
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
