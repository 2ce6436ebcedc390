"""Titles and certificates that end soon: their enterprise is told in time."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chains import audit, changes, notifications, sweeping
from chains.models import Certification, Enterprise, Proof, Qualification
from chains.services import accounts
from chains.services.enterprises import noun

# Days before the end: time for an audit, and a last call.
EARLY, LATE = datetime.timedelta(days=60), datetime.timedelta(days=14)


def remind(*, by: None = None) -> int:
    """The system's: twice at most for each term, and never of what has a longer one already."""
    due = (
        (model, pk)
        for model in (Qualification, Certification)
        for pk in _due(model).order_by("pk").values_list("pk", flat=True)
    )
    return sweeping.each(due, lambda one: _remind_one(*one, by))


def _due(model: type[Qualification] | type[Certification]) -> QuerySet[Proof]:
    today = timezone.localdate()
    first = Q(reminded_at=None, valid_until_on__lte=today + EARLY)
    last = Q(valid_until_on__lte=today + LATE, reminded_at__date__lt=F("valid_until_on") - LATE)
    rows: QuerySet[Proof] = model._default_manager.filter(
        first | last,
        status=Proof.Status.VERIFIED,
        valid_until_on__gte=today,
        enterprise__status=Enterprise.Status.VERIFIED,
    )
    return rows


@transaction.atomic
def _remind_one(model: type[Qualification] | type[Certification], pk: int, by: None) -> bool:
    proof = _due(model).select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    if not isinstance(proof, (Qualification, Certification)):
        return False
    proof.reminded_at = timezone.now()
    proof.save(update_fields=["reminded_at", "updated_at"])
    if _is_renewed(proof):
        return False
    audit.record(by, f"{noun(proof)}.reminded", proof, enterprise=proof.enterprise.public_id)
    changes.record(noun(proof), proof, "reminded")
    for editor in accounts.editors(proof.enterprise):
        notifications.post(
            editor,
            "proof_ends_soon",
            proof=proof.public_id,
            enterprise=proof.enterprise.public_id,
        )
    return True


def _is_renewed(proof: Qualification | Certification) -> bool:
    """The next term is claimed or verified already."""
    longer = Q(valid_until_on=None) | Q(valid_until_on__gt=proof.valid_until_on)
    return (
        type(proof)
        ._default_manager.filter(longer, enterprise=proof.enterprise_id, kind=proof.kind_id)
        .filter(status__in=[Proof.Status.CLAIMED, Proof.Status.VERIFIED])
        .exists()
    )
