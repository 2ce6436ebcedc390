from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

from chains.searchtext import visible
from chains.spreadsheets.container import MAX_BYTES, read_limited
from chains.spreadsheets.grid import Grid, read_grids

MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Sheets:
    """An uploaded file once opened: a workbook is unpacked in a process of its own, and that once."""

    kind: str
    grids: list[Grid]


def open_sheets(
    file: bytes | IO[bytes], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> Sheets:
    kind, grids = read_grids(read_limited(file, max_bytes=max_bytes), max_rows=max_rows)
    for grid in grids:
        for row in grid.rows:
            row[:] = [_tidy(cell) if isinstance(cell, str) else cell for cell in row]
    return Sheets(kind, grids)


_LINE_END = re.compile("[\x0b\x0c\u2028\u2029]")

# Typed before a figure or a word to keep it as text; where a second one closes, it is a quotation.
_APOSTROPHE = re.compile("^\\s*['`´‘’＇](?=[0-9０-９\u3400-\u9fff+.-])(?!.*['‘’＇])", re.DOTALL)

# How a CSV file keeps a figure as text.
_AS_TEXT = re.compile(r'\s*="([^"]*)"\s*')


# What may begin a text that is kept apart; blanks before it too.
_KEPT = frozenset("='`´‘’＇ ")


def _tidy(cell: str) -> str:
    # As most cells are: nothing in it that is not seen, and nothing before it.
    if cell.isprintable() and cell[:1] not in _KEPT:
        return cell
    text = _LINE_END.sub("\n", visible(cell))
    kept = _AS_TEXT.fullmatch(text)
    return kept[1] if kept else _APOSTROPHE.sub("", text)
