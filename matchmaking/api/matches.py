from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise, RequirementLine
from matchmaking import permissions
from matchmaking.api import filters
from matchmaking.api.base import NamedField, ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.models import Decision, Match, Score
from matchmaking.services import pairs, review

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
VERDICTS = Decision.Verdict.choices
DECISION_REASONS = Decision.Reason.choices


class ScoreSerializer(serializers.ModelSerializer[Score]):
    points = serializers.FloatField(read_only=True)
    weighting = serializers.IntegerField(source="weighting.version", read_only=True)

    class Meta:
        model = Score
        fields = (
            "points", "misses_must", "parts", "reasons", "outcomes", "engine_version", "weighting", "created_at",
        )  # fmt: skip


class MatchSerializer(serializers.ModelSerializer[Match]):
    """One pair. A supplier sees its own pairs only, and never a rank."""

    requirement = serializers.SlugRelatedField[Any](
        source="line.requirement", slug_field="public_id", read_only=True
    )
    line = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    supplier = EnterpriseNameSerializer(read_only=True)
    points = serializers.FloatField(read_only=True)
    score = ScoreSerializer(read_only=True)

    class Meta:
        model = Match
        fields = (
            "public_id", "requirement", "line", "supplier", "points", "misses_must", "status",
            "is_stale", "origin", "score",
        )  # fmt: skip


class DecidedSerializer(serializers.ModelSerializer[Decision]):
    """What reviewers said, in order; who they are is between the desks and the trail."""

    points = serializers.FloatField(source="score.points", read_only=True, default=None)

    class Meta:
        model = Decision
        fields = ("verdict", "reason", "note", "until_on", "points", "at")


class DecisionSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(Decision.Verdict.choices)
    reason = serializers.ChoiceField(Decision.Reason.choices, required=False, default="")
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    until_on = serializers.DateField(required=False, allow_null=True, default=None)


class PairSerializer(serializers.Serializer[Any]):
    """A line that the caller may read, and an enterprise."""

    line = NamedField(slug_field="public_id", queryset=RequirementLine.objects.none())
    supplier = NamedField(slug_field="public_id", queryset=Enterprise.objects.verified())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        readable = permissions.requirements_visible_to(caller(self.context)).values("pk")
        fields["line"].queryset = RequirementLine.objects.filter(  # type: ignore[attr-defined]
            requirement__in=readable
        ).select_related("requirement__enterprise__region")
        return fields


class MatchViewSet(ReadViewSet):
    queryset = Match.objects.none()
    serializer_class = MatchSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.MatchFilter

    def get_queryset(self) -> QuerySet[Match]:
        return (
            permissions.matches_visible_to(self.request.user)
            .select_related("line__requirement", "supplier", "score__weighting")
            .order_by("line", "misses_must", "-tenths", "pk")
        )

    @extend_schema(request=PairSerializer, responses=MatchSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def why(self, request: Request) -> Response:
        """Score and reasons of any pair that the caller may see: what is known, else it is scored now and kept.

        A pair that no run has found stays out of the lists.
        """
        body = PairSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        match = pairs.compute_pair(**body.validated_data, by=request.user)
        return Response(self.get_serializer(match).data)

    @extend_schema(request=DecisionSerializer, responses=MatchSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, public_id: str) -> Response:
        """Approve, reject with a reason, defer or undo; the caller takes the line's lease for it."""
        match = self.get_object()
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said, by = body.validated_data, request.user
        review.take_lease(line=match.line, by=by)
        verdict = said["verdict"]
        if verdict == "approved":
            row = review.approve(match=match, by=by, note=said["note"], reason=said["reason"])
        elif verdict == "rejected":
            row = review.reject(match=match, reason=said["reason"], note=said["note"], by=by)
        elif verdict == "deferred":
            row = review.defer(match=match, by=by, until_on=said["until_on"], note=said["note"])
        else:
            row = review.undo(match=match, by=by)
        return self.read_again(row)

    @extend_schema(responses=DecidedSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def decisions(self, request: Request, public_id: str) -> Response:
        """What was decided on the pair, oldest first; for those who review it."""
        match = self.get_object()
        if not permissions.can_review(request.user, match.line):
            raise PermissionDenied
        rows = match.decisions.select_related("score")
        return Response(DecidedSerializer(rows, many=True).data)
