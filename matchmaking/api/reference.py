from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import (
    Category,
    CertificationKind,
    Chain,
    CooperationKind,
    DockingKind,
    ParticipantKind,
    QualificationKind,
    Region,
    Segment,
    Unit,
)
from events.models import EventLevel
from matchmaking import market
from matchmaking.api import filters
from matchmaking.api.base import ReferenceViewSet, Request
from matchmaking.engine import proposals

NAMES = ("code", "name_zh", "name_en")


class ChainSerializer(serializers.ModelSerializer[Chain]):
    class Meta:
        model = Chain
        fields = (*NAMES, "kind", "summary_zh", "summary_en")


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    chain = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    feeds = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)

    class Meta:
        model = Segment
        fields = (*NAMES, "chain", "position", "feeds")


class CategorySerializer(serializers.ModelSerializer[Category]):
    parent = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)  # type: ignore[assignment]  # declared fields leave the class
    segment = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Category
        fields = (
            *NAMES, "level", "parent", "segment", "synonyms_zh", "synonyms_en",
            "description_zh", "description_en", "standards",
        )  # fmt: skip


class CategoryTextSerializer(serializers.Serializer[Any]):
    """What somebody asks for or offers, and the codes that are chosen for it already."""

    text = serializers.CharField(max_length=20_000, help_text="The first 500 characters are read.")
    chosen = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=50
    )


class ProposedCategorySerializer(serializers.Serializer[Any]):
    category = CategorySerializer()
    term = serializers.CharField(help_text="Because of which of its words.")


class CategorySuggestionSerializer(serializers.Serializer[Any]):
    """At most five, best first; none where nothing fits."""

    suggestions = ProposedCategorySerializer(many=True)
    is_doubtful = serializers.BooleanField(
        help_text="Probably none of them fits: they are the nearest there are."
    )
    reads_like = serializers.CharField(
        allow_null=True,
        help_text="The code that the text clearly speaks of, where it speaks of none of the chosen ones.",
    )


class RegionSerializer(serializers.ModelSerializer[Region]):
    parent = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)  # type: ignore[assignment]  # declared fields leave the class

    class Meta:
        model = Region
        fields = (*NAMES, "level", "parent", "longitude", "latitude")


class UnitSerializer(serializers.ModelSerializer[Unit]):
    class Meta:
        model = Unit
        fields = (*NAMES, "dimension", "factor")


class DockingKindSerializer(serializers.ModelSerializer[DockingKind]):
    direction = serializers.CharField(source="direction_id", read_only=True)

    class Meta:
        model = DockingKind
        fields = (*NAMES, "direction", "family", "counterparts")


class CooperationKindSerializer(serializers.ModelSerializer[CooperationKind]):
    class Meta:
        model = CooperationKind
        fields = (*NAMES, "group")


class QualificationKindSerializer(serializers.ModelSerializer[QualificationKind]):
    class Meta:
        model = QualificationKind
        fields = (*NAMES, "group", "counted_as")


class CertificationKindSerializer(serializers.ModelSerializer[CertificationKind]):
    class Meta:
        model = CertificationKind
        fields = (*NAMES, "group")


class ParticipantKindSerializer(serializers.ModelSerializer[ParticipantKind]):
    class Meta:
        model = ParticipantKind
        fields = (*NAMES, "counts_as_enterprise")


class EventLevelSerializer(serializers.ModelSerializer[EventLevel]):
    class Meta:
        model = EventLevel
        fields = NAMES


class ChainViewSet(ReferenceViewSet):
    queryset = Chain.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = ChainSerializer
    filterset_fields = ["kind"]


class SegmentViewSet(ReferenceViewSet):
    queryset = (
        Segment.objects.filter(is_active=True)
        .select_related("chain")
        .prefetch_related("feeds")
        .order_by("code")
    )
    serializer_class = SegmentSerializer
    filterset_class = filters.SegmentFilter


class CategoryViewSet(ReferenceViewSet):
    queryset = (
        Category.objects.filter(is_active=True).select_related("parent", "segment").order_by("code")
    )
    serializer_class = CategorySerializer
    filterset_class = filters.CategoryFilter

    @extend_schema(request=CategoryTextSerializer, responses=CategorySuggestionSerializer)
    @action(
        detail=False, methods=["post"], permission_classes=[IsAuthenticated], filterset_class=None
    )
    def suggest(self, request: Request) -> Response:
        """Categories for a text, as the forms propose them. Nothing is kept of it."""
        body = CategoryTextSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = market.suggest(body.validated_data["text"])
        rows = self.get_queryset().in_bulk([one.code for one in found], field_name="code")
        instead = proposals.doubted(found, body.validated_data["chosen"])
        told = {
            "suggestions": [
                {"category": rows[one.code], "term": one.term} for one in found if one.code in rows
            ],
            "is_doubtful": bool(found) and proposals.is_doubtful(found),
            "reads_like": instead.code if instead is not None else None,
        }
        return Response(CategorySuggestionSerializer(told).data)


class RegionViewSet(ReferenceViewSet):
    queryset = Region.objects.filter(is_active=True).select_related("parent").order_by("code")
    serializer_class = RegionSerializer
    filterset_class = filters.RegionFilter


class UnitViewSet(ReferenceViewSet):
    queryset = Unit.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = UnitSerializer


class DockingKindViewSet(ReferenceViewSet):
    queryset = DockingKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = DockingKindSerializer


class CooperationKindViewSet(ReferenceViewSet):
    queryset = CooperationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = CooperationKindSerializer


class QualificationKindViewSet(ReferenceViewSet):
    queryset = QualificationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = QualificationKindSerializer


class CertificationKindViewSet(ReferenceViewSet):
    queryset = CertificationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = CertificationKindSerializer


class ParticipantKindViewSet(ReferenceViewSet):
    queryset = ParticipantKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = ParticipantKindSerializer


class EventLevelViewSet(ReferenceViewSet):
    queryset = EventLevel.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = EventLevelSerializer
