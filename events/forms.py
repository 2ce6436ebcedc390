from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.db.models import QuerySet
from django.forms import formset_factory
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from chains.forms import DateInput, Form, RegionField
from chains.models import (
    Chain,
    DockingDirection,
    DockingKind,
    Enterprise,
    ParticipantKind,
    QualificationKind,
    User,
)
from chains.templatetags.localised import is_chinese, localised
from events.models import (
    AgendaItem,
    Announcement,
    ChecklistItem,
    Event,
    EventLevel,
    EventStaff,
    FormAnswer,
    FormQuestion,
    Registration,
    Series,
    Tier,
)


class Localised(forms.ModelChoiceField):  # type: ignore[type-arg]  # the queryset is given where it is used
    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class LocalisedMany(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # as above
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def check_year(value: datetime.date) -> None:
    """What lies centuries away is a slip of the hand; a day or a year added to it may be no date any more."""
    if not 2000 <= value.year <= 2100:
        raise forms.ValidationError(_("Enter a date between the years 2000 and 2100."))


class MomentField(forms.DateTimeField):
    widget = MomentInput
    default_validators = [check_year]


# ---- finding ----


class EventFilterForm(Form):
    """Every state of the public list has an address: all of it is in the query string."""

    STATUSES = (
        ("upcoming", _("Upcoming")),
        # Where a figure leads: without the drafts of whoever reads.
        ("planned", _("Published and to come")),
        ("held", _("Held")),
        ("cancelled", _("Cancelled")),
        ("all", _("All")),
    )
    QUARTERS = (("", _("All quarters")), ("1", "Q1"), ("2", "Q2"), ("3", "Q3"), ("4", "Q4"))

    q = forms.CharField(max_length=100, required=False, label=_("Search events"))
    status = forms.ChoiceField(choices=STATUSES, required=False, label=_("Status"))
    level = forms.ModelMultipleChoiceField(
        EventLevel.objects.all(), to_field_name="code", required=False, label=_("Level")
    )
    chain = forms.ModelMultipleChoiceField(
        Chain.objects.all(), to_field_name="code", required=False, label=_("Chain")
    )
    direction = forms.ModelMultipleChoiceField(
        DockingDirection.objects.all(),
        to_field_name="code",
        required=False,
        label=_("Direction"),
    )
    region = RegionField(required=False, label=_("Region"))
    year = forms.IntegerField(min_value=2000, max_value=2100, required=False, label=_("Year"))
    quarter = forms.ChoiceField(choices=QUARTERS, required=False, label=_("Quarter"))
    until = forms.DateField(required=False, widget=forms.HiddenInput)
    series = forms.ModelChoiceField(
        Series.objects.select_related("programme"),
        to_field_name="public_id",
        required=False,
        widget=forms.HiddenInput,
    )


class GuestFilterForm(Form):
    STATES = (
        ("open", _("To decide or waiting")),
        *Registration.Status.choices,
        ("came", _("Came")),
        ("absent", _("Did not come")),
        ("all", _("All states")),
    )

    q = forms.CharField(max_length=100, required=False, label=_("Enterprise, any spelling"))
    state = forms.ChoiceField(choices=STATES, required=False, label=_("State"))
    tier = forms.ModelChoiceField(Tier.objects.none(), to_field_name="public_id", required=False)
    kind = forms.ModelChoiceField(
        ParticipantKind.objects.all(), to_field_name="code", required=False
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = event.tiers.all()  # type: ignore[attr-defined]  # a ModelChoiceField


# ---- the questions of the event ----

ASKED = "q_"


def question_field(question: FormQuestion, *, has_file: bool = False) -> forms.Field:
    """The field that asks the question, in the language of the reader."""
    label, required = localised(question, "text"), question.is_required
    choices = [(one["code"], one["zh"] if is_chinese() else one["en"]) for one in question.choices]
    match question.kind:
        case FormQuestion.Kind.TEXT:
            return forms.CharField(
                max_length=1000, required=required, label=label, widget=forms.Textarea({"rows": 2})
            )
        case FormQuestion.Kind.CHOICE:
            offered = choices if required else [*choices, ("", gettext("No answer"))]
            return forms.ChoiceField(
                choices=offered, required=required, label=label, widget=forms.RadioSelect
            )
        case FormQuestion.Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=choices, required=required, label=label, widget=forms.CheckboxSelectMultiple
            )
        case FormQuestion.Kind.CONSENT:
            return forms.BooleanField(required=required, label=label)
    return forms.FileField(
        required=required and not has_file,
        label=label,
        help_text=_("PDF, PNG or JPEG"),
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg"}),
    )


class Asking(Form):
    """A form that also asks the questions of an event; the answers come out together."""

    def __init__(
        self,
        *args: Any,
        questions: Sequence[FormQuestion] = (),
        known: Sequence[FormAnswer] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        by_question = {row.question_id: row for row in known}
        for question in questions:
            answer = by_question.get(question.pk)
            name = f"{ASKED}{question.public_id}"
            self.fields[name] = question_field(
                question, has_file=answer is not None and answer.evidence_id is not None
            )
            if answer is not None:
                self.initial[name] = _typed(answer)

    @property
    def asked(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(ASKED)]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        names = [name for name in data if name.startswith(ASKED)]
        data["answers"] = {name.removeprefix(ASKED): data.pop(name) for name in names}
        return data


def _typed(answer: FormAnswer) -> Any:
    """As its field shows it."""
    match answer.question.kind:
        case FormQuestion.Kind.CHOICE:
            return answer.chosen[0] if answer.chosen else ""
        case FormQuestion.Kind.CHOICES:
            return answer.chosen
        case FormQuestion.Kind.CONSENT:
            return answer.has_agreed and answer.version == answer.question.version
    return answer.text


class AnswersForm(Asking):
    """The questions alone, to be answered anew."""


class QuestionForm(Form):
    """One question of an event's form."""

    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    order = forms.IntegerField(
        min_value=1, max_value=99, required=False, label=pgettext_lazy("order", "Place")
    )
    # With an initial value, so that the empty row at the end counts as untouched.
    kind = forms.ChoiceField(
        choices=FormQuestion.Kind.choices,
        initial=FormQuestion.Kind.TEXT,
        label=_("Kind of answer"),
    )
    text_zh = forms.CharField(max_length=500, label=_("Question in Chinese"))
    text_en = forms.CharField(max_length=500, label=_("Question in English"))
    choices = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        label=_("Answers to choose from"),
        help_text=_("One a line, Chinese | English"),
    )
    is_required = forms.BooleanField(required=False, label=_("Has to be answered"))

    def clean_choices(self) -> list[tuple[str, str]]:
        found = []
        for line in self.cleaned_data["choices"].splitlines():
            zh, _bar, en = (part.strip() for part in line.replace("｜", "|").partition("|"))
            if not zh and not en:
                continue
            if not zh or not en:
                raise forms.ValidationError(
                    gettext("Write each answer in both languages: 中文 | English.")
                )
            found.append((zh, en))
        return found

    @staticmethod
    def of(question: FormQuestion) -> dict[str, Any]:
        lines = (f"{one['zh']} | {one['en']}" for one in question.choices)
        return {
            "public_id": question.public_id,
            "order": question.order,
            "kind": question.kind,
            "text_zh": question.text_zh,
            "text_en": question.text_en,
            "choices": "\n".join(lines),
            "is_required": question.is_required,
        }


QuestionFormSet = formset_factory(QuestionForm, extra=1, max_num=20, can_delete=True)


# ---- registering ----


class RegistrationForm(Asking):
    enterprise = forms.TypedChoiceField(label=_("Enterprise"))
    purposes = forms.MultipleChoiceField(
        choices=Registration.Purpose.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("What you come for"),
    )
    seats = forms.TypedChoiceField(coerce=int, label=_("Seats"))
    accepts_partial = forms.BooleanField(
        required=False, label=_("Fewer seats are fine if not all are free")
    )

    def __init__(
        self, *args: Any, event: Event, enterprises: Sequence[Enterprise], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        by_id = {one.public_id: one for one in enterprises}
        choice: Any = self.fields["enterprise"]
        choice.choices = [(key, localised(one)) for key, one in by_id.items()]
        choice.coerce = by_id.__getitem__
        if len(enterprises) == 1:
            choice.widget = forms.HiddenInput()
            choice.initial = enterprises[0].public_id
        cap = event.delegates_per_enterprise
        self.fields["seats"].choices = [(n, str(n)) for n in range(1, cap + 1)]  # type: ignore[attr-defined]  # a ChoiceField


class DelegateForm(Form):
    name = forms.CharField(max_length=80, required=False, label=_("Person's name"))
    job_title = forms.CharField(max_length=80, required=False, label=_("Job title"))


def delegate_formset(seats: int) -> Any:
    return formset_factory(DelegateForm, extra=0, min_num=seats, max_num=seats, validate_max=True)


# ---- organising ----


class EventForm(Form):
    host = Localised(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Host"), empty_label=None
    )
    name_zh = forms.CharField(max_length=160, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=200, label=_("Name in English"))
    level = Localised(
        EventLevel.objects.all(), to_field_name="code", label=_("Level"), empty_label=None
    )
    region = RegionField(label=_("Region"))
    chains = LocalisedMany(
        Chain.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("Chains"),
    )
    docking_kinds = LocalisedMany(
        DockingKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("Docking kinds"),
    )
    series = LocalisedMany(
        Series.objects.none(),
        to_field_name="public_id",
        required=False,
        label=_("Series it counts in"),
    )
    co_hosts = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Co-hosts"),
        help_text=_("One name a line, as it stands on the register"),
    )
    starts_at = MomentField(label=_("Starts"))
    ends_at = MomentField(label=_("Ends"))
    place = forms.CharField(max_length=200, required=False, label=_("Place"))
    place_en = forms.CharField(max_length=200, required=False, label=_("Place in English"))
    map_url = forms.URLField(
        max_length=300,
        required=False,
        assume_scheme="https",
        validators=[URLValidator(schemes=["https"])],
        label=_("Address of a map"),
        help_text=_("A link that opens the place in a map, https"),
    )
    text = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=pgettext_lazy("event", "Description"),
    )
    text_en = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("Description in English"),
    )
    registration_opens_at = MomentField(label=_("Registration opens"))
    registration_closes_at = MomentField(label=_("Registration closes"))
    delegates_per_enterprise = forms.IntegerField(
        min_value=1, max_value=50, initial=2, label=_("Most seats for one enterprise")
    )
    admission = forms.ChoiceField(
        choices=(
            ("automatic", _("Automatic: seats are given as registrations arrive")),
            ("reviewed", _("Reviewed: you approve each registration")),
        ),
        label=_("Admission"),
    )
    waiting_rule = forms.ChoiceField(
        choices=(
            ("arrival", _("By arrival")),
            ("tier_then_arrival", _("By tier, then by arrival")),
            ("draw", _("By a draw")),
        ),
        label=_("Rule of the waiting list"),
    )
    offer_hours = forms.IntegerField(
        min_value=1,
        max_value=336,
        initial=24,
        label=_("Hours to answer an offer"),
        help_text=_(
            "A freed seat is kept so long for the next in line; at the latest until the event begins."
        ),
    )
    walk_ins = forms.ChoiceField(
        choices=(
            ("nobody", _("Nobody")),
            ("colleagues", _("Colleagues, on confirmed seats nobody is named for")),
            ("free_seats", _("Every verified enterprise while general seats are free")),
        ),
        initial="colleagues",
        label=_("Without a badge the desk lets in"),
    )
    reminder_days = forms.IntegerField(
        min_value=0,
        max_value=30,
        initial=3,
        label=_("Days before the event to remind guests"),
        help_text=_("0 = no reminder"),
    )
    general_seats = forms.IntegerField(min_value=0, max_value=100_000, label=_("General seats"))

    def __init__(
        self, *args: Any, hosts: Sequence[Enterprise], series: QuerySet[Series], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["series"].queryset = series.select_related("programme")  # type: ignore[attr-defined]  # a ModelMultipleChoiceField
        choice = self.fields["host"]
        choice.queryset = Enterprise.objects.filter(pk__in=[one.pk for one in hosts])  # type: ignore[attr-defined]  # a ModelChoiceField
        if len(hosts) == 1:
            choice.initial = hosts[0].public_id

    def clean_co_hosts(self) -> list[Enterprise]:
        """Bodies by the names that stand on the register; what is not found is named."""
        found, unknown = [], []
        for line in self.cleaned_data["co_hosts"].splitlines():
            name = line.strip()
            if not name:
                continue
            rows = Enterprise.objects.verified()
            body = (
                rows.filter(name=name).first()
                or rows.filter(name_en__iexact=name).first()
                or rows.filter(aliases__text__iexact=name).first()
            )
            if body is None:
                unknown.append(name)
            elif body not in found:
                found.append(body)
        if unknown:
            raise forms.ValidationError(
                gettext("Not on the register under this name: %(names)s"),
                params={"names": gettext(", ").join(unknown)},
            )
        return found

    @staticmethod
    def of(event: Event) -> dict[str, Any]:
        """What the form shows of an event that stands."""
        plain = {
            name: getattr(event, name)
            for name in (
                "name_zh", "name_en", "starts_at", "ends_at", "place", "place_en", "map_url", "text", "text_en", "region",
                "registration_opens_at", "registration_closes_at", "delegates_per_enterprise", "admission",
                "waiting_rule", "offer_hours", "walk_ins", "reminder_days",
            )
        }  # fmt: skip
        general = event.tiers.filter(is_general=True).first()
        return {
            **plain,
            "host": event.host.public_id,
            "level": event.level_id,
            "chains": [row.code for row in event.chains.all()],
            "docking_kinds": [row.code for row in event.docking_kinds.all()],
            "series": [row.public_id for row in event.series.all()],
            "co_hosts": "\n".join(body.name for body in event.co_hosts.all()),
            "general_seats": general.seats if general else 0,
        }


class CopyForm(Form):
    """What is new about an event that starts from another."""

    host = Localised(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Host"), empty_label=None
    )
    name_zh = forms.CharField(max_length=160, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=200, label=_("Name in English"))
    starts_at = MomentField(
        label=_("Starts"), help_text=_("All other times are shifted by as much.")
    )

    def __init__(self, *args: Any, hosts: Sequence[Enterprise], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["host"]
        choice.queryset = Enterprise.objects.filter(pk__in=[one.pk for one in hosts])  # type: ignore[attr-defined]  # a ModelChoiceField

    @staticmethod
    def of(event: Event) -> dict[str, Any]:
        """A year later on the same day of the week, and the year in the names with it."""
        start = timezone.localtime(event.starts_at) + datetime.timedelta(weeks=52)
        then, now = str(timezone.localtime(event.starts_at).year), str(start.year)
        return {
            "host": event.host.public_id,
            "name_zh": event.name_zh.replace(then, now),
            "name_en": event.name_en.replace(then, now),
            "starts_at": start,
        }


class AgendaForm(Form):
    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    starts_at = MomentField(label=pgettext_lazy("time", "From"))
    ends_at = MomentField(label=pgettext_lazy("time", "Until"))
    title_zh = forms.CharField(max_length=160, label=_("Title in Chinese"))
    title_en = forms.CharField(max_length=200, label=_("Title in English"))
    room_zh = forms.CharField(max_length=80, required=False, label=_("Room in Chinese"))
    room_en = forms.CharField(max_length=80, required=False, label=_("Room in English"))
    note_zh = forms.CharField(max_length=300, required=False, label=_("Note in Chinese"))
    note_en = forms.CharField(max_length=300, required=False, label=_("Note in English"))

    @staticmethod
    def of(part: AgendaItem) -> dict[str, Any]:
        return {name: getattr(part, name) for name in AgendaForm.base_fields}


AgendaFormSet = formset_factory(AgendaForm, extra=1, max_num=40, can_delete=True)


class ChecklistForm(Form):
    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(max_length=200, label=_("What is to be done"))
    owner = forms.ModelChoiceField(
        User.objects.none(), to_field_name="public_id", required=False, label=_("Who does it"),
        empty_label=_("nobody yet"),
    )  # fmt: skip
    due_on = forms.DateField(
        required=False, widget=DateInput, label=_("Until when"), validators=[check_year]
    )
    is_done = forms.BooleanField(required=False, label=_("Done"))

    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["owner"]
        known = self.initial.get("owner")
        ids = [user.public_id for user in people] + ([known] if known else [])
        choice.queryset = User.objects.filter(public_id__in=ids).order_by("pk")
        # Colleagues know each other by their address; nobody else sees this page.
        choice.label_from_instance = lambda user: user.email

    @staticmethod
    def of(item: ChecklistItem) -> dict[str, Any]:
        return {
            "public_id": item.public_id,
            "text": item.text,
            "owner": item.owner.public_id if item.owner else None,
            "due_on": item.due_on,
            "is_done": item.done_at is not None,
        }


def checklist_formset(people: Sequence[User]) -> Any:
    made = formset_factory(ChecklistForm, extra=1, max_num=60, can_delete=True)
    return partial(made, form_kwargs={"people": people})


class DocumentForm(Form):
    title_zh = forms.CharField(max_length=120, label=_("Title in Chinese"))
    title_en = forms.CharField(max_length=160, label=_("Title in English"))
    upload = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG or JPEG"),
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg"}),
    )


class StaffForm(Form):
    email = forms.EmailField(label=_("E-mail of the account"))
    role = forms.ChoiceField(
        choices=EventStaff.Role.choices, initial=EventStaff.Role.DESK, label=_("Role")
    )


class LetterForm(Form):
    """Words of the event's own for one kind of letter."""

    subject_zh = forms.CharField(max_length=200, required=False, label=_("Subject in Chinese"))
    subject_en = forms.CharField(max_length=200, required=False, label=_("Subject in English"))
    body_zh = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 8}),
        label=_("Text in Chinese"),
    )
    body_en = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 8}),
        label=_("Text in English"),
    )


