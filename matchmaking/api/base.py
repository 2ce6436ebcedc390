from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, request, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.models import Enterprise
from chains.permissions import Anyone, bodies_of, is_signed_in
from matchmaking.api.parsers import StrictJSONParser

if TYPE_CHECKING:
    from chains.models import User

CREATED = status.HTTP_201_CREATED


def uploads(
    rows: type[serializers.BaseSerializer[Any]], draft: type[serializers.BaseSerializer[Any]]
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """An action on the files of a noun: GET lists them, POST adds one as a multipart form."""

    def decorate(method: Callable[..., Response]) -> Callable[..., Response]:
        found = action(
            detail=True,
            methods=["get", "post"],
            parser_classes=[MultiPartParser],
            pagination_class=None,
            filterset_class=None,
        )(method)
        form = {"multipart/form-data": draft}
        found = extend_schema(methods=["POST"], request=form, responses={201: rows})(found)
        return extend_schema(methods=["GET"], responses=rows(many=True), filters=False)(found)

    return decorate


def caller(context: Mapping[str, Any]) -> Anyone:
    """Who asks; nobody while the schema is drawn."""
    asked = context.get("request")
    return asked.user if asked is not None else AnonymousUser()


class NamedField(serializers.SlugRelatedField[Any]):
    """A row by its public id or code. A form, unlike JSON, may bring what no text of the database holds."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and "\0" in data:
            self.fail("invalid")
        return super().to_internal_value(data)


class OwnField(NamedField):
    """An enterprise of the caller's; another's reads as unknown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="public_id", queryset=Enterprise.objects.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Enterprise]:
        return Enterprise.objects.own(caller(self.context))


def bodies(user: Anyone) -> QuerySet[Enterprise]:
    """One's own enterprises, and those one posts for under a mandate."""
    if not is_signed_in(user):
        return Enterprise.objects.none()
    given = {body.pk for body in bodies_of(user)}
    return Enterprise.objects.filter(pk__in=given | user.enterprise_ids)


class BodyField(OwnField):
    """An enterprise the caller may post for."""

    def get_queryset(self) -> QuerySet[Enterprise]:
        return bodies(caller(self.context))


class Request(request.Request):
    """A request of somebody who has shown who they are."""

    user: User


class ReadViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Lists and single rows by public id; which rows, says `get_queryset` of each."""

    parser_classes = [StrictJSONParser]
    lookup_field = "public_id"
    lookup_value_regex = "[a-z0-9]{12}"

    def read_again(self, row: Model, code: int = status.HTTP_200_OK) -> Response:
        """The row as its caller may read it, with counts as they are after the change."""
        found = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(found).data, status=code)


class ReferenceViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]
):
    """Rows of the shipped register by code; open to everyone."""

    parser_classes = [StrictJSONParser]
    lookup_field = "code"
    lookup_value_regex = "[A-Za-z0-9_-]+"


class Nowhere(APIView):
    """An unknown address below the API: refused as a program expects it, not with a page."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise Http404
