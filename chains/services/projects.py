"""Investment projects: why things are needed (row 22)."""

from __future__ import annotations

import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes, searchtext
from chains.errors import DomainError, check_fields
from chains.models import Chain, Enterprise, Project, Region, User
from chains.services import requirements


class ProjectFields(TypedDict, total=False):
    name: str
    language: str
    chain: Chain | None
    region: Region | None
    amount_cents: int | None
    currency: str
    stage: str
    needed_by_on: datetime.date | None
    is_public: bool


@transaction.atomic
def save(
    *,
    enterprise: Enterprise,
    by: User,
    project: Project | None = None,
    **fields: Unpack[ProjectFields],
) -> Project:
    """The investment project that explains why things are needed (row 22)."""
    requirements.check_poster(by, enterprise)
    verb = "created" if project is None else "changed"
    if project is None:
        project = Project(enterprise=enterprise)
    elif project.enterprise_id != enterprise.pk:
        raise DomainError(
            _("This project belongs to another enterprise."), code="project.forbidden"
        )
    check_fields(fields, ProjectFields.__annotations__)
    for name, value in fields.items():
        setattr(project, name, value)
    if not project.name.strip():
        raise DomainError(_("Enter the name of the project."), code="project.name")
    if "language" not in fields:
        project.language = searchtext.language_of(project.name)
    project.save()
    audit.record(by, f"project.{verb}", project, enterprise=enterprise.public_id)
    changes.record("project", project, verb)
    return project
