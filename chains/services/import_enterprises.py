"""Rows of a list of enterprises, kept as enterprises that are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import identity, permissions
from chains.models import Contact, Enterprise, EnterpriseAlias, Import, Region, User
from chains.searchtext import fold
from chains.services.enterprises import search_document
from chains.services.import_rows import Done, EnterpriseDraft, Person, ReadRow, Trail


class Enterprises:
    """Known enterprises, unclaimed until somebody of theirs comes. Those that have members are left as they are."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.trail = Trail(job, by)
        self.done = Done()
        self.provinces = {region.code: region for region in Region.objects.provinces()}
        self.new: list[tuple[Enterprise, EnterpriseDraft]] = []
        self.changed: list[Enterprise] = []
        self.aliases: list[EnterpriseAlias] = []
        self.people: list[Contact] = []
        self.moved: list[Contact] = []

    def keep(self, rows: Sequence[ReadRow]) -> Done:
        drafts = [(row, row.draft) for row in rows if isinstance(row.draft, EnterpriseDraft)]
        numbers = self._by_number([draft for _row, draft in drafts])
        names = self._by_name([draft for _row, draft in drafts])
        made: dict[str, Enterprise] = {}
        for row, draft in drafts:
            normal = identity.normalise_name(draft.name)
            found = numbers.get((draft.country or "CN", draft.number or "")) or self._alike(
                draft, names[normal], row
            )
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

    def _by_number(self, drafts: Iterable[EnterpriseDraft]) -> dict[tuple[str, str], Enterprise]:
        """By country and number."""
        wanted = {draft.number for draft in drafts if draft.number}
        rows = (
            Enterprise.objects.exclude(scheme=Enterprise.Scheme.OTHER)
            .annotate(capitals=Upper("number"))
            .filter(capitals__in=wanted)
            .exclude(status=Enterprise.Status.MERGED)
        )
        return {(row.country, row.number.upper()): row for row in self._along(rows) if row.number}

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
        same = [
            one
            for one in named
            if not (draft.number and one.number) and not self._is_elsewhere(one, draft)
        ]
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

    def _is_elsewhere(self, one: Enterprise, draft: EnterpriseDraft) -> bool:
        """Under a number of another country; without one, the country may have been unknown."""
        return bool(draft.country and one.number) and one.country != draft.country

    def _may_change(self, enterprise: Enterprise) -> bool:
        return enterprise.region is None or permissions.covers(self.by, enterprise.region)

    def _place(self, region: Region | None) -> dict[str, Any]:
        province = self.provinces.get(region.province_code or "") if region else None
        return {"region": region, "province": province}

    def _create(self, draft: EnterpriseDraft) -> Enterprise:
        row = Enterprise(
            name=draft.name,
            **draft.register,
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
        fields: dict[str, Any] = {name: value for name, value in draft.profile.items() if value}
        if not row.number:
            fields |= {"number": draft.number} if draft.number else {}
            fields |= draft.register if draft.country else {}
        fields |= {"kind_id": draft.kind} if draft.kind else {}
        fields |= {"name": draft.name} if draft.name != row.name else {}
        differing = {name for name, value in fields.items() if getattr(row, name) != value}
        moved = draft.region is not None or fields.get("country", "CN") != "CN"
        if moved and row.region_id != (draft.region.pk if draft.region else None):
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
            ["name", "name_en", "scheme", "country", "number", "kind", "region", "province", "address", "summary", "summary_language",
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
