from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import search
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Enterprise
from matchmaking.services import merging

_FEW = 10


@require_http_methods(["GET", "POST"])
def enterprise_merge(request: MemberRequest, public_id: str) -> HttpResponse:
    """Which one it is merged into, then what would move and meet its like, then the button."""
    if not request.user.is_administrator:
        raise Http404
    rows = Enterprise.objects.exclude(status=Enterprise.Status.MERGED).select_related(
        "region__parent", "kind"
    )
    loser = get_object_or_404(rows, public_id=public_id)
    into = request.POST.get("into") or request.GET.get("into", "")
    survivor = rows.filter(public_id=into).exclude(pk=loser.pk).first()
    if survivor is None:
        return render(
            request,
            "matchmaking/enterprise_merge.html",
            {
                "loser": loser,
                "q": (q := request.GET.get("q", "").strip()),
                "found": _found(loser, q),
            },
        )
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


def _found(loser: Enterprise, q: str) -> list[Enterprise]:
    """By public id, by number or by a part of the name; at first those whose names are near."""
    rows = Enterprise.objects.exclude(pk=loser.pk).exclude(status=Enterprise.Status.MERGED)
    if not q:
        return [row for row, _reason in search.near_names([loser.name, loser.name_en], rows)]
    by = Q(public_id=q) | Q(number__iexact=q) | Q(name__icontains=q) | Q(name_en__icontains=q)
    return list(rows.filter(by).select_related("region__parent").order_by("sort_key", "pk")[:_FEW])
