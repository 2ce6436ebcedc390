from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from events import statistics
from events.services import tiers
from matchmaking.api.base import Request
from matchmaking.api.event_actions import EventActions


class TierSeatsSerializer(serializers.Serializer[Any]):
    """Seats that are taken include those on offer; what comes free goes to the queue at once."""

    public_id = serializers.CharField(max_length=12)
    seats = serializers.IntegerField(min_value=0, max_value=100_000)
    taken = serializers.IntegerField(read_only=True)
    free = serializers.IntegerField(read_only=True)
    offered = serializers.IntegerField(read_only=True)
    waiting = serializers.IntegerField(read_only=True, help_text="Registrations in the queue.")


class CapacitySerializer(serializers.Serializer[Any]):
    tiers = TierSeatsSerializer(many=True)


class CapacityActions(EventActions):
    @extend_schema(methods=["GET"], responses=CapacitySerializer, filters=False)
    @extend_schema(methods=["PATCH"], request=CapacitySerializer, responses=CapacitySerializer)
    @action(
        detail=True,
        methods=["get", "patch"],
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def capacity(self, request: Request, public_id: str) -> Response:
        """The seats of each tier; or set those of the tiers that are named, never below what is taken."""
        event = self.managed(request, public_id)
        if request.method == "PATCH":
            body = CapacitySerializer(data=request.data)
            body.is_valid(raise_exception=True)
            seats = {row["public_id"]: row["seats"] for row in body.validated_data["tiers"]}
            tiers.set_seats(event=event, seats=seats, by=request.user)
        rows = [
            {
                "public_id": one.tier.public_id, "seats": one.tier.seats, "taken": one.tier.taken,
                "free": one.tier.free, "offered": one.offered, "waiting": one.waiting,
            }
            for one in statistics.tier_states(event)
        ]  # fmt: skip
        return Response(CapacitySerializer({"tiers": rows}).data)
