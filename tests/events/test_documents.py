"""What everybody may read about an event, and where it is."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry
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

    assert ("map_url" in form.errors) is not is_fine


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
