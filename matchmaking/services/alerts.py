"""What a person hears of without looking: saved searches and what fits, in the rhythm they chose for each topic."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, sweeping
from chains.errors import DomainError
from chains.models import Enterprise, Membership, Preference, Requirement, User
from matchmaking.models import Alert, DeadlineFeed, Digest, Dismissal, Interest, Match, SavedSearch
from matchmaking.models.alerts import FOR_YOU
from matchmaking.search import RequirementSearch

Rhythm = Preference.Rhythm

MORNING = datetime.time(8)
# How far back a letter looks. Longer than its rhythm, so that a sender that was away misses nothing; what was told
# is not told again.
_LOOKS_BACK = {
    Rhythm.AT_ONCE: datetime.timedelta(days=3),
    Rhythm.DAILY: datetime.timedelta(days=4),
    Rhythm.WEEKLY: datetime.timedelta(days=11),
}
# Days left when somebody who was told and did nothing is reminded: once at each.
REMINDED_AT = (7, 2)
_REST = datetime.timedelta(days=2)
BATCH = 200
# Of one letter; it shows the first of them and says how many there are.
MOST = 100

Pair = tuple[int, int]


# -- topics -----------------------------------------------------------------------------------------


@transaction.atomic
def save_search(*, address: str, name: str, by: User, rhythm: str = Rhythm.DAILY) -> SavedSearch:
    """Keep a state of the catalogue. The same state again is the one that is kept, with the new name."""
    query = RequirementSearch.at(address).address
    name = " ".join(name.split())[:80] or _("All requirements")
    if len(query) > 1000:
        raise DomainError(
            _("This search is too long to keep. Choose fewer filters."),
            code="search.too_long",
            field="query",
        )
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    found = SavedSearch.objects.filter(user=by, query=query).first()
    if found is None:
        if SavedSearch.objects.filter(user=by).count() >= SavedSearch.MOST:
            raise DomainError(
                _("You keep %(most)d searches already. Delete one first.")
                % {"most": SavedSearch.MOST},
                code="search.too_many",
            )
        found = SavedSearch.objects.create(user=by, query=query, name=name)
        verb = "saved"
    elif found.name != name:
        found.name = name
        found.save(update_fields=["name", "updated_at"])
        verb = "renamed"
    else:
        verb = ""
    _set(found.public_id, rhythm, by)
    if verb:
        audit.record(by, f"search.{verb}", found)
        changes.record("search", found, verb)
    return found


@transaction.atomic
def delete_search(*, search: SavedSearch, by: User) -> None:
    """Nothing more is told of it. What it found before is not told again by another topic either."""
    if search.user_id != by.pk:
        raise DomainError(_("This search belongs to somebody else."), code="search.forbidden")
    audit.record(by, "search.deleted", search)
    changes.record("search", search, "deleted")
    Preference.objects.filter(user=by, topic=search.public_id).delete()
    search.delete()


@transaction.atomic
def choose(*, topic: str, rhythm: str, by: User) -> Preference:
    """How often a person hears of a topic of theirs."""
    known = (
        topic == FOR_YOU or SavedSearch.objects.filter(user=by, public_id=topic or None).exists()
    )
    if not known:
        raise DomainError(_("There is no such topic."), code="preference.topic")
    return _set(topic, rhythm, by)


@transaction.atomic
def stop(*, digest: Digest, by: User) -> list[Preference]:
    """Never again of the topics of this letter: asked by its reader, signed in or not."""
    if digest.user_id != by.pk:
        raise DomainError(_("This letter was not for you."), code="preference.forbidden")
    topics = {alert.topic for alert in Alert.objects.filter(digest=digest).select_related("search")}
    return [_set(topic, Rhythm.NEVER, by) for topic in sorted(topics) if topic]


@transaction.atomic
def renew_calendar(*, by: User) -> DeadlineFeed:
    """A private address for the person's calendar of deadlines; the one before opens nothing any more."""
    feed, is_new = DeadlineFeed.objects.select_for_update().get_or_create(user=by)
    if not is_new:
        feed.serial += 1
        feed.save(update_fields=["serial", "updated_at"])
    audit.record(by, "calendar.renewed", feed)
    changes.record("calendar", feed, "renewed")
    return feed


