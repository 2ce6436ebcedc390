"""Colleagues invited, files of a requirement, reports of abuse, ends that are told in time."""

from __future__ import annotations

import contextlib
import datetime
import io
import re
import threading
import zipfile

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chains.errors import DomainError
from chains.forms import title_list
from chains.models import (
    AuditEntry,
    Certification,
    CertificationKind,
    Evidence,
    MemberInvitation,
    Membership,
    Notification,
    Qualification,
    QualificationKind,
    Report,
    RequirementFile,
)
from chains.services import (
    awards,
    enterprises,
    invitations,
    reports,
    requirement_files,
    requirements,
    terms,
)
from chains.spreadsheets import open_sheets
from chains.tasks import deliver_invitations, deliver_notifications
from matchmaking import permissions
from matchmaking.services import contacts, interests
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def drawing(name="drawing.pdf"):
    return SimpleUploadedFile(name, PDF, "application/pdf")


# --- Colleagues ----------------------------------------------------------------------------------------


def proven(email):
    user = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def test_colleague_without_an_account_is_invited_signs_up_and_acts(client):
    owner = MembershipFactory()
    pages = {"public_id": owner.enterprise.public_id}
    client.force_login(owner.user)

    client.post(
        reverse("chains:member_invite", kwargs=pages),
        {"email": " New.Colleague@Quay.example ", "role": "editor"},
    )
    deliver_invitations()
    deliver_invitations()

    row = MemberInvitation.objects.get()
    answer = reverse("chains:invitation_answer", args=[row.public_id])
    (letter,) = mail.outbox
    assert letter.to == ["new.colleague@quay.example"]
    assert answer in letter.body
    assert row.email in client.get(reverse("chains:member_list", kwargs=pages)).content.decode()

    stranger = proven("somebody.else@quay.example")
    client.force_login(stranger)
    assert client.get(answer).status_code == 404
    assert client.post(answer, {"do": "accept"}).status_code == 404

    colleague = proven("New.Colleague@quay.example")
    client.force_login(colleague)
    joining = client.get(reverse("chains:enterprise_join")).content.decode()
    assert answer in joining
    done = client.post(answer, {"do": "accept"})

    row.refresh_from_db()
    assert done.url == reverse("chains:enterprise_status", kwargs=pages)
    assert Membership.objects.filter(user=colleague).values_list("role", "status").get() == (
        "editor",
        "active",
    )
    assert (row.status, row.email) == ("accepted", "")
    assert Notification.objects.filter(to=owner.user, kind="invitation_accepted").count() == 1
    assert client.get(answer).status_code == 404
    assert [a for a in AuditEntry.objects.values_list("action", flat=True) if "invit" in a] == [
        "invitation.sent",
        "invitation.accepted",
    ]


def test_invitation_that_nobody_answers_ends_and_its_address_goes():
    owner = MembershipFactory()
    row = invitations.invite(
        enterprise=owner.enterprise, email="a@quay.example", role="viewer", by=owner.user
    )
    with pytest.raises(DomainError) as twice:
        invitations.invite(
            enterprise=owner.enterprise, email="A@quay.example", role="viewer", by=owner.user
        )
    MemberInvitation.objects.update(expires_on=timezone.localdate() - datetime.timedelta(days=1))

    assert invitations.forget_old() == 1
    assert deliver_invitations() == 0
    row.refresh_from_db()
    assert (row.status, row.email, twice.value.code) == ("withdrawn", "", "invitation.exists")


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_owners_of_a_verified_enterprise_invite(role):
    member = MembershipFactory(role=role)
    pending = MembershipFactory(enterprise=EnterpriseFactory(pending=True))

    codes = []
    for row in (member, pending):
        with pytest.raises(DomainError) as refusal:
            invitations.invite(
                enterprise=row.enterprise, email="a@quay.example", role="viewer", by=row.user
            )
        codes.append(refusal.value.code)

    assert codes == ["invitation.forbidden", "invitation.not_verified"]


