"""Pages of the register in states that the market of tests/test_pages.py does not hold, as a browser draws them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chains.models import Category, QualificationKind, Unit
from chains.services import accounts, enterprises, groups
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
    uscc,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text()
FOLDER = os.environ.get("SCREENSHOTS", "")  # a folder to look at the pages in


def licence():
    return SimpleUploadedFile("营业执照.pdf", b"%PDF-1.4\n%%EOF\n")


def scene():
    """An owner of a verified enterprise, one who waits, one who was returned, and their desk."""
    desk = OrganiserRoleFactory(
        region=region("330421"), body__name="示例嘉善经信局", body__name_en="Demo Jiashan Bureau"
    ).user
    owner = MembershipFactory(
        user__email="owner@harbour.example",
        enterprise__name="示例海湾接线盒有限公司",
        enterprise__name_en="Demo Harbour Junction Boxes",
        enterprise__number=uscc(7100),
    )
    firm = owner.enterprise
    enterprises.edit_profile(
        enterprise=firm,
        by=owner.user,
        summary="自 2009 年起生产光伏组件接线盒、连接器及直流设备配件。",
    )
    CapabilityFactory(
        enterprise=firm,
        categories=[Category.objects.get(name_zh="光伏接线盒").code],
        title_en="Split junction boxes, 1500 V",
        yearly_capacity=1_600_000,
        unit=Unit.objects.get(code="set"),
        lead_time_days=15,
    )
    CapabilityFactory(enterprise=firm, status="draft", title_zh="带快速关断的智能接线盒")
    ContactFactory(enterprise=firm, job_title="销售总监")
    enterprises.claim_qualification(
        enterprise=firm,
        by=owner.user,
        kind=QualificationKind.objects.get(code="little_giant"),
        valid_from="2024-07-01",
        evidence=licence(),
    )
    accounts.request_join(enterprise=firm, by=UserFactory(email="new@harbour.example"))
    MembershipFactory(enterprise=firm, role="viewer")
    affiliate, other = MembershipFactory(), MembershipFactory()
    named = groups.propose(
        enterprise=firm, partner=affiliate.enterprise, name="示例海湾集团", by=owner.user
    )
    groups.answer(proposal=named, accept=True, by=affiliate.user)
    firm.refresh_from_db()
    groups.propose(enterprise=firm, partner=EnterpriseFactory(), by=owner.user)
    groups.propose(enterprise=other.enterprise, partner=firm, by=other.user)
    waiting = enterprises.register(
        name="示例海湾接线盒集团有限公司",
        name_en="Demo Harbour Group",
        number=uscc(7101),
        region=region("330421"),
        summary="生产智能接线盒",
        licence=licence(),
        by=UserFactory(email="boss@millfield.example"),
    )
    returned = enterprises.register(
        name="示例远山轴承有限公司",
        number=uscc(7102),
        region=region("330421"),
        licence=licence(),
        by=UserFactory(),
    )
    enterprises.return_(
        enterprise=returned, reason="营业执照照片未拍全代码，请上传完整页面。", by=desk
    )

    return {
        "21b-pending": (
            waiting.memberships.get().user,
            reverse("chains:enterprise_status", args=[waiting.public_id]),
        ),
        "21b-returned": (
            returned.memberships.get().user,
            reverse("chains:enterprise_status", args=[returned.public_id]),
        ),
        "14a-owner": (owner.user, reverse("chains:enterprise_status", args=[firm.public_id])),
        "14d-group": (owner.user, reverse("chains:enterprise_group", args=[firm.public_id])),
        "12c-case": (desk, reverse("chains:enterprise_case", args=[waiting.public_id])),
    }


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 390)])
def test_pages_are_quiet_fit_and_have_no_barriers(live_server, page, client, language, width):
    page.set_viewport_size({"width": width, "height": 900})
    findings = []

    for name, (user, path) in scene().items():
        page.context.clear_cookies()
        cookies = [{"name": "django_language", "value": language, "url": live_server.url}]
        if user is not None:
            client.force_login(user)
            session = client.cookies["sessionid"].value
            cookies.append({"name": "sessionid", "value": session, "url": live_server.url})
        page.context.add_cookies(cookies)
        page.goto(live_server.url + path)
        if FOLDER:
            page.screenshot(path=f"{FOLDER}/{name}-{language[:2]}-{width}.png", full_page=True)
        found = page.evaluate(AXE + "; axe.run()")
        findings += [
            f"{name}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in found["violations"]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        findings += [f"{name}: {wide} px too wide"] if wide > 0 else []

    assert findings == []
    assert page.complaints == []


def test_region_and_name_answer_while_typing(live_server, page, client):
    EnterpriseFactory(name="示例麦田智能盒集团有限公司", name_en="")
    enterprises._refresh(EnterpriseFactory._meta.model.objects.get())
    client.force_login(UserFactory())
    page.context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": client.cookies["sessionid"].value,
                "url": live_server.url,
            },
            {"name": "django_language", "value": "en", "url": live_server.url},
        ]
    )
    path = reverse("chains:enterprise_register")
    page.goto(f"{live_server.url}{path}?scheme=uscc&country=CN&number={uscc(7103, '330106')}")

    page.locator("#id_region_q").press_sequentially("jiashan")
    page.locator("label", has_text="330421").click()
    page.locator("#id_name").fill("示例麦田智能盒有限公司")
    page.locator("#id_name").blur()

    page.get_by_text("the same name as a group or a works").wait_for()
    assert page.locator("input[name=region]:checked").get_attribute("value") == "330421"
    assert page.complaints == []
