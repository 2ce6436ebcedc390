from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains.models import (
    Category,
    Chain,
    Condition,
    Contact,
    ContactReveal,
    CooperationKind,
    DockingKind,
    Language,
    Project,
    Region,
    Requirement,
    RequirementLine,
    Unit,
)
from chains.services import requirement_drafts, requirements
from chains.services.requirement_writing import ConditionDraft, LineDraft
from matchmaking import permissions
from matchmaking.api import filters
from matchmaking.api.base import (
    CREATED,
    BodyField,
    NamedField,
    OwnField,
    Request,
    bodies,
    caller,
)
from matchmaking.api.enterprises import (
    ContactRevealSerializer,
    ContactSerializer,
    EnterpriseNameSerializer,
    looked,
    own_contacts,
)
from matchmaking.api.moderation import ModerationActions
from matchmaking.api.requirement_files import FileActions
from matchmaking.models import Dismissal
from matchmaking.services import contacts, interests, suggestions, waking
from matchmaking.services.waking import MOST_WANTED
from matchmaking.templatetags.reasons import question

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
CLOSE_OUTCOMES = Requirement.Outcome.choices
LINE_ENDS = [
    (one.value, one.label) for one in RequirementLine.Status if one != RequirementLine.Status.OPEN
]


class ConditionSerializer(serializers.ModelSerializer[Condition]):
    class Meta:
        model = Condition
        fields = ("kind", "strength", "text", "parameter")
        read_only_fields = ("parameter",)


class LineSerializer(serializers.ModelSerializer[RequirementLine]):
    category = serializers.SlugRelatedField[Any](
        slug_field="code",
        queryset=Category.objects.filter(is_active=True),
        required=False,
        allow_null=True,
    )
    category_suggested = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    segment = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    unit = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Unit.objects.all(), required=False, allow_null=True
    )
    conditions = ConditionSerializer(many=True, required=False)

    class Meta:
        model = RequirementLine
        fields = (
            "public_id", "number", "text", "language", "category", "category_suggested", "segment",
            "quantity", "unit", "period", "needed_by_on", "specification", "status", "outcome", "conditions",
        )  # fmt: skip
        read_only_fields = ("public_id", "number", "status", "outcome")


class LineDraftSerializer(LineSerializer):
    """With the public id of a line it changes that line, else it adds one."""

    public_id = serializers.CharField(max_length=12, required=False)

    class Meta(LineSerializer.Meta):
        read_only_fields = ("number", "status")  # type: ignore[assignment]  # one less


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("public_id", "name", "amount_cents", "currency", "stage", "needed_by_on")


class RequirementSerializer(serializers.ModelSerializer[Requirement]):
    enterprise = EnterpriseNameSerializer(read_only=True)
    posted_by = EnterpriseNameSerializer(read_only=True)
    docking_kind = serializers.CharField(source="docking_kind_id", read_only=True)
    cooperation_kinds = serializers.SlugRelatedField[Any](
        slug_field="code", read_only=True, many=True
    )
    chain = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    project = serializers.SerializerMethodField()
    lines = LineSerializer(many=True, read_only=True)
    conditions = serializers.SerializerMethodField()
    questions = serializers.SlugRelatedField[Any](slug_field="text", read_only=True, many=True)

    class Meta:
        model = Requirement
        fields = (
            "public_id", "enterprise", "posted_by", "title", "text", "language", "docking_kind", "seeks",
            "cooperation_kinds", "chain", "region", "project", "needed_by_on", "closes_on",
            "answer_by_on", "is_urgent", "import_substitution", "contact_policy", "status",
            "close_reason", "close_outcome", "published_at", "amended_at", "lines", "conditions", "questions",
        )  # fmt: skip

    def get_project(self, requirement: Requirement) -> dict[str, Any] | None:
        project = requirement.project
        if project is None or not project.is_public:
            return None
        return dict(ProjectSerializer(project).data)

    def get_conditions(self, requirement: Requirement) -> list[dict[str, Any]]:
        """Those of the whole requirement; a line's own stand with the line."""
        whole = [c for c in requirement.conditions.all() if c.line_id is None]
        return [dict(row) for row in ConditionSerializer(whole, many=True).data]


class ClosingSerializer(serializers.Serializer[Any]):
    close_outcome = serializers.ChoiceField(choices=CLOSE_OUTCOMES, default="", allow_blank=True)
    close_note = serializers.CharField(default="", allow_blank=True, max_length=300)


