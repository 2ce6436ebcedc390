from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import Count, F, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.models import Enterprise, User
from chains.permissions import is_signed_in
from chains.prepared import Prepared
from chains.views.downloads import download
from chains.views.posted import posted
from chains.views.refusals import refusal
from events import permissions, statistics
from events.forms.questions import AnswersForm
from events.forms.registration import RegistrationForm, delegate_formset
from events.models import Delegate, Event, FormAnswer, FormQuestion, Registration
from events.services import answers, offers, registration, waiting_list

Status = Registration.Status


def panel(
    request: HttpRequest, event: Event, form: RegistrationForm | None = None
) -> dict[str, Any]:
    """Seats, one's own registrations with their place in the queue, and the form for whom can still apply."""
    tiers = list(event.tiers.all())
    mine: list[Registration] = []
    free: list[Enterprise] = []
    if is_signed_in(request.user):
        mine = list(
            event.registrations.filter(enterprise__in=request.user.enterprise_ids)
            .select_related("enterprise", "tier")
            .annotate(
                unnamed=F("seats_held") - Count("delegates", filter=Q(delegates__status="active"))
            )
            .order_by("pk")
        )
        active = {row.enterprise_id for row in mine if row.status not in Registration.ENDED}
        free = [one for one in _editable(request.user) if one.pk not in active]
    ranks = waiting_list.ranks(event, mine)
    if free and not event.is_open_for_registration:
        free = _admitted(event, free)
    if form is None and free:
        form = RegistrationForm(
            event=event,
            enterprises=free,
            questions=_questions(event),
            initial={"accepts_partial": True},
        )
    return {
        "tiers": tiers,
        "guests": statistics.guests(event),
        "seats": sum(tier.seats for tier in tiers),
        "taken": sum(tier.taken for tier in tiers),
        "reserved_free": sum(
            tier.free for tier in tiers if not tier.is_general and tier.released_at is None
        ),
        "general_is_full": any(tier.is_general and not tier.free for tier in tiers),
        "next_release": min(
            (
                tier.reserved_until
                for tier in tiers
                if tier.reserved_until and tier.released_at is None
            ),
            default=None,
        ),
        "awaits_draw": event.awaits_draw,
        "mine": [{"row": row, "rank": ranks.get(row.pk)} for row in mine],
        "form": form,
        "may_edit": {one.pk for one in _editable(request.user)}
        if is_signed_in(request.user)
        else set(),
    }


def _admitted(event: Event, enterprises: list[Enterprise]) -> list[Enterprise]:
    """Those that an invitation lets register although registration is not open."""
    if event.status != Event.Status.PUBLISHED or event.ends_at <= timezone.now():
        return []
    admitted = set(event.invitations.admitting(enterprises).values_list("enterprise", flat=True))
    return [one for one in enterprises if one.pk in admitted]


def _questions(event: Event) -> list[FormQuestion]:
    return list(event.questions.asked()) if event.asks_questions else []


def _editable(user: User) -> list[Enterprise]:
    return [
        membership.enterprise
        for membership in user.active_memberships
        if permissions.can_register(user, membership.enterprise)
    ]


@login_not_required
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, public_id: str) -> HttpResponse:
    event = _asked_for(request, public_id)
    form = None
    if request.method == "POST":
        if not is_signed_in(request.user):
            return redirect_to_login(request.path)
        form = RegistrationForm(
            request.POST,
            request.FILES,
            event=event,
            enterprises=_editable(request.user),
            questions=_questions(event),
        )
        if form.is_valid():
            try:
                row = registration.register(event=event, by=request.user, **form.cleaned_data)
            except DomainError as error:
                if error.is_refusal:
                    return refusal(request, error)
                form.add_error(None, str(error))
            else:
                messages.success(request, _said(row))
                return redirect("events:register", public_id=public_id)
    return render(
        request,
        "events/register.html",
        {"nav": "events", "event": event, **panel(request, event, form)},
        status=422 if form is not None and form.errors else 200,
    )


def _asked_for(request: HttpRequest, public_id: str) -> Event:
    if request.method == "POST":  # in a rush nobody waits for what only the page shows
        event = _PUBLIC.first(public_id)
        if event is None:
            raise Http404
        return event
    rows = Event.objects.public().select_related("level", "region__parent", "host")
    return get_object_or_404(rows, public_id=public_id)


_PUBLIC = Prepared(lambda public_id: Event.objects.public().filter(public_id=public_id), str)


def _said(row: Registration) -> str:
    if row.status == Status.CONFIRMED:
        return _("Confirmed. Seats: %(seats)d.") % {"seats": row.seats_held}
    if row.status == Status.OFFERED:
        return _("Seats are offered to you. Take them before the offer lapses.")
    if row.status == Status.WAITLISTED and row.event.awaits_draw:
        return _("You take part in the draw. Your number stands below.")
    if row.status == Status.WAITLISTED:
        return _("You are on the waiting list. Your place stands below.")
    return _("Registration received. You will be told when it is decided.")


@posted("events:event_list")
def registration_cancel(request: MemberRequest, public_id: str) -> HttpResponse:
    row = get_object_or_404(
        Registration.objects.visible_to(request.user).select_related("event"), public_id=public_id
    )
    try:
        registration.cancel(
            registration=row, by=request.user, reason=request.POST.get("reason", "")
        )
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The registration is cancelled; its seats are free again."))
    return redirect("events:register", public_id=row.event.public_id)


