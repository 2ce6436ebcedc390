"""The weighting: its versions, the report on what decisions teach, and the act that puts one in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Chain, Region
from chains.templatetags.localised import localised
from chains.views.posted import posted
from chains.views.refusals import refusal
from matchmaking import permissions
from matchmaking.engine import calibration as engine
from matchmaking.engine.types import PART_NAMES
from matchmaking.forms import WeightingReasonForm
from matchmaking.models import Decision, Weighting
from matchmaking.services import calibration as service
from matchmaking.services.runs import weighting_of
from matchmaking.templatetags.reasons import PARTS

LANGUAGES = {"zh": gettext_lazy("Chinese"), "en": gettext_lazy("English")}
SIZES = {
    "large": gettext_lazy("Large"),
    "medium": gettext_lazy("Medium"),
    "above_scale": gettext_lazy("Above the statistical threshold"),
    "micro_small": gettext_lazy("Small and micro"),
    "": gettext_lazy("No size on record"),
}
PRESENCE = {
    "1": gettext_lazy("One capability or none published"),
    "2-3": gettext_lazy("2–3 capabilities"),
    "4": gettext_lazy("4 capabilities or more"),
}
MEASURES = {
    "ndcg_decided": (
        gettext_lazy("nDCG@10, decided pairs"),
        gettext_lazy("How far up the approved ones stand, among those that were decided on."),
    ),
    "precision_decided": (
        gettext_lazy("Precision, decided pairs"),
        gettext_lazy(
            "Of as many first places as suppliers were approved, at most ten: the share approved."
        ),
    ),
    "precision": (
        gettext_lazy("Precision@10, whole list"),
        gettext_lazy(
            "Share of the first ten of a line's list that was approved; undecided ones count as not relevant."
        ),
    ),
    "ndcg": (
        gettext_lazy("nDCG@10, whole list"),
        gettext_lazy("How far up the approved ones stand, among all that were found."),
    ),
    "undecided": (
        gettext_lazy("Undecided among the first ten"),
        gettext_lazy("Share of the first ten on which nobody has decided in a way that teaches."),
    ),
}
TEACHES_NOTHING = pgettext_lazy("what a decision teaches", "nothing about the match")
TRAIL = {
    "weighting.drafted": gettext_lazy("Learned"),
    "weighting.activated": gettext_lazy("Put in force"),
    "weighting.rolled_back": gettext_lazy("Put in force again"),
}


@require_GET
def calibration(request: MemberRequest) -> HttpResponse:
    """Versions and what the decisions say, whether anything was learned from them or not."""
    try:
        service.ask_to_read(by=request.user)
    except DomainError as error:
        return refusal(request, error)
    province = _province(request)
    in_force = weighting_of(province)
    known = service.decided(province)
    versions = (
        permissions.weightings_visible_to(request.user)
        .filter(Q(province=province) | Q(province=None))
        .select_related("province", "based_on")
    )
    rows = list(versions.order_by("-version", "-pk"))
    trails = service.trails(rows, by=request.user)
    return render(
        request,
        "matchmaking/calibration.html",
        {
            "nav": "review",
            "province": province,
            "provinces": permissions.provinces_weighed(request.user).order_by("code"),
            "in_force": in_force,
            "parts": _parts(in_force),
            "versions": [(row, _points(row), _trail(trails.get(row.pk, ()))) for row in rows],
            "counts": known.counts,
            "least": {
                "decisions": engine.LEAST_DECISIONS,
                "requirements": engine.LEAST_REQUIREMENTS,
                "verdict": engine.LEAST_OF_A_VERDICT,
            },
            "kinds": _kinds(known.kinds),
            "reliability": service.reliability(known, in_force),
            "may_weigh": permissions.can_weigh(request.user, province),
        },
    )


@posted("matchmaking:calibration")
def calibration_learn(request: MemberRequest) -> HttpResponse:
    try:
        service.ask_to_read(by=request.user)
    except DomainError as error:
        return refusal(request, error)
    province = _province(request)
    try:
        draft = service.learn(province=province, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
        return redirect(_home(province))
    messages.success(
        request,
        _("Version %(version)d is drafted. Nothing changes until it is activated.")
        % {"version": draft.version},
    )
    return redirect("matchmaking:weighting_detail", public_id=draft.public_id)


@require_GET
def weighting_detail(request: MemberRequest, public_id: str) -> HttpResponse:
    """One version: its points beside those it was compared with, its report, what it would change."""
    weighting, province = _found(request, public_id)
    may_read = permissions.can_read_weighting(request.user, weighting.province)
    wants_preview = bool(request.GET.get("preview"))
    return render(
        request,
        "matchmaking/weighting_detail.html",
        {
            "nav": "review",
            "weighting": weighting,
            "province": province,
            "home": _home(province),
            "in_force": weighting_of(province),
            "parts": _parts(weighting, weighting.based_on),
            "trail": _trail(service.trails([weighting], by=request.user).get(weighting.pk, ())),
            "report": _report(weighting.report) if may_read and weighting.report else None,
            "is_withheld": bool(weighting.report) and not may_read,
            "preview": service.preview(weighting=weighting, province=province, by=request.user)
            if wants_preview
            else None,
            "verb": _verb(weighting, province),
            "may_weigh": permissions.can_weigh(request.user, province),
        },
    )


@require_http_methods(["GET", "POST"])
def weighting_activate(request: MemberRequest, public_id: str) -> HttpResponse:
    """The reason is asked for, and the version that was looked at while deciding is named."""
    weighting, province = _found(request, public_id)
    if not permissions.can_weigh(request.user, province):
        return refusal(request, service.not_theirs())
    in_force = weighting_of(province)
    form = WeightingReasonForm(request.POST or None, initial={"instead_of": in_force.public_id})
    if form.is_valid():
        try:
            _act(request, weighting, province, form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _("Version %(version)d is in force. Every open line is scored anew.")
                % {"version": weighting.version},
            )
            return redirect(_home(province))
    return render(
        request,
        "matchmaking/weighting_activate.html",
        {
            "nav": "review",
            "weighting": weighting,
            "province": province,
            "in_force": in_force,
            "verb": _verb(weighting, province),
            "form": form,
        },
        status=422 if form.is_bound else 200,
    )


def _act(
    request: MemberRequest,
    weighting: Weighting,
    province: Region | None,
    given: Mapping[str, str],
) -> None:
    seen = get_object_or_404(
        permissions.weightings_visible_to(request.user), public_id=given["instead_of"]
    )
    if weighting.status == Weighting.Status.DRAFT:
        service.activate(
            weighting=weighting, reason=given["reason"], instead_of=seen, by=request.user
        )
    else:
        service.roll_back(
            to=weighting,
            province=province,
            reason=given["reason"],
            instead_of=seen,
            by=request.user,
        )


# -- who and where --------------------------------------------------------------------------------


def _province(request: MemberRequest) -> Region | None:
    """The province that is looked at; for the administrator all together unless one is named."""
    code = request.POST.get("province") or request.GET.get("province") or ""
    if request.user.is_administrator and not code:
        return None
    offered = permissions.provinces_weighed(request.user).order_by("code")
    found = offered.filter(code=code).first() if code else offered.first()
    if found is None:
        raise Http404
    return found


def _home(province: Region | None) -> str:
    query = f"?province={province.code}" if province is not None else ""
    return reverse("matchmaking:calibration") + query


def _found(request: MemberRequest, public_id: str) -> tuple[Weighting, Region | None]:
    rows = permissions.weightings_visible_to(request.user).select_related("province", "based_on")
    weighting = get_object_or_404(rows, public_id=public_id)
    return weighting, weighting.province or _province(request)


def _verb(weighting: Weighting, province: Region | None) -> str:
    """What can be done with a version: "activate", "roll_back", "give_up" the province's own, or nothing."""
    if weighting.status == Weighting.Status.DRAFT:
        return "activate"
    own = weighting.province_id == (province.pk if province is not None else None)
    if weighting.status == Weighting.Status.RETIRED:
        return "roll_back" if own else ""
    has_own = province is not None and Weighting.objects.active().filter(province=province).exists()
    return "give_up" if not own and has_own else ""


