"""Mailboxes that refuse letters for good: no more goes there until the person has another address, or says it works."""

from __future__ import annotations

from django.db import transaction

from chains import audit, changes, notifications
from chains.models import MailRefusal, Notification, User


@transaction.atomic
def refuse(*, user: User, status: str, by: User | None = None) -> bool:
    """The mail server said so; whether it is news. The person reads it in the application."""
    digest = MailRefusal.digest_of(user.email)
    row = MailRefusal.objects.select_for_update().filter(user=user).first()
    if row is not None and row.digest == digest:
        return False
    MailRefusal.objects.update_or_create(
        user=user, defaults={"digest": digest, "status": status[:20]}
    )
    audit.record(by, "user.mail_refused", user, status=status[:20])
    changes.record("user", user, "mail_refused")
    notifications.post(user, "mail_refused", email=False)
    return True


@transaction.atomic
def note_bounce(*, address: str, status: str, message_id: str = "", by: User | None = None) -> bool:
    """A letter came back after it had been taken. Whether an account has the address."""
    user = User.objects.at_address(address).filter(is_active=True).first()
    if user is None:
        return False
    refuse(user=user, status=status, by=by)
    number = message_id.strip("<> ").partition("@")[0]
    for letter in Notification.objects.select_for_update().filter(
        public_id=number, to=user, channel=Notification.Channel.EMAIL
    ):
        letter.status, letter.error = Notification.Status.FAILED, f"refused: {status[:20]}"
        letter.save(update_fields=["status", "error", "updated_at"])
    return True


@transaction.atomic
def restore(*, by: User) -> None:
    """The person says that the mailbox takes letters again; the next one shows."""
    gone, _rows = MailRefusal.objects.filter(user=by).delete()
    if gone:
        audit.record(by, "user.mail_restored", by)
        changes.record("user", by, "mail_restored")
