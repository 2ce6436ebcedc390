from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Contact, Enterprise, Requirement, RequirementLine
from chains.views.downloads import download
from matchmaking import permissions
from matchmaking.api import filters
from matchmaking.api.base import CREATED, ReadViewSet, Request, caller
from matchmaking.api.enterprises import ContactSerializer, EnterpriseNameSerializer, own_contacts
from matchmaking.api.requirements import PurposeSerializer
from matchmaking.models import Interest, InterestAttachment, InterestMessage, InterestNote
from matchmaking.services import contacts, interests
from matchmaking.templatetags.reasons import question

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
DECLINE_REASONS = Interest.DeclineReason.choices
ANSWERS = [("accept", "accept"), ("decline", "decline")]


class InterestMessageSerializer(serializers.ModelSerializer[InterestMessage]):
    class Meta:
        model = InterestMessage
        fields = ("side", "text", "language", "created_at")


class InterestAnswerSerializer(serializers.Serializer[Any]):
    """A question as it stood when it was answered; keys that begin with c are open points of the pair, put as a question
    in the language of the request."""

    key = serializers.CharField(max_length=20)
    question = serializers.SerializerMethodField()
    answer = serializers.CharField(max_length=500)

    def get_question(self, said: dict[str, Any]) -> str:
        return question(interests.Asked.answered(said))


class InterestAttachmentSerializer(serializers.ModelSerializer[InterestAttachment]):
    class Meta:
        model = InterestAttachment
        fields = ("public_id", "original_name", "content_type", "size", "created_at")


class InterestFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="PDF, JPEG or PNG, 8 MB.")


class InterestNoteSerializer(serializers.ModelSerializer[InterestNote]):
    text = serializers.CharField(max_length=500)

    class Meta:
        model = InterestNote
        fields = ("public_id", "text", "created_at")
        read_only_fields = ("public_id", "created_at")


class ShortlistSerializer(serializers.Serializer[Any]):
    """The buyer's own mark; the supplier never sees it."""

    is_shortlisted = serializers.BooleanField()


class InterestSerializer(serializers.ModelSerializer[Interest]):
    answers = InterestAnswerSerializer(many=True, read_only=True)
    thread = InterestMessageSerializer(many=True, read_only=True)
    attachments = InterestAttachmentSerializer(many=True, read_only=True, source="files")
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = EnterpriseNameSerializer(read_only=True)
    lines = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True, many=True)
    answer_by_on = serializers.DateField(
        source="due_on",
        read_only=True,
        allow_null=True,
        help_text="By which day the buyer owes the answer: a later one it names afterwards does not move it.",
    )

    class Meta:
        model = Interest
        fields = (
            "public_id", "requirement", "enterprise", "lines", "message", "language", "answers",
            "thread", "attachments", "origin", "status", "answer_by_on", "decline_reason", "decline_note", "created_at", "answered_at",
        )  # fmt: skip


class InterestDraftSerializer(serializers.Serializer[Any]):
    requirement = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Requirement.objects.published()
    )
    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.none()
    )
    lines = serializers.ListField(child=serializers.CharField(max_length=12), min_length=1)
    message = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    contact = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Contact.objects.none()
    )
    answers = serializers.DictField(
        child=serializers.CharField(max_length=500, allow_blank=True),
        required=False,
        help_text="By the keys of the questions, as the requirement's `asked` lists them.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        fields["enterprise"].queryset = Enterprise.objects.own(user)  # type: ignore[attr-defined]
        fields["contact"].queryset = own_contacts(user)  # type: ignore[attr-defined]
        return fields


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(ANSWERS)
    reason = serializers.ChoiceField(Interest.DeclineReason.choices, required=False, default="")
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class ThreadMessageSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=1000)


