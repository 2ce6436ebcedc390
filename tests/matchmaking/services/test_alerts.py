"""Saved searches and alerts (J6, complaint 11): told once, in time, of nothing that is not public or not wanted."""

from __future__ import annotations

import datetime
import threading
import zoneinfo

import pytest
import time_machine
from django.core import mail
from django.core.cache import caches
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chains import searchtext
from chains.errors import DomainError
from chains.models import AuditEntry, Chain, Change, Notification, Preference
from chains.services import requirements
from chains.tasks import deliver_notifications
from matchmaking import tasks
from matchmaking.models import Alert, Digest, SavedSearch
from matchmaking.models.alerts import FOR_YOU
from matchmaking.services import alerts, interests, suggestions
from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.matchmaking import MatchFactory

pytestmark = pytest.mark.django_db

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
# A Wednesday.
DAY = datetime.datetime(2027, 3, 10, 12, 0, tzinfo=SHANGHAI)


@pytest.fixture
def clock():
    with time_machine.travel(DAY, tick=False) as traveller:
        yield lambda **later: traveller.move_to(DAY + datetime.timedelta(**later))


def post(title, **fields):
    return RequirementFactory(
        title=title, search_text=searchtext.document(title), lines=["a line"], **fields
    )


def seeker(query="q=接线盒", rhythm="daily", **fields):
    user = UserFactory(**fields)
    alerts.save_search(address=query, name="boxes", rhythm=rhythm, by=user)
    return user


def told(user):
    rows = Alert.objects.filter(user=user).order_by("pk")
    return [(row.requirement.title, row.cause, row.reminders) for row in rows]


def ring():
    """What the task does with the facts; it reads committed ones only, and the test's are not."""
    tasks._tell(list(Change.objects.all()))


def letters():
    deliver_notifications()
    sent, mail.outbox[:] = list(mail.outbox), []
    return sent


# -- the rhythm ---------------------------------------------------------------------------------------


def test_a_search_no_database_can_answer_keeps_no_letter_from_anybody(clock):
    """The sign is written as %00 inside the value that is posted: no look at the request finds it."""
    hostile = seeker("q=接%00线盒&chain=%00&kind=%01")
    SavedSearch.objects.filter(user=hostile).update(query="q=接线盒&chain=%00")  # from before
    reader = seeker()
    post("接线盒")
    clock(days=1)

    alerts.send_digests()

    assert [row[0] for row in told(reader)] == ["接线盒"]
    assert [row[0] for row in told(hostile)] == ["接线盒"]
    again = alerts.save_search(address="q=接%00线盒&chain=%00", name="n", by=hostile)
    assert again.query == reader.saved_searches.get().query


def test_daily_digest_goes_out_at_eight_in_shanghai_and_not_before(clock):
    user = seeker()
    clock(hours=1)
    post("光伏接线盒")
    clock(hours=19, minutes=59)  # 07:59
    tasks.send_digests()
    assert told(user) == []

    clock(hours=20)  # 08:00
    tasks.send_digests()

    assert told(user) == [("光伏接线盒", "search", 0)]
    assert [letter.subject for letter in letters()] == ["New for you: 光伏接线盒"]
    clock(hours=22)
    caches["pages"].clear()  # what spares looking again is no memory
    tasks.send_digests()
    assert letters() == []


def test_weekly_digest_waits_for_monday_and_holds_the_week(clock):
    user = seeker(rhythm="weekly")
    clock(days=1)
    post("接线盒 one")
    clock(days=3)
    post("接线盒 two")
    clock(days=4, hours=19)  # Monday 07:00
    tasks.send_digests()
    assert told(user) == []

    clock(days=4, hours=20, minutes=10)
    tasks.send_digests()

    assert [title for title, *_ in told(user)] == ["接线盒 one", "接线盒 two"]
    assert [letter.subject for letter in letters()] == ["2 new requirements for you"]


def test_at_once_is_told_by_the_next_ring_and_only_of_what_is_new(clock):
    post("接线盒 old")
    clock(hours=1)
    user = seeker(rhythm="at_once")
    clock(hours=2)
    row = RequirementFactory(
        approved=True, title="接线盒 new", lines=["a"], search_text=searchtext.document("接线盒"),
        embargoed_until=DAY + datetime.timedelta(hours=3),
    )  # fmt: skip
    ring()
    assert told(user) == []  # under embargo

    clock(hours=4)
    requirements.publish_due()
    row.refresh_from_db()
    assert row.status == "published"
    ring()

    assert told(user) == [("接线盒 new", "search", 0)]


