"""Two rows of the register that are one body: everything goes to the one kept, once, and old addresses lead on."""

from __future__ import annotations

import datetime
import threading
import uuid

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains import notifications, search
from chains.errors import DomainError
from chains.models import AuditEntry, Change, Enterprise, Mandate, Membership, Notification
from events import statistics, tasks
from events.models import CheckIn, Delegate, Registration, Tier
from matchmaking import market
from matchmaking.engine.index import OfferIndex
from matchmaking.models import Dismissal, Interest, Match, MatchRun
from matchmaking.services import following, merging
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
    uscc,
)
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory
from tests.factories.matchmaking import InterestFactory, MatchFactory, supplier

pytestmark = pytest.mark.django_db


def let_in(registration, by):
    """Somebody of theirs, who has come through the door."""
    event = registration.event
    return scanned(Delegate.objects.create(registration=registration, event=event, name="x"), by)


def scanned(delegate, by):
    CheckIn.objects.create(
        event=delegate.event, delegate=delegate, staff=by, scanned_at=timezone.now(), nonce=uuid.uuid4(),
        kind="in", answer="welcome",
    )  # fmt: skip
    return delegate


@pytest.fixture
def by():
    return AdministratorFactory()


@pytest.fixture
def pair():
    loser = EnterpriseFactory(
        name="示例旧名精密有限公司", name_en="Demo Old Name", number=uscc(8801)
    )
    survivor = EnterpriseFactory(name="示例新名精密有限公司", name_en="", number=uscc(8802))
    return loser, survivor


def references():
    """Every foreign key to an enterprise, also those of the tables between two models."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if field.is_relation and field.related_model is Enterprise:
                yield f"{model._meta.label}.{field.name}"


def pointing_at(enterprise):
    """What the database itself knows to lead there, whatever the models say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.confrelid = 'chains_enterprise'::regclass"
        )
        found = {}
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM {table} WHERE "{column}" = %s', [enterprise.pk])
            (number,) = cursor.fetchone()
            if number:
                found[table] = number
    return found


def test_every_reference_to_an_enterprise_has_a_rule_and_a_name():
    """A new foreign key to Enterprise: what becomes of it in a merge? Into RULES of matchmaking/services/merging.py."""
    assert sorted(merging.RULES) == sorted(references())
    named = {reference.rpartition(".")[0] for reference in merging.RULES}
    assert sorted(named - set(merging._CALLED) - {"chains.ContactReveal"}) == []


def test_everything_moves_and_the_old_row_leads_to_the_new_one(by, pair):
    loser, survivor = pair
    owner = MembershipFactory(enterprise=loser).user
    contact = ContactFactory(enterprise=loser)
    requirement = RequirementFactory(enterprise=loser, contact=contact, lines=["接线盒"])
    capability = CapabilityFactory(enterprise=loser)
    interest = InterestFactory(enterprise=loser)
    match = MatchFactory(supplier=loser, status="approved")
    registration = RegistrationFactory(enterprise=loser)
    earlier = EnterpriseFactory(status="merged", merged_into=loser)

    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (loser, survivor, earlier):
        row.refresh_from_db()

    assert (loser.status, loser.merged_into, earlier.merged_into) == ("merged", survivor, survivor)
    assert pointing_at(loser) == {}
    for row in (requirement, capability, interest, registration, contact):
        row.refresh_from_db()
        assert row.enterprise == survivor
    match.refresh_from_db()
    assert (match.supplier, match.status) == (survivor, "approved")
    owner.forget_memberships()
    assert owner.enterprise_ids == {survivor.pk}
    # Found under its old name, its English name and its old number; an empty field was filled.
    assert {alias.text for alias in survivor.aliases.all()} >= {
        "示例旧名精密有限公司",
        "Demo Old Name",
    }
    assert "旧名精密" in survivor.search_text
    assert list(search.by_number("uscc", "CN", loser.number)) == [survivor]
    assert (survivor.name_en, survivor.number) == ("Demo Old Name", uscc(8802))
    # On record for both, and news for the index.
    assert (
        AuditEntry.objects.get(action="enterprise.merged", actor=by.pk).data["into"]
        == survivor.public_id
    )
    assert AuditEntry.objects.filter(action="enterprise.extended", actor=by.pk).count() == 1
    told = set(
        Change.objects.filter(noun="enterprise", verb__in=["merged", "extended"]).values_list(
            "target", "verb"
        )
    )
    assert told == {(loser.public_id, "merged"), (survivor.public_id, "extended")}


