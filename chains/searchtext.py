from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

# Sections of a stored document. The separator never survives `fold`, so a query cannot reach across it.
_SECTION = "\x1f"

# Ranks of a hit, best first.
EXACT, SYNONYM, PINYIN, TYPO = 0, 1, 2, 3

# Pinyin is what people type for a name or a product, not for a whole paragraph; the rest of a long text
# would only make the column six times longer and find chance syllables.
_PINYIN_CHARACTERS = 100
# Where one character may be anything: not a line end, so that a slip stays inside one text.
_ANY = "[^\n\x1f]"

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇"
_HAN_RUN = re.compile(f"[{_HAN}]+")
# A piece of a query: a run of Chinese, or of letters and digits with the signs that stand inside numbers
# and standards ("gb/t19001", "8.8", "iec-61215").
_PIECE = re.compile(rf"[{_HAN}]+|[^\W{_HAN}_]+(?:[./\-][^\W{_HAN}_]+)*")
_UNITS = {
    "微米": "um", "毫米": "mm", "厘米": "cm", "千米": "km", "公里": "km", "纳米": "nm",
    "毫克": "mg", "千克": "kg", "公斤": "kg", "毫升": "ml", "平方米": "m2", "立方米": "m3",
    "千瓦时": "kwh", "兆瓦时": "mwh", "吉瓦时": "gwh", "千瓦": "kw", "兆瓦": "mw", "吉瓦": "gw",
    "千伏安": "kva", "千伏": "kv", "兆帕": "mpa", "安时": "ah", "毫安时": "mah", "赫兹": "hz",
}  # fmt: skip
_UNIT_WORD = re.compile(rf"(?<=\d)\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# "iec 61215", "iec-61215", "10 mm", "gb/t" – but neither "8.8" nor "50 316": two numbers stay two.
# Codes of parts are written "6205-2rs", "6205/2rs" and "6205 2rs"; "10-20" and "5/kg" are none.
_GLUE = re.compile(
    r"(?=[\s/\-_])"  # what each of these begins with: most signs are passed over at once
    r"(?:(?<=[a-z])[ \-_]+(?=\d)|(?<=\d)[ \-_]+(?=[a-z])|(?<=[a-z])[/\-](?=[a-z])"
    r"|(?<=\d{3})[/\-_](?=\d)|(?<=\d{3})/(?=[a-z])|(?<=[a-z])/(?=\d{3})|(?<=\d{4}) (?=\d{1,2}[a-z])"
    rf"|(?<=[{_HAN}])\s+|\s+(?=[{_HAN}]))"
)
# Zero-width signs, soft hyphens and control characters come along from web pages and PDF files.
_INVISIBLE = re.compile(
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\x00-\x08\x0e-\x1f\x7f]"
)


_UNSEEN = {code: None for code in range(0x10000) if _INVISIBLE.match(chr(code))}


def visible(text: str) -> str:
    """Without the signs that nobody sees and that make two equal words differ."""
    # In a text of nothing else each would be a find of its own.
    return text if text.isprintable() else text.translate(_UNSEEN)


CHINESE = re.compile("[\u3400-\u9fff]")


def language_of(text: str) -> str:
    """zh as soon as a Chinese character stands in it: product texts mix in Latin norms and types, an English text
    quotes no Chinese."""
    return "zh" if CHINESE.search(text) else "en"


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """Traditional to simplified, one character to one.

    OpenCC's phrase rules are left out on purpose: they make a character depend on its neighbours, and a
    word cut out of a text would then fold to something that is not a part of the folded text.
    """
    lines = (files("opencc") / "dictionary" / "TSCharacters.txt").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {ord(old): new.split(" ")[0] for old, new in pairs if len(old) == 1}


@lru_cache(maxsize=1)
def _traditional() -> frozenset[str]:
    return frozenset(map(chr, _simplified()))


def simplify(text: str) -> str:
    # Few texts hold a traditional sign, and looking for one takes a third of the time of a translation.
    if text.isascii() or _traditional().isdisjoint(text):
        return text
    return text.translate(_simplified())


