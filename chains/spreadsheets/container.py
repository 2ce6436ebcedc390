from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Collection
from typing import IO

from django.utils.translation import gettext as _

from chains.errors import DomainError

MAX_BYTES = 10 * 1024 * 1024

# What a workbook may unpack to. A real one of 10,000 rows and 40 columns comes to about 25 MB; the reading
# process behind this check has little memory.
MAX_UNPACKED = 64 * 1024 * 1024
MAX_MEMBERS = 1000
# Opening and closing tags of one part; 400,000 cells with text in them make 2.4 million.
MAX_TAGS = 2_600_000
# Of the sheets beside the largest: forms, lists to choose from, last year's list.
MAX_TAGS_BESIDE = 600_000
# Rows of one part, empty ones with a format among them: some programs write all 1,048,576.
MAX_ROW_TAGS = 150_000
# XML of equal rows packs 100 to 1; a bomb packs 1,000 to 1. Small members may do as they like.
MAX_RATIO, RATIO_FROM = 200, 1024 * 1024

_CHUNK = 256 * 1024
_SIGNATURES = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"AutoCAD Binary DXF\r\n\x1a\x00", "dxf"),
)
# The version, and zeros before the number of its maintenance release.
_DWG = re.compile(rb"AC10[0-9]{2}\x00{4}")
# Drawings as text: what their standards demand of the first lines.
_DRAWN = (
    (re.compile(rb"ISO-10303-21\s*;"), "step"),
    (
        re.compile(
            rb"(?:999\r?\n[^\n]*\n\s*)*0\r?\n\s*SECTION\r?\n\s*2\r?\n\s*(?:HEADER|CLASSES|TABLES|BLOCKS|ENTITIES)\s"
        ),
        "dxf",
    ),
)
# Eighty columns; the letter of its section in column 73, then the number of the line in it.
_IGES = re.compile(rb"[^\r\n]{72}(?P<section>[SGDPT])\s{0,6}(?P<line>\d{1,7})\s*")
_ZIPPED = (
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
)
_STRINGS = "xl/sharedstrings.xml"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PROGRAMS = (b"vbaproject", b"macroenabled", b"macrosheet")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_limited(file: bytes | IO[bytes], *, max_bytes: int = MAX_BYTES) -> bytes:
    """The whole content, refused when it is empty or longer than allowed; never reads further than that."""
    data = file if isinstance(file, bytes) else file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise DomainError(
            _("The file is larger than %(limit)d MB. Split it, or leave pictures out.")
            % {"limit": max(1, max_bytes // (1024 * 1024))},
            code="file.too_big",
        )
    if not data:
        raise DomainError(_("The file is empty."), code="file.empty")
    return data


def sniff(file: bytes | IO[bytes]) -> str:
    """What a file is by its content: pdf, png, jpeg, xlsx, xls, csv (any plain text), html, zip … or unknown.

    Names and declared types are never asked: both come from the sender.
    """
    if isinstance(file, bytes):
        return _sniff(file)
    place = file.tell()
    data = file.read(MAX_BYTES)
    file.seek(place)
    return _sniff(data)


def _sniff(data: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"PK\x03\x04"):
        return _sniff_zip(data)
    if data.startswith(_OLE):
        return _sniff_ole(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return _drawing(data) or _sniff_text(data)


def _sniff_text(data: bytes) -> str:
    head = data[:4096].lstrip(_BLANK).lower()
    if head.startswith(
        (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<svg", b"mime-version")
    ):
        return "html"
    if data.startswith(_BOMS) or looks_like_utf_16(data) or not _CONTROL.search(data[:65536]):
        return "csv" if data else "unknown"
    return "unknown"


def _drawing(data: bytes) -> str:
    if _DWG.match(data):
        return "dwg"
    head = data[:4096].lstrip(_BLANK)
    found = next((kind for pattern, kind in _DRAWN if pattern.match(head)), "")
    return found or ("iges" if _is_iges(data) else "")


def _is_iges(data: bytes) -> bool:
    """It begins with the first line of its start, and ends with the line that ends it."""
    first = _IGES.fullmatch(data[:100].partition(b"\n")[0])
    last = _IGES.fullmatch(data[-200:].rstrip().rpartition(b"\n")[2])
    if first is None or last is None:
        return False
    return (first["section"], int(first["line"]), last["section"]) == (b"S", 1, b"T")


def looks_like_utf_16(data: bytes) -> str:
    """The encoding's name when a text without a mark has a NUL in every delimiter and line end, as UTF-16 of a table
    must; between them Chinese has none."""
    head = data[:4000]
    half = len(head) // 2 or 1
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        if head[start::2].count(0) > 0.05 * half and not head[1 - start :: 2].count(0):
            text = head[: len(head) // 2 * 2].decode(name, "replace")
            is_table = {"\n", "\r"} & set(text) and {",", "\t", ";"} & set(text)
            return "" if not is_table or _CONTROL.search(text.encode()) else name
    return ""


def _sniff_zip(data: bytes) -> str:
    # Member names stand unpacked in the directory at the end: no need to trust the archive's structure yet.
    if b"[Content_Types].xml" in data:
        for name, kind in _ZIPPED:
            if name.encode() in data:
                return kind
    return "ods" if b"application/vnd.oasis.opendocument" in data[:200] else "zip"


def _sniff_ole(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "encrypted"
    names = ("Workbook", "Book")
    return "xls" if any((name + "\0").encode("utf-16-le") in data for name in names) else "ole"


def check_document(
    file: bytes | IO[bytes], *, max_bytes: int, allowed: Collection[str] = ("pdf", "png", "jpeg")
) -> str:
    """The kind of an uploaded document, refused when too large or not of an allowed kind. Leaves the file at
    its beginning."""
    data = read_limited(file, max_bytes=max_bytes)
    if not isinstance(file, bytes):
        file.seek(0)
    kind = _sniff(data)
    if kind not in allowed:
        raise DomainError(
            _("This file is not one of: %(kinds)s. Save it as one of them and upload it again.")
            % {"kinds": ", ".join(one.upper() for one in allowed)},
            code="file.kind",
        )
    if kind == "xlsx":
        _check_workbook(data)
    return kind


def _check_workbook(data: bytes) -> None:
    """One that is kept as it is, for others to open: whole, of a workbook's size, and without programs in it."""
    check_archive(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        if not names.keys() >= {"[content_types].xml", "xl/workbook.xml"}:
            raise unreadable()
        # What a part is says its type, whatever it is named. In UTF-16 each letter has a zero beside it.
        types = archive.read(names["[content_types].xml"]).replace(b"\0", b"").lower()
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names) or any(
        kind in types for kind in _PROGRAMS
    ):
        raise DomainError(
            _("The workbook holds macros. Save it without them, as .xlsx, and upload it again."),
            code="file.macros",
        )


def check_archive(data: bytes) -> None:
    """Refuses an archive that would unpack to more than a workbook can be, before anything reads it.

    The declared sizes are checked first and not believed: each member is then unpacked in small pieces,
    counted, and dropped.
    """
    # Each directory entry has this signature. Counted before the directory is loaded, since 200,000 entries
    # in 10 MB would cost more memory than the workbook.
    if data.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise _bomb()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members)
            left = MAX_UNPACKED
            tags: list[int] = []
            for member in members:
                size, of_member = _unpack(archive, member, left)
                left -= size
                if member.filename.lower() != _STRINGS:
                    tags.append(of_member)
            if sum(tags) - max(tags, default=0) > MAX_TAGS_BESIDE:
                raise too_much()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ):
        raise unreadable() from None


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    # Two members of one name: we would check one and the reader would read the other.
    if len(set(names)) != len(names) or any(_is_odd(member) for member in members):
        raise unreadable()
    if any(member.flag_bits & 0x1 for member in members):
        raise encrypted()
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise _bomb()


def _is_odd(member: zipfile.ZipInfo) -> bool:
    name = member.filename.replace("\\", "/")
    return (
        name.startswith("/") or ".." in name.split("/") or stat.S_ISLNK(member.external_attr >> 16)
    )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> tuple[int, int]:
    """How large it is, and how many tags it has."""
    is_xml = member.filename.lower().endswith((".xml", ".rels", ".vml"))
    size, tags, rows, tail = 0, 0, 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left or (
                size > RATIO_FROM and size > MAX_RATIO * max(1, member.compress_size)
            ):
                raise _bomb()
            tags += chunk.count(b"<") if is_xml else 0
            rows += chunk.count(b"<row") if is_xml else 0
            if tags > MAX_TAGS or rows > MAX_ROW_TAGS:
                raise _too_many_cells()
            # Spreadsheets have no document type; with one come entities that grow without end.
            if (
                is_xml
                and b"<!" in (window := (tail + chunk).replace(b"\0", b""))
                and _has_doctype(window)
            ):
                raise unreadable()
            tail = chunk[-32:]
    return size, tags


def _has_doctype(window: bytes) -> bool:
    return re.search(rb"<!(?:doctype|entity)", window, re.IGNORECASE) is not None


def _bomb() -> DomainError:
    return DomainError(
        _(
            "The file unpacks to far more than a spreadsheet of this kind. Save only the sheet with the rows."
        ),
        code="spreadsheet.unpacked_size",
    )


def _too_many_cells() -> DomainError:
    return DomainError(
        _(
            "The workbook has too many cells. Split it, or delete the sheets and rows that are not needed."
        ),
        code="spreadsheet.too_long",
    )


def too_much() -> DomainError:
    return DomainError(
        _(
            "The workbook holds far more than one list. Leave only the sheet with the list in it, and upload it again."
        ),
        code="spreadsheet.too_much",
    )


def unreadable() -> DomainError:
    return DomainError(
        _("The file cannot be read as a spreadsheet. Open it, save it as .xlsx and upload that."),
        code="spreadsheet.unreadable",
    )


def encrypted() -> DomainError:
    return DomainError(
        _("The file is protected by a password. Remove the password and upload it again."),
        code="spreadsheet.encrypted",
    )
