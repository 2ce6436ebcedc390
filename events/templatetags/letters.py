from __future__ import annotations

from django import template
from django.urls import reverse

from events import calendar, permissions
from events.models import Registration

register = template.Library()


@register.simple_tag
def answer_path(registration: Registration, reader: int) -> str:
    """Where the reader of a letter takes an offer or leaves the list by one link."""
    return reverse("events:registration_answer", args=[permissions.link_for(registration, reader)])


@register.simple_tag
def calendar_entry(registration: Registration, reader: int) -> str:
    """The entry of the event for the reader's calendar: put in, moved or taken out."""
    return calendar.entry_for(registration, reader)
