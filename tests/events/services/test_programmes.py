"""Programmes, series and targets: whose they are, and which events count in them (rows 1, 6, 7)."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from events import permissions, statistics
from events.models import EventLevel, Programme, Series, Target
from events.services import events, programmes
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    region,
)
from tests.factories.events import EventFactory, ProgrammeFactory, SeriesFactory, organiser_of

pytestmark = pytest.mark.django_db

ANHUI, HEFEI = "340000", "340100"


def bureau(code, **fields):
    """A person who works for a bureau of the region, and for whom the region is the desk's."""
    place = region(code)
    body = EnterpriseFactory(kind_id="government", scheme="other", number=None, region=place)
    return OrganiserRoleFactory(body=body, region=place, **fields)


def series_of(role, **fields):
    return SeriesFactory(programme=ProgrammeFactory(owner=role.body), **fields)


def trail():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# ---- rights ----


def refusal(verb, **arguments):
    with pytest.raises(DomainError) as refused:
        verb(**arguments)
    return refused.value.is_refusal


@pytest.mark.parametrize("who", ["analyst", "colleague", "member", "other"])
def test_only_organisers_of_the_body_keep_its_programmes(who):
    owner = bureau("330000")
    series = series_of(owner)
    event = EventFactory(region=region("330421"))
    by = {
        "analyst": lambda: (
            OrganiserRoleFactory(body=owner.body, region=region("330000"), role="analyst").user
        ),
        "colleague": lambda: bureau("330400").user,
        "member": lambda: MembershipFactory(enterprise=owner.body).user,
        "other": lambda: bureau(HEFEI).user,
    }[who]()
    programme, target = series.programme, {"measure": "events", "value": 3}

    assert refusal(programmes.create_programme, owner=owner.body, name_zh="一", name_en="A", by=by)
    assert refusal(programmes.edit_programme, programme=programme, name_zh="一", name_en="A", by=by)
    assert refusal(programmes.create_series, programme=programme, year=2031, by=by)
    assert refusal(programmes.set_target, series=series, by=by, **target)
    assert refusal(programmes.set_targets, series=series, targets=[target], by=by)
    assert refusal(programmes.put_event, series=series, event=event, by=by)
    assert refusal(programmes.take_event, series=series, event=event, by=by)
    assert (Programme.objects.count(), Series.objects.count(), Target.objects.count()) == (1, 1, 0)
    assert trail() == []


def test_administrator_may_keep_what_a_body_has_left_behind():
    series, by = SeriesFactory(), AdministratorFactory()

    programmes.edit_programme(
        programme=series.programme, name_zh="百场万企", name_en="Hundred Fields", by=by
    )

    assert Programme.objects.get().name_en == "Hundred Fields"


def test_edit_programme_writes_one_line_and_nothing_when_nothing_changed():
    role = bureau("330000")
    programme = ProgrammeFactory(owner=role.body)

    for _ in range(2):
        programmes.edit_programme(programme=programme, name_zh="新名", name_en="New", by=role.user)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data) == ("programme.changed", {"fields": ["name_en", "name_zh"]})
    assert list(Change.objects.values_list("noun", "verb")) == [("programme", "changed")]


# ---- targets ----


def test_set_targets_replaces_all_and_keeps_one_for_each_level_and_region():
    role = bureau("330000")
    series, county = series_of(role), EventLevel.objects.get(code="county")
    jiashan = region("330421")
    programmes.set_target(series=series, measure="events", value=9, by=role.user)
    programmes.set_target(series=series, measure="enterprises", value=300, by=role.user)

    wanted = [
        {"measure": "events", "value": 12},
        {"measure": "events", "value": 90, "level": county},
        {"measure": "events", "value": 2, "region": jiashan},
    ]
    programmes.set_targets(series=series, targets=wanted, by=role.user)
    programmes.set_targets(series=series, targets=wanted, by=role.user)

    held = {(t.measure, t.level_id, t.region_id): t.value for t in Target.objects.all()}
    assert held == {
        ("events", None, None): 12,
        ("events", "county", None): 90,
        ("events", None, jiashan.pk): 2,
    }
    assert trail() == ["target.set", "target.set", "series.targets_set"]


def test_set_targets_refuses_two_for_the_same_level():
    role = bureau("330000")
    series = series_of(role)
    twice = [{"measure": "events", "value": n} for n in (1, 2)]

    with pytest.raises(DomainError, match="one target for each level"):
        programmes.set_targets(series=series, targets=twice, by=role.user)
    with pytest.raises(DomainError, match="0 or more"):
        programmes.set_targets(
            series=series, targets=[{"measure": "visits", "value": 1}], by=role.user
        )

    assert not Target.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_who_set_the_same_targets_at_once_leave_one_of_each():
    role = bureau("330000")
    series, gate, faults = series_of(role), threading.Barrier(2), []

    def save(value):
        try:
            gate.wait()
            programmes.set_targets(
                series=Series.objects.get(pk=series.pk),
                targets=[{"measure": "events", "value": value}],
                by=role.user,
            )
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    people = [threading.Thread(target=save, args=(value,)) for value in (10, 20)]
    for one in people:
        one.start()
    for one in people:
        one.join()

    assert faults == []
    assert [t.value for t in Target.objects.all()] in ([10], [20])


