from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from chains.models import Capability, Category, Certification, CertificationKind, Unit
from tests.factories.chains import CapabilityFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


@pytest.fixture
def owner(client):
    membership = MembershipFactory()
    client.force_login(membership.user)
    return membership


def create_url(membership):
    return reverse("chains:capability_create", args=[membership.enterprise.public_id])


def edit_url(capability):
    return reverse("chains:capability_edit", args=[capability.public_id])


def leaf():
    return Category.objects.filter(level=3).order_by("pk").first()


def test_capability_is_published_with_a_months_capacity_as_a_years(client, owner):
    held = Certification.objects.create(
        enterprise=owner.enterprise,
        kind=CertificationKind.objects.get(code="CQC"),
        valid_from=datetime.date(2024, 1, 1),
    )

    answer = client.post(
        create_url(owner),
        {
            "title_zh": "分体接线盒",
            "categories": [leaf().code],
            "capacity": "2万",
            "unit": "set",
            "period": "month",
            "cooperation_kinds": ["joint_rd"],
            "certifications": [held.public_id],
            "is_new": "on",
            "publish": "1",
        },
    )

    row = Capability.objects.get()
    assert answer["Location"] == reverse(
        "chains:enterprise_status", args=[owner.enterprise.public_id]
    )
    assert (row.status, row.yearly_capacity, row.unit.code, row.is_new) == (
        "published",
        Decimal(240_000),
        "set",
        True,
    )
    assert list(row.categories.all()) == [leaf()]
    assert list(row.certifications.all()) == [held]


def test_form_shows_what_is_stored_and_saves_it_unchanged(client, owner):
    row = CapabilityFactory(
        enterprise=owner.enterprise,
        yearly_capacity=Decimal(1600000),
        unit=Unit.objects.get(code="set"),
        categories=[leaf().code],
    )

    page = text_of(client.get(edit_url(row)))
    client.post(
        edit_url(row),
        {
            "title_zh": row.title_zh,
            "text_zh": row.text_zh,
            "categories": [leaf().code],
            "capacity": "1600000",
            "unit": "set",
            "period": "year",
            "publish": "1",
        },
    )

    assert f'value="{leaf().code}" checked' in page
    assert 'name="capacity" value="1600000"' in page
    row.refresh_from_db()
    assert (row.status, row.yearly_capacity) == ("published", Decimal(1_600_000))
    assert list(row.categories.all()) == [leaf()]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title_zh": ""}, "Enter a title in Chinese or in English."),
        ({"capacity": "5"}, "Choose the unit of the capacity."),
        ({"capacity": "many", "unit": "set"}, "“many” is no quantity. Enter a figure."),
        ({"capacity": "1,5", "unit": "set"}, "“1,5” can be read in more than one way."),
        ({"capacity": "-5", "unit": "set"}, "The quantity must be more than 0."),
        ({"capacity": "0.0001", "unit": "set"}, "Enter a capacity above 0."),
        ({"sample_days": "-1"}, "Enter a number from 0 to 3650."),
        ({"certifications": ["bcdfghjkmnpq"]}, "Select a valid choice."),
    ],
)
def test_form_says_what_is_wrong_and_keeps_the_text(client, owner, fields, message):
    answer = client.post(
        create_url(owner), {"title_zh": "接线盒", "text_zh": "三分体灌封"} | fields
    )

    assert message in text_of(answer)
    assert "<title>Error: Add a capability" in answer.content.decode()
    assert "三分体灌封" in text_of(answer)
    assert not Capability.objects.exists()


def test_sixth_category_is_asked_about_and_all_six_stay_visible(client, owner):
    codes = list(Category.objects.filter(level=3).values_list("code", flat=True)[:6])

    answer = client.post(create_url(owner), {"title_zh": "接线盒", "categories": codes})

    assert "Choose at most 5 categories." in text_of(answer)
    assert text_of(answer).count('name="categories"') == 6


def test_suggest_button_works_without_javascript_and_keeps_everything(client, owner):
    answer = client.post(
        create_url(owner),
        {"title_zh": "接线盒", "capacity": "12", "q": "接线盒", "suggest": "1", "categories": []},
    )

    page = text_of(answer)
    found = Category.objects.get(name_zh="光伏接线盒")
    assert f'id="cs_{found.code}" name="categories" value="{found.code}">' in page
    assert 'value="12"' in page
    assert "error-summary" not in page
    assert not Capability.objects.exists()


def test_suggest_button_says_when_nothing_fits(client, owner):
    answer = client.post(create_url(owner), {"q": "qqqxqq", "suggest": "1"})

    assert "Nothing fits. Leave it: the text is compared as well" in text_of(answer)


def test_suggest_button_asks_what_a_text_means_where_no_category_is_called_so(client, owner):
    text = "jucntion box for pv modles"

    answer = client.post(create_url(owner), {"text_en": text, "suggest": "1"})

    found = Category.objects.get(name_zh="光伏接线盒")
    assert f'id="cs_{found.code}"' in text_of(answer)


def test_publishing_before_verification_keeps_the_draft(client):
    owner = MembershipFactory(enterprise__pending=True)
    client.force_login(owner.user)

    answer = client.post(
        create_url(owner), {"title_en": "Junction box", "publish": "1"}, follow=True
    )

    assert "The draft is kept." in text_of(answer)
    assert Capability.objects.get().status == "draft"


def test_withdraw_and_delete(client, owner):
    live = CapabilityFactory(enterprise=owner.enterprise)
    draft = CapabilityFactory(enterprise=owner.enterprise, status="draft")

    for row in (live, draft):
        client.post(reverse("chains:capability_withdraw", args=[row.public_id]))

    assert list(Capability.objects.values_list("public_id", "status")) == [
        (live.public_id, "withdrawn")
    ]


@pytest.mark.parametrize("name", ["capability_edit", "capability_withdraw"])
def test_stranger_finds_nothing(client, owner, name):
    other = CapabilityFactory()

    answer = client.post(reverse(f"chains:{name}", args=[other.public_id]), {"title_zh": "x"})

    assert answer.status_code == 404


@pytest.mark.parametrize(("language", "text"), [("en", "None stated."), ("zh-hans", "未申报。")])
def test_form_without_certificates_says_so(client, owner, language, text):
    client.cookies["django_language"] = language

    assert text in text_of(client.get(create_url(owner)))


def test_a_second_tab_is_told_what_the_first_saved_and_may_save_knowingly(client, owner):
    row = CapabilityFactory(enterprise=owner.enterprise, title_zh="接线盒", lead_time_days=20)
    typed = {"title_zh": "分体接线盒", "lead_time_days": "20", "draft": "1"}
    seen = client.get(edit_url(row)).context["seen"]

    client.post(edit_url(row), {"title_zh": "接线盒", "lead_time_days": "30", "seen": seen})
    refused = client.post(edit_url(row), typed | {"seen": seen})
    row.refresh_from_db()
    kept = (row.title_zh, row.lead_time_days)
    client.post(edit_url(row), typed | {"seen": refused.context["seen"]})

    row.refresh_from_db()
    assert kept == ("接线盒", 30)
    assert (row.title_zh, row.lead_time_days) == ("分体接线盒", 20)
    assert [*refused.context["form"].non_field_errors()][1:] == ["Delivery, days: “30” now"]
    assert 'value="分体接线盒"' in text_of(refused)
