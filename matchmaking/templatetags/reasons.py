"""Scores in words: a Reason becomes a sentence in the reader's language, aligned words become marks.

Reasons are codes with parameters, as the engine gives them or as a Score keeps them (plain mappings).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django import template
from django.db.models import Value
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from chains.models import (
    Category,
    CertificationKind,
    Condition,
    CooperationKind,
    QualificationKind,
    Region,
    RegionGroup,
    Unit,
)
from chains.templatetags.localised import is_chinese, lang, number, points
from chains.templatetags.page import country, icon
from matchmaking.engine import explanation
from matchmaking.engine.highlight import Aligned, Span
from matchmaking.engine.types import Outcome, Part, Reason
from matchmaking.services.interests import Asked

register = template.Library()

# Every code of the engine has its sentence here; a test compares the two lists.
SENTENCES: dict[str, Promise] = {
    "text.terms": gettext_lazy("Both texts say %(terms)s"),
    "text.bridged": gettext_lazy("“%(asked)s” and “%(offered)s” mean the same"),
    "text.akin": gettext_lazy("“%(asked)s” and “%(offered)s” both belong to %(category)s"),
    "text.ruled_out": gettext_lazy("The line rules out %(phrase)s, and this text is about it"),
    "text.seller": gettext_lazy("Offers it too: the line seeks somebody who takes it"),
    "text.buyer": gettext_lazy("Looks for it too: the line seeks somebody who offers it"),
    "text.service": gettext_lazy("Offers a service for it, not the machine"),
    "text.machine": gettext_lazy("Offers the machine, not the service"),
    "text.purpose": gettext_lazy(
        "Nearer to what it is for, %(phrase)s, than to what is asked"
    ),
    "text.beside": gettext_lazy("Says %(phrase)s only of something else"),
    "text.unnamed": gettext_lazy("Does not name %(phrase)s"),
    "text.profile": gettext_lazy("Nearer to what the line tells of its author than to what it asks for"),
    "text.number": gettext_lazy("Asked for is %(asked)s, this text says %(offered)s"),
    "text.elsewhere": gettext_lazy("Other texts of the supplier say %(terms)s"),
    "text.meaning": gettext_lazy("The two texts are close in meaning"),
    "category.same": gettext_lazy("Same category: %(category)s"),
    "category.near": gettext_lazy("Neighbouring category: offers %(offered)s, asked for %(asked)s"),
    "category.parent": gettext_lazy("Category only on the parent level: %(parent)s"),
    "category.chain": gettext_lazy(
        "Same chain, other category: offers %(offered)s, asked for %(asked)s"
    ),
    "category.other": gettext_lazy("Other category: offers %(offered)s, asked for %(asked)s"),
    "category.also": gettext_lazy("Asked for %(asked)s; the two texts also read like %(offered)s"),
    "category.same_read": gettext_lazy("Both texts read like the same category: %(category)s"),
    "category.near_read": gettext_lazy("Neighbouring category: offers %(offered)s, the line reads like %(asked)s"),
    "category.parent_read": gettext_lazy("The line reads like %(asked)s: category only on the parent level, %(parent)s"),
    "category.also_read": gettext_lazy("The line reads like %(asked)s; the two texts also read like %(offered)s"),
    "category.chain_read": gettext_lazy("Same chain, other category: offers %(offered)s, the line reads like %(asked)s"),
    "category.other_read": gettext_lazy("Other category: offers %(offered)s, the line reads like %(asked)s"),
    "locality.county": gettext_lazy("Same county: %(region)s%(way)s"),
    "locality.city": gettext_lazy("Same city: %(region)s%(way)s"),
    "locality.province": gettext_lazy("Same province: %(region)s%(way)s"),
    "locality.group": gettext_lazy("Both in %(region)s%(way)s"),
    "locality.distance": gettext_lazy("%(km)s away"),
    "locality.unknown": gettext_lazy("The supplier's place is not stated"),
    "certification.met": gettext_lazy("%(strength)s: %(code)s, verified"),
    "certification.stated": gettext_lazy("%(strength)s: %(code)s is stated, not yet verified"),
    "certification.unknown": gettext_lazy("%(strength)s: %(codes)s, none on file"),
    "qualification.met": gettext_lazy("%(strength)s: %(code)s, verified"),
    "qualification.stated": gettext_lazy("%(strength)s: %(code)s is stated, not yet verified"),
    "qualification.unknown": gettext_lazy("%(strength)s: %(codes)s, none on file"),
    "region.met": gettext_lazy("%(strength)s: in %(region)s, as asked"),
    "region.unknown": gettext_lazy("%(strength)s: in %(codes)s; the supplier's place is not known so exactly"),
    "region.missed": gettext_lazy("%(strength)s: in %(codes)s; the supplier is in %(place)s"),
    "distance.met": gettext_lazy("%(strength)s: within %(asked)s; it is %(km)s"),
    "distance.unknown": gettext_lazy("%(strength)s: within %(asked)s; the distance is not known"),
    "distance.missed": gettext_lazy("%(strength)s: within %(asked)s; it is %(km)s, too far"),
    "capacity.met": gettext_lazy("%(strength)s: capacity of %(asked)s; states %(value)s"),
    "capacity.unknown": gettext_lazy("%(strength)s: capacity of %(asked)s; none is stated"),
    "capacity.unlike": gettext_lazy(
        "%(strength)s: capacity of %(asked)s; states %(value)s, which cannot be compared"
    ),
    "capacity.missed": gettext_lazy("%(strength)s: capacity of %(asked)s; states only %(value)s"),
    "lead_time.met": gettext_lazy("%(strength)s: delivery in %(asked)s; states %(days)s"),
    "lead_time.unknown": gettext_lazy("%(strength)s: delivery in %(asked)s; none is stated"),
    "lead_time.missed": gettext_lazy("%(strength)s: delivery in %(asked)s; states %(days)s, too long"),
    "sample_time.met": gettext_lazy("%(strength)s: samples in %(asked)s; states %(days)s"),
    "sample_time.unknown": gettext_lazy("%(strength)s: samples in %(asked)s; none is stated"),
    "sample_time.missed": gettext_lazy("%(strength)s: samples in %(asked)s; states %(days)s, too long"),
    "cooperation.met": gettext_lazy("%(strength)s: offers %(code)s"),
    "cooperation.unknown": gettext_lazy("%(strength)s: %(codes)s; no kind of cooperation is stated"),
    "cooperation.missed": gettext_lazy("%(strength)s: %(codes)s; other kinds are stated"),
    "origin.met": gettext_lazy("%(strength)s: from %(country)s"),
    "origin.unknown": gettext_lazy("%(strength)s: from %(codes)s; the country is not stated"),
    "origin.missed": gettext_lazy("%(strength)s: from %(codes)s; this supplier is from %(country)s"),
    "raise.certification": gettext_lazy("State %(codes)s and have it verified%(gain)s"),
    "raise.qualification": gettext_lazy("State %(codes)s and have it verified%(gain)s"),
    "raise.verify_certification": gettext_lazy("Have %(code)s verified%(gain)s"),
    "raise.verify_qualification": gettext_lazy("Have %(code)s verified%(gain)s"),
    "raise.capacity": gettext_lazy("State a capacity of %(asked)s or more%(gain)s"),
    "raise.capacity_unit": gettext_lazy("State the capacity in a unit like %(asked_unit)s%(gain)s"),
    "raise.lead_time": gettext_lazy("State a lead time of %(asked)s or less%(gain)s"),
    "raise.sample_time": gettext_lazy("State a sample time of %(asked)s or less%(gain)s"),
    "raise.cooperation": gettext_lazy("State whether %(codes)s is offered%(gain)s"),
    "raise.origin": gettext_lazy("State the country%(gain)s"),
    "raise.meet_capacity": gettext_lazy("%(strength)s: reach a capacity of %(asked)s%(gain)s"),
    "raise.meet_lead_time": gettext_lazy("%(strength)s: deliver in %(asked)s or less%(gain)s"),
    "raise.meet_sample_time": gettext_lazy("%(strength)s: send samples in %(asked)s or less%(gain)s"),
    "raise.meet_cooperation": gettext_lazy("%(strength)s: offer %(codes)s%(gain)s"),
    "raise.category": gettext_lazy("Choose the category %(category)s for the capability%(gain)s"),
    "raise.place": gettext_lazy("State the county of the enterprise"),
    "raise.stock": gettext_lazy("Offer stock in %(region)s%(gain)s"),
    "raise.language": gettext_lazy("Add a text in %(language)s"),
}  # fmt: skip

# What is known of a condition, without repeating what was asked.
FACTS: dict[str, Promise] = {
    "certification.met": gettext_lazy("%(code)s verified"),
    "certification.stated": gettext_lazy("%(code)s stated, not yet verified"),
    "certification.unknown": gettext_lazy("None on file"),
    "qualification.met": gettext_lazy("%(code)s verified"),
    "qualification.stated": gettext_lazy("%(code)s stated, not yet verified"),
    "qualification.unknown": gettext_lazy("None on file"),
    "region.met": gettext_lazy("In %(region)s"),
    "region.unknown": gettext_lazy("Place not known so exactly"),
    "region.missed": gettext_lazy("In %(place)s"),
    "distance.met": gettext_lazy("%(km)s away"),
    "distance.unknown": gettext_lazy("Distance not known"),
    "distance.missed": gettext_lazy("%(km)s away"),
    "capacity.met": gettext_lazy("%(value)s stated"),
    "capacity.unknown": gettext_lazy("Not stated"),
    "capacity.unlike": gettext_lazy("%(value)s stated, cannot be compared"),
    "capacity.missed": gettext_lazy("%(value)s stated"),
    "lead_time.met": gettext_lazy("%(days)s stated"),
    "lead_time.unknown": gettext_lazy("Not stated"),
    "lead_time.missed": gettext_lazy("%(days)s stated"),
    "sample_time.met": gettext_lazy("%(days)s stated"),
    "sample_time.unknown": gettext_lazy("Not stated"),
    "sample_time.missed": gettext_lazy("%(days)s stated"),
    "cooperation.met": gettext_lazy("%(code)s stated"),
    "cooperation.unknown": gettext_lazy("Not stated"),
    "cooperation.missed": gettext_lazy("Other kinds stated"),
    "origin.met": gettext_lazy("From %(country)s"),
    "origin.unknown": gettext_lazy("Not stated"),
    "origin.missed": gettext_lazy("From %(country)s"),
}

HOW_FOUND: dict[str, Promise] = {
    "number": gettext_lazy("same number and unit"),
    "number_bare": gettext_lazy("same number, unit understood"),
    "term": gettext_lazy("same term"),
    "glossary": gettext_lazy("same category, other language"),
    "spelling": gettext_lazy("near spelling"),
}

TONE_WORDS: dict[str, Promise] = {
    "for": pgettext_lazy("reason", "For"),
    "open": pgettext_lazy("reason", "Open"),
    "against": pgettext_lazy("reason", "Against"),
    "raise": pgettext_lazy("reason", "Would raise it"),
}
TONE_ICONS = {
    "for": "circle-check",
    "open": "help-circle",
    "against": "alert-triangle",
    "raise": "bulb",
}
STRENGTHS: dict[str, Promise] = {"must": gettext_lazy("Must"), "prefer": gettext_lazy("Prefer")}
PARTS: dict[str, Promise] = {
    "text": pgettext_lazy("part of a score", "Text"),
    "category": pgettext_lazy("part of a score", "Category"),
    "conditions": pgettext_lazy("part of a score", "Conditions"),
    "locality": pgettext_lazy("part of a score", "Locality"),
}
LEFT_OUT: dict[str, Promise] = {
    "conditions": gettext_lazy("No condition can be computed: its points go to the other parts."),
    "elsewhere": gettext_lazy(
        "What is asked of the place counts in locality: the points of conditions go to the other parts."
    ),
    "locality": gettext_lazy("A place is not known: its points go to the other parts."),
}
# How the supplier is asked for what its profile leaves open, by the kind of the condition.
QUESTIONS: dict[str, Promise] = {
    "certification": gettext_lazy("Do you hold %(asked)s?"),
    "qualification": gettext_lazy("Do you hold this title: %(asked)s?"),
    "region": gettext_lazy("Are you based in %(asked)s?"),
    "distance": gettext_lazy("Are you within %(asked)s of the buyer?"),
    "capacity": gettext_lazy("Can you supply at least %(asked)s?"),
    "lead_time": gettext_lazy("Can you deliver within %(asked)s?"),
    "sample_time": gettext_lazy("Can you send samples within %(asked)s?"),
    "cooperation": gettext_lazy("Do you offer this form of cooperation: %(asked)s?"),
    "origin": gettext_lazy("Are the goods made in %(asked)s?"),
}
LANGUAGES: dict[str, Promise] = {"zh": gettext_lazy("Chinese"), "en": gettext_lazy("English")}

# English units that change in the plural; measures (kg, m²) do not.
_PLURALS = {
    "piece": "pieces", "set": "sets", "unit": "units", "sheet": "sheets", "each": "pieces", "pair": "pairs",
    "roll": "rolls", "box": "boxes", "lot": "lots", "item": "items", "wafer": "wafers", "person": "people",
    "hour": "hours", "day": "days",
}  # fmt: skip


@dataclass(slots=True)
class Names:
    """Names of reference rows by code, read in one query and kept for a minute.

    A page shows hundreds of codes of seven tables; no view should have to know which.
    """

    seconds: float = 60.0
    _rows: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    _read_at: float | None = None

    def name(self, noun: str, code: str) -> str:
        """The name in the reader's language; the code itself where it is not known."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > self.seconds:
            self._rows = self._read()
            self._read_at = now
        zh, en = self._rows.get((noun, code), (code, code))
        return zh if is_chinese() else en

    def forget(self) -> None:
        self._read_at = None

    @contextmanager
    def told(self, rows: Mapping[tuple[str, str], tuple[str, str]]) -> Iterator[None]:
        """Names from elsewhere, for a command that reads no database."""
        self._rows, self._read_at = dict(rows), float("inf")
        try:
            yield
        finally:
            self.forget()

    @staticmethod
    def _read() -> dict[tuple[str, str], tuple[str, str]]:
        tables: dict[str, Any] = {
            "category": Category,
            "certification": CertificationKind,
            "qualification": QualificationKind,
            "cooperation": CooperationKind,
            "region": Region,
            "group": RegionGroup,
            "unit": Unit,
        }
        first, *rest = (
            model.objects.order_by()
            .annotate(noun=Value(noun))
            .values_list("noun", "code", "name_zh", "name_en")
            for noun, model in tables.items()
        )
        return {(noun, code): (zh, en) for noun, code, zh, en in first.union(*rest, all=True)}


