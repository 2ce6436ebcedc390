from __future__ import annotations

from django import forms


class InterestForm(forms.Form):
    """Placeholder until the interest slice lands."""
