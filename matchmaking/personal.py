"""What is kept about a person: every table and field with its purpose, how it comes into the person's file, what erasing does.

A field of a kind that could hold something personal stands here or in IMPERSONAL; tests/matchmaking/test_personal.py
fails for one that stands nowhere.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chains.models import AuditEntry, Contact, User
from chains.sms import normalised
from events.models import Delegate

# Erasing: the row stays without the person in it, the row goes, or it stays as it is and leads to an account without a person.
BLANKED, DELETED, KEPT = "blanked", "deleted", "kept"

FORMAT = "chaindock-person-1"


@dataclass(frozen=True, slots=True)
class Table:
    model: str
    whose: str  # from a row to its person, as a lookup
    what: Promise
    why: Promise
    fields: tuple[str, ...]  # in the file
    erasing: str
    # Why it stays, or what happens to it.
    note: Promise | None = None
    # Held about the person, but a key to the account: never in a file.
    secret: tuple[str, ...] = ()


_ACT = _("Somebody has to answer for what an enterprise or a desk did.")
_LED = _("Stays, and leads to an account without a person.")
_SIGN_IN = _("So that only you sign in.")
_TOLD = _("So that you hear of what concerns you.")

TABLES = (
    Table(
        "chains.User", "pk", _("Account"), _("So that you can act here."),
        ("public_id", "email", "phone", "language", "date_joined", "last_login", "is_staff", "is_active"),
        BLANKED, _("Address, number and password are removed; an empty row stays, so that what you did still has an author without a name."),
        secret=("password",),
    ),
    Table("account.EmailAddress", "user", _("E-mail addresses"), _SIGN_IN, ("email", "verified", "primary"), DELETED),
    Table("account.EmailConfirmation", "email_address__user", _("Links that confirm an address"), _SIGN_IN, ("created", "sent"), DELETED, secret=("key",)),
    Table("mfa.Authenticator", "user", _("Second steps and keys"), _SIGN_IN, ("type", "created_at", "last_used_at"), DELETED, secret=("data",)),
    Table("usersessions.UserSession", "user", _("Devices"), _SIGN_IN, ("ip", "user_agent", "created_at", "last_seen_at"), DELETED, secret=("session_key", "data")),
    Table("authtoken.Token", "user", _("API token"), _("So that your programs act in your name."), ("created",), DELETED, secret=("key",)),
    Table("chains.TokenLimit", "token__user", _("What your API token may do"), _("So that your programs reach no further than you have said."), ("may_write", "nouns", "ends_on"), DELETED, secret=("token",)),
    Table("chains.Consent", "user", _("What you agreed to"), _("So that it can be shown what was agreed, and when."), ("purpose", "version", "recipient", "created_at", "withdrawn_at"), KEPT, _("Withdrawn. The entry stays as the proof that there was one.")),
    Table("chains.Membership", "user", _("Memberships"), _("So that you can act for an enterprise."), ("public_id", "enterprise", "role", "status", "created_at", "updated_at"), KEPT, _("Ended. The enterprise sees that somebody acted for it.")),
    Table("chains.OrganiserRole", "user", _("Roles at desks"), _("So that you can act for a public body or an association."), ("public_id", "body", "region", "role", "valid_until_on", "created_at"), KEPT, _("Ended.")),
    Table("events.EventStaff", "user", _("Work at events"), _("So that you can work at an event."), ("event", "role"), KEPT, _LED),
    Table("chains.Notification", "to", _("Notices"), _TOLD, ("kind", "channel", "status", "created_at", "sent_at", "read_at", "context"), DELETED),
    Table("chains.MailRefusal", "user", _("Letters that came back"), _TOLD, ("status", "created_at", "updated_at"), DELETED, secret=("digest",)),
    Table("chains.Preference", "user", _("What you want to hear of"), _TOLD, ("topic", "rhythm", "created_at"), DELETED),
    Table("matchmaking.Alert", "user", _("Requirements you were told of"), _TOLD, ("requirement", "cause", "created_at"), DELETED),
    Table("matchmaking.Digest", "user", _("Letters with requirements"), _TOLD, ("public_id", "created_at"), DELETED),
    Table("matchmaking.DeadlineFeed", "user", _("Calendar of deadlines"), _TOLD, ("created_at",), DELETED),
    Table("matchmaking.SavedSearch", "user", _("Saved searches"), _TOLD, ("name", "query", "created_at"), DELETED),
    Table("matchmaking.Lease", "by", _("Lines you are reviewing"), _("So that two reviewers do not decide on the same."), ("line", "expires_at"), DELETED),
    Table("matchmaking.Decision", "by", _("Decisions on matches"), _ACT, ("match", "verdict", "reason", "note", "until_on", "at"), KEPT, _LED),
    Table("matchmaking.Dismissal", "by", _("Suggestions you dismissed"), _("So that they do not return."), ("line", "enterprise", "reason", "created_at"), KEPT, _("Stays with the enterprise: a suggestion must not return to it.")),
    Table("matchmaking.Interest", "sent_by", _("Interests you sent"), _ACT, ("public_id", "requirement", "enterprise", "status", "message", "created_at"), KEPT, _("Belongs to the enterprise you sent it for.")),
    Table("matchmaking.InterestMessage", "by", _("Messages about interests"), _ACT, ("interest", "text", "created_at"), KEPT, _("Belongs to the enterprise you wrote it for.")),
    Table("matchmaking.InterestNote", "by", _("Notes on interests"), _ACT, ("interest", "text", "created_at"), KEPT, _("Belongs to the enterprise you wrote it for.")),
    Table("matchmaking.InterestAttachment", "uploaded_by", _("Files sent with interests"), _ACT, ("interest", "original_name", "created_at"), KEPT, _("Belongs to the enterprise you sent it for.")),
    Table("matchmaking.MatchRun", "asked_by", _("Runs you started"), _ACT, ("public_id", "scope", "status", "created_at"), KEPT, _LED),
    Table("chains.ContactReveal", "user", _("Contacts you opened"), _("The person behind a contact may know who saw it."), ("contact", "requirement", "enterprise", "right", "purpose", "at"), KEPT, _LED),
    Table("events.EventDocument", "uploaded_by", _("Documents you uploaded for events"), _ACT, ("event", "title_zh", "title_en", "original_name", "created_at"), KEPT, _("Belongs to the host of the event.")),
    Table("chains.Evidence", "uploaded_by", _("Documents you uploaded"), _ACT, ("public_id", "enterprise", "purpose", "original_name", "created_at"), KEPT, _("Belongs to the enterprise you uploaded it for.")),
    Table("chains.Import", "asked_by", _("Lists you uploaded"), _ACT, ("public_id", "enterprise", "file_name", "created_at"), KEPT, _("Belongs to the enterprise you uploaded it for.")),
    Table("chains.Remark", "by", _("Remarks on requirements"), _ACT, ("requirement", "text", "at"), KEPT, _LED),
    Table("chains.MemberInvitation", "invited_by", _("Colleagues you invited"), _ACT, ("public_id", "enterprise", "role", "status", "created_at"), KEPT, _("Belongs to the enterprise you invited for; the address goes as soon as it is answered.")),
    Table("chains.RequirementFile", "uploaded_by", _("Files of requirements you uploaded"), _ACT, ("requirement", "original_name", "created_at"), KEPT, _("Belongs to the enterprise you uploaded it for.")),
    Table("chains.CapabilityPhoto", "uploaded_by", _("Photos you uploaded"), _ACT, ("capability", "caption", "created_at"), KEPT, _("Belongs to the enterprise you uploaded it for.")),
    Table("chains.Report", "by", _("Reports of abuse you sent"), _ACT, ("public_id", "reason", "note", "status", "created_at"), KEPT, _LED),
    Table("chains.Report", "decided_by", _("Reports of abuse you decided"), _ACT, ("public_id", "status", "answer", "decided_at"), KEPT, _LED),
    Table("events.Invitation", "invited_by", _("Invitations you sent"), _ACT, ("event", "enterprise", "reason", "created_at"), KEPT, _LED),
    Table("events.CheckIn", "staff", _("Check-ins you took"), _ACT, ("gate", "scanned_at", "kind"), KEPT, _LED),
    Table("events.ChecklistItem", "owner", _("What you have to do for an event"), _ACT, ("event", "text", "due_on", "done_at"), KEPT, _LED),
    Table("admin.LogEntry", "user", _("Old entries of the administration"), _ACT, ("action_time", "object_repr", "change_message"), KEPT, _LED),
)  # fmt: skip

# Beside the tables above: rows that name the person without a reference to the account.
CONTACT_FIELDS = ("enterprise", "name", "job_title", "phone", "email", "wechat", "is_active")
DELEGATE_FIELDS = ("event", "name", "job_title", "status", "created_at")
TRAIL_FIELDS = ("at", "action", "target", "data")
OTHERS = {
    # Persons who need no account; the enterprise keeps them, and what carries an address of the account is found by it.
    "chains.Contact": "name job_title phone email wechat",
    "chains.AuditEntry": "action target data",
    # Somebody who is asked and may have no account; blanked when it is answered, withdrawn or too old.
    "chains.MemberInvitation": "email language",
    # Persons who are sent to an event by their enterprise; found by the name of a contact that carries the address.
    "events.Delegate": "name job_title token short_code",
    "events.FormAnswer": "text chosen wording",
    # The content of a session is a key; those of a person end with the password.
    "sessions.Session": "session_key session_data",
    # Lists that enterprises upload, contacts among them; deleted with their import.
    "chains.Import": "content layout error",
    "chains.ImportRow": "cells notes",
}

# About bodies, goods, events and the machine; who writes about a person in a free text here is asked not to by its form.
IMPERSONAL = {
    "chains.Change": "noun target verb",
    "chains.ChangeReader": "name",
    "chains.Province": "name_zh name_en holidays logo colour",
    "chains.EnterpriseGroup": "name",
    "chains.GroupProposal": "name",
    "chains.Enterprise": "country number name name_en address summary website return_reason search_text sort_key",
    "chains.EnterpriseAlias": "text normalised",
    "chains.Evidence": "file content_type sha256",
    "chains.Import": "key sha256",
    "chains.Qualification": "issuer reason batch",
    "chains.Certification": "issuer reason number scope",
    "chains.Capability": "title_zh title_en text_zh text_en search_text",
    "chains.CapabilityPhoto": "file original_name content_type sha256",
    "chains.CapabilityReference": "text customer place",
    "chains.Notification": "error",
    "chains.Project": "name currency",
    "chains.Requirement": "title text close_note search_text summary",
    "chains.RequirementLine": "text specification",
    "chains.RequirementFile": "file content_type sha256",
    "chains.Condition": "parameter text",
    "chains.Question": "text",
    "chains.Remark": "code",
    "events.AgendaItem": "title_zh title_en room_zh room_en note_zh note_en",
    "events.Event": "name_zh name_en place place_en map_url text text_en cancel_reason search_text draw_source_zh draw_source_en draw_commitment",
    "events.Draw": "seed numbers",
    "events.LeadingGuest": "text_zh text_en",
    "events.Invitation": "code",
    "events.Listing": "code",
    "events.FormQuestion": "text_zh text_en choices",
    "events.LetterTemplate": "subject_zh subject_en body_zh body_en",
    "events.Announcement": "subject_zh subject_en body_zh body_en",
    "events.Programme": "name_zh name_en",
    "events.Tier": "name_zh name_en qualifications participant_kinds",
    "events.Registration": "purposes priority_reason decline_reason qualifications_held attendance_note",
    "matchmaking.Interest": "decline_note answers",
    "matchmaking.InterestAttachment": "file content_type sha256",
    "events.EventDocument": "file content_type sha256",
    "matchmaking.Score": "engine_version parts reasons outcomes text_language basis",
    "matchmaking.Weighting": "weights report",
    "matchmaking.MatchRun": "engine_version error",
    "matchmaking.RunShard": "line_ids settled_ids error",
    "matchmaking.TextVector": "encoder digest vector read_on",
    "admin.LogEntry": "object_id",
    "auth.Permission": "name codename",
    "auth.Group": "name",
    "contenttypes.ContentType": "app_label model",
    "sites.Site": "domain name",
}


def rows_of(table: Table, user: User) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = apps.get_model(table.model)._default_manager.all()
    return rows.filter(**{table.whose: user.pk}).order_by("pk")


def contacts_of(user: User) -> models.QuerySet[Contact]:
    """Contacts of enterprises that carry a proven address of the account, or its number.

    Proven: whoever only types somebody else's address would read that person's contact, and erase it. For the same
    reason compared in lower case: in upper case a dotless ı is an I, of another domain.
    """
    own = Q(pk=None)
    for address in EmailAddress.objects.filter(user_id=user.pk, verified=True):
        own |= Q(folded=address.email.lower())
    if user.phone:
        own |= Q(pk__in=_contacts_at(user.phone))
    rows = Contact.objects.alias(folded=Lower("email")).filter(own)
    return rows.select_related("enterprise").order_by("pk")


_SURE_DIGITS = 7  # the shortest number has as many


def _contacts_at(number: str) -> list[int]:
    """However their enterprises have written the number; the database leaves out those that end otherwise."""
    plain = Func("phone", template="normalize(%(expressions)s, NFKC)")
    digits = Func(plain, Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=models.TextField())  # fmt: skip
    alike = Contact.objects.alias(digits=digits).filter(digits__endswith=number[-_SURE_DIGITS:])
    return [pk for pk, typed in alike.values_list("pk", "phone") if normalised(typed) == number]


def delegates_of(user: User) -> models.QuerySet[Delegate]:
    """Whom enterprises sent to events under the name of a contact that is the person's.

    A delegate has no address: name and enterprise together are all that tells who it was.
    """
    own = Q(pk=None)
    for enterprise, name in contacts_of(user).values_list("enterprise", "name"):
        own |= Q(registration__enterprise=enterprise, name=name)
    return Delegate.objects.filter(own).select_related("event").order_by("pk")


def file_of(user: User, newest: int | None = None) -> dict[str, Any]:
    """Everything kept about the person, for the person: one section for each table, keys to the account left out.

    `newest`: so many rows of each table, for a page; whoever works at a desk has left tens of thousands in the trail.
    """
    return {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "account": user.public_id,
        "sections": list(_sections(user, newest)),
    }


def _sections(user: User, newest: int | None) -> Iterator[dict[str, Any]]:
    for table in TABLES:
        model = apps.get_model(table.model)
        along = [f for f in table.fields if _is_relation(model, f)]
        found = rows_of(table, user).select_related(*along)
        yield _section(table.model, table.what, table.why, found, table.fields, newest)
    yield _section(
        "chains.Contact",
        _("Contacts of enterprises with your address"),
        _("So that others can reach the enterprise."),
        contacts_of(user),
        CONTACT_FIELDS,
        newest,
    )
    yield _section(
        "events.Delegate",
        _("Events to which you were sent"),
        _("So that the door knows who comes."),
        delegates_of(user),
        DELEGATE_FIELDS,
        newest,
    )
    yield _section(
        "chains.AuditEntry",
        _("What you did"),
        _ACT,
        AuditEntry.objects.filter(actor=user.pk).order_by("pk"),
        TRAIL_FIELDS,
        newest,
    )


def _section(
    table: str,
    what: Promise,
    why: Promise,
    rows: models.QuerySet[Any],
    fields: tuple[str, ...],
    newest: int | None,
) -> dict[str, Any]:
    if newest is not None:
        rows = rows.reverse()[:newest]
    return {
        "table": table,
        "what": str(what),
        "why": str(why),
        "rows": [
            {name: _plain(getattr(row, name)) for name in fields} for row in rows.iterator(500)
        ],
    }


def _is_relation(model: type[models.Model], name: str) -> bool:
    return bool(model._meta.get_field(name).is_relation)


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        named = {
            key: getattr(value, key)
            for key in ("name", "name_zh", "name_en", "title")
            if getattr(value, key, "")
        }
        if isinstance(value, Contact):
            named = {}  # of somebody else
        name = getattr(value, "public_id", None) or getattr(value, "code", None)
        return {"id": name or value.pk, **named}
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return value
