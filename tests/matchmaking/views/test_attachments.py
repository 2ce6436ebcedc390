"""Files of an interest: by their content, five at most, for the buyer alone and on record."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chains.errors import DomainError
from chains.models import AuditEntry
from matchmaking.models import Interest, InterestAttachment
from matchmaking.services import interests
from tests.factories.chains import (
    ContactFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def upload(name="sheet.pdf", content=PDF):
    return SimpleUploadedFile(name, content)


@pytest.fixture
def sides():
    requirement = RequirementFactory(lines=["a"])
    member = MembershipFactory()
    interest = InterestFactory(requirement=requirement, enterprise=member.enterprise)
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    return interest, member.user, buyer


def test_files_go_along_with_the_interest_and_what_is_none_is_named(client):
    member = MembershipFactory()
    requirement = RequirementFactory(lines=["a"])
    contact = ContactFactory(enterprise=member.enterprise)
    client.force_login(member.user)

    answer = client.post(
        reverse("matchmaking:interest_send", args=[requirement.public_id]),
        {
            "interest-lines": requirement.lines.get().public_id,
            "interest-contact": contact.public_id,
            "interest-attached": [upload("a.pdf"), upload("b.pdf", b"MZ\x90\x00 no picture"), upload("../c.pdf")],
        },
        follow=True,
    )  # fmt: skip

    interest = Interest.objects.get(requirement=requirement)
    assert [f.original_name for f in interest.attachments.all()] == ["a.pdf", "c.pdf"]
    page = answer.content.decode()
    assert "b.pdf: " in page
    assert "a.pdf</a>" in page


def test_sixth_file_is_refused_and_one_taken_off_makes_room(sides):
    interest, supplier, _buyer = sides
    rows = [interests.attach(interest=interest, upload=upload(), by=supplier) for _ in range(5)]
    with pytest.raises(DomainError) as refused:
        interests.attach(interest=interest, upload=upload(), by=supplier)
    assert refused.value.code == "attachment.too_many"

    interests.detach(attachment=rows[0], by=supplier)

    assert interests.attach(interest=interest, upload=upload(), by=supplier).size == len(PDF)
    with pytest.raises(DomainError) as gone:
        interests.detach(attachment=rows[0], by=supplier)
    assert gone.value.code == "attachment.gone"


def test_content_of_a_file_taken_off_is_gone(sides, client, django_capture_on_commit_callbacks):
    interest, supplier, buyer = sides
    row = interests.attach(interest=interest, upload=upload(), by=supplier)
    storage, name = row.file.storage, row.file.name
    assert storage.exists(name)
    client.force_login(supplier)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("matchmaking:attachment_remove", args=[row.public_id]))

    assert not storage.exists(name)
    client.force_login(buyer)
    assert (
        client.get(reverse("matchmaking:attachment_download", args=[row.public_id])).status_code
        == 404
    )


def test_both_sides_open_a_file_and_the_buyers_look_is_on_record(sides, client):
    interest, supplier, buyer = sides
    row = interests.attach(interest=interest, upload=upload(), by=supplier)
    address = reverse("matchmaking:attachment_download", args=[row.public_id])

    for user, status in (
        (supplier, 200),
        (buyer, 200),
        (MembershipFactory().user, 404),
        (OrganiserRoleFactory().user, 404),
    ):
        client.force_login(user)
        answer = client.get(address)
        assert answer.status_code == status
        if status == 200:
            assert b"".join(answer.streaming_content) == PDF
            assert answer["Content-Disposition"] == 'attachment; filename="sheet.pdf"'

    opened = AuditEntry.objects.filter(action="attachment.opened")
    assert [(entry.actor, entry.data) for entry in opened] == [
        (buyer.pk, {"interest": interest.public_id})
    ]
    client.force_login(buyer)
    compared = client.get(
        reverse("matchmaking:requirement_interests", args=[interest.requirement.public_id])
    )
    assert f'href="{address}"' in compared.content.decode()


def test_files_stand_once_the_buyer_has_answered_and_go_with_a_withdrawal(sides, client):
    interest, supplier, buyer = sides
    row = interests.attach(interest=interest, upload=upload(), by=supplier)
    interests.accept(interest=interest, by=buyer)
    for act in (
        lambda: interests.attach(interest=interest, upload=upload(), by=supplier),
        lambda: interests.detach(attachment=row, by=supplier),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert refused.value.code == "interest.answered"
    with pytest.raises(DomainError) as strange:
        interests.open_attachment(attachment=row, by=UserFactory())
    assert strange.value.code == "attachment.forbidden"
    assert InterestAttachment.objects.visible_to(buyer).get() == row

    Interest.objects.update(status="withdrawn")

    assert not InterestAttachment.objects.visible_to(buyer).exists()