# Latin letters with a mark, or marks that follow their letter. Kana have marks of their own, which make another sound.
_ACCENTED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]")
_MARKS = re.compile(r"[\u0300-\u036f]")
# Letters that no mark can be taken from.
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"})  # fmt: skip


def unaccented(text: str) -> str:
    """The letters without their marks: few keyboards have them all.

    >>> unaccented("Müller Škoda Ørsted 工厂")
    'Muller Skoda Orsted 工厂'
    """
    if _ACCENTED.search(text) is None:
        return text
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).translate(_PLAIN)


def fold(text: str) -> str:
    """Width, case, script, accents and spaces no longer tell two spellings apart; "μ" is written "u".

    >>> fold("Ｍ１０  軸承，9μm")
    'm10 轴承,9um'
    """
    if not text.isascii():
        text = simplify(unaccented(unicodedata.normalize("NFKC", text))).replace("μ", "u")
    return " ".join(visible(text).split()).lower()


# One after the other: signs between thousands, Chinese units, what parts a number from its letters.
SQUEEZING: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_THOUSANDS, lambda _comma: ""),
    (_UNIT_WORD, lambda word: _UNITS[word.strip()]),
    (_GLUE, lambda _gap: ""),
)


def squeeze(folded: str) -> str:
    """The folded text with standard numbers, sizes and units pulled together.

    >>> squeeze("通过 iec 61215 认证,厚度 9 微米,1,200 mm")
    '通过iec61215认证,厚度9um,1200mm'
    """
    return _GLUE.sub("", _UNIT_WORD.sub(lambda m: _UNITS[m[1]], _THOUSANDS.sub("", folded)))


@lru_cache(maxsize=20_000)
def _run_syllables(run: str) -> tuple[str, ...]:
    from pypinyin.seg.simpleseg import seg  # noqa: PLC0415 -- as below

    return tuple(syllable for word in seg(run) for syllable in _word_syllables(word))


@lru_cache(maxsize=20_000)
def _word_syllables(word: str) -> tuple[str, ...]:
    """Of one word of pypinyin's own: runs are many, and made of few words."""
    import pypinyin  # noqa: PLC0415 -- slow import, and a worker that only matches never needs it

    return tuple(pypinyin.lazy_pinyin(word, errors="ignore"))


def syllables(text: str) -> list[str]:
    """Pinyin without tones of the Chinese characters of a text, ü as v; the rest is left out."""
    return [syllable for run in _HAN_RUN.findall(text) for syllable in _run_syllables(run)]


def placed_syllables(text: str) -> Iterator[tuple[int, str]]:
    """Each Chinese character's place and reading, as they are stored."""
    for run in _HAN_RUN.finditer(simplify(text)):
        read = _run_syllables(run[0])
        if len(read) == len(
            run[0]
        ):  # a character without a reading leaves the others without a place
            yield from zip(range(run.start(), run.end()), read, strict=True)


def marked(found: Iterable[str]) -> str:
    return "".join(map(str.swapcase, map(str.capitalize, found)))


def pinyin_text(text: str) -> str:
    """The Chinese runs of a text as marked syllables: the first letter small, the others capital.

    The rest of a stored document is lower case. So a case-sensitive LIKE meets pinyin only where it asks for
    pinyin, and only from the beginning of a syllable: "ion" is not found inside "xIONG", "han" not in "sHAN".

    >>> pinyin_text("光伏 IEC 接线盒")
    'gUANGfU jIExIANhE'
    """
    runs = _HAN_RUN.findall(simplify(text[:_PINYIN_CHARACTERS]))
    return " ".join(marked(_run_syllables(run)) for run in runs)


def initials_text(name: str) -> str:
    """Initials of a name in full-width capitals, which stand nowhere else in a stored text.

    >>> initials_text("青禾光伏")
    'ＱＨＧＦ'
    """
    return wide("".join(s[0] for s in syllables(simplify(name[:_PINYIN_CHARACTERS]))))


def wide(letters: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in letters.upper())


