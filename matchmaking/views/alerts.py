"""What a person wants to hear of: saved searches and "For you", each in its rhythm, and the way out of every letter."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.models import Preference
from chains.views.posted import posted
from matchmaking.models import DeadlineFeed, Digest, SavedSearch
from matchmaking.search import RequirementSearch
from matchmaking.services import alerts


@never_cache
@require_http_methods(["GET", "POST"])
def alert_list(request: MemberRequest) -> HttpResponse:
    """The topics with their rhythms; the form sets them all."""
    topics = alerts.topics_of(request.user)
    if request.method == "POST":
        try:
            for topic in topics:
                rhythm = request.POST.get(topic.name, topic.rhythm)
                if rhythm != topic.rhythm:
                    alerts.choose(topic=topic.name, rhythm=rhythm, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved."))
        return redirect("matchmaking:alert_list")
    feed = DeadlineFeed.objects.filter(user=request.user).first()
    context = {
        "topics": topics,
        "rhythms": Preference.Rhythm.choices,
        "calendar": request.build_absolute_uri(feed.path) if feed is not None else "",
    }
    return render(request, "matchmaking/alert_list.html", context)


@posted("matchmaking:requirement_list")
def search_save(request: MemberRequest) -> HttpResponse:
    """Keep the state of the catalogue the form stands on, and go back to it."""
    address = RequirementSearch.at(request.POST.get("query", "")).address
    try:
        alerts.save_search(
            address=address,
            name=request.POST.get("name", ""),
            rhythm=request.POST.get("rhythm", Preference.Rhythm.DAILY),
            by=request.user,
        )
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('matchmaking:requirement_list')}?{address}")
    messages.success(request, _("Saved. You will hear of what is new here."))
    return redirect("matchmaking:alert_list")


@posted("matchmaking:alert_list")
def search_delete(request: MemberRequest, public_id: str) -> HttpResponse:
    search = get_object_or_404(SavedSearch.objects.visible_to(request.user), public_id=public_id)
    alerts.delete_search(search=search, by=request.user)
    messages.success(request, _("Deleted."))
    return redirect("matchmaking:alert_list")


# Posted to by mail programs as well (RFC 8058): the signed address is the right, and no cookie comes along.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def alert_stop(request: HttpRequest, link: str) -> HttpResponse:
    """Shows a button, so that a program that only looks at addresses stops nothing; the button stops."""
    digest = (
        Digest.objects.filter(public_id=Digest.id_of(link) or "").select_related("user").first()
    )
    if digest is None:
        raise Http404
    context: dict[str, Any] = {"is_stopped": request.method == "POST"}
    if request.method == "POST":
        alerts.stop(digest=digest, by=digest.user)
    return render(request, "matchmaking/alert_stop.html", context)