# ---- events of a series ----


def test_row_6_an_event_in_two_series_counts_in_both_and_once_in_the_grand_total():
    province, city = bureau("330000"), bureau("330400")
    first, second = series_of(province, year=2026), series_of(city, year=2026)
    event = EventFactory(held=True, host=city.body, region=region("330400"))

    programmes.put_event(series=first, event=event, by=province.user)
    programmes.put_event(series=second, event=event, by=city.user)
    programmes.put_event(series=second, event=event, by=city.user)

    assert [statistics.figures(one)["held"] for one in (first, second)] == [1, 1]
    assert statistics.grand_total(2026) == 1
    assert trail() == ["series.event_added"] * 2


def test_put_event_is_for_events_one_organises_and_public_ones_of_the_own_region():
    city = bureau("330400")
    series = series_of(city)
    inside, outside = EventFactory(), EventFactory(region=region(HEFEI))
    draft, cancelled = EventFactory(draft=True), EventFactory(status="cancelled", cancel_reason="R")

    programmes.put_event(series=series, event=inside, by=city.user)
    for event in (outside, draft):
        assert refusal(programmes.put_event, series=series, event=event, by=city.user)
    with pytest.raises(DomainError, match="was cancelled"):
        programmes.put_event(series=series, event=cancelled, by=city.user)

    assert list(series.events.all()) == [inside]


def test_host_puts_its_event_into_the_series_of_its_province_but_not_into_one_prepared_elsewhere():
    event = EventFactory()
    host = organiser_of(event)
    near, far = series_of(bureau("330000")), series_of(bureau(ANHUI))

    programmes.put_event(series=near, event=event, by=host)
    assert refusal(programmes.put_event, series=far, event=event, by=host)
    with pytest.raises(DomainError, match="public or kept in your province"):
        events.edit(event=event, by=host, series=[near, far])

    assert list(event.series.all()) == [near]


def test_body_of_the_series_takes_an_event_out_and_other_series_keep_it():
    owner = bureau("330000")
    series, other = series_of(owner), SeriesFactory()
    event = EventFactory(series=[series, other])

    programmes.take_event(series=series, event=event, by=owner.user)
    programmes.take_event(series=series, event=event, by=owner.user)

    assert list(event.series.all()) == [other]
    assert trail() == ["series.event_removed"]


# ---- row 7: what is being prepared stays in its province ----


def test_series_without_a_public_event_is_seen_by_the_desks_of_its_province_only():
    owner = bureau("330000")
    series = series_of(owner)
    event = EventFactory(draft=True, series=[series])
    people = {
        "owner": owner.user,
        "county": bureau("330421").user,
        "analyst": bureau("330000", role="analyst").user,
        "administrator": AdministratorFactory(),
        "second province": bureau(ANHUI).user,
        "city of the second": bureau(HEFEI).user,
        "member": MembershipFactory().user,
        "visitor": AnonymousUser(),
    }

    def who_see(rows):
        return {name for name, user in people.items() if rows.visible_to(user).exists()}

    inside = {"owner", "county", "analyst", "administrator"}
    assert who_see(Series.objects.all()) == inside
    assert who_see(Programme.objects.all()) == inside

    event.status = "published"
    event.save()

    assert who_see(Series.objects.all()) == set(people)
    assert who_see(Programme.objects.all()) == set(people)


def test_series_of_the_whole_country_is_known_to_the_desks_of_every_province():
    series = series_of(bureau("000000"))
    event = EventFactory()

    assert permissions.can_put(organiser_of(event), event, series)
    assert Series.objects.visible_to(bureau(ANHUI).user).get() == series
    assert not Series.objects.visible_to(MembershipFactory().user).exists()


# ---- territory ----


def test_a_provincial_body_seated_in_one_city_looks_after_the_whole_province():
    role = bureau("330000")
    role.body.region = region("330100")
    role.body.save()
    EventFactory(region=region("330421"), series=[series := series_of(role, year=2026)])

    found = statistics.counties_without(series)

    assert {row["city"].code for row in found} >= {"330100", "330400"}
    assert statistics.territory(role.body) == region("330000")


def test_a_body_without_organisers_looks_after_the_region_of_its_seat():
    body = EnterpriseFactory(region=region("330400"))

    assert statistics.territory(body) == region("330400")