def document(text: str, *, synonyms: Iterable[str] = (), names: Iterable[str] = ()) -> str:
    """What is stored beside a row to be searched.

    `text` is what the row says, `synonyms` what its categories are also called (both languages), `names` the
    names of an enterprise – with them, initials count too ("qhgf").
    """
    names = list(names)
    also = [fold(word) for word in synonyms]
    parts = [
        "\n".join(_spellings([fold(name) for name in names] + [fold(text)])),
        "\n".join(_spellings(also)),
        "\n".join(filter(None, [*map(pinyin_text, (*names, text)), *map(initials_text, names)])),
        " ".join(filter(None, map(pinyin_text, also)))[:2000],
    ]
    return _SECTION.join(parts)


@lru_cache(maxsize=1)
def rules() -> str:
    """Another one where a document may be made otherwise: part of the name of what is kept outside the database."""
    made_by = (
        Path(__file__).read_bytes(),
        version("pypinyin"),
        version("opencc-python-reimplemented"),
    )
    return hashlib.sha256(repr(made_by).encode()).hexdigest()


# Stored texts that `renewed` could change, for `__regex`.
TO_RENEW = r"[\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]|[0-9]{3}[-/_][0-9a-z]|[a-z]/[0-9]{3}|[0-9]{4} [0-9]{1,2}[a-z]"


def renewed(stored: str) -> str:
    """A document made by earlier rules, with the spellings that today's would add."""
    own, also, *rest = unaccented(stored).split(_SECTION)
    both = ["\n".join(dict.fromkeys(_spellings(part.split("\n")))) for part in (own, also)]
    return _SECTION.join([*both, *rest])


def _spellings(folded: Iterable[str]) -> Iterator[str]:
    for one in folded:
        if one:
            yield one
            tight = squeeze(one)
            if tight != one:
                yield tight


class Term(NamedTuple):
    """One piece of a query: all pieces must be found, each in one of its spellings."""

    folded: str
    squeezed: str
    pinyin: tuple[str, ...]

    @property
    def substrings(self) -> list[str]:
        """Spellings for a case-sensitive LIKE over the stored document, any of which is a hit."""
        return list(dict.fromkeys([*self.spellings, *self.pinyin]))

    @property
    def spellings(self) -> list[str]:
        """As it is, pulled together, and cut at its hyphens: "ball-valve" is written "ball valve" too."""
        return list(dict.fromkeys([self.folded, self.squeezed, self.parted]))

    @property
    def parted(self) -> str:
        return self.folded.replace("-", " ")


def query_terms(query: str) -> list[Term]:
    """The pieces of a query, at most twelve: cut at spaces, signs, and between Chinese and Latin script.

    >>> [term.folded for term in query_terms("Ｍ１０螺栓 IEC-61215")]
    ['m10', '螺栓', 'iec-61215']
    """
    query = _UMLAUTS.sub(_as_v, unicodedata.normalize("NFKC", query[:200]).lower())
    folded = fold(query)
    # A unit must be read before the number and its Chinese unit are cut apart ("9微米").
    folded = _UNIT_WORD.sub(lambda m: _UNITS[m[1]], folded)
    # "xi'an", "lüdianchi": how syllables are parted and typed; "men's" is none.
    folded = re.sub(r"[a-z]+(?:['’][a-z]+)+", _parted_syllables, folded)
    pieces = dict.fromkeys(_joined_syllables(_PIECE.findall(folded)))
    return [Term(p, squeeze(p), tuple(_as_pinyin(p))) for p in list(pieces)[:12]]


_UMLAUTS = re.compile(r"[a-zü'’]*[ln]ü[a-zü'’]*")


def _as_v(found: re.Match[str]) -> str:
    """ "lüdianchi" is typed and stored with v; "lübeck" is no pinyin."""
    word = found[0].replace("ü", "v")
    return word if _cuts(re.sub("['’]", "", word)) else found[0]


def _joined_syllables(pieces: list[str]) -> Iterator[str]:
    """ "chi lun xiang" is one word; two such words may as well be English ("fan pan")."""
    for is_syllable, run in groupby(
        pieces, lambda one: one.isascii() and one.isalpha() and one in _known_syllables()
    ):
        found = list(run)
        if is_syllable and len(found) > 2:
            yield "".join(found)
        else:
            yield from found


