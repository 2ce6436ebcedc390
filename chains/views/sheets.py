from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from chains import spreadsheets

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sheet_asked_for(request: HttpRequest) -> str:
    """xlsx or csv where `?export=` asks for the list of a page as a sheet; empty for the page itself."""
    extension = request.GET.get("export", "")
    if extension not in ("", "xlsx", "csv"):
        raise Http404
    return extension


def sheet_response(
    extension: str, name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]
) -> HttpResponseBase:
    """Rows as a download, xlsx or csv, with the time they were read; another extension is no page."""
    now = timezone.now()
    filename = f"{name}-{timezone.localtime(now):%Y%m%d-%H%M}.{extension}"
    if extension == "csv":
        return csv_response(filename, headers, rows)
    if extension == "xlsx":
        file = spreadsheets.write_xlsx(headers, rows, as_of=now)
        return FileResponse(file, as_attachment=True, filename=filename, content_type=XLSX)
    raise Http404


def csv_response(
    filename: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        spreadsheets.csv_stream(headers, rows, as_of=timezone.now()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
