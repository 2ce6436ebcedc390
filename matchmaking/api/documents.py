"""What everybody may read about an event before it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from chains.views.downloads import download
from events.models import EventDocument
from events.services import documents
from matchmaking.api.base import CREATED, Request, uploads
from matchmaking.api.event_actions import EventActions


class DocumentSerializer(serializers.ModelSerializer[EventDocument]):
    class Meta:
        model = EventDocument
        fields = (
            "public_id", "title_zh", "title_en", "original_name", "content_type", "size", "created_at",
        )  # fmt: skip


class DocumentDraftSerializer(serializers.Serializer[Any]):
    title_zh = serializers.CharField(max_length=120)
    title_en = serializers.CharField(max_length=160)
    file = serializers.FileField(help_text="PDF, JPEG or PNG, 8 MB.")


class DocumentActions(EventActions):
    @uploads(DocumentSerializer, DocumentDraftSerializer)
    def documents(self, request: Request, public_id: str) -> Response:
        """What there is to read, for everybody who sees the event; or add a file, for those who hold it."""
        if request.method == "GET":
            rows = self.seen(request, public_id).documents.all()
            return Response(DocumentSerializer(rows, many=True).data)
        event = self.managed(request, public_id)
        body = DocumentDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        row = documents.add(event=event, upload=fields.pop("file"), by=request.user, **fields)
        return Response(DocumentSerializer(row).data, status=CREATED)

    @extend_schema(methods=["GET"], responses={200: OpenApiTypes.BINARY})
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True,
        methods=["get", "delete"],
        url_path=r"documents/(?P<document_id>[a-z0-9]{12})",
        pagination_class=None,
        filterset_class=None,
    )
    def document(self, request: Request, public_id: str, document_id: str) -> HttpResponseBase:
        """The file itself; or remove it."""
        rows = self.seen(request, public_id).documents.select_related("event")
        row = get_object_or_404(rows, public_id=document_id)
        if request.method == "GET":
            return download(row)
        documents.remove(document=row, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
