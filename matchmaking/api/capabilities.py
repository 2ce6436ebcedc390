from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.errors import DomainError
from chains.models import (
    Capability,
    CapabilityReference,
    Category,
    Certification,
    CooperationKind,
    Enterprise,
    Unit,
)
from chains.services import capabilities
from matchmaking.api import filters
from matchmaking.api.base import CREATED, NamedField, Request, caller
from matchmaking.api.capability_photos import PhotoActions


class CapabilityReferenceSerializer(serializers.ModelSerializer[CapabilityReference]):
    class Meta:
        model = CapabilityReference
        fields = ("text", "customer", "year", "place")


class _OwnCertificationField(NamedField):
    """A certificate of one's own enterprise, by its public id; another's reads as unknown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="public_id", queryset=Certification.objects.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Certification]:
        own = Enterprise.objects.own(caller(self.context))
        return Certification.objects.filter(enterprise__in=own.values("pk"))


class CapabilitySerializer(serializers.ModelSerializer[Capability]):
    enterprise = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    categories = serializers.SlugRelatedField[Any](
        slug_field="code",
        queryset=Category.objects.filter(is_active=True),
        many=True,
        required=False,
    )
    cooperation_kinds = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=CooperationKind.objects.all(), many=True, required=False
    )
    unit = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Unit.objects.all(), required=False, allow_null=True
    )
    certifications = serializers.ManyRelatedField(
        child_relation=_OwnCertificationField(), required=False
    )
    references = CapabilityReferenceSerializer(
        many=True,
        required=False,
        help_text="What was supplied already, for whom in the owner's words; takes the place of those there are.",
    )

    class Meta:
        model = Capability
        fields = (
            "public_id", "enterprise", "title_zh", "title_en", "text_zh", "text_en", "categories",
            "cooperation_kinds", "yearly_capacity", "unit", "lead_time_days", "sample_days",
            "is_new", "valid_until_on", "certifications", "references", "status", "published_at",
        )  # fmt: skip
        read_only_fields = ("public_id", "status", "published_at")


class CapabilityViewSet(PhotoActions):
    queryset = Capability.objects.none()
    serializer_class = CapabilitySerializer
    filterset_class = filters.CapabilityFilter

    def get_queryset(self) -> QuerySet[Capability]:
        return (
            Capability.objects.visible_to(self.request.user)
            .select_related("enterprise", "unit")
            .prefetch_related("categories", "cooperation_kinds", "references", "certifications")
            .order_by("pk")
        )

    @extend_schema(request=CapabilitySerializer, responses={201: CapabilitySerializer})
    def create(self, request: Request) -> Response:
        """Draft a capability of the caller's enterprise (the first, or the one named by `?enterprise=`)."""
        enterprise = _own_enterprise(request)
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = capabilities.save_draft(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(request=CapabilitySerializer, responses=CapabilitySerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        row = self.get_object()
        body = self.get_serializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        row = capabilities.save_draft(
            enterprise=row.enterprise, capability=row, by=request.user, **body.validated_data
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=CapabilitySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def publish(self, request: Request, public_id: str) -> Response:
        row = capabilities.publish(capability=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=CapabilitySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def withdraw(self, request: Request, public_id: str) -> Response:
        row = capabilities.withdraw(capability=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)


def _own_enterprise(request: Request) -> Enterprise:
    wanted = request.query_params.get("enterprise")
    own = Enterprise.objects.own(request.user).order_by("pk")
    if wanted:
        return get_object_or_404(own, public_id=wanted)
    first = own.first()
    if first is None:
        raise DomainError(
            _("Register your enterprise first, or ask to join it."), code="capability.forbidden"
        )
    return first
