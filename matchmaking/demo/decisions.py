"""What reviewers and suppliers have made of the matches so far."""

from __future__ import annotations

import random

from django.db.models import Q

from chains.models import Enterprise, Requirement, User
from matchmaking.demo import texts
from matchmaking.demo.history import History
from matchmaking.models import Decision, Interest, Match
from matchmaking.services import interests, review, suggestions


class Reviewed:
    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._roll = texts.dice(seed, "decisions")
        self._keys = {row.pk: key for key, row in history.bodies.items()}

    def decide(self) -> None:
        """A third of the postings have been looked at, the buyer's package for the most part; the rest is the queue."""
        for posting, requirement in self._history.requirements:
            requirement.refresh_from_db(fields=["status"])
            package = posting.owner == "buyer" and len(posting.lines) == 16
            if requirement.status != Requirement.Status.PUBLISHED:
                continue
            if package or self._roll.random() < 0.35:
                self._review(requirement, lines=11 if package else 3)
        self._send_interests()
        self._dismiss_some()

    def _review(self, requirement: Requirement, *, lines: int) -> None:
        desk = self._history.desk_of(requirement.enterprise)
        if desk.is_administrator:
            return  # nobody reviews outside the provinces that are served
        for line in requirement.lines.open().order_by("number")[:lines]:
            best = (
                Match.objects.filter(line=line, status="proposed", misses_must=False)
                .select_related("line__requirement__enterprise__region", "supplier")
                .order_by("-tenths", "supplier")[:3]
            )
            review.take_lease(line=line, by=desk)
            for place, match in enumerate(best):
                self._decide(match, place, desk)
            review.release_lease(line=line, by=desk)

    def _decide(self, match: Match, place: int, desk: User) -> None:
        if place == 0 and match.tenths >= 350:
            review.approve(match=match, by=desk)
        elif place == 1 and self._roll.random() < 0.4:
            review.approve(match=match, by=desk, note="第二货源")
        elif place == 2 and self._roll.random() < 0.5:
            reason = self._roll.choice((Decision.Reason.WRONG_PRODUCT, Decision.Reason.CAPACITY))
            review.reject(match=match, reason=reason, by=desk)
        elif place == 2 and self._roll.random() < 0.2:
            review.defer(match=match, by=desk, note="等待补充检测报告")

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
        )  # fmt: skip
        self._answer(interest, requirement, self._roll)

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
