"""Drawings and workbooks that go along with a requirement: known by their content, handed on and never shown."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chains import spreadsheets
from chains.errors import DomainError
from chains.services import enterprises
from chains.services.requirement_files import KINDS
from tests.chains.test_spreadsheets import sheet_of, with_sheet, zipped
from tests.factories.chains import MembershipFactory, RequirementFactory

LIMIT = 8 * 1024 * 1024
DXF = "  0\r\nSECTION\r\n  2\r\nHEADER\r\n  9\r\n$ACADVER\r\n  1\r\nAC1015\r\n  0\r\nENDSEC\r\n  0\r\nEOF\r\n"
STEP = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION(('a'),'2;1');\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"
IGES = "".join(
    f"{text:<72}{section}{line:>7}\n"
    for text, section, line in (
        ("a bracket", "S", 1),
        ("1H,,1H;,4Ha.ig,4Ha.ig,1Ha,1Ha,32,38,6,308,15;", "G", 1),
        ("     124       1       0       0       0       0       0       000000000", "D", 1),
        ("124,1.,0.,0.,0.,0.,1.,0.,0.,0.,0.,1.,0.;", "P", 1),
        ("S      1G      1D      2P      1", "T", 1),
    )
)
BOOK = sheet_of([["品名", "数量"], ["泵", 2]])
PARTS = {
    "壳体.DWG": (b"AC1032\0\0\0\0\0\1" + bytes(200), "dwg", "壳体.dwg"),
    "old.dwg": (b"AC1009" + bytes(100), "dwg", "old.dwg"),
    "座.dxf": (DXF.encode(), "dxf", "座.dxf"),
    "remarked.dxf": (b"999\nmade by a program\n" + DXF.encode(), "dxf", "remarked.dxf"),
    "binary.dxf": (b"AutoCAD Binary DXF\r\n\x1a\x00\x00SECTION\x00", "dxf", "binary.dxf"),
    "轴.stp": (STEP.encode(), "step", "轴.stp"),
    "shaft.p21": (b"\xef\xbb\xbf" + STEP.encode(), "step", "shaft.step"),
    "plate.iges": (IGES.encode(), "iges", "plate.iges"),
    "plate.txt": (IGES.replace("\n", "\r\n").encode(), "iges", "plate.igs"),
    "清单.xlsx": (BOOK, "xlsx", "清单.xlsx"),
    "图.pdf": (b"%PDF-1.4\n%%EOF\n", "pdf", "图.pdf"),
}


@pytest.mark.parametrize("name", PARTS)
def test_drawing_is_known_by_its_content(name):
    data, kind, kept = PARTS[name]

    assert spreadsheets.check_document(data, max_bytes=LIMIT, allowed=tuple(KINDS)) == kind
    assert enterprises._harmless_name(name, kind) == kept


LIES = {
    "a page named .dwg": (b"<!doctype html><script>alert(1)</script>", "file.kind"),
    "a page behind the sign of a drawing": (b"AC1032<html><script>1</script>", "file.kind"),
    "a program named .dwg": (b"MZ\x90\x00" + bytes(200), "file.kind"),
    "words named .dxf": (b"0\nSECTION of a report\n2\nHEADER\n", "file.kind"),
    "words named .stp": (b"This is no ISO-10303-21; file\n", "file.kind"),
    "an S in column 73 and no end": (IGES[:81].encode() + b"<html>", "file.kind"),
    "a list named .igs": (b"a,b\n1,2\n", "file.kind"),
    "an archive named .xlsx": (zipped([("a.exe", b"MZ")]), "file.kind"),
    "an archive that names the parts of a workbook": (
        zipped([("a.txt", b"[Content_Types].xml xl/workbook.xml")], compression=0),
        "spreadsheet.unreadable",
    ),
    "a workbook with macros": (
        with_sheet("<worksheet/>", more=[("xl/vbaProject.bin", b"x")]),
        "file.macros",
    ),
    "a workbook that names its macros otherwise": (
        zipped(
            [
                (
                    "[Content_Types].xml",
                    '<Override PartName="/xl/a.bin" ContentType="application/vnd.ms-office.vbaProject"/>'.encode(
                        "utf-16"
                    ),
                ),
                ("xl/workbook.xml", "<workbook/>"),
                ("xl/a.bin", b"x"),
            ]
        ),
        "file.macros",
    ),
    "a bomb": (
        with_sheet("<worksheet/>", more=[("xl/media/a.bin", bytes(70 * 1024 * 1024))]),
        "spreadsheet.unpacked_size",
    ),
    "a workbook of 1997": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file.kind"),
    "a picture that is markup": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file.kind"),
    "too much": (b"ISO-10303-21;" + bytes(LIMIT), "file.too_big"),
}


@pytest.mark.parametrize("name", LIES)
def test_what_only_bears_its_name_is_refused(name):
    data, code = LIES[name]

    with pytest.raises(DomainError) as refused:
        spreadsheets.check_document(data, max_bytes=LIMIT, allowed=tuple(KINDS))

    assert refused.value.code == code


@pytest.mark.django_db
def test_drawing_leaves_as_bytes_and_proves_nothing_to_a_desk(client):
    owner = MembershipFactory()
    requirement = RequirementFactory(enterprise=owner.enterprise)
    address = reverse("chains:requirement_file_list", args=[requirement.public_id])
    client.force_login(owner.user)

    for name in ("座.dxf", "清单.xlsx"):
        upload = SimpleUploadedFile(name, PARTS[name][0], content_type="text/html")
        assert client.post(address, {"upload": upload, "visibility": "public"}).status_code == 302
    lie = SimpleUploadedFile("a.dwg", b"<html><script>1</script>", content_type="image/vnd.dwg")
    refused = client.post(address, {"upload": lie, "visibility": "public"})

    assert refused.status_code == 422
    assert "PDF, PNG, JPEG, DWG, DXF, STEP, IGES, XLSX" in refused.content.decode()
    client.logout()
    for row, name in zip(requirement.files.order_by("pk"), ("座.dxf", "清单.xlsx"), strict=True):
        answer = client.get(reverse("matchmaking:requirement_file", args=[row.public_id]))
        assert b"".join(answer.streaming_content) == PARTS[name][0]
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("attachment; filename")
        assert "sandbox" in answer["Content-Security-Policy"]
    with pytest.raises(DomainError) as proof:
        enterprises.store_evidence(
            enterprise=owner.enterprise,
            purpose="licence",
            upload=SimpleUploadedFile("a.dwg", PARTS["old.dwg"][0]),
            by=owner.user,
        )
    assert proof.value.code == "file.kind"
