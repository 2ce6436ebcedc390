"""What reviewers and suppliers have made of the matches so far."""

from __future__ import annotations

import random
import re

from django.db.models import Q

from chains.models import Condition, Enterprise, Requirement, RequirementLine, User
from matchmaking.demo import texts
from matchmaking.demo.clock import days_ago, gathered, turned
from matchmaking.demo.history import History
from matchmaking.demo.names import Words
from matchmaking.demo.postings import Line, Posting
from matchmaking.demo.verdicts import verdict
from matchmaking.models import Decision, Interest, Match
from matchmaking.services import interests, review, suggestions

_ANSWERS = {
    "time": (
        Words("首批 25 天，之后每月一批。", "First lot in 25 days, then one a month."),
        Words("首批 40 天；加急可在 28 天内交付三成。", "40 days; if urgent, a third of it within 28."),
        Words("常用规格有库存，两周内发货。", "Common sizes from stock within two weeks."),
    ),
    "site": (
        Words("接受，可派两名工程师到场。", "Yes, with two of our engineers on site."),
        Words("接受；首件建议先在我厂预验收。", "Yes; we suggest a first inspection at our plant."),
        Words("原则上接受，差旅费用另议。", "In principle yes, travel to be agreed."),
    ),
    "proof": (
        Words("证书在有效期内，可提供原件查验。", "The certificate is in force; the original can be seen."),
        Words("正在换证，预计六周内取得。", "Being renewed, expected within six weeks."),
        Words("已送检，报告出具后立即提交。", "Under test; the report follows as soon as it is out."),
    ),
    "other": (
        Words("可以满足，已有三家同类客户。", "Yes, with three customers of the same kind."),
        Words("可以，需先确认图纸和公差。", "Yes, once drawings and tolerances are confirmed."),
        Words("大部分可以满足，其余可联合开发。", "Most of it; the rest we would develop together."),
    ),
}  # fmt: skip
# By the kind of an open point.
_SORTS: dict[str, str] = {
    Condition.Kind.CERTIFICATION: "proof",
    Condition.Kind.QUALIFICATION: "proof",
    Condition.Kind.LEAD_TIME: "time",
    Condition.Kind.SAMPLE_TIME: "time",
}
_NOTES = (
    Words("去年供过小批量，交期准时。", "Supplied a small lot last year, on time."),
    Words("价格待议，先看样品。", "Price open; samples first."),
    Words("请质量部核对检测报告。", "Quality to check the test reports."),
)
_THREADS = (
    (
        Words("年产能是否已扣除在手订单？", "Is the yearly capacity net of orders in hand?"),
        Words("已扣除，可用约六成。", "It is; some sixty per cent is free."),
    ),
    (
        Words("能否提供同规格的检测报告？", "Can you send a test report for the same size?"),
        Words("可以，本周内寄出。", "Yes, it goes out this week."),
    ),
    (
        Words("最小起订量是多少？", "What is the smallest lot?"),
        Words(
            "首单不限，后续每批不少于 500 件。", "None for the first order, then 500 pieces a lot."
        ),
    ),
)


# The run that reviewers had before them, and the days since on which they decided.
NIGHT = 2
# How far down they read the list of a line, and how many recommendations they find enough.
_READ, _ENOUGH = 5, 2


