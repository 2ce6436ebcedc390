"""Chinese and English text as the engine reads it: one spelling, one script, tokens."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from functools import cache, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_SPACE = re.compile(r"\s+")
_LATIN = re.compile(r"[a-z][a-z0-9]+|[a-z]\b|\d+(?:\.\d+)?")
# A standard or model is written with and without a space: "IEC61215", "IEC 61215", "NU2210E".
_JOINED = re.compile(r"(?<![a-z0-9.])([a-z]{1,5})(\d{3,})[a-z]{0,2}(?![a-z0-9.])")
_CODE = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{4,}")
# Where a clause ends, so does what a "no" in it speaks of.
CLAUSE = re.compile(r"(?:[^,，、。;；:：.()（）!?！？\n]|(?<=\d)[,.](?=\d))+")
_MAY_RULE_OUT = re.compile(
    r"不|勿|免谈|除|非|无需|拒绝|\b(?:not?|non\w*|without|exc|other|rather|anything)", re.IGNORECASE
)
# "Not less than" sets a bound and rules nothing out; a lone 非 or 无 makes a word ("非金属", "无氟"), not a clause.
_RULES_OUT = re.compile(
    r"不要|不含|不带|不接受|不包括|不包含|不需要|不购买|不买|不开|不找|不收|不是|不作|并非|而非|无需|拒绝"
    r"|\b(?:no|not|without|exclud(?:ing|es?)|except(?:ing)?(?: for)?|(?<!each )(?<!any )other than|rather than|anything but)\b(?=\s*\w)"
    r"(?! (?:less|more|later|only|fewer)\b)",
    re.IGNORECASE,
)
_RULED_OUT_BEFORE = re.compile(r"(?:不需要|不做|勿扰|免谈|除外|不要|不考虑)\s*$")
# A later clause of nothing but 非 or "non" and what is meant. Names of materials, makes and qualities rule nothing out.
_NO_NON = r"(?!标|金属|织造|晶|接触|离子|线性|破坏|易|可燃|导电|磁|洲|常|开挖|转基因)"
_NON = re.compile(
    rf"\s*(?:非{_NO_NON}(?P<zh>[\u4e00-\u9fff]{{2,6}})|non[- ]?(?!stick|slip|skid|toxic|woven"
    r"|ferrous|metal|standard|contact|destructive|magnetic|return|flammable|combustible|spark|linear|ionic|conductive"
    r"|corrosive|absorbent|isolated|invasive|gmo)(?P<en>[a-z]{4,}(?: [a-z]+)?))\s*",
    re.IGNORECASE,
)
# What is ruled out before or behind a product in its own clause. "除尘外壳" is a shell against dust; after "除…外,还" more is
# asked for, not less. Of materials and of Latin letters it is known where they end.
_RULED_OUT_WITHIN = re.compile(
    r"除(?!尘|湿|锈|油|雾|霜|草|臭|氧|垢|味|冰|铁|泥|渣|氯|氟|磷|砷|静电)了?(?P<but>[^,，。;；:：]{1,16}?)(?:之外|以外|外)"
    r"(?=的|皆|均|都|其他|其它|\s*(?:[,，。;；)）]|$))(?:的(?:其他|其它)?)?(?!\s*[,，]?\s*(?:还|也|另|同时|并))"
    rf"|(?<=[\s(（])非{_NO_NON}(?P<apart>[\u4e00-\u9fff]{{2,4}}|[A-Za-z][A-Za-z0-9]+)(?=[\s,，;；)）]|$)"
    r"|(?<![\u4e00-\u9fff])非(?P<made>[铝铜铁钢木塑纸]芯|[铝铜铁钢木塑纸][质制]|[A-Z][A-Za-z0-9]+)的?(?=[\u4e00-\u9fff])"
    r"|\b[Nn]on-(?P<non>(?!GMO)[A-Z][A-Z0-9]+)\b(?=\s+[a-z])"
)
_LEAST_LEFT = 3
# The comma first: it is looked for where one stands, and not at each digit.
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
_TRAILING_ZEROS = re.compile(r"(\.\d*?)0+$")

_STOP_WORDS = frozenset(
    {
        *(
            "a",
            "an",
            "and",
            "are",
            "as",
            "at",
            "be",
            "by",
            "can",
            "for",
            "from",
            "in",
            "into",
            "is",
        ),
        *("of", "on", "or", "our", "per", "than", "the", "to", "up", "via", "we", "will", "with"),
        *("looking", "need", "needed", "seeking", "source", "supplier", "suppliers", "supply"),
        *("wanted", "you", "your"),
    }
)
# British spelling and its American twin: buyers and suppliers here use both.
_AMERICAN = {
    "aluminium": "aluminum",
    "catalyser": "catalyzer",
    "centre": "center",
    "colour": "color",
    "fibre": "fiber",
    "grey": "gray",
    "harbour": "harbor",
    "metre": "meter",
    "litre": "liter",
    "moulding": "molding",
    "moulded": "molded",
    "mould": "mold",
    "plough": "plow",
    "sulphate": "sulfate",
    "sulphide": "sulfide",
    "sulphur": "sulfur",
    "sulphuric": "sulfuric",
    "tyre": "tire",
    "vapour": "vapor",
}
# Chinese unit words right after a number, so that "9微米" shares "um" with "9 μm".
_UNITS = {
    "微米": "um",
    "毫米": "mm",
    "厘米": "cm",
    "公里": "km",
    "千米": "km",
    "纳米": "nm",
    "毫克": "mg",
    "公斤": "kg",
    "千克": "kg",
    "毫升": "ml",
    "千瓦时": "kwh",
    "千瓦": "kw",
    "兆瓦": "mw",
    "吉瓦": "gw",
    "伏": "v",
    "安时": "ah",
    "兆帕": "mpa",
    "千伏": "kv",
    "赫兹": "hz",
    "摄氏度": "c",
}
_UNIT_AFTER_NUMBER = re.compile(
    r"(?<=\d)\s*(" + "|".join(sorted(_UNITS, key=len, reverse=True)) + ")"
)


@cache
def _spelling() -> dict[int, str]:
    """Single characters only, so that a text keeps its length; phrases would shift positions."""
    # The converter itself is slow and its package is not needed for anything but this table.
    spec = importlib.util.find_spec("opencc")
    table = {ord("μ"): "u", ord("–"): "-", ord("—"): "-", ord("−"): "-", ord("×"): "x"}
    if spec is not None and spec.origin is not None:
        lines = (
            (Path(spec.origin).parent / "dictionary" / "TSCharacters.txt")
            .read_text("utf-8")
            .splitlines()
        )
        for line in lines:
            traditional, _, simplified = line.partition("\t")
            choices = simplified.split()
            if len(traditional) == 1 and choices and traditional not in choices:
                table[ord(traditional)] = choices[0]
    return table


_WIDE = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


@cache
def _plain_spelling() -> dict[int, str]:
    """The same table and full-width forms in one: no sign of the table has another form by itself."""
    return _spelling() | _WIDE


def simplified(text: str) -> str:
    """Compatibility forms and traditional characters replaced; case and spaces stay.

    Examples
    --------
    >>> simplified("鋰電池隔膜，９µm")
    '锂电池隔膜,9um'
    """
    if text.isascii():  # has one spelling as it is
        return text
    # Nearly all that is written needs no more than its full-width forms replaced.
    plain = text.translate(_plain_spelling())
    if unicodedata.is_normalized("NFKC", plain):
        return plain
    return unicodedata.normalize("NFKC", text).translate(_spelling())


def normalise(text: str) -> str:
    """One spelling for what means the same.

    Examples
    --------
    >>> normalise("  Wet-process SEPARATOR ９µm，1,200 t ")
    'wet-process separator 9um,1200 t'
    """
    return as_written(text).lower()


def as_written(text: str) -> str:
    """As `normalise`, with the case of the writer: what a reader is shown.

    Examples
    --------
    >>> as_written("  Ex db ⅡC  T6，1,200 t ")
    'Ex db IIC T6,1200 t'
    """
    spaced = " ".join(simplified(text).split())
    return _THOUSANDS.sub("", spaced) if "," in spaced else spaced


def asserted(text: str) -> str:
    """A text without what it rules out; whole, when nothing would be left.

    Examples
    --------
    >>> asserted("组件整套供货，不含安装"), asserted("Stainless fasteners, no resale, not less than 5 t")
    ('组件整套供货，    ', 'Stainless fasteners,          , not less than 5 t')
    """
    return _divided(text)[0]


def ruled_out(text: str) -> str:
    """What a text rules out, without the word that does it.

    Examples
    --------
    >>> ruled_out("PACK不要，只要电芯"), ruled_out("Conveyor without installation"), ruled_out("非金属门铃")
    ('PACK', 'installation', '')
    >>> ruled_out("除PERC外的电池片"), ruled_out("除尘外壳"), ruled_out("Solar cells other than PERC")
    ('PERC', '', 'PERC')
    """
    return _divided(text)[1]


@lru_cache(maxsize=2048)
def _divided(text: str) -> tuple[str, str]:
    if _MAY_RULE_OUT.search(text) is None:
        return text, ""
    kept, out = text, []
    for within in _RULED_OUT_WITHIN.finditer(text):
        out.append(within[within.lastgroup or 0].strip())
        kept = kept[: within.start()] + " " * len(within[0]) + kept[within.end() :]
    for number, clause in enumerate(CLAUSE.finditer(kept)):
        start, end = clause.span()
        alone = _NON.fullmatch(clause[0]) if number else None
        after = _RULED_OUT_BEFORE.search(clause[0])
        before = _RULES_OUT.search(clause[0])
        if after is not None and clause[0][: after.start()].strip():
            out.append(clause[0][: after.start()].strip().removeprefix("但").removesuffix("的"))
        elif before is not None:
            start += before.start()
            out.append(clause[0][before.end() :].strip())
        elif alone is not None:
            out.append((alone["zh"] or alone["en"]).strip())
        else:
            continue
        kept = kept[:start] + " " * (end - start) + kept[end:]
    # Two Chinese signs are a word, two letters are none.
    if sum(1.5 if sign > "\u33ff" else 1.0 for sign in kept if sign.isalnum()) < _LEAST_LEFT:
        return text, ""
    return kept, " ".join(filter(None, out))


def language_of(text: str) -> Language:
    """The language a text is mostly written in; a few Latin codes do not make a Chinese text English.

    Examples
    --------
    >>> language_of("PVDF 粘结剂"), language_of("PVDF binder (粘)")
    ('zh', 'en')
    """
    solid = len(_SPACE.sub("", text))
    han = sum(len(run) for run in _HAN.findall(text))
    return "zh" if han and han >= 0.15 * solid else "en"


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """Singular and American: what an English word is compared by.

    Examples
    --------
    >>> [stem(word) for word in ("batteries", "fibres", "glass", "boxes", "chassis")]
    ['battery', 'fiber', 'glass', 'box', 'chassi']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return _AMERICAN.get(word, word)


