from __future__ import annotations

import datetime
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import (
    audit,
    changes,
    identity,
    notifications,
    permissions,
    search,
    searchtext,
    spreadsheets,
    versions,
)
from chains.errors import GIVEN, DomainError, check_fields
from chains.models import (
    Certification,
    CertificationKind,
    Enterprise,
    EnterpriseAlias,
    Evidence,
    Membership,
    OrganiserRole,
    ParticipantKind,
    Proof,
    Qualification,
    QualificationKind,
    Region,
    StoredFile,
    User,
)
from chains.services import accounts, requirements

# Who decides. Outside every served province the desk is that of an event, which only the packages above
# know: they pass their own predicate.
May = Callable[[User, Enterprise], bool]
AnyProof = Qualification | Certification

CONTENT_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}
# What buyers of parts send along. Handed on as bytes, whatever a program might make of them.
DRAWINGS = dict.fromkeys(("dwg", "dxf", "step", "iges", "xlsx"), "application/octet-stream")

# What the desk has checked; a verified enterprise does not change it by itself.
CHECKED = ("scheme", "country", "number", "number_confirmed", "name", "kind", "region")
PROFILE = (
    "name_en",
    "address",
    "longitude",
    "latitude",
    "summary",
    "summary_language",
    "website",
)


# --- Coming onto the register -------------------------------------------------------------------------


@transaction.atomic
def register(
    *,
    name: str,
    by: User,
    scheme: str = Enterprise.Scheme.USCC,
    country: str = "CN",
    number: str | None = None,
    number_confirmed: bool = False,
    kind: ParticipantKind | str = "enterprise",
    region: Region | None = None,
    licence: UploadedFile[Any] | None = None,
    **profile: Any,
) -> Enterprise:
    """Put a body on the register, its first member as owner; it waits for its desk from now on.

    A known one with this number and no members is claimed. Two who register the same number at once:
    the second is told to ask to join.
    """
    check_fields(profile, PROFILE)
    fields = {
        "name": " ".join(name.split()),
        "scheme": scheme,
        "country": country if scheme != Enterprise.Scheme.USCC else "CN",
        "number": _checked_number(scheme, number, number_confirmed),
        "number_confirmed": number_confirmed,
        "kind_id": kind if isinstance(kind, str) else kind.code,
        **_place(region, country if scheme != Enterprise.Scheme.USCC else "CN"),
        **profile,
    }
    enterprise = _claim(fields) or _create(fields)
    _refresh(enterprise)
    Membership.objects.create(
        user=by,
        enterprise=enterprise,
        role=Membership.Role.OWNER,
        status=Membership.Status.ACTIVE,
    )
    by.forget_memberships()
    _attach_licence(enterprise, licence, by)
    audit.record(by, "enterprise.submitted", enterprise)
    changes.record("enterprise", enterprise, "submitted")
    _tell_desk(enterprise)
    return enterprise


def _checked_number(scheme: str, number: str | None, confirmed: bool) -> str | None:
    if scheme == Enterprise.Scheme.OTHER and not identity.fold_number(number or ""):
        return None
    verdict = identity.check_number(scheme, number)
    if verdict.verdict == "missing" or (verdict.verdict != "valid" and not confirmed):
        raise DomainError(
            verdict.sentence,
            code="enterprise.number_unclear",
            field="number",
            verdict=verdict.verdict,
        )
    if len(verdict.number) > 40:
        raise DomainError(_("A number has at most 40 characters."), code="enterprise.number_long")
    return verdict.number


def _place(region: Region | None, country: str) -> dict[str, Any]:
    if region is None:
        if country == "CN":
            raise DomainError(
                _("Choose the region the enterprise is registered in."),
                code="enterprise.region_missing",
                field="region",
            )
        return {"region": None, "province": None}
    if region.level in (Region.Level.COUNTRY, Region.Level.PROVINCE):
        raise DomainError(
            _("Choose the county, district or city, not the whole province."),
            code="enterprise.region_too_wide",
            field="region",
        )
    return {"region": region, "province": Region.objects.get(code=region.province_code)}


