"""Every list costs the database as many questions for twenty-five rows as for one.

A new list needs a maker here: a test walks the URL conf for those that have none.
"""

from __future__ import annotations

import re

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chains import audit, notifications, searchtext
from chains.models import (
    CapabilityPhoto,
    Category,
    Chain,
    ContactReveal,
    Import,
    Province,
    RequirementFile,
)
from events.models import Delegate, Listing
from events.services import invitations
from matchmaking.models import SavedSearch
from matchmaking.templatetags import reasons
from tests import routes
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import (
    EventFactory,
    ProgrammeFactory,
    RegistrationFactory,
    SeriesFactory,
    organiser_of,
)
from tests.factories.matchmaking import (
    InterestFactory,
    MatchFactory,
    MatchRunFactory,
    draft_weighting,
)
from tests.matchmaking.api import test_api

pytestmark = pytest.mark.django_db

COUNTS = (1, 25)
WORD = "光伏接线盒"


def searched():
    return searchtext.document(WORD)


def requirement_list(count):
    Province.objects.update(gap_public=True)
    for leaf in Category.objects.filter(level=Category.LEAF)[:count]:
        requirement = RequirementFactory(lines=["a", "b"], chain=Chain.objects.get(code="PV"))
        requirement.lines.update(category=leaf)
    return None, reverse("matchmaking:requirement_list"), "<article>", COUNTS


def requirement_list_of_a_supplier(count):
    member = MembershipFactory()
    for _ in range(count):
        requirement = RequirementFactory(lines=["a"])
        MatchFactory(line=requirement.lines.get(), supplier=member.enterprise, status="approved")
    return member.user, reverse("matchmaking:requirement_list"), "<article>", COUNTS


def enterprise_list(count):
    for _ in range(count):
        CapabilityFactory()
    return None, reverse("matchmaking:enterprise_list"), '<li><h3 class="h3', COUNTS


def enterprise_list_narrowed(count):
    user, address, mark, shown = enterprise_list(count)
    return user, f"{address}?region=330400", mark, shown


def search(count):
    for _ in range(count):
        RequirementFactory(search_text=searched(), lines=["a"])
        EnterpriseFactory(search_text=searched())
        EventFactory(search_text=searched())
    # Eight of each at most, beside one segment.
    return None, f"{reverse('matchmaking:search')}?q={WORD}", '<li class="py-2">', (4, 25)


def chain_list(count):
    address, shipped = reverse("matchmaking:chain_list"), Chain.objects.count()
    for number in range(count):
        Chain.objects.create(
            code=f"X{number}", name_zh=f"链{number}", name_en=f"Chain {number}", kind="general"
        )
    mark = f'href="{address}X'
    assert shipped
    return None, address, mark, COUNTS


def event_list(count):
    for _ in range(count):
        EventFactory(chains=["PV", "LB"], docking_kinds=["supply_sales"])
    return None, reverse("events:event_list"), "<article", COUNTS


def event_list_of_an_organiser(count):
    host = EventFactory(draft=True).host
    for _ in range(count - 1):
        EventFactory(draft=True, host=host, chains=["PV"])
    user = OrganiserRoleFactory(body=host).user
    return user, reverse("events:event_list"), "<article", COUNTS


def registration_list(count):
    """Every second one waits: places in queues are computed for all in one question."""
    member = MembershipFactory()
    for number in range(count):
        waits = {} if number % 2 else {"status": "waitlisted"}
        RegistrationFactory(enterprise=member.enterprise, **waits)
    return member.user, reverse("events:registration_list"), '<tr><th scope="row">', COUNTS


def series_list(count):
    for _ in range(count):
        EventFactory(series=[SeriesFactory()])
    return (
        None,
        reverse("events:series_list"),
        f"{reverse('events:series_list')}[0-9a-z]{{12}}/",
        COUNTS,
    )


def series_events(count):
    role = OrganiserRoleFactory()
    series = SeriesFactory(programme__owner=role.body)
    for _ in range(count):
        EventFactory(series=[series, SeriesFactory()])
    address = reverse("events:series_events", args=[series.public_id])
    return role.user, address, 'name="event"', COUNTS


def series_participants(count):
    role = OrganiserRoleFactory()
    series = SeriesFactory(programme__owner=role.body)
    event = EventFactory(held=True, series=[series], seats=100)
    for _ in range(count):
        RegistrationFactory(event=event)
    address = reverse("events:series_participants", args=[series.public_id])
    return role.user, address, '<th scope="row"', COUNTS


def series_detail(count):
    """A page of figures: more of everything, no more queries."""
    series = SeriesFactory(programme=ProgrammeFactory(owner__region=region("330000")))
    for _ in range(count):
        event = EventFactory(held=True, series=[series], seats=100, chains=["PV"])
        RegistrationFactory(event=event)
    return None, reverse("events:series_detail", args=[series.public_id]), "<main", None