def roots(stem: str) -> list[str]:
    """What words of a stem begin with: whatever holds none of these, holds no such word.

    Examples
    --------
    >>> roots("battery"), roots("fiber"), roots("ip68")
    (['batter'], ['fiber', 'fibre'], ['ip68'])
    """
    return [
        stem.removesuffix("y"),
        *(british for british in _AMERICAN if _AMERICAN[british] == stem),
    ]


def _number(token: str) -> str:
    return _TRAILING_ZEROS.sub(r"\1", token).rstrip(".") if "." in token else token


def words(text: str) -> list[str]:
    """English words and numbers of a normalised text, in order, without stop words."""
    latin = _UNIT_AFTER_NUMBER.sub(lambda unit: f" {_UNITS[unit[1]]} ", text).replace("-", " ")
    found = (stem(word) if word[0].isalpha() else _number(word) for word in _LATIN.findall(latin))
    return [word for word in found if word not in _STOP_WORDS]


def is_code(token: str) -> bool:
    """Whether a token mixes letters and digits as names of models, grades and standards do.

    Examples
    --------
    >>> [is_code(token) for token in ("sdcz51", "gcr15", "ip6", "1500", "busbar", "轴承 6204")]
    [True, True, False, False, False, False]
    """
    return _CODE.fullmatch(token) is not None


