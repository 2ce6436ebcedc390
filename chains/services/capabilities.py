from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes, notifications, permissions, searchtext, sweeping, versions
from chains.errors import GIVEN, DomainError
from chains.models import (
    Capability,
    CapabilityReference,
    Category,
    Certification,
    CooperationKind,
    Enterprise,
    Proof,
    Report,
    User,
)
from chains.services import accounts, enterprises

FIELDS = (
    "title_zh",
    "title_en",
    "text_zh",
    "text_en",
    "yearly_capacity",
    "unit",
    "lead_time_days",
    "sample_days",
    "is_new",
    "valid_until_on",
)
FIRST_YEAR = 1950


@transaction.atomic
def save_draft(
    *,
    enterprise: Enterprise,
    by: User,
    capability: Capability | None = None,
    categories: Iterable[Category] | None = None,
    cooperation_kinds: Iterable[CooperationKind] | None = None,
    certifications: Iterable[Certification] | None = None,
    references: Iterable[Mapping[str, Any]] | None = None,
    seen: str = "",
    **fields: Any,
) -> Capability:
    """Keep what was written. A published capability stays published: the change takes effect at once.

    `seen` is the seal of what the form was opened on (`chains.versions`).
    """
    if not permissions.can_edit(by, enterprise) or (
        capability is not None and capability.enterprise_id != enterprise.pk
    ):
        raise _forbidden()
    is_new_row = capability is None
    row = Capability(enterprise=enterprise) if capability is None else _locked(capability)
    if seen and capability is not None:
        versions.expect(seen, versions.of_capability(row), code="capability.stale")
    for field, value in fields.items():
        if field not in FIELDS:
            raise TypeError(f"no field of a capability: {field}")
        setattr(row, field, value)
    _clean(row)
    row.save()
    _save_relations(row, categories, cooperation_kinds, certifications)
    if references is not None and save_references(row, references):
        fields["references"] = None
    write_documents([row])
    verb = "drafted" if is_new_row else "amended"
    audit.record(
        by, f"capability.{verb}", row, enterprise=enterprise.public_id, fields=sorted(fields)
    )
    changes.record("capability", row, verb)
    return row


def _clean(row: Capability) -> None:
    try:
        row.full_clean(exclude=GIVEN)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), code="capability.incomplete") from error


def _save_relations(
    row: Capability,
    categories: Iterable[Category] | None,
    cooperation_kinds: Iterable[CooperationKind] | None,
    certifications: Iterable[Certification] | None,
) -> None:
    if categories is not None:
        chosen = list(dict.fromkeys(categories))
        most = Capability.MAX_CATEGORIES
        if len(chosen) > most:
            raise DomainError(
                ngettext(
                    "Choose at most %(most)d category.",
                    "Choose at most %(most)d categories.",
                    most,
                )
                % {"most": most},
                code="capability.categories",
            )
        row.categories.set(chosen)
    if cooperation_kinds is not None:
        row.cooperation_kinds.set(cooperation_kinds)
    if certifications is not None:
        held = list(certifications)
        if any(one.enterprise_id != row.enterprise_id for one in held):
            raise _forbidden()
        row.certifications.set(held)


def save_references(row: Capability, references: Iterable[Mapping[str, Any]]) -> bool:
    """Put these in the place of those there are; whether that changed any."""
    fresh = references_of(row, references)
    if len(fresh) > CapabilityReference.MOST:
        raise DomainError(
            _("A capability carries %(most)d references at most.")
            % {"most": CapabilityReference.MOST},
            code="capability.references",
            field="references",
        )
    known = list(row.references.all())
    if [versions.of_reference(one) for one in known] == [
        versions.of_reference(one) for one in fresh
    ]:
        return False
    row.references.all().delete()
    CapabilityReference.objects.bulk_create(fresh)
    return True


def references_of(
    row: Capability, references: Iterable[Mapping[str, Any]]
) -> list[CapabilityReference]:
    said = (one for one in references if any(one.values()))
    return [_reference(row, order, given) for order, given in enumerate(said, start=1)]


def _reference(row: Capability, order: int, given: Mapping[str, Any]) -> CapabilityReference:
    words = {
        name: " ".join((given.get(name) or "").split()) for name in ("text", "customer", "place")
    }
    year = given.get("year")
    if not words["text"]:
        raise DomainError(
            _("Say of each reference what was supplied."), code="reference.text", field="references"
        )
    if year is not None and not FIRST_YEAR <= year <= timezone.localdate().year:
        raise DomainError(
            _("The year of a reference lies between %(first)d and this one.")
            % {"first": FIRST_YEAR},
            code="reference.year",
            field="references",
        )
    reference = CapabilityReference(capability=row, order=order, year=year, **words)
    reference.language = searchtext.language_of(reference.in_words)
    try:
        reference.full_clean(exclude=["capability", "order"], validate_constraints=False)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), code="reference.too_long") from error
    return reference


def search_document(
    capability: Capability, categories: Iterable[Category], references: Iterable[str] = ()
) -> str:
    """What a capability is found by: its words in both languages, what it has supplied, and what its categories are
    called in the other language. Also for those who write many at once."""
    said = [capability.title_zh, capability.title_en, capability.text_zh, capability.text_en]
    named = [name for category in categories for name in (category.name_zh, category.name_en)]
    return searchtext.document("\n".join(filter(None, [*said, *references])), synonyms=named)


def write_documents(capabilities: Iterable[Capability]) -> None:
    """From what is kept of each. The verb that changed it has asked for the right, and records."""
    given = {row.pk: row for row in capabilities}
    kept = Capability.objects.filter(pk__in=given).prefetch_related("categories", "references")
    for row in kept:
        words = [reference.in_words for reference in row.references.all()]
        given[row.pk].search_text = search_document(row, row.categories.all(), words)
    Capability.objects.bulk_update(given.values(), ["search_text"], batch_size=500)


