from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.models import TokenLimit
from chains.services import tokens
from matchmaking.api.base import Request

Noun = TokenLimit.Noun


class TokenSerializer(serializers.Serializer[Any]):
    may_write = serializers.BooleanField()
    nouns = serializers.ListField(
        child=serializers.ChoiceField(Noun.choices),
        help_text="Beside the shipped register, which every token reads.",
    )
    ends_on = serializers.DateField(allow_null=True, help_text="Its last day, if it has one.")
    created_at = serializers.DateTimeField()


class TokenView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(tags=["token"], operation_id="token", responses=TokenSerializer)
    def get(self, request: Request) -> Response:
        """How far one's own token reaches. It is made and revoked on the page, which asks for the password."""
        token = tokens.of(request.user)
        if token is None:
            raise Http404
        limit = getattr(token, "limit", None)
        said = {
            "may_write": limit is None or limit.may_write,
            "nouns": Noun.values if limit is None else limit.nouns,
            "ends_on": limit and limit.ends_on,
            "created_at": token.created,
        }
        return Response(TokenSerializer(said).data)