class RequirementDraftSerializer(serializers.Serializer[Any]):
    """A draft to be: one requirement with its lines."""

    enterprise = BodyField()
    project = NamedField(slug_field="public_id", queryset=Project.objects.none(), required=False)
    title = serializers.CharField(max_length=160)
    text = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    language = serializers.ChoiceField(Language.choices, required=False)
    docking_kind = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=DockingKind.objects.filter(is_active=True), required=False
    )
    seeks = serializers.ChoiceField(Requirement.Seeks.choices, required=False)
    cooperation_kinds = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=CooperationKind.objects.all(), many=True, required=False
    )
    chain = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Chain.objects.filter(is_active=True), required=False
    )
    region = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Region.objects.all(), required=False
    )
    needed_by_on = serializers.DateField(required=False)
    closes_on = serializers.DateField(required=False)
    answer_by_on = serializers.DateField(required=False)
    is_urgent = serializers.BooleanField(required=False)
    import_substitution = serializers.BooleanField(required=False)
    contact = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Contact.objects.none(), required=False
    )
    contact_policy = serializers.ChoiceField(Requirement.ContactPolicy.choices, required=False)
    lines = LineDraftSerializer(many=True)
    conditions = ConditionSerializer(many=True, required=False)
    questions = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=3, required=False
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        # Only own projects and contacts can be named: another's id reads as unknown.
        own = Project.objects.filter(enterprise__in=bodies(user).values("pk"))
        fields["project"].queryset = own  # type: ignore[attr-defined]
        fields["contact"].queryset = own_contacts(user)  # type: ignore[attr-defined]
        return fields

    def parts(self) -> dict[str, Any]:
        """All but the enterprise, as the services take it; what was not said is not there."""
        said = {name: value for name, value in self.validated_data.items() if name != "enterprise"}
        if "lines" in said:
            said["lines"] = [
                LineDraft(**{**line, "conditions": _conditions(line.get("conditions", []))})
                for line in said["lines"]
            ]
        if "conditions" in said:
            said["conditions"] = _conditions(said["conditions"])
        return said


def _conditions(rows: list[dict[str, Any]]) -> list[ConditionDraft]:
    return [
        ConditionDraft(
            kind=row["kind"],
            text=row["text"],
            strength=row.get("strength", Condition.Strength.MUST),
        )
        for row in rows
    ]


class PurposeSerializer(serializers.Serializer[Any]):
    """Why a desk opens a contact; others leave it empty."""

    purpose = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class WantedSerializer(serializers.Serializer[Any]):
    """How many interests the buyer wants; null: everybody whom it fits is told."""

    wanted_interests = serializers.IntegerField(min_value=1, max_value=MOST_WANTED, allow_null=True)


class LineEndSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(LINE_ENDS)
    outcome = serializers.ChoiceField(
        CLOSE_OUTCOMES,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of what is withdrawn: found elsewhere, or not needed. What is filled was found here.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_filled = attrs["status"] == RequirementLine.Status.FILLED
        if is_filled and attrs["outcome"] not in ("", Requirement.Outcome.HERE):
            raise serializers.ValidationError({"outcome": _("What is filled was found here.")})
        return attrs


class DismissSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()
    reason = serializers.ChoiceField(Dismissal.Reason.choices)


class AskedSerializer(serializers.Serializer[Any]):
    """A question to the supplier, in the language of the request; the buyer's own words stay as they are."""

    key = serializers.CharField()
    question = serializers.SerializerMethodField()
    is_open_point = serializers.BooleanField(
        help_text="The buyer needs it, and the enterprise's profile does not show it."
    )

    def get_question(self, asked: interests.Asked) -> str:
        return question(asked)


class AskedOfSerializer(serializers.Serializer[Any]):
    enterprise = OwnField()


class RequirementViewSet(FileActions, ModerationActions):
    queryset = Requirement.objects.none()
    serializer_class = RequirementSerializer
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
        request=RequirementDraftSerializer,
        responses={201: RequirementSerializer},
    )
    def create(self, request: Request) -> Response:
        """Keep a draft with its lines; submit it with the action below."""
        body = RequirementDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        row = requirement_drafts.save(
            enterprise=body.validated_data["enterprise"], by=request.user, **body.parts()
        )
        return self.read_again(row, CREATED)

    @extend_schema(request=RequirementDraftSerializer, responses=RequirementSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change a draft or what was returned; amend what is approved or published.

        A list of lines takes the place of the former one: of a draft those it leaves out are deleted, of what is
        published they are withdrawn. What is left out stays as it is.
        """
        requirement = self.get_object()
        body = RequirementDraftSerializer(
            data=request.data, context=self.get_serializer_context(), partial=True
        )
        body.is_valid(raise_exception=True)
        parts, by = body.parts(), request.user
        if requirement.is_accepted:
            row = requirements.amend(requirement=requirement, by=by, **parts)
        else:
            row = requirement_drafts.save(
                enterprise=requirement.enterprise, requirement=requirement, by=by, **parts
            )
        return self.read_again(row)

    def destroy(self, request: Request, public_id: str) -> Response:
        """Throw a draft away. Whatever was submitted once is withdrawn instead."""
        requirement_drafts.delete(requirement=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={201: RequirementSerializer})
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def copy(self, request: Request, public_id: str) -> Response:
        """A new draft with the same words and files; its dates are to be chosen again."""
        return self.read_again(
            requirement_drafts.copy(requirement=self.get_object(), by=request.user), CREATED
        )

    @extend_schema(request=LineEndSerializer, responses=RequirementSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path=r"lines/(?P<line_id>[a-z0-9]{12})/end",
        permission_classes=[IsAuthenticated],
    )
    def line_end(self, request: Request, public_id: str, line_id: str) -> Response:
        """A line is filled, or no longer needed. With its last open line the requirement closes."""
        requirement = self.get_object()
        line = get_object_or_404(requirement.lines, public_id=line_id)
        body = LineEndSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["status"] == RequirementLine.Status.FILLED:
            requirements.fill_line(line=line, by=request.user)
        else:
            outcome = body.validated_data["outcome"]
            requirements.withdraw_line(line=line, by=request.user, outcome=outcome)
        return self.read_again(requirement)

    @extend_schema(
        parameters=[AskedOfSerializer], responses=AskedSerializer(many=True), filters=False
    )
    @action(
        detail=True,
        pagination_class=None,
        filterset_class=None,
        permission_classes=[IsAuthenticated],
    )
    def asked(self, request: Request, public_id: str) -> Response:
        """What an interest of this enterprise is asked: the buyer's questions, then what its profile leaves open."""
        requirement = self.get_object()
        of = AskedOfSerializer(data=request.query_params, context=self.get_serializer_context())
        of.is_valid(raise_exception=True)
        questions = interests.asked(requirement, of.validated_data["enterprise"])
        return Response(AskedSerializer(questions, many=True).data)

    @extend_schema(request=DismissSerializer, responses={204: None})
    @action(
        detail=True,
        methods=["post"],
        url_path=r"lines/(?P<line_id>[a-z0-9]{12})/dismiss",
        permission_classes=[IsAuthenticated],
    )
    def line_dismiss(self, request: Request, public_id: str, line_id: str) -> Response:
        """Not for us: the line is not suggested to this enterprise again."""
        line = get_object_or_404(self.get_object().lines, public_id=line_id)
        body = DismissSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        suggestions.dismiss(line=line, by=request.user, **body.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=RequirementSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def submit(self, request: Request, public_id: str) -> Response:
        """Hand a draft to its desk."""
        return self.read_again(requirements.submit(requirement=self.get_object(), by=request.user))

    @extend_schema(request=ClosingSerializer, responses=RequirementSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def withdraw(self, request: Request, public_id: str) -> Response:
        """End it, and say how the need ended: found here it counts as filled."""
        body = ClosingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = requirements.withdraw(
            requirement=self.get_object(),
            outcome=body.validated_data["close_outcome"],
            note=body.validated_data["close_note"],
            by=request.user,
        )
        return self.read_again(row)

    @extend_schema(request=PurposeSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def contact(self, request: Request, public_id: str) -> Response:
        """Open the contact by the requirement's policy. Each call is logged and counted to the owner."""
        body = PurposeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = contacts.reveal(
            requirement=self.get_object(), by=request.user, purpose=body.validated_data["purpose"]
        )
        return Response(ContactSerializer(row).data)

    @extend_schema(responses=ContactRevealSerializer(many=True), filters=False)
    @action(
        detail=True,
        url_path="contact-log",
        permission_classes=[IsAuthenticated],
        filterset_class=None,
    )
    def contact_log(self, request: Request, public_id: str) -> Response:
        """Who has opened the contact of one's own requirement, when and by what right."""
        own = get_object_or_404(Requirement.objects.own(request.user), public_id=public_id)
        return looked(self, ContactReveal.objects.of_requirement(own).in_full())

    @extend_schema(request=WantedSerializer, responses=WantedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def wanted(self, request: Request, public_id: str) -> Response:
        """The buyer names how many interests it wants; suppliers are then told in small batches."""
        body = WantedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = waking.want(
            requirement=self.get_object(),
            number=body.validated_data["wanted_interests"],
            by=request.user,
        )
        return Response(WantedSerializer(row).data)
