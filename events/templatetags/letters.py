from __future__ import annotations

from django import template
from django.urls import reverse

from events import permissions
from events.models import Registration

register = template.Library()


@register.simple_tag
def answer_path(registration: Registration, reader: int) -> str:
    """Where the reader of a letter takes an offer or leaves the list by one link."""
    return reverse("events:registration_answer", args=[permissions.link_for(registration, reader)])
