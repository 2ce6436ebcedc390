"""Reports of abuse: whoever is signed in says it, the desk of what is reported decides."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import Capability, Enterprise, OrganiserRole, Report, Requirement, User
from chains.services import capabilities

# A day of one person: whoever sends more is answered by the desk first.
MOST_A_DAY = 10

May = Callable[[User, Report], bool]
Thing = Requirement | Enterprise | Capability


def _may_decide(user: User, report: Report) -> bool:
    """The desk of the enterprise's region, and nobody in their own case."""
    if report.requirement is not None:
        return permissions.can_moderate(user, report.requirement)
    return permissions.can_verify(user, report.reported)


@transaction.atomic
def send(*, about: Thing, reason: str, by: User, note: str = "") -> Report:
    """Tell the desk; the one reported never learns by whom."""
    enterprise = about if isinstance(about, Enterprise) else about.enterprise
    _refuse(about, enterprise, by)
    if reason not in Report.Reason.values:
        raise DomainError(_("Choose what is wrong."), code="report.reason", field="reason")
    if reason == Report.Reason.OTHER and not note.strip():
        raise DomainError(_("Say in a sentence what is wrong."), code="report.note", field="note")
    row = Report(reason=reason, note=note.strip()[:500], by=by)
    if isinstance(about, Requirement):
        row.requirement = about
    elif isinstance(about, Capability):
        row.capability = about
    else:
        row.enterprise = about
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise DomainError(
            _("You have reported this already; the desk looks at it."), code="report.exists"
        ) from error
    audit.record(by, "report.sent", row, about=about.public_id, reason=str(reason))
    changes.record("report", row, "sent")
    for role in OrganiserRole.objects.desks_of(enterprise):
        notifications.post(
            role.user,
            "report_sent",
            email=False,
            report=row.public_id,
            enterprise=enterprise.public_id,
        )
    return row


def _is_public(about: Thing) -> bool:
    if isinstance(about, Requirement):
        return Requirement.objects.published().filter(pk=about.pk).exists()
    verified = Enterprise.objects.verified()
    if isinstance(about, Capability):
        shown = Capability.objects.published().filter(enterprise__in=verified.values("pk"))
        return shown.filter(pk=about.pk).exists()
    return verified.filter(pk=about.pk).exists()


def _refuse(about: Thing, enterprise: Enterprise, by: User) -> None:
    if enterprise.pk in by.own_bodies:
        raise DomainError(_("This is your own."), code="report.own")
    if not _is_public(about):
        raise DomainError(_("Only what is public can be reported."), code="report.not_public")
    today = timezone.now() - datetime.timedelta(days=1)
    if Report.objects.of(by).filter(created_at__gte=today).count() >= MOST_A_DAY:
        raise DomainError(
            _("You have sent %(most)d reports within a day. The desks read them first.")
            % {"most": MOST_A_DAY},
            code="report.too_many",
        )


@transaction.atomic
def decide(
    *, report: Report, uphold: bool, by: User, answer: str = "", may: May = _may_decide
) -> Report:
    """Say whether it is so, to whoever reported it.

    A capability goes out of sight with it; taking down a requirement, suspending, is a decision of its own.
    """
    report = Report.objects.select_for_update(of=("self",)).with_case().get(pk=report.pk)
    if not may(by, report):
        raise DomainError(
            _(
                "Only the desk of the enterprise’s region decides this, and nobody in their own case."
            ),
            code="report.forbidden",
        )
    if report.status != Report.Status.OPEN:
        raise DomainError(
            _("This has been decided already: %(state)s.") % {"state": report.get_status_display()},
            code="report.decided",
        )
    report.status = Report.Status.UPHELD if uphold else Report.Status.DISMISSED
    report.decided_by, report.decided_at = by, timezone.now()
    report.answer = answer.strip()[:300]
    report.save()
    verb = "upheld" if uphold else "dismissed"
    audit.record(by, f"report.{verb}", report)
    changes.record("report", report, verb)
    notifications.post(report.by, f"report_{verb}", report=report.public_id)
    if uphold and report.capability is not None:
        capabilities.take_down(
            capability=report.capability,
            report=report,
            by=by,
            may=lambda user, _enterprise: may(user, report),
        )
    return report
