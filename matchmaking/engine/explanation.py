"""Why a pair scored as it did, as codes with parameters, never prose: pages turn them into the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, NamedTuple, TypeVar

from matchmaking.engine.features import NO_OBJECTIONS, Objections
from matchmaking.engine.highlight import (
    Edges,
    says_something,
    telling_keys,
    telling_words,
    tokenise,
    without_count,
)
from matchmaking.engine.locality import Nearness, steps
from matchmaking.engine.text import as_written, han_runs, normalise, roots
from matchmaking.engine.types import (
    Need,
    Offer,
    OfferText,
    Outcome,
    Part,
    Reason,
    Tone,
    reason,
)

T = TypeVar("T")

# Facts that decide a condition: kind, then how it ended.
_ENDINGS = {
    "certification": ("met", "stated", "unknown"),
    "qualification": ("met", "stated", "unknown"),
    "region": ("met", "unknown", "missed"),
    "distance": ("met", "unknown", "missed"),
    "capacity": ("met", "unknown", "unlike", "missed"),
    "lead_time": ("met", "unknown", "missed"),
    "sample_time": ("met", "unknown", "missed"),
    "cooperation": ("met", "unknown", "missed"),
    "origin": ("met", "unknown", "missed"),
}
CONDITION_CODES = tuple(
    f"{kind}.{ending}" for kind, endings in _ENDINGS.items() for ending in endings
)
TEXT_CODES = (
    "text.terms", "text.bridged", "text.akin", "text.elsewhere", "text.meaning",
    "text.ruled_out", "text.seller", "text.buyer", "text.service", "text.machine", "text.profile", "text.purpose",
    "text.number", "text.beside", "text.unnamed",
)  # fmt: skip
CATEGORY_CODES = (
    "category.same", "category.near", "category.parent", "category.also", "category.chain", "category.other",
    "category.same_read", "category.near_read", "category.parent_read", "category.also_read", "category.chain_read",
    "category.other_read",
)  # fmt: skip
LOCALITY_CODES = (
    "locality.county", "locality.city", "locality.province", "locality.group", "locality.distance", "locality.unknown",
)  # fmt: skip
RAISE_CODES = (
    "raise.certification", "raise.qualification", "raise.verify_certification", "raise.verify_qualification",
    "raise.capacity", "raise.capacity_unit", "raise.lead_time", "raise.sample_time", "raise.cooperation", "raise.origin",
    "raise.meet_capacity", "raise.meet_lead_time", "raise.meet_sample_time", "raise.meet_cooperation",
    "raise.category", "raise.place", "raise.stock", "raise.language",
)  # fmt: skip
CODES = (*TEXT_CODES, *CATEGORY_CODES, *LOCALITY_CODES, *CONDITION_CODES, *RAISE_CODES)

# At most so many of each tone are kept; together ten, so that a year of scores stays small.
KEPT: Mapping[Tone, int] = {"for": 4, "open": 2, "against": 2, "raise": 2}
SHOWN = 4

_CATEGORY_NEAR = 0.6  # share of the category's points from which a neighbour speaks for a pair
_CATEGORY_FAR = 0.4  # and under which another category speaks against it
_MEANING = 0.5
_NEAR_KM = 50.0
_WORTH_TENTHS = 10  # advice for less than a point is noise
_OF_GOODS = frozenset({"enterprise"})
TERMS_SHOWN = 3
_LONGEST_TERM = 40
_LONGEST_PHRASE = 60


@dataclass(frozen=True, slots=True)
class Wording:
    """A need as its words are looked for: normalised, its Chinese runs, its Latin words as written, by stem, and what
    such words begin with.

    Each run stands with its pairs of neighbours: less than two characters say nothing.
    """

    text: str
    runs: tuple[tuple[str, tuple[str, ...]], ...]
    words: Mapping[str, str]
    roots: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Wording:
        written = as_written(text)
        folded = written.lower()
        if len(written) != len(folded):  # a rare letter that is longer in lower case
            written = folded
        words: dict[str, str] = {}
        for key, start, end in telling_words(folded):
            words.setdefault(key, written[start:end])
        runs = [(run, tuple(map("".join, pairwise(run)))) for run in han_runs(folded)]
        begin = tuple([root for stem in words for root in roots(stem)])
        return cls(f" {folded}", tuple(runs), words, begin)


class Answer:
    """A text of an offer as words are looked for in it: normalised, and the stems of its Latin words.

    Both are kept once they are asked for; many lines ask for one of them alone.
    """

    __slots__ = ("_folded", "_words", "said")

    def __init__(self, said: str) -> None:
        self.said = said
        self._folded = ""
        self._words: frozenset[str] | None = None

    @property
    def text(self) -> str:
        if not self._folded:
            self._folded = f" {normalise(self.said)}"
        return self._folded

    @property
    def words(self) -> frozenset[str]:
        if self._words is None:
            self._words = telling_keys(self.text)
        return self._words


class Bridge(NamedTuple):
    """A word of the need and one of the offer, in the other language, that belong to one category.

    `same` when each is what the category is called, so that they mean the same and do not only stand near.
    """

    asked: str
    offered: str
    same: bool


class Agreement(NamedTuple):
    """What the two texts share, before it is put into reasons."""

    terms: tuple[str, ...] = ()
    bridge: Bridge | None = None
    need_leaf: str = ""
    offer_leaf: str = ""
    parent: str = ""
    level: str = ""  # leaf, parent, chain; empty when not even the chain is shared
    elsewhere: tuple[str, ...] = ()  # words of the need that only other texts of the supplier use
    objections: Objections = NO_OBJECTIONS


def shared_terms(need: Wording, offer: Answer, edges: Edges) -> tuple[str, ...]:
    """Words both texts use, the longest first; `edges` tell words from parts of words.

    >>> shared_terms(Wording.of("采购三分体接线盒 IP68"), Answer("IP68 接线盒，三分体"), Edges([]))
    ('三分体', '接线盒', 'IP68')
    """
    found: dict[str, int] = {}
    text = offer.text
    if need.runs and not offer.said.isascii():
        for phrase in _common_phrases(need.runs, text, edges):
            if thing := _thing(phrase):
                found[thing] = 2 * len(thing)
    # Finding the words of a text costs much more than seeing that none of these is among them.
    if any(root in text for root in need.roots):
        for stem, written in need.words.items():
            if stem in offer.words:
                found[written] = len(written)
    if not found:
        return ()
    # A dictionary keeps its order, and sorting keeps the order of equals: the need's own words decide.
    best = sorted(found, key=found.__getitem__, reverse=True)[:TERMS_SHOWN]
    return tuple([phrase[:_LONGEST_TERM] for phrase in best])


# One line meets the same phrases in supplier after supplier.
@lru_cache(maxsize=4096)
def _thing(phrase: str) -> str:
    """What a phrase names; empty for one that says nothing alone."""
    return without_count(phrase) if says_something(tokenise(phrase)) else ""


def _common_phrases(
    runs: Sequence[tuple[str, Sequence[str]]], other: str, edges: Edges
) -> list[str]:
    found = []
    for run, pairs in runs:
        end = 0
        for start, pair in enumerate(pairs):
            if start < end or pair not in other:
                continue
            end = start + 2
            while end < len(run) and run[start : end + 1] in other:
                end += 1
            phrase = run[start:end]
            if not edges.has(phrase):
                at = other.index(phrase)
                left, right = edges.cut((run, start, end), (other, at, at + len(phrase)))
                phrase = phrase[left : len(phrase) - right]
            found.append(phrase)
    return found


@dataclass(frozen=True, slots=True)
class Shore:
    """Words of one category that a need says, each language with the words of the other that would answer it."""

    sides: tuple[tuple[str, Sequence[str], Sequence[str]], ...]
    same: Collection[tuple[str, str]]

    @classmethod
    def of(
        cls,
        need: Wording,
        words: Mapping[str, Sequence[str]],
        same: Collection[tuple[str, str]] = (),
    ) -> Shore:
        """`words` as `bridgeable` gives them; `same` are pairs (Chinese, English) that mean the same."""
        sides = (
            (mine, _standing_in(words[mine], need.text), words[theirs])
            for mine, theirs in (("zh", "en"), ("en", "zh"))
        )
        return cls(tuple(side for side in sides if side[1]), same)

    def bridge(self, offer: Answer) -> Bridge | None:
        """A word of the need and one of the other language in the offer: of several those that mean the same, else
        the longest."""
        for mine, asked, words in self.sides:
            offered = _standing_in(words, offer.text)
            if not offered:
                continue
            for pair in product(asked, offered):
                if (pair if mine == "zh" else pair[::-1]) in self.same:
                    return Bridge(pair[0][:_LONGEST_TERM], pair[1][:_LONGEST_TERM], same=True)
            return Bridge(asked[0][:_LONGEST_TERM], offered[0][:_LONGEST_TERM], same=False)
        return None


def bridgeable(terms: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """The words of a category by language as they are looked for: normalised, whole words in English, the longest first."""
    return {
        language: tuple(
            f" {word}" if word[0].isascii() else word
            for word in sorted(
                set(map(normalise, words)), key=lambda word: (len(word), word), reverse=True
            )
            if len(word) > 1
        )
        for language, words in terms.items()
    }


def _standing_in(words: Sequence[str], text: str) -> list[str]:
    return [word.lstrip() for word in words if word in text]


class Once(dict[tuple[Any, ...], T]):
    """What a function says of its arguments, asked of it once."""

    def __init__(self, tell: Callable[..., T]) -> None:
        self._tell = tell

    def __missing__(self, arguments: tuple[Any, ...]) -> T:
        found = self[arguments] = self._tell(*arguments)
        return found


class Telling:
    """One line as its pairs are told of.

    They have much in common, and little with those of another line: what was put into words is kept as long as the
    line is.
    """

    def __init__(self, need: Need) -> None:
        self.need = need
        self.county = steps(need.place)[2]
        self.read = "" if need.category else "_read"
        self._fared = Once(fared)
        self._of_text = Once(_of_text)
        self._between = Once(_between)
        self._stock = Once(_stock)

    def explain(
        self,
        offer: Offer,
        text: OfferText,
        parts: Sequence[Part],
        outcomes: tuple[Outcome, ...],
        near: Nearness,
        agreement: Agreement,
    ) -> tuple[Reason, ...]:
        """The reasons of one pair: for, open, against, and what would raise the score."""
        terms, bridge, asked, offered, parent, level, elsewhere, objections = agreement
        of_text, of_category, _conditions, _locality = parts
        met, unproven, missed, proofs, tells_way = self._fared[outcomes]
        category: tuple[Reason, ...] = ()
        if asked and offered:
            share = _share(of_category)
            is_near, is_far = share >= _CATEGORY_NEAR, share < _CATEGORY_FAR
            category = self._between[asked, offered, level, parent, is_near, is_far, self.read]
        is_alike = _share(of_text) >= _MEANING
        speaks_for = self._of_text[terms, bridge, asked, elsewhere, is_alike] + met
        if category and category[0].tone == "for":
            speaks_for, category = category + speaks_for, ()
        against = category + missed
        objection = None if objections is NO_OBJECTIONS else _objection(objections)
        if objection is not None:
            # Two of a tone are kept: a must that is missed may not give way to a category beside it.
            against = (objection, *missed, *category)
        place = _of_place(self.need, offer, near, told=tells_way)
        if near.share is None:
            unproven += place
        else:
            speaks_for += place
        advice = [*proofs, *self._advice_on_parts(offer, text, parts, near)]
        if len(advice) > 1:
            # A must that is missed weighs more than its points: until it is met the pair stands below all others.
            advice.sort(key=_weight_of_advice)
        return kept(speaks_for, unproven, against, advice)

    def _advice_on_parts(
        self, offer: Offer, text: OfferText, parts: Sequence[Part], near: Nearness
    ) -> list[Reason]:
        """What the supplier could do."""
        need = self.need
        _text, of_category, _conditions, of_locality = parts
        advice = []
        lacking = of_category.max_tenths - of_category.tenths
        if need.category and not text.categories and lacking >= _WORTH_TENTHS:
            advice.append(reason("raise.category", "raise", category=need.category, tenths=lacking))
        lacking = of_locality.max_tenths - of_locality.tenths
        if near.share is None:
            if need.place.regions and not offer.place.regions:
                advice.append(reason("raise.place", "raise"))
        # Who lends or teaches has nothing to store.
        elif (
            lacking >= _WORTH_TENTHS
            and self.county
            and near.level != "county"
            and offer.kind in _OF_GOODS
        ):
            advice.append(self._stock[self.county, lacking])
        spoken = need.language in ("", text.language)
        if not spoken and need.language not in [other.language for other in offer.texts]:
            advice.append(reason("raise.language", "raise", language=need.language))
        return advice


def _share(part: Part) -> float:
    return part.tenths / part.max_tenths if part.max_tenths else 0.0


def kept(
    speaks_for: Sequence[Reason],
    is_open: Sequence[Reason],
    against: Sequence[Reason],
    advice: Sequence[Reason],
) -> tuple[Reason, ...]:
    """The first few of each tone."""
    return (
        *speaks_for[: KEPT["for"]],
        *is_open[: KEPT["open"]],
        *against[: KEPT["against"]],
        *advice[: KEPT["raise"]],
    )


def shortlist(
    reasons: Sequence[Reason], *, advice: bool = False, shown: int = SHOWN
) -> list[Reason]:
    """What a card has room for: something of every tone there is, then more of what speaks for the pair.

    `advice` adds what would raise the score, for the supplier's own pages.
    """
    tones: list[Tone] = ["against", "open", *(["raise"] if advice else []), "for"]  # type: ignore[list-item]
    chosen = [
        next(r for r in reasons if r.tone == tone)
        for tone in tones
        if any(r.tone == tone for r in reasons)
    ]
    room = shown - len(chosen)
    for one in reasons:
        if room > 0 and one.tone in tones and one not in chosen:
            chosen.append(one)
            room -= 1
    return [one for one in reasons if one in chosen][:shown]


def _objection(found: Objections) -> Reason | None:
    """First among what speaks against a pair: nothing a supplier could add makes up for it. Only one is told."""
    if found.ruled_out:
        return reason("text.ruled_out", "against", phrase=found.ruled_out[:_LONGEST_PHRASE])
    if role := found.party or found.form:
        return reason(f"text.{role}", "against")
    for code, phrase in (("text.beside", found.beside), ("text.unnamed", found.unnamed)):
        if phrase:
            return reason(code, "against", phrase=phrase)
    if found.profile:
        return reason("text.profile", "against")
    if found.purpose:
        return reason("text.purpose", "against", phrase=found.purpose[:_LONGEST_PHRASE])
    if found.numbers:
        asked, offered = (said[:_LONGEST_TERM] for said in found.numbers)
        return reason("text.number", "against", asked=asked, offered=offered)
    return None


def _of_text(
    terms: tuple[str, ...],
    bridge: Bridge | None,
    leaf: str,
    elsewhere: tuple[str, ...],
    is_alike: bool,
) -> tuple[Reason, ...]:
    told = []
    if bridge:
        told.append(_of_bridge(bridge, leaf))
    if terms:
        told.append(_of_terms("text.terms", terms))
    if elsewhere:
        told.append(_of_terms("text.elsewhere", elsewhere))
    if not bridge and not terms and is_alike:
        told.append(Reason("text.meaning", "for"))
    return tuple(told)


def _of_bridge(found: Bridge, leaf: str) -> Reason:
    both = {"asked": found.asked, "offered": found.offered}
    if found.same:
        return Reason("text.bridged", "for", both)
    return Reason("text.akin", "for", {**both, "category": leaf})


def _of_terms(code: str, terms: tuple[str, ...]) -> Reason:
    return Reason(code, "for", {"terms": list(terms)})


def _between(
    asked: str, offered: str, level: str, parent: str, is_near: bool, is_far: bool, read: str
) -> tuple[Reason]:
    """`read` marks the codes where nobody has named the line's category: it is what its words read like."""
    both = {"asked": asked, "offered": offered}
    if level == "leaf":
        return (Reason(f"category.same{read}", "for", {"category": asked}),)
    if level == "parent" and is_near:
        return (Reason(f"category.near{read}", "for", both),)
    if level == "parent":
        return (Reason(f"category.parent{read}", "against", {**both, "parent": parent}),)
    if is_far:
        code = "category.chain" if level == "chain" else "category.other"
        return (Reason(f"{code}{read}", "against", both),)
    # Its points come from the line's own words, which speak of more than the one category.
    return (Reason(f"category.also{read}", "for", both),)


