from __future__ import annotations

import datetime
import io

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects
from python_calamine import CalamineWorkbook

from chains.models import AuditEntry
from chains.templatetags.localised import moment
from events.models import Event
from events.services import registration, waiting_list
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    region,
)
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory, organiser_of

pytestmark = pytest.mark.django_db
PAGES = ["event_overview", "guest_list", "event_listing", "event_edit", "event_cancel"]


def page(name, event):
    return reverse(f"events:{name}", args=[event.public_id])


def typed(host, **changed):
    start = timezone.localtime() + datetime.timedelta(days=30)
    stamp = "%Y-%m-%dT%H:%M"
    return {
        "host": host.public_id, "name_zh": "光伏对接会", "name_en": "PV docking", "level": "county",
        "region": "330421", "docking_kinds": ["supply_sales"],
        "starts_at": start.strftime(stamp), "ends_at": (start + datetime.timedelta(hours=8)).strftime(stamp),
        "registration_opens_at": timezone.localtime().strftime(stamp),
        "registration_closes_at": (start - datetime.timedelta(days=5)).strftime(stamp),
        "place": "示例会展中心", "delegates_per_enterprise": "3", "admission": "automatic",
        "waiting_rule": "tier_then_arrival", "general_seats": "120", "offer_hours": "24", "walk_ins": "colleagues", "reminder_days": "3",
        "t-TOTAL_FORMS": "2", "t-INITIAL_FORMS": "0",
        "t-0-name_zh": "小巨人", "t-0-name_en": "Little giants", "t-0-seats": "40",
        "t-0-qualifications": ["little_giant"],
        **changed,
    }  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_an_event_are_there_for_its_organisers_only(client, name):
    event = EventFactory()
    client.force_login(OrganiserRoleFactory(region=region("330424")).user)
    assert client.get(page(name, event)).status_code == 404

    client.force_login(organiser_of(event))

    assertContains(client.get(page(name, event)), event.name_en)


def test_create_on_one_page_with_a_reserved_tier(client):
    role, other = OrganiserRoleFactory(), EnterpriseFactory(name="示例光伏行业协会")
    client.force_login(role.user)

    response = client.post("/events/new/", typed(role.body, co_hosts="示例光伏行业协会\n"))

    event = Event.objects.get()
    assertRedirects(response, page("event_overview", event))
    assert (event.status, event.region.code, list(event.co_hosts.all())) == (
        "draft",
        "330421",
        [other],
    )
    assert list(event.tiers.values_list("name_en", "seats", "qualifications")) == [
        ("Little giants", 40, ["little_giant"]),
        ("General", 120, []),
    ]


def test_create_keeps_what_was_typed_and_names_an_unknown_co_host(client):
    role = OrganiserRoleFactory()
    client.force_login(role.user)

    response = client.post("/events/new/", typed(role.body, co_hosts="Nobody Ltd", name_en=""))

    assertContains(response, "Not on the register under this name: Nobody Ltd", status_code=422)
    assertContains(response, "光伏对接会", status_code=422)
    assert not Event.objects.exists()


def test_create_is_not_there_for_members(client):
    client.force_login(MembershipFactory().user)

    assert client.get("/events/new/").status_code == 404


def test_edit_lowers_seats_no_further_than_taken_and_saves_nothing_then(client):
    event = EventFactory(seats=5)
    RegistrationFactory(event=event, seats_asked=2)
    client.force_login(organiser_of(event))
    data = typed(event.host, general_seats="1", place="Elsewhere", **{"t-TOTAL_FORMS": "0"})

    response = client.post(page("event_edit", event), data)

    assertContains(response, "2 seats are taken", status_code=422)
    event.refresh_from_db()
    assert event.place != "Elsewhere"


