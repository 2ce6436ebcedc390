from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from chains import notifications
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    Category,
    Certification,
    CertificationKind,
    Change,
    Notification,
    Unit,
)
from chains.services import capabilities
from tests.factories.chains import CapabilityFactory, EnterpriseFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def certificate(enterprise, **fields):
    return Certification.objects.create(
        **{
            "enterprise": enterprise,
            "kind": CertificationKind.objects.get(code="CQC"),
            "valid_from": datetime.date(2024, 1, 1),
        }
        | fields
    )


def test_draft_is_written_published_amended_and_withdrawn():
    owner = MembershipFactory()
    held = certificate(owner.enterprise)
    leaves = list(Category.objects.filter(level=3)[:5])

    row = capabilities.save_draft(
        enterprise=owner.enterprise,
        by=owner.user,
        title_zh="分体接线盒",
        yearly_capacity=Decimal(200_000),
        unit=Unit.objects.get(code="set"),
        categories=leaves,
        certifications=[held],
    )
    capabilities.publish(capability=row, by=owner.user)
    capabilities.publish(capability=row, by=owner.user)
    capabilities.save_draft(
        enterprise=owner.enterprise, capability=row, by=owner.user, sample_days=7
    )
    amended = Capability.objects.get()
    capabilities.withdraw(capability=row, by=owner.user)

    assert (amended.status, amended.sample_days, amended.title_zh) == ("published", 7, "分体接线盒")
    assert set(amended.categories.all()) == set(leaves)
    assert Capability.objects.get().status == "withdrawn"
    assert list(Change.objects.values_list("noun", "target", "verb")) == [
        ("capability", row.public_id, verb)
        for verb in ("drafted", "published", "amended", "withdrawn")
    ]
    assert list(AuditEntry.objects.values_list("action", flat=True)) == [
        "capability.drafted",
        "capability.published",
        "capability.amended",
        "capability.withdrawn",
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title_zh": ""}, "capability.incomplete"),
        ({"yearly_capacity": Decimal(1)}, "capability.incomplete"),
        ({"title_zh": "长" * 121}, "capability.incomplete"),
    ],
)
def test_draft_that_cannot_stand_is_refused(fields, code):
    owner = MembershipFactory()

    with pytest.raises(DomainError) as refusal:
        capabilities.save_draft(
            enterprise=owner.enterprise, by=owner.user, **{"title_zh": "接线盒"} | fields
        )

    assert refusal.value.code == code
    assert not Capability.objects.exists()


def test_sixth_category_and_a_foreign_certificate_are_refused():
    owner = MembershipFactory()
    foreign = certificate(EnterpriseFactory())

    with pytest.raises(DomainError) as sixth:
        capabilities.save_draft(
            enterprise=owner.enterprise,
            by=owner.user,
            title_zh="接线盒",
            categories=Category.objects.filter(level=3)[:6],
        )
    with pytest.raises(DomainError) as stolen:
        capabilities.save_draft(
            enterprise=owner.enterprise, by=owner.user, title_zh="接线盒", certifications=[foreign]
        )

    assert sixth.value.code == "capability.categories"
    assert str(sixth.value) == "Choose at most 5 categories."
    assert stolen.value.is_refusal
    assert not Capability.objects.exists()


def test_publishing_waits_for_verification():
    owner = MembershipFactory(enterprise__pending=True)
    row = capabilities.save_draft(enterprise=owner.enterprise, by=owner.user, title_zh="接线盒")

    with pytest.raises(DomainError) as refusal:
        capabilities.publish(capability=row, by=owner.user)

    assert refusal.value.code == "capability.not_verified"
    assert Capability.objects.get().status == "draft"


def test_publishing_what_ended_yesterday_is_refused():
    owner = MembershipFactory()
    row = CapabilityFactory(
        enterprise=owner.enterprise,
        status="draft",
        valid_until_on=timezone.localdate() - datetime.timedelta(days=1),
    )

    with pytest.raises(DomainError) as refusal:
        capabilities.publish(capability=row, by=owner.user)

    assert refusal.value.code == "capability.expired"


@pytest.mark.parametrize("verb", ["publish", "withdraw", "delete_draft"])
def test_viewers_and_strangers_change_nothing(verb):
    row = CapabilityFactory()
    viewer = MembershipFactory(enterprise=row.enterprise, role="viewer")

    for user in (viewer.user, MembershipFactory().user):
        with pytest.raises(DomainError) as refusal:
            getattr(capabilities, verb)(capability=row, by=user)
        assert refusal.value.is_refusal


def test_drafts_are_deleted_and_published_ones_withdrawn_never_the_other_way():
    owner = MembershipFactory()
    draft = CapabilityFactory(enterprise=owner.enterprise, status="draft")
    live = CapabilityFactory(enterprise=owner.enterprise)

    with pytest.raises(DomainError) as one:
        capabilities.withdraw(capability=draft, by=owner.user)
    with pytest.raises(DomainError) as other:
        capabilities.delete_draft(capability=live, by=owner.user)
    capabilities.delete_draft(capability=draft, by=owner.user)

    assert (one.value.code, other.value.code) == ("capability.draft", "capability.not_draft")
    assert list(Capability.objects.all()) == [live]


def test_expired_ones_go_out_of_sight_once_and_their_editors_are_told():
    owner = MembershipFactory()
    today = timezone.localdate()
    over = CapabilityFactory(
        enterprise=owner.enterprise, valid_until_on=today - datetime.timedelta(days=1)
    )
    CapabilityFactory(enterprise=owner.enterprise, valid_until_on=today)
    CapabilityFactory(enterprise=owner.enterprise, valid_until_on=None)

    assert (capabilities.expire_due(), capabilities.expire_due()) == (1, 0)

    over.refresh_from_db()
    assert over.status == "expired"
    assert list(AuditEntry.objects.values_list("actor", "action")) == [(None, "capability.expired")]
    assert set(Notification.objects.values_list("to", "kind")) == {
        (owner.user_id, "capability_expired")
    }


def test_one_that_cannot_be_ended_keeps_no_other_in_sight_and_is_tried_again(monkeypatch):
    owners = [MembershipFactory() for _ in range(3)]
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    over = [CapabilityFactory(enterprise=o.enterprise, valid_until_on=yesterday) for o in owners]
    post = notifications.post

    def fail_for_the_second(to, kind, **context):
        if to == owners[1].user:
            raise ValueError("cannot be written")
        post(to, kind, **context)

    monkeypatch.setattr(notifications, "post", fail_for_the_second)
    assert capabilities.expire_due() == 2
    states = Capability.objects.order_by("pk").values_list("status", flat=True)
    assert list(states) == ["expired", "published", "expired"]
    assert AuditEntry.objects.filter(action="capability.expired").count() == 2

    monkeypatch.undo()
    assert capabilities.expire_due() == 1
    over[1].refresh_from_db()
    assert over[1].status == "expired"
