from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, Region, User
from events import permissions
from events.models import Event, EventLevel, Programme, Series, Target


@transaction.atomic
def create_programme(*, owner: Enterprise, name_zh: str, name_en: str, by: User) -> Programme:
    _check(by, owner)
    programme = Programme.objects.create(owner=owner, name_zh=name_zh, name_en=name_en)
    audit.record(by, "programme.created", programme)
    changes.record("programme", programme, "created")
    return programme


@transaction.atomic
def edit_programme(*, programme: Programme, name_zh: str, name_en: str, by: User) -> Programme:
    _check(by, programme.owner)
    named = {"name_zh": name_zh, "name_en": name_en}
    changed = sorted(key for key, value in named.items() if getattr(programme, key) != value)
    if not changed:
        return programme
    programme.name_zh, programme.name_en = name_zh, name_en
    programme.save(update_fields=["name_zh", "name_en", "updated_at"])
    audit.record(by, "programme.changed", programme, fields=changed)
    changes.record("programme", programme, "changed")
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
            _("Choose events or enterprises, and a number of 0 or more."),
            code="target.invalid",
            field="targets",
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


@transaction.atomic
def set_targets(*, series: Series, targets: Sequence[Mapping[str, Any]], by: User) -> list[Target]:
    """All targets at once, each with `measure`, `value` and, if wanted, `level` and `region`; those left out go."""
    _check(by, series.programme.owner)
    wanted: dict[tuple[Any, ...], int] = {}
    for row in targets:
        measure, level, region = row["measure"], row.get("level"), row.get("region")
        if measure not in Target.Measure.values or row["value"] < 0:
            raise DomainError(
                _("Choose events or enterprises, and a number of 0 or more."),
                code="target.invalid",
                field="targets",
            )
        key = (measure, level, region)
        if key in wanted:
            raise DomainError(
                _("There is one target for each level and region. Take the second one away."),
                code="target.twice",
                field="targets",
            )
        wanted[key] = row["value"]
    # One at a time: of two people who save the same series the later one's targets stand, whole.
    series = Series.objects.select_for_update(of=("self",)).get(pk=series.pk)
    held = {(row.measure, row.level, row.region): row for row in _targets(series)}
    if {key: row.value for key, row in held.items()} == wanted:
        return list(held.values())
    series.targets.exclude(pk__in=[held[key].pk for key in held if key in wanted]).delete()
    for (measure, level, region), value in wanted.items():
        Target.objects.update_or_create(
            series=series, measure=measure, level=level, region=region, defaults={"value": value}
        )
    audit.record(
        by,
        "series.targets_set",
        series,
        targets=[
            [measure, level and level.code, region and region.code, value]
            for (measure, level, region), value in wanted.items()
        ],
    )
    changes.record("series", series, "changed")
    return list(_targets(series))


@transaction.atomic
def put_event(*, series: Series, event: Event, by: User) -> None:
    """Count the event in the series. An event may be in many: it counts in each, and once in the grand total."""
    if not permissions.can_put(by, event, series):
        raise DomainError(
            _("You can put in events you organise and public ones of your region."),
            code="series.forbidden",
        )
    if event.status == Event.Status.CANCELLED:
        raise DomainError(
            _("This event was cancelled: it counts in no series."), code="series.event_cancelled"
        )
    if _link(series, event).exists():
        return
    event.series.add(series)
    audit.record(by, "series.event_added", series, event=event.public_id)
    changes.record("event", event, "changed")


@transaction.atomic
def take_event(*, series: Series, event: Event, by: User) -> None:
    """Take the event out of the series: whoever organises it, or the body that keeps the series."""
    if not (
        permissions.can_manage(by, event)
        or permissions.can_own_programme(by, series.programme.owner)
    ):
        raise DomainError(
            _("Programmes and series are kept by organisers of the body that owns them."),
            code="series.forbidden",
        )
    if not _link(series, event).exists():
        return
    event.series.remove(series)
    audit.record(by, "series.event_removed", series, event=event.public_id)
    changes.record("event", event, "changed")


def _link(series: Series, event: Event) -> QuerySet[Any]:
    return Event.series.through.objects.filter(series=series, event=event)


def _targets(series: Series) -> QuerySet[Target]:
    return series.targets.select_related("level", "region").order_by("measure", "pk")


def _check(by: User, owner: Enterprise) -> None:
    if not permissions.can_own_programme(by, owner):
        raise DomainError(
            _("Programmes and series are kept by organisers of the body that owns them."),
            code="programme.forbidden",
        )
