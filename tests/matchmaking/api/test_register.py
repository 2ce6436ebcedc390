"""Who acts for an enterprise, what it holds and how it stands at its desk, for programs: the same services, the same rights."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from chains.models import (
    AuditEntry,
    CapabilityPhoto,
    CertificationKind,
    Enterprise,
    Membership,
    Notification,
    Qualification,
    QualificationKind,
    RequirementLine,
    User,
)
from chains.services import accounts, enterprises
from matchmaking.models import Dismissal
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    uscc,
)
from tests.matchmaking.api.test_api import API, client_of
from tests.matchmaking.views.test_attachments import PDF

pytestmark = pytest.mark.django_db


def pdf(name="sheet.pdf"):
    return SimpleUploadedFile(name, PDF)


def test_enterprise_comes_onto_the_register_and_is_decided_on_the_state_that_was_looked_at():
    member, desk = client_of(UserFactory()), client_of(OrganiserRoleFactory().user)
    asked = {"name": "示例新能源有限公司", "number": uscc(7_654_321), "region": "330421"}

    bare = member.post(f"{API}enterprises/register/", asked, format="multipart")
    made = member.post(f"{API}enterprises/register/", {**asked, "licence": pdf()}, format="multipart")  # fmt: skip

    assert (bare.status_code, list(bare.data["errors"])) == (422, ["licence"])
    assert (made.status_code, made.data["status"]) == (201, "pending")
    address = f"{API}enterprises/{made.data['public_id']}/"
    seen = desk.get(f"{address}case/").data["updated_at"]
    assert (
        member.post(f"{address}resubmit/", {"address": "示例路 1 号"}).data["status"] == "pending"
    )
    stale = desk.post(f"{address}decide/", {"verdict": "verify", "seen": seen})
    assert (stale.status_code, stale.data["code"]) == (409, "enterprise.changed")
    assert desk.post(f"{address}decide/", {"verdict": "verify"}).status_code == 422
    now = desk.get(f"{address}case/").data
    assert (now["address"], now["number"]) == ("示例路 1 号", asked["number"])
    done = desk.post(f"{address}decide/", {"verdict": "verify", "seen": now["updated_at"]})
    assert done.data["status"] == "verified"
    named = member.post(f"{address}aliases/", {"text": "示例旧名有限公司", "kind": "former"})
    assert named.status_code == 201
    assert {"text": "示例旧名有限公司", "kind": "former"} in desk.get(f"{address}aliases/").data
    found = client_of(UserFactory()).get(f"{API}enterprises/", {"q": "示例旧名"}).data
    assert [row["public_id"] for row in found["results"]] == [made.data["public_id"]]


def test_contacts_are_kept_without_being_told_and_two_rows_become_one():
    member = MembershipFactory()
    client, other = client_of(member.user), EnterpriseFactory()
    address = f"{API}enterprises/{member.enterprise.public_id}/"

    made = client.post(f"{address}contacts/", {"name": "N", "phone": "000-1"})
    one = f"{address}contacts/{made.data['public_id']}/"
    assert set(made.data) == {"public_id", "name", "job_title"}
    assert client.post(f"{address}contacts/", {"name": "N"}).data["code"] == "contact.incomplete"
    assert client.patch(one, {"job_title": "J"}).data["job_title"] == "J"
    assert client.delete(one).status_code == 204
    assert client.get(f"{address}contacts/").data == []

    merge, into = f"{API}enterprises/{other.public_id}/merge/", {"into": member.enterprise.public_id}  # fmt: skip
    administrator = client_of(AdministratorFactory())
    previewed = administrator.post(merge, into).data
    other.refresh_from_db()
    assert (previewed["merged"], previewed["blocks"], other.status) == (False, [], "verified")
    assert administrator.post(merge, {**into, "confirm": True}).data["merged"] is True
    other.refresh_from_db()
    assert (other.status, other.merged_into) == ("merged", member.enterprise)


def test_desk_names_an_owner_where_none_is_left():
    owner = MembershipFactory()
    heir = MembershipFactory(enterprise=owner.enterprise, role="viewer")
    desk = client_of(OrganiserRoleFactory().user)
    address = f"{API}memberships/{heir.public_id}/"
    assert desk.get(address).status_code == 404
    User.objects.filter(pk=owner.user_id).update(is_active=False)

    listed = desk.get(f"{API}memberships/").data["results"]
    named = desk.post(f"{address}role/", {"role": "owner"})

    assert [(row["public_id"], row["account"]) for row in listed] == [(heir.public_id, None)]
    assert named.data["role"] == "owner"
    assert desk.get(address).status_code == 404


def test_member_is_let_in_invited_given_a_role_and_leaves():
    owner = MembershipFactory()
    enterprise, client = owner.enterprise, client_of(owner.user)
    joiner, guest = UserFactory(), UserFactory()
    EmailAddress.objects.create(user=guest, email=guest.email.lower(), verified=True)
    named = {"enterprise": enterprise.public_id}

    asked = client_of(joiner).post(f"{API}memberships/", {**named, "role": "viewer"})
    address = f"{API}memberships/{asked.data['public_id']}/"
    assert (asked.data["status"], asked.data["account"]) == ("requested", joiner.email)
    assert client.get(address).data["account"] == joiner.email
    assert client.post(f"{address}decide/", {"accept": True}).data["status"] == "active"
    assert client.post(f"{address}role/", {"role": "editor"}).data["role"] == "editor"
    sent = client.post(f"{API}member-invitations/", {**named, "email": guest.email})
    letter = f"{API}member-invitations/{sent.data['public_id']}/"
    assert client_of(joiner).get(letter).status_code == 404
    taken = client_of(guest).post(f"{letter}answer/", {"accept": True})
    assert (taken.data["status"], taken.data["email"]) == ("accepted", "")
    assert client_of(joiner).post(f"{address}end/").data["status"] == "ended"
    held = Membership.objects.active().filter(enterprise=enterprise)
    assert {row.user: row.role for row in held} == {owner.user: "owner", guest: "editor"}
    last = f"{API}memberships/{owner.public_id}/"
    assert client.post(f"{last}end/").data["code"] == "membership.last_owner"
    second = client.post(f"{API}member-invitations/", {**named, "email": "x@there.example"})
    gone = client.post(f"{API}member-invitations/{second.data['public_id']}/withdraw/")
    assert (gone.data["status"], gone.data["email"]) == ("withdrawn", "")


def test_mandate_is_offered_accepted_and_ended_with_a_letter():
    ours = MembershipFactory(enterprise__kind_id="association")
    member = MembershipFactory()
    offered = client_of(ours.user).post(
        f"{API}mandates/",
        {"association": ours.enterprise.public_id, "member": member.enterprise.public_id},
    )
    address = f"{API}mandates/{offered.data['public_id']}/"

    assert client_of(ours.user).post(f"{address}accept/").status_code == 403
    assert client_of(member.user).post(f"{address}accept/").data["status"] == "active"
    assert client_of(member.user).post(f"{address}end/").data["status"] == "ended"
    letters = Notification.objects.filter(kind="mandate_ended", channel="email")
    assert [row.to for row in letters] == [ours.user]


def test_title_is_claimed_with_its_paper_and_verified_one_by_one_or_from_a_list():
    member, desk = MembershipFactory(), client_of(OrganiserRoleFactory().user)
    client, enterprise = client_of(member.user), member.enterprise
    paper = client.post(
        f"{API}evidence/",
        {"enterprise": enterprise.public_id, "purpose": "qualification", "file": pdf()},
        format="multipart",
    )
    said = {
        "enterprise": enterprise.public_id, "kind": "srdi_sme", "valid_from": "2026-01-01",
        "evidence": paper.data["public_id"],
    }  # fmt: skip
    claimed = client.post(f"{API}qualifications/", said)
    address = f"{API}qualifications/{claimed.data['public_id']}/"

    assert (claimed.data["status"], claimed.data["evidence"]) == ("claimed", said["evidence"])
    assert b"".join(desk.get(f"{API}evidence/{said['evidence']}/file/").streaming_content) == PDF
    assert AuditEntry.objects.filter(action="evidence.viewed").count() == 1
    assert desk.post(f"{address}decide/", {"accept": False}).data["code"] == "proof.reason_missing"
    verified = desk.post(f"{address}decide/", {"accept": True, "issuer": "示例经信厅"}).data
    assert (verified["status"], verified["issuer"]) == ("verified", "示例经信厅")
    assert desk.post(f"{address}revoke/", {"reason": "lapsed"}).data["status"] == "revoked"

    other = EnterpriseFactory()
    text = f"企业名称,信用代码\n{other.name},{other.number}\n示例无名有限公司,\n"
    file = SimpleUploadedFile("list.csv", text.encode())
    found = desk.post(
        f"{API}title-lists/compare/", {"kind": "little_giant", "file": file}, format="multipart"
    ).data
    assert [row["enterprise"]["public_id"] for row in found["fits"]] == [other.public_id]
    assert [(row["number"], row["text"]) for row in found["misfits"]] == [(3, "示例无名有限公司")]
    title = {"kind": "little_giant", "issuer": "示例部", "valid_from": "2026-07-01"}
    done = desk.post(f"{API}title-lists/award/", {**title, "enterprises": [other.public_id, "222222222222"]})  # fmt: skip
    assert done.data["verified"] == 1
    assert [row["enterprise"] for row in done.data["refused"]] == ["222222222222"]
    assert Qualification.objects.get(enterprise=other).valid_from == date(2026, 7, 1)


@pytest.mark.parametrize("name", ["qualifications", "certifications"])
def test_what_was_held_on_a_day_is_asked_with_the_day(name):
    member, desk = MembershipFactory(), OrganiserRoleFactory().user
    today = timezone.localdate()
    since = today - timedelta(days=100)
    claim, kind = {
        "qualifications": (enterprises.claim_qualification, QualificationKind),
        "certifications": (enterprises.claim_certification, CertificationKind),
    }[name]
    revoked, held, _stated = (
        claim(enterprise=member.enterprise, kind=kind, valid_from=since, by=member.user)
        for kind in kind.objects.order_by("pk")[:3]
    )
    for row in (revoked, held):
        enterprises.decide_proof(proof=row, accept=True, by=desk)
    enterprises.revoke_proof(proof=revoked, reason="Withdrawn by the issuer.", by=desk)

    def on(day):
        rows = client_of(desk).get(f"{API}{name}/", {"on": day}).data["results"]
        return [(row["public_id"], row["revoked_on"]) for row in rows]

    was, still = (revoked.public_id, today.isoformat()), (held.public_id, None)
    assert on(since - timedelta(days=1)) == []
    assert on(since) == on(today - timedelta(days=1)) == [still, was]
    assert on(today) == [still]
    unread = client_of(desk).get(f"{API}{name}/", {"on": "yesterday"})
    assert (unread.status_code, list(unread.data["errors"])) == (422, ["on"])


def test_photos_of_a_capability_and_certificates_of_ones_own_only():
    member = MembershipFactory()
    client = client_of(member.user)
    capability = CapabilityFactory(enterprise=member.enterprise)
    address, picture = f"{API}capabilities/{capability.public_id}/", io.BytesIO()
    Image.new("RGB", (4, 3)).save(picture, "PNG")
    file = SimpleUploadedFile("a.png", picture.getvalue())

    put = client.post(f"{address}photos/", {"file": file, "caption": "Line"}, format="multipart")

    assert (put.status_code, put.data["width"], put.data["height"]) == (201, 4, 3)
    one = f"{address}photos/{put.data['public_id']}/"
    stranger = client_of(UserFactory())
    assert stranger.get(f"{address}photos/").data == [put.data]
    assert b"".join(stranger.get(one).streaming_content).startswith(b"\x89PNG")
    assert stranger.delete(one).status_code == 403
    assert client.delete(one).status_code == 204
    assert not CapabilityPhoto.objects.exists()

    said = {"kind": "ISO9001", "valid_from": "2026-01-01"}
    own = client.post(f"{API}certifications/", {**said, "enterprise": member.enterprise.public_id})
    rival = MembershipFactory()
    theirs = client_of(rival.user).post(f"{API}certifications/", {**said, "enterprise": rival.enterprise.public_id})  # fmt: skip
    ids = [own.data["public_id"], theirs.data["public_id"]]
    assert client.patch(address, {"certifications": ids[:1]}).data["certifications"] == ids[:1]
    assert client.patch(address, {"certifications": ids[1:]}).status_code == 422


def test_requirement_is_changed_returned_amended_copied_and_its_files_go_along():
    buyer, desk = MembershipFactory(), client_of(OrganiserRoleFactory().user)
    client = client_of(buyer.user)
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"], submitted=True)
    address = f"{API}requirements/{requirement.public_id}/"

    assert client.patch(address, {"title": "T"}).data["code"] == "requirement.state"
    remark = {"line": 2, "code": "vague", "text": "which size"}
    wrong = desk.post(f"{address}moderate/", {"verdict": "return", "remarks": [{**remark, "line": 9}]})  # fmt: skip
    assert (wrong.status_code, list(wrong.data["errors"])) == (422, ["remarks"])
    done = desk.post(f"{address}moderate/", {"verdict": "return", "remarks": [remark]})
    assert done.data["status"] == "returned"
    said = client.get(f"{address}remarks/").data
    assert [(row["line"], row["code"], row["text"]) for row in said] == [(2, "vague", "which size")]
    put = client.post(f"{address}files/", {"file": pdf()}, format="multipart")
    changed = client.patch(address, {"title": "T", "lines": [{"text": "a"}, {"text": "b, 5 mm"}]})
    assert [line["text"] for line in changed.data["lines"]] == ["a", "b, 5 mm"]
    client.post(f"{address}submit/")
    assert desk.post(f"{address}moderate/", {"verdict": "approve"}).data["status"] == "published"

    stranger = client_of(MembershipFactory().user)
    file = f"{address}files/{put.data['public_id']}/"
    assert (stranger.get(f"{address}files/").data, stranger.get(file).status_code) == ([], 404)
    assert client.patch(file, {"visibility": "verified"}).data["visibility"] == "verified"
    assert b"".join(stranger.get(file).streaming_content) == PDF
    assert AuditEntry.objects.filter(action="attachment.opened").count() == 1
    copied = client.post(f"{address}copy/").data
    again = client.get(f"{API}requirements/{copied['public_id']}/files/").data
    assert [(row["original_name"], row["visibility"]) for row in again] == [("sheet.pdf", "verified")]  # fmt: skip
    assert client.delete(file).status_code == 204
    assert client.get(f"{address}files/").data == []
    twin = f"{API}requirements/{copied['public_id']}/files/{again[0]['public_id']}/"
    assert b"".join(client.get(twin).streaming_content) == PDF  # of its own, not the same one
    assert client.delete(f"{API}requirements/{copied['public_id']}/").status_code == 204

    kept = requirement.lines.get(text="a").public_id
    amended = client.patch(address, {"lines": [{"public_id": kept, "text": "a"}, {"text": "c"}]})
    states = {line["text"]: line["status"] for line in amended.data["lines"]}
    assert states == {"a": "open", "b, 5 mm": "withdrawn", "c": "open"}
    untrue = {"status": "filled", "outcome": "elsewhere"}
    assert client.post(f"{address}lines/{kept}/end/", untrue).status_code == 422
    ended = client.post(f"{address}lines/{kept}/end/", {"status": "filled"})
    assert ended.data["lines"][0]["status"] == "filled"
    supplier = MembershipFactory()
    line = RequirementLine.objects.get(requirement=requirement, text="c")
    no = client_of(supplier.user).post(
        f"{address}lines/{line.public_id}/dismiss/",
        {"enterprise": supplier.enterprise.public_id, "reason": "too_far"},
    )
    assert no.status_code == 204
    assert Dismissal.objects.get().line == line


def test_association_posts_for_its_member_and_names_its_project():
    ours = MembershipFactory(enterprise__kind_id="association")
    member = MembershipFactory()
    said = {"enterprise": member.enterprise.public_id}
    client, draft = client_of(ours.user), {**said, "title": "T", "lines": [{"text": "a"}]}

    assert client.post(f"{API}requirements/", draft).status_code == 422
    mandate = accounts.offer_mandate(
        association=ours.enterprise, member=member.enterprise, by=ours.user
    )
    accounts.accept_mandate(mandate=mandate, by=member.user)
    project = client.post(f"{API}projects/", {**said, "name": "P", "amount_cents": 5})
    changed = client.patch(f"{API}projects/{project.data['public_id']}/", {"stage": "producing"})
    posted = client.post(f"{API}requirements/", {**draft, "project": project.data["public_id"]})

    assert (project.status_code, changed.data["stage"]) == (201, "producing")
    assert (posted.status_code, posted.data["project"]["name"]) == (201, "P")
    assert posted.data["posted_by"]["public_id"] == ours.enterprise.public_id
    theirs = client_of(MembershipFactory().user)
    assert theirs.get(f"{API}projects/").data["results"] == []


def test_report_reaches_its_desk_and_its_answer_stands_among_the_notices():
    requirement, user = RequirementFactory(), UserFactory()
    client, desk = client_of(user), client_of(OrganiserRoleFactory().user)
    said = {"requirement": requirement.public_id, "reason": "other"}

    assert client.post(f"{API}reports/", {"reason": "other"}).status_code == 422
    # What is held back until a moment answers as what does not exist: a report finds out nothing.
    held_back = RequirementFactory(status="approved", embargoed_until=timezone.now())
    unknown = "zzzzzzzzzzzz"
    answers = [
        client.post(f"{API}reports/", {"requirement": one, "reason": "advertising"})
        for one in (held_back.public_id, unknown)
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    texts = [answer.content.decode() for answer in answers]
    assert texts[0].replace(held_back.public_id, unknown) == texts[1]
    assert client.post(f"{API}reports/", said).data["code"] == "report.note"
    sent = client.post(f"{API}reports/", {**said, "note": "copied"})
    address = f"{API}reports/{sent.data['public_id']}/"
    assert desk.get(address).data["note"] == "copied"
    assert client.post(f"{address}decide/", {"uphold": True}).status_code == 403
    assert desk.post(f"{address}decide/", {"uphold": True, "answer": "Yes"}).data["status"] == "upheld"  # fmt: skip
    assert client.get(address).data["answer"] == "Yes"

    told = client.get(f"{API}notices/").data["results"]
    assert [(row["kind"], row["read_at"]) for row in told] == [("report_upheld", None)]
    assert told[0]["subject"]
    assert client.post(f"{API}notices/read/").data == {"read": 1}
    assert client.post(f"{API}notices/read/").data == {"read": 0}


def test_case_of_a_merged_row_is_nobodys():
    gone = EnterpriseFactory(status="merged", merged_into=EnterpriseFactory(), number=None)

    answer = client_of(UserFactory()).get(f"{API}enterprises/{gone.public_id}/case/")

    assert answer.status_code == 404
    assert Enterprise.objects.filter(pk=gone.pk).exists()
