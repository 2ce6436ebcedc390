"""What everybody may read about an event, and where it is."""

from __future__ import annotations

import errno
import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry
from chains.services import files
from chains.tasks import sweep_files
from events.forms.events import EventForm
from events.models import EventDocument, Series
from events.services import documents
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
TITLES = {"title_zh": "会场平面图", "title_en": "Plan of the hall"}


def pdf(body=PDF):
    return SimpleUploadedFile("plan.pdf", body, content_type="application/pdf")


def test_document_is_added_read_by_everybody_and_removed_with_its_file(client):
    event = EventFactory()
    client.force_login(organiser_of(event))
    address = reverse("events:event_documents", args=[event.public_id])

    assertRedirects(client.post(address, {**TITLES, "upload": pdf()}), address)
    refused = client.post(address, {**TITLES, "upload": pdf(b"MZ\x90\x00 no document")})

    assert refused.status_code == 422
    row = event.documents.get()
    file = reverse("events:document", args=[row.public_id])
    client.logout()
    assertContains(client.get(reverse("events:event_detail", args=[event.public_id])), file)
    got = client.get(file)
    assert b"".join(got.streaming_content) == PDF
    assert got["Content-Disposition"] == 'attachment; filename="plan.pdf"'
    client.force_login(organiser_of(event))
    client.post(
        reverse("events:document_remove", args=[event.public_id]), {"document": row.public_id}
    )
    assert client.get(file).status_code == 404
    assert list(
        AuditEntry.objects.filter(action__startswith="document.")
        .order_by("pk")
        .values_list("action", flat=True)
    ) == ["document.added", "document.removed"]


def test_file_leaves_the_disk_with_its_row(django_capture_on_commit_callbacks):
    event = EventFactory()
    by = organiser_of(event)
    row = documents.add(event=event, upload=pdf(), by=by, **TITLES)
    storage, name = row.file.storage, row.file.name
    assert storage.exists(name)

    with django_capture_on_commit_callbacks(execute=True):
        documents.remove(document=row, by=by)

    assert not storage.exists(name)


def test_document_of_a_draft_and_hands_of_strangers(client):
    draft, event = EventFactory(draft=True), EventFactory()
    row = documents.add(event=draft, upload=pdf(), by=organiser_of(draft), **TITLES)
    client.force_login(organiser_of(event))

    assert client.get(reverse("events:document", args=[row.public_id])).status_code == 404
    away = reverse("events:document_remove", args=[event.public_id])
    assert client.post(away, {"document": row.public_id}).status_code == 404
    with pytest.raises(DomainError, match="Only organisers"):
        documents.add(event=event, upload=pdf(), by=MembershipFactory().user, **TITLES)
    with pytest.raises(DomainError, match="Only organisers"):
        documents.remove(document=row, by=organiser_of(event))
    assert EventDocument.objects.get() == row


@pytest.mark.parametrize(
    ("typed", "is_fine"),
    [
        ("https://map.example/?q=1", True),
        ("http://map.example/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
    ],
)
def test_map_is_a_link_by_https_only(typed, is_fine):
    form = EventForm({"map_url": typed}, hosts=[], series=Series.objects.none())

    assert len(form.errors.get("map_url", [])) == (0 if is_fine else 1)


def test_map_stands_beside_the_place(client):
    event = EventFactory(map_url="https://map.example/?q=1&z=2")
    page = reverse("events:event_detail", args=[event.public_id])

    assertContains(
        client.get(page),
        'href="https://map.example/?q=1&amp;z=2" rel="noopener noreferrer nofollow"',
    )
    assertNotContains(
        client.get(reverse("events:event_detail", args=[EventFactory().public_id])), "nofollow"
    )


def aged(storage, name, *, days=2):
    past = time.time() - days * 86_400
    os.utime(storage.path(name), (past, past))


def test_file_that_no_row_names_is_swept_once_it_is_a_day_old():
    """What a process leaves that is killed between the file and the row, or between the row and the file."""
    event = EventFactory()
    by = organiser_of(event)
    kept = documents.add(event=event, upload=pdf(), by=by, **TITLES)
    gone = documents.add(event=event, upload=pdf(), by=by, **TITLES)
    storage = kept.file.storage
    fresh = storage.save("evidence/2026/11/running.pdf", ContentFile(PDF))
    for row in (kept, gone):
        aged(storage, row.file.name)
    EventDocument.objects.filter(pk=gone.pk).delete()

    assert (sweep_files(), sweep_files()) == (1, 0)
    assert [storage.exists(one) for one in (kept.file.name, gone.file.name, fresh)] == [
        True, False, True,
    ]  # fmt: skip


def test_folder_that_mostly_belongs_to_nobody_is_left_alone(monkeypatch):
    """A database restored from another day, or the folder of another installation."""
    event = EventFactory()
    kept = documents.add(event=event, upload=pdf(), by=organiser_of(event), **TITLES)
    storage = kept.file.storage
    foreign = [storage.save(f"evidence/2026/11/{n}.pdf", ContentFile(PDF)) for n in range(3)]
    for name in foreign:
        aged(storage, name)
    monkeypatch.setattr(files, "MOST", 2)

    assert sweep_files() == 0
    assert all(storage.exists(name) for name in foreign)


def test_file_that_cannot_be_deleted_does_not_undo_the_answer(
    client, monkeypatch, django_capture_on_commit_callbacks
):
    event = EventFactory()
    row = documents.add(event=event, upload=pdf(), by=organiser_of(event), **TITLES)
    client.force_login(organiser_of(event))
    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.delete", full)
    address = reverse("events:document_remove", args=[event.public_id])

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(address, {"document": row.public_id}).status_code == 302

    assert not event.documents.exists()


def full(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_is_said_in_a_sentence_and_leaves_no_row(client, monkeypatch):
    event = EventFactory()
    client.force_login(organiser_of(event))
    client.raise_request_exception = False
    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", full)

    page = client.post(
        reverse("events:event_documents", args=[event.public_id]), {**TITLES, "upload": pdf()}
    )
    answer = client.post(f"/api/v1/events/{event.public_id}/documents/", {**TITLES, "file": pdf()})

    assert (page.status_code, answer.status_code) == (507, 507)
    assert b"There is no room left to keep this" in page.content
    assert answer.json()["code"] == "service.full"
    assert not event.documents.exists()