def test_invitations_are_no_mailing_list_and_end_with_the_right_of_who_sent_them(monkeypatch):
    monkeypatch.setattr(invitations, "MOST", 2)
    owner = MembershipFactory()
    who = {"enterprise": owner.enterprise, "by": owner.user}
    first = invitations.invite(email="a@quay.example", role="viewer", **who)
    invitations.withdraw(invitation=first, by=owner.user)
    kept = invitations.invite(email="a@quay.example", role="owner", **who)
    with pytest.raises(DomainError) as third:
        invitations.invite(email="b@quay.example", role="viewer", **who)
    Membership.objects.filter(pk=owner.pk).update(status="ended")

    friend = proven("a@quay.example")
    with pytest.raises(DomainError) as answered:
        invitations.answer(invitation=kept, accept=True, by=friend)

    codes = [third.value.code, answered.value.code]
    assert codes == ["invitation.too_many_a_day", "invitation.over"]
    assert not friend.memberships.exists()


# --- Files ---------------------------------------------------------------------------------------------


def test_drawing_opens_to_whom_its_owner_names_and_each_look_is_written_down(client):
    owner, supplier, other = (MembershipFactory() for _ in range(3))
    requirement = RequirementFactory(enterprise=owner.enterprise)
    page = reverse("chains:requirement_file_list", args=[requirement.public_id])
    client.force_login(owner.user)

    client.post(page, {"upload": drawing(), "visibility": "accepted"})
    refused = client.post(
        page, {"upload": SimpleUploadedFile("a.pdf", b"MZ\x90\x00"), "visibility": "public"}
    )
    row = requirement.files.get()
    address = reverse("matchmaking:requirement_file", args=[row.public_id])
    public = reverse("matchmaking:requirement_detail", args=[requirement.public_id])

    def opens(*people):
        found = []
        for person in people:
            client.logout()
            if person is not None:
                client.force_login(person)
            answer = client.get(address)
            found.append(answer.status_code)
            if answer.streaming:
                b"".join(answer.streaming_content)
        return found

    everybody = (None, UserFactory(), other.user, supplier.user, owner.user)
    assert refused.status_code == 422
    assert opens(*everybody) == [404, 404, 404, 404, 200]
    client.force_login(other.user)
    assert "drawing.pdf" not in client.get(public).content.decode()

    InterestFactory(requirement=requirement, enterprise=supplier.enterprise, status="accepted")
    assert opens(*everybody) == [404, 404, 404, 200, 200]
    client.force_login(owner.user)
    client.post(page, {"do": "show", "attachment": row.public_id, "visibility": "verified"})
    assert opens(*everybody) == [404, 404, 200, 200, 200]
    client.force_login(owner.user)
    client.post(page, {"do": "show", "attachment": row.public_id, "visibility": "public"})
    assert opens(*everybody) == [200] * 5
    client.logout()
    assert address in client.get(public).content.decode()
    client.force_login(owner.user)
    client.post(page, {"do": "remove", "attachment": row.public_id})
    assert opens(*everybody) == [404] * 5

    looks = AuditEntry.objects.filter(action="attachment.opened").values_list("actor", flat=True)
    assert list(looks) == [supplier.user.pk, other.user.pk, supplier.user.pk] + [
        person.pk for person in everybody[1:4]
    ]
    requirement.refresh_from_db()
    assert requirement.amendment_waits


def test_file_of_what_a_desk_took_down_opens_to_nobody_outside():
    owner, supplier = MembershipFactory(), MembershipFactory()
    requirement = RequirementFactory(enterprise=owner.enterprise)
    requirement_files.attach(
        requirement=requirement, upload=drawing(), visibility="accepted", by=owner.user
    )
    InterestFactory(requirement=requirement, enterprise=supplier.enterprise, status="accepted")

    def opens(**state):
        type(requirement).objects.filter(pk=requirement.pk).update(**state)
        row = RequirementFile.objects.get(requirement=requirement)
        return [permissions.can_open_file(one.user, row) for one in (owner, supplier)]

    assert opens() == [True, True]
    ended = {"status": "closed", "closed_at": timezone.now()}
    assert opens(**ended, close_reason="filled") == [True, True]
    assert opens(close_reason="taken_down") == [True, False]


