"""What invented bodies send along: a sheet that says who, and on every one of them that it proves nothing."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from reportlab.lib.units import mm

from chains.models import CertificationKind, Enterprise, QualificationKind
from events.typesetting import A4, Sheets
from matchmaking.demo.participants import Participant


def licence(one: Participant) -> SimpleUploadedFile:
    if one.country != "CN":
        title = ("公司注册证书", "Certificate of incorporation")
    elif one.kind in ("enterprise", "financial_institution"):
        title = ("营业执照", "Business licence")
    else:
        title = ("法人登记证书", "Certificate of registration")
    return _drawn(
        *title, (one.name.zh, one.name.en, f"登记号 Number {one.number or '—'} ({one.country})")
    )


def certificate(
    kind: QualificationKind | CertificationKind, holder: Enterprise
) -> SimpleUploadedFile:
    return _drawn(kind.name_zh, kind.name_en, (holder.name, holder.name_en, holder.number or "—"))


def _drawn(name: str, name_en: str, said: tuple[str, ...]) -> SimpleUploadedFile:
    sheets = Sheets(A4, name)
    block = sheets.block(20, A4[1] - 30, A4[0] - 40, 110)
    block.margin = 8 * mm
    block.frame()
    block.down(14)
    block.lines(name, 24, most=2, bold=True, is_centred=True)
    block.lines(name_en, 12, most=2, is_centred=True)
    block.down(10)
    for line in said:
        block.lines(line, 13, most=2)
        block.down(3)
    block.down(6)
    block.rule()
    block.down(2)
    block.lines("演示用样张，不是证件，不证明任何事实。", 10, most=1)
    block.lines("Drawn for a demo: no document, and it proves nothing.", 10, most=1)
    return SimpleUploadedFile(f"{name}.pdf", sheets.done(), content_type="application/pdf")
