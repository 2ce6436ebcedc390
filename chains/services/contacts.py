from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes, permissions
from chains.errors import GIVEN, DomainError
from chains.models import Contact, Enterprise, User

FIELDS = ("name", "job_title", "phone", "email", "wechat")


@transaction.atomic
def save_contact(
    *, enterprise: Enterprise, by: User, contact: Contact | None = None, **fields: Any
) -> Contact:
    """Add or change how to reach somebody at the enterprise."""
    if not permissions.can_edit(by, enterprise):
        raise _forbidden()
    if contact is not None and contact.enterprise_id != enterprise.pk:
        raise _forbidden()
    is_new = contact is None
    contact = contact or Contact(enterprise=enterprise)
    for field, value in fields.items():
        if field not in FIELDS:
            raise TypeError(f"no field of a contact: {field}")
        setattr(contact, field, value.strip())
    try:
        contact.full_clean(exclude=GIVEN)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), code="contact.incomplete") from error
    contact.save()
    # The trail names the fields, never what stands in them.
    verb = "added" if is_new else "changed"
    audit.record(
        by, f"contact.{verb}", contact, enterprise=enterprise.public_id, fields=sorted(fields)
    )
    changes.record("contact", contact, verb)
    return contact


@transaction.atomic
def retire_contact(*, contact: Contact, by: User) -> Contact:
    """No longer offered for new requirements; what was opened stays in the log."""
    if not permissions.can_edit(by, contact.enterprise):
        raise _forbidden()
    contact.is_active = False
    contact.save(update_fields=["is_active", "updated_at"])
    audit.record(by, "contact.retired", contact, enterprise=contact.enterprise.public_id)
    changes.record("contact", contact, "retired")
    return contact


def _forbidden() -> DomainError:
    return DomainError(
        _("Only the owner and the editors of the enterprise can do this."),
        code="contact.forbidden",
    )
