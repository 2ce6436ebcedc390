"""The leading enterprises of an event, put in front by its host: saved whole from their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, User
from events.models import Event, LeadingGuest
from events.services import events

Status = Event.Status
MOST = 30


@transaction.atomic
def set_guests(
    *, event: Event, guests: Sequence[Mapping[str, Any]], by: User
) -> list[LeadingGuest]:
    """In this order, each an `enterprise` with its line; who is left out is taken off.

    The public reads only those that are coming and have agreed to be named: the list itself says nothing of that.
    """
    event = events.managed(event, by, Status.DRAFT, Status.PUBLISHED, Status.HELD)
    if len(guests) > MOST:
        raise DomainError(
            _("An event names at most %(most)d leading enterprises.") % {"most": MOST},
            code="leading.too_many",
            field="guests",
        )
    known = {row.enterprise_id: row for row in event.leading_guests.all()}
    kept: list[LeadingGuest] = []
    for order, wanted in enumerate(guests, 1):
        enterprise: Enterprise = wanted["enterprise"]
        if any(row.enterprise_id == enterprise.pk for row in kept):
            raise DomainError(
                _("“%(name)s” stands on the list twice.") % {"name": enterprise.name},
                code="leading.twice",
                field="guests",
            )
        row = known.pop(enterprise.pk, None)
        if row is None:
            if not enterprise.is_verified:
                raise DomainError(
                    _("“%(name)s” is not verified. Only verified enterprises can be named.")
                    % {"name": enterprise.name},
                    code="leading.not_verified",
                    field="guests",
                )
            row = LeadingGuest(event=event, enterprise=enterprise)
        row.order = order
        row.text_zh, row.text_en = wanted["text_zh"].strip(), wanted["text_en"].strip()
        row.save()
        kept.append(row)
    for row in known.values():
        row.delete()
    audit.record(by, "event.leading_set", event, guests=len(kept), removed=len(known))
    changes.record("event", event, "changed")
    return kept
