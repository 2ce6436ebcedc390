"""What is known of a pair of a line and a text: in figures for the score, in words for the reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from matchmaking.engine import reading
from matchmaking.engine import text as words
from matchmaking.engine.lines import Heads, Lines
from matchmaking.engine.naming import head_told, names_another
from matchmaking.engine.pairs import (
    BLOCK,
    PAIRS_AT_ONCE,
    Pairs,
    completed,
    cosines,
    dots,
    dots_of_few,
    products,
    ranges,
    sums_of_greatest,
)
from matchmaking.engine.quantities import contradiction, distance, may_contradict
from matchmaking.engine.search import DECIMALS
from matchmaking.engine.sparse import Floats, Ints, without_zeros
from matchmaking.engine.stock import SATURATION, Stock
from matchmaking.engine.tails import is_called, is_offered

# So much nearer to the purpose than to the thing asked for: it is probably what the thing goes into.
PURPOSE_LEAD = np.float32(0.2)
# What is left of the points of text and category where a line asks for work and a text offers the machine, or the
# other way round, and where both want the same or both have it.
_OTHER_FORM, _RIVAL = np.float32(0.7), np.float32(0.4)
# What is left where a text names just what a line rules out, and where that is what its own name ends with.
_NAMED_OUT, _RULED_OUT = np.float32(0.75), np.float32(0.3)
# What is left where a text says the one name of a line only of something else.
_OTHER_NAME = np.float32(0.6)
# And so much is lost where it says other words of a line, but neither the noun that says what is asked for nor, from the
# second of these likenesses to it down to the first, anything like it; and where its own noun is one of those words.
_UNNAMED, _NAMED_BEFORE, _BESIDE = np.float32(0.3), np.float32(0.7), np.float32(0.4)
_UNLIKE, _LIKE = np.float32(0.2), np.float32(0.4)
_MENTIONED = np.float32(0.02)
_UNNAMED_TOLD = 0.15
_POLITE = frozenset({"please", "any", "one", "it"})
# So much is lost where the numbers of a text are ten times off those of the line.
_OTHER_NUMBER = np.float32(0.2)
# A code that is only half sure says more than half of what a sure one says.
_LABEL_POWER = np.float32(0.7)
# So many words of a line in one text, and it is that product whatever code a shop has filed it under; fewer say less.
# Measured: a product's name in another shop shares eight to twelve, a text of the same code seldom five.
_NAMED_FROM, _NAMED = 4.5, 10.0
# Of a line of fewer words a text can share no more than all: a tenth above them stands for the ten.
_NAMED_ABOVE = 1.1
# A text of the other language can share none: this near in meaning it says as much as it would with words.
_SHARED_ABOVE, _SHARED_EACH = np.float32(0.3), np.float32(0.6)
# Two texts of one trade are as near as this without meaning the same.
FOREIGN = np.float32(0.3)
# So much more, and it is worth a sentence.
_TOLD = 0.1
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Columns that run along pairs, rounded so that batches and single calls agree.

    Attributes
    ----------
    u, t, b
        Likeness of meaning, less that to what the line rules out (-1 to 1), of all words (0 to 1), and the share of the line's weight of words that the
        text covers (0 to 1).
    leaf, parent, chain
        Agreement of the recognised categories at the three levels, 0 to 1.
    elsewhere
        What other texts of the same supplier add to `b`: the share of the line's weight of words that its texts cover
        together, less what this one covers.
    differ
        1 where line and text are in different languages, else 0.
    fit
        What is left of the points of text and category (0 to 1) after it is known who gives and who takes, whether work
        or a machine is meant, and how far the numbers of both lie apart.
    unnamed, apart
        What of it has been lost by what a text mentions without the thing itself, and how far the numbers lie apart (0 to
        1). Not rounded: what is told of them is found out anew.
    kin
        How well line and text would stand in one house, by what suppliers of the index offer together (-1 to 1); 0 where
        that is not learned.
    """

    u: Floats
    t: Floats
    b: Floats
    leaf: Floats
    parent: Floats
    chain: Floats
    differ: Floats
    elsewhere: Floats
    fit: Floats
    kin: Floats
    unnamed: Floats
    apart: Floats


@dataclass(frozen=True, slots=True)
class Objections:
    """What speaks against a text as an answer, in the words of the line where it has any; "" for none."""

    ruled_out: str = ""
    purpose: str = ""
    form: reading.Form = ""
    party: Literal["", "seller", "buyer"] = ""
    profile: bool = False
    numbers: tuple[str, str] | None = None
    beside: str = ""
    unnamed: str = ""


NO_OBJECTIONS = Objections()