def test_never_hears_nothing_and_later_not_of_what_was_before(clock):
    user = seeker()
    search = SavedSearch.objects.get(user=user)
    alerts.choose(topic=search.public_id, rhythm="never", by=user)
    post("接线盒 one")
    clock(days=1)
    tasks.send_digests()
    assert told(user) == []

    alerts.choose(topic=search.public_id, rhythm="daily", by=user)
    post("接线盒 two")
    clock(days=2)
    tasks.send_digests()

    assert [title for title, *_ in told(user)] == ["接线盒 two"]


def test_letter_that_cannot_be_written_keeps_nobody_elses_and_is_tried_again(clock, monkeypatch):
    first, unlucky, third = seeker(), seeker(), seeker()
    at_once = seeker(rhythm="at_once")
    post("接线盒")
    write = alerts.write

    def fail_for_one(*, letters, by=None):
        if any(letter.user == unlucky for letter in letters):
            raise ValueError("cannot be written")
        write(letters=letters, by=by)

    monkeypatch.setattr(alerts, "write", fail_for_one)
    clock(days=1)
    tasks.send_digests()
    # Those who wanted to hear at once and whose ring was lost hear with the others.
    assert [len(told(user)) for user in (first, unlucky, third, at_once)] == [1, 0, 1, 1]

    monkeypatch.undo()
    tasks.send_digests()
    tasks.send_digests()

    assert [len(told(user)) for user in (first, unlucky, third, at_once)] == [1, 1, 1, 1]
    assert len(letters()) == 4


# -- what is found ----------------------------------------------------------------------------------


def test_search_finds_by_words_and_filters_what_its_page_lists(clock):
    chain = Chain.objects.get(code="PV")
    user = seeker("chain=PV&q=接线盒")
    hit, _other, _chain = post("接线盒", chain=chain), post("接线盒"), post("背板", chain=chain)
    clock(days=1)

    tasks.send_digests()

    assert [row.requirement for row in Alert.objects.filter(user=user)] == [hit]


def test_own_matches_are_told_to_editors_without_being_asked_for(clock):
    member = MembershipFactory(role="editor")
    viewer = MembershipFactory(role="viewer", enterprise=member.enterprise)
    row = post("背板")
    MatchFactory(line=row.lines.get(), supplier=member.enterprise)
    weak = post("玻璃")
    MatchFactory(line=weak.lines.get(), supplier=member.enterprise, tenths=400)
    clock(days=1)

    tasks.send_digests()

    assert told(member.user) == [("背板", "for_you", 0)]
    assert told(viewer.user) == []
    [letter] = letters()
    assert "fits you with 81 of 100 points" in letter.body


def test_requirement_found_by_two_topics_stands_once_in_one_letter(clock):
    member = MembershipFactory()
    alerts.save_search(address="q=接线盒", name="boxes", by=member.user)
    alerts.save_search(address="q=光伏", name="solar", by=member.user)
    row = post("光伏接线盒")
    MatchFactory(line=row.lines.get(), supplier=member.enterprise)
    clock(days=1)

    tasks.send_digests()

    [letter] = letters()
    assert letter.body.count("光伏接线盒") == 1
    assert told(member.user) == [("光伏接线盒", "for_you", 0)]


def test_nobody_is_told_of_their_own_houses(clock):
    member = MembershipFactory()
    alerts.save_search(address="q=接线盒", name="boxes", by=member.user)
    post("接线盒", enterprise=member.enterprise)
    post("接线盒 for another", posted_by=member.enterprise)
    clock(days=1)

    tasks.send_digests()

    assert told(member.user) == []


def test_embargoed_canary_appears_in_no_letter_before_its_time(clock):
    member = MembershipFactory()
    alerts.save_search(address="q=接线盒", name="boxes", by=member.user)
    row = RequirementFactory(
        approved=True, title="接线盒 Qcanary", lines=["Qcanary"], search_text=searchtext.document("接线盒"),
        embargoed_until=DAY + datetime.timedelta(days=2),
    )  # fmt: skip
    MatchFactory(line=row.lines.get(), supplier=member.enterprise)
    post("接线盒 plain")
    clock(days=1)
    tasks.send_digests()
    assert ["Qcanary" in letter.body for letter in letters()] == [False]

    clock(days=2, minutes=1)
    requirements.publish_due()
    clock(days=3)
    tasks.send_digests()

    assert ["Qcanary" in letter.body for letter in letters()] == [True]


