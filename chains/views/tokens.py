from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms.tokens import TokenForm
from chains.http import MemberRequest
from chains.services import tokens
from chains.views.refusals import refusal


@never_cache
@require_http_methods(["GET", "POST"])
@reauthentication_required(allow_get=True, app="allauth.account")  # type: ignore[untyped-decorator]
def api_token(request: MemberRequest) -> HttpResponse:
    """One's own token. The answer to the form holds the key: it is kept nowhere from which a page could take it."""
    key = ""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key = tokens.create(by=request.user, **form.cleaned_data)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
            return redirect("chains:api_token")
    token = tokens.of(request.user)
    context = {
        "key": key,
        "token": token,
        "limit": getattr(token, "limit", None),
        "form": form,
        "may_hold": permissions.can_hold_token(request.user),
    }
    status = 422 if form.errors else 200
    return render(request, "chains/api_token.html", context, status=status)


@require_http_methods(["GET", "POST"])
def api_token_revoke(request: MemberRequest) -> HttpResponse:
    token = tokens.of(request.user)
    if request.method == "GET" and token is not None:
        return render(request, "chains/api_token_revoke.html", {"token": token})
    if request.method == "POST":
        try:
            tokens.revoke(user=request.user, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The token is revoked. Programs that use it are refused."))
    return redirect("chains:api_token")
