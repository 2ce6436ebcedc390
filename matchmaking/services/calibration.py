"""Calibration: weights learned from reviewers' decisions, drafted by one act and put in force by another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    Enterprise,
    Qualification,
    Region,
    RequirementLine,
    User,
)
from chains.permissions import holds_a_role
from matchmaking import adapters, permissions
from matchmaking.engine import calibration
from matchmaking.engine.calibration import Counts, Evidence, Fitted, Pair
from matchmaking.engine.weights import Weights
from matchmaking.models import Decision, Match, Weighting
from matchmaking.services import runs

if TYPE_CHECKING:
    import datetime

# What a rejection says about the score, by its reason. Capacity, delivery and what stands in a note are the
# supplier's own matter: the pair may be right all the same, and teaches nothing.
SPEAKS_OF: Mapping[str, tuple[str, ...]] = {
    Decision.Reason.WRONG_PRODUCT: ("text", "category"),
    Decision.Reason.CERTIFICATE: ("conditions",),
    Decision.Reason.TOO_FAR: ("locality",),
}
MOST_DECISIONS = 20_000  # the newest; older ones were made in another market
PREVIEW_LINES = 500
# Statistical size classes, the largest that an enterprise states first.
SIZES = ("large", "medium", "above_scale", "micro_small")
TRAIL = ("weighting.drafted", "weighting.activated", "weighting.rolled_back")


# -- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decided:
    """What reviewers decided, as the engine reads it, and how many decisions there were of each kind."""

    evidence: Evidence
    kinds: Mapping[str, int]  # verdict, or verdict.reason

    @property
    def counts(self) -> Counts:
        return self.evidence.counts


def decided(province: Region | None, *, lists: bool = False) -> Decided:
    """The newest decision on each pair of a province's buyers, or of all; `lists` adds the undecided rivals of the
    decided lines, without whom nothing can be said about the first ten places."""
    rows: list[tuple[Any, ...]] = list(_latest(province)[:MOST_DECISIONS].values_list(*_FIELDS))
    kinds: dict[str, int] = {}
    pairs = []
    for row in rows:
        fields = dict(zip(_FIELDS, row, strict=True))
        verdict, reason = fields["verdict"], fields["reason"]
        kind = f"{verdict}.{reason}" if verdict == Decision.Verdict.REJECTED else verdict
        kinds[kind] = kinds.get(kind, 0) + 1
        # The same words as today: today's score. Other words: the score that the reviewer saw.
        current = None if fields["match__is_stale"] else fields["match__score__parts"]
        parts = current or fields["score__parts"]
        found = _Found(*(*row[: len(_PLACE)], parts))
        found.relevant, found.blamed = _meaning(verdict, reason)
        pairs.append(found)
    if lists:
        pairs += _undecided({found.line for found in pairs}, {found.match for found in pairs})
    return Decided(Evidence.of(_pairs(pairs)), kinds)


@dataclass(slots=True)
class _Found:
    match: int
    line: int
    requirement: int
    offer: int
    misses_must: bool
    chain: str | None
    asked: str
    offered: str | None
    parts: list[dict[str, Any]] | None
    relevant: bool | None = None
    blamed: tuple[str, ...] = ()


_PLACE = (
    "match",
    "match__line",
    "match__line__requirement",
    "match__supplier",
    "match__misses_must",
    "match__line__requirement__chain__code",
    "match__line__language",
    "match__score__text_language",
)
_FIELDS = (
    *_PLACE,
    "verdict",
    "reason",
    "match__is_stale",
    "match__score__parts",
    "score__parts",
)


def _latest(province: Region | None) -> QuerySet[Decision]:
    later = Decision.objects.filter(match=OuterRef("match"), pk__gt=OuterRef("pk"))
    rows = Decision.objects.filter(~Exists(later)).exclude(verdict=Decision.Verdict.UNDONE)
    if province is not None:
        rows = rows.filter(match__line__requirement__enterprise__province=province)
    return rows.order_by("-pk")


def _meaning(verdict: str, reason: str) -> tuple[bool | None, tuple[str, ...]]:
    if verdict == Decision.Verdict.APPROVED:
        return True, ()
    if verdict == Decision.Verdict.REJECTED and reason in SPEAKS_OF:
        return False, SPEAKS_OF[reason]
    return None, ()


def _undecided(lines: set[int], known: set[int]) -> Iterator[_Found]:
    rows = Match.objects.live().filter(line__in=lines).exclude(score=None)
    names = [name.removeprefix("match__") for name in _PLACE[1:]]
    for row in rows.values_list("pk", *names, "score__parts").iterator(chunk_size=5000):
        if row[0] not in known:
            yield _Found(*row)


def _pairs(found: Iterable[_Found]) -> Iterator[Pair]:
    rows = [row for row in found if row.parts]
    sizes, presence = _sizes_of({row.offer for row in rows})
    for row in rows:
        parts = row.parts or []
        yield Pair(
            requirement=row.requirement,
            line=row.line,
            offer=row.offer,
            tenths=tuple(part["tenths"] for part in parts),
            tops=tuple(part["max_tenths"] for part in parts),
            misses_must=row.misses_must,
            relevant=row.relevant,
            blamed=row.blamed,
            chain=row.chain or "",
            languages=f"{row.asked}-{row.offered or row.asked}",
            size=sizes.get(row.offer, ""),
            presence=_presence(presence.get(row.offer, 0)),
        )


def _sizes_of(suppliers: set[int]) -> tuple[dict[int, str], dict[int, int]]:
    """The register knows no turnover: the size class that is on record, and how much a supplier has published."""
    sizes: dict[int, str] = {}
    held = Qualification.objects.in_force().filter(kind__code__in=SIZES, enterprise__in=suppliers)
    for enterprise, code in held.order_by("pk").values_list("enterprise", "kind__code"):
        best = sizes.get(enterprise, SIZES[-1])
        sizes[enterprise] = min(best, code, key=SIZES.index)
    published = Capability.objects.published().filter(enterprise__in=suppliers)
    counted = published.order_by().values_list("enterprise").annotate(n=Count("pk"))
    return sizes, dict(counted)


def _presence(capabilities: int) -> str:
    return "1" if capabilities <= 1 else "2-3" if capabilities <= 3 else "4"


def reliability(known: Decided, weighting: Weighting) -> dict[str, Any]:
    """Bands of points against the share approved, under one weighting."""
    evidence = known.evidence
    tenths = calibration.points(evidence.share, evidence.applies, Weights(**weighting.weights))
    return calibration.reliability(evidence, tenths)


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a version's trail. Without a body the administrator acted, or the system; `person` is empty where
    the reader may not know who it was."""

    at: datetime.datetime
    action: str
    body: Enterprise | None
    by_system: bool
    person: str
    reason: str
    language: str


