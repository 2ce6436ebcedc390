"""Files that become rows of the register: uploaded, their columns confirmed, read by a worker piece by piece."""

from __future__ import annotations

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, identity, notifications, permissions
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    Category,
    Change,
    Contact,
    Enterprise,
    EnterpriseAlias,
    Import,
    ImportRow,
    Region,
    Unit,
    User,
)
from chains.searchtext import fold
from chains.services.enterprises import search_document
from chains.services.requirement_writing import LineDraft
from chains.spreadsheets import MAX_BYTES, Layout, Proposal

Status = Import.Status
TASK = "chains.tasks.read_import"
# A message that never came to an end is given up after so many workers.
ATTEMPTS = 6
# Rows that could not be kept are there to be put right for so long.
KEPT_DAYS = 14


@dataclass(slots=True)
class Person:
    name: str  # "" where the file names nobody: such a one is never taken for another
    phone: str = ""
    email: str = ""
    job_title: str = ""


@dataclass(slots=True)
class EnterpriseDraft:
    name: str
    number: str | None = None
    number_confirmed: bool = False
    former: list[str] = field(default_factory=list)
    region: Region | None = None
    kind: str = ""
    people: list[Person] = field(default_factory=list)
    # name_en, address, summary, website: what the file says of them, and only that.
    profile: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CapabilityDraft:
    titles: dict[str, str]  # title_zh, title_en, text_zh, text_en
    categories: list[Category] = field(default_factory=list)
    yearly_capacity: Decimal | None = None
    unit: Unit | None = None
    # lead_time_days, sample_days, is_new, valid_until_on
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ReadRow:
    """One row of the file as read; without a draft it was not good enough."""

    number: int
    draft: EnterpriseDraft | CapabilityDraft | LineDraft | None
    cells: dict[str, str]
    notes: list[dict[str, str]]

    def note(self, sentence: str) -> None:
        self.notes.append({"column": "", "header": "", "sentence": sentence})


# --- The file on its way ------------------------------------------------------------------------------


@transaction.atomic
def upload(
    *,
    kind: str,
    enterprise: Enterprise,
    file_name: str,
    content: bytes,
    proposal: Proposal,
    by: User,
    key: str = "",
) -> Import:
    """Keep a file that could be read, with what its columns are taken for. Sent again under the same `key` it is the
    one that was kept."""
    _check_right(kind, enterprise, by)
    if len(content) > MAX_BYTES:
        raise DomainError(_("The file is too large. Split it."), code="file.too_big")
    sha256 = hashlib.sha256(content).hexdigest()
    if key:
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
        sent = Import.objects.filter(asked_by=by, key=key).defer("content").first()
        if sent is not None:
            if (sent.kind, sent.enterprise_id, sent.sha256) == (kind, enterprise.pk, sha256):
                return sent
            raise DomainError(
                _("Something else was sent under this key. Use a new key for new rows."),
                code="import.key_taken",
            )
    job = Import.objects.create(
        kind=kind,
        enterprise=enterprise,
        asked_by=by,
        file_name=" ".join(file_name.split())[:200],
        content=content,
        layout=_layout_data(proposal.layout, {}, {}),
        rows_total=proposal.row_count,
        key=key,
        sha256=sha256,
    )
    audit.record(by, "import.uploaded", job, kind=kind, size=len(content))
    changes.record("import", job, "uploaded")
    return job


def _check_right(kind: str, enterprise: Enterprise, by: User) -> None:
    if kind == Import.Kind.CAPABILITIES:
        allowed = permissions.can_edit(by, enterprise)
    elif kind == Import.Kind.LINES:
        allowed = permissions.can_post_for(by, enterprise)
    else:
        allowed = any(role.body_id == enterprise.pk for role in by.organiser_roles)
    if not allowed:
        raise DomainError(
            _("Lists of enterprises are imported by organisers, capabilities by their enterprise."),
            code="import.forbidden",
        )


