"""The leading enterprises of an event, for those who hold it. Those the public may read stand with the event."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise
from events.models import Event
from events.services import leading
from matchmaking.api.base import Request
from matchmaking.api.event_actions import EventActions


class LeadingRowSerializer(serializers.Serializer[Any]):
    """`is_public`: it is confirmed here and has agreed to be named."""

    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.verified()
    )
    text_zh = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    text_en = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    is_public = serializers.BooleanField(read_only=True)


class LeadingListSerializer(serializers.Serializer[Any]):
    guests = LeadingRowSerializer(many=True, max_length=leading.MOST)  # type: ignore[call-arg]


class LeadingActions(EventActions):
    @extend_schema(methods=["GET"], responses=LeadingListSerializer, filters=False)
    @extend_schema(methods=["PUT"], request=LeadingListSerializer, responses=LeadingListSerializer)
    @action(
        detail=True,
        methods=["get", "put"],
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def leading(self, request: Request, public_id: str) -> Response:
        """All of them in their order, named in public or not; or put another list in their place."""
        event = self.managed(request, public_id)
        if request.method == "PUT":
            body = LeadingListSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            leading.set_guests(event=event, guests=body.validated_data["guests"], by=request.user)
        return self._guests(event)

    def _guests(self, event: Event) -> Response:
        public = set(event.leading_guests.public().values_list("pk", flat=True))
        rows = [
            {
                "enterprise": row.enterprise, "text_zh": row.text_zh, "text_en": row.text_en,
                "is_public": row.pk in public,
            }
            for row in event.leading_guests.select_related("enterprise")
        ]  # fmt: skip
        return Response(LeadingListSerializer({"guests": rows}).data)
