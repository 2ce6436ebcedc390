from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import mixins, request, viewsets

from matchmaking.api.parsers import StrictJSONParser

if TYPE_CHECKING:
    from chains.models import User


class Request(request.Request):
    """A request of somebody who has shown who they are."""

    user: User


class ReadViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Lists and single rows by public id; which rows, says `get_queryset` of each."""

    parser_classes = [StrictJSONParser]
    lookup_field = "public_id"
    lookup_value_regex = "[a-z0-9]{12}"


class ReferenceViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]
):
    """Rows of the shipped register by code; open to everyone."""

    parser_classes = [StrictJSONParser]
    lookup_field = "code"
    lookup_value_regex = "[A-Za-z0-9_-]+"