def test_what_meets_its_like_is_settled_for_the_better_one(by, pair):
    loser, survivor = pair
    # A member of both, stronger at the one given up.
    both = UserFactory()
    strong = MembershipFactory(user=both, enterprise=loser, role="owner")
    weak = MembershipFactory(user=both, enterprise=survivor, role="viewer")
    # An interest of both in one requirement; the one given up was accepted.
    requirement = RequirementFactory()
    accepted = InterestFactory(requirement=requirement, enterprise=loser, status="accepted")
    waiting = InterestFactory(requirement=requirement, enterprise=survivor)
    # A match of both with one line; the one given up was approved.
    line = RequirementLineFactory()
    approved = MatchFactory(line=line, supplier=loser, status="approved")
    proposed = MatchFactory(line=line, supplier=survivor)
    Dismissal.objects.create(line=line, enterprise=loser, reason="other", by=both)
    Dismissal.objects.create(line=line, enterprise=survivor, reason="other", by=both)
    association = EnterpriseFactory(kind_id="association")
    offered = Mandate.objects.create(association=association, member=survivor)
    active = Mandate.objects.create(association=association, member=loser, status="active")

    report = merging.preview(loser=loser, survivor=survivor, by=by)
    assert Enterprise.objects.get(pk=loser.pk).status == "verified"  # taken back
    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (strong, weak, accepted, waiting, approved, proposed, offered, active):
        row.refresh_from_db()

    assert report.blocks == []
    assert {what for what, _number, _how in report.settled} == {
        "members", "interests", "matches", "dismissed suggestions", "mandates",
    }  # fmt: skip
    assert (strong.enterprise, strong.status, weak.status) == (survivor, "active", "ended")
    assert (accepted.enterprise, accepted.status, waiting.status) == (
        survivor,
        "accepted",
        "withdrawn",
    )
    assert (approved.supplier, approved.status) == (survivor, "approved")
    assert (proposed.supplier, proposed.status) == (loser, "ended")
    assert (active.member, active.status, offered.status) == (survivor, "active", "ended")
    assert Membership.objects.active().filter(enterprise=survivor).count() == 1
    assert Match.objects.live().filter(line=line).count() == 1


@pytest.mark.parametrize("status", ["pending", "returned", "suspended"])
def test_members_of_a_row_no_desk_stands_for_ask_the_owners_of_the_one_kept(by, pair, status):
    """Anybody can register a second row of a body and be its owner; that makes nobody an owner of the first."""
    loser, survivor = pair
    Enterprise.objects.filter(pk=loser.pk).update(status=status)
    owner = MembershipFactory(enterprise=survivor, role="owner").user
    stranger = MembershipFactory(enterprise=loser, role="owner")
    viewer = MembershipFactory(enterprise=survivor, role="viewer")
    again = MembershipFactory(enterprise=loser, role="owner", user=viewer.user)

    report = merging.preview(loser=loser, survivor=survivor, by=by)
    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (stranger, viewer, again):
        row.refresh_from_db()
    stranger.user.forget_memberships()

    assert (stranger.enterprise, stranger.status, stranger.role) == (
        survivor,
        "requested",
        "editor",
    )
    assert stranger.user.enterprise_ids == frozenset()
    # Whoever is a member of the one kept stays what the owners have made of them.
    assert (viewer.status, viewer.role, again.status) == ("active", "viewer", "ended")
    assert ("members", 2) in [(what, number) for what, number, _how in report.settled]
    asked = Notification.objects.filter(kind="membership_requested", channel="in_app")
    assert [(row.to, row.context["membership"]) for row in asked] == [(owner, stranger.public_id)]


