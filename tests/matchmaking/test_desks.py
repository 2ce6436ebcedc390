"""The desks of events beside those of regions: what a moderator decides, and who decides for guests from outside."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from chains.models import Enterprise, Evidence, Requirement
from events.models import EventStaff, Listing
from events.permissions import DESK
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of
from tests.factories.matchmaking import MatchFactory

pytestmark = pytest.mark.django_db


def lent(event, role):
    return EventStaff.objects.create(event=event, user=UserFactory(), role=role).user


def people(event):
    return {
        "organiser": organiser_of(event),
        "manager": lent(event, "manager"),
        "moderator": lent(event, "moderator"),
        "desk": lent(event, "desk"),
        "region": OrganiserRoleFactory(region=region("330400")).user,
        "elsewhere": organiser_of(EventFactory(region=region("330100"))),
        "moderator elsewhere": lent(EventFactory(), "moderator"),
        "analyst": OrganiserRoleFactory(role="analyst").user,
        "administrator": AdministratorFactory(),
        "stranger": MembershipFactory().user,
    }


def names(who, rule):
    return {name for name, user in who.items() if rule(user)}


def listed_at(event, **fields):
    requirement = RequirementFactory(lines=["接线盒 1500 V"], **fields)
    Listing.objects.create(event=event, requirement=requirement, code=requirement.public_id[:8])
    return requirement


def in_hangzhou(**fields):
    return EnterpriseFactory(region=region("330106"), **fields)


def from_abroad(**fields):
    return EnterpriseFactory(
        region=None, scheme="foreign", country="DE", number=f"HRB {UserFactory().pk}", **fields
    )


def from_suzhou(**fields):
    return EnterpriseFactory(region=region("320500"), **fields)


# ---- moderators ----


def test_moderator_decides_on_what_is_listed_and_takes_nothing_down():
    event = EventFactory()  # in Jiashan; the enterprise is of Hangzhou
    waiting = listed_at(event, submitted=True, enterprise=in_hangzhou())
    public = listed_at(event, enterprise=in_hangzhou())
    who = people(event)
    allowed = {"moderator", "elsewhere", "administrator"}

    assert names(who, lambda user: DESK.may_moderate(user, waiting)) == allowed
    assert names(who, lambda user: DESK.may_take_down(user, public)) == allowed - {"moderator"}
    assert names(who, lambda user: waiting in DESK.to_moderate(user)) == allowed
    assert DESK.to_moderate(who["moderator"]).count() == 1


@pytest.mark.parametrize("role", ["moderator", "desk", "manager"])
@pytest.mark.parametrize("listed", [True, False])
def test_page_of_a_case_is_there_for_the_moderator_of_its_event_only(client, role, listed):
    event = EventFactory()
    case = listed_at(event if listed else EventFactory(), submitted=True, enterprise=in_hangzhou())
    client.force_login(lent(event, role))
    page = reverse("chains:moderation_case", args=[case.public_id])

    shown = client.get(page)
    client.post(page, {"do": "approve"})

    allowed = role == "moderator" and listed
    assert shown.status_code == (200 if allowed else 404)
    assert Requirement.objects.get(pk=case.pk).status == ("published" if allowed else "submitted")


@pytest.mark.parametrize("verb", ["return", "refuse"])
def test_moderator_returns_and_refuses_on_the_page(client, verb):
    event = EventFactory()
    case = listed_at(event, submitted=True, enterprise=in_hangzhou())
    client.force_login(lent(event, "moderator"))

    client.post(
        reverse("chains:moderation_case", args=[case.public_id]),
        {"do": verb, "reason": "advertising", "remark-text": "State the voltage."},
    ) if verb == "return" else client.post(
        reverse("chains:moderation_case", args=[case.public_id]),
        {"do": verb, "reason": "advertising"},
    )

    case.refresh_from_db()
    assert (case.status, case.close_reason) == {
        "return": ("returned", ""),
        "refuse": ("closed", "refused"),
    }[verb]


def test_moderator_is_not_offered_and_not_allowed_to_take_down(client):
    event = EventFactory()
    public = listed_at(event, enterprise=in_hangzhou())
    client.force_login(lent(event, "moderator"))
    page = reverse("chains:moderation_case", args=[public.public_id])

    shown = client.get(page)
    answer = client.post(page, {"do": "take_down", "reason": "misleading"})

    assert shown.status_code == 200
    assert b'value="take_down"' not in shown.content
    assert answer.status_code == 403
    assert Requirement.objects.get(pk=public.pk).status == "published"


def test_moderator_does_not_decide_on_what_the_own_enterprise_asks(client):
    event = EventFactory()
    case = listed_at(event, submitted=True, enterprise=in_hangzhou())
    moderator = lent(event, "moderator")
    MembershipFactory(user=moderator, enterprise=case.enterprise)
    client.force_login(moderator)

    answer = client.post(
        reverse("chains:moderation_case", args=[case.public_id]), {"do": "approve"}
    )

    assert answer.status_code == 403
    assert list(DESK.to_moderate(moderator)) == []


def test_moderation_ends_with_the_event(client):
    event = EventFactory(held=True)
    case = listed_at(event, submitted=True, enterprise=in_hangzhou())
    client.force_login(lent(event, "moderator"))

    assert client.get(reverse("chains:moderation_case", args=[case.public_id])).status_code == 404
    assert client.get(reverse("matchmaking:inbox")).status_code == 403


def test_moderators_inbox_holds_what_waits_at_the_event(client):
    event = EventFactory()
    case = listed_at(event, submitted=True, enterprise=in_hangzhou())
    RequirementFactory(submitted=True, enterprise=in_hangzhou())  # on no list
    client.force_login(lent(event, "moderator"))

    inbox = client.get(reverse("matchmaking:inbox"))

    assert [(one.count, one.href) for one in inbox.context["queues"]] == [
        (1, reverse("chains:moderation_case", args=[case.public_id]))
    ]


# ---- guests from outside ----


@pytest.mark.parametrize("make", [from_suzhou, from_abroad])
def test_organisers_of_an_event_decide_for_guests_from_outside(make):
    event = EventFactory()
    guest = make(pending=True)
    RegistrationFactory(event=event, enterprise=guest, status="submitted")
    asked = RequirementFactory(submitted=True, enterprise=guest)
    who = people(event)
    allowed = {"organiser", "manager", "administrator"}

    assert names(who, lambda user: DESK.may_verify(user, guest)) == allowed
    assert names(who, lambda user: guest in DESK.enterprises(user)) == allowed
    assert names(who, lambda user: DESK.may_moderate(user, asked)) == allowed
    assert names(who, lambda user: DESK.may_take_down(user, asked)) == allowed
    assert names(who, lambda user: asked in DESK.to_moderate(user)) == allowed


@pytest.mark.parametrize("status", ["declined", "cancelled", None])
def test_organisers_decide_nothing_for_those_who_do_not_take_part(status):
    event = EventFactory()
    guest = from_suzhou(pending=True)
    if status:
        RegistrationFactory(event=event, enterprise=guest, status=status)

    assert names(people(event), lambda user: DESK.may_verify(user, guest)) == {"administrator"}


def test_guests_from_a_served_province_stay_with_the_desk_of_their_region():
    event = EventFactory()
    guest = in_hangzhou(pending=True)
    RegistrationFactory(event=event, enterprise=guest, status="submitted")

    allowed = names(people(event), lambda user: DESK.may_verify(user, guest))

    assert allowed == {
        "elsewhere",
        "administrator",
    }  # Hangzhou's own desk is the one called elsewhere


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("organiser", 200),
        ("manager", 200),
        ("administrator", 200),
        ("moderator", 404),
        ("desk", 404),
        ("region", 404),
        ("elsewhere", 404),
        ("stranger", 404),
    ],
)
def test_page_of_a_guest_from_outside(client, name, status):
    event = EventFactory()
    guest = from_suzhou(pending=True)
    RegistrationFactory(event=event, enterprise=guest, status="submitted")
    client.force_login(people(event)[name])
    page = reverse("chains:enterprise_case", args=[guest.public_id])

    shown = client.get(page)
    client.post(page, {"do": "verify", "seen": guest.updated_at.isoformat()})

    assert shown.status_code == status
    assert Enterprise.objects.get(pk=guest.pk).status == (
        "verified" if status == 200 else "pending"
    )


def test_licence_of_a_guest_from_outside_opens_for_the_organiser(client):
    event = EventFactory()
    guest = from_suzhou(pending=True)
    RegistrationFactory(event=event, enterprise=guest, status="submitted")
    paper = Evidence(
        enterprise=guest,
        purpose="licence",
        size=4,
        original_name="licence.pdf",
        content_type="application/pdf",
        uploaded_by=UserFactory(),
    )
    paper.file.save("licence.pdf", ContentFile(b"%PDF"))
    found = {}

    for name, user in people(event).items():
        client.force_login(user)
        page = reverse("chains:evidence_download", args=[paper.public_id])
        answer = client.get(page)
        if answer.streaming:
            b"".join(answer.streaming_content)  # read to its end the file is closed
        found[name] = answer.status_code

    assert {name for name, status in found.items() if status == 200} == {
        "organiser",
        "manager",
        "administrator",
    }
    assert set(found.values()) == {200, 404}


def test_organiser_lists_what_a_guest_from_outside_asks_before_it_is_public(client):
    event = EventFactory()
    guest = from_suzhou()
    RegistrationFactory(event=event, enterprise=guest)
    theirs = RequirementFactory(submitted=True, enterprise=guest)
    hidden = RequirementFactory(submitted=True, enterprise=in_hangzhou())
    client.force_login(organiser_of(event))
    page = reverse("events:event_listing", args=[event.public_id])

    offered = list(client.get(page).context["found"])
    answers = [
        client.post(page, {"action": "add", "requirement": row.public_id}).status_code
        for row in (theirs, hidden)
    ]

    assert offered == [theirs]
    assert answers == [302, 404]
    assert [listing.requirement for listing in event.listings.all()] == [theirs]


def test_inbox_gives_a_guest_from_outside_to_the_first_event_applied_for(client):
    first, second = EventFactory(), EventFactory()
    guest = from_suzhou(pending=True)
    for event in (first, second):
        RegistrationFactory(event=event, enterprise=guest, status="submitted")
    RequirementFactory(submitted=True, enterprise=guest)
    found = {}

    for name, user in {
        "first": organiser_of(first),
        "second": organiser_of(second),
        "administrator": AdministratorFactory(),
    }.items():
        client.force_login(user)
        queues = client.get(reverse("matchmaking:inbox")).context["queues"]
        found[name] = [one.name for one in queues]

    assert found == {
        "first": ["Enterprises to verify", "Requirements to moderate"],
        "second": [],
        "administrator": [],
    }


def test_inbox_gives_one_that_has_applied_for_nothing_to_the_administrator(client):
    from_suzhou(pending=True)
    client.force_login(AdministratorFactory())

    (queue,) = client.get(reverse("matchmaking:inbox")).context["queues"]

    assert (queue.name, queue.count) == ("Enterprises to verify", 1)


def test_api_shows_cases_to_those_who_decide_them(client):
    event = EventFactory()
    guest = from_suzhou(pending=True)
    RegistrationFactory(event=event, enterprise=guest, status="submitted")
    asked = RequirementFactory(submitted=True, enterprise=guest)
    listed = listed_at(event, submitted=True, enterprise=in_hangzhou())
    seen = {}

    for name, user in people(event).items():
        client.force_login(user)
        seen[name] = tuple(
            client.get(f"/api/v1/{kind}/{row.public_id}/").status_code == 200
            for kind, row in (
                ("enterprises", guest),
                ("requirements", asked),
                ("requirements", listed),
            )
        )

    assert seen == {
        "organiser": (True, True, True),
        "manager": (True, True, True),
        "moderator": (False, False, True),
        "desk": (False, False, False),
        "region": (False, False, False),
        "elsewhere": (False, False, True),
        "moderator elsewhere": (False, False, False),
        "analyst": (False, False, False),
        "administrator": (True, True, True),
        "stranger": (False, False, False),
    }


# ---- queues ----


def test_pages_of_cases_count_the_desk_of_the_inbox_and_not_those_below(client):
    province = OrganiserRoleFactory(region=region("330000")).user
    OrganiserRoleFactory(region=region("330421"))  # Jiashan has a desk of its own
    below = EnterpriseFactory(region=region("330421"), pending=True)
    own = EnterpriseFactory(region=region("330106"), pending=True)
    asked_below = RequirementFactory(
        submitted=True, enterprise=EnterpriseFactory(region=region("330421"))
    )
    asked = RequirementFactory(submitted=True, enterprise=in_hangzhou())
    client.force_login(province)

    def context(page, case):
        return client.get(reverse(page, args=[case.public_id])).context

    counts = [queue.count for queue in client.get(reverse("matchmaking:inbox")).context["queues"]]
    assert counts == [1, 1]
    shown = context("chains:enterprise_case", own)
    assert (shown["place"], shown["total"]) == (1, 1)
    shown = context("chains:enterprise_case", below)  # may be decided here, waits elsewhere
    assert (shown["place"], shown["total"]) == (None, 1)
    shown = context("chains:moderation_case", asked)
    assert (shown["place"], shown["total"]) == (1, 1)
    shown = context("chains:moderation_case", asked_below)
    assert (shown["place"], shown["total"]) == (0, 1)


# ---- one event of several, and what is one's own ----


def test_inbox_of_one_event_holds_what_concerns_it(client):
    organiser = OrganiserRoleFactory()
    event, other = EventFactory(host=organiser.body), EventFactory(host=organiser.body)
    listed = listed_at(event, submitted=True)
    listed_at(other, submitted=True)
    guest = RegistrationFactory(event=event, enterprise__pending=True, status="submitted")
    EnterpriseFactory(pending=True)
    client.force_login(organiser.user)
    address = reverse("matchmaking:inbox")

    def found(**query):
        answer = client.get(address, query)
        return answer, {(one.count, one.href) for one in answer.context["queues"]}

    everything, queues = found()
    assert sorted(count for count, _href in queues) == [2, 2]
    narrowed, queues = found(event=event.public_id)
    assert queues == {
        (1, reverse("chains:moderation_case", args=[listed.public_id])),
        (1, reverse("chains:enterprise_case", args=[guest.enterprise.public_id])),
    }
    assert (everything.context["inbox_count"], narrowed.context["inbox_count"]) == (4, None)
    sheet = client.get(address, {"event": event.public_id, "export": "csv"})
    assert b"".join(sheet.streaming_content).decode().count("http") == 2
    foreign, queues = found(event=EventFactory().public_id)
    assert "No event of yours has this address" in foreign.content.decode()
    assert sorted(count for count, _href in queues) == [2, 2]


def test_inbox_of_one_event_leads_to_its_lines_and_its_guests(client):
    organiser = OrganiserRoleFactory()
    event = EventFactory(host=organiser.body, admission="reviewed")
    other = EventFactory(host=organiser.body, admission="reviewed")
    for one in (event, other):
        MatchFactory(line=listed_at(one).lines.get())
        RegistrationFactory(event=one, status="submitted")
    client.force_login(organiser.user)

    queues = client.get(reverse("matchmaking:inbox"), {"event": event.public_id}).context["queues"]

    assert {(one.count, one.href) for one in queues} == {
        (1, f"{reverse('matchmaking:review_queue')}?event={event.public_id}"),
        (1, reverse("events:guest_list", args=[event.public_id])),
    }


def test_inbox_says_what_is_ones_own_and_who_decides_it(client):
    county = OrganiserRoleFactory(region=region("330421"))
    city = OrganiserRoleFactory(region=region("330400"))
    own = RequirementFactory(submitted=True, enterprise=county.body)
    posted = RequirementFactory(submitted=True, posted_by=county.body)
    RequirementFactory(submitted=True)
    event = EventFactory(host=county.body, admission="reviewed")
    RegistrationFactory(event=event, enterprise=county.body, status="submitted")
    client.force_login(county.user)

    inbox = client.get(reverse("matchmaking:inbox"))
    of_event = client.get(reverse("matchmaking:inbox"), {"event": event.public_id})

    cases = {case.name: case.desk for case in inbox.context["own_cases"]}
    assert cases == {own.title: city.region, posted.title: city.region, str(event.name_en): None}
    page = inbox.content.decode()
    assert "Not yours to decide" in page
    assert page.count(f"The desk of {city.region.name_en} decides.") == 2
    assert [case.event for case in of_event.context["own_cases"]] == [event]
    # What is said to lie there does.
    client.force_login(city.user)
    queues = client.get(reverse("matchmaking:inbox")).context["queues"]
    assert {one.name: one.count for one in queues}["Requirements to moderate"] == 2
