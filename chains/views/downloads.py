"""Files that somebody sent, handed to those entitled."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpResponseBase

from chains.models.enterprises import StoredFile


def download(stored: StoredFile) -> HttpResponseBase:
    """Never shown inside a page, never kept on the way; who may have it was asked before."""
    return _answer(stored, as_attachment=True)


def show(stored: StoredFile, *, for_everybody: bool) -> HttpResponseBase:
    """A picture inside a page. What everybody sees is kept on the way for an hour: so long it may outlive its end."""
    response = _answer(stored, as_attachment=False)
    if for_everybody:
        response["Cache-Control"] = "public, max-age=3600"
    return response


def _answer(stored: StoredFile, *, as_attachment: bool) -> HttpResponseBase:
    try:
        content = stored.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        content,
        as_attachment=as_attachment,
        filename=stored.original_name,
        content_type=stored.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
