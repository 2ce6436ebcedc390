"""What a person agrees to: each purpose with its words, their version and who receives the data."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Consent, User


@dataclass(frozen=True, slots=True)
class Notice:
    """The words one agrees to. Whoever changes them gives them a new version."""

    version: str
    recipient: Promise
    text: Promise
    withdrawing: Promise


NOTICES = {
    Consent.Purpose.ACCOUNT: Notice(
        "2026-11",
        gettext_lazy("the operator of this platform"),
        gettext_lazy(
            "Your e-mail address, your language, your roles and what you do here are kept so that you can act for your enterprise and others can rely on it."
        ),
        gettext_lazy("Erase the account: without this there is none."),
    ),
    Consent.Purpose.PHONE: Notice(
        "2026-11",
        gettext_lazy("the operator of this platform and its provider of text messages"),
        gettext_lazy(
            "Your number is kept to send you codes for signing in, for nothing else, and is shown to nobody."
        ),
        gettext_lazy("The number is deleted at once."),
    ),
}


@transaction.atomic
def give(*, purpose: str, by: User) -> Consent:
    """Agree to the words as they stand now; words that have changed are agreed to anew."""
    notice = NOTICES[Consent.Purpose(purpose)]
    User.objects.select_for_update().get(pk=by.pk)
    now = Consent.objects.in_force().filter(user=by, purpose=purpose).first()
    if now is not None and now.version == notice.version:
        return now
    if now is not None:
        now.withdrawn_at = timezone.now()
        now.save(update_fields=["withdrawn_at", "updated_at"])
    consent = Consent.objects.create(
        user=by, purpose=purpose, version=notice.version, recipient=str(notice.recipient)
    )
    audit.record(by, "consent.given", consent, purpose=purpose, version=notice.version)
    changes.record("consent", consent, "given")
    return consent


@transaction.atomic
def withdraw(*, purpose: str, by: User) -> None:
    """As easy as agreeing: what was kept for the purpose goes with it."""
    if purpose == Consent.Purpose.ACCOUNT:
        raise DomainError(
            _("Without this there is no account. Erase the account instead."),
            code="consent.account",
        )
    user = User.objects.select_for_update().get(pk=by.pk)
    if purpose == Consent.Purpose.PHONE and user.phone:
        user.phone = by.phone = ""
        user.save(update_fields=["phone"])
    for consent in Consent.objects.in_force().filter(user=user, purpose=purpose):
        consent.withdrawn_at = timezone.now()
        consent.save(update_fields=["withdrawn_at", "updated_at"])
        audit.record(by, "consent.withdrawn", consent, purpose=purpose)
        changes.record("consent", consent, "withdrawn")
