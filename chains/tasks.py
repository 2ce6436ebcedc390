from __future__ import annotations

import datetime
import logging
import re
import time
from smtplib import SMTPRecipientsRefused
from urllib.parse import urlsplit

from celery import Task, shared_task
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from chains import changes, notifications
from chains.doorbell import heard
from chains.errors import DomainError
from chains.forms.import_sheet import pieces, read_rows
from chains.models import Import, MailRefusal, MemberInvitation, Notification, User
from chains.services import (
    capabilities,
    files,
    imports,
    invitations,
    mailboxes,
    requirements,
    terms,
)

log = logging.getLogger(__name__)


class Persistent(Task):  # type: ignore[type-arg]  # of any arguments
    """A task that runs while the database is away would be acknowledged and lost: it comes again."""

    autoretry_for = (OperationalError, InterfaceError)
    retry_backoff = 1
    retry_backoff_max = 10
    max_retries = 8


# 1, 2, 4 … minutes between attempts: eight of them cover a mail server that is away for two hours.
ATTEMPTS = 8
BATCH = 200


@shared_task(base=Persistent)
def deliver_notifications() -> int:
    """Send what waits in the outbox. Two workers never send the same one: the row is locked meanwhile."""
    heard("chains.tasks.deliver_notifications")
    in_app = Notification.objects.unsent().filter(channel=Notification.Channel.IN_APP)
    in_app.update(status=Notification.Status.SENT, sent_at=timezone.now())
    sent = 0
    for _turn in range(BATCH):
        outcome = _deliver_one()
        if outcome is None:
            break
        sent += outcome
    return sent


@transaction.atomic
def _deliver_one() -> bool | None:
    """True: sent; False: put off or stopped; None: nothing waits."""
    notice = (
        Notification.objects.unsent()
        .filter(channel=Notification.Channel.EMAIL)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("to")
        .order_by("due_at", "pk")
        .first()
    )
    if notice is None:
        return None
    notice.attempts += 1
    if why := _why_not(notice.to):
        _stop(notice, why)
        return False
    try:
        _letter(notice).send()
    except notifications.GoneError as gone:
        _stop(notice, f"{gone} does not stand any more")
        return False
    except DatabaseError:
        raise
    except (
        Exception
    ) as fault:  # whatever it is: one message that cannot be made must not hold up all behind it
        if status := _refused_for_good(fault):
            _give_up(notice, status)
        else:
            _put_off(notice, fault)
        return False
    notice.status = Notification.Status.SENT
    notice.sent_at = timezone.now()
    notice.error = ""
    notice.save(update_fields=["status", "sent_at", "attempts", "error", "updated_at"])
    return True


def _why_not(to: User) -> str:
    """Why no letter leaves to somebody; empty where one may."""
    if not to.is_active:
        return "the account is closed"
    refusal = MailRefusal.objects.filter(user=to).select_related("user").first()
    return "the mailbox refuses letters" if refusal is not None and refusal.stands else ""


def _letter(notice: Notification) -> EmailMessage:
    rows = notifications.rows_of([notice])
    message = notifications.render(notice, rows, notice.to.language)
    # A worker that dies between sending and writing it down sends again: by its number mail servers know it.
    number = f"<{notice.public_id}@{urlsplit(settings.SITE_URL).hostname}>"
    letter = EmailMessage(message.subject, message.body, to=[notice.to.email])
    letter.extra_headers["Message-ID"] = number
    # RFC 8058: the reader's program offers it as a button.
    if stop := notifications.stop_of(rows):
        letter.extra_headers["List-Unsubscribe"] = f"<{stop}>"
        letter.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if calendar := notifications.calendar_of(notice, rows, notice.to.language):
        method = re.search(r"^METHOD:(\w+)", calendar, re.MULTILINE)
        letter.attach(
            "event.ics", calendar, f"text/calendar; method={method[1] if method else 'PUBLISH'}"
        )
    return letter


def _give_up(notice: Notification, status: str) -> None:
    mailboxes.refuse(user=notice.to, status=status)
    notice.status, notice.error = Notification.Status.FAILED, f"refused: {status}"
    notice.save(update_fields=["status", "error", "attempts", "updated_at"])


# 5.2.2: full, which passes; 5.7: what the server thinks of us, not of the mailbox.
_PASSES = re.compile(r"5\.(?:2\.2|7\.\d+)\b")
_FULL = 552


