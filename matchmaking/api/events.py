from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise, Requirement
from events import permissions as gathering
from events import statistics
from events.models import AgendaItem, Delegate, Event, FormQuestion, Listing, Tier
from events.services import checkin
from matchmaking.api import filters
from matchmaking.api.base import ReadViewSet, Request
from matchmaking.api.checkins import (
    CheckInSerializer,
    FirstScanSerializer,
    ScanAnswerSerializer,
    ScanSerializer,
)
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.programmes import SeriesSerializer


class TierSerializer(serializers.ModelSerializer[Tier]):
    class Meta:
        model = Tier
        fields = (
            "public_id", "name_zh", "name_en", "qualifications", "participant_kinds", "seats",
            "taken", "reserved_until", "is_general",
        )  # fmt: skip


class ListingSerializer(serializers.ModelSerializer[Listing]):
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = Listing
        fields = ("requirement", "order", "is_featured")


class ChoiceSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()


class FormQuestionSerializer(serializers.ModelSerializer[FormQuestion]):
    """A question of the registration form. Answers name it by its public id."""

    choices = ChoiceSerializer(many=True, read_only=True)

    class Meta:
        model = FormQuestion
        fields = ("public_id", "kind", "text_zh", "text_en", "choices", "is_required", "version")


class AgendaItemSerializer(serializers.ModelSerializer[AgendaItem]):
    class Meta:
        model = AgendaItem
        fields = (
            "starts_at", "ends_at", "title_zh", "title_en", "room_zh", "room_en", "note_zh", "note_en",
        )  # fmt: skip


class EventSerializer(serializers.ModelSerializer[Event]):
    level = serializers.CharField(source="level_id", read_only=True)
    host = EnterpriseNameSerializer(read_only=True)
    co_hosts = EnterpriseNameSerializer(many=True, read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    chains = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    docking_kinds = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    series = SeriesSerializer(many=True, read_only=True)
    tiers = TierSerializer(many=True, read_only=True)
    listings = ListingSerializer(source="public_listings", many=True, read_only=True)
    questions = FormQuestionSerializer(source="asked", many=True, read_only=True)
    agenda = AgendaItemSerializer(many=True, read_only=True)

    class Meta:
        model = Event
        fields = (
            "public_id", "name_zh", "name_en", "level", "host", "co_hosts", "region", "chains",
            "docking_kinds", "series", "starts_at", "ends_at", "place", "place_en", "map_url", "text",
            "text_en", "delegates_per_enterprise", "admission", "waiting_rule", "offer_hours",
            "walk_ins", "registration_opens_at", "registration_closes_at", "status", "tiers", "listings",
            "questions", "agenda",
        )  # fmt: skip


class EventViewSet(ReadViewSet):
    queryset = Event.objects.none()
    serializer_class = EventSerializer
    filterset_class = filters.EventFilter

    def get_queryset(self) -> QuerySet[Event]:
        # Listing never shows what is not published; the moment of the list decides (row 21).
        listings = (
            Listing.objects.filter(requirement__status=Requirement.Status.PUBLISHED)
            .select_related("requirement")
            .order_by("order", "pk")
        )
        return (
            Event.objects.visible_to(self.request.user)
            .select_related("host", "region")
            .prefetch_related(
                "co_hosts",
                "chains",
                "docking_kinds",
                "series__programme",
                "tiers",
                "agenda",
                Prefetch("listings", listings, "public_listings"),
                Prefetch("questions", FormQuestion.objects.asked(), "asked"),
            )
            .order_by("-starts_at", "pk")
        )

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
        # Bare: a door at rush hour needs none of what a reader of events is shown.
        event = get_object_or_404(Event.objects.visible_to(request.user), public_id=public_id)
        if request.method == "POST":
            return self._scan(request, event)
        if not gathering.can_see_guests(request.user, event):
            raise PermissionDenied
        rows = event.check_ins.select_related("delegate__registration__enterprise").order_by("-pk")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(CheckInSerializer(page, many=True).data)

    def _scan(self, request: Request, event: Event) -> Response:
        if not gathering.can_check_in(request.user, event):
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
