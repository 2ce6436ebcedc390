"""The market: everything that is compared, as each process keeps it, following the register by its feed."""

from __future__ import annotations

import datetime
import gc
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils import timezone

from chains import changes
from chains.models import (
    Capability,
    Certification,
    Change,
    Enterprise,
    Qualification,
    Requirement,
    RequirementLine,
)
from matchmaking import nearest
from matchmaking.adapters import (
    Places,
    Side,
    encoder,
    needs,
    offers,
    read_taxonomy,
    read_units,
    reference_state,
)
from matchmaking.engine import proposals
from matchmaking.engine.encoder import NoEncoder
from matchmaking.engine.highlight import Aligned, align
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.scoring import Ranker
from matchmaking.engine.taxonomy import Suggestion, Taxonomy
from matchmaking.engine.types import Need
from matchmaking.engine.weights import Weights
from matchmaking.models import Weighting
from matchmaking.shelf import Build, Shelf

SIDES: tuple[Side, ...] = ("supply", "demand")
# What changes an offer; the other nouns of the feed are none of the market's business.
NOUNS = ("enterprise", "capability", "qualification", "certification", "requirement", "line")
# When more than this share of the enterprises has changed, building anew is cheaper than exchanging one by one.
_REBUILD_SHARE = 0.25
_FEW = 300
_SOME_LINE = "接线盒 junction box"


class Market:
    """Everything that is compared, as one process keeps it. Follows the register by the feed of changes."""

    def __init__(self) -> None:
        self.reference = reference_state()
        self.taxonomy = _taxonomy_at(self.reference)
        self.units = read_units()
        self.places = Places()
        self.indexes: dict[Side, OfferIndex] = {}
        self._stored: dict[Side, nearest.StoredVectors] = {}
        self._rankers: dict[tuple[Side, Weights], Ranker] = {}
        self._shelf = Shelf.of(encoder().version, self.reference, self.taxonomy.fingerprint)
        self._day: dict[Side, datetime.date] = {}
        self._since = changes.oldest_running()
        self._followed_on = timezone.localdate()
        self._seen: frozenset[int] = frozenset()
        self._exchanged: dict[Side, int] = {}

    def index(self, side: Side) -> OfferIndex:
        if side not in self.indexes and not self._load(side):
            if self._shelf is None:
                self._build(side)
            else:
                with self._shelf.alone():
                    # Somebody else may have built it while this one waited.
                    if not self._load(side):
                        self._build(side)
                        self._keep(side)
        return self.indexes[side]

    def _build(self, side: Side) -> None:
        self._day[side] = timezone.localdate()
        found = offers(side, self.places)
        self._take(side, OfferIndex.build(found, self.taxonomy, encoder()), anew=True)
        self._exchanged[side] = 0

    def _take(self, side: Side, index: OfferIndex, *, anew: bool = False) -> None:
        index.of_buyers = side == "demand"
        if settings.MATCHING_CANDIDATES == "memory" or isinstance(encoder().inner, NoEncoder):
            nearest.forget(side)
        else:
            self._stored[side] = nearest.of_index(side, index, anew=anew)
            index.nearest = self._stored[side]
        self.indexes[side] = index

    def _load(self, side: Side) -> bool:
        """Takes the kept index and brings it up to now: the feed is read on from where it was built."""
        if self._shelf is None:
            return False
        _read_terms(self.taxonomy, self._shelf)
        build = self._shelf.newest(side)
        if build is None:
            return False
        index = self._shelf.load(build, self.taxonomy, encoder())
        if index is None:
            return False
        self._take(side, index)
        self._day[side], self._exchanged[side] = build.day, 0
        self._catch_up(side, build)
        return side in self.indexes

    def _catch_up(self, side: Side, build: Build) -> None:
        rows = Change.objects.filter(transaction__gte=build.since, noun__in=NOUNS)
        facts = rows.values_list("pk", "transaction", "noun", "target")
        self._exchange(enterprises_of(facts), side)

    def _keep(self, side: Side) -> None:
        if self._shelf is not None:
            self._shelf.save(side, self.indexes[side], self._since, self._day[side])
            self._exchanged[side] = 0

    def keep(self, at_least: int) -> list[Side]:
        """Writes down the sides on which so many offers have changed since they were; says which."""
        due = [side for side, count in self._exchanged.items() if count >= at_least]
        for side in due:
            self._keep(side)
        return due

    def ranker(self, side: Side, weights: Weights) -> Ranker:
        key = side, weights
        if key not in self._rankers:
            self._rankers[key] = Ranker(self.index(side), weights, self.units)
        return self._rankers[key]

    def suggested(self, lines: Iterable[RequirementLine]) -> dict[int, proposals.Reading]:
        """What each line speaks of; those that speak of nothing clearly enough are left out."""
        ordered = sorted(lines, key=lambda line: line.pk)
        texts = [(line.text, line.full_text) for line in ordered]
        read = proposals.read(self.taxonomy, texts, encoder())
        return {line.pk: one for line, one in zip(ordered, read, strict=True) if one is not None}

    def is_current(self) -> bool:
        """False when it must be built anew: an administrator changed the categories, or nobody has asked for so long
        that what has changed since may be forgotten."""
        idle = (timezone.localdate() - self._followed_on).days
        return idle < settings.CHANGES_KEPT_DAYS - 1 and self.reference == reference_state()

    def follow(self) -> None:
        """Take in what has changed since. Facts of transactions that were still open last time are read again."""
        oldest, self._followed_on = changes.oldest_running(), timezone.localdate()
        rows = list(
            Change.objects.filter(transaction__gte=self._since, noun__in=NOUNS).values_list(
                "pk", "transaction", "noun", "target"
            )
        )
        changed = enterprises_of([row for row in rows if row[0] not in self._seen])
        self._since = oldest
        self._seen = frozenset(pk for pk, transaction, *_ in rows if transaction >= oldest)
        for side in list(self.indexes):
            self._exchange(changed, side)

    def _exchange(self, changed: Collection[int], side: Side) -> None:
        index, today = self.indexes[side], timezone.localdate()
        if today != self._day[side]:
            # A certificate ends without anybody doing anything.
            changed = {*changed, *_turned(self._day[side], today)}
            self._day[side] = today
        if not changed:
            return
        if len(changed) > max(_FEW, _REBUILD_SHARE * len(index.offers)):
            del self.indexes[side]
            self._forget_rankers(side)
            return
        now = {offer.id: offer for offer in offers(side, self.places, changed)}
        for enterprise in changed:
            before, after = index.offers.get(enterprise), now.get(enterprise)
            if before == after:
                continue
            if after is None:
                index.remove(enterprise)
            else:
                index.add(after)
            self._exchanged[side] += 1
            self._forget_rankers(side)
        if side in self._stored:
            nearest.follow(self._stored[side], index, sorted(changed))

    def _forget_rankers(self, side: Side) -> None:
        self._rankers = {key: ranker for key, ranker in self._rankers.items() if key[0] != side}


