from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise
from events.services import copies
from matchmaking.api.base import CREATED, Request, caller
from matchmaking.api.event_actions import EventActions


class CopySerializer(serializers.Serializer[Any]):
    """This year's event from the one named: all other times are shifted by as much as its beginning."""

    host = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.none()
    )
    name_zh = serializers.CharField(max_length=160)
    name_en = serializers.CharField(max_length=200)
    starts_at = serializers.DateTimeField()
    parts = serializers.MultipleChoiceField(
        choices=copies.Part.choices,
        required=False,
        default=lambda: {part.value for part in copies.USUAL},
        help_text="What comes along beside the event itself; people never do. Usually all but the documents.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        roles = getattr(caller(self.context), "organiser_roles", ())
        bodies = [role.body_id for role in roles]
        fields["host"].queryset = Enterprise.objects.filter(pk__in=bodies)  # type: ignore[attr-defined]
        return fields


class CopiedSerializer(serializers.Serializer[Any]):
    public_id = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)


class CopyActions(EventActions):
    @extend_schema(request=CopySerializer, responses={201: CopiedSerializer})
    @action(detail=True, methods=["post"], url_path="copy", permission_classes=[IsAuthenticated])
    def make_copy(self, request: Request, public_id: str) -> Response:
        """A draft with what was prepared and is chosen, its dates shifted."""
        event = self.managed(request, public_id)
        body = CopySerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        new = copies.copy(event=event, by=request.user, **body.validated_data)
        return Response(CopiedSerializer(new).data, status=CREATED)
