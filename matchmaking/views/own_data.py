"""What is kept about the reader: as a page, as a file, and its end."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Consent
from chains.services import consents
from matchmaking import personal
from matchmaking.services import register

# Rows of each table on the page; the file holds all.
SHOWN = 100


@never_cache
@require_GET
def own_data(request: MemberRequest) -> HttpResponse:
    """Every table with what it is for; the newest rows open on the page, where nothing can be downloaded too."""
    sections: list[dict[str, Any]] = [
        section
        | {
            "text": json.dumps(section["rows"][:SHOWN], ensure_ascii=False, indent=1),
            "shown": SHOWN if len(section["rows"]) > SHOWN else None,
        }
        for section in personal.file_of(request.user, newest=SHOWN + 1)["sections"]
        if section["rows"]
    ]
    notice = consents.NOTICES[Consent.Purpose.ACCOUNT]
    now = Consent.objects.in_force().filter(
        user=request.user, purpose=Consent.Purpose.ACCOUNT, version=notice.version
    )
    given = Consent.objects.filter(user=request.user).order_by("-created_at", "-pk")
    return render(
        request,
        "matchmaking/own_data.html",
        {
            "sections": sections,
            "to_agree": None if now.exists() else notice,
            "consents": [
                (row, words, words.recipient if row.version == words.version else row.recipient)
                for row in given
                for words in (consents.NOTICES[Consent.Purpose(row.purpose)],)
            ],
        },
    )


@never_cache
@require_GET
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]
def own_data_file(request: MemberRequest) -> HttpResponse:
    text = json.dumps(personal.file_of(request.user), ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="chaindock-my-data.json"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]
def account_erase(request: MemberRequest) -> HttpResponse:
    """What goes, what stays and why; then the button."""
    if request.method == "POST" and request.POST.get("sure") == "yes":
        try:
            register.erase(by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("matchmaking:account_erase")
        logout(request)
        messages.success(request, _("Your account has been erased."))
        return redirect("home")
    erasure = register.preview_erasure(by=request.user)
    return render(
        request,
        "matchmaking/account_erase.html",
        {
            "erasure": erasure,
            "goes": [e for e in erasure.effects if e.erasing != personal.KEPT],
            "stays": [e for e in erasure.effects if e.erasing == personal.KEPT],
            "unsure": request.method == "POST",
        },
    )


@login_not_required
@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept about whoever has an account, from the register of fields itself."""
    return render(
        request,
        "matchmaking/privacy.html",
        {
            "tables": personal.TABLES,
            "notices": [
                (Consent.Purpose(purpose), notice) for purpose, notice in consents.NOTICES.items()
            ],
        },
    )