def test_nobody_is_left_as_a_partner_of_itself(by, pair):
    loser, survivor = pair
    requirement = RequirementFactory(enterprise=survivor)
    line = RequirementLineFactory(requirement=requirement)
    match = MatchFactory(line=line, supplier=loser, status="approved")
    interest = InterestFactory(requirement=requirement, enterprise=loser)
    event = EventFactory(host=EnterpriseFactory(kind_id="government"), co_hosts=[loser, survivor])

    # Only an authority or an association takes events; so both are such here.
    Enterprise.objects.filter(pk__in=[loser.pk, survivor.pk]).update(kind_id="association")
    mandate = Mandate.objects.create(association=loser, member=survivor, status="active")
    for row in pair:
        row.refresh_from_db()
    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (match, interest, mandate):
        row.refresh_from_db()

    assert (match.status, interest.status, mandate.status) == ("ended", "withdrawn", "ended")
    assert list(event.co_hosts.all()) == [survivor]
    assert Interest.objects.standing().filter(requirement=requirement).count() == 0


def registered(enterprise, event, *names, seats=None, **fields):
    row = RegistrationFactory(
        event=event, enterprise=enterprise, seats_asked=seats or len(names), **fields
    )
    for name in names:
        row.delegates.create(event=event, name=name)
    return row


def sent(row):
    return list(row.delegates.filter(status="active").order_by("pk").values_list("name", flat=True))


def test_two_registrations_for_an_event_to_come_become_one_and_what_is_over_goes_to_the_next(
    by, pair
):
    loser, survivor = pair
    event = EventFactory(name_zh="示例对接会", delegates_per_enterprise=3)
    theirs = registered(loser, event, "甲", "乙")
    ours = registered(survivor, event, "丙", "甲")
    waits = registered(EnterpriseFactory(), event, seats=1, status="waitlisted")
    general = event.tiers.get()
    Tier.objects.filter(pk=general.pk).update(seats=4)  # full: two and two

    report = merging.preview(loser=loser, survivor=survivor, by=by)
    before = sent(theirs)
    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (theirs, ours, waits, general):
        row.refresh_from_db()

    said = [how for what, _count, how in report.settled if what == "registrations"]
    assert said[0] == (
        "“示例对接会”: the one that came further stays (seats: 3). Persons of the other who come along: 1, "
        "who do not: 0. Seats for the next in line: 1."
    )
    assert report.blocks == []
    assert before == ["甲", "乙"]  # a look changes nothing
    assert (ours.enterprise, ours.status, ours.seats_held) == (survivor, "confirmed", 3)
    assert sent(ours) == ["乙", "丙", "甲"]  # named for both, 甲 comes once
    assert (theirs.enterprise, theirs.status, theirs.seats_held) == (loser, "cancelled", 0)
    assert (waits.status, waits.seats_held) == ("offered", 1)
    assert (general.taken, general.seats) == (4, 4)
    joined = AuditEntry.objects.get(action="registration.joined")
    assert joined.data == {"other": theirs.public_id, "seats": 1, "names": 1}


def test_of_two_for_an_event_the_one_that_came_further_stays_and_foreign_seats_go_back(by, pair):
    loser, survivor = pair
    event, other = EventFactory(), EventFactory()
    confirmed = registered(loser, event, "甲", "乙")
    waiting = registered(survivor, event, "丙", seats=2, status="waitlisted")
    reserved = TierFactory(event=other, seats=5)
    in_tier = registered(survivor, other, "丁", seats=2, tier=reserved)
    in_general = registered(loser, other, "戊", "己", "庚", tier=other.tiers.get(is_general=True))

    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (confirmed, waiting, in_tier, in_general, reserved):
        row.refresh_from_db()

    assert (confirmed.enterprise, confirmed.status, sent(confirmed)) == (
        survivor,
        "confirmed",
        ["甲", "乙"],
    )
    assert (waiting.enterprise, waiting.status, sent(waiting)) == (loser, "cancelled", [])
    # More seats are worth more than a tier; those of the other tier are not counted into it.
    assert (in_general.enterprise, in_general.seats_held) == (survivor, 3)
    assert (in_tier.enterprise, in_tier.status) == (loser, "cancelled")
    assert (reserved.taken, other.tiers.get(is_general=True).taken) == (0, 3)
    assert event.tiers.get().taken == 2


