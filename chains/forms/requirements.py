"""All forms of a requirement's page together; they work without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from chains.forms import KeptForm, stored_sentences
from chains.forms.register import Register
from chains.forms.requirement_facts import NEW, ContactForm, ProjectForm, RequirementForm
from chains.forms.requirement_rows import ConditionForm, LineForm
from chains.models import Enterprise, Requirement, RequirementLine, User
from chains.services.requirement_writing import ConditionDraft, LineDraft
from chains.templatetags.localised import localised, number

Data = MultiValueDict[str, str]


class Posting:
    """All forms of the page together. `data` is what was posted; without it the stored rows stand there."""

    def __init__(
        self,
        data: Data | None,
        *,
        enterprise: Enterprise,
        by: User,
        requirement: Requirement | None = None,
        is_final: bool = False,
    ) -> None:
        self.data, self.requirement, self.enterprise, self.by = data, requirement, enterprise, by
        self.register = Register()
        self.is_final = is_final
        is_new = requirement is None or not requirement.published_at
        self.form = RequirementForm(
            data,
            initial=_initial(requirement, enterprise),
            enterprise=enterprise,
            by=by,
            is_final=is_final,
            is_new=is_new,
        )
        self.project = ProjectForm(data, prefix="project")
        self.new_contact = ContactForm(data, prefix="contact")
        self.lines: list[LineForm] = [
            self._line(index, start) for index, start in self._rows("line")
        ]
        self.conditions: list[ConditionForm] = [
            self._condition(index, start) for index, start in self._rows("condition")
        ]

    # A row is known by its index, posted once for each: rows may be missing in between.
    def _rows(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        if self.data is not None:
            indices = [int(i) for i in self.data.getlist(kind) if re.fullmatch("[0-9]{1,9}", i)]
            known = list(dict.fromkeys(indices))[: 2 * Requirement.MAX_LINES]
            return [(index, dict[str, Any]()) for index in known]
        stored = list(_stored(kind, self.requirement))
        return list(enumerate(stored)) or [(0, {})]

    def _line(self, index: int, initial: dict[str, Any], data: Data | None = None) -> LineForm:
        return LineForm(
            data if data is not None else self.data,
            prefix=f"line-{index}",
            initial=initial,
            register=self.register,
        )

    def _condition(self, index: int, initial: dict[str, Any]) -> ConditionForm:
        return ConditionForm(
            self.data, prefix=f"condition-{index}", initial=initial, register=self.register
        )

    def keep(self) -> None:
        """Show everything as typed, without complaints."""
        for form in (self.form, self.project, self.new_contact, *self.lines, *self.conditions):
            form.keep()

    def add(self, kind: str) -> None:
        rows = self.lines if kind == "line" else self.conditions
        index = 1 + max((row.index for row in rows), default=-1)
        if kind == "line" and len(self.lines) < Requirement.MAX_LINES:
            self.lines.append(LineForm(prefix=f"line-{index}", register=self.register))
        elif kind == "condition":
            self.conditions.append(
                ConditionForm(prefix=f"condition-{index}", register=self.register)
            )

    def remove(self, name: str) -> None:
        """`name` is the prefix of the row: line-3, condition-0."""
        self.lines = [row for row in self.lines if row.prefix != name]
        self.conditions = [row for row in self.conditions if row.prefix != name]

    # --- After a post ---

    @property
    def wants_project(self) -> bool:
        return bool(self.form["project"].value() == NEW)

    @property
    def wants_contact(self) -> bool:
        return bool(self.form["contact"].value() == NEW) or not self.form.contacts

    @cached_property
    def brings_contact(self) -> bool:
        """A draft may leave the new contact's fields empty for now."""
        typed = any(str(bound.value() or "").strip() for bound in self.new_contact)
        return self.wants_contact and (typed or self.is_final)

    def _parts(self) -> list[KeptForm]:
        parts: list[KeptForm] = [self.form, *self.lines, *self.conditions]
        for form, is_wanted in (
            (self.project, self.wants_project),
            (self.new_contact, self.brings_contact),
        ):
            if is_wanted:
                parts.append(form)
            else:
                form.keep()
        return parts

    def is_valid(self) -> bool:
        # Every part is asked, so that all that is wrong is said at once.
        valid = not [part for part in self._parts() if not part.is_valid()]
        if self.is_final and all(row.is_blank for row in self.lines):
            self.form.add_error(None, _("Enter at least one line."))
            return False
        return self._line_numbers_fit() and valid

    def _line_numbers_fit(self) -> bool:
        # A line with a mistake in another field is there all the same.
        count = sum(not row.is_blank for row in self.lines)
        fits = True
        for row in self.conditions:
            asked = row.cleaned_data.get("line") if not row.is_blank else None
            if asked and asked > count:
                row.add_error("line", _("There are %(count)d lines.") % {"count": count})
                fits = False
        return fits

    def _filled_lines(self) -> list[LineForm]:
        return [row for row in self.lines if row.is_valid() and not row.is_blank]

    def line_drafts(self) -> list[LineDraft]:
        own: dict[int, list[ConditionDraft]] = {}
        for row in self.conditions:
            if not row.is_blank and row.cleaned_data["line"]:
                own.setdefault(row.cleaned_data["line"], []).append(row.draft())
        return [row.draft(own.get(place, [])) for place, row in enumerate(self._filled_lines(), 1)]

    def condition_drafts(self) -> list[ConditionDraft]:
        return [
            row.draft()
            for row in self.conditions
            if not row.is_blank and not row.cleaned_data["line"]
        ]

    def fields(self) -> dict[str, Any]:
        """What the service takes, but for project and contact, which may be new."""
        data = self.form.cleaned_data
        kinds = {kind.code: kind for kind in self.form.kinds}
        plain = (
            "title", "text", "seeks", "chain", "region", "needed_by_on", "closes_on", "answer_by_on",
            "is_urgent", "import_substitution", "contact_policy", "cooperation_kinds",
        )  # fmt: skip
        return {name: data[name] for name in plain} | {"docking_kind": kinds[data["docking_kind"]]}

    def meanwhile(self, requirement: Requirement, names: Sequence[str]) -> list[str]:
        """What the facts `names` of the requirement say now, beside what was typed here."""
        stored = Posting(None, enterprise=self.enterprise, by=self.by, requirement=requirement)
        asked = [*self.form.QUESTIONS] if "questions" in names else []
        found = stored_sentences(self.form, stored.form, [*names, *asked])
        if "conditions" in names:
            found.append(_("The conditions for all lines were changed."))
        if "is_accepted" in names:
            found.append(
                _("The desk has accepted it: what you save is shown to everybody at once.")
            )
        places = {row["public_id"].value(): place for place, row in enumerate(stored.lines, 1)}
        typed = {row["public_id"].value(): row for row in self.lines}
        for name in names:
            if name in places:
                found += _line_meanwhile(
                    typed.get(name), stored.lines[places[name] - 1], places[name]
                )
            elif name in typed:
                found.append(
                    _("“%(text)s” has ended or was removed. Saved again, it becomes a new line.")
                    % {"text": typed[name]["text"].value()}
                )
        return found

    def warnings(self) -> list[str]:
        return [
            _("Line %(number)d: %(sentence)s") % {"number": place, "sentence": row.warning}
            for place, row in enumerate(self._filled_lines(), 1)
            if row.warning
        ]

    def faults(self) -> list[tuple[str, str]]:
        """For the summary: where, and what to do."""
        return [pair for part in self._parts() for pair in self._faults_of(part)]

    def _faults_of(self, part: KeptForm) -> Iterator[tuple[str, str]]:
        where = ""
        if isinstance(part, LineForm):
            where = _("Line %(number)d") % {"number": self.lines.index(part) + 1}
        elif isinstance(part, ConditionForm):
            where = _("Condition %(number)d") % {"number": self.conditions.index(part) + 1}
        for sentence in part.non_field_errors():
            yield "main", str(sentence)
        for bound in part:
            for sentence in bound.errors:
                label = " · ".join(filter(None, (where, str(bound.label))))
                text = _("%(label)s: %(sentence)s") % {"label": label, "sentence": sentence}
                yield bound.id_for_label or bound.auto_id, text


