from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise
from events import statistics
from events.models import CheckIn, Delegate, Event
from events.permissions import can_check_in
from events.services import checkin
from matchmaking.api.base import Request
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.event_actions import EventActions

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
CHECK_IN_KINDS = CheckIn.Kind.choices
CHECK_IN_ANSWERS = CheckIn.Answer.choices


class GuestSerializer(serializers.ModelSerializer[Delegate]):
    enterprise = EnterpriseNameSerializer(source="registration.enterprise", read_only=True)

    class Meta:
        model = Delegate
        fields = ("public_id", "name", "job_title", "enterprise")


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    """A scan as it is kept. `delegate` is null where the code was unknown or of another event."""

    delegate = GuestSerializer(read_only=True, allow_null=True)

    class Meta:
        model = CheckIn
        fields = ("nonce", "kind", "answer", "gate", "scanned_at", "received_at", "delegate")


class FirstScanSerializer(serializers.ModelSerializer[CheckIn]):
    class Meta:
        model = CheckIn
        fields = ("gate", "scanned_at")


class ScanAnswerSerializer(CheckInSerializer):
    """What a door is told. `first` is the scan that let the person in; heads are counted once over all gates."""

    first = FirstScanSerializer(read_only=True, allow_null=True)
    inside = serializers.IntegerField(read_only=True)
    expected = serializers.IntegerField(read_only=True)

    class Meta(CheckInSerializer.Meta):
        fields = (*CheckInSerializer.Meta.fields, "first", "inside", "expected")  # type: ignore[assignment]  # some more


class ScanSerializer(serializers.Serializer[Any]):
    """One scan. Sent again with its nonce it is answered the same and counted once; keep it until it is answered."""

    nonce = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=("in", "undo", "walk_in"), required=False, default="in")
    code = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        help_text="The link on the badge, its key, or the short code.",
    )
    delegate = serializers.CharField(max_length=12, required=False, default="")
    enterprise = serializers.CharField(
        max_length=12, required=False, default="", help_text="Of a walk-in."
    )
    name = serializers.CharField(
        max_length=80, required=False, default="", help_text="Of a walk-in."
    )
    gate = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    scanned_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {
            "in": ("code", "delegate"), "undo": ("delegate",), "walk_in": ("enterprise",),
        }[attrs["kind"]]  # fmt: skip
        if not any(attrs[name] for name in needed):
            said = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError(dict.fromkeys(needed, said))
        return attrs


class GateSerializer(serializers.Serializer[Any]):
    gate = serializers.CharField()
    scans = serializers.IntegerField()
    again = serializers.IntegerField()
    refused = serializers.IntegerField()


class HeadcountSerializer(serializers.Serializer[Any]):
    """Persons who are in, each once over all doors, of the seats that are confirmed; the same of bodies."""

    as_of = serializers.DateTimeField()
    inside = serializers.IntegerField()
    expected = serializers.IntegerField()
    bodies = serializers.IntegerField(help_text="Of which somebody is in.")
    bodies_expected = serializers.IntegerField()
    gates = GateSerializer(many=True, help_text="Scans, not heads.")


class CheckInActions(EventActions):
    @extend_schema(methods=["GET"], responses=CheckInSerializer(many=True), filters=False)
    @extend_schema(
        methods=["POST"],
        request=ScanSerializer,
        responses=ScanAnswerSerializer,
    )
    @action(
        detail=True,
        methods=["get", "post"],
        url_path="check-ins",
        permission_classes=[IsAuthenticated],
    )
    def check_ins(self, request: Request, public_id: str) -> Response:
        """Scans of the doors, the latest first; or send one."""
        if request.method == "POST":
            return self._scan(request, self.seen(request, public_id))
        event = self.attended(request, public_id)
        rows = event.check_ins.select_related("delegate__registration__enterprise").order_by("-pk")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(CheckInSerializer(page, many=True).data)

    def _scan(self, request: Request, event: Event) -> Response:
        if not can_check_in(request.user, event):
            raise PermissionDenied  # before it is said whether such a person exists
        body = ScanSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        about = {
            "event": event,
            "by": request.user,
            "nonce": sent["nonce"],
            "gate": sent["gate"],
            "scanned_at": sent["scanned_at"],
        }
        if sent["kind"] == "walk_in":
            bodies = Enterprise.objects.verified()
            enterprise = get_object_or_404(bodies, public_id=sent["enterprise"])
            scan = checkin.walk_in(**about, enterprise=enterprise, name=sent["name"])
        elif sent["delegate"]:
            people = Delegate.objects.select_related("registration__enterprise")
            person = get_object_or_404(people, event=event, public_id=sent["delegate"])
            verb = checkin.undo if sent["kind"] == "undo" else checkin.check_in
            scan = verb(**about, delegate=person)
        else:
            scan = checkin.check_in(**about, code=sent["code"])
        heads = statistics.heads(event)
        answer = {
            **CheckInSerializer(scan.row).data,
            "first": FirstScanSerializer(scan.first).data if scan.first else None,
            "inside": heads.inside,
            "expected": heads.expected,
        }
        return Response(answer)

    @extend_schema(responses=HeadcountSerializer)
    @action(
        detail=True,
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def headcount(self, request: Request, public_id: str) -> Response:
        """How many are in at this moment."""
        event = self.attended(request, public_id)
        said = {
            "as_of": timezone.now(),
            **statistics.heads(event)._asdict(),
            "gates": statistics.by_gate(event),
        }
        return Response(HeadcountSerializer(said).data)
