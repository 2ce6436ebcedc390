from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from chains import calendar, moderation, permissions
from chains.errors import DomainError
from chains.forms.moderation import RemarkForm
from chains.http import MemberRequest
from chains.models import Condition, Remark, Requirement, RequirementLine, User
from chains.services import requirements
from chains.services.requirements import RemarkDraft
from chains.views.refusals import refusal


def waiting(user: User, desk: permissions.Desk) -> list[str]:
    """The queue of the user's desks: public ids."""
    return [requirement.public_id for requirement in desk.submitted(user)]


@require_http_methods(["GET", "POST"])
def moderation_case(request: MemberRequest, public_id: str, desk: permissions.Desk) -> HttpResponse:
    requirement = get_object_or_404(
        desk.requirements(request.user)
        .select_related(
            "enterprise__region__parent",
            "posted_by",
            "project",
            "chain",
            "docking_kind",
            "region__parent",
        )
        .prefetch_related("conditions", "questions"),
        public_id=public_id,
    )
    if not desk.may_moderate(request.user, requirement):
        sentence = _(
            "Only the desk of the enterprise's region decides this, and nobody in their own case."
        )
        return refusal(request, DomainError(sentence, code="requirement.forbidden"))
    lines = _lines(requirement)
    data = request.POST if request.method == "POST" else None
    rows = [(line, RemarkForm(data, prefix=f"remark-{line.public_id}")) for line in lines]
    whole = RemarkForm(data, prefix="remark")
    fault = ""
    if data is not None:
        try:
            sentence = _decide(request, requirement, _drafts(rows, whole), desk)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            fault = str(error)
        else:
            messages.success(request, sentence)
            return _next(request, desk)
    return _page(request, requirement, rows, whole, fault, desk)


def _lines(requirement: Requirement) -> list[RequirementLine]:
    own = Prefetch("conditions", Condition.objects.order_by("pk"))
    former = Prefetch("remarks", Remark.objects.order_by("-pk"))
    return list(
        requirement.lines.select_related("category", "category_suggested", "unit")
        .prefetch_related(own, former)
        .order_by("number")
    )


def _drafts(
    rows: Sequence[tuple[RequirementLine, RemarkForm]], whole: RemarkForm
) -> list[RemarkDraft]:
    forms = [*((form, line) for line, form in rows), (whole, None)]
    if not all(form.is_valid() for form, _line in forms):
        raise DomainError(
            _("A remark is longer than 500 characters. Shorten it."), code="remark.long"
        )
    drafts = [form.draft(line) for form, line in forms]
    return [draft for draft in drafts if draft is not None]


def _decide(
    request: MemberRequest,
    requirement: Requirement,
    remarks: list[RemarkDraft],
    desk: permissions.Desk,
) -> str:
    verb, by, may = request.POST.get("do", ""), request.user, desk.may_moderate
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "").strip()
    if verb == "return":
        requirements.return_(requirement=requirement, remarks=remarks, by=by, may=may)
        return ngettext(
            "Returned with %(n)d remark. The enterprise has been told.",
            "Returned with %(n)d remarks. The enterprise has been told.",
            len(remarks),
        ) % {"n": len(remarks)}
    if verb == "approve":
        if remarks:
            raise DomainError(
                _(
                    "There are remarks. Return the requirement with them, or clear them and approve."
                ),
                code="requirement.remarks",
            )
        done = requirements.approve(requirement=requirement, by=by, may=may)
        return (
            _("Approved and published.")
            if done.is_published
            else _("Approved; held back until its moment.")
        )
    if verb == "refuse":
        requirements.refuse(requirement=requirement, reason=reason, note=note, by=by, may=may)
        return _("Not accepted. The enterprise has been told why.")
    if verb == "take_down":
        requirements.take_down(
            requirement=requirement, reason=reason, note=note, by=by, may=desk.may_take_down
        )
        return _("Taken down. The enterprise has been told why.")
    requirements.see_amendment(requirement=requirement, by=by, may=desk.may_take_down)
    return _("Looked at; it stays as it is.")


def _next(request: MemberRequest, desk: permissions.Desk) -> HttpResponse:
    left = waiting(request.user, desk)
    if left:
        return redirect("chains:moderation_case", public_id=left[0])
    messages.info(request, _("Nothing more waits at your desk."))
    return redirect("matchmaking:inbox")


def _page(
    request: MemberRequest,
    requirement: Requirement,
    rows: Sequence[tuple[RequirementLine, RemarkForm]],
    whole: RemarkForm,
    fault: str,
    desk: permissions.Desk,
) -> HttpResponse:
    found = moderation.findings(
        [line for line, _form in rows], moderation.open_lines_elsewhere(requirement)
    )
    events = moderation.history_of(requirement)
    status = Requirement.Status
    context: dict[str, Any] = {
        "requirement": requirement,
        "promised_on": calendar.promised_on(requirement),
        "today": timezone.localdate(),
        "rows": [
            (line, form, [f for f in found if f.line == line], _asked_before(line))
            for line, form in rows
        ],
        "conditions": [c for c in requirement.conditions.all() if c.line_id is None],
        "duplicates": [f for f in found if f.other is not None],
        "contact_data_in": moderation.contact_data_beside_lines(requirement),
        "whole": whole,
        "fault": fault,
        "events": events,
        "rounds": sum(event.action == "requirement.submitted" for event in events),
        "is_submitted": requirement.status == status.SUBMITTED,
        "is_published": requirement.status == status.PUBLISHED
        and desk.may_take_down(request.user, requirement),
        "is_held_back": requirement.embargoed_until is not None
        and requirement.embargoed_until > timezone.now(),
        "files": requirement.files.standing(),
        "refusals": moderation.RefusalReason.choices,
        "takedowns": moderation.TakeDownReason.choices,
        "nav": "inbox",
        **_place(request.user, requirement, desk),
    }
    return render(request, "chains/moderation_case.html", context, status=422 if fault else 200)


def _asked_before(line: RequirementLine) -> str:
    """The last remark on the line: whoever reads it again sees whether it was heeded."""
    last = next(iter(line.remarks.all()), None)
    return (last.text or moderation.sentence_of(last.code)) if last else ""


def _place(user: User, requirement: Requirement, desk: permissions.Desk) -> dict[str, Any]:
    queue = waiting(user, desk)
    if requirement.public_id not in queue:
        return {
            "total": len(queue),
            "place": 0,
            "before": None,
            "after": queue[0] if queue else None,
        }
    at = queue.index(requirement.public_id)
    return {
        "total": len(queue),
        "place": at + 1,
        "before": queue[at - 1] if at else None,
        "after": queue[at + 1] if at + 1 < len(queue) else None,
    }
