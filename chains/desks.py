"""Whose desk a case lies on: the nearest organiser role up the region tree decides it."""

from __future__ import annotations

from chains.models import Enterprise, OrganiserRole


class RegionDesks:
    """All desks of today, read once. A body never decides its own case: the next desk up does."""

    def __init__(self) -> None:
        self._desks: dict[str, set[int]] = {}
        roles = OrganiserRole.objects.current().filter(role=OrganiserRole.Role.ORGANISER)
        for path, body in roles.values_list("region__path", "body_id"):
            self._desks.setdefault(path, set()).add(body)

    def path_for(self, enterprise: Enterprise, posted_by: int | None = None) -> str | None:
        """The region path of the desk that decides on the enterprise, or on what another body has posted for it;
        None = outside every served province."""
        if enterprise.region is None:
            return None
        path = enterprise.region.path
        while path:
            if self._desks.get(path, set()) - {enterprise.pk, posted_by}:
                return path
            path = path.rpartition("/")[0]
        return None
