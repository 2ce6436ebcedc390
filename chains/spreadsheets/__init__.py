"""Spreadsheets as people keep them, in and out."""

from chains.spreadsheets.container import MAX_BYTES, check_document, sniff
from chains.spreadsheets.grid import Grid, read_grids
from chains.spreadsheets.table import (
    MAX_ROWS,
    Column,
    Finding,
    Row,
    RowError,
    Skipped,
    Table,
    duplicates,
    read_table,
)
from chains.spreadsheets.writing import csv_stream, template_xlsx, write_xlsx

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "Column",
    "Finding",
    "Grid",
    "Row",
    "RowError",
    "Skipped",
    "Table",
    "check_document",
    "csv_stream",
    "duplicates",
    "read_grids",
    "read_table",
    "sniff",
    "template_xlsx",
    "write_xlsx",
]