def test_files_of_one_enterprise_have_room_in_common(monkeypatch):
    owner = MembershipFactory()
    drafts = [RequirementFactory(enterprise=owner.enterprise, draft=True) for _ in range(2)]
    monkeypatch.setattr(requirement_files, "MOST_BYTES", 2 * len(PDF) - 1)
    about = {"visibility": "accepted", "by": owner.user}
    requirement_files.attach(requirement=drafts[0], upload=drawing(), **about)

    with pytest.raises(DomainError) as refusal:
        requirement_files.attach(requirement=drafts[1], upload=drawing(), **about)

    assert refusal.value.code == "attachment.no_room"
    type(drafts[0]).objects.filter(pk=drafts[0].pk).update(
        status="closed", close_reason="withdrawn", closed_at=timezone.now()
    )
    requirement_files.attach(requirement=drafts[1], upload=drawing(), **about)


def test_draft_with_a_file_can_be_deleted(client):
    owner = MembershipFactory()
    draft = RequirementFactory(enterprise=owner.enterprise, draft=True)
    client.force_login(owner.user)
    client.post(
        reverse("chains:requirement_file_list", args=[draft.public_id]),
        {"upload": drawing(), "visibility": "accepted"},
    )
    assert draft.files.count() == 1

    client.post(reverse("chains:requirement_delete", args=[draft.public_id]))

    assert not type(draft).objects.filter(pk=draft.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_two_uploads_at_the_same_moment_do_not_pass_the_limit(monkeypatch):
    member = MembershipFactory()
    monkeypatch.setattr(enterprises, "MOST_FILES", 1)
    counted = threading.Barrier(2, timeout=5)
    keep = enterprises.keep_file

    def slow(**fields):
        # Without the lock both have counted by now; with it the second has not come so far.
        with contextlib.suppress(threading.BrokenBarrierError):
            counted.wait(timeout=1)
        keep(**fields)

    monkeypatch.setattr(enterprises, "keep_file", slow)
    codes = []

    def upload():
        try:
            enterprises.store_evidence(
                enterprise=member.enterprise, purpose="licence", upload=drawing(), by=member.user
            )
        except DomainError as error:
            codes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (Evidence.objects.count(), codes) == (1, ["evidence.too_many"])


# --- Reports -------------------------------------------------------------------------------------------


def test_report_of_a_requirement_reaches_its_desk_and_is_answered(client):
    desk = OrganiserRoleFactory()
    requirement = RequirementFactory()
    owner = MembershipFactory(enterprise=requirement.enterprise)
    person = UserFactory()
    page = reverse("chains:requirement_report", args=[requirement.public_id])
    client.force_login(person)
    shown = client.get(reverse("matchmaking:requirement_detail", args=[requirement.public_id]))
    assert page in shown.content.decode()

    empty = client.post(page, {"reason": "other"})
    sent = client.post(page, {"reason": "not_a_need", "note": "Asks for prices every week."})
    again = client.post(page, {"reason": "not_a_need"})

    report = Report.objects.get()
    assert (empty.status_code, sent.status_code, again.status_code) == (422, 302, 422)
    case = reverse("chains:report_decide", args=[report.public_id])
    client.force_login(owner.user)
    assert client.get(case).status_code == 404
    client.force_login(desk.user)
    assert case in client.get(reverse("matchmaking:inbox")).content.decode()
    assert "Asks for prices every week." in client.get(case).content.decode()
    led = client.post(case, {"do": "uphold", "answer": "Taken down."})

    report.refresh_from_db()
    assert led.url == reverse("chains:moderation_case", args=[requirement.public_id])
    assert (report.status, report.decided_by) == ("upheld", desk.user)
    deliver_notifications()
    (letter,) = [one for one in mail.outbox if one.to == [person.email]]
    assert "Taken down." in letter.body
    assert not Notification.objects.filter(to=owner.user).exists()


def test_capability_that_is_rightly_reported_goes_out_of_sight(client):
    desk = OrganiserRoleFactory()
    capability = CapabilityFactory()
    owner, person = MembershipFactory(enterprise=capability.enterprise), UserFactory()
    page = reverse("chains:capability_report", args=[capability.public_id])
    client.force_login(person)
    shown = reverse("matchmaking:enterprise_detail", args=[capability.enterprise.public_id])
    assert page in client.get(shown).content.decode()

    sent = client.post(page, {"reason": "advertising"})
    report = Report.objects.get()
    case = reverse("chains:report_decide", args=[report.public_id])
    client.force_login(owner.user)
    assert (sent.url, client.get(case).status_code) == (shown, 404)
    client.force_login(desk.user)
    assert capability.title_zh in client.get(case).content.decode()
    client.post(case, {"do": "uphold"})

    capability.refresh_from_db()
    assert (capability.status, report.capability) == ("withdrawn", capability)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions)[-2:] == ["report.upheld", "capability.withdrawn"]
    deliver_notifications()
    (letter,) = [one for one in mail.outbox if one.to == [owner.user.email]]
    assert "out of sight: Advertising. Mend it" in letter.body
    assert person.email not in letter.body
    assert [
        one.to for one in mail.outbox if f"You reported “{capability.title_zh}”" in one.body
    ] == [[person.email]]


