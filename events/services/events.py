from __future__ import annotations

import datetime
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, Min, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes, searchtext, sweeping
from chains.errors import DomainError, check_fields
from chains.models import Enterprise, Requirement, User
from chains.models.base import ALPHABET
from chains.services import requirements
from events import permissions
from events.models import Event, Listing, Series, Tier
from events.services import participation, registration, waiting_list

Status = Event.Status
_RELATIONS = ("co_hosts", "chains", "docking_kinds", "series")
# What a form or a request may set. Host, state and what follows from verbs – the moment of the list – are not among them.
FIELDS = (
    "name_zh", "name_en", "level", "level_id", "region", "cluster", "starts_at", "ends_at", "place", "place_en", "map_url", "text",
    "text_en",
    "delegates_per_enterprise", "admission", "waiting_rule", "offer_hours", "walk_ins", "reminder_days",
    "registration_opens_at", "registration_closes_at", "delegates_until",
    "draws_at", "draw_source_zh", "draw_source_en", "draw_commitment", *_RELATIONS,
)  # fmt: skip
# What a draw is announced by.
_DRAW = {"draws_at", "draw_source_zh", "draw_source_en", "draw_commitment"}
# What calendars show: when one of these changes after publishing, everybody who has registered is told.
_WHEN_AND_WHERE = {"starts_at", "ends_at", "place", "place_en"}
# A requirement may go on a list before its desk has approved it: otherwise it would be public at once and the event's
# moment could keep nothing back.
LISTABLE = (
    Requirement.Status.SUBMITTED,
    Requirement.Status.APPROVED,
    Requirement.Status.PUBLISHED,
)


@transaction.atomic
def create(*, by: User, host: Enterprise, **fields: Any) -> Event:
    """A draft with general seats only; `tiers` may bring others."""
    check_fields(fields, (*FIELDS, "tiers"))
    region = fields["region"]
    if not permissions.can_create(by, host, region):
        raise DomainError(
            _("You can hold events of your own body, in the region of your role."),
            code="event.forbidden",
        )
    relations = {name: fields.pop(name, ()) for name in _RELATIONS}
    _check_series(relations["series"], by)
    tiers = fields.pop("tiers", ())
    event = Event(host=host, **fields)
    _save(event)
    for name, rows in relations.items():
        getattr(event, name).set(rows)
    audit.record(by, "event.created", event, level=event.level_id, region=region.code)
    changes.record("event", event, "created")
    if tiers:
        _set_tiers(event, tiers, by)
    return event


@transaction.atomic
def edit(*, event: Event, by: User, **fields: Any) -> Event:
    check_fields(fields, FIELDS)
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    region = fields.get("region", event.region)
    if region.pk != event.region_id and not permissions.can_create(by, event.host, region):
        raise DomainError(
            _("You can hold events of your own body, in the region of your role."),
            code="event.forbidden",
        )
    changed = sorted(
        name for name in fields if name not in _RELATIONS and getattr(event, name) != fields[name]
    )
    _check_draw_stands(event, fields, changed)
    if "series" in fields:
        _check_series(set(fields["series"]) - set(event.series.all()), by)
    for name in _RELATIONS:
        if name in fields:
            getattr(event, name).set(fields.pop(name))
    began = event.starts_at
    for name, value in fields.items():
        setattr(event, name, value)
    if event.status == Status.PUBLISHED:
        _check_complete(event)
    verb = _moved(event, changed)
    _save(event)
    _take_agenda_along(event, began)
    if event.list_is_held and "ends_at" in changed:
        _set_embargoes(Requirement.objects.filter(listings__event=event), by)
    audit.record(by, "event.changed", event, fields=changed)
    changes.record("event", event, verb)
    return event


def _check_draw_stands(event: Event, fields: Mapping[str, Any], changed: Iterable[str]) -> None:
    """What a draw was announced by binds its host once guests can read it."""
    if event.status == Status.DRAFT:
        return
    rules = {event.waiting_rule, fields.get("waiting_rule", event.waiting_rule)}
    if Event.WaitingRule.SEEDED_DRAW not in rules:
        return
    if len(rules) > 1 or not _DRAW.isdisjoint(changed):
        raise DomainError(
            _(
                "The event is public: that its seats are drawn, when, and where the seed comes from, stays as announced."
            ),
            code="event.draw_announced",
        )


