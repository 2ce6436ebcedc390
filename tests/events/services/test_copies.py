"""J12: this year's event from last year's."""

from __future__ import annotations

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from events.models import (
    AgendaItem,
    ChecklistItem,
    Event,
    EventDocument,
    EventStaff,
    FormQuestion,
    LetterTemplate,
    Listing,
)
from events.services import copies, documents, events, tiers, waiting_list
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import (
    EventFactory,
    RegistrationFactory,
    SeriesFactory,
    TierFactory,
    organiser_of,
)
from tests.matchmaking.views.test_attachments import PDF

pytestmark = pytest.mark.django_db
YEAR = datetime.timedelta(weeks=52)


def last_year():
    """An event with everything that can come along, and with what must not."""
    partner = EnterpriseFactory(name="示例协会", kind_id="association")
    event = EventFactory(
        chains=["PV"], docking_kinds=["supply_sales"], co_hosts=[partner], admission="reviewed",
        waiting_rule="draw", delegates_per_enterprise=3, reminder_days=5, offer_hours=12,
        list_published_at=timezone.now() + datetime.timedelta(days=9),
        delegates_until=timezone.now() + datetime.timedelta(days=12),
    )  # fmt: skip
    this, following = SeriesFactory(), None
    following = SeriesFactory(programme=this.programme, year=this.year + 1)
    event.series.add(this)
    TierFactory(event=event, seats=5, reserved_until=event.starts_at - datetime.timedelta(days=3))
    FormQuestion.objects.create(
        event=event, kind="choice", text_zh="用餐", text_en="Meal", is_required=True,
        choices=[{"code": "1", "zh": "素", "en": "Vegetarian"}],
    )  # fmt: skip
    FormQuestion.objects.create(
        event=event, kind="text", text_zh="旧", text_en="Old", retired_at=timezone.now()
    )
    LetterTemplate.objects.create(
        event=event,
        kind="reminder",
        subject_zh="提醒",
        subject_en="Soon",
        body_zh="见",
        body_en="See",
    )
    AgendaItem.objects.create(
        event=event, starts_at=event.starts_at, ends_at=event.starts_at + datetime.timedelta(hours=1),
        title_zh="签到", title_en="Check-in", room_zh="A 厅", room_en="Hall A",
    )  # fmt: skip
    ChecklistItem.objects.create(
        event=event, text="订桌签", owner=UserFactory(), done_at=timezone.now(),
        due_on=timezone.localdate(event.starts_at) - datetime.timedelta(days=7),
    )  # fmt: skip
    RegistrationFactory(event=event)
    Listing.objects.create(event=event, requirement=RequirementFactory(), code="abc234")
    EventStaff.objects.create(event=event, user=UserFactory(), role="desk")
    return event, following


def test_everything_prepared_comes_along_dates_shift_and_people_stay_behind():
    event, following = last_year()
    by = organiser_of(event)

    new = copies.copy(
        event=event,
        host=event.host,
        name_zh="新",
        name_en="New",
        starts_at=event.starts_at + YEAR,
        by=by,
    )

    new.refresh_from_db()
    assert (new.status, new.name_zh, new.name_en, new.host, new.level_id, new.region) == (
        "draft", "新", "New", event.host, event.level_id, event.region,
    )  # fmt: skip
    for name in (
        "starts_at",
        "ends_at",
        "registration_opens_at",
        "registration_closes_at",
        "delegates_until",
    ):
        assert getattr(new, name) == getattr(event, name) + YEAR
    for name in ("admission", "waiting_rule", "delegates_per_enterprise", "reminder_days", "offer_hours", "place", "text", "walk_ins"):  # fmt: skip
        assert getattr(new, name) == getattr(event, name)
    for name in ("chains", "docking_kinds", "co_hosts"):
        assert list(getattr(new, name).all()) == list(getattr(event, name).all()) != []
    assert list(new.series.all()) == [following]
    assert (new.list_published_at, new.sequence, new.reminded_at) == (None, 0, None)
    tiers = new.tiers.values_list("name_en", "seats", "taken", "is_general", "reserved_until")
    assert set(tiers) == {
        ("General", 10, 0, True, None),
        ("Little giants", 5, 0, False, event.starts_at + YEAR - datetime.timedelta(days=3)),
    }
    assert new.asks_questions is True
    assert list(new.questions.values_list("kind", "text_en", "is_required", "choices")) == [
        ("choice", "Meal", True, [{"code": "1", "zh": "素", "en": "Vegetarian"}])
    ]
    assert list(new.letter_templates.values_list("kind", "subject_en")) == [("reminder", "Soon")]
    assert list(new.agenda.values_list("starts_at", "title_zh", "room_en")) == [
        (event.starts_at + YEAR, "签到", "Hall A")
    ]
    due = timezone.localdate(event.starts_at) - datetime.timedelta(days=7) + YEAR
    assert list(new.checklist.values_list("text", "owner", "done_at", "due_on")) == [
        ("订桌签", None, None, due)
    ]
    assert [new.registrations.count(), new.listings.count(), new.staff.count()] == [0, 0, 0]
    assert AuditEntry.objects.get(action="event.copied").data == {
        "source": event.public_id, "parts": list(copies.USUAL),
    }  # fmt: skip
    assert Change.objects.filter(noun="event", verb="copied", target=new.public_id).count() == 1


