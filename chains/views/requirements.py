from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chains import moderation, permissions, versions
from chains.errors import DomainError
from chains.forms import requirement_order
from chains.forms.requirement_rows import ROWS, blank_row
from chains.forms.requirements import Posting
from chains.http import MemberRequest
from chains.models import Contact, Enterprise, Period, Project, Requirement, new_public_id
from chains.services import contacts, projects, requirement_drafts, requirements
from chains.views.posted import posted
from chains.views.refusals import refusal


def own_requirement(request: MemberRequest, public_id: str) -> Requirement:
    """One that the user may act on: an own one, for those who may post for its enterprise."""
    return get_object_or_404(
        Requirement.objects.own(request.user)
        .filter(enterprise__in=permissions.bodies_of(request.user))
        .select_related(
            "enterprise__region",
            "posted_by",
            "region__parent__parent",
            "chain",
            "project",
            "contact",
        ),
        public_id=public_id,
    )


@require_http_methods(["GET", "POST"])
def requirement_create(request: MemberRequest) -> HttpResponse:
    bodies = permissions.bodies_of(request.user)
    if not bodies:
        messages.info(request, _("Register your enterprise first, or ask to join it."))
        return redirect("chains:enterprise_join")
    asked = request.POST.get("for") or request.GET.get("for")
    enterprise = next((body for body in bodies if body.public_id == asked), bodies[0])
    draft_id = request.POST.get("draft", "")
    already = Requirement.objects.filter(public_id=draft_id, enterprise__in=bodies).first()
    if already is not None:  # the second of two clicks
        return redirect("chains:requirement_edit", public_id=already.public_id)
    return _edit(request, enterprise, None, {"bodies": bodies, "draft_id": draft_id})


@require_http_methods(["GET", "POST"])
def requirement_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = own_requirement(request, public_id)
    if requirement.status == Requirement.Status.SUBMITTED:
        messages.info(
            request, _("The desk is looking at it. It can be changed when it comes back.")
        )
        return redirect("chains:requirement_history", public_id=public_id)
    if requirement.status == Requirement.Status.CLOSED:
        messages.info(request, _("It is closed. Make a copy to post it again."))
        return redirect("chains:requirement_history", public_id=public_id)
    return _edit(request, requirement.enterprise, requirement, {})


def _edit(
    request: MemberRequest,
    enterprise: Enterprise,
    requirement: Requirement | None,
    extra: dict[str, Any],
) -> HttpResponse:
    data: QueryDict | None = request.POST if request.method == "POST" else None
    if data is not None and any(verb in data for verb in requirement_order.VERBS):
        data = requirement_order.rearranged(data)
    amends = requirement is not None and requirement.is_accepted
    posting = Posting(
        data,
        enterprise=enterprise,
        by=request.user,
        requirement=requirement,
        is_final=amends or "submit" in request.POST,
    )
    faults: list[tuple[str, str]] = []
    meanwhile: list[str] = []
    if data is not None and _rows_only(posting, request):
        posting.keep()
    elif data is not None:
        if posting.is_valid():
            try:
                saved = _save(posting, request, amends=amends)
            except DomainError as error:
                if error.is_refusal:
                    return refusal(request, error)
                posting.form.add_error(None, str(error))
                meanwhile = _meanwhile(posting, error)
            else:
                return _after(request, saved, posting)
        faults = posting.faults()
    context = extra | {
        "posting": posting,
        "periods": Period.choices,
        # Shown what changed meanwhile, a second save is a knowing one.
        "seen": _seal(requirement, "" if meanwhile else request.POST.get("seen", "")),
        "meanwhile": meanwhile,
        "form": posting.form,
        "enterprise": enterprise,
        "requirement": requirement,
        "faults": faults,
        "amends": requirement is not None and requirement.is_accepted,
        "can_submit": enterprise.is_verified,
        "remarks": requirement.open_remarks if requirement else [],
        "nav": "my_requirements",
    }
    context["draft_id"] = context.get("draft_id") or new_public_id()
    return render(request, "chains/requirement_form.html", context, status=422 if faults else 200)


def _seal(requirement: Requirement | None, seen: str) -> str:
    """What the form was opened on: kept while it comes back for a mistake or a row."""
    if seen or requirement is None:
        return seen
    return versions.seal(versions.of_requirement(requirement))


def _meanwhile(posting: Posting, error: DomainError) -> list[str]:
    if error.code != "requirement.stale" or posting.requirement is None:
        return []
    posting.requirement.refresh_from_db()
    found = posting.meanwhile(posting.requirement, error.params["changed"])
    return found or [_("What changed reads as you typed it.")]


def _rows_only(posting: Posting, request: MemberRequest) -> bool:
    """A button that changes the rows or searches: the page comes back as typed, nothing is judged."""
    if (kind := request.POST.get("add", "")) in ROWS:
        posting.add(kind)
        return True
    if name := request.POST.get("remove"):
        posting.remove(name)
        return True
    kept = ("region_find", "open", "switch", *requirement_order.VERBS)
    return any(name in request.POST for name in kept)


