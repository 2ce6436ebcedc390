"""The key with which a person's own programs ask the interface: one each, shown once."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.authtoken.models import Token

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import User


def of(user: User) -> Token | None:
    return Token.objects.filter(user=user).first()


@transaction.atomic
def create(*, by: User) -> str:
    """The key itself, which nobody shows again: neither a page nor the trail."""
    if not permissions.can_hold_token(by):
        raise DomainError(
            _(
                "A token is for owners of a verified enterprise, organisers and administrators. "
                "Ask an owner of your enterprise."
            ),
            code="token.forbidden",
        )
    User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    if of(by) is not None:
        raise DomainError(
            _("You have a token already. It cannot be shown again; revoke it to create another."),
            code="token.exists",
        )
    token = Token.objects.create(user=by)
    audit.record(by, "token.created", by)
    changes.record("token", by, "created")
    return str(token.key)


@transaction.atomic
def end_with_password(*, by: User) -> None:
    """Whoever knew the former password may have made the token, or read it: it ends with the password."""
    if of(by) is None:
        return
    revoke(user=by, by=by)
    notifications.post(by, "token_ended")


@transaction.atomic
def revoke(*, user: User, by: User) -> None:
    """From now on the key opens nothing. One's own, or anybody's for an administrator."""
    if user.pk != by.pk and not by.is_administrator:
        raise DomainError(
            _("Only an administrator revokes the token of somebody else."), code="token.forbidden"
        )
    deleted, _rows = Token.objects.filter(user=user).delete()
    if not deleted:
        raise DomainError(_("There is no token to revoke."), code="token.none")
    audit.record(by, "token.revoked", user)
    changes.record("token", user, "revoked")
