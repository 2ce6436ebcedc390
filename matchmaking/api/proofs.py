"""Titles and certificates: claimed by an enterprise, decided by its desk, and the papers behind them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains import spreadsheets
from chains.errors import DomainError
from chains.forms import title_list
from chains.models import (
    Certification,
    CertificationKind,
    Enterprise,
    Evidence,
    Proof,
    Qualification,
    QualificationKind,
    User,
)
from chains.permissions import Anyone, is_signed_in
from chains.services import awards, enterprises
from chains.views.downloads import download
from events.permissions import DESK
from matchmaking.api import filters
from matchmaking.api.base import CREATED, NamedField, OwnField, ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.parsers import StrictJSONParser

# What a registration form asked for belongs to the event.
_PURPOSES = [one for one in Evidence.Purpose if one != Evidence.Purpose.REGISTRATION]
PROOF_STATUSES = Proof.Status.choices
EVIDENCE_PURPOSES = [(one.value, one.label) for one in _PURPOSES]


def _at_own_or_desk(user: Anyone, *, editors_only: bool = False) -> Q:
    """Rows of enterprises whose papers and claims the caller may see: their own, and those of their desk."""
    if not is_signed_in(user):
        return Q(pk=None)
    own = [m.enterprise_id for m in user.active_memberships if m.may_edit or not editors_only]
    found = Q(enterprise__in=own)
    if user.decides_for_others:
        desk = DESK.enterprises(user).exclude(pk__in=user.own_bodies)
        found |= Q(enterprise__in=desk.values("pk"))
    return found


# --- The papers ---------------------------------------------------------------------------------------


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    enterprise = EnterpriseNameSerializer(read_only=True)
    purpose = serializers.ChoiceField(EVIDENCE_PURPOSES, read_only=True)

    class Meta:
        model = Evidence
        fields = (
            "public_id", "enterprise", "purpose", "original_name", "content_type", "size", "created_at",
        )  # fmt: skip


class EvidenceDraftSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()
    purpose = serializers.ChoiceField(EVIDENCE_PURPOSES)
    file = serializers.FileField(help_text="PDF, JPEG or PNG, 8 MB.")


class EvidenceViewSet(ReadViewSet):
    queryset = Evidence.objects.none()
    serializer_class = EvidenceSerializer
    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]
    filterset_class = filters.EvidenceFilter

    def get_queryset(self) -> QuerySet[Evidence]:
        return (
            Evidence.objects.filter(_at_own_or_desk(self.request.user, editors_only=True))
            .filter(purpose__in=_PURPOSES)
            .select_related("enterprise__region")
            .order_by("-pk")
        )

    @extend_schema(
        request={"multipart/form-data": EvidenceDraftSerializer},
        responses={201: EvidenceSerializer},
    )
    def create(self, request: Request) -> Response:
        """Keep a file that proves something; a claim names it afterwards."""
        body = EvidenceDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        said = body.validated_data
        row = enterprises.store_evidence(
            enterprise=said["enterprise"],
            purpose=said["purpose"],
            upload=said["file"],
            by=request.user,
        )
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def file(self, request: Request, public_id: str) -> HttpResponseBase:
        """The file itself; each look of a desk is logged."""
        evidence = self.get_object()
        if not DESK.may_see_evidence(request.user, evidence.enterprise):
            raise Http404
        enterprises.record_view(evidence=evidence, by=request.user)
        return download(evidence)


# --- Claims -------------------------------------------------------------------------------------------

_PROOF = (
    "public_id", "enterprise", "kind", "issuer", "valid_from", "valid_until_on", "status", "reason",
    "revoked_on", "evidence", "created_at",
)  # fmt: skip


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    enterprise = EnterpriseNameSerializer(read_only=True)
    kind = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    evidence = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = Qualification
        fields = (*_PROOF, "batch")


class CertificationSerializer(serializers.ModelSerializer[Certification]):
    enterprise = EnterpriseNameSerializer(read_only=True)
    kind = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    evidence = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = Certification
        fields = (*_PROOF, "number", "scope")


class _OwnEvidenceField(NamedField):
    """A file that was kept before; whose it is, says the service."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="public_id", queryset=Evidence.objects.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Evidence]:
        user = caller(self.context)
        own = Enterprise.objects.own(user).values("pk")
        return Evidence.objects.filter(enterprise__in=own, purpose__in=_PURPOSES)


class _ClaimSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()
    issuer = serializers.CharField(max_length=200, default="", allow_blank=True)
    valid_from = serializers.DateField()
    valid_until_on = serializers.DateField(required=False, allow_null=True)
    evidence = _OwnEvidenceField(required=False, allow_null=True)


class QualificationClaimSerializer(_ClaimSerializer):
    kind = NamedField(slug_field="code", queryset=QualificationKind.objects.filter(is_active=True))
    batch = serializers.CharField(max_length=80, default="", allow_blank=True)


class CertificationClaimSerializer(_ClaimSerializer):
    kind = NamedField(slug_field="code", queryset=CertificationKind.objects.filter(is_active=True))
    number = serializers.CharField(max_length=80, default="", allow_blank=True)
    scope = serializers.CharField(max_length=200, default="", allow_blank=True)


class ProofDecisionSerializer(serializers.Serializer[Any]):
    """Issuer and last day as the desk reads them on the paper; a refusal needs its reason."""

    accept = serializers.BooleanField()
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)
    issuer = serializers.CharField(max_length=200, default="", allow_blank=True)
    valid_until_on = serializers.DateField(required=False, allow_null=True, default=None)


class RevokeSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, help_text="The enterprise reads it.")


