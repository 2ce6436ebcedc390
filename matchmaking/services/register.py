"""Verbs of the register that touch what the packages above keep."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import partial

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from chains import audit, changes, notifications
from chains.errors import DomainError
from chains.models import AuditEntry, Consent, Contact, Enterprise, Membership, Requirement, User
from events.models import Delegate, Event
from matchmaking import personal

# --- Erasing a person ---------------------------------------------------------------------------------

# Where an erased account's address stands: the name of a host that cannot exist.
NOWHERE = "erased.invalid"
_GONE = "—"


@dataclass(frozen=True, slots=True)
class Effect:
    """What erasing does to the rows of one table."""

    what: Promise | str
    count: int
    erasing: str
    note: Promise | str


@dataclass(frozen=True, slots=True)
class Erasure:
    """What would happen, before it happens."""

    effects: list[Effect]
    contacts: list[Contact]
    # As whom the person was sent to events: the names of those that are over go, of the others the enterprise decides.
    delegates: list[Delegate]
    delegates_ahead: list[Delegate]
    # Published requirements whose contact goes: somebody has to name another.
    requirements: list[Requirement]
    # Enterprises without another owner: each stands in the way.
    alone: list[Enterprise]


def preview_erasure(*, by: User) -> Erasure:
    effects = [
        Effect(table.what, count, table.erasing, table.note or "")
        for table in personal.TABLES
        if (count := personal.rows_of(table, by).count())
    ]
    trail = AuditEntry.objects.filter(actor=by.pk).count()
    if trail:
        effects.append(
            Effect(
                _("What you did"),
                trail,
                personal.KEPT,
                _(
                    "The trail names a number, never a person; it is kept so that decisions can be traced."
                ),
            )
        )
    contacts = list(personal.contacts_of(by))
    return Erasure(
        effects=effects,
        contacts=contacts,
        delegates=list(_sent_to(by).filter(event__status__in=_OVER)),
        delegates_ahead=list(_sent_to(by).exclude(event__status__in=_OVER)),
        requirements=list(
            Requirement.objects.filter(
                contact__in=contacts, status=Requirement.Status.PUBLISHED
            ).order_by("pk")
        ),
        alone=_owned_alone(by),
    )


@transaction.atomic
def erase(*, by: User) -> User:
    """Erase oneself: nothing personal is left in the row, and what stays leads to it. The last owner stays."""
    own = Membership.objects.filter(user=by).values("enterprise")
    # The owners of these wait for each other, as in all services that end a membership.
    list(Enterprise.objects.select_for_update(of=("self",)).filter(pk__in=own).order_by("pk"))
    user = User.objects.select_for_update().get(pk=by.pk)
    if user.erased_at is not None:
        raise DomainError(_("This account has been erased already."), code="user.erased")
    alone = _owned_alone(user)
    if alone:
        raise DomainError(
            _(
                "You are the only owner of %(names)s. Make somebody else an owner first, or ask the desk to suspend the enterprise."
            )
            % {"names": ", ".join(row.name for row in alone)},
            code="user.last_owner",
        )
    if user.is_administrator and not (
        User.objects.filter(is_staff=True, is_active=True).exclude(pk=user.pk).exists()
    ):
        raise DomainError(
            _("You are the only administrator. Make somebody else one first."),
            code="user.last_administrator",
        )
    address, language = user.email, user.language
    _end_what_the_person_was(user)
    _blank_delegates(user)  # found by the names of the contacts
    _blank_contacts(user)
    _end_sessions(user)
    for table in personal.TABLES:
        if table.erasing == personal.DELETED:
            _delete(personal.rows_of(table, user))
    _blank(user)
    audit.record(by, "user.erased", user)
    changes.record("user", user, "erased")
    transaction.on_commit(partial(_say_so, address, language), robust=True)
    return user


def _owned_alone(user: User) -> list[Enterprise]:
    """Enterprises that would be left without an owner; one that is suspended or merged needs none."""
    owners = Membership.objects.acting_owners().filter(enterprise=models.OuterRef("pk"))
    return list(
        Enterprise.objects.filter(models.Exists(owners.filter(user=user)))
        .exclude(models.Exists(owners.exclude(user=user)))
        .exclude(status__in=[Enterprise.Status.SUSPENDED, Enterprise.Status.MERGED])
        .order_by("pk")
    )


def _end_what_the_person_was(user: User) -> None:
    lasting = [Membership.Status.ACTIVE, Membership.Status.REQUESTED]
    for membership in user.memberships.filter(status__in=lasting).select_related("enterprise"):
        membership.status = Membership.Status.ENDED
        membership.save(update_fields=["status", "updated_at"])
        audit.record(
            user, "membership.ended", membership, enterprise=membership.enterprise.public_id
        )
        changes.record("membership", membership, "ended")
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    for role in user.organiser_role_rows.exclude(valid_until_on__lte=yesterday):
        role.valid_until_on = yesterday
        role.save(update_fields=["valid_until_on", "updated_at"])
        audit.record(user, "role.ended", role, role=role.role)
        changes.record("role", role, "ended")
    Consent.objects.in_force().filter(user=user).update(withdrawn_at=timezone.now())
    user.groups.clear()
    user.user_permissions.clear()


# Nobody is let in any more, and the figures count rows, not names.
_OVER = (Event.Status.HELD, Event.Status.ARCHIVED, Event.Status.CANCELLED)


def _sent_to(user: User) -> models.QuerySet[Delegate]:
    return personal.delegates_of(user).select_related("event", "registration__enterprise")


def _blank_delegates(user: User) -> None:
    for delegate in _sent_to(user).filter(event__status__in=_OVER):
        delegate.name, delegate.job_title = _GONE, ""
        delegate.save(update_fields=["name", "job_title", "updated_at"])
        audit.record(user, "delegate.erased", delegate, event=delegate.event.public_id)
        changes.record("delegate", delegate, "erased")


def _blank_contacts(user: User) -> None:
    for contact in personal.contacts_of(user):
        contact.name = contact.wechat = _GONE  # a contact without any way to reach it cannot stand
        contact.job_title = contact.phone = contact.email = ""
        contact.is_active = False
        contact.save()
        audit.record(user, "contact.erased", contact, enterprise=contact.enterprise.public_id)
        changes.record("contact", contact, "erased")
        for editor in User.objects.editors_of([contact.enterprise_id]).exclude(pk=user.pk):
            notifications.post(editor, "contact_erased", enterprise=contact.enterprise.public_id)


def _end_sessions(user: User) -> None:
    """Those on record; the others end with the password, which is part of their key."""
    keys = UserSession.objects.filter(user=user.pk).values("session_key")
    Session.objects.filter(session_key__in=keys).delete()


def _delete(rows: models.QuerySet[models.Model]) -> None:
    """Alerts before the letters that tell of them: TABLES names them in this order."""
    rows.delete()


def _blank(user: User) -> None:
    user.email = f"{user.public_id}@{NOWHERE}"
    user.phone = ""
    user.set_unusable_password()
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.erased_at = timezone.now()
    user.save()
    user.forget_memberships()


def _say_so(address: str, language: str) -> None:
    letter = "account_erased"
    with notifications.in_language(language):
        send_mail(
            render_to_string(f"emails/{letter}.subject.txt").strip(),
            render_to_string(f"emails/{letter}.txt"),
            None,
            [address],
        )
