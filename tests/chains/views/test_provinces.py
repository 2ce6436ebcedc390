from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chains.models import Province, colours
from tests.factories.chains import EnterpriseFactory, UserFactory, region
from tests.factories.events import EventFactory, SeriesFactory, organiser_of
from tests.world import LOGO

pytestmark = pytest.mark.django_db


@pytest.fixture
def second():
    """Row 7: a second province with a name, a logo and a colour of its own."""
    return Province.objects.create(
        region=region("320000"), name_zh="江苏供需对接", name_en="Jiangsu Docking", logo=LOGO, colour="#7a1f1f"
    )  # fmt: skip


def test_pages_of_a_province_carry_its_name_logo_and_colour(client, second):
    theirs = EventFactory(region=region("320500"))
    elsewhere = EventFactory(region=region("310000"))

    page = client.get(reverse("events:event_detail", args=[theirs.public_id])).content.decode()
    logo = client.get(reverse("chains:province_logo", args=[second.public_id]))
    style = client.get(reverse("chains:province_style", args=[second.public_id]))

    assert ("Jiangsu Docking" in page, f"/provinces/{second.public_id}/logo" in page) == (
        True,
        True,
    )
    assert (logo["Content-Type"], logo.content) == ("image/png", LOGO)
    header = page[page.index("<header") : page.index("</header>")]
    assert ('class="band own"' in header, "Jiangsu Docking" in header, "/logo" in header) == (
        True,
    ) * 3
    assert f"/provinces/{second.public_id}/style.css?" in page[: page.index("</head>")]
    assert style.content.decode() == (
        ":root { --province: #7a1f1f; }\n"
        ':root, [data-bs-theme="light"] { --band: #7a1f1f; --band-hover: #5c1717; --band-accent: #fff; }\n'
        '[data-bs-theme="dark"] { --band: #431111; --band-hover: #320d0d; --band-accent: #fff; }\n'
    )
    # Text is readable on each of them, and nothing is sent twice.
    bands = re.findall(r"#[0-9a-f]{6}", style.content.decode())
    assert min(colours.contrast(band, colours.HEADER_TEXT) for band in bands) >= 4.5
    again = client.get(
        reverse("chains:province_style", args=[second.public_id]),
        headers={"if-none-match": style["ETag"]},
    )
    assert (again.status_code, "ETag" in logo) == (304, True)
    other = client.get(reverse("events:event_detail", args=[elsewhere.public_id])).content.decode()
    assert ('class="band"' in other, "/provinces/" in other) == (True, False)
    # Pages of its programmes and of those who work there carry it as well.
    client.force_login(organiser_of(theirs))
    overview = client.get(reverse("events:event_overview", args=[theirs.public_id]))
    assert 'class="band own"' in overview.content.decode()
    owner = EnterpriseFactory(
        kind_id="government", region=region("320500"), scheme="other", number=None
    )
    series = SeriesFactory(programme__owner=owner)
    theirs.series.add(series)
    body = client.get(reverse("events:series_detail", args=[series.public_id])).content.decode()
    assert 'class="band own"' in body


def test_colour_kept_from_before_on_which_nothing_can_be_read_is_a_stripe(client, second):
    second.colour = "#ffcc00"
    second.save()

    style = client.get(reverse("chains:province_style", args=[second.public_id]))

    assert style.content.decode() == ":root { --province: #ffcc00; }\n"


def test_province_without_a_logo_shows_none(client, second):
    second.logo, second.colour = None, ""
    second.save()
    event = EventFactory(region=region("320500"))

    page = client.get(reverse("events:event_detail", args=[event.public_id])).content.decode()

    assert ("Jiangsu Docking" in page, "/logo" in page) == (True, False)
    assert client.get(reverse("chains:province_logo", args=[second.public_id])).status_code == 404
    assert client.get(reverse("chains:province_style", args=[second.public_id])).content == b""


def test_administrator_sets_both_and_is_told_what_is_no_picture_or_colour(client, second):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    address = reverse("admin:chains_province_change", args=[second.pk])
    fields = {
        "region": second.region_id, "name_zh": "江苏", "name_en": "Jiangsu", "verification_days": 3, "holidays": "",
    }  # fmt: skip

    script = SimpleUploadedFile("logo.png", b"<svg onload=alert(1)>")
    wrong = client.post(address, {**fields, "colour": "red;}", "picture": script})
    second.refresh_from_db()
    assert (bytes(second.logo), second.colour) == (LOGO, "#7a1f1f")
    assert {"colour", "picture"} == set(wrong.context["adminform"].form.errors)

    pale = client.post(address, {**fields, "colour": "#8fb7c9"})
    second.refresh_from_db()
    assert second.colour == "#7a1f1f"
    assert pale.context["adminform"].form.errors["colour"] == [
        "White text cannot be read on this colour: the contrast is 1.8 to 1, and 4.5 to 1 is needed. Choose a darker one."
    ]

    right = client.post(address, {**fields, "colour": "#123456", "picture": SimpleUploadedFile("a", LOGO + b"1")})  # fmt: skip
    second.refresh_from_db()
    assert (right.status_code, second.colour, bytes(second.logo)) == (302, "#123456", LOGO + b"1")

    client.post(address, {**fields, "colour": "", "no_picture": "on"})
    second.refresh_from_db()
    assert (second.colour, second.logo) == ("", None)
