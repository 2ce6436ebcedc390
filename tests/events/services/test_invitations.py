from __future__ import annotations

import datetime
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains import searchtext
from chains.errors import DomainError
from chains.models import AuditEntry, Change, Notification
from events import tasks
from events.models import Event, Invitation, Listing
from events.services import invitations, registration
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    RequirementLineFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of
from tests.factories.matchmaking import MatchFactory

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def invite(event, *enterprises, **fields):
    return invitations.invite(
        event=event, enterprises=enterprises, cause="by_hand", reason="You make what is missing.",
        by=organiser_of(event), **fields,
    )  # fmt: skip


def test_invite_asks_once_whoever_is_not_there_yet_and_writes_one_letter_each():
    event = EventFactory()
    member = MembershipFactory()
    guest = RegistrationFactory(event=event).enterprise
    gone = RegistrationFactory(event=event, status="cancelled", tier=None).enterprise
    known = EnterpriseFactory(status="unclaimed", number=None)
    suspended = EnterpriseFactory(status="suspended")

    rows = invite(event, member.enterprise, guest, gone, known, suspended)
    again = invite(event, member.enterprise, known)

    assert {row.enterprise for row in rows} == {member.enterprise, gone, known}
    assert again == []
    letters = Notification.objects.filter(kind="event_invitation")
    assert [(one.to, one.channel) for one in letters.order_by("channel")] == [
        (member.user, "email"),
        (member.user, "in_app"),
    ]
    assert AuditEntry.objects.get(action="event.invited").data == {
        "invitations": 3,
        "cause": "by_hand",
    }
    assert Change.objects.filter(noun="event", verb="invited").count() == 1


def test_invite_needs_a_reason_a_public_event_and_an_organiser():
    event = EventFactory()
    by = organiser_of(event)
    asked = {"enterprises": [EnterpriseFactory()], "cause": "by_hand"}

    with pytest.raises(DomainError, match="Say why"):
        invitations.invite(event=event, reason="  ", by=by, **asked)
    with pytest.raises(DomainError) as refused:
        invitations.invite(event=event, reason="x", by=MembershipFactory().user, **asked)
    assert refused.value.is_refusal
    draft = EventFactory(draft=True, host=event.host)
    with pytest.raises(DomainError):
        invitations.invite(event=draft, reason="x", by=by, **asked)
    assert not Invitation.objects.exists()


def test_invitation_that_says_so_admits_before_registration_opens():
    event = EventFactory(registration_opens_at=timezone.now() + DAY)
    early, late = MembershipFactory(), MembershipFactory()
    invite(event, early.enterprise, admits_always=True)
    invite(event, late.enterprise)

    row = registration.register(event=event, enterprise=early.enterprise, seats=1, by=early.user)

    assert row.status == "confirmed"
    with pytest.raises(DomainError, match="not opened yet"):
        registration.register(event=event, enterprise=late.enterprise, seats=1, by=late.user)
    Event.objects.update(status="cancelled", cancel_reason="Storm")
    event.refresh_from_db()
    with pytest.raises(DomainError, match="has closed"):
        registration.register(event=event, enterprise=early.enterprise, seats=1, by=early.user)


def test_invited_one_that_registers_is_noted_and_the_rest_expires_with_the_event():
    event = EventFactory()
    came, silent = MembershipFactory(), MembershipFactory()
    first, second = invite(event, came.enterprise, silent.enterprise)
    invitations.decline(invitation=first)
    registration.register(event=event, enterprise=came.enterprise, seats=1, by=came.user)

    tasks._act(list(Change.objects.filter(noun="registration").order_by("pk")))
    assert invitations.expire_due() == 0
    Event.objects.update(status="held")

    assert (invitations.expire_due(), invitations.expire_due()) == (1, 0)
    for row in (first, second):
        row.refresh_from_db()
    assert (first.status, second.status) == ("registered", "expired")
    actions = AuditEntry.objects.filter(action__startswith="invitation.").values_list(
        "action", flat=True
    )
    assert list(actions.order_by("pk")) == ["invitation.declined", "invitation.registered"]


def test_link_tells_who_is_invited_and_says_no_without_signing_in(client):
    event = EventFactory()
    (row,) = invite(event, EnterpriseFactory(name_en="Junction Works"))
    address = reverse("events:invitation", args=[row.code])

    assertContains(client.get(address), "You make what is missing.")
    assertContains(client.get(address), "Junction Works")
    assertRedirects(client.post(address), address)
    assertRedirects(client.post(address), address)  # the second of two presses

    row.refresh_from_db()
    assert row.status == "declined"
    assert AuditEntry.objects.filter(action="invitation.declined").count() == 1
    assertContains(client.get(address), "You can still register.")


def test_page_invites_those_who_fit_the_list_and_those_found(client):
    event = EventFactory()
    line = RequirementLineFactory(requirement=RequirementFactory(submitted=True, title="Qhidden"))
    Listing.objects.create(event=event, requirement=line.requirement, code="aaaaaa")
    fits, good, weak, missing = (MembershipFactory().enterprise for _ in range(4))
    MatchFactory(line=line, supplier=fits, status="approved", tenths=300)
    MatchFactory(line=line, supplier=good)
    MatchFactory(line=line, supplier=weak, tenths=100)
    MatchFactory(line=line, supplier=missing, misses_must=True)
    known = EnterpriseFactory(
        status="unclaimed", number=None, name_en="Known Works",
        search_text=searchtext.document("", names=["Known Works"]),
    )  # fmt: skip
    client.force_login(organiser_of(event))
    address = reverse("matchmaking:event_invitations", args=[event.public_id])

    assert client.get(address).context["fitting"] == 2
    client.post(address, {"who": "fitting", "reason": "Come."})
    found = client.get(address, {"q": "known works"})
    assert found.context["found"] == [known]
    chosen = {"who": "chosen", "enterprise": [known.public_id], "q": "known works"}
    again = client.post(address, {**chosen, "reason": "", "admits_always": "on"})
    assertContains(again, "Say why they should come", status_code=422)
    for field in ('value="chosen"', f'value="{known.public_id}"', 'name="admits_always"'):
        assert re.search(f"<input[^>]*{field}[^>]* checked>", again.content.decode())
    client.post(address, {**chosen, "reason": "Come."})

    asked = Invitation.objects.values_list("enterprise", "cause")
    assert set(asked) == {(fits.pk, "match"), (good.pk, "match"), (known.pk, "by_hand")}
    page = client.get(address)
    assert page.context["counts"] == (3, 0, 0, 3)
    overview = client.get(reverse("events:event_overview", args=[event.public_id]))
    assertContains(overview, "3 invited")
    assertContains(page, "Known Works")
    # Neither the letter nor its page tells what the list keeps back.
    letter = client.get(reverse("events:invitation", args=[Invitation.objects.first().code]))
    assertNotContains(letter, "Qhidden")
