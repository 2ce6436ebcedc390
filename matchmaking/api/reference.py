from __future__ import annotations

from typing import Any

from rest_framework import serializers

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
from matchmaking.api import filters
from matchmaking.api.base import ReferenceViewSet

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
