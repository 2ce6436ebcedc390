from __future__ import annotations

import pytest
from django.urls import reverse

from chains.services import requirements
from matchmaking.cache import TolerantCache
from tests.factories.chains import MembershipFactory, RequirementFactory

pytestmark = pytest.mark.django_db


def test_long_addresses_that_begin_alike_are_kept_apart(client):
    member = MembershipFactory()
    row = RequirementFactory(enterprise=member.enterprise, title="光伏接线盒", lines=["接线盒"])
    requirements.amend(requirement=row, by=member.user, text="分体")
    address, padding = reverse("matchmaking:requirement_list"), "a" * 700

    found = client.get(address, {"x": padding, "q": "接线盒"}).content.decode()
    nothing = client.get(address, {"x": padding, "q": "压缩机"}).content.decode()

    assert row.public_id in found
    assert row.public_id not in nothing


def test_what_can_be_computed_again_is_computed_while_the_cache_is_away():
    away = TolerantCache("redis://127.0.0.1:1", {})

    assert away.set_many({"a": 1}) == ["a"]
    assert away.get_many(["a"]) == {}
