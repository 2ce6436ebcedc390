from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chains import permissions, spreadsheets
from chains.errors import DomainError
from chains.forms.import_columns import words_of
from chains.forms.register import Register
from chains.forms.requirement_sheet import (
    COLUMNS,
    FIELDS,
    Merge,
    Sheet,
    key,
    merge,
    read_file,
    read_posted,
)
from chains.http import MemberRequest
from chains.models import Enterprise, Import, Requirement, RequirementLine, new_public_id
from chains.services import imports, requirement_drafts
from chains.spreadsheets import Proposal, Sheets
from chains.views.imports import chosen, columns_page, own_imports, proposed
from chains.views.refusals import refusal
from chains.views.sheets import XLSX

OPEN = (Requirement.Status.DRAFT, Requirement.Status.RETURNED)


@require_http_methods(["GET", "POST"])
def requirement_import(request: MemberRequest) -> HttpResponseBase:
    """Lines out of a spreadsheet. Good rows are a draft at once; bad ones are put right on the page or in the file.

    Nothing is kept between two requests but the draft: rows that wait travel with the page.
    """
    bodies = permissions.bodies_of(request.user)
    if not bodies:
        messages.info(request, _("Register your enterprise first, or ask to join it."))
        return redirect("chains:enterprise_join")
    asked = request.POST.get("for") or request.GET.get("for")
    enterprise = next((body for body in bodies if body.public_id == asked), bodies[0])
    target = _target(request, bodies)
    context: dict[str, Any] = {
        "bodies": bodies,
        "enterprise": target.enterprise if target else enterprise,
        "target": target,
        "columns": COLUMNS,
        "draft_id": request.POST.get("draft") or new_public_id(),
        "nav": "my_requirements",
    }
    if request.method == "GET":
        return render(request, "chains/requirement_import.html", context)
    try:
        return _answer(request, context)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        context["fault"] = str(error)
        return render(request, "chains/requirement_import.html", context, status=422)


def _target(request: MemberRequest, bodies: list[Enterprise]) -> Requirement | None:
    public_id = request.POST.get("requirement") or request.GET.get("requirement")
    if not public_id:
        return None
    rows = Requirement.objects.filter(enterprise__in=bodies, status__in=OPEN)
    return get_object_or_404(rows.select_related("enterprise__region"), public_id=public_id)