def _turned(before: datetime.date, today: datetime.date) -> set[int]:
    """Enterprises of which a certificate or qualification has begun or ended between two days."""
    begun = Q(valid_from__gt=before, valid_from__lte=today)
    ended = Q(valid_until_on__gte=before, valid_until_on__lt=today)
    return {
        enterprise
        for model in (Qualification, Certification)
        for enterprise in model.objects.filter(begun | ended).values_list(
            "enterprise_id", flat=True
        )
    }


def enterprises_of(facts: Iterable[tuple[int, int, str, str]]) -> set[int]:
    """Ids of the enterprises whose offers the facts may have changed."""
    targets: dict[str, set[str]] = defaultdict(set)
    for _, _, noun, target in facts:
        targets[noun].add(target)
    found: set[int] = set()
    for noun, (model, path) in _OWNERS.items():
        if targets[noun]:
            rows = model.objects.filter(public_id__in=targets[noun])
            found.update(rows.values_list(path, flat=True))
    return found


_OWNERS: Mapping[str, tuple[Any, str]] = {
    "enterprise": (Enterprise, "pk"),
    "capability": (Capability, "enterprise_id"),
    "qualification": (Qualification, "enterprise_id"),
    "certification": (Certification, "enterprise_id"),
    "requirement": (Requirement, "enterprise_id"),
    "line": (RequirementLine, "requirement__enterprise_id"),
}

_lock = threading.RLock()
_market: list[Market] = []


def current() -> Market:
    """The market of this process, brought up to now. A web process builds or loads it with the first "why"."""
    with _lock:
        if _market and _market[0].is_current():
            _market[0].follow()
        else:
            _market[:] = [Market()]
        return _market[0]


@contextmanager
def alone() -> Iterator[Market]:
    """The same, standing still for one thread of a web process: another one would bring it up to now meanwhile."""
    with _lock:
        yield current()


def forget() -> None:
    """Drop what is kept: for tests, whose rows vanish without a trace, and after bulk writes past the feed."""
    with _lock:
        _market.clear()


