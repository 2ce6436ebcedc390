"""A draw with a published seed: announced, held once, and computed again by whoever likes."""

from __future__ import annotations

import datetime
import hashlib
import shlex
from html import unescape

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from chains.tasks import deliver_notifications
from events import tasks
from events.models import Draw, Registration
from events.services import admission, draws, events, registration, waiting_list
from tests.factories.chains import EnterpriseFactory, MembershipFactory, UserFactory
from tests.factories.events import EventFactory, organiser_of
from tests.matchmaking.api.test_api import API, client_of

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
SOURCE = {"draw_source_zh": "当日开奖号码", "draw_source_en": "The number drawn that day"}


def drawn_event(**fields):
    fields = {"seats": 3, "draws_at": timezone.now() + HOUR, **SOURCE, **fields}
    return EventFactory(waiting_rule="seeded_draw", **fields)


def apply(event, who=None, seats=1):
    who = who or MembershipFactory()
    return registration.register(event=event, enterprise=who.enterprise, seats=seats, by=who.user)


def hold(event, seed="3271", by=None, after=HOUR):
    with time_machine.travel(timezone.now() + after, tick=False):
        return draws.hold(event=event, seed=seed, by=by or organiser_of(event))


def states(rows):
    found = Registration.objects.in_bulk([row.pk for row in rows])
    return [found[row.pk].status for row in rows]


def test_nobody_has_a_seat_before_the_draw_and_the_order_is_the_one_anybody_computes():
    event = drawn_event(draws_at=timezone.now() + HOUR)
    rows = [apply(event) for _number in range(6)]
    unverified = MembershipFactory(enterprise__status="pending")
    rows.append(apply(event, unverified))
    left = apply(event, who := MembershipFactory())
    registration.cancel(registration=left, by=who.user)

    assert states(rows) == ["waitlisted"] * 6 + ["submitted"]
    assert waiting_list.promote(event) == 0
    assert waiting_list.ranks(event, rows) == {}
    with pytest.raises(DomainError, match="not held before"):
        draws.hold(event=event, seed="3271", by=organiser_of(event))

    draw = hold(event)
    # Anybody: `printf '%s' 3271:<number> | sha256sum`, sorted.
    by_lot = sorted(rows, key=lambda row: hashlib.sha256(f"3271:{row.public_id}".encode()).digest())

    assert draw.numbers == [row.public_id for row in by_lot]
    assert draws.lots(draw)[0] == (
        1, by_lot[0].public_id, hashlib.sha256(f"3271:{by_lot[0].public_id}".encode()).hexdigest(),
    )  # fmt: skip
    decided = [row for row in by_lot if row != rows[-1]]
    assert states(decided) == ["offered"] * 3 + ["waitlisted"] * 3
    ranks = waiting_list.ranks(event, Registration.objects.waiting())
    assert [ranks[row.pk] for row in decided[3:]] == [1, 2, 3]

    late = apply(event)
    again = apply(event, who)
    assert states([late, again]) == ["waitlisted"] * 2
    # Verified after the draw, it still has the lot it drew; who came after it, or came back, stands behind.
    unverified.enterprise.status = "verified"
    unverified.enterprise.save()
    admission.confirm_waiting_submissions(unverified.enterprise)
    waiting = [row for row in by_lot if row.pk not in {one.pk for one in decided[:3]}]
    ranks = waiting_list.ranks(event, Registration.objects.waiting())
    assert [ranks[row.pk] for row in [*waiting, late, again]] == [1, 2, 3, 4, 5, 6]

    assert AuditEntry.objects.get(action="event.drawn").data == {"registrations": 7}
    assert Change.objects.filter(noun="event", verb="drawn", target=event.public_id).count() == 1


