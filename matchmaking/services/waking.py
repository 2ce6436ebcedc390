"""A limit that wakes suppliers in small batches: the best first, every day some more, until enough interests stand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.calendar import midnight
from chains.errors import DomainError
from chains.models import Enterprise, Membership, Preference, Requirement, User
from matchmaking import permissions
from matchmaking.models import Alert, Interest, Match, Wake
from matchmaking.models.alerts import FOR_YOU
from matchmaking.services import alerts

MOST_WANTED = 50
# Told a day: twice as many as are missing, within these.
FEWEST, MOST = 3, 10


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a requirement is from what its buyer wants."""

    wanted: int
    interests: int
    told: int

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.interests)


def standing_of(requirement: Requirement) -> Standing | None:
    """Nothing where the buyer has named no number."""
    if requirement.wanted_interests is None:
        return None
    sent = Interest.objects.standing().exclude(status=Interest.Status.DECLINED)
    return Standing(
        requirement.wanted_interests,
        sent.filter(requirement=requirement).count(),
        Wake.objects.filter(requirement=requirement).count(),
    )


@transaction.atomic
def want(*, requirement: Requirement, number: int | None, by: User) -> Requirement:
    """How many interests the buyer wants; nothing: everybody whom it fits is told at once, as usual."""
    requirement = (
        Requirement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("enterprise", "posted_by")
        .get(pk=requirement.pk)
    )
    if not permissions.can_answer(by, requirement):
        raise DomainError(
            _("Only the owner and the editors of the buyer can change this."),
            code="requirement.forbidden",
        )
    if requirement.status == Requirement.Status.CLOSED:
        raise DomainError(_("This requirement is closed."), code="requirement.closed")
    if number is not None and not 1 <= number <= MOST_WANTED:
        raise DomainError(
            _("Name a number from 1 to %(most)d, or none.") % {"most": MOST_WANTED},
            code="requirement.wanted",
            field="wanted_interests",
        )
    if requirement.wanted_interests == number:
        return requirement
    requirement.wanted_interests = number
    requirement.save(update_fields=["wanted_interests", "updated_at"])
    audit.record(by, "requirement.wanted_set", requirement, wanted=number)
    changes.record("requirement", requirement, "wanted_set")
    return requirement


def wake_due(*, by: User | None = None) -> int:
    """Tell the next suppliers of each requirement that waits for interests: once a day, not before the morning."""
    now = timezone.localtime()
    if now.time() < alerts.MORNING:
        return 0
    today = Wake.objects.filter(created_at__gte=midnight(now.date()))
    waiting = (
        Requirement.objects.open()
        .exclude(wanted_interests=None)
        .exclude(pk__in=today.values("requirement"))
        .order_by("pk")
    )
    return sweeping.each(waiting.values_list("pk", flat=True), lambda pk: _wake(pk, by))


@transaction.atomic
def _wake(pk: int, by: User | None) -> int:
    requirement = (
        Requirement.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk=pk)
        .first()
    )
    if requirement is None:
        return 0
    state = standing_of(requirement)
    today = midnight(timezone.localdate())
    is_done = Wake.objects.filter(requirement=requirement, created_at__gte=today).exists()
    if state is None or not state.missing or is_done:
        return 0
    chosen = _next(requirement)[: min(MOST, max(FEWEST, 2 * state.missing))]
    if not chosen:
        return 0
    told = {reader.pk for _e, _t, readers in chosen for reader in readers}
    letters = []
    for enterprise, tenths, readers in chosen:
        Wake.objects.create(requirement=requirement, enterprise=enterprise)
        for reader in readers:
            if reader.pk in told:
                told.discard(reader.pk)
                find = alerts.Find(Alert.Cause.WANTED, None, tenths)
                letters.append(alerts.Letter(reader, [(requirement.pk, find)]))
    alerts.write(letters=letters, by=by)
    audit.record(by, "requirement.more_woken", requirement, suppliers=len(chosen))
    changes.record("requirement", requirement, "more_woken")
    return len(chosen)


def _next(requirement: Requirement) -> list[tuple[Enterprise, int, list[User]]]:
    """Suppliers that fit, best first, with whom there is to tell: none that was told, answered, dismissed or stopped."""
    pairs = (
        Match.objects.live()
        .fitting()
        .filter(
            line__requirement=requirement,
            line__status="open",
            supplier__status=Enterprise.Status.VERIFIED,
        )
        .exclude(status__in=[Match.Status.REJECTED, Match.Status.APPROVED])
        .exclude(supplier__wakes__requirement=requirement)
        .exclude(supplier__interests__requirement=requirement)
        .exclude(supplier__dismissals__line__requirement=requirement)
        .select_related("supplier")
        .order_by("-tenths", "pk")
    )
    best: dict[int, tuple[Enterprise, int]] = {}
    for match in pairs:
        best.setdefault(match.supplier_id, (match.supplier, match.tenths))
    readers = _readers(requirement, list(best))
    return [(row, tenths, readers[pk]) for pk, (row, tenths) in best.items() if readers[pk]]


def _readers(requirement: Requirement, suppliers: list[int]) -> dict[int, list[User]]:
    """Editors and owners who want to hear what fits; none of an enterprise of which one has been told."""
    members = (
        Membership.objects.active()
        .filter(
            enterprise__in=suppliers,
            role__in=[Membership.Role.OWNER, Membership.Role.EDITOR],
            user__is_active=True,
        )
        .select_related("user")
        .order_by("pk")
    )
    stopped = set(
        Preference.objects.filter(
            topic=FOR_YOU, rhythm=Preference.Rhythm.NEVER, user__in=[row.user_id for row in members]
        ).values_list("user_id", flat=True)
    )
    told = set(Alert.objects.filter(requirement=requirement).values_list("user_id", flat=True))
    found: dict[int, list[User]] = defaultdict(list)
    barred = set()
    for row in members:
        if row.user_id in told:
            barred.add(row.enterprise_id)
        elif row.user_id not in stopped:
            found[row.enterprise_id].append(row.user)
    return defaultdict(list, {pk: users for pk, users in found.items() if pk not in barred})
