"""A draw with a published seed: announced with the event, held once, checked by whoever likes. ADR 6 says how."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import User
from chains.templatetags.localised import moment
from events.models import Draw, Event
from events.services import events, waiting_list

SEED_MOST = 200
# What `echo seed | sha256sum` has behind the seed, on one system and on another. A digest announced with it stays so.
_LINE_ENDS = ("", "\n", "\r\n")


class Lot(NamedTuple):
    """A number that took part and what it drew: the lower the digest, the further ahead."""

    place: int
    number: str
    digest: str


@transaction.atomic
def hold(*, event: Event, seed: str, by: User) -> Draw:
    """Put all who registered before the announced moment in the order of their lots; the seed is public from now on.

    Who came after that moment knew the seed perhaps: it stands behind, by arrival. Seats are offered at once.
    """
    event = events.managed(event, by, Event.Status.PUBLISHED)
    _check(event)
    seed = _checked_seed(event, seed)
    tiers = list(event.tiers.locked())
    rows = list(event.registrations.in_the_pool().values_list("public_id", "queue_no"))
    row = Draw.objects.create(
        event=event,
        seed=seed,
        last_no=max((number for _public_id, number in rows if number is not None), default=0),
        numbers=sorted((number for number, _no in rows), key=lambda number: lot(seed, number)),
    )
    audit.record(by, "event.drawn", event, registrations=len(rows))
    changes.record("event", event, "drawn")
    waiting_list.move_up(event=event, tiers=tiers, by=None)
    return row


def _check(event: Event) -> None:
    if event.waiting_rule != Event.WaitingRule.SEEDED_DRAW:
        raise DomainError(_("The seats of this event are not given by a draw."), code="draw.none")
    if not event.awaits_draw:
        raise DomainError(
            _("The draw has been held. There is one only, and its seed is public."),
            code="draw.held",
        )
    assert event.draws_at is not None  # asked for before the event became public
    if timezone.now() < event.draws_at:
        raise DomainError(
            _("The draw is announced for %(at)s. It is not held before.")
            % {"at": moment(event.draws_at)},
            code="draw.early",
        )


def _checked_seed(event: Event, seed: str) -> str:
    seed = seed.strip()
    if not seed or len(seed) > SEED_MOST:
        raise DomainError(
            _("Give the seed as it was announced, at most %(most)d characters.")
            % {"most": SEED_MOST},
            code="draw.seed",
            field="seed",
        )
    if event.draw_commitment and line_end(event.draw_commitment, seed) is None:
        raise DomainError(
            _("This is not the seed whose digest was announced with the event."),
            code="draw.other_seed",
            field="seed",
        )
    return seed


def line_end(commitment: str, seed: str) -> str | None:
    """What has to stand behind the seed to give the announced digest; None where nothing does."""
    ends = (end for end in _LINE_ENDS if _digest(seed + end) == commitment)
    return next(ends, None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def lot(seed: str, number: str) -> str:
    """What a number draws: the same digest that the order of the queue is computed by."""
    return _digest(f"{seed}:{number}")


def lots(draw: Draw) -> list[Lot]:
    return [
        Lot(place, number, lot(draw.seed, number)) for place, number in enumerate(draw.numbers, 1)
    ]