def _claim(fields: dict[str, Any]) -> Enterprise | None:
    """The known enterprise with this number, taken over; a refusal when it has members already."""
    if fields["number"] is None:
        return None
    enterprise = (
        search.by_number(fields["scheme"], fields["country"], fields["number"])
        .select_for_update(of=("self",))
        .first()
    )
    if enterprise is None:
        return None
    if enterprise.status != Enterprise.Status.UNCLAIMED:
        raise _on_register(enterprise)
    known = {enterprise.name, enterprise.name_en} - {"", fields["name"], fields.get("name_en")}
    for text in sorted(known):
        _save_alias(enterprise, text, EnterpriseAlias.Kind.OTHER)
    for field, value in fields.items():
        setattr(enterprise, field, value)
    _wait(enterprise)
    _clean(enterprise)
    enterprise.save()
    return enterprise


def _create(fields: dict[str, Any]) -> Enterprise:
    enterprise = Enterprise(**fields)
    _wait(enterprise)
    _clean(enterprise)
    try:
        with transaction.atomic():
            enterprise.save()
    except IntegrityError as error:
        if "enterprise_number_once" not in str(error):
            raise
        first = search.by_number(fields["scheme"], fields["country"], fields["number"]).get()
        raise _on_register(first) from error
    return enterprise


def _attach_licence(enterprise: Enterprise, licence: UploadedFile[Any] | None, by: User) -> None:
    """No desk decides on a body whose licence or letter it cannot open; one sent before is enough."""
    if licence is not None:
        _store(enterprise, Evidence.Purpose.LICENCE, licence, by)
    elif not enterprise.evidence.filter(purpose=Evidence.Purpose.LICENCE).exists():
        raise DomainError(
            _("Attach the business licence, or a letter of the body that you act for it."),
            code="enterprise.licence_missing",
        )


def _wait(enterprise: Enterprise) -> None:
    enterprise.status = Enterprise.Status.PENDING
    enterprise.submitted_at = timezone.now()


def _clean(enterprise: Enterprise) -> None:
    # Constraints are left to the database here: the number is answered with a sentence of its own.
    try:
        enterprise.full_clean(validate_constraints=False, exclude=["group", "merged_into"])
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), code="enterprise.incomplete") from error


def _on_register(enterprise: Enterprise) -> DomainError:
    return DomainError(
        _("An enterprise with this number is on the register already. Ask to join it."),
        code="enterprise.on_register",
        public_id=enterprise.public_id,
    )


@transaction.atomic
def resubmit(
    *,
    enterprise: Enterprise,
    by: User,
    licence: UploadedFile[Any] | None = None,
    **fields: Any,
) -> Enterprise:
    """Send a returned enterprise to its desk again, or correct one that still waits."""
    enterprise = _locked(enterprise)
    if not permissions.can_edit(by, enterprise):
        raise _forbidden()
    if enterprise.status not in (Enterprise.Status.RETURNED, Enterprise.Status.PENDING):
        raise DomainError(
            _("Only an enterprise that was returned can be sent again."),
            code="enterprise.not_returned",
        )
    was_returned = enterprise.status == Enterprise.Status.RETURNED
    _apply(enterprise, fields)
    if was_returned:
        _wait(enterprise)
    _keep(enterprise)
    _refresh(enterprise)
    _attach_licence(enterprise, licence, by)
    verb = "submitted" if was_returned else "corrected"
    audit.record(by, f"enterprise.{verb}", enterprise, again=was_returned)
    changes.record("enterprise", enterprise, verb)
    if was_returned:
        _tell_desk(enterprise)
    return enterprise


def _apply(enterprise: Enterprise, fields: dict[str, Any]) -> None:
    """Set checked and profile fields from a form; names given up stay as aliases."""
    if {"scheme", "number", "country"} & set(fields):
        scheme = fields.get("scheme", enterprise.scheme)
        confirmed = fields.get("number_confirmed", enterprise.number_confirmed)
        fields["number"] = _checked_number(
            scheme, fields.get("number", enterprise.number), confirmed
        )
    if "region" in fields or "country" in fields:
        region = fields.get("region", enterprise.region)
        fields.update(_place(region, fields.get("country", enterprise.country)))
    if "name" in fields:
        fields["name"] = " ".join(fields["name"].split())
    for field, value in fields.items():
        if field not in (*CHECKED, *PROFILE, "province"):
            raise TypeError(f"no field of an enterprise: {field}")
        setattr(enterprise, field, value)


def _keep(enterprise: Enterprise) -> None:
    _clean(enterprise)
    try:
        with transaction.atomic():
            enterprise.save()
    except IntegrityError as error:
        if "enterprise_number_once" not in str(error):
            raise
        raise DomainError(
            _("Another enterprise stands under this number."),
            code="enterprise.number_taken",
            field="number",
        ) from error


