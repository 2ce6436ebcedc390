"""An event's own words in what it writes: placeholders, and what stands in their place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from chains import notifications
from chains.errors import DomainError
from chains.models import Enterprise
from chains.templatetags.localised import is_chinese, localised, moment
from events.models import Event, LetterTemplate, Registration

Kind = LetterTemplate.Kind

# The letter of the outbox whose words each kind replaces.
NOTICES = {
    Kind.CONFIRMED: "registration_confirmed",
    Kind.WAITLISTED: "registration_waitlisted",
    Kind.REMINDER: "event_reminder",
    Kind.MOVED: "event_moved",
    Kind.CANCELLED: "event_cancelled",
}
_VALUES: dict[str, Callable[[Registration], str]] = {
    "event": lambda row: localised(row.event),
    "enterprise": lambda row: localised(row.enterprise),
    "starts": lambda row: moment(row.event.starts_at),
    "ends": lambda row: moment(row.event.ends_at),
    "place": lambda row: localised(row.event, "place"),
    "host": lambda row: localised(row.event.host),
    "seats": lambda row: str(row.seats_held or row.seats_asked),
    "reason": lambda row: row.event.cancel_reason,
    "link": lambda row: link_of(row.event),
}
PLACEHOLDERS = tuple(_VALUES)
# What is written of one letter.
TEXTS = ("subject_zh", "subject_en", "body_zh", "body_en")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Words(NamedTuple):
    subject: str
    body: str


def link_of(event: Event) -> str:
    return settings.SITE_URL + reverse("events:register", args=[event.public_id])


def check(*texts: str) -> None:
    """Refuses a placeholder nobody can fill, by its name, and braces that are none."""
    unknown = sorted(
        {name for text in texts for name in _PLACEHOLDER.findall(text) if name not in _VALUES}
    )
    allowed = _(", ").join(f"{{{name}}}" for name in PLACEHOLDERS)
    if unknown:
        raise DomainError(
            _("Nothing stands for %(unknown)s. You can use: %(allowed)s.")
            % {"unknown": _(", ").join(f"{{{n}}}" for n in unknown), "allowed": allowed},
            code="letter.unknown_placeholder",
        )
    if any("{" in rest or "}" in rest for rest in (_PLACEHOLDER.sub("", t) for t in texts)):
        raise DomainError(
            _("A brace stands alone. Placeholders are written like this: %(allowed)s.")
            % {"allowed": allowed},
            code="letter.brace",
        )


def fill(text: str, registration: Registration) -> str:
    """In one pass: what is filled in is never read as a placeholder."""
    return _PLACEHOLDER.sub(
        lambda found: _VALUES[found[1]](registration) if found[1] in _VALUES else found[0], text
    )


def own(kind: str, event: Event, registration: Registration) -> Words | None:
    """The event's own words in the language of the reader; None where the standard text stands."""
    # `all()`: the outbox has fetched them for all its letters at once.
    row = next((one for one in event.letter_templates.all() if one.kind == kind), None)
    return None if row is None else of(row, registration)


def of(template: LetterTemplate, registration: Registration) -> Words:
    body = fill(localised(template, "body"), registration)
    if "{link}" not in localised(template, "body"):
        body = f"{body}\n\n{link_of(registration.event)}"
    return Words(fill(localised(template, "subject"), registration), body)


def sample(event: Event) -> Registration:
    """A registration to show letters by: the last confirmed one, else one made up and never stored."""
    found = (
        event.registrations.confirmed()
        .select_related("enterprise", "event__host")
        .order_by("-pk")
        .first()
    )
    return found or Registration(
        event=event,
        enterprise=Enterprise(name="示例企业有限公司", name_en="Sample Enterprise Co., Ltd."),
        status=Registration.Status.CONFIRMED,
        seats_asked=2,
        seats_held=2,
        queue_no=0,
    )


def shown(kind: str, event: Event, template: LetterTemplate | None = None) -> Words:
    """How the letter reads now, by the sample; with `template` how it would."""
    row = sample(event)
    if template is not None:
        return of(template, row)
    context = {"event": event, "registration": row, "to": 0}
    return Words(
        *notifications.in_words(NOTICES[Kind(kind)], context, "zh" if is_chinese() else "en")
    )
