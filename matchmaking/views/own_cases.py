"""What waits elsewhere because it is the reader's own: nobody decides on the case of an enterprise or body of theirs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chains.desks import RegionDesks
from chains.models import (
    Certification,
    Enterprise,
    Qualification,
    Region,
    Requirement,
    User,
)
from chains.templatetags.localised import localised
from events.models import Event, Registration


@dataclass(slots=True)
class OwnCase:
    queue: str
    name: str
    path: str | None  # of the region whose desk decides
    since: datetime.datetime | None
    enterprise: int
    requirement: int | None = None
    event: Event | None = None
    desk: Region | None = None


def own_cases(user: User) -> list[OwnCase]:
    """Longest waiting first. What somebody has reported of them is not among it: those it is about are not told."""
    now = timezone.now()
    found = sorted(_found(user), key=lambda case: (case.since or now, case.name))
    regions = Region.objects.in_bulk({case.path for case in found if case.path}, field_name="path")
    for case in found:
        case.desk = regions.get(case.path)
    return found


def _found(user: User) -> Iterator[OwnCase]:
    own, desks = user.own_bodies, RegionDesks()
    for one in Enterprise.objects.filter(
        pk__in=own, status=Enterprise.Status.PENDING
    ).select_related("region"):
        yield OwnCase(
            _("Enterprises to verify"),
            localised(one),
            desks.path_for(one),
            one.submitted_at,
            one.pk,
        )
    for model in (Qualification, Certification):
        claims = model.objects.claimed().filter(enterprise__in=own, evidence__isnull=False)
        for claim in claims.select_related("enterprise__region", "kind"):
            yield OwnCase(
                _("Titles and certificates to verify"),
                localised(claim.kind),
                desks.path_for(claim.enterprise),
                claim.created_at,
                claim.enterprise_id,
            )
    posted = Q(enterprise__in=own) | Q(posted_by__in=own)
    for asked in (
        Requirement.objects.to_moderate().filter(posted).select_related("enterprise__region")
    ):
        yield OwnCase(
            _("Requirements to moderate"),
            asked.title,
            desks.path_for(asked.enterprise, asked.posted_by_id),
            asked.waits_since,
            asked.enterprise_id,
            requirement=asked.pk,
        )
    applied = Registration.objects.to_admit().filter(
        enterprise__in=own, event__in=Event.objects.organised_by(user)
    )
    for wish in applied.select_related("event"):
        yield OwnCase(
            _("Registrations to approve"),
            localised(wish.event),
            None,
            wish.created_at,
            wish.enterprise_id,
            event=wish.event,
        )