def _tell_desk(enterprise: Enterprise) -> None:
    # In the application only: the inbox counts what waits, a mail for each case would be noise.
    for role in OrganiserRole.objects.desks_of(enterprise):
        notifications.post(
            role.user, "enterprise_submitted", email=False, enterprise=enterprise.public_id
        )


# --- The desk -----------------------------------------------------------------------------------------


@transaction.atomic
def verify(
    *,
    enterprise: Enterprise,
    by: User,
    may: May = permissions.can_verify,
    seen: datetime.datetime | None = None,
) -> Enterprise:
    """Let it take part. `seen`: the `updated_at` of what the desk looked at; what was changed since is not verified."""
    enterprise = _case(enterprise, by, may, Enterprise.Status.PENDING)
    if seen is not None and enterprise.updated_at != seen:
        raise DomainError(
            _("The enterprise has corrected its case meanwhile. Look at it again."),
            code="enterprise.changed",
        )
    enterprise.status = Enterprise.Status.VERIFIED
    enterprise.verified_at = timezone.now()
    enterprise.return_reason = ""
    enterprise.save(update_fields=["status", "verified_at", "return_reason", "updated_at"])
    return _decided(enterprise, by, "verified")


@transaction.atomic
def return_(
    *, enterprise: Enterprise, reason: str, by: User, may: May = permissions.can_verify
) -> Enterprise:
    """Back to the member with what is missing."""
    enterprise = _case(enterprise, by, may, Enterprise.Status.PENDING)
    enterprise.return_reason = _reason(reason)
    enterprise.status = Enterprise.Status.RETURNED
    enterprise.save(update_fields=["status", "return_reason", "updated_at"])
    return _decided(enterprise, by, "returned")


@transaction.atomic
def suspend(
    *, enterprise: Enterprise, reason: str, by: User, may: May = permissions.can_verify
) -> Enterprise:
    """Its members read from now on and change nothing; what it asks for is closed."""
    enterprise = _case(enterprise, by, may, Enterprise.Status.VERIFIED)
    enterprise.return_reason = _reason(reason)
    enterprise.status = Enterprise.Status.SUSPENDED
    enterprise.save(update_fields=["status", "return_reason", "updated_at"])
    requirements.close_suspended(enterprise=enterprise, by=by)
    return _decided(enterprise, by, "suspended")


@transaction.atomic
def reinstate(*, enterprise: Enterprise, by: User, may: May = permissions.can_verify) -> Enterprise:
    enterprise = _case(enterprise, by, may, Enterprise.Status.SUSPENDED)
    enterprise.return_reason = ""
    enterprise.status = Enterprise.Status.VERIFIED
    enterprise.save(update_fields=["status", "return_reason", "updated_at"])
    return _decided(enterprise, by, "reinstated")


def _case(enterprise: Enterprise, by: User, may: May, status: str) -> Enterprise:
    enterprise = _locked(enterprise)
    if not may(by, enterprise):
        raise DomainError(
            _("This enterprise belongs to another desk, or it is your own."),
            code="enterprise.forbidden",
        )
    if enterprise.status != status:
        raise DomainError(
            _("The state of this enterprise has changed meanwhile: %(state)s.")
            % {"state": enterprise.get_status_display()},
            code="enterprise.state",
        )
    return enterprise


def _decided(enterprise: Enterprise, by: User, verb: str) -> Enterprise:
    audit.record(by, f"enterprise.{verb}", enterprise)
    changes.record("enterprise", enterprise, verb)
    for editor in accounts.editors(enterprise):
        notifications.post(editor, f"enterprise_{verb}", enterprise=enterprise.public_id)
    return enterprise


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise DomainError(
            _("Say what is missing; the enterprise reads it."),
            code="enterprise.reason_missing",
            field="reason",
        )
    return reason[:2000]


# --- The profile --------------------------------------------------------------------------------------


@transaction.atomic
def edit_profile(*, enterprise: Enterprise, by: User, seen: str = "", **fields: Any) -> Enterprise:
    """What its editors change by themselves. Name, number, kind and region only before it is verified."""
    enterprise = _locked(enterprise)
    if not permissions.can_edit(by, enterprise):
        raise _forbidden()
    checked = sorted(set(fields) & set(CHECKED))
    if enterprise.is_verified and checked:
        raise DomainError(
            _("Name, number, kind and region were checked by the desk. Ask it to change them."),
            code="enterprise.checked",
        )
    versions.expect(seen, versions.of_profile(enterprise), code="enterprise.stale")
    _apply(enterprise, fields)
    _keep(enterprise)
    _refresh(enterprise)
    audit.record(by, "enterprise.edited", enterprise, fields=sorted(fields))
    changes.record("enterprise", enterprise, "edited")
    return enterprise


