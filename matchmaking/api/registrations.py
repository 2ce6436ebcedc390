from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise
from chains.views.downloads import download
from events.models import Event, FormAnswer, Registration
from events.services import answers as form_answers
from events.services import offers, waiting_list
from events.services import registration as registrations
from events.services.answers import TEXT_MOST
from matchmaking.api import filters
from matchmaking.api.base import CREATED, ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.parsers import StrictJSONParser

ANSWERS_IN_ORDER = Prefetch(
    "answers", FormAnswer.objects.select_related("question").order_by("question__order", "pk")
)


class FormAnswerSerializer(serializers.ModelSerializer[FormAnswer]):
    """An answer; of a file only that it is there."""

    question = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    has_file = serializers.SerializerMethodField()

    class Meta:
        model = FormAnswer
        fields = ("question", "text", "chosen", "has_agreed", "version", "has_file")

    def get_has_file(self, answer: FormAnswer) -> bool:
        return answer.evidence_id is not None


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    """`attended` – persons who came – and `qualifications_held` are null until the event is held, and then stay."""

    event = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = EnterpriseNameSerializer(read_only=True)
    tier = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    rank = serializers.SerializerMethodField()
    answers = FormAnswerSerializer(many=True, read_only=True)

    class Meta:
        model = Registration
        fields = (
            "public_id", "event", "enterprise", "status", "purposes", "seats_asked", "seats_held",
            "accepts_partial", "may_be_named", "tier", "rank", "offer_expires_at", "attended", "qualifications_held", "answers",
        )  # fmt: skip

    def get_rank(self, registration: Registration) -> int | None:
        """Place in the queue, computed now; null unless waiting."""
        ranks: dict[int, int] = self.context.get("ranks", {})
        return ranks.get(registration.pk)


class GiveBackSerializer(serializers.Serializer[Any]):
    """Single seats of a registration; `leaving` are the delegates who stay away, by public id."""

    seats = serializers.IntegerField(min_value=1, max_value=100, required=False, default=1)
    leaving = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, default=list, max_length=100
    )


class NamingSerializer(serializers.Serializer[Any]):
    may_be_named = serializers.BooleanField()


class MoveSerializer(serializers.Serializer[Any]):
    """Above 0 before the published rule, below 0 after it, 0 back to the rule."""

    priority = serializers.IntegerField(min_value=-99, max_value=99)
    reason = serializers.CharField(max_length=300)