# -- reminders --------------------------------------------------------------------------------------


def reminded(clock):
    """A supplier told of two requirements that close in twelve days."""
    member = MembershipFactory()
    rows = []
    for title in ("背板", "玻璃"):
        row = post(title, closes_on=(DAY + datetime.timedelta(days=12)).date(),
                   answer_by_on=(DAY + datetime.timedelta(days=20)).date())  # fmt: skip
        MatchFactory(line=row.lines.get(), supplier=member.enterprise)
        rows.append(row)
    clock(days=1)
    tasks.send_digests()
    letters()
    return member, rows


def mornings(clock, first, last):
    sent = []
    for day in range(first, last):
        clock(days=day)
        tasks.send_digests()
        sent += [(day, letter.subject) for letter in letters()]
    return sent


def test_two_reminders_at_most_and_none_after_it_closed(clock):
    member, _rows = reminded(clock)

    assert mornings(clock, 2, 16) == [
        (5, "2 requirements close soon"),
        (10, "2 requirements close soon"),
    ]
    assert [row.reminders for row in Alert.objects.filter(user=member.user)] == [2, 2]


def test_no_reminder_after_an_interest_or_a_dismissal(clock):
    member, (sent, dismissed) = reminded(clock)
    interests.express(
        requirement=sent, enterprise=member.enterprise, lines=list(sent.lines.all()), message="",
        contact=ContactFactory(enterprise=member.enterprise), by=member.user,
    )  # fmt: skip
    suggestions.dismiss(
        line=dismissed.lines.get(), enterprise=member.enterprise, reason="too_far", by=member.user
    )

    Notification.objects.all().delete()
    assert mornings(clock, 2, 16) == []


def test_letter_that_waited_until_all_has_closed_is_not_sent(clock):
    seeker()
    row = post("接线盒")
    clock(days=1)
    tasks.send_digests()
    requirements.withdraw(requirement=row, by=MembershipFactory(enterprise=row.enterprise).user)

    Notification.objects.exclude(kind="alert_digest").delete()
    assert letters() == []
    assert set(Notification.objects.filter(channel="email").values_list("status", flat=True)) == {
        "stopped"
    }


def test_letter_speaks_the_language_of_its_reader(clock):
    seeker(language="zh")
    post("光伏接线盒")
    clock(days=1)
    tasks.send_digests()

    [letter] = letters()

    assert "截止" in letter.body
    assert "interests until" not in letter.body


# -- the way out ------------------------------------------------------------------------------------


def stopping(clock, client):
    user = seeker()
    post("接线盒")
    clock(days=1)
    tasks.send_digests()
    [letter] = letters()
    header = letter.extra_headers["List-Unsubscribe"]
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert header[1:-1] in letter.body
    return user, "/" + header[1:-1].split("/", 3)[3]