def _moved(event: Event, changed: Iterable[str]) -> str:
    """What the change is called. One of time or place, once published, is news to everybody who has registered."""
    if event.status != Status.PUBLISHED or _WHEN_AND_WHERE.isdisjoint(changed):
        return "changed"
    event.sequence += 1
    if event.reminds_at is not None and event.reminds_at > timezone.now():
        event.reminded_at = None  # it was put off: its guests are reminded again
    return "moved"


def _take_agenda_along(event: Event, began: datetime.datetime) -> None:
    """To another day, at the same hours."""
    days = timezone.localdate(event.starts_at) - timezone.localdate(began)
    if days:
        event.agenda.update(
            starts_at=F("starts_at") + days, ends_at=F("ends_at") + days, updated_at=timezone.now()
        )


def _check_series(wanted: Iterable[Series], by: User) -> None:
    """A series that is being prepared elsewhere is not there for this organiser."""
    ids = {row.pk for row in wanted}
    if ids and Series.objects.visible_to(by).filter(pk__in=ids).count() != len(ids):
        raise DomainError(
            _("Choose series that are public or kept in your province."), code="event.series"
        )


@transaction.atomic
def set_tiers(*, event: Event, tiers: Sequence[Mapping[str, Any]], by: User) -> list[Tier]:
    """The seats, tier by tier; those known by `public_id` are changed, new ones made, left-out ones removed.

    Seats cannot be lowered below those taken. What comes free goes to the waiting list at once.
    """
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    return _set_tiers(event, tiers, by)


@transaction.atomic
def publish(*, event: Event, by: User) -> Event:
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    if event.status == Status.PUBLISHED:
        return event
    _check_complete(event)
    if event.ends_at <= timezone.now():
        raise DomainError(
            _("The event ends in the past. Change its dates, then publish it."),
            code="event.in_the_past",
        )
    event.status, event.published_at = Status.PUBLISHED, timezone.now()
    event.save(update_fields=["status", "published_at", "updated_at"])
    audit.record(by, "event.published", event)
    changes.record("event", event, "published")
    return event


@transaction.atomic
def cancel(*, event: Event, reason: str, by: User) -> Event:
    """Call the event off: every place is given back and everybody told, with the reason."""
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED, Status.CANCELLED)
    if event.status == Status.CANCELLED:
        return event
    if not reason.strip():
        raise DomainError(
            _("Say why: everyone who has registered will read it."), code="event.without_reason"
        )
    event.status, event.cancel_reason = Status.CANCELLED, reason.strip()[:300]
    event.sequence += 1
    event.save(update_fields=["status", "cancel_reason", "sequence", "updated_at"])
    ended = registration.end_all(event=event, by=by)
    audit.record(by, "event.cancelled", event, registrations=ended)
    changes.record("event", event, "cancelled")
    _set_embargoes(Requirement.objects.filter(listings__event=event), by)
    return event


def mark_held() -> int:
    """Published events whose end has come."""
    over = Event.objects.filter(status=Status.PUBLISHED, ends_at__lte=timezone.now())
    return sweeping.each(over, _mark_one_held)


@transaction.atomic
def _mark_one_held(event: Event) -> int:
    # Conditional: two beats at once mark it once.
    done = Event.objects.filter(pk=event.pk, status=Status.PUBLISHED).update(
        status=Status.HELD, updated_at=timezone.now()
    )
    if done:
        audit.record(None, "event.held", event, bodies=participation.freeze(event=event))
        changes.record("event", event, "held")
    return done


def remind_due() -> int:
    """Published events that begin so soon that their guests are to be reminded, each once."""
    now = timezone.now()
    ahead = Event.objects.filter(
        status=Status.PUBLISHED,
        reminded_at=None,
        reminder_days__gt=0,
        starts_at__gt=now,
        starts_at__lte=now + datetime.timedelta(days=31),
    )
    due = (
        event
        for event in ahead.order_by("starts_at", "pk")
        if event.reminds_at is not None and event.reminds_at <= now
    )
    return sweeping.each(due, _remind_guests)


