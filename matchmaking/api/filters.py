from __future__ import annotations

import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet

from chains.models import (
    Capability,
    Category,
    Certification,
    Enterprise,
    Evidence,
    GroupProposal,
    Mandate,
    MemberInvitation,
    Membership,
    Project,
    ProofQuerySet,
    Qualification,
    Region,
    Report,
    Requirement,
    Segment,
    lies_within,
)
from events.models import Event, Registration, Series
from matchmaking import search
from matchmaking.models import Interest, Match


def within(field: str) -> django_filters.CharFilter:
    """A region by its code, with all below it."""

    def narrow(rows: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        region = Region.objects.filter(code=code).first()
        if region is None:
            return rows.none()
        return rows.filter(lies_within(field, [region]))

    return django_filters.CharFilter(method=narrow, label="Region code; its subtree counts.")


def found() -> django_filters.CharFilter:
    def narrow(rows: QuerySet[Any], _name: str, query: str) -> QuerySet[Any]:
        return search.found(rows, query)

    return django_filters.CharFilter(method=narrow, label="Words in Chinese, pinyin or English.")


def found_in_register() -> django_filters.CharFilter:
    def narrow(rows: QuerySet[Enterprise], _name: str, query: str) -> QuerySet[Enterprise]:
        return search.enterprises(rows, query)

    return django_filters.CharFilter(
        method=narrow,
        label="Words in Chinese, pinyin or English, of its name or of what it offers.",
    )


def makes() -> django_filters.CharFilter:
    def narrow(rows: QuerySet[Enterprise], _name: str, code: str) -> QuerySet[Enterprise]:
        offers = Capability.objects.published().filter(categories__segment__code=code)
        return rows.filter(pk__in=offers.values("enterprise"))

    return django_filters.CharFilter(method=narrow, label="Code of a segment it supplies.")


class SegmentFilter(django_filters.FilterSet):
    chain = django_filters.CharFilter("chain__code")

    class Meta:
        model = Segment
        fields = ("chain", "position")


class CategoryFilter(django_filters.FilterSet):
    chain = django_filters.CharFilter("chain__code")
    segment = django_filters.CharFilter("segment__code")
    parent = django_filters.CharFilter("parent__code")

    class Meta:
        model = Category
        fields = ("chain", "segment", "parent", "level")


class RegionFilter(django_filters.FilterSet):
    parent = django_filters.CharFilter("parent__code")
    q = found()

    class Meta:
        model = Region
        fields = ("parent", "level", "q")


class EnterpriseFilter(django_filters.FilterSet):
    region = within("region")
    kind = django_filters.CharFilter("kind")
    segment = makes()
    q = found_in_register()

    class Meta:
        model = Enterprise
        fields = ("region", "kind", "segment", "q")


class CapabilityFilter(django_filters.FilterSet):
    enterprise = django_filters.CharFilter("enterprise__public_id")
    category = django_filters.CharFilter("categories__code")
    q = found()

    class Meta:
        model = Capability
        fields = ("enterprise", "category", "status", "q")


class RequirementFilter(django_filters.FilterSet):
    enterprise = django_filters.CharFilter("enterprise__public_id")
    chain = django_filters.CharFilter("chain__code")
    docking_kind = django_filters.CharFilter("docking_kind")
    region = within("region")
    q = found()

    class Meta:
        model = Requirement
        fields = ("enterprise", "chain", "docking_kind", "region", "status", "seeks", "q")


class EventFilter(django_filters.FilterSet):
    level = django_filters.CharFilter("level")
    chain = django_filters.CharFilter("chains__code")
    cluster = django_filters.CharFilter("cluster__code")
    region = within("region")
    starts_after = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="gte")
    starts_before = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="lt")

    class Meta:
        model = Event
        fields = ("level", "chain", "cluster", "region", "status", "starts_after", "starts_before")


class SeriesFilter(django_filters.FilterSet):
    programme = django_filters.CharFilter("programme__public_id")

    class Meta:
        model = Series
        fields = ("programme", "year")


class RegistrationFilter(django_filters.FilterSet):
    event = django_filters.CharFilter("event__public_id")
    enterprise = django_filters.CharFilter("enterprise__public_id")

    class Meta:
        model = Registration
        fields = ("event", "enterprise", "status")


class MatchFilter(django_filters.FilterSet):
    requirement = django_filters.CharFilter("line__requirement__public_id")
    line = django_filters.CharFilter("line__public_id")
    supplier = django_filters.CharFilter("supplier__public_id")

    class Meta:
        model = Match
        fields = ("requirement", "line", "supplier", "status", "misses_must", "is_stale")


class InterestFilter(django_filters.FilterSet):
    requirement = django_filters.CharFilter("requirement__public_id")
    enterprise = django_filters.CharFilter("enterprise__public_id")

    class Meta:
        model = Interest
        fields = ("requirement", "enterprise", "status")


class OfEnterpriseFilter(django_filters.FilterSet):
    enterprise = django_filters.CharFilter("enterprise__public_id")


class MembershipFilter(OfEnterpriseFilter):
    class Meta:
        model = Membership
        fields = ("enterprise", "status")


class MemberInvitationFilter(OfEnterpriseFilter):
    class Meta:
        model = MemberInvitation
        fields = ("enterprise", "status")


class MandateFilter(django_filters.FilterSet):
    association = django_filters.CharFilter("association__public_id")
    member = django_filters.CharFilter("member__public_id")

    class Meta:
        model = Mandate
        fields = ("association", "member", "status")


class ProjectFilter(OfEnterpriseFilter):
    class Meta:
        model = Project
        fields = ("enterprise", "stage")


class GroupProposalFilter(django_filters.FilterSet):
    proposer = django_filters.CharFilter("proposer__public_id")
    partner = django_filters.CharFilter("partner__public_id")

    class Meta:
        model = GroupProposal
        fields = ("proposer", "partner", "status")


class EvidenceFilter(OfEnterpriseFilter):
    class Meta:
        model = Evidence
        fields = ("enterprise",)


class _ProofFilter(OfEnterpriseFilter):
    kind = django_filters.CharFilter("kind__code")
    on = django_filters.DateFilter(
        method="held_on", label="A day: what was verified and in force on it."
    )

    def held_on(
        self, rows: ProofQuerySet[Any], _name: str, day: datetime.date
    ) -> ProofQuerySet[Any]:
        return rows.in_force(day)


class QualificationFilter(_ProofFilter):
    class Meta:
        model = Qualification
        fields = ("enterprise", "kind", "status")


class CertificationFilter(_ProofFilter):
    class Meta:
        model = Certification
        fields = ("enterprise", "kind", "status")


class ReportFilter(django_filters.FilterSet):
    class Meta:
        model = Report
        fields = ("status", "reason")
