from __future__ import annotations

import pytest
from rest_framework.test import APIRequestFactory

from matchmaking.api.limits import AnonThrottle


@pytest.mark.parametrize("claimed", ["198.51.100.7", "198.51.100.8, 198.51.100.9"])
def test_nobody_escapes_the_throttle_by_claiming_another_address(claimed):
    request = APIRequestFactory().get("/", headers={"X-Forwarded-For": claimed})

    assert AnonThrottle().get_ident(request) == "127.0.0.1"
