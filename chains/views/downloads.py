"""Files that somebody sent, handed to those entitled."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpResponseBase

from chains.models.enterprises import StoredFile


def download(stored: StoredFile) -> HttpResponseBase:
    """Never shown inside a page, never kept on the way; who may have it was asked before."""
    try:
        content = stored.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        content,
        as_attachment=True,
        filename=stored.original_name,
        content_type=stored.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