@transaction.atomic
def add_alias(*, enterprise: Enterprise, text: str, kind: str, by: User | None) -> EnterpriseAlias:
    """Another spelling under which the enterprise is found (row 46)."""
    if (
        by is not None
        and not permissions.can_edit(by, enterprise)
        and not permissions.can_verify(by, enterprise)
    ):
        raise _forbidden()
    if kind not in EnterpriseAlias.Kind.values:
        raise DomainError(_("Choose the kind of the name."), code="alias.kind")
    enterprise = _locked(enterprise)
    alias = _save_alias(enterprise, text, kind)
    _refresh(enterprise)
    audit.record(by, "enterprise.alias_added", enterprise, kind=kind)
    changes.record("enterprise", enterprise, "edited")
    return alias


def _save_alias(enterprise: Enterprise, text: str, kind: str) -> EnterpriseAlias:
    text = " ".join(text.split())[:200]
    normalised = identity.normalise_name(text)[:200]
    if not normalised:
        raise DomainError(_("Enter a name."), code="alias.empty")
    alias, _created = EnterpriseAlias.objects.get_or_create(
        enterprise=enterprise, normalised=normalised, defaults={"text": text, "kind": kind}
    )
    return alias


def search_document(enterprise: Enterprise, aliases: list[str]) -> str:
    """What is stored beside an enterprise to be searched; also for those who write many at once."""
    names = dict.fromkeys(filter(None, [enterprise.name, enterprise.name_en, *aliases]))
    return searchtext.document(enterprise.summary, names=names)


def _write_document(enterprise: Enterprise) -> None:
    aliases = list(enterprise.aliases.order_by("pk").values_list("text", flat=True))
    enterprise.search_text = search_document(enterprise, aliases)


def _refresh(enterprise: Enterprise) -> None:
    """Names as aliases, the search document, the key it is sorted by."""
    for text, kind in (
        (enterprise.name, EnterpriseAlias.Kind.ZH),
        (enterprise.name_en, EnterpriseAlias.Kind.EN),
    ):
        if text and identity.normalise_name(text):
            is_latin = text.isascii() and kind == EnterpriseAlias.Kind.ZH
            _save_alias(enterprise, text, EnterpriseAlias.Kind.EN if is_latin else kind)
    _write_document(enterprise)
    enterprise.sort_key = identity.sort_key(enterprise.name)
    enterprise.save(update_fields=["search_text", "sort_key"])


def _locked(enterprise: Enterprise) -> Enterprise:
    return (
        Enterprise.objects.select_for_update(of=("self",))
        .select_related("region", "province", "kind")
        .get(pk=enterprise.pk)
    )


def _forbidden() -> DomainError:
    return DomainError(
        _("Only the owner and the editors of the enterprise can do this."),
        code="enterprise.forbidden",
    )


# --- Evidence -----------------------------------------------------------------------------------------


@transaction.atomic
def store_evidence(
    *, enterprise: Enterprise, purpose: str, upload: UploadedFile[Any], by: User
) -> Evidence:
    """Keep a file that proves something, outside the web root and under a random name."""
    if not permissions.can_edit(by, enterprise):
        raise _forbidden()
    return _store(enterprise, purpose, upload, by)


# What one enterprise may keep: proofs of many years, and no archive.
MOST_FILES = 300
MOST_BYTES = 300 * 1024 * 1024


