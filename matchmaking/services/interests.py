"""Interests: a supplier says "we can", the buyer answers. Nobody stands in between."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, When
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, searchtext, sweeping
from chains.calendar import midnight
from chains.errors import DomainError
from chains.models import (
    Condition,
    Contact,
    Enterprise,
    Notification,
    OrganiserRole,
    Requirement,
    RequirementLine,
    User,
)
from chains.services import enterprises
from chains.templatetags.localised import day
from events.models import Delegate, Event, Listing
from events.permissions import why_not_in_hall
from matchmaking import permissions
from matchmaking.models import (
    Interest,
    InterestAttachment,
    InterestMessage,
    InterestNote,
    Match,
)

Status = Interest.Status
MESSAGE = 2000
ANSWER = 500
# What one enterprise sends in a week, so that a buyer reads each (J7).
WEEKLY = 10
# Days before the day of answers on which the buyer is reminded (J8).
NUDGE_DAYS = 2
BATCH = 200
# Nobody has signed in with a badge: the same said again within this is kept once.
AGAIN = datetime.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the supplier: the buyer's own, or a condition that its profile leaves open.

    An open point carries what it asks, so that each reader reads the question in the own language.
    """

    key: str
    text: str  # as the buyer wrote it
    kind: str = ""  # of the condition
    parameter: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None  # the number of the only line it is about
    is_preference: bool = False

    @property
    def is_open_point(self) -> bool:
        return self.key.startswith("c")

    @classmethod
    def of(cls, condition: Condition) -> Self:
        number = condition.line.number if condition.line else None
        return cls(
            f"c{condition.pk}",
            condition.text,
            condition.kind,
            condition.parameter,
            number,
            is_preference=condition.strength == Condition.Strength.PREFER,
        )

    @classmethod
    def by_buyer(cls, requirement: Requirement) -> list[Self]:
        return [cls(f"q{one.order}", one.text) for one in requirement.questions.all()]

    @classmethod
    def answered(cls, said: Mapping[str, Any]) -> Self:
        """As it was answered; of old answers no more is kept than the words."""
        kept = {name: said[name] for name in ("kind", "parameter", "line") if name in said}
        return cls(said["key"], said["question"], **kept)

    def with_answer(self, answer: str) -> dict[str, Any]:
        said: dict[str, Any] = {"key": self.key, "question": self.text, "answer": answer}
        if self.is_open_point:
            said |= {"kind": self.kind, "parameter": self.parameter, "line": self.line}
        return said


def asked(requirement: Requirement, enterprise: Enterprise | None) -> list[Asked]:
    """At most three questions, the buyer's first; what is open for the enterprise fills up the rest: of the lines that
    its interest is about, and of all while it has sent none."""
    own = Asked.by_buyer(requirement)
    left = Requirement.MAX_QUESTIONS - len(own)
    if enterprise is None or left <= 0:
        return own
    standing = Interest.objects.standing().filter(requirement=requirement, enterprise=enterprise)
    lines = requirement.lines.open()
    about = lines.filter(interests__in=standing)
    return own + _open_points(requirement, enterprise, list(about) or list(lines))[:left]


def _open_points(
    requirement: Requirement, enterprise: Enterprise, lines: Sequence[RequirementLine]
) -> list[Asked]:
    """What the pairs of these lines leave unproven, and what can only be read. First what is asked of the lines that fit,
    the musts before the wishes; free text comes last of its line."""
    conditions = {one.pk: one for one in requirement.conditions.select_related("line")}
    if not conditions:
        return []
    pairs = Match.objects.live().filter(line__in=lines, supplier=enterprise, score__isnull=False)
    found: dict[int, tuple[bool, bool, bool]] = {}
    for misses_must, outcomes in pairs.by_score().values_list("misses_must", "score__outcomes"):
        for outcome in outcomes:
            one = conditions.get(outcome["condition"])
            if one is None:
                continue
            is_free = one.kind == Condition.Kind.OTHER
            if is_free or outcome["verdict"] == "unproven":
                order = misses_must, is_free, one.strength != Condition.Strength.MUST
                found.setdefault(one.pk, order)
    return [Asked.of(conditions[pk]) for pk in sorted(found, key=found.__getitem__)]


