"""Investment projects: why an enterprise needs what it asks for."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Chain, Project, Region
from chains.services import projects
from matchmaking.api import filters
from matchmaking.api.base import CREATED, BodyField, NamedField, ReadViewSet, Request, bodies
from matchmaking.api.enterprises import EnterpriseNameSerializer


class OwnProjectSerializer(serializers.ModelSerializer[Project]):
    enterprise = EnterpriseNameSerializer(read_only=True)
    chain = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Project
        fields = (
            "public_id", "enterprise", "name", "language", "chain", "region", "amount_cents", "currency", "stage",
            "needed_by_on", "is_public", "created_at",
        )  # fmt: skip


class ProjectDraftSerializer(serializers.Serializer[Any]):
    enterprise = BodyField()
    name = serializers.CharField(max_length=160)
    chain = NamedField(
        slug_field="code",
        queryset=Chain.objects.filter(is_active=True),
        required=False,
        allow_null=True,
    )
    region = NamedField(
        slug_field="code", queryset=Region.objects.all(), required=False, allow_null=True
    )
    amount_cents = serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, required=False, allow_null=True
    )
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    stage = serializers.ChoiceField(Project.Stage.choices, required=False)
    needed_by_on = serializers.DateField(required=False, allow_null=True)
    is_public = serializers.BooleanField(
        required=False, help_text="Shown to everybody beside its requirements."
    )


class ProjectViewSet(ReadViewSet):
    queryset = Project.objects.none()
    serializer_class = OwnProjectSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.ProjectFilter

    def get_queryset(self) -> QuerySet[Project]:
        """Those of one's own enterprises, and of those one posts for."""
        return (
            Project.objects.filter(enterprise__in=bodies(self.request.user).values("pk"))
            .select_related("enterprise", "chain", "region")
            .order_by("-pk")
        )

    @extend_schema(request=ProjectDraftSerializer, responses={201: OwnProjectSerializer})
    def create(self, request: Request) -> Response:
        """A requirement names it afterwards."""
        body = ProjectDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return self.read_again(projects.save(by=request.user, **body.validated_data), CREATED)

    @extend_schema(request=ProjectDraftSerializer, responses=OwnProjectSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        project = self.get_object()
        body = ProjectDraftSerializer(
            data=request.data, context=self.get_serializer_context(), partial=True
        )
        body.is_valid(raise_exception=True)
        fields = {
            name: value for name, value in body.validated_data.items() if name != "enterprise"
        }
        row = projects.save(
            enterprise=project.enterprise, project=project, by=request.user, **fields
        )
        return self.read_again(row)
