"""The key with which a person's own programs ask the interface: one each, shown once."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authtoken.models import Token

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import TokenLimit, User


def of(user: User) -> Token | None:
    return Token.objects.select_related("limit").filter(user=user).first()


@transaction.atomic
def create(
    *,
    by: User,
    may_write: bool = True,
    nouns: Collection[str] | None = None,
    ends_on: datetime.date | None = None,
) -> str:
    """The key itself, which nobody shows again: neither a page nor the trail.

    Without `nouns` it reaches all of them, those of later versions too.
    """
    if not permissions.can_hold_token(by):
        raise DomainError(
            _(
                "A token is for owners of a verified enterprise, organisers and administrators. "
                "Ask an owner of your enterprise."
            ),
            code="token.forbidden",
        )
    User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    former = of(by)
    if former is not None and not _is_over(former):
        raise DomainError(
            _("You have a token already. It cannot be shown again; revoke it to create another."),
            code="token.exists",
        )
    _check(nouns, ends_on)
    if former is not None:
        revoke(user=by, by=by)
    token = Token.objects.create(user=by)
    if nouns is not None or ends_on is not None or not may_write:
        known = TokenLimit.Noun.values
        named = [one for one in known if nouns is None or one in nouns]
        TokenLimit.objects.create(token=token, may_write=may_write, nouns=named, ends_on=ends_on)
    audit.record(
        by,
        "token.created",
        by,
        may_write=may_write,
        nouns=None if nouns is None else sorted(nouns),
        ends_on=ends_on and ends_on.isoformat(),
    )
    changes.record("token", by, "created")
    return str(token.key)


def _is_over(token: Token) -> bool:
    limit: TokenLimit | None = getattr(token, "limit", None)
    return limit is not None and limit.is_over


def _check(nouns: Collection[str] | None, ends_on: datetime.date | None) -> None:
    if nouns is not None and (not nouns or not set(nouns) <= set(TokenLimit.Noun.values)):
        raise DomainError(_("Choose what the token is for."), code="token.nouns")
    if ends_on is not None and ends_on < timezone.localdate():
        raise DomainError(_("Choose a last day that has not passed."), code="token.ends_on")


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