def _answer(request: MemberRequest, context: dict[str, Any]) -> HttpResponseBase:
    register = Register()
    if "row" in request.POST:
        sheet = read_posted(request.POST, register)
        if request.POST.get("do") == "download":
            return _bad_rows(sheet)
        return _place(request, context, sheet, is_confirmed=True)
    if "import" in request.POST:
        return _from_columns(request, context, register)
    file = request.FILES.get("file")
    if file is None:
        raise DomainError(_("Choose a file."), code="spreadsheet.none")
    if (file.size or 0) > settings.IMPORT_MAX_BYTES:
        raise DomainError(
            _("The file is larger than %(limit)d MB. Split it, or leave pictures out.")
            % {"limit": settings.IMPORT_MAX_BYTES // (1024 * 1024)},
            code="file.too_big",
        )
    content = spreadsheets.read_limited(file, max_bytes=settings.IMPORT_MAX_BYTES)
    sheets = spreadsheets.open_sheets(content)
    proposal = _proposal(sheets, context)
    lacks = "text" not in proposal.layout.fields.values()
    if (lacks and proposal.row_count) or request.POST.get("do") == "columns":
        return _to_columns(request, context, str(file.name), content, proposal)
    knows = any(one.why == "remembered" for one in proposal.columns)
    sheet = read_file(sheets, register, proposal.layout if knows else None)
    context["file_name"] = str(file.name)
    context["target"] = context["target"] or _known(context, sheet)
    return _place(request, context, sheet, is_confirmed=False)


def _proposal(sheets: Sheets, context: dict[str, Any]) -> Proposal:
    return spreadsheets.propose(
        sheets,
        COLUMNS,
        remembered=imports.remembered(Import.Kind.LINES, context["enterprise"]),
    )


def _to_columns(
    request: MemberRequest,
    context: dict[str, Any],
    file_name: str,
    content: bytes,
    proposal: Proposal,
) -> HttpResponse:
    """Where the product is in no column that is known by its name, the person says which."""
    job = imports.upload(
        kind=Import.Kind.LINES,
        enterprise=context["enterprise"],
        file_name=file_name,
        content=content,
        proposal=proposal,
        by=request.user,
    )
    target = context["target"]
    address = reverse("chains:import_detail", args=[job.public_id])
    return redirect(f"{address}?requirement={target.public_id}" if target else address)


def _from_columns(
    request: MemberRequest, context: dict[str, Any], register: Register
) -> HttpResponse:
    waiting = own_imports(request).filter(kind=Import.Kind.LINES, status=Import.Status.UPLOADED)
    job = get_object_or_404(waiting, public_id=request.POST["import"])
    sheets = spreadsheets.open_sheets(bytes(job.content))
    proposal = proposed(request, job, sheets)
    layout, faults = chosen(request, job, proposal)
    if faults:
        return columns_page(request, job)
    sheet = read_file(sheets, register, layout)
    imports.settle(job=job, layout=layout, by=request.user, **words_of(proposal, layout))
    context["file_name"] = job.file_name
    context["target"] = context["target"] or _known(context, sheet)
    return _place(request, context, sheet, is_confirmed=False)


def _known(context: dict[str, Any], sheet: Sheet) -> Requirement | None:
    """The draft that holds this sheet already, at least half of it: uploading twice must not double it."""
    wanted = Counter(
        key(row.draft.text, row.draft.specification) for row in sheet.good if row.draft
    )
    drafts = (
        Requirement.objects.filter(enterprise=context["enterprise"], status__in=OPEN)
        .prefetch_related(Prefetch("lines", RequirementLine.objects.order_by("number")))
        .order_by("-pk")[:20]
    )
    best, most = None, 0
    for draft in drafts:
        held = Counter(key(line.text, line.specification) for line in draft.lines.all())
        common = (held & wanted).total()
        if common > most and common * 2 >= wanted.total():
            best, most = draft, common
    return best


def _place(
    request: MemberRequest, context: dict[str, Any], sheet: Sheet, *, is_confirmed: bool
) -> HttpResponse:
    target: Requirement | None = None if "new" in request.POST else context["target"]
    stored = _lines_of(target) if target else []
    plan = merge(stored, [row.draft for row in sheet.good if row.draft])
    context |= {"sheet": sheet, "plan": plan, "target": target}
    if stored and (plan.changed or plan.added) and not is_confirmed:
        context["asks"] = True
        return render(request, "chains/requirement_import.html", context)
    if plan.changed or plan.added:
        target = _save(request, context, plan, target)
    context |= {"target": target, "is_done": True, "total": target.lines.count() if target else 0}
    return render(request, "chains/requirement_import.html", context)


def _lines_of(target: Requirement) -> list[RequirementLine]:
    return list(
        target.lines.select_related("category__segment", "segment", "unit").order_by("number")
    )


def _save(
    request: MemberRequest, context: dict[str, Any], plan: Merge, target: Requirement | None
) -> Requirement:
    fields: dict[str, Any] = {}
    if target is None:
        fields["public_id"] = context["draft_id"]
        fields["title"] = _title(context.get("file_name") or request.POST.get("file_name", ""))
        fields["region"] = context["enterprise"].region
    return requirement_drafts.save(
        enterprise=context["enterprise"],
        requirement=target,
        lines=plan.lines,
        by=request.user,
        **fields,
    )


def _title(file_name: str) -> str:
    """The name of the file says what the list is for; the service takes the first line where it says nothing."""
    return file_name.rpartition(".")[0].replace("_", " ").strip()[:160]


def _bad_rows(sheet: Sheet) -> FileResponse:
    """What could not be read, in a sheet that can be put right and uploaded again."""
    headers = [column.header.removesuffix(" *") for column in COLUMNS] + [_("Reason")]
    rows = [
        [*(row.cells[name] for name in FIELDS), " ".join(note.sentence for note in row.errors)]
        for row in sheet.rows
    ]
    file = spreadsheets.write_xlsx(
        headers, rows, as_of=timezone.now(), sheet=_("Rows to put right")
    )
    return FileResponse(
        file, as_attachment=True, filename="rows-to-put-right.xlsx", content_type=XLSX
    )


@require_GET
def requirement_template(request: MemberRequest) -> HttpResponse:  # noqa: ARG001
    notes = [
        _("One product a row; each is matched on its own."),
        _("At most 200 rows. Names of columns may be in Chinese or English."),
    ]
    content = spreadsheets.template_xlsx(COLUMNS, sheet=_("Lines"), notes=notes)
    return HttpResponse(
        content,
        content_type=XLSX,
        headers={"Content-Disposition": 'attachment; filename="requirement-lines.xlsx"'},
    )
