"""Keys of programs: who one is by them, and how far each reaches. Named in the settings, so it imports no views."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from chains.models import TokenLimit, User

Noun = TokenLimit.Noun
# What stands in no row is the shipped register, which every key reads; a test holds that.
REACH = {
    Noun.ENTERPRISES: "enterprises memberships member-invitations mandates group-proposals evidence"
    " qualifications certifications title-lists",
    Noun.CAPABILITIES: "capabilities",
    Noun.REQUIREMENTS: "requirements projects",
    Noun.INTERESTS: "interests",
    Noun.MATCHES: "matches runs weightings",
    Noun.EVENTS: "events programmes series registrations",
    Noun.IMPORTS: "imports",
    Noun.NOTICES: "notices searches topics reports",
}
NOUN_OF = {f"api-{prefix}": noun for noun, row in REACH.items() for prefix in row.split()}


class LimitedTokenAuthentication(TokenAuthentication):
    """A key that was made for less reaches no further.

    It is told here and not in a permission: those are named anew by many views, this by none.
    """

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        found: tuple[User, Token] | None = super().authenticate(request)
        if found is not None:
            limit: TokenLimit | None = getattr(found[1], "limit", None)
            if limit is not None:
                _check(limit, request)
        return found

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        # With its limit in one query.
        token = Token.objects.select_related("user", "limit").filter(key=key).first()
        if token is None:
            raise exceptions.AuthenticationFailed(_("There is no such token."))
        if not token.user.is_active:
            raise exceptions.AuthenticationFailed(_("The account of this token is closed."))
        return token.user, token


def _check(limit: TokenLimit, request: Request) -> None:
    if limit.is_over:
        raise exceptions.AuthenticationFailed(
            _("The last day of this token has passed. Make another in your account.")
        )
    if request.method not in SAFE_METHODS and not limit.may_write:
        raise exceptions.PermissionDenied(_("This token may only read."))
    noun = NOUN_OF.get(getattr(request.parser_context.get("view"), "basename", ""))
    if noun is not None and noun not in limit.nouns:
        raise exceptions.PermissionDenied(
            _("This token was not made for “%(noun)s”.") % {"noun": noun.label}
        )
