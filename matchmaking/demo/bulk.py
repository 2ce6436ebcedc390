"""A year of the whole programme for measurements: rows by the thousand, held to the rules the services hold to."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.contrib.auth.hashers import make_password
from django.db import connection, models, transaction

from chains import identity, searchtext
from chains.doorbell import quiet
from chains.models import (
    Capability,
    Category,
    Certification,
    CertificationKind,
    Chain,
    Condition,
    Contact,
    CooperationKind,
    DockingKind,
    Enterprise,
    EnterpriseAlias,
    Membership,
    Qualification,
    QualificationKind,
    Region,
    Requirement,
    RequirementLine,
    Unit,
    User,
)
from chains.services import capabilities
from chains.services.enterprises import search_document
from events.models import Event, Registration, Tier
from matchmaking.demo import names, participants, places, seeding, texts
from matchmaking.demo.clock import day, days_ago
from matchmaking.demo.history import History
from matchmaking.demo.names import Words
from matchmaking.demo.participants import Market

ENTERPRISES, TEXTS_EACH, LINES, EVENTS = 17_010, 3, 5_000, 136
_BATCH = 2000
Row = TypeVar("Row", bound=models.Model)


def seed_year(*, seed: int, factor: float, tell: seeding.Tell) -> dict[str, Any]:
    """Bodies and accounts of the demo through the services, the mass beside them by bulk writes."""
    market = Market(people=list(participants.bodies()), supplied=[], broken=[], single={})
    history = History(market, [])
    with quiet(), transaction.atomic():
        history.found_province()
        year = _Year(seed, factor, history)
        for name, work in (
            ("enterprises", year.enterprises),
            ("capabilities", year.capabilities),
            ("requirements", year.requirements),
            ("events", year.events),
        ):
            seeding.timed(name, work, tell)
        seeding.analyse("chains", "events")
        seeding.close(size="year", seed=seed, factor=factor)
    return {"seed": seed, "lines": year.truth, "decoys": year.decoys}


def _write(model: type[Row], rows: Iterable[Row]) -> list[Row]:
    """Check each row as a form would, then write them; the constraints of the table judge the rest."""
    written: list[Row] = []
    stream = iter(rows)
    while chunk := list(islice(stream, _BATCH)):
        for row in chunk:
            row.clean_fields(exclude=_RELATIONS)
        written += model._default_manager.bulk_create(chunk)
    return written


# Keys of rows that were just read or written: looking each up again would be a query for each.
_RELATIONS = {
    "enterprise", "user", "kind", "region", "province", "chain", "docking_kind", "contact", "requirement", "line",
    "category", "category_suggested", "segment", "unit", "project", "posted_by", "event", "tier", "host", "level",
    "group", "merged_into", "evidence",
}  # fmt: skip


class _Year:
    def __init__(self, seed: int, factor: float, history: History) -> None:
        self._seed, self._factor, self._history = seed, factor, history
        self._leaves = sorted(texts.leaves().values(), key=lambda leaf: leaf.code)
        self._streams = {leaf.code: iter(leaf.capabilities) for leaf in self._leaves}
        self._asked = {leaf.code: iter(leaf.requirements) for leaf in self._leaves}
        self._categories = Category.objects.in_bulk(field_name="code")
        self._regions = Region.objects.in_bulk(field_name="code")
        self._units = Unit.objects.in_bulk(field_name="code")
        self._cooperation = CooperationKind.objects.in_bulk(field_name="code")
        self._firms: list[Enterprise] = []
        self._chain_of: dict[int, str] = {}
        self._leaf_of: dict[int, texts.Leaf] = {}
        self.truth: dict[str, str] = {}
        self.decoys: dict[str, str] = {}

    def _count(self, number: int) -> int:
        return max(3, round(number * self._factor))

    # --- Enterprises ------------------------------------------------------------------------------------

    def enterprises(self) -> None:
        roll = texts.dice(self._seed, "year enterprises")
        count = self._count(ENTERPRISES)
        users = _write(
            User,
            (
                User(email=f"year{n:05d}@example.com", password=make_password(None))
                for n in range(count)
            ),
        )
        self._firms = _write(Enterprise, self._bodies(count, roll))
        _write(
            Membership,
            (
                Membership(user=user, enterprise=firm, role="owner", status="active")
                for user, firm in zip(users, self._firms, strict=True)
            ),
        )
        for key, firm in zip(("buyer", "supplier"), self._firms, strict=False):
            Membership.objects.create(
                user=self._history.users[key], enterprise=firm, role="owner", status="active"
            )
        _write(
            EnterpriseAlias,
            (
                EnterpriseAlias(
                    enterprise=firm,
                    text=name,
                    normalised=identity.normalise_name(name)[:200],
                    kind=kind,
                )
                for firm in self._firms
                for name, kind in ((firm.name, "zh"), (firm.name_en, "en"))
            ),
        )
        self._proofs(roll)

    def _bodies(self, count: int, roll: random.Random) -> Iterator[Enterprise]:
        chains = sorted({leaf.chain for leaf in self._leaves})
        by_chain = defaultdict(list)
        for leaf in self._leaves:
            by_chain[leaf.chain].append(leaf)
        titles = {chain: names.of_companies(chain, texts.dice(self._seed, f"year {chain}")) for chain in chains}  # fmt: skip
        weights = [len(by_chain[chain]) for chain in chains]
        for serial in range(count):
            chain = roll.choices(chains, weights)[0]
            leaf = roll.choice(by_chain[chain])
            name, place = next(titles[chain]), places.county(chain, roll)
            row = self._firm(serial, name, place, leaf, roll)
            self._chain_of[serial], self._leaf_of[serial] = chain, leaf
            yield row

    def _firm(self, serial: int, name: Words, place: places.County, leaf: texts.Leaf, roll: random.Random) -> Enterprise:  # fmt: skip
        region = self._regions[place.code]
        number = names.number("enterprise", place.code, 10_000 + serial)
        verdict = identity.check_number("uscc", number)
        if verdict.verdict != "valid" or region.province_code is None:
            raise ValueError(f"{number} in {place.code} is not to be registered")
        spot = places.spot(place, roll)
        since = days_ago(roll.uniform(30, 300))
        row = Enterprise(
            name=name.zh,
            name_en=name.en,
            number=verdict.number,
            region=region,
            province=self._regions[region.province_code],
            longitude=spot[0] if spot else None,
            latitude=spot[1] if spot else None,
            summary=texts.typeset(f"主营{leaf.name.zh}。"),
            status=Enterprise.Status.VERIFIED,
            submitted_at=since,
            verified_at=since + datetime.timedelta(days=2),
            sort_key=identity.sort_key(name.zh),
        )
        row.search_text = search_document(row, [])
        return row

    def _proofs(self, roll: random.Random) -> None:
        titles = QualificationKind.objects.in_bulk(field_name="code")
        papers = CertificationKind.objects.in_bulk(field_name="code")
        since, until = day(-200), day(800)
        _write(
            Qualification,
            (
                Qualification(
                    enterprise=firm, kind=titles[code], issuer=titles[code].issuer_zh,
                    valid_from=since, valid_until_on=until, status="verified",
                )
                for firm in self._firms
                for code, share in participants.QUALIFICATIONS.items()
                if roll.random() < share
            ),
        )  # fmt: skip
        _write(
            Certification,
            (
                Certification(
                    enterprise=firm, kind=papers[code], number=f"DEMO-{firm.pk}",
                    valid_from=since, valid_until_on=until, status="verified",
                )
                for serial, firm in enumerate(self._firms)
                for code in ("ISO9001", *participants.CERTIFICATES.get(self._chain_of[serial], ()))
                if roll.random() < (0.75 if code == "ISO9001" else 0.35)
            ),
        )  # fmt: skip

    # --- Capabilities -----------------------------------------------------------------------------------

    def capabilities(self) -> None:
        roll = texts.dice(self._seed, "year capabilities")
        filed: list[str] = []
        spoken: list[str] = []
        rows = _write(Capability, self._offers(roll, filed, spoken))
        self.decoys = {
            row.public_id: leaf
            for row, place, leaf in zip(rows, filed, spoken, strict=True)
            if place != leaf
        }
        _link(Capability.categories.through, (
            {"capability_id": row.pk, "category_id": self._categories[code].pk}
            for row, code in zip(rows, filed, strict=True)
        ))  # fmt: skip
        kinds = ("purchase_order", "long_term_supply", "sample_trial", "joint_rd", "second_source")
        _link(Capability.cooperation_kinds.through, (
            {"capability_id": row.pk, "cooperationkind_id": self._cooperation[code].pk}
            for row in rows
            for code in roll.sample(kinds, roll.randint(1, 2))
        ))  # fmt: skip

    def _offers(self, roll: random.Random, filed: list[str], spoken: list[str]) -> Iterator[Capability]:  # fmt: skip
        for serial, firm in enumerate(self._firms):
            own = self._leaf_of[serial]
            near = texts.by_segment()[own.segment]
            for turn in range(TEXTS_EACH):
                leaf = own if turn == 0 else roll.choice(near)
                told = texts.sibling(leaf, roll) if roll.random() < 0.1 else None
                filed.append(leaf.code)
                leaf = told or leaf
                spoken.append(leaf.code)
                offer = self._offer(firm, leaf, roll)
                offer.search_text = capabilities.search_document(
                    offer, [self._categories[filed[-1]]]
                )
                yield offer

    def _offer(self, firm: Enterprise, leaf: texts.Leaf, roll: random.Random) -> Capability:
        words = next(self._streams[leaf.code], None)
        made, amount = texts.offered(leaf, roll)
        tongue = participants.language(roll)
        zh, en = tongue != "en", tongue != "zh"
        return Capability(
            enterprise=firm,
            title_zh=leaf.name.zh[:120] if zh else "",
            title_en=leaf.name.en[:160] if en else "",
            text_zh=(words or made).zh if zh else "",
            text_en=(words or made).en if en else "",
            yearly_capacity=None if words else amount.value,
            unit=None if words else self._units[amount.unit],
            lead_time_days=roll.choice((None, 7, 15, 20, 30, 45, 60)),
            sample_days=roll.choice((None, None, 3, 5, 7, 10)),
            is_new=roll.random() < 0.1,
            status=Capability.Status.PUBLISHED,
            published_at=days_ago(roll.uniform(1, 28)),
        )

    # --- Requirements -----------------------------------------------------------------------------------

    def requirements(self) -> None:
        roll = texts.dice(self._seed, "year requirements")
        plans = list(self._postings(roll))
        buyers = list(dict.fromkeys(firm for firm, _leaves in plans))
        contacts = _write(
            Contact,
            (
                Contact(
                    enterprise=firm,
                    name=f"联系人 {n % 100:02d} / Contact {n % 100:02d}",
                    phone=f"000-0000-{n % 10_000:04d}",
                    email=f"yearcontact{n:05d}@example.com",
                )
                for n, firm in enumerate(buyers)
            ),
        )
        contact_of = {contact.enterprise_id: contact for contact in contacts}
        chains = Chain.objects.in_bulk(field_name="code")
        lines: list[tuple[int, RequirementLine]] = []
        heads: list[Requirement] = []
        for number, (firm, leaves) in enumerate(plans):
            own = [self._line(place, leaf, roll) for place, leaf in enumerate(leaves, 1)]
            head = _head(firm, leaves, own, contact_of[firm.pk], roll)
            head.chain = chains[leaves[0].chain]
            head.search_text = searchtext.document(
                "\n".join([head.title, *(line.full_text for line in own)]),
                synonyms=[word for leaf in leaves for term in leaf.terms for word in (term.zh, term.en)],
            )  # fmt: skip
            heads.append(head)
            lines += [(number, line) for line in own]
        heads = _write(Requirement, heads)
        for number, line in lines:
            line.requirement = heads[number]
        rows = _write(RequirementLine, (line for _number, line in lines))
        self.truth = {
            row.public_id: leaf.code
            for row, leaf in zip(
                rows, (leaf for _firm, leaves in plans for leaf in leaves), strict=True
            )
        }
        _write(Condition, _conditions(heads, roll))

    def _postings(self, roll: random.Random) -> Iterator[tuple[Enterprise, list[texts.Leaf]]]:
        left = self._count(LINES)
        while left > 0:
            size = min(left, roll.choice((1, 1, 1, 2, 2, 3, 4, 8)))
            left -= size
            serial = roll.randrange(len(self._firms))
            own = [leaf for leaf in self._leaves if leaf.chain == self._chain_of[serial]]
            pool = own if roll.random() < 0.7 else self._leaves
            yield self._firms[serial], roll.sample(pool, size)

    def _line(self, place: int, leaf: texts.Leaf, roll: random.Random) -> RequirementLine:
        words = next(self._asked[leaf.code], None) or texts.asked(leaf, roll)
        tongue = participants.language(roll)
        amount = texts.amount_in(words.zh)
        given = roll.random() < 0.85
        category = self._categories[leaf.code] if given else None
        return RequirementLine(
            number=place,
            text=words.en if tongue == "en" else words.zh,
            language="en" if tongue == "en" else "zh",
            specification=words.en if tongue == "both" else "",
            category=category,
            segment_id=category.segment_id if category else None,
            quantity=amount.value if amount else None,
            unit=self._units[amount.unit] if amount else None,
            period=amount.period if amount else "once",
        )

    # --- Events -----------------------------------------------------------------------------------------

    def events(self) -> None:
        roll = texts.dice(self._seed, "year events")
        rows = _write(Event, self._gatherings(self._count(EVENTS), roll))
        kind = DockingKind.objects.get(code="supply_sales")
        chains = list(Chain.objects.filter(is_active=True))
        _link(Event.docking_kinds.through, ({"event_id": row.pk, "dockingkind_id": kind.pk} for row in rows))  # fmt: skip
        _link(Event.chains.through, ({"event_id": row.pk, "chain_id": roll.choice(chains).pk} for row in rows))  # fmt: skip
        guests: dict[int, list[Enterprise]] = defaultdict(list)
        for firm in self._firms:
            for row in roll.sample(rows, min(len(rows), roll.choice((1, 1, 1, 2)))):
                guests[row.pk].append(firm)
        tiers = _write(
            Tier,
            (
                Tier(
                    event=row, name_zh="普通席", name_en="General seats", is_general=True,
                    seats=2 * len(guests[row.pk]) + 40, taken=2 * len(guests[row.pk]),
                )
                for row in rows
            ),
        )  # fmt: skip
        _write(Registration, _registrations(rows, tiers, guests))

    def _gatherings(self, count: int, roll: random.Random) -> Iterator[Event]:
        cities = sorted(code for code in self._regions if code.startswith("33") and code.endswith("00") and code != "330000")  # fmt: skip
        counties = sorted(place.code for place in places.counties() if place.in_zhejiang)
        bodies = self._history.bodies
        for number in range(count):
            share = number / count
            level = "provincial" if share < 0.08 else "city" if share < 0.34 else "county"
            code = "330100" if level == "provincial" else roll.choice(cities if level == "city" else counties)  # fmt: skip
            region = self._regions[code]
            host = bodies[{"provincial": "province", "city": "city", "county": "county"}[level]]
            starts = days_ago(roll.uniform(-60, 250) // 1, 9)
            over = starts < days_ago(0)
            name = Words(f"{region.name_zh}产业链对接会（{number + 1:03d}）", f"{region.name_en} Chain Docking {number + 1:03d}")  # fmt: skip
            yield Event(
                name_zh=name.zh,
                name_en=name.en,
                level_id=level,
                host=host,
                region=region,
                place="示例会展中心",
                place_en="Demo Exhibition Centre",
                starts_at=starts,
                ends_at=starts + datetime.timedelta(hours=8),
                registration_opens_at=starts - datetime.timedelta(days=90),
                registration_closes_at=starts - datetime.timedelta(days=1),
                published_at=starts - datetime.timedelta(days=90),
                status=Event.Status.HELD if over else Event.Status.PUBLISHED,
                search_text=searchtext.document("示例会展中心", names=[name.zh, name.en]),
            )


def _link(through: type[models.Model], values: Iterable[dict[str, int]]) -> None:
    through._default_manager.bulk_create((through(**value) for value in values), batch_size=_BATCH)


def _head(firm: Enterprise, leaves: Sequence[texts.Leaf], lines: Sequence[RequirementLine], contact: Contact, roll: random.Random) -> Requirement:  # fmt: skip
    zh = lines[0].language == "zh"
    first, more = leaves[0].name, len(leaves) - 1
    title = texts.typeset(f"采购{first.zh}" + (f"等{more + 1}项配套产品" if more else "")) if zh else f"Sourcing {first.en}" + (f" and {more} more" if more else "")  # fmt: skip
    closes, ago = day(roll.randint(5, 90)), roll.uniform(0.1, 60)
    joint = ("；" if zh else "; ").join(line.text for line in lines)
    return Requirement(
        enterprise=firm,
        docking_kind_id="supply_sales",
        region=firm.region,
        title=title[:160],
        language="zh" if zh else "en",
        needed_by_on=day(roll.randint(30, 240)),
        closes_on=closes,
        answer_by_on=closes + datetime.timedelta(days=10),
        is_urgent=roll.random() < 0.1,
        contact=contact,
        contact_policy=roll.choice(("accepted", "accepted", "verified", "members")),
        status=Requirement.Status.PUBLISHED,
        submitted_at=days_ago(ago + 1),
        approved_at=days_ago(ago),
        published_at=days_ago(ago),
        summary=joint if len(joint) <= 200 else f"{joint[:198].rstrip()} …",
    )


def _conditions(heads: Sequence[Requirement], roll: random.Random) -> Iterator[Condition]:
    for head in heads:
        if roll.random() < 0.35:
            yield Condition(requirement=head, kind="certification", strength="must", parameter={"codes": ["ISO9001"]}, text="ISO 9001")  # fmt: skip
        if roll.random() < 0.25:
            yield Condition(requirement=head, kind="region", strength="prefer", parameter={"codes": [places.ZHEJIANG]}, text="浙江省")  # fmt: skip
        if roll.random() < 0.2:
            yield Condition(requirement=head, kind="distance", strength="prefer", parameter={"value": 200, "unit": "km"}, text="200 km")  # fmt: skip


def _registrations(rows: Sequence[Event], tiers: Sequence[Tier], guests: dict[int, list[Enterprise]]) -> Iterator[Registration]:  # fmt: skip
    total = sum(map(len, guests.values()))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('registration_queue_seq') FROM generate_series(1, %s)", [total]
        )
        numbers = iter([number for (number,) in cursor.fetchall()])
    for row, tier in zip(rows, tiers, strict=True):
        for firm in guests[row.pk]:
            yield Registration(
                event=row,
                enterprise=firm,
                status=Registration.Status.CONFIRMED,
                purposes=["buy", "supply"],
                seats_asked=2,
                seats_held=2,
                attended=2 if row.status == Event.Status.HELD else None,
                qualifications_held=[] if row.status == Event.Status.HELD else None,
                tier=tier,
                queued_at=row.registration_opens_at,
                queue_no=next(numbers),
            )
