"""An authority's list of those that hold a title, compared with the register: what fits, and what somebody has to look at."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from chains import identity, search, spreadsheets
from chains.errors import DomainError
from chains.forms import LocalisedChoice
from chains.forms.enterprises import TermForm
from chains.forms.import_columns import ENTERPRISES
from chains.forms.import_enterprises import bare_name
from chains.models import Enterprise, EnterpriseAlias, Proof, QualificationKind, User
from chains.spreadsheets import Grid

MAX_ROWS = 3000
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.IGNORECASE)
# A cell that is the name of a body, and no heading, number or remark.
_BODY = re.compile(
    r".{2,}(?:公司|集团|厂|院|所|社|中心|大学|学院|\bltd|\blimited|\binc|\bgmbh|\bcorp)\b\.?",
    re.IGNORECASE,
)


class TitleListForm(TermForm):
    kind = LocalisedChoice(
        QualificationKind.objects.filter(is_active=True).order_by("order", "code"),
        to_field_name="code",
        label=pgettext_lazy("qualification", "Title"),
    )
    issuer = forms.CharField(label=gettext_lazy("Issuer"), max_length=200)
    batch = forms.CharField(label=gettext_lazy("Batch"), max_length=80, required=False)
    upload = forms.FileField(
        label=gettext_lazy("The list"),
        help_text=gettext_lazy(".xlsx, .xls or .csv with a column of names, codes, or both"),
        required=False,
    )
    field_order = ["kind", "issuer", "batch", "valid_from", "valid_until_on", "upload"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Sent along once; what was read of it is confirmed without it.
        self.fields["upload"].widget.is_required = True


@dataclass(frozen=True, slots=True)
class Fit:
    number: int
    enterprise: Enterprise
    # Claimed by the enterprise itself, or known from the list only.
    is_claimed: bool


@dataclass(frozen=True, slots=True)
class Misfit:
    number: int
    text: str
    why: str
    enterprise: Enterprise | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    code: str
    name: str
    # What the list itself says against it: "不通过", or the heading of those whose title was taken away.
    denied: str = ""


@dataclass(slots=True)
class TitleList:
    fits: list[Fit] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    held: int = 0
    # Sheets with names that were not read.
    other_sheets: list[str] = field(default_factory=list)


def read(
    content: bytes,
    kind: QualificationKind,
    by: User,
    may: Callable[[User, Enterprise], bool],
) -> TitleList:
    """Of several sheets, or ways to cut a text into columns, the one that names most bodies."""
    sheets = spreadsheets.open_sheets(content, max_rows=MAX_ROWS)
    named = [(grid.name, rows) for grid in sheets.grids if (rows := list(_named(grid)))]
    best_name, best = max(named, key=lambda one: len(one[1]), default=("", []))
    if not best:
        raise DomainError(
            _("No row of this file holds the name or the code of an enterprise."),
            code="titles.empty",
        )
    found = _compared(best, kind, by, may)
    if sheets.kind != "csv":
        found.other_sheets = [name for name, _rows in named if name != best_name]
    return found


# What takes a title away, as a heading over rows or in a cell of one.
_DENIED = re.compile(
    r"(?:撤销|取消|注销|退出|不通过|未通过|不合格|不予|未达标|淘汰|作废|revoked|withdrawn|rejected|failed|not passed)",
    re.IGNORECASE,
)
_LONGEST_VERDICT = 12


def _named(grid: Grid) -> Iterator[_Row]:
    """The rows that have a code or a name."""
    place, heading = None, ""
    for number, row in enumerate(grid.rows, 1):
        cells = [str(cell).strip() for cell in row if cell not in (None, "")]
        folded = [identity.fold_number(cell) for cell in cells]
        code = next((one for one in folded if _CODE.fullmatch(one)), "")
        place = _place_of_names(row) if _place_of_names(row) is not None else place
        # Under a header it is the column of names; the one who recommends may stand before it.
        own = str(row[place] or "").strip() if place is not None and place < len(row) else ""
        among = [own] if own else cells
        name = next((cell for cell in among if len(cell) <= 200 and _BODY.search(cell)), "")
        if len(cells) == 1 and not code and (not name or _DENIED.search(name)):
            heading = cells[0] if _DENIED.search(cells[0]) else ""
        elif code or name:
            verdicts = (c for c in cells if len(c) <= _LONGEST_VERDICT and _DENIED.search(c))
            struck = _("struck out") if number in grid.struck else ""
            yield _Row(number, code, bare_name(name)[0], next(verdicts, "") or struck or heading)


# "单位" alone may be the one who recommends.
_NAMES = next(one for one in ENTERPRISES if one.field == "name").names - {"单位", "企业"}


def _place_of_names(row: Sequence[object]) -> int | None:
    """Where the names stand, if the row is a header."""
    words = [spreadsheets.fold_header(str(cell or "")) for cell in row]
    return next((at for at, word in enumerate(words) if word in _NAMES), None)


def _compared(
    rows: list[_Row],
    kind: QualificationKind,
    by: User,
    may: Callable[[User, Enterprise], bool],
) -> TitleList:
    found = TitleList()
    seen: set[int] = set()
    claimed = set(
        kind.qualification_set.filter(status=Proof.Status.CLAIMED).values_list(
            "enterprise", flat=True
        )
    )
    held = set(kind.qualification_set.in_force().values_list("enterprise", flat=True))
    register = _Register(rows)
    for row in rows:
        text = " · ".join(filter(None, [row.name, row.code]))
        enterprise, why = register.find(row.code, row.name)
        if row.denied:
            why = _("The list itself says: %(words)s") % {"words": row.denied[:80]}
        if enterprise is not None and not why:
            if enterprise.pk in seen:
                why = _("Stands in the list twice.")
            elif enterprise.pk in held:
                found.held += 1
                continue
            elif not may(by, enterprise):
                why = _("Belongs to another desk, or it is your own.")
        if enterprise is None or why:
            found.misfits.append(Misfit(row.number, text, why, enterprise))
            continue
        seen.add(enterprise.pk)
        found.fits.append(Fit(row.number, enterprise, enterprise.pk in claimed))
    return found


class _Register:
    """The bodies that the rows of a list name, read once for all of them."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        codes = {row.code.upper() for row in rows if row.code}
        self._by_code = search.by_codes(codes)
        wanted = {identity.normalise_name(row.name) for row in rows if row.name} - {""}
        named = EnterpriseAlias.objects.filter(normalised__in=wanted).values("enterprise")
        others = Enterprise.objects.filter(pk__in=named).exclude(status=Enterprise.Status.MERGED)
        self._by_name: dict[str, list[Enterprise]] = defaultdict(list)
        for one in others.select_related("region").prefetch_related("aliases").order_by("pk"):
            for alias in one.aliases.all():
                self._by_name[alias.normalised].append(one)

    def find(self, code: str, name: str) -> tuple[Enterprise | None, str]:
        """The body that a row means, and why somebody has to look at it."""
        normal = identity.normalise_name(name) if name else ""
        enterprise = self._by_code.get(code.upper())
        if enterprise is not None:
            known = {alias.normalised for alias in enterprise.aliases.all()}
            if normal and normal not in known | {identity.normalise_name(enterprise.name)}:
                return enterprise, _("The code is known under another name: %(name)s.") % {
                    "name": enterprise.name
                }
            return enterprise, ""
        matching = self._by_name.get(normal, []) if normal else []
        if not matching:
            return None, _("Not on the register.")
        if len(matching) > 1:
            return None, _("Several bodies are called so; a code is needed.")
        if code and matching[0].number and matching[0].number.upper() != code.upper():
            return matching[0], _("Known under another code: %(number)s.") % {
                "number": matching[0].number
            }
        return matching[0], ""
