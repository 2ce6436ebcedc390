"""The pages of the doors: what staff are told, what strangers are not, and what is printed."""

from __future__ import annotations

import datetime
import json
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains import searchtext
from chains.models import AuditEntry
from events.models import CheckIn, Delegate, EventStaff
from events.services import checkin
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def event():
    now = timezone.now()
    return EventFactory(starts_at=now - HOUR, ends_at=now + 5 * HOUR, name_en="Docking today")


@pytest.fixture
def person(event):
    row = RegistrationFactory(
        event=event,
        seats_asked=2,
        enterprise__search_text=searchtext.document("", names=["接线制造", "Junction Works"]),
        enterprise__name_en="Junction Works",
        enterprise__name="接线制造",
    )
    return Delegate.objects.create(
        registration=row, event=event, name="Delegate A", job_title="Buyer"
    )


@pytest.fixture
def desk(event, client):
    user = EventStaff.objects.create(event=event, user=UserFactory(), role="desk").user
    client.force_login(user)
    return user


def page(event):
    return reverse("events:check_in", args=[event.public_id])


def sent(**data):
    return {"nonce": str(uuid.uuid4()), "gate": "Gate 1", **data}


def test_a_scan_is_answered_in_large_type_and_sent_again_is_the_same(client, desk, event, person):
    scan = sent(code=person.short_code)

    for _ in range(2):
        answer = client.post(page(event), scan)
        assertContains(answer, "Checked in")
        assertContains(answer, "Delegate A")
        assertContains(answer, "Junction Works")
        assertContains(answer, "<b data-inside>1</b>")
    again = client.post(page(event), sent(code=person.token))

    assertContains(again, "Already in")
    assertContains(again, "First at Gate 1,")
    assert CheckIn.objects.count() == 2
    assert again["Permissions-Policy"] == "camera=(self), geolocation=(), microphone=()"


def test_the_script_of_the_page_gets_the_same_words(client, desk, event, person):
    scan = sent(code=person.short_code, scanned_at="2026-11-26T01:02:03Z")
    answer = client.post(page(event), scan, headers={"Accept": "application/json"})

    said = json.loads(answer.content)
    assert (said["answer"], said["inside"], said["expected"]) == ("welcome", 1, 2)
    assert "Checked in" in said["html"]
    undo = sent(action="undo", delegate=person.public_id)
    said = client.post(page(event), undo, headers={"Accept": "application/json"}).json()
    assert (said["answer"], said["inside"]) == ("undone", 0)
    assert client.post(page(event), sent(code="zzz", nonce="x")).status_code == 422


def test_a_name_or_enterprise_finds_who_is_in_and_who_is_missing(client, desk, event, person):
    other = Delegate.objects.create(
        registration=person.registration, event=event, name="Delegate B"
    )
    client.post(page(event), sent(delegate=person.public_id))

    found = client.post(page(event), sent(code="junction"))

    assert [(one["person"].pk, one["is_in"]) for one in found.context["found"].people] == [
        (person.pk, True),
        (other.pk, False),
    ]
    assert CheckIn.objects.count() == 1  # looking somebody up is no scan
    assert AuditEntry.objects.get(action="delegate.searched").data == {"rows": 2}
    assertContains(client.post(page(event), sent(code="nobody like this")), "Unknown code")


def test_a_name_tells_at_the_door_who_has_no_seat_and_which_seats_lack_a_name(
    client, desk, event, person, monkeypatch
):
    waits = RegistrationFactory(
        event=event, status="waitlisted", enterprise__name_en="Junction Rail",
        enterprise__search_text=searchtext.document("", names=["Junction Rail"]),
    )  # fmt: skip
    Delegate.objects.create(registration=waits, event=event, name="Delegate W")

    for asked in ("junction", "Delegate W"):
        answer = client.post(
            page(event), sent(code=asked), headers={"Accept": "application/json"}
        ).json()
        assert "Waits for a seat and has none yet." in answer["found"]
        assert answer["answer"] == ""
        assert ("1 seat nobody is named for" in answer["found"]) == (asked == "junction")
    assert not CheckIn.objects.exists()
    # What is cut says so: a person who is not shown is not one who is not there.
    assertContains(client.get(page(event), {"q": person.name}), "1 person found")
    monkeypatch.setattr(checkin, "NAMED_MOST", 1)
    assertContains(
        client.get(page(event), {"q": person.name}), "The first 1: type more of the name"
    )