class AnnouncementForm(LetterForm):
    """A message to guests; one language may stand for both."""

    audience = forms.ChoiceField(choices=Announcement.Audience.choices, label=_("To whom"))
    tier = Localised(
        Tier.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=_("none"),
        label=_("Tier"),
    )
    # As many as were shown to whoever sends it.
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = event.tiers.all()  # type: ignore[attr-defined]  # a ModelChoiceField

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["expected"] = data.get("expected") or 0
        if data.get("audience") != Announcement.Audience.TIER:
            data["tier"] = None
        elif data.get("tier") is None:
            self.add_error("tier", _("Choose the tier."))
        return data


class TierForm(Form):
    """A reserved tier; the general one is a field of the event."""

    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    name_zh = forms.CharField(max_length=80, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=120, label=_("Name in English"))
    seats = forms.IntegerField(min_value=0, max_value=100_000, label=_("Seats"))
    reserved_until = MomentField(required=False, label=_("Reserved until"))
    qualifications = LocalisedMany(
        QualificationKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("For those who hold one of"),
    )
    participant_kinds = LocalisedMany(
        ParticipantKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("For all of these kinds"),
    )

    def as_wanted(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            **data,
            "qualifications": [row.code for row in data["qualifications"]],
            "participant_kinds": [row.code for row in data["participant_kinds"]],
        }