def _store(enterprise: Enterprise, purpose: str, upload: UploadedFile[Any], by: User) -> Evidence:
    # Of two uploads at the same moment the second counts the first.
    Enterprise.objects.locked(enterprise.pk)
    kept = Evidence.objects.filter(enterprise=enterprise).aggregate(n=Count("pk"), size=Sum("size"))
    if kept["n"] >= MOST_FILES or (kept["size"] or 0) + (upload.size or 0) > MOST_BYTES:
        raise DomainError(
            _(
                "An enterprise keeps at most %(files)d files of %(size)d MB in all, and this one would be too much. Use a file you have uploaded before, or send a smaller one."
            )
            % {"files": MOST_FILES, "size": MOST_BYTES // 1024 // 1024},
            code="evidence.too_many",
        )
    evidence = Evidence(enterprise=enterprise, purpose=purpose)
    keep_file(row=evidence, upload=upload, by=by)
    audit.record(by, "evidence.stored", evidence, purpose=purpose, size=evidence.size)
    return evidence


def keep_file(
    *,
    row: StoredFile,
    upload: UploadedFile[Any],
    by: User,
    kinds: Mapping[str, str] = CONTENT_TYPES,
) -> None:
    """Look what a file is and keep it under a random name with the row that says what it is for. The caller has asked
    for the right, and records. `kinds`: what it may be, and as what it is handed on."""
    kind = spreadsheets.check_document(
        cast("IO[bytes]", upload), max_bytes=settings.EVIDENCE_MAX_BYTES, allowed=tuple(kinds)
    )
    row.original_name = _harmless_name(upload.name or "", kind)
    row.content_type = kinds[kind]
    keep_content(row=row, content=upload.read(), ending=kind, by=by)


def keep_content(*, row: StoredFile, content: bytes, ending: str, by: User) -> None:
    """Under a random name outside the web root, with what was found out about it."""
    row.size = len(content)
    row.sha256 = hashlib.sha256(content).hexdigest()
    row.uploaded_by = by
    row.file.save(f"{secrets.token_hex(16)}.{ending}", ContentFile(content), save=True)


# The usual one first; who wrote another of them keeps it.
_ENDINGS = {"jpeg": ("jpg", "jpeg"), "step": ("step", "stp"), "iges": ("igs", "iges")}


def _harmless_name(name: str, kind: str) -> str:
    """The name as the sender had it, without folders, control and direction signs; with the true ending."""
    base = os.path.basename(name.replace("\\", "/"))  # noqa: PTH119 -- a name, not a path here
    stem = re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\"]", "", base)
    stem, _dot, ending = stem.rpartition(".")
    stem = (stem or ending).strip(" .")[:180] or "file"
    endings = _ENDINGS.get(kind, (kind,))
    return f"{stem}.{ending.lower() if ending.lower() in endings else endings[0]}"


@transaction.atomic
def record_view(*, evidence: Evidence, by: User) -> None:
    """A desk has opened a file of an enterprise; its own members are not logged."""
    if not permissions.is_member(by, evidence.enterprise):
        audit.record(by, "evidence.viewed", evidence, enterprise=evidence.enterprise.public_id)


# --- Qualifications and certificates ------------------------------------------------------------------


@transaction.atomic
def claim_qualification(
    *,
    enterprise: Enterprise,
    kind: QualificationKind,
    valid_from: datetime.date,
    by: User,
    issuer: str = "",
    valid_until_on: datetime.date | None = None,
    evidence: UploadedFile[Any] | Evidence | None = None,
    batch: str = "",
) -> Qualification:
    """State a title; others see it once the desk has verified it."""
    row = Qualification(
        enterprise=enterprise,
        kind=kind,
        issuer=issuer,
        batch=batch,
        valid_from=valid_from,
        valid_until_on=valid_until_on,
    )
    _claim_proof(row, evidence, Evidence.Purpose.QUALIFICATION, by)
    return row


@transaction.atomic
def claim_certification(
    *,
    enterprise: Enterprise,
    kind: CertificationKind,
    valid_from: datetime.date,
    by: User,
    number: str = "",
    scope: str = "",
    issuer: str = "",
    valid_until_on: datetime.date | None = None,
    evidence: UploadedFile[Any] | Evidence | None = None,
) -> Certification:
    """State a certificate; it counts for a must once the desk has verified it."""
    row = Certification(
        enterprise=enterprise,
        kind=kind,
        number=number,
        scope=scope,
        issuer=issuer,
        valid_from=valid_from,
        valid_until_on=valid_until_on,
    )
    _claim_proof(row, evidence, Evidence.Purpose.CERTIFICATION, by)
    return row