@dataclass(frozen=True, slots=True)
class Quota:
    left: int
    resets_on: datetime.date


def quota(enterprise: Enterprise) -> Quota:
    """How many interests the enterprise may still send in this ISO week; withdrawn ones were read too."""
    monday = timezone.localdate() - datetime.timedelta(days=timezone.localdate().weekday())
    since = midnight(monday)
    sent = Interest.objects.filter(enterprise=enterprise, created_at__gte=since).count()
    return Quota(max(0, WEEKLY - sent), monday + datetime.timedelta(days=7))


@transaction.atomic
def express(
    *,
    requirement: Requirement,
    enterprise: Enterprise,
    lines: Sequence[RequirementLine],
    message: str,
    contact: Contact,
    by: User,
    answers: Mapping[str, str] | None = None,
    hall: Event | None = None,
) -> Interest:
    """Send an interest, or change the one that waits: there is one for a requirement and enterprise. `answers` by the
    keys of `asked`; `hall`: the event by whose code it is sent."""
    if not permissions.can_express(by, enterprise):
        raise _not_entitled(enterprise)
    requirement = _asking(requirement)
    _check(requirement, enterprise, lines, contact, message)
    said = _said(requirement, enterprise, lines, answers or {})
    interest = _standing(requirement, enterprise)
    if interest is None:
        _spend(enterprise)
        interest = Interest(
            requirement=requirement,
            enterprise=enterprise,
            sent_by=by,
            answer_by_on=requirement.answer_by_on,
        )
        if hall is not None and hall.listings.filter(requirement=requirement).exists():
            interest.origin, interest.event = Interest.Origin.HALL, hall
        _write(interest, message, contact, said)
        try:
            with transaction.atomic():
                interest.save()
        except IntegrityError:
            # The other tab was faster: its interest becomes what is said here.
            return _change(_standing(requirement, enterprise), lines, message, contact, said, by)
        interest.lines.set(lines)
        _record(interest, "sent", by)
        _tell_buyer(interest, "interest_received")
        return interest
    return _change(interest, lines, message, contact, said, by)


@transaction.atomic
def answer_from_hall(
    *,
    listing: Listing,
    delegate: Delegate,
    lines: Sequence[RequirementLine],
    message: str,
    answers: Mapping[str, str] | None = None,
    by: None = None,
) -> Interest:
    """A delegate, known by the badge alone, answers what stands on the event's list, in the enterprise's name.

    Nobody has signed in. The badge sends once and changes nothing, the enterprise's own contact goes with it, and its
    editors are told. Whoever holds a badge learns nothing of the enterprise: an interest that stands already is one more
    answer that is with the buyer, and what stands in the way is told to those who have an account. `answers` by the keys
    of `asked` without an enterprise.
    """
    # Locked: a badge that is being replaced meanwhile has answered before, or does not answer.
    delegate = (
        Delegate.objects.select_for_update(of=("self", "registration"), no_key=True)
        .select_related("registration__enterprise", "event")
        .get(pk=delegate.pk)
    )
    if why := why_not_in_hall(delegate, listing.event):
        raise DomainError(no_badge(why), code="interest.forbidden")
    enterprise = delegate.registration.enterprise
    about = {"event": listing.event.public_id, "delegate": delegate.public_id}
    requirement = _asking(listing.requirement)
    contact = _usual_contact(enterprise)
    if contact is None or not enterprise.is_verified or is_own(requirement, enterprise):
        raise _not_by_badge()
    _check(requirement, enterprise, lines, contact, message)
    standing = _standing(requirement, enterprise)
    if standing is not None:
        if not audit.is_fresh("interest.repeated", standing, AGAIN):
            _record(standing, "repeated", by, **about)
        return standing
    Enterprise.objects.select_for_update(no_key=True).get(pk=enterprise.pk)
    if not quota(enterprise).left:
        raise _not_by_badge()
    interest = Interest(
        requirement=requirement,
        enterprise=enterprise,
        origin=Interest.Origin.HALL,
        event=listing.event,
        delegate=delegate,
        answer_by_on=requirement.answer_by_on,
    )
    _write(interest, message, contact, _said(requirement, None, lines, answers or {}))
    try:
        with transaction.atomic():
            interest.save()
    except IntegrityError:
        # A colleague was faster, at the desk or with another phone.
        return _standing(requirement, enterprise) or interest
    interest.lines.set(lines)
    _record(interest, "sent", by, **about)
    _tell_buyer(interest, "interest_received")
    _tell_supplier(interest, "interest_from_hall")
    return interest