def _parted_syllables(found: re.Match[str]) -> str:
    parts = re.split("['’]", found[0])
    return "".join(parts) if _known_syllables().issuperset(parts) else found[0]


@lru_cache(maxsize=1)
def _known_syllables() -> frozenset[str]:
    from pypinyin.pinyin_dict import pinyin_dict as table  # noqa: PLC0415 -- slow import

    readings = {r for code in range(0x4E00, 0x9FA6) for r in table.get(code, "").split(",") if r}
    plain = (unicodedata.normalize("NFD", reading) for reading in readings)
    latin = {"".join(c for c in word if "a" <= c <= "z") for word in plain} | {
        "lv",
        "nv",
        "lve",
        "nve",
    }
    # Interjections of one or two consonants ("m", "ng") would make every letter a syllable.
    return frozenset(s for s in latin if s and (set(s) & set("aeiouv")))


def _as_pinyin(piece: str) -> Iterator[str]:
    """Readings of a Latin piece as two or more syllables ("jiexianhe"), the last of which may be unfinished
    in a long one ("jiexianh"), and as initials."""
    if not (piece.isascii() and piece.isalpha() and 3 <= len(piece) <= 40):
        return
    yield from (marked(cut) for cut in _cuts(piece) if len(cut) > 1)
    # No syllable begins with i, u or v.
    if len(piece) <= 12 and not set(piece) & set("iuv"):
        yield wide(piece)


def _cuts(word: str) -> list[list[str]]:
    """Ways to cut a word into syllables, at most eight."""
    known = _known_syllables()
    starts = _syllable_starts() if len(word) >= 6 else known
    found: list[list[str]] = []

    def walk(at: int, cut: list[str]) -> None:
        if len(found) >= 8:
            return
        rest = word[at:]
        if rest in starts:
            found.append([*cut, rest])
        for size in range(min(6, len(rest) - 1), 0, -1):
            if rest[:size] in known:
                walk(at + size, [*cut, rest[:size]])

    if _can_be_cut(word, known, starts):
        walk(0, [])
    return found


def _can_be_cut(word: str, known: frozenset[str], starts: frozenset[str]) -> bool:
    # Without this look ahead a long word that fails at its end is cut in exponentially many ways.
    good = [False] * len(word) + [True]
    for at in range(len(word) - 1, -1, -1):
        good[at] = word[at:] in starts or any(
            good[at + size] and word[at : at + size] in known
            for size in range(1, 7)
            if at + size < len(word)
        )
    return good[0]


@lru_cache(maxsize=1)
def _syllable_starts() -> frozenset[str]:
    return frozenset(s[:end] for s in _known_syllables() for end in range(1, len(s) + 1))


def alternatives(query: str) -> list[list[str]]:
    """Lists of which each must give one hit: `AND (OR LIKE)` over the stored column,
    case-sensitive, is exactly `matches` above TYPO."""
    return [term.substrings for term in query_terms(query)]


def typo_patterns(query: str) -> list[str]:
    """Regular expressions for `__regex`, all of which must hold, of a query that is one character off;
    empty when nothing may be off.

    Only for asking again, below or instead of the exact hits. Tolerated is, in Chinese, one other character
    in a word of three or more ("接线合" for 接线盒), from four on also one too many or one missing; in Latin
    script one slip in a word of five or more letters. Two Chinese characters the other way round are another
    word ("承轴" is not 轴承), and numbers are never off by one: M10 is not M12.
    """
    terms = query_terms(query)
    if not any(_slips(term.folded) for term in terms):
        return []
    return ["|".join([*map(re.escape, term.substrings), *_slips(term.folded)]) for term in terms]


class Clue(NamedTuple):
    """Texts that must be held; where they are too short for an index of trigrams, their Chinese characters, each once.
    Letters and digits stand in every text, if only in its pinyin."""

    texts: tuple[str, ...]
    signs: str

    @property
    def is_indexed(self) -> bool:
        return bool(self.signs) or any(len(text) >= 3 for text in self.texts)


