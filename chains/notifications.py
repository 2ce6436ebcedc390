from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import timezone, translation

from chains.doorbell import ring
from chains.models import Notification, User


def post(
    to: User,
    kind: str,
    *,
    email: bool = True,
    due_at: datetime.datetime | None = None,
    **context: Any,
) -> None:
    """Put a message into the outbox: in the application, and by e-mail too unless told otherwise; the letter leaves at
    once, or not before `due_at`.

    `kind` names the templates `emails/<kind>.subject.txt` and `.txt`; `context` holds public ids, never personal data.
    """
    channels = [Notification.Channel.IN_APP]
    if email:
        channels.append(Notification.Channel.EMAIL)
    Notification.objects.bulk_create(
        Notification(
            to=to, kind=kind, context=context, channel=channel, due_at=due_at or timezone.now()
        )
        for channel in channels
    )
    if email:
        ring("chains.tasks.deliver_notifications")


def post_all(letters: Iterable[tuple[User, dict[str, Any]]], kind: str) -> None:
    """The same kind of message to many, each with the rows it is about."""
    rows = [
        Notification(to=to, kind=kind, context=context, channel=channel)
        for to, context in letters
        for channel in (Notification.Channel.IN_APP, Notification.Channel.EMAIL)
    ]
    Notification.objects.bulk_create(rows, batch_size=1000)
    ring("chains.tasks.deliver_notifications")


# --- In words -----------------------------------------------------------------------------------------

# Keys of a context that are not the name of their model.
_ALSO = {
    "association": "enterprise",
    "member": "enterprise",
    "supplier": "enterprise",
    "buyer": "enterprise",
    "line": "requirementline",
}
# A proof is one of two; a person and a contact never come into a message.
_PROOFS = ("qualification", "certification")
_NEVER = ("user", "contact")
# Words of its own that a row has for its letters.
_WITH = ("letter_templates",)
_ALONG = ("enterprise", "requirement", "capability", "event", "line", "supplier", "kind")


class GoneError(Exception):
    """A row the message tells of does not stand any more: there is nothing left to say."""


@dataclass(frozen=True, slots=True)
class Message:
    row: Notification
    subject: str
    body: str
    # The first address in the body, without the host: where the notice leads.
    href: str


@lru_cache(maxsize=1)
def _named() -> dict[str, type[models.Model]]:
    """Models of this project that have a public id, by their name in lower case."""
    return {
        model._meta.model_name or "": model
        for package in ("chains", "events", "matchmaking")
        for model in apps.get_app_config(package).get_models()
        if any(field.name == "public_id" for field in model._meta.fields)
    }


def rows_of(notices: Iterable[Notification]) -> dict[tuple[str, str], models.Model]:
    """All rows that the notices tell of, one query for each sort of row."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for notice in notices:
        for key, value in notice.context.items():
            for name in _models_of(key):
                wanted[name].add(str(value))
    found: dict[tuple[str, str], models.Model] = {}
    for name, ids in wanted.items():
        model = _named()[name]
        along = [f.name for f in model._meta.fields if f.is_relation and f.name in _ALONG]
        query = model._default_manager.filter(public_id__in=ids)
        query = query.prefetch_related(*(name for name in _WITH if hasattr(model, name)))
        for row in query.select_related(*along) if along else query:
            found[name, row.public_id] = row  # type: ignore[attr-defined]  # asked for above
    return found


def _models_of(key: str) -> tuple[str, ...]:
    if key == "proof":
        return _PROOFS
    name = _ALSO.get(key, key)
    return (name,) if name in _named() and name not in _NEVER else ()


def told(rows: Iterable[Notification], language: str) -> list[Message]:
    """Those whose rows still stand, in the words of the e-mail's subject and text."""
    rows = list(rows)
    found = rows_of(rows)
    said = []
    for row in rows:
        try:
            said.append(render(row, found, language))
        except (GoneError, TemplateDoesNotExist):
            continue
    return said


def render(
    notice: Notification, rows: dict[tuple[str, str], models.Model], language: str
) -> Message:
    """The message in the words of its templates; `language` is zh or en."""
    subject, body = in_words(notice.kind, _context(notice, rows), language)
    href = re.search(re.escape(settings.SITE_URL) + r"(/\S*)", body)
    return Message(notice, subject, body, href[1] if href else "")


def in_words(kind: str, context: dict[str, Any], language: str) -> tuple[str, str]:
    """Subject and body of a letter about the rows in `context`; `language` is zh or en."""
    context = {"site": settings.SITE_URL, **context}
    with in_language(language):
        subject = _text(f"emails/{kind}.subject.txt", context)
        body = _text(f"emails/{kind}.txt", context)
    return _one_stop(" ".join(subject.split())), _one_stop(body.strip()) + "\n"


# A name that ends in an abbreviation, at the end of a sentence: "Demo Qinghe Solar Co., Ltd.."
_TWO_STOPS = re.compile(r"\b(Co|Corp|Inc|Ltd)\.\.(?!\.)")


def _one_stop(text: str) -> str:
    return _TWO_STOPS.sub(r"\1.", text)


def calendar_of(
    notice: Notification, rows: dict[tuple[str, str], models.Model], language: str
) -> str:
    """What the letter puts into the reader's calendar, by its template `emails/<kind>.ics`; empty if nothing."""
    try:
        with in_language(language):
            return _text(f"emails/{notice.kind}.ics", _context(notice, rows))
    except TemplateDoesNotExist:
        return ""


def _context(notice: Notification, rows: dict[tuple[str, str], models.Model]) -> dict[str, Any]:
    context: dict[str, Any] = {"site": settings.SITE_URL, "to": notice.to_id}
    for key, value in notice.context.items():
        names = _models_of(key)
        row = next((rows[n, str(value)] for n in names if (n, str(value)) in rows), None)
        # A row that knows of its end says so: a letter of what is open, read when all of it has closed.
        if names and (row is None or getattr(row, "has_passed", False)):
            raise GoneError(key)
        context[key] = row if names else value
    return context


def stop_of(rows: dict[tuple[str, str], models.Model]) -> str:
    """The address at which one click stops letters of this sort; empty where there is nothing to stop."""
    path = next((p for row in rows.values() if (p := getattr(row, "stop_path", ""))), "")
    return f"{settings.SITE_URL}{path}" if path else ""


def in_language(language: str) -> AbstractContextManager[None]:
    """Sentences in the language an account has chosen."""
    return translation.override("zh-hans" if language == "zh" else "en")


def _text(name: str, context: dict[str, Any]) -> str:
    # Plain text: "&" stays "&".
    template: Any = get_template(name)
    return str(template.template.render(Context(context, autoescape=False)))