def test_a_draw_is_held_once_by_its_organiser_with_the_seed_that_was_bound():
    digest = hashlib.sha256("梅花 42".encode()).hexdigest()
    event = drawn_event(draw_commitment=digest)
    by = organiser_of(event)
    plain = EventFactory()

    for who, seed, told in (
        (UserFactory(), "梅花 42", "Only organisers"),
        (by, "  ", "Give the seed"),
        (by, "x" * 201, "Give the seed"),
        (by, "梅花 43", "not the seed whose digest"),
    ):
        with pytest.raises(DomainError, match=told):
            hold(event, seed, who)
    with pytest.raises(DomainError, match="not given by a draw"):
        hold(plain)
    assert not Draw.objects.exists()

    assert hold(event, " 梅花 42 ", by).seed == "梅花 42"
    with pytest.raises(DomainError, match="has been held"):
        hold(event, "梅花 42", by)


@pytest.mark.parametrize(("end", "shown"), [("\n", r"\n"), ("\r\n", r"\r\n")])
def test_digest_of_echo_binds_as_well_and_no_seed_runs_in_the_shell_of_who_checks(
    client, end, shown
):
    seed = "42'; echo more; '"
    digest = hashlib.sha256(f"{seed}{end}".encode()).hexdigest()
    event = drawn_event(draw_commitment=digest)
    row = apply(event)

    assert hold(event, seed).seed == seed.strip()
    page = client.get(reverse("events:event_draw", args=[event.public_id])).content.decode()
    commands = [line for line in unescape(page).split('<code class="digest">') if "printf" in line]
    said = [shlex.split(line.partition(" | sha256sum")[0]) for line in commands]
    assert said == [
        ["printf", f"%s{shown}", seed],
        ["printf", "%s", f"{seed}:{row.public_id}"],
    ]


def test_whoever_registers_once_the_seed_may_be_known_stands_behind():
    event = drawn_event(draws_at=timezone.now() + datetime.timedelta(seconds=30))
    first = apply(event)
    Registration.objects.filter(pk=first.pk).update(queued_at=timezone.now() - HOUR)
    late = apply(event)
    Registration.objects.filter(pk=late.pk).update(queued_at=timezone.now() + HOUR / 2)

    assert hold(event).numbers == [first.public_id]
    assert states([first, late]) == ["offered", "offered"]  # seats enough for both: in this order
    assert Registration.objects.get(pk=late.pk).queue_no > event.draw.last_no


def test_what_was_announced_with_the_event_stays():
    event = drawn_event(status="draft", published_at=None, draws_at=None, draw_source_zh="")
    by = organiser_of(event)
    assert events.missing_of(event) == [
        "the moment of the draw",
        "where the seed of the draw comes from, in both languages, or its digest",
    ]
    with pytest.raises(DomainError, match="64 places"):
        events.edit(event=event, by=by, draw_commitment="abc")
    events.edit(event=event, by=by, draws_at=event.starts_at + HOUR, draw_source_zh="号码")
    event.refresh_from_db()
    assert events.missing_of(event) == [
        "a draw between the opening of registration and the beginning of the event"
    ]
    events.edit(event=event, by=by, draws_at=event.starts_at - HOUR)
    event.refresh_from_db()
    events.publish(event=event, by=by)

    for fields in ({"draws_at": event.starts_at - 2 * HOUR}, {"draw_source_en": "x"}, {"waiting_rule": "arrival"}):  # fmt: skip
        with pytest.raises(DomainError, match="stays as announced"):
            events.edit(event=event, by=by, **fields)
    events.edit(event=event, by=by, place="别处")
    other = EventFactory(host=event.host)
    with pytest.raises(DomainError, match="stays as announced"):
        events.edit(event=other, by=by, waiting_rule="seeded_draw", draws_at=event.draws_at, **SOURCE)  # fmt: skip


