"""Photos and references of a capability: what of a file is kept, who sees it, what finds it."""

from __future__ import annotations

import datetime
import hashlib
import io
import random
import struct
import threading
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from chains import pictures
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    CapabilityPhoto,
    CapabilityReference,
    Change,
    Enterprise,
)
from chains.services import capabilities, capability_photos
from matchmaking import adapters
from tests.factories.chains import CapabilityFactory, EnterpriseFactory, MembershipFactory

SECRET = b"Qsecretplace"


def picture(kind="JPEG", size=(40, 20), **options):
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def with_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right
    exif[0x010F] = SECRET.decode()  # the maker of the device
    exif.get_ifd(0x8825)[1] = "N"  # the place
    return picture(exif=exif, comment=SECRET) + b"<html>" + SECRET


def declared(width, height):
    """A PNG of a few bytes that says it is so large."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")  # fmt: skip


def moving(kind):
    return picture(kind, save_all=True, append_images=[Image.new("RGB", (40, 20), "red")])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        # 200 kB of one colour take hundreds of megabytes to unpack.
        (declared(5000, 5000), "picture.pixels"),
        (declared(8000, 8000), "picture.pixels"),
        (declared(60_000, 60_000), "picture.pixels"),
        (picture()[:-200], "picture.broken"),
        (picture()[:20] + b"<html><script>1</script>", "picture.broken"),
        (picture("PNG")[:40], "picture.broken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='1'/>", "file.kind"),
        (picture("GIF"), "file.kind"),
        (picture("BMP"), "file.kind"),
        (moving("PNG"), "picture.moves"),
        (moving("WEBP"), "picture.moves"),
        (b"", "file.empty"),
    ],
    ids=[
        "plain",
        "flood",
        "bomb",
        "truncated",
        "html",
        "cut",
        "svg",
        "gif",
        "bmp",
        "apng",
        "webp",
        "empty",
    ],
)
def test_what_is_no_still_picture_is_refused(content, code):
    with pytest.raises(DomainError) as refusal:
        pictures.drawn_anew(content)

    assert refusal.value.code == code


def test_only_the_picture_is_kept_upright_and_as_large_as_it_is_shown():
    sent = with_metadata()
    assert sent.count(SECRET) == 3

    kept = pictures.drawn_anew(sent)
    drawn = Image.open(io.BytesIO(kept.content))
    large = pictures.drawn_anew(picture(size=(3200, 100)))
    see_through = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(see_through, "WEBP", lossless=True, xmp=SECRET)
    clear = pictures.drawn_anew(see_through.getvalue())

    noise = io.BytesIO()
    grain = random.Random(1).randbytes(3 * 700 * 600)
    Image.frombytes("RGB", (700, 600), grain).save(noise, "PNG", compress_level=1)
    as_photo = pictures.drawn_anew(noise.getvalue())

    assert (as_photo.kind, as_photo.width) == ("jpeg", 700)
    assert SECRET not in kept.content + clear.content
    assert (dict(drawn.getexif()), drawn.info.get("comment")) == ({}, None)
    assert (kept.kind, kept.width, kept.height) == ("jpeg", 20, 40)
    assert (large.width, large.height) == (1600, 50)
    assert Image.open(io.BytesIO(clear.content)).convert("RGBA").getpixel((0, 0))[3] == 0


def upload(content=None):
    return SimpleUploadedFile("工厂 IMG_2044.HTML", content or picture(), "text/html")


@pytest.mark.django_db
def test_photo_is_kept_and_taken_off_by_those_who_edit(django_capture_on_commit_callbacks):
    owner, viewer = MembershipFactory(), MembershipFactory(role="viewer")
    row = CapabilityFactory(enterprise=owner.enterprise)
    about = {"capability": row, "upload": upload(), "caption": " 冲压 线 "}

    codes = []
    viewer.enterprise = owner.enterprise
    viewer.save()
    for person, caption in (
        (viewer.user, "Line"),
        (MembershipFactory().user, "Line"),
        (owner.user, " "),
    ):
        with pytest.raises(DomainError) as refusal:
            capability_photos.add(**about | {"caption": caption}, by=person)
        codes.append(refusal.value.code)
    photo = capability_photos.add(**about, by=owner.user)
    storage, name = photo.file.storage, photo.file.name

    assert codes == ["capability.forbidden", "capability.forbidden", "photo.caption"]
    assert (photo.caption, photo.language, photo.original_name) == ("冲压 线", "zh", "photo.jpg")
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        capability_photos.remove(photo=photo, by=owner.user)
    assert not storage.exists(name)
    with pytest.raises(DomainError) as gone:
        capability_photos.remove(photo=photo, by=owner.user)
    assert gone.value.code == "photo.gone"
    assert list(AuditEntry.objects.filter(action__startswith="photo.").values_list("action", flat=True)) == ["photo.stored", "photo.removed"]  # fmt: skip
    assert list(Change.objects.filter(noun="photo").values_list("verb", flat=True)) == ["stored", "removed"]  # fmt: skip


@pytest.mark.django_db
def test_files_of_a_deleted_draft_go_with_it(django_capture_on_commit_callbacks):
    owner = MembershipFactory()
    draft = CapabilityFactory(enterprise=owner.enterprise, status="draft")
    photo = capability_photos.add(capability=draft, upload=upload(), caption="Line", by=owner.user)

    with django_capture_on_commit_callbacks(execute=True):
        capabilities.delete_draft(capability=draft, by=owner.user)

    assert not CapabilityPhoto.objects.exists()
    assert not photo.file.storage.exists(photo.file.name)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_photos_at_the_same_moment_are_counted_one_after_the_other(monkeypatch):
    monkeypatch.setattr(CapabilityPhoto, "MOST", 1)
    owner = MembershipFactory()
    row = CapabilityFactory(enterprise=owner.enterprise)
    both = threading.Barrier(2, timeout=10)
    drawn_anew, codes = pictures.drawn_anew, []

    def together(file):
        kept = drawn_anew(file)
        both.wait()
        return kept

    monkeypatch.setattr(pictures, "drawn_anew", together)

    def send():
        try:
            capability_photos.add(capability=row, upload=upload(), caption="Line", by=owner.user)
            codes.append("kept")
        except DomainError as error:
            codes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(codes) == ["kept", "photo.too_many"]
    assert row.photos.count() == 1


# --- References ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_references_are_kept_in_order_and_found_while_published():
    owner = MembershipFactory(enterprise=EnterpriseFactory())
    about = {"enterprise": owner.enterprise, "by": owner.user}
    first = {"text": "电解槽 壳体", "customer": "某制氢企业", "year": 2024, "place": "安徽"}
    second = {"text": "Zirconquay housings", "customer": "", "year": None, "place": ""}
    row = capabilities.save_draft(
        title_zh="壳体", references=[first, {"text": ""}, second], **about
    )

    def found():
        return Capability.objects.on_view().filter(search_text__contains="zirconquay").count()

    # A customer's product is not its supplier's: the engine does not read of it.
    assert adapters.texts_of(row) == ["壳体"]
    assert [(one.order, one.text, one.language) for one in row.references.all()] == [
        (1, "电解槽 壳体", "zh"),
        (2, "Zirconquay housings", "en"),
    ]
    states = [found()]
    capabilities.publish(capability=row, by=owner.user)
    states.append(found())
    capabilities.save_draft(capability=row, title_zh="壳体二", **about)
    states.append(found())
    capabilities.withdraw(capability=row, by=owner.user)
    states.append(found())
    capabilities.publish(capability=row, by=owner.user)
    capabilities.save_draft(capability=row, references=[first], **about)
    states.append(found())
    assert states == [0, 1, 1, 0, 0]
    last = AuditEntry.objects.filter(action="capability.amended").latest("pk")
    assert last.data["fields"] == ["references"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("references", "code"),
    [
        ([{"text": "", "customer": "A buyer"}], "reference.text"),
        ([{"text": "Pumps", "year": 1800}], "reference.year"),
        ([{"text": "Pumps", "year": 9999}], "reference.year"),
        ([{"text": "P" * 201}], "reference.too_long"),
        ([{"text": f"Pump {n}"} for n in range(11)], "capability.references"),
    ],
)
def test_reference_that_says_too_little_or_too_much_is_refused(references, code):
    owner = MembershipFactory()

    with pytest.raises(DomainError) as refusal:
        capabilities.save_draft(
            enterprise=owner.enterprise, by=owner.user, title_zh="泵", references=references
        )

    assert refusal.value.code == code
    assert not CapabilityReference.objects.exists()


# --- Pages --------------------------------------------------------------------------------------------


def rows(*references, **more):
    """The formset as a browser sends it."""
    sent = {"references-TOTAL_FORMS": len(references), "references-INITIAL_FORMS": 0}
    for at, reference in enumerate(references):
        sent |= {f"references-{at}-{name}": value for name, value in reference.items()}
    return sent | more


@pytest.mark.django_db
def test_references_are_typed_row_by_row_and_stand_on_the_page_of_the_enterprise(client):
    owner = MembershipFactory()
    client.force_login(owner.user)
    row = CapabilityFactory(enterprise=owner.enterprise, title_en="Housings")
    page = reverse("chains:capability_edit", args=[row.public_id])
    pumps = {
        "text": "Qpump housings",
        "customer": "a maker of pumps",
        "year": "2023",
        "place": "Hefei",
    }

    more = client.post(page, rows(pumps, title_en="Typed", more="1"))
    wrong = client.post(page, rows({"customer": "Qnobody"}, title_en="Typed"))
    early = client.post(page, rows(pumps | {"year": "1066"}, title_en="Typed"))
    without = client.post(page, {"title_en": "Typed"})
    client.post(page, rows(pumps, {"text": ""}, title_en="Housings"))
    shown = client.get(reverse("matchmaking:enterprise_detail", args=[owner.enterprise.public_id]))
    found = client.get(reverse("matchmaking:enterprise_list"), {"q": "Qpump"})

    assert (more.context["references"].total_form_count(), row.references.count()) == (2, 1)
    assert 'value="Qpump housings"' in more.content.decode()
    assert "Say of each reference what was supplied." in wrong.content.decode()
    assert "1950" in early.content.decode()
    assert without.status_code == 302
    assert "Qpump housings, a maker of pumps" in shown.content.decode()
    assert owner.enterprise.public_id in found.content.decode()
    client.post(page, rows({"text": ""}, title_en="Housings"))
    assert not row.references.exists()


def looked_at(client, address):
    """The answer, its file read to the end, which closes it."""
    answer = client.get(address)
    answer.body = answer.getvalue() if answer.streaming else b""
    return answer


@pytest.mark.django_db
def test_photo_is_seen_where_its_capability_is_and_nowhere_else(client):
    owner = MembershipFactory()
    row = CapabilityFactory(enterprise=owner.enterprise)
    page = reverse("chains:capability_photo_list", args=[row.public_id])
    client.force_login(owner.user)
    for accepted in ("en", "zh-hans"):
        client.cookies["django_language"] = accepted
        refused = client.post(page, {"upload": upload(b"<svg/>"), "caption": "Line"})
        assert refused.status_code == 422
    client.cookies["django_language"] = "en"
    client.post(page, {"upload": upload(), "caption": "冲压线"})
    photo = row.photos.get()
    address = reverse("chains:capability_photo", args=[photo.public_id, photo.version])
    visitor = Client()

    def seen(**state):
        type(row).objects.filter(pk=row.pk).update(**state)
        return [looked_at(one, address).status_code for one in (visitor, client)]

    public = looked_at(visitor, address)
    assert hashlib.sha256(public.body).hexdigest() == photo.sha256
    assert {name: public[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control", "Content-Disposition")} == {
        "Content-Type": "image/jpeg",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=3600",
        "Content-Disposition": 'inline; filename="photo.jpg"',
    }  # fmt: skip
    assert visitor.get(address.replace(photo.version, "0" * 16)).status_code == 404
    detail = reverse("matchmaking:enterprise_detail", args=[owner.enterprise.public_id])
    assert f'<img src="{address}"' in visitor.get(detail).content.decode()
    assert 'alt="冲压线"' in visitor.get(detail).content.decode()
    status = reverse("chains:enterprise_status", args=[owner.enterprise.public_id])
    assert address in client.get(status).content.decode()
    assert looked_at(client, address)["Cache-Control"] == "public, max-age=3600"

    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    assert seen(valid_until_on=yesterday) == [404, 200]
    assert seen(valid_until_on=None, status="withdrawn") == [404, 200]
    assert looked_at(client, address)["Cache-Control"] == "private, no-store"
    assert seen(status="published") == [200, 200]
    Enterprise.objects.filter(pk=owner.enterprise.pk).update(status="suspended")
    assert seen() == [404, 200]
    Enterprise.objects.filter(pk=owner.enterprise.pk).update(status="verified")
    stranger = MembershipFactory()
    client.force_login(stranger.user)
    assert client.get(page).status_code == 404
    assert client.post(page, {"remove": photo.public_id}).status_code == 404
    client.force_login(owner.user)
    client.post(page, {"remove": photo.public_id})
    assert seen() == [404, 404]


@pytest.mark.django_db
def test_programs_read_and_write_references():
    owner = MembershipFactory()
    program = APIClient()
    program.force_authenticate(owner.user)
    reference = {"text": "Pumps", "customer": "a maker of pumps", "year": 2023, "place": ""}

    made = program.post(
        reverse("api-capabilities-list"),
        {"title_en": "Pumps", "references": [reference]},
        format="json",
    )
    one = reverse("api-capabilities-detail", args=[made.data["public_id"]])
    left = program.patch(one, {"title_en": "Pumps, large"}, format="json")
    emptied = program.patch(one, {"references": []}, format="json")

    assert made.status_code == 201
    assert made.data["references"] == left.data["references"] == [reference]
    assert (emptied.data["references"], program.get(one).data["references"]) == ([], [])
