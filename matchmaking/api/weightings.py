from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Region
from matchmaking import permissions
from matchmaking.api import filters
from matchmaking.api.base import NamedField, ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.engine import calibration as engine
from matchmaking.engine.types import PART_NAMES
from matchmaking.models import Weighting
from matchmaking.services import calibration
from matchmaking.services.runs import weighting_of

# Named so that the schema has one name for the set (SPECTACULAR_SETTINGS).
WEIGHTING_STATUSES = Weighting.Status.choices
NO_REASON = _("Write why the weighting changes: colleagues read it beside the version.")


class PartsSerializer(serializers.Serializer[Any]):
    """The points that each part of a score can give; together 100."""

    text = serializers.IntegerField()
    category = serializers.IntegerField()
    conditions = serializers.IntegerField()
    locality = serializers.IntegerField()


class SaidSerializer(serializers.Serializer[Any]):
    """One act on a version. Without a body the administrator acted, or the system."""

    at = serializers.DateTimeField()
    action = serializers.ChoiceField(calibration.TRAIL)
    body = EnterpriseNameSerializer(allow_null=True)
    by_system = serializers.BooleanField()
    person = serializers.CharField(
        allow_blank=True,
        help_text="The account that acted; empty for who belongs to another office.",
    )
    reason = serializers.CharField(allow_blank=True)
    language = serializers.CharField()


class WeightingSerializer(serializers.ModelSerializer[Weighting]):
    """A version of the points. Without a province it is shared by all that have none of their own."""

    province = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    based_on = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    parts = serializers.SerializerMethodField()
    trail = serializers.SerializerMethodField()

    class Meta:
        model = Weighting
        fields: tuple[str, ...] = (
            "public_id", "version", "province", "status", "parts", "based_on", "created_at",
            "activated_at", "trail",
        )  # fmt: skip

    @extend_schema_field(PartsSerializer)
    def get_parts(self, weighting: Weighting) -> dict[str, int]:
        return {name: weighting.weights[name] for name in PART_NAMES}

    @extend_schema_field(SaidSerializer(many=True))
    def get_trail(self, weighting: Weighting) -> Any:
        return SaidSerializer(self.context["trails"].get(weighting.pk, ()), many=True).data


class LearnedSerializer(serializers.Serializer[Any]):
    report = serializers.JSONField(
        allow_null=True,
        help_text="Old and new weights on decisions they were not learned from; null for what was shipped.",
    )


class BandSerializer(serializers.Serializer[Any]):
    """Decisions by points in tenths, and the share that was approved."""

    to = serializers.IntegerField()
    pairs = serializers.IntegerField()
    approved = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # No name of an attribute in Python.
        return {"from": serializers.IntegerField(), **super().get_fields()}


class ReliabilitySerializer(serializers.Serializer[Any]):
    """`high`: from 75 points on; `low`: below 40."""

    bands = BandSerializer(many=True)
    high = BandSerializer()
    low = BandSerializer()


class TeachingSerializer(serializers.Serializer[Any]):
    """Decisions that teach."""

    decisions = serializers.IntegerField()
    requirements = serializers.IntegerField()
    relevant = serializers.IntegerField()
    not_relevant = serializers.IntegerField()
    enough = serializers.BooleanField()


class LeastSerializer(serializers.Serializer[Any]):
    decisions = serializers.IntegerField()
    requirements = serializers.IntegerField()
    verdict = serializers.IntegerField()


class CalibrationSerializer(serializers.Serializer[Any]):
    """What a province's decisions say about the weighting in force there."""

    province = serializers.CharField(source="province.code", allow_null=True)
    in_force = WeightingSerializer()
    counts = TeachingSerializer()
    least = LeastSerializer(help_text="Fewer than these teach nothing.")
    kinds = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Decisions by verdict, those that reject by verdict and reason.",
    )
    reliability = ReliabilitySerializer()
    may_weigh = serializers.BooleanField()


