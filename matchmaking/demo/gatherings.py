"""Twelve docking events: five held, seven to come, one of them the crowded opening of the new-energy season.

And three of the year before, in the series of that year.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chains.models import Chain, Cluster, DockingKind, Enterprise, Region, User
from events.models import Delegate, Event, EventLevel, EventStaff, Registration, Series
from events.services import admission, checkin, events, leading, programmes, registration
from matchmaking.demo import preparations, texts
from matchmaking.demo.clock import at, days_ago
from matchmaking.demo.names import Words
from matchmaking.demo.participants import Market, Participant

OPENING = "opening"
LAST_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    key: str
    level: str
    host: str
    region: str
    name: Words
    place: Words
    chains: tuple[str, ...]
    days_ago: int  # negative: still to come
    seats: int
    guests: float  # share of those who could come
    kinds: tuple[str, ...] = ("supply_sales",)
    admission: str = "automatic"
    rule: str = "tier_then_arrival"
    co_hosts: tuple[str, ...] = ()
    cluster: str = ""
    tiers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.days_ago > 0

    @property
    def is_last_year(self) -> bool:
        return self.days_ago > LAST_YEAR


_PROGRAMMES = {
    "province": Words("“十链百场万企”系列活动", "Ten Chains, Hundred Fields, Ten-Thousand Enterprises"),
    "city": Words("嘉兴产业链融通行动", "Jiaxing Chain Integration"),
}  # fmt: skip
# Events of each level that a year is to see.
_TARGETS = {
    "province": {"provincial": 3, "city": 4, "county": 9},
    "city": {"city": 1, "county": 4},
}
# Code of an industrial cluster → region, chain, name: what an administrator writes down once for all events.
_CLUSTERS = {
    "jiaxing-pv": ("330400", "PV", Words("嘉兴光伏产业集群", "Jiaxing Photovoltaic Cluster")),
    "huzhou-battery": ("330500", "LB", Words("湖州动力电池产业集群", "Huzhou Battery Cluster")),
}
_HALL = Words("示例会展中心", "Demo Exhibition Centre")


def plan(factor: float) -> list[Gathering]:
    def seats(number: int) -> int:
        return max(4, round(number * factor))

    reserved = [
        {
            "name_zh": "链主、龙头、单项冠军与“小巨人”企业",
            "name_en": "Chain owners, leading enterprises, champions, little giants",
            "qualifications": ["chain_owner", "leading", "champion_national", "little_giant", "multinational"],
            "seats": seats(100),
        },
        {
            "name_zh": "高校、院所与金融机构",
            "name_en": "Universities, institutes and banks",
            "participant_kinds": ["university", "research_institute", "financial_institution"],
            "seats": seats(60),
        },
    ]  # fmt: skip
    return [
        Gathering(key=OPENING, level="provincial", host="province", region="330400", days_ago=-12, seats=seats(340), guests=1.0, co_hosts=("city", "county", "association"),
            name=Words("“十链百场万企”新能源产业链对接会", "New Energy Chain Docking: Season Opening"), place=Words(f"嘉兴·{_HALL.zh} 一号厅", f"{_HALL.en}, Hall 1, Jiaxing"),
            chains=("PV", "LB", "H2", "NV"), kinds=("supply_sales", "project_supply", "large_sme", "finance", "talent"), tiers=reserved),
        Gathering(key="provincial-ic", level="provincial", host="province", region="330100", days_ago=24, seats=seats(160), guests=0.18,
            name=Words("集成电路与智能装备产业链对接会", "Integrated Circuits and Equipment Docking"), place=Words(f"杭州·{_HALL.zh}", f"{_HALL.en}, Hangzhou"), chains=("IC", "IE")),
        Gathering(key="provincial-innovation", level="provincial", host="province", region="330200", days_ago=-40, seats=seats(200), guests=0.06,
            name=Words("创新攻关与科技成果转化对接会", "Innovation and Technology Transfer Docking"), place=Words(f"宁波·{_HALL.zh}", f"{_HALL.en}, Ningbo"),
            chains=("IC", "NV", "LB"), kinds=("rd_collab", "tech_transfer"), rule="draw"),
        Gathering(key="city-pv", level="city", host="city", region="330400", days_ago=19, seats=seats(180), guests=0.2, co_hosts=("association",),
            name=Words("嘉兴光伏产业链对接会", "Jiaxing Photovoltaic Docking"), place=Words(f"嘉兴·{_HALL.zh} 二号厅", f"{_HALL.en}, Hall 2, Jiaxing"), chains=("PV",), cluster="jiaxing-pv"),
        Gathering(key="city-lb", level="city", host="huzhou", region="330500", days_ago=8, seats=seats(140), guests=0.16,
            name=Words("湖州动力电池与储能对接会", "Huzhou Battery and Storage Docking"), place=Words(f"湖州·{_HALL.zh}", f"{_HALL.en}, Huzhou"), chains=("LB", "NV"), cluster="huzhou-battery"),
        Gathering(key="city-finance", level="city", host="city", region="330400", days_ago=-9, seats=seats(80), guests=0.1,
            name=Words("嘉兴产融对接会", "Jiaxing Industry and Finance Docking"), place=Words("嘉兴·示例金融大厦", "Demo Finance Tower, Jiaxing"), chains=("PV", "H2"), kinds=("finance",)),
        Gathering(key="city-nv", level="city", host="huzhou", region="330500", days_ago=-26, seats=seats(120), guests=0.08,
            name=Words("湖州新能源汽车零部件对接会", "Huzhou Vehicle Parts Docking"), place=Words(f"湖州·{_HALL.zh}", f"{_HALL.en}, Huzhou"), chains=("NV",)),
        Gathering(key="county-h2", level="county", host="county", region="330421", days_ago=13, seats=seats(60), guests=0.1, co_hosts=("city",),
            name=Words("嘉善氢能产业对接会", "Jiashan Hydrogen Docking"), place=Words("嘉善·示例开发区会议中心", "Demo Zone Conference Centre, Jiashan"), chains=("H2",)),
        Gathering(key="county-pinghu", level="county", host="pinghu", region="330482", days_ago=3, seats=seats(50), guests=0.08,
            name=Words("平湖汽车电子对接会", "Pinghu Auto Electronics Docking"), place=Words("平湖·示例开发区报告厅", "Demo Zone Hall, Pinghu"), chains=("NV", "IC")),
        Gathering(key="county-parts", level="county", host="county", region="330421", days_ago=-5, seats=seats(60), guests=0.12, admission="reviewed",
            name=Words("嘉善链主企业配套专场", "Jiashan Chain Owners’ Supplier Day"), place=Words("嘉善·示例开发区会议中心", "Demo Zone Conference Centre, Jiashan"),
            chains=("H2", "GS"), kinds=("supply_sales", "project_supply")),
        Gathering(key="county-talent", level="county", host="pinghu", region="330482", days_ago=-18, seats=seats(50), guests=0.06,
            name=Words("平湖人才与项目落地对接会", "Pinghu Talent and Projects Docking"), place=Words("平湖·示例开发区报告厅", "Demo Zone Hall, Pinghu"), chains=("IE",), kinds=("talent", "project_landing")),
        Gathering(key="county-changxing", level="county", host="changxing", region="330522", days_ago=-33, seats=seats(50), guests=0.05, rule="arrival",
            name=Words("长兴电池产业链对接会", "Changxing Battery Chain Docking"), place=Words("长兴·示例开发区会议中心", "Demo Zone Conference Centre, Changxing"), chains=("LB",), cluster="huzhou-battery"),
        # The season before, so that there is a year to compare with.
        Gathering(key="last-opening", level="provincial", host="province", region="330100", days_ago=LAST_YEAR + 52, seats=seats(160), guests=0.08,
            name=Words("新能源产业链对接会（首场）", "New Energy Chain Docking, First Event"), place=Words(f"杭州·{_HALL.zh}", f"{_HALL.en}, Hangzhou"), chains=("PV", "LB")),
        Gathering(key="last-city", level="city", host="city", region="330400", days_ago=LAST_YEAR + 38, seats=seats(100), guests=0.06,
            name=Words("嘉兴光伏产业链对接会（上年）", "Jiaxing Photovoltaic Docking, Year Before"), place=Words(f"嘉兴·{_HALL.zh} 二号厅", f"{_HALL.en}, Hall 2, Jiaxing"), chains=("PV",), cluster="jiaxing-pv"),
        Gathering(key="last-county", level="county", host="county", region="330421", days_ago=LAST_YEAR + 27, seats=seats(60), guests=0.05,
            name=Words("嘉善氢能产业对接会（上年）", "Jiashan Hydrogen Docking, Year Before"), place=Words("嘉善·示例开发区会议中心", "Demo Zone Conference Centre, Jiashan"), chains=("H2",)),
    ]  # fmt: skip


class Season:
    """The events through their services."""

    def __init__(self, seed: int, factor: float, market: Market) -> None:
        self.gatherings = plan(factor)
        self.events: dict[str, Event] = {}
        self._seed, self._market = seed, market

    def announce(self, bodies: dict[str, Enterprise], users: dict[str, User]) -> None:
        """Draft, seats and publication of all, weeks before the first."""
        for code, (region, chain, name) in _CLUSTERS.items():
            Cluster.objects.create(
                code=code,
                name_zh=name.zh,
                name_en=name.en,
                region=Region.objects.get(code=region),
                chain=Chain.objects.get(code=chain),
            )
        for number, one in enumerate(self.gatherings):
            series = self._series(one, bodies, users)
            ago = one.days_ago + 60 if one.is_last_year else 70 - number / 10
            with at(days_ago(ago)):
                self.events[one.key] = self._event(one, bodies, users[one.host], series)
        opening = self.events[OPENING]
        for key, role in (("desk", "desk"), ("moderator", "moderator")):
            EventStaff.objects.create(event=opening, user=users[key], role=role)

    def _series(self, one: Gathering, bodies: dict[str, Enterprise], users: dict[str, User]) -> list[Series]:  # fmt: skip
        """The series of the event's year: the province's, and that of the city for what happens in the city."""
        year = days_ago(one.days_ago).year
        owners = ["province", "city"] if one.region.startswith("3304") else ["province"]
        return [self._series_of(key, year, bodies[key], users[key]) for key in owners]

    def _series_of(self, key: str, year: int, owner: Enterprise, by: User) -> Series:
        found = Series.objects.filter(programme__owner=owner, year=year).first()
        if found is not None:
            return found
        with at(days_ago(LAST_YEAR + 120)):
            programme = owner.programmes.first() or programmes.create_programme(
                owner=owner, name_zh=_PROGRAMMES[key].zh, name_en=_PROGRAMMES[key].en, by=by
            )
            series = programmes.create_series(programme=programme, year=year, by=by)
            for level, value in _TARGETS[key].items():
                programmes.set_target(
                    series=series, measure="events", value=value, level=EventLevel.objects.get(code=level), by=by,
                )  # fmt: skip
            programmes.set_target(series=series, measure="enterprises", value=300, by=by)
        return series

    def _event(self, one: Gathering, bodies: dict[str, Enterprise], by: User, series: list[Series]) -> Event:  # fmt: skip
        starts = days_ago(one.days_ago, 9)
        general = {"name_zh": "普通席", "name_en": "General seats", "seats": one.seats, "is_general": True}  # fmt: skip
        until = starts - datetime.timedelta(days=7)
        event = events.create(
            by=by,
            host=bodies[one.host],
            name_zh=one.name.zh,
            name_en=one.name.en,
            level_id=one.level,
            region=Region.objects.get(code=one.region),
            cluster=Cluster.objects.filter(code=one.cluster).first(),
            place=one.place.zh,
            place_en=one.place.en,
            text="现场发布需求清单，企业、高校、院所与金融机构面对面洽谈。",
            text_en="Requirements are read out in the hall; enterprises, universities, institutes and banks meet.",
            starts_at=starts,
            ends_at=starts + datetime.timedelta(hours=8),
            registration_opens_at=days_ago(
                one.days_ago + 50 if one.is_last_year else 65 if one.is_over else 30
            ),
            registration_closes_at=starts - datetime.timedelta(days=1),
            delegates_per_enterprise=2,
            admission=one.admission,
            waiting_rule=one.rule,
            co_hosts=[bodies[key] for key in one.co_hosts],
            chains=Chain.objects.filter(code__in=one.chains),
            docking_kinds=DockingKind.objects.filter(code__in=one.kinds),
            series=series,
            tiers=[*({**tier, "reserved_until": until} for tier in one.tiers), general],
        )
        if one.key == OPENING:
            events.set_list_moment(event=event, at=starts + datetime.timedelta(hours=1), by=by)
            preparations.prepare(event, by)
            event.refresh_from_db()
        return events.publish(event=event, by=by)

    # --- Guests -----------------------------------------------------------------------------------------

    def let_register(self, bodies: dict[str, Enterprise], users: dict[str, User]) -> None:
        for one in sorted(self.gatherings, key=lambda one: -one.days_ago):
            event = self.events[one.key]
            event.refresh_from_db()
            roll = texts.dice(self._seed, f"guests {one.key}")
            opened = one.days_ago + 16 if one.is_over else 20.0
            for number, guest in enumerate(self._guests(one, roll.random)):
                # Spread over the days since registration opened, everybody a little later than the one before.
                moment = opened - number / 25
                with at(days_ago(max(moment, max(one.days_ago, 0) + 2, 0.01))):
                    named = one.is_over or number % 3 == 0
                    self._register(event, guest, bodies[guest.key], users[guest.key], number, named)
            if one.is_over:
                self._check_in(one, event, users[one.host])
                with at(days_ago(one.days_ago, 18)):
                    events.mark_held()
                _date_back(event, opened)
        self._decide_some(users["county"])
        self._put_in_front(bodies, users)
        self._let_some_cancel(bodies, users)

    def _check_in(self, one: Gathering, event: Event, by: User) -> None:
        """Most of those who were named came, by two doors; a few badges were shown at both."""
        dice = texts.dice(self._seed, f"doors {one.key}")
        people = Delegate.objects.filter(event=event, registration__status="confirmed")
        people = people.select_related("registration__enterprise")
        with at(days_ago(one.days_ago, 8) + datetime.timedelta(minutes=40)):
            for person in people.order_by("pk"):
                doors = [] if dice.random() < 0.1 else [1, 2] if dice.random() < 0.05 else [1]
                for door in doors:
                    checkin.check_in(
                        event=event,
                        by=by,
                        nonce=uuid.UUID(int=dice.getrandbits(128), version=4),
                        delegate=person,
                        gate=f"{door} 号门",
                    )

    def _put_in_front(self, bodies: dict[str, Enterprise], users: dict[str, User]) -> None:
        """The opening names four leading enterprises; three have agreed that the public reads it."""
        owner_of = {body.pk: users[key] for key, body in bodies.items() if key in users}
        rows = Registration.objects.filter(
            event=self.events[OPENING],
            status="confirmed",
            tier__qualifications__contains=["chain_owner"],
        )
        rows = rows.select_related("event", "enterprise").order_by("queue_no")[: len(_LEADING)]
        with at(days_ago(1)):
            for row in rows[:3]:
                registration.set_naming(
                    registration=row, may_be_named=True, by=owner_of[row.enterprise_id]
                )
            leading.set_guests(
                event=self.events[OPENING],
                guests=[
                    {"enterprise": row.enterprise, "text_zh": words.zh, "text_en": words.en}
                    for row, words in zip(rows, _LEADING, strict=False)
                ],
                by=users["province"],
            )

    def _let_some_cancel(self, bodies: dict[str, Enterprise], users: dict[str, User]) -> None:
        """At the crowded opening three have cancelled today: their seats are offered to the head of the queue."""
        owner_of = {body.pk: users[key] for key, body in bodies.items() if key in users}
        rows = Registration.objects.filter(event=self.events[OPENING], status="confirmed")
        # Not those who registered first: they are the accounts people sign in with.
        with at(days_ago(0.1)):
            for row in rows.select_related("event").order_by("-queue_no")[:3]:
                registration.cancel(registration=row, by=owner_of[row.enterprise_id])

    def _guests(self, one: Gathering, chance: Any) -> Iterator[Participant]:
        people = sorted(
            (p for p in self._market.people if p.kind != "government" and p.state == "verified"),
            key=lambda p: (p.key not in ("buyer", "supplier", "bank", "university"), chance()),
        )
        for guest in people:
            # Who came the year before stands on the register by now, under its name of today.
            if one.is_over and not one.is_last_year and guest.days_ago < one.days_ago + 6:
                continue
            share = one.guests if guest.chain in (*one.chains, "") else one.guests / 3
            if one.key == OPENING or chance() < share * 2:
                yield guest

    def _register(
        self,
        event: Event,
        guest: Participant,
        body: Enterprise,
        by: User,
        number: int,
        is_named: bool,
    ) -> None:
        seats = 1 if number % 5 == 4 else 2
        names = [(f"参会人员 {n + 1:02d}", "供应链 / Supply chain") for n in range(seats)]
        registration.register(
            event=event,
            enterprise=body,
            seats=seats,
            by=by,
            purposes=_PURPOSES.get(guest.kind) or (["buy", "supply"] if number % 3 else ["supply"]),
            accepts_partial=number % 4 == 0,
            delegates=names if is_named else [],
            answers=preparations.answers(event, number),
        )

    def _decide_some(self, by: User) -> None:
        """At the event whose organiser decides, half have been let in; the others wait in the inbox."""
        waiting = Registration.objects.filter(event=self.events["county-parts"], status="submitted")
        rows = list(waiting.select_related("event", "enterprise").order_by("pk"))
        with at(days_ago(1)):
            for row in rows[: len(rows) // 2]:
                admission.approve(registration=row, by=by)
            for row in rows[len(rows) // 2 : len(rows) // 2 + 1]:
                admission.decline(registration=row, reason="本场仅面向制造企业。", by=by)


_LEADING = (
    Words(
        "现场发布配套需求，采购负责人到场",
        "Publishes its requirements in the hall; its buyers are here",
    ),
    Words("寻找就近配套的供应商，可当场约见", "Looks for suppliers close by and meets them today"),
    Words(
        "与高校、院所洽谈联合攻关", "Talks with universities and institutes about joint research"
    ),
    Words("", ""),
)
_PURPOSES = {
    "university": ["talent"],
    "research_institute": ["talent", "observe"],
    "financial_institution": ["finance"],
    "association": ["observe"],
}


def _date_back(event: Event, opened: float) -> None:
    """The database stamps a registration with its own clock; those of held events belong before the event."""
    Registration.objects.filter(event=event).update(
        created_at=days_ago(opened), queued_at=days_ago(opened)
    )