def test_one_click_stops_signed_out_and_a_look_does_not(clock, client):
    user, address = stopping(clock, client)
    search = SavedSearch.objects.get(user=user)
    page = client.get(address)
    assert 'method="post"' in page.content.decode()
    assert Preference.objects.get(user=user, topic=search.public_id).rhythm == "daily"

    client.handler.enforce_csrf_checks = True
    answer = client.post(address, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert Preference.objects.get(user=user, topic=search.public_id).rhythm == "never"
    entry = AuditEntry.objects.filter(action="preference.set").latest("pk")
    assert (entry.actor, entry.data) == (
        user.pk,
        {"topic": search.public_id, "rhythm": "never"},
    )
    post("接线盒 again")
    clock(days=2)
    tasks.send_digests()
    assert letters() == []


def test_forged_stop_link_finds_nothing(clock, client):
    user, address = stopping(clock, client)

    assert client.post(address[:-2] + "x/").status_code == 404
    digest = Digest.objects.get()
    assert (
        client.post(reverse("matchmaking:alert_stop", args=[digest.public_id])).status_code == 404
    )
    with pytest.raises(DomainError) as refused:
        alerts.stop(digest=digest, by=UserFactory())
    assert refused.value.code == "preference.forbidden"
    assert alerts.topics_of(user)[1].rhythm == "daily"


# -- keeping searches -------------------------------------------------------------------------------


def test_same_state_of_the_catalogue_is_kept_once_whatever_its_address(client):
    user = UserFactory()
    client.force_login(user)
    for query in ("q=接线盒&chain=PV&sort=newest&page=2", "chain=PV&q=接线盒"):
        client.post(reverse("matchmaking:search_save"), {"query": query, "name": " boxes ", "rhythm": "weekly"})  # fmt: skip

    [search] = SavedSearch.objects.filter(user=user)
    assert (search.name, alerts.topics_of(user)[1].rhythm) == ("boxes", "weekly")
    page = client.get(search.href).content.decode()
    assert 'value="接线盒"' in page
    actions = AuditEntry.objects.filter(actor=user.pk).values_list("action", flat=True)
    assert sorted(actions) == ["preference.set", "search.saved"]


def test_twenty_searches_are_enough_and_one_that_is_gone_makes_room():
    user = UserFactory()
    for number in range(SavedSearch.MOST):
        alerts.save_search(address=f"q={number}", name=str(number), by=user)
    with pytest.raises(DomainError) as refused:
        alerts.save_search(address="q=more", name="more", by=user)
    assert refused.value.code == "search.too_many"

    first = SavedSearch.objects.filter(user=user).first()
    with pytest.raises(DomainError) as strange:
        alerts.delete_search(search=first, by=UserFactory())
    assert strange.value.code == "search.forbidden"
    alerts.delete_search(search=first, by=user)

    assert alerts.save_search(address="q=more", name="more", by=user).name == "more"
    assert not Preference.objects.filter(user=user, topic=first.public_id).exists()


def test_page_of_topics_sets_each_and_knows_no_others(client):
    member = MembershipFactory()
    alerts.save_search(address="q=a", name="a", by=member.user)
    foreign = alerts.save_search(address="q=b", name="b", by=UserFactory())
    client.force_login(member.user)
    own = SavedSearch.objects.get(user=member.user).public_id

    client.post(
        reverse("matchmaking:alert_list"),
        {FOR_YOU: "weekly", own: "at_once", foreign.public_id: "never"},
    )

    rhythms = {topic.name: topic.rhythm for topic in alerts.topics_of(member.user)}
    assert rhythms == {FOR_YOU: "weekly", own: "at_once"}
    assert alerts.topics_of(foreign.user)[1].rhythm == "daily"
    with pytest.raises(DomainError) as refused:
        alerts.choose(topic=foreign.public_id, rhythm="never", by=member.user)
    assert refused.value.code == "preference.topic"


@pytest.mark.race
def test_two_senders_at_once_send_once(committed):
    user = seeker()
    with transaction.atomic():
        post("接线盒")
    noon = timezone.now() + datetime.timedelta(days=1)
    gate = threading.Barrier(2)

    def send():
        try:
            gate.wait()
            tasks.send_digests()
        finally:
            connections.close_all()

    with time_machine.travel(noon, tick=True):
        senders = [threading.Thread(target=send) for _ in range(2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    assert told(user) == [("接线盒", "search", 0)]
    assert Digest.objects.count() == 1
    assert Notification.objects.filter(kind="alert_digest", channel="email").count() == 1


def test_letters_cost_as_many_questions_for_ten_readers_as_for_two(clock):
    def asked_for(count):
        for _ in range(count):
            member = MembershipFactory(enterprise=EnterpriseFactory())
            alerts.save_search(address="q=接线盒", name="boxes", by=member.user)
        before = Digest.objects.count()
        with CaptureQueriesContext(connection) as asked:
            assert alerts.send_digests() == 0
        return len(asked), Digest.objects.count() - before

    post("接线盒")
    clock(days=1)
    assert asked_for(2) == (10, 0)  # saved after it was published
    post("光伏接线盒")
    clock(days=2)
    some, more = asked_for(0), None
    post("三分体接线盒")
    clock(days=3, hours=-5)
    for _ in range(8):
        alerts.save_search(address="q=接线盒", name="boxes", by=MembershipFactory().user)
    Preference.objects.update(since=DAY)
    clock(days=4)
    more = asked_for(0)

    assert (some[1], more[1]) == (2, 10)
    assert some[0] == more[0]


def test_list_of_notices_asks_once_for_all_letters(clock, client):
    user = seeker()
    client.force_login(user)

    def asked_for(first, last):
        for day in range(first, last):
            far = (DAY + datetime.timedelta(days=60)).date()
            post(f"接线盒 {day}", closes_on=far, answer_by_on=far)
            clock(days=day, hours=20)
            alerts.send_digests()
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse("chains:notification_list")).content.decode()
        return len(asked), page.count("New for you: ")

    client.get(reverse("chains:notification_list"))
    some, more = asked_for(0, 2), asked_for(2, 6)

    assert (some[1], more[1]) == (2, 6)
    assert some[0] == more[0]