class ScopeSerializer(serializers.Serializer[Any]):
    """A province that the caller reads. Without one: all together for the administrator, else one's first."""

    province = NamedField(
        slug_field="code", queryset=Region.objects.none(), required=False, allow_null=True
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["province"].queryset = permissions.provinces_weighed(caller(self.context))  # type: ignore[attr-defined]
        return fields


class ActSerializer(ScopeSerializer):
    """Why, and instead of which version: if another is in force by now, whoever decided has not seen it."""

    reason = serializers.CharField(
        max_length=300, error_messages={"required": NO_REASON, "blank": NO_REASON}
    )
    instead_of = NamedField(slug_field="public_id", queryset=Weighting.objects.none())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["instead_of"].queryset = permissions.weightings_visible_to(caller(self.context))  # type: ignore[attr-defined]
        return fields


class MovedSerializer(serializers.Serializer[Any]):
    """A supplier that would stand elsewhere on a line, with its points now and then in tenths."""

    match = serializers.CharField(source="match.public_id")
    line = serializers.CharField(source="match.line.public_id")
    requirement = serializers.CharField(source="match.line.requirement.public_id")
    supplier = EnterpriseNameSerializer(source="match.supplier")
    place_old = serializers.IntegerField()
    place_new = serializers.IntegerField()
    tenths_old = serializers.IntegerField()
    tenths_new = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What the version would do to the lists of open lines."""

    lines = serializers.IntegerField(help_text="The newest open lines, whose lists were compared.")
    lines_open = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="Lists whose first ten would be others.")
    reordered = serializers.IntegerField(help_text="Lists whose first ten would stand otherwise.")
    movers = MovedSerializer(
        many=True, help_text="The longest ways, on lines that the caller reviews."
    )


class WeightingViewSet(ReadViewSet):
    queryset = Weighting.objects.none()
    serializer_class = WeightingSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.WeightingFilter

    def get_queryset(self) -> QuerySet[Weighting]:
        return (
            permissions.weightings_visible_to(self.request.user)
            .select_related("province", "based_on")
            .order_by("-version", "-pk")
        )

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The history: versions with who did what and why, newest first."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = self._context(request, rows)
        return self.get_paginated_response(
            WeightingSerializer(rows, many=True, context=context).data
        )

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._told(request, self.get_object())

    @extend_schema(parameters=[ScopeSerializer], responses=CalibrationSerializer)
    @action(detail=False, pagination_class=None, filterset_class=None)
    def calibration(self, request: Request) -> Response:
        """The weighting in force for a province, and what the decisions there say about it."""
        province = self._province(request, request.query_params)
        in_force = weighting_of(province)
        known = calibration.decided(province)
        told = {
            "province": province,
            "in_force": in_force,
            "counts": known.counts,
            "least": {
                "decisions": engine.LEAST_DECISIONS,
                "requirements": engine.LEAST_REQUIREMENTS,
                "verdict": engine.LEAST_OF_A_VERDICT,
            },
            "kinds": known.kinds,
            "reliability": calibration.reliability(known, in_force),
            "may_weigh": permissions.can_weigh(request.user, province),
        }
        return Response(
            CalibrationSerializer(told, context=self._context(request, [in_force])).data
        )

    @extend_schema(request=ScopeSerializer, responses={201: WeightingSerializer})
    @action(detail=False, methods=["post"], filterset_class=None)
    def learn(self, request: Request) -> Response:
        """Draft the next version from the decisions. Nothing changes until somebody activates it."""
        province = self._province(request, request.data)
        draft = calibration.learn(province=province, by=request.user)
        return self._told(request, draft, status.HTTP_201_CREATED)

    @extend_schema(parameters=[ScopeSerializer], responses=PreviewSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def preview(self, request: Request, public_id: str) -> Response:
        """What it would change on open lines. Nothing is written."""
        weighting = self.get_object()
        province = weighting.province or self._province(request, request.query_params)
        found = calibration.preview(weighting=weighting, province=province, by=request.user)
        return Response(PreviewSerializer(found).data)

    @extend_schema(responses=LearnedSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def report(self, request: Request, public_id: str) -> Response:
        """What was found when it was learned: for those whose decisions it rests on."""
        weighting = self.get_object()
        if not permissions.can_read_weighting(request.user, weighting.province):
            raise PermissionDenied
        return Response({"report": weighting.report or None})

    @extend_schema(request=ActSerializer, responses=WeightingSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def activate(self, request: Request, public_id: str) -> Response:
        """Put a draft in force, in the caller's name, and score every open line anew."""
        weighting = self.get_object()
        said = self._said(request)
        said.pop("province", None)  # A draft is of the province it was learned in.
        calibration.activate(weighting=weighting, by=request.user, **said)
        return self._told(request, self.get_object())

    @extend_schema(request=ActSerializer, responses=WeightingSerializer)
    @action(detail=True, methods=["post"], url_path="roll-back", filterset_class=None)
    def roll_back(self, request: Request, public_id: str) -> Response:
        """Put an earlier version in force again; with a shared one, give up the province's own."""
        weighting = self.get_object()
        said = self._said(request)
        province = weighting.province or said["province"] or self._province(request, {})
        calibration.roll_back(to=weighting, by=request.user, **{**said, "province": province})
        return self._told(request, self.get_object())

    def _said(self, request: Request) -> dict[str, Any]:
        body = ActSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return {"province": None, **body.validated_data}

    def _province(self, request: Request, given: Any) -> Region | None:
        by = request.user
        calibration.ask_to_read(by=by)
        body = ScopeSerializer(data=given, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        province: Region | None = body.validated_data.get("province")
        if province is None and not by.is_administrator:
            province = permissions.provinces_weighed(by).order_by("code").first()
            if province is None:
                raise calibration.not_theirs()
        return province

    def _context(self, request: Request, rows: Sequence[Weighting]) -> dict[str, Any]:
        trails = calibration.trails(rows, by=request.user)
        return {**self.get_serializer_context(), "trails": trails}

    def _told(self, request: Request, row: Weighting, code: int = status.HTTP_200_OK) -> Response:
        said = WeightingSerializer(row, context=self._context(request, [row]))
        return Response(said.data, status=code)
