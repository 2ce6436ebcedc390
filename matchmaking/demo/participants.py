"""Who takes part, and what they offer: first a plan out of the seed alone, then the plan through the services."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from matchmaking.demo import accounts, names, places, texts
from matchmaking.demo.names import Words
from matchmaking.demo.texts import Amount, Leaf

# Shares of the kinds; what they leave are enterprises.
_KINDS = {
    "university": 0.04,
    "research_institute": 0.04,
    "financial_institution": 0.04,
    "association": 0.02,
    "government": 0.02,
}
QUALIFICATIONS = {
    "chain_owner": 0.02,
    "leading": 0.06,
    "champion_national": 0.03,
    "little_giant": 0.09,
    "srdi_sme": 0.18,
    "high_tech": 0.40,
    "above_scale": 0.55,
    "multinational": 0.02,
}
CERTIFICATES = {
    "PV": ("IEC61215", "IEC61730", "TUV"),
    "LB": ("UN383", "UL1973", "GB36276"),
    "NV": ("IATF16949",),
    "IC": ("AECQ100", "SEMI"),
    "H2": ("GBT35544", "TS_A"),
    "GS": ("CNAS", "CMA"),
}
_SERVICES = ("GS-TC", "GS-RD", "GS-FN", "GS-SW")
# Chains that have written phrases; the weights follow how much is written, photovoltaics first.
CHAINS = {"PV": 24, "LB": 19, "GS": 17, "NV": 12, "H2": 12, "IC": 9, "IE": 7}
_COOPERATION = (
    ("purchase_order", 40), ("long_term_supply", 35), ("sample_trial", 20), ("directed_supply", 12),
    ("second_source", 12), ("joint_rd", 15), ("equipment_iteration", 6), ("oem_processing", 8),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Offer:
    """A capability to be: `leaf` is what it truly speaks of, `filed` where the enterprise put it."""

    leaf: str
    filed: str
    title: Words
    words: Words
    language: str = "zh"
    capacity: Amount | None = None
    lead_time_days: int | None = None
    sample_days: int | None = None
    is_new: bool = False
    cooperation: tuple[str, ...] = ("purchase_order",)

    @property
    def is_decoy(self) -> bool:
        return self.leaf != self.filed

    @property
    def texts(self) -> list[str]:
        """As they are compared."""
        zh = f"{self.title.zh[:120]}\n{self.words.zh}".strip()
        en = f"{self.title.en[:160]}\n{self.words.en}".strip()
        return {"zh": [zh], "en": [en], "both": [zh, en]}[self.language]


@dataclass(slots=True, kw_only=True)
class Participant:
    key: str
    kind: str
    name: Words
    region: str
    number: str | None = None
    country: str = "CN"
    chain: str = ""
    segment: str = ""
    spot: tuple[float, float] | None = None
    language: str = "zh"
    summary: Words | None = None
    qualifications: list[str] = field(default_factory=list)
    certifications: list[str] = field(default_factory=list)
    # Of the two above: stated, but no desk has looked at it yet.
    stated: list[str] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    state: str = "verified"
    days_ago: int = 40

    @property
    def in_zhejiang(self) -> bool:
        return self.region.startswith("33")

    @property
    def leaves(self) -> set[str]:
        return {code for offer in self.offers for code in (offer.leaf, offer.filed)}


@dataclass(slots=True, kw_only=True)
class Market:
    """The plan of both sides' supply, with the truths planted in it."""

    people: list[Participant]
    supplied: list[str]
    broken: list[str]  # segments without any supplier
    single: dict[str, str]  # segment → the key of its only supplier

    def of(self, key: str) -> Participant:
        return next(one for one in self.people if one.key == key)

    def enterprises(self) -> list[Participant]:
        return [one for one in self.people if one.kind == "enterprise"]


def language(roll: random.Random) -> str:
    return roll.choices(("zh", "en", "both"), (70, 15, 15))[0]


