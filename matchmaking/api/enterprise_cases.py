"""How an enterprise comes onto the register, stands at its desk, and is one with another row."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains import calendar
from chains.models import Enterprise, EnterpriseAlias, Language, ParticipantKind, Region
from chains.services import enterprises, groups
from events.permissions import DESK
from matchmaking.api.base import CREATED, NamedField, ReadViewSet, Request
from matchmaking.services import merging

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
ENTERPRISE_STATUSES = Enterprise.Status.choices
SCHEMES = Enterprise.Scheme.choices
ALIAS_KINDS = EnterpriseAlias.Kind.choices
CASE_VERDICTS = [(verb, verb) for verb in ("verify", "return", "suspend", "reinstate")]


class AliasSerializer(serializers.ModelSerializer[EnterpriseAlias]):
    """Another spelling under which the enterprise is found."""

    text = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(ALIAS_KINDS)

    class Meta:
        model = EnterpriseAlias
        fields = ("text", "kind")


class CaseSerializer(serializers.ModelSerializer[Enterprise]):
    """What its members and its desk see of it beside the page: number, state, what is missing, the promised day."""

    kind = serializers.CharField(source="kind_id", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    promised_on = serializers.SerializerMethodField()
    scheme = serializers.ChoiceField(SCHEMES, read_only=True)

    class Meta:
        model = Enterprise
        fields = (
            "public_id", "name", "name_en", "scheme", "country", "number", "number_confirmed", "kind",
            "region", "address", "status", "return_reason", "submitted_at", "verified_at", "promised_on",
            "updated_at",
        )  # fmt: skip

    @extend_schema_field(OpenApiTypes.DATE)
    def get_promised_on(self, enterprise: Enterprise) -> Any:
        """The last day of the desk's promise, while it waits."""
        return calendar.promised_on(enterprise)


class _DetailsSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    name_en = serializers.CharField(max_length=200, required=False, allow_blank=True)
    kind = NamedField(
        slug_field="code",
        queryset=ParticipantKind.objects.filter(is_active=True),
        required=False,
    )
    region = NamedField(
        slug_field="code",
        queryset=Region.objects.filter(is_active=True),
        required=False,
        help_text="County, district or city; needed in China.",
    )
    address = serializers.CharField(max_length=300, required=False, allow_blank=True)
    summary = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    summary_language = serializers.ChoiceField(Language.choices, required=False)
    website = serializers.URLField(required=False, allow_blank=True)
    number = serializers.CharField(max_length=60, required=False, allow_blank=True)
    number_confirmed = serializers.BooleanField(
        required=False,
        help_text="It stands on the licence like this, whatever its check digit says.",
    )


class RegistrationDraftSerializer(_DetailsSerializer):
    scheme = serializers.ChoiceField(SCHEMES, default=Enterprise.Scheme.USCC)
    country = serializers.RegexField("^[A-Z]{2}$", default="CN")
    licence = serializers.FileField(help_text="PDF, JPEG or PNG, 8 MB; seen by its desk only.")


class ResubmissionSerializer(_DetailsSerializer):
    """What is to be corrected; what is left out stays. Another licence goes to the evidence."""


class CaseDecisionSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(CASE_VERDICTS)
    reason = serializers.CharField(
        max_length=2000, default="", allow_blank=True, help_text="To return or suspend."
    )
    seen = serializers.DateTimeField(
        required=False,
        help_text="To verify: `updated_at` of the case that was looked at; what was changed since is not verified.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["verdict"] == "verify" and "seen" not in attrs:
            raise ValidationError({"seen": [_("Say which state of the case was looked at.")]})
        return attrs


class MergeSerializer(serializers.Serializer[Any]):
    into = serializers.CharField(max_length=12, help_text="Public id of the one that is kept.")
    confirm = serializers.BooleanField(
        default=False, help_text="Without it nothing happens; the answer says what would."
    )


class SettledSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    rows = serializers.IntegerField()
    how = serializers.CharField()


class MergeReportSerializer(serializers.Serializer[Any]):
    """Rows that move, those that met their like and how that is settled, and what stands in the way."""

    merged = serializers.BooleanField()
    moved = serializers.DictField(child=serializers.IntegerField())
    settled = SettledSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
    blocks = serializers.ListField(child=serializers.CharField())


class AffiliateSerializer(serializers.ModelSerializer[Enterprise]):
    class Meta:
        model = Enterprise
        fields = ("public_id", "name", "name_en")


class GroupSerializer(serializers.Serializer[Any]):
    """`name` is empty where it is in no group."""

    name = serializers.CharField()
    affiliates = AffiliateSerializer(many=True)


class CaseActions(ReadViewSet):
    @extend_schema(
        request={"multipart/form-data": RegistrationDraftSerializer},
        responses={201: CaseSerializer},
    )
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[IsAuthenticated],
        parser_classes=[MultiPartParser],
    )
    def register(self, request: Request) -> Response:
        """Put a body on the register, the caller as its owner; it waits for its desk from now on."""
        body = RegistrationDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = enterprises.register(by=request.user, **body.validated_data)
        return Response(CaseSerializer(row).data, status=CREATED)

    @extend_schema(request=ResubmissionSerializer, responses=CaseSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def resubmit(self, request: Request, public_id: str) -> Response:
        """Correct a case that waits, or send a returned one to its desk again."""
        enterprise = self._own(request, public_id)
        body = ResubmissionSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        row = enterprises.resubmit(enterprise=enterprise, by=request.user, **fields)
        return Response(CaseSerializer(row).data)

    @extend_schema(responses=CaseSerializer)
    @action(
        detail=True,
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def case(self, request: Request, public_id: str) -> Response:
        """For its members and its desk."""
        return Response(CaseSerializer(self._own_or_desks(request, public_id)).data)

    @extend_schema(request=CaseDecisionSerializer, responses=CaseSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def decide(self, request: Request, public_id: str) -> Response:
        """The desk verifies, returns, suspends or reinstates."""
        enterprise = self._own_or_desks(request, public_id)
        body = CaseDecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said, by, may = body.validated_data, request.user, DESK.may_verify
        verdict, reason = said["verdict"], said["reason"]
        if verdict == "verify":
            row = enterprises.verify(enterprise=enterprise, by=by, may=may, seen=said["seen"])
        elif verdict == "return":
            row = enterprises.return_(enterprise=enterprise, reason=reason, by=by, may=may)
        elif verdict == "suspend":
            row = enterprises.suspend(enterprise=enterprise, reason=reason, by=by, may=may)
        else:
            row = enterprises.reinstate(enterprise=enterprise, by=by, may=may)
        return Response(CaseSerializer(row).data)

    @extend_schema(methods=["GET"], responses=AliasSerializer(many=True))
    @extend_schema(methods=["POST"], request=AliasSerializer, responses={201: AliasSerializer})
    @action(
        detail=True,
        methods=["get", "post"],
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def aliases(self, request: Request, public_id: str) -> Response:
        """Under which other spellings it is found, for its members and its desk; or add one."""
        enterprise = self._own_or_desks(request, public_id)
        if request.method == "GET":
            rows = enterprise.aliases.order_by("pk")
            return Response(AliasSerializer(rows, many=True).data)
        body = AliasSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = enterprises.add_alias(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(AliasSerializer(row).data, status=CREATED)

    @extend_schema(methods=["GET"], responses=GroupSerializer)
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True,
        methods=["get", "delete"],
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def group(self, request: Request, public_id: str) -> Response:
        """Its affiliates, for its members and its desk; or leave the group, as an owner."""
        enterprise = self._own_or_desks(request, public_id)
        if request.method == "DELETE":
            groups.leave(enterprise=enterprise, by=request.user)
            return Response(status=status.HTTP_204_NO_CONTENT)
        name = enterprise.group.name if enterprise.group else ""
        said = {"name": name, "affiliates": enterprise.affiliates}
        return Response(GroupSerializer(said).data)

    @extend_schema(request=MergeSerializer, responses=MergeReportSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def merge(self, request: Request, public_id: str) -> Response:
        """What a merge of this row into another would do, or the merge itself; for administrators."""
        if not request.user.is_administrator:
            raise PermissionDenied
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rows = Enterprise.objects.exclude(status=Enterprise.Status.MERGED)
        loser = get_object_or_404(rows, public_id=public_id)
        survivor = rows.filter(public_id=body.validated_data["into"]).exclude(pk=loser.pk).first()
        if survivor is None:
            raise ValidationError({"into": [_("There is no such enterprise.")]})
        report = merging.preview(loser=loser, survivor=survivor, by=request.user)
        confirmed = body.validated_data["confirm"]
        if confirmed:
            merging.merge(loser=loser, survivor=survivor, by=request.user)
        said = {
            "merged": confirmed,
            "moved": report.moved,
            "settled": [
                {"what": what, "rows": rows, "how": str(how)} for what, rows, how in report.settled
            ],
            "warnings": report.warnings,
            "blocks": report.blocks,
        }
        return Response(MergeReportSerializer(said).data)

    @staticmethod
    def _own(request: Request, public_id: str) -> Enterprise:
        return get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)

    @staticmethod
    def _own_or_desks(request: Request, public_id: str) -> Enterprise:
        """Others are told nothing, whatever its state."""
        user = request.user
        found = Q(pk__in=Enterprise.objects.own(user).values("pk"))
        if user.decides_for_others:
            found |= Q(pk__in=DESK.enterprises(user).values("pk"))
        rows = Enterprise.objects.filter(found).select_related("region", "province", "group")
        return get_object_or_404(rows, public_id=public_id)
