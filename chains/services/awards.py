"""Titles that an authority has given to many at once."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import Enterprise, Proof, Qualification, QualificationKind, User
from chains.services import accounts
from chains.services.enterprises import May


@dataclass(slots=True)
class Awarded:
    verified: int = 0
    # By public id as it was asked for, with the sentence why not.
    refused: list[tuple[str, str]] = field(default_factory=list)


def award_many(
    *,
    public_ids: Iterable[str],
    kind: QualificationKind,
    issuer: str,
    valid_from: datetime.date,
    by: User,
    batch: str = "",
    valid_until_on: datetime.date | None = None,
    may: May = permissions.can_verify,
) -> Awarded:
    """The title of each, in a transaction of its own: one that is refused holds up none of the others."""
    wanted = list(dict.fromkeys(public_ids))
    rows = Enterprise.objects.in_bulk(wanted, field_name="public_id")
    done = Awarded()
    for public_id in wanted:
        try:
            if public_id not in rows:
                raise DomainError(_("There is no such enterprise."), code="proof.unknown")
            award(
                enterprise=rows[public_id],
                kind=kind,
                issuer=issuer,
                batch=batch,
                valid_from=valid_from,
                valid_until_on=valid_until_on,
                by=by,
                may=may,
            )
        except DomainError as error:
            done.refused.append((public_id, str(error)))
        else:
            done.verified += 1
    return done


@transaction.atomic
def award(
    *,
    enterprise: Enterprise,
    kind: QualificationKind,
    issuer: str,
    valid_from: datetime.date,
    by: User,
    batch: str = "",
    valid_until_on: datetime.date | None = None,
    may: May = permissions.can_verify,
) -> Qualification:
    """Verify the claim of the enterprise by the authority's list, or write down the title where it claimed none."""
    enterprise = (
        Enterprise.objects.select_for_update(of=("self",))
        .select_related("region")
        .get(pk=enterprise.pk)
    )
    if not may(by, enterprise):
        raise DomainError(
            _("This enterprise belongs to another desk, or it is your own."),
            code="proof.forbidden",
        )
    if valid_until_on is not None and valid_until_on < valid_from:
        raise DomainError(
            _("The last day of validity lies before the first."),
            code="proof.term",
            field="valid_until_on",
        )
    if not issuer.strip():
        raise DomainError(_("Say who gave the title."), code="proof.issuer")
    held = enterprise.qualifications.filter(kind=kind).exclude(status=Proof.Status.REFUSED)
    same = held.filter(valid_from=valid_from).first()
    if same is not None and same.status == Proof.Status.VERIFIED:
        return same  # the list came twice
    if same is not None and same.status == Proof.Status.REVOKED:
        raise DomainError(
            _("This title was revoked with the same first day. Decide it in its own case."),
            code="proof.revoked",
        )
    claimed = held.filter(status=Proof.Status.CLAIMED).order_by("-valid_from", "-pk")
    row = same or claimed.first() or Qualification(enterprise=enterprise, kind=kind)
    row.issuer, row.batch = issuer.strip()[:200], batch.strip()[:80]
    row.valid_from, row.valid_until_on = valid_from, valid_until_on
    row.status, row.reason = Proof.Status.VERIFIED, ""
    row.save()
    audit.record(by, "qualification.verified", row, enterprise=enterprise.public_id, kind=kind.code)
    changes.record("qualification", row, "verified")
    for editor in accounts.editors(enterprise):
        notifications.post(
            editor, "proof_verified", proof=row.public_id, enterprise=enterprise.public_id
        )
    return row