def test_edit_keeps_tiers_by_their_id(client):
    event = EventFactory(seats=5)
    tier = TierFactory(event=event)
    client.force_login(organiser_of(event))
    html = client.get(page("event_edit", event))
    assertContains(html, tier.public_id)
    data = typed(
        event.host,
        general_seats="9",
        **{
            "t-TOTAL_FORMS": "2",
            "t-INITIAL_FORMS": "1",
            "t-0-public_id": tier.public_id,
            "t-0-seats": "7",
        },
    )

    client.post(page("event_edit", event), data)

    assert list(event.tiers.order_by("order").values_list("pk", "seats")) == [
        (tier.pk, 7),
        (event.tiers.get(is_general=True).pk, 9),
    ]


def test_publish_from_the_overview_says_what_is_missing(client):
    event = EventFactory(draft=True, place="")
    client.force_login(organiser_of(event))

    assertContains(
        client.get(page("event_overview", event)), "Still missing before it can be public: a place"
    )
    response = client.post(page("event_publish", event), follow=True)

    assertContains(response, "Before the event can be public it needs: a place.")
    event.refresh_from_db()
    assert event.status == "draft"


def test_cancel_page_needs_a_reason(client):
    event = EventFactory()
    client.force_login(organiser_of(event))

    answer = client.post(page("event_cancel", event), {"reason": ""})
    assertContains(answer, '<a href="#reason">Say why', status_code=422)
    client.post(page("event_cancel", event), {"reason": "Storm warning"})

    event.refresh_from_db()
    assert (event.status, event.cancel_reason) == ("cancelled", "Storm warning")


# ---- guests ----


def waiting_event(count=2):
    event = EventFactory(seats=1)
    rows = []
    for _ in range(count + 1):
        who = MembershipFactory()
        rows.append(
            registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
        )
    return event, rows


@pytest.mark.parametrize("count", [1, 3])
def test_guest_list_costs_the_same_for_one_and_for_three(client, django_assert_num_queries, count):
    event, _rows = waiting_event(count)
    client.force_login(organiser_of(event))

    with django_assert_num_queries(18):
        assert len(client.get(page("guest_list", event)).context["rows"]) == count


def test_guests_show_ranks_of_the_rule_and_filter(client):
    event, rows = waiting_event(3)
    client.force_login(organiser_of(event))

    found = client.get(page("guest_list", event)).context["rows"]
    assert [(guest["row"].pk, guest["rank"]) for guest in found] == [
        (rows[1].pk, 1),
        (rows[2].pk, 2),
        (rows[3].pk, 3),
    ]
    confirmed = client.get(page("guest_list", event) + "?state=confirmed").context["rows"]
    assert [guest["row"].pk for guest in confirmed] == [rows[0].pk]


def test_move_needs_a_reason_on_the_page_too(client):
    event, rows = waiting_event(2)
    client.force_login(organiser_of(event))
    url = reverse("events:registration_decide", args=[rows[2].public_id])

    refused = client.post(url, {"action": "move", "priority": "1", "reason": ""}, follow=True)
    assertContains(refused, "Say why")
    moved = client.post(url, {"action": "move", "priority": "1", "reason": "Speaker"}, follow=True)

    assertContains(moved, "moved to place 1")
    assertContains(moved, "Speaker")
    assert waiting_list.ranks(event, event.registrations.all()) == {rows[2].pk: 1, rows[1].pk: 2}


def test_approve_and_decline_on_the_page(client):
    event = EventFactory(admission="reviewed", seats=5)
    rows = [RegistrationFactory(event=event, status="submitted") for _ in range(2)]
    client.force_login(organiser_of(event))
    urls = [reverse("events:registration_decide", args=[row.public_id]) for row in rows]

    client.post(urls[0], {"action": "approve"})
    client.post(urls[1], {"action": "decline", "reason": "Another chain"})

    assert list(event.registrations.order_by("pk").values_list("status", flat=True)) == [
        "confirmed",
        "declined",
    ]


def test_row_8_an_organiser_of_another_county_finds_nothing_to_decide(client):
    row = RegistrationFactory(event__admission="reviewed", status="submitted")
    client.force_login(OrganiserRoleFactory(region=region("330424")).user)
    url = reverse("events:registration_decide", args=[row.public_id])

    assert client.post(url, {"action": "approve"}).status_code == 404
    row.refresh_from_db()
    assert row.status == "submitted"