def test_two_registrations_for_an_event_under_way_join_with_all_who_are_in(by, pair):
    loser, survivor = pair
    now = timezone.now()
    event = EventFactory(
        starts_at=now - datetime.timedelta(hours=1), ends_at=now + datetime.timedelta(hours=3),
        delegates_per_enterprise=2,
    )  # fmt: skip
    reserved = TierFactory(event=event, seats=5)
    ours = registered(survivor, event, "甲", "乙")
    theirs = registered(loser, event, "甲", "丙", "丁", tier=reserved)
    shown, *_others = [scanned(one, by) for one in theirs.delegates.order_by("pk")]

    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (ours, theirs, reserved):
        row.refresh_from_db()

    # No seat more or less at the event; the one that came with more seats stays.
    assert (theirs.enterprise, theirs.status, theirs.seats_held) == (survivor, "confirmed", 5)
    assert (ours.enterprise, ours.status, ours.seats_held) == (loser, "cancelled", 0)
    assert (reserved.seats, reserved.taken) == (7, 5)
    general = event.tiers.get(is_general=True)
    assert (general.seats, general.taken) == (8, 0)
    # Everybody who is in still is; the badge with the same name that nobody has shown opens nothing.
    assert statistics.heads(event)[:2] == (3, 5)
    assert sent(theirs) == ["乙", "甲", "丙", "丁"]
    assert theirs.delegates.get(name="甲", status="active") == shown


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_badge_that_a_door_reads_while_two_are_joined_stays_good(by, pair, until):
    loser, survivor = pair
    event = EventFactory(starts_at=timezone.now() - datetime.timedelta(hours=1), ends_at=timezone.now() + datetime.timedelta(hours=3))  # fmt: skip
    registered(survivor, event, "甲")
    theirs = registered(loser, event, "甲", "乙")
    ours, _twin = (Delegate.objects.filter(event=event, name="甲")).order_by("pk")
    raised = []

    def join():
        try:
            merging.merge(loser=loser, survivor=survivor, by=by)
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=join)
    with transaction.atomic():  # as a door does: the person first, then what it says
        Delegate.objects.select_for_update(no_key=True).get(pk=ours.pk)
        scanned(ours, by)
        thread.start()
        until(somebody_waits)
    thread.join(20)

    assert raised == []
    theirs.refresh_from_db()
    assert sent(theirs) == ["甲", "乙"]
    ours.refresh_from_db()
    assert (ours.registration, ours.status) == (theirs, "active")


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def test_somebody_who_came_before_the_event_begins_stays_in_too(by, pair):
    loser, survivor = pair
    event = EventFactory(delegates_per_enterprise=1)
    early, _other = [registered(one, event, "甲") for one in pair]
    let_in(early, by)

    merging.merge(loser=loser, survivor=survivor, by=by)

    row = Registration.objects.get(enterprise=survivor)
    assert (row.status, row.seats_held, statistics.heads(event).inside) == ("confirmed", 2, 1)
    assert sorted(sent(row)) == ["x", "甲"]
    assert Registration.objects.get(enterprise=loser).status == "cancelled"


def test_two_at_an_event_that_was_held_become_one_participant_with_all_persons(by, pair):
    loser, survivor = pair
    event = EventFactory(status="held")
    theirs = RegistrationFactory(
        event=event, enterprise=loser, seats_asked=2, attended=2, qualifications_held=["a", "b"],
        attendance_note="One came late.",
    )  # fmt: skip
    ours = RegistrationFactory(
        event=event, enterprise=survivor, attended=1, qualifications_held=["b", "c"]
    )
    delegate = let_in(theirs, by)

    merging.merge(loser=loser, survivor=survivor, by=by)
    for row in (theirs, ours, delegate):
        row.refresh_from_db()

    assert (ours.enterprise, ours.status, ours.seats_held) == (survivor, "confirmed", 3)
    assert (theirs.enterprise, theirs.status, theirs.seats_held) == (loser, "cancelled", 0)
    assert delegate.registration == ours
    assert event.tiers.get().taken == 3
    # As many came as before, and counted once.
    assert (ours.attended, ours.qualifications_held) == (3, ["a", "b", "c"])
    assert ours.attendance_note == "One came late."
    assert (theirs.attended, theirs.qualifications_held, theirs.attendance_note) == (None, None, "")


