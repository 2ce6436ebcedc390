"""J1: an enterprise comes onto the register once, its desk verifies it, then it can post."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from chains import tasks
from chains.models import (
    AuditEntry,
    Capability,
    Enterprise,
    MemberInvitation,
    Membership,
)
from chains.services import enterprises
from tests.factories.chains import (
    EnterpriseFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
    uscc,
)

pytestmark = pytest.mark.story

PASSWORD = "a long enough pass phrase 7"


def sign_up(email):
    """A new person with a confirmed mailbox, signed in."""
    client = Client()
    client.cookies["django_language"] = "en"
    client.post(
        reverse("account_signup"),
        {"email": email, "password1": PASSWORD, "password2": PASSWORD, "agreed": "on"},
    )
    link = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body)[1]
    client.post(link)
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return client


def ask_number(client, number):
    return client.post(reverse("chains:enterprise_join"), {"scheme": "uscc", "uscc": number})


def page(client, name, *args):
    return client.get(reverse(name, args=args)).content.decode()


@pytest.mark.django_db
def test_j1_onboarding():
    desk = Client()
    desk.cookies["django_language"] = "en"
    organiser = OrganiserRoleFactory(region=region("330421")).user
    desk.force_login(organiser)
    number = uscc(7001, "330421")

    # The first person: the number is not known yet, the licence is uploaded, the enterprise waits.
    boss = sign_up("boss@millfield.example")
    details = ask_number(boss, number)["Location"]
    form = boss.get(details).content.decode()
    assert 'value="330421" checked' in form
    boss.post(
        details,
        {
            "name": "示例麦田智能盒有限公司",
            "name_en": "Demo Millfield Smart Box",
            "kind": "enterprise",
            "region": "330421",
            "licence": SimpleUploadedFile("licence.pdf", b"%PDF-1.4\n%%EOF\n"),
        },
    )
    enterprise = Enterprise.objects.get(number=number)
    assert enterprise.status == "pending"
    assert "is being checked by" in page(boss, "chains:enterprise_status", enterprise.public_id)

    # Meanwhile a draft is kept; publishing it waits.
    create = reverse("chains:capability_create", args=[enterprise.public_id])
    kept = boss.post(create, {"title_zh": "智能接线盒", "publish": "1"}, follow=True)
    assert "The draft is kept." in kept.content.decode()
    draft = Capability.objects.get()
    assert draft.status == "draft"

    # The desk of its region finds a task, opens the licence (logged), returns it once, then verifies.
    assert "1 enterprise to verify" in page(desk, "chains:enterprise_case", enterprise.public_id)
    case = reverse("chains:enterprise_case", args=[enterprise.public_id])
    licence = reverse("chains:evidence_download", args=[enterprise.evidence.get().public_id])
    assert b"".join(desk.get(licence).streaming_content) == b"%PDF-1.4\n%%EOF\n"
    desk.post(case, {"do": "return", "note": "The photo cuts off the code."})
    status = reverse("chains:enterprise_status", args=[enterprise.public_id])
    assert "The photo cuts off the code." in boss.get(status).content.decode()
    boss.post(
        status,
        {
            "number": number,
            "name": "示例麦田智能盒有限公司",
            "name_en": "Demo Millfield Smart Box",
            "kind": "enterprise",
            "region": "330421",
            "licence": SimpleUploadedFile("whole.png", b"\x89PNG\r\n\x1a\n whole page"),
        },
    )
    seen = re.search(r'name="seen" value="([^"]+)"', desk.get(case).content.decode())[1]
    desk.post(case, {"do": "verify", "seen": seen})
    tasks.deliver_notifications()
    told = [message for message in mail.outbox if message.to == ["boss@millfield.example"]]
    assert [message.subject for message in told[-2:]] == [
        "Demo Millfield Smart Box: please correct your registration",
        "Demo Millfield Smart Box is verified",
    ]

    # Verified: what was drafted goes public.
    edit = reverse("chains:capability_edit", args=[draft.public_id])
    boss.post(edit, {"title_zh": "智能接线盒", "publish": "1"})
    assert Capability.objects.visible_to(organiser).get().status == "published"
    assert "智能接线盒" in page(Client(), "matchmaking:enterprise_detail", enterprise.public_id)

    # The second person with the same number: a request to join, never a second company.
    colleague = sign_up("sales@millfield.example")
    request = ask_number(colleague, number)["Location"]
    assert request == reverse("chains:join_request", args=[enterprise.public_id])
    colleague.post(request, {"role": "editor"})
    assert colleague.get(status).status_code == 404
    asked = Membership.objects.get(status="requested")
    boss.post(reverse("chains:membership_decide", args=[asked.public_id]), {"do": "accept"})
    assert colleague.get(status).status_code == 200
    assert Enterprise.objects.filter(number=number).count() == 1

    assert list(
        AuditEntry.objects.filter(target=f"chains.Enterprise:{enterprise.public_id}").values_list(
            "action", flat=True
        )
    ) == [
        "enterprise.submitted",
        "enterprise.returned",
        "enterprise.submitted",
        "enterprise.verified",
    ]


def proven(email):
    user = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "doubt", "near"),
    [
        ("en", "The last character does not fit the others.", "Similar names are on the register:"),
        ("zh-hans", "末位校验码与前 17 位不符。", "库内有相似名称："),
    ],
)
def test_enterprise_with_a_doubtful_digit_comes_onto_the_register_in_a_browser(
    committed, live_server, page, as_user, words, language, doubt, near
):
    def press(text, context=None):
        with page.expect_event("load"):
            page.get_by_role("button", name=words(language, text, context)).last.click()

    enterprises._refresh(EnterpriseFactory(name="示例麦田智能盒集团有限公司", number=uscc(7100)))
    boss, colleague = proven("boss@millfield.example"), proven("sales@millfield.example")
    desk = OrganiserRoleFactory(region=region("330421")).user
    right = uscc(7001, "330421")
    number = right[:-1] + ("0" if right[-1] != "0" else "1")

    # A digit that does not fit is asked about, and may stand on the licence like this.
    as_user(boss, language, 390)
    page.goto(live_server.url + reverse("chains:enterprise_join"))
    page.locator("#id_uscc").fill(number)
    press("Find my enterprise")
    assert doubt in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#id_confirmed").check()
    press("Find my enterprise")

    # A name like another one is pointed out as soon as it stands there.
    page.locator("#id_name").fill("示例麦田智能盒有限公司")
    page.locator("#id_name_en").fill("Demo Millfield Smart Box")
    page.locator("#near").get_by_text(near).wait_for()
    assert "示例麦田智能盒集团有限公司" in page.locator("#near").inner_text()
    page.locator("#id_kind").select_option("enterprise")
    assert page.locator("input[name=region]:checked").input_value() == "330421"
    licence = {"name": "执照.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n%%EOF\n"}
    page.locator("input[type=file]").set_input_files(licence)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    press("Send to the desk")
    enterprise = Enterprise.objects.get(number=number)
    assert (enterprise.status, enterprise.number_confirmed) == ("pending", True)
    assert enterprise.evidence.get().original_name == "执照.pdf"

    # The desk sees both doubts beside the licence, and verifies.
    as_user(desk, language, 1440)
    page.goto(live_server.url + reverse("chains:enterprise_case", args=[enterprise.public_id]))
    case = page.locator("main").inner_text()
    assert words(language, "The member says it stands on the licence like this.") in case
    assert "示例麦田智能盒集团有限公司" in case or language == "en"
    assert page.get_by_role("link", name="执照.pdf").is_visible()
    press("Verify", "decision")
    enterprise.refresh_from_db()
    assert enterprise.status == "verified"

    # A colleague is invited and accepts.
    as_user(boss, language, 390)
    page.goto(live_server.url + reverse("chains:member_list", args=[enterprise.public_id]))
    with page.expect_event("load"):
        page.get_by_role("link", name=words(language, "Invite a colleague")).click()
    page.locator("#id_email").fill(colleague.email)
    page.locator("input[name=role][value=editor]").check()
    press("Send the invitation")
    assert page.get_by_role("listitem").filter(has_text=colleague.email).is_visible()
    as_user(colleague, language, 390)
    page.goto(live_server.url + reverse("chains:enterprise_join"))
    with page.expect_event("load"):
        page.get_by_role("link", name=words(language, "Answer the invitation")).click()
    press("Accept")
    assert MemberInvitation.objects.get().status == "accepted"
    assert enterprise.memberships.filter(user=colleague, role="editor", status="active").exists()
    # What is asked about comes with 422, which the console names.
    assert [text for text in page.complaints if "422" not in text] == []
