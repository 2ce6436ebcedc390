"""What is asked for: needs out of the seed, with what is true about them kept apart."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from matchmaking.demo import places, texts
from matchmaking.demo.names import Words
from matchmaking.demo.participants import (
    CHAIN_OWNERS,
    CHAINS,
    Market,
    Offer,
    Participant,
    language,
    suppliers_of,
    yearly,
)
from matchmaking.demo.texts import Amount


@dataclass(frozen=True, slots=True)
class Term:
    """A condition as its buyer types it."""

    kind: str
    text: str
    strength: str = "must"


@dataclass(slots=True, kw_only=True)
class Line:
    leaf: str
    words: Words
    language: str = "zh"
    amount: Amount | None = None
    # False: the buyer left the category open, the engine suggests one.
    is_filed: bool = True
    terms: list[Term] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.words.en if self.language == "en" else self.words.zh

    @property
    def specification(self) -> str:
        """Who writes in both languages gives the second one here."""
        return self.words.en if self.language == "both" else ""

    @property
    def full_text(self) -> str:
        return f"{self.text} {self.specification}".strip()


@dataclass(slots=True, kw_only=True)
class Venture:
    """The investment project behind a posting."""

    name: Words
    yuan: int
    stage: str = "under_construction"


@dataclass(slots=True, kw_only=True)
class Posting:
    owner: str
    title: Words
    language: str
    lines: list[Line]
    docking_kind: str = "supply_sales"
    seeks: str = "supplier"
    chain: str = ""
    region: str = ""
    text: Words | None = None
    project: Venture | None = None
    terms: list[Term] = field(default_factory=list)
    questions: list[Words] = field(default_factory=list)
    cooperation: list[str] = field(default_factory=list)
    policy: str = "accepted"
    is_urgent: bool = False
    import_substitution: bool = False
    posted_by: str = ""  # the association, under a mandate
    days_ago: float = 10
    needed_in: int = 90
    closes_in: int = 30
    state: str = "published"
    planted: str = ""  # the one supplier that can, in truths of "only by"


_BROKEN_SHARE, _SINGLE_SHARE, _OTHER_SHARE = 0.05, 0.04, 0.06
_POLICIES = (("accepted", 70), ("verified", 20), ("members", 10))


def plan(seed: int, market: Market) -> list[Posting]:
    roll = texts.dice(seed, "postings")
    asking = _Asking(market, roll)
    companies = [one for one in market.enterprises() if one.state == "verified"]
    count = max(14, round(0.5 * len(companies)))
    found = [_package(), *_planted(market, asking)]
    found += [_of_chain_owner(market.of(key), asking, roll) for key in CHAIN_OWNERS]
    found += _of_others(companies, roll)
    found += _for_customers(companies, roll)
    found += _gaps(market, companies, asking, roll)
    found += _waiting_in_jiashan(companies, asking, roll)
    buyers = [one for one in companies if one.key not in CHAIN_OWNERS]
    foreign = market.of("foreign")
    found += [_ordinary(foreign, 2, asking, roll)]
    while len(found) < count:
        size = roll.choice((1, 1, 1, 2, 2, 3, 4))
        found.append(_ordinary(roll.choice(buyers), size, asking, roll))
    _let_association_post(found, market)
    _set_days(found, market, roll)
    return found


class _Asking:
    """Deals out what is asked for: each written text once, then patterns."""

    def __init__(self, market: Market, roll: random.Random) -> None:
        self.roll, self.market = roll, market
        self._streams = {code: self._stream(code) for code in texts.leaves()}
        apart = {*market.broken, *market.single}
        self._supplied = [texts.leaves()[code] for code in market.supplied]
        self._unsupplied = [
            leaf
            for leaf in texts.leaves().values()
            if leaf.requirements and leaf.code not in market.supplied and leaf.segment not in apart
        ]

    def _stream(self, code: str) -> Iterator[Words]:
        leaf = texts.leaves()[code]
        yield from leaf.requirements
        while True:
            yield texts.asked(leaf, self.roll)

    def line(self, code: str, tongue: str) -> Line:
        words = next(self._streams[code])
        return Line(
            leaf=code,
            words=words,
            language=tongue,
            amount=texts.amount_in(words.zh),
            is_filed=self.roll.random() < 0.85,
        )

    def leaf_for(self, buyer: Participant, taken: set[str]) -> str:
        """Mostly what somebody supplies, of the buyer's own chain; nothing it makes itself."""
        pool = self._unsupplied if self.roll.random() < _OTHER_SHARE else self._supplied
        chain = buyer.chain if self.roll.random() < 0.7 else self.roll.choice(list(CHAINS))
        fit = [leaf for leaf in pool if leaf.code not in taken and leaf.code not in buyer.leaves]
        near = [leaf for leaf in fit if leaf.chain == chain]
        return self.roll.choice(near or fit or pool).code