def programme_detail(count):
    programme = ProgrammeFactory()
    for number in range(count):
        EventFactory(series=[SeriesFactory(programme=programme, year=2000 + number)])
    address = reverse("events:programme_detail", args=[programme.public_id])
    return None, address, '<th scope="row"', COUNTS


def notification_list(count):
    member = MembershipFactory()
    for _ in range(count):
        enterprise = EnterpriseFactory().public_id
        notifications.post(member.user, "enterprise_verified", enterprise=enterprise)
    return member.user, reverse("chains:notification_list"), "is verified", COUNTS


def member_list(count):
    member = MembershipFactory()
    for _ in range(count - 1):
        MembershipFactory(enterprise=member.enterprise, role="editor")
    address = reverse("chains:member_list", args=[member.enterprise.public_id])
    return member.user, address, r"@example\.\w+", (2, 74)


def requirement_file_list(count):
    requirement = RequirementFactory()
    for n in range(count):
        RequirementFile.objects.create(
            requirement=requirement, original_name=f"drawing-{n}.pdf", content_type="application/pdf",
            size=20, sha256="0" * 64, file="nowhere.pdf", uploaded_by=UserFactory(),
        )  # fmt: skip
    user = MembershipFactory(enterprise=requirement.enterprise).user
    address = reverse("chains:requirement_file_list", args=[requirement.public_id])
    return user, address, r"drawing-\d+\.pdf</label>", COUNTS


def capability_photo_list(count):
    member = MembershipFactory()
    capability = CapabilityFactory(enterprise=member.enterprise)
    for _ in range(count):
        CapabilityPhoto.objects.create(
            capability=capability, caption="Line", language="en", width=1, height=1, original_name="photo.png",
            content_type="image/png", size=20, sha256="0" * 64, file="nowhere.png", uploaded_by=member.user,
        )  # fmt: skip
    address = reverse("chains:capability_photo_list", args=[capability.public_id])
    return member.user, address, "<img ", COUNTS


def my_requirements(count):
    member = MembershipFactory()
    for _ in range(count):
        requirement = RequirementFactory(enterprise=member.enterprise, lines=["a", "b"])
        InterestFactory(requirement=requirement)
        MatchFactory(line=requirement.lines.get(number=1), status="approved")
    return member.user, reverse("matchmaking:my_requirements"), '<th scope="row">', (1, 20)


def my_interests(count):
    member = MembershipFactory()
    for _ in range(count):
        InterestFactory(enterprise=member.enterprise).lines.set(
            RequirementFactory(lines=["a"]).lines.all()
        )
    return member.user, reverse("matchmaking:my_interests"), '<th scope="row">', COUNTS


def for_you(count):
    member = MembershipFactory(role="editor")
    CapabilityFactory(enterprise=member.enterprise)
    MatchRunFactory()
    for _ in range(count):
        MatchFactory(
            line=RequirementFactory(lines=["a", "b"]).lines.get(number=1),
            supplier=member.enterprise,
        )
    return member.user, reverse("matchmaking:for_you"), "<article", (1, 10)


def review_queue(count):
    user = OrganiserRoleFactory().user
    for _ in range(count):
        MatchFactory(line=RequirementFactory(lines=["a"]).lines.get())
    return user, reverse("matchmaking:review_queue"), '<th scope="row">', COUNTS


def run_list(count):
    user = UserFactory()
    MatchRunFactory.create_batch(count, asked_by=user)
    return (
        user,
        reverse("matchmaking:run_list"),
        f"{reverse('matchmaking:run_list')}[0-9a-z]{{12}}/",
        COUNTS,
    )


def calibration(count):
    user = OrganiserRoleFactory().user
    for number in range(count):
        draft_weighting(region("330000"), version=2 + number)
    return user, reverse("matchmaking:calibration"), r"Version \d+</a>", (2, 26)


def requirement_interests(count):
    member = MembershipFactory(role="editor")
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["a"])
    line = requirement.lines.get()
    for _ in range(count):
        interest = InterestFactory(requirement=requirement)
        interest.lines.set([line])
        MatchFactory(line=line, supplier=interest.enterprise)
    address = reverse("matchmaking:requirement_interests", args=[requirement.public_id])
    return member.user, address, '<th scope="col">', (1, 5)


def contact_log(count):
    member = MembershipFactory()
    requirement = RequirementFactory(enterprise=member.enterprise)
    for _ in range(count):
        reader = MembershipFactory()
        ContactReveal.objects.create(
            contact=requirement.contact,
            requirement=requirement,
            user=reader.user,
            enterprise=reader.enterprise,
            right="policy",
        )
    address = reverse("matchmaking:contact_log", args=[requirement.public_id])
    return member.user, address, r"Demo Precision \d+", (2, 26)