def _refused_for_good(fault: Exception) -> str:
    """What the server said of a mailbox that does not exist or takes nothing: 5.1.1, or 550. Empty: try again later."""
    if not isinstance(fault, SMTPRecipientsRefused):
        return ""
    code, words = next(iter(fault.recipients.values()))
    said = words.decode("ascii", "replace")
    if not 500 <= code <= 599 or code == _FULL or _PASSES.search(said):
        return ""
    precise = re.search(r"\b5\.\d{1,3}\.\d{1,3}\b", said)
    return precise[0] if precise else str(code)


def _stop(notice: Notification, why: str) -> None:
    notice.status = Notification.Status.STOPPED
    notice.error = why
    notice.save(update_fields=["status", "error", "attempts", "updated_at"])


def _put_off(notice: Notification, fault: Exception) -> None:
    # The fault's own words may hold the address: only its kind is kept.
    notice.error = type(fault).__name__
    if notice.attempts >= ATTEMPTS:
        notice.status = Notification.Status.FAILED
        log.error("notification %s failed after %d attempts", notice.public_id, notice.attempts)
    else:
        notice.due_at = timezone.now() + datetime.timedelta(minutes=2 ** (notice.attempts - 1))
    notice.save(update_fields=["status", "error", "attempts", "due_at", "updated_at"])


@shared_task(base=Persistent)
def deliver_invitations() -> int:
    """Letters to addresses that may have no account; each row is its own outbox. Old ones are forgotten."""
    heard("chains.tasks.deliver_invitations")
    invitations.forget_old()
    waiting = MemberInvitation.objects.open().filter(letter_at=None, attempts__lt=ATTEMPTS)
    return sum(_invite(pk) for pk in waiting.order_by("pk").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _invite(pk: int) -> bool:
    row = (
        MemberInvitation.objects.open()
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("enterprise")
        .filter(pk=pk, letter_at=None)
        .first()
    )
    if row is None:
        return False
    context = {"invitation": row, "enterprise": row.enterprise}
    subject, body = notifications.in_words("invitation_member", context, row.language)
    letter = EmailMessage(subject, body, to=[row.email])
    letter.extra_headers["Message-ID"] = f"<{row.public_id}@{urlsplit(settings.SITE_URL).hostname}>"
    row.attempts += 1
    try:
        letter.send()
        row.letter_at = timezone.now()
    except Exception as fault:  # as for all letters: what cannot leave holds up nothing else
        log.info("invitation %s waits: %s", row.public_id, type(fault).__name__)
        if _refused_for_good(fault):
            row.attempts = ATTEMPTS
    row.save(update_fields=["attempts", "letter_at", "updated_at"])
    return row.letter_at is not None


@shared_task(base=Persistent)
def remind_of_terms() -> int:
    """Titles and certificates that end soon."""
    return terms.remind()


@shared_task(base=Persistent)
def publish_due_requirements() -> int:
    """Embargoes that have ended."""
    return requirements.publish_due()


@shared_task(base=Persistent)
def close_due_requirements() -> int:
    """Closing days that have passed, returned ones that nobody corrected."""
    return requirements.close_due()


@shared_task(base=Persistent)
def expire_capabilities() -> int:
    """Capabilities that were valid until yesterday."""
    return capabilities.expire_due()


# A piece is a second's work; a worker is lent to a file for less than a third of what the broker waits for it.
PIECE = 500
TURN = 15.0
LEASE = datetime.timedelta(seconds=45)


@shared_task(base=Persistent)
def read_import(import_id: int) -> None:
    """Read a file piece by piece. Ringing twice is harmless: only one worker can claim it."""
    job = Import.objects.claim(import_id, LEASE)
    if job is None:
        return
    # Its sentences are read by whoever uploaded it.
    with notifications.in_language(job.asked_by.language):
        try:
            _read_pieces(job)
        except DomainError as refused:
            log.info("Import %s ends: %s", job, refused.code)
            if refused.code != "import.ended":
                imports.fail(job=job, error=str(refused))


def _read_pieces(job: Import) -> None:
    began = time.monotonic()
    layout = imports.layout_of(job)
    _table, rows = read_rows(job.kind, bytes(job.content), layout, job.asked_by)
    for piece in pieces(rows[job.rows_done :], PIECE):
        imports.keep(job=job, rows=piece, total=len(rows), lease=LEASE, by=job.asked_by)
        if time.monotonic() - began > TURN and job.rows_done < len(rows):
            imports.pause(job=job)
            return
    imports.finish(job=job)


@shared_task(base=Persistent)
def sweep_imports() -> None:
    """Ring again for files whose ring or worker was lost."""
    for import_id in imports.sweep():
        read_import.delay(import_id)


@shared_task(base=Persistent)
def forget_old_changes() -> int:
    return changes.forget_old()


@shared_task(base=Persistent)
def sweep_files() -> int:
    """Delete what no row names any more."""
    return files.sweep()