def test_what_a_row_that_waits_to_be_verified_has_applied_for_is_decided_with_the_one_kept(
    by, pair
):
    loser, survivor = pair
    Enterprise.objects.filter(pk=loser.pk).update(status="pending")
    row = RegistrationFactory(enterprise=loser, status="submitted", tier=None, seats_held=0)
    merging.merge(loser=loser, survivor=survivor, by=by)

    tasks._act(list(Change.objects.all()))

    row.refresh_from_db()
    assert (row.enterprise, row.status, row.seats_held) == (survivor, "confirmed", row.seats_asked)


def test_of_two_in_different_tiers_the_one_that_came_counts(by, pair):
    loser, survivor = pair
    event = EventFactory(status="held")
    came = RegistrationFactory(event=event, enterprise=loser)
    RegistrationFactory(event=event, enterprise=survivor, tier=TierFactory(event=event))
    let_in(came, by)

    merging.merge(loser=loser, survivor=survivor, by=by)

    came.refresh_from_db()
    assert came.enterprise == survivor


def test_roles_go_to_bodies_that_may_have_them_only(by):
    longer = OrganiserRoleFactory()
    plain = EnterpriseFactory()
    body = EnterpriseFactory(kind_id="government")
    OrganiserRoleFactory(user=longer.user, body=body, valid_until_on="2030-01-01")

    with pytest.raises(DomainError, match="only an authority or an association"):
        merging.merge(loser=longer.body, survivor=plain, by=by)
    merging.merge(loser=longer.body, survivor=body, by=by)

    longer.user.forget_memberships()
    assert [(r.body, r.valid_until_on) for r in longer.user.active_roles] == [(body, None)]


def test_only_administrators_merge_and_never_into_what_is_behind(by, pair):
    loser, survivor = pair
    waiting = EnterpriseFactory(pending=True)
    desk = OrganiserRoleFactory().user

    with pytest.raises(DomainError) as refused:
        merging.merge(loser=loser, survivor=survivor, by=desk)
    with pytest.raises(DomainError) as peeked:
        merging.preview(loser=loser, survivor=survivor, by=desk)
    with pytest.raises(DomainError, match="keep that one"):
        merging.merge(loser=loser, survivor=waiting, by=by)
    with pytest.raises(DomainError, match="two different"):
        merging.merge(loser=loser, survivor=loser, by=by)
    merging.merge(loser=loser, survivor=survivor, by=by)
    with pytest.raises(DomainError, match="already"):
        merging.merge(loser=loser, survivor=survivor, by=by)

    assert refused.value.is_refusal
    assert peeked.value.is_refusal


def test_old_addresses_lead_on_in_pages_and_api(by, pair):
    loser, survivor = pair
    merging.merge(loser=loser, survivor=survivor, by=by)
    client = Client()

    page = client.get(reverse("matchmaking:enterprise_detail", args=[loser.public_id]))
    api = client.get(f"/api/v1/enterprises/{loser.public_id}/")
    asked = [
        row["id"] if "id" in row else row["public_id"]
        for row in client.get("/api/v1/enterprises/").json()["results"]
    ]

    kept = reverse("matchmaking:enterprise_detail", args=[survivor.public_id])
    assert (page.status_code, page["Location"]) == (301, kept)
    assert (api.status_code, api.json()) == (301, {"merged_into": survivor.public_id})
    assert api["Location"].endswith(f"/api/v1/enterprises/{survivor.public_id}/")
    assert loser.public_id not in asked
    Enterprise.objects.filter(pk=survivor.pk).update(status="suspended")
    assert client.get(f"/api/v1/enterprises/{loser.public_id}/").status_code == 404


def test_members_and_those_who_ask_to_join_are_led_on_too(client, by, pair):
    loser, survivor = pair
    client.force_login(MembershipFactory(enterprise=loser).user)
    stranger = Client()
    stranger.force_login(UserFactory())
    merging.merge(loser=loser, survivor=survivor, by=by)

    own = client.get(reverse("chains:enterprise_status", args=[loser.public_id]))
    joining = stranger.get(reverse("chains:join_request", args=[loser.public_id]))
    hidden = stranger.get(reverse("chains:enterprise_status", args=[loser.public_id]))

    assert own["Location"] == reverse("chains:enterprise_status", args=[survivor.public_id])
    assert joining["Location"] == reverse("chains:join_request", args=[survivor.public_id])
    assert hidden.status_code == 404