def clue(*texts: str) -> Clue:
    signs = "".join(dict.fromkeys("".join(texts)))
    is_short = all(len(text) < 3 for text in texts)
    return Clue(tuple(filter(None, texts)), signs if is_short and _HAN_RUN.fullmatch(signs) else "")


def near_clues(query: str) -> list[list[Clue]]:
    """Lists of which each must give one hit for `typo_patterns` to hold: few, and cheap to ask of the indexes. They
    find more. An empty one where no index can tell."""
    found = [
        [*map(clue, term.substrings), *(_near_clues(term.folded) if _slips(term.folded) else ())]
        for term in query_terms(query)
    ]
    return [clues if all(one.is_indexed for one in clues) else [] for clues in found]


def _near_clues(word: str) -> Iterator[Clue]:
    half = len(word) // 2
    turned = (half,) if len(word) > 5 else range(1, len(word))
    if len(word) > 5:
        # One slip leaves one half as it is, unless two letters in the middle stand the other way round.
        yield from map(clue, (word[:half], word[half:]))
    else:
        # One slip leaves what is before its place, and what is behind.
        yield from (clue(word[:at], word[at + 1 :]) for at in range(len(word)))
    if _HAN_RUN.fullmatch(word) is None:
        for at in turned:
            yield clue(word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :])


def loose_patterns(query: str) -> list[str]:
    """`typo_patterns` with any sign where one character may be another: finds a little more, but an index of
    trigrams can read it."""
    return [pattern.replace(_ANY, ".") for pattern in typo_patterns(query)]


def _slips(word: str) -> list[str]:
    """Patterns of the words one slip away; letters only, so nothing in them needs escaping."""
    han = _HAN_RUN.fullmatch(word) is not None
    if not word.isalpha() or not (3 if han else 5) <= len(word) <= 20:
        return []
    places = range(len(word))
    found = [word[:i] + _ANY + word[i + 1 :] for i in places]
    if not han or len(word) >= 4:
        found += [word[:i] + word[i + 1 :] for i in places]
        found += [word[:i] + _ANY + word[i:] for i in places[1:]]
    if not han:
        found += [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-1]]
    return list(dict.fromkeys(found))


def near_pattern(term: Term) -> re.Pattern[str] | None:
    """What is one slip away from a word; None where nothing may be off."""
    patterns = _slips(term.folded)
    return re.compile("|".join(patterns)) if patterns else None


def matches(query: str, stored: str) -> int | None:
    """How a stored document answers a query: EXACT, SYNONYM, PINYIN or TYPO, the worst over its terms;
    None when a term is not found. The reference for what the SQL does."""
    return ranking(query)(stored)


def ranking(query: str, *, typos: bool = True) -> Callable[[str], int | None]:
    """`matches` for many documents: what is made of the query is made once."""
    ranks = [_ranking(term, typos=typos) for term in query_terms(query)]

    def rank(stored: str) -> int | None:
        own, also, *pinyin = (stored + _SECTION * 3).split(_SECTION)
        worst = EXACT
        for of_term in ranks:
            one = of_term(own, also, pinyin)
            if one is None:
                return None
            worst = max(worst, one)
        return worst

    return rank if ranks else lambda _stored: None


def _ranking(term: Term, *, typos: bool) -> Callable[[str, str, list[str]], int | None]:
    spellings, substrings = term.spellings, term.substrings
    pattern = near_pattern(term) if typos else None
    near = pattern.search if pattern else None
    # Plain words are looked for many times as fast as an expression.
    clues = [one.texts for one in _near_clues(term.folded)] if near else []

    def rank(own: str, also: str, pinyin: list[str]) -> int | None:
        if any(s in own for s in spellings):
            return EXACT
        if any(s in also for s in spellings):
            return SYNONYM
        if any(s in section for s in substrings for section in pinyin):
            return PINYIN
        if near is None:
            return None
        text = f"{own}\n{also}"
        if not any(all(one in text for one in texts) for texts in clues):
            return None
        return TYPO if near(text) else None

    return rank
