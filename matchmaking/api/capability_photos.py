from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from chains.models import CapabilityPhoto
from chains.services import capability_photos
from chains.views.downloads import download
from matchmaking.api.base import CREATED, ReadViewSet, Request, uploads


class PhotoSerializer(serializers.ModelSerializer[CapabilityPhoto]):
    class Meta:
        model = CapabilityPhoto
        fields = ("public_id", "caption", "language", "content_type", "size", "width", "height")


class PhotoDraftSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="JPEG, PNG or WebP; it is drawn anew, without metadata.")
    caption = serializers.CharField(max_length=120, help_text="For those who do not see it.")


class PhotoActions(ReadViewSet):
    @uploads(PhotoSerializer, PhotoDraftSerializer)
    def photos(self, request: Request, public_id: str) -> Response:
        """For whoever sees the capability; or add one, as its editor."""
        capability = self.get_object()
        if request.method == "GET":
            rows = CapabilityPhoto.objects.visible_to(request.user).filter(capability=capability)
            return Response(PhotoSerializer(rows, many=True).data)
        body = PhotoDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = capability_photos.add(
            capability=capability,
            upload=body.validated_data["file"],
            caption=body.validated_data["caption"],
            by=request.user,
        )
        return Response(PhotoSerializer(row).data, status=CREATED)

    @extend_schema(methods=["GET"], responses={200: OpenApiTypes.BINARY})
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True,
        methods=["get", "delete"],
        url_path=r"photos/(?P<photo_id>[a-z0-9]{12})",
        pagination_class=None,
        filterset_class=None,
    )
    def photo(self, request: Request, public_id: str, photo_id: str) -> HttpResponseBase:
        """The picture itself; or take it off."""
        rows = CapabilityPhoto.objects.visible_to(request.user).filter(capability=self.get_object())
        row = get_object_or_404(rows.select_related("capability"), public_id=photo_id)
        if request.method == "GET":
            return download(row)
        capability_photos.remove(photo=row, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
