from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains import permissions
from chains.forms import DateInput, Form, LocalisedChoice, RegionField
from chains.models import Enterprise, OrganiserRole, Region, User, lies_within


class RoleForm(Form):
    email = forms.EmailField(label=_("E-mail of the account"))
    body = LocalisedChoice(
        Enterprise.objects.none(),
        to_field_name="public_id",
        label=_("Works for"),
        help_text=_("Authorities and associations of your region"),
    )
    region = RegionField(
        label=_("Region"),
        help_text=_("The desk of the region and of all below it"),
    )
    role = forms.ChoiceField(choices=OrganiserRole.Role.choices, label=_("Role"))
    valid_until_on = forms.DateField(label=_("Until"), required=False, widget=DateInput)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        body = self.fields["body"]
        assert isinstance(body, forms.ModelChoiceField)
        body.queryset = bodies(by)

    def clean_email(self) -> User:
        user = User.objects.at_address(self.cleaned_data["email"]).filter(is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                gettext("No account has this address. Ask the person to sign up first.")
            )
        return user

    def clean_region(self) -> Region:
        region: Region = self.cleaned_data["region"]
        if not permissions.can_grant_role(self.by, region):
            raise forms.ValidationError(
                gettext("Choose a county, district or zone below your own region.")
            )
        return region

    def clean_valid_until_on(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data["valid_until_on"]
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError(gettext("This day has passed. Choose a later one."))
        return day


def bodies(by: User) -> QuerySet[Enterprise]:
    """Whose people can have a desk: what lies where `by` decides."""
    return Enterprise.objects.filter(
        lies_within("region", by.organiser_regions),
        kind__code__in=("government", "association"),
        status=Enterprise.Status.VERIFIED,
    ).order_by("name", "pk")
