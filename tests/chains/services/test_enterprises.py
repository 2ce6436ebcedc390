from __future__ import annotations

import datetime
import importlib
import threading

import pytest
import time_machine
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Change,
    Enterprise,
    Evidence,
    Membership,
    Notification,
    Qualification,
    QualificationKind,
)
from chains.services import accounts, enterprises
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
    uscc,
)

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def licence(name="licence.pdf", content=PDF):
    return SimpleUploadedFile(name, content, content_type="application/x-msdownload")


def register(by, **fields):
    fields = {
        "name": "示例麦田智能盒有限公司",
        "number": uscc(7001),
        "region": region("330421"),
        "licence": licence(),
    } | fields
    return enterprises.register(by=by, **fields)


def test_register_new_number_waits_for_the_desk_of_its_region():
    near = OrganiserRoleFactory(region=region("330421"))
    OrganiserRoleFactory(region=region("330400"))
    user = UserFactory()

    enterprise = register(user)

    assert enterprise.status == "pending"
    assert enterprise.province.code == "330000"
    assert [(m.enterprise_id, m.role, m.status) for m in user.active_memberships] == [
        (enterprise.pk, "owner", "active")
    ]
    assert list(
        AuditEntry.objects.exclude(action="evidence.stored").values_list(
            "actor", "action", "target"
        )
    ) == [(user.pk, "enterprise.submitted", f"chains.Enterprise:{enterprise.public_id}")]
    assert list(Change.objects.values_list("noun", "target", "verb")) == [
        ("enterprise", enterprise.public_id, "submitted")
    ]
    assert list(Notification.objects.values_list("to", "kind", "channel")) == [
        (near.user_id, "enterprise_submitted", "in_app")
    ]


def test_register_same_number_again_is_told_to_ask_to_join():
    first = register(UserFactory())

    with pytest.raises(DomainError, match="on the register already") as refusal:
        register(UserFactory(), number=f" {uscc(7001).lower()} ", name="别的名字")

    assert refusal.value.params["public_id"] == first.public_id
    assert Enterprise.objects.count() == 1


def test_register_claims_the_known_enterprise_and_keeps_its_name_as_an_alias():
    known = EnterpriseFactory(
        status="unclaimed", verified_at=None, number=uscc(7001), name="示例麦田盒厂", name_en=""
    )

    enterprise = register(UserFactory(), name_en="Demo Millfield Smart Box")

    assert enterprise.pk == known.pk
    assert enterprise.status == "pending"
    assert set(enterprise.aliases.values_list("text", "kind")) == {
        ("示例麦田盒厂", "other"),
        ("示例麦田智能盒有限公司", "zh"),
        ("Demo Millfield Smart Box", "en"),
    }


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"number": uscc(7001)[:17] + "0"}, "enterprise.number_unclear"),
        ({"number": ""}, "enterprise.number_unclear"),
        ({"region": None}, "enterprise.region_missing"),
        ({"name": "  "}, "enterprise.incomplete"),
        ({"licence": licence(content=b"MZ\x90\x00 program")}, "file.kind"),
        ({"licence": licence(content=b"")}, "file.empty"),
        ({"scheme": "foreign", "country": "NO", "number": ""}, "enterprise.number_unclear"),
    ],
)
def test_register_refuses_and_writes_nothing(fields, code):
    with pytest.raises(DomainError) as refusal:
        register(UserFactory(), **fields)

    assert refusal.value.code == code
    assert not Enterprise.objects.exists()
    assert not AuditEntry.objects.exists()


def test_register_refuses_the_whole_province():
    with pytest.raises(DomainError) as refusal:
        register(UserFactory(), region=region("330000"))

    assert refusal.value.code == "enterprise.region_too_wide"


def test_register_doubtful_number_is_kept_when_confirmed():
    number = uscc(7001)[:17] + "0"

    enterprise = register(UserFactory(), number=number, number_confirmed=True)

    assert (enterprise.number, enterprise.number_confirmed) == (number, True)


def test_register_abroad_by_country_and_local_number_needs_no_region():
    enterprise = register(
        UserFactory(),
        scheme="foreign",
        country="NO",
        number="no 000 000 000",
        region=None,
        name="Nordlys Power Electronics AS",
    )

    assert (enterprise.number, enterprise.region, enterprise.province) == (
        "NO000000000",
        None,
        None,
    )
    assert register(UserFactory(), number="NO000000000", scheme="other").pk != enterprise.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_register_same_number_at_once_makes_one_enterprise():
    users = [UserFactory() for _ in range(4)]
    together = threading.Barrier(len(users))
    outcomes = []

    def go(user):
        together.wait()
        try:
            outcomes.append(register(user).public_id)
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    only = Enterprise.objects.get()
    assert sorted(outcomes) == sorted([only.public_id, *["enterprise.on_register"] * 3])
    assert Membership.objects.count() == 1


