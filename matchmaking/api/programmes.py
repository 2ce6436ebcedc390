from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise, Region
from events import statistics
from events.models import Event, EventLevel, Programme, Series, Target
from events.services import programmes
from matchmaking.api import filters
from matchmaking.api.base import CREATED, ReadViewSet, Request, caller


class SeriesSerializer(serializers.ModelSerializer[Series]):
    class Meta:
        model = Series
        fields = ("public_id", "year", "name_zh", "name_en")


class ProgrammeSerializer(serializers.ModelSerializer[Programme]):
    owner = serializers.SlugRelatedField[Any](
        slug_field="public_id",
        queryset=Enterprise.objects.all(),
        help_text="The body that keeps it; cannot be changed.",
    )

    class Meta:
        model = Programme
        fields = ("public_id", "owner", "name_zh", "name_en")
        read_only_fields = ("public_id",)


class TargetSerializer(serializers.ModelSerializer[Target]):
    level = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=EventLevel.objects.all(), required=False, allow_null=True
    )
    region = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Region.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Target
        fields = ("measure", "level", "region", "value")
        validators: ClassVar[list[Any]] = []  # the service says which one stands twice


class SeriesProgressSerializer(serializers.ModelSerializer[Series]):
    """A series with its events against its target."""

    programme = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Programme.objects.none()
    )
    held = serializers.IntegerField(read_only=True)
    planned = serializers.IntegerField(read_only=True)
    target = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Events over all levels, or the sum of the levels.",
    )
    targets = TargetSerializer(many=True, read_only=True)

    class Meta:
        model = Series
        fields = (
            "public_id", "programme", "year", "name_zh", "name_en", "held", "planned", "target", "targets",
        )  # fmt: skip
        read_only_fields = ("public_id",)
        validators: ClassVar[list[Any]] = []  # a year that stands already is refused by the service

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        programmes = Programme.objects.visible_to(caller(self.context))
        fields["programme"].queryset = programmes  # type: ignore[attr-defined]
        return fields


class TargetsSerializer(serializers.Serializer[Any]):
    targets = TargetSerializer(many=True, max_length=1000)  # type: ignore[call-arg]  # of the list


class SeriesEventSerializer(serializers.Serializer[Any]):
    event = serializers.SlugRelatedField[Any](slug_field="public_id", queryset=Event.objects.none())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        events = Event.objects.visible_to(caller(self.context))
        fields["event"].queryset = events  # type: ignore[attr-defined]
        return fields


class CountsSerializer(serializers.Serializer[Any]):
    """Enterprises once (家), their visits (家次), other bodies once, and persons with a seat (人次): never one for another."""

    enterprises = serializers.IntegerField()
    visits = serializers.IntegerField()
    bodies = serializers.IntegerField()
    persons = serializers.IntegerField()


class LevelFigureSerializer(serializers.Serializer[Any]):
    level = serializers.CharField(source="level.code")
    held = serializers.IntegerField()
    planned = serializers.IntegerField()
    target = serializers.IntegerField(allow_null=True)


class QuarterFigureSerializer(serializers.Serializer[Any]):
    quarter = serializers.IntegerField()
    count = serializers.IntegerField()


class YearOnYearSerializer(serializers.Serializer[Any]):
    measure = serializers.CharField()
    before = serializers.IntegerField()
    now = serializers.IntegerField()
    factor = serializers.FloatField(allow_null=True)


class ProvinceFigureSerializer(CountsSerializer):
    province = serializers.CharField(
        source="region.code",
        allow_null=True,
        default=None,
        help_text="Null for bodies from abroad.",
    )
    country = serializers.CharField(help_text="Of bodies from abroad; else empty.")


class GroupFigureSerializer(CountsSerializer):
    group = serializers.CharField(source="group.code")


