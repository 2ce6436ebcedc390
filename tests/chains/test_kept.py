"""Django's tags that are worked out once say what Django's say, each time."""

from __future__ import annotations

import pytest
from django.template import Context, Engine
from django.urls import NoReverseMatch, set_script_prefix
from django.utils import translation

DJANGOS = Engine(builtins=["django.templatetags.i18n", "django.templatetags.static"])
OURS = Engine(builtins=[*DJANGOS.builtins, "chains.templatetags.kept"])


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Sign in" %}',
        '{% translate ": " context "label" %}',
        '{% translate "100% <b>" %}',
        '{% translate "Sign in" noop %}',
        '{% translate "Sign in"|upper %}',
        "{% translate word %}",
        '{% translate "Sign in" as said %}[{{ said }}]',
        '{% url "home" %}',
        '{% url "matchmaking:requirement_detail" plain %}',
        '{% url "matchmaking:requirement_detail" odd %}',
        '{% url "matchmaking:pair_why" plain other %}',
        '{% url "matchmaking:pair_why" other plain %}',
        '{% url "matchmaking:requirement_detail" public_id=plain %}',
        '{% url "admin:chains_region_change" number %}',
        '{% url "matchmaking:nowhere" as missing %}[{{ missing }}]',
        '{% static "img/icons.svg" %}',
        "{% static file %}",
    ],
)
def test_says_what_the_tag_of_django_says_for_each_value_in_each_language(source):
    values = [
        {"plain": "abc123def456", "other": "x1", "odd": "a b&c%d", "word": "Alerts", "number": 7, "file": "a.svg"},
        {"plain": "zzz", "other": "y<2", "odd": "%s", "word": "Sign in", "number": "8", "file": "b c.svg"},
    ]  # fmt: skip
    ours, djangos = OURS.from_string(source), DJANGOS.from_string(source)
    for language in ("en", "zh-hans", "en"):
        with translation.override(language):
            for context in values:
                assert ours.render(Context(context)) == djangos.render(Context(context))


def test_address_that_cannot_be_is_refused_and_the_prefix_of_the_site_counts():
    template = OURS.from_string('{% url "matchmaking:requirement_detail" plain %}')

    assert template.render(Context({"plain": "abc"})) == "/requirements/abc/"
    with pytest.raises(NoReverseMatch):
        template.render(Context())
    set_script_prefix("/below/")
    try:
        assert template.render(Context({"plain": "abc"})) == "/below/requirements/abc/"
    finally:
        set_script_prefix("/")
