"""J2: a title is claimed, verified by the desk, gives a seat of its tier, ends – and what was held on a day stays."""

from __future__ import annotations

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from chains.models import Qualification
from events.models import Registration
from events.services import participation, registration
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory
from tests.factories.events import EventFactory, TierFactory

pytestmark = [pytest.mark.django_db, pytest.mark.story]
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
NAMES = {"en": "National specialised and sophisticated “little giant”", "zh-hans": "国家专精特新“小巨人”企业"}  # fmt: skip


def tier_of_new_registration(member, event):
    row = registration.register(
        event=event, enterprise=member.enterprise, seats=1, by=member.user, purposes=["buy"]
    )
    return row.tier.name_en


def shown(client, enterprise):
    """In both languages, to a visitor."""
    client.logout()
    address = reverse("matchmaking:enterprise_detail", args=[enterprise.public_id])
    found = []
    for language, name in NAMES.items():
        client.cookies["django_language"] = language
        found.append(name in client.get(address).content.decode())
    client.cookies["django_language"] = "en"
    return found


def event_with_a_tier(**fields):
    event = EventFactory(seats=5, **fields)
    TierFactory(
        event=event, seats=2, name_en="Little giants", qualifications=["little_giant"],
        participant_kinds=[],
    )  # fmt: skip
    return event


def test_title_from_claim_to_expiry(client):
    member, desk = MembershipFactory(), OrganiserRoleFactory()
    enterprise = member.enterprise
    today = timezone.localdate()
    client.force_login(member.user)
    client.post(
        reverse("chains:qualification_claim", args=[enterprise.public_id]),
        {
            "kind": "little_giant",
            "issuer": "MIIT",
            "batch": "8",
            "valid_from": (today - datetime.timedelta(days=400)).isoformat(),
            "evidence": SimpleUploadedFile("paper.pdf", PDF, "application/pdf"),
        },
    )
    claim = Qualification.objects.get()
    assert (claim.status, shown(client, enterprise)) == ("claimed", [False, False])
    first = event_with_a_tier()
    assert tier_of_new_registration(member, first) != "Little giants"

    client.force_login(desk.user)
    case = reverse("chains:proof_decide", args=[claim.public_id])
    assert case in client.get(reverse("matchmaking:inbox")).content.decode()
    client.post(
        case,
        {"do": "verify", "issuer": "MIIT", "valid_until_on": (today + datetime.timedelta(days=30)).isoformat()},
    )  # fmt: skip
    claim.refresh_from_db()
    assert (claim.status, claim.valid_until_on) == ("verified", today + datetime.timedelta(days=30))
    assert shown(client, enterprise) == [True, True]
    second = event_with_a_tier()
    assert tier_of_new_registration(member, second) == "Little giants"
    Registration.objects.filter(event=second).update(attended=True)
    past = timezone.now() - datetime.timedelta(hours=2)
    type(second).objects.filter(pk=second.pk).update(
        starts_at=past - datetime.timedelta(hours=6), ends_at=past, status="held"
    )
    second.refresh_from_db()
    participation.freeze(event=second)
    came = Registration.objects.get(event=second)
    assert came.qualifications_held == ["little_giant"]

    # It ends: no badge, no tier; what was held then stays, and is answered for any day.
    Qualification.objects.update(valid_until_on=today - datetime.timedelta(days=1))
    assert shown(client, enterprise) == [False, False]
    assert tier_of_new_registration(member, event_with_a_tier()) != "Little giants"
    came.refresh_from_db()
    assert came.qualifications_held == ["little_giant"]
    held = enterprise.qualifications.in_force
    assert [
        held(today - datetime.timedelta(days=n)).count() for n in (0, 1, 400, 401)
    ] == [0, 1, 1, 0]  # fmt: skip
