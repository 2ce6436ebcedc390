from __future__ import annotations

from chains.models.audit import AuditEntry
from chains.models.base import Language, Reference, TimeStamped, new_public_id
from chains.models.changes import Change, ChangeReader
from chains.models.contacts import Contact, ContactReveal
from chains.models.enterprises import (
    Capability,
    Certification,
    Enterprise,
    EnterpriseAlias,
    EnterpriseGroup,
    Evidence,
    Proof,
    Qualification,
    StoredFile,
)
from chains.models.imports import Import, ImportRow
from chains.models.notifications import MailRefusal, Notification, Preference
from chains.models.people import Consent, Mandate, Membership, OrganiserRole, User
from chains.models.regions import COUNTRY, Cluster, Province, Region, RegionGroup, lies_within
from chains.models.requirements import (
    Condition,
    Period,
    Project,
    Question,
    Remark,
    Requirement,
    RequirementLine,
)
from chains.models.taxonomy import (
    Category,
    CertificationKind,
    Chain,
    CooperationKind,
    DockingDirection,
    DockingKind,
    ParticipantKind,
    QualificationKind,
    Segment,
    SegmentLink,
    Unit,
)

__all__ = [
    "COUNTRY",
    "AuditEntry",
    "Capability",
    "Category",
    "Certification",
    "CertificationKind",
    "Chain",
    "Change",
    "ChangeReader",
    "Cluster",
    "Condition",
    "Consent",
    "Contact",
    "ContactReveal",
    "CooperationKind",
    "DockingDirection",
    "DockingKind",
    "Enterprise",
    "EnterpriseAlias",
    "EnterpriseGroup",
    "Evidence",
    "Import",
    "ImportRow",
    "Language",
    "MailRefusal",
    "Mandate",
    "Membership",
    "Notification",
    "OrganiserRole",
    "ParticipantKind",
    "Period",
    "Preference",
    "Project",
    "Proof",
    "Province",
    "Qualification",
    "QualificationKind",
    "Question",
    "Reference",
    "Region",
    "RegionGroup",
    "Remark",
    "Requirement",
    "RequirementLine",
    "Segment",
    "SegmentLink",
    "StoredFile",
    "TimeStamped",
    "Unit",
    "User",
    "lies_within",
    "new_public_id",
]