@posted("events:event_list")
def registration_naming(request: MemberRequest, public_id: str) -> HttpResponse:
    """Whether the public reads the name as that of a participant."""
    row = _own(request, public_id)
    wanted = request.POST.get("may_be_named") == "yes"
    try:
        registration.set_naming(registration=row, may_be_named=wanted, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    return redirect("events:register", public_id=row.event.public_id)


@posted("events:event_list")
def registration_accept(request: MemberRequest, public_id: str) -> HttpResponse:
    row = _own(request, public_id)
    try:
        offers.accept(registration=row, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The seats are yours. Name a person for each."))
    return redirect("events:register", public_id=row.event.public_id)


@posted("events:event_list")
def registration_give_back(request: MemberRequest, public_id: str) -> HttpResponse:
    """One seat: that of the person who stays away, or one nobody is named for."""
    row = _own(request, public_id)
    leaving = row.delegates.filter(public_id=request.POST.get("delegate", ""))
    try:
        registration.give_back(registration=row, by=request.user, leaving=list(leaving))
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The seat is given back; it goes to the next in line."))
    return redirect("events:delegate_list", public_id=public_id)


def _own(request: MemberRequest, public_id: str) -> Registration:
    return get_object_or_404(
        Registration.objects.filter(enterprise__in=request.user.enterprise_ids).select_related(
            "event", "enterprise"
        ),
        public_id=public_id,
    )


@login_not_required
@require_http_methods(["GET", "POST"])
def registration_answer(request: HttpRequest, link: str) -> HttpResponse:
    """Where the link of a letter leads: take the offer or leave the list, without signing in."""
    found = permissions.by_link(link)
    if found is None:
        raise Http404
    row, reader = found
    act = _ANSWERS.get(request.POST.get("action", ""))
    if request.method == "POST" and act is not None:
        try:
            row = act(registration=row, by=reader)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
        return redirect("events:registration_answer", link=link)
    answer = render(
        request,
        "events/registration_answer.html",
        {
            "nav": "events",
            "event": row.event,
            "row": row,
            "rank": waiting_list.rank(row),
        },
    )
    # The address is a key: it goes to no other site and into no index.
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


_ANSWERS = {"accept": offers.accept, "leave": registration.cancel}


@require_http_methods(["GET", "POST"])
def registration_answers(request: MemberRequest, public_id: str) -> HttpResponse:
    """What the applicant answered, to be changed until registration closes."""
    row = _own(request, public_id)
    known = list(row.answers.select_related("question", "evidence").order_by("question__order"))
    may_change = answers.may_change(row) and permissions.can_register(request.user, row.enterprise)
    form = AnswersForm(
        request.POST or None, request.FILES or None, questions=_questions(row.event), known=known
    )
    if request.method == "POST" and form.is_valid():
        try:
            answers.change(registration=row, answers=form.cleaned_data["answers"], by=request.user)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Answers saved."))
            return redirect("events:registration_answers", public_id=public_id)
    return render(
        request,
        "events/registration_answers.html",
        {
            "nav": "events",
            "registration": row,
            "event": row.event,
            "form": form if may_change else None,
            "known": known,
        },
        status=422 if form.errors else 200,
    )


@require_safe
def answer_file(request: MemberRequest, public_id: str) -> HttpResponseBase:
    rows = FormAnswer.objects.files_of(request.user).select_related("evidence", "registration")
    answer = get_object_or_404(rows, public_id=public_id)
    assert answer.evidence is not None
    answers.record_view(answer=answer, by=request.user)
    return download(answer.evidence)


@require_http_methods(["GET", "POST"])
def delegate_list(request: MemberRequest, public_id: str) -> HttpResponse:
    row = get_object_or_404(
        Registration.objects.filter(enterprise__in=request.user.enterprise_ids)
        .exclude(status__in=Registration.ENDED)
        .select_related("event", "enterprise"),
        public_id=public_id,
    )
    seats = row.seats_held or row.seats_asked
    active = row.delegates.filter(status=Delegate.Status.ACTIVE).order_by("pk")
    initial = [{"name": one.name, "job_title": one.job_title} for one in active]
    formset = delegate_formset(seats)(request.POST or None, initial=initial[:seats], prefix="d")
    error_text = ""
    if request.method == "POST" and formset.is_valid():
        names = [(data.get("name", ""), data.get("job_title", "")) for data in formset.cleaned_data]
        try:
            registration.save_delegates(registration=row, names=names, by=request.user)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            error_text = str(error)
        else:
            messages.success(request, _("Delegates saved."))
            return redirect("events:delegate_list", public_id=public_id)
    return render(
        request,
        "events/delegate_list.html",
        {
            "nav": "events",
            "registration": row,
            "event": row.event,
            "formset": formset,
            "seats": seats,
            "named": list(active),
            "has_named": bool(active),
            "unnamed": row.seats_held - len(active),
            "may_give_back": row.seats_held > 1 and row.event.status == Event.Status.PUBLISHED,
            "error_text": error_text,
            "may_edit": permissions.can_register(request.user, row.enterprise),
            "is_closed": not row.event.takes_delegates,
        },
        status=422 if error_text or (formset.errors and request.method == "POST") else 200,
    )
