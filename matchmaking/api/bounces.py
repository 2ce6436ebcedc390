"""What a mail provider tells of letters that came back. It signs in with a word of its own (ADR 24)."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.services import mailboxes
from matchmaking.api.parsers import StrictJSONParser

MOST = 500


class BounceSerializer(serializers.Serializer[Any]):
    address = serializers.CharField(max_length=254)
    is_permanent = serializers.BooleanField(help_text="False: nothing is done, it may pass.")
    status = serializers.CharField(
        max_length=20, required=False, default="5.0.0", help_text="RFC 3463, as 5.1.1."
    )
    message_id = serializers.CharField(
        max_length=200, required=False, default="", allow_blank=True, help_text="Of the letter."
    )


class BouncesSerializer(serializers.Serializer[Any]):
    bounces = BounceSerializer(many=True, max_length=MOST)  # type: ignore[call-arg]  # of the list


class NotedSerializer(serializers.Serializer[Any]):
    noted = serializers.IntegerField(help_text="Bounces for good, of addresses of accounts.")


class BounceView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (StrictJSONParser,)

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @extend_schema(
        tags=["bounces"],
        request=BouncesSerializer,
        responses=NotedSerializer,
        parameters=[
            OpenApiParameter(
                "Authorization",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                required=True,
                description="Bearer and the BOUNCE_TOKEN of this installation; without one there is no such address.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Letters that came back. No more is sent to an address that refused for good; sent twice it does no harm."""
        _check(request.headers.get("Authorization", ""))
        body = BouncesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        noted = sum(
            mailboxes.note_bounce(
                address=one["address"], status=one["status"], message_id=one["message_id"]
            )
            for one in body.validated_data["bounces"]
            if one["is_permanent"]
        )
        return Response(NotedSerializer({"noted": noted}).data)


def _check(said: str) -> None:
    if not settings.BOUNCE_TOKEN:
        raise Http404
    if not secrets.compare_digest(said.encode(), f"Bearer {settings.BOUNCE_TOKEN}".encode()):
        raise NotAuthenticated
