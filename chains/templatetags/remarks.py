"""Remarks of a desk in the reader's language."""

from __future__ import annotations

from django import template

from chains import moderation
from chains.models import Remark

register = template.Library()


@register.filter
def remark_text(remark: Remark) -> str:
    """The saved reason, the desk's own words, or both."""
    return " – ".join(part for part in (moderation.sentence_of(remark.code), remark.text) if part)