def trails(rows: Sequence[Weighting], *, by: User) -> dict[int, list[Said]]:
    """Who did what with each version and why, newest first; three queries for any number of versions."""
    of = {audit.label(row): row.pk for row in rows}
    entries = list(AuditEntry.objects.filter(target__in=list(of), action__in=TRAIL).order_by("-pk"))
    ids = {entry.data["body"] for entry in entries if entry.data.get("body")}
    bodies = {row.public_id: row for row in Enterprise.objects.filter(public_id__in=ids)}
    people = _people(entries, by)
    found: dict[int, list[Said]] = {}
    for entry in entries:
        said = Said(
            at=entry.at,
            action=entry.action,
            body=bodies.get(entry.data.get("body", "")),
            by_system=entry.actor is None,
            person=people.get(entry.pk, ""),
            reason=entry.data.get("reason", ""),
            language=entry.data.get("language", "zh"),
        )
        found.setdefault(of[entry.target], []).append(said)
    return found


def _people(entries: Sequence[AuditEntry], reader: User) -> dict[int, str]:
    """Who acted, by line of the trail: the administrator reads it of all, others of themselves and of their office."""
    own = {role.body.public_id for role in reader.active_roles}
    known = {
        entry.pk: entry.actor
        for entry in entries
        if entry.actor is not None
        and (reader.is_administrator or entry.actor == reader.pk or entry.data.get("body") in own)
    }
    emails = dict(User.objects.filter(pk__in=known.values()).values_list("pk", "email"))
    return {pk: emails[actor] for pk, actor in known.items() if actor in emails}


def ask_to_read(*, by: User) -> None:
    """Who works at no desk is told whose matter it is: there is no province for them to look at."""
    if not holds_a_role(by):
        raise not_theirs()


def not_theirs() -> DomainError:
    return DomainError(
        _("The weighting is a matter of organisers and analysts; a province decides on its own."),
        code="weighting.forbidden",
    )


# -- learning -------------------------------------------------------------------------------------


