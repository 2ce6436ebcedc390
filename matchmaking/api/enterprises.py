from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request as DRFRequest
from rest_framework.response import Response

from chains import permissions as register
from chains.models import Contact, ContactReveal, Enterprise, Language, Qualification
from chains.permissions import Anyone
from chains.services import contacts, enterprises
from matchmaking import permissions
from matchmaking.api import filters
from matchmaking.api.base import CREATED, ReadViewSet, Request
from matchmaking.api.enterprise_cases import CaseActions
from matchmaking.services.contacts import desks_of


class EnterpriseNameSerializer(serializers.ModelSerializer[Enterprise]):
    class Meta:
        model = Enterprise
        fields = ("public_id", "name", "name_en")


class TitleSerializer(serializers.ModelSerializer[Qualification]):
    kind = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Qualification
        fields = ("kind", "valid_from", "valid_until_on")


class EnterpriseSerializer(serializers.ModelSerializer[Enterprise]):
    kind = serializers.CharField(source="kind_id", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    qualifications = TitleSerializer(source="titles", many=True, read_only=True)

    class Meta:
        model = Enterprise
        fields = (
            "public_id", "name", "name_en", "kind", "country", "region", "status", "summary",
            "summary_language", "website", "verified_at", "qualifications",
        )  # fmt: skip


class ContactChoiceSerializer(serializers.ModelSerializer[Contact]):
    """How an own contact is named in a requirement or an interest: never how it is reached."""

    class Meta:
        model = Contact
        fields = ("public_id", "name", "job_title")


class EnterpriseProfileSerializer(serializers.Serializer[Any]):
    """What editors may change by themselves."""

    name_en = serializers.CharField(max_length=200, required=False, allow_blank=True)
    address = serializers.CharField(max_length=300, required=False, allow_blank=True)
    summary = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    summary_language = serializers.ChoiceField(Language.choices, required=False)
    website = serializers.URLField(required=False, allow_blank=True)


class ContactSerializer(serializers.Serializer[Any]):
    """Only ever the answer to a logged reveal."""

    name = serializers.CharField()
    job_title = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    wechat = serializers.CharField()


class ContactDraftSerializer(serializers.Serializer[Any]):
    """At least one of number, address and WeChat name."""

    name = serializers.CharField(max_length=80)
    job_title = serializers.CharField(max_length=80, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    wechat = serializers.CharField(max_length=60, required=False, allow_blank=True)


class ContactRevealSerializer(serializers.ModelSerializer[ContactReveal]):
    """One look. Without an enterprise it was a desk's, or that of a person who has none."""

    enterprise = EnterpriseNameSerializer(read_only=True, allow_null=True)
    desk = serializers.SerializerMethodField()
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = ContactReveal
        fields = ("at", "enterprise", "desk", "right", "purpose", "requirement")

    @extend_schema_field(EnterpriseNameSerializer(allow_null=True))
    def get_desk(self, look: ContactReveal) -> dict[str, Any] | None:
        body = self.context["desks"].get(look.user_id)
        return dict(EnterpriseNameSerializer(body).data) if body else None


def looked(view: ReadViewSet, looks: QuerySet[ContactReveal]) -> Response:
    """A page of the log of a contact: bodies, never the persons who looked."""
    page = list(view.paginate_queryset(looks) or [])
    context = {"desks": desks_of(page)}
    return view.get_paginated_response(
        ContactRevealSerializer(page, many=True, context=context).data
    )


def own_contacts(user: Anyone) -> QuerySet[Contact]:
    own = Enterprise.objects.own(user)
    return Contact.objects.filter(enterprise__in=own.values("pk"), is_active=True)


class EnterpriseViewSet(CaseActions):
    queryset = Enterprise.objects.none()  # for the schema; rows come from visible_to
    serializer_class = EnterpriseSerializer
    filterset_class = filters.EnterpriseFilter

    def get_queryset(self) -> QuerySet[Enterprise]:
        titles = Qualification.objects.in_force().select_related("kind").order_by("pk")
        return (
            permissions.enterprises_visible_to(self.request.user)
            .select_related("region")
            .prefetch_related(Prefetch("qualifications", titles, "titles"))
            .order_by("pk")
        )

    @extend_schema(
        responses={
            200: EnterpriseSerializer,
            301: OpenApiResponse(description="Merged; `Location` leads to the one kept."),
        }
    )
    def retrieve(self, request: DRFRequest, *args: Any, **kwargs: Any) -> Response:
        """One enterprise by its public id; one that was merged leads to the one kept."""
        asked = kwargs["public_id"]
        merged = Enterprise.objects.filter(public_id=asked, status=Enterprise.Status.MERGED)
        kept = self.get_queryset().filter(pk__in=merged.values("merged_into")).first()
        if kept is None:
            return super().retrieve(request, *args, **kwargs)
        address = self.reverse_action("detail", args=[kept.public_id])
        return Response({"merged_into": kept.public_id}, status=301, headers={"Location": address})

    @extend_schema(
        request=EnterpriseProfileSerializer,
        responses=EnterpriseSerializer,
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change the profile of an own enterprise."""
        enterprise = self.get_object()
        body = EnterpriseProfileSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        enterprises.edit_profile(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(methods=["GET"], responses=ContactChoiceSerializer(many=True))
    @extend_schema(
        methods=["POST"], request=ContactDraftSerializer, responses={201: ContactChoiceSerializer}
    )
    @action(
        detail=True,
        methods=["get", "post"],
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def contacts(self, request: Request, public_id: str) -> Response:
        """The own enterprise's contacts, to be named in requirements and interests; or add one."""
        enterprise = self.get_object()
        if not register.can_edit(request.user, enterprise):
            raise PermissionDenied
        if request.method == "GET":
            rows = enterprise.contacts.filter(is_active=True).order_by("pk")
            return Response(ContactChoiceSerializer(rows, many=True).data)
        body = ContactDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = contacts.save_contact(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(ContactChoiceSerializer(row).data, status=CREATED)

    @extend_schema(
        methods=["PATCH"], request=ContactDraftSerializer, responses=ContactChoiceSerializer
    )
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True,
        methods=["patch", "delete"],
        url_path=r"contacts/(?P<contact_id>[a-z0-9]{12})",
        permission_classes=[IsAuthenticated],
    )
    def contact(self, request: Request, public_id: str, contact_id: str) -> Response:
        """Change how somebody is reached; or no longer offer it for what is new."""
        enterprise = self.get_object()
        if not register.can_edit(request.user, enterprise):
            raise PermissionDenied
        row = get_object_or_404(enterprise.contacts.filter(is_active=True), public_id=contact_id)
        if request.method == "DELETE":
            contacts.retire_contact(contact=row, by=request.user)
            return Response(status=status.HTTP_204_NO_CONTENT)
        body = ContactDraftSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        row = contacts.save_contact(
            enterprise=enterprise, contact=row, by=request.user, **body.validated_data
        )
        return Response(ContactChoiceSerializer(row).data)

    @extend_schema(responses=ContactRevealSerializer(many=True), filters=False)
    @action(
        detail=True,
        url_path="contact-log",
        permission_classes=[IsAuthenticated],
        filterset_class=None,
    )
    def contact_log(self, request: Request, public_id: str) -> Response:
        """Who has opened a contact of one's own enterprise, for which requirement, when and by what right."""
        own = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
        return looked(self, ContactReveal.objects.of_enterprise(own).in_full())
