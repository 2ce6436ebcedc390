"""A limit of interests wakes suppliers in small batches, the best first, and then stops."""

from __future__ import annotations

import datetime
import re
import zoneinfo

import pytest
import time_machine
from django.urls import reverse

from chains.errors import DomainError
from chains.models import AuditEntry, Membership
from matchmaking import tasks
from matchmaking.models import Alert, Digest, Dismissal, Wake
from matchmaking.models.alerts import FOR_YOU
from matchmaking.services import alerts, waking
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.matchmaking import InterestFactory, MatchFactory

pytestmark = pytest.mark.django_db

DAY = datetime.datetime(2027, 3, 10, 9, 0, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def clock():
    with time_machine.travel(DAY, tick=False) as traveller:
        yield lambda **later: traveller.move_to(DAY + datetime.timedelta(**later))


def market(suppliers, wanted=2, **fields):
    """A requirement with suppliers from 90 points downwards, one editor each."""
    row = RequirementFactory(lines=["a"], wanted_interests=wanted, **fields)
    members = [MembershipFactory(role="editor") for _ in range(suppliers)]
    for place, member in enumerate(members):
        MatchFactory(line=row.lines.get(), supplier=member.enterprise, tenths=900 - 10 * place)
    return row, members


def woken(row):
    return [wake.enterprise for wake in Wake.objects.filter(requirement=row).order_by("pk")]


def test_best_are_told_first_some_every_day_until_enough_interests_stand(clock):
    row, members = market(9)
    enterprises = [member.enterprise for member in members]

    tasks.wake_suppliers()
    tasks.wake_suppliers()
    assert woken(row) == enterprises[:4]

    clock(days=1)
    InterestFactory(requirement=row, enterprise=enterprises[0])
    tasks.wake_suppliers()
    assert woken(row) == enterprises[:7]  # one is missing: three are told

    clock(days=2)
    InterestFactory(requirement=row, enterprise=enterprises[5])
    tasks.wake_suppliers()
    assert len(woken(row)) == 7
    assert waking.standing_of(row) == waking.Standing(wanted=2, interests=2, told=7)

    clock(days=3)
    row.interests.filter(enterprise=enterprises[5]).update(
        status="declined", decline_reason="price"
    )
    tasks.wake_suppliers()
    assert woken(row) == enterprises


def test_nobody_is_told_before_the_morning_or_after_it_closed(clock):
    row, _members = market(1)
    clock(hours=-2)  # 07:00
    tasks.wake_suppliers()
    assert woken(row) == []

    clock(days=15)
    tasks.wake_suppliers()
    assert woken(row) == []


def test_whoever_dismissed_was_rejected_or_told_or_stopped_is_left_alone(clock):
    row, members = market(7, wanted=5)
    line = row.lines.get()
    dismissed, rejected, recommended, stopped, told, withdrew, last = members
    Dismissal.objects.create(
        line=line, enterprise=dismissed.enterprise, reason="too_far", by=dismissed.user
    )
    line.matches.filter(supplier=rejected.enterprise).update(status="rejected")
    line.matches.filter(supplier=recommended.enterprise).update(status="approved")
    alerts.choose(topic=FOR_YOU, rhythm="never", by=stopped.user)
    Alert.objects.create(
        user=told.user, requirement=row, cause="search", digest=Digest.objects.create(user=told.user)
    )  # fmt: skip
    InterestFactory(requirement=row, enterprise=withdrew.enterprise, status="withdrawn")
    suspended = MembershipFactory(enterprise__status="suspended")
    MatchFactory(line=line, supplier=suspended.enterprise)
    MatchFactory(line=line, supplier=MembershipFactory().enterprise, tenths=400)
    MatchFactory(line=line, supplier=MembershipFactory().enterprise, misses_must=True)
    MatchFactory(line=line, supplier=EnterpriseFactory())  # nobody to tell

    tasks.wake_suppliers()

    assert woken(row) == [last.enterprise]
    assert list(
        Alert.objects.filter(requirement=row, cause="wanted").values_list("user", flat=True)
    ) == [last.user.pk]


def test_limited_requirement_is_not_told_to_everybody_by_the_digest(clock):
    row, members = market(12, wanted=1)
    tasks.wake_suppliers()
    clock(days=1, hours=-1)  # 08:00

    tasks.send_digests()

    told = Alert.objects.filter(requirement=row)
    assert [alert.user_id for alert in told.order_by("pk")] == [m.user_id for m in members[:3]]


def test_person_of_two_suppliers_gets_one_letter(clock):
    row, (first, second) = market(2)
    Membership.objects.create(
        user=first.user, enterprise=second.enterprise, role="editor", status="active"
    )

    tasks.wake_suppliers()

    assert Digest.objects.filter(user=first.user).count() == 1
    assert woken(row) == [first.enterprise, second.enterprise]


def test_buyer_names_a_number_and_others_do_not(client):
    row, _members = market(0, wanted=None)
    owner = MembershipFactory(enterprise=row.enterprise).user
    client.force_login(owner)
    address = reverse("matchmaking:requirement_want", args=[row.public_id])

    client.post(address, {"wanted": "8"})
    row.refresh_from_db()
    assert row.wanted_interests == 8
    desk = client.get(reverse("matchmaking:requirement_desk", args=[row.public_id]))
    assert "0 of 8 interests stand; 0 suppliers were told." in desk.content.decode()
    for wrong in ("0", "51", "many", "9999"):
        answer = client.post(address, {"wanted": wrong}, follow=True)
        assert "Name a number from 1 to 50, or none." in answer.content.decode()
    client.post(address, {"wanted": ""})
    row.refresh_from_db()
    assert row.wanted_interests is None
    entries = AuditEntry.objects.filter(action="requirement.wanted_set").order_by("pk")
    assert [entry.data for entry in entries] == [{"wanted": 8}, {"wanted": None}]
    with pytest.raises(DomainError) as refused:
        waking.want(requirement=row, number=3, by=UserFactory())
    assert refused.value.code == "requirement.forbidden"


def test_number_wanted_is_shown_to_nobody_but_the_buyer(client):
    row, (member,) = market(1)
    client.force_login(member.user)

    def seen():
        pages = (
            client.get(reverse("matchmaking:requirement_detail", args=[row.public_id])),
            client.get(reverse("matchmaking:requirement_list")),
            client.get(reverse("api-requirements-detail", args=[row.public_id])),
        )
        return [re.sub(r'(name="csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", page.content.decode()) for page in pages]  # fmt: skip

    # Any number may stand in a name or an address by chance: what must not differ is the whole page.
    shown = []
    for wanted in (None, 2, 47):
        type(row).objects.filter(pk=row.pk).update(wanted_interests=wanted)
        shown.append(seen())
    assert shown[0] == shown[1] == shown[2]
    assert "wanted_interests" not in shown[0][2]
