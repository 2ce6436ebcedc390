"""When a day begins; working days: Monday to Friday less a province's own list of days."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.utils import timezone

from chains.models import Enterprise, Province, Requirement

DAYS = 3  # the promise where no served province says otherwise


def midnight(day: datetime.date) -> datetime.datetime:
    """The moment a day begins."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


def working_day_after(
    start: datetime.date, days: int, holidays: Collection[datetime.date] = ()
) -> datetime.date:
    """The working day that ends a promise of so many days given on `start`.

    >>> working_day_after(datetime.date(2026, 11, 27), 3)  # a Friday
    datetime.date(2026, 12, 2)
    """
    day = start
    while days > 0:
        day += datetime.timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            days -= 1
    return day


def working_days_between(
    start: datetime.date, end: datetime.date, holidays: Collection[datetime.date] = ()
) -> int:
    """Working days after `start` up to and with `end`.

    >>> working_days_between(datetime.date(2026, 11, 27), datetime.date(2026, 12, 1))
    2
    """
    return sum(
        day.weekday() < 5 and day not in holidays
        for day in (start + datetime.timedelta(days=n) for n in range(1, (end - start).days + 1))
    )


def provinces() -> dict[int, Province]:
    """The served provinces by the id of their region: fetched once for a list of cases."""
    return {province.region_id: province for province in Province.objects.all()}


def promised_on(
    case: Enterprise | Requirement, served: dict[int, Province] | None = None
) -> datetime.date | None:
    """The day by which the desk has promised to decide on what waits; a requirement lies on its enterprise's desk."""
    if isinstance(case, Requirement):
        enterprise, since = case.enterprise, case.waits_since
    else:
        enterprise, since = case, case.submitted_at
    if since is None:
        return None
    served = provinces() if served is None else served
    province = served.get(enterprise.province_id or 0)
    return working_day_after(
        timezone.localtime(since).date(),
        province.verification_days if province else DAYS,
        frozenset(province.holidays) if province else (),
    )