class SeriesFiguresSerializer(serializers.Serializer[Any]):
    """Participants are confirmed places at events that were held; arrivals are not among them."""

    as_of = serializers.DateTimeField()
    held = serializers.IntegerField()
    planned = serializers.IntegerField()
    target = serializers.IntegerField(allow_null=True)
    participants = CountsSerializer()
    levels = LevelFigureSerializer(many=True)
    quarters = QuarterFigureSerializer(many=True, help_text="City and county events.")
    year_on_year = YearOnYearSerializer(
        many=True, help_text="Up to the same day of both years; empty without a year before."
    )
    provinces = ProvinceFigureSerializer(many=True)
    groups = GroupFigureSerializer(many=True)
    counties = serializers.IntegerField()
    counties_without = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of counties without an event of the series."
    )


class ProgrammeViewSet(ReadViewSet):
    queryset = Programme.objects.none()
    serializer_class = ProgrammeSerializer

    def get_queryset(self) -> QuerySet[Programme]:
        return (
            Programme.objects.visible_to(self.request.user).select_related("owner").order_by("pk")
        )

    @extend_schema(request=ProgrammeSerializer, responses={201: ProgrammeSerializer})
    def create(self, request: Request) -> Response:
        """A programme of a body the caller works for."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = programmes.create_programme(by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(request=ProgrammeSerializer, responses=ProgrammeSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        row = self.get_object()
        body = self.get_serializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        names = {
            name: body.validated_data.get(name, getattr(row, name))
            for name in ("name_zh", "name_en")
        }
        row = programmes.edit_programme(programme=row, by=request.user, **names)
        return Response(self.get_serializer(row).data)


class SeriesViewSet(ReadViewSet):
    queryset = Series.objects.none()
    serializer_class = SeriesProgressSerializer
    filterset_class = filters.SeriesFilter

    def get_queryset(self) -> QuerySet[Series]:
        rows = Series.objects.visible_to(self.request.user).select_related(
            "programme__owner__region"
        )
        targets = Target.objects.select_related("level", "region").order_by("measure", "pk")
        return (
            statistics.series_progress(rows)
            .prefetch_related(Prefetch("targets", targets))
            .order_by("-year", "pk")
        )

    @extend_schema(
        request=SeriesProgressSerializer,
        responses={201: SeriesProgressSerializer},
    )
    def create(self, request: Request) -> Response:
        """A programme of the caller's body in one more year."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = programmes.create_series(by=request.user, **body.validated_data)
        return self.read_again(row, CREATED)

    @extend_schema(responses=SeriesFiguresSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def figures(self, request: Request, public_id: str) -> Response:
        """The figures of the series' page at this moment."""
        row: Any = self.get_object()
        figures = statistics.figures(row)
        compared = statistics.year_on_year(row)
        participants = statistics.participants_by_province(row)
        counties = statistics.counties(row)
        said = {
            "as_of": timezone.now(),
            "held": row.held,
            "planned": row.planned,
            "target": row.target,
            "participants": figures,
            "levels": statistics.by_level(row),
            "quarters": statistics.by_quarter(row),
            "year_on_year": compared["rows"] if compared else [],
            "provinces": participants["rows"],
            "groups": participants["groups"],
            "counties": len(counties),
            "counties_without": [one["county"].code for one in counties if not one["events"]],
        }
        return Response(SeriesFiguresSerializer(said).data)

    @extend_schema(request=TargetsSerializer, responses=SeriesProgressSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def targets(self, request: Request, public_id: str) -> Response:
        """All targets of the series at once; those left out go."""
        body = TargetsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = self.get_object()
        programmes.set_targets(series=row, targets=body.validated_data["targets"], by=request.user)
        return self.read_again(row)

    @extend_schema(request=SeriesEventSerializer, responses=SeriesProgressSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def add(self, request: Request, public_id: str) -> Response:
        """Count an event in the series."""
        return self._move(request, programmes.put_event)

    @extend_schema(request=SeriesEventSerializer, responses=SeriesProgressSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def remove(self, request: Request, public_id: str) -> Response:
        """Take an event out of the series; its other series keep it."""
        return self._move(request, programmes.take_event)

    def _move(self, request: Request, verb: Any) -> Response:
        body = SeriesEventSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        row = self.get_object()
        verb(series=row, event=body.validated_data["event"], by=request.user)
        return self.read_again(row)