def _set(topic: str, rhythm: str, by: User) -> Preference:
    if rhythm not in Rhythm.values:
        raise DomainError(_("Choose how often."), code="preference.rhythm")
    row, is_new = Preference.objects.select_for_update().get_or_create(
        user=by, topic=topic, defaults={"rhythm": rhythm}
    )
    if not is_new and row.rhythm == rhythm:
        return row
    if not is_new:
        if row.rhythm == Rhythm.NEVER:
            row.since = timezone.now()
        row.rhythm = rhythm
        row.save(update_fields=["rhythm", "since", "updated_at"])
    audit.record(by, "preference.set", row, topic=topic, rhythm=rhythm)
    changes.record("preference", row, "set")
    return row


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of one person, with the rhythm that holds for it."""

    name: str
    rhythm: str
    since: datetime.datetime | None = None
    search: SavedSearch | None = None


def topics_of(user: User) -> list[Topic]:
    """What the person may hear of: what fits their enterprises first, then each saved search."""
    return _topics([user])[user.pk]


def _topics(users: Collection[User]) -> dict[int, list[Topic]]:
    ids = [user.pk for user in users]
    chosen = {(row.user_id, row.topic): row for row in Preference.objects.filter(user__in=ids)}
    editors = set(
        Membership.objects.active()
        .filter(user__in=ids, role__in=[Membership.Role.OWNER, Membership.Role.EDITOR])
        .values_list("user_id", flat=True)
    )
    found: dict[int, list[Topic]] = {}
    for pk in ids:
        row = chosen.get((pk, FOR_YOU))
        usual = Rhythm.DAILY if pk in editors else Rhythm.NEVER
        found[pk] = [Topic(FOR_YOU, row.rhythm if row else usual, row.since if row else None)]
    for search in SavedSearch.objects.filter(user__in=ids):
        row = chosen.get((search.user_id, search.public_id))
        found[search.user_id].append(
            Topic(
                search.public_id,
                row.rhythm if row else Rhythm.DAILY,
                row.since if row else search.created_at,
                search,
            )
        )
    return found


# -- sending ----------------------------------------------------------------------------------------


def last_morning(now: datetime.datetime, rhythm: str) -> datetime.datetime:
    """Until when a letter of this rhythm tells: eight o'clock of a day, or of a Monday, that has come."""
    local = timezone.localtime(now)
    day = local.date() if local.time() >= MORNING else local.date() - datetime.timedelta(days=1)
    if rhythm == Rhythm.WEEKLY:
        day -= datetime.timedelta(days=day.weekday())
    return timezone.make_aware(datetime.datetime.combine(day, MORNING))


def send_digests(*, by: User | None = None) -> int:
    """The letters of this morning and of this week's Monday; how many could not be written. Sent again they find what
    has been told, and those who wanted to hear at once hear what a fault or a lost ring has kept from them."""
    now = timezone.now()
    until: dict[str, datetime.datetime] = {
        rhythm: last_morning(now, rhythm) for rhythm in (Rhythm.DAILY, Rhythm.WEEKLY)
    }
    return _send(_readers(), until | {Rhythm.AT_ONCE: now}, by, remind=True)


def send_at_once(*, by: User | None = None) -> int:
    """What has come up since for those who want to hear at once; how many letters could not be written."""
    wanting = Preference.objects.filter(rhythm=Rhythm.AT_ONCE).values("user")
    readers = _readers().filter(pk__in=wanting)
    return _send(readers, {Rhythm.AT_ONCE: timezone.now()}, by, remind=False)


