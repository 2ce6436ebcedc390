from __future__ import annotations

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from chains.models import Change, Requirement
from tests.factories.chains import ContactFactory, MembershipFactory, OrganiserRoleFactory

pytestmark = [pytest.mark.django_db, pytest.mark.story]

PARTS = [
    ("低压配电柜", "12", "台"), ("不锈钢管道 DN50", "1,200", "米"), ("MES software", "1", "套"),
    ("氢气减压阀", "３００", "只"), ("膜电极", "1.2万", "片/年"), ("双极板", "20万", "片/年"),
    ("DC/DC 变换器", "150", "台"), ("空压机", "150", "台"), ("板式换热器", "约20", "台"),
    ("氢气循环泵", "150", "台"), ("质子交换膜", "5000", "平方米"), ("控制电缆", "38", "公里"),
    ("温度传感器", "600", "只"), ("氢气浓度传感器", "300", "只"), ("并网逆变器", "8", "台"),
    ("消防系统", "1", "套"),
]  # fmt: skip


def as_csv(parts):
    rows = [
        f'"{name}",规格{n},"{quantity}",{unit},2027-03-31'
        for n, (name, quantity, unit) in enumerate(parts)
    ]
    return ("产品名称,技术要求,数量,单位,交货期\n" + "\n".join(rows)).encode()


def test_sixteen_lines_from_a_sheet_to_publication(client):
    member, organiser = MembershipFactory(), OrganiserRoleFactory().user
    contact = ContactFactory(enterprise=member.enterprise)
    client.force_login(member.user)

    # The sheet has two faults; fourteen rows are kept, each fault is named by row and column.
    broken = list(PARTS)
    broken[3] = ("氢气减压阀", "0", "只")
    broken[11] = ("", "38", "公里")
    response = client.post(
        "/my/requirements/import/", {"file": SimpleUploadedFile("氢能产线配套.csv", as_csv(broken))}
    )
    draft = Requirement.objects.get()
    assert draft.lines.count() == 14
    assert "Row 5, column C “数量”: The quantity must be more than 0." in response.text
    assert "Row 13, column A “产品名称”: The product name is missing." in response.text

    # They are put right on the page; the same file again adds nothing.
    fixed = {"requirement": draft.public_id, "do": "fix", "row": ["5", "13"]}
    for row, (name, quantity, unit) in ((5, PARTS[3]), (13, PARTS[11])):
        fixed |= {f"row-{row}-text": name, f"row-{row}-quantity": quantity, f"row-{row}-unit": unit}
    client.post("/my/requirements/import/", fixed)
    client.post(
        "/my/requirements/import/", {"file": SimpleUploadedFile("again.csv", as_csv(broken))}
    )
    assert draft.lines.count() == 16

    # The form gets the project and the dates; it is submitted.
    page = client.get(f"/my/requirements/{draft.public_id}/edit/")
    data = {"line": [], "submit": "1"}
    for row in page.context["posting"].lines:
        data["line"].append(str(row.index))
        data |= {
            f"{row.prefix}-{bound.name}": str(bound.value() or "")
            for bound in row
            if bound.name != "picked"
        }
    today = timezone.localdate()
    data |= {
        "title": "分布式燃料电池发电产线配套",
        "project": "new",
        "project-name": "氢能发电产线",
        "project-amount": "2亿",
        "project-stage": "under_construction",
        "docking_kind": "project_supply",
        "seeks": "supplier",
        "region": "330421",
        "closes_on": (today + datetime.timedelta(days=14)).isoformat(),
        "answer_by_on": (today + datetime.timedelta(days=21)).isoformat(),
        "contact_policy": "verified",
        "contact": contact.public_id,
    }
    response = client.post(f"/my/requirements/{draft.public_id}/edit/", data)
    draft.refresh_from_db()
    assert (response.status_code, draft.status, draft.project.amount_cents) == (
        302,
        "submitted",
        20_000_000_000,
    )

    # The desk approves; sixteen lines are public, and the feed says so to whoever matches them.
    client.force_login(organiser)
    client.post(f"/desk/requirements/{draft.public_id}/", {"do": "approve"})
    draft.refresh_from_db()
    assert draft.status == "published"
    assert draft.lines.open().count() == 16
    assert list(
        draft.lines.filter(text="膜电极").values_list("quantity", "unit__code", "period")
    ) == [(12000, "sheet", "year")]
    assert list(Change.objects.filter(target=draft.public_id).values_list("verb", flat=True))[
        -2:
    ] == [
        "approved",
        "published",
    ]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "upload", "fault", "fix", "done"),
    [
        ("en", "Read the file", "The quantity must be more than 0.", "Add this row", "Open the draft of 3 lines"),
        ("zh-hans", "读取文件", "数量须大于 0。", "补入这 1 行", "打开草稿（3 项）"),
    ],
)  # fmt: skip
def test_sheet_is_put_right_in_a_browser(
    committed, live_server, page, language, upload, fault, fix, done
):
    member = MembershipFactory()
    client = Client()
    client.force_login(member.user)
    for name, value in (
        ("sessionid", client.cookies["sessionid"].value),
        ("django_language", language),
    ):
        page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    parts = [PARTS[0], ("氢气减压阀", "0", "只"), PARTS[2]]

    page.goto(f"{live_server.url}/my/requirements/import/")
    sheet = {"name": "氢能产线.csv", "mimeType": "text/csv", "buffer": as_csv(parts)}
    page.locator("input[type=file]").set_input_files(sheet)
    with page.expect_event("load"):
        page.get_by_role("button", name=upload).click()
    assert page.get_by_role("alert").get_by_text(fault).is_visible()
    page.locator("[aria-invalid=true]").fill("300")
    with page.expect_event("load"):
        page.get_by_role("button", name=fix).click()

    assert page.get_by_role("link", name=done).is_visible()
    assert Requirement.objects.get().lines.count() == 3
    assert page.complaints == []
