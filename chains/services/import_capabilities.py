"""Rows of a list of products and services, kept as drafts of one enterprise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from chains.models import Capability, CapabilityReference, Certification, Import, User
from chains.searchtext import fold
from chains.services import capabilities
from chains.services.import_rows import CapabilityDraft, Done, ReadRow, Trail


class Capabilities:
    """Drafts of one enterprise. One that is published is left as it is: what everybody sees changes by hand."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.trail = Trail(job, by)
        self.done = Done()
        self.new: list[tuple[Capability, CapabilityDraft, ReadRow]] = []
        self.changed: list[Capability] = []

    def keep(self, rows: Sequence[ReadRow]) -> Done:
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
                self.new.append((row, draft, read))
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
        likely = likely.prefetch_related(
            "categories", "cooperation_kinds", "certifications", "references"
        )
        rows = {row.pk: row for row in likely.select_for_update()}
        return {title: rows[named[title]] for title in wanted if title in named}

    def _write(self) -> None:
        Capability.objects.bulk_create([row for row, _draft, _read in self.new])
        self._relate_new()
        capabilities.write_documents([*(row for row, _draft, _read in self.new), *self.changed])
        for row, _draft, _read in self.new:
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

    def _relate_new(self) -> None:
        categories = Capability.categories.through
        kinds = Capability.cooperation_kinds.through
        held = Capability.certifications.through
        categories.objects.bulk_create(
            categories(capability_id=row.pk, category_id=category.pk)
            for row, draft, _read in self.new
            for category in draft.categories
        )
        kinds.objects.bulk_create(
            kinds(capability_id=row.pk, cooperationkind_id=kind.pk)
            for row, draft, _read in self.new
            for kind in draft.cooperation_kinds
        )
        held.objects.bulk_create(
            held(capability_id=row.pk, certification_id=one.pk)
            for row, draft, read in self.new
            for one in self._certificates(draft, read)
        )
        CapabilityReference.objects.bulk_create(
            reference
            for row, draft, _read in self.new
            for reference in capabilities.references_of(row, draft.references)
        )

    def _certificates(self, draft: CapabilityDraft, read: ReadRow) -> list[Certification]:
        found = []
        for kind in draft.certificates:
            if kind.pk in self._stated:
                found.append(self._stated[kind.pk])
            else:
                read.note(
                    _("%(code)s is not among the certificates the enterprise has stated: left out.")
                    % {"code": kind.code}
                )
        return found

    @cached_property
    def _stated(self) -> dict[int, Certification]:
        """Of each kind one that the enterprise has stated."""
        rows = capabilities.certificates_to_choose(self.job.enterprise)
        return {row.kind_id: row for row in rows}

    def _relate(self, row: Capability, draft: CapabilityDraft, read: ReadRow) -> set[str]:
        """What the file says beside the fields; what it leaves empty stays."""
        differing = set()
        for name, wanted in (
            ("categories", draft.categories),
            ("cooperation_kinds", draft.cooperation_kinds),
            ("certifications", self._certificates(draft, read)),
        ):
            relation = getattr(row, name)
            if wanted and {one.pk for one in wanted} != {one.pk for one in relation.all()}:
                relation.set(wanted)
                differing.add(name)
        if draft.references and capabilities.save_references(row, draft.references):
            differing.add("references")
        return differing

    def _update(self, row: Capability, draft: CapabilityDraft, read: ReadRow) -> None:
        if any(row is fresh for fresh, _draft, _read in self.new):
            read.note(_("The same title stands in a row above: kept once."))
            self.done.same += 1
            return
        if row.status != Capability.Status.DRAFT:
            read.note(_("A capability of this title is published already: left as it is."))
            self.done.same += 1
            return
        differing = self._apply(row, draft) | self._relate(row, draft, read)
        if not differing:
            self.done.same += 1
            return
        row.save()
        self.changed.append(row)
        self.done.changed += 1
        self.trail.note(
            "capability",
            row,
            "amended",
            enterprise=self.job.enterprise.public_id,
            fields=sorted(differing),
        )