def test_what_is_not_public_is_not_reported():
    hidden = CapabilityFactory(enterprise__status="suspended")
    for about in (RequirementFactory(submitted=True), EnterpriseFactory(pending=True), hidden):
        with pytest.raises(DomainError) as refusal:
            reports.send(about=about, reason="spam", by=UserFactory())
        assert refusal.value.code == "report.not_public"


# --- Ends ----------------------------------------------------------------------------------------------


def test_certificate_that_ends_is_told_twice_and_no_more_once_renewed():
    member = MembershipFactory()
    kind = CertificationKind.objects.first()
    today = timezone.localdate()

    def held(days, **fields):
        return Certification.objects.create(
            enterprise=member.enterprise,
            kind=kind,
            status="verified",
            valid_from=today - datetime.timedelta(days=900),
            valid_until_on=today + datetime.timedelta(days=days),
            **fields,
        )

    row = held(60, number="1")
    held(61, number="2", scope="not yet")
    assert [terms.remind(), terms.remind()] == [0, 0]  # the longer one renews it
    Certification.objects.filter(number="2").delete()
    Certification.objects.update(reminded_at=None)

    assert [terms.remind(), terms.remind()] == [1, 0]
    # Forty-six days later: the last call.
    row.refresh_from_db()
    row.valid_until_on = today + datetime.timedelta(days=14)
    row.reminded_at = timezone.now() - datetime.timedelta(days=46)
    row.save()
    assert [terms.remind(), terms.remind()] == [1, 0]
    assert Notification.objects.filter(kind="proof_ends_soon", channel="email").count() == 2
    deliver_notifications()
    assert f"/my/enterprises/{member.enterprise.public_id}/" in mail.outbox[0].body


def test_need_that_was_met_here_closes_as_filled_and_those_who_wait_are_told(client):
    owner, supplier = MembershipFactory(), MembershipFactory()
    requirement = RequirementFactory(enterprise=owner.enterprise)
    line = RequirementLineFactory(requirement=requirement, number=1)
    InterestFactory(requirement=requirement, enterprise=supplier.enterprise)
    page = reverse("chains:requirement_close", args=[requirement.public_id])
    client.force_login(owner.user)
    assert (
        page
        in client.get(
            reverse("matchmaking:requirement_desk", args=[requirement.public_id])
        ).content.decode()
    )

    client.post(page, {"outcome": "here", "note": "Signed"})
    interests.tell_interested(requirement=requirement, kind="requirement_ended")
    interests.tell_interested(requirement=requirement, kind="requirement_ended")

    requirement.refresh_from_db()
    line.refresh_from_db()
    assert (requirement.status, requirement.close_reason, requirement.close_outcome) == (
        "closed",
        "filled",
        "here",
    )
    assert line.status == "filled"
    told = Notification.objects.filter(to=supplier.user, kind="requirement_ended", channel="email")
    assert told.count() == 1


