"""What there is to say about the cells of one row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chains.spreadsheets import RowError, Table


@dataclass(slots=True)
class Say:
    """What there is to say about a row, cell by cell."""

    table: Table
    notes: list[dict[str, str]] = field(default_factory=list)
    has_errors: bool = False

    def error(self, name: str, sentence: str) -> None:
        self._say(name, sentence)
        self.has_errors = True

    def warn(self, name: str, sentence: str) -> None:
        self._say(name, sentence)

    def known(self, found: RowError) -> None:
        self.notes.append(
            {"column": found.column, "header": found.header, "sentence": found.sentence}
        )

    def _say(self, name: str, sentence: str) -> None:
        letters = self.table.letters.get(name, [""])
        header = self.table.titles.get(name, "")
        self.notes.append({"column": letters[0], "header": header, "sentence": sentence})


def words(text: Any, most: int) -> str:
    return " ".join(str(text or "").split())[:most]
