from __future__ import annotations

import pytest

from matchmaking import adapters, market


@pytest.fixture(autouse=True)
def market_forgets(settings):
    """Rows of a test vanish without a trace in the feed: what a process keeps of them goes too.

    Words and categories alone decide here; what the encoder adds is tested with the engine.
    """
    settings.MATCHING_ENCODER = "none"
    adapters.encoder.cache_clear()
    market.forget()
    yield
    market.forget()
