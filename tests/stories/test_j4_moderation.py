from __future__ import annotations

import datetime

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from chains import tasks
from chains.models import AuditEntry, Notification, Requirement
from chains.services import requirement_drafts, requirements
from chains.services.requirement_writing import LineDraft
from tests.factories.chains import ContactFactory, MembershipFactory, OrganiserRoleFactory

pytestmark = [pytest.mark.story]


def submitted(member):
    today = timezone.localdate()
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        title="封装胶膜",
        lines=[
            LineDraft(text="质量好、价格优的胶膜"),
            LineDraft(text="EVA 胶膜 460 g/m²", specification="460 g/m²"),
        ],
        contact=ContactFactory(enterprise=member.enterprise),
        closes_on=today + datetime.timedelta(days=40),
        answer_by_on=today + datetime.timedelta(days=50),
    )
    return requirements.submit(requirement=draft, by=member.user)


@pytest.mark.django_db
def test_vague_line_is_returned_corrected_and_published(client):
    member, organiser = MembershipFactory(), OrganiserRoleFactory().user
    requirement = submitted(member)
    edit, case = (
        f"/my/requirements/{requirement.public_id}/edit/",
        f"/desk/requirements/{requirement.public_id}/",
    )
    vague = requirement.lines.get(number=1)

    # The desk sees that line 1 is vague and says what to state.
    client.force_login(organiser)
    assert "Vague: no quantity, no specification" in client.get(case).text
    client.post(
        case,
        {
            "do": "return",
            f"remark-{vague.public_id}-code": "vague",
            f"remark-{vague.public_id}-text": "克重与年用量",
        },
    )

    # The buyer is told by mail what to fix, fixes that line and submits again.
    tasks.deliver_notifications()
    [message] = mail.outbox
    assert message.to == [member.user.email]
    assert (
        "Line 1: Too vague to match: state type, size and standard – 克重与年用量" in message.body
    )
    client.force_login(member.user)
    page = client.get(edit)
    assert "克重与年用量" in page.text
    data = {"submit": "1", "line": ["0", "1"]}
    for bound in page.context["form"]:
        value = bound.value()
        if value not in (None, False, "", []) and bound.name != "region":
            data[bound.name] = str(value)
    for row in page.context["posting"].lines:
        data |= {f"{row.prefix}-{b.name}": str(b.value() or "") for b in row if b.name != "picked"}
    data |= {
        "line-0-text": "POE 胶膜",
        "line-0-quantity": "1,000",
        "line-0-unit": "吨",
        "line-0-period": "year",
    }
    assert client.post(edit, data).status_code == 302

    # Second round: the desk sees its former remark, approves; both read the same history without names.
    client.force_login(organiser)
    again = client.get(case).text
    assert "Submitted again, round 2" in again
    assert "Asked before" in again
    client.post(case, {"do": "approve"})
    requirement.refresh_from_db()
    assert requirement.status == "published"
    pages = []
    for user in (member.user, organiser):
        client.force_login(user)
        response = client.get(f"/my/requirements/{requirement.public_id}/history/")
        pages.append([(event.what, event.who) for event in response.context["events"]])
        assert organiser.email not in response.text
    assert (
        pages[0]
        == pages[1]
        == [
            ("Published", "the desk"),
            ("Approved", "the desk"),
            ("Submitted", "the enterprise"),
            ("Returned", "the desk"),
            ("Submitted", "the enterprise"),
            ("Draft begun", "the enterprise"),
        ]
    )


@pytest.mark.browser
def test_buyer_corrects_on_a_phone_what_the_desk_returned(
    committed, live_server, page, as_user, words
):
    member, organiser = MembershipFactory(), OrganiserRoleFactory().user
    requirement = submitted(member)
    vague = requirement.lines.get(number=1)
    case = f"{live_server.url}/desk/requirements/{requirement.public_id}/"

    # Each side once in Chinese and once in English.
    def say(text, context=None):
        return words(language, text, context)

    # The desk chooses a saved remark for line 1 and adds its own words; one click returns it.
    language = "zh-hans"
    as_user(organiser, language, 1440)
    page.goto(case)
    line = page.locator("#line-1")
    assert line.get_by_text(say("Vague: no quantity, no specification")).is_visible()
    saved = say("Saved remark on line %(number)s") % {"number": 1}
    line.get_by_label(saved).select_option("vague")
    words_on_it = say("Remark on line %(number)s") % {"number": 1}
    line.get_by_label(words_on_it, exact=True).fill("克重与年用量")
    with page.expect_event("load"):
        page.get_by_role("button", name=say("Return with remarks")).click()

    # The buyer reads it on a phone, above the form and with a way to the line; corrects that line, submits.
    language = "en"
    as_user(member.user, language, 390)
    page.goto(f"{live_server.url}/my/requirements/{requirement.public_id}/edit/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    remark = page.get_by_role("listitem").filter(has_text="克重与年用量")
    assert say("Too vague to match: state type, size and standard") in remark.inner_text()
    remark.get_by_role("link").click()
    assert page.evaluate("location.hash") == "#line-1"
    row = page.locator("#line-1")
    row.locator("[name=line-0-text]").fill("POE 胶膜")
    row.locator("[name=line-0-quantity]").fill("1,000")
    row.locator("[name=line-0-unit]").fill("吨")
    row.locator("[name=line-0-period]").select_option("year")
    with page.expect_event("load"):
        page.locator("button[name=submit]").last.click()
    vague.refresh_from_db()
    assert (vague.text, vague.quantity, vague.period) == ("POE 胶膜", 1000, "year")

    # Second round: the desk sees what it asked before, and approves.
    as_user(organiser, language, 1440)
    page.goto(case)
    assert page.get_by_text(say("Submitted again, round %(rounds)s") % {"rounds": 2}).is_visible()
    assert "克重与年用量" in page.locator("#line-1").inner_text()
    with page.expect_event("load"):
        page.get_by_role("button", name=say("Approve"), exact=True).click()
    requirement.refresh_from_db()
    assert requirement.status == "published"
    language = "zh-hans"
    as_user(member.user, language, 390)
    page.goto(f"{live_server.url}/my/requirements/{requirement.public_id}/history/")
    history = page.locator("main").inner_text()
    assert say("Draft begun") in history
    assert "克重与年用量" in history
    assert organiser.email not in page.content()
    assert page.complaints == []


@pytest.mark.django_db
def test_returned_and_unanswered_for_ten_days_closes_with_a_notice():
    member, organiser = MembershipFactory(), OrganiserRoleFactory().user
    requirement = submitted(member)
    requirements.return_(
        requirement=requirement,
        by=organiser,
        remarks=[requirements.RemarkDraft(text="State the weight")],
    )

    with time_machine.travel(timezone.now() + datetime.timedelta(days=9, hours=23), tick=False):
        assert tasks.close_due_requirements() == 0
    with time_machine.travel(timezone.now() + datetime.timedelta(days=10, minutes=1), tick=False):
        assert tasks.close_due_requirements() == 1

    requirement = Requirement.objects.get()
    assert requirement.close_reason == "unanswered"
    assert AuditEntry.objects.get(action="requirement.unanswered").actor is None
    assert set(
        Notification.objects.filter(kind="requirement_unanswered").values_list("to", "channel")
    ) == {(member.user.pk, "in_app"), (member.user.pk, "email")}
