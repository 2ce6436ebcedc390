"""Saved searches: what a person wants to hear of, and how often."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Preference
from matchmaking.api.base import ReadViewSet, Request
from matchmaking.api.parsers import StrictJSONParser
from matchmaking.models import SavedSearch
from matchmaking.models.alerts import FOR_YOU
from matchmaking.services import alerts

RHYTHMS = Preference.Rhythm.choices


class SavedSearchSerializer(serializers.ModelSerializer[SavedSearch]):
    rhythm = serializers.SerializerMethodField()

    class Meta:
        model = SavedSearch
        fields = ("public_id", "name", "query", "rhythm", "created_at")

    def get_rhythm(self, row: SavedSearch) -> str:
        return str(self.context["rhythms"].get(row.public_id, Preference.Rhythm.DAILY))


class SavedSearchDraftSerializer(serializers.Serializer[Any]):
    query = serializers.CharField(
        max_length=2000,
        allow_blank=True,
        help_text="Words and filters as they stand in the address of the list of requirements.",
    )
    name = serializers.CharField(max_length=80)
    rhythm = serializers.ChoiceField(RHYTHMS, default=Preference.Rhythm.DAILY)


class SavedSearchChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    rhythm = serializers.ChoiceField(RHYTHMS, required=False)


class TopicSerializer(serializers.Serializer[Any]):
    """What a person may hear of: what fits their enterprises, and each saved search."""

    topic = serializers.CharField(source="name", help_text="for_you, or the public id of a search.")
    name = serializers.CharField(source="search.name", default="", help_text="Of the search.")
    rhythm = serializers.ChoiceField(RHYTHMS)


class TopicChangeSerializer(serializers.Serializer[Any]):
    rhythm = serializers.ChoiceField(RHYTHMS)


class TopicViewSet(viewsets.GenericViewSet[Any]):
    queryset = SavedSearch.objects.none()
    serializer_class = TopicSerializer
    pagination_class = None
    parser_classes = (StrictJSONParser,)
    permission_classes = (IsAuthenticated,)
    lookup_field = "topic"
    lookup_value_regex = f"{FOR_YOU}|[a-z0-9]{{12}}"

    @extend_schema(responses=TopicSerializer(many=True))
    def list(self, request: Request) -> Response:
        """How often one hears of what: at once, every morning, on Mondays, never."""
        return Response(TopicSerializer(alerts.topics_of(request.user), many=True).data)

    @extend_schema(
        request=TopicChangeSerializer,
        responses=TopicSerializer,
        parameters=[OpenApiParameter("topic", str, OpenApiParameter.PATH)],
    )
    def partial_update(self, request: Request, topic: str) -> Response:
        if topic not in {one.name for one in alerts.topics_of(request.user)}:
            raise Http404
        body = TopicChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        alerts.choose(topic=topic, rhythm=body.validated_data["rhythm"], by=request.user)
        now = next(one for one in alerts.topics_of(request.user) if one.name == topic)
        return Response(TopicSerializer(now).data)


class SavedSearchViewSet(ReadViewSet):
    queryset = SavedSearch.objects.none()
    serializer_class = SavedSearchSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self) -> QuerySet[SavedSearch]:
        return SavedSearch.objects.visible_to(self.request.user).order_by("pk")

    def get_serializer_context(self) -> dict[str, Any]:
        user = self.request.user
        topics = alerts.topics_of(user) if user.is_authenticated else []
        rhythms = {topic.name: topic.rhythm for topic in topics}
        return {**super().get_serializer_context(), "rhythms": rhythms}

    @extend_schema(request=SavedSearchDraftSerializer, responses={201: SavedSearchSerializer})
    def create(self, request: Request) -> Response:
        """Keep a search. The same state of the list again is the search there is, with the new name and rhythm."""
        body = SavedSearchDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        row = alerts.save_search(
            address=fields["query"], name=fields["name"], rhythm=fields["rhythm"], by=request.user
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SavedSearchChangeSerializer, responses=SavedSearchSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        row = self.get_object()
        body = SavedSearchChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rhythms = self.get_serializer_context()["rhythms"]
        row = alerts.save_search(
            address=row.query,
            name=body.validated_data.get("name", row.name),
            rhythm=body.validated_data.get("rhythm", rhythms[row.public_id]),
            by=request.user,
        )
        return Response(self.get_serializer(row).data)

    def destroy(self, request: Request, public_id: str) -> Response:
        alerts.delete_search(search=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
