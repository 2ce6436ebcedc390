"""Migrations applied in fewer steps: Django draws up to all models anew after each operation, nine tenths of the time
an empty database takes to get its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import IndexOperation
from django.db.migrations.state import ProjectState

_FIELDS = (migrations.AddField, migrations.AlterField)
_ADDED = (migrations.AddConstraint, migrations.AddIndex)


class Migration(migrations.Migration):
    """Operations that cannot see each other's effect get one picture of all models before them and one after."""

    def apply(
        self,
        project_state: ProjectState,
        schema_editor: BaseDatabaseSchemaEditor,
        collect_sql: bool = False,
    ) -> ProjectState:
        if collect_sql or not self.atomic:
            return super().apply(project_state, schema_editor, collect_sql)
        for group in _groups(self.operations):
            before = project_state.clone()
            _forward(group, self.app_label, project_state)
            for operation in group:
                operation.database_forwards(self.app_label, schema_editor, before, project_state)
        return project_state


def _forward(group: Sequence[Operation], app: str, state: ProjectState) -> None:
    if len(group) == 1:
        group[0].state_forwards(app, state)
        return
    # Without the drawn models the operations change nothing but the description they are drawn from.
    apps = state.__dict__.pop("apps")
    for operation in group:
        operation.state_forwards(app, state)
    state.__dict__["apps"] = apps
    touched = [(app, _model(operation)) for operation in group]
    state.reload_models(list(dict.fromkeys(touched)), delay=not any(map(_relates, group)))


def _groups(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    group: list[Operation] = []
    kinds: set[str] = set()
    taken: set[tuple[str, str]] = set()
    for operation in operations:
        kind, mark = _kind(operation), _mark(operation)
        # A table is made with all its model has by then: what is added to it must come after the picture.
        if group and not (kind and kinds == {kind} and mark not in taken):
            yield group
            group, kinds, taken = [], set(), set()
        group.append(operation)
        kinds.add(kind)
        taken.add(mark)
    if group:
        yield group


def _kind(operation: Operation) -> str:
    """Operations of one kind may share a picture; those of none stand alone."""
    if type(operation) is migrations.CreateModel:
        return "create"
    added = type(operation) in (*_FIELDS, *_ADDED) or type(operation).__name__ == "AddTrigger"
    return "add" if added else ""


def _model(operation: Any) -> str:
    name = operation.name if isinstance(operation, migrations.CreateModel) else operation.model_name
    return str(name).lower()


def _mark(operation: Any) -> tuple[str, str]:
    """What may stand in a group once only: a field added and altered is seen by the database in between."""
    if not _kind(operation):
        return "", ""
    named = isinstance(operation, _FIELDS)
    return _model(operation), operation.name.lower() if named else str(id(operation))


def _relates(operation: Operation) -> bool:
    """Whether models beyond the next neighbours look other after it."""
    if isinstance(operation, migrations.AddField):
        return bool(operation.field.is_relation)
    return not isinstance(operation, IndexOperation)