def test_a_lot_drawn_when_one_joins_stays_as_it_was():
    """Events of installations that run: their order is not touched."""
    event = EventFactory(seats=1, waiting_rule="draw")
    first = apply(event, MembershipFactory(enterprise=EnterpriseFactory()))
    rows = [apply(event) for _number in range(4)]
    by_lot = sorted(rows, key=lambda row: hashlib.md5(row.public_id.encode()).digest())

    assert states([first]) == ["confirmed"]
    ranks = waiting_list.ranks(event, rows)
    assert sorted(rows, key=lambda row: ranks[row.pk]) == by_lot


def test_page_binds_the_draw_before_and_shows_how_to_check_it_after(client):
    event = drawn_event(draw_commitment=hashlib.sha256(b"3271").hexdigest())
    address, by = reverse("events:event_draw", args=[event.public_id]), organiser_of(event)
    who = MembershipFactory()
    rows = [apply(event, who), apply(event)]
    rule = client.get(reverse("events:event_detail", args=[event.public_id]))
    assertContains(rule, f'<a href="{address}">The draw and how to check it</a>', html=True)

    before = client.get(address)
    assertContains(before, SOURCE["draw_source_en"])
    assertContains(before, event.draw_commitment)
    assertNotContains(before, rows[0].public_id)
    client.force_login(who.user)
    assertContains(client.get(address), f"Your number: {rows[0].public_id}")
    assertNotContains(client.get(address), "Hold the draw")
    assert client.post(address, {"seed": "3271"}).status_code == 404
    own = client.get(reverse("events:register", args=[event.public_id]))
    assertContains(own, "Leave the draw")
    assertNotContains(own, "Your place")

    client.force_login(by)
    assertContains(client.get(address), "come back then and enter the seed")
    overview = reverse("events:event_overview", args=[event.public_id])
    due = "The draw is due"
    assertNotContains(client.get(overview), due)
    with time_machine.travel(timezone.now() + HOUR, tick=False):
        client.force_login(by)
        assertContains(client.get(overview), due)
        assertContains(client.get(address), "2 registrations take part")
        assertContains(
            client.post(address, {"seed": "3272"}, follow=True), "not the seed whose digest"
        )
        assertContains(client.post(address, {"seed": "3271"}, follow=True), "Drawn: 2 numbers")
        assertNotContains(client.get(overview), due)

    client.logout()
    first = min(rows, key=lambda row: hashlib.sha256(f"3271:{row.public_id}".encode()).digest())
    page = client.get(address)
    for command in (
        f"printf '%s' 3271:{first.public_id} | sha256sum",
        "printf '%s' 3271 | sha256sum",
    ):
        assertContains(page, escape(command))
    assertNotContains(page, who.enterprise.name)
    file = b"".join(client.get(f"{address}?export=csv").streaming_content).decode()
    assert f"1,{first.public_id},{draws.lot('3271', first.public_id)}" in file
    plain = EventFactory()
    assert client.get(reverse("events:event_draw", args=[plain.public_id])).status_code == 404


def test_program_reads_what_binds_the_draw_and_holds_it():
    event = drawn_event()
    row, address = apply(event), f"{API}events/{event.public_id}/draw/"
    by = organiser_of(event)
    assert client_of(by).get(address).data["seed"] is None
    assert client_of(by).post(address, {"seed": "3271"}).data["code"] == "draw.early"
    with time_machine.travel(timezone.now() + HOUR, tick=False):
        assert client_of(UserFactory()).post(address, {"seed": "3271"}).status_code == 403
        held = client_of(by).post(address, {"seed": "3271"}).data
    assert (held["seed"], held["numbers"], held["source_en"]) == (
        "3271", [row.public_id], SOURCE["draw_source_en"],
    )  # fmt: skip


@pytest.mark.usefixtures("settled_feed")
def test_letter_of_one_who_takes_part_names_the_number_and_no_place():
    event = drawn_event()
    row = apply(event, MembershipFactory(user__language="en"))

    tasks.read_changes()
    deliver_notifications()

    (letter,) = [one for one in mail.outbox if "draw" in one.subject.lower()]
    assert f"Your number: {row.public_id}" in letter.body
    assert "waiting list" not in letter.body
