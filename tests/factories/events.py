from __future__ import annotations

import datetime

import factory
from django.db.models import F
from django.utils import timezone
from factory.django import DjangoModelFactory

from chains import searchtext
from chains.models import Chain, DockingKind
from events import models
from tests.factories.chains import EnterpriseFactory, OrganiserRoleFactory, region


def days(count: float) -> factory.LazyFunction:
    return factory.LazyFunction(lambda: timezone.now() + datetime.timedelta(days=count))


class ProgrammeFactory(DjangoModelFactory):
    class Meta:
        model = models.Programme

    owner = factory.SubFactory(EnterpriseFactory, kind_id="government", scheme="other", number=None)
    name_zh = "十链百场万企"
    name_en = "Ten Chains, Hundred Fields"


class SeriesFactory(DjangoModelFactory):
    class Meta:
        model = models.Series

    programme = factory.SubFactory(ProgrammeFactory)
    year = factory.LazyFunction(lambda: timezone.localdate().year)


class EventFactory(DjangoModelFactory):
    """A published county event in Jiashan, open for registration; `seats` general seats, `chains` and
    `docking_kinds` by code, `series` and `co_hosts` as lists of rows."""

    class Meta:
        model = models.Event
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(status="draft", published_at=None)
        held = factory.Trait(
            status="held",
            starts_at=days(-10),
            ends_at=days(-9.7),
            registration_opens_at=days(-40),
            registration_closes_at=days(-15),
        )

    name_zh = factory.Sequence(lambda n: f"新能源产业链对接会（{n}）")
    name_en = factory.Sequence(lambda n: f"New Energy Docking {n}")
    level_id = "county"
    host = factory.SubFactory(
        EnterpriseFactory,
        kind_id="government",
        scheme="other",
        number=None,
        name="示例县经信局",
        name_en="Demo County Economic Bureau",
    )
    region = factory.LazyFunction(lambda: region("330421"))
    place = "示例会展中心 A 厅"
    place_en = "Demo Exhibition Centre, Hall A"
    starts_at = days(14)
    ends_at = days(14.3)
    registration_opens_at = days(-30)
    registration_closes_at = days(7)
    published_at = factory.LazyFunction(timezone.now)
    status = "published"
    search_text = factory.LazyAttribute(
        lambda o: searchtext.document(f"{o.place}\n{o.place_en}", names=[o.name_zh, o.name_en])
    )

    @factory.post_generation
    def seats(self, create, number):
        if create and number != 0:
            TierFactory(event=self, general=True, seats=10 if number is None else number)

    @factory.post_generation
    def chains(self, create, codes):
        if create and codes:
            self.chains.add(*Chain.objects.filter(code__in=codes))

    @factory.post_generation
    def docking_kinds(self, create, codes):
        if create:
            wanted = ["supply_sales"] if codes is None else codes
            self.docking_kinds.add(*DockingKind.objects.filter(code__in=wanted))

    @factory.post_generation
    def series(self, create, rows):
        if create and rows:
            self.series.add(*rows)

    @factory.post_generation
    def co_hosts(self, create, rows):
        if create and rows:
            self.co_hosts.add(*rows)


class TierFactory(DjangoModelFactory):
    class Meta:
        model = models.Tier

    class Params:
        general = factory.Trait(
            is_general=True,
            order=100,
            name_zh="普通席",
            name_en="General",
            qualifications=[],
            participant_kinds=[],
            reserved_until=None,
        )

    event = factory.SubFactory(EventFactory)
    name_zh = "“小巨人”企业"
    name_en = "Little giants"
    qualifications = ["little_giant"]
    participant_kinds: list[str] = []
    seats = 5
    reserved_until = days(3)
    order = 1


class RegistrationFactory(DjangoModelFactory):
    """A row as it stands, past the services: `seats_held` also counts in its tier."""

    class Meta:
        model = models.Registration
        skip_postgeneration_save = True

    event = factory.SubFactory(EventFactory)
    enterprise = factory.SubFactory(EnterpriseFactory)
    status = "confirmed"
    seats_asked = 1
    seats_held = factory.LazyAttribute(lambda o: o.seats_asked if o.status == "confirmed" else 0)
    attended = factory.LazyAttribute(
        lambda o: o.seats_held if o.event.status == "held" and o.status == "confirmed" else None
    )
    queue_no = factory.Sequence(lambda n: 1_000_000 + n)
    queued_at = factory.LazyFunction(timezone.now)
    tier = factory.LazyAttribute(lambda o: o.event.tiers.get(is_general=True))

    @factory.post_generation
    def counted(self, create, extracted):
        if create and self.seats_held:
            counted = F("taken") + self.seats_held
            models.Tier.objects.filter(pk=self.tier_id).update(taken=counted)


def organiser_of(event, **fields):
    """A person who works for the event's host."""
    return OrganiserRoleFactory(body=event.host, region=event.region, **fields).user