def test_a_walk_in_is_named_on_the_page(client, desk, event, person):
    assertContains(client.get(page(event)), "Without a badge")
    assertContains(client.get(reverse("events:event_detail", args=[event.public_id])), page(event))
    enterprise = person.registration.enterprise

    answer = client.post(
        page(event), sent(action="walk_in", enterprise=enterprise.public_id, name="Colleague")
    )

    assertContains(answer, "Checked in")
    assertContains(answer, "Colleague")
    assertNotContains(client.get(page(event)), "Without a badge")


def test_a_walk_in_of_any_enterprise_takes_a_general_seat_where_the_event_says_so(
    client, desk, event, person
):
    event.walk_ins = "free_seats"
    event.save()
    offered = RegistrationFactory(
        event=event, status="offered", seats_held=1, offer_expires_at=timezone.now() + HOUR
    )
    alike = [
        EnterpriseFactory(name=name, search_text=searchtext.document("", names=[name]))
        for name in ("示例电缆", "示例电缆二厂", "示例电缆三厂")
    ]
    about = {"action": "walk_in", "name": "Colleague", "job_title": "Welder"}

    # Whoever has been offered seats takes one by coming.
    shown = client.get(page(event))
    assertContains(shown, f'<option value="{offered.enterprise.public_id}">')
    assertContains(shown, "7 are free")
    asked = client.post(page(event), sent(called="示例电", **about))
    assertContains(asked, "Several enterprises are called like this", status_code=422)
    for one in alike:
        assertContains(asked, f'<option value="{one.public_id}">', status_code=422)
    assertContains(asked, 'value="Welder"', status_code=422)
    assertContains(
        client.post(page(event), sent(called="nobody", **about)),
        "as it stands on the register",
        status_code=422,
    )
    assertContains(client.post(page(event), sent(called="示例电缆", **about)), "Checked in")
    row = event.registrations.get(enterprise=alike[0])
    assert (row.status, row.seats_held) == ("confirmed", 1)
    taken = client.post(page(event), sent(enterprise=offered.enterprise.public_id, **about))
    assertContains(taken, "Checked in")


def test_the_code_of_a_badge_tells_a_stranger_the_event_and_leads_staff_to_the_door(
    client, desk, event, person
):
    address = reverse("events:badge", args=[person.token])

    assertRedirects(client.get(address), f"{page(event)}?code={person.token}")
    client.logout()
    shown = client.get(address)

    assertContains(shown, "Docking today")
    for secret in ("Delegate A", "Junction Works", person.short_code):
        assertNotContains(shown, secret)


def test_staff_of_another_event_and_days_are_kept_out(client, event, person):
    client.force_login(
        EventStaff.objects.create(event=EventFactory(), user=UserFactory(), role="desk").user
    )
    for name in ("check_in", "badge_sheet", "sign_in_sheet"):
        assert client.get(reverse(f"events:{name}", args=[event.public_id])).status_code == 404

    tomorrow = EventFactory(
        starts_at=timezone.now() + 30 * HOUR, ends_at=timezone.now() + 38 * HOUR
    )
    client.force_login(
        EventStaff.objects.create(event=tomorrow, user=UserFactory(), role="desk").user
    )
    assert client.get(page(tomorrow)).status_code == 404
    tomorrow = EventFactory(
        starts_at=timezone.now() + 23 * HOUR, ends_at=timezone.now() + 38 * HOUR
    )
    client.force_login(
        EventStaff.objects.create(event=tomorrow, user=UserFactory(), role="desk").user
    )
    assert client.get(page(tomorrow)).status_code in (200, 403)


