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

pytestmark = [pytest.mark.story]


def body(answer):
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return data.decode("utf-8", "replace")


CANARY = {
    "name": "Zq Canary Person",
    "phone": "000-9999-1357",
    "email": "zq-canary@example.com",
    "wechat": "zqcanarychat",
}


def for_verified_only():
    requirement = RequirementFactory(lines=["三分体接线盒"], contact_policy="verified")
    requirement.contact = ContactFactory(enterprise=requirement.enterprise, **CANARY)
    requirement.save()
    return requirement


@pytest.mark.django_db
def test_contact_for_verified_enterprises_only(client):
    requirement = for_verified_only()
    canary = list(CANARY.values())
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


@pytest.mark.browser
def test_supplier_on_a_phone_opens_it_and_the_buyer_reads_who(
    committed, live_server, page, as_user, words
):
    language, other = "zh-hans", "en"
    requirement = for_verified_only()
    address = live_server.url + reverse(
        "matchmaking:requirement_detail", args=[requirement.public_id]
    )

    def canaries():
        return {name for name, value in CANARY.items() if value in page.content()}

    # Not yet verified: the page says why it is closed, and nothing of it has arrived.
    as_user(MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user, language, 390)
    page.goto(address)
    panel = page.get_by_role("region", name=words(language, "Contact"))
    closed = (
        "The contact is open to members of verified enterprises while the requirement is published."
    )
    assert panel.get_by_text(words(language, closed)).is_visible()
    assert panel.get_by_role("button").count() == 0
    assert canaries() == set()

    # Verified: it comes with the click, not with the page.
    viewer = MembershipFactory(role="viewer")
    as_user(viewer.user, other, 390)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    panel = page.get_by_role("region", name=words(other, "Contact"))
    assert canaries() == set()
    panel.get_by_role("button", name=words(other, "Open the contact")).click()
    panel.get_by_role("link", name=CANARY["phone"]).wait_for()
    assert canaries() == set(CANARY)

    # The buyer reads who it was, and takes the list along.
    as_user(MembershipFactory(enterprise=requirement.enterprise).user, language, 1440)
    page.goto(live_server.url + reverse("matchmaking:contact_log", args=[requirement.public_id]))
    row = page.get_by_role("row").filter(has_text=viewer.enterprise.name)
    assert row.count() == 1
    with page.expect_download() as taken:
        page.get_by_role("link", name="csv").click()
    sheet = taken.value.path().read_text("utf-8-sig")
    assert viewer.enterprise.name in sheet
    assert not [value for value in CANARY.values() if value in sheet]
    assert page.complaints == []