def _readers() -> QuerySet[User]:
    """Who can have a topic at all."""
    member = Membership.objects.active().filter(user=OuterRef("pk"))
    searching = SavedSearch.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(Exists(member) | Exists(searching), is_active=True).order_by("pk")


def _send(
    readers: QuerySet[User],
    until: Mapping[str, datetime.datetime],
    by: User | None,
    *,
    remind: bool,
) -> int:
    searched = _Searched(min(until.values()) - max(_LOOKS_BACK.values()))

    def tell(users: Sequence[User]) -> bool:
        drafts = _drafts(users, until, searched, remind=remind)
        if wanted := [draft for draft in drafts if draft.found or draft.due]:
            _post(wanted, by)
        return True

    # A letter that cannot be written keeps nobody else's: where a batch fails its readers are told one by one.
    return sum(
        len(users) - sweeping.each([[user] for user in users], tell)
        for users in _batches(readers)
        if not sweeping.each([users], tell)
    )


def _batches(readers: QuerySet[User]) -> Iterator[list[User]]:
    last = 0
    while users := list(readers.filter(pk__gt=last)[:BATCH]):
        yield users
        last = users[-1].pk


@dataclass(slots=True)
class Find:
    """Why a person is told of a requirement."""

    cause: str
    search: SavedSearch | None = None
    tenths: int | None = None


@dataclass(slots=True)
class _Draft:
    """A letter to be: what is new, by requirement, and what the person is reminded of."""

    user: User
    found: dict[int, Find] = field(default_factory=dict)
    due: list[int] = field(default_factory=list)


class _Searched:
    """What each state of the catalogue has found lately; many people keep the same."""

    def __init__(self, since: datetime.datetime) -> None:
        self._since = since
        self._kept: dict[str, list[tuple[int, datetime.datetime]]] = {}

    def by(self, query: str) -> list[tuple[int, datetime.datetime]]:
        if query not in self._kept:
            rows = RequirementSearch.at(query).filtered().filter(published_at__gte=self._since)
            self._kept[query] = [
                (pk, at) for pk, at in rows.values_list("pk", "published_at") if at is not None
            ]
        return self._kept[query]


def _drafts(
    users: Sequence[User],
    until: Mapping[str, datetime.datetime],
    searched: _Searched,
    *,
    remind: bool,
) -> list[_Draft]:
    topics = _topics(users)
    enterprises = _enterprises(users)
    drafts = {user.pk: _Draft(user) for user in users}
    fitting = _fitting(enterprises, topics, until)
    for user in users:
        for topic in topics[user.pk]:
            if topic.rhythm not in until:
                continue
            if topic.search is None:
                finds = fitting.get(user.pk, [])
            else:
                finds = [(pk, at, None) for pk, at in searched.by(topic.search.query)]
            end = until[topic.rhythm]
            begin = end - _LOOKS_BACK[Rhythm(topic.rhythm)]
            begin = max(begin, topic.since) if topic.since else begin
            cause = Alert.Cause.FOR_YOU if topic.search is None else Alert.Cause.SEARCH
            for pk, at, tenths in finds:
                if begin <= at <= end:
                    # The first topic that finds it tells of it: one's own matches, then searches in their order.
                    drafts[user.pk].found.setdefault(pk, Find(cause, topic.search, tenths))
    if remind:
        _add_reminders(drafts, topics, until)
    _leave_out(drafts, enterprises)
    return list(drafts.values())


def _enterprises(users: Sequence[User]) -> dict[int, list[Enterprise]]:
    found: dict[int, list[Enterprise]] = defaultdict(list)
    rows = Membership.objects.active().filter(user__in=[user.pk for user in users])
    for row in rows.select_related("enterprise").order_by("pk"):
        found[row.user_id].append(row.enterprise)
    return found