def _layout_data(layout: Layout, heads: dict[int, str], chosen: dict[str, str]) -> dict[str, Any]:
    return {
        "heads": {str(place): title for place, title in heads.items()},
        "sheet": layout.sheet,
        "first": layout.first,
        "depth": layout.depth,
        "fields": {str(place): name for place, name in layout.fields.items()},
        "chosen": chosen,
    }


@transaction.atomic
def start(
    *, job: Import, layout: Layout, heads: dict[int, str], chosen: dict[str, str], by: User
) -> Import:
    """Have the file read with these columns. `heads` is what the file calls them, `chosen` (folded title → field) is
    remembered for the next one."""
    job = _locked(job, by)
    if job.status != Status.UPLOADED:
        return job  # pressed twice
    job.layout = _layout_data(layout, heads, chosen)
    job.status = Status.QUEUED
    job.save(update_fields=["layout", "status", "updated_at"])
    audit.record(by, "import.asked_to_be_read", job, fields=sorted(set(layout.fields.values())))
    changes.record("import", job, "queued")
    ring(TASK, job.pk)
    return job


@transaction.atomic
def settle(
    *, job: Import, layout: Layout, heads: dict[int, str], chosen: dict[str, str], by: User
) -> Import:
    """The file was read at once, where the person looked at its columns; what was chosen is remembered."""
    job = _locked(job, by)
    if not job.has_ended:
        job.layout = _layout_data(layout, heads, chosen)
        job.save(update_fields=["layout"])
        _end(job, Status.DONE, by)
    return job


def layout_of(job: Import) -> Layout:
    data = job.layout
    fields = {int(place): name for place, name in data["fields"].items()}
    return Layout(data["sheet"], data["first"], data["depth"], fields)


def remembered(kind: str, enterprise: Enterprise) -> dict[str, str]:
    """What this body has chosen for columns of such files before; the last word holds."""
    before = Import.objects.filter(kind=kind, enterprise=enterprise)
    chosen: dict[str, str] = {}
    for layout in before.order_by("-pk").values_list("layout", flat=True)[:20]:
        chosen = {**layout.get("chosen", {}), **chosen}
    return chosen


@transaction.atomic
def pause(*, job: Import, by: User | None = None) -> None:
    """Let other work go first: the next worker goes on where this one stopped."""
    Import.objects.filter(pk=job.pk, status=Status.RUNNING).update(lease_until=None)
    audit.record(by, "import.paused", job, rows=job.rows_done)
    changes.record("import", job, "paused")
    ring(TASK, job.pk)


@transaction.atomic
def discard(*, job: Import, by: User) -> Import:
    """Drop the file before it is read; what has been kept of one that is being read stays."""
    job = _locked(job, by)
    if job.has_ended:
        return job
    _end(job, Status.DISCARDED, by)
    return job


def _locked(job: Import, by: User) -> Import:
    job = (
        Import.objects.select_for_update(of=("self",))
        .defer("content")
        .select_related("enterprise", "asked_by")
        .get(pk=job.pk)
    )
    if job.asked_by_id != by.pk:
        raise DomainError(_("Somebody else has uploaded this file."), code="import.forbidden")
    _check_right(job.kind, job.enterprise, by)
    return job


def _end(job: Import, status: str, by: User | None, error: str = "") -> None:
    job.status, job.error = status, error[:300]
    job.content, job.lease_until, job.finished_at = b"", None, timezone.now()
    job.save(
        update_fields=["status", "error", "content", "lease_until", "finished_at", "updated_at"]
    )
    audit.record(
        by,
        f"import.{'given_up_as_failed' if status == Status.FAILED else status}",
        job,
        created=job.created_count,
        changed=job.changed_count,
        same=job.same_count,
        bad=job.bad_count,
    )
    changes.record("import", job, status)


@transaction.atomic
def finish(*, job: Import, by: User | None = None) -> None:
    """The last row has been read."""
    _end(job, Status.DONE, by)
    if job.rows_total > SMALL:
        _tell(job)


# A file that is read while the person waits needs no letter.
SMALL = 300


