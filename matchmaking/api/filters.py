from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Case, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _

from chains import search as register
from chains.models import (
    Capability,
    Category,
    Certification,
    Chain,
    Cluster,
    DockingKind,
    Enterprise,
    Evidence,
    GroupProposal,
    Mandate,
    MemberInvitation,
    Membership,
    ParticipantKind,
    Project,
    ProofQuerySet,
    Qualification,
    Region,
    Report,
    Requirement,
    Segment,
    lies_within,
)
from chains.models.base import Reference
from events.models import Event, EventLevel, Registration, Series
from matchmaking import search
from matchmaking.models import Interest, Match, Weighting

# Of those that answer a word; whoever wants more of them wants another word.
MOST_CATEGORIES = 100


def known(model: type[Reference]) -> Callable[[str], None]:
    """A code of these rows. Any other is a slip of whoever asks, and no reason to answer that there is nothing."""

    def check(code: str) -> None:
        if not model.objects.filter(code=code).exists():
            raise ValidationError(_("“%(code)s” is not known here."), params={"code": code})

    return check


def coded(field: str, model: type[Reference]) -> django_filters.CharFilter:
    return django_filters.CharFilter(field, validators=[known(model)])


def within(field: str) -> django_filters.CharFilter:
    """A region by its code, with all below it."""

    def narrow(rows: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        return rows.filter(lies_within(field, [Region.objects.get(code=code)]))

    return django_filters.CharFilter(
        method=narrow, label="Region code; its subtree counts.", validators=[known(Region)]
    )


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


def found_among_categories() -> django_filters.CharFilter:
    def narrow(rows: QuerySet[Category], _name: str, query: str) -> QuerySet[Category]:
        answering = register.categories(query, MOST_CATEGORIES)
        places = [When(pk=row.pk, then=place) for place, row in enumerate(answering)]
        return rows.filter(pk__in=[row.pk for row in answering]).order_by(Case(*places))

    return django_filters.CharFilter(
        method=narrow,
        label="Words in Chinese, pinyin or English, of its names or synonyms; best first, at most 100.",
    )


def makes() -> django_filters.CharFilter:
    def narrow(rows: QuerySet[Enterprise], _name: str, code: str) -> QuerySet[Enterprise]:
        offers = Capability.objects.published().filter(categories__segment__code=code)
        return rows.filter(pk__in=offers.values("enterprise"))

    return django_filters.CharFilter(
        method=narrow, label="Code of a segment it supplies.", validators=[known(Segment)]
    )


class SegmentFilter(django_filters.FilterSet):
    chain = coded("chain__code", Chain)

    class Meta:
        model = Segment
        fields = ("chain", "position")


class CategoryFilter(django_filters.FilterSet):
    chain = coded("chain__code", Chain)
    segment = coded("segment__code", Segment)
    parent = coded("parent__code", Category)
    q = found_among_categories()

    class Meta:
        model = Category
        fields = ("chain", "segment", "parent", "level", "q")


class RegionFilter(django_filters.FilterSet):
    parent = coded("parent__code", Region)
    q = found()

    class Meta:
        model = Region
        fields = ("parent", "level", "q")


class EnterpriseFilter(django_filters.FilterSet):
    region = within("region")
    kind = coded("kind", ParticipantKind)
    segment = makes()
    q = found_in_register()

    class Meta:
        model = Enterprise
        fields = ("region", "kind", "segment", "q")


class CapabilityFilter(django_filters.FilterSet):
    enterprise = django_filters.CharFilter("enterprise__public_id")
    category = coded("categories__code", Category)
    q = found()

    class Meta:
        model = Capability
        fields = ("enterprise", "category", "status", "q")


class RequirementFilter(django_filters.FilterSet):
    enterprise = django_filters.CharFilter("enterprise__public_id")
    chain = coded("chain__code", Chain)
    docking_kind = coded("docking_kind", DockingKind)
    region = within("region")
    q = found()

    class Meta:
        model = Requirement
        fields = ("enterprise", "chain", "docking_kind", "region", "status", "seeks", "q")


class EventFilter(django_filters.FilterSet):
    level = coded("level", EventLevel)
    chain = coded("chains__code", Chain)
    cluster = coded("cluster__code", Cluster)
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


class WeightingFilter(django_filters.FilterSet):
    province = django_filters.CharFilter(
        method="of_province",
        validators=[known(Region)],
        help_text="The province's own versions and those that all share, which are in force where it has none.",
    )

    class Meta:
        model = Weighting
        fields = ("status",)

    def of_province(
        self, queryset: QuerySet[Weighting], name: str, value: str
    ) -> QuerySet[Weighting]:
        return queryset.filter(Q(province__code=value) | Q(province=None))