@transaction.atomic
def _remind_guests(event: Event) -> int:
    now = timezone.now()
    # Conditional: two beats at once remind once.
    done = Event.objects.filter(pk=event.pk, status=Status.PUBLISHED, reminded_at=None).update(
        reminded_at=now, updated_at=now
    )
    if done:
        audit.record(None, "event.reminded", event)
        changes.record("event", event, "reminded")
    return done


# ---- the list of requirements ----


@transaction.atomic
def list_requirement(
    *, event: Event, requirement: Requirement, by: User, is_featured: bool = False
) -> Listing:
    """Put a requirement on the event's list. Listing never hides what is public already."""
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    if not permissions.requirements_to_list(by).filter(pk=requirement.pk).exists():
        raise DomainError(
            _("This requirement is outside your scope until it is published."),
            code="listing.forbidden",
        )
    requirement.refresh_from_db(fields=["status"])
    if requirement.status not in LISTABLE:
        raise DomainError(
            _("Only requirements that are submitted, approved or published can be listed."),
            code="listing.not_listable",
        )
    last = event.listings.order_by("-order").values_list("order", flat=True).first()
    listing, created = Listing.objects.get_or_create(
        event=event,
        requirement=requirement,
        defaults={
            "order": (last or 0) + 1,
            "is_featured": is_featured,
            "code": _new_code(),
        },
    )
    if not created and listing.is_featured == is_featured:
        return listing
    listing.is_featured = is_featured
    listing.save(update_fields=["is_featured", "updated_at"])
    verb = "created" if created else "changed"
    audit.record(
        by, f"listing.{verb}", listing, event=event.public_id, requirement=requirement.public_id
    )
    changes.record("listing", listing, verb)
    if created:
        _set_embargoes([requirement], by)
    return listing


@transaction.atomic
def unlist(*, listing: Listing, by: User) -> None:
    event = managed(listing.event, by, Status.DRAFT, Status.PUBLISHED)
    requirement = listing.requirement
    audit.record(
        by, "listing.withdrawn", listing, event=event.public_id, requirement=requirement.public_id
    )
    changes.record("listing", listing, "withdrawn")
    listing.delete()
    _set_embargoes([requirement], by)


@transaction.atomic
def order_listings(*, event: Event, codes: Sequence[str], by: User) -> None:
    """The order of the list on page and screen; those not named keep their order behind the others."""
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    place = {code: number for number, code in enumerate(codes)}
    rows = sorted(
        event.listings.all(), key=lambda row: (place.get(row.code, len(place)), row.order, row.pk)
    )
    for number, row in enumerate(rows, 1):
        row.order = number
    Listing.objects.bulk_update(rows, ["order"])
    audit.record(by, "listing.ordered", event, listings=len(rows))
    changes.record("event", event, "changed")


@transaction.atomic
def set_list_moment(*, event: Event, at: datetime.datetime | None, by: User) -> Event:
    """The one moment at which page, screen and notices open the list: the embargo of all that is on it.

    None takes the moment back: what is on the list is held back until there is another one, at the latest until the
    event ends. To open it at once is a verb of its own, so that nobody does so by emptying a field.
    """
    event = managed(event, by, Status.DRAFT, Status.PUBLISHED)
    if event.list_published_at == at and (at is not None or event.list_is_held):
        return event
    if event.list_released_at is not None:
        raise DomainError(
            _("The list is public already. What is public stays public."),
            code="event.list_released",
        )
    if at is not None and at <= timezone.now():
        raise DomainError(
            _("Choose a moment that is still to come, or release the list now."),
            code="event.list_moment",
            field="opens_at",
        )
    event.list_published_at, event.list_is_held = at, at is None
    event.save(update_fields=["list_published_at", "list_is_held", "updated_at"])
    audit.record(by, "event.list_moment_set", event, at=at.isoformat() if at else None)
    changes.record("event", event, "changed")
    _set_embargoes(Requirement.objects.filter(listings__event=event), by)
    return event