def features(stock: Stock, lines: Lines, pairs: Pairs, *, houses: bool = True) -> Features:
    """What is known of each pair, as columns along `pairs`.

    Without `houses`, other texts of a supplier are left aside: to find the best few it is enough.
    """
    near, shared, covered = _reckoned(stock, lines, pairs)
    unnamed = _headless(stock, lines, pairs)
    apart = distance(lines.figures, stock.figures, pairs)
    columns = {
        "u": _wanted(stock, lines, pairs, near),
        "t": shared,
        "b": covered,
        "leaf": dots_of_few(lines.leaf, stock.leaf, pairs),
        "parent": dots_of_few(lines.parent, stock.parent, pairs),
        "chain": dots_of_few(lines.chain, stock.chain, pairs),
        "fit": _fit(stock, lines, pairs, unnamed, apart),
        "differ": (lines.chinese[pairs.line] != stock.chinese[pairs.row]).astype(np.float32),
    }
    nothing = np.zeros(len(pairs), np.float32)
    columns["elsewhere"] = _elsewhere(stock, lines, pairs, columns["b"]) if houses else nothing
    columns["kin"] = nothing
    if stock.labels:
        # Leaves guessed in a tree that does not hold the codes would say less.
        same = np.minimum(dots(lines.labels, stock.labels.of_texts, pairs), 1) ** _LABEL_POWER
        named = _named(lines, pairs, columns)
        same += (1 - same) * named * ~lines.told[pairs.line]
        columns |= dict.fromkeys(("leaf", "parent", "chain"), same)
        if stock.kinship:
            kin = cosines(lines.kin, stock.kinship.of_texts, pairs)
            columns["kin"] = kin + (1 - kin) * named
    rounded = {
        name: np.round(column, DECIMALS).astype(np.float32) for name, column in columns.items()
    }
    return Features(**rounded, unnamed=unnamed, apart=apart)


def _reckoned(stock: Stock, lines: Lines, pairs: Pairs) -> list[Floats]:
    """Likeness of meaning, and as `Stock.shared_words`: of what the search found it was asked when the lines were read."""

    def reckon(anew: Pairs) -> tuple[Floats, Floats, Floats]:
        near = cosines(lines.vectors, stock.vectors, anew)
        return near, *stock.shared_words(lines.tfidf, lines.cover, anew)

    return completed(pairs, lines.found, (lines.near, lines.shared, lines.covered), reckon)


def _wanted(stock: Stock, lines: Lines, pairs: Pairs, likeness: Floats) -> Floats:
    """Likeness of meaning, less how near a text comes to what the line rules out."""
    for line, vector in lines.ruled_out.items():
        start, stop = np.searchsorted(pairs.line, [line, line + 1])
        rows = pairs.row[start:stop]
        near = np.maximum(stock.vectors[rows] @ vector - FOREIGN, 0)
        for place in np.flatnonzero(near).tolist():
            # A text that rules out something itself may name just what the line does not want either.
            if words.ruled_out(stock.texts[rows[place]].text):
                near[place] = 0
        likeness[start:stop] -= near
    for line, (asked, use) in lines.purposes.items():
        start, stop = np.searchsorted(pairs.line, [line, line + 1])
        nearer = stock.vectors[pairs.row[start:stop]] @ (use - asked)
        likeness[start:stop] -= np.maximum(nearer - PURPOSE_LEAD, 0)
    return np.maximum(likeness, -1)


def _named(lines: Lines, pairs: Pairs, columns: Mapping[str, Floats]) -> Floats:
    """How far shared words alone say that a text is about the very product, between 0 and 1.

    A code is what somebody filed a text under: shops disagree about it even where their words are the same.
    """
    shared = columns["b"] + columns["elsewhere"]
    near = _SHARED_EACH * np.maximum(columns["u"] - _SHARED_ABOVE, 0)
    covered = np.where(columns["differ"] > 0, near, shared) * (1 + SATURATION)
    size = lines.sizes[pairs.line]
    whole = np.clip(_NAMED_ABOVE * size, _NAMED_FROM + 1, _NAMED)
    named: Floats = (size * covered - _NAMED_FROM) / (whole - _NAMED_FROM)
    return np.clip(named, 0, 1).astype(np.float32)