def test_administrator_looks_before_merging(client, by, pair):
    loser, survivor = pair
    CapabilityFactory(enterprise=loser)
    client.force_login(by)
    address = reverse("matchmaking:enterprise_merge", args=[loser.public_id])

    found = client.get(address, {"q": "新名"}).content.decode()
    looked = client.get(address, {"into": survivor.public_id}).content.decode()
    unsure = client.post(address, {"into": survivor.public_id}).content.decode()
    chosen = client.post(
        reverse("admin:chains_enterprise_changelist"),
        {"action": "merge", "_selected_action": [loser.pk, survivor.pk]},
    )
    before = Enterprise.objects.get(pk=loser.pk).status
    done = client.post(address, {"into": survivor.public_id, "sure": "yes"})

    assert survivor.public_id in found
    assert "capabilities" in looked
    assert "Tick this first." in unsure
    assert (
        chosen["Location"]
        == f"{reverse('matchmaking:enterprise_merge', args=[survivor.public_id])}?into={loser.public_id}"
    )
    assert before == "verified"
    assert done["Location"] == reverse("chains:enterprise_case", args=[survivor.public_id])
    assert client.get(address).status_code == 404


def test_desk_proposes_and_administrators_are_told(client, by, pair):
    loser, survivor = pair
    desk = OrganiserRoleFactory().user  # of the city the two lie in
    stranger = OrganiserRoleFactory(region=region("440300")).user
    client.force_login(desk)
    address = reverse("matchmaking:enterprise_merge", args=[loser.public_id])

    looked = client.get(address, {"into": survivor.public_id}).content.decode()
    done = client.post(address, {"into": survivor.public_id, "sure": "yes"})
    with pytest.raises(DomainError, match="told already"):  # pressed again
        merging.propose(loser=loser, survivor=survivor, by=desk)
    client.force_login(stranger)

    assert "Propose it" in looked
    assert "Moves" not in looked
    assert done["Location"] == reverse("chains:enterprise_case", args=[loser.public_id])
    assert Enterprise.objects.get(pk=loser.pk).status == "verified"
    row = Notification.objects.get(to=by, kind="merge_proposed", channel="in_app")
    letter = notifications.render(row, notifications.rows_of([row]), "en")
    assert letter.subject == "Demo Old Name may stand on the register twice"
    assert letter.href == f"{address}?into={survivor.public_id}"
    assert client.get(address).status_code == 404
    with pytest.raises(DomainError, match="Only the desk"):
        merging.propose(loser=loser, survivor=survivor, by=stranger)


def test_index_follows_the_news_of_a_merge(by, settings, tmp_path, monkeypatch):
    settings.MATCHING_INDEX, settings.MATCHING_ENCODER = tmp_path / "index", "none"
    loser, survivor = supplier("光伏玻璃"), supplier("三分体接线盒")
    market.current().index("supply")
    monkeypatch.setattr(OfferIndex, "build", lambda *_: pytest.fail("built anew"))

    merging.merge(loser=loser, survivor=survivor, by=by)
    facts = list(Change.objects.filter(verb__in=["merged", "extended"]))
    index = market.current().index("supply")

    assert index.offers.keys() == {survivor.pk}
    assert any("光伏玻璃" in one.text for one in index.offers[survivor.pk].texts)
    RequirementFactory(lines=["接线盒"])
    following.react(facts=facts)
    assert list(MatchRun.objects.values_list("scope", "enterprise")) == [
        ("enterprise", survivor.pk)
    ]


def test_what_was_being_written_while_the_merge_ran_is_brought_along(by, pair):
    loser, survivor = pair
    merging.merge(loser=loser, survivor=survivor, by=by)
    facts = list(Change.objects.filter(verb="merged"))
    late = CapabilityFactory(enterprise=loser)
    behind = RegistrationFactory(enterprise=loser, status="cancelled")
    RegistrationFactory(event=behind.event, enterprise=survivor)

    following.react(facts=facts)
    following.react(facts=facts)
    late.refresh_from_db()
    behind.refresh_from_db()

    assert (late.enterprise, behind.enterprise) == (survivor, loser)
    assert AuditEntry.objects.get(action="enterprise.gathered").data["rows"] == 1
    assert merging.gather(loser=survivor) == 0
