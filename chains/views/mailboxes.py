from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from chains.http import MemberRequest
from chains.services import mailboxes
from chains.views.posted import posted


@posted("account_email")
def mailbox_restore(request: MemberRequest) -> HttpResponse:
    mailboxes.restore(by=request.user)
    messages.success(request, _("Thank you. Letters go there again."))
    return redirect("account_email")
