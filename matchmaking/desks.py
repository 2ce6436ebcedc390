"""Whose desk a case lies on: the nearest organiser role up the region tree decides it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from chains.models import Enterprise, OrganiserRole, User
from events.models import Event, Registration

Case = TypeVar("Case")


class Desks:
    """All desks of today, read once. A body never decides its own case: the next desk up does."""

    def __init__(self) -> None:
        self._desks: dict[str, set[int]] = {}
        roles = OrganiserRole.objects.current().filter(role=OrganiserRole.Role.ORGANISER)
        for path, body in roles.values_list("region__path", "body_id"):
            self._desks.setdefault(path, set()).add(body)

    def path_for(self, enterprise: Enterprise) -> str | None:
        """The region path of the desk that decides on the enterprise; None = the administrator."""
        if enterprise.region is None:
            return None
        path = enterprise.region.path
        while path:
            if self._desks.get(path, set()) - {enterprise.pk}:
                return path
            path = path.rpartition("/")[0]
        return None

    def mine(self, cases: Iterable[tuple[Enterprise, Case]], user: User) -> list[Case]:
        """Those of the cases that lie on one of the user's desks, in the order given."""
        cases = list(cases)
        own = {region.path for region in user.organiser_regions}
        paths = [self.path_for(enterprise) for enterprise, _case in cases]
        events = _first_events(
            enterprise.pk
            for (enterprise, _case), path in zip(cases, paths, strict=True)
            if not path
        )
        organised = (
            set(
                Event.objects.organised_by(user)
                .filter(pk__in=set(events.values()))
                .values_list("pk", flat=True)
            )
            if events
            else set()
        )
        found = []
        for (enterprise, case), path in zip(cases, paths, strict=True):
            event = events.get(enterprise.pk)
            if path is not None:
                is_mine = path in own
            elif event is not None:
                is_mine = event in organised
            else:
                is_mine = user.is_administrator
            if is_mine:
                found.append(case)
        return found


def _first_events(enterprises: Iterable[int]) -> dict[int, int]:
    """Outside every served province the desk is that of the first event applied for: enterprise → event."""
    outside = Enterprise.objects.outside_served_provinces().filter(pk__in=set(enterprises))
    applied = Registration.objects.exclude(status__in=Registration.ENDED).order_by("-pk")
    return dict(
        applied.filter(enterprise__in=outside.values("pk")).values_list("enterprise", "event")
    )
