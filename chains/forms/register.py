"""What typed words are read against: units and categories."""

from __future__ import annotations

from functools import cached_property

from chains.models import Category, Unit
from chains.quantities import Units
from chains.searchtext import fold


class Register:
    """What rows are read against, loaded once for all of them and only when a row asks."""

    @cached_property
    def units(self) -> Units:
        return Units(self.unit_rows)

    @cached_property
    def unit_rows(self) -> list[Unit]:
        return list(Unit.objects.filter(is_active=True))

    @cached_property
    def _units_by_code(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in self.unit_rows}

    @cached_property
    def _categories(self) -> dict[str, Category]:
        """Every name, code and synonym; the name goes before the synonym, the leaf before what it lies in."""
        found: dict[str, Category] = {}
        rows = list(Category.objects.filter(is_active=True).select_related("segment"))
        rows.sort(key=lambda row: (-row.level, row.order, row.pk))
        for row in rows:
            for word in (row.code, row.name_zh, row.name_en):
                found.setdefault(fold(word), row)
        for row in rows:
            for word in (*row.synonyms_zh, *row.synonyms_en):
                found.setdefault(fold(word), row)
        return found

    def category(self, word: str) -> Category | None:
        return self._categories.get(fold(word))

    def unit(self, code: str | None) -> Unit | None:
        return self._units_by_code.get(code or "")