class Fared(NamedTuple):
    """How the conditions of a line fared with a pair, a must first, and what would prove or meet them."""

    met: tuple[Reason, ...]
    unproven: tuple[Reason, ...]
    missed: tuple[Reason, ...]
    advice: tuple[Reason, ...]
    tells_way: bool  # one of them says how far it is


def fared(*outcomes: Outcome) -> Fared:
    told = [
        (one.verdict, one.fact)
        for one in sorted(outcomes, key=_musts_first)
        if one.fact is not None
    ]
    return Fared(
        tuple([fact for verdict, fact in told if verdict == "met"]),
        tuple([fact for verdict, fact in told if verdict == "unproven"]),
        tuple([fact for verdict, fact in told if verdict == "missed"]),
        tuple([proof for one in outcomes if (proof := _proof(one)) is not None]),
        "distance" in [one.kind for one in outcomes],
    )


def _musts_first(outcome: Outcome) -> tuple[bool, int]:
    return outcome.strength != "must", outcome.condition


def _proof(outcome: Outcome) -> Reason | None:
    """What would prove or meet a condition, for all the points it would give; None where nothing can be done about it,
    or its points are not those of the conditions."""
    fact = outcome.fact
    if outcome.verdict == "met" or outcome.counted_in != "conditions" or fact is None:
        return None
    if outcome.verdict == "missed":
        code, params = f"raise.meet_{outcome.kind}", {**fact.params, "tenths": outcome.max_tenths}
        return Reason(code, "raise", params) if code in RAISE_CODES else None
    params = {name: one for name, one in fact.params.items() if name != "strength"}
    ending = fact.code.rpartition(".")[2]
    code = {"stated": f"verify_{outcome.kind}", "unlike": "capacity_unit"}.get(ending, outcome.kind)
    return Reason(f"raise.{code}", "raise", {**params, "tenths": outcome.max_tenths})


def _of_place(need: Need, offer: Offer, near: Nearness, *, told: bool) -> tuple[Reason, ...]:
    """`told` when a condition says already how far it is."""
    share, level, region, km, about = near
    if share is None:
        unknown = need.place.regions and not offer.place.regions
        return (reason("locality.unknown", "open"),) if unknown else ()
    if level:
        return _nearby(level, region, None if told or km is None else round(km, 1), about)
    if told or km is None or km > _NEAR_KM:
        return ()
    return _nearby("distance", "", round(km, 1), about)


def _nearby(level: str, region: str, km: float | None, about: bool) -> tuple[Reason]:
    way = {} if km is None else {"km": km, "about": about}
    return (Reason(f"locality.{level}", "for", {"region": region, **way} if region else way),)


def _stock(county: str, tenths: int) -> Reason:
    return Reason("raise.stock", "raise", {"region": county, "tenths": tenths})


def _weight_of_advice(one: Reason) -> tuple[bool, int]:
    return one.params.get("strength") != "must", -one.params.get("tenths", 0)