# --- The plan ---------------------------------------------------------------------------------------------


def plan(seed: int, factor: float) -> Market:
    total = max(40, round(300 * factor))
    others = {kind: max(1, round(share * total)) for kind, share in _KINDS.items()}
    others["government"] = max(others["government"], len(accounts.BODIES))
    count = total - sum(others.values())
    broken, single = _planted_segments(seed)
    supplied = _supplied_leaves(seed, count, {*broken, *single})
    people = [*bodies(), *_companies(seed, count), *_other_bodies(seed, others)]
    companies = [one for one in people if one.kind == "enterprise"]
    market = Market(
        people=people,
        supplied=supplied,
        broken=broken,
        single=dict(zip(single, _only_suppliers(companies, len(single)), strict=True)),
    )
    _deal(market, companies, seed)
    _plant_decoys(companies, market, seed)
    _name_by_product(companies, seed)
    _offers_of_others(people)
    for one in people:
        _describe(one)
    _prove(companies, seed)
    _number(people)
    return market


def package_leaves() -> list[str]:
    return [row["category"] for row in texts.phrases("package16")]


def _planted_segments(seed: int) -> tuple[list[str], list[str]]:
    """Three segments nobody supplies and three that one enterprise supplies; of chains people look at first."""
    roll = texts.dice(seed, "segments")
    needed = {texts.leaves()[code].segment for code in package_leaves()}
    fit = [
        segment
        for segment, rows in texts.by_segment().items()
        if rows[0].chain in ("PV", "LB", "H2")
        and segment not in needed
        and 1 <= sum(bool(leaf.requirements) for leaf in rows) <= 4
    ]
    chosen = roll.sample(sorted(fit), 6)
    return chosen[:3], chosen[3:]


def _supplied_leaves(seed: int, companies: int, apart: set[str]) -> list[str]:
    """Leaves that somebody offers: few enough that most have several suppliers, as in a real region."""
    roll = texts.dice(seed, "leaves")
    wanted = round(companies * 2.4 * 0.36)
    pool = [
        leaf
        for leaf in texts.leaves().values()
        if leaf.capabilities and leaf.segment not in apart and leaf.chain in CHAINS
    ]
    first = [code for code in package_leaves() if texts.leaves()[code] in pool]
    # More weight for the chains that more of the companies stand in.
    rest = [leaf for leaf in pool if leaf.code not in first]
    rest.sort(key=lambda leaf: roll.random() ** (1 / CHAINS[leaf.chain]), reverse=True)
    return first + [leaf.code for leaf in rest[: max(0, wanted - len(first))]]


def bodies() -> Iterator[Participant]:
    """The authorities behind the desks, with their numbers."""
    for serial, body in enumerate(accounts.BODIES, 1):
        yield Participant(
            key=body.key,
            kind="government",
            name=body.name,
            region=body.region,
            days_ago=80,
            number=names.number("government", body.region, serial),
        )


def _companies(seed: int, count: int) -> Iterator[Participant]:
    roll = texts.dice(seed, "companies")
    titles = {chain: names.of_companies(chain, texts.dice(seed, f"names {chain}")) for chain in CHAINS}  # fmt: skip
    for serial in range(count):
        chain = roll.choices(list(CHAINS), list(CHAINS.values()))[0]
        cast = _CAST.get(serial)
        if cast is not None:
            chain = cast[1]
        place = places.county(chain, roll)
        if cast is not None and cast[2]:
            place = places.find(cast[2])
        one = Participant(
            key=cast[0] if cast else f"member{serial:03d}",
            kind="enterprise",
            name=next(titles[chain]),
            region=place.code,
            chain=chain,
            spot=places.spot(place, roll),
            language=language(roll),
            days_ago=roll.randint(26, 75),
        )
        if cast is None:
            _delay(one, serial, count)
        elif one.key == "newcomer":
            one.state, one.days_ago = "pending", 1
        yield one


