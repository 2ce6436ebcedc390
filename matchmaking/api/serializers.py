"""What the API says and takes. No contact stands in any of these: it is opened by its own, logged action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chains import models as register
from chains.models import (
    Capability,
    Category,
    CertificationKind,
    Chain,
    Condition,
    Contact,
    CooperationKind,
    DockingKind,
    Enterprise,
    Project,
    Qualification,
    Region,
    Requirement,
    RequirementLine,
    Segment,
    Unit,
)
from chains.permissions import Anyone
from chains.services.requirements import ConditionDraft, LineDraft
from events.models import (
    AgendaItem,
    CheckIn,
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
    Tier,
)
from events.services.answers import TEXT_MOST
from matchmaking.models import (
    Decision,
    Interest,
    InterestAttachment,
    InterestMessage,
    InterestNote,
    Match,
    MatchRun,
    Score,
)
from matchmaking.services.waking import MOST_WANTED

NAMES = ("code", "name_zh", "name_en")
# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
DECISION_REASONS = Decision.Reason.choices
DECLINE_REASONS = Interest.DeclineReason.choices


def caller(context: Mapping[str, Any]) -> Anyone:
    """Who asks; nobody while the schema is drawn."""
    request = context.get("request")
    return request.user if request is not None else AnonymousUser()


def _own_contacts(user: Anyone) -> QuerySet[Contact]:
    own = Enterprise.objects.own(user)
    return Contact.objects.filter(enterprise__in=own.values("pk"), is_active=True)


# --- Reference data -----------------------------------------------------------------------------------


class ChainSerializer(serializers.ModelSerializer[Chain]):
    class Meta:
        model = Chain
        fields = (*NAMES, "kind", "summary_zh", "summary_en")


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    chain = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    feeds = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)

    class Meta:
        model = Segment
        fields = (*NAMES, "chain", "position", "feeds")


class CategorySerializer(serializers.ModelSerializer[Category]):
    parent = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)  # type: ignore[assignment]  # declared fields leave the class
    segment = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Category
        fields = (
            *NAMES, "level", "parent", "segment", "synonyms_zh", "synonyms_en",
            "description_zh", "description_en", "standards",
        )  # fmt: skip


class RegionSerializer(serializers.ModelSerializer[Region]):
    parent = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)  # type: ignore[assignment]  # declared fields leave the class

    class Meta:
        model = Region
        fields = (*NAMES, "level", "parent", "longitude", "latitude")


class UnitSerializer(serializers.ModelSerializer[Unit]):
    class Meta:
        model = Unit
        fields = (*NAMES, "dimension", "factor")


class DockingKindSerializer(serializers.ModelSerializer[DockingKind]):
    direction = serializers.CharField(source="direction_id", read_only=True)

    class Meta:
        model = DockingKind
        fields = (*NAMES, "direction", "family", "counterparts")


class CooperationKindSerializer(serializers.ModelSerializer[CooperationKind]):
    class Meta:
        model = CooperationKind
        fields = (*NAMES, "group")


class QualificationKindSerializer(serializers.ModelSerializer[register.QualificationKind]):
    class Meta:
        model = register.QualificationKind
        fields = (*NAMES, "group", "counted_as")


class CertificationKindSerializer(serializers.ModelSerializer[CertificationKind]):
    class Meta:
        model = CertificationKind
        fields = (*NAMES, "group")


class ParticipantKindSerializer(serializers.ModelSerializer[register.ParticipantKind]):
    class Meta:
        model = register.ParticipantKind
        fields = (*NAMES, "counts_as_enterprise")


class EventLevelSerializer(serializers.ModelSerializer[EventLevel]):
    class Meta:
        model = EventLevel
        fields = NAMES


# --- The register -------------------------------------------------------------------------------------


class EnterpriseNameSerializer(serializers.ModelSerializer[Enterprise]):
    class Meta:
        model = Enterprise
        fields = ("public_id", "name", "name_en")


class TitleSerializer(serializers.ModelSerializer[Qualification]):
    kind = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Qualification
        fields = ("kind", "valid_from", "valid_until_on")


class EnterpriseSerializer(serializers.ModelSerializer[Enterprise]):
    kind = serializers.CharField(source="kind_id", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    qualifications = TitleSerializer(source="titles", many=True, read_only=True)

    class Meta:
        model = Enterprise
        fields = (
            "public_id", "name", "name_en", "kind", "country", "region", "status", "summary",
            "summary_language", "website", "verified_at", "qualifications",
        )  # fmt: skip


class ContactChoiceSerializer(serializers.ModelSerializer[Contact]):
    """How an own contact is named in a requirement or an interest: never how it is reached."""

    class Meta:
        model = Contact
        fields = ("public_id", "name", "job_title")


class EnterpriseProfileSerializer(serializers.Serializer[Any]):
    """What editors may change by themselves."""

    name_en = serializers.CharField(max_length=200, required=False, allow_blank=True)
    address = serializers.CharField(max_length=300, required=False, allow_blank=True)
    summary = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    summary_language = serializers.ChoiceField(register.Language.choices, required=False)
    website = serializers.URLField(required=False, allow_blank=True)


class CapabilitySerializer(serializers.ModelSerializer[Capability]):
    enterprise = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    categories = serializers.SlugRelatedField[Any](
        slug_field="code",
        queryset=Category.objects.filter(is_active=True),
        many=True,
        required=False,
    )
    cooperation_kinds = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=CooperationKind.objects.all(), many=True, required=False
    )
    unit = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Unit.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Capability
        fields = (
            "public_id", "enterprise", "title_zh", "title_en", "text_zh", "text_en", "categories",
            "cooperation_kinds", "yearly_capacity", "unit", "lead_time_days", "sample_days",
            "is_new", "valid_until_on", "status", "published_at",
        )  # fmt: skip
        read_only_fields = ("public_id", "status", "published_at")


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
            "quantity", "unit", "period", "needed_by_on", "specification", "status", "conditions",
        )  # fmt: skip
        read_only_fields = ("public_id", "number", "status")


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
            "close_reason", "published_at", "amended_at", "lines", "conditions", "questions",
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


class RequirementDraftSerializer(serializers.Serializer[Any]):
    """A draft to be: one requirement with its lines."""

    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.none()
    )
    title = serializers.CharField(max_length=160)
    text = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    language = serializers.ChoiceField(register.Language.choices, required=False)
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
    lines = LineSerializer(many=True)
    conditions = ConditionSerializer(many=True, required=False)
    questions = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=3, required=False
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        # Only own enterprises and contacts can be named: another's id reads as unknown.
        fields["enterprise"].queryset = Enterprise.objects.own(user)  # type: ignore[attr-defined]
        fields["contact"].queryset = _own_contacts(user)  # type: ignore[attr-defined]
        return fields

    def drafts(self) -> tuple[list[LineDraft], list[ConditionDraft]]:
        values = self.validated_data
        lines = [
            LineDraft(**{**line, "conditions": _conditions(line.get("conditions", []))})
            for line in values["lines"]
        ]
        return lines, _conditions(values.get("conditions", []))


def _conditions(rows: list[dict[str, Any]]) -> list[ConditionDraft]:
    return [
        ConditionDraft(
            kind=row["kind"],
            text=row["text"],
            strength=row.get("strength", Condition.Strength.MUST),
        )
        for row in rows
    ]


# --- Events -------------------------------------------------------------------------------------------


class TierSerializer(serializers.ModelSerializer[Tier]):
    class Meta:
        model = Tier
        fields = (
            "public_id", "name_zh", "name_en", "qualifications", "participant_kinds", "seats",
            "taken", "reserved_until", "is_general",
        )  # fmt: skip


class SeriesSerializer(serializers.ModelSerializer[Series]):
    class Meta:
        model = Series
        fields = ("public_id", "year", "name_zh", "name_en")


class ProgrammeSerializer(serializers.ModelSerializer[Programme]):
    owner = serializers.SlugRelatedField[Any](
        slug_field="public_id",
        queryset=Enterprise.objects.all(),
        help_text="The body that keeps it; cannot be changed.",
    )

    class Meta:
        model = Programme
        fields = ("public_id", "owner", "name_zh", "name_en")
        read_only_fields = ("public_id",)


class TargetSerializer(serializers.ModelSerializer[Target]):
    level = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=EventLevel.objects.all(), required=False, allow_null=True
    )
    region = serializers.SlugRelatedField[Any](
        slug_field="code", queryset=Region.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Target
        fields = ("measure", "level", "region", "value")
        validators: ClassVar[list[Any]] = []  # the service says which one stands twice


class SeriesProgressSerializer(serializers.ModelSerializer[Series]):
    """A series with its events against its target."""

    programme = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Programme.objects.none()
    )
    held = serializers.IntegerField(read_only=True)
    planned = serializers.IntegerField(read_only=True)
    target = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Events over all levels, or the sum of the levels.",
    )
    targets = TargetSerializer(many=True, read_only=True)

    class Meta:
        model = Series
        fields = (
            "public_id", "programme", "year", "name_zh", "name_en", "held", "planned", "target", "targets",
        )  # fmt: skip
        read_only_fields = ("public_id",)
        validators: ClassVar[list[Any]] = []  # a year that stands already is refused by the service

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        programmes = Programme.objects.visible_to(caller(self.context))
        fields["programme"].queryset = programmes  # type: ignore[attr-defined]
        return fields


class TargetsSerializer(serializers.Serializer[Any]):
    targets = TargetSerializer(many=True, max_length=1000)  # type: ignore[call-arg]  # of the list


class SeriesEventSerializer(serializers.Serializer[Any]):
    event = serializers.SlugRelatedField[Any](slug_field="public_id", queryset=Event.objects.none())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        events = Event.objects.visible_to(caller(self.context))
        fields["event"].queryset = events  # type: ignore[attr-defined]
        return fields


class CountsSerializer(serializers.Serializer[Any]):
    """Enterprises once (家), their visits (家次), other bodies once, and persons with a seat (人次): never one for another."""

    enterprises = serializers.IntegerField()
    visits = serializers.IntegerField()
    bodies = serializers.IntegerField()
    persons = serializers.IntegerField()


class LevelFigureSerializer(serializers.Serializer[Any]):
    level = serializers.CharField(source="level.code")
    held = serializers.IntegerField()
    planned = serializers.IntegerField()
    target = serializers.IntegerField(allow_null=True)


class QuarterFigureSerializer(serializers.Serializer[Any]):
    quarter = serializers.IntegerField()
    count = serializers.IntegerField()


class YearOnYearSerializer(serializers.Serializer[Any]):
    measure = serializers.CharField()
    before = serializers.IntegerField()
    now = serializers.IntegerField()
    factor = serializers.FloatField(allow_null=True)


class ProvinceFigureSerializer(CountsSerializer):
    province = serializers.CharField(
        source="region.code",
        allow_null=True,
        default=None,
        help_text="Null for bodies from abroad.",
    )
    country = serializers.CharField(help_text="Of bodies from abroad; else empty.")


class GroupFigureSerializer(CountsSerializer):
    group = serializers.CharField(source="group.code")


class SeriesFiguresSerializer(serializers.Serializer[Any]):
    """Participants are confirmed places at events that were held; arrivals are not among them."""

    as_of = serializers.DateTimeField()
    held = serializers.IntegerField()
    planned = serializers.IntegerField()
    target = serializers.IntegerField(allow_null=True)
    participants = CountsSerializer()
    levels = LevelFigureSerializer(many=True)
    quarters = QuarterFigureSerializer(many=True, help_text="City and county events.")
    year_on_year = YearOnYearSerializer(
        many=True, help_text="Up to the same day of both years; empty without a year before."
    )
    provinces = ProvinceFigureSerializer(many=True)
    groups = GroupFigureSerializer(many=True)
    counties = serializers.IntegerField()
    counties_without = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of counties without an event of the series."
    )


class ListingSerializer(serializers.ModelSerializer[Listing]):
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = Listing
        fields = ("requirement", "order", "is_featured")


class ChoiceSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()


class FormQuestionSerializer(serializers.ModelSerializer[FormQuestion]):
    """A question of the registration form. Answers name it by its public id."""

    choices = ChoiceSerializer(many=True, read_only=True)

    class Meta:
        model = FormQuestion
        fields = ("public_id", "kind", "text_zh", "text_en", "choices", "is_required", "version")


class FormAnswerSerializer(serializers.ModelSerializer[FormAnswer]):
    """An answer; of a file only that it is there."""

    question = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    has_file = serializers.SerializerMethodField()

    class Meta:
        model = FormAnswer
        fields = ("question", "text", "chosen", "has_agreed", "version", "has_file")

    def get_has_file(self, answer: FormAnswer) -> bool:
        return answer.evidence_id is not None


class AgendaItemSerializer(serializers.ModelSerializer[AgendaItem]):
    class Meta:
        model = AgendaItem
        fields = (
            "starts_at", "ends_at", "title_zh", "title_en", "room_zh", "room_en", "note_zh", "note_en",
        )  # fmt: skip


class EventSerializer(serializers.ModelSerializer[Event]):
    level = serializers.CharField(source="level_id", read_only=True)
    host = EnterpriseNameSerializer(read_only=True)
    co_hosts = EnterpriseNameSerializer(many=True, read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    chains = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    docking_kinds = serializers.SlugRelatedField[Any](slug_field="code", read_only=True, many=True)
    series = SeriesSerializer(many=True, read_only=True)
    tiers = TierSerializer(many=True, read_only=True)
    listings = ListingSerializer(source="public_listings", many=True, read_only=True)
    questions = FormQuestionSerializer(source="asked", many=True, read_only=True)
    agenda = AgendaItemSerializer(many=True, read_only=True)

    class Meta:
        model = Event
        fields = (
            "public_id", "name_zh", "name_en", "level", "host", "co_hosts", "region", "chains",
            "docking_kinds", "series", "starts_at", "ends_at", "place", "place_en", "map_url", "text",
            "text_en", "delegates_per_enterprise", "admission", "waiting_rule", "offer_hours",
            "walk_ins", "registration_opens_at", "registration_closes_at", "status", "tiers", "listings",
            "questions", "agenda",
        )  # fmt: skip


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
            "accepts_partial", "tier", "rank", "offer_expires_at", "attended", "qualifications_held", "answers",
        )  # fmt: skip

    def get_rank(self, registration: Registration) -> int | None:
        """Place in the queue, computed now; null unless waiting."""
        ranks: dict[int, int] = self.context.get("ranks", {})
        return ranks.get(registration.pk)


ANSWERS = [("accept", "accept"), ("decline", "decline")]
CHECK_IN_KINDS = CheckIn.Kind.choices
CHECK_IN_ANSWERS = CheckIn.Answer.choices


class GuestSerializer(serializers.ModelSerializer[Delegate]):
    enterprise = EnterpriseNameSerializer(source="registration.enterprise", read_only=True)

    class Meta:
        model = Delegate
        fields = ("public_id", "name", "job_title", "enterprise")


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    """A scan as it is kept. `delegate` is null where the code was unknown or of another event."""

    delegate = GuestSerializer(read_only=True, allow_null=True)

    class Meta:
        model = CheckIn
        fields = ("nonce", "kind", "answer", "gate", "scanned_at", "received_at", "delegate")


class FirstScanSerializer(serializers.ModelSerializer[CheckIn]):
    class Meta:
        model = CheckIn
        fields = ("gate", "scanned_at")


class ScanAnswerSerializer(CheckInSerializer):
    """What a door is told. `first` is the scan that let the person in; heads are counted once over all gates."""

    first = FirstScanSerializer(read_only=True, allow_null=True)
    inside = serializers.IntegerField(read_only=True)
    expected = serializers.IntegerField(read_only=True)

    class Meta(CheckInSerializer.Meta):
        fields = (*CheckInSerializer.Meta.fields, "first", "inside", "expected")  # type: ignore[assignment]  # some more


class ScanSerializer(serializers.Serializer[Any]):
    """One scan. Sent again with its nonce it is answered the same and counted once; keep it until it is answered."""

    nonce = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=("in", "undo", "walk_in"), required=False, default="in")
    code = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        help_text="The link on the badge, its key, or the short code.",
    )
    delegate = serializers.CharField(max_length=12, required=False, default="")
    enterprise = serializers.CharField(
        max_length=12, required=False, default="", help_text="Of a walk-in."
    )
    name = serializers.CharField(
        max_length=80, required=False, default="", help_text="Of a walk-in."
    )
    gate = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    scanned_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {
            "in": ("code", "delegate"), "undo": ("delegate",), "walk_in": ("enterprise",),
        }[attrs["kind"]]  # fmt: skip
        if not any(attrs[name] for name in needed):
            said = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError(dict.fromkeys(needed, said))
        return attrs


class GiveBackSerializer(serializers.Serializer[Any]):
    """Single seats of a registration; `leaving` are the delegates who stay away, by public id."""

    seats = serializers.IntegerField(min_value=1, max_value=100, required=False, default=1)
    leaving = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, default=list, max_length=100
    )


class MoveSerializer(serializers.Serializer[Any]):
    """Above 0 before the published rule, below 0 after it, 0 back to the rule."""

    priority = serializers.IntegerField(min_value=-99, max_value=99)
    reason = serializers.CharField(max_length=300)


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
        if isinstance(data, list) and all(isinstance(one, str) for one in data):
            return data
        raise serializers.ValidationError(_("Give a text, a list of codes, or true or false."))

    def to_representation(self, value: Any) -> Any:
        return value


class AnswersSerializer(serializers.Serializer[Any]):
    """All answers of a registration anew."""

    answers = serializers.DictField(child=AnswerField())


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
    answers = serializers.DictField(
        child=AnswerField(),
        required=False,
        help_text="By the public id of the question: a text, a code, a list of codes, or true for a consent.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        fields["enterprise"].queryset = Enterprise.objects.own(user)  # type: ignore[attr-defined]
        return fields


# --- The introduction ---------------------------------------------------------------------------------


class ScoreSerializer(serializers.ModelSerializer[Score]):
    points = serializers.FloatField(read_only=True)
    weighting = serializers.IntegerField(source="weighting.version", read_only=True)

    class Meta:
        model = Score
        fields = (
            "points", "misses_must", "parts", "reasons", "outcomes", "engine_version", "weighting", "created_at",
        )  # fmt: skip


class MatchSerializer(serializers.ModelSerializer[Match]):
    """One pair. A supplier sees its own pairs only, and never a rank."""

    requirement = serializers.SlugRelatedField[Any](
        source="line.requirement", slug_field="public_id", read_only=True
    )
    line = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    supplier = EnterpriseNameSerializer(read_only=True)
    points = serializers.FloatField(read_only=True)
    score = ScoreSerializer(read_only=True)

    class Meta:
        model = Match
        fields = (
            "public_id", "requirement", "line", "supplier", "points", "misses_must", "status",
            "is_stale", "origin", "score",
        )  # fmt: skip


class DecidedSerializer(serializers.ModelSerializer[Decision]):
    """What reviewers said, in order; who they are is between the desks and the trail."""

    points = serializers.FloatField(source="score.points", read_only=True, default=None)

    class Meta:
        model = Decision
        fields = ("verdict", "reason", "note", "until_on", "points", "at")


class DecisionSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(Decision.Verdict.choices)
    reason = serializers.ChoiceField(Decision.Reason.choices, required=False, default="")
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    until_on = serializers.DateField(required=False, allow_null=True, default=None)


class InterestMessageSerializer(serializers.ModelSerializer[InterestMessage]):
    class Meta:
        model = InterestMessage
        fields = ("side", "text", "language", "created_at")


class InterestAnswerSerializer(serializers.Serializer[Any]):
    """A question as it stood when it was answered; keys that begin with c are open points of the pair."""

    key = serializers.CharField(max_length=20)
    question = serializers.CharField(max_length=200)
    answer = serializers.CharField(max_length=500)


class InterestAttachmentSerializer(serializers.ModelSerializer[InterestAttachment]):
    class Meta:
        model = InterestAttachment
        fields = ("public_id", "original_name", "content_type", "size", "created_at")


class InterestFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="PDF, JPEG or PNG, 8 MB.")


class InterestNoteSerializer(serializers.ModelSerializer[InterestNote]):
    text = serializers.CharField(max_length=500)

    class Meta:
        model = InterestNote
        fields = ("public_id", "text", "created_at")
        read_only_fields = ("public_id", "created_at")


class ShortlistSerializer(serializers.Serializer[Any]):
    """The buyer's own mark; the supplier never sees it."""

    is_shortlisted = serializers.BooleanField()


