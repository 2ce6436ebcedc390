from __future__ import annotations

from django import template
from django.urls import reverse

from events import calendar, letters, permissions
from events.models import Event, Registration

register = template.Library()


@register.simple_tag
def answer_path(registration: Registration, reader: int) -> str:
    """Where the reader of a letter takes an offer or leaves the list by one link."""
    return reverse("events:registration_answer", args=[permissions.link_for(registration, reader)])


@register.simple_tag
def calendar_entry(registration: Registration, reader: int) -> str:
    """The entry of the event for the reader's calendar: put in, moved or taken out."""
    return calendar.entry_for(registration, reader)


@register.simple_tag
def own_words(kind: str, event: Event, registration: Registration) -> letters.Words | None:
    """The event's own words for this kind of letter; None where the standard text stands."""
    return letters.own(kind, event, registration)


@register.simple_tag
def as_it_stands(kind: str, event: Event) -> letters.Words:
    """The letter as it would go out now."""
    return letters.shown(kind, event)


@register.simple_tag
def filled(text: str, registration: Registration) -> str:
    """A text with its placeholders filled in."""
    return letters.fill(text, registration)
