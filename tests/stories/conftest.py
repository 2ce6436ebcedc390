from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, pgettext

from matchmaking import adapters, market


@pytest.fixture(autouse=True)
def market_forgets(settings):
    """What a process keeps of the register goes with the rows of a test. Words and categories decide here."""
    settings.MATCHING_ENCODER = "none"
    adapters.encoder.cache_clear()
    market.forget()
    yield
    adapters.encoder.cache_clear()
    market.forget()


@pytest.fixture
def as_user(page, live_server):
    """Whoever sits at the browser from here on, in which language and at what width."""

    def switch(user, language, width):
        client = Client()
        client.force_login(user)
        page.context.clear_cookies()
        page.set_viewport_size({"width": width, "height": 844})
        for name, value in (
            ("sessionid", client.cookies["sessionid"].value),
            ("django_language", language),
        ):
            page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return switch


@pytest.fixture
def words():
    """What a button is called in a language."""

    def say(language, text, context=None):
        with translation.override(language):
            return pgettext(context, text) if context else gettext(text)

    return say