def _tongue(owner: Participant, roll: random.Random) -> str:
    return "en" if owner.language == "en" else language(roll)


def _title(lines: Sequence[Line]) -> Words:
    first = texts.leaves()[lines[0].leaf].name
    if len(lines) == 1:
        return Words(texts.typeset(f"采购{first.zh}"), f"Sourcing {first.en}")
    return Words(
        texts.typeset(f"采购{first.zh}等{len(lines)}项配套产品"),
        f"Sourcing {first.en} and {len(lines) - 1} more",
    )


# --- The package of sixteen -------------------------------------------------------------------------------


def _package() -> Posting:
    lines = [
        Line(
            leaf=row["category"],
            words=Words(row["zh"], row["en"]),
            amount=Amount(Decimal(str(row["quantity"])), row["unit"], row["period"]),
        )
        for row in texts.phrases("package16")
    ]
    lines[0].terms.append(Term("region", "浙江省", "prefer"))
    lines[0].terms.append(Term("certification", "ISO 9001", "must"))
    return Posting(
        owner="buyer",
        title=Words("燃料电池电堆产线配套：16 类产品与服务", "Stack line: 16 kinds of supporting products and services"),
        language="zh",
        lines=lines,
        chain="H2",
        region=places.JIASHAN,
        docking_kind="project_supply",
        text=Words(
            "2 亿元电堆产线在建，急需补齐本地配套。可按行应答，欢迎联合开发与就近落地。",
            "A stack line of CNY 200 million is under construction; answers to single lines are welcome.",
        ),
        project=Venture(name=Words("燃料电池电堆智能产线", "Fuel-cell stack line"), yuan=200_000_000),
        terms=[Term("distance", "150 公里", "prefer")],
        questions=[Words("首批多久可以交货？", "How soon can the first lot arrive?"), Words("是否接受现场验收？", "Do you accept acceptance on site?")],
        cooperation=["purchase_order", "long_term_supply", "joint_rd"],
        policy="accepted",
        is_urgent=True,
        days_ago=12,
        needed_in=75,
        closes_in=24,
    )  # fmt: skip


# --- Planted truths ---------------------------------------------------------------------------------------


def _planted(market: Market, asking: _Asking) -> list[Posting]:
    """One supplier alone fits: by a certificate it holds, by its region, by the quantity it can make."""
    found: list[Posting] = []
    owner = market.of("owner-pv")
    used = {*owner.leaves, *(row["category"] for row in texts.phrases("package16"))}
    for kind in ("certification", "region", "capacity"):
        leaf, one = _rivalry(market, used, asking)
        used.add(leaf)
        line = asking.line(leaf, "zh")
        line.is_filed = True
        if kind == "certification":
            one.certifications.append("ATEX")
            line.terms.append(Term(kind, "ATEX"))
        elif kind == "region":
            line.terms.append(Term(kind, one.region))
        else:
            for other, offer in suppliers_of(market, leaf):
                offer.capacity = yearly(900_000 if other is one else 20_000, "pcs")
            line.terms.append(Term(kind, "年产50万件"))
        found.append(
            Posting(
                owner=owner.key,
                title=_title([line]),
                language="zh",
                lines=[line],
                chain=texts.leaves()[leaf].chain,
                region=owner.region,
                days_ago=9,
                planted=f"{kind}:{one.key}",
            )
        )
    return found


