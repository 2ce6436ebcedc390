"""The REST API of all three packages. Reads begin with what the user may see; writes call the services."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request as DRFRequest
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import permissions as register
from chains.errors import DomainError
from chains.models import (
    Capability,
    Category,
    CertificationKind,
    Chain,
    CooperationKind,
    DockingKind,
    Enterprise,
    ParticipantKind,
    Qualification,
    QualificationKind,
    Region,
    Requirement,
    RequirementLine,
    Segment,
    Unit,
)
from chains.services import capabilities, enterprises, requirements
from chains.views.downloads import download
from events import permissions as gathering
from events import statistics
from events.models import (
    Delegate,
    Event,
    EventLevel,
    FormAnswer,
    FormQuestion,
    Listing,
    Programme,
    Registration,
    Series,
    Target,
)
from events.services import answers as form_answers
from events.services import checkin, programmes
from events.services import registration as registrations
from matchmaking import permissions
from matchmaking.api import filters, serializers
from matchmaking.api.base import ReadViewSet, ReferenceViewSet, Request
from matchmaking.models import Interest, InterestAttachment, Match, MatchRun
from matchmaking.services import contacts, interests, matching, review, waking

CREATED, ACCEPTED = status.HTTP_201_CREATED, status.HTTP_202_ACCEPTED


# --- Reference data -----------------------------------------------------------------------------------


class ChainViewSet(ReferenceViewSet):
    queryset = Chain.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.ChainSerializer
    filterset_fields = ["kind"]


class SegmentViewSet(ReferenceViewSet):
    queryset = (
        Segment.objects.filter(is_active=True)
        .select_related("chain")
        .prefetch_related("feeds")
        .order_by("code")
    )
    serializer_class = serializers.SegmentSerializer
    filterset_class = filters.SegmentFilter


class CategoryViewSet(ReferenceViewSet):
    queryset = (
        Category.objects.filter(is_active=True).select_related("parent", "segment").order_by("code")
    )
    serializer_class = serializers.CategorySerializer
    filterset_class = filters.CategoryFilter


class RegionViewSet(ReferenceViewSet):
    queryset = Region.objects.filter(is_active=True).select_related("parent").order_by("code")
    serializer_class = serializers.RegionSerializer
    filterset_class = filters.RegionFilter


class UnitViewSet(ReferenceViewSet):
    queryset = Unit.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.UnitSerializer


class DockingKindViewSet(ReferenceViewSet):
    queryset = DockingKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.DockingKindSerializer


class CooperationKindViewSet(ReferenceViewSet):
    queryset = CooperationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.CooperationKindSerializer


class QualificationKindViewSet(ReferenceViewSet):
    queryset = QualificationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.QualificationKindSerializer


class CertificationKindViewSet(ReferenceViewSet):
    queryset = CertificationKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.CertificationKindSerializer


class ParticipantKindViewSet(ReferenceViewSet):
    queryset = ParticipantKind.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.ParticipantKindSerializer


class EventLevelViewSet(ReferenceViewSet):
    queryset = EventLevel.objects.filter(is_active=True).order_by("order", "code")
    serializer_class = serializers.EventLevelSerializer


# --- The register -------------------------------------------------------------------------------------


class EnterpriseViewSet(ReadViewSet):
    queryset = Enterprise.objects.none()  # for the schema; rows come from visible_to
    serializer_class = serializers.EnterpriseSerializer
    filterset_class = filters.EnterpriseFilter

    def get_queryset(self) -> QuerySet[Enterprise]:
        titles = Qualification.objects.in_force().select_related("kind").order_by("pk")
        return (
            permissions.enterprises_visible_to(self.request.user)
            .select_related("region")
            .prefetch_related(Prefetch("qualifications", titles, "titles"))
            .order_by("pk")
        )

    @extend_schema(
        responses={
            200: serializers.EnterpriseSerializer,
            301: OpenApiResponse(description="Merged; `Location` leads to the one kept."),
        }
    )
    def retrieve(self, request: DRFRequest, *args: Any, **kwargs: Any) -> Response:
        """One enterprise by its public id; one that was merged leads to the one kept."""
        asked = kwargs["public_id"]
        merged = Enterprise.objects.filter(public_id=asked, status=Enterprise.Status.MERGED)
        kept = self.get_queryset().filter(pk__in=merged.values("merged_into")).first()
        if kept is None:
            return super().retrieve(request, *args, **kwargs)
        address = self.reverse_action("detail", args=[kept.public_id])
        return Response({"merged_into": kept.public_id}, status=301, headers={"Location": address})

    @extend_schema(
        request=serializers.EnterpriseProfileSerializer,
        responses=serializers.EnterpriseSerializer,
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change the profile of an own enterprise."""
        enterprise = self.get_object()
        body = serializers.EnterpriseProfileSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        enterprises.edit_profile(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=serializers.ContactChoiceSerializer(many=True))
    @action(
        detail=True,
        permission_classes=[IsAuthenticated],
        pagination_class=None,
        filterset_class=None,
    )
    def contacts(self, request: Request, public_id: str) -> Response:
        """The own enterprise's contacts, to be named in requirements and interests."""
        enterprise = self.get_object()
        if not register.can_edit(request.user, enterprise):
            raise PermissionDenied
        rows = enterprise.contacts.filter(is_active=True).order_by("pk")
        return Response(serializers.ContactChoiceSerializer(rows, many=True).data)