def _fitting(
    enterprises: Mapping[int, Sequence[Enterprise]],
    topics: Mapping[int, Sequence[Topic]],
    until: Mapping[str, datetime.datetime],
) -> dict[int, list[tuple[int, datetime.datetime, int | None]]]:
    """Requirements by person that fit an enterprise of theirs, since when and how well."""
    readers: dict[int, list[int]] = defaultdict(list)
    for user, own in enterprises.items():
        if topics[user][0].rhythm in until:
            for enterprise in own:
                if enterprise.is_verified:
                    readers[enterprise.pk].append(user)
    since = min(until.values()) - max(_LOOKS_BACK.values())
    rows = (
        Match.objects.suggested_among(readers)
        # Where the buyer wants so many interests and no more, suppliers are told in batches: services.waking.
        .filter(
            line__requirement__in=Requirement.objects.open()
            .filter(wanted_interests=None)
            .values("pk")
        )
        .filter(Q(score__created_at__gte=since) | Q(line__requirement__published_at__gte=since))
        .order_by("-tenths", "pk")
        .values_list(
            "supplier_id",
            "line__requirement_id",
            "tenths",
            "score__created_at",
            "line__requirement__published_at",
        )
    )
    found: dict[int, dict[int, tuple[int, datetime.datetime, int | None]]] = defaultdict(dict)
    for supplier, requirement, tenths, scored, published in rows:
        at = max(moment for moment in (scored, published) if moment is not None)
        for user in readers[supplier]:
            found[user].setdefault(requirement, (requirement, at, tenths))
    return {user: list(rows.values()) for user, rows in found.items()}


def _add_reminders(
    drafts: Mapping[int, _Draft],
    topics: Mapping[int, Sequence[Topic]],
    until: Mapping[str, datetime.datetime],
) -> None:
    """Who was told and did nothing hears once more when a week, and once when two days are left."""
    today = timezone.localdate()
    first, second = (today + datetime.timedelta(days=left) for left in REMINDED_AT)
    soon = Q(reminders=0, requirement__closes_on__lte=first) | Q(
        reminders=1, requirement__closes_on__lte=second
    )
    rows = (
        Alert.objects.filter(user__in=list(drafts))
        .filter(soon, requirement__in=Requirement.objects.open().values("pk"))
        .select_related("search")
    )
    for alert in rows:
        rhythm = next((t.rhythm for t in topics[alert.user_id] if t.name == alert.topic), "")
        # Whoever hears of news at once is reminded in the morning like the others.
        end = until.get(Rhythm.DAILY if rhythm == Rhythm.AT_ONCE else rhythm)
        if end is not None and alert.told_at <= end - _REST:
            drafts[alert.user_id].due.append(alert.requirement_id)


def _leave_out(
    drafts: Mapping[int, _Draft], enterprises: Mapping[int, Sequence[Enterprise]]
) -> None:
    """Nobody is told of their own house's, of what they have answered or dismissed, or twice of the same."""
    wanted = {pk for draft in drafts.values() for pk in (*draft.found, *draft.due)}
    if not wanted:
        return
    dealt = _dealt_with([e for own in enterprises.values() for e in own], wanted)
    houses = _houses(wanted)
    told = set(
        Alert.objects.filter(user__in=list(drafts), requirement__in=wanted).values_list(
            "user_id", "requirement_id"
        )
    )
    for user, draft in drafts.items():
        own = enterprises.get(user, ())
        ids = {enterprise.pk for enterprise in own}
        groups = {enterprise.group_id for enterprise in own} - {None}
        past = {
            pk
            for pk in {*draft.found, *draft.due}
            if any((one, pk) in dealt for one in ids)
            or houses[pk].bodies & ids
            or houses[pk].group in groups
        }
        draft.found = {
            pk: find
            for pk, find in draft.found.items()
            if pk not in past and (user, pk) not in told
        }
        draft.due = [pk for pk in draft.due if pk not in past]