def no_badge(why: str) -> str:
    """In words why a badge does not answer here."""
    return {
        "other_event": _("Your badge is for another event."),
        "event_off": _("The event does not take place."),
        "replaced": _("This badge was replaced by another one. Open the new one on this phone."),
        "no_seat": _("Your enterprise holds no seat at this event any more."),
        "other_day": _("The badge answers on the days of the event only."),
    }[why]


def _not_by_badge() -> DomainError:
    return DomainError(
        _(
            "Your enterprise cannot answer by the badge just now. A colleague who signs in for it sees why."
        ),
        code="interest.forbidden",
    )


def _usual_contact(enterprise: Enterprise) -> Contact | None:
    """Whom the enterprise named last, else the first it has stored: a badge chooses nobody and sees nobody."""
    stored = enterprise.contacts.filter(is_active=True)
    last = stored.filter(interests__enterprise=enterprise).order_by("-interests__pk").first()
    return last or stored.order_by("pk").first()


def _asking(requirement: Requirement) -> Requirement:
    """Locked: an interest never arrives at a requirement that is being closed."""
    return (
        Requirement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("enterprise", "posted_by")
        .get(pk=requirement.pk)
    )


def _spend(enterprise: Enterprise) -> None:
    """Refuses the eleventh of a week. The enterprise is locked: ten tabs at once are ten interests, not eleven."""
    Enterprise.objects.select_for_update(no_key=True).get(pk=enterprise.pk)
    week = quota(enterprise)
    if not week.left:
        raise DomainError(
            _(
                "Your enterprise has sent %(most)d interests this week. The next one can be sent from %(day)s."
            )
            % {"most": WEEKLY, "day": day(week.resets_on)},
            code="interest.quota",
            resets_on=week.resets_on.isoformat(),
        )


def _said(
    requirement: Requirement,
    enterprise: Enterprise | None,
    lines: Sequence[RequirementLine],
    answers: Mapping[str, str],
) -> list[dict[str, Any]]:
    """What was answered, of the lines that were chosen: the form has asked before anybody chose."""
    questions = Asked.by_buyer(requirement)
    if enterprise is not None:
        questions += _open_points(requirement, enterprise, lines)
    said: list[dict[str, Any]] = []
    for one in questions:
        text = answers.get(one.key, "").strip()
        if len(text) > ANSWER:
            raise DomainError(
                _("An answer is longer than %(most)d characters. Shorten it.") % {"most": ANSWER},
                code="interest.too_long",
                field="message",
            )
        if text:
            said.append(one.with_answer(text))
    return said


def _change(
    interest: Interest | None,
    lines: Sequence[RequirementLine],
    message: str,
    contact: Contact,
    said: list[dict[str, Any]],
    by: User,
) -> Interest:
    if interest is None:
        raise DomainError(
            _("The interest was withdrawn meanwhile. Send it again."), code="interest.gone"
        )
    if not interest.is_waiting:
        raise _answered(interest)
    before = (
        interest.message,
        interest.contact_id,
        interest.answers,
        set(interest.lines.values_list("pk", flat=True)),
    )
    if before == (message.strip(), contact.pk, said, {line.pk for line in lines}):
        return interest  # a second click says nothing new
    _write(interest, message, contact, said)
    interest.save(update_fields=["message", "language", "contact", "answers", "updated_at"])
    interest.lines.set(lines)
    _record(interest, "changed", by)
    return interest