def _rivalry(market: Market, used: set[str], asking: _Asking) -> tuple[str, Participant]:
    """A leaf with several makers, and one of them in Zhejiang with its county to itself."""
    for code in market.supplied:
        rivals = list({one.key: one for one, _offer in suppliers_of(market, code)}.values())
        for one in rivals:
            others = [rival for rival in rivals if rival is not one]
            apart = all(rival.region != one.region for rival in others)
            if code in used or not apart or not one.in_zhejiang or not one.key.startswith("member"):
                continue
            if not others:
                _add_rival(market, code, one, asking)
            return code, one
    raise ValueError("No leaf is made by a company of Zhejiang; choose a larger factor.")


def _add_rival(market: Market, code: str, one: Participant, asking: _Asking) -> None:
    leaf = texts.leaves()[code]
    rival = next(
        other
        for other in market.enterprises()
        if other.key.startswith("member") and other.state == "verified"
        and other.region != one.region and other.key not in market.single.values()
    )  # fmt: skip
    words, _amount = texts.offered(leaf, asking.roll)
    rival.offers.append(Offer(leaf=code, filed=code, title=leaf.name, words=words))


def _gaps(market: Market, companies: Sequence[Participant], asking: _Asking, roll: random.Random) -> list[Posting]:  # fmt: skip
    """Demand where nobody supplies, and where only one does: it makes the gaps seen."""
    local = [one for one in companies if one.in_zhejiang and one.key.startswith("member")]
    found = []
    for segment in [*market.broken, *market.single]:
        told = [leaf for leaf in texts.by_segment()[segment] if leaf.requirements]
        if segment in market.single:
            made = market.of(market.single[segment]).leaves
            told = [leaf for leaf in told if leaf.code in made]
        owner = roll.choice([one for one in local if one.key not in market.single.values()])
        lines = [asking.line(leaf.code, _tongue(owner, roll)) for leaf in told[:2]]
        for line in lines:
            line.is_filed = True
        posting = _posting(owner, lines, roll)
        posting.region, posting.docking_kind = owner.region, "supply_resilience"
        posting.import_substitution = segment in market.broken
        found.append(posting)
    return found


# --- The others -------------------------------------------------------------------------------------------


def _of_chain_owner(owner: Participant, asking: _Asking, roll: random.Random) -> Posting:
    size = roll.randint(6, 16) if owner.key != "buyer" else 6
    lines: list[Line] = []
    tongue = roll.choice(("zh", "zh", "both"))
    for _number in range(size):
        taken = {line.leaf for line in lines}
        lines.append(asking.line(asking.leaf_for(owner, taken), tongue))
    posting = _posting(owner, lines, roll)
    posting.docking_kind = "large_sme"
    posting.project = Venture(
        name=Words(f"{_CHAIN_WORDS[owner.chain].zh}扩产项目", f"{_CHAIN_WORDS[owner.chain].en} expansion"),
        yuan=roll.choice((80, 120, 200, 350, 600)) * 1_000_000,
        stage=roll.choice(("planned", "under_construction", "producing")),
    )  # fmt: skip
    return posting


_CHAIN_WORDS = {
    "PV": Words("光伏组件", "PV module"), "LB": Words("储能电池", "Storage battery"), "GS": Words("智能电气", "Smart electrical"),
    "NV": Words("新能源汽车", "New-energy vehicle"), "H2": Words("氢能装备", "Hydrogen equipment"),
    "IC": Words("功率半导体", "Power semiconductor"), "IE": Words("智能装备", "Smart equipment"),
}  # fmt: skip


