from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from events.models import Event, Invitation
from events.services import invitations
from matchmaking import permissions
from matchmaking.api.base import CREATED, Request
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.event_actions import EventActions

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
INVITATION_CAUSES = Invitation.Cause.choices


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """`code` is the end of the link in the letter; known enterprises without members are handed theirs."""

    enterprise = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = Invitation
        fields = (
            "public_id", "enterprise", "cause", "reason", "admits_always", "code", "status",
            "created_at", "answered_at",
        )  # fmt: skip


class InvitationDraftSerializer(serializers.Serializer[Any]):
    enterprises = serializers.ListField(
        child=serializers.CharField(max_length=12),
        min_length=1,
        max_length=invitations.MOST,
        help_text="By public id; those invited or registered already are left out.",
    )
    cause = serializers.ChoiceField(Invitation.Cause.choices, default=Invitation.Cause.BY_HAND)
    reason = serializers.CharField(max_length=300, help_text="They read it in the letter.")
    admits_always = serializers.BooleanField(
        default=False, help_text="They may register before registration opens and after it closes."
    )


class InvitedSerializer(serializers.Serializer[Any]):
    invited = InvitationSerializer(many=True)


class InvitationActions(EventActions):
    @extend_schema(methods=["GET"], responses=InvitationSerializer(many=True), filters=False)
    @extend_schema(
        methods=["POST"],
        request=InvitationDraftSerializer,
        responses={201: InvitedSerializer},
    )
    @action(
        detail=True,
        methods=["get", "post"],
        permission_classes=[IsAuthenticated],
        filterset_class=None,
    )
    def invitations(self, request: Request, public_id: str) -> Response:
        """Whom the event has asked to come, the latest first; or ask more of them, by one letter each."""
        event = self.managed(request, public_id)
        if request.method == "POST":
            return self._invite(request, event)
        page = self.paginate_queryset(
            event.invitations.select_related("enterprise").order_by("-pk")
        )
        return self.get_paginated_response(InvitationSerializer(page, many=True).data)

    def _invite(self, request: Request, event: Event) -> Response:
        body = InvitationDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        names = set(fields.pop("enterprises"))
        found = permissions.enterprises_visible_to(request.user).filter(public_id__in=names)
        if unknown := names - {one.public_id for one in found}:
            raise ValidationError(
                {
                    "enterprises": [
                        _("There are no such enterprises: %(names)s.")
                        % {"names": ", ".join(sorted(unknown)[:5])}
                    ]
                }
            )
        rows = invitations.invite(event=event, enterprises=list(found), by=request.user, **fields)
        return Response(InvitedSerializer({"invited": rows}).data, status=CREATED)
