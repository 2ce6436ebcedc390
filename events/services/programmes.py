from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, Region, User
from events import permissions
from events.models import EventLevel, Programme, Series, Target


@transaction.atomic
def create_programme(*, owner: Enterprise, name_zh: str, name_en: str, by: User) -> Programme:
    _check(by, owner)
    programme = Programme.objects.create(owner=owner, name_zh=name_zh, name_en=name_en)
    audit.record(by, "programme.created", programme)
    changes.record("programme", programme, "created")
    return programme


@transaction.atomic
def create_series(*, programme: Programme, year: int, by: User) -> Series:
    """The programme in one year."""
    _check(by, programme.owner)
    try:
        with transaction.atomic():
            series = Series.objects.create(programme=programme, year=year)
    except IntegrityError as found:
        raise DomainError(
            _("This programme has a series for %(year)d already.") % {"year": year},
            code="series.exists",
        ) from found
    audit.record(by, "series.created", series, year=year)
    changes.record("series", series, "created")
    return series


@transaction.atomic
def set_target(
    *,
    series: Series,
    measure: str,
    value: int,
    by: User,
    level: EventLevel | None = None,
    region: Region | None = None,
) -> Target:
    """What the series sets out to reach, for all or for one level and region."""
    _check(by, series.programme.owner)
    if measure not in Target.Measure.values or value < 0:
        raise DomainError(
            _("Choose events or enterprises, and a number of 0 or more."), code="target.invalid"
        )
    target, _created = Target.objects.update_or_create(
        series=series, measure=measure, level=level, region=region, defaults={"value": value}
    )
    audit.record(
        by,
        "target.set",
        series,
        measure=measure,
        value=value,
        level=level.code if level else None,
        region=region.code if region else None,
    )
    changes.record("series", series, "changed")
    return target


def _check(by: User, owner: Enterprise) -> None:
    if not permissions.can_own_programme(by, owner):
        raise DomainError(
            _("Programmes and series are kept by organisers of the body that owns them."),
            code="programme.forbidden",
        )