def _ordinary(owner: Participant, size: int, asking: _Asking, roll: random.Random) -> Posting:
    tongue = _tongue(owner, roll)
    lines: list[Line] = []
    for _number in range(size):
        lines.append(asking.line(asking.leaf_for(owner, {line.leaf for line in lines}), tongue))
    return _posting(owner, lines, roll)


def _posting(owner: Participant, lines: list[Line], roll: random.Random) -> Posting:
    tongue = "en" if lines[0].language == "en" else "zh"
    posting = Posting(
        owner=owner.key,
        title=_title(lines),
        language=tongue,
        lines=lines,
        chain=owner.chain,
        region=owner.region,
        docking_kind=roll.choices(
            ("supply_sales", "supply_resilience", "large_sme", "equipment_upgrade"), (70, 12, 10, 8)
        )[0],
        cooperation=roll.sample(("purchase_order", "long_term_supply", "sample_trial", "joint_rd", "second_source"), roll.randint(1, 2)),
        policy=roll.choices([p for p, _w in _POLICIES], [w for _p, w in _POLICIES])[0],
        is_urgent=roll.random() < 0.12,
        import_substitution=roll.random() < 0.08,
    )  # fmt: skip
    posting.terms += _terms(tongue, roll)
    if roll.random() < 0.3:
        posting.questions.append(roll.choice(_QUESTIONS))
    return posting


_QUESTIONS = (
    Words("贵司同类产品供过哪些行业？", "Which industries have you supplied with this?"),
    Words("最短交货期是多少天？", "What is your shortest lead time?"),
    Words("能否提供第三方检测报告？", "Can you provide a third-party test report?"),
)
_TERMS = (
    (Words("ISO 9001", "ISO 9001"), "certification", "must"),
    (Words("长三角", "Yangtze River Delta"), "region", "prefer"),
    (Words("浙江省", "Zhejiang"), "region", "prefer"),
    (Words("200 公里", "200 km"), "distance", "prefer"),
    (Words("30 天", "30 days"), "lead_time", "prefer"),
    (Words("45 天", "45 days"), "lead_time", "must"),
    (Words("10 天", "10 days"), "sample_time", "prefer"),
    (Words("高新技术企业", "High-tech enterprise"), "qualification", "prefer"),
    (Words("联合研发", "Joint R&D"), "cooperation", "prefer"),
    (Words("国产", "China"), "origin", "prefer"),
    (Words("提供现场培训", "Training on site"), "other", "prefer"),
)


def _terms(tongue: str, roll: random.Random) -> list[Term]:
    found = []
    kinds: set[str] = set()
    for words, kind, strength in roll.sample(_TERMS, roll.choice((0, 0, 1, 1, 2, 3))):
        if kind not in kinds:
            kinds.add(kind)
            found.append(Term(kind, words.en if tongue == "en" else words.zh, strength))
    return found


def _of_others(companies: Sequence[Participant], roll: random.Random) -> list[Posting]:  # fmt: skip
    """Talent, finance and landing, as enterprises ask for them."""
    askers = [one for one in companies if one.key.startswith("member")]
    found = []
    for row in texts.phrases("other_kinds"):
        owner = roll.choice(askers)
        words = Words(row["requirement"]["zh"], row["requirement"]["en"])
        tongue = "en" if owner.language == "en" else roll.choice(("zh", "both"))
        heading = {"talent": Words("人才需求", "Talent"), "finance": Words("融资需求", "Finance"), "project_landing": Words("落地选址", "Site wanted")}[row["docking_kind"]]  # fmt: skip
        found.append(
            Posting(
                owner=owner.key,
                title=Words(
                    f"{heading.zh}：{words.zh.split('，')[0]}"[:80],
                    f"{heading.en}: {words.en.split(',')[0]}"[:120],
                ),
                language="en" if tongue == "en" else "zh",
                lines=[Line(leaf="", words=words, language=tongue, is_filed=False)],
                docking_kind=row["docking_kind"],
                seeks="partner",
                chain=owner.chain,
                # A site is looked for where the desks of the demo have land.
                region=places.ZHEJIANG
                if row["docking_kind"] == "project_landing"
                else owner.region,
                policy="verified",
            )
        )
    return found


