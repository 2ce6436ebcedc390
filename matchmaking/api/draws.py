"""The draw of an event: what binds it, and how it ended."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from events.models import Draw, Event
from events.services import draws
from matchmaking.api.base import Request
from matchmaking.api.event_actions import EventActions


class DrawSerializer(serializers.Serializer[Any]):
    """`numbers` stand in the order they drew: by SHA-256 of seed, colon and number, the lowest first. `seed` and
    `drawn_at` are null until the draw is held."""

    draws_at = serializers.DateTimeField(read_only=True, allow_null=True)
    source_zh = serializers.CharField(read_only=True)
    source_en = serializers.CharField(read_only=True)
    commitment = serializers.CharField(
        read_only=True,
        help_text="SHA-256 of the seed, if one was announced; some have a line end behind the seed.",
    )
    seed = serializers.CharField(max_length=draws.SEED_MOST, allow_null=True)
    drawn_at = serializers.DateTimeField(read_only=True, allow_null=True)
    numbers = serializers.ListField(child=serializers.CharField(), read_only=True)


class DrawActions(EventActions):
    @extend_schema(methods=["GET"], responses=DrawSerializer, filters=False)
    @extend_schema(methods=["POST"], request=DrawSerializer, responses=DrawSerializer)
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def draw(self, request: Request, public_id: str) -> Response:
        """What was announced and how the draw ended, for everybody; or hold it, once its moment has come."""
        seen = Event.objects.visible_to(request.user)
        event = get_object_or_404(
            seen, public_id=public_id, waiting_rule=Event.WaitingRule.SEEDED_DRAW
        )
        if request.method == "POST":
            event = self.managed(request, public_id)
            body = DrawSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            draws.hold(event=event, seed=body.validated_data["seed"] or "", by=request.user)
        held = Draw.objects.filter(event=event).first()
        said = {
            "draws_at": event.draws_at,
            "source_zh": event.draw_source_zh,
            "source_en": event.draw_source_en,
            "commitment": event.draw_commitment,
            "seed": held and held.seed,
            "drawn_at": held and held.created_at,
            "numbers": held.numbers if held else [],
        }
        return Response(DrawSerializer(said).data)