TierFormSet = formset_factory(TierForm, extra=1, max_num=12, can_delete=True)


def tiers_of(event: Event) -> list[dict[str, Any]]:
    return [
        {
            "public_id": tier.public_id,
            "name_zh": tier.name_zh,
            "name_en": tier.name_en,
            "seats": tier.seats,
            "reserved_until": tier.reserved_until,
            "qualifications": tier.qualifications,
            "participant_kinds": tier.participant_kinds,
        }
        for tier in event.tiers.filter(is_general=False)
    ]


def default_times() -> dict[str, Any]:
    """A first guess for a new event: in four weeks, half past eight to five."""
    day = timezone.localtime().replace(hour=8, minute=30, second=0, microsecond=0)
    start = day + datetime.timedelta(days=28)
    return {
        "starts_at": start,
        "ends_at": start.replace(hour=17, minute=0),
        "registration_opens_at": timezone.localtime().replace(second=0, microsecond=0),
        "registration_closes_at": (start - datetime.timedelta(days=7)).replace(hour=23, minute=59),
        "general_seats": 100,
    }


# ---- programmes and series ----


class ProgrammeForm(Form):
    owner = Localised(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Body that keeps it")
    )
    name_zh = forms.CharField(max_length=120, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=160, label=_("Name in English"))

    def __init__(self, *args: Any, owners: Sequence[Enterprise], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["owner"]
        choice.queryset = Enterprise.objects.filter(pk__in=[one.pk for one in owners])  # type: ignore[attr-defined]  # a ModelChoiceField
        if len(owners) == 1:
            choice.initial = owners[0].public_id


class SeriesForm(Form):
    year = forms.IntegerField(min_value=2000, max_value=2100, label=_("Year"))


class TargetsForm(Form):
    """Targets over all and of each level; an empty field is no target."""

    events = forms.IntegerField(
        min_value=0, max_value=100_000, required=False, label=_("Events, all levels")
    )
    enterprises = forms.IntegerField(
        min_value=0, max_value=10_000_000, required=False, label=_("Enterprises, each once")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.levels = list(EventLevel.objects.filter(is_active=True))
        for level in self.levels:
            self.fields[f"level_{level.code}"] = forms.IntegerField(
                min_value=0, max_value=100_000, required=False, label=localised(level)
            )

    @property
    def level_fields(self) -> list[Any]:
        return [self[f"level_{level.code}"] for level in self.levels]

    def as_targets(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        rows: list[dict[str, Any]] = [
            {"measure": name, "value": data[name]} for name in ("events", "enterprises")
        ]
        rows += [
            {"measure": "events", "level": level, "value": data[f"level_{level.code}"]}
            for level in self.levels
        ]
        return [row for row in rows if row["value"] is not None]

    @staticmethod
    def of(series: Series) -> dict[str, int]:
        return {
            f"level_{row.level_id}" if row.level_id else row.measure: row.value
            for row in series.targets.filter(region=None)
        }


class RegionTargetForm(Form):
    """Events one region is to hold, of one level or of any."""

    region = RegionField(required=False, label=_("Region"))
    level = Localised(
        EventLevel.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        empty_label=_("any level"),
        label=_("Level"),
    )
    value = forms.IntegerField(
        min_value=0, max_value=100_000, required=False, label=pgettext_lazy("target", "Events")
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("value") is not None and not data.get("region") and "region" in data:
            self.add_error("region", _("Choose the region this target is for."))
        if data.get("region") and data.get("value") is None and "value" in data:
            self.add_error("value", _("Say how many events, or leave the row empty."))
        return data

    def as_target(self) -> dict[str, Any] | None:
        data = self.cleaned_data
        if data.get("DELETE") or not data.get("region") or data.get("value") is None:
            return None
        return {"measure": "events", **{key: data[key] for key in ("region", "level", "value")}}


RegionTargetFormSet = formset_factory(RegionTargetForm, extra=1, max_num=120, can_delete=True)


def region_targets_of(series: Series) -> list[dict[str, Any]]:
    rows = series.targets.filter(measure="events").exclude(region=None).select_related("region")
    return [
        {"region": row.region, "level": row.level_id, "value": row.value}
        for row in rows.order_by("region__code", "pk")
    ]


class SeriesEventFilterForm(Form):
    q = forms.CharField(max_length=100, required=False, label=_("Search events"))
    show = forms.ChoiceField(
        choices=(("in", _("In the series")), ("out", _("To put in"))), required=False
    )
