"""What a person was told in the application, in the words of the letters."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request as DRFRequest
from rest_framework.response import Response

from chains import notifications
from chains.models import Notification
from chains.services import notices
from chains.templatetags.localised import is_chinese
from matchmaking.api.base import Request
from matchmaking.api.parsers import StrictJSONParser


class NoticeSerializer(serializers.ModelSerializer[Notification]):
    """Subject and text are empty where what it told of does not stand any more."""

    subject = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    path = serializers.SerializerMethodField(help_text="The page it leads to.")

    class Meta:
        model = Notification
        fields = ("public_id", "kind", "subject", "text", "path", "created_at", "read_at")

    def get_subject(self, row: Notification) -> str:
        return self._said(row)[0]

    def get_text(self, row: Notification) -> str:
        return self._said(row)[1]

    def get_path(self, row: Notification) -> str:
        return self._said(row)[2]

    def _said(self, row: Notification) -> tuple[str, str, str]:
        told: dict[int, notifications.Message] = self.context.get("told", {})
        message = told.get(row.pk)
        return (message.subject, message.body, message.href) if message else ("", "", "")


class ReadSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(read_only=True)


class NoticeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Notification.objects.none()
    serializer_class = NoticeSerializer
    permission_classes = (IsAuthenticated,)
    parser_classes = (StrictJSONParser,)

    def get_queryset(self) -> QuerySet[Notification]:
        return Notification.objects.in_app(self.request.user).order_by("-created_at", "-pk")

    def list(self, request: DRFRequest, *args: Any, **kwargs: Any) -> Response:
        """One's own, the latest first, in the language of the request."""
        page = self.paginate_queryset(self.get_queryset()) or []
        language = "zh" if is_chinese() else "en"
        told = {one.row.pk: one for one in notifications.told(list(page), language)}
        context = {**self.get_serializer_context(), "told": told}
        return self.get_paginated_response(NoticeSerializer(page, many=True, context=context).data)

    @extend_schema(request=None, responses=ReadSerializer)
    @action(detail=False, methods=["post"])
    def read(self, request: Request) -> Response:
        """All of them have been read."""
        return Response({"read": notices.mark_read(by=request.user)})
