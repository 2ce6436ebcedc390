from __future__ import annotations

from django import template
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def both(words: str) -> SafeString:
    """Fixed words in both languages: on a wall and on paper everybody reads, whoever opened the page.

    Given untranslated: `{% translate "…" noop as words %}{% both words %}`.
    """
    with translation.override("zh-hans"):
        chinese = translation.gettext(words)
    return format_html(
        '<span lang="zh-Hans">{}</span> <span class="in-en" lang="en">{}</span>', chinese, words
    )
