"""What other programs look at again and again: the catalogue as a feed, a person's deadlines as a calendar."""

from __future__ import annotations

import datetime
import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import feedgenerator, timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chains import fragments, notifications
from chains.calendar import midnight
from chains.http import HttpRequest, MemberRequest
from chains.models import Change, Requirement
from chains.templatetags.localised import day, is_chinese, localised
from chains.views.posted import posted
from matchmaking.calendar import deadlines_of
from matchmaking.models import DeadlineFeed
from matchmaking.search import without_controls
from matchmaking.services import alerts
from matchmaking.views.filters import RequirementFilters

ENTRIES = 50


@login_not_required
@require_safe
def requirement_feed(request: HttpRequest) -> HttpResponseBase:
    """The newest open requirements of any state of the catalogue, by the same address. The same for everybody."""
    filters = RequirementFilters(request)
    asked = hashlib.sha256(filters.address.encode()).hexdigest()
    key = f"atom:{translation.get_language()}:{request.get_host()}:{asked}"
    text = fragments.since_last_fact(key, lambda: _atom(request, filters))
    return _conditional(request, text, "application/atom+xml; charset=utf-8")


def _atom(request: HttpRequest, filters: RequirementFilters) -> str:
    page = request.build_absolute_uri(
        f"{reverse('matchmaking:requirement_list')}?{filters.address}"
    )
    feed = feedgenerator.Atom1Feed(
        title=f"{filters.name} · {_('ChainDock')}",
        link=page,
        description=_("Requirements"),
        language="zh-Hans" if is_chinese() else "en",
        feed_url=request.build_absolute_uri(f"{request.path}?{filters.address}"),
    )
    rows = filters.filtered().select_related("enterprise").order_by("-published_at", "-pk")
    for row in rows[:ENTRIES]:
        address = request.build_absolute_uri(
            reverse("matchmaking:requirement_detail", args=[row.public_id])
        )
        until = _("interests until %(day)s") % {"day": day(row.closes_on)} if row.closes_on else ""
        feed.add_item(
            title=without_controls(row.title),
            link=address,
            unique_id=address,
            description=without_controls(" · ".join(filter(None, [row.summary, until]))),
            author_name=without_controls(localised(row.enterprise)),
            pubdate=row.published_at,
            updateddate=_updated(row),
        )
    return feed.writeString("utf-8")


def _updated(row: Requirement) -> datetime.datetime:
    return max(at for at in (row.published_at, row.amended_at, row.created_at) if at is not None)


@posted("matchmaking:alert_list")
def calendar_renew(request: MemberRequest) -> HttpResponse:
    alerts.renew_calendar(by=request.user)
    messages.success(request, _("The address of your calendar is new. An older one opens nothing."))
    return redirect(f"{reverse('matchmaking:alert_list')}#calendar")


@login_not_required
@require_safe
def deadlines(request: HttpRequest, key: str) -> HttpResponseBase:
    """Whoever has the address reads it: calendars cannot sign in. It names no contacts and no messages."""
    feed = DeadlineFeed.at(key)
    if feed is None:
        raise Http404
    with notifications.in_language(feed.user.language):
        text = deadlines_of(feed.user)
    answer = _conditional(request, text, "text/calendar; charset=utf-8")
    answer["Cache-Control"] = "private, no-cache"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _conditional(request: HttpRequest, text: str, content_type: str) -> HttpResponseBase:
    """304 for whoever has this text. By the clock alone it is new with every fact: what went leaves no date behind."""
    last = Change.objects.order_by("-pk").values_list("at", flat=True).first()
    today = midnight(timezone.localdate())
    modified = int(max(last or today, today).timestamp())
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    answer = HttpResponse(text, content_type=content_type)
    answer["ETag"] = etag
    found = get_conditional_response(request, etag, modified, answer) or answer
    found["Last-Modified"] = http_date(modified)
    return found