@transaction.atomic
def release_list(*, event: Event, by: User) -> Event:
    """Open the list at this moment, all of it at once."""
    event = managed(event, by, Status.PUBLISHED)
    if event.list_released_at is not None:
        return event
    event.list_published_at, event.list_is_held = timezone.now(), False
    event.save(update_fields=["list_published_at", "list_is_held", "updated_at"])
    _set_embargoes(Requirement.objects.filter(listings__event=event).order_by("pk"), by)
    _keep_release(event, by)
    return event


def release_due_lists() -> int:
    """The system's: open the lists whose moment has come, each with everything on it in one transaction."""
    due = Event.objects.filter(
        list_published_at__lte=timezone.now(), list_released_at=None
    ).exclude(status=Status.CANCELLED)
    return sweeping.each(due.order_by("pk").values_list("pk", flat=True), _release_if_due)


@transaction.atomic
def _release_if_due(pk: int) -> bool:
    event = (
        Event.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=pk, list_published_at__lte=timezone.now(), list_released_at=None)
        .first()
    )
    if event is None:  # moved, released by hand, or another worker is at it
        return False
    requirements.publish_due()
    _keep_release(event, None)
    return True


def _keep_release(event: Event, by: User | None) -> None:
    event.list_released_at = timezone.now()
    event.save(update_fields=["list_released_at", "updated_at"])
    states = Counter(event.listings.values_list("requirement__status", flat=True))
    public = states[Requirement.Status.PUBLISHED]
    audit.record(by, "event.list_released", event, public=public, left_out=states.total() - public)
    changes.record("event", event, "list_released")


# ---- what the verbs share ----


def managed(event: Event, by: User, *allowed: Event.Status) -> Event:
    """The event's row, locked, for somebody who may manage it and in a state that lets them."""
    if not permissions.can_manage(by, event):
        raise DomainError(_("Only organisers of this event can change it."), code="event.forbidden")
    row = (
        Event.objects.select_for_update(of=("self",), no_key=True)
        .select_related("host", "region")
        .get(pk=event.pk)
    )
    if row.status not in allowed:
        raise DomainError(
            _("The event is over or was cancelled. It stays as it is."), code="event.over"
        )
    return row


def _save(event: Event) -> None:
    event.search_text = searchtext.document(
        f"{event.place}\n{event.place_en}", names=[event.name_zh, event.name_en]
    )
    try:
        event.validate_constraints()
    except ValidationError as found:
        raise DomainError(" ".join(found.messages), code="event.dates") from found
    event.save()


def _check_complete(event: Event) -> None:
    missing = missing_of(event)
    if missing:
        raise DomainError(
            _("Before the event can be public it needs: %(missing)s.")
            % {"missing": _(", ").join(missing)},
            code="event.incomplete",
        )


def missing_of(event: Event) -> list[str]:
    """What an event lacks before it can be published, in words; a reader, for the page too."""
    tiers = list(event.tiers.all())
    checks: list[tuple[object, str]] = [
        (event.name_zh, _("a name in Chinese")),
        (event.name_en, _("a name in English")),
        (event.place, _("a place")),
        (event.docking_kinds.exists(), _("a docking kind")),
        (sum(tier.seats for tier in tiers), _("seats")),
        (any(tier.is_general for tier in tiers), _("general seats, even if none at first")),
        (
            event.registration_closes_at <= event.ends_at,
            _("a registration that closes before the event ends"),
        ),
    ]
    if event.waiting_rule == Event.WaitingRule.SEEDED_DRAW:
        checks += _announced(event)
    return [words for there, words in checks if not there]


