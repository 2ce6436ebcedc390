"""The description of the API as programs and its own page read it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

LANGUAGES = [code for code, _name in settings.LANGUAGES]


class DescriptionView(SpectacularAPIView):
    """The library's, written once for each language and form in a process: anybody may ask, and it takes a second."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *_args: Any, **_kwargs: Any) -> HttpResponse:
        asked = request.GET.get("lang")
        language = asked if asked in LANGUAGES else get_language()
        renderer = request.accepted_renderer
        return HttpResponse(
            _written(language, renderer.media_type),
            content_type=renderer.media_type,
            headers={"Content-Disposition": f'inline; filename="ChainDock.{renderer.format}"'},
        )


@lru_cache(maxsize=4 * len(LANGUAGES))
def _written(language: str, media_type: str) -> Any:
    forms = DescriptionView.renderer_classes
    renderer = next(one for one in forms if one.media_type == media_type)
    with override(language):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        return renderer().render(schema)
