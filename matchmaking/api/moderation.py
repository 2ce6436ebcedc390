"""What the desk of a requirement says, and how it decides."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains import moderation, permissions
from chains.models import Remark, Requirement, User
from chains.services import requirements
from chains.services.requirements import RemarkDraft
from events.permissions import DESK
from matchmaking.api.base import ReadViewSet, Request

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
REMARK_CODES = moderation.RemarkReason.choices
REQUIREMENT_STATUSES = Requirement.Status.choices
MODERATION_VERDICTS = [
    (verb, verb) for verb in ("approve", "return", "refuse", "take_down", "leave")
]


class RemarkSerializer(serializers.ModelSerializer[Remark]):
    """`line` is the number it had; null: the whole. `sentence` is the saved reason in the reader's language."""

    line = serializers.IntegerField(source="line_number", read_only=True, allow_null=True)
    sentence = serializers.SerializerMethodField()

    class Meta:
        model = Remark
        fields = ("line", "code", "sentence", "text", "at")

    def get_sentence(self, row: Remark) -> str:
        return moderation.sentence_of(row.code)


class RemarkDraftSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(
        min_value=1, max_value=10_000, required=False, allow_null=True, help_text="Its number."
    )
    code = serializers.ChoiceField(REMARK_CODES, default="", allow_blank=True)
    text = serializers.CharField(max_length=500, default="", allow_blank=True)


class ModerationSerializer(serializers.Serializer[Any]):
    """`return` needs remarks; `refuse` and `take_down` a reason – a saved one's code, or a sentence; `leave` is the
    answer to an amendment."""

    verdict = serializers.ChoiceField(MODERATION_VERDICTS)
    remarks = RemarkDraftSerializer(many=True, required=False)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)
    note = serializers.CharField(max_length=300, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("remarks") and attrs["verdict"] != "return":
            raise ValidationError({"remarks": [_("Remarks go along when it is returned.")]})
        return attrs


class ModeratedSerializer(serializers.Serializer[Any]):
    public_id = serializers.CharField()
    status = serializers.ChoiceField(Requirement.Status.choices)
    close_reason = serializers.CharField()


class ModerationActions(ReadViewSet):
    @extend_schema(responses=RemarkSerializer(many=True))
    @action(
        detail=True,
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def remarks(self, request: Request, public_id: str) -> Response:
        """What the desk has asked to be changed, oldest first; for those who change it, and the desk."""
        requirement = self.get_object()
        may_change = permissions.can_post_for(request.user, requirement.enterprise)
        if not may_change and not DESK.may_moderate(request.user, requirement):
            raise PermissionDenied
        return Response(RemarkSerializer(requirement.remarks.all(), many=True).data)

    @extend_schema(request=ModerationSerializer, responses=ModeratedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def moderate(self, request: Request, public_id: str) -> Response:
        """The desk approves, returns, refuses, takes down, or leaves an amendment as it is."""
        requirement = self.get_object()
        body = ModerationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = _decided(requirement, body.validated_data, request.user)
        return Response(ModeratedSerializer(row).data)


def _decided(requirement: Requirement, said: dict[str, Any], by: User) -> Requirement:
    verdict, may = said["verdict"], DESK.may_moderate
    reason, note = said["reason"], said["note"]
    if verdict == "approve":
        return requirements.approve(requirement=requirement, by=by, may=may)
    if verdict == "return":
        remarks = _remarks(requirement, said.get("remarks", []))
        return requirements.return_(requirement=requirement, remarks=remarks, by=by, may=may)
    if verdict == "refuse":
        return requirements.refuse(
            requirement=requirement, reason=reason, note=note, by=by, may=may
        )
    if verdict == "take_down":
        return requirements.take_down(
            requirement=requirement, reason=reason, note=note, by=by, may=DESK.may_take_down
        )
    return requirements.see_amendment(requirement=requirement, by=by, may=DESK.may_take_down)


def _remarks(requirement: Requirement, said: list[dict[str, Any]]) -> list[RemarkDraft]:
    lines = {line.number: line for line in requirement.lines.all()}
    if unknown := sorted({one["line"] for one in said if one.get("line")} - set(lines)):
        raise ValidationError(
            {"remarks": [_("There is no line %(number)d.") % {"number": unknown[0]}]}
        )
    return [
        RemarkDraft(text=one["text"], code=one["code"], line=lines.get(one.get("line") or 0))
        for one in said
    ]