def _announced(event: Event) -> list[tuple[object, str]]:
    """What binds a draw before anybody has registered."""
    source = event.draw_source_zh and event.draw_source_en
    is_in_time = event.draws_at is not None and (
        event.registration_opens_at < event.draws_at < event.starts_at
    )
    return [
        (event.draws_at, _("the moment of the draw")),
        (
            event.draws_at is None or is_in_time,
            _("a draw between the opening of registration and the beginning of the event"),
        ),
        (
            source or event.draw_commitment,
            _("where the seed of the draw comes from, in both languages, or its digest"),
        ),
    ]


def _set_tiers(event: Event, tiers: Sequence[Mapping[str, Any]], by: User) -> list[Tier]:
    known = {tier.public_id: tier for tier in event.tiers.locked()}
    if sum(bool(wanted.get("is_general")) for wanted in tiers) != 1:
        raise DomainError(
            _("An event has one tier of general seats, beside those reserved for some."),
            code="tier.general",
        )
    numbered = [
        (known.pop(str(wanted.get("public_id") or ""), None), number, wanted)
        for number, wanted in enumerate(tiers, 1)
    ]
    # First what leaves, the general tier last: there is one at any moment.
    for tier in known.values():
        _remove(tier)
    numbered.sort(key=lambda row: bool(row[2].get("is_general")))
    kept = [_set_tier(event, tier, number, wanted) for tier, number, wanted in numbered]
    kept.sort(key=lambda tier: tier.order)
    seats = {tier.public_id: tier.seats for tier in kept}
    audit.record(by, "event.seats_set", event, seats=seats, removed=len(known))
    changes.record("event", event, "changed")
    if event.status == Status.PUBLISHED:
        waiting_list.promote(event)
    return kept


def _set_tier(event: Event, tier: Tier | None, order: int, wanted: Mapping[str, Any]) -> Tier:
    tier = tier or Tier(event=event)
    general = bool(wanted.get("is_general"))
    if tier.taken > int(wanted["seats"]):
        raise DomainError(
            ngettext(
                "%(name)s: %(taken)d seat is taken. Seats cannot be fewer than that.",
                "%(name)s: %(taken)d seats are taken. Seats cannot be fewer than that.",
                tier.taken,
            )
            % {"name": tier.name_en or tier.name_zh, "taken": tier.taken},
            code="tier.seats_taken",
        )
    tier.name_zh, tier.name_en = wanted["name_zh"], wanted["name_en"]
    tier.seats, tier.order, tier.is_general = int(wanted["seats"]), order, general
    tier.qualifications = [] if general else list(wanted.get("qualifications", ()))
    tier.participant_kinds = [] if general else list(wanted.get("participant_kinds", ()))
    if not general and not tier.qualifications and not tier.participant_kinds:
        raise DomainError(
            _("Say for whom the seats of “%(name)s” are reserved.") % {"name": tier.name_zh},
            code="tier.for_nobody",
        )
    tier.reserved_until = None if general else wanted.get("reserved_until")
    tier.save()
    return tier


def _remove(tier: Tier) -> None:
    if tier.registrations.exists():
        raise DomainError(
            _("“%(name)s” has registrations. Set its free seats to 0 instead of removing it.")
            % {"name": tier.name_zh},
            code="tier.in_use",
        )
    tier.delete()


def _set_embargoes(rows: Iterable[Requirement], by: User) -> None:
    """What is not public yet waits for the earliest moment of the lists it stands on; for none, if there is none."""
    # Locked in the order of `publish_due`: neither waits for the other in a ring.
    for requirement in sorted(rows, key=lambda row: row.pk):
        if requirement.status == Requirement.Status.PUBLISHED:
            continue
        earliest = requirement.listings.exclude(event__status=Status.CANCELLED).aggregate(
            at=Min(
                Case(
                    When(event__list_is_held=True, then=F("event__ends_at")),
                    default=F("event__list_published_at"),
                )
            )
        )["at"]
        if requirement.embargoed_until != earliest:
            # The right is that of the event, asked above; the requirement's own desk is not needed for it.
            requirements.set_embargo(
                requirement=requirement, until=earliest, by=by, may=lambda _user, _row: True
            )


def _new_code() -> str:
    """Short enough to be typed from a screen; unique over all events."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _place in range(6))
        if not Listing.objects.filter(code=code).exists():
            return code
