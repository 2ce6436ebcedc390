"""Sheets, cards and posters as files, and a font that goes into them."""

from __future__ import annotations

import re
from types import SimpleNamespace as Row

import pytest
import reportlab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from chains.models import AuditEntry
from events import papers, typesetting
from events.models import Delegate, Listing
from matchmaking.settings import env_font  # noqa: TID251 -- the reader of one value, not a value
from tests.factories.chains import RequirementFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

FOLDER = reportlab.__path__[0] + "/fonts/"


@pytest.fixture
def own_font(settings):
    """One of Latin letters only, which the library brings."""
    settings.PRINT_FONT = FOLDER + "Vera.ttf"
    for kept in (typesetting._own_font, typesetting._font, typesetting._advance):
        kept.cache_clear()
    yield
    for kept in (typesetting._own_font, typesetting._font, typesetting._advance):
        kept.cache_clear()


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr("reportlab.rl_config.pageCompression", 0)


@pytest.mark.django_db
def test_sheet_cards_and_posters_are_files_of_as_many_pages_as_their_print_pages_and_on_record(
    client, plain
):
    event = EventFactory(seats=100, delegates_per_enterprise=30)
    for number, seats in enumerate((22, 1)):
        row = RegistrationFactory(event=event, seats_asked=seats)
        Delegate.objects.create(registration=row, event=event, name=f"Delegate {number}")
    for number in range(3):
        requirement = RequirementFactory(title=f"Part {number}", lines=["a"] * (9 if number else 1))
        Listing.objects.create(event=event, requirement=requirement, code=f"k7qm4{number}")
    client.force_login(organiser_of(event))

    found = {}
    for name in ("sign_in_sheet", "table_cards", "posters"):
        address = reverse(f"events:{name}", args=[event.public_id])
        assert "?file=pdf" in client.get(address).content.decode()
        answer = client.get(address, {"file": "pdf"})
        assert (answer["Content-Type"], answer["Cache-Control"]) == (
            "application/pdf", "private, no-store",
        )  # fmt: skip
        found[name] = answer.content

    assert {name: file.count(b"/MediaBox") for name, file in found.items()} == {
        "sign_in_sheet": 2,  # 23 seats, 21 on a page
        "table_cards": 2,
        "posters": 3,
    }
    # Each name once on the sheet to sign, and on both sides of the table.
    assert found["sign_in_sheet"].count(b"(Delegate 0)") == 1
    assert (
        found["table_cards"].count(b"(Delegate 1  )") == 2
        or found["table_cards"].count(b"(Delegate 1)") == 2
    )
    for text, times in ((b"(Part 1)", 1), (b"K7QM42", 1), (b"and 3 more lines)", 2)):
        assert found["posters"].count(text) == times, text
    assert AuditEntry.objects.filter(action="delegate.printed").count() == 4


def test_hostile_names_are_drawn_and_a_body_over_two_pages_stands_on_both(plain):
    body = Row(name="(a) \\ 无" * 40, name_en="Junction\x00\u202e Works")
    person = Row(pk=1, name="\ud800محمد😀" * 9, job_title="W" * 80)
    rows = [
        Row(
            registration=Row(enterprise=body),
            named=[person],
            unnamed=range(papers.ROWS_ON_A_PAGE),
            inside={1},
        )
    ]
    event = Row(name_zh="示例", name_en="Demo", starts_at=timezone.now(), place="")

    file = papers.sign_in_sheet(event=event, rows=rows, as_of=timezone.now())

    assert file.count(b"/MediaBox") == 2
    assert file.count(b"(Junction Works)") == 2
    assert file.rstrip().endswith(b"%%EOF")


def test_font_of_the_installation_goes_into_the_file_and_says_what_it_lacks(own_font):
    sheets = typesetting.Sheets(typesetting.A4, "Title")
    sheets.block(10, 200, 100, 20).lines("Delegate Łukasz", 12, most=1, bold=True)

    file = sheets.done()

    assert b"/FontFile2" in file
    assert re.search(rb"/BaseFont /[A-Z]{6}\+BitstreamVeraSans", file)
    assert not typesetting.lacks("Łukasz")  # drawn without its mark where there is none
    assert typesetting.lacks("接线")


def test_font_that_cannot_be_put_into_a_file_stops_the_start(monkeypatch, tmp_path):
    other = tmp_path / "font.otf"
    other.write_bytes(b"OTTO" + bytes(20))
    inside = tmp_path / "font.ttc"
    inside.write_bytes(b"ttcf" + bytes(8) + (16).to_bytes(4, "big") + b"OTTO")

    monkeypatch.setenv("PRINT_FONT", FOLDER + "Vera.ttf")
    assert env_font("PRINT_FONT") == FOLDER + "Vera.ttf"
    for path, said in ((other, "TrueType"), (inside, "TrueType"), (tmp_path / "none", "No such")):
        monkeypatch.setenv("PRINT_FONT", str(path))
        with pytest.raises(ImproperlyConfigured, match=said):
            env_font("PRINT_FONT")
