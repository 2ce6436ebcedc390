"""Who a body is: its number and its names, as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

from django.utils.translation import gettext as _

from chains.quantities import is_placeholder
from chains.searchtext import simplify, syllables

_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\x00-\x1f\x7f]")

# --- Numbers ------------------------------------------------------------------------------------------

# GB 32100: digits and capitals without I, O, S, V, Z; weights are powers of 3 modulo 31.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = [pow(3, place, 31) for place in range(17)]
# Letters that never occur, and those of other scripts that look like these.
_MISTAKEN = str.maketrans(
    "OIZSV" + "АВСЕНКМРТХУОІЅ" + "ΑΒΕΗΚΜΡΤΧΥΟΙΖ", "01257" + "ABCEHKMPTXY015" + "ABEHKMPTXY012"
)
_NEVER = frozenset("IOSVZ")
_OLD_LENGTH = 15


class NumberVerdict(NamedTuple):
    """`ask` and `old` are questions to the person, never refusals: real bodies carry such numbers."""

    verdict: Literal["valid", "ask", "old", "missing"]
    number: str
    reason: str
    sentence: str


def fold_number(raw: str) -> str:
    """Half width, capitals, no spaces, hyphens or dots; of a social credit code only itself, without what was
    copied along with it.

    >>> fold_number(" ９１３３0421-ma2ayccc25 ")
    '91330421MA2AYCCC25'
    >>> fold_number("信用代码：91330421MA2AYCCC25（副本）")
    '91330421MA2AYCCC25'
    """
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", raw)).upper()
    folded = re.sub(r"[\s\-‐‑–—_.·'`‘’\"“”]", "", folded)
    alone = _WRAPPED.fullmatch(folded)
    return alone["code"] if alone else folded


# A label before it, a mark or "(副本)", "(1/1)" behind it; another figure beside it would be another number.
_WRAPPED = re.compile(
    r"(?:[^0-9A-Z]*|[^\d]*[^0-9A-Z]|NO|USCC)(?P<code>[0-9A-Z]{2}\d{6}[0-9A-Z]{10})(?:\([^()]{1,6}\)|[^0-9A-Z]*)"
)
CODES = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{2}\d{6}[0-9A-Z]{10}(?![0-9A-Z])")


def check_character(first_17: str) -> str:
    total = sum(_VALUE[c] * weight for c, weight in zip(first_17, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def check_number(scheme: str, raw: str | None) -> NumberVerdict:
    """What to say about a number as typed; what was typed is kept by the caller."""
    number = fold_number(raw or "")
    # Zeros in place of a number would make one body of all that have none.
    if len(set(number)) <= 1 or is_placeholder(raw):
        return NumberVerdict("missing", "", "missing", _("Enter the number of the body."))
    if scheme != "uscc":
        return NumberVerdict("valid", number, "local", "")
    return _check_uscc(number)


def _check_uscc(number: str) -> NumberVerdict:
    if len(number) == _OLD_LENGTH and number.isdigit() and number.isascii():
        return NumberVerdict("old", number, "old", _(
            "This is a registration number of before 2015. Enter the 18-character code if there is one."))  # fmt: skip
    if len(number) != 18:
        return NumberVerdict("ask", number, "length", _(
            "The code has %(count)d characters instead of 18. Check it against the licence.")
            % {"count": len(number)})  # fmt: skip
    strange = sorted(set(number) - set(_ALPHABET))
    if strange:
        return _strange_characters(number, strange)
    if check_character(number[:17]) != number[17]:
        return NumberVerdict("ask", number, "check", _(
            "The last character does not fit the others. Check the code against the licence; "
            "if it stands there like this, keep it."))  # fmt: skip
    return NumberVerdict("valid", number, "fits", "")


def _strange_characters(number: str, strange: list[str]) -> NumberVerdict:
    meant = number.translate(_MISTAKEN)
    reason = "letter" if set(strange) <= _NEVER else "character"
    if set(meant) <= set(_ALPHABET) and check_character(meant[:17]) == meant[17]:
        return NumberVerdict("ask", number, reason, _(
            "%(characters)s never occurs in this code. Is it %(meant)s?")
            % {"characters": ", ".join(strange), "meant": meant})  # fmt: skip
    return NumberVerdict("ask", number, reason, _(
        "%(characters)s never occurs in this code. Check it against the licence.")
        % {"characters": ", ".join(strange)})  # fmt: skip


def region_code_of(number: str | None) -> str | None:
    """Digits 3–8 of a social credit code, or the first six of an old registration number: the county of
    registration, to be proposed and never assumed.

    >>> region_code_of("91330421MA2AYCCC25")
    '330421'
    """
    folded = fold_number(number or "")
    code = folded[2:8] if len(folded) == 18 else folded[:6] if len(folded) == _OLD_LENGTH else ""
    return code if re.fullmatch(r"[1-9][0-9]{5}", code) else None


# --- Names --------------------------------------------------------------------------------------------

_FORMER = re.compile(
    r"[(\[]\s*(?:(?P<plain>原(?!名|称|企业|公司名)|曾(?!用|名))|"
    r"(?:原名称?|原称|原企业名称|原公司名称|曾用名|曾名|前称|更名前|formerly(?: known as)?|former name|"
    r"previously|f\.?k\.?a\.?|fka)\s*(?:为|是)?\s*[::]?)\s*[::]?\s*(?P<names>[^()\[\]]+|[^()\[\]]*\([^()]*\)[^()\[\]]*)\s*[)\]]",
    re.IGNORECASE,
)
# The same without brackets, behind the end of a name.
_FORMER_BARE = re.compile(
    r"(?<=[司厂团院所])\s*[,;，；]?\s*(?:原名称?|曾用名|更名前|前称)\s*(?:为|是)?\s*[::]?\s*(?P<names>[^()]+)$"
)
# "(原料药)" tells what is made, not what the firm was called.
_ORIGIN_WORDS = re.compile(r"^(?:料|子|油|木|纸|装|创|产|材|浆|奶|酒|生|动力|理|点|野|始)")

_FORMS_ZH = ("有限责任公司", "股份有限公司", "有限公司", "股份公司")
_BODIES_ZH = ("集团总公司", "集团公司", "总公司", "公司", "集团", "总厂", "厂", "(集团)")
_BRANCH_ZH = re.compile(
    r"(?:分公司|分厂|分店|分行|支行|分社|分院|分所|办事处|代表处|联络处|营业部|经营部|项目部|事业部|分部|服务部|销售部)$"
)
_BRANCH_EN = re.compile(
    r"\b(?:branch|representative office|rep office|liaison office)(?: office)?$"
)
# Trailing legal forms of Latin names. Within a family they are spellings, across two they are a question;
# the longest comes first ("GmbH & Co. KG" is another body than "GmbH").
_FORMS_EN = [
    ("limited", r"(?:company |co )?(?:limited|ltd)|limited liability company"),
    ("private limited", r"pte (?:limited|ltd)|pty (?:limited|ltd)|pvt (?:limited|ltd)|private limited"),
    ("company", r"company|co"),
    ("inc", r"inc|incorporated"),
    ("corp", r"corp|corporation"),
    ("gmbh co kg", r"gmbh (?:und |and )?co kg"),
    ("srl", r"s a r l|sarl|s r l|srl"),
    ("joint stock", r"s a|sa|s p a|spa|a s|as"),
    *((form, form) for form in ("llc", "llp", "lp", "plc", "gmbh", "kg", "ag", "ug", "se", "ohg", "sas", "bv",
                                "nv", "ab", "oy", "ltda", "fze", "fzco", "fzc", "doo", "sro", "kft", "ooo", "jsc", "oyj", "aps", "kk", "sdn bhd", "sl")),
]  # fmt: skip
# A family with more words would be cut by one with fewer ("pte ltd" by "ltd"), hence longest match.
_TRAILING_EN = [(family, re.compile(rf"^(?P<stem>.+?) (?:{form})$")) for family, form in _FORMS_EN]
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


class FormerNames(NamedTuple):
    name: str
    former: list[str]


class NameVerdict(NamedTuple):
    """Only `same` may join two rows without a person; `ask` is a question to one."""

    verdict: Literal["same", "ask", "different"]
    reason: str


class Pinyin(NamedTuple):
    full: str
    initials: str


def _tidy(name: str) -> str:
    text = _INVISIBLE.sub(" ", unicodedata.normalize("NFKC", name[:400]))
    for opening, closing in ("[]", "〔〕", "【】", "{}"):
        text = text.replace(opening, "(").replace(closing, ")")
    return " ".join(text.split())


def split_former(name: str) -> FormerNames:
    """The name of today, and the former ones that stand behind it in brackets.

    >>> split_former("示例启澜氢能设备有限公司（原示例启澜阀门有限公司）")
    FormerNames(name='示例启澜氢能设备有限公司', former=['示例启澜阀门有限公司'])
    >>> split_former("示例（原料药）有限公司").former
    []
    """
    tidy = _tidy(name)
    found = _FORMER.search(tidy) or _FORMER_BARE.search(tidy)
    if found is None or not found.start() or _is_no_former(found):
        # As written, with its own brackets: only a name that is taken apart is respelled.
        return FormerNames(_one_line(name), [])
    former = [
        one.strip(" :\"'“”") for one in re.split(r"[、;,/]|(?<=公司)及|(?<=公司)和", found["names"])
    ]
    if not _HAN.search(found["names"]):
        former = [found["names"].strip()]
    return FormerNames(
        (tidy[: found.start()] + tidy[found.end() :]).strip(), [one for one in former if one]
    )


def _one_line(name: str) -> str:
    return " ".join(_INVISIBLE.sub(" ", name).split())


def _is_no_former(found: re.Match[str]) -> bool:
    if not found.groupdict().get("plain"):
        return False
    names = found["names"]
    return bool(_ORIGIN_WORDS.match(names)) and not names.endswith(
        ("公司", "厂", "集团", "院", "所")
    )


def normalise_name(name: str) -> str:
    """One spelling for all that only differ in width, case, script, spaces, dots, commas and the shape of
    brackets; a former name in brackets is left out, the legal form stays. Stored with each alias.

    >>> normalise_name("Demo Qinghe PV Materials Co., Ltd.") == normalise_name("DEMO QINGHE PV MATERIALS CO LTD")
    True
    """
    return _normalise(split_former(name).name)


def _normalise(name: str) -> str:
    # "M/s" is Messrs., and no part of the name.
    name = re.sub(r"^\s*(?:m/s\.?|messrs\.?)\s+", "", name, flags=re.IGNORECASE)
    text = simplify(_tidy(name)).lower().replace("&", " and " if not _HAN.search(name) else "&")
    text = re.sub(r"[.,'’‘`\"“”·•・∙,。、;:!?_*]", lambda m: "" if m[0] in ".'’‘`" else " ", text)
    text = re.sub(r"\s*[-‐‑–—]\s*", "-" if _HAN.search(text) else " ", text)
    text = re.sub(r"\(\s*\)", "", text)
    text = " ".join(text.split())
    # Between Chinese characters a space is an accident of layout, between Latin words it is the word's end.
    text = re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)
    return re.sub(r"\s*([()])\s*", r"\1", text)


class _Parts(NamedTuple):
    stem: str
    form: str  # "" none; a family of legal forms


def _parts(normal: str) -> _Parts:
    """The name without its trailing legal form. "集团" and "厂" are no legal form: they stay."""
    for form in _FORMS_ZH:
        if normal.endswith(form) and len(normal) > len(form):
            return _Parts(normal.removesuffix(form), "limited")
    found = [(m["stem"], family) for family, form in _TRAILING_EN if (m := form.match(normal))]
    if found:
        return _Parts(*min(found, key=lambda one: len(one[0])))
    return _Parts(normal, "")


def name_stem(name: str) -> str:
    """What is left of a name without legal form, "集团", "厂": to fetch candidates that `compare_names` judges.

    >>> name_stem("示例青禾光伏材料有限公司")
    '示例青禾光伏材料'
    """
    return _bare(_normalise(split_former(name).name))


def compare_names(left: str, right: str) -> NameVerdict:
    """Whether two names are one body: same, a question, or different.

    Letters in common count for nothing: sister firms differ by a town, strangers by one character. A name
    that is empty agrees with nobody.
    """
    one, other = split_former(left), split_former(right)
    a, b = _normalise(one.name), _normalise(other.name)
    if is_placeholder(a) or is_placeholder(b):
        return NameVerdict("different", "empty")
    if a == b:
        return NameVerdict("same", "spelling")
    formers = {_normalise(n) for n in one.former}, {_normalise(n) for n in other.former}
    if b in formers[0] or a in formers[1]:
        return NameVerdict("same", "former_name")
    if formers[0] & formers[1]:
        return NameVerdict("ask", "former_name_shared")
    for reason, holds in _RULES:
        verdict = holds(a, b) or holds(b, a)
        if verdict:
            return NameVerdict(verdict, reason)
    return NameVerdict("different", "other_name")


_Verdict = Literal["same", "ask", "different"]


def _by_legal_form(a: str, b: str) -> _Verdict | None:
    left, right = _parts(a), _parts(b)
    if left.stem != right.stem:
        return None
    return "same" if left.form == right.form else "ask"


def _is_branch(a: str, b: str) -> _Verdict | None:
    if not a.startswith(b):
        return None
    rest = a.removeprefix(b).strip(" ()-")
    return "ask" if _BRANCH_ZH.search(rest) or _BRANCH_EN.search(rest) else None


def _has_other_body(a: str, b: str) -> _Verdict | None:
    # "X集团有限公司" and "X有限公司", "X厂" and "X有限公司": mother and daughter, or one firm before and after.
    left, right = _bare(a), _bare(b)
    return "ask" if left == right and left else None


def _bare(name: str) -> str:
    stem = _parts(name).stem
    for body in _BODIES_ZH:
        if stem.endswith(body) and len(stem) > len(body) + 1:
            return stem.removesuffix(body).removesuffix("(集团)")
    return re.sub(r"^the | (?:group|holdings?)$", "", stem.removesuffix("(集团)"))


def _drops_a_bracket(a: str, b: str) -> _Verdict | None:
    # "X(嘉兴)有限公司" and "X有限公司": a sister firm, or the same one written short.
    bare = re.sub(r"\([^()]*\)", "" if _HAN.search(a) else " ", a).strip()
    return "ask" if bare != a and bare and _parts(bare).stem == _parts(b).stem else None


_PROVINCES = (
    "中国|北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_PLACE = re.compile(
    rf"^(?P<province>{_PROVINCES})?(?:省|市|(?:壮族|回族|维吾尔)?自治区)?(?P<town>[\u3400-\u9fff]{{2,4}}?(?=[市县区]))?[市县区]?"
)
_PLACE_BEHIND = re.compile(r"^(?P<name>.+?)\((?P<place>[\u3400-\u9fff]{2,6})\)(?P<form>.*)$")


def _place_of(name: str) -> tuple[str, str]:
    """The place that a Chinese name begins with, or has in brackets, and the rest of it."""
    behind = _PLACE_BEHIND.match(name)
    if behind:
        return re.sub(r"[省市县区]", "", behind["place"]), behind["name"] + behind["form"]
    found = _PLACE.match(name)
    place = (found["province"] or "") + (found["town"] or "") if found else ""
    return place, name[found.end() :] if found and place else name


def name_without_place(name: str) -> str:
    """The stem of a name without the province or town before it; "" where none stands there.

    >>> name_without_place("浙江示例青禾光伏材料有限公司")
    '示例青禾光伏材料'
    """
    place, rest = _place_of(_normalise(split_former(name).name))
    return _bare(rest) if place else ""


def _is_placed_otherwise(a: str, b: str) -> _Verdict | None:
    # "浙江X有限公司", "X(浙江)有限公司" and "X有限公司"; two towns are two sisters.
    if not _HAN.search(a):
        return None
    (left, one), (right, other) = _place_of(a), _place_of(b)
    if not left or len(_bare(one)) < 3:
        return None
    if right and one == other:
        return "ask" if left in right or right in left else None
    return "ask" if not right and b in {one, left + one} else None


def _has_inner_form(a: str, b: str) -> _Verdict | None:
    # "示例银行股份有限公司嘉兴分行" and "示例银行嘉兴分行".
    if not _BRANCH_ZH.search(a):
        return None
    bare = re.sub(r"(?:股份)?有限(?:责任)?公司", "", a)
    return (
        "ask"
        if bare == b or (bare != a and bare == re.sub(r"(?:股份)?有限(?:责任)?公司", "", b))
        else None
    )


def _is_in_two_languages(a: str, b: str) -> _Verdict | None:
    # "示例青禾有限公司 Demo Qinghe Co., Ltd." and one of the two.
    if not _HAN.search(a):
        return None
    latin = re.search(r"\(?([a-z][a-z0-9 \-()]{6,})$|^([a-z][a-z0-9 \-]{6,})\(?", a)
    if latin is None or " " not in latin[0].strip():
        return None
    rest = (a[: latin.start()] + a[latin.end() :]).strip("() ")
    return "ask" if b in {rest, (latin[1] or latin[2]).strip(" ()")} else None


def _differs_in_accents(a: str, b: str) -> _Verdict | None:
    if a.isascii() and b.isascii():
        return None
    return "ask" if _plain_letters(a) & _plain_letters(b) else None


_NUMERALS = str.maketrans("〇零一二两三四五六七八九", "001223456789")


def _differs_in_numerals(a: str, b: str) -> _Verdict | None:
    """ "一号仓储" and "1号仓储"."""
    return "ask" if a.translate(_NUMERALS) == b.translate(_NUMERALS) else None


_WRITTEN_OUT = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "oe"), ("å", "aa"))


def _plain_letters(name: str) -> set[str]:
    """Without accents: as letters fall together, and as German writes them out."""
    out = name
    for letter, letters in _WRITTEN_OUT:
        out = out.replace(letter, letters)
    bare = name.replace("ß", "ss").replace("ø", "o")
    return {
        "".join(c for c in unicodedata.normalize("NFD", one) if c.isalnum()) for one in (out, bare)
    }


def _is_trade_name(a: str, b: str) -> _Verdict | None:
    """a is short for b: no legal form of its own, and b holds it whole."""
    left, right = _parts(a), _parts(b)
    if left.form or _BRANCH_ZH.search(a) or not right.form:
        return None
    if _HAN.search(a):
        return "ask" if len(a) >= 3 and a in right.stem else None
    # One English word ("Solar") is a kind of business, not a name.
    words = a.split()
    return "ask" if len(words) >= 2 and f" {a} " in f" {right.stem} " else None


_RULES: list[tuple[str, Callable[[str, str], _Verdict | None]]] = [
    ("legal_form", _by_legal_form),
    ("branch", _is_branch),
    ("body", _has_other_body),
    ("two_languages", _is_in_two_languages),
    ("place_in_brackets", _drops_a_bracket),
    ("place", _is_placed_otherwise),
    ("branch", _has_inner_form),
    ("accents", _differs_in_accents),
    ("numerals", _differs_in_numerals),
    ("trade_name", _is_trade_name),
]


def pinyin_of(name: str) -> Pinyin:
    """Pinyin of a name without tones, and its initials, Latin words kept in the full one.

    >>> pinyin_of("示例青禾光伏")
    Pinyin(full='shiliqingheguangfu', initials='slqhgf')
    """
    simple = simplify(unicodedata.normalize("NFKC", name))
    read = syllables(simple)
    return Pinyin("".join(read), "".join(syllable[0] for syllable in read))


SORT_KEY = 250  # characters, and no more of a name is read: a cell may hold a page


def sort_key(name: str) -> str:
    """Orders names as a Chinese reader expects, by plain comparison of code points: digits, Latin letters
    and pinyin in one alphabet. Stored, because no database here can be trusted to know Chinese collations.
    """
    folded = simplify(unicodedata.normalize("NFKC", name[:SORT_KEY])).lower()
    words: list[str] = []
    for run in re.findall(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9]+", folded):
        words += syllables(run) if _HAN.match(run) else [run]
    # The name itself last: two names of one sound keep one order.
    return f"{' '.join(words)}\t{folded}"[:SORT_KEY]


# --- Telephones ---------------------------------------------------------------------------------------


# "(微信同号)", "赵丁" – but "转802" and "ext. 12" belong to the number.
_BEHIND_A_NUMBER = re.compile(
    r"(?<=\d)\s*(?:\((?=[^()\d]*\))|(?!转|分机|ext|x\s?\d|#)[^\W\d_]).*$", re.IGNORECASE
)


def phones_of(text: str) -> list[str]:
    """The telephone numbers in a cell, half width, in the order written, each once.

    >>> phones_of("０００-００００-０１０３ / 000-0000-0112；+86 000 0000 0113")
    ['000-0000-0103', '000-0000-0112', '+86 000 0000 0113']
    >>> phones_of("139 0000 0003(微信同号)、0573-86000000转802 赵丁")
    ['139 0000 0003', '0573-86000000转802']
    >>> phones_of("办：0573-86000000 手机：13900000002")
    ['0573-86000000', '13900000002']
    """
    folded = re.sub(r"[‐‑–—−]", "-", unicodedata.normalize("NFKC", _INVISIBLE.sub(" ", text)))
    pieces = re.split(
        r"[/,;、|\n]|\s{2,}|(?<=\d) (?=1\d{10}\b)|(?<=\d) (?=[\u4e00-\u9fff]{1,3}:)|\b(?:or|或)\b",
        folded,
    )
    numbers = (
        " ".join(_BEHIND_A_NUMBER.sub("", re.sub(r"^[^\d+(]+", "", piece)).split())
        for piece in pieces
    )
    return list(dict.fromkeys(n for n in numbers if sum(c.isdigit() for c in n) >= 7))