class InterestViewSet(ReadViewSet):
    queryset = Interest.objects.none()
    serializer_class = InterestSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.InterestFilter

    def get_queryset(self) -> QuerySet[Interest]:
        return (
            Interest.objects.visible_to(self.request.user)
            .select_related("requirement", "enterprise")
            .prefetch_related(
                "lines",
                "thread",
                Prefetch("attachments", InterestAttachment.objects.standing(), "files"),
            )
            .order_by("-pk")
        )

    @extend_schema(
        request=InterestDraftSerializer,
        responses={201: InterestSerializer},
    )
    def create(self, request: Request) -> Response:
        """Send an interest; sent again for the same requirement it changes the one that waits."""
        body = InterestDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        lines = list(
            RequirementLine.objects.filter(
                requirement=fields["requirement"], public_id__in=fields["lines"]
            )
        )
        if len(lines) != len(set(fields["lines"])):
            raise ValidationError({"lines": [_("There is no such line in this requirement.")]})
        row = interests.express(
            requirement=fields["requirement"],
            enterprise=fields["enterprise"],
            lines=lines,
            message=fields["message"],
            contact=fields["contact"],
            answers=fields.get("answers"),
            by=request.user,
        )
        return self.read_again(row, CREATED)

    @extend_schema(request=AnswerSerializer, responses=InterestSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, public_id: str) -> Response:
        """The buyer accepts, or declines with a reason."""
        interest = self.get_object()
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["answer"] == "accept":
            return self.read_again(interests.accept(interest=interest, by=request.user))
        said = {name: body.validated_data[name] for name in ("reason", "note")}
        return self.read_again(interests.decline(interest=interest, by=request.user, **said))

    @extend_schema(request=ThreadMessageSerializer, responses=InterestSerializer)
    @action(detail=True, methods=["post"])
    def ask(self, request: Request, public_id: str) -> Response:
        """The buyer asks back; the day it answers by stays."""
        interest = self.get_object()
        interests.ask_back(interest=interest, text=self._text(request), by=request.user)
        return self.read_again(interest)

    @extend_schema(request=ThreadMessageSerializer, responses=InterestSerializer)
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, public_id: str) -> Response:
        """The supplier replies to what the buyer has asked."""
        interest = self.get_object()
        interests.reply(interest=interest, text=self._text(request), by=request.user)
        return self.read_again(interest)

    @staticmethod
    def _text(request: Request) -> str:
        body = ThreadMessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["text"])

    @extend_schema(request=None, responses=InterestSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: str) -> Response:
        return self.read_again(interests.withdraw(interest=self.get_object(), by=request.user))

    @extend_schema(request=PurposeSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def contact(self, request: Request, public_id: str) -> Response:
        """Open the contact the supplier sent along, as the buyer or, for a purpose, as its desk. Each call is logged."""
        body = PurposeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rows = Interest.objects.select_related(
            "contact", "enterprise", "requirement__enterprise__region", "requirement__posted_by"
        )
        interest = get_object_or_404(rows, public_id=public_id)
        if contacts.right_to_supplier(request.user, interest) is None:
            interest = self.get_object()  # its two sides are told why, to others there is none
        row = contacts.reveal_supplier(
            interest=interest, by=request.user, purpose=body.validated_data["purpose"]
        )
        return Response(ContactSerializer(row).data)

    @extend_schema(methods=["post"], request=ShortlistSerializer, responses=ShortlistSerializer)
    @extend_schema(methods=["get"], responses=ShortlistSerializer)
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def shortlist(self, request: Request, public_id: str) -> Response:
        """Whether the buyer has it on its short list; the buyer puts it there, or takes it off."""
        interest = self.get_object()
        if request.method == "GET":
            if not permissions.can_read_as_buyer(request.user, interest.requirement):
                raise PermissionDenied
            return Response(ShortlistSerializer(interest).data)
        body = ShortlistSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.shortlist(
            interest=interest, on=body.validated_data["is_shortlisted"], by=request.user
        )
        return Response(ShortlistSerializer(row).data)

    @extend_schema(
        methods=["post"],
        request=InterestNoteSerializer,
        responses={201: InterestNoteSerializer},
    )
    @extend_schema(methods=["get"], responses=InterestNoteSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def notes(self, request: Request, public_id: str) -> Response:
        """What the buyer's people tell each other about it."""
        interest = self.get_object()
        if not permissions.can_read_as_buyer(request.user, interest.requirement):
            raise PermissionDenied
        if request.method == "GET":
            return Response(InterestNoteSerializer(interest.notes, many=True).data)
        body = InterestNoteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.note(interest=interest, text=body.validated_data["text"], by=request.user)
        return Response(InterestNoteSerializer(row).data, status=CREATED)

    @extend_schema(
        request={"multipart/form-data": InterestFileSerializer},
        responses={201: InterestAttachmentSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def attachments(self, request: Request, public_id: str) -> Response:
        """The supplier puts a file to it, until the buyer has answered."""
        interest = self.get_object()
        body = InterestFileSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.attach(
            interest=interest, upload=body.validated_data["file"], by=request.user
        )
        return Response(InterestAttachmentSerializer(row).data, status=CREATED)

    @extend_schema(methods=["get"], responses={200: OpenApiTypes.BINARY})
    @extend_schema(methods=["delete"], responses={204: None})
    @action(
        detail=True,
        methods=["get", "delete"],
        url_path=r"attachments/(?P<attachment_id>[a-z0-9]{12})",
        url_name="attachment",
        pagination_class=None,
        filterset_class=None,
    )
    def attachment(self, request: Request, public_id: str, attachment_id: str) -> HttpResponseBase:
        """The file itself, for both sides; each look of the buyer is logged. The supplier takes it off until the answer."""
        rows = InterestAttachment.objects.visible_to(request.user).select_related(
            "interest__requirement__enterprise"
        )
        row = get_object_or_404(rows, public_id=attachment_id, interest=self.get_object())
        if request.method == "DELETE":
            interests.detach(attachment=row, by=request.user)
            return Response(status=status.HTTP_204_NO_CONTENT)
        interests.open_attachment(attachment=row, by=request.user)
        return download(row)