# -- rows for the pages ---------------------------------------------------------------------------


def _points(weighting: Weighting) -> list[int]:
    return [weighting.weights[name] for name in PART_NAMES]


def _parts(weighting: Weighting, before: Weighting | None = None) -> list[dict[str, Any]]:
    spread = weighting.report.get("weights", {})
    least, most = spread.get("least"), spread.get("most")
    old = _points(before) if before is not None else [None] * len(PART_NAMES)
    return [
        {
            "name": PARTS[name],
            "old": old[place],
            "new": points,
            "least": least[place] if least else None,
            "most": most[place] if most else None,
        }
        for place, (name, points) in enumerate(zip(PART_NAMES, _points(weighting), strict=True))
    ]


def _kinds(kinds: Mapping[str, int]) -> list[dict[str, Any]]:
    """Decisions by verdict and reason, and what each kind teaches."""
    rows = [(str(Decision.Verdict.APPROVED.label), kinds.get("approved", 0), _("relevant"))]
    for reason in Decision.Reason:
        blamed = service.SPEAKS_OF.get(reason)
        teaches = (
            _("not relevant, for its %(parts)s")
            % {
                "parts": pgettext("between two parts of a score", " and ").join(
                    str(PARTS[name]).lower() for name in blamed
                )
            }
            if blamed
            else str(TEACHES_NOTHING)
        )
        label = f"{Decision.Verdict.REJECTED.label} – {reason.label}"
        rows.append((label, kinds.get(f"rejected.{reason}", 0), teaches))
    rows.append(
        (str(Decision.Verdict.DEFERRED.label), kinds.get("deferred", 0), str(TEACHES_NOTHING))
    )
    return [{"label": label, "count": count, "teaches": teaches} for label, count, teaches in rows]