# Serial → key, chain, county: those whom somebody signs in as, and the other chain owners.
_CAST = {
    0: ("buyer", "H2", places.JIASHAN),
    1: ("supplier", "GS", places.JIASHAN),
    2: ("newcomer", "PV", places.JIASHAN),
    3: ("foreign", "PV", ""),
    4: ("owner-pv", "PV", places.JIASHAN),
    5: ("owner-lb", "LB", "330522"),
    6: ("owner-nv", "NV", "330482"),
    7: ("owner-ic", "IC", ""),
}
CHAIN_OWNERS = ("buyer", "owner-pv", "owner-lb", "owner-nv", "owner-ic")


def _delay(one: Participant, serial: int, count: int) -> None:
    """The last ones still wait for their desks, some were sent back, one is suspended; all but few in Zhejiang."""
    left = count - serial
    if left <= max(2, count // 25):
        one.state, one.days_ago = "pending", left % 6
        if left % 4:
            one.region = places.JIASHAN if left % 2 else "330411"
    elif left <= max(4, count // 20):
        one.state, one.days_ago = "returned", 4 + left % 3
    elif left == max(4, count // 20) + 1:
        one.state = "suspended"


def _other_bodies(seed: int, wanted: dict[str, int]) -> Iterator[Participant]:
    roll = texts.dice(seed, "others")
    cast = {"university": "university", "financial_institution": "bank", "association": "association"}  # fmt: skip
    for kind, number in wanted.items():
        titles = names.of_others(kind, roll)
        taken = len(accounts.BODIES) if kind == "government" else 0
        for serial in range(number - taken):
            place = places.county("", roll)
            named = serial == 0 and kind in cast
            yield Participant(
                key=cast[kind] if named else f"{kind}{serial:02d}",
                kind=kind,
                name=next(titles),
                region=places.JIASHAN if named and kind == "association" else place.code,
                spot=places.spot(place, roll),
                language=language(roll),
                days_ago=roll.randint(30, 75),
            )


def _only_suppliers(companies: Sequence[Participant], count: int) -> list[str]:
    local = [one for one in companies if one.in_zhejiang and one.key.startswith("member") and one.state == "verified"]  # fmt: skip
    return [one.key for one in local[:count]]


def _deal(market: Market, companies: Sequence[Participant], seed: int) -> None:
    """Hand the written capabilities out: one leaf's texts to different enterprises, near leaves to the same one."""
    roll = texts.dice(seed, "deal")
    wanted = {one.key: roll.choice((1, 2, 2, 2, 3, 3, 4)) for one in companies}
    focus = {one.key: "" for one in companies}
    for segment, key in market.single.items():
        for leaf in texts.by_segment()[segment]:
            if leaf.capabilities and len(market.of(key).offers) < 3:
                _give(market.of(key), leaf, leaf.capabilities[0], roll)
        market.of(key).segment = segment
        wanted[key] = 0
    _deal_cast(market, wanted, roll)
    for leaf, words in _texts(market.supplied, sum(wanted.values()), roll):
        free = [one for one in companies if wanted[one.key] > 0 and leaf.code not in one.leaves]
        own = [one for one in free if one.chain == leaf.chain]
        near = [one for one in own if focus[one.key] == leaf.segment]
        fresh = [one for one in own if not focus[one.key]]
        pool = near or fresh or own or free
        if not pool:
            continue
        taker = roll.choice(pool)
        focus[taker.key] = focus[taker.key] or leaf.segment
        taker.segment = taker.segment or leaf.segment
        wanted[taker.key] -= 1
        _give(taker, leaf, words, roll)


def _deal_cast(market: Market, wanted: dict[str, int], roll: random.Random) -> None:
    """The supplier of the tour makes what the buyer's package asks for."""
    supplier = market.of("supplier")
    for code in package_leaves():
        leaf = texts.leaves()[code]
        if leaf.capabilities and leaf.chain == "GS" and len(supplier.offers) < 4:
            _give(supplier, leaf, leaf.capabilities[0], roll)
    supplier.segment = texts.leaves()[supplier.offers[0].leaf].segment
    for one in supplier.offers:
        one.language = "both"
    wanted["supplier"] = wanted["buyer"] = 0


def _texts(supplied: Sequence[str], wanted: int, roll: random.Random) -> list[tuple[Leaf, Words]]:
    """As many texts as are wanted: all that is written about each leaf, then patterns over its terms."""
    streams = {code: texts.endless(texts.leaves()[code], roll) for code in supplied}
    found: list[tuple[Leaf, Words]] = []
    for turn in range(8):
        for code in supplied:
            leaf = texts.leaves()[code]
            if turn and len(found) >= wanted:
                return found
            words = next(streams[code])
            if turn == 0 and code in package_leaves() and leaf.chain == "GS":
                continue  # the supplier of the tour has it
            found.append((leaf, words))
    return found


def _give(one: Participant, leaf: Leaf, words: Words, roll: random.Random) -> None:
    kinds = [code for code, weight in _COOPERATION if roll.randint(1, 100) <= weight]
    amount = texts.amount_in(words.zh)
    # A width, a stock and the least order are no capacity.
    if amount is not None and amount.period == "once" and "产能" not in words.zh:
        amount = None
    if amount is not None and amount.period == "month":
        amount = Amount(amount.value * 12, amount.unit, "year")
    one.offers.append(
        Offer(
            leaf=leaf.code,
            filed=leaf.code,
            title=leaf.name,
            words=words,
            language=language(roll) if one.language != "en" else "en",
            capacity=amount,
            lead_time_days=roll.choice((None, None, 7, 10, 15, 20, 30, 45, 60)),
            sample_days=roll.choice((None, None, None, 3, 5, 7, 10, 14)),
            is_new=roll.random() < 0.12,
            cooperation=tuple(kinds) or ("purchase_order",),
        )
    )


def _plant_decoys(companies: Sequence[Participant], market: Market, seed: int) -> None:
    """Every tenth capability speaks of a neighbour of the category it is filed under."""
    roll = texts.dice(seed, "decoys")
    apart = {*market.single, *market.broken}
    offers = [
        (one, offer)
        for one in companies
        for offer in one.offers
        if one.key not in ("supplier", "buyer") and texts.leaves()[offer.leaf].segment not in apart
    ]
    count = round(0.1 * sum(len(one.offers) for one in companies))
    for _one, offer in roll.sample(offers, len(offers)):
        near = texts.sibling(texts.leaves()[offer.leaf], roll)
        if count == 0:
            break
        if near is None or not near.capabilities:
            continue
        offer.words = roll.choice(near.capabilities)
        offer.leaf, offer.title, offer.capacity = near.code, near.name, None
        count -= 1


def _name_by_product(companies: Sequence[Participant], seed: int) -> None:
    taken = {one.name for one in companies if one.chain != "GS"}
    streams: dict[str, Iterator[Words]] = {}
    for one in companies:
        if one.chain != "GS":
            continue
        made = texts.leaves()[one.offers[0].filed].segment if one.offers else one.segment
        # A name says one thing; what no name speaks of is called a service.
        kind = made if made in names.SERVICES else "other"
        if kind not in streams:
            streams[kind] = names.of_makers(kind, texts.dice(seed, f"names {kind}"))
        one.name = next(name for name in streams[kind] if name not in taken)


def _offers_of_others(people: Sequence[Participant]) -> None:
    """What universities, banks and parks offer to requirements of talent, finance and landing."""
    givers = {
        "talent": [p for p in people if p.kind in ("university", "research_institute")],
        "finance": [p for p in people if p.kind == "financial_institution"],
        "project_landing": [p for p in people if p.kind == "government" and p.region not in ("330100", "330400")],
    }  # fmt: skip
    turn: dict[str, int] = defaultdict(int)
    for row in texts.phrases("other_kinds"):
        kind = row["docking_kind"]
        pool = givers[kind]
        giver = pool[turn[kind] % len(pool)]
        turn[kind] += 1
        words = Words(row["offer"]["zh"], row["offer"]["en"])
        giver.offers.append(
            Offer(leaf="", filed="", title=_heading(words), words=words, language="both")
        )


def _heading(words: Words) -> Words:
    return Words(words.zh.split("，")[0][:60], words.en.split(",")[0][:100])


def _describe(one: Participant) -> None:
    """A sentence about each, as its profile would say it."""
    product = [offer.title for offer in one.offers[:3]]
    if one.kind == "enterprise":
        made = Words("、".join(p.zh for p in product), ", ".join(p.en for p in product))
        one.summary = Words(
            texts.typeset(f"主营{made.zh}。") if product else "产业链链主企业，面向全国采购配套产品与服务。",
            f"Makes {made.en}." if product else "Chain owner that buys supporting products and services nationwide.",
        )  # fmt: skip
    elif one.kind != "government":
        one.summary = _SUMMARIES[one.kind]
    else:
        one.summary = Words("本地区产业主管与招商服务机构。", "Industry and investment service of its region.")  # fmt: skip


_SUMMARIES = {
    "university": Words("设有材料、能源、机电、自动化专业，开展联合研发与人才培养。", "Materials, energy, mechatronics and automation: joint R&D and training."),
    "research_institute": Words("从事新能源与装备技术研发、中试和检测。", "R&D, pilot scale and testing in new energy and equipment."),
    "financial_institution": Words("为制造业企业提供贷款、租赁与供应链金融。", "Loans, leasing and supply-chain finance for manufacturers."),
    "association": Words("汇集会员需求，组织产业对接。", "Collects members' requirements and convenes docking events."),
}  # fmt: skip


def _prove(companies: Sequence[Participant], seed: int) -> None:
    """Titles and certificates by their shares; chain owners are large and above scale."""
    roll = texts.dice(seed, "proofs")
    for code, share in QUALIFICATIONS.items():
        if code == "chain_owner":
            holders = [one for one in companies if one.key in CHAIN_OWNERS]
            holders = holders[: max(1, round(share * len(companies)))]
        else:
            holders = roll.sample(list(companies), max(1, round(share * len(companies))))
        for one in holders:
            one.qualifications.append(code)
    for one in companies:
        if "chain_owner" in one.qualifications:
            one.qualifications = sorted({*one.qualifications, "above_scale", "large"})
        _certify(one, roll)
        held = [*one.qualifications, *one.certifications]
        one.stated = [code for code in held if roll.random() < 0.08 and code != "chain_owner"]


def _certify(one: Participant, roll: random.Random) -> None:
    if roll.random() < 0.75:
        one.certifications.append("ISO9001")
    for code in CERTIFICATES.get(one.chain, ()):
        if roll.random() < (0.35 if one.chain != "GS" else 0.5 * (one.segment in _SERVICES)):
            one.certifications.append(code)


def _number(people: Sequence[Participant]) -> None:
    for serial, one in enumerate(people, 1):
        if one.key == "foreign":
            one.country, one.number, one.region = "DE", f"HRB {90_000 + serial}", ""
            one.language, one.spot = "en", None
        else:
            one.number = names.number(one.kind, one.region, serial)


# --- Numbers that make one supplier stand out -------------------------------------------------------------


def suppliers_of(market: Market, leaf: str) -> list[tuple[Participant, Offer]]:
    return [
        (one, offer)
        for one in market.people
        if one.state == "verified"
        for offer in one.offers
        if offer.leaf == leaf and not offer.is_decoy
    ]


def yearly(value: int, unit: str) -> Amount:
    return Amount(Decimal(value), unit, "year")
