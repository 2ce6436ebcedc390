from __future__ import annotations

from collections.abc import Collection

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from chains import search, versions
from chains.errors import DomainError
from chains.forms import stored_sentences
from chains.forms.capabilities import BaseReferences, CapabilityForm, references_of
from chains.forms.import_columns import CAPABILITIES
from chains.forms.requirement_sheet import label_of
from chains.http import MemberRequest
from chains.models import Capability, CapabilityReference, Category, Enterprise
from chains.services import capabilities
from chains.templatetags.localised import localised
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_response


@require_http_methods(["GET", "POST"])
def capability_create(request: MemberRequest, public_id: str) -> HttpResponse:
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    return _edit(request, enterprise, None)


@require_http_methods(["GET", "POST"])
def capability_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    capability = get_object_or_404(_own(request), public_id=public_id)
    return _edit(request, capability.enterprise, capability)


@require_GET
def capability_export(request: MemberRequest, public_id: str, extension: str) -> HttpResponseBase:
    """All capabilities of one's own enterprise, under the headers an import of them reads."""
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    rows = (
        enterprise.capabilities.select_related("unit")
        .prefetch_related("categories", "cooperation_kinds", "certifications__kind", "references")
        .order_by("-pk")
    )
    named = {column.field: label_of(column) for column in CAPABILITIES}
    header = [
        named["title"], named["title_en"], named["text"], _("Description in English"),
        *(named[name] for name in (
            "categories", "capacity", "unit", "lead_time_days", "sample_days", "cooperation_kinds",
            "certificates", "references", "is_new", "valid_until_on",
        )),
        _("State"),
    ]  # fmt: skip
    table = (
        [
            row.title_zh, row.title_en, row.text_zh, row.text_en,
            "; ".join(map(localised, row.categories.all())), row.yearly_capacity, localised(row.unit),
            row.lead_time_days, row.sample_days, "; ".join(map(localised, row.cooperation_kinds.all())),
            "; ".join(localised(one.kind) for one in row.certifications.all()),
            "\n".join(map(_reference_in_words, row.references.all())), _("yes") if row.is_new else "",
            row.valid_until_on, row.get_status_display(),
        ]
        for row in rows
    )  # fmt: skip
    return sheet_response(extension, f"capabilities-{enterprise.public_id}", header, table)


def _reference_in_words(reference: CapabilityReference) -> str:
    year = str(reference.year or "")
    said = reference.in_words
    return said if year in said else f"{said} {year}"


def _own(request: MemberRequest) -> QuerySet[Capability]:
    return (
        Capability.objects.filter(enterprise__in=Enterprise.objects.own(request.user))
        .select_related("enterprise", "unit")
        .prefetch_related("categories", "cooperation_kinds", "certifications")
    )


def _edit(
    request: MemberRequest, enterprise: Enterprise, capability: Capability | None
) -> HttpResponse:
    # Buttons that bring the page back as it was typed.
    suggesting = "suggest" in request.POST or "more" in request.POST
    seen = request.POST.get("seen", "")
    form = CapabilityForm(request.POST or None, enterprise=enterprise, capability=capability)
    references = references_of(capability, request.POST or None)
    if request.method == "POST" and not suggesting and _are_valid(form, references):
        try:
            return _save(request, form, references, enterprise, capability)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(None, str(error))
            if error.code == "capability.stale" and capability is not None:
                capability = _own(request).get(pk=capability.pk)
                stored = CapabilityForm(enterprise=enterprise, capability=capability)
                for sentence in stored_sentences(form, stored, error.params["changed"]):
                    form.add_error(None, sentence)
                if "references" in error.params["changed"]:
                    form.add_error(None, _stored_references(capability))
                seen = ""
    if capability is not None and not seen:
        seen = versions.seal(versions.of_capability(capability))
    codes = form["categories"].value() or []
    return render(
        request,
        "chains/capability_edit.html",
        {
            "nav": "profile",
            "enterprise": enterprise,
            "capability": capability,
            "seen": seen,
            "form": form,
            "references": references,
            "suggesting": suggesting,
            "typed": request.POST.get("q", ""),
            "suggestions": _suggestions(request.POST, codes) if suggesting else [],
            "chosen": Category.objects.filter(code__in=codes).select_related("parent__parent"),
            "most": Capability.MAX_CATEGORIES,
            "today": timezone.localdate(),
        },
    )


def _suggestions(typed: QueryDict, chosen: Collection[str]) -> list[Category]:
    """Without JavaScript the button brings the page back with what the same words get while they are typed; and with
    what is called so on the levels above."""
    texts = [typed.get(name, "").strip() for name in ("q", "text_zh", "text_en")]
    text = next(filter(None, texts), "")
    rows = [*search.fitting_categories(text), *search.categories(texts[0])]
    return [row for row in dict.fromkeys(rows) if row.code not in chosen]


def _are_valid(form: CapabilityForm, references: BaseReferences) -> bool:
    """Both are looked at, so that all that is wrong is said at once."""
    is_valid = form.is_valid()
    if references.is_bound and not references.is_valid():
        for row in references.forms:
            for field, errors in row.errors.items():
                label = row.fields[field].label if field in row.fields else _("References")
                for error in errors:
                    form.add_error(None, f"{label}{pgettext('label', ': ')}{error}")
        for error in references.non_form_errors():
            form.add_error(None, error)
        return False
    return is_valid


def _stored_references(capability: Capability) -> str:
    rows = " · ".join(row.in_words for row in capability.references.all())
    return _("%(label)s: “%(value)s” now") % {"label": _("References"), "value": rows or "–"}


def _save(
    request: MemberRequest,
    form: CapabilityForm,
    references: BaseReferences,
    enterprise: Enterprise,
    capability: Capability | None,
) -> HttpResponse:
    saved = capabilities.save_draft(
        enterprise=enterprise,
        capability=capability,
        by=request.user,
        seen=request.POST.get("seen", ""),
        references=references.values() if references.is_bound else None,
        **form.values(),
    )
    if "publish" in request.POST:
        try:
            capabilities.publish(capability=saved, by=request.user)
        except DomainError as error:
            # What was written is kept; only the publishing was refused.
            messages.warning(request, str(error))
            return redirect("chains:capability_edit", public_id=saved.public_id)
        messages.success(request, _("Published. It is compared with open requirements now."))
    else:
        messages.success(request, _("Saved."))
    return redirect("chains:enterprise_status", public_id=enterprise.public_id)


@posted("chains:capability_edit", "public_id")
def capability_withdraw(request: MemberRequest, public_id: str) -> HttpResponse:
    """Out of sight; a draft, which nobody else has seen, is deleted."""
    capability = get_object_or_404(_own(request), public_id=public_id)
    enterprise = capability.enterprise
    try:
        if capability.status == Capability.Status.DRAFT:
            capabilities.delete_draft(capability=capability, by=request.user)
            messages.success(request, _("The draft has been deleted."))
        else:
            capabilities.withdraw(capability=capability, by=request.user)
            messages.success(request, _("Withdrawn. It is out of sight now."))
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    return redirect("chains:enterprise_status", public_id=enterprise.public_id)
