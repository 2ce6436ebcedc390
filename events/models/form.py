"""What an event asks of those who register, and what they answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chains.models import TimeStamped
from events.models.event import Event

if TYPE_CHECKING:
    from chains.models import User


class FormQuestionQuerySet(models.QuerySet["FormQuestion"]):
    def asked(self) -> Self:
        return self.filter(retired_at=None)


class FormQuestion(TimeStamped):
    """A question of the registration form. Once answered its meaning stays; then it can only be retired."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        CHOICE = "choice", _("One of several")
        CHOICES = "choices", _("Some of several")
        CONSENT = "consent", _("Consent")
        FILE = "file", _("File")

    CHOOSING = (Kind.CHOICE, Kind.CHOICES)

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="questions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text_zh = models.CharField(max_length=500)
    text_en = models.CharField(max_length=500)
    # Each with a code that stays and its words: {"code", "zh", "en"}.
    choices = models.JSONField(default=list, blank=True)
    is_required = models.BooleanField(default=False)
    order = models.PositiveSmallIntegerField(default=0)
    # Of the wording: whoever consented did so to one of them.
    version = models.PositiveSmallIntegerField(default=1)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = FormQuestionQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["choice", "choices"]) & ~Q(choices=[])
                | ~Q(kind__in=["choice", "choices"]) & Q(choices=[]),
                name="form_question_offers_choices_where_one_chooses",
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class FormAnswerQuerySet(models.QuerySet["FormAnswer"]):
    def files_of(self, user: User) -> Self:
        """With a file, for the members of the enterprise that sent it and for those who organise the event."""
        organised = Event.objects.organised_by(user)
        return self.exclude(evidence=None).filter(
            Q(registration__enterprise__in=user.enterprise_ids)
            | Q(registration__event__in=organised.values("pk"))
        )


class FormAnswer(TimeStamped):
    """What a registration answered to one question."""

    registration = models.ForeignKey("events.Registration", models.PROTECT, related_name="answers")
    question = models.ForeignKey(FormQuestion, models.PROTECT, related_name="answers")
    text = models.CharField(max_length=1000, blank=True)
    chosen = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    evidence = models.ForeignKey(
        "chains.Evidence", models.PROTECT, null=True, blank=True, related_name="+"
    )
    has_agreed = models.BooleanField(default=False)
    # The wording that was answered, as it was read; of a consent it is kept whole.
    version = models.PositiveSmallIntegerField()
    wording = models.CharField(max_length=500, blank=True)

    objects = FormAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "question"], name="form_answer_once_a_question"
            )
        ]

    def __str__(self) -> str:
        return self.public_id