def warm() -> None:
    """Score a line ahead of the first shard, in a process that is about to fork: all that is read for it is shared."""
    # Hundreds of thousands of objects that all stay: looking for garbage among them finds none.
    gc.disable()
    try:
        with ThreadPoolExecutor(1) as beside:
            # Unpacking the encoder's weights needs no interpreter: meanwhile the index is read.
            read = beside.submit(encoder().inner.encode, [_SOME_LINE])
            known = current()
            for side in SIDES:
                known.index(side).refresh()
            read.result()
        shared = Weighting.objects.active().filter(province=None).first()
        if shared is not None:
            for side in SIDES:
                known.ranker(side, Weights(**shared.weights)).rank([Need(0, _SOME_LINE, "zh")], 1)
        known.taxonomy.suggest(_SOME_LINE, encoder(), 1)
    finally:
        gc.enable()
    # What stands is never garbage; looking through it would copy the shared pages.
    gc.freeze()


def compared() -> Iterator[str]:
    """All texts that the next run may compare: of offers, of open lines, and the words of categories."""
    known = current()
    for side in SIDES:
        for offer in known.index(side).offers.values():
            yield from (text.text for text in offer.texts)
    for line in RequirementLine.objects.scored().iterator():
        yield line.full_text
    for leaf in known.taxonomy.leaves:
        yield from leaf.terms


def need_of(line: RequirementLine) -> Need:
    """One line as a need."""
    return needs(RequirementLine.objects.filter(pk=line.pk), current().places)[line.pk]


# -- for pages ----------------------------------------------------------------------------------

_taxonomies: dict[str, Taxonomy] = {}


def taxonomy() -> Taxonomy:
    """The categories alone, for pages that suggest and highlight: no offers are read for them."""
    with _lock:
        if _market:
            return _market[0].taxonomy
        return _taxonomy_at(reference_state())


def _taxonomy_at(state: str) -> Taxonomy:
    """Kept by what it was read from: a market built anew takes the vectors of its words over."""
    if state not in _taxonomies:
        _taxonomies.clear()
        _taxonomies[state] = read_taxonomy()
    return _taxonomies[state]


def _read_terms(known: Taxonomy, shelf: Shelf | None) -> None:
    """The meaning of the words of categories: from the shelf where it lies there."""
    if known.has_vectors(encoder()) or (shelf is not None and shelf.load_terms(known, encoder())):
        return
    known.vectors(encoder())
    if shelf is not None:
        shelf.save_terms(known, encoder())


# Of a text that is pasted whole: what follows tells no more of what it is about.
LONGEST = 500


def suggest(text: str, k: int = 5) -> list[Suggestion]:
    """Categories for a text, best first. What somebody is still typing is read and not kept."""
    text = text.strip()[:LONGEST]
    if len(text) < 2:
        return []
    known = taxonomy()
    with _lock:
        if not known.has_vectors(encoder()):
            _read_terms(known, Shelf.of(encoder().version, reference_state(), known.fingerprint))
        return proposals.propose(known, text, encoder().inner, k)


def fitting(text: str, k: int) -> list[str]:
    """Codes of the categories a text speaks of, best first; none where probably nothing fits. The register knows this
    by its name in the settings."""
    found = suggest(text, k)
    return [] if proposals.is_doubtful(found) else [one.code for one in found]


def fitting_nothing(lines: QuerySet[RequirementLine]) -> list[int]:
    """Ids of the lines whose words no category holds: as far as words tell, a new one would be needed."""
    rows = list(lines)
    read = taxonomy().likely([line.full_text for line in rows], NoEncoder(), 1)
    return [line.pk for line, found in zip(rows, read, strict=True) if not found]


def warm_suggestions() -> None:
    """Reads what the first suggestion and the first marks need, in a web process that is about to fork: its children
    share the memory."""
    # The database may be away, or have no tables yet: whoever asks first waits a moment then.
    with suppress(DatabaseError):
        suggest(_SOME_LINE)
        highlights(_SOME_LINE, _SOME_LINE)


def highlights(line_text: str, offer_text: str) -> list[Aligned]:
    """Passages of two texts that mean the same."""
    return align(line_text, offer_text, taxonomy(), read_units())


def aligner() -> Callable[[str, str], list[Aligned]]:
    """The same for a page of many pairs: categories and units are read once."""
    known, units = taxonomy(), read_units()
    return lambda line_text, offer_text: align(line_text, offer_text, known, units)