class Reviewed:
    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._roll = texts.dice(seed, "decisions")
        self._talk = texts.dice(seed, "talk")
        self._keys = {row.pk: key for key, row in history.bodies.items()}

    def decide(self) -> None:
        """Most of what was posted before the night of the run has been looked at; the rest is the queue."""
        night = days_ago(NIGHT, 2)
        sittings = []
        for posting, requirement in self._history.requirements:
            requirement.refresh_from_db(fields=["status", "published_at"])
            package = posting.owner == "buyer" and len(posting.lines) == 16
            desk = self._history.desk_of(requirement.enterprise)
            if (
                requirement.published_at is None
                or requirement.published_at > night
                or not requirement.is_published
                or posting.seeks != "supplier"
                or desk.is_administrator  # nobody reviews outside the provinces that are served
            ):
                continue
            if package or self._roll.random() < 0.75:
                moment = days_ago(self._roll.randint(1, NIGHT), self._roll.uniform(9, 16))
                sittings.append((moment, posting, requirement, desk, 11 if package else 2))
        for moment, posting, requirement, desk, count in sorted(sittings, key=lambda one: one[0]):
            with turned(moment), gathered():
                self._review(posting, requirement, desk, count)
        self._send_interests()
        self._dismiss_some()

    def _review(self, posting: Posting, requirement: Requirement, desk: User, count: int) -> None:
        asked = zip(requirement.lines.order_by("number"), posting.lines, strict=True)
        still_open = [pair for pair in asked if pair[0].status == RequirementLine.Status.OPEN]
        for row, line in still_open[:count]:
            self._decide_on(posting, line, row, desk)
            review.release_lease(line=row, by=desk)

    def _decide_on(self, posting: Posting, line: Line, row: RequirementLine, desk: User) -> None:
        best = (
            Match.objects.filter(line=row, status="proposed", misses_must=False)
            .select_related("line__requirement__enterprise__region", "supplier")
            .order_by("-tenths", "supplier")[:_READ]
        )
        approved: list[Match] = []
        has_nearby = False
        for match in best:
            supplier = self._history.market.of(self._keys[match.supplier_id])
            found, reason = verdict(posting, line, supplier, has_nearby=has_nearby)
            if found == Decision.Verdict.REJECTED:
                review.reject(match=match, reason=reason, by=desk)
            elif found == Decision.Verdict.DEFERRED:
                review.defer(match=match, by=desk, note="新产品，等待检测报告")
            else:
                approved.append(match)
                has_nearby |= supplier.in_zhejiang
            if len(approved) == _ENOUGH:
                break
        if approved:
            review.approve_many(matches=approved, by=desk)

    # --- Suppliers --------------------------------------------------------------------------------------

    def _send_interests(self) -> None:
        """Suppliers answer what suits them; some buyers have replied."""
        wanted = (
            Match.objects.filter(
                Q(status="approved") | Q(status="proposed", tenths__gte=550), misses_must=False,
                line__requirement__status="published", line__requirement__seeks="supplier",
            )
            .select_related("line__requirement__enterprise", "supplier")
            .order_by("line__requirement", "-tenths", "supplier")
        )  # fmt: skip
        sent: dict[int, int] = {}
        seen: set[tuple[int, int]] = set()
        for match in wanted:
            pair = (match.line.requirement_id, match.supplier_id)
            key = self._keys.get(match.supplier_id, "")
            # The tour's supplier keeps its best suggestions to itself: they are what it is shown.
            own = key == "supplier" and match.line.requirement.enterprise_id != self._buyer().pk
            if pair in seen or own or sent.get(pair[0], 0) >= self._most(match, key):
                continue
            seen.add(pair)
            sent[pair[0]] = sent.get(pair[0], 0) + 1
            may_send = self._history.contacts.get(key) and match.line.requirement.takes_interests
            if may_send and interests.quota(match.supplier).left:
                self._express(match, key)

    def _buyer(self) -> Enterprise:
        return self._history.bodies["buyer"]

    def _most(self, match: Match, key: str) -> int:
        if match.line.requirement.enterprise_id == self._buyer().pk:
            return 99 if key == "supplier" else 5
        return 1 if self._roll.random() < 0.15 else 0

    def _express(self, match: Match, key: str) -> None:
        requirement = match.line.requirement
        zh = requirement.language == "zh"
        interest = interests.express(
            requirement=requirement,
            enterprise=match.supplier,
            lines=[match.line],
            message="可按要求供货，欢迎来厂考察，样品随时可寄。" if zh else "We can supply as asked; samples on request, visits welcome.",
            contact=self._history.contacts[key],
            by=self._history.users[key],
            answers={
                one.key: self._said(one, zh=zh)
                for one in interests.asked(requirement, match.supplier)
                if self._talk.random() < 0.85
            },
        )  # fmt: skip
        self._compare(interest, requirement, self._history.users[key], zh=zh)
        self._answer(interest, requirement, self._roll)

    def _said(self, asked: interests.Asked, *, zh: bool) -> str:
        """What a supplier answers to a question like this one."""
        sort = _SORTS.get(asked.kind, "other")
        if re.search(r"交货|多久|周期|soon|lead|deliver", asked.text):
            sort = "time"
        elif re.search(r"验收|现场|accept|site|visit", asked.text):
            sort = "site"
        words = self._talk.choice(_ANSWERS[sort])
        return words.zh if zh else words.en

    def _compare(
        self, interest: Interest, requirement: Requirement, supplier: User, *, zh: bool
    ) -> None:
        """Some buyers have begun: a mark, a note for colleagues, a question back, and a reply to some of those."""
        buyer = self._history.users[self._keys[requirement.enterprise_id]]
        if self._talk.random() < 0.35:
            interests.shortlist(interest=interest, on=True, by=buyer)
        if self._talk.random() < 0.3:
            note = self._talk.choice(_NOTES)
            interests.note(interest=interest, text=note.zh if zh else note.en, by=buyer)
        if self._talk.random() < 0.45:
            question, reply = self._talk.choice(_THREADS)
            interests.ask_back(interest=interest, text=question.zh if zh else question.en, by=buyer)
            if self._talk.random() < 0.6:
                text = reply.zh if zh else reply.en
                interests.reply(interest=interest, text=text, by=supplier)

    def _answer(self, interest: Interest, requirement: Requirement, roll: random.Random) -> None:
        buyer = self._history.users[self._keys[requirement.enterprise_id]]
        chance = roll.random()
        if chance < 0.3:
            interests.accept(interest=interest, by=buyer)
        elif chance < 0.42:
            reason = roll.choice((Interest.DeclineReason.CAPACITY, Interest.DeclineReason.TERMS))
            interests.decline(interest=interest, reason=reason, by=buyer)

    def _dismiss_some(self) -> None:
        supplier = self._history.bodies["supplier"]
        last = (
            Match.objects.filter(supplier=supplier, status="proposed")
            .exclude(line__requirement__interests__enterprise=supplier)
            .select_related("line__requirement")
            .order_by("tenths", "line")
            .first()
        )
        if last is not None and last.line.requirement.status == Requirement.Status.PUBLISHED:
            suggestions.dismiss(
                line=last.line,
                enterprise=supplier,
                reason="wrong_product",
                by=self._history.users["supplier"],
            )