@transaction.atomic
def fail(*, job: Import, error: str, by: User | None = None) -> None:
    """The file as a whole cannot be read any further; what was kept stays, and is found again the next time."""
    _end(job, Status.FAILED, by, error)
    _tell(job)


def _tell(job: Import) -> None:
    context: dict[str, Any] = {"import": job.public_id}
    notifications.post(job.asked_by, "import_done", **context)


def sweep() -> list[int]:
    """Those that wait for a worker although their ring or worker was lost; gives up what has cost too many."""
    waiting = list(
        Import.objects.waiting().defer("content").select_related("asked_by", "enterprise")
    )
    for job in waiting:
        if job.attempts >= ATTEMPTS:
            fail(job=job, error=_("Reading broke off several times. Split the file."))
    old = timezone.now() - datetime.timedelta(days=KEPT_DAYS)
    ImportRow.objects.filter(job__finished_at__lt=old).delete()
    abandoned = Import.objects.filter(status=Status.UPLOADED, created_at__lt=old).defer("content")
    for job in abandoned.select_related("asked_by", "enterprise")[:50]:
        with transaction.atomic():
            _end(job, Status.DISCARDED, None)
    return [job.pk for job in waiting if not job.has_ended]


# --- A piece of it ------------------------------------------------------------------------------------


def keep(
    *, job: Import, rows: Sequence[ReadRow], total: int, lease: datetime.timedelta, by: User
) -> None:
    """Keep the next rows, all in one transaction with how far the file has come: a worker that is killed leaves no row
    half written and repeats none."""
    for last in (False, True):
        try:
            with transaction.atomic():
                _keep(job, rows, total, lease, by)
        except IntegrityError:
            # Somebody registered one of these numbers in this moment: now it is found.
            if last:
                raise
        else:
            return


def _keep(
    job: Import, rows: Sequence[ReadRow], total: int, lease: datetime.timedelta, by: User
) -> None:
    stored = Import.objects.select_for_update().defer("content").get(pk=job.pk)
    if stored.has_ended:
        raise DomainError(_("The import has been discarded meanwhile."), code="import.ended")
    _check_right(job.kind, job.enterprise, by)
    good = [row for row in rows if row.draft is not None]
    keeper = (
        _Enterprises(job, by) if job.kind == Import.Kind.ENTERPRISES else _Capabilities(job, by)
    )
    done = keeper.keep(good)
    ImportRow.objects.bulk_create(
        ImportRow(
            job=job,
            number=row.number,
            is_kept=row.draft is not None,
            cells=row.cells if row.draft is None else {},
            notes=row.notes,
        )
        for row in rows
        if row.notes
    )
    job.rows_total = total
    job.rows_done = stored.rows_done + len(rows)
    job.created_count = stored.created_count + done.created
    job.changed_count = stored.changed_count + done.changed
    job.same_count = stored.same_count + done.same
    job.bad_count = stored.bad_count + len(rows) - len(good)
    job.lease_until, job.attempts = timezone.now() + lease, 0
    job.save(
        update_fields=[
            "rows_total", "rows_done", "created_count", "changed_count", "same_count", "bad_count",
            "lease_until", "attempts", "updated_at",
        ]
    )  # fmt: skip


@dataclass(slots=True)
class _Done:
    created: int = 0
    changed: int = 0
    same: int = 0