def _for_customers(companies: Sequence[Participant], roll: random.Random) -> list[Posting]:  # fmt: skip
    """Makers that look for those who buy such things (row 27)."""
    makers = [one for one in companies if len(one.offers) >= 2 and one.key.startswith("member")]
    found = []
    for owner in roll.sample(makers, min(4, len(makers))):
        offer = owner.offers[0]
        tongue = "en" if offer.language == "en" else "zh"
        found.append(
            Posting(
                owner=owner.key,
                title=Words(texts.typeset(f"{offer.title.zh}新品推介，寻找客户"), f"New {offer.title.en}: customers wanted"),
                language=tongue,
                lines=[Line(leaf=offer.leaf, words=offer.words, language=tongue)],
                seeks="customer",
                chain=owner.chain,
                region=owner.region,
                policy="members",
            )
        )  # fmt: skip
    return found


def _waiting_in_jiashan(companies: Sequence[Participant], asking: _Asking, roll: random.Random) -> list[Posting]:  # fmt: skip
    """The desk of the tour has something to moderate, one of it over the promised days."""
    local = [one for one in companies if one.region == places.JIASHAN and one.offers]
    found = []
    for owner, days in zip([one for one in local if one.key not in CHAIN_OWNERS], (5.2, 0.6, 0.3), strict=False):  # fmt: skip
        posting = _ordinary(owner, 3, asking, roll)
        posting.state, posting.days_ago, posting.closes_in = "submitted", days, 30
        found.append(posting)
    return found


def _let_association_post(found: Sequence[Posting], market: Market) -> None:
    """Two postings of one Jiashan member come from the association, under a mandate (row 21)."""
    own = [
        one
        for one in found
        if one.owner.startswith("member") and market.of(one.owner).in_zhejiang and not one.planted
        and one.docking_kind == "supply_sales" and one.seeks == "supplier" and one.state == "published"
    ]  # fmt: skip
    if own:
        own[0].posted_by = "association"


# How far postings have come, in percent, and between which days before today they were posted.
_FATES = (
    ("submitted", 8, (0.2, 4.5)),
    ("returned", 3, (1, 6)),
    ("draft", 4, (0.2, 3)),
    ("expired", 4, (22, 26)),
    ("filled", 2, (4, 20)),
    ("withdrawn", 1, (4, 20)),
    ("embargoed", 4, (1, 5)),
    ("overdue", 3, (8, 20)),  # needed already, and still open
    ("published", 71, (0.5, 20)),
)


def _set_days(found: Sequence[Posting], market: Market, roll: random.Random) -> None:
    """When each was posted, how long it is open, and how far it has come."""
    free: list[Posting] = []
    for number, one in enumerate(found):
        if number == 0 or one.planted or one.state == "submitted":
            continue
        one.closes_in, one.needed_in = roll.randint(6, 60), roll.randint(20, 200)
        fate, _share, days = roll.choices(_FATES, [share for _fate, share, _days in _FATES])[0]
        stays = (
            one.owner in CHAIN_OWNERS or one.posted_by or one.docking_kind == "supply_resilience"
        )
        if stays or (fate == "embargoed" and not market.of(one.owner).in_zhejiang):
            fate, days = "published", (0.5, 20)
        if not stays and fate == "published" and market.of(one.owner).in_zhejiang:
            free.append(one)
        _come_to(one, fate, days, roll)
    # Each state can be looked at, whatever the dice say.
    for fate, _share, days in _FATES:
        if free and all(one.state != fate for one in found) and fate != "overdue":
            _come_to(free.pop(), fate, days, roll)


def _come_to(one: Posting, fate: str, days: tuple[float, float], roll: random.Random) -> None:
    one.days_ago = round(roll.uniform(*days), 2)
    if fate == "overdue":
        one.needed_in = -roll.randint(1, 6)
    if fate == "expired":
        one.closes_in = -2
    one.state = "published" if fate == "overdue" else fate
