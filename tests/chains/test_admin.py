from __future__ import annotations

import datetime
import html
import re

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import translation

from chains.admin import mask
from chains.models import (
    AuditEntry,
    Category,
    Certification,
    CertificationKind,
    Chain,
    Change,
    OrganiserRole,
    Qualification,
    QualificationKind,
    RequirementLine,
    Segment,
    SegmentLink,
)
from chains.services import consents, tokens
from tests.factories.chains import (
    AdministratorFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    user = AdministratorFactory()
    client.force_login(user)
    return user


def add(client, model, **data):
    answer = client.post(reverse(f"admin:chains_{model}_add"), data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return answer


def no_links(**rows):
    forms = {}
    for prefix in ("links_out", "links_in"):
        forms |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return forms | rows


def test_eleventh_iconic_chain_is_added_without_a_deploy(client, administrator):
    feeding = Segment.objects.first()

    add(client, "chain", code="LOWALT", name_zh="低空经济", name_en="Low-altitude economy", kind="iconic", order="11", is_active="on")  # fmt: skip
    chain = Chain.objects.get(code="LOWALT")
    add(
        client,
        "segment",
        code="LOWALT-01",
        name_zh="飞行控制",
        name_en="Flight control",
        chain=chain.pk,
        position="midstream",
        order="1",
        is_active="on",
        **no_links(
            **{
                "links_in-TOTAL_FORMS": "1",
                "links_in-0-source": feeding.pk,
            }
        ),
    )
    segment = Segment.objects.get(code="LOWALT-01")
    common = {"chain": chain.pk, "order": "1", "is_active": "on"}
    add(client, "category", code="LOWALT-A", name_zh="低空航空器", name_en="Aircraft", **common)
    top = Category.objects.get(code="LOWALT-A")
    add(client, "category", code="LOWALT-A-1", name_zh="航电", name_en="Avionics", parent=top.pk, **common)  # fmt: skip
    middle = Category.objects.get(code="LOWALT-A-1")
    add(
        client,
        "category",
        code="LOWALT-A-1-1",
        name_zh="飞控计算机",
        name_en="Flight controller",
        parent=middle.pk,
        segment=segment.pk,
        synonyms_zh="飞控、飞行控制器，自驾仪",
        synonyms_en="autopilot\nflight computer",
        **common,
    )

    leaf = Category.objects.get(code="LOWALT-A-1-1")
    assert (leaf.level, leaf.synonyms_zh, leaf.synonyms_en) == (
        3,
        ["飞控", "飞行控制器", "自驾仪"],
        ["autopilot", "flight computer"],
    )
    assert SegmentLink.objects.filter(source=feeding, target=segment).count() == 1
    assert list(Change.objects.values_list("noun", "verb")) == [
        ("chain", "added"),
        ("segment", "added"),
        ("category", "added"),
        ("category", "added"),
        ("category", "added"),
    ]
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {administrator.pk}
    page = client.get(reverse("matchmaking:chain_map", args=["LOWALT"])).content.decode()
    assert "Flight control" in page


def test_category_changed_in_the_admin_is_told_to_the_next_run(client, administrator):
    leaf = Category.objects.filter(level=3).first()

    answer = client.post(
        reverse("admin:chains_category_change", args=[leaf.pk]),
        {
            "name_zh": leaf.name_zh,
            "name_en": leaf.name_en,
            "parent": leaf.parent_id,
            "chain": leaf.chain_id,
            "segment": leaf.segment_id,
            "order": leaf.order,
            "is_active": "on",
            "synonyms_zh": "俗称甲\n俗称乙",
        },
    )

    assert answer.status_code == 302
    leaf.refresh_from_db()
    assert leaf.synonyms_zh == ["俗称甲", "俗称乙"]
    assert list(Change.objects.values_list("noun", "target", "verb")) == [
        ("category", str(leaf.pk), "changed")
    ]


@pytest.mark.parametrize(
    ("above", "has_segment", "message"),
    [
        (2, False, "A category of the third level stands in a segment."),
        (1, True, "Only categories of the third level have a segment."),
    ],
)
def test_category_in_the_wrong_place_is_asked_about(
    client, administrator, above, has_segment, message
):
    parent = Category.objects.filter(level=above).first()

    answer = client.post(
        reverse("admin:chains_category_add"),
        {
            "code": "X",
            "name_zh": "甲",
            "name_en": "A",
            "parent": parent.pk,
            "chain": parent.chain_id,
            "segment": Segment.objects.first().pk if has_segment else "",
            "order": "1",
        },
    )

    assert message in answer.content.decode()
    assert not Category.objects.filter(code="X").exists()


def test_every_list_opens_and_says_that_the_second_factor_is_off(client, administrator):
    ContactFactory()
    for model in admin.site._registry:
        if model._meta.app_label != "chains":
            continue
        answer = client.get(reverse(f"admin:chains_{model._meta.model_name}_changelist"))
        assert answer.status_code == 200, model
        assert "Set up a second step" in answer.content.decode()


def test_contacts_and_addresses_are_masked_everywhere(client, administrator):
    contact = ContactFactory(name="Canary Name", phone="000-9876-5432", email="canary@example.com")
    owner = MembershipFactory(user__email="canary.owner@example.com").user

    pages = [
        client.get(reverse("admin:chains_contact_changelist")),
        client.get(reverse("admin:chains_contact_change", args=[contact.pk])),
        client.get(reverse("admin:chains_user_changelist")),
        client.get(reverse("admin:chains_user_change", args=[owner.pk])),
    ]

    for page in pages:
        text = page.content.decode()
        assert "c•••@example.com" in text
        for secret in ("Canary Name", "9876", "canary@", "canary.owner@"):
            assert secret not in text


def test_lines_that_fit_no_category_are_candidates_for_new_ones(client, administrator):
    """Neither its author nor the matching named a category; a draft is nobody's business yet."""
    leaf = Category.objects.filter(level=3).first()
    RequirementFactory(lines=["chosen", "read", "宠物狗粮，鸡肉味"])
    RequirementLine.objects.filter(text="chosen").update(category=leaf)
    RequirementLine.objects.filter(text="read").update(category_suggested=leaf)
    RequirementLine.objects.filter(text__startswith="宠物").update(
        category=None, category_suggested=None
    )
    RequirementFactory(status="draft", lines=["drafted"])
    # Hard to read is not the same as fitting nothing: its words belong to several leaves.
    RequirementFactory(lines=["光伏接线盒与逆变器与边框"])
    RequirementLine.objects.filter(text__startswith="光伏").update(
        category=None, category_suggested=None
    )

    answer = client.get(reverse("admin:chains_requirementline_changelist"))

    listed = [line.text for line in answer.context["cl"].result_list]
    assert listed == ["宠物狗粮，鸡肉味"]
    page = answer.content.decode()
    assert "Lines that fit no category" in page
    link = re.search(r'href="(/admin/chains/category/add/[^"]+)"', page)[1]
    form = client.get(html.unescape(link)).context["adminform"].form
    assert form.initial["name_zh"] == "宠物狗粮，鸡肉味"


@pytest.mark.parametrize(
    "model",
    [
        "auditentry", "certification", "change", "consent", "contact", "enterprise", "membership", "notification",
        "qualification", "region", "requirement", "requirementline",
    ],
)  # fmt: skip
def test_rows_that_are_only_read_cannot_be_added(client, administrator, model):
    assert client.get(reverse(f"admin:chains_{model}_add")).status_code == 403


def test_what_enterprises_hold_and_do_is_looked_at_without_addresses_and_drafts(
    client, administrator
):
    member = MembershipFactory(user__email="member@harbour.example")
    consents.give(purpose="account", by=member.user)
    title = Qualification.objects.create(enterprise=member.enterprise, kind=QualificationKind.objects.first(), valid_from=datetime.date(2024, 1, 1))  # fmt: skip
    paper = Certification.objects.create(enterprise=member.enterprise, kind=CertificationKind.objects.first(), valid_from=datetime.date(2024, 1, 1))  # fmt: skip
    interest = InterestFactory(message="Only the buyer reads this")
    draft = RequirementFactory(draft=True)
    rows = [member, member.user.consents.get(), title, paper, interest.requirement, interest]

    for row in rows:
        stem = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        listed = client.get(reverse(f"{stem}_changelist"))
        page = client.get(reverse(f"{stem}_change", args=[row.pk]))
        for text in (listed.content.decode(), page.content.decode()):
            assert row.public_id in text
            assert "member@" not in text
            assert interest.message not in text
            assert interest.contact.name not in text
        assert client.post(reverse(f"{stem}_change", args=[row.pk])).status_code == 403

    drafts = client.get(reverse("admin:chains_requirement_changelist")).content.decode()
    assert draft.public_id not in drafts


@pytest.mark.parametrize("model", ["chain", "category", "user", "organiserrole", "province"])
def test_nothing_is_deleted(client, administrator, model):
    assert client.post(
        reverse(f"admin:chains_{model}_delete", args=[1]), {"post": "yes"}
    ).status_code in (302, 403)
    assert Chain.objects.exists()


def test_role_is_granted_and_ended_through_the_service(client, administrator):
    user = UserFactory()
    body = EnterpriseFactory(kind_id="government", scheme="other", number=None)
    data = {"user": user.pk, "body": body.pk, "region": region("330400").pk, "role": "organiser"}

    add(client, "organiserrole", **data)
    granted = OrganiserRole.objects.get()
    client.post(
        reverse("admin:chains_organiserrole_change", args=[granted.pk]),
        {"valid_until_on": "2020-01-01"},
    )

    assert list(AuditEntry.objects.values_list("action", flat=True)) == [
        "role.granted",
        "role.granted",
    ]
    assert not OrganiserRole.objects.current().exists()


def test_role_for_an_ordinary_enterprise_is_refused(client, administrator):
    answer = client.post(
        reverse("admin:chains_organiserrole_add"),
        {
            "user": UserFactory().pk,
            "body": EnterpriseFactory().pk,
            "region": region("330400").pk,
            "role": "organiser",
        },
    )

    assert "Only an authority or an association has organisers." in answer.content.decode()
    assert not OrganiserRole.objects.exists()


@pytest.mark.parametrize("who", [UserFactory, lambda: OrganiserRoleFactory().user])
def test_nobody_else_comes_in(client, who):
    client.force_login(who())

    assert client.get(reverse("admin:index")).status_code in (302, 403)
    assert client.get(reverse("admin:chains_user_changelist")).status_code in (302, 403)


@pytest.mark.parametrize(
    ("text", "masked"), [("", ""), ("a@b.cn", "a•••@b.cn"), ("000-0000-0103", "0•••3")]
)
def test_mask(text, masked):
    assert mask(text) == masked


def test_pages_of_installed_packages_are_gone(client, administrator):
    labels = {model._meta.app_label for model in admin.site._registry}

    assert labels <= {"chains", "events", "matchmaking"}
    assert client.get("/admin/account/emailaddress/").status_code == 404


# --- Words --------------------------------------------------------------------------------------------


def test_models_and_fields_have_chinese_names():
    own = [
        model
        for model in admin.site._registry
        if model._meta.app_label in ("chains", "events", "matchmaking")
    ]
    latin = []
    with translation.override("zh-hans"):
        for model in own:
            names = [model._meta.verbose_name, model._meta.verbose_name_plural]
            fields = (*model._meta.local_fields, *model._meta.local_many_to_many)
            names += [field.verbose_name for field in fields if not field.auto_created]
            latin += [f"{model.__name__}: {name}" for name in names if str(name).isascii()]

    assert len(own) > 20
    assert latin == []


def test_english_names_of_models_are_those_that_django_makes():
    assert str(Category._meta.verbose_name_plural) == "categories"
    assert str(Category._meta.get_field("synonyms_zh").verbose_name) == "synonyms zh"


# --- Tokens -------------------------------------------------------------------------------------------


def test_administrator_revokes_tokens_and_reads_none(client, administrator):
    owner, other = MembershipFactory().user, UserFactory()
    key = tokens.create(by=owner)
    chosen = {"action": "revoke_tokens", "_selected_action": [owner.pk, other.pk]}

    page = client.post(reverse("admin:chains_user_changelist"), chosen, follow=True)

    assert not hasattr(type(owner).objects.get(pk=owner.pk), "auth_token")
    assert key not in page.content.decode()
    entry = AuditEntry.objects.get(action="token.revoked")
    assert entry.actor == administrator.pk
