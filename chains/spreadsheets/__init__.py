"""Spreadsheets as people keep them, in and out."""

from chains.spreadsheets.cells import letter
from chains.spreadsheets.columns import Column, Finding, fold_header
from chains.spreadsheets.container import MAX_BYTES, check_document, read_limited, sniff
from chains.spreadsheets.grid import Grid, read_grids
from chains.spreadsheets.header import Layout
from chains.spreadsheets.proposal import Proposal, propose
from chains.spreadsheets.rows import Row, RowError, Skipped
from chains.spreadsheets.sheets import MAX_ROWS, Sheets, open_sheets
from chains.spreadsheets.table import Table, duplicates, read_table
from chains.spreadsheets.writing import csv_stream, template_xlsx, write_sheets, write_xlsx

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "Column",
    "Finding",
    "Grid",
    "Layout",
    "Proposal",
    "Row",
    "RowError",
    "Sheets",
    "Skipped",
    "Table",
    "check_document",
    "csv_stream",
    "duplicates",
    "fold_header",
    "letter",
    "open_sheets",
    "propose",
    "read_grids",
    "read_limited",
    "read_table",
    "sniff",
    "template_xlsx",
    "write_sheets",
    "write_xlsx",
]
