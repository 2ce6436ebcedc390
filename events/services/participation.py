"""Who took part: frozen when the event is held, so that later tags and changes of the register alter nothing (row 40)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Qualification, User
from events import permissions
from events.models import Event, Registration


def freeze(*, event: Event) -> int:
    """Write down who came, and with which qualifications of the day; the number of bodies that came.

    Called by who holds the event's row. An event whose doors scanned nobody kept none: its confirmed places stand for
    participation. Called again when a door sends what it kept offline; what was corrected by hand stays.
    """
    came: dict[int, int] = dict(
        event.check_ins.inside()
        .values("delegate__registration")
        .annotate(persons=Count("pk"))
        .values_list("delegate__registration", "persons")
    )
    kept_doors = event.check_ins.counting().exists()
    rows = list(event.registrations.confirmed().select_for_update().order_by("pk"))
    held = _qualifications_on_the_day(event, [row.enterprise_id for row in rows])
    for row in rows:
        if not row.attendance_note:
            row.attended = came.get(row.pk, 0) if kept_doors else row.seats_held
        if row.qualifications_held is None:
            row.qualifications_held = held.get(row.enterprise_id, [])
        row.updated_at = timezone.now()
    Registration.objects.bulk_update(
        rows, ["attended", "qualifications_held", "updated_at"], batch_size=500
    )
    return sum(bool(row.attended) for row in rows)


def _qualifications_on_the_day(event: Event, enterprises: list[int]) -> dict[int, list[str]]:
    day = timezone.localdate(event.starts_at)
    found: dict[int, list[str]] = {}
    verified = Qualification.objects.in_force(day).filter(enterprise__in=enterprises)
    for enterprise, kind in verified.order_by("kind__code").values_list("enterprise", "kind__code"):
        codes = found.setdefault(enterprise, [])
        if kind not in codes:
            codes.append(kind)
    return found


@transaction.atomic
def correct(*, registration: Registration, persons: int, reason: str, by: User) -> Registration:
    """Say how many really came, with the reason; it stands against whatever a door sends later."""
    row = Registration.objects.locked().get(pk=registration.pk)
    if not permissions.can_manage(by, row.event):
        raise DomainError(
            _("Only organisers of this event can correct who came."), code="registration.forbidden"
        )
    if row.event.status != Event.Status.HELD or row.status != Registration.Status.CONFIRMED:
        raise DomainError(
            _("Who came is corrected after the event, for confirmed registrations."),
            code="registration.not_held",
        )
    if not 0 <= persons <= row.seats_held:
        raise DomainError(
            _("At most %(seats)d persons can have come from it: that many seats were confirmed.")
            % {"seats": row.seats_held},
            code="registration.too_many_persons",
        )
    if not (reason := reason.strip()[:300]):
        raise DomainError(_("Say why: the figures of the event change."), code="reason.missing")
    before, row.attended, row.attendance_note = row.attended, persons, reason
    row.save(update_fields=["attended", "attendance_note", "updated_at"])
    audit.record(by, "registration.attendance_corrected", row, before=before, after=persons)
    changes.record("registration", row, "attendance_corrected")
    return row
