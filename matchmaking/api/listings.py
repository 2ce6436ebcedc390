"""The list of an event and its moment, for those who hold the event. What is public of it stands with the event."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from events.models import Event, Listing
from events.services import events
from matchmaking.api.base import Request
from matchmaking.api.event_actions import EventActions


class ListedSerializer(serializers.ModelSerializer[Listing]):
    """A requirement on the list, public or not; `code` is what stands on screen and poster."""

    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    status = serializers.CharField(source="requirement.status", read_only=True)

    class Meta:
        model = Listing
        fields = ("requirement", "status", "order", "is_featured", "code")


class EventListSerializer(serializers.Serializer[Any]):
    """`opens_at` is the moment at which page, screen, feed and mails open the list; null with `is_held`: not set yet."""

    opens_at = serializers.DateTimeField(allow_null=True)
    is_held = serializers.BooleanField(read_only=True)
    released_at = serializers.DateTimeField(read_only=True, allow_null=True)
    listings = ListedSerializer(many=True, read_only=True)


class ListActions(EventActions):
    @extend_schema(methods=["GET"], responses=EventListSerializer, filters=False)
    @extend_schema(methods=["PATCH"], request=EventListSerializer, responses=EventListSerializer)
    @action(
        detail=True,
        methods=["get", "patch"],
        url_path="list",
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def listed(self, request: Request, public_id: str) -> Response:
        """The whole list with its moment; or set the moment, null to hold the list back until one is set."""
        event = self.managed(request, public_id)
        if request.method == "PATCH":
            body = EventListSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            at = body.validated_data["opens_at"]
            event = events.set_list_moment(event=event, at=at, by=request.user)
        return self._list(event)

    @extend_schema(request=None, responses=EventListSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="list/release",
        permission_classes=[IsAuthenticated],
    )
    def release(self, request: Request, public_id: str) -> Response:
        """Open the list at this moment, all of it at once; once open it stays open."""
        event = self.managed(request, public_id)
        return self._list(events.release_list(event=event, by=request.user))

    def _list(self, event: Event) -> Response:
        rows = event.listings.select_related("requirement").order_by("order", "pk")
        said = {
            "opens_at": event.list_published_at,
            "is_held": event.list_is_held,
            "released_at": event.list_released_at,
            "listings": rows,
        }
        return Response(EventListSerializer(said).data)
