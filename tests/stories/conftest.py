from __future__ import annotations

import pytest

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
