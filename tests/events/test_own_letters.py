"""An event's own words in its letters, and messages to its guests."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Notification
from chains.tasks import deliver_notifications
from events import tasks
from events.models import Announcement, Delegate, LetterTemplate
from events.services import announcements, events, letters, registration
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory, organiser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settled_feed")]
OWN = {
    "subject_zh": "{event}欢迎您", "subject_en": "Welcome to {event}",
    "body_zh": "{enterprise}的 {seats} 个席位已确认，{starts} 在{place}见。",
    "body_en": "{enterprise}: {seats} seats, {starts}, {place}.",
}  # fmt: skip


@pytest.fixture(autouse=True)
def site(settings):
    settings.SITE_URL = "https://chaindock.example"


def sent():
    tasks.read_changes()
    deliver_notifications()
    found = [(letter.to[0], letter.subject, letter.body) for letter in mail.outbox]
    mail.outbox.clear()
    return found


def test_own_words_replace_the_standard_text_in_both_languages():
    event = EventFactory(name_zh="光伏对接会", name_en="PV {link} Docking")
    by = organiser_of(event)
    letters.save_template(event=event, kind="confirmed", by=by, **OWN)
    zh, en = MembershipFactory(user__language="zh"), MembershipFactory(user__language="en")

    for who in (zh, en):
        registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    found = {to: (subject, body) for to, subject, body in sent()}
    events.cancel(event=event, reason="Storm", by=by)
    after = [subject for to, subject, _body in sent() if to == en.user.email]

    link = f"https://chaindock.example/events/{event.public_id}/register/"
    assert found[zh.user.email][0] == "光伏对接会欢迎您"
    assert found[zh.user.email][1].startswith(f"{zh.enterprise.name}的 1 个席位已确认，")
    # What is filled in is never read as a placeholder itself.
    assert found[en.user.email][0] == "Welcome to PV {link} Docking"
    assert found[en.user.email][1].endswith(f"Demo Exhibition Centre, Hall A.\n\n{link}\n")
    assert after == ["Cancelled: PV {link} Docking"]  # the standard stands in
    assert AuditEntry.objects.get(action="letter.saved").data == {
        "event": event.public_id, "kind": "confirmed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("body_en", "Dear {contact}, {phone}", r"Nothing stands for \{contact\}, \{phone\}. You can use: \{event\}, \{enterprise\}"),
        ("subject_zh", "{ event }", r"Nothing stands for \{ event \}"),
        ("body_zh", "{}", r"Nothing stands for \{\}"),
        ("body_zh", "{event.host}", r"Nothing stands for \{event.host\}"),
        ("body_en", "{event", "A brace stands alone"),
        ("body_en", "  ", "in Chinese and in English"),
    ],
)  # fmt: skip
def test_placeholder_nobody_can_fill_is_refused_by_its_name(field, text, said):
    event = EventFactory()

    with pytest.raises(DomainError, match=said):
        letters.save_template(
            event=event, kind="reminder", by=organiser_of(event), **{**OWN, field: text}
        )

    assert not LetterTemplate.objects.exists()


def test_editor_shows_saves_tests_and_goes_back(client):
    event = EventFactory(name_en="Docking Day")
    client.force_login(by := organiser_of(event, user__language="en"))
    address = reverse("events:event_letter", args=[event.public_id, "confirmed"])
    assertContains(client.get(address), "Sample Enterprise Co., Ltd. is confirmed for Docking Day.")

    drawn = client.post(address, {**OWN, "do": "preview"})
    assertContains(drawn, "Welcome to Docking Day")
    assertContains(drawn, "示例企业有限公司的 2 个席位已确认")
    assert not LetterTemplate.objects.exists()
    refused = client.post(address, {**OWN, "body_en": "{phone}", "do": "save"})
    assertContains(refused, "Nothing stands for {phone}", status_code=422)
    assertRedirects(client.post(address, {**OWN, "do": "save"}), address)
    assertRedirects(client.post(address, {"do": "test"}), address)
    [(to, subject, body)] = sent()
    assertRedirects(client.post(address, {"do": "standard"}), address)

    assert (to, subject) == (by.email, "Test: Welcome to Docking Day")
    assert body.startswith("Sample Enterprise Co., Ltd.: 2 seats,")
    assert not LetterTemplate.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="letter.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "letter.saved", "letter.tested", "letter.dropped",
    ]  # fmt: skip
    assert (
        client.get(reverse("events:event_letter", args=[event.public_id, "offered"])).status_code
        == 404
    )


def gathered():
    """Two confirmed – one person answers for both –, one who waits, one of a reserved tier, one who left."""
    event = EventFactory(seats=2)
    one = MembershipFactory(user__language="en")
    also = MembershipFactory(user=one.user)
    MembershipFactory(enterprise=one.enterprise, role="viewer")
    waiting, reserved, gone = (MembershipFactory(user__language="zh") for _ in range(3))
    tier = TierFactory(event=event)
    for who in (one, also):
        RegistrationFactory(event=event, enterprise=who.enterprise)
    RegistrationFactory(event=event, enterprise=waiting.enterprise, status="waitlisted")
    RegistrationFactory(event=event, enterprise=reserved.enterprise, tier=tier)
    RegistrationFactory(event=event, enterprise=gone.enterprise, status="cancelled")
    return event, tier, one, waiting, reserved


MESSAGE = {"subject_zh": "{event}停车须知", "body_zh": "请{enterprise}走 3 号门。"}


def test_message_goes_to_the_group_that_was_counted_each_person_once(client):
    event, tier, one, _waiting, reserved = gathered()
    client.force_login(organiser_of(event))
    address = reverse("events:event_announce", args=[event.public_id])

    assert [announcements.reach(event, a, tier) for a in ("all", "confirmed", "waiting", "tier")] == [
        (4, 3), (3, 2), (1, 1), (1, 1),
    ]  # fmt: skip
    # Seats nobody is named for: of both that one person answers for until one of the two has a name.
    assert announcements.reach(event, "unnamed") == (3, 2)
    row = event.registrations.get(enterprise=reserved.enterprise)
    Delegate.objects.create(event=event, registration=row, name="A", status="replaced")
    assert announcements.reach(event, "unnamed") == (3, 2)
    Delegate.objects.create(event=event, registration=row, name="B")
    assert announcements.reach(event, "unnamed") == (2, 1)
    chosen = client.get(address, {"audience": "unnamed"}).context["form"]["audience"].value()
    assert chosen == "unnamed"
    counted = client.post(address, {**MESSAGE, "audience": "confirmed", "do": "count"})
    assertContains(counted, "Goes to 2 persons")
    assertContains(counted, 'value="send"')
    unwritten = client.post(address, {"audience": "confirmed", "do": "count"})
    assertContains(unwritten, "Goes to 2 persons")
    assertNotContains(unwritten, 'value="send"')
    assert sent() == []
    answer = client.post(
        address, {**MESSAGE, "audience": "confirmed", "do": "send", "expected": "2"}
    )

    assertRedirects(answer, reverse("events:event_letters", args=[event.public_id]))
    found = sent()
    assert {(to, subject) for to, subject, _body in found} == {
        (one.user.email, f"{event.name_en}停车须知"),  # one language stands for both
        (reserved.user.email, f"{event.name_zh}停车须知"),
    }
    assert len(found) == 2
    row = Announcement.objects.get()
    assert (row.audience, row.tier, row.registrations, row.persons) == ("confirmed", None, 3, 2)
    assert AuditEntry.objects.get(action="announcement.sent").data == {
        "event": event.public_id, "registrations": 3, "persons": 2,
    }  # fmt: skip
    assert Change.objects.filter(noun="announcement", verb="sent").count() == 1
    twice = client.post(
        address, {**MESSAGE, "audience": "confirmed", "do": "send", "expected": "2"}
    )
    assertContains(twice, "This very message was sent a moment ago", status_code=422)
    assert sent() == []
    assertContains(client.get(reverse("events:event_letters", args=[event.public_id])), "停车须知")


def test_message_is_looked_at_again_when_others_have_come_meanwhile(client):
    event, *_rest = gathered()
    client.force_login(organiser_of(event))
    address = reverse("events:event_announce", args=[event.public_id])

    answer = client.post(address, {**MESSAGE, "audience": "all", "do": "send", "expected": "2"})

    assertContains(
        answer, "It would now go to 3 persons. Look again, then send it.", status_code=422
    )
    unread = client.post(address, {**MESSAGE, "audience": "all", "do": "send", "expected": "x"})
    assertContains(unread, "Enter a whole number.", status_code=422)
    assert (Announcement.objects.count(), Notification.objects.count()) == (0, 0)


def test_messages_that_say_nothing_reach_nobody_or_come_from_strangers_are_refused():
    event, _tier, one, *_rest = gathered()
    by = organiser_of(event)
    about = {"event": event, "audience": "all", "expected": 3, **MESSAGE}

    for changed, said in (
        ({"subject_zh": " "}, "a subject and a text"),
        ({"body_zh": "{reason} {secret}"}, "Nothing stands for {secret}"),
        ({"event": EventFactory(), "expected": 0}, "Nobody would get"),
        ({"by": one.user}, "Only organisers"),
    ):
        with pytest.raises(DomainError, match=said):
            announcements.announce(**{**about, "by": by, **changed} if "event" not in changed else {**about, "by": organiser_of(changed["event"]), **changed})  # fmt: skip

    assert Announcement.objects.count() == 0


def test_tier_is_named_where_a_tier_is_written_to(client):
    event, tier, *_rest, reserved = gathered()
    client.force_login(organiser_of(event))
    address = reverse("events:event_announce", args=[event.public_id])

    assertContains(
        client.post(address, {**MESSAGE, "audience": "tier"}), "Choose the tier.", status_code=422
    )
    client.post(
        address,
        {**MESSAGE, "audience": "tier", "tier": tier.public_id, "do": "send", "expected": "1"},
    )

    assert Announcement.objects.get().tier == tier
    assert [to for to, _subject, _body in sent()] == [reserved.user.email]


def test_notices_of_many_events_with_own_words_cost_no_query_each(
    client, django_assert_max_num_queries
):
    who = MembershipFactory()
    for _ in range(6):
        event = EventFactory()
        LetterTemplate.objects.create(event=event, kind="confirmed", **OWN)
        row = RegistrationFactory(event=event, enterprise=who.enterprise)
        Notification.objects.create(
            to=who.user, kind="registration_confirmed", channel="in_app", status="sent",
            context={"event": event.public_id, "registration": row.public_id},
        )  # fmt: skip
    client.force_login(who.user)

    with django_assert_max_num_queries(14):
        page = client.get(reverse("chains:notification_list"))

    assertContains(page, "Welcome to", count=6)
    assertNotContains(page, "{event}")