def _claim_proof(
    row: AnyProof, evidence: UploadedFile[Any] | Evidence | None, purpose: str, by: User
) -> None:
    if not permissions.can_edit(by, row.enterprise):
        raise _forbidden()
    row.evidence = _evidence_of(row.enterprise, evidence, purpose, by)
    if row.valid_until_on is not None and row.valid_until_on < row.valid_from:
        raise DomainError(
            _("The last day of validity lies before the first."),
            code="proof.term",
            field="valid_until_on",
        )
    try:
        with transaction.atomic():
            row.full_clean(exclude=GIVEN, validate_constraints=False)
            row.save()
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), code="proof.incomplete") from error
    except IntegrityError as error:
        raise DomainError(
            _("This is on the list already with the same first day."), code="proof.exists"
        ) from error
    audit.record(
        by, f"{noun(row)}.claimed", row, enterprise=row.enterprise.public_id, kind=row.kind.code
    )
    changes.record(noun(row), row, "claimed")
    # Before that it comes with the case of the enterprise itself.
    for role in (
        OrganiserRole.objects.desks_of(row.enterprise) if row.enterprise.is_verified else ()
    ):
        notifications.post(
            role.user,
            "proof_claimed",
            email=False,
            proof=row.public_id,
            enterprise=row.enterprise.public_id,
        )


def _evidence_of(
    enterprise: Enterprise, evidence: UploadedFile[Any] | Evidence | None, purpose: str, by: User
) -> Evidence | None:
    if evidence is None:
        return None
    if isinstance(evidence, Evidence):
        if evidence.enterprise_id != enterprise.pk:
            raise _forbidden()
        return evidence
    return _store(enterprise, purpose, evidence, by)


@transaction.atomic
def decide_proof(
    *,
    proof: AnyProof,
    accept: bool,
    by: User,
    reason: str = "",
    issuer: str | None = None,
    valid_until_on: datetime.date | None = None,
    may: May = permissions.can_verify,
) -> AnyProof:
    """Verify or refuse a claim. The desk may correct the issuer and the last day by the paper it sees."""
    proof = _proof_case(proof, by, may, Proof.Status.CLAIMED)
    if not accept and not reason.strip():
        raise DomainError(
            _("Say why; the enterprise reads it."), code="proof.reason_missing", field="reason"
        )
    if accept:
        proof.issuer = issuer.strip()[:200] if issuer else proof.issuer
        proof.valid_until_on = valid_until_on or proof.valid_until_on
        if proof.valid_until_on is not None and proof.valid_until_on < proof.valid_from:
            raise DomainError(
                _("The last day of validity lies before the first."),
                code="proof.term",
                field="valid_until_on",
            )
    proof.status = Proof.Status.VERIFIED if accept else Proof.Status.REFUSED
    proof.reason = reason.strip()[:300]
    proof.save()
    return _proof_decided(proof, by, "verified" if accept else "refused")


@transaction.atomic
def revoke_proof(
    *, proof: AnyProof, reason: str, by: User, may: May = permissions.can_verify
) -> AnyProof:
    proof = _proof_case(proof, by, may, Proof.Status.VERIFIED)
    if not reason.strip():
        raise DomainError(
            _("Say why; the enterprise reads it."), code="proof.reason_missing", field="reason"
        )
    proof.status = Proof.Status.REVOKED
    proof.reason = reason.strip()[:300]
    proof.revoked_on = timezone.localdate()
    proof.save(update_fields=["status", "reason", "revoked_on", "updated_at"])
    return _proof_decided(proof, by, "revoked")


def _proof_case(proof: AnyProof, by: User, may: May, status: str) -> AnyProof:
    rows = (
        Qualification.objects.all()
        if isinstance(proof, Qualification)
        else Certification.objects.all()
    )
    locked = (
        rows.select_for_update(of=("self",))
        .select_related("enterprise__region", "kind")
        .get(pk=proof.pk)
    )
    if not may(by, locked.enterprise):
        raise DomainError(
            _("This enterprise belongs to another desk, or it is your own."),
            code="proof.forbidden",
        )
    if locked.status != status:
        raise DomainError(
            _("This has been decided already: %(state)s.") % {"state": locked.get_status_display()},
            code="proof.decided",
        )
    return locked


def _proof_decided(proof: AnyProof, by: User, verb: str) -> AnyProof:
    audit.record(by, f"{noun(proof)}.{verb}", proof, enterprise=proof.enterprise.public_id)
    changes.record(noun(proof), proof, verb)
    for editor in accounts.editors(proof.enterprise):
        notifications.post(
            editor,
            f"proof_{verb}",
            proof=proof.public_id,
            enterprise=proof.enterprise.public_id,
        )
    return proof


def noun(proof: AnyProof) -> str:
    return "qualification" if isinstance(proof, Qualification) else "certification"