def _trail(said: Iterable[service.Said]) -> list[dict[str, Any]]:
    return [
        {
            "at": one.at,
            "what": TRAIL[one.action],
            "who": localised(one.body)
            if one.body
            else _("the system")
            if one.by_system
            else _("the administrator"),
            "person": one.person,
            "reason": one.reason,
            "language": one.language,
        }
        for one in said
    ]


def _report(report: Mapping[str, Any]) -> dict[str, Any]:
    """The stored report with the reader's words in place of its keys."""
    chains = Chain.objects.in_bulk(
        [row["key"] for row in report["groups"]["chain"] if row["key"]], field_name="code"
    )
    old, new = (report["reliability"][name] for name in ("old", "new"))
    return {
        **report,
        "measures": [
            {"label": label, "note": note, **_changed(report["measures"][name])}
            for name, (label, note) in MEASURES.items()
        ],
        "chains": _labelled(
            report["groups"]["chain"],
            lambda key: localised(chains[key]) if key in chains else _("No chain named"),
        ),
        "languages": _labelled(report["groups"]["languages"], _direction),
        "sizes": _labelled(report["sizes"]["size"], lambda key: SIZES.get(key, key)),
        "presence": _labelled(report["sizes"]["presence"], lambda key: PRESENCE.get(key, key)),
        "bands": list(zip(old["bands"], new["bands"], strict=True)),
        "ends": {"old": old, "new": new},
        "kinds": _kinds(report.get("kinds", {})),
    }


def _labelled(rows: Iterable[Mapping[str, Any]], label: Any) -> list[dict[str, Any]]:
    return [{**_changed(row), "label": label(row["key"])} for row in rows]


def _changed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison with its difference and interval as they are printed."""
    if row.get("new") is None or row.get("old") is None:
        return dict(row)
    change, interval = _signed(row["new"] - row["old"]), ""
    if row["low"] is not None:
        interval = f"{_signed(row['low'])} … {_signed(row['high'])}"
    return {**row, "change": change, "interval": interval}


def _signed(value: float) -> str:
    text = f"{abs(value):.3f}"
    return text if not float(text) else f"{'−' if value < 0 else '+'}{text}"


def _direction(key: str) -> str:
    asked, _dash, offered = key.partition("-")
    return f"{LANGUAGES.get(asked, asked)} → {LANGUAGES.get(offered, offered)}"
