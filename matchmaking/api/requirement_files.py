"""Drawings and data sheets of a requirement: kept by its owner, opened by those it names."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from chains.models import RequirementFile
from chains.permissions import is_signed_in
from chains.services import requirement_files
from chains.views.downloads import download
from matchmaking import permissions
from matchmaking.api.base import CREATED, ReadViewSet, Request, uploads

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
FILE_VISIBILITIES = RequirementFile.Visibility.choices


class RequirementFileSerializer(serializers.ModelSerializer[RequirementFile]):
    visibility = serializers.ChoiceField(FILE_VISIBILITIES, read_only=True)

    class Meta:
        model = RequirementFile
        fields = (
            "public_id", "original_name", "content_type", "size", "visibility", "created_at",
        )  # fmt: skip


class RequirementFileDraftSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()
    visibility = serializers.ChoiceField(
        FILE_VISIBILITIES, default=RequirementFile.Visibility.ACCEPTED
    )


class VisibilitySerializer(serializers.Serializer[Any]):
    visibility = serializers.ChoiceField(FILE_VISIBILITIES)


class FileActions(ReadViewSet):
    @uploads(RequirementFileSerializer, RequirementFileDraftSerializer)
    def files(self, request: Request, public_id: str) -> Response:
        """Those that are open to the caller; or put one to it. To what is published that is an amendment."""
        requirement = self.get_object()
        if request.method == "GET":
            rows = [
                row
                for row in requirement.files.standing().select_related(
                    "requirement__enterprise__region", "requirement__posted_by"
                )
                if permissions.can_open_file(request.user, row)
            ]
            return Response(RequirementFileSerializer(rows, many=True).data)
        body = RequirementFileDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = requirement_files.attach(
            requirement=requirement,
            upload=body.validated_data["file"],
            visibility=body.validated_data["visibility"],
            by=request.user,
        )
        return Response(RequirementFileSerializer(row).data, status=CREATED)

    @extend_schema(methods=["GET"], responses={200: OpenApiTypes.BINARY})
    @extend_schema(
        methods=["PATCH"], request=VisibilitySerializer, responses=RequirementFileSerializer
    )
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True,
        methods=["get", "patch", "delete"],
        url_path=r"files/(?P<file_id>[a-z0-9]{12})",
        pagination_class=None,
        filterset_class=None,
    )
    def file(self, request: Request, public_id: str, file_id: str) -> HttpResponseBase:
        """The file itself, each look of another house logged; or say anew who may open it, or take it off."""
        user = request.user
        rows = (
            self.get_object()
            .files.standing()
            .select_related("requirement__enterprise__region", "requirement__posted_by")
        )
        row = get_object_or_404(rows, public_id=file_id)
        if not permissions.can_open_file(user, row):
            raise Http404
        if request.method == "DELETE":
            requirement_files.detach(attachment=row, by=user)
            return Response(status=status.HTTP_204_NO_CONTENT)
        if request.method == "PATCH":
            body = VisibilitySerializer(data=request.data)
            body.is_valid(raise_exception=True)
            visibility = body.validated_data["visibility"]
            row = requirement_files.open_to(attachment=row, visibility=visibility, by=user)
            return Response(RequirementFileSerializer(row).data)
        if is_signed_in(user) and not permissions.can_read_as_buyer(user, row.requirement):
            requirement_files.note_look(attachment=row, by=user, may=permissions.can_open_file)
        return download(row)