@transaction.atomic
def withdraw(*, interest: Interest, by: User) -> Interest:
    """Take back an interest that the buyer has not answered."""
    interest = _locked(interest)
    if not permissions.can_express(by, interest.enterprise):
        raise _not_entitled(interest.enterprise)
    if interest.status == Status.WITHDRAWN:
        return interest
    if not interest.is_waiting:
        raise _answered(interest)
    return _move(interest, Status.WITHDRAWN, by)


@transaction.atomic
def accept(*, interest: Interest, by: User) -> Interest:
    """The buyer wants to talk, in time or late: its contact opens to this supplier."""
    interest = _to_answer(interest, by)
    if interest.status == Status.ACCEPTED:
        return interest
    if not interest.is_waiting:
        raise _answered(interest)
    interest.answered_at = timezone.now()
    _move(interest, Status.ACCEPTED, by)
    _tell_supplier(interest, "interest_accepted")
    return interest


@transaction.atomic
def decline(*, interest: Interest, reason: str, by: User, note: str = "") -> Interest:
    """The buyer says no, with a reason and, if it likes, a sentence; the supplier sees both."""
    interest = _to_answer(interest, by)
    if reason not in Interest.DeclineReason.values:
        raise DomainError(
            _("Choose a reason: the supplier sees it."),
            code="interest.reason_missing",
            field="reason",
        )
    if interest.status == Status.DECLINED and interest.decline_reason == reason:
        return interest
    if not interest.is_waiting:
        raise _answered(interest)
    interest.answered_at, interest.decline_reason = timezone.now(), reason
    interest.decline_note = " ".join(note.split())[:300]
    _move(interest, Status.DECLINED, by, reason=reason)
    _tell_supplier(interest, "interest_declined")
    return interest


# -- among the buyer's own ------------------------------------------------------------------------


@transaction.atomic
def shortlist(*, interest: Interest, on: bool, by: User) -> Interest:
    """Put it on the buyer's short list, or take it off. The supplier does not see it."""
    interest = _to_answer(interest, by)
    if interest.is_shortlisted == on:
        return interest
    interest.is_shortlisted = on
    interest.save(update_fields=["is_shortlisted", "updated_at"])
    _record(interest, "shortlisted" if on else "unlisted", by)
    return interest


@transaction.atomic
def note(*, interest: Interest, text: str, by: User) -> InterestNote:
    """A remark for colleagues."""
    interest = _to_answer(interest, by)
    row = InterestNote.objects.create(interest=interest, text=_written(text, 500), by=by)
    _record(interest, "noted", by)
    return row


# -- the thread -----------------------------------------------------------------------------------


@transaction.atomic
def ask_back(*, interest: Interest, text: str, by: User) -> InterestMessage:
    """The buyer wants to know more before it answers; the day it answers by stays."""
    interest = _to_answer(interest, by)
    if interest.status in (Status.DECLINED, Status.WITHDRAWN):
        raise _answered(interest)
    row = _say(interest, InterestMessage.Side.BUYER, text, by)
    _record(interest, "asked", by)
    _tell_supplier(interest, "interest_asked")
    return row


@transaction.atomic
def reply(*, interest: Interest, text: str, by: User) -> InterestMessage:
    """The supplier says more, once it has been asked."""
    interest = _locked(interest)
    if not permissions.can_express(by, interest.enterprise):
        raise _not_entitled(interest.enterprise)
    if interest.status in (Status.DECLINED, Status.WITHDRAWN):
        raise _answered(interest)
    if not interest.thread.filter(side=InterestMessage.Side.BUYER).exists():
        raise DomainError(
            _("The buyer has asked nothing. Change your interest instead."),
            code="interest.not_asked",
        )
    row = _say(interest, InterestMessage.Side.SUPPLIER, text, by)
    _record(interest, "replied", by)
    _tell_buyer(interest, "interest_replied")
    return row


THREAD = 40  # messages; who needs more has each other's contact to talk


def _say(interest: Interest, side: InterestMessage.Side, text: str, by: User) -> InterestMessage:
    text = _written(text, 1000)
    if interest.thread.count() >= THREAD:
        raise DomainError(
            _("The thread is full. Accept or decline, and talk by the contacts."),
            code="interest.thread_full",
        )
    language = searchtext.language_of(text)
    return InterestMessage.objects.create(
        interest=interest, side=side, text=text, language=language, by=by
    )


