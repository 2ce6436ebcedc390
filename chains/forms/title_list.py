"""An authority's list of those that hold a title, compared with the register: what fits, and what somebody has to look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from chains import identity, search, spreadsheets
from chains.errors import DomainError
from chains.forms import DateInput, Form, LocalisedChoice
from chains.models import Enterprise, EnterpriseAlias, Proof, QualificationKind, User
from chains.spreadsheets import Grid

MAX_ROWS = 3000
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.IGNORECASE)
# A cell that is the name of a body, and no heading, number or remark.
_BODY = re.compile(
    r".{2,}(?:公司|集团|厂|院|所|社|中心|大学|学院|\bltd|\blimited|\binc|\bgmbh|\bcorp)\b\.?",
    re.IGNORECASE,
)


class TitleListForm(Form):
    kind = LocalisedChoice(
        QualificationKind.objects.filter(is_active=True).order_by("order", "code"),
        to_field_name="code",
        label=pgettext_lazy("qualification", "Title"),
    )
    issuer = forms.CharField(label=gettext_lazy("Issuer"), max_length=200)
    batch = forms.CharField(label=gettext_lazy("Batch"), max_length=80, required=False)
    valid_from = forms.DateField(label=gettext_lazy("Valid from"), widget=DateInput)
    valid_until_on = forms.DateField(
        label=gettext_lazy("Valid until"), required=False, widget=DateInput
    )
    upload = forms.FileField(
        label=gettext_lazy("The list"),
        help_text=gettext_lazy(".xlsx, .xls or .csv with a column of names, codes, or both"),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Sent along once; what was read of it is confirmed without it.
        self.fields["upload"].widget.is_required = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_until_on")
        if first and last and last < first:
            self.add_error("valid_until_on", _("The last day of validity lies before the first."))
        return data


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


@dataclass(slots=True)
class TitleList:
    fits: list[Fit] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    held: int = 0


def read(
    content: bytes,
    kind: QualificationKind,
    by: User,
    may: Callable[[User, Enterprise], bool],
) -> TitleList:
    """Of several sheets, or ways to cut a text into columns, the one that names most bodies."""
    best: list[tuple[int, str, str]] = []
    for grid in spreadsheets.open_sheets(content, max_rows=MAX_ROWS).grids:
        named = list(_named(grid))
        if len(named) > len(best):
            best = named
    if not best:
        raise DomainError(
            _("No row of this file holds the name or the code of an enterprise."),
            code="titles.empty",
        )
    return _compared(best, kind, by, may)


def _named(grid: Grid) -> Iterator[tuple[int, str, str]]:
    """Row number, code and name of each row that has one of them."""
    for number, row in enumerate(grid.rows, 1):
        cells = [str(cell).strip() for cell in row if cell not in (None, "")]
        folded = [identity.fold_number(cell) for cell in cells]
        code = next((one for one in folded if _CODE.fullmatch(one)), "")
        name = next((cell for cell in cells if len(cell) <= 200 and _BODY.search(cell)), "")
        if code or name:
            yield number, code, name


def _compared(
    rows: list[tuple[int, str, str]],
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
    for number, code, name in rows:
        text = " · ".join(filter(None, [name, code]))
        enterprise, why = _one(code, name)
        if enterprise is not None and not why:
            if enterprise.pk in seen:
                why = _("Stands in the list twice.")
            elif enterprise.pk in held:
                found.held += 1
                continue
            elif not may(by, enterprise):
                why = _("Belongs to another desk, or it is your own.")
        if enterprise is None or why:
            found.misfits.append(Misfit(number, text, why, enterprise))
            continue
        seen.add(enterprise.pk)
        found.fits.append(Fit(number, enterprise, enterprise.pk in claimed))
    return found


def _one(code: str, name: str) -> tuple[Enterprise | None, str]:
    """The body that a row means, and why somebody has to look at it."""
    normal = identity.normalise_name(name) if name else ""
    if code:
        enterprise = (
            search.by_number(Enterprise.Scheme.USCC, "CN", code).select_related("region").first()
        )
        if enterprise is not None:
            known = set(enterprise.aliases.values_list("normalised", flat=True))
            if normal and normal not in known | {identity.normalise_name(enterprise.name)}:
                return enterprise, _("The code is known under another name: %(name)s.") % {
                    "name": enterprise.name
                }
            return enterprise, ""
    matching = (
        list(
            Enterprise.objects.filter(
                pk__in=EnterpriseAlias.objects.filter(normalised=normal).values("enterprise")
            )
            .exclude(status=Enterprise.Status.MERGED)
            .select_related("region")[:2]
        )
        if normal
        else []
    )
    if not matching:
        return None, _("Not on the register.")
    if len(matching) > 1:
        return None, _("Several bodies are called so; a code is needed.")
    if code and matching[0].number and matching[0].number.upper() != code.upper():
        return matching[0], _("Known under another code: %(number)s.") % {
            "number": matching[0].number
        }
    return matching[0], ""
