"""What an event asks at registration, and what becomes of the answers."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects
from python_calamine import CalamineWorkbook
from rest_framework.test import APIClient

from chains.errors import DomainError
from chains.models import AuditEntry, Evidence
from events.models import FormAnswer, FormQuestion, Registration
from events.services import answers, questions, registration
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, UserFactory, region
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db
MEALS = [("素食", "Vegetarian"), ("清真", "Halal")]
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def asked(event, *wanted):
    """Questions of these kinds, put on the form by its organiser; required where the kind ends in an asterisk."""
    rows = [
        {
            "kind": kind.rstrip("*"), "text_zh": f"问{kind}", "text_en": f"Ask {kind.rstrip('*')}",
            "choices": MEALS, "is_required": kind.endswith("*"),
        }
        for kind in wanted
    ]  # fmt: skip
    questions.set_questions(event=event, questions=rows, by=organiser_of(event))
    event.refresh_from_db()
    return list(event.questions.asked())


def rows_of(event):
    return [
        {
            "public_id": row.public_id, "kind": row.kind, "text_zh": row.text_zh, "text_en": row.text_en,
            "choices": [(one["zh"], one["en"]) for one in row.choices], "is_required": row.is_required,
        }
        for row in event.questions.asked()
    ]  # fmt: skip


def pdf(name="licence.pdf", body=PDF):
    return SimpleUploadedFile(name, body, content_type="application/pdf")


def applied(event, who, given):
    return registration.register(
        event=event, enterprise=who.enterprise, seats=1, by=who.user, answers=given
    )


def test_every_kind_is_kept_as_it_was_given_and_read_by_the_organiser(client):
    event, who = EventFactory(), MembershipFactory()
    text, choice, choices, consent, file = asked(
        event, "text*", "choice*", "choices*", "consent*", "file*"
    )
    client.force_login(who.user)
    url = reverse("events:register", args=[event.public_id])
    typed = {"enterprise": who.enterprise.public_id, "seats": "1", f"q_{text.public_id}": "靠窗"}

    refused = client.post(url, typed)
    answer = client.post(
        url,
        {
            **typed, f"q_{choice.public_id}": "2", f"q_{choices.public_id}": ["1", "2"],
            f"q_{consent.public_id}": "on", f"q_{file.public_id}": pdf("../执照.pdf"),
        },
    )  # fmt: skip

    assert refused.status_code == 422
    assertContains(refused, "靠窗", status_code=422)  # what was typed is kept
    assert refused.context["form"].errors.keys() == {
        f"q_{one.public_id}" for one in (choice, choices, consent, file)
    }
    assertRedirects(answer, url)
    row = Registration.objects.get()
    kept = {one.question_id: one for one in row.answers.all()}
    assert kept[text.pk].text == "靠窗"
    assert (kept[choice.pk].chosen, kept[choices.pk].chosen) == (["2"], ["1", "2"])
    assert (kept[consent.pk].has_agreed, kept[consent.pk].version) == (True, 1)
    assert kept[consent.pk].wording in ("问consent*", "Ask consent")
    evidence = Evidence.objects.get()
    assert (evidence.purpose, evidence.content_type, evidence.original_name, evidence.enterprise) == (
        "registration", "application/pdf", "执照.pdf", who.enterprise,
    )  # fmt: skip

    client.force_login(organiser_of(event))
    guests = reverse("events:guest_list", args=[event.public_id])
    with translation.override("en"):
        page = client.get(guests, {"state": "all"})
    for words in ("靠窗", "Halal", "Vegetarian, Halal", "agreed, wording 1", "执照.pdf"):
        assertContains(page, words)
    book = client.get(guests, {"state": "all", "export": "xlsx"})
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(book.streaming_content)))
    cells = sheet.get_sheet_by_index(0).to_python()
    head = next(n for n, line in enumerate(cells) if "Ask choices" in line)
    assert cells[head][-5:] == ["Ask text", "Ask choice", "Ask choices", "Ask consent", "Ask file"]
    assert cells[head + 1][-5:] == [
        "靠窗",
        "Halal",
        "Vegetarian, Halal",
        "agreed, wording 1",
        "执照.pdf",
    ]


def test_answers_leave_with_the_export_of_the_host_only(client):
    event, who = EventFactory(), MembershipFactory()
    [text] = asked(event, "text")
    applied(event, who, {text.public_id: "Peanut allergy"})
    co_host = OrganiserRoleFactory(region=region("330424"))
    event.co_hosts.add(co_host.body)
    client.force_login(co_host.user)
    guests = reverse("events:guest_list", args=[event.public_id])

    assertContains(client.get(guests, {"state": "all"}), "Peanut allergy")
    answer = client.get(guests, {"state": "all", "export": "csv"})

    assert "Peanut" not in b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text*", {}),
        ("text*", "  "),
        ("choice*", ""),
        ("choice", "3"),
        ("choices", ["1", "3"]),
        ("choices", "3"),
        ("choice", ["1", "2"]),
        ("consent*", False),
        ("consent", "yes"),
        ("text", "x" * 1001),
        ("text", "a\0b"),
        ("file", "licence.pdf"),
    ],
)
def test_what_does_not_answer_the_question_registers_nobody(kind, given):
    event, who = EventFactory(), MembershipFactory()
    [question] = asked(event, kind)

    with pytest.raises(DomainError):
        applied(event, who, {question.public_id: given} if given != {} else {})

    assert not Registration.objects.exists()


def test_a_question_of_another_event_is_refused():
    event, other, who = EventFactory(), EventFactory(), MembershipFactory()
    asked(event, "text")
    [foreign] = asked(other, "text")

    with pytest.raises(DomainError, match="does not ask"):
        applied(event, who, {foreign.public_id: "x"})


def test_file_is_judged_by_its_content_and_registers_nobody_if_unfit():
    event, who = EventFactory(), MembershipFactory()
    [file] = asked(event, "file")

    with pytest.raises(DomainError):
        applied(event, who, {file.public_id: pdf(body=b"MZ\x90\x00 not a document")})

    assert (Registration.objects.count(), Evidence.objects.count()) == (0, 0)
    assert event.tiers.get().taken == 0


def test_file_goes_to_its_enterprise_and_its_organisers_and_is_logged(client):
    event, who = EventFactory(), MembershipFactory()
    [file] = asked(event, "file")
    applied(event, who, {file.public_id: pdf()})
    answer = FormAnswer.objects.get()
    address = reverse("events:answer_file", args=[answer.public_id])
    desk = OrganiserRoleFactory(
        region=who.enterprise.region
    ).user  # verifies the enterprise, organises nothing
    found = {}
    for name, user in (("member", who.user), ("organiser", organiser_of(event)), ("desk", desk), ("other", MembershipFactory().user)):  # fmt: skip
        client.force_login(user)
        got = client.get(address)
        found[name] = got.status_code
        if got.status_code == 200:
            assert b"".join(got.streaming_content) == PDF
            assert got["Content-Disposition"] == 'attachment; filename="licence.pdf"'
            assert got["Content-Security-Policy"] == "default-src 'none'; sandbox"
    client.force_login(desk)
    evidence = reverse("chains:evidence_download", args=[answer.evidence.public_id])

    assert found == {"member": 200, "organiser": 200, "desk": 404, "other": 404}
    assert client.get(evidence).status_code == 404
    assert AuditEntry.objects.filter(action="answer.viewed").count() == 1


def test_applicant_answers_anew_until_registration_closes(client):
    event, who = EventFactory(), MembershipFactory()
    text, file, consent = asked(event, "text*", "file*", "consent")
    row = applied(
        event, who, {text.public_id: "one", file.public_id: pdf(), consent.public_id: True}
    )
    client.force_login(who.user)
    address = reverse("events:registration_answers", args=[row.public_id])
    assertContains(client.get(address), "licence.pdf")

    saved = client.post(address, {f"q_{text.public_id}": "two"})

    assertRedirects(saved, address)
    assert list(row.answers.order_by("pk").values_list("text", "has_agreed")) == [
        ("two", False),
        ("", False),
    ]
    assert (
        row.answers.get(question=file).evidence == Evidence.objects.get()
    )  # kept without sending it again
    assert AuditEntry.objects.get(action="registration.answered").data == {"answers": 2}
    event.registration_closes_at = timezone.now()
    event.save()
    with pytest.raises(DomainError, match="until registration closes"):
        answers.change(registration=row, answers={text.public_id: "three"}, by=who.user)
    assertNotContains(client.get(address), "<textarea")
    with pytest.raises(DomainError, match="Only editors"):
        answers.change(registration=row, answers={}, by=UserFactory())


def test_what_has_been_answered_keeps_its_meaning():
    event, who = EventFactory(), MembershipFactory()
    by = organiser_of(event)
    choice, consent, plain = asked(event, "choice", "consent", "text")
    row = applied(event, who, {choice.public_id: "2", consent.public_id: True})

    for field, value in (("text_en", "Something else"), ("kind", "text"), ("choices", MEALS[::-1])):
        changed = rows_of(event)
        changed[0][field] = value
        with pytest.raises(DomainError, match="has been answered"):
            questions.set_questions(event=event, questions=changed, by=by)
    more = rows_of(event)
    more[0]["choices"] = [*MEALS, ("都行", "Anything")]
    more[1]["text_en"] = "Ask for more consent"
    questions.set_questions(event=event, questions=[more[2], more[1], more[0]], by=by)

    choice.refresh_from_db()
    consent.refresh_from_db()
    assert [one["code"] for one in choice.choices] == ["1", "2", "3"]
    assert (consent.version, row.answers.get(question=consent).version) == (2, 1)
    assert row.answers.get(question=consent).wording in ("问consent", "Ask consent")
    assert list(event.questions.asked()) == [plain, consent, choice]

    questions.set_questions(event=event, questions=[], by=by)

    event.refresh_from_db()
    assert event.asks_questions is False
    assert list(event.questions.values_list("pk", flat=True)) == [
        consent.pk,
        choice.pk,
    ]  # retired; the other went
    assert row.answers.count() == 2
    assert AuditEntry.objects.filter(action="event.questions_set").count() == 3


def test_only_organisers_build_the_form():
    event = EventFactory()

    with pytest.raises(DomainError, match="Only organisers"):
        questions.set_questions(event=event, questions=[], by=MembershipFactory().user)


def test_form_builder_adds_orders_and_takes_off(client):
    event = EventFactory()
    first, second = asked(event, "text", "choice")
    client.force_login(organiser_of(event))
    address = reverse("events:event_questions", args=[event.public_id])
    # As a browser sends it, with the untouched row at the end.
    data = {"q-TOTAL_FORMS": "4", "q-INITIAL_FORMS": "2", "q-3-kind": "text", "q-3-text_zh": ""}
    data |= {f"q-0-{k}": v for k, v in {"public_id": first.public_id, "kind": "text", "text_zh": "问", "text_en": "Ask", "order": "1", "DELETE": "on"}.items()}  # fmt: skip
    data |= {f"q-1-{k}": v for k, v in {"public_id": second.public_id, "kind": "choice", "text_zh": "餐", "text_en": "Meal", "order": "2", "choices": "素食 | Vegetarian\n清真｜Halal"}.items()}  # fmt: skip
    new = {
        "kind": "consent",
        "text_zh": "同意",
        "text_en": "Agree",
        "is_required": "on",
        "order": "1",
    }

    bad = client.post(
        address, {**data, **{f"q-2-{k}": v for k, v in new.items()}, "q-1-choices": "素食"}
    )
    good = client.post(address, {**data, **{f"q-2-{k}": v for k, v in new.items()}})

    assertContains(bad, "Write each answer in both languages", status_code=422)
    assertRedirects(good, address)
    assert list(event.questions.values_list("kind", "text_en", "is_required")) == [
        ("consent", "Agree", True),
        ("choice", "Meal", False),
    ]


def test_program_reads_the_questions_answers_and_changes_them():
    event, who = EventFactory(), MembershipFactory()
    text, choices, consent = asked(event, "text*", "choices", "consent*")
    api = APIClient()
    shown = api.get(f"/api/v1/events/{event.public_id}/").data["questions"]
    api.force_authenticate(who.user)
    body = {"event": event.public_id, "enterprise": who.enterprise.public_id, "seats": 1}

    refused = api.post("/api/v1/registrations/", body, format="json")
    given = {text.public_id: "aisle", choices.public_id: ["2"], consent.public_id: True}
    made = api.post("/api/v1/registrations/", {**body, "answers": given}, format="json")
    anew = api.put(
        f"/api/v1/registrations/{made.data['public_id']}/answers/",
        {"answers": {text.public_id: "window", consent.public_id: True}},
        format="json",
    )

    assert [(one["kind"], one["is_required"]) for one in shown] == [
        ("text", True), ("choices", False), ("consent", True),
    ]  # fmt: skip
    assert shown[1]["choices"][1] == {"code": "2", "zh": "清真", "en": "Halal"}
    assert (refused.status_code, [*refused.data["errors"]]) == (422, ["answers"])
    assert (made.status_code, made.data["status"]) == (201, "confirmed")
    assert [(a["text"], a["chosen"], a["has_agreed"]) for a in made.data["answers"]] == [
        ("aisle", [], False), ("", ["2"], False), ("", [], True),
    ]  # fmt: skip
    assert [a["text"] for a in anew.data["answers"]] == ["window", ""]


def test_program_reads_answers_in_the_order_of_the_questions_however_they_lie(monkeypatch):
    event, who = EventFactory(), MembershipFactory()
    first, last = asked(event, "text", "text")
    register = registration.register

    def register_and_move(**about):
        row = register(**about)
        FormQuestion.objects.filter(pk=first.pk).update(order=last.order + 1)
        return row

    monkeypatch.setattr(registration, "register", register_and_move)
    api = APIClient()
    api.force_authenticate(who.user)
    body = {"event": event.public_id, "enterprise": who.enterprise.public_id, "seats": 1}
    given = {first.public_id: "window", last.public_id: "aisle"}

    made = api.post("/api/v1/registrations/", {**body, "answers": given}, format="json")

    assert [answer["text"] for answer in made.data["answers"]] == ["aisle", "window"]


def test_event_that_asks_nothing_costs_no_query_more(django_assert_num_queries):
    event, who = EventFactory(), MembershipFactory()
    with django_assert_num_queries(3):
        applied(event, who, None)
    assert FormQuestion.objects.count() == 0
    assert RegistrationFactory(event=event).answers.count() == 0