def _written(text: str, most: int) -> str:
    text = text.strip()
    if not text:
        raise DomainError(_("Write something first."), code="interest.empty")
    if len(text) > most:
        raise DomainError(
            _("Longer than %(most)d characters. Shorten it.") % {"most": most},
            code="interest.too_long",
            field="message",
        )
    return text


# -- files ----------------------------------------------------------------------------------------


@transaction.atomic
def attach(*, interest: Interest, upload: UploadedFile[Any], by: User) -> InterestAttachment:
    """Put a file to an interest that the buyer has not answered: a PDF or a picture, by its content."""
    interest = _own_waiting(interest, by)
    if interest.attachments.standing().count() >= InterestAttachment.MOST:
        raise DomainError(
            _("An interest carries %(most)d files at most. Take one off first.")
            % {"most": InterestAttachment.MOST},
            code="attachment.too_many",
        )
    row = InterestAttachment(interest=interest)
    enterprises.keep_file(row=row, upload=upload, by=by)
    _record_file(row, "stored", by, size=row.size)
    return row


@transaction.atomic
def detach(*, attachment: InterestAttachment, by: User) -> InterestAttachment:
    """Take a file off again before the buyer has answered: its content goes, that there was one stays."""
    interest = _own_waiting(attachment.interest, by)
    row = interest.attachments.standing().filter(pk=attachment.pk).first()
    if row is None:
        raise DomainError(_("This file has been taken off."), code="attachment.gone")
    row.removed_at = timezone.now()
    row.save(update_fields=["removed_at", "updated_at"])
    _record_file(row, "removed", by)
    storage, name = row.file.storage, row.file.name or ""
    transaction.on_commit(lambda: storage.delete(name), robust=True)
    return row


@transaction.atomic
def open_attachment(*, attachment: InterestAttachment, by: User) -> InterestAttachment:
    """For the buyer, on record, and for those who sent it; for nobody else, neither a desk."""
    interest = attachment.interest
    if interest.enterprise_id not in by.enterprise_ids:
        if not permissions.can_read_as_buyer(by, interest.requirement):
            raise DomainError(
                _("Only the buyer opens the files of an interest."), code="attachment.forbidden"
            )
        _record_file(attachment, "opened", by)
    return attachment


def _own_waiting(interest: Interest, by: User) -> Interest:
    interest = _locked(interest)
    if not permissions.can_express(by, interest.enterprise):
        raise _not_entitled(interest.enterprise)
    if not interest.is_waiting:
        raise _answered(interest)
    return interest


def _record_file(row: InterestAttachment, verb: str, by: User, **data: int) -> None:
    audit.record(by, f"attachment.{verb}", row, interest=row.interest.public_id, **data)
    changes.record("attachment", row, verb)


# -- the duty to answer ---------------------------------------------------------------------------


def nudge(*, by: User | None = None) -> int:
    """Two days before a day it named the buyer is reminded of all that waits, and so is its desk: once before each day.

    Who was promised an earlier day than the requirement names now is answered by that one; once it has passed in
    silence, the buyer hears of it again before the later day.
    """
    today = timezone.localdate()
    day = Case(When(due_day__gte=today, then="due_day"), default="requirement__answer_by_on")
    reminded = Interest.objects.filter(
        requirement=OuterRef("requirement"), nudged_at__date__gte=OuterRef("reminded_from")
    )
    due = (
        Interest.objects.waiting()
        .annotate(due_day=Interest.DUE_DAY)
        .annotate(day=day)
        .filter(day__range=(today, today + datetime.timedelta(days=NUDGE_DAYS)))
        .annotate(
            reminded_from=ExpressionWrapper(
                F("day") - datetime.timedelta(days=NUDGE_DAYS), models.DateField()
            )
        )
        .exclude(Exists(reminded))
        .order_by("requirement", "day")
        .values_list("requirement", "day")
        .distinct()[:BATCH]
    )
    return sweeping.each(due, lambda row: _nudge(*row, by))


