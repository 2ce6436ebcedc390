"""Who acts for an enterprise: memberships, invitations of colleagues, mandates of associations."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains import permissions
from chains.models import Enterprise, Mandate, MemberInvitation, Membership
from chains.services import accounts, invitations
from events.permissions import DESK
from matchmaking.api import filters
from matchmaking.api.base import CREATED, NamedField, OwnField, ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
MEMBER_ROLES = Membership.Role.choices
JOIN_ROLES = [(one.value, one.label) for one in (Membership.Role.EDITOR, Membership.Role.VIEWER)]


class DecideSerializer(serializers.Serializer[Any]):
    accept = serializers.BooleanField()


# --- Members ------------------------------------------------------------------------------------------


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """`account` is the address of the person: told to members, of requests to owners, and of one's own."""

    enterprise = EnterpriseNameSerializer(read_only=True)
    account = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = ("public_id", "enterprise", "account", "role", "status", "created_at")

    def get_account(self, row: Membership) -> str | None:
        user = caller(self.context)
        told = row.user_id == user.pk or permissions.is_owner(user, row.enterprise)
        if row.status == Membership.Status.ACTIVE:
            told = told or permissions.is_member(user, row.enterprise)
        return row.user.email if told else None


class JoinSerializer(serializers.Serializer[Any]):
    enterprise = NamedField(
        slug_field="public_id",
        queryset=Enterprise.objects.exclude(
            status__in=[Enterprise.Status.UNCLAIMED, Enterprise.Status.MERGED]
        ),
    )
    role = serializers.ChoiceField(JOIN_ROLES, default=Membership.Role.EDITOR)


class RoleSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(MEMBER_ROLES)


class MembershipViewSet(ReadViewSet):
    queryset = Membership.objects.none()
    serializer_class = MembershipSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.MembershipFilter

    def get_queryset(self) -> QuerySet[Membership]:
        """One's own, those of one's enterprises, at one's desk requests and the members of what has no owner left."""
        user = self.request.user
        mine = Q(user=user.pk) | Q(enterprise__in=getattr(user, "enterprise_ids", ()))
        if getattr(user, "decides_for_others", False):
            desk = DESK.enterprises(user).values("pk")  # type: ignore[arg-type]  # has signed in
            owners = Membership.objects.acting_owners().filter(enterprise=OuterRef("enterprise"))
            mine |= Q(enterprise__in=desk, status=Membership.Status.REQUESTED)
            mine |= Q(~Exists(owners), enterprise__in=desk, user__is_active=True)
        return (
            Membership.objects.filter(mine)
            .filter(status__in=[Membership.Status.REQUESTED, Membership.Status.ACTIVE])
            .select_related("enterprise__region", "user")
            .order_by("pk")
        )

    @extend_schema(request=JoinSerializer, responses={201: MembershipSerializer})
    def create(self, request: Request) -> Response:
        """Ask the owners of an enterprise to be let in."""
        body = JoinSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = accounts.request_join(by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(request=DecideSerializer, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, public_id: str) -> Response:
        """An owner lets in or refuses; after five days the desk may."""
        membership = self.get_object()
        body = DecideSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accept = body.validated_data["accept"]
        row = accounts.decide_membership(
            membership=membership, accept=accept, by=request.user, may=DESK.may_verify
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=RoleSerializer, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def role(self, request: Request, public_id: str) -> Response:
        """An owner says what a member may do. The last owner stays one; where none is left, the desk names one."""
        membership = self.get_object()
        body = RoleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        role = body.validated_data["role"]
        row = accounts.change_role(
            membership=membership, role=role, by=request.user, may=DESK.may_verify
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, public_id: str) -> Response:
        """Leave, take one's request back, or end the membership of somebody else as an owner."""
        row = accounts.end_membership(membership=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)


# --- Colleagues who are asked -------------------------------------------------------------------------


class MemberInvitationSerializer(serializers.ModelSerializer[MemberInvitation]):
    """`email` is empty once it is answered, withdrawn or too old."""

    enterprise = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = MemberInvitation
        fields = ("public_id", "enterprise", "email", "role", "status", "expires_on", "created_at")


class MemberInvitationDraftSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(MEMBER_ROLES, default=Membership.Role.EDITOR)


class MemberInvitationViewSet(ReadViewSet):
    queryset = MemberInvitation.objects.none()
    serializer_class = MemberInvitationSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.MemberInvitationFilter

    def get_queryset(self) -> QuerySet[MemberInvitation]:
        """Of enterprises one owns, and open ones sent to an address one has proven."""
        user = self.request.user
        if not permissions.is_signed_in(user):
            return MemberInvitation.objects.none()
        owned = [
            m.enterprise_id for m in user.active_memberships if m.role == Membership.Role.OWNER
        ]
        mine = [row.pk for row in invitations.waiting_for(by=user)]
        return (
            MemberInvitation.objects.filter(Q(enterprise__in=owned) | Q(pk__in=mine))
            .select_related("enterprise")
            .order_by("-pk")
        )

    @extend_schema(
        request=MemberInvitationDraftSerializer, responses={201: MemberInvitationSerializer}
    )
    def create(self, request: Request) -> Response:
        """Ask a colleague by the address; the letter leads to a page that is theirs alone."""
        body = MemberInvitationDraftSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        row = invitations.invite(by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(request=DecideSerializer, responses=MemberInvitationSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, public_id: str) -> Response:
        """Say yes or no to one that was sent to an address of one's own."""
        invitation = self.get_object()
        body = DecideSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accept = body.validated_data["accept"]
        row = invitations.answer(invitation=invitation, accept=accept, by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=MemberInvitationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: str) -> Response:
        row = invitations.withdraw(invitation=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)


# --- Mandates -----------------------------------------------------------------------------------------


class MandateSerializer(serializers.ModelSerializer[Mandate]):
    association = EnterpriseNameSerializer(read_only=True)
    member = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = Mandate
        fields = ("public_id", "association", "member", "status", "created_at")


class MandateDraftSerializer(serializers.Serializer[Any]):
    association = OwnField()
    member = NamedField(slug_field="public_id", queryset=Enterprise.objects.verified())


class MandateViewSet(ReadViewSet):
    queryset = Mandate.objects.none()
    serializer_class = MandateSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.MandateFilter

    def get_queryset(self) -> QuerySet[Mandate]:
        """Given and received by one's own bodies."""
        own = getattr(self.request.user, "enterprise_ids", ())
        return (
            Mandate.objects.filter(Q(association__in=own) | Q(member__in=own))
            .select_related("association", "member")
            .order_by("-pk")
        )

    @extend_schema(request=MandateDraftSerializer, responses={201: MandateSerializer})
    def create(self, request: Request) -> Response:
        """An association offers to post requirements for a member; it starts when the member accepts."""
        body = MandateDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        row = accounts.offer_mandate(by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(request=None, responses=MandateSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, public_id: str) -> Response:
        row = accounts.accept_mandate(mandate=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=MandateSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, public_id: str) -> Response:
        """Refuse an offer, or end what was accepted; either side may."""
        row = accounts.end_mandate(mandate=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)