def enterprise_contact_log(count):
    member = MembershipFactory()
    for _ in range(count):
        interest = InterestFactory(enterprise=member.enterprise)
        ContactReveal.objects.create(
            contact=interest.contact,
            requirement=interest.requirement,
            user=UserFactory(),
            enterprise=interest.requirement.enterprise,
            right="interest_sent",
        )
    address = reverse("matchmaking:enterprise_contact_log", args=[member.enterprise.public_id])
    return member.user, address, 'data-l="By what right"', (1, 25)


def guest_list(count):
    event = EventFactory(seats=100)
    RegistrationFactory.create_batch(count, event=event)
    address = reverse("events:guest_list", args=[event.public_id])
    return organiser_of(event), f"{address}?state=all", r"Demo Precision \d+", (2, 50)


def event_letters(count):
    event = EventFactory()
    for _ in range(count):
        row = RegistrationFactory(event=event, status="submitted")
        notifications.post(
            UserFactory(),
            "registration_submitted",
            registration=row.public_id,
            event=event.public_id,
        )
    address = reverse("events:event_letters", args=[event.public_id])
    return organiser_of(event), address, '<th scope="row"', COUNTS


def event_listing(count):
    event = EventFactory()
    for order in range(count):
        Listing.objects.create(
            event=event, requirement=RequirementFactory(), order=order, code=f"T{order}"
        )
    address = reverse("events:event_listing", args=[event.public_id])
    return organiser_of(event), address, 'name="order_', COUNTS


def delegate_list(count):
    member = MembershipFactory()
    event = EventFactory(seats=100)
    row = RegistrationFactory(event=event, enterprise=member.enterprise, seats_asked=count)
    for number in range(count):
        Delegate.objects.create(registration=row, event=event, name=f"Delegate {number}")
    address = reverse("events:delegate_list", args=[row.public_id])
    return member.user, address, r'value="Delegate \d+"', COUNTS


def badged(count, name="Delegate"):
    """Persons of as many enterprises, all of one event."""
    event = EventFactory(seats=100)
    for number in range(count):
        row = RegistrationFactory(event=event)
        Delegate.objects.create(registration=row, event=event, name=f"{name} {number}")
    return organiser_of(event), event.public_id


def badge_sheet(count):
    user, event = badged(count)
    return user, reverse("events:badge_sheet", args=[event]), "badge-card", COUNTS


def sign_in_sheet(count):
    user, event = badged(count)
    return user, reverse("events:sign_in_sheet", args=[event]), r"<td>Delegate \d+", COUNTS


def check_in(count):
    user, event = badged(count)
    address = reverse("events:check_in", args=[event])
    return user, f"{address}?q=Delegate", r"<b>Delegate \d+", COUNTS


def registration_badges(count):
    user, address, _mark, counts = delegate_list(count)
    return user, address.replace("delegates", "badges"), "badge-card", counts


def requirement_history(count):
    member = MembershipFactory()
    requirement = RequirementFactory(enterprise=member.enterprise)
    for _ in range(count):
        audit.record(member.user, "requirement.amended", requirement)
    address = reverse("chains:requirement_history", args=[requirement.public_id])
    return member.user, address, "Amended", None


def inbox(count):
    user = OrganiserRoleFactory().user
    EnterpriseFactory.create_batch(count, pending=True)
    RequirementFactory.create_batch(count, submitted=True)
    return user, reverse("matchmaking:inbox"), "<li", None


def role_list(count):
    user = OrganiserRoleFactory().user
    for _ in range(count):
        OrganiserRoleFactory(region=region("330481"))
    return user, reverse("chains:role_list"), '<th scope="row"', COUNTS


def import_list(count):
    user = MembershipFactory().user
    for n in range(count):
        Import.objects.create(
            kind="capabilities", enterprise=user.enterprise, asked_by=user, file_name=f"{n}.csv"
        )
    return user, reverse("chains:import_list"), '<th scope="row">', (1, 20)


def _listed(count):
    event = EventFactory()
    for n in range(count):
        requirement = RequirementFactory(lines=["a"], chain=Chain.objects.get(code="PV"))
        Listing.objects.create(event=event, requirement=requirement, code=f"l{n}", order=n)
    return event


def event_answers(count):
    event = _listed(count)
    for listing in event.listings.all():
        InterestFactory(requirement=listing.requirement)
    address = reverse("matchmaking:event_answers", args=[event.public_id])
    return organiser_of(event), address, '<th scope="row">', COUNTS


def posters(count):
    event = _listed(count)
    address = reverse("events:posters", args=[event.public_id])
    return organiser_of(event), address, 'class="poster"', COUNTS