def test_evidence_is_typed_by_content_and_named_at_random(settings):
    enterprise = register(
        UserFactory(), licence=licence('../../etc/执照"照片.exe', b"\xff\xd8\xff\xe0 a photo")
    )

    evidence = Evidence.objects.get()
    assert (evidence.content_type, evidence.original_name) == ("image/jpeg", "执照照片.jpg")
    assert evidence.enterprise_id == enterprise.pk
    folder, name = evidence.file.name.rsplit("/", 1)
    assert folder.startswith("evidence/")
    assert len(name) == len("0" * 32 + ".jpeg")


def test_evidence_of_one_enterprise_ends_somewhere(monkeypatch):
    member, other = MembershipFactory(), MembershipFactory()

    def send(member, size=None):
        upload = SimpleUploadedFile("a.pdf", PDF)
        upload.size = size or len(PDF)
        enterprises.store_evidence(
            enterprise=member.enterprise, purpose="licence", upload=upload, by=member.user
        )

    monkeypatch.setattr(enterprises, "MOST_FILES", 2)
    send(member)
    send(member)
    with pytest.raises(DomainError, match="at most 2 files of 300 MB") as many:
        send(member)
    with pytest.raises(DomainError, match="would be too much"):
        send(other, enterprises.MOST_BYTES + 1)
    send(other)

    assert many.value.code == "evidence.too_many"
    assert Evidence.objects.count() == 3


def test_evidence_too_large_is_refused(settings):
    settings.EVIDENCE_MAX_BYTES = 100

    with pytest.raises(DomainError) as refusal:
        register(UserFactory(), licence=licence(content=PDF + b" " * 100))

    assert refusal.value.code == "file.too_big"


def test_verify_by_the_desk_tells_the_members():
    organiser = OrganiserRoleFactory().user
    member = UserFactory()
    enterprise = register(member)

    enterprises.verify(enterprise=enterprise, by=organiser)

    enterprise.refresh_from_db()
    assert (enterprise.status, enterprise.verified_at is not None) == ("verified", True)
    assert Change.objects.last().verb == "verified"
    assert set(
        Notification.objects.filter(to=member)
        .values_list("kind", "channel", "context")
        .values_list("kind", "channel")
    ) == {("enterprise_verified", "in_app"), ("enterprise_verified", "email")}
    with pytest.raises(DomainError) as refusal:
        enterprises.verify(enterprise=enterprise, by=organiser)
    assert refusal.value.code == "enterprise.state"


@pytest.mark.parametrize("who", ["stranger", "own", "elsewhere", "analyst"])
def test_verify_by_anybody_else_is_refused(who):
    owner = UserFactory()
    enterprise = register(owner)
    by = {
        "stranger": UserFactory,
        "own": lambda: OrganiserRoleFactory(user=owner).user,
        "elsewhere": lambda: OrganiserRoleFactory(region=region("330100")).user,
        "analyst": lambda: OrganiserRoleFactory(role="analyst").user,
    }[who]()
    by.forget_memberships()

    with pytest.raises(DomainError) as refusal:
        enterprises.verify(enterprise=enterprise, by=by)

    assert refusal.value.is_refusal
    assert Enterprise.objects.get(pk=enterprise.pk).status == "pending"


def test_verify_takes_the_predicate_of_a_package_above():
    by = UserFactory()
    enterprise = register(UserFactory())

    enterprises.verify(enterprise=enterprise, by=by, may=lambda user, _enterprise: user == by)

    assert Enterprise.objects.get(pk=enterprise.pk).status == "verified"


def test_return_needs_a_reason_and_the_member_sends_it_again():
    organiser = OrganiserRoleFactory().user
    owner = UserFactory()
    enterprise = register(owner)
    with pytest.raises(DomainError) as refusal:
        enterprises.return_(enterprise=enterprise, reason=" ", by=organiser)
    assert refusal.value.code == "enterprise.reason_missing"

    enterprises.return_(enterprise=enterprise, reason="The photo cuts off the code.", by=organiser)
    before = Enterprise.objects.get(pk=enterprise.pk)
    again = enterprises.resubmit(
        enterprise=enterprise, by=owner, name="示例麦田智能盒股份有限公司", licence=licence()
    )

    assert (before.status, before.return_reason) == ("returned", "The photo cuts off the code.")
    assert (again.status, again.name) == ("pending", "示例麦田智能盒股份有限公司")
    assert Evidence.objects.count() == 2
    assert list(AuditEntry.objects.values_list("action", flat=True)) == [
        "evidence.stored",
        "enterprise.submitted",
        "enterprise.returned",
        "evidence.stored",
        "enterprise.submitted",
    ]


