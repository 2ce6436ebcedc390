from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TokenLimit(models.Model):
    """How far the key of a person's programs reaches. A key without one reaches as far as the person."""

    class Noun(models.TextChoices):
        ENTERPRISES = "enterprises", _("Enterprises, members and titles")
        CAPABILITIES = "capabilities", _("Capabilities")
        REQUIREMENTS = "requirements", _("Requirements and projects")
        INTERESTS = "interests", pgettext_lazy("token", "Interests")
        MATCHES = "matches", _("Matches and runs")
        EVENTS = "events", _("Events, programmes and registrations")
        IMPORTS = "imports", _("Imports of lists")
        NOTICES = "notices", _("Notices, saved searches and reports")

    token = models.OneToOneField(
        "authtoken.Token", models.CASCADE, primary_key=True, related_name="limit"
    )
    may_write = models.BooleanField(_("may write"))
    # Named one by one: what a later version adds is not reached by a key that was made before.
    nouns = ArrayField(models.CharField(max_length=20, choices=Noun.choices))
    ends_on = models.DateField(_("last day"), null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(nouns__len__gt=0), name="token_limit_names_a_noun")
        ]

    def __str__(self) -> str:
        return f"{'write' if self.may_write else 'read'}: {' '.join(self.nouns)}"

    @property
    def is_over(self) -> bool:
        return self.ends_on is not None and self.ends_on < timezone.localdate()

    @property
    def noun_labels(self) -> list[str]:
        return [str(self.Noun(one).label) for one in self.nouns if one in self.Noun.values]
