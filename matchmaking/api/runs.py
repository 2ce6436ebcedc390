from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import RequirementLine
from matchmaking import permissions
from matchmaking.api.base import ReadViewSet, Request
from matchmaking.models import MatchRun
from matchmaking.services import runs


class RunSerializer(serializers.ModelSerializer[MatchRun]):
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    line = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = MatchRun
        fields = (
            "public_id", "scope", "requirement", "line", "enterprise", "status", "lines_total",
            "lines_done", "engine_version", "created_at", "started_at", "finished_at", "error",
        )  # fmt: skip


class RunDraftSerializer(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(MatchRun.Scope.choices)
    public_id = serializers.CharField(max_length=12, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["scope"] != MatchRun.Scope.ALL and not attrs["public_id"]:
            raise serializers.ValidationError(
                {"public_id": [_("Name the row to be compared by its public id.")]}
            )
        return attrs


class RunViewSet(ReadViewSet):
    queryset = MatchRun.objects.none()
    serializer_class = RunSerializer
    permission_classes = [IsAuthenticated]
    filterset_fields = ["scope", "status"]

    def get_queryset(self) -> QuerySet[MatchRun]:
        return (
            permissions.runs_visible_to(self.request.user)
            .select_related("requirement", "line", "enterprise")
            .order_by("-pk")
        )

    @extend_schema(request=RunDraftSerializer, responses={202: RunSerializer})
    def create(self, request: Request) -> Response:
        """Start a run; poll it until it is no longer queued or running."""
        body = RunDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        scope, name = body.validated_data["scope"], body.validated_data["public_id"]
        run = runs.start(by=request.user, **_scope(request, scope, name))
        return Response(self.get_serializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        run = self.get_object()
        runs.cancel(run=run, by=request.user)
        return Response(self.get_serializer(self.get_object()).data)


def _scope(request: Request, scope: str, name: str) -> dict[str, Any]:
    if scope == MatchRun.Scope.ALL:
        return {"everything": True}
    if scope == MatchRun.Scope.ENTERPRISE:
        rows = permissions.enterprises_visible_to(request.user)
        return {"enterprise": get_object_or_404(rows, public_id=name)}
    visible = permissions.requirements_visible_to(request.user)
    if scope == MatchRun.Scope.REQUIREMENT:
        return {"requirement": get_object_or_404(visible, public_id=name)}
    lines = RequirementLine.objects.filter(requirement__in=visible.values("pk"))
    return {"line": get_object_or_404(lines.select_related("requirement"), public_id=name)}