class _Trail:
    """One line and one fact for each row, written together."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.entries: list[AuditEntry] = []
        self.facts: list[Change] = []

    def note(self, noun: str, row: Enterprise | Capability, verb: str, **data: Any) -> None:
        data["import"] = self.job.public_id
        self.entries.append(
            AuditEntry(
                actor=self.by.pk, action=f"{noun}.{verb}", target=audit.label(row), data=data
            )
        )
        self.facts.append(Change(noun=noun, target=row.public_id, verb=verb))

    def write(self) -> None:
        AuditEntry.objects.bulk_create(self.entries)
        Change.objects.bulk_create(self.facts)
        if self.facts:
            changes.announce()


# --- Enterprises --------------------------------------------------------------------------------------


class _Enterprises:
    """Known enterprises, unclaimed until somebody of theirs comes. Those that have members are left as they are."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.trail = _Trail(job, by)
        self.done = _Done()
        self.provinces = {region.code: region for region in Region.objects.provinces()}
        self.new: list[tuple[Enterprise, EnterpriseDraft]] = []
        self.changed: list[Enterprise] = []
        self.aliases: list[EnterpriseAlias] = []
        self.people: list[Contact] = []
        self.moved: list[Contact] = []

    def keep(self, rows: Sequence[ReadRow]) -> _Done:
        drafts = [(row, row.draft) for row in rows if isinstance(row.draft, EnterpriseDraft)]
        numbers = self._by_number([draft for _row, draft in drafts])
        names = self._by_name([draft for _row, draft in drafts])
        made: dict[str, Enterprise] = {}
        for row, draft in drafts:
            normal = identity.normalise_name(draft.name)
            found = numbers.get(draft.number or "") or self._alike(draft, names[normal], row)
            twin = made.get(normal)
            if twin is not None and draft.number not in (None, twin.number):
                twin = None
            if found is None and twin is not None:
                row.note(_("The same name stands in a row above: kept once."))
                self.done.same += 1
            elif found is None:
                made[normal] = self._create(draft)
            elif found.status != Enterprise.Status.UNCLAIMED:
                row.note(
                    _("It is on the register already and looks after its own data: left as it is.")
                )
                self.done.same += 1
            elif not self._may_change(found):
                row.note(_("Another desk knows this enterprise: left as it is."))
                self.done.same += 1
            else:
                self._update(found, draft, row)
        self._write()
        return self.done

    def _by_number(self, drafts: Iterable[EnterpriseDraft]) -> dict[str, Enterprise]:
        wanted = {draft.number for draft in drafts if draft.number}
        rows = (
            Enterprise.objects.filter(scheme=Enterprise.Scheme.USCC, country="CN")
            .annotate(capitals=Upper("number"))
            .filter(capitals__in=wanted)
            .exclude(status=Enterprise.Status.MERGED)
        )
        return {row.number.upper(): row for row in self._along(rows) if row.number}

    def _by_name(self, drafts: Iterable[EnterpriseDraft]) -> dict[str, list[Enterprise]]:
        """By every spelling it goes under, former names included."""
        wanted = {identity.normalise_name(draft.name) for draft in drafts} - {""}
        named = EnterpriseAlias.objects.filter(normalised__in=wanted).values("enterprise")
        rows = Enterprise.objects.filter(pk__in=named).exclude(status=Enterprise.Status.MERGED)
        found: dict[str, list[Enterprise]] = defaultdict(list)
        for row in self._along(rows):
            for alias in row.aliases.all():
                if alias.normalised in wanted:
                    found[alias.normalised].append(row)
        return found

    def _along(self, rows: Any) -> list[Enterprise]:
        return list(
            rows.select_related("region")
            .prefetch_related("aliases", "contacts")
            .select_for_update(of=("self",))
            .order_by("pk")
        )

    def _alike(
        self, draft: EnterpriseDraft, named: list[Enterprise], row: ReadRow
    ) -> Enterprise | None:
        """The one of this name, unless both have numbers and the numbers differ: then they are two bodies."""
        same = [one for one in named if not (draft.number and one.number)]
        if len(same) == 1:
            return same[0]
        if len(same) > 1:
            row.note(
                _("Several enterprises of the register have this name; it was kept beside them.")
            )
        elif named:
            row.note(
                _(
                    "An enterprise of this name stands under another number: kept beside it. Are they one?"
                )
            )
        return None

    def _may_change(self, enterprise: Enterprise) -> bool:
        return enterprise.region is None or permissions.covers(self.by, enterprise.region)

    def _place(self, region: Region | None) -> dict[str, Any]:
        province = self.provinces.get(region.province_code or "") if region else None
        return {"region": region, "province": province}

    def _create(self, draft: EnterpriseDraft) -> Enterprise:
        row = Enterprise(
            name=draft.name,
            number=draft.number,
            number_confirmed=draft.number_confirmed,
            kind_id=draft.kind or "enterprise",
            status=Enterprise.Status.UNCLAIMED,
            **self._place(draft.region),
            **draft.profile,
        )
        self.new.append((row, draft))
        self.done.created += 1
        return row

    def _update(self, row: Enterprise, draft: EnterpriseDraft, read: ReadRow) -> None:
        fields = {name: value for name, value in draft.profile.items() if value}
        if draft.number and not row.number:
            fields["number"] = draft.number
        if draft.kind:
            fields["kind_id"] = draft.kind
        if draft.name != row.name:
            fields["name"] = draft.name
        differing = {name for name, value in fields.items() if getattr(row, name) != value}
        if draft.region is not None and row.region_id != draft.region.pk:
            differing.add("region")
            fields |= self._place(draft.region)
        if "name" in differing:
            read.note(
                _("On the register it was called %(name)s; that name is kept as an alias.")
                % {"name": row.name}
            )
        for name in fields:
            setattr(row, name, fields[name])
        self._call(row, draft, {alias.normalised for alias in row.aliases.all()}, differing)
        self._reach(row, draft.people, list(row.contacts.all()), differing)
        if not differing:
            self.done.same += 1
            return
        self.done.changed += 1
        self._document(row, [*(a.text for a in row.aliases.all()), *draft.former])
        self.changed.append(row)
        self.trail.note("enterprise", row, "edited", fields=sorted(differing))

    def _call(
        self, row: Enterprise, draft: EnterpriseDraft, known: set[str], differing: set[str]
    ) -> None:
        """Every spelling as an alias: search and the next import find it by each."""
        kinds = EnterpriseAlias.Kind
        spellings = [
            (row.name, kinds.EN if row.name.isascii() else kinds.ZH),
            (row.name_en, kinds.EN),
        ]
        spellings += [(text, kinds.FORMER) for text in draft.former]
        for text, kind in spellings:
            normalised = identity.normalise_name(text)[:200] if text else ""
            if normalised and normalised not in known:
                known.add(normalised)
                differing.add("aliases")
                self.aliases.append(
                    EnterpriseAlias(
                        enterprise=row, text=text[:200], normalised=normalised, kind=kind
                    )
                )

    def _reach(
        self, row: Enterprise, people: Sequence[Person], held: list[Contact], differing: set[str]
    ) -> None:
        for person in people:
            ways = {"phone": person.phone, "email": person.email, "job_title": person.job_title}
            ways = {name: value for name, value in ways.items() if value}
            known = _known_person(person, held)
            if known is None:
                name = person.name or "联系人"
                fresh = Contact(enterprise=row, name=name, **ways)
                held.append(fresh)
                self.people.append(fresh)
                differing.add("contacts")
            elif any(getattr(known, name) != value for name, value in ways.items()):
                for name, value in ways.items():
                    setattr(known, name, value)
                if known.pk:
                    self.moved.append(known)
                differing.add("contacts")

    def _document(self, row: Enterprise, aliases: list[str]) -> None:
        row.search_text = search_document(row, aliases)
        row.sort_key = identity.sort_key(row.name)

    def _write(self) -> None:
        for row, draft in self.new:
            self._document(row, draft.former)
        Enterprise.objects.bulk_create([row for row, _draft in self.new])
        for row, draft in self.new:
            self._call(row, draft, set(), set())
            self._reach(row, draft.people, [], set())
            self.trail.note("enterprise", row, "listed")
        now = timezone.now()
        for row in self.changed:
            row.updated_at = now
        Enterprise.objects.bulk_update(
            self.changed,
            ["name", "name_en", "number", "kind", "region", "province", "address", "summary", "summary_language",
             "website", "search_text", "sort_key", "updated_at"],
        )  # fmt: skip
        EnterpriseAlias.objects.bulk_create(self.aliases)
        Contact.objects.bulk_create(self.people)
        Contact.objects.bulk_update(self.moved, ["phone", "email", "job_title"])
        self.trail.write()