def han_runs(text: str) -> list[str]:
    """Unbroken stretches of Chinese characters of a normalised text."""
    return _HAN.findall(text)


# A batch of lines is read by the index and by the category tree, one after the other.
@lru_cache(maxsize=2048)
def _split(text: str) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    text = normalise(asserted(text))
    short: list[str] = []
    long: list[str] = []
    for run in han_runs(text):
        short += run
        short += map("".join, pairwise(run))
        long += [run[i : i + 3] for i in range(len(run) - 2)]
    latin = words(text)
    return short + latin, long + list(map(" ".join, pairwise(latin))), _JOINED.findall(text)


def short_tokens(text: str) -> list[str]:
    """Characters, pairs of characters, words and the parts of codes: for measures that count how much of a text is covered."""
    short, _long, joined = _split(text)
    return short + list(chain.from_iterable(joined))


def long_tokens(text: str) -> list[str]:
    """What only the finer view adds to the short tokens: triples of characters, pairs of words and of the parts of codes."""
    _short, long, joined = _split(text)
    return long + list(map(" ".join, joined))


def tokens(text: str) -> list[str]:
    """All tokens, the short ones first."""
    return short_tokens(text) + long_tokens(text)


def written_tokens(text: str) -> list[str]:
    """Tokens with codes only as they are written: the words of categories know hardly any."""
    short, long, _joined = _split(text)
    return short + long
