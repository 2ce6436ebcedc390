from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import CapabilityPhoto


class CapabilityPhotoForm(Form):
    upload = forms.FileField(
        label=_("Photo"),
        help_text=_(
            "JPEG, PNG or WebP, 8 MB at most. It is drawn anew: place and device stay with you."
        ),
        # On a telephone: the camera or its pictures.
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    caption = forms.CharField(
        label=_("What it shows"),
        max_length=CapabilityPhoto._meta.get_field("caption").max_length,
        help_text=_("Read to those who cannot see it, and shown below it"),
    )