def _known_person(person: Person, held: Iterable[Contact]) -> Contact | None:
    """By telephone or e-mail, else by name: a person without one is nobody's namesake."""
    held = [one for one in held if one.is_active]
    for one in held:
        if person.phone and person.phone == one.phone:
            return one
        if person.email and person.email.lower() == one.email.lower():
            return one
    return next((one for one in held if person.name and fold(person.name) == fold(one.name)), None)


# --- Capabilities -------------------------------------------------------------------------------------


class _Capabilities:
    """Drafts of one enterprise. One that is published is left as it is: what everybody sees changes by hand."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.trail = _Trail(job, by)
        self.done = _Done()
        self.new: list[tuple[Capability, CapabilityDraft]] = []

    def keep(self, rows: Sequence[ReadRow]) -> _Done:
        held = self._held([row.draft for row in rows])
        for read in rows:
            draft = read.draft
            if not isinstance(draft, CapabilityDraft):
                continue
            titles = [fold(draft.titles.get(name, "")) for name in ("title_zh", "title_en")]
            found = next((held[title] for title in titles if title in held), None)
            if found is None:
                row = Capability(enterprise=self.job.enterprise)
                self._apply(row, draft)
                self.new.append((row, draft))
                held |= {title: row for title in titles if title}
                self.done.created += 1
            else:
                self._update(found, draft, read)
        self._write()
        return self.done

    def _held(self, drafts: Iterable[object]) -> dict[str, Capability]:
        """Of what the enterprise has, those these rows name, by their titles; the latest of two."""
        wanted = {
            fold(draft.titles.get(name, ""))
            for draft in drafts
            if isinstance(draft, CapabilityDraft)
            for name in ("title_zh", "title_en")
        }
        known = Capability.objects.filter(enterprise=self.job.enterprise_id).order_by("pk")
        named = {
            fold(title): pk
            for pk, *titles in known.values_list("pk", "title_zh", "title_en")
            for title in titles
            if title
        }
        likely = known.filter(pk__in={named[title] for title in wanted if title in named})
        rows = {row.pk: row for row in likely.prefetch_related("categories").select_for_update()}
        return {title: rows[named[title]] for title in wanted if title in named}

    def _write(self) -> None:
        Capability.objects.bulk_create([row for row, _draft in self.new])
        through = Capability.categories.through
        through.objects.bulk_create(
            through(capability_id=row.pk, category_id=category.pk)
            for row, draft in self.new
            for category in draft.categories
        )
        for row, _draft in self.new:
            self.trail.note("capability", row, "drafted", enterprise=self.job.enterprise.public_id)
        self.trail.write()

    def _apply(self, row: Capability, draft: CapabilityDraft) -> set[str]:
        """What the file says; what it leaves empty stays."""
        values: dict[str, Any] = {**draft.titles, **draft.facts}
        if draft.yearly_capacity is not None:
            values |= {"yearly_capacity": draft.yearly_capacity, "unit": draft.unit}
        values = {name: value for name, value in values.items() if value not in ("", None)}
        differing = {name for name, value in values.items() if getattr(row, name) != value}
        for name in differing:
            setattr(row, name, values[name])
        return differing

    def _update(self, row: Capability, draft: CapabilityDraft, read: ReadRow) -> None:
        if any(row is fresh for fresh, _draft in self.new):
            read.note(_("The same title stands in a row above: kept once."))
            self.done.same += 1
            return
        if row.status != Capability.Status.DRAFT:
            read.note(_("A capability of this title is published already: left as it is."))
            self.done.same += 1
            return
        differing = self._apply(row, draft)
        wanted = {category.pk for category in draft.categories}
        if wanted and wanted != {category.pk for category in row.categories.all()}:
            row.categories.set(draft.categories)
            differing.add("categories")
        if not differing:
            self.done.same += 1
            return
        row.save()
        self.done.changed += 1
        self.trail.note(
            "capability",
            row,
            "amended",
            enterprise=self.job.enterprise.public_id,
            fields=sorted(differing),
        )