def test_badges_hold_a_code_and_both_languages_and_the_trail_keeps_who_printed(
    client, event, person
):
    RegistrationFactory(event=event, status="waitlisted")
    client.force_login(organiser_of(event))

    sheet = client.get(reverse("events:badge_sheet", args=[event.public_id]))

    assertContains(sheet, "badge-card", count=1)
    for text in (
        "Delegate A",
        "接线制造",
        "Junction Works",
        event.name_zh,
        person.short_code,
        'class="qr"',
    ):
        assertContains(sheet, text)
    assert AuditEntry.objects.get(action="delegate.printed").data == {"rows": 1}
    client.force_login(MembershipFactory(enterprise=person.registration.enterprise).user)
    own = client.get(reverse("events:registration_badges", args=[person.registration.public_id]))
    assertContains(own, person.short_code)


def test_the_sheet_to_sign_has_a_line_for_each_seat_and_can_show_who_is_missing(
    client, desk, event, person
):
    address = reverse("events:sign_in_sheet", args=[event.public_id])
    RegistrationFactory(event=event)
    everybody = client.get(address)
    assert [row.registration.seats_held for row in everybody.context["rows"]] == [2, 1]
    assert everybody.content.count(b"<tr>") == 4

    for scan in ({"delegate": person.public_id}, {
        "action": "walk_in", "enterprise": person.registration.enterprise.public_id, "name": "B",
    }):  # fmt: skip
        client.post(page(event), sent(**scan))

    missing = client.get(address, {"show": "missing"})
    assert [row.registration.seats_held for row in missing.context["rows"]] == [1]


def test_heads_stand_on_the_overview_and_are_asked_again_by_themselves(client, event, person):
    client.force_login(organiser_of(event))
    overview = reverse("events:event_overview", args=[event.public_id])
    client.post(page(event), sent(code=person.token))
    client.post(page(event), sent(code=person.token, gate="Gate 2"))

    whole = client.get(overview)
    part = client.get(overview, headers={"HX-Request": "true"})

    assertContains(whole, 'hx-trigger="every 5s"')
    assertContains(part, "1 <small>/ 2</small>")
    assertContains(part, "first Gate 1,")
    assertNotContains(part, "<html")


def test_check_ins_by_the_api(client, desk, event, person):
    address = reverse("api-events-check-ins", args=[event.public_id])
    scan = {"nonce": str(uuid.uuid4()), "code": person.short_code, "gate": "North"}

    first, again = (
        client.post(address, scan, content_type="application/json").json() for _ in range(2)
    )

    assert first == again
    assert (first["answer"], first["inside"], first["delegate"]["name"]) == (
        "welcome",
        1,
        "Delegate A",
    )
    assert first["first"]["gate"] == "North"
    listed = client.get(address).json()
    assert [row["nonce"] for row in listed["results"]] == [scan["nonce"]]
    wrong = client.post(address, {"nonce": scan["nonce"]}, content_type="application/json")
    assert wrong.status_code == 422
    client.force_login(OrganiserRoleFactory().user)
    assert client.get(address).status_code == 403


def test_file_of_badges_is_for_the_desk_and_each_enterprise_for_its_own(client, event, person):
    Delegate.objects.create(registration=person.registration, event=event, name="محمد")
    own = reverse("events:registration_badge_file", args=[person.registration.public_id])
    every = reverse("events:badge_file", args=[event.public_id])
    client.force_login(organiser_of(event))

    file = client.get(every, {"paper": "62x100"})

    assert (file.status_code, file["Content-Type"]) == (200, "application/pdf")
    assert file["Content-Disposition"] == f'attachment; filename="badges-{event.public_id}-62x100.pdf"'  # fmt: skip
    assert file.content.count(b"/MediaBox") == 2
    assert AuditEntry.objects.get(action="delegate.printed").data == {"rows": 2}
    assert client.get(every, {"paper": "a3"}).status_code == 404
    assert client.get(own).status_code == 404
    sheet = client.get(reverse("events:badge_sheet", args=[event.public_id]))
    assert [one.name for one in sheet.context["lacking"]] == ["محمد"]
    assertContains(sheet, f"{every}?paper=90x55&amp;page=1")
    client.force_login(MembershipFactory(enterprise=person.registration.enterprise).user)
    assert client.get(own).content.startswith(b"%PDF")
    assert client.get(every).status_code == 404
