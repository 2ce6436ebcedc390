from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import permissions, search
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Enterprise, User
from matchmaking.services import merging

_FEW = 10


@require_http_methods(["GET", "POST"])
def enterprise_merge(request: MemberRequest, public_id: str) -> HttpResponse:
    """Which one it is merged into, then what would move and meet its like, then the button.

    A desk gets as far as choosing, and proposes it to the administrators.
    """
    rows = _rows(request.user)
    loser = get_object_or_404(rows, public_id=public_id)
    if not permissions.can_verify(request.user, loser):
        raise Http404
    into = request.POST.get("into") or request.GET.get("into", "")
    survivor = rows.filter(public_id=into).exclude(pk=loser.pk).first()
    if survivor is None:
        return render(
            request,
            "matchmaking/enterprise_merge.html",
            {
                "loser": loser,
                "q": (q := request.GET.get("q", "").strip()),
                "found": _found(rows.exclude(pk=loser.pk), loser, q),
            },
        )
    if not request.user.is_administrator:
        return _propose(request, loser, survivor)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        try:
            merging.merge(loser=loser, survivor=survivor, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Merged. The old address leads to the one kept."))
            return redirect("chains:enterprise_case", public_id=survivor.public_id)
    try:
        report = merging.preview(loser=loser, survivor=survivor, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("matchmaking:enterprise_merge", public_id=public_id)
    return render(
        request,
        "matchmaking/enterprise_merge.html",
        {
            "loser": loser,
            "survivor": survivor,
            "report": report,
            "unsure": request.method == "POST",
        },
    )


def _propose(request: MemberRequest, loser: Enterprise, survivor: Enterprise) -> HttpResponse:
    if request.method == "POST":
        try:
            merging.propose(loser=loser, survivor=survivor, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Proposed to the administrators."))
            return redirect("chains:enterprise_case", public_id=loser.public_id)
    return render(
        request,
        "matchmaking/enterprise_merge.html",
        {"loser": loser, "survivor": survivor, "proposes": True},
    )


def _rows(user: User) -> QuerySet[Enterprise]:
    """All for the administrator; for a desk those it may see anyway."""
    rows = Enterprise.objects.exclude(status=Enterprise.Status.MERGED)
    if not user.is_administrator:
        seen = Enterprise.objects.visible_to(user).values("pk")
        desk = Enterprise.objects.in_scope_of(user).values("pk")
        rows = rows.filter(Q(pk__in=seen) | Q(pk__in=desk))
    return rows.select_related("region__parent", "kind")


def _found(rows: QuerySet[Enterprise], loser: Enterprise, q: str) -> list[Enterprise]:
    """By public id, by number or by a part of the name; at first those whose names are near."""
    if not q:
        return [row for row, _reason in search.near_names([loser.name, loser.name_en], rows)]
    by = Q(public_id=q) | Q(number__iexact=q) | Q(name__icontains=q) | Q(name_en__icontains=q)
    return list(rows.filter(by).order_by("sort_key", "pk")[:_FEW])