@transaction.atomic
def learn(*, province: Region | None, by: User | None) -> Weighting:
    """A draft of version n + 1 with its report. Nothing changes until somebody activates it."""
    _ask(by, province)
    based_on = runs.weighting_of(province)
    known = decided(province, lists=True)
    try:
        fitted, report = calibration.learn(known.evidence, Weights(**based_on.weights))
    except calibration.TooFewError as error:
        raise DomainError(_too_few(error.counts), code="calibration.too_few") from error
    if fitted.parts == calibration.parts_of(Weights(**based_on.weights)):
        raise DomainError(
            _("The decisions confirm the weights as they are. There is nothing to change."),
            code="calibration.confirmed",
        )
    held = _locked(province)
    _refuse_twin(held, based_on, fitted)
    version = 1 + max(row.version for row in held)
    weights = fitted.on(Weights(**based_on.weights), version)
    weighting = Weighting.objects.create(
        version=version,
        province=province,
        weights=dataclasses.asdict(weights),
        based_on=based_on,
        report={
            **report,
            "counts": dataclasses.asdict(known.counts),
            "kinds": known.kinds,
            "engine_version": adapters.engine_version(),
        },
    )
    audit.record(
        by,
        "weighting.drafted",
        weighting,
        version=version,
        based_on=based_on.version,
        decisions=known.counts.decisions,
        verdict=report["verdict"],
        **_body(by, province),
    )
    changes.record("weighting", weighting, "drafted")
    return weighting


def _refuse_twin(held: Iterable[Weighting], based_on: Weighting, fitted: Fitted) -> None:
    for row in held:
        twin = calibration.parts_of(Weights(**row.weights)) == fitted.parts
        if twin and row.status == Weighting.Status.DRAFT and row.based_on_id == based_on.pk:
            raise DomainError(
                _("Version %(version)d, a draft, holds these weights already.")
                % {"version": row.version},
                code="calibration.drafted",
            )


def _too_few(counts: Counts) -> str:
    return _(
        "Too few decisions to learn from: %(decisions)d on %(requirements)d requirements, %(relevant)d approved and "
        "%(not_relevant)d rejected for the match itself. Needed are %(least)d on %(least_requirements)d requirements, "
        "at least %(least_verdict)d of either verdict."
    ) % {
        **dataclasses.asdict(counts),
        "least": calibration.LEAST_DECISIONS,
        "least_requirements": calibration.LEAST_REQUIREMENTS,
        "least_verdict": calibration.LEAST_OF_A_VERDICT,
    }


def _ask(by: User | None, province: Region | None) -> None:
    if by is not None and not permissions.can_weigh(by, province):
        raise DomainError(
            _(
                "Only an organiser at province level, or an administrator, decides on the weighting of a province; "
                "only an administrator on the shared one."
            ),
            code="weighting.forbidden",
        )


def _body(by: User | None, province: Region | None) -> dict[str, str]:
    """For whom somebody acted: more people read the trail of a weighting than may read who it was."""
    if by is None or by.is_administrator or province is None:
        return {}
    role = next(r for r in by.organiser_roles if r.region.contains(province))
    return {"body": role.body.public_id}


def _locked(province: Region | None) -> list[Weighting]:
    """All versions that count for the province, the shared ones among them, held until the end: of two people who
    act at once the second sees what the first has done."""
    rows = Weighting.objects.filter(Q(province=province) | Q(province=None)).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


# -- in force -------------------------------------------------------------------------------------


@transaction.atomic
def activate(
    *, weighting: Weighting, reason: str, by: User | None, instead_of: Weighting | None = None
) -> Weighting:
    """Put a draft in force, in the name of the person who does it, and score everything anew.

    `instead_of` is the version that was in force when the person decided; another one by now is a refusal.
    """
    _ask(by, weighting.province)
    reason = _reason(reason)
    draft = _mine(_locked(weighting.province), weighting)
    if draft.status != Weighting.Status.DRAFT:
        raise DomainError(
            _("Only a draft is activated. Version %(version)d is: %(state)s.")
            % {"version": draft.version, "state": draft.get_status_display()},
            code="weighting.not_draft",
        )
    before = _replaced(draft.province, instead_of)
    _put_in_force(draft)
    _tell("activated", draft, before, reason, by)
    return draft


