"""Two rows of the register are one body: everything goes to the one that stays.

Every reference to an enterprise has its rule in RULES; tests/matchmaking/services/test_merging.py fails for one without.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import (
    Certification,
    Enterprise,
    EnterpriseAlias,
    GroupProposal,
    Mandate,
    MemberInvitation,
    Membership,
    OrganiserRole,
    Qualification,
    User,
)
from chains.models import (
    Report as AbuseReport,
)
from chains.services import accounts, enterprises
from events.models import CheckIn, Event, Invitation, Registration, Tier
from events.services import joining
from matchmaking.models import Interest, Match


@dataclass(slots=True)
class Report:
    """What moves, what met its like and how that was settled, what stays behind, and what stands in the way."""

    moved: dict[str, int] = field(default_factory=dict)
    settled: list[tuple[str, int, Promise | str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def count(self, what: str, number: int) -> None:
        if number:
            self.moved[what] = self.moved.get(what, 0) + number

    def settle(self, what: str, number: int, how: Promise | str) -> None:
        if number:
            self.settled.append((what, number, how))


@dataclass(slots=True)
class Merger:
    loser: Enterprise
    survivor: Enterprise
    report: Report = field(default_factory=Report)


Rule = Callable[[Merger, type[models.Model], str], None]


# A desk that presses the button again writes to nobody.
_NOT_AGAIN_WITHIN = datetime.timedelta(hours=1)


class _TakenBackError(Exception):
    """A preview is the merge itself; it ends by this, and nothing has happened."""


def preview(*, loser: Enterprise, survivor: Enterprise, by: User) -> Report:
    """What a merge would do, found out by doing it and taking it back."""
    _check_right(by)
    report = Report()
    try:
        with transaction.atomic():
            report = _merge(loser, survivor)
            raise _TakenBackError
    except _TakenBackError:
        return report


@transaction.atomic
def merge(*, loser: Enterprise, survivor: Enterprise, by: User) -> Enterprise:
    """One row less: aliases, members and all references go to the survivor. It cannot be taken back."""
    _check_right(by)
    report = _merge(loser, survivor)
    if report.blocks:
        raise DomainError(" ".join(report.blocks), code="enterprise.merge_blocked")
    loser, survivor = (Enterprise.objects.get(pk=row.pk) for row in (loser, survivor))
    audit.record(
        by, "enterprise.merged", loser, into=survivor.public_id, moved=sum(report.moved.values())
    )
    audit.record(by, "enterprise.extended", survivor, absorbed=loser.public_id)
    # The index of each process leaves the one out and reads the other anew.
    changes.record("enterprise", loser, "merged")
    changes.record("enterprise", survivor, "extended")
    return survivor


@transaction.atomic
def gather(*, loser: Enterprise, by: User | None = None) -> int:
    """What was being written for the old row while the merge ran stands with it; this brings it along too."""
    loser = Enterprise.objects.select_for_update(of=("self",)).get(pk=loser.pk)
    if loser.status != Enterprise.Status.MERGED or loser.merged_into is None:
        return 0
    merger = Merger(loser, loser.merged_into)
    for reference, rule in RULES.items():
        model, _dot, name = reference.rpartition(".")
        rule(merger, apps.get_model(model), name)
    _end_matches_with_oneself(merger)
    late = sum(merger.report.moved.values())
    if late:
        audit.record(
            by, "enterprise.gathered", merger.survivor, absorbed=loser.public_id, rows=late
        )
        changes.record("enterprise", merger.survivor, "extended")
    return late


@transaction.atomic
def propose(*, loser: Enterprise, survivor: Enterprise, by: User) -> None:
    """A desk that finds one body twice tells the administrators; they look and decide."""
    if not permissions.can_verify(by, loser):
        raise DomainError(
            _("Only the desk of the enterprise proposes this."), code="enterprise.forbidden"
        )
    if loser.pk == survivor.pk or Enterprise.Status.MERGED in (loser.status, survivor.status):
        raise DomainError(_("Choose two different enterprises."), code="enterprise.merge_same")
    if audit.is_fresh("enterprise.merge_proposed", loser, _NOT_AGAIN_WITHIN):
        raise DomainError(
            _("The administrators have been told already."), code="enterprise.merge_proposed"
        )
    audit.record(by, "enterprise.merge_proposed", loser, into=survivor.public_id)
    changes.record("enterprise", loser, "merge_proposed")
    for administrator in User.objects.filter(is_staff=True, is_active=True).order_by("pk"):
        notifications.post(
            administrator,
            "merge_proposed",
            enterprise=loser.public_id,
            into=survivor.public_id,
        )


def _check_right(by: User) -> None:
    if not by.is_administrator:
        raise DomainError(
            _("Enterprises are merged by the administrator."), code="enterprise.forbidden"
        )


# How far a row of the register has come: the one that stays is not behind the other.
_STANDING = {
    Enterprise.Status.UNCLAIMED: 0,
    Enterprise.Status.RETURNED: 1,
    Enterprise.Status.PENDING: 1,
    Enterprise.Status.SUSPENDED: 2,
    Enterprise.Status.VERIFIED: 2,
}


def _merge(loser: Enterprise, survivor: Enterprise) -> Report:
    if loser.pk == survivor.pk:
        raise DomainError(_("Choose two different enterprises."), code="enterprise.merge_same")
    _lock_shared_events(loser, survivor)
    locked = {
        row.pk: row
        for row in Enterprise.objects.select_for_update(of=("self",))
        .filter(pk__in=[loser.pk, survivor.pk])
        .order_by("pk")
    }
    merger = Merger(locked[loser.pk], locked[survivor.pk])
    loser, survivor = merger.loser, merger.survivor
    if Enterprise.Status.MERGED in (loser.status, survivor.status):
        raise DomainError(
            _("One of the two has been merged already."), code="enterprise.merged_already"
        )
    _look_at(merger)
    for reference, rule in RULES.items():
        model, _dot, name = reference.rpartition(".")
        rule(merger, apps.get_model(model), name)
    _end_matches_with_oneself(merger)
    _mark(merger)
    return merger.report


def _lock_shared_events(loser: Enterprise, survivor: Enterprise) -> None:
    """Tiers before enterprises, as whoever applies does: so a merge and an application never wait for each other."""
    theirs, ours = (
        Registration.objects.filter(enterprise=row, status__in=_LIVE).values("event")
        for row in (loser, survivor)
    )
    shared = Event.objects.filter(pk__in=theirs).filter(pk__in=ours)
    list(Tier.objects.filter(event__in=shared.filter(status=Event.Status.PUBLISHED)).locked())


def _look_at(merger: Merger) -> None:
    loser, survivor, report = merger.loser, merger.survivor, merger.report
    if _STANDING[Enterprise.Status(loser.status)] > _STANDING[Enterprise.Status(survivor.status)]:
        report.blocks.append(
            _("“%(name)s” has come further at its desk: keep that one.") % {"name": loser.name}
        )
    if loser.kind_id != survivor.kind_id:
        report.warnings.append(_("The two are of different kinds; the kind of the one kept stays."))
    if loser.number and survivor.number and loser.number != survivor.number:
        report.warnings.append(
            _("The two have different numbers. The one given up still leads to the one kept.")
        )
    if Enterprise.Status.SUSPENDED in (loser.status, survivor.status):
        report.warnings.append(
            _("One of the two is suspended; the state of the one kept stays, for all members.")
        )
    public = survivor.kind_id in ("government", "association")
    hosts = (
        Event.objects.filter(Q(host=loser) | Q(co_hosts=loser)).exists()
        or OrganiserRole.objects.filter(body=loser).exists()
    )
    if hosts and not public:
        report.blocks.append(
            _(
                "“%(name)s” has organisers or events: only an authority or an association can take them."
            )
            % {"name": loser.name}
        )


# What the rows are called on the page.
_CALLED = {
    "chains.Contact": gettext_lazy("contacts"),
    "chains.Membership": gettext_lazy("members"),
    "chains.MemberInvitation": gettext_lazy("invited colleagues"),
    "chains.Report": gettext_lazy("reports of abuse"),
    "chains.OrganiserRole": gettext_lazy("organisers"),
    "chains.Mandate": gettext_lazy("mandates"),
    "chains.GroupProposal": gettext_lazy("proposals of a group"),
    "chains.Enterprise": gettext_lazy("enterprises merged earlier"),
    "chains.EnterpriseAlias": gettext_lazy("other names"),
    "chains.Evidence": gettext_lazy("documents"),
    "chains.Qualification": gettext_lazy("qualifications"),
    "chains.Certification": gettext_lazy("certificates"),
    "chains.Capability": gettext_lazy("capabilities"),
    "chains.Import": gettext_lazy("uploaded lists"),
    "chains.Project": gettext_lazy("projects"),
    "chains.Requirement": gettext_lazy("requirements"),
    "events.Event": gettext_lazy("events"),
    "events.Event_co_hosts": gettext_lazy("events as co-host"),
    "events.Invitation": gettext_lazy("invitations"),
    "events.LeadingGuest": gettext_lazy("events as a leading enterprise"),
    "events.Programme": gettext_lazy("programmes"),
    "events.Registration": gettext_lazy("registrations"),
    "matchmaking.Interest": gettext_lazy("interests"),
    "matchmaking.Match": gettext_lazy("matches"),
    "matchmaking.Dismissal": gettext_lazy("dismissed suggestions"),
    "matchmaking.Wake": gettext_lazy("hints that a buyer waits"),
    "matchmaking.MatchRun": gettext_lazy("runs"),
}


def _called(model: type[models.Model]) -> str:
    return str(_CALLED.get(model._meta.label, model._meta.verbose_name_plural))


# --- Rules --------------------------------------------------------------------------------------------


def _moves(merger: Merger, model: type[models.Model], name: str) -> None:
    _move(merger, model, name, model._default_manager.filter(**{name: merger.loser}))


def _stays(merger: Merger, model: type[models.Model], name: str) -> None:
    """History that nobody rewrites; its row still names the body, and that leads on."""


def _move(merger: Merger, model: type[models.Model], name: str, rows: Any) -> None:
    values: dict[str, Any] = {name: merger.survivor}
    if any(f.name == "updated_at" for f in model._meta.fields):
        values["updated_at"] = timezone.now()  # who asks for what has changed since sees it
    merger.report.count(_called(model), rows.update(**values))


def _pairs(
    merger: Merger, model: type[models.Model], name: str, keys: tuple[str, ...], among: Q
) -> list[tuple[Any, Any]]:
    """Rows of both that cannot stand beside each other: (of the loser, of the survivor)."""
    rows = model._default_manager.filter(among)
    kept = {
        tuple(getattr(row, k) for k in keys): row for row in rows.filter(**{name: merger.survivor})
    }
    return [
        (row, kept[key])
        for row in rows.filter(**{name: merger.loser}).order_by("pk")
        if (key := tuple(getattr(row, k) for k in keys)) in kept
    ]


def _settled_by(
    *keys: str,
    rank: Callable[[Any], Any],
    end: dict[str, Any],
    among: Q,
    how: Promise,
) -> Rule:
    """Of two that cannot stand beside each other the better one goes on; the other ends, and moves along."""

    def rule(merger: Merger, model: type[models.Model], name: str) -> None:
        pairs = _pairs(merger, model, name, keys, among)
        for row, rival in pairs:
            worse = rival if rank(row) > rank(rival) else row
            model._default_manager.filter(pk=worse.pk).update(**end)
        merger.report.settle(_called(model), len(pairs), how)
        _moves(merger, model, name)

    return rule


def _left_behind(*keys: str, rank: Callable[[Any], Any], how: Promise) -> Rule:
    """Where a row may stand once only, the better one is the survivor's; the other stays behind with the loser."""

    def rule(merger: Merger, model: type[models.Model], name: str) -> None:
        pairs = _pairs(merger, model, name, keys, Q())
        rows = model._default_manager
        for row, rival in pairs:
            if rank(row) <= rank(rival):
                continue
            # They change places. Foreign keys are looked at when the transaction ends: for a moment one leads nowhere.
            rows.filter(pk=rival.pk).update(**{name: -rival.pk})
            rows.filter(pk=row.pk).update(**{name: merger.survivor})
            rows.filter(pk=rival.pk).update(**{name: merger.loser})
        behind = [rival.pk if rank(row) > rank(rival) else row.pk for row, rival in pairs]
        merger.report.settle(_called(model), len(pairs), how)
        _move(merger, model, name, rows.filter(**{name: merger.loser}).exclude(pk__in=behind))

    return rule