def test_export_names_delegates_for_the_host_only_and_is_in_the_trail(client):
    co_host = OrganiserRoleFactory()
    event = EventFactory(co_hosts=[co_host.body])
    who = MembershipFactory(enterprise__name="=cmd()")
    registration.register(
        event=event, enterprise=who.enterprise, seats=1, by=who.user, delegates=["Canary Person"]
    )
    texts = {}
    for name, user in (("host", organiser_of(event)), ("co_host", co_host.user)):
        client.force_login(user)
        response = client.get(page("guest_list", event) + "?state=all&export=csv")
        texts[name] = b"".join(response.streaming_content).decode("utf-8-sig")

    assert "Canary Person" in texts["host"]
    assert "Canary Person" not in texts["co_host"]
    assert "'=cmd()" in texts["co_host"]
    assert [
        a.data["delegates"] for a in AuditEntry.objects.filter(action="registration.exported")
    ] == [
        True,
        False,
    ]


def test_export_as_a_workbook(client):
    event, _rows = waiting_event(1)
    client.force_login(organiser_of(event))

    response = client.get(page("guest_list", event) + "?state=all&export=xlsx")

    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content)))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["Position", "Enterprise"]
    assert [row[0] for row in rows[1:]] == [1.0, ""]


def test_desk_staff_see_the_guests_on_the_days_of_the_event_only(client):
    event = EventFactory()
    staff = MembershipFactory().user
    event.staff.create(user=staff, role="desk")
    client.force_login(staff)
    early = client.get(page("guest_list", event))

    assertContains(early, "The guest list opens for the desk on", status_code=403)
    assertContains(early, moment(event.starts_at - datetime.timedelta(days=1)), status_code=403)
    waits = client.get(page("event_detail", event))
    assertContains(waits, "You work at the desk of this event")
    assertContains(waits, moment(event.starts_at - datetime.timedelta(days=1)))

    Event.objects.filter(pk=event.pk).update(
        starts_at=timezone.now(), ends_at=timezone.now() + datetime.timedelta(hours=1)
    )
    response = client.get(page("guest_list", event))

    assert response.status_code == 200
    assertNotContains(response, "Export, no contacts")
    assert client.get(page("guest_list", event) + "?export=csv").status_code == 404
    assertNotContains(client.get(page("event_detail", event)), "You work at the desk")


# ---- the list of requirements ----


def test_list_add_order_feature_moment_and_remove(client):
    event = EventFactory()
    rows = [RequirementFactory() for _ in range(2)]
    client.force_login(organiser_of(event))
    url = page("event_listing", event)

    for row in rows:
        client.post(url, {"action": "add", "requirement": row.public_id})
    first, second = event.listings.order_by("order")
    client.post(url, {"action": "order", f"order_{first.code}": "2", f"order_{second.code}": "1"})
    client.post(url, {"action": "feature", "listing": second.public_id})
    client.post(
        url,
        {
            "action": "moment",
            "at": f"{(timezone.localtime() + datetime.timedelta(days=5)):%Y-%m-%d}T09:00",
        },
    )

    event.refresh_from_db()
    assert [(r.requirement_id, r.is_featured) for r in event.listings.order_by("order")] == [
        (rows[1].pk, True),
        (rows[0].pk, False),
    ]
    assert timezone.localtime(event.list_published_at).strftime("%H:%M") == "09:00"
    client.post(url, {"action": "remove", "listing": first.public_id})
    assert event.listings.count() == 1


def test_list_search_offers_what_is_public_or_on_ones_desk(client):
    event = EventFactory()
    public = RequirementFactory(search_text="接线盒")
    desk = RequirementFactory(submitted=True, search_text="接线盒")
    elsewhere = RequirementFactory(
        submitted=True, search_text="接线盒", enterprise__region=region("370102")
    )
    client.force_login(organiser_of(event))

    found = client.get(page("event_listing", event) + "?q=接线盒").context["found"]

    assert {row.pk for row in found} == {public.pk, desk.pk}
    assert elsewhere.pk not in {row.pk for row in found}
