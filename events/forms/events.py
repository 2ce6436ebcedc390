from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db.models import QuerySet
from django.forms import formset_factory
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from chains.forms import Form, LocalisedChoice, LocalisedChoices, RegionField
from chains.models import (
    Chain,
    Cluster,
    DockingDirection,
    DockingKind,
    Enterprise,
    ParticipantKind,
    QualificationKind,
)
from events.forms import MomentField, on_register
from events.models import Event, EventLevel, Series
from events.services import copies


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
    until = forms.DateField(
        required=False,
        widget=forms.HiddenInput,
        validators=[
            MinValueValidator(datetime.date(2000, 1, 1)),
            MaxValueValidator(datetime.date(2100, 12, 31)),
        ],
    )
    series = forms.ModelChoiceField(
        Series.objects.select_related("programme"),
        to_field_name="public_id",
        required=False,
        widget=forms.HiddenInput,
    )
    cluster = forms.ModelChoiceField(
        Cluster.objects.all(), to_field_name="code", required=False, widget=forms.HiddenInput
    )


class SecureAddress(forms.URLField):
    """In the place of Django's check, not beside it: one fault is said once."""

    default_validators = [URLValidator(schemes=["https"])]


class EventForm(Form):
    host = LocalisedChoice(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Host"), empty_label=None
    )
    name_zh = forms.CharField(max_length=160, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=200, label=_("Name in English"))
    level = LocalisedChoice(
        EventLevel.objects.all(), to_field_name="code", label=_("Level"), empty_label=None
    )
    region = RegionField(label=_("Region"))
    cluster = LocalisedChoice(
        Cluster.objects.active(),
        to_field_name="code",
        required=False,
        label=_("Industrial cluster"),
        help_text=_("The one it is held for, if any"),
    )
    chains = LocalisedChoices(
        Chain.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("Chains"),
    )
    docking_kinds = LocalisedChoices(
        DockingKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("Docking kinds"),
    )
    series = LocalisedChoices(
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
    map_url = SecureAddress(
        max_length=300,
        required=False,
        assume_scheme="https",
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
    delegates_until = MomentField(
        required=False,
        label=_("Delegates can be changed until"),
        help_text=_("Badges are printed after it. Empty: until the event ends"),
    )
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
            ("draw", _("By a lot that is drawn when one joins")),
            ("seeded_draw", _("All seats by a draw with a published seed")),
        ),
        label=_("Rule of the waiting list"),
    )
    draws_at = MomentField(
        required=False,
        label=_("Moment of the draw"),
        help_text=_("Who registers before it takes part; nobody is given a seat before."),
    )
    draw_source_zh = forms.CharField(
        max_length=300, required=False, label=_("Where the seed comes from, in Chinese")
    )
    draw_source_en = forms.CharField(
        max_length=300,
        required=False,
        label=_("Where the seed comes from, in English"),
        help_text=_("A number that becomes public at that moment and that nobody can choose"),
    )
    draw_commitment = forms.RegexField(
        r"^[0-9a-fA-F]{64}$",
        required=False,
        label=_("SHA-256 of the seed"),
        help_text=_("Instead, or besides: the digest of a seed you keep until then"),
        error_messages={"invalid": _("A SHA-256 digest has 64 places, 0–9 and a–f.")},
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

    def clean_draw_commitment(self) -> str:
        return str(self.cleaned_data["draw_commitment"]).lower()

    def clean_co_hosts(self) -> list[Enterprise]:
        """Bodies by the names that stand on the register; what is not found is named."""
        found, unknown = [], []
        for line in self.cleaned_data["co_hosts"].splitlines():
            name = line.strip()
            if not name:
                continue
            body = on_register(name)
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
                "registration_opens_at", "registration_closes_at", "delegates_until", "delegates_per_enterprise", "admission",
                "waiting_rule", "offer_hours", "walk_ins", "reminder_days", "draws_at", "draw_source_zh", "draw_source_en",
                "draw_commitment",
            )
        }  # fmt: skip
        general = event.tiers.filter(is_general=True).first()
        return {
            **plain,
            "host": event.host.public_id,
            "level": event.level_id,
            "cluster": event.cluster.code if event.cluster else "",
            "chains": [row.code for row in event.chains.all()],
            "docking_kinds": [row.code for row in event.docking_kinds.all()],
            "series": [row.public_id for row in event.series.all()],
            "co_hosts": "\n".join(body.name for body in event.co_hosts.all()),
            "general_seats": general.seats if general else 0,
        }


class CopyForm(Form):
    """What is new about an event that starts from another."""

    host = LocalisedChoice(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Host"), empty_label=None
    )
    name_zh = forms.CharField(max_length=160, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=200, label=_("Name in English"))
    starts_at = MomentField(
        label=_("Starts"), help_text=_("All other times are shifted by as much.")
    )
    parts = forms.MultipleChoiceField(
        choices=copies.Part.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("What comes along"),
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
            "parts": list(copies.USUAL),
        }


class TierForm(Form):
    """A reserved tier; the general one is a field of the event."""

    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    name_zh = forms.CharField(max_length=80, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=120, label=_("Name in English"))
    seats = forms.IntegerField(min_value=0, max_value=100_000, label=_("Seats"))
    reserved_until = MomentField(required=False, label=_("Reserved until"))
    qualifications = LocalisedChoices(
        QualificationKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        label=_("For those who hold one of"),
    )
    participant_kinds = LocalisedChoices(
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
        "delegates_until": (start - datetime.timedelta(days=2)).replace(hour=23, minute=59),
        "general_seats": 100,
    }