def _elsewhere(stock: Stock, lines: Lines, pairs: Pairs, covered: Floats) -> Floats:
    out = np.zeros(len(pairs), np.float32)
    house = stock.house[pairs.row]
    several = np.flatnonzero(stock.houses[house + 1] - stock.houses[house] > 1)
    if not len(several):
        return out
    width = len(stock.houses)
    key, back = np.unique(pairs.line[several] * width + house[several], return_inverse=True)
    line, house = np.divmod(key, width)
    whole = np.empty(len(key), np.float32)
    # What only the finer view reads of a line has no weight here.
    asked, said = without_zeros(lines.cover), stock.with_counts(stock.saturated)
    start = 0
    while start < len(key):
        stop = min(start + PAIRS_AT_ONCE, int(np.searchsorted(line, line[start] + BLOCK)))
        first, last = stock.houses[house[start:stop]], stock.houses[house[start:stop] + 1]
        row = stock.housed[ranges(first, last - first)]
        owner = np.repeat(np.arange(stop - start), last - first)
        found, column, product = products(asked, said, line[start:stop][owner], row)
        whole[start:stop] = sums_of_greatest(owner[found], column, product, stop - start)
        start = stop
    out[several] = np.maximum(whole[back] - covered[several], 0)
    return out


def _fit(stock: Stock, lines: Lines, pairs: Pairs, unnamed: Floats, apart: Floats) -> Floats:
    asked, offered = lines.forms[pairs.line], stock.forms[pairs.row]
    other = (asked > 0) & (offered > 0) & (asked != offered)
    rival = lines.rivals[pairs.line, stock.parties[pairs.row]]
    # Work in place of a machine and no machine named is one thing.
    left: Floats = np.minimum(np.where(other, _OTHER_FORM, np.float32(1)), 1 - unnamed)
    left *= np.where(rival, _RIVAL, np.float32(1))
    _less_what_is_named(stock, lines, pairs, left)
    _less_other_names(stock, lines, pairs, left)
    left *= 1 - _OTHER_NUMBER * apart
    return left


def _less_what_is_named(stock: Stock, lines: Lines, pairs: Pairs, left: Floats) -> None:
    """A text that names just what the line rules out, and does not rule it out itself, loses by it."""
    for line in lines.ruled_out:
        phrase = words.ruled_out(lines.needs[line].text)
        start, stop = np.searchsorted(pairs.line, [line, line + 1])
        for place in range(start, stop):
            text = stock.texts[pairs.row[place]].text
            if names(text, phrase):
                left[place] *= _RULED_OUT if is_called(text, phrase) else _NAMED_OUT


def _less_other_names(stock: Stock, lines: Lines, pairs: Pairs, left: Floats) -> None:
    """A text that says the one name of a line only of something else loses by it."""
    for line, name in lines.names.items():
        start, stop = np.searchsorted(pairs.line, [line, line + 1])
        for place in range(start, stop):
            if names_another(stock.texts[pairs.row[place]].text, name):
                left[place] *= _OTHER_NAME


def _headless(stock: Stock, lines: Lines, pairs: Pairs) -> Floats:
    """What is lost where texts in the language of their line mention what it says around its noun, but are not about
    that thing."""
    heads = lines.heads
    out = np.zeros(len(pairs), np.float32)
    place = heads.place[pairs.line]
    own = np.flatnonzero((place >= 0) & (lines.chinese[pairs.line] == stock.chinese[pairs.row]))
    if not len(own):
        return out
    of_another = np.zeros(len(pairs), np.bool_)
    of_another[own] = _are_of_what_stands_before(stock, heads, place[own], pairs.row[own])
    said = stock.with_counts(stock.saturated)
    is_said = dots(heads.tokens, said, Pairs(place[own], pairs.row[own])) > 0
    for at in own[is_said & of_another[own]].tolist():
        if not is_offered(stock.texts[pairs.row[at]].text, heads.nouns[place[at]]):
            out[at] = _BESIDE
    own = own[~is_said]
    if len(own):
        own = own[dots(lines.cover, said, Pairs(pairs.line[own], pairs.row[own])) > _MENTIONED]
        near = cosines(heads.vectors, stock.vectors, Pairs(place[own], pairs.row[own]))
        unlike = np.clip((_LIKE - near) / (_LIKE - _UNLIKE), 0, 1)
        out[own] = np.where(of_another[own], _NAMED_BEFORE, unlike * _UNNAMED)
    return out


def _are_of_what_stands_before(
    stock: Stock, heads: Heads, place: Ints, row: Ints
) -> npt.NDArray[np.bool_]:
    """Whether the noun of each text stands before that of its line: the blade where a mould for blades is asked for."""
    names = stock.noun_names
    different, back = np.unique(place * len(names) + stock.nouns[row], return_inverse=True)
    found = [
        bool(names[noun]) and names[noun] in heads.before[head]
        for head, noun in zip(
            *(part.tolist() for part in np.divmod(different, len(names))), strict=True
        )
    ]
    return np.array(found, np.bool_)[back]