@transaction.atomic
def _save(posting: Posting, request: MemberRequest, *, amends: bool) -> Requirement:
    fields: dict[str, Any] = posting.fields() | {
        "project": _project(posting, request),
        "contact": _contact(posting, request),
        "lines": posting.line_drafts(),
        "conditions": posting.condition_drafts(),
        "questions": posting.form.questions,
        "seen": request.POST.get("seen", ""),
    }
    if amends and posting.requirement is not None:
        return requirements.amend(requirement=posting.requirement, by=request.user, **fields)
    if posting.requirement is None:
        fields["public_id"] = request.POST.get("draft", "")
    saved = requirement_drafts.save(
        enterprise=posting.enterprise,
        requirement=posting.requirement,
        by=request.user,
        **fields,
    )
    if "submit" in request.POST:
        return requirements.submit(requirement=saved, by=request.user)
    return saved


def _project(posting: Posting, request: MemberRequest) -> Project | None:
    if not posting.wants_project:
        return posting.form.chosen_project
    return projects.save(
        enterprise=posting.enterprise, by=request.user, **posting.project.fields_of_project()
    )


def _contact(posting: Posting, request: MemberRequest) -> Contact | None:
    if not posting.brings_contact:
        return posting.form.chosen_contact
    return contacts.save_contact(
        enterprise=posting.enterprise, by=request.user, **posting.new_contact.cleaned_data
    )


def _after(request: MemberRequest, saved: Requirement, posting: Posting) -> HttpResponse:
    for sentence in posting.warnings():
        messages.warning(request, sentence)
    if saved.status == Requirement.Status.SUBMITTED:
        messages.success(request, _("Submitted. The desk answers within three working days."))
        return redirect("matchmaking:requirement_desk", public_id=saved.public_id)
    if saved.amended_at is not None:
        messages.success(request, _("Amended. Everybody sees the new text from now on."))
        return redirect("matchmaking:requirement_desk", public_id=saved.public_id)
    messages.success(request, _("Draft saved. Only your colleagues can see it."))
    return redirect("chains:requirement_edit", public_id=saved.public_id)


@require_GET
def requirement_row(request: MemberRequest) -> HttpResponse:
    """One more row for the form. Its index is one above those the page has."""
    kind = request.GET.get("kind", "")
    if kind not in ROWS:
        return HttpResponse(status=400)
    known = [
        int(i) for i in request.GET.getlist(kind) if i.isascii() and i.isdigit() and len(i) < 5
    ]
    given = request.GET.get("index", "")
    index = (
        int(given)
        if given.isascii() and given.isdigit() and len(given) < 5
        else max(known, default=-1) + 1
    )
    row = blank_row(kind, index)
    context = {"row": row, "place": len(known) + 1}
    return render(request, f"chains/requirement_form.html#{kind}", context)


@posted("matchmaking:requirement_desk", "public_id")
def requirement_submit(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = own_requirement(request, public_id)
    try:
        requirements.submit(requirement=requirement, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
        return redirect("chains:requirement_edit", public_id=public_id)
    messages.success(request, _("Submitted. The desk answers within three working days."))
    return redirect("matchmaking:requirement_desk", public_id=public_id)


@require_http_methods(["GET", "POST"])
def requirement_close(request: MemberRequest, public_id: str) -> HttpResponse:
    """End it, after a page that says what that means and asks how it ended."""
    requirement = own_requirement(request, public_id)
    outcome, note = request.POST.get("outcome", ""), request.POST.get("note", "")
    # What a desk has not approved had no time to end in any way.
    unsaid = request.method == "POST" and requirement.is_accepted and not outcome
    if request.method == "POST" and not unsaid:
        try:
            requirements.withdraw(
                requirement=requirement, by=request.user, note=note, outcome=outcome
            )
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
        else:
            messages.success(request, _("Closed. It is no longer shown to suppliers."))
        return redirect("matchmaking:my_requirements")
    context = {
        "requirement": requirement,
        "outcomes": Requirement.Outcome.choices,
        "outcome": outcome,
        "note": note,
        "unsaid": unsaid,
        "nav": "my_requirements",
    }
    status = 422 if unsaid else 200
    return render(request, "chains/requirement_close.html", context, status=status)


@require_http_methods(["GET", "POST"])
def requirement_delete(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = own_requirement(request, public_id)
    if request.method == "POST":
        try:
            requirement_drafts.delete(requirement=requirement, by=request.user)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
        else:
            messages.success(request, _("The draft has been deleted."))
        return redirect("matchmaking:my_requirements")
    context = {"requirement": requirement, "nav": "my_requirements"}
    return render(request, "chains/requirement_delete.html", context)


@posted("matchmaking:requirement_desk", "public_id")
def requirement_copy(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = own_requirement(request, public_id)
    try:
        draft = requirement_drafts.copy(requirement=requirement, by=request.user)
    except DomainError as error:
        return refusal(request, error)
    messages.success(request, _("This is a copy. Choose its dates, then submit it."))
    if draft.files.count() < requirement.files.standing().count():
        messages.warning(
            request,
            _("Not all files went along: your open requirements have no more room for them."),
        )
    return redirect("chains:requirement_edit", public_id=draft.public_id)


@require_GET
def requirement_history(
    request: MemberRequest, public_id: str, desk: permissions.Desk
) -> HttpResponse:
    """What happened to it, for its owner and its desk: states, remarks, who by role only."""
    visible = Requirement.objects.own(request.user) | Requirement.objects.filter(
        pk__in=desk.requirements(request.user).values("pk")
    )
    requirement = get_object_or_404(
        visible.select_related("enterprise__region__parent", "posted_by"), public_id=public_id
    )
    context = {
        "requirement": requirement,
        "events": moderation.history_of(requirement),
        "is_own": permissions.can_post_for(request.user, requirement.enterprise),
        "nav": "my_requirements",
    }
    return render(request, "chains/requirement_history.html", context)
