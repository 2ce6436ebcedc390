"""Lists out of spreadsheets: upload, check the columns, see what became of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chains import permissions, spreadsheets
from chains.errors import DomainError
from chains.forms.import_columns import columns_of, faults_of, words_of
from chains.forms.import_sheet import read_rows
from chains.forms.requirement_sheet import label_of
from chains.http import HttpRequest, MemberRequest
from chains.models import Enterprise, Import, User
from chains.services import imports
from chains.spreadsheets import Layout, Proposal, Sheets
from chains.tasks import read_import
from chains.views.refusals import refusal
from chains.views.sheets import XLSX

SHOWN = 100
# Read for the preview; the whole of a usual list.
LOOKED_AT = 300
PER_PAGE = 20


def _places(user: User) -> list[tuple[Import.Kind, Enterprise]]:
    """What the person may import, and in whose name."""
    own = [
        m.enterprise for m in user.active_memberships if permissions.can_edit(user, m.enterprise)
    ]
    bodies = {role.body_id: role.body for role in user.organiser_roles}
    return [(Import.Kind.ENTERPRISES, body) for body in bodies.values()] + [
        (Import.Kind.CAPABILITIES, enterprise) for enterprise in own
    ]


def own_imports(request: MemberRequest) -> QuerySet[Import]:
    return (
        Import.objects.visible_to(request.user)
        .defer("content")
        .select_related("enterprise", "asked_by")
    )


@require_http_methods(["GET", "POST"])
def import_list(request: MemberRequest) -> HttpResponse:
    places = _places(request.user)
    context: dict[str, Any] = {"places": places, "nav": "imports"}
    status = 200
    if request.method == "POST":
        try:
            return redirect("chains:import_detail", _upload(request, places).public_id)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            context["fault"] = str(error)
            status = 422
    wanted = request.POST.get("for") or request.GET.get("for", "")
    context["wanted"] = wanted
    rows = own_imports(request).exclude(kind=Import.Kind.LINES).order_by("-pk")
    context["page_obj"] = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context["most"] = spreadsheets.MAX_ROWS
    return render(request, "chains/import_list.html", context, status=status)


def _upload(request: MemberRequest, places: list[tuple[Import.Kind, Enterprise]]) -> Import:
    named = request.POST.get("for", "")
    place = next((p for p in places if f"{p[0]}:{p[1].public_id}" == named), None)
    if place is None:
        raise DomainError(_("Choose what the file holds."), code="import.no_place")
    file = request.FILES.get("file")
    if file is None:
        raise DomainError(_("Choose a file."), code="spreadsheet.none")
    kind, enterprise = place
    content = spreadsheets.read_limited(file, max_bytes=settings.IMPORT_MAX_BYTES)
    proposal = spreadsheets.propose(spreadsheets.open_sheets(content), columns_of(kind))
    if not proposal.row_count:
        raise DomainError(_("The file holds no rows below its header."), code="spreadsheet.empty")
    return imports.upload(
        kind=kind,
        enterprise=enterprise,
        file_name=str(file.name),
        content=content,
        proposal=proposal,
        by=request.user,
    )


@require_http_methods(["GET", "POST"])
def import_detail(request: MemberRequest, public_id: str) -> HttpResponse:
    job = get_object_or_404(own_imports(request), public_id=public_id)
    if request.method == "POST" and request.POST.get("do") == "discard":
        try:
            imports.discard(job=job, by=request.user)
        except DomainError as error:
            return refusal(request, error)
        return redirect("chains:import_list")
    if job.status == Import.Status.UPLOADED:
        return columns_page(request, job)
    if request.method == "POST" or job.kind == Import.Kind.LINES:
        if job.kind == Import.Kind.LINES:
            return redirect("chains:requirement_import")
        return redirect("chains:import_detail", job.public_id)
    page = "chains/import_result.html"
    return render(request, f"{page}#panel" if request.htmx else page, _result(job))


# --- The columns --------------------------------------------------------------------------------------


def columns_page(request: MemberRequest, job: Import) -> HttpResponse:
    context: dict[str, Any] = {
        "job": job,
        "nav": "imports",
        "requirement_id": request.POST.get("requirement") or request.GET.get("requirement", ""),
    }
    try:
        sheets = spreadsheets.open_sheets(bytes(job.content))
        proposal = proposed(request, job, sheets)
        layout, faults = chosen(request, job, proposal)
        wants = request.method == "POST" and request.POST.get("do") == "run"
        if wants and not faults and job.kind != Import.Kind.LINES:
            return _run(request, job, proposal, layout)
        context |= _preview(request, job, sheets, proposal, layout, faults)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        context["fault"] = str(error)
    status = (
        422 if request.method == "POST" and (context.get("fault") or context.get("faults")) else 200
    )
    return render(request, "chains/import_columns.html", context, status=status)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None


def proposed(request: HttpRequest, job: Import, sheets: Sheets) -> Proposal:
    return spreadsheets.propose(
        sheets,
        columns_of(job.kind),
        remembered=imports.remembered(job.kind, job.enterprise),
        sheet=_whole(request.POST.get("sheet")),
        header_row=_whole(request.POST.get("header_row")),
    )


def _position(proposal: Proposal) -> str:
    layout = proposal.layout
    return f"{layout.sheet}.{layout.first}.{layout.depth}"


def chosen(request: HttpRequest, job: Import, proposal: Proposal) -> tuple[Layout, list[str]]:
    """What the person chose, if it was chosen for this sheet and this header; else what is proposed."""
    known = {column.field: column for column in columns_of(job.kind)}
    if request.method == "POST" and request.POST.get("at") == _position(proposal):
        posted = {one.place: request.POST.get(f"col-{one.place}", "") for one in proposal.columns}
        fields = {place: name for place, name in posted.items() if name in known}
    else:
        fields = dict(proposal.layout.fields)
    at = proposal.layout
    return Layout(at.sheet, at.first, at.depth, fields), faults_of(job.kind, fields)


def _run(request: MemberRequest, job: Import, proposal: Proposal, layout: Layout) -> HttpResponse:
    imports.start(job=job, layout=layout, by=request.user, **words_of(proposal, layout))
    if proposal.row_count <= imports.SMALL:
        # Done before the page is back, also when no worker runs.
        read_import(job.pk)
    return redirect("chains:import_detail", job.public_id)


def _preview(
    request: MemberRequest,
    job: Import,
    sheets: Sheets,
    proposal: Proposal,
    layout: Layout,
    faults: list[str],
) -> dict[str, Any]:
    columns = columns_of(job.kind)
    context: dict[str, Any] = {
        "proposal": proposal,
        "at": _position(proposal),
        "options": [(column.field, label_of(column)) for column in columns],
        "columns": [(one, layout.fields.get(one.place, "")) for one in proposal.columns],
        "unclear": sum(not layout.fields.get(one.place) for one in proposal.columns),
        "faults": faults,
    }
    if faults:
        return context
    table, rows = read_rows(job.kind, sheets, layout, request.user, limit=LOOKED_AT)
    bad = [row for row in rows if row.draft is None]
    order = [place for one in proposal.columns if (place := one.place) in layout.fields]
    context |= {
        "heads": [one.title for one in proposal.columns if one.place in layout.fields],
        "first_rows": [
            (row.number, [row.cells.get(str(p), "") for p in order]) for row in rows[:5]
        ],
        "looked_at": len(rows),
        "is_all": len(rows) < LOOKED_AT,
        "bad": [(row, note) for row in bad for note in row.notes][:SHOWN],
        "bad_count": len(bad),
        "doubts": [(row, note) for row in rows if row.draft for note in row.notes][:SHOWN],
        "skipped": table.skipped[:20],
        "is_form": table.is_form,
    }
    return context


# --- What became of it --------------------------------------------------------------------------------


def _result(job: Import) -> dict[str, Any]:
    context: dict[str, Any] = {"job": job, "nav": "imports"}
    if job.has_ended:
        bad = job.rows.filter(is_kept=False)
        kept = job.rows.filter(is_kept=True)
        context |= {
            "bad": [(row, note) for row in bad[:SHOWN] for note in row.notes],
            "doubts": [(row, note) for row in kept[:SHOWN] for note in row.notes],
            "doubt_count": kept.count(),
            "has_rows": bad.exists(),
            "days": imports.KEPT_DAYS,
        }
    return context


@require_GET
def import_rows(request: MemberRequest, public_id: str) -> FileResponse:
    """What was not kept, under the file's own headers and with the reason: put right and uploaded again."""
    job = get_object_or_404(own_imports(request), public_id=public_id)
    heads: Mapping[str, str] = job.layout.get("heads", {})
    places = sorted(job.layout.get("fields", {}), key=int)
    headers = [heads.get(place, "") for place in places] + [_("Reason")]

    def reason(notes: list[dict[str, str]]) -> str:
        named = (
            f"{note['header'] or note['column']}: {note['sentence']}"
            if note["column"]
            else note["sentence"]
            for note in notes
        )
        return " ".join(named)

    rows = (
        [*(row.cells.get(place, "") for place in places), reason(row.notes)]
        for row in job.rows.filter(is_kept=False).iterator(chunk_size=1000)
    )
    file = spreadsheets.write_xlsx(
        headers, rows, as_of=timezone.now(), sheet=_("Rows to put right")
    )
    return FileResponse(
        file, as_attachment=True, filename="rows-to-put-right.xlsx", content_type=XLSX
    )


@require_GET
def import_template(request: MemberRequest, kind: str) -> HttpResponseBase:  # noqa: ARG001
    if kind not in Import.Kind.values:
        raise Http404
    notes = [
        _(
            "One row each. Names of columns may be in Chinese or English; other columns are left out."
        )
    ]
    content = spreadsheets.template_xlsx(
        columns_of(kind), sheet=str(Import.Kind(kind).label), notes=notes
    )
    return HttpResponse(
        content,
        content_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{kind}.xlsx"'},
    )