@lru_cache(maxsize=50_000)
def names(text: str, phrase: str) -> bool:
    """Whether a text says all that a phrase says, and says it of itself.

    Examples
    --------
    >>> names("港机仿制备件", "仿制"), names("无偶氮染料", "偶氮"), names("Printing service bureau", "printing services")
    (True, False, True)
    """
    said, asked = words.normalise(words.asserted(text)), words.normalise(phrase)
    # One sign says something only where it is all that is ruled out: lead, salt.
    runs = [run for run in words.han_runs(asked) if len(run) > 1 or run == asked.strip()]
    if runs:
        return all(_free(run).search(said) for run in runs)
    wanted = [word for word in words.words(asked) if word not in _POLITE]
    return bool(wanted) and {*wanted} <= {*words.words(said)}


@lru_cache(maxsize=512)
def _free(run: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![无免非不零])(?<!不含){re.escape(run)}")


def objections(
    stock: Stock, lines: Lines, line: int, rows: Ints, unnamed: Floats, apart: Floats
) -> list[Objections]:
    """What has taken points from the pairs of a line, to be told as reasons; the last two are those of `Features`."""
    # Of most texts it is known by columns alone that nothing speaks against them.
    form, offered = lines.forms[line], stock.forms[rows]
    speak = (form > 0) & (offered > 0) & (offered != form)
    speak |= lines.rivals[line, stock.parties[rows]]
    numbers = may_contradict(lines.figures, line, apart)
    # Many at once come out a little otherwise than one alone, by which it is told.
    headless = unnamed > _UNNAMED_TOLD - _ROUNDING
    speak |= numbers | headless
    if line in lines.purposes:
        asked, use = lines.purposes[line]
        speak |= stock.vectors[rows] @ (use - asked) > PURPOSE_LEAD - _ROUNDING
    if line in lines.ruled_out or line in lines.names:
        speak[:] = True
    return [
        _objections(stock, lines, line, *one) if speaks else NO_OBJECTIONS
        for speaks, *one in zip(
            speak.tolist(), rows.tolist(), headless.tolist(), numbers.tolist(), strict=True
        )
    ]


def _objections(
    stock: Stock, lines: Lines, line: int, row: int, may_be_unnamed: bool, may_contradict: bool
) -> Objections:
    text = lines.needs[line].text
    ruled_out, purpose = "", ""
    if line in lines.ruled_out:
        phrase, offered = words.ruled_out(text), stock.texts[row].text
        near = 0 if words.ruled_out(offered) else float(stock.vectors[row] @ lines.ruled_out[line])
        ruled_out = phrase if near > FOREIGN + _TOLD or names(offered, phrase) else ""
    if line in lines.purposes:
        asked, use = lines.purposes[line]
        nearer = float(stock.vectors[row] @ (use - asked))
        purpose = reading.aim(words.asserted(text))[1] if nearer > PURPOSE_LEAD else ""
    form, party = int(lines.forms[line]), int(stock.parties[row])
    other = form > 0 and stock.forms[row] > 0 and stock.forms[row] != form
    rival = bool(lines.rivals[line, party])
    if rival and reading.PARTIES[party] == "taker" and reading.maker_only(text):
        ruled_out, rival = ruled_out or reading.maker_only(text), False
    unnamed, beside = _headless_told(stock, lines, line, row) if may_be_unnamed else ("", "")
    return Objections(
        ruled_out,
        purpose,
        reading.FORMS[stock.forms[row]] if other else "",
        ("buyer" if party else "seller") if rival else "",
        bool(purpose and reading.gist(words.asserted(text))[1]),
        _contradiction(stock, lines, line, row) if may_contradict else None,
        _beside(stock, lines, line, row) or beside,
        unnamed,
    )


def _beside(stock: Stock, lines: Lines, line: int, row: int) -> str:
    name = lines.names.get(line, "")
    return name if name and names_another(stock.texts[row].text, name) else ""


def _headless_told(stock: Stock, lines: Lines, line: int, row: int) -> tuple[str, str]:
    """The noun of a line that a text does not say, or says only beside its own."""
    (lost,) = _headless(stock, lines, Pairs(np.array([line]), np.array([row])))
    if lost <= _UNNAMED_TOLD:
        return "", ""
    noun = head_told(lines.needs[line].text, stock.texts[row].text)
    return ("", noun) if lost == _BESIDE else (noun, "")


def _contradiction(stock: Stock, lines: Lines, line: int, row: int) -> tuple[str, str] | None:
    asked, offered = lines.figures, stock.figures
    found = contradiction(asked, line, offered, row)
    if found is None:
        return None
    said = reading.aim(words.asserted(lines.needs[line].text))[0]
    return asked.written(found[0], said), offered.written(found[1], stock.texts[row].text)