def _line_meanwhile(typed: LineForm | None, stored: LineForm, place: int) -> list[str]:
    if typed is None:
        return [
            _("Line %(number)d, “%(text)s”, is not among yours. Saved again, it is taken out.")
            % {"number": place, "text": stored["text"].value()}
        ]
    names = [name for name in stored.fields if name not in ("public_id", "picked")]
    # A changed condition of the line shows in no field of its row.
    found = stored_sentences(typed, stored, names) or [_("changed, or its conditions were")]
    return [
        _("Line %(number)d · %(sentence)s") % {"number": place, "sentence": sentence}
        for sentence in found
    ]


def _initial(requirement: Requirement | None, enterprise: Enterprise) -> dict[str, Any]:
    if requirement is None:
        return {
            "region": enterprise.region,
            "docking_kind": "supply_sales",
            "seeks": Requirement.Seeks.SUPPLIER,
            "contact_policy": Requirement.ContactPolicy.ACCEPTED,
        }
    plain = (
        "title", "text", "seeks", "region", "needed_by_on", "closes_on", "answer_by_on", "is_urgent",
        "import_substitution", "contact_policy",
    )  # fmt: skip
    start: dict[str, Any] = {name: getattr(requirement, name) for name in plain}
    questions = requirement.questions.values_list("text", flat=True)
    start |= dict(zip(RequirementForm.QUESTIONS, questions, strict=False))
    return start | {
        "docking_kind": requirement.docking_kind_id,
        "chain": requirement.chain.code if requirement.chain else None,
        "cooperation_kinds": [kind.code for kind in requirement.cooperation_kinds.all()],
        "project": requirement.project.public_id if requirement.project else "",
        "contact": requirement.contact.public_id if requirement.contact else None,
    }


def _stored(kind: str, requirement: Requirement | None) -> Iterator[dict[str, Any]]:
    if requirement is None:
        return
    lines = list(requirement.lines.open().select_related("category", "unit").order_by("number"))
    if kind == "line":
        yield from (_line_initial(line) for line in lines)
        return
    places = {line.pk: place for place, line in enumerate(lines, 1)}
    for row in requirement.conditions.all():
        if row.line_id is None or row.line_id in places:
            yield {
                "kind": row.kind,
                "strength": row.strength,
                "text": row.text,
                "line": places.get(row.line_id or 0),
            }


def _line_initial(line: RequirementLine) -> dict[str, Any]:
    return {
        "public_id": line.public_id,
        "text": line.text,
        "category": localised(line.category),
        "quantity": number(line.quantity) if isinstance(line.quantity, Decimal) else "",
        "unit": localised(line.unit),
        "period": line.period,
        "specification": line.specification,
        "needed_by_on": line.needed_by_on,
    }