HOW_TO_ANSWER = (
    "By the public id of the question: a text, a code, a list of codes, or true for a consent. "
    "A file needs a form: answers.<question>=<answer>, a file or a text each."
)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string"}},
        ]
    }
)
class AnswerField(serializers.Field[Any, Any, Any, Any]):
    """A text, a code, a list of codes or a yes; what fits the question is judged by the service."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool):
            return data
        if isinstance(data, str) and len(data) <= TEXT_MOST and "\0" not in data:
            return data
        if isinstance(data, UploadedFile):
            return data
        if isinstance(data, list) and all(isinstance(one, str) for one in data):
            return data
        raise serializers.ValidationError(_("Give a text, a list of codes, or true or false."))

    def to_representation(self, value: Any) -> Any:
        return value


class AnswersField(serializers.DictField):
    child = AnswerField()

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, MultiValueDict):  # of a form
            data = {name: v[0] if len(v) == 1 else v for name, v in data.lists()}
        return super().to_internal_value(data)


class AnswersSerializer(serializers.Serializer[Any]):
    """All answers of a registration anew; a file that was given before stays where none comes."""

    answers = AnswersField(help_text=HOW_TO_ANSWER)


class ApplicationSerializer(serializers.Serializer[Any]):
    """A registration to be."""

    event = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Event.objects.public()
    )
    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.none()
    )
    seats = serializers.IntegerField(min_value=1, max_value=100)
    purposes = serializers.MultipleChoiceField(choices=Registration.Purpose.choices, required=False)
    accepts_partial = serializers.BooleanField(required=False, default=False)
    may_be_named = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The public may read the enterprise's name as that of a participant.",
    )
    answers = AnswersField(required=False, help_text=HOW_TO_ANSWER)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        fields["enterprise"].queryset = Enterprise.objects.own(user)  # type: ignore[attr-defined]
        return fields


class CancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class RegistrationViewSet(ReadViewSet):
    queryset = Registration.objects.none()
    serializer_class = RegistrationSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.RegistrationFilter
    parser_classes = [StrictJSONParser, MultiPartParser]

    def get_queryset(self) -> QuerySet[Registration]:
        return (
            Registration.objects.visible_to(self.request.user)
            .select_related("event", "enterprise", "tier")
            .prefetch_related(ANSWERS_IN_ORDER)
            .order_by("pk")
        )

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if args else []
        kwargs["context"] = {**self.get_serializer_context(), "ranks": _ranks(rows)}
        return self.serializer_class(*args, **kwargs)

    @extend_schema(
        request=ApplicationSerializer,
        responses={201: RegistrationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Register an own enterprise: seats at once, a turn in the queue, or a wait for the organiser."""
        body = ApplicationSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        row = registrations.register(
            event=fields["event"],
            enterprise=fields["enterprise"],
            seats=fields["seats"],
            purposes=sorted(fields.get("purposes", ())),
            accepts_partial=fields["accepts_partial"],
            may_be_named=fields["may_be_named"],
            answers=fields.get("answers"),
            by=request.user,
        )
        return self.read_again(row, CREATED)

    @extend_schema(request=AnswersSerializer, responses=RegistrationSerializer)
    @action(detail=True, methods=["put"])
    def answers(self, request: Request, public_id: str) -> Response:
        """Answer the questions of the event anew, until registration closes."""
        row = self.get_object()
        body = AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = form_answers.change(
            registration=row, answers=body.validated_data["answers"], by=request.user
        )
        return self.read_again(row)

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    @action(
        detail=True,
        url_path=r"answers/(?P<question_id>[a-z0-9]{12})",
        url_name="answer-file",
        pagination_class=None,
        filterset_class=None,
    )
    def answer_file(self, request: Request, public_id: str, question_id: str) -> HttpResponseBase:
        """The file that answers a question; each look of an organiser is logged."""
        rows = FormAnswer.objects.files_of(request.user).select_related("evidence", "registration")
        row = get_object_or_404(
            rows, registration__public_id=public_id, question__public_id=question_id
        )
        form_answers.record_view(answer=row, by=request.user)
        assert row.evidence is not None
        return download(row.evidence)

    @extend_schema(request=CancelSerializer, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        """Give the seats back; the organiser says why."""
        body = CancelSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = registrations.cancel(
            registration=self.get_object(), by=request.user, reason=body.validated_data["reason"]
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, public_id: str) -> Response:
        """Take the seats that are offered, before the offer lapses."""
        row = offers.accept(registration=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=NamingSerializer, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def naming(self, request: Request, public_id: str) -> Response:
        """Agree that the public reads the enterprise's name as that of a participant, or take that back."""
        row = self.get_object()
        body = NamingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        registrations.set_naming(registration=row, by=request.user, **body.validated_data)
        return self.read_again(row)

    @extend_schema(request=GiveBackSerializer, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"], url_path="give-back")
    def give_back(self, request: Request, public_id: str) -> Response:
        """Give single seats back and keep the others."""
        row = self.get_object()
        body = GiveBackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        leaving = row.delegates.filter(public_id__in=body.validated_data["leaving"])
        row = registrations.give_back(
            registration=row,
            by=request.user,
            seats=body.validated_data["seats"],
            leaving=list(leaving),
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=MoveSerializer, responses=RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, public_id: str) -> Response:
        """Change the place in the queue by hand; the reason is kept and seen by all who organise the event."""
        row = self.get_object()
        body = MoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = waiting_list.move(registration=row, by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data)


def _ranks(rows: Any) -> dict[int, int]:
    """Places in the queue of the rows of one page."""
    return waiting_list.ranks_of([rows] if isinstance(rows, Registration) else list(rows or []))
