"""Every list can be taken along as a sheet: its page links to one, xlsx and csv, with the time it was read."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from chains.forms.import_columns import CAPABILITIES
from chains.forms.import_sheet import read_rows
from chains.models import Category, CooperationKind, Unit
from chains.services import capabilities
from chains.spreadsheets import open_sheets, propose
from tests import test_lists
from tests.factories.chains import EnterpriseFactory, MembershipFactory, OrganiserRoleFactory

pytestmark = pytest.mark.django_db

# Lists without a sheet of their own, and why.
WITHOUT = {
    "member_list": "addresses of accounts leave in no file (docs/permissions.md: no contacts)",
    "role_list": "the same",
    "delegate_list": "names of persons: the host's sheet of guests has them",
    "notification_list": "what a person was told comes with their own data, my/data/file.json",
    "alert_list": "settings of a person, in their own data too",
    "import_list": "each file comes back with its reasons; what was read is in the register",
    "requirement_history": "the trail of one thing; no list of things",
    "requirement_file_list": "the files themselves are there",
    "capability_photo_list": "pictures",
    "enterprise_list_narrowed": "the page of enterprise_list",
    "requirement_list_of_a_supplier": "the page of requirement_list",
    "event_list_of_an_organiser": "the page of event_list",
    "series_detail": "its figures are a workbook of several sheets, which no csv is",
    "series_events": "a form that puts events into a series; its figures have the sheet",
    "series_participants": "names behind the figures, as far as a desk reaches; the figures have the sheet",
    "programme_detail": "its series have the sheets",
    "calibration": "a report with its own page",
    "event_letters": "what became of letters; the sheet of guests names them",
    "event_listing": "the sheet of requirements has them",
    "event_answers": "each requirement has the sheet of its interests",
    "event_invitations": "a form; who came of it is in the sheet of guests",
    "badge_sheet": "printed",
    "sign_in_sheet": "printed",
    "posters": "printed",
    "table_cards": "printed",
    "registration_badges": "printed",
    "check_in": "the sheet of guests says who came",
}
LISTS = [make for make in test_lists.LISTS if make.__name__ not in WITHOUT]
LINK = re.compile(r'href="([^"]*(?:export=|[/-]\w*export\.|[\w-]+\.)(xlsx|csv)[^"]*)"')


def table_of(answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if not body.startswith(b"PK"):
        return [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if row]
    # The rows, and on a sheet of its own as of when.
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        names = [f"xl/worksheets/sheet{number}.xml" for number in (1, 2)]
        sheets = [book.read(name).decode() for name in names]
    rows, notes = (re.findall(r"<row\b.*?</row>", sheet, re.DOTALL) for sheet in sheets)
    return [*rows, *notes[:1]]


@pytest.mark.parametrize("make", LISTS, ids=lambda make: make.__name__)
def test_list_is_taken_along_as_a_sheet(make):
    user, address, _mark, _shown = make(1)
    client = Client()
    if user is not None:
        client.force_login(user)
    page = client.get(address).content.decode()
    links = {kind: html.unescape(link) for link, kind in LINK.findall(page)}

    assert links.keys() == {"xlsx", "csv"}
    here = address.partition("?")[0]
    for kind, link in links.items():
        answer = client.get(f"{here}{link}" if link.startswith("?") else link)
        assert answer.status_code == 200
        assert f".{kind}" in answer["Content-Disposition"]
        # The header, one row at least, and as of when.
        assert len(table_of(answer)) >= 3, link


def test_exceptions_name_only_lists_that_there_are():
    assert WITHOUT.keys() - {make.__name__ for make in test_lists.LISTS} == set()


def test_rows_that_do_not_fit_a_list_of_titles_come_back_with_the_reason():
    client, other = Client(), EnterpriseFactory()
    client.force_login(OrganiserRoleFactory().user)
    text = f"企业名称,信用代码\n{other.name},{other.number}\n=示例无名有限公司,\n"
    page = client.post(
        reverse("chains:title_list"),
        {
            "kind": "little_giant",
            "issuer": "示例部",
            "valid_from": "2026-07-01",
            "upload": SimpleUploadedFile("list.csv", text.encode()),
            "look": "1",
        },
    ).content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)[1]

    csv_of = reverse("chains:title_misfits", args=["csv"])
    rows = table_of(client.post(csv_of, {"kept": kept}))
    forged = client.post(csv_of, {"kept": f"{kept}x"})

    assert [row[:2] for row in rows[1:-1]] == [["3", "'=示例无名有限公司"]]
    assert rows[1][2]
    assert (forged.status_code, forged["Location"]) == (302, reverse("chains:title_list"))


def test_capabilities_of_an_enterprise_are_a_sheet_that_an_import_reads():
    member = MembershipFactory()
    client = Client()
    client.force_login(member.user)
    made = capabilities.save_draft(
        enterprise=member.enterprise,
        by=member.user,
        title_zh="分体接线盒",
        title_en="Split junction box",
        text_zh="三分体灌封",
        text_en="Three-part potted",
        categories=[Category.objects.get(name_zh="光伏接线盒")],
        cooperation_kinds=[CooperationKind.objects.get(code="purchase_order")],
        references=[{"text": "示例电站 40 MW", "customer": "示例电力", "year": 2023}],
        yearly_capacity=Decimal(900000),
        unit=Unit.objects.get(code="set"),
        lead_time_days=30,
        is_new=True,
    )
    page = client.get(reverse("chains:enterprise_status", args=[member.enterprise.public_id]))
    address = reverse("chains:capability_export", args=[member.enterprise.public_id, "csv"])
    assert f'href="{address}"' in page.content.decode()
    for language in ("en", "zh-hans"):
        client.cookies["django_language"] = language
        sheet = b"".join(client.get(address).streaming_content)

        opened = open_sheets(sheet)
        layout = propose(opened, CAPABILITIES).layout
        _table, rows = read_rows("capabilities", opened, layout, member.user)

        draft = rows[0].draft
        assert draft.titles == {name: getattr(made, name) for name in draft.titles}
        assert set(draft.titles) == {"title_zh", "title_en", "text_zh", "text_en"}
        assert (draft.categories, draft.cooperation_kinds) == (
            [*made.categories.all()], [*made.cooperation_kinds.all()],
        )  # fmt: skip
        assert draft.references == [{"text": "示例电站 40 MW 示例电力 2023", "year": 2023}]
        assert (draft.yearly_capacity, draft.unit, draft.facts["lead_time_days"], draft.facts["is_new"]) == (
            900_000, made.unit, 30, True,
        )  # fmt: skip


def test_titles_of_an_enterprise_are_a_sheet():
    member = MembershipFactory()
    client = Client()
    client.force_login(member.user)
    names = {"extension": "csv", "public_id": member.enterprise.public_id}

    answer = client.get(reverse("chains:proof_export", kwargs=names))

    assert answer.status_code == 200
    assert client.get(reverse("chains:proof_export", kwargs={**names, "extension": "ods"})).status_code == 404  # fmt: skip
