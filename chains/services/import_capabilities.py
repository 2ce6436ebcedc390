"""Rows of a list of products and services, kept as drafts of one enterprise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from chains.models import Capability, Import, User
from chains.searchtext import fold
from chains.services.capabilities import write_documents
from chains.services.import_rows import CapabilityDraft, Done, ReadRow, Trail


class Capabilities:
    """Drafts of one enterprise. One that is published is left as it is: what everybody sees changes by hand."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.trail = Trail(job, by)
        self.done = Done()
        self.new: list[tuple[Capability, CapabilityDraft]] = []
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
        write_documents([*(row for row, _draft in self.new), *self.changed])
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
        self.changed.append(row)
        self.done.changed += 1
        self.trail.note(
            "capability",
            row,
            "amended",
            enterprise=self.job.enterprise.public_id,
            fields=sorted(differing),
        )