@transaction.atomic
def publish(*, capability: Capability, by: User) -> Capability:
    """Visible to everyone and compared with what others ask for. Again: harmless."""
    row = _locked(capability)
    if not permissions.can_edit(by, row.enterprise):
        raise _forbidden()
    if not row.enterprise.is_verified:
        raise DomainError(
            _("The draft is kept. It can be published once the desk has verified your enterprise."),
            code="capability.not_verified",
        )
    if row.valid_until_on is not None and row.valid_until_on < timezone.localdate():
        raise DomainError(
            _("The last day of validity has passed. Choose a later one."),
            code="capability.expired",
        )
    if row.status == Capability.Status.PUBLISHED:
        return row
    row.status = Capability.Status.PUBLISHED
    row.published_at = timezone.now()
    row.save(update_fields=["status", "published_at", "updated_at"])
    audit.record(by, "capability.published", row, enterprise=row.enterprise.public_id)
    changes.record("capability", row, "published")
    return row


@transaction.atomic
def withdraw(*, capability: Capability, by: User) -> Capability:
    row = _locked(capability)
    if not permissions.can_edit(by, row.enterprise):
        raise _forbidden()
    if row.status == Capability.Status.DRAFT:
        raise DomainError(
            _("A draft is seen by nobody else. Delete it instead."), code="capability.draft"
        )
    if row.status != Capability.Status.PUBLISHED:
        raise DomainError(_("It is out of sight already."), code="capability.not_published")
    row.status = Capability.Status.WITHDRAWN
    row.save(update_fields=["status", "updated_at"])
    audit.record(by, "capability.withdrawn", row, enterprise=row.enterprise.public_id)
    changes.record("capability", row, "withdrawn")
    return row


@transaction.atomic
def take_down(
    *,
    capability: Capability,
    report: Report,
    by: User,
    may: enterprises.May = permissions.can_verify,
) -> Capability:
    """The desk takes out of sight what was rightly reported; its editors read why, and may publish it mended."""
    row = _locked(capability)
    if not may(by, row.enterprise):
        raise DomainError(
            _("This enterprise belongs to another desk, or it is your own."),
            code="capability.forbidden",
        )
    if row.status != Capability.Status.PUBLISHED:
        return row
    row.status = Capability.Status.WITHDRAWN
    row.save(update_fields=["status", "updated_at"])
    audit.record(
        by,
        "capability.withdrawn",
        row,
        enterprise=row.enterprise.public_id,
        report=report.public_id,
    )
    # For whoever reads the feed it is gone as if its owner had taken it back.
    changes.record("capability", row, "withdrawn")
    for editor in accounts.editors(row.enterprise):
        notifications.post(
            editor,
            "capability_taken_down",
            capability=row.public_id,
            enterprise=row.enterprise.public_id,
            report=report.public_id,
        )
    return row


@transaction.atomic
def delete_draft(*, capability: Capability, by: User) -> None:
    """Only what nobody else has ever seen is deleted."""
    row = _locked(capability)
    if not permissions.can_edit(by, row.enterprise):
        raise _forbidden()
    if row.status != Capability.Status.DRAFT:
        raise DomainError(
            _("It has been published. Withdraw it instead."), code="capability.not_draft"
        )
    audit.record(by, "capability.deleted", row, enterprise=row.enterprise.public_id)
    changes.record("capability", row, "deleted")
    for photo in row.photos.all():
        photo.forget_content()
    row.delete()


def expire_due(*, by: User | None = None) -> int:
    """The system takes out of sight what was valid until yesterday; its editors are told once."""
    due = list(_over().order_by("pk").values_list("pk", "enterprise"))
    return sweeping.each(due, lambda one: _expire(*one, by))


def _over() -> QuerySet[Capability]:
    return Capability.objects.filter(
        status=Capability.Status.PUBLISHED, valid_until_on__lt=timezone.localdate()
    )


@transaction.atomic
def _expire(pk: int, enterprise: int, by: User | None) -> bool:
    # The enterprise first, as in all that locks both.
    Enterprise.objects.locked(enterprise)
    row = _over().select_for_update(of=("self",)).select_related("enterprise").filter(pk=pk).first()
    if row is None:
        return False
    row.status = Capability.Status.EXPIRED
    row.save(update_fields=["status", "updated_at"])
    audit.record(by, "capability.expired", row, enterprise=row.enterprise.public_id)
    changes.record("capability", row, "expired")
    for editor in accounts.editors(row.enterprise):
        notifications.post(
            editor,
            "capability_expired",
            capability=row.public_id,
            enterprise=row.enterprise.public_id,
        )
    return True


def certificates_to_choose(enterprise: Enterprise) -> list[Certification]:
    """Those of the enterprise that are stated or verified; what was refused or revoked proves nothing."""
    return list(
        enterprise.certifications.filter(
            Q(status=Proof.Status.CLAIMED) | Q(status=Proof.Status.VERIFIED)
        )
        .select_related("kind")
        .order_by("kind__order", "pk")
    )


def _locked(capability: Capability) -> Capability:
    # The enterprise first, as everything else that locks both: its search text follows.
    Enterprise.objects.locked(capability.enterprise_id)
    return (
        Capability.objects.select_for_update(of=("self",))
        .select_related("enterprise__region")
        .get(pk=capability.pk)
    )


def _forbidden() -> DomainError:
    return DomainError(
        _("Only the owner and the editors of the enterprise can do this."),
        code="capability.forbidden",
    )