class WantedSerializer(serializers.Serializer[Any]):
    """How many interests the buyer wants; null: everybody whom it fits is told."""

    wanted_interests = serializers.IntegerField(min_value=1, max_value=MOST_WANTED, allow_null=True)


class InterestSerializer(serializers.ModelSerializer[Interest]):
    answers = InterestAnswerSerializer(many=True, read_only=True)
    thread = InterestMessageSerializer(many=True, read_only=True)
    attachments = InterestAttachmentSerializer(many=True, read_only=True, source="files")
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = EnterpriseNameSerializer(read_only=True)
    lines = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True, many=True)

    class Meta:
        model = Interest
        fields = (
            "public_id", "requirement", "enterprise", "lines", "message", "language", "answers",
            "thread", "attachments", "origin", "status", "decline_reason", "decline_note", "created_at", "answered_at",
        )  # fmt: skip


class InterestDraftSerializer(serializers.Serializer[Any]):
    requirement = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Requirement.objects.published()
    )
    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Enterprise.objects.none()
    )
    lines = serializers.ListField(child=serializers.CharField(max_length=12), min_length=1)
    message = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    contact = serializers.SlugRelatedField[Any](
        slug_field="public_id", queryset=Contact.objects.none()
    )
    answers = serializers.DictField(
        child=serializers.CharField(max_length=500, allow_blank=True),
        required=False,
        help_text="By the keys of the questions: q1 to q3 are the buyer's in their order.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        user = caller(self.context)
        fields["enterprise"].queryset = Enterprise.objects.own(user)  # type: ignore[attr-defined]
        fields["contact"].queryset = _own_contacts(user)  # type: ignore[attr-defined]
        return fields


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(ANSWERS)
    reason = serializers.ChoiceField(Interest.DeclineReason.choices, required=False, default="")
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class ThreadMessageSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=1000)


class ContactSerializer(serializers.Serializer[Any]):
    """Only ever the answer to a logged reveal."""

    name = serializers.CharField()
    job_title = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    wechat = serializers.CharField()


class RunSerializer(serializers.ModelSerializer[MatchRun]):
    requirement = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    line = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    enterprise = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)

    class Meta:
        model = MatchRun
        fields = (
            "public_id", "scope", "requirement", "line", "enterprise", "status", "lines_total",
            "lines_done", "engine_version", "created_at", "started_at", "finished_at", "error",
        )  # fmt: skip


class RunDraftSerializer(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(MatchRun.Scope.choices)
    public_id = serializers.CharField(max_length=12, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["scope"] != MatchRun.Scope.ALL and not attrs["public_id"]:
            raise serializers.ValidationError(
                {"public_id": [_("Name the row to be compared by its public id.")]}
            )
        return attrs


class PurposeSerializer(serializers.Serializer[Any]):
    """Why a desk opens a contact; others leave it empty."""

    purpose = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class CancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
