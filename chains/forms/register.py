"""What typed words are read against: units, categories, kinds of cooperation and of certificates."""

from __future__ import annotations

from functools import cached_property

from chains.models import Category, CertificationKind, CooperationKind, Unit
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

    @cached_property
    def _cooperation_kinds(self) -> dict[str, CooperationKind]:
        rows = CooperationKind.objects.filter(is_active=True)
        return {fold(word): row for row in rows for word in (row.code, row.name_zh, row.name_en)}

    def cooperation_kind(self, word: str) -> CooperationKind | None:
        return self._cooperation_kinds.get(fold(word))

    @cached_property
    def _certificates(self) -> dict[str, CertificationKind]:
        """Every synonym, then every name and code: a name goes before another one's synonym."""
        rows = list(CertificationKind.objects.filter(is_active=True))
        found = {fold(word): row for row in rows for word in (*row.synonyms_zh, *row.synonyms_en)}
        return found | {
            fold(word): row for row in rows for word in (row.code, row.name_zh, row.name_en)
        }

    def certificate(self, word: str) -> CertificationKind | None:
        return self._certificates.get(fold(word)) or self._certificates.get(
            fold(word.replace(" ", ""))
        )

    def unit(self, code: str | None) -> Unit | None:
        return self._units_by_code.get(code or "")
