"""Single pairs: computed on request, ended with their line or their supplier."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, RequirementLine, User
from matchmaking import adapters, market, permissions
from matchmaking.engine.scoring import Ranker
from matchmaking.engine.types import Need
from matchmaking.engine.weights import Weights
from matchmaking.models import Match, Score
from matchmaking.services.findings import Finding, against, keep, side_of
from matchmaking.services.runs import weighting_of
from matchmaking.services.scoring import drop_old_scores, locked


@transaction.atomic
def compute_pair(*, line: RequirementLine, supplier: Enterprise, by: User | None) -> Match:
    """Score one pair on request and keep it; a pair that has a current score is answered with that.

    A new pair is kept as ended: only a run or a reviewer puts a supplier among those of a line.
    """
    requirement = line.requirement
    match = Match.objects.filter(line=line, supplier=supplier).select_related("score").first()
    asked_for = match or Match(line=line, supplier=supplier)
    if by is not None and not permissions.can_see_match(by, asked_for):
        raise DomainError(_("You cannot see this pair."), code="match.forbidden")
    if match is not None and match.score is not None and match.status != Match.Status.ENDED:
        return match
    if not locked([line.pk]):
        raise DomainError(
            _("Only open lines of approved requirements are matched."), code="match.not_open"
        )
    weighting = weighting_of(requirement.enterprise.province)
    side = side_of(requirement.seeks)
    # After the line's row, and without a row locked inside: who waits for this never holds what its holder wants.
    with market.alone() as known:
        ranker = known.ranker(side, Weights(**weighting.weights))
        need = market.need_of(line)
        _refuse_pair(need, supplier, ranker)
        found = against(ranker, [need], supplier.pk)
        finding = Finding(known.places, {line.pk: need})
        keep(finding, ranker, side, found[0])
    match, _created = Match.objects.get_or_create(
        line=line, supplier=supplier, defaults={"status": Match.Status.ENDED}
    )
    row = finding.scores[line.pk, supplier.pk]
    match.score = Score.objects.create(
        match=match,
        weighting=weighting,
        engine_version=adapters.engine_version(),
        **adapters.read_row(row),
    )
    match.tenths, match.misses_must = row.tenths, row.misses_must
    match.save(update_fields=["score", "tenths", "misses_must", "updated_at"])
    drop_old_scores([line.pk])
    audit.record(by, "match.computed", match)
    changes.record("match", match, "computed")
    return match


def _refuse_pair(need: Need, supplier: Enterprise, ranker: Ranker) -> None:
    """The exclusions of a run, as sentences."""
    if not supplier.is_verified:
        raise DomainError(
            _("Only verified enterprises are matched. This one waits for its desk."),
            code="match.not_verified",
        )
    if supplier.pk == need.enterprise or (
        need.group is not None and need.group == supplier.group_id
    ):
        raise DomainError(
            _("An enterprise is never matched with itself or its affiliates."),
            code="match.same_house",
        )
    if need.counterparts and supplier.kind_id not in need.counterparts:
        raise DomainError(
            _("A requirement of this docking kind is not matched with this kind of participant."),
            code="match.other_kind",
        )
    if supplier.pk not in ranker.index.offers:
        raise DomainError(
            _(
                "Who looks for customers is compared with what others buy. This enterprise has no open line that says it."
            )
            if ranker.index.of_buyers
            else _("This enterprise has published nothing that could be compared."),
            code="match.nothing_offered",
        )


@transaction.atomic
def end_matches_of_line(*, line: RequirementLine, by: User | None = None) -> int:
    """A filled, withdrawn or closed line has no matches any more; decisions stay on record."""
    ended = Match.objects.filter(line=line).end()
    if ended:
        audit.record(by, "match.ended", line, matches=ended)
        changes.record("line", line, "unmatched")
    return ended


@transaction.atomic
def end_matches_with_affiliates(*, enterprise: Enterprise, by: User | None = None) -> int:
    """Of one group since: what was proposed, deferred or approved between them before ends."""
    if enterprise.group_id is None:
        return 0
    group = enterprise.group_id
    rows = Match.objects.filter(
        Q(supplier=enterprise, line__requirement__enterprise__group=group)
        | Q(supplier__group=group, line__requirement__enterprise=enterprise)
    )
    ended = Match.objects.filter(pk__in=rows.values("pk")).end()
    if ended:
        audit.record(by, "match.ended", enterprise, matches=ended)
        changes.record("enterprise", enterprise, "unmatched")
    return ended


def end_matches_of_enterprise(*, enterprise: Enterprise, by: User | None = None) -> int:
    """A suspended or merged enterprise is out of every line, and so are its own lines."""
    rows = Match.objects.filter(
        Q(supplier=enterprise) | Q(line__requirement__enterprise=enterprise)
    )
    ended = Match.objects.filter(pk__in=rows.values("pk")).end()
    if ended:
        audit.record(by, "match.ended", enterprise, matches=ended)
        changes.record("enterprise", enterprise, "unmatched")
    return ended