@transaction.atomic
def _nudge(requirement_pk: int, day: datetime.date, by: User | None) -> bool:
    waiting = list(
        Interest.objects.waiting()
        .filter(requirement=requirement_pk)
        .select_related("requirement__enterprise__region", "requirement__posted_by")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")
    )
    since = midnight(day - datetime.timedelta(days=NUDGE_DAYS))
    if not waiting or any(one.nudged_at and one.nudged_at >= since for one in waiting):
        return False
    requirement = waiting[0].requirement
    Interest.objects.filter(pk__in=[one.pk for one in waiting]).update(nudged_at=timezone.now())
    audit.record(by, "requirement.answers_reminded", requirement, waiting=len(waiting))
    changes.record("requirement", requirement, "answers_reminded")
    told = User.objects.who_act_on(requirement)
    for user in told:
        notifications.post(
            user, "answers_due", requirement=requirement.public_id, waiting=len(waiting)
        )
    for role in OrganiserRole.objects.desks_of(requirement.enterprise):
        if role.user not in told:
            notifications.post(
                role.user,
                "answers_due_desk",
                email=False,
                requirement=requirement.public_id,
                waiting=len(waiting),
            )
    return True


def end_unanswered(*, by: User | None = None) -> int:
    """After the day it was promised the supplier sees that no answer has come; a late one is still possible."""
    late = Interest.objects.annotate(due_day=Interest.DUE_DAY).filter(
        status=Status.SENT, due_day__lt=timezone.localdate()
    )
    pks = late.order_by("pk").values_list("pk", flat=True)[:BATCH]
    return sweeping.each(pks, lambda pk: _end_unanswered(pk, by))