class CapabilityViewSet(ReadViewSet):
    queryset = Capability.objects.none()
    serializer_class = serializers.CapabilitySerializer
    filterset_class = filters.CapabilityFilter

    def get_queryset(self) -> QuerySet[Capability]:
        return (
            Capability.objects.visible_to(self.request.user)
            .select_related("enterprise", "unit")
            .prefetch_related("categories", "cooperation_kinds")
            .order_by("pk")
        )

    @extend_schema(
        request=serializers.CapabilitySerializer, responses={201: serializers.CapabilitySerializer}
    )
    def create(self, request: Request) -> Response:
        """Draft a capability of the caller's enterprise (the first, or the one named by `?enterprise=`)."""
        enterprise = _own_enterprise(request)
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = capabilities.save_draft(enterprise=enterprise, by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(
        request=serializers.CapabilitySerializer, responses=serializers.CapabilitySerializer
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        row = self.get_object()
        body = self.get_serializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        row = capabilities.save_draft(
            enterprise=row.enterprise, capability=row, by=request.user, **body.validated_data
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=serializers.CapabilitySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def publish(self, request: Request, public_id: str) -> Response:
        row = capabilities.publish(capability=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=serializers.CapabilitySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def withdraw(self, request: Request, public_id: str) -> Response:
        row = capabilities.withdraw(capability=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)


def _own_enterprise(request: Request) -> Enterprise:
    wanted = request.query_params.get("enterprise")
    own = Enterprise.objects.own(request.user).order_by("pk")
    if wanted:
        return get_object_or_404(own, public_id=wanted)
    first = own.first()
    if first is None:
        raise DomainError(
            _("Register your enterprise first, or ask to join it."), code="capability.forbidden"
        )
    return first


class RequirementViewSet(ReadViewSet):
    queryset = Requirement.objects.none()
    serializer_class = serializers.RequirementSerializer
    filterset_class = filters.RequirementFilter

    def get_queryset(self) -> QuerySet[Requirement]:
        lines = RequirementLine.objects.select_related(
            "category", "category_suggested", "segment", "unit"
        ).prefetch_related("conditions")
        return (
            permissions.requirements_visible_to(self.request.user)
            .select_related("enterprise", "posted_by", "project", "chain", "region")
            .prefetch_related(
                Prefetch("lines", lines), "conditions", "questions", "cooperation_kinds"
            )
            .order_by("pk")
        )

    @extend_schema(
        request=serializers.RequirementDraftSerializer,
        responses={201: serializers.RequirementSerializer},
    )
    def create(self, request: Request) -> Response:
        """Keep a draft with its lines; submit it with the action below."""
        body = serializers.RequirementDraftSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        lines, conditions = body.drafts()
        for name in ("lines", "conditions"):
            fields.pop(name, None)
        enterprise, questions = fields.pop("enterprise"), fields.pop("questions", None)
        row = requirements.save_draft(
            enterprise=enterprise,
            by=request.user,
            lines=lines,
            conditions=conditions,
            questions=questions,
            **fields,
        )
        return self._answer(row, CREATED)

    @extend_schema(request=None, responses=serializers.RequirementSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def submit(self, request: Request, public_id: str) -> Response:
        """Hand a draft to its desk."""
        return self._answer(requirements.submit(requirement=self.get_object(), by=request.user))

    @extend_schema(request=None, responses=serializers.RequirementSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def withdraw(self, request: Request, public_id: str) -> Response:
        return self._answer(requirements.withdraw(requirement=self.get_object(), by=request.user))

    @extend_schema(request=serializers.PurposeSerializer, responses=serializers.ContactSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def contact(self, request: Request, public_id: str) -> Response:
        """Open the contact by the requirement's policy. Each call is logged and counted to the owner."""
        body = serializers.PurposeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = contacts.reveal(
            requirement=self.get_object(), by=request.user, purpose=body.validated_data["purpose"]
        )
        return Response(serializers.ContactSerializer(row).data)

    @extend_schema(request=serializers.WantedSerializer, responses=serializers.WantedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def wanted(self, request: Request, public_id: str) -> Response:
        """The buyer names how many interests it wants; suppliers are then told in small batches."""
        body = serializers.WantedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = waking.want(
            requirement=self.get_object(),
            number=body.validated_data["wanted_interests"],
            by=request.user,
        )
        return Response(serializers.WantedSerializer(row).data)

    def _answer(self, row: Requirement, code: int = status.HTTP_200_OK) -> Response:
        found = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(found).data, status=code)


# --- Events -------------------------------------------------------------------------------------------


class EventViewSet(ReadViewSet):
    queryset = Event.objects.none()
    serializer_class = serializers.EventSerializer
    filterset_class = filters.EventFilter

    def get_queryset(self) -> QuerySet[Event]:
        # Listing never shows what is not published; the moment of the list decides (row 21).
        listings = (
            Listing.objects.filter(requirement__status=Requirement.Status.PUBLISHED)
            .select_related("requirement")
            .order_by("order", "pk")
        )
        return (
            Event.objects.visible_to(self.request.user)
            .select_related("host", "region")
            .prefetch_related(
                "co_hosts",
                "chains",
                "docking_kinds",
                "series__programme",
                "tiers",
                "agenda",
                Prefetch("listings", listings, "public_listings"),
                Prefetch("questions", FormQuestion.objects.asked(), "asked"),
            )
            .order_by("-starts_at", "pk")
        )

    @extend_schema(
        methods=["GET"], responses=serializers.CheckInSerializer(many=True), filters=False
    )
    @extend_schema(
        methods=["POST"],
        request=serializers.ScanSerializer,
        responses=serializers.ScanAnswerSerializer,
    )
    @action(
        detail=True,
        methods=["get", "post"],
        url_path="check-ins",
        permission_classes=[IsAuthenticated],
    )
    def check_ins(self, request: Request, public_id: str) -> Response:
        """Scans of the doors, the latest first; or send one."""
        # Bare: a door at rush hour needs none of what a reader of events is shown.
        event = get_object_or_404(Event.objects.visible_to(request.user), public_id=public_id)
        if request.method == "POST":
            return self._scan(request, event)
        if not gathering.can_see_guests(request.user, event):
            raise PermissionDenied
        rows = event.check_ins.select_related("delegate__registration__enterprise").order_by("-pk")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializers.CheckInSerializer(page, many=True).data)

    def _scan(self, request: Request, event: Event) -> Response:
        if not gathering.can_check_in(request.user, event):
            raise PermissionDenied  # before it is said whether such a person exists
        body = serializers.ScanSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        about = {
            "event": event,
            "by": request.user,
            "nonce": sent["nonce"],
            "gate": sent["gate"],
            "scanned_at": sent["scanned_at"],
        }
        if sent["kind"] == "walk_in":
            bodies = Enterprise.objects.verified()
            enterprise = get_object_or_404(bodies, public_id=sent["enterprise"])
            scan = checkin.walk_in(**about, enterprise=enterprise, name=sent["name"])
        elif sent["delegate"]:
            people = Delegate.objects.select_related("registration__enterprise")
            person = get_object_or_404(people, event=event, public_id=sent["delegate"])
            verb = checkin.undo if sent["kind"] == "undo" else checkin.check_in
            scan = verb(**about, delegate=person)
        else:
            scan = checkin.check_in(**about, code=sent["code"])
        heads = statistics.heads(event)
        answer = {
            **serializers.CheckInSerializer(scan.row).data,
            "first": serializers.FirstScanSerializer(scan.first).data if scan.first else None,
            "inside": heads.inside,
            "expected": heads.expected,
        }
        return Response(answer)


class ProgrammeViewSet(ReadViewSet):
    queryset = Programme.objects.none()
    serializer_class = serializers.ProgrammeSerializer

    def get_queryset(self) -> QuerySet[Programme]:
        return (
            Programme.objects.visible_to(self.request.user).select_related("owner").order_by("pk")
        )

    @extend_schema(
        request=serializers.ProgrammeSerializer, responses={201: serializers.ProgrammeSerializer}
    )
    def create(self, request: Request) -> Response:
        """A programme of a body the caller works for."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = programmes.create_programme(by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(
        request=serializers.ProgrammeSerializer, responses=serializers.ProgrammeSerializer
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        row = self.get_object()
        body = self.get_serializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        names = {
            name: body.validated_data.get(name, getattr(row, name))
            for name in ("name_zh", "name_en")
        }
        row = programmes.edit_programme(programme=row, by=request.user, **names)
        return Response(self.get_serializer(row).data)


class SeriesViewSet(ReadViewSet):
    queryset = Series.objects.none()
    serializer_class = serializers.SeriesProgressSerializer
    filterset_class = filters.SeriesFilter

    def get_queryset(self) -> QuerySet[Series]:
        rows = Series.objects.visible_to(self.request.user).select_related(
            "programme__owner__region"
        )
        targets = Target.objects.select_related("level", "region").order_by("measure", "pk")
        return (
            statistics.series_progress(rows)
            .prefetch_related(Prefetch("targets", targets))
            .order_by("-year", "pk")
        )

    @extend_schema(
        request=serializers.SeriesProgressSerializer,
        responses={201: serializers.SeriesProgressSerializer},
    )
    def create(self, request: Request) -> Response:
        """A programme of the caller's body in one more year."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = programmes.create_series(by=request.user, **body.validated_data)
        return self._answer(row, CREATED)

    @extend_schema(responses=serializers.SeriesFiguresSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def figures(self, request: Request, public_id: str) -> Response:
        """The figures of the series' page at this moment."""
        row: Any = self.get_object()
        figures = statistics.figures(row)
        compared = statistics.year_on_year(row)
        participants = statistics.participants_by_province(row)
        counties = statistics.counties(row)
        said = {
            "as_of": timezone.now(),
            "held": row.held,
            "planned": row.planned,
            "target": row.target,
            "participants": figures,
            "levels": statistics.by_level(row),
            "quarters": statistics.by_quarter(row),
            "year_on_year": compared["rows"] if compared else [],
            "provinces": participants["rows"],
            "groups": participants["groups"],
            "counties": len(counties),
            "counties_without": [one["county"].code for one in counties if not one["events"]],
        }
        return Response(serializers.SeriesFiguresSerializer(said).data)

    @extend_schema(
        request=serializers.TargetsSerializer, responses=serializers.SeriesProgressSerializer
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def targets(self, request: Request, public_id: str) -> Response:
        """All targets of the series at once; those left out go."""
        body = serializers.TargetsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = self.get_object()
        programmes.set_targets(series=row, targets=body.validated_data["targets"], by=request.user)
        return self._answer(row)

    @extend_schema(
        request=serializers.SeriesEventSerializer, responses=serializers.SeriesProgressSerializer
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def add(self, request: Request, public_id: str) -> Response:
        """Count an event in the series."""
        return self._move(request, programmes.put_event)

    @extend_schema(
        request=serializers.SeriesEventSerializer, responses=serializers.SeriesProgressSerializer
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def remove(self, request: Request, public_id: str) -> Response:
        """Take an event out of the series; its other series keep it."""
        return self._move(request, programmes.take_event)

    def _move(self, request: Request, verb: Any) -> Response:
        body = serializers.SeriesEventSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        row = self.get_object()
        verb(series=row, event=body.validated_data["event"], by=request.user)
        return self._answer(row)

    def _answer(self, row: Series, code: int = status.HTTP_200_OK) -> Response:
        """Read again: counts and targets as they are now."""
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=code)


class RegistrationViewSet(ReadViewSet):
    queryset = Registration.objects.none()
    serializer_class = serializers.RegistrationSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.RegistrationFilter

    def get_queryset(self) -> QuerySet[Registration]:
        return (
            Registration.objects.visible_to(self.request.user)
            .select_related("event", "enterprise", "tier")
            .prefetch_related(
                Prefetch(
                    "answers",
                    FormAnswer.objects.select_related("question").order_by("question__order", "pk"),
                )
            )
            .order_by("pk")
        )

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if args else []
        kwargs["context"] = {**self.get_serializer_context(), "ranks": _ranks(rows)}
        return self.serializer_class(*args, **kwargs)

    @extend_schema(
        request=serializers.ApplicationSerializer,
        responses={201: serializers.RegistrationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Register an own enterprise: seats at once, a turn in the queue, or a wait for the organiser."""
        body = serializers.ApplicationSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        row = registrations.register(
            event=fields["event"],
            enterprise=fields["enterprise"],
            seats=fields["seats"],
            purposes=sorted(fields.get("purposes", ())),
            accepts_partial=fields["accepts_partial"],
            answers=fields.get("answers"),
            by=request.user,
        )
        return Response(self.get_serializer(row).data, status=CREATED)

    @extend_schema(
        request=serializers.AnswersSerializer, responses=serializers.RegistrationSerializer
    )
    @action(detail=True, methods=["put"])
    def answers(self, request: Request, public_id: str) -> Response:
        """Answer the questions of the event anew, until registration closes."""
        row = self.get_object()
        body = serializers.AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = form_answers.change(
            registration=row, answers=body.validated_data["answers"], by=request.user
        )
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data)

    @extend_schema(
        request=serializers.CancelSerializer, responses=serializers.RegistrationSerializer
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        """Give the seats back; the organiser says why."""
        body = serializers.CancelSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = registrations.cancel(
            registration=self.get_object(), by=request.user, reason=body.validated_data["reason"]
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=serializers.RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, public_id: str) -> Response:
        """Take the seats that are offered, before the offer lapses."""
        row = registrations.accept(registration=self.get_object(), by=request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(
        request=serializers.GiveBackSerializer, responses=serializers.RegistrationSerializer
    )
    @action(detail=True, methods=["post"], url_path="give-back")
    def give_back(self, request: Request, public_id: str) -> Response:
        """Give single seats back and keep the others."""
        row = self.get_object()
        body = serializers.GiveBackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        leaving = row.delegates.filter(public_id__in=body.validated_data["leaving"])
        row = registrations.give_back(
            registration=row,
            by=request.user,
            seats=body.validated_data["seats"],
            leaving=list(leaving),
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=serializers.MoveSerializer, responses=serializers.RegistrationSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, public_id: str) -> Response:
        """Change the place in the queue by hand; the reason is kept and seen by all who organise the event."""
        row = self.get_object()
        body = serializers.MoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = registrations.move(registration=row, by=request.user, **body.validated_data)
        return Response(self.get_serializer(row).data)


def _ranks(rows: Any) -> dict[int, int]:
    """Places in the queue of the rows of one page."""
    return registrations.ranks_of([rows] if isinstance(rows, Registration) else list(rows or []))


# --- The introduction ---------------------------------------------------------------------------------


class MatchViewSet(ReadViewSet):
    queryset = Match.objects.none()
    serializer_class = serializers.MatchSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = filters.MatchFilter

    def get_queryset(self) -> QuerySet[Match]:
        return (
            permissions.matches_visible_to(self.request.user)
            .select_related("line__requirement", "supplier", "score__weighting")
            .order_by("line", "misses_must", "-tenths", "pk")
        )

    @extend_schema(request=serializers.DecisionSerializer, responses=serializers.MatchSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, public_id: str) -> Response:
        """Approve, reject with a reason, defer or undo; the caller takes the line's lease for it."""
        match = self.get_object()
        body = serializers.DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said, by = body.validated_data, request.user
        review.take_lease(line=match.line, by=by)
        verdict = said["verdict"]
        if verdict == "approved":
            row = review.approve(match=match, by=by, note=said["note"], reason=said["reason"])
        elif verdict == "rejected":
            row = review.reject(match=match, reason=said["reason"], note=said["note"], by=by)
        elif verdict == "deferred":
            row = review.defer(match=match, by=by, until_on=said["until_on"], note=said["note"])
        else:
            row = review.undo(match=match, by=by)
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data)

    @extend_schema(responses=serializers.DecidedSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def decisions(self, request: Request, public_id: str) -> Response:
        """What was decided on the pair, oldest first; for those who review it."""
        match = self.get_object()
        if not permissions.can_review(request.user, match.line):
            raise PermissionDenied
        rows = match.decisions.select_related("score")
        return Response(serializers.DecidedSerializer(rows, many=True).data)


class InterestViewSet(ReadViewSet):
    queryset = Interest.objects.none()
    serializer_class = serializers.InterestSerializer
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
        request=serializers.InterestDraftSerializer,
        responses={201: serializers.InterestSerializer},
    )
    def create(self, request: Request) -> Response:
        """Send an interest; sent again for the same requirement it changes the one that waits."""
        body = serializers.InterestDraftSerializer(
            data=request.data, context=self.get_serializer_context()
        )
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
        return self._answer(row, CREATED)

    @extend_schema(request=serializers.AnswerSerializer, responses=serializers.InterestSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, public_id: str) -> Response:
        """The buyer accepts, or declines with a reason."""
        interest = self.get_object()
        body = serializers.AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["answer"] == "accept":
            return self._answer(interests.accept(interest=interest, by=request.user))
        said = {name: body.validated_data[name] for name in ("reason", "note")}
        return self._answer(interests.decline(interest=interest, by=request.user, **said))

    @extend_schema(
        request=serializers.ThreadMessageSerializer, responses=serializers.InterestSerializer
    )
    @action(detail=True, methods=["post"])
    def ask(self, request: Request, public_id: str) -> Response:
        """The buyer asks back; the day it answers by stays."""
        interest = self.get_object()
        interests.ask_back(interest=interest, text=self._text(request), by=request.user)
        return self._answer(interest)

    @extend_schema(
        request=serializers.ThreadMessageSerializer, responses=serializers.InterestSerializer
    )
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, public_id: str) -> Response:
        """The supplier replies to what the buyer has asked."""
        interest = self.get_object()
        interests.reply(interest=interest, text=self._text(request), by=request.user)
        return self._answer(interest)

    @staticmethod
    def _text(request: Request) -> str:
        body = serializers.ThreadMessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["text"])

    @extend_schema(request=None, responses=serializers.InterestSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: str) -> Response:
        return self._answer(interests.withdraw(interest=self.get_object(), by=request.user))

    @extend_schema(request=None, responses=serializers.ContactSerializer)
    @action(detail=True, methods=["post"])
    def contact(self, request: Request, public_id: str) -> Response:
        """Open the contact the supplier sent along. Each call is logged."""
        row = contacts.reveal_supplier(interest=self.get_object(), by=request.user)
        return Response(serializers.ContactSerializer(row).data)

    @extend_schema(
        request=serializers.ShortlistSerializer, responses=serializers.ShortlistSerializer
    )
    @action(detail=True, methods=["post"])
    def shortlist(self, request: Request, public_id: str) -> Response:
        """The buyer puts it on its short list, or takes it off."""
        body = serializers.ShortlistSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.shortlist(
            interest=self.get_object(), on=body.validated_data["is_shortlisted"], by=request.user
        )
        return Response(serializers.ShortlistSerializer(row).data)

    @extend_schema(
        methods=["post"],
        request=serializers.InterestNoteSerializer,
        responses={201: serializers.InterestNoteSerializer},
    )
    @extend_schema(methods=["get"], responses=serializers.InterestNoteSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def notes(self, request: Request, public_id: str) -> Response:
        """What the buyer's people tell each other about it."""
        interest = self.get_object()
        if not permissions.can_read_as_buyer(request.user, interest.requirement):
            raise PermissionDenied
        if request.method == "GET":
            return Response(serializers.InterestNoteSerializer(interest.notes, many=True).data)
        body = serializers.InterestNoteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.note(interest=interest, text=body.validated_data["text"], by=request.user)
        return Response(serializers.InterestNoteSerializer(row).data, status=CREATED)

    @extend_schema(
        request={"multipart/form-data": serializers.InterestFileSerializer},
        responses={201: serializers.InterestAttachmentSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def attachments(self, request: Request, public_id: str) -> Response:
        """The supplier puts a file to it, until the buyer has answered."""
        interest = self.get_object()
        body = serializers.InterestFileSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = interests.attach(
            interest=interest, upload=body.validated_data["file"], by=request.user
        )
        return Response(serializers.InterestAttachmentSerializer(row).data, status=CREATED)

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    @action(
        detail=True,
        url_path=r"attachments/(?P<attachment_id>[a-z0-9]{12})",
        url_name="attachment",
        pagination_class=None,
        filterset_class=None,
    )
    def attachment(self, request: Request, public_id: str, attachment_id: str) -> HttpResponseBase:
        """The file itself, for both sides; each look of the buyer is logged."""
        rows = InterestAttachment.objects.visible_to(request.user).select_related(
            "interest__requirement__enterprise"
        )
        row = get_object_or_404(rows, public_id=attachment_id, interest=self.get_object())
        interests.open_attachment(attachment=row, by=request.user)
        return download(row)

    def _answer(self, row: Interest, code: int = status.HTTP_200_OK) -> Response:
        found = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(found).data, status=code)


class RunViewSet(ReadViewSet):
    queryset = MatchRun.objects.none()
    serializer_class = serializers.RunSerializer
    permission_classes = [IsAuthenticated]
    filterset_fields = ["scope", "status"]

    def get_queryset(self) -> QuerySet[MatchRun]:
        return (
            permissions.runs_visible_to(self.request.user)
            .select_related("requirement", "line", "enterprise")
            .order_by("-pk")
        )

    @extend_schema(
        request=serializers.RunDraftSerializer, responses={202: serializers.RunSerializer}
    )
    def create(self, request: Request) -> Response:
        """Start a run; poll it until it is no longer queued or running."""
        body = serializers.RunDraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        scope, name = body.validated_data["scope"], body.validated_data["public_id"]
        run = matching.start(by=request.user, **_scope(request, scope, name))
        return Response(self.get_serializer(run).data, status=ACCEPTED)

    @extend_schema(request=None, responses=serializers.RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        run = self.get_object()
        matching.cancel(run=run, by=request.user)
        return Response(self.get_serializer(self.get_object()).data)


def _scope(request: Request, scope: str, name: str) -> dict[str, Any]:
    if scope == MatchRun.Scope.ALL:
        return {"everything": True}
    if scope == MatchRun.Scope.ENTERPRISE:
        rows = permissions.enterprises_visible_to(request.user)
        return {"enterprise": get_object_or_404(rows, public_id=name)}
    visible = permissions.requirements_visible_to(request.user)
    if scope == MatchRun.Scope.REQUIREMENT:
        return {"requirement": get_object_or_404(visible, public_id=name)}
    lines = RequirementLine.objects.filter(requirement__in=visible.values("pk"))
    return {"line": get_object_or_404(lines.select_related("requirement"), public_id=name)}


class Nowhere(APIView):
    """An unknown address below the API: refused as a program expects it, not with a page."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise Http404
