"""What the box finds beside requirements and names: what is offered, and places on the chain map."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from chains import searchtext
from chains.models import COUNTRY, Category, Chain, RegionGroup, Segment
from chains.services import capabilities
from matchmaking import gaps
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    region,
)
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def offer(owner=None, publish=True, **fields):
    """Published by the verb that everybody uses."""
    owner = owner or MembershipFactory(enterprise=EnterpriseFactory(name="示例云秀材料有限公司"))
    about = {"title_zh": "溟瓷管", "text_zh": "供应 304 与 QX316Z 溟瓷管"} | fields
    row = capabilities.save_draft(enterprise=owner.enterprise, by=owner.user, **about)
    if publish:
        capabilities.publish(capability=row, by=owner.user)
    return row


def said(page):
    """What stands there, without what it is written with but the marks."""
    return re.sub(r"<(?!/?mark)[^>]+>", "", page)


def search(client, query, language="en", **params):
    client.cookies["django_language"] = language
    return client.get(reverse("matchmaking:search"), {"q": query, **params}).content.decode()


@pytest.mark.parametrize("query", ["QX316Z", "qx-316z 溟瓷", "mingciguan", "溟次管"])
def test_model_that_only_an_offer_names_is_found_and_marked(client, query):
    row = offer()

    page = search(client, query)

    page_of_supplier = reverse("matchmaking:enterprise_detail", args=[row.enterprise.public_id])
    assert f'href="{page_of_supplier}#offer-{row.public_id}"' in page
    assert "<mark>" in page


def test_offer_is_quoted_where_it_says_the_words(client):
    offer(text_en="Seamless tube YJV-22 for hydrogen")

    assert "Offers: Seamless tube <mark>YJV-22</mark> for hydrogen" in said(
        search(client, "YJV-22")
    )


def test_offer_in_chinese_is_found_by_the_english_name_of_its_category(client):
    offer(categories=[Category.objects.get(code="PV0306")], title_zh="三分体")

    offers = said(search(client, "junction box")).partition("Products and services")[2]
    assert "Category: PV <mark>junction</mark> <mark>box</mark>es" in offers


def test_what_nobody_may_see_is_not_found(client):
    drafted = offer(publish=False)
    owner = MembershipFactory(enterprise=drafted.enterprise)
    withdrawn = offer(owner)
    capabilities.withdraw(capability=withdrawn, by=owner.user)
    suspended = offer()
    suspended.enterprise.status = "suspended"
    suspended.enterprise.save()

    assert "Nothing found" in search(client, "QX316Z")
    found = client.get(reverse("matchmaking:enterprise_list"), {"q": "QX316Z"}).content.decode()
    assert "No enterprises for" in found


def test_register_finds_by_what_is_offered_and_counts_only_what_the_words_find(client):
    row = offer()
    EnterpriseFactory(region=region("330106"))

    page = client.get(reverse("matchmaking:enterprise_list"), {"q": "QX316Z"}).content.decode()

    assert "1 verified enterprise" in page
    assert "Offers: 供应 304 与 <mark>QX316Z</mark> 溟瓷管" in said(page)
    assert re.findall(r'name="region" value="(\d+)"', page) == [row.enterprise.province.code]
    answer = APIClient().get("/api/v1/enterprises/", {"q": "QX316Z"}).json()
    assert [one["public_id"] for one in answer["results"]] == [row.enterprise.public_id]
    answer = APIClient().get("/api/v1/capabilities/", {"q": "QX316Z"}).json()
    assert [one["public_id"] for one in answer["results"]] == [row.public_id]


@pytest.mark.parametrize(
    ("query", "language"), [("光伏", "en"), ("guangfu", "zh-hans"), ("Photovoltaics", "zh-hans")]
)
def test_chains_are_found_in_any_spelling(client, query, language):
    chain = Chain.objects.get(code="PV")
    address = reverse("matchmaking:chain_map", args=["PV"])

    assert f'<a href="{address}">' in search(client, query, language)
    suggested = client.get(reverse("matchmaking:search_suggest"), {"q": query}).content.decode()
    assert f'href="{address}"' in suggested
    assert chain.name_zh in suggested or chain.name_en in suggested


def test_segments_are_found_by_their_own_names(client):
    segment = Segment.objects.get(code="PV-GL")

    page = search(client, segment.name_zh)

    assert f"{reverse('matchmaking:chain_map', args=['PV'])}#{segment.code}" in page
    # Shown in English, found by the Chinese name: the page says so.
    assert f"Also known as: <mark>{segment.name_zh}</mark>" in said(page)


def test_kinds_are_counted_and_one_is_shown_alone_page_by_page(client):
    owner = MembershipFactory(enterprise=EnterpriseFactory())
    for number in range(27):
        offer(owner, title_zh=f"溟瓷管 {number}")
    event = EventFactory(name_zh="溟瓷管对接会")

    page = search(client, "溟瓷管", "zh-hans")

    assert re.findall(r'kind=(\w+)"[^>]*>[^<]+<span class="tnum">(\d+)<', page) == [
        ("capabilities", "27"),
        ("events", "1"),
    ]
    assert page.count("#offer-") == 8
    alone = search(client, "溟瓷管", "zh-hans", kind="capabilities")
    assert alone.count("#offer-") == 25
    assert event.public_id not in alone
    assert search(client, "溟瓷管", "zh-hans", kind="capabilities", page=2).count("#offer-") == 2


def test_proposals_are_of_every_kind_that_answers(client):
    offer()
    EventFactory(name_zh="溟瓷管对接会", name_en="Seamless tubes")
    for number in range(9):
        name = f"示例溟瓷管{number}厂"
        EnterpriseFactory(name=name, search_text=searchtext.document("", names=[name]))

    page = client.get(reverse("matchmaking:search_suggest"), {"q": "溟瓷管"}).content.decode()

    kinds = re.findall(r'<span class="tag line flex-shrink-0">([^<]+)<', page)
    assert kinds == ["Enterprise"] * 3 + ["Product or service", "Event"]


def page_area(code):
    return RegionGroup.objects.get(code=code) if code == "YRD" else region(code)


def test_map_of_a_place_that_is_not_there_is_not_taken_for_another_one(client):
    address = reverse("matchmaking:chain_map", args=["PV"])

    assert (
        "“anything” is not known here"
        in client.get(address, {"region": "anything"}).content.decode()
    )
    page = client.get(address, {"region": "330421"}).content.decode()
    assert '<option value="330421" selected>' in page
    assert f"{region('330421').name_en}: 16 segments" in page
    # From a city one gets to its counties.
    assert '<option value="330421">' in client.get(address, {"region": "330400"}).content.decode()


def test_place_in_the_chain_is_that_of_what_the_enterprise_makes(client):
    own, other = Category.objects.filter(segment__code="PV-MD", level=3)[:2]
    owner = MembershipFactory(enterprise=EnterpriseFactory(region=region("330421")))
    offer(owner, categories=[own])
    asked = RequirementFactory(region=region("330421"))
    RequirementLineFactory(requirement=asked, category=other)  # nobody makes that

    client.force_login(OrganiserRoleFactory().user)
    address = reverse("matchmaking:enterprise_detail", args=[owner.enterprise.public_id])
    page = said(client.get(address).content.decode())

    city = region("330400")
    assert f"{own.name_en}, {city.name_en}: 1 of 1 known registered" in page
    assert "No local supplier" not in page
    assert "No registered supplier" not in page


def test_card_of_a_segment_leads_to_the_suppliers_it_counts(client):
    leaf = Category.objects.get(code="PV0306")
    for code in ("330421", "330421", "330106"):
        owner = MembershipFactory(enterprise=EnterpriseFactory(region=region(code)))
        offer(owner, categories=[leaf])
    offer(categories=[Category.objects.filter(level=3).exclude(segment=leaf.segment).first()])

    for code in ("330000", "330400", "330421", "YRD", COUNTRY):
        page = client.get(reverse("matchmaking:chain_map", args=["PV"]), {"region": code})
        place = page_area(code)
        counted = gaps.segment_states(leaf.segment.chain, place)[leaf.segment_id].registered
        (address,) = re.findall(
            rf'href="([^"]+\?segment={leaf.segment.code}[^"]*)">Suppliers', page.content.decode()
        )
        found = client.get(address.replace("&amp;", "&")).content.decode()
        assert f"{counted} verified enterprise" in found, code