@transaction.atomic
def _end_unanswered(pk: int, by: User | None) -> bool:
    interest = (
        Interest.objects.filter(pk=pk, status=Status.SENT)
        .select_related("requirement__enterprise", "requirement__posted_by", "enterprise")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    if interest is None:
        return False
    _move(interest, Status.NO_ANSWER, by)
    _tell_supplier(interest, "interest_no_answer")
    return True


# -- rules ----------------------------------------------------------------------------------------


def _check(
    requirement: Requirement,
    enterprise: Enterprise,
    lines: Sequence[RequirementLine],
    contact: Contact,
    message: str,
) -> None:
    if is_own(requirement, enterprise):
        raise DomainError(
            _("This is a requirement of your own house."), code="interest.own_requirement"
        )
    if not requirement.takes_interests:
        raise DomainError(
            _("This requirement takes no interests any more."), code="interest.closed"
        )
    open_lines = set(requirement.lines.open().values_list("pk", flat=True))
    if not lines or not {line.pk for line in lines} <= open_lines:
        raise DomainError(
            _("Choose at least one open line that you can supply."),
            code="interest.no_line",
            field="lines",
        )
    if contact.enterprise_id != enterprise.pk or not contact.is_active:
        raise DomainError(
            _("Choose a contact of your enterprise: the buyer writes to it."),
            code="interest.no_contact",
            field="contact",
        )
    if len(message.strip()) > MESSAGE:
        raise DomainError(
            _("The message is longer than %(most)d characters. Shorten it.") % {"most": MESSAGE},
            code="interest.too_long",
            field="message",
        )


def is_own(requirement: Requirement, enterprise: Enterprise) -> bool:
    """Its own, one it posted for a member, or one of its group: those never meet as buyer and supplier."""
    return enterprise.pk in (requirement.enterprise_id, requirement.posted_by_id) or (
        enterprise.group_id is not None and enterprise.group_id == requirement.enterprise.group_id
    )


def _standing(requirement: Requirement, enterprise: Enterprise) -> Interest | None:
    return (
        Interest.objects.standing()
        .filter(requirement=requirement, enterprise=enterprise)
        .select_for_update(of=("self",))
        .first()
    )


def _locked(interest: Interest) -> Interest:
    return (
        Interest.objects.select_related(
            "requirement__enterprise", "requirement__posted_by", "enterprise"
        )
        .select_for_update(of=("self",))
        .get(pk=interest.pk)
    )


def _to_answer(interest: Interest, by: User) -> Interest:
    interest = _locked(interest)
    if not permissions.can_answer(by, interest.requirement):
        raise DomainError(
            _("Only the owner and the editors of the buyer can answer an interest."),
            code="interest.forbidden",
        )
    return interest


def _not_entitled(enterprise: Enterprise) -> DomainError:
    if not enterprise.is_verified:
        sentence = _(
            "Your enterprise is not verified yet. It can send interests once its desk has decided."
        )
    else:
        sentence = _("Only the owner and the editors of a verified enterprise can do this.")
    return DomainError(sentence, code="interest.forbidden")


def _answered(interest: Interest) -> DomainError:
    return DomainError(
        _("This interest can no longer be changed: %(state)s.")
        % {"state": interest.get_status_display()},
        code="interest.answered",
    )


# -- writing --------------------------------------------------------------------------------------


def _write(interest: Interest, message: str, contact: Contact, said: list[dict[str, Any]]) -> None:
    interest.answers = said
    interest.message = message.strip()
    interest.language = searchtext.language_of(message)
    interest.contact = contact


_VERBS = {Status.NO_ANSWER: "left_unanswered"}


def _move(interest: Interest, status: Interest.Status, by: User | None, **data: str) -> Interest:
    interest.status = status
    interest.save(
        update_fields=["status", "decline_reason", "decline_note", "answered_at", "updated_at"]
    )
    _record(interest, _VERBS.get(status, str(status)), by, **data)
    return interest


def _record(interest: Interest, verb: str, by: User | None, **data: str) -> None:
    audit.record(
        by,
        f"interest.{verb}",
        interest,
        requirement=interest.requirement.public_id,
        enterprise=interest.enterprise.public_id,
        lines=sorted(interest.lines.values_list("number", flat=True)),
        **data,
    )
    changes.record("interest", interest, verb)


def _tell_buyer(interest: Interest, kind: str) -> None:
    requirement = interest.requirement
    for user in User.objects.who_act_on(requirement):
        notifications.post(user, kind, **_context(interest))


# Of what is amended again so soon after a letter the next one tells together: one letter for several steps.
_QUIET = datetime.timedelta(hours=6)


@transaction.atomic
def tell_interested(*, requirement: Requirement, kind: str, by: None = None) -> int:
    """The system's: those who wait for an answer or have a yes hear that the buyer has changed or ended what it asked.

    Each step is told to everybody, the last one too: a letter that waits says what holds when it leaves.
    """
    happened = requirement.closed_at or requirement.amended_at
    letters = Notification.objects.about(requirement=requirement.public_id).filter(
        kind=kind, channel=Notification.Channel.EMAIL
    )
    last = {(one.to_id, one.context["interest"]): one for one in letters.order_by("pk")}
    rows = Interest.objects.filter(
        requirement=requirement, status__in=[Status.SENT, Status.ACCEPTED, Status.NO_ANSWER]
    ).select_related("requirement", "enterprise")
    told: set[int] = set()
    for interest in rows:
        for user in User.objects.editors_of([interest.enterprise_id]):
            letter = last.get((user.pk, interest.public_id))
            if letter is None:
                notifications.post(user, kind, **_context(interest))
            elif (said_at := _said_at(letter)) and happened and said_at < happened:
                due_at = max(said_at + _QUIET, timezone.now())
                notifications.post(user, kind, due_at=due_at, **_context(interest))
            else:
                continue
            told.add(interest.pk)
    if told:
        audit.record(by, "requirement.interested_informed", requirement, interests=len(told))
        changes.record("requirement", requirement, "interested_informed")
    return len(told)


def _said_at(letter: Notification) -> datetime.datetime | None:
    """Of when the letter tells; None while it waits: it will say what holds when it leaves."""
    if letter.status == Notification.Status.UNSENT:
        return None
    return letter.sent_at or letter.created_at


def _tell_supplier(interest: Interest, kind: str) -> None:
    for user in User.objects.editors_of([interest.enterprise_id]):
        notifications.post(user, kind, **_context(interest))


def _context(interest: Interest) -> dict[str, Any]:
    return {
        "requirement": interest.requirement.public_id,
        "enterprise": interest.enterprise.public_id,
        "interest": interest.public_id,
    }
