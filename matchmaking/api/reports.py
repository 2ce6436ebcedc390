"""Reports of abuse: sent by whoever is signed in, decided at the desk of what is reported."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Capability, Enterprise, Report, Requirement
from chains.permissions import is_signed_in
from chains.services import reports
from chains.views.reports import may_decide
from events.permissions import DESK
from matchmaking.api import filters
from matchmaking.api.base import CREATED, NamedField, ReadViewSet, Request

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
REPORT_REASONS = Report.Reason.choices
ABOUT = ("requirement", "enterprise", "capability")


class ReportSerializer(serializers.ModelSerializer[Report]):
    """Of a requirement, a capability or an enterprise; who sent it is told to nobody."""

    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    capability = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = Report
        fields = (
            "public_id", "requirement", "enterprise", "capability", "reason", "note", "status", "answer", "created_at",
            "decided_at",
        )  # fmt: skip


class ReportDraftSerializer(serializers.Serializer[Any]):
    requirement = NamedField(
        slug_field="public_id", queryset=Requirement.objects.published(), required=False
    )
    enterprise = NamedField(
        slug_field="public_id", queryset=Enterprise.objects.verified(), required=False
    )
    capability = NamedField(
        slug_field="public_id",
        queryset=Capability.objects.filter(status="published", enterprise__status="verified"),
        required=False,
    )
    reason = serializers.ChoiceField(REPORT_REASONS)
    note = serializers.CharField(max_length=500, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & set(ABOUT)) != 1:
            raise ValidationError(
                {"requirement": [_("Name one requirement, capability or enterprise.")]}
            )
        return attrs


class VerdictSerializer(serializers.Serializer[Any]):
    uphold = serializers.BooleanField()
    answer = serializers.CharField(
        max_length=300, default="", allow_blank=True, help_text="To whoever reported it."
    )


class ReportViewSet(ReadViewSet):
    queryset = Report.objects.none()
    serializer_class = ReportSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.ReportFilter

    def get_queryset(self) -> QuerySet[Report]:
        """Those one has sent, and those of one's desk."""
        user = self.request.user
        if not is_signed_in(user):
            return Report.objects.none()
        found = Q(by=user.pk)
        if user.decides_for_others:
            own = user.own_bodies
            on_desk = Q(requirement__in=DESK.requirements(user).values("pk"))
            on_desk |= Q(enterprise__in=DESK.enterprises(user).values("pk"))
            on_desk |= Q(capability__enterprise__in=DESK.enterprises(user).values("pk"))
            barred = Q(requirement__enterprise__in=own) | Q(enterprise__in=own)
            barred |= Q(requirement__posted_by__in=own) | Q(capability__enterprise__in=own)
            # In two steps: a comparison with an absent row is neither true nor false.
            found |= on_desk & ~Q(pk__in=Report.objects.filter(barred).values("pk"))
        return Report.objects.filter(found).with_case().order_by("-pk")

    @extend_schema(request=ReportDraftSerializer, responses={201: ReportSerializer})
    def create(self, request: Request) -> Response:
        """Say that something public abuses the platform; its desk reads it."""
        body = ReportDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        (about,) = [said.pop(name) for name in ABOUT if name in said]
        row = reports.send(about=about, by=request.user, **said)
        return self.read_again(row, CREATED)

    @extend_schema(request=VerdictSerializer, responses=ReportSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, public_id: str) -> Response:
        """The desk says whether it is so. A capability goes out of sight with it; taking down or suspending is a decision of its own."""
        report = self.get_object()
        body = VerdictSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = reports.decide(
            report=report, by=request.user, may=may_decide(DESK), **body.validated_data
        )
        return self.read_again(row)