@transaction.atomic
def roll_back(
    *,
    to: Weighting,
    reason: str,
    by: User | None,
    province: Region | None = None,
    instead_of: Weighting | None = None,
) -> Weighting:
    """Put an earlier version in force again; `province` with a shared version: give up the province's own."""
    province = to.province or province
    _ask(by, province)
    reason = _reason(reason)
    row = _mine(_locked(province), to)
    before = _replaced(province, instead_of)
    gives_up_own = row.province_id is None and province is not None
    wanted = Weighting.Status.ACTIVE if gives_up_own else Weighting.Status.RETIRED
    if row.status != wanted or (gives_up_own and before.province_id is None):
        raise DomainError(
            _("Version %(version)d cannot be returned to. It is: %(state)s.")
            % {"version": row.version, "state": row.get_status_display()},
            code="weighting.not_retired",
        )
    if gives_up_own:
        _retire(province)
    else:
        _put_in_force(row)
    _tell("rolled_back", row, before, reason, by)
    return row


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise DomainError(
            _("Write why the weighting changes: colleagues read it beside the version."),
            code="weighting.reason_missing",
        )
    return reason[:300]


def _mine(held: Iterable[Weighting], weighting: Weighting) -> Weighting:
    return next(row for row in held if row.pk == weighting.pk)


def _replaced(province: Region | None, expected: Weighting | None) -> Weighting:
    before = runs.weighting_of(province)
    if expected is not None and expected.pk != before.pk:
        raise DomainError(
            _("Meanwhile version %(version)d has been put in force. Look at it, then decide again.")
            % {"version": before.version},
            code="weighting.changed",
        )
    return before


def _retire(province: Region | None) -> None:
    Weighting.objects.active().filter(province=province).update(
        status=Weighting.Status.RETIRED, updated_at=timezone.now()
    )


def _put_in_force(weighting: Weighting) -> None:
    _retire(weighting.province)
    weighting.status = Weighting.Status.ACTIVE
    weighting.activated_at = timezone.now()
    weighting.save(update_fields=["status", "activated_at", "updated_at"])


def _tell(verb: str, weighting: Weighting, before: Weighting, reason: str, by: User | None) -> None:
    audit.record(
        by,
        f"weighting.{verb}",
        weighting,
        version=weighting.version,
        before=before.version,
        reason=reason,
        language=by.language if by is not None else "en",
        **_body(by, weighting.province or before.province),
    )
    changes.record("weighting", weighting, verb)
    # The right to do this has been asked above; the run itself is the system's.
    runs.start(everything=True, by=None)


# -- what if --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moved:
    """A supplier that would stand elsewhere on a line, for whoever may review that line."""

    match: Match
    place_old: int
    place_new: int
    tenths_old: int
    tenths_new: int


@dataclass(frozen=True, slots=True)
class Preview:
    lines: int
    lines_open: int
    changed: int
    reordered: int
    movers: tuple[Moved, ...]


def preview(*, weighting: Weighting, by: User | None, province: Region | None = None) -> Preview:
    """What the weighting would do to the stored lists of the newest open lines. Nothing is written.

    Lists are counted for the whole province; lines and suppliers are named only to those who review them.
    """
    province = weighting.province or province
    if by is not None and not permissions.can_read_weighting(by, province):
        raise DomainError(_("You cannot see this weighting."), code="weighting.forbidden")
    lines = RequirementLine.objects.scored()
    if province is not None:
        lines = lines.filter(requirement__enterprise__province=province)
    chosen = list(lines.order_by("-pk").values_list("pk", flat=True)[:PREVIEW_LINES])
    found = list(_undecided(set(chosen), set()))
    ids = {(row.line, row.offer): row.match for row in found}
    evidence = Evidence.of(_pairs(found))
    own = set(
        permissions.lines_reviewable_by(by).filter(pk__in=chosen).values_list("pk", flat=True)
        if by is not None
        else chosen
    )
    before = Weights(**runs.weighting_of(province).weights)
    what = calibration.what_if(
        evidence,
        calibration.points(evidence.share, evidence.applies, before),
        Weights(**weighting.weights),
        named=own,
    )
    named = {
        mover: ids[evidence.pairs[mover.row].line, evidence.pairs[mover.row].offer]
        for mover in what.movers
    }
    matches = (
        Match.objects.filter(pk__in=named.values())
        .select_related("line__requirement", "supplier")
        .in_bulk()
    )
    return Preview(
        lines=what.lines,
        lines_open=lines.count(),
        changed=what.changed,
        reordered=what.reordered,
        movers=tuple(
            Moved(
                matches[pk],
                mover.place_old,
                mover.place_new,
                mover.tenths_old,
                mover.tenths_new,
            )
            for mover, pk in named.items()
        ),
    )