def test_body_without_a_licence_comes_to_no_desk():
    owner = UserFactory()
    with pytest.raises(DomainError) as refusal:
        register(owner, licence=None)
    assert refusal.value.code == "enterprise.licence_missing"
    assert not Enterprise.objects.exists()

    known = EnterpriseFactory(status="returned")
    MembershipFactory(enterprise=known, user=owner)
    with pytest.raises(DomainError) as refusal:
        enterprises.resubmit(enterprise=known, by=owner, name="示例麦田智能盒股份有限公司")
    assert refusal.value.code == "enterprise.licence_missing"
    known.refresh_from_db()
    assert known.status == "returned"


def test_resubmit_with_the_licence_sent_before():
    owner = UserFactory()
    enterprise = register(owner)
    enterprises.return_(enterprise=enterprise, reason="The name.", by=OrganiserRoleFactory().user)

    again = enterprises.resubmit(enterprise=enterprise, by=owner, name="示例麦田股份有限公司")

    assert again.status == "pending"
    assert again.evidence.count() == 1


def test_resubmit_takes_no_number_of_another():
    owner = UserFactory()
    enterprise = register(owner)
    EnterpriseFactory(number=uscc(7002))

    with pytest.raises(DomainError) as refusal:
        enterprises.resubmit(enterprise=enterprise, by=owner, number=uscc(7002))

    assert refusal.value.code == "enterprise.number_taken"


def test_suspended_enterprise_changes_nothing_until_reinstated():
    organiser = OrganiserRoleFactory().user
    owner = MembershipFactory()
    enterprise = owner.enterprise

    enterprises.suspend(enterprise=enterprise, reason="Licence withdrawn.", by=organiser)
    enterprise.refresh_from_db()
    owner.user.forget_memberships()
    with pytest.raises(DomainError) as refusal:
        enterprises.edit_profile(enterprise=enterprise, by=owner.user, summary="x")
    enterprises.reinstate(enterprise=enterprise, by=organiser)

    assert refusal.value.is_refusal
    assert Enterprise.objects.get(pk=enterprise.pk).status == "verified"


def test_edit_profile_is_found_by_its_new_words_but_keeps_what_the_desk_checked():
    owner = MembershipFactory()

    enterprise = enterprises.edit_profile(
        enterprise=owner.enterprise, by=owner.user, summary="生产光伏接线盒", name_en="Demo Harbour"
    )

    assert "接线盒" in enterprise.search_text
    assert "jIExIANhE" in enterprise.search_text
    assert "demo harbour" in enterprise.search_text
    with pytest.raises(DomainError) as refusal:
        enterprises.edit_profile(enterprise=enterprise, by=owner.user, name="别的名字")
    assert refusal.value.code == "enterprise.checked"


def test_edit_profile_by_a_viewer_is_refused():
    viewer = MembershipFactory(role="viewer")

    with pytest.raises(DomainError) as refusal:
        enterprises.edit_profile(enterprise=viewer.enterprise, by=viewer.user, summary="x")

    assert refusal.value.is_refusal


def test_alias_twice_stands_once():
    owner = MembershipFactory()

    for text in ("Flatter Glass", "FLATTER  GLASS"):
        enterprises.add_alias(enterprise=owner.enterprise, text=text, kind="other", by=owner.user)

    owner.enterprise.refresh_from_db()
    assert owner.enterprise.aliases.filter(kind="other").count() == 1
    assert "flatter glass" in owner.enterprise.search_text


def claim(membership, **fields):
    return enterprises.claim_qualification(
        **{
            "enterprise": membership.enterprise,
            "kind": QualificationKind.objects.get(code="little_giant"),
            "valid_from": datetime.date(2024, 7, 1),
            "valid_until_on": datetime.date(2031, 6, 30),
            "batch": "2024",
            "evidence": licence(),
            "by": membership.user,
        }
        | fields
    )


def test_claimed_title_counts_once_the_desk_verified_it():
    owner = MembershipFactory()
    organiser = OrganiserRoleFactory().user

    row = claim(owner)
    counted_before = list(Enterprise.objects.with_qualification(["little_giant"]))
    enterprises.decide_proof(proof=row, accept=True, by=organiser, issuer="Ministry of Industry")

    row.refresh_from_db()
    assert counted_before == []
    assert list(Enterprise.objects.with_qualification(["little_giant"])) == [owner.enterprise]
    assert (row.status, row.issuer) == ("verified", "Ministry of Industry")
    assert list(Change.objects.values_list("noun", "verb")) == [
        ("qualification", "claimed"),
        ("qualification", "verified"),
    ]


