from __future__ import annotations

from django.http import HttpRequest

from chains.models import Enterprise


def acting_enterprise(request: HttpRequest) -> Enterprise | None:
    """In whose name the person looks and sends: the one named by `as`, else the first one joined."""
    own = [membership.enterprise for membership in getattr(request.user, "active_memberships", ())]
    named = request.POST.get("as") or request.GET.get("as")
    return next((one for one in own if one.public_id == named), own[0] if own else None)