def _dealt_with(enterprises: Collection[Enterprise], requirements: Collection[int]) -> set[Pair]:
    """Pairs of enterprise and requirement with an interest, also one taken back, or with a dismissal."""
    ids = {enterprise.pk for enterprise in enterprises}
    sent = Interest.objects.filter(enterprise__in=ids, requirement__in=requirements)
    dismissed = Dismissal.objects.filter(enterprise__in=ids, line__requirement__in=requirements)
    return {
        *sent.values_list("enterprise_id", "requirement_id"),
        *dismissed.values_list("enterprise_id", "line__requirement_id"),
    }


@dataclass(frozen=True, slots=True)
class _House:
    bodies: frozenset[int | None]
    group: int | None


def _houses(requirements: Collection[int]) -> dict[int, _House]:
    rows = Requirement.objects.filter(pk__in=requirements).values_list(
        "pk", "enterprise_id", "posted_by_id", "enterprise__group_id"
    )
    return {pk: _House(frozenset((owner, poster)), group) for pk, owner, poster, group in rows}


@dataclass(slots=True)
class Letter:
    """What one person is told in one letter."""

    user: User
    finds: list[tuple[int, Find]]
    due: list[Alert] = field(default_factory=list)


@transaction.atomic
def _post(drafts: Sequence[_Draft], by: User | None) -> None:
    """The letters of a batch. Their readers are held meanwhile: a second sender leaves them out, or finds that all has
    been told."""
    wanted = {draft.user.pk: draft for draft in drafts}
    readers = list(
        User.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    told = set(
        Alert.objects.filter(
            user__in=readers, requirement__in={pk for d in wanted.values() for pk in d.found}
        ).values_list("user_id", "requirement_id")
    )
    due: dict[int, list[Alert]] = defaultdict(list)
    waiting = Alert.objects.filter(
        user__in=readers,
        requirement__in={pk for d in wanted.values() for pk in d.due},
        told_at__lte=timezone.now() - datetime.timedelta(hours=12),
        reminders__lt=Alert.MOST_REMINDERS,
    )
    for alert in waiting.order_by("pk"):
        if alert.requirement_id in wanted[alert.user_id].due:
            due[alert.user_id].append(alert)
    letters = []
    for user in readers:
        found = wanted[user.pk].found.items()
        fresh = [(pk, find) for pk, find in found if (user.pk, pk) not in told]
        fresh.sort(key=lambda row: (-(row[1].tenths or 0), row[0]))
        if fresh or due[user.pk]:
            letters.append(Letter(user, fresh[:MOST], due[user.pk]))
    write(letters=letters, by=by)


def write(*, letters: Sequence[Letter], by: User | None = None) -> None:
    """Put letters into the outbox, and note of what they tell. One line in the trail for a batch, as for a run: each
    letter has its row, and its reader sees what stood in it."""
    if not letters:
        return
    digests = Digest.objects.bulk_create(Digest(user=letter.user) for letter in letters)
    now = timezone.now()
    reminded = []
    fresh = []
    for letter, digest in zip(letters, digests, strict=True):
        for pk, find in letter.finds:
            fresh.append(
                Alert(
                    user=letter.user, requirement_id=pk, digest=digest, cause=find.cause, search=find.search,
                    tenths=find.tenths, told_at=now,
                )
            )  # fmt: skip
        for alert in letter.due:
            alert.digest, alert.reminders, alert.told_at = digest, alert.reminders + 1, now
            reminded.append(alert)
    Alert.objects.bulk_create(fresh)
    Alert.objects.bulk_update(reminded, ["digest", "reminders", "told_at"])
    notifications.post_all(
        (
            (letter.user, {"digest": digest.public_id})
            for letter, digest in zip(letters, digests, strict=True)
        ),
        "alert_digest",
    )
    audit.record(
        by,
        "alerts.sent",
        digests[0],
        letters=len(digests),
        finds=len(fresh),
        reminders=len(reminded),
    )
    changes.record("alerts", digests[0], "sent")