@pytest.mark.parametrize("outcome", ["elsewhere", "not_needed"])
def test_need_that_ended_otherwise_is_withdrawn_and_says_how(outcome):
    owner = MembershipFactory()
    requirement = RequirementFactory(enterprise=owner.enterprise)

    requirements.withdraw(requirement=requirement, by=owner.user, outcome=outcome)

    requirement.refresh_from_db()
    assert (requirement.close_reason, requirement.close_outcome) == ("withdrawn", outcome)


# --- Titles from a list --------------------------------------------------------------------------------


def test_titles_are_verified_from_an_authoritys_list_and_what_does_not_fit_is_shown(client):
    desk = OrganiserRoleFactory()
    claims, by_code, far, other, failed, revoked = (
        EnterpriseFactory(name=f"示例{name}有限公司")
        for name in ("甲阀门", "乙轴承", "丙玻璃", "丁电缆", "戊泵业", "己涂料")
    )
    for row in (claims, by_code, other):
        enterprises.add_alias(enterprise=row, text=row.name, kind="zh", by=None)
    type(far).objects.filter(pk=far.pk).update(region=region("440305"))
    kind = QualificationKind.objects.get(code="little_giant")
    today = timezone.localdate()
    Qualification.objects.create(
        enterprise=claims, kind=kind, valid_from=today, issuer="as they say"
    )
    member = MembershipFactory(enterprise=claims)
    rows = [
        "2026 年第八批名单",
        "序号,推荐单位,企业名称,统一社会信用代码,复核结果",
        f"1,示例产业服务中心,★{claims.name}（盖章）,,通过",
        f"2,示例产业服务中心,{by_code.name},{by_code.number},通过",
        f"3,,另一名字的示例有限公司,{other.number}",
        f"4,,,{far.number}",
        "5,,示例查无此厂有限公司,",
        f"6,,{claims.name},{claims.number}",
        f"7,,{failed.name},{failed.number},不通过",
        "二、撤销名单",
        f"1,,{revoked.name},{revoked.number}",
    ]
    sheet = SimpleUploadedFile("list.csv", "\n".join(rows).encode("gb18030"))
    typed = {
        "kind": "little_giant",
        "issuer": "工业和信息化部",
        "batch": "第八批",
        "valid_from": today.isoformat(),
        "valid_until_on": (today + datetime.timedelta(days=1095)).isoformat(),
    }
    page = reverse("chains:title_list")
    client.force_login(desk.user)

    found = client.post(page, typed | {"upload": sheet, "look": "1"}).context["found"]

    assert [(fit.enterprise, fit.is_claimed) for fit in found.fits] == [
        (claims, True),
        (by_code, False),
    ]
    assert [row.number for row in found.misfits] == [5, 6, 7, 8, 9, 11]
    assert [row.why.partition(": ")[2] for row in found.misfits[-2:]] == ["不通过", "二、撤销名单"]
    assert found.misfits[0].enterprise == other
    assert Qualification.objects.filter(status="verified").count() == 0

    chosen = [fit.enterprise.public_id for fit in found.fits] + [far.public_id]
    client.post(page, typed | {"confirm": "1", "enterprise": chosen})

    held = Qualification.objects.filter(status="verified").order_by("enterprise")
    assert [(row.enterprise, row.issuer, row.batch) for row in held] == [
        (claims, "工业和信息化部", "第八批"),
        (by_code, "工业和信息化部", "第八批"),
    ]
    assert Qualification.objects.count() == 2
    assert Notification.objects.filter(to=member.user, kind="proof_verified").count() == 2
    again = client.post(
        page,
        typed | {"upload": SimpleUploadedFile("list.csv", "\n".join(rows).encode()), "look": "1"},
    ).context["found"]
    assert (again.fits, again.held) == ([], 3)


# --- Found and flagged ---------------------------------------------------------------------------------


