from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Consent
from chains.services import consents
from chains.views.posted import posted


@posted("matchmaking:own_data")
def consent_give(request: MemberRequest) -> HttpResponse:
    """For accounts older than the words, and for words that have changed. A number is agreed to with its code."""
    if request.POST.get("purpose") == Consent.Purpose.ACCOUNT:
        consents.give(purpose=Consent.Purpose.ACCOUNT, by=request.user)
        messages.success(request, _("Thank you. It is on record."))
    return redirect("matchmaking:own_data")


@posted("matchmaking:own_data")
def consent_withdraw(request: MemberRequest) -> HttpResponse:
    """One click, from the page of what one agreed to and from that of the number."""
    purpose = request.POST.get("purpose", "")
    if purpose in Consent.Purpose.values:
        try:
            consents.withdraw(purpose=purpose, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Withdrawn, and what was kept for it is deleted."))
    back = "account_change_phone" if request.POST.get("next") == "phone" else "matchmaking:own_data"
    return redirect(back)
