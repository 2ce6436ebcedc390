"""J5: "verified enterprises only" – nothing for the unverified in page, sheet or API; a look is logged and counted."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
)

pytestmark = [pytest.mark.story, pytest.mark.django_db]


def body(answer):
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return data.decode("utf-8", "replace")


def test_contact_for_verified_enterprises_only(client):
    requirement = RequirementFactory(lines=["三分体接线盒"], contact_policy="verified")
    requirement.contact = ContactFactory(
        enterprise=requirement.enterprise,
        name="Zq Canary Person",
        phone="000-9999-1357",
        email="zq-canary@example.com",
        wechat="zqcanarychat",
    )
    requirement.save()
    canary = ["Zq Canary Person", "000-9999-1357", "zq-canary@example.com", "zqcanarychat"]
    page = reverse("matchmaking:requirement_detail", args=[requirement.public_id])
    reveal = reverse("matchmaking:contact_reveal", args=[requirement.public_id])
    unverified = MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user
    client.force_login(unverified)

    answers = [
        client.get(page),
        client.get(reverse("matchmaking:requirement_export", args=["csv"])),
        client.get(f"/api/v1/requirements/{requirement.public_id}/"),
        client.get("/api/v1/requirements/"),
        client.get(f"/search/?q={canary[1]}"),
        client.post(reveal),
    ]

    texts = [body(answer) for answer in answers]
    assert requirement.title in texts[0]
    assert json.loads(texts[2])["public_id"] == requirement.public_id
    assert [value for text in texts for value in canary if value in text] == [
        canary[1]
    ]  # its own search
    assert answers[-1].status_code == 403

    viewer = MembershipFactory(role="viewer")
    client.force_login(viewer.user)
    shown = client.post(reveal).content.decode()

    assert [value in shown for value in canary] == [True] * 4
    client.force_login(MembershipFactory(enterprise=requirement.enterprise).user)
    log = client.get(
        reverse("matchmaking:contact_log", args=[requirement.public_id])
    ).content.decode()
    assert "1 enterprise opened your contact." in log
    assert viewer.enterprise.name_en in log
