"""J18: the door of an event, in a browser that loses its network. What a bad one does: tests/faults/test_bad_network.py."""

from __future__ import annotations

import datetime

import pytest
import segno
from django.urls import reverse
from django.utils import timezone

from events.models import CheckIn, Delegate, EventStaff
from tests.factories.chains import UserFactory
from tests.factories.events import EventFactory, RegistrationFactory
from tests.servers import CHROMIUM_ARGUMENTS, chromium

HOUR = datetime.timedelta(hours=1)


def doors(persons):
    now = timezone.now()
    event = EventFactory(starts_at=now - HOUR, ends_at=now + 5 * HOUR, seats=500)
    row = RegistrationFactory(
        event=event, seats_asked=persons, enterprise__name_en="Junction Works"
    )
    people = [
        Delegate.objects.create(registration=row, event=event, name=f"Delegate {n:02d}")
        for n in range(persons)
    ]
    staff = EventStaff.objects.create(event=event, user=UserFactory(), role="desk").user
    return event, people, staff


@pytest.mark.django_db(transaction=True)
def test_j18_a_phone_without_a_network_opens_the_page_names_who_it_scans_and_sends_it_later(
    live_server, client, page, until
):
    event, people, staff = doors(3)
    client.force_login(staff)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([{**session, "url": live_server.url}])
    page.goto(live_server.url + reverse("events:check_in", args=[event.public_id]))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.fill("#gate", "North")

    def scan(code):
        page.fill("#code", code)
        page.press("#code", "Enter")

    scan(people[0].short_code)
    page.wait_for_selector(".result >> text=Checked in")
    assert page.inner_text("[data-inside]") == "1"
    assert page.complaints == []

    page.context.set_offline(True)
    page.reload()
    page.fill("#gate", "North")
    scan(f"https://example.com/c/{people[1].token}/")
    page.wait_for_selector(".result >> text=Delegate 01")
    scan("junction")
    page.wait_for_selector("[data-found] >> text=Delegate 02")
    assert page.inner_text("[data-kept]") == "1"
    assert CheckIn.objects.count() == 1

    page.context.set_offline(False)
    row = until(lambda: CheckIn.objects.filter(delegate=people[1]).first())
    page.wait_for_selector("[data-offline]", state="hidden")
    assert (row.gate, row.answer, row.scanned_at < row.received_at) == ("North", "welcome", True)
    assert page.inner_text("[data-inside]") == "2"

    # A handheld scanner types and ends with Enter, whatever was touched before.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(people[2].token)
    page.keyboard.press("Enter")
    until(lambda: CheckIn.objects.filter(delegate=people[2], answer="welcome").first())


def film(path, text):
    """What a camera sees that is held before a code: one still picture, in the plainest of video formats."""
    width, height = 640, 480
    rows = [
        [cell for cell in row for _ in range(8)] for row in segno.make(text).matrix_iter(border=4)
    ]
    side = len(rows[0])
    left, top = (width - side) // 2, (height - 8 * len(rows)) // 2
    picture = bytearray(b"\xeb" * width * height)  # white, of the range that video has
    for number, row in enumerate(rows):
        line = bytes(16 if cell else 235 for cell in row)
        for y in range(top + 8 * number, top + 8 * number + 8):
            picture[y * width + left : y * width + left + side] = line
    grey = b"\x80" * (width * height // 2)
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420\n".encode()
    path.write_bytes(head + 2 * (b"FRAME\n" + bytes(picture) + grey))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_j18_a_camera_reads_the_badge_where_the_browser_has_no_reader_of_its_own(
    live_server, client, browser, tmp_path
):
    event, people, staff = doors(1)
    client.force_login(staff)
    film(tmp_path / "badge.y4m", f"{live_server.url}/c/{people[0].token}/")
    with browser.browser_type.launch(
        executable_path=chromium(),
        args=[
            *CHROMIUM_ARGUMENTS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'badge.y4m'}",
        ],
    ) as filming:
        page = filming.new_page()
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
        page.context.add_cookies([{**session, "url": live_server.url}])
        page.goto(live_server.url + reverse("events:check_in", args=[event.public_id]))
        assert page.evaluate("'BarcodeDetector' in window") is False
        page.click("[data-camera]")
        page.wait_for_selector(".result >> text=Checked in")

    row = CheckIn.objects.get(event=event)
    assert (row.delegate, row.answer) == (people[0], "welcome")
