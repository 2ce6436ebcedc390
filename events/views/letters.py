"""What the event writes to its guests, and what has become of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.forms import model_to_dict
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from chains import notifications
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Notification
from chains.templatetags.localised import is_chinese
from chains.views.posted import posted
from events import letters as wording
from events.forms.letters import AnnouncementForm, LetterForm
from events.models import Event, LetterTemplate
from events.services import announcements, letters
from events.views.organise import managed

PER_PAGE = 25
SHOWN = 20
Status = Notification.Status


@require_safe
def event_letters(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    everything = Notification.objects.about(event=public_id).filter(
        channel=Notification.Channel.EMAIL
    )
    counts = dict(everything.values_list("status").annotate(n=Count("pk")).order_by())
    own = set(event.letter_templates.values_list("kind", flat=True))
    state = request.GET.get("state", "")
    rows = everything.filter(status=state) if state in Status.values else everything
    rows = rows.select_related("to__mail_refusal")
    page = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "events/event_letters.html",
        {
            "nav": "events",
            "tab": "letters",
            "event": event,
            "page_obj": page,
            "letters": _in_words(list(page)),
            "state": state,
            "states": [(one, counts.get(one.value, 0)) for one in Status],
            "all_letters": sum(counts.values()),
            "failed": counts.get(Status.FAILED.value, 0),
            "kinds": [(kind, kind in own) for kind in LetterTemplate.Kind],
            "announcements": event.announcements.select_related("tier").order_by("-pk")[:SHOWN],
        },
    )


def _in_words(rows: list[Notification]) -> list[dict[str, Any]]:
    """Each by its subject and whom it is about; never to which address."""
    found = notifications.rows_of(rows)
    language = "zh" if is_chinese() else "en"
    told = []
    for row in rows:
        about: Any = found.get(("registration", str(row.context.get("registration"))))
        try:
            subject = notifications.render(row, found, language).subject
        except notifications.GoneError:
            subject = ""
        told.append(
            {
                "row": row,
                "subject": subject,
                "enterprise": getattr(about, "enterprise", None),
                "is_refused": _is_refused(row),
            }
        )
    return told


def _is_refused(letter: Notification) -> bool:
    """Whether the mailbox it goes to takes no letters any more."""
    refusal = getattr(letter.to, "mail_refusal", None)
    return refusal is not None and refusal.stands


@posted("events:event_letters", "public_id")
def letters_again(request: MemberRequest, public_id: str) -> HttpResponse:
    """Those that are named, else all that failed."""
    event = managed(request, public_id)
    named = request.POST.getlist("letter")
    try:
        count = letters.send_again(event=event, by=request.user, letters=named or None)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        said = ngettext(
            "%(count)d letter goes out again.", "%(count)d letters go out again.", count
        )
        messages.success(request, said % {"count": count} if count else _("Nothing had failed."))
    return redirect("events:event_letters", public_id=public_id)


@require_http_methods(["GET", "POST"])
def event_letter(request: MemberRequest, public_id: str, kind: str) -> HttpResponse:
    """The event's own words for one kind of letter, beside how it reads."""
    event = managed(request, public_id)
    if kind not in LetterTemplate.Kind.values:
        raise Http404
    row = event.letter_templates.filter(kind=kind).first()
    form = LetterForm(request.POST or None, initial=model_to_dict(row) if row is not None else None)
    act = _ACTS.get(request.POST.get("do", "preview"))
    drawn = row
    if request.method == "POST" and act is not None and form.is_valid():
        try:
            act(request, event, kind, form)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            return redirect("events:event_letter", public_id=public_id, kind=kind)
    elif request.method == "POST" and form.is_valid():
        drawn = _drawn(form, event, kind)
    return render(
        request,
        "events/event_letter.html",
        {
            "nav": "events",
            "tab": "letters",
            "event": event,
            "kind": LetterTemplate.Kind(kind),
            "row": row,
            "form": form,
            "placeholders": wording.PLACEHOLDERS,
            "previews": _previews(kind, event, drawn),
            "is_drawn": drawn is not row,
        },
        status=422 if form.errors else 200,
    )


def _drawn(form: LetterForm, event: Event, kind: str) -> LetterTemplate | None:
    """What is typed, to be looked at; faults in its placeholders stand at the form."""
    texts = form.cleaned_data
    try:
        wording.check(*texts.values())
    except DomainError as error:
        form.add_error(None, str(error))
        return None
    return LetterTemplate(event=event, kind=kind, **texts) if any(texts.values()) else None


def _previews(
    kind: str, event: Event, template: LetterTemplate | None
) -> list[tuple[str, wording.Words]]:
    """By the language of the letter."""
    found = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            found.append((language, wording.shown(kind, event, template)))
    return found


def _save(request: MemberRequest, event: Event, kind: str, form: LetterForm) -> None:
    letters.save_template(event=event, kind=kind, by=request.user, **form.cleaned_data)
    messages.success(request, _("Saved. From now on the letter reads like this."))


def _standard(request: MemberRequest, event: Event, kind: str, _form: LetterForm) -> None:
    letters.drop_template(event=event, kind=kind, by=request.user)
    messages.success(request, _("The standard text stands again."))


def _test(request: MemberRequest, event: Event, kind: str, _form: LetterForm) -> None:
    letters.send_test(event=event, kind=kind, by=request.user)
    messages.success(request, _("On its way to your own address, as it stands saved."))


_ACTS = {"save": _save, "standard": _standard, "test": _test}


@require_http_methods(["GET", "POST"])
def event_announce(request: MemberRequest, public_id: str) -> HttpResponse:
    """Write to guests: first how many it goes to and how it reads, then it is sent."""
    event = managed(request, public_id)
    form = AnnouncementForm(
        request.POST or None, event=event, initial={"audience": request.GET.get("audience")}
    )
    reached = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if request.POST.get("do") == "send":
                row = announcements.announce(event=event, by=request.user, **data)
                said = ngettext(
                    "On its way to %(count)d person.",
                    "On its way to %(count)d persons.",
                    row.persons,
                )
                messages.success(request, said % {"count": row.persons})
                return redirect("events:event_letters", public_id=public_id)
            wording.check(*(data[name] for name in wording.TEXTS))
        except DomainError as error:
            form.add_error(None, str(error))
        reached = announcements.reach(event, data["audience"], data["tier"])
    is_written = any(request.POST.get(name, "").strip() for name in wording.TEXTS)
    return render(
        request,
        "events/event_announce.html",
        {
            "nav": "events",
            "tab": "letters",
            "event": event,
            "form": form,
            "placeholders": wording.PLACEHOLDERS,
            "reached": reached,
            "is_written": is_written,
            "previews": _read(event, form) if is_written and reached and not form.errors else [],
        },
        status=422 if form.errors else 200,
    )


def _read(event: Event, form: AnnouncementForm) -> list[tuple[str, wording.Words]]:
    drawn = LetterTemplate(event=event, **{name: form.cleaned_data[name] for name in wording.TEXTS})
    return _previews(LetterTemplate.Kind.CONFIRMED, event, drawn)
