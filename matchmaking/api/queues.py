from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from events.models import Registration
from events.services import waiting_list
from matchmaking.api.base import Request
from matchmaking.api.event_actions import EventActions
from matchmaking.api.registrations import ANSWERS_IN_ORDER, RegistrationSerializer

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
REGISTRATION_STATUSES = Registration.Status.choices


class QueuedSerializer(RegistrationSerializer):
    """One that waits, with what was moved by hand and why."""

    class Meta(RegistrationSerializer.Meta):
        fields = (*RegistrationSerializer.Meta.fields, "queued_at", "priority", "priority_reason")  # type: ignore[assignment]  # some more


class QueueActions(EventActions):
    @extend_schema(responses=QueuedSerializer(many=True), filters=False)
    @action(detail=True, permission_classes=[IsAuthenticated], filterset_class=None)
    def queue(self, request: Request, public_id: str) -> Response:
        """Those who wait, in the order in which seats are offered; computed now."""
        event = self.managed(request, public_id)
        rows = (
            event.registrations.waiting()
            .in_queue_order(event.waiting_rule)
            .select_related("event", "enterprise", "tier")
            .prefetch_related(ANSWERS_IN_ORDER)
        )
        page = list(self.paginate_queryset(rows) or [])
        context = {"ranks": waiting_list.ranks(event, page)}
        return self.get_paginated_response(QueuedSerializer(page, many=True, context=context).data)
