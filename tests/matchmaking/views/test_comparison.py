"""Suppliers side by side, on the page and in its sheet: whose names they bear, how far away they are, what was asked."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    region,
)
from tests.factories.matchmaking import InterestFactory, MatchFactory, weighting_1

pytestmark = pytest.mark.django_db

NAME, NAME_EN = "示例苍南精密铸造有限公司", "Demo Cangnan Castings"


@pytest.fixture
def buyer(client):
    member = MembershipFactory(role="editor")
    client.force_login(member.user)
    return member


def in_language(client, language):
    client.cookies["django_language"] = language


def sheet(client, address):
    said = b"".join(client.get(address).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(said)))[:-1]  # as of when


def row_of(page, heading):
    """The cells of one row of the table, without markup."""
    row = re.search(rf'<th scope="row">{heading}</th>(.*?)</tr>', page, re.DOTALL)[1]
    return [" ".join(html.unescape(strip_tags(cell)).split()) for cell in row.split("</td>")[:-1]]


def compared(buyer, *suppliers):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    for supplier in suppliers:
        InterestFactory(requirement=requirement, enterprise=supplier).lines.set(
            requirement.lines.all()
        )
    return requirement, reverse("matchmaking:requirement_interests", args=[requirement.public_id])


def scored(requirement, supplier, tenths, *, reasons=(), outcomes=()):
    match = MatchFactory(line=requirement.lines.get(), supplier=supplier, tenths=tenths, score=None)
    match.score = match.scores.create(
        weighting=weighting_1(), engine_version="test", tenths=tenths, misses_must=False, parts=[],
        reasons=list(reasons), outcomes=list(outcomes),
    )  # fmt: skip
    match.save()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_supplier_has_its_distance_whatever_the_score_says_of_it(client, buyer, language):
    buyer.enterprise.longitude, buyer.enterprise.latitude = 120.92, 30.84
    buyer.enterprise.save()
    near, told, far, unscored, abroad = (
        EnterpriseFactory(longitude=120.923, latitude=30.84),
        EnterpriseFactory(region=region("330106")),
        EnterpriseFactory(longitude=114.31, latitude=30.59, region=region("420100")),
        EnterpriseFactory(longitude=120.62, latitude=31.3),
        EnterpriseFactory(region=None, country="NO", scheme="foreign", number="1"),
    )
    requirement, address = compared(buyer, near, told, far, unscored, abroad)
    scored(requirement, near, 900)
    # What a condition says of the way stands in a row of its own; then the score names the region alone.
    at_home = {"code": "locality.province", "tone": "for", "params": {"region": "330000"}}
    scored(requirement, told, 800, reasons=[at_home])
    scored(requirement, far, 700)
    in_language(client, language)

    page = client.get(address).content.decode()
    rows = sheet(client, f"{address}?export=csv")

    assert row_of(page, {"en": "Distance", "zh-hans": "距离"}[language]) == {
        "en": ["0.3 km away", "Same province: Zhejiang, about 99 km", "632 km away", "59 km away", "–"],
        "zh-hans": ["相距 0.3 公里", "同省：浙江省，99 公里（约）", "相距 632 公里", "相距 59 公里", "–"],
    }[language]  # fmt: skip
    distances = [list(row.values())[4] for row in rows]
    assert [round(float(one)) if one else None for one in distances] == [0, 99, 632, 59, None]
    assert distances[0] == "0.3"


def test_a_sheet_heads_each_condition_as_the_page_does(client, buyer):
    supplier = EnterpriseFactory()
    requirement, address = compared(buyer, supplier)
    way = requirement.conditions.create(
        kind="distance", strength="prefer", text="150 公里", parameter={"value": 150}
    )
    said = requirement.conditions.create(kind="other", strength="must", text="看样后定")
    outcomes = [
        {"condition": one.pk, "kind": one.kind, "strength": one.strength, "verdict": "met", "tenths": 0,
         "max_tenths": 0, "counted_in": "", "fact": None}
        for one in (way, said)
    ]  # fmt: skip
    scored(requirement, supplier, 900, outcomes=outcomes)

    heads = {}
    for language in ("en", "zh-hans"):
        in_language(client, language)
        (row,) = sheet(client, f"{address}?export=csv")
        heads[language] = [name for name in row if "150" in name or "看样" in name]
        shown = html.unescape(strip_tags(client.get(address).content.decode()))
        assert [name for name in heads[language] if name not in shown] == []

    assert heads == {
        "en": ["Prefer: Distance within 150 km", "Must: 看样后定"],
        "zh-hans": ["优先：距离 150 公里", "必备：看样后定"],
    }


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_supplier_is_named_as_on_its_licence_beside_its_english_name(client, buyer, language):
    supplier = EnterpriseFactory(name=NAME, name_en=NAME_EN)
    abroad = EnterpriseFactory(
        name="Demo Nordic AS",
        name_en="",
        country="NO",
        scheme="foreign",
        number="NO 9",
        region=None,
    )
    _requirement, address = compared(buyer, supplier, abroad)
    in_language(client, language)

    page = client.get(address).content.decode()
    rows = sheet(client, f"{address}?export=csv")

    heads = re.search(r"<thead>(.*?)</thead>", page, re.DOTALL)[1]
    beside = f'<span class="muted small fw-normal" lang="zh-Hans">{NAME}</span>'
    assert (NAME_EN in heads, beside in heads) == (language == "en", language == "en")
    assert [f">{NAME}</a>" in heads, ">Demo Nordic AS</a>" in heads] == [language != "en", True]
    assert [supplier.number in heads, "NO 9" in heads] == [True, True]
    assert [list(row.values())[:3] for row in rows] == [
        [NAME_EN if language == "en" else NAME, NAME, supplier.number],
        ["Demo Nordic AS", "Demo Nordic AS", "NO 9"],
    ]


def test_lists_name_a_body_as_on_its_licence_beside_its_english_name(client, buyer):
    body = EnterpriseFactory(name=NAME, name_en=NAME_EN)
    requirement = RequirementFactory(enterprise=body, lines=["a"])
    InterestFactory(requirement=requirement, enterprise=buyer.enterprise)
    buyer.enterprise.name, buyer.enterprise.name_en = "示例买方有限公司", "Demo Buyer"
    buyer.enterprise.save()
    RequirementFactory(enterprise=buyer.enterprise, draft=True)
    pages = {
        "requirement_list": NAME, "enterprise_list": NAME, "my_interests": NAME,
        "my_requirements": "示例买方有限公司",
    }  # fmt: skip
    counts = {}
    for language in ("en", "zh-hans"):
        in_language(client, language)
        for name, legal in pages.items():
            page = client.get(reverse(f"matchmaking:{name}")).content.decode()
            beside = re.findall(rf'<span[^>]* lang="zh-Hans">{legal}</span>', page)
            counts[language, name] = len(beside)

    assert counts == {
        **{("en", name): 1 for name in pages},
        **{("zh-hans", name): 0 for name in pages},
    }
    in_language(client, "en")
    for address in (
        reverse("matchmaking:requirement_export", args=["csv"]),
        reverse("matchmaking:enterprise_export", args=["csv"]),
        reverse("matchmaking:my_interests") + "?export=csv",
    ):
        named = [(row["Enterprise"], row["Legal name"]) for row in sheet(client, address)]
        assert (NAME_EN, NAME) in named


@pytest.mark.parametrize(
    ("language", "order"), [("en", ["in English", "用中文"]), ("zh-hans", ["用中文", "in English"])]
)
def test_a_capability_says_first_what_the_reader_reads(client, language, order):
    capability = CapabilityFactory(text_zh="用中文", text_en="in English")
    in_language(client, language)

    page = client.get(
        reverse("matchmaking:enterprise_detail", args=[capability.enterprise.public_id])
    ).content.decode()

    said = re.findall(r'<p class="mb-2" lang="([^"]+)">(用中文|in English)</p>', page)
    assert said == [({"in English": "en", "用中文": "zh-Hans"}[text], text) for text in order]


@pytest.mark.parametrize("count", [1, 2])
def test_one_interest_is_one_interest(client, buyer, count):
    requirement, _address = compared(buyer, *EnterpriseFactory.create_batch(count))
    words = "1 interest for line 1" if count == 1 else "2 interests for line 1"

    desk = client.get(reverse("matchmaking:requirement_desk", args=[requirement.public_id]))
    own = client.get(reverse("matchmaking:my_requirements"))

    said = [" ".join(strip_tags(page.content.decode()).split()) for page in (desk, own)]
    assert words in said[0]
    assert ("1 interest 1 to answer" if count == 1 else "2 interests 2 to answer") in said[1]