names = Names()


def _reason(value: Reason | Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    if isinstance(value, Reason):
        return value.code, value.tone, value.params
    return value["code"], value["tone"], value.get("params", {})


def _fields(value: Part | Outcome | Mapping[str, Any], *wanted: str) -> tuple[Any, ...]:
    if isinstance(value, Mapping):
        return tuple(value.get(name) for name in wanted)
    return tuple(getattr(value, name) for name in wanted)


# -- parameters in words --------------------------------------------------------------------------------------------


def _region(code: str) -> str:
    found = names.name("region", code)
    return names.name("group", code) if found == code else found


def _any_of(words: Iterable[str]) -> str:
    return _(" or ").join(words)


def _days(value: float | None) -> str:
    if value is None:
        return "–"
    return ngettext("%(count)s day", "%(count)s days", int(value)) % {"count": number(value)}


def _km(value: float | None, about: bool) -> str:
    if value is None:
        return "–"
    shown = number(round(value) if value >= 10 else round(value, 1))
    return (_("about %(km)s km") if about else _("%(km)s km")) % {"km": shown}


def _a_year(value: float | None, unit: str) -> str:
    """ "500,000 sets a year" · "50 万套/年" """
    if value is None:
        return "–"
    word, amount = names.name("unit", unit), number(value)
    if not is_chinese():
        word = _PLURALS.get(word, word) if value != 1 else word
    elif value >= 10_000 and value % 100 == 0:
        # 万 is written against its unit, digits stand apart from it.
        word, amount = f"万{word}", number(value / 10_000)
    return _("%(amount)s %(unit)s a year") % {"amount": amount, "unit": word}


def _name_of(family: str, code: str) -> str:
    """How a code of a family of reasons is named."""
    if family == "region":
        return _region(code)
    return country(code) if family == "origin" else names.name(family, code)


_Params = Mapping[str, Any]
# How each parameter is written; the first argument is the family of the reason: certification, category, text …
_IN_WORDS: dict[str, Callable[[str, _Params], str]] = {
    "strength": lambda _family, params: str(STRENGTHS.get(params["strength"], params["strength"])),
    "code": lambda family, params: _name_of(family, params["code"]),
    "codes": lambda family, params: _any_of(_name_of(family, one) for one in params["codes"]),
    "phrase": lambda _family, params: _("“%s”") % params["phrase"],
    "terms": lambda _family, params: _("“%s”") % _("”, “").join(params["terms"]),
    "region": lambda _family, params: _region(params["region"]),
    "country": lambda _family, params: country(params["country"]),
    "language": lambda _family, params: str(LANGUAGES.get(params["language"], params["language"])),
    "category": lambda _family, params: names.name("category", params["category"]),
    "parent": lambda _family, params: names.name("category", params["parent"]),
    "days": lambda _family, params: _days(params["days"]),
    "km": lambda _family, params: _km(params["km"], params.get("about", False)),
    "value": lambda _family, params: _a_year(params["value"], params["unit"]),
    "asked": lambda family, params: _ASKED.get(family, _asked_days)(params, "asked"),
    "offered": lambda family, params: _ASKED.get(family, _asked_days)(params, "offered"),
    "asked_unit": lambda _family, params: names.name("unit", params["asked_unit"]),
}


def _asked_days(params: _Params, name: str) -> str:
    return _days(params[name])


# What was asked is a number of days, unless the family says otherwise.
_ASKED: dict[str, Callable[[_Params, str], str]] = {
    "category": lambda params, name: names.name("category", params[name]),
    "text": lambda params, name: str(params[name]),
    "distance": lambda params, name: _km(params[name], about=False),
    "capacity": lambda params, name: _a_year(params[name], params["asked_unit"]),
    "capacity_unit": lambda params, name: _a_year(params[name], params["asked_unit"]),
}


def _values(code: str, params: _Params) -> dict[str, str]:
    """All parameters of a reason in words; one that a sentence does not use does no harm."""
    head, _dot, tail = code.partition(".")
    # Advice names the family last: raise.verify_certification.
    family = tail.removeprefix("verify_") if head == "raise" else head
    out = {name: _IN_WORDS[name](family, params) for name in params if name in _IN_WORDS}
    out["place"] = out.get("region") or out.get("country", "")
    out["way"] = _(", %(km)s") % {"km": out["km"]} if "km" in out else ""
    tenths = params.get("tenths")
    out["gain"] = _(": up to %(points)s points") % {"points": points(tenths)} if tenths else ""
    return out


def _told(sentences: Mapping[str, Promise], code: str, params: Mapping[str, Any]) -> str:
    # A score outlives the engine that made it: a code that is gone is shown as it is, the page stays up.
    if code not in sentences:
        return code
    return str(sentences[code]) % _values(code, params)


# -- filters --------------------------------------------------------------------------------------------------------


@register.filter
def sentence(reason: Reason | Mapping[str, Any]) -> str:
    """A reason in the reader's language."""
    code, _tone, params = _reason(reason)
    return _told(SENTENCES, code, params)


@register.filter
def fact(outcome: Outcome | Mapping[str, Any]) -> str:
    """What is known of a condition: "CQC verified", "Not stated"."""
    (found,) = _fields(outcome, "fact")
    if not found:
        return ""
    code, _tone, params = _reason(found)
    return _told(FACTS, code, params)


@register.filter
def asked(condition: Condition, language: str) -> SafeString:
    """What a condition asks: as it was typed, and for a reader of the other language as it was understood."""
    if _is_understood(condition, language):
        return escape(_understood(condition.kind, condition.parameter))
    return format_html('<span lang="{}">{}</span>', lang(language), condition.text)


def heading(condition: Condition, language: str) -> str:
    """What stands over the answers to a condition in a sheet: how strong it is, its kind, what it asks."""
    words = (
        _understood(condition.kind, condition.parameter)
        if _is_understood(condition, language)
        else condition.text
    )
    if condition.parameter.get("value"):
        words = f"{condition.get_kind_display()} {words}"
    return f"{condition.get_strength_display()}{pgettext('label', ': ')}{words}"


def _is_understood(condition: Condition, language: str) -> bool:
    return (language == "zh") != is_chinese() and bool(condition.parameter)


def _understood(kind: str, parameter: _Params) -> str:
    words = _asked_for(kind, parameter)
    return _("within %(distance)s") % {"distance": words} if kind == "distance" else words


def _asked_for(kind: str, parameter: _Params) -> str:
    """The names, the way, the amount or the days that a condition asks for."""
    if "codes" in parameter:
        return _any_of(_name_of(kind, code) for code in parameter["codes"])
    if kind == "distance":
        return _km(parameter["value"], about=False)
    if kind == "capacity":
        return _a_year(parameter["value"], parameter["unit"])
    return _days(parameter["value"])


@register.filter
def question(asked: Asked) -> str:
    """A question to the supplier in the reader's language; what the buyer wrote itself stays as it was written."""
    if not asked.is_open_point:
        return asked.text
    if asked.parameter and asked.kind in QUESTIONS:
        words = str(QUESTIONS[asked.kind]) % {"asked": _asked_for(asked.kind, asked.parameter)}
    else:
        words = _("Can you meet this, in the buyer's words: “%(text)s”?") % {"text": asked.text}
    if asked.line is None:
        return words
    return _("Line %(number)d: %(sentence)s") % {"number": asked.line, "sentence": words}


@register.simple_tag
def reason_list(
    reasons: Sequence[Reason | Mapping[str, Any]], *, tip: bool = False
) -> SafeString | str:
    """Reasons below each other; `tip` leaves out the words of their tones. A page has dozens: a template for each would
    be a good part of its cost."""
    if not reasons:
        return ""
    items = []
    for code, tone, params in map(_reason, reasons):
        word = "" if tip else f"<b>{escape(TONE_WORDS[tone])}</b> "
        told = escape(_told(SENTENCES, code, params))
        items.append(
            f'<li class="{escape(tone)}">{icon(TONE_ICONS[tone])}<span>{word}{told}</span></li>'
        )
    return mark_safe(f'<ul class="reasons">{"".join(items)}</ul>')  # noqa: S308 -- escaped above


@register.filter
def shortlist(reasons: Sequence[Reason | Mapping[str, Any]], advice: str = "") -> list[Reason]:
    """The four a card has room for; `reasons|shortlist:"advice"` with what would raise the score."""
    read = [Reason(code, tone_, params) for code, tone_, params in map(_reason, reasons)]  # type: ignore[arg-type]
    return explanation.shortlist(read, advice=bool(advice))


@register.filter
def of_tone(
    reasons: Sequence[Reason | Mapping[str, Any]], wanted: str
) -> list[Reason | Mapping[str, Any]]:
    """Reasons of one tone: `reasons|of_tone:"raise"`."""
    return [reason for reason in reasons if _reason(reason)[1] == wanted]


@register.filter
def of_part(
    reasons: Sequence[Reason | Mapping[str, Any]], wanted: str
) -> list[Reason | Mapping[str, Any]]:
    """Reasons about one part: `reasons|of_part:"category"`."""
    return [reason for reason in reasons if _reason(reason)[0].partition(".")[0] == wanted]


@register.filter
def part_name(part: Part | Mapping[str, Any]) -> str:
    (name,) = _fields(part, "name")
    return str(PARTS.get(name, name))


@register.filter
def left_out(score: Any) -> list[str]:
    """Why parts of a score, stored or fresh, have no maximum: a sentence each."""
    parts = (_fields(part, "name", "max_tenths") for part in score.parts)
    empty = [name for name, most in parts if not most]
    if any(_fields(one, "counted_in") == ("locality",) for one in score.outcomes):
        empty = ["elsewhere" if name == "conditions" else name for name in empty]
    return [str(LEFT_OUT[name]) for name in empty if name in LEFT_OUT]


@register.filter
def condition_points(outcome: Outcome | Mapping[str, Any]) -> str:
    """ "6.7/6.7"; a region or a distance counts in locality; free text is never computed."""
    part, tenths, most = _fields(outcome, "counted_in", "tenths", "max_tenths")
    if part == "locality":
        return _("in locality")
    return f"{points(tenths)}/{points(most)}" if part else "–"


@register.filter
def strength(outcome: Outcome | Mapping[str, Any]) -> str:
    (found,) = _fields(outcome, "strength")
    return str(STRENGTHS.get(found, found))


@register.filter
def how_found(aligned: Aligned) -> str:
    """ "same category, other language: PV junction boxes": what joined the two is named where there is one."""
    how = str(HOW_FOUND[aligned.how])
    if not aligned.category:
        return how
    return f"{how}{pgettext('label', ': ')}{names.name('category', aligned.category)}"


@register.filter
def passage(text: str, span: Span) -> str:
    """The characters of a span, for the table of matched words."""
    return text[span.start : span.end]


@register.filter
def marked_need(text: str, aligned: Sequence[Aligned]) -> SafeString:
    """The need's text with its aligned words marked and numbered."""
    return _marked(text, [(one.need, one.number) for one in aligned])


@register.filter
def marked_offer(text: str, aligned: Sequence[Aligned]) -> SafeString:
    """The offer's text with its aligned words marked and numbered."""
    return _marked(text, [(one.offer, one.number) for one in aligned])


LONG_MARK = 16


def _marked(text: str, spans: Sequence[tuple[Span, int]]) -> SafeString:
    out: list[str] = []
    at = 0
    for span, shown in sorted(spans, key=lambda pair: pair[0].start):
        if span.start < at or span.end > len(text):
            continue  # of another version of the text
        out.append(escape(text[at : span.start]))
        words = text[span.start : span.end]
        # Short marks never break; a whole clause must, or it runs off a phone.
        opening = '<mark class="text-wrap">' if len(words) > LONG_MARK else "<mark>"
        out.append(format_html(opening + "{}<sup>{}</sup></mark>", words, shown))
        at = span.end
    out.append(escape(text[at:]))
    return mark_safe("".join(out))  # noqa: S308 -- every piece above is escaped
