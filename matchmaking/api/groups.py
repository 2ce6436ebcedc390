"""Affiliates: one enterprise names another, an owner of that one confirms."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import Enterprise, GroupProposal
from chains.services import groups
from matchmaking.api import filters
from matchmaking.api.base import CREATED, NamedField, OwnField, ReadViewSet, Request
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.members import DecideSerializer


class GroupProposalSerializer(serializers.ModelSerializer[GroupProposal]):
    """`name` is that of the group to be founded; empty where the proposer is in one."""

    proposer = EnterpriseNameSerializer(read_only=True)
    partner = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = GroupProposal
        fields = ("public_id", "proposer", "partner", "name", "status", "created_at")


class GroupProposalDraftSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()
    partner = NamedField(slug_field="public_id", queryset=Enterprise.objects.verified())
    name = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="Where neither is in a group yet."
    )


class GroupProposalViewSet(ReadViewSet):
    queryset = GroupProposal.objects.none()
    serializer_class = GroupProposalSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.GroupProposalFilter

    def get_queryset(self) -> QuerySet[GroupProposal]:
        """Made and received by one's own enterprises."""
        own = getattr(self.request.user, "enterprise_ids", ())
        return (
            GroupProposal.objects.filter(Q(proposer__in=own) | Q(partner__in=own))
            .select_related("proposer", "partner")
            .order_by("-pk")
        )

    @extend_schema(request=GroupProposalDraftSerializer, responses={201: GroupProposalSerializer})
    def create(self, request: Request) -> Response:
        """Say that another enterprise is of one's group; it counts once an owner of that one confirms."""
        body = GroupProposalDraftSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        row = groups.propose(by=request.user, **body.validated_data)
        return self.read_again(row, CREATED)

    @extend_schema(request=DecideSerializer, responses=GroupProposalSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, public_id: str) -> Response:
        """An owner of the partner confirms or declines."""
        proposal = self.get_object()
        body = DecideSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accept = body.validated_data["accept"]
        return self.read_again(groups.answer(proposal=proposal, accept=accept, by=request.user))

    @extend_schema(request=None, responses=GroupProposalSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: str) -> Response:
        return self.read_again(groups.withdraw(proposal=self.get_object(), by=request.user))
