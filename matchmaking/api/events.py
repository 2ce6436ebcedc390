from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from chains.models import Requirement
from events.models import AgendaItem, Event, FormQuestion, LeadingGuest, Listing, Tier
from matchmaking.api import filters
from matchmaking.api.capacity import CapacityActions
from matchmaking.api.checkins import CheckInActions
from matchmaking.api.copies import CopyActions
from matchmaking.api.documents import DocumentActions
from matchmaking.api.draws import DrawActions
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.invitations import InvitationActions
from matchmaking.api.leading import LeadingActions
from matchmaking.api.listings import ListActions
from matchmaking.api.programmes import SeriesSerializer
from matchmaking.api.queues import QueueActions


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


class LeadingGuestSerializer(serializers.ModelSerializer[LeadingGuest]):
    """A leading enterprise that is coming and has agreed to be named."""

    enterprise = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = LeadingGuest
        fields = ("enterprise", "text_zh", "text_en", "order")


class EventSerializer(serializers.ModelSerializer[Event]):
    level = serializers.CharField(source="level_id", read_only=True)
    host = EnterpriseNameSerializer(read_only=True)
    co_hosts = EnterpriseNameSerializer(many=True, read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    cluster = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    chains = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    docking_kinds = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    series = SeriesSerializer(many=True, read_only=True)
    tiers = TierSerializer(many=True, read_only=True)
    listings = ListingSerializer(source="public_listings", many=True, read_only=True)
    questions = FormQuestionSerializer(source="asked", many=True, read_only=True)
    agenda = AgendaItemSerializer(many=True, read_only=True)
    leading_guests = LeadingGuestSerializer(source="public_guests", many=True, read_only=True)

    class Meta:
        model = Event
        fields = (
            "public_id", "name_zh", "name_en", "level", "host", "co_hosts", "region", "cluster", "chains",
            "docking_kinds", "series", "starts_at", "ends_at", "place", "place_en", "map_url", "text",
            "text_en", "delegates_per_enterprise", "admission", "waiting_rule", "offer_hours",
            "walk_ins", "registration_opens_at", "registration_closes_at", "delegates_until", "status", "tiers", "listings",
            "questions", "agenda", "leading_guests",
            "draws_at", "draw_source_zh", "draw_source_en", "draw_commitment",
        )  # fmt: skip


class EventViewSet(
    CapacityActions,
    CheckInActions,
    CopyActions,
    DocumentActions,
    DrawActions,
    InvitationActions,
    LeadingActions,
    ListActions,
    QueueActions,
):
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
            .select_related("host", "region", "cluster")
            .prefetch_related(
                "co_hosts",
                "chains",
                "docking_kinds",
                "series__programme",
                "tiers",
                "agenda",
                Prefetch("listings", listings, "public_listings"),
                Prefetch("leading_guests", LeadingGuest.objects.public(), "public_guests"),
                Prefetch("questions", FormQuestion.objects.asked(), "asked"),
            )
            .order_by("-starts_at", "pk")
        )