def test_title_refused_needs_a_reason_and_can_be_claimed_again():
    owner = MembershipFactory()
    organiser = OrganiserRoleFactory().user
    row = claim(owner)
    with pytest.raises(DomainError) as twice:
        claim(owner)
    with pytest.raises(DomainError) as silent:
        enterprises.decide_proof(proof=row, accept=False, by=organiser)

    enterprises.decide_proof(proof=row, accept=False, by=organiser, reason="Another firm's paper.")

    assert (twice.value.code, silent.value.code) == ("proof.exists", "proof.reason_missing")
    assert claim(owner).status == "claimed"


def test_title_is_not_decided_by_its_own_side_nor_twice():
    owner = MembershipFactory()
    organiser = OrganiserRoleFactory().user
    row = claim(owner)
    OrganiserRoleFactory(user=owner.user)
    owner.user.forget_memberships()

    with pytest.raises(DomainError) as own:
        enterprises.decide_proof(proof=row, accept=True, by=owner.user)
    enterprises.decide_proof(proof=row, accept=True, by=organiser)
    with pytest.raises(DomainError) as again:
        enterprises.decide_proof(proof=row, accept=True, by=organiser)

    assert (own.value.is_refusal, again.value.code) == (True, "proof.decided")


def test_revoked_title_counts_no_more():
    owner = MembershipFactory()
    administrator = AdministratorFactory()
    row = enterprises.decide_proof(proof=claim(owner), accept=True, by=administrator)

    enterprises.revoke_proof(proof=row, reason="Withdrawn by the issuer.", by=administrator)

    row.refresh_from_db()
    assert list(Enterprise.objects.with_qualification(["little_giant"])) == []
    assert row.revoked_on == timezone.localdate()


def test_revoked_title_was_held_until_the_day_it_was_revoked():
    owner = MembershipFactory()
    administrator = AdministratorFactory()
    today = timezone.localdate()
    since = today - 100 * DAY
    row = enterprises.decide_proof(
        proof=claim(owner, valid_from=since, valid_until_on=today + 100 * DAY),
        accept=True,
        by=administrator,
    )
    refused = claim(owner, kind=QualificationKind.objects.get(code="srdi_sme"), valid_from=since)
    enterprises.decide_proof(proof=refused, accept=False, by=administrator, reason="Not theirs.")

    enterprises.revoke_proof(proof=row, reason="Withdrawn by the issuer.", by=administrator)

    days = [since - DAY, since, today - DAY, today, today + DAY]
    assert [owner.enterprise.qualifications.in_force(day).count() for day in days] == [
        0,
        1,
        1,
        0,
        0,
    ]


def test_titles_revoked_before_the_day_was_kept_take_it_from_the_trail_or_from_the_row():
    migration = importlib.import_module("chains.migrations.0025_day_a_proof_was_revoked")
    owner = MembershipFactory()
    administrator = AdministratorFactory()
    told, silent, held = (
        enterprises.decide_proof(
            proof=claim(owner, valid_from=timezone.localdate() - n * DAY),
            accept=True,
            by=administrator,
        )
        for n in (1, 2, 3)
    )
    # Half past midnight here is the day before in UTC.
    revoked_at = datetime.datetime(2026, 3, 4, 0, 30, tzinfo=timezone.get_default_timezone())
    with time_machine.travel(revoked_at, tick=False):
        enterprises.revoke_proof(proof=told, reason="Withdrawn.", by=administrator)
    rows = Qualification.objects
    rows.filter(pk=told.pk).update(revoked_on=None, updated_at=timezone.now())
    rows.filter(pk=silent.pk).update(status="revoked", updated_at=revoked_at + DAY)

    migration.keep_the_day(apps, None)

    assert list(rows.order_by("-valid_from").values_list("pk", "revoked_on")) == [
        (told.pk, datetime.date(2026, 3, 4)),
        (silent.pk, datetime.date(2026, 3, 5)),
        (held.pk, None),
    ]


def test_title_that_ends_before_it_begins_is_refused():
    with pytest.raises(DomainError) as refusal:
        claim(MembershipFactory(), valid_until_on=datetime.date(2020, 1, 1))

    assert refusal.value.code == "proof.term"


def test_evidence_of_another_enterprise_proves_nothing():
    other = MembershipFactory()
    foreign = enterprises.store_evidence(
        enterprise=other.enterprise, purpose="qualification", upload=licence(), by=other.user
    )

    with pytest.raises(DomainError) as refusal:
        claim(MembershipFactory(), evidence=foreign)

    assert refusal.value.is_refusal


def test_owners_are_told_who_asks_to_join():
    owner = MembershipFactory()

    accounts.request_join(enterprise=owner.enterprise, by=UserFactory())

    assert set(Notification.objects.values_list("to", "kind")) == {
        (owner.user_id, "membership_requested")
    }