def test_seats_that_flowed_on_come_along_as_they_were_set():
    event = EventFactory()
    by = organiser_of(event)
    general = event.tiers.get()
    events.set_tiers(
        event=event, by=by,
        tiers=[
            {"name_zh": "小巨人", "name_en": "Little giants", "seats": 4, "qualifications": ["little_giant"],
             "reserved_until": timezone.now() - datetime.timedelta(minutes=1)},
            {"public_id": general.public_id, "name_zh": "普通席", "name_en": "General", "seats": 6, "is_general": True},
        ],
    )  # fmt: skip
    tiers.release_due_tiers()
    waiting_list.promote(event)
    assert dict(event.tiers.values_list("name_en", "seats")) == {"General": 10, "Little giants": 0}

    new = copies.copy(
        event=event,
        host=event.host,
        name_zh="新",
        name_en="New",
        starts_at=event.starts_at + YEAR,
        by=by,
    )

    assert dict(new.tiers.values_list("name_en", "seats")) == {"General": 6, "Little giants": 4}


def test_strangers_and_those_of_another_region_start_from_nothing(client):
    event = EventFactory()
    co_host = OrganiserRoleFactory(region=region("330424"))
    stranger = OrganiserRoleFactory(region=region("330424"))
    event.co_hosts.add(co_host.body)
    about = {"event": event, "name_zh": "新", "name_en": "New", "starts_at": event.starts_at + YEAR}

    with pytest.raises(DomainError, match="you organise yourself"):
        copies.copy(host=stranger.body, by=stranger.user, **about)
    # A co-host starts from it for its own body, but not in a region that is not its own, nor as somebody else.
    with pytest.raises(DomainError, match="your own body, in the region"):
        copies.copy(host=co_host.body, by=co_host.user, **about)
    with pytest.raises(DomainError, match="your own body, in the region"):
        copies.copy(host=event.host, by=co_host.user, **about)
    client.force_login(MembershipFactory().user)
    assert client.get(reverse("events:event_copy", args=[event.public_id])).status_code == 404

    assert Event.objects.count() == 1


def test_from_the_page_of_a_new_event_to_the_draft(client):
    event = EventFactory(name_zh="2026 光伏对接会", name_en="PV Docking 2026")
    event.starts_at = datetime.datetime(2026, 12, 9, 0, 30, tzinfo=datetime.UTC)
    event.ends_at = event.starts_at + datetime.timedelta(hours=8)
    event.save()
    client.force_login(organiser_of(event))
    address = reverse("events:event_copy", args=[event.public_id])
    assertRedirects(client.get("/events/new/", {"from": event.public_id}), address)

    form = client.get(address).context["form"]
    given = {
        "host": event.host.public_id, "name_zh": form["name_zh"].value(), "name_en": form["name_en"].value(),
        "starts_at": form["starts_at"].value().strftime("%Y-%m-%dT%H:%M"), "parts": form["parts"].value(),
    }  # fmt: skip
    answer = client.post(address, given)

    new = Event.objects.get(status="draft")
    assertRedirects(answer, reverse("events:event_overview", args=[new.public_id]))
    assert (new.name_zh, new.name_en) == ("2027 光伏对接会", "PV Docking 2027")
    assert timezone.localtime(new.starts_at).strftime("%Y-%m-%d %H:%M") == "2027-12-08 08:30"


def test_what_comes_along_is_chosen_and_documents_stay_behind_unless_asked_for(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    event, _following = last_year()
    by = organiser_of(event)
    plan = SimpleUploadedFile("plan.pdf", PDF)
    documents.add(event=event, title_zh="平面图", title_en="Plan", upload=plan, by=by)
    about = {"event": event, "host": event.host, "by": by, "starts_at": event.starts_at + YEAR}

    def along(**fields):
        new = copies.copy(name_zh="新", name_en="New", **about, **fields)
        return new, [
            name
            for name, rows in (
                ("tiers", new.tiers), ("questions", new.questions), ("letters", new.letter_templates),
                ("agenda", new.agenda), ("checklist", new.checklist), ("co_hosts", new.co_hosts),
                ("documents", new.documents),
            )
            if rows.exists()
        ]  # fmt: skip

    assert along()[1] == [part.value for part in copies.USUAL] == [
        "tiers", "questions", "letters", "agenda", "checklist", "co_hosts",
    ]  # fmt: skip
    nothing, found = along(parts=())
    assert (found, nothing.asks_questions) == ([], False)
    assert "seats" in events.missing_of(nothing)
    for part in copies.Part:
        assert along(parts=[part])[1] == [part.value]

    twin = EventDocument.objects.exclude(event=event).get()
    original = event.documents.get()
    assert (twin.title_en, twin.original_name, twin.sha256) == ("Plan", "plan.pdf", original.sha256)
    assert twin.file.name != original.file.name  # taken off one event it stays at the other
    with twin.file, original.file:
        assert twin.file.read() == original.file.read()
    last = AuditEntry.objects.filter(action="event.copied").last()
    assert last.data == {"source": event.public_id, "parts": ["documents"]}

    original.file.storage.delete(original.file.name)  # lost from the disk: all else comes along
    assert "agenda" in along(parts=list(copies.Part))[1]
