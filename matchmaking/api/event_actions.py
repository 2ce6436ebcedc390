from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from events.models import Event
from events.permissions import can_manage, can_see_guests
from matchmaking.api.base import ReadViewSet, Request


class EventActions(ReadViewSet):
    # What lies below an event asks for it by one of these: bare, without all that a reader of events is shown.

    def seen(self, request: Request, public_id: str) -> Event:
        return get_object_or_404(Event.objects.visible_to(request.user), public_id=public_id)

    def managed(self, request: Request, public_id: str) -> Event:
        event = self.seen(request, public_id)
        if not can_manage(request.user, event):
            raise PermissionDenied
        return event

    def attended(self, request: Request, public_id: str) -> Event:
        """For those who may see its guests: the desk on its days too."""
        event = self.seen(request, public_id)
        if not can_see_guests(request.user, event):
            raise PermissionDenied
        return event