def test_a_list_of_titles_asks_as_many_questions_for_many_rows_as_for_two():
    desk, kind = OrganiserRoleFactory(), QualificationKind.objects.get(code="little_giant")
    bodies = EnterpriseFactory.create_batch(12)
    for row in bodies[:6]:
        enterprises.add_alias(enterprise=row, text=row.name, kind="zh", by=None)
    merged = EnterpriseFactory(status="merged", merged_into=bodies[11])
    named = [*(f"{row.name}," for row in bodies[:6]), *(f",{row.number}" for row in bodies[6:11])]
    named.append(f",{merged.number.lower()}")
    asked = []
    for rows in ([named[0], *named[-2:]], named):
        content = "\n".join(["企业名称,统一社会信用代码", *rows]).encode()
        with CaptureQueriesContext(connection) as queries:
            found = title_list.read(content, kind, desk.user, lambda _by, _body: True)
        asked.append(len(queries))

    assert (len(found.fits), found.misfits, len(set(asked))) == (12, [], 1), asked


def test_overdue_stale_and_substituting_requirements_are_told_apart(client):
    desk, owner = OrganiserRoleFactory(), MembershipFactory()
    today = timezone.localdate()
    late, old, plain = (
        RequirementFactory(enterprise=owner.enterprise, title=title, **fields)
        for title, fields in (
            ("到期未关", {"needed_by_on": today - datetime.timedelta(days=1)}),
            ("久未更新", {"published_at": timezone.now() - datetime.timedelta(days=91)}),
            ("替代进口", {"import_substitution": True, "needed_by_on": today}),
        )
    )
    client.force_login(owner.user)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(reverse("matchmaking:my_requirements")).content.decode()

    def flags(row):
        return [row.is_overdue, row.is_stale]

    assert [flags(row) for row in (late, old, plain)] == [
        [True, False],
        [False, True],
        [False, False],
    ]
    assert (page.count("已过需求时间"), page.count("90 天未更新")) == (1, 1)
    listed = reverse("matchmaking:requirement_list")
    found = client.get(listed, {"substitution": "1"}).content.decode()
    assert [title for title in ("到期未关", "久未更新", "替代进口") if title in found] == [
        "替代进口"
    ]
    sheet = client.get(
        reverse("matchmaking:requirement_export", args=["csv"]), {"substitution": "1"}
    )
    assert b"".join(sheet.streaming_content).decode("utf-8-sig").count("/requirements/") <= 1
    client.force_login(desk.user)
    inbox = client.get(reverse("matchmaking:inbox")).content.decode()
    assert "到期未关" in inbox
    assert "久未更新" not in inbox


def test_of_two_claims_the_list_verifies_that_of_its_first_day():
    enterprise, kind = EnterpriseFactory(), QualificationKind.objects.get(code="little_giant")
    days = [datetime.date(year, 1, 1) for year in (2024, 2025)]
    early, late = (
        Qualification.objects.create(enterprise=enterprise, kind=kind, valid_from=day)
        for day in days
    )

    awards.award(
        enterprise=enterprise, kind=kind, issuer="x", valid_from=days[0], by=AdministratorFactory()
    )

    for row in (early, late):
        row.refresh_from_db()
    assert (early.status, late.status) == ("verified", "claimed")


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_register_and_the_log_of_looks_leave_as_a_sheet_without_persons(client, extension):
    owner = MembershipFactory()
    requirement = RequirementFactory(
        enterprise=owner.enterprise, contact_policy="verified", contact=ContactFactory(enterprise=owner.enterprise)
    )  # fmt: skip
    reader = MembershipFactory(enterprise__name="=示例查看方有限公司")
    contacts.reveal(requirement=requirement, by=reader.user)
    client.force_login(owner.user)
    log = client.get(
        reverse("matchmaking:contact_log_export", args=[requirement.public_id, extension])
    )
    listed = client.get(reverse("matchmaking:enterprise_export", args=[extension]))

    for answer, rows in ((log, 1), (listed, 2)):
        sheet = b"".join(answer.streaming_content)
        table = open_sheets(sheet).grids[0].rows
        names = [str(row[0]) for row in table if "示例" in str(row[0]) or "Demo" in str(row[0])]
        cells = [str(cell) for row in table for cell in row]
        assert len(names) == rows
        assert not [cell for cell in cells if reader.user.email in cell]
        # A name that begins like a formula stays one: as a text, behind a sign in a file of plain text.
        if extension == "csv":
            assert not re.search(rb'(^|[,"])=', sheet, re.MULTILINE)
        else:
            with zipfile.ZipFile(io.BytesIO(sheet)) as parts:
                assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