def table_cards(count):
    event = EventFactory(seats=50)
    for _ in range(count):
        row = RegistrationFactory(event=event)
        Delegate.objects.create(registration=row, event=event, name="N")
    address = reverse("events:table_cards", args=[event.public_id])
    return organiser_of(event), address, 'class="fold"', COUNTS


def event_invitations(count):
    event = EventFactory()
    user = organiser_of(event)
    invitations.invite(
        event=event, enterprises=EnterpriseFactory.create_batch(count), cause="by_hand",
        reason="R", by=user,
    )  # fmt: skip
    address = reverse("matchmaking:event_invitations", args=[event.public_id])
    return user, address, '<th scope="row">', COUNTS


def alert_list(count):
    user = MembershipFactory().user
    for n in range(count):
        SavedSearch.objects.create(user=user, name=f"s{n}", query=f"q={n}")
    return user, reverse("matchmaking:alert_list"), '<select class="form-select"', (2, 26)


LISTS = (
    role_list, import_list, alert_list, requirement_list, requirement_list_of_a_supplier, enterprise_list, enterprise_list_narrowed, search, chain_list,
    event_list, event_list_of_an_organiser, registration_list, series_list, series_events, series_participants,
    series_detail, programme_detail, notification_list, member_list, my_requirements, my_interests,
    for_you, review_queue, run_list, calibration, requirement_interests, contact_log, enterprise_contact_log, guest_list, event_letters, event_listing, delegate_list,
    badge_sheet, sign_in_sheet, check_in, registration_badges, event_answers, posters, table_cards, event_invitations,
    requirement_history, requirement_file_list, capability_photo_list, inbox,
)  # fmt: skip


def cost(make, count):
    """Questions to the database and marks on the page, with this many rows and nothing kept; and the marks awaited."""
    with transaction.atomic():
        user, address, mark, shown = make(count)
        client = Client()
        if user is not None:
            client.force_login(user)
        client.get(address)  # what is read once in the life of a process
        for cache in caches.all():
            cache.clear()
        reasons.names.forget()
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        transaction.set_rollback(True)
    assert answer.status_code == 200
    return len(asked), len(re.findall(mark, answer.content.decode())), shown


@pytest.mark.parametrize("make", LISTS, ids=lambda make: make.__name__)
def test_list_asks_as_many_queries_for_25_rows_as_for_one(make):
    found = [cost(make, count) for count in COUNTS]
    shown = found[0][2]

    assert len({queries for queries, _marks, _shown in found}) == 1, found
    if shown is not None:
        assert tuple(marks for _queries, marks, _shown in found) == shown


@pytest.mark.parametrize("make", test_api.MAKERS, ids=lambda make: make.__name__)
def test_list_of_the_api_asks_as_many_queries_for_25_rows_as_for_one(make):
    client = test_api.client_of(make(25))
    found = []
    for limit in COUNTS:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(f"{test_api.API}{make.__name__}/?limit={limit}")
        found.append((len(asked), len(answer.data["results"])))

    assert [shown for _queries, shown in found] == list(COUNTS)
    assert len({queries for queries, _shown in found}) == 1, found


@pytest.mark.parametrize("name", routes.REFERENCE)
def test_list_of_reference_rows_asks_as_many_queries_for_25_rows_as_for_one(name, client):
    found = set()
    for limit in COUNTS:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(reverse(f"api-{name}-list"), {"limit": limit})
        assert answer.status_code == 200
        found.add(len(asked))

    assert len(found) == 1


def test_topics_of_the_api_ask_as_many_queries_for_25_searches_as_for_one():
    found = []
    for count in COUNTS:
        user = UserFactory()
        for n in range(count):
            SavedSearch.objects.create(user=user, name=f"s{n}", query=f"q={n}")
        client = Client()
        client.force_login(user)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(reverse("api-topics-list"))
        found.append((len(asked), len(answer.json())))

    assert len({queries for queries, _topics in found}) == 1, found
    assert found[1][1] - found[0][1] == 24


def test_every_list_of_the_url_conf_is_measured():
    named = {make.__name__.partition("_of_")[0].removesuffix("_narrowed") for make in LISTS}
    api = {"topics", *routes.REFERENCE, *(make.__name__ for make in test_api.MAKERS)}
    # Shows no rows of the database: it reads an authority's list.
    named.add("title_list")
    is_list = re.compile(
        r"_(list|queue|log|listing|history|interests)$|:(my_\w+|for_you|inbox|search)$"
    )

    unmeasured = {
        name
        for name, _args in routes.patterns()
        if not name.startswith(("admin:", "account_", "usersessions_"))
        and (
            (is_list.search(name) and name.partition(":")[2] not in named)
            or (name.endswith("-list") and name[4:-5] not in api)
        )
    }

    assert unmeasured == set()