def _oldest_first(row: Any) -> int:
    return -int(row.pk)


def _roles(merger: Merger, model: type[models.Model], name: str) -> None:
    """Held at both bodies: the longer one goes on."""
    pairs = _pairs(merger, model, name, ("user_id", "region_id", "role"), Q())
    ends = [row.valid_until_on for pair in pairs for row in pair]
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    for row, rival in pairs:
        both = (row.valid_until_on, rival.valid_until_on)
        last = None if None in both else max(day for day in both if day is not None)
        OrganiserRole.objects.filter(pk=rival.pk).update(valid_until_on=last)
        OrganiserRole.objects.filter(pk=row.pk).update(valid_until_on=yesterday)
    behind = [row.pk for row, _rival in pairs]
    merger.report.settle(_called(model), len(ends) // 2, gettext_lazy("The longer one stays."))
    _move(
        merger, model, name, model._default_manager.filter(body=merger.loser).exclude(pk__in=behind)
    )


def _mandates(merger: Merger, model: type[models.Model], name: str) -> None:
    """An association needs no mandate of itself; two for the same member become one."""
    other = "member_id" if name == "association" else "association_id"
    lasting = Q(status__in=[Mandate.Status.OFFERED, Mandate.Status.ACTIVE])
    with_oneself = Mandate.objects.filter(**{name: merger.loser, other: merger.survivor.pk})
    merger.report.settle(
        _called(model),
        with_oneself.filter(lasting).update(status=Mandate.Status.ENDED),
        gettext_lazy("A mandate between the two ends."),
    )
    between = list(with_oneself.values_list("pk", flat=True))
    pairs = _pairs(merger, model, name, (other,), lasting)
    for row, rival in pairs:
        is_better = row.status == Mandate.Status.ACTIVE != rival.status
        Mandate.objects.filter(pk=rival.pk if is_better else row.pk).update(
            status=Mandate.Status.ENDED
        )
    merger.report.settle(_called(model), len(pairs), _ONE_LASTS)
    # What was between the two stays as it was: a mandate joins two bodies.
    _move(
        merger, model, name, Mandate.objects.filter(**{name: merger.loser}).exclude(pk__in=between)
    )


def _group_proposals(merger: Merger, model: type[models.Model], name: str) -> None:
    """Nobody proposes oneself; of two that are open for the same body one goes on."""
    other = "partner_id" if name == "proposer" else "proposer_id"
    is_open = Q(status=GroupProposal.Status.PROPOSED)
    rows = GroupProposal.objects.filter(**{name: merger.loser})
    between = list(rows.filter(**{other: merger.survivor.pk}).values_list("pk", flat=True))
    doubled = [row.pk for row, _rival in _pairs(merger, model, name, (other,), is_open)]
    GroupProposal.objects.filter(is_open, pk__in=[*between, *doubled]).update(
        status=GroupProposal.Status.WITHDRAWN
    )
    merger.report.settle(_called(model), len(doubled), _ONE_LASTS)
    # What was between the two stays as it was: a proposal joins two bodies.
    _move(merger, model, name, rows.exclude(pk__in=between))


_LIVE = (
    Registration.Status.SUBMITTED,
    Registration.Status.WAITLISTED,
    Registration.Status.OFFERED,
    Registration.Status.CONFIRMED,
)


def _registrations(merger: Merger, model: type[models.Model], name: str) -> None:
    """Two live ones for an event that is not over become one; those who are in stay in."""
    for row, rival in _pairs(merger, model, name, ("event_id",), Q(status__in=_LIVE)):
        if row.event.status == Event.Status.PUBLISHED:
            _join_ahead(merger, row, rival)
    for row, rival in _pairs(
        merger, model, name, ("event_id",), Q(status=Registration.Status.CONFIRMED)
    ):
        if row.event.status != Event.Status.PUBLISHED and row.tier_id == rival.tier_id:
            _join(row, rival)
    one_counts = _left_behind(
        "event_id",
        rank=lambda row: (
            CheckIn.objects.counting().filter(delegate__registration=row).exists(),
            _LIVE.index(row.status) if row.status in _LIVE else -1,
        ),
        how=gettext_lazy(
            "The one that attended or stands stays; the other remains with the old name."
        ),
    )
    one_counts(merger, model, name)


def _join_ahead(merger: Merger, row: Registration, rival: Registration) -> None:
    event = row.event
    words = {"event": event.name_zh or event.name_en}
    come = CheckIn.objects.counting().filter(delegate__registration__in=(row, rival))
    is_open = event.starts_at <= timezone.now() or come.exists()  # doors open before it begins
    # What came further stays; of two alike the one with more seats, else that of the enterprise kept.
    kept, other = max((rival, row), (row, rival), key=lambda pair: _how_far(pair[0]))
    joined = joining.join(kept=kept, other=other, doors_are_open=is_open)
    merger.report.settle(
        _called(Registration),
        1,
        _(
            "“%(event)s”: the one that came further stays (seats: %(seats)d). Persons of the other who come along: %(persons)d, who do not: %(left)d. Seats for the next in line: %(back)d."
        )
        % {
            **words,
            "seats": joined.seats,
            "persons": joined.persons,
            "left": joined.persons_left,
            "back": joined.seats_back,
        },
    )


def _how_far(row: Registration) -> tuple[int, int]:
    return _LIVE.index(Registration.Status(row.status)), row.seats_held


def _join(row: Registration, rival: Registration) -> None:
    """Both were at an event that is over: one participant, with the persons and seats of both."""
    row.delegates.update(registration=rival)
    seats, asked = row.seats_held, row.seats_asked
    row.status, row.seats_held = Registration.Status.CANCELLED, 0
    _join_frozen(row, rival)
    row.save(update_fields=["status", "seats_held", "updated_at", *_FROZEN])
    rival.seats_held += seats
    rival.seats_asked += asked
    rival.save(update_fields=["seats_held", "seats_asked", "updated_at", *_FROZEN])


# What an event that is over has written down of who came.
_FROZEN = ("attended", "qualifications_held", "attendance_note")


def _join_frozen(row: Registration, rival: Registration) -> None:
    """The figures of the event stay what they were: as many came, and what either was on the day the one kept was."""
    if row.attended is not None:
        rival.attended = (rival.attended or 0) + row.attended
    if row.qualifications_held is not None:
        rival.qualifications_held = sorted(
            {*row.qualifications_held, *(rival.qualifications_held or ())}
        )
    rival.attendance_note = rival.attendance_note or row.attendance_note
    row.attended = row.qualifications_held = None
    row.attendance_note = ""


def _co_hosts(merger: Merger, model: type[models.Model], name: str) -> None:
    """Once in the row of hosts, whoever it was before; the rows say nothing else, so doubled ones go."""
    theirs = model._default_manager.filter(**{name: merger.loser})
    kept = model._default_manager.filter(**{name: merger.survivor}).values("event_id")
    hosted = Event.objects.filter(host=merger.survivor).values("pk")
    theirs.filter(
        Q(event_id__in=list(kept.values_list("event_id", flat=True))) | Q(event_id__in=hosted)
    ).delete()
    model._default_manager.filter(**{name: merger.survivor}, event_id__in=hosted).delete()
    _move(merger, model, name, model._default_manager.filter(**{name: merger.loser}))


_ONE_LASTS = gettext_lazy("The better one goes on, the other ends.")
_MEMBER_RANK = {Membership.Role.VIEWER: 0, Membership.Role.EDITOR: 1, Membership.Role.OWNER: 2}
_INTEREST_RANK = {
    Interest.Status.DECLINED: 0,
    Interest.Status.NO_ANSWER: 1,
    Interest.Status.SENT: 2,
    Interest.Status.ACCEPTED: 3,
}
_INVITATION_RANK = {
    Invitation.Status.EXPIRED: 0,
    Invitation.Status.SENT: 1,
    Invitation.Status.DECLINED: 2,
    Invitation.Status.REGISTERED: 3,
}
_MATCH_RANK = {
    Match.Status.ENDED: 0,
    Match.Status.PROPOSED: 1,
    Match.Status.DEFERRED: 2,
    Match.Status.REJECTED: 3,
    Match.Status.APPROVED: 4,
}
_PROOF_END = {"status": "refused", "reason": "merged"}


_better_member = _settled_by(
    "user_id",
    rank=lambda row: (row.status == Membership.Status.ACTIVE, _MEMBER_RANK[row.role]),
    end={"status": Membership.Status.ENDED},
    among=Q(status__in=[Membership.Status.REQUESTED, Membership.Status.ACTIVE]),
    how=_ONE_LASTS,
)


def _members(merger: Merger, model: type[models.Model], name: str) -> None:
    """Whoever acted for a verified row acts for the one kept. Anybody can register a row, and a suspended one may not
    act: their members ask the owners of the one kept, as editors at most."""
    asking: list[int] = []
    if merger.loser.status != Enterprise.Status.VERIFIED:
        unproven = Membership.objects.active().filter(enterprise=merger.loser)
        asking = list(unproven.values_list("pk", flat=True))
        rows = Membership.objects.filter(pk__in=asking)
        rows.filter(role=Membership.Role.OWNER).update(role=Membership.Role.EDITOR)
        rows.update(status=Membership.Status.REQUESTED)
        merger.report.settle(
            _called(model),
            len(asking),
            gettext_lazy("They ask the owners of the one kept to be let in."),
        )
    _better_member(merger, model, name)
    for membership in Membership.objects.requested().filter(pk__in=asking).order_by("pk"):
        for owner in accounts.owners(merger.survivor):
            notifications.post(
                owner,
                "membership_requested",
                membership=membership.public_id,
                enterprise=merger.survivor.public_id,
            )


RULES: dict[str, Rule] = {
    "chains.Contact.enterprise": _moves,
    "chains.ContactReveal.enterprise": _stays,  # append-only
    "chains.Membership.enterprise": _members,
    "chains.MemberInvitation.enterprise": _settled_by(
        "email",
        rank=_oldest_first,
        end={"status": MemberInvitation.Status.WITHDRAWN, "email": ""},
        among=Q(status=MemberInvitation.Status.SENT),
        how=gettext_lazy("The one sent first goes on."),
    ),
    "chains.OrganiserRole.body": _roles,
    "chains.Mandate.association": _mandates,
    "chains.Mandate.member": _mandates,
    "chains.GroupProposal.proposer": _group_proposals,
    "chains.GroupProposal.partner": _group_proposals,
    "chains.Enterprise.merged_into": _moves,
    "chains.EnterpriseAlias.enterprise": _left_behind(
        "normalised", rank=_oldest_first, how=gettext_lazy("Known already.")
    ),
    "chains.Evidence.enterprise": _moves,
    "chains.Qualification.enterprise": _settled_by(
        "kind_id",
        "valid_from",
        rank=lambda row: row.status == Qualification.Status.VERIFIED,
        end=_PROOF_END,
        among=~Q(status=Qualification.Status.REFUSED),
        how=_ONE_LASTS,
    ),
    "chains.Certification.enterprise": _settled_by(
        "kind_id",
        "valid_from",
        "number",
        rank=lambda row: row.status == Certification.Status.VERIFIED,
        end=_PROOF_END,
        among=~Q(status=Certification.Status.REFUSED),
        how=_ONE_LASTS,
    ),
    "chains.Capability.enterprise": _moves,
    "chains.Import.enterprise": _moves,
    "chains.Project.enterprise": _moves,
    "chains.Report.enterprise": _settled_by(
        "by_id",
        rank=_oldest_first,
        end={"status": AbuseReport.Status.DISMISSED},
        among=Q(status=AbuseReport.Status.OPEN),
        how=gettext_lazy("The one sent first goes on."),
    ),
    "chains.Requirement.enterprise": _moves,
    "chains.Requirement.posted_by": _moves,
    # Hosts before co-hosts: who hosts now is not beside itself.
    "events.Event.host": _moves,
    "events.Event_co_hosts.enterprise": _co_hosts,
    "events.LeadingGuest.enterprise": _left_behind(
        "event_id", rank=_oldest_first, how=gettext_lazy("The one put on the list first stands.")
    ),
    "events.Programme.owner": _moves,
    "events.Registration.enterprise": _registrations,
    "events.Invitation.enterprise": _left_behind(
        "event_id",
        rank=lambda row: _INVITATION_RANK[row.status],
        how=gettext_lazy("The one that was answered stays; the other remains with the old name."),
    ),
    "matchmaking.Interest.enterprise": _settled_by(
        "requirement_id",
        rank=lambda row: _INTEREST_RANK[row.status],
        end={"status": Interest.Status.WITHDRAWN, "decline_reason": ""},
        among=~Q(status=Interest.Status.WITHDRAWN),
        how=gettext_lazy("The one that came further goes on, the other counts as withdrawn."),
    ),
    "matchmaking.Match.supplier": _left_behind(
        "line_id",
        rank=lambda row: _MATCH_RANK[row.status],
        how=gettext_lazy(
            "The one that is decided stays; the other remains with the old name and ends."
        ),
    ),
    "matchmaking.Dismissal.enterprise": _left_behind(
        "line_id", rank=_oldest_first, how=gettext_lazy("Dismissed already.")
    ),
    "matchmaking.Wake.enterprise": _left_behind(
        "requirement_id", rank=_oldest_first, how=gettext_lazy("Told already.")
    ),
    "matchmaking.MatchRun.enterprise": _moves,
}


def _end_matches_with_oneself(merger: Merger) -> None:
    """What the two were to each other: nobody supplies itself, nobody is interested in its own requirement."""
    own = Q(supplier=merger.survivor, line__requirement__enterprise=merger.survivor)
    doubled = Q(supplier=merger.loser)
    ended = Match.objects.live().filter(pk__in=Match.objects.filter(own | doubled).values("pk"))
    merger.report.settle(
        _called(Match),
        ended.update(status=Match.Status.ENDED, deferred_until_on=None, updated_at=timezone.now()),
        gettext_lazy("Between the two or doubled: ended."),
    )
    in_own = Interest.objects.standing().filter(
        enterprise=merger.survivor, requirement__enterprise=merger.survivor
    )
    pks = list(in_own.values_list("pk", flat=True))
    Interest.objects.filter(pk__in=pks).update(
        status=Interest.Status.WITHDRAWN, decline_reason="", updated_at=timezone.now()
    )
    merger.report.settle(
        _called(Interest),
        len(pks),
        gettext_lazy("Between the two: withdrawn."),
    )


def _mark(merger: Merger) -> None:
    """The old row names its survivor; what only it knew is kept where it was empty."""
    loser, survivor = merger.loser, merger.survivor
    loser.status, loser.merged_into = Enterprise.Status.MERGED, survivor
    loser.save(update_fields=["status", "merged_into", "updated_at"])
    filled = [name for name in _FILLED if not getattr(survivor, name) and getattr(loser, name)]
    for name in filled:
        setattr(survivor, name, getattr(loser, name))
    if not survivor.number and loser.number:
        for name in ("scheme", "country", "number", "number_confirmed"):
            setattr(survivor, name, getattr(loser, name))
            filled.append(name)
    survivor.save(update_fields=[*filled, "updated_at"])
    for text in _names(loser):
        enterprises.add_alias(
            enterprise=survivor, text=text, kind=EnterpriseAlias.Kind.OTHER, by=None
        )


_FILLED = ("name_en", "address", "summary", "website", "group", "longitude", "latitude")


def _names(loser: Enterprise) -> Iterable[str]:
    return dict.fromkeys(filter(None, (loser.name, loser.name_en)))