class _ProofViewSet(ReadViewSet):
    """All claims of one's own and of one's desk, whatever their state; what counts is public with the enterprise."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ProofDecisionSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, public_id: str) -> Response:
        """The desk verifies or refuses a claim."""
        proof = self.get_object()
        body = ProofDecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = enterprises.decide_proof(
            proof=proof, by=request.user, may=DESK.may_verify, **body.validated_data
        )
        return self.read_again(row)

    @extend_schema(request=RevokeSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, public_id: str) -> Response:
        """The desk takes back what it has verified."""
        proof = self.get_object()
        body = RevokeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        row = enterprises.revoke_proof(
            proof=proof, reason=reason, by=request.user, may=DESK.may_verify
        )
        return self.read_again(row)


class QualificationViewSet(_ProofViewSet):
    queryset = Qualification.objects.none()
    serializer_class = QualificationSerializer
    filterset_class = filters.QualificationFilter

    def get_queryset(self) -> QuerySet[Qualification]:
        rows = Qualification.objects.filter(_at_own_or_desk(self.request.user))
        return rows.select_related("enterprise", "kind", "evidence").order_by("-pk")

    @extend_schema(request=QualificationClaimSerializer, responses={201: QualificationSerializer})
    def create(self, request: Request) -> Response:
        """State a title; others see it once the desk has verified it."""
        body = QualificationClaimSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        row = enterprises.claim_qualification(by=request.user, **body.validated_data)
        return self.read_again(row, CREATED)


class CertificationViewSet(_ProofViewSet):
    queryset = Certification.objects.none()
    serializer_class = CertificationSerializer
    filterset_class = filters.CertificationFilter

    def get_queryset(self) -> QuerySet[Certification]:
        rows = Certification.objects.filter(_at_own_or_desk(self.request.user))
        return rows.select_related("enterprise", "kind", "evidence").order_by("-pk")

    @extend_schema(request=CertificationClaimSerializer, responses={201: CertificationSerializer})
    def create(self, request: Request) -> Response:
        """State a certificate; it counts for a must once the desk has verified it."""
        body = CertificationClaimSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        row = enterprises.claim_certification(by=request.user, **body.validated_data)
        return self.read_again(row, CREATED)


# --- Titles of many at once ---------------------------------------------------------------------------


class TitleListDraftSerializer(serializers.Serializer[Any]):
    kind = NamedField(slug_field="code", queryset=QualificationKind.objects.filter(is_active=True))
    file = serializers.FileField(
        help_text=".xlsx, .xls or .csv with a column of names, codes, or both."
    )


class FitSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="Of its row in the file.")
    enterprise = EnterpriseNameSerializer()
    is_claimed = serializers.BooleanField(help_text="The enterprise claims the title itself.")


class MisfitSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()
    why = serializers.CharField()
    enterprise = EnterpriseNameSerializer(allow_null=True)


class TitleListSerializer(serializers.Serializer[Any]):
    """What fits the register, what somebody has to look at, and how many hold the title already."""

    fits = FitSerializer(many=True)
    misfits = MisfitSerializer(many=True)
    held = serializers.IntegerField()
    other_sheets = serializers.ListField(child=serializers.CharField())


class AwardDraftSerializer(serializers.Serializer[Any]):
    kind = NamedField(slug_field="code", queryset=QualificationKind.objects.filter(is_active=True))
    issuer = serializers.CharField(max_length=200)
    batch = serializers.CharField(max_length=80, default="", allow_blank=True)
    valid_from = serializers.DateField()
    valid_until_on = serializers.DateField(required=False, allow_null=True, default=None)
    enterprises = serializers.ListField(
        child=serializers.CharField(max_length=12),
        min_length=1,
        max_length=title_list.MAX_ROWS,
        help_text="By public id: those that fit, as somebody has looked at them.",
    )


class RefusedAwardSerializer(serializers.Serializer[Any]):
    enterprise = serializers.CharField()
    why = serializers.CharField()


class AwardedSerializer(serializers.Serializer[Any]):
    verified = serializers.IntegerField()
    refused = RefusedAwardSerializer(many=True)


class TitleListViewSet(viewsets.GenericViewSet[Any]):
    """An authority's list of those that hold a title. Nothing of it is kept: look at what fits, then send those back."""

    queryset = Qualification.objects.none()
    serializer_class = TitleListSerializer
    permission_classes = (IsAuthenticated,)
    parser_classes = (StrictJSONParser,)
    pagination_class = None

    @extend_schema(
        request={"multipart/form-data": TitleListDraftSerializer}, responses=TitleListSerializer
    )
    @action(detail=False, methods=["post"], parser_classes=[MultiPartParser])
    def compare(self, request: Request) -> Response:
        """Compare a list with the register."""
        _check_decides(request.user)
        body = TitleListDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        content = spreadsheets.read_limited(said["file"], max_bytes=settings.IMPORT_MAX_BYTES)
        found = title_list.read(content, said["kind"], request.user, DESK.may_verify)
        return Response(TitleListSerializer(found).data)

    @extend_schema(request=AwardDraftSerializer, responses=AwardedSerializer)
    @action(detail=False, methods=["post"])
    def award(self, request: Request) -> Response:
        """Verify the title of each; those that cannot be are named with the reason."""
        _check_decides(request.user)
        body = AwardDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        done = awards.award_many(
            public_ids=said.pop("enterprises"), by=request.user, may=DESK.may_verify, **said
        )
        refused = [{"enterprise": one, "why": why} for one, why in done.refused]
        return Response({"verified": done.verified, "refused": refused})


def _check_decides(user: User) -> None:
    if not user.decides_for_others:
        raise DomainError(
            _("Titles are verified from a list by organisers."), code="proof.forbidden"
        )
