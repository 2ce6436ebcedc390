from __future__ import annotations

import csv
import datetime
import io
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from chains import changes, searchtext
from chains.models import (
    Category,
    Chain,
    Change,
    Contact,
    Province,
    Qualification,
    QualificationKind,
    Requirement,
)
from matchmaking.views import catalogue
from matchmaking.views.filters import EnterpriseFilters, RequirementFilters
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def rows(**kwargs):
    requirement = RequirementFactory(**kwargs)
    requirement.search_text = searchtext.document(requirement.title)
    requirement.save()
    return requirement


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_home_shows_live_figures_and_newest_requirements(client, language):
    rows(title="钙钛矿靶材", lines=["靶材"])

    page = client.get("/", headers={"accept-language": language}).content.decode()

    assert "钙钛矿靶材" in page
    assert ("正在征集的需求" in page) is (language == "zh-hans")


def test_home_and_inbox_date_an_event_by_the_day_it_has_here_not_in_greenwich(client):
    begins = (timezone.localtime() + datetime.timedelta(days=14)).replace(hour=6, minute=30)
    event = EventFactory(starts_at=begins, ends_at=begins + datetime.timedelta(hours=8))
    organiser = OrganiserRoleFactory(body=event.host).user
    tile = f"<b>{begins.day}</b>"

    home = client.get("/").content.decode()
    client.force_login(organiser)
    inbox = client.get(reverse("matchmaking:inbox")).content.decode()

    assert home.count(tile) == 2  # the next one, and among what is on
    assert tile in inbox


def test_home_without_anything_says_so(client):
    assert "Nothing is open at the moment" in client.get("/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_requirement_list_asks_as_many_queries_for_one_row_as_for_three(
    client, django_assert_num_queries, count
):
    for _ in range(count):
        rows(lines=["a", "b"])
    client.get(
        reverse("matchmaking:requirement_list")
    )  # warms nothing that counts: the key changes with the address

    with django_assert_num_queries(4):
        answer = client.get(reverse("matchmaking:requirement_list") + f"?sort=newest&n={count}")

    assert answer.content.decode().count("<article>") == count


@pytest.mark.parametrize("count", [1, 3])
def test_enterprise_list_asks_as_many_queries_for_one_row_as_for_three(
    client, django_assert_num_queries, count
):
    for _ in range(count):
        CapabilityFactory()

    with django_assert_num_queries(16):
        client.get(reverse("matchmaking:enterprise_list"))


def test_requirement_list_shows_neither_drafts_nor_closed_ones_nor_those_under_embargo(client):
    shown = rows()
    rows(draft=True, title="a draft")
    rows(approved=True, title="approved", embargoed_until=timezone.now())
    rows(closes_on=timezone.localdate() - datetime.timedelta(days=1), title="over")

    page = client.get(reverse("matchmaking:requirement_list")).content.decode()

    assert "1 requirement" in page
    assert shown.title in page


def asked_for(leaf, at="330421", **fields):
    requirement = rows(region=region(at), **fields)
    RequirementLineFactory(requirement=requirement, number=1, category=leaf)
    return requirement


def tags_of(client, address):
    """By requirement the state of supply that its row shows."""
    page = client.get(address).content.decode()
    states = "No registered supplier|No local supplier|Single source|Tight|Covered|No data"
    return {
        re.search(r"/requirements/(\w{12})/", row)[1]: re.findall(f"</svg>({states})</span>", row)
        for row in re.findall("<article>.*?</article>", page, re.DOTALL)
    }


@pytest.mark.parametrize("address", ["/", "/requirements/"])
def test_rows_of_requirements_say_how_what_they_ask_for_is_supplied(client, address):
    Province.objects.update(gap_public=True)
    made, rare = Category.objects.filter(level=3, segment__chain__code="PV").order_by("pk")[:2]
    CapabilityFactory(categories=[made.code])
    near, far, alone = asked_for(made), asked_for(made, at="320507"), asked_for(rare)
    sells = asked_for(made, seeks="customer")

    assert tags_of(client, address) == {
        near.public_id: ["Single source"],
        # Suzhou's province has opened nothing.
        far.public_id: [],
        alone.public_id: ["No registered supplier"],
        sells.public_id: [],
    }

    client.force_login(OrganiserRoleFactory().user)

    assert tags_of(client, address)[far.public_id] == ["No local supplier"]
    detail = client.get(f"{reverse('matchmaking:requirement_list')}{far.public_id}/")
    assert "No local supplier" in detail.content.decode()


@pytest.mark.parametrize("address", ["/", "/requirements/"])
def test_rows_of_requirements_are_silent_on_supply_until_the_province_opens_it(client, address):
    leaf = Category.objects.filter(level=3, segment__chain__code="PV").order_by("pk")[0]
    row = asked_for(leaf)

    assert tags_of(client, address) == {row.public_id: []}

    client.force_login(OrganiserRoleFactory().user)
    assert tags_of(client, address) == {row.public_id: ["No registered supplier"]}

    client.force_login(MembershipFactory().user)
    assert tags_of(client, address) == {row.public_id: []}


def test_requirement_list_after_a_take_down_does_not_show_the_kept_page(client):
    requirement = rows(title="硅片切割液")
    address = reverse("matchmaking:requirement_list")
    assert requirement.title in client.get(address).content.decode()

    requirement.status, requirement.close_reason = "closed", "taken_down"
    requirement.save()
    changes.record("requirement", requirement, "closed")

    assert requirement.title not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("query", "title", "is_found"),
    [
        line.split("\t")[:3]
        for line in Path("tests/cases/search.tsv").read_text(encoding="utf-8").splitlines()[1:]
    ],
)
def test_requirement_list_finds_what_people_type(client, query, title, is_found):
    """cases/search.tsv, through the database."""
    requirement = RequirementFactory(title=title)
    categories = Category.objects.filter(name_zh__in=["接线盒", "光伏接线盒"])
    synonyms = [word for c in categories for word in [c.name_en, *c.synonyms_en]]
    requirement.search_text = searchtext.document(
        title, synonyms=synonyms if "接线盒" in title else []
    )
    requirement.save()

    page = client.get(reverse("matchmaking:requirement_list"), {"q": query}).content.decode()

    assert (reverse("matchmaking:requirement_detail", args=[requirement.public_id]) in page) is (
        is_found == "yes"
    )


def test_requirement_list_facet_counts_what_choosing_it_shows(client):
    rows(docking_kind_id="supply_sales")
    rows(docking_kind_id="rd_collab")
    rows(docking_kind_id="rd_collab")
    address = reverse("matchmaking:requirement_list")

    facets = client.get(address, {"kind": "supply_sales"}).content.decode()

    assert "1 requirement" in facets
    assert 'id="kind-rd_collab"' in facets
    assert client.get(address, {"kind": "rd_collab"}).content.decode().count("<article>") == 2


def test_requirement_list_counts_a_segment_also_where_another_line_has_none(client):
    category = Category.objects.filter(level=3).select_related("segment").first()
    requirement = rows(lines=["a line that nobody has placed"])
    RequirementLineFactory(
        requirement=requirement, number=2, category=category, segment=category.segment
    )
    address = reverse("matchmaking:requirement_list")

    page = client.get(address).content.decode()
    box = page.split(f'id="segment-{category.segment.code}"')[1].split("</div>")[0]

    assert '<span class="muted small tnum">1</span>' in box
    assert (
        client.get(address, {"segment": category.segment.code}).content.decode().count("<article>")
        == 1
    )


def test_requirement_list_facets_count_what_the_other_filters_leave(client):
    pv, lb = Chain.objects.get(code="PV"), Chain.objects.get(code="LB")
    rows(chain=pv, region=region("330421"), docking_kind_id="supply_sales")
    rows(chain=pv, region=region("330402"), docking_kind_id="rd_collab")
    rows(chain=lb, region=region("330421"), docking_kind_id="supply_sales")
    asked = RequestFactory().get("/", {"chain": "PV", "kind": "supply_sales", "region": "330400"})
    asked.user = AnonymousUser()

    facets, number = RequirementFilters(asked).facets()

    assert number == 1
    assert {facet.name: {c.value: c.count for c in facet.choices} for facet in facets} == {
        "chain": {"PV": 1, "LB": 1},
        "segment": {},
        "cooperation": {},
        "kind": {"supply_sales": 1, "rd_collab": 1},
        "region": {"330400": 1},
    }


@pytest.mark.parametrize(
    "query",
    [
        {"q": "…"},
        {"region": "460000"},
        {"chain": "H2", "cooperation": "framework", "kind": "rd_collab"},
        {"q": "100%", "closing": "7"},
    ],
)
def test_requirement_list_without_results_says_so(client, query):
    rows()

    page = client.get(reverse("matchmaking:requirement_list"), query)

    assert page.status_code == 200
    assert page.content.decode().count("<article>") == 0


def test_a_kept_page_is_not_shown_in_the_other_language(client):
    requirement = rows(chain=Chain.objects.get(code="PV"))
    address = reverse("matchmaking:requirement_list")
    english = client.get(address).content.decode()

    chinese = client.get(address, headers={"accept-language": "zh-hans"}).content.decode()

    assert requirement.chain.name_en in english
    assert requirement.chain.name_zh in chinese
    assert requirement.chain.name_en not in chinese


def test_a_kept_page_sees_a_fact_that_was_committed_late(client):
    """Ids are given before commit: a fact may appear below the newest one."""
    first = rows(title="甲")
    changes.record("requirement", first, "published")
    newest = Change.objects.create(noun="requirement", target=first.public_id, verb="published")
    Change.objects.filter(pk=newest.pk - 1).delete()
    address = reverse("matchmaking:requirement_list")
    assert "乙" not in client.get(address).content.decode()

    late = rows(title="乙")
    Change.objects.create(
        pk=newest.pk - 1, noun="requirement", target=late.public_id, verb="published"
    )

    assert "乙" in client.get(address).content.decode()


def test_enterprise_list_shows_a_renamed_enterprise_at_once(client):
    enterprise = EnterpriseFactory(name="示例甲厂", name_en="Demo Plant A")
    address = reverse("matchmaking:enterprise_list")
    assert "Demo Plant A" in client.get(address).content.decode()

    enterprise.name_en = "Demo Plant B"
    enterprise.save()
    changes.record("enterprise", enterprise, "edited")
    page = client.get(address).content.decode()

    assert "Demo Plant B" in page
    assert "Demo Plant A" not in page


def test_enterprise_list_neither_keeps_nor_counts_what_is_not_verified(client):
    EnterpriseFactory(name_en="Demo Open")
    EnterpriseFactory(name_en="Demo Pending", pending=True)

    page = client.get(reverse("matchmaking:enterprise_list"), {"kind": "enterprise"})

    assert "1 verified enterprise<" in page.content.decode()
    assert "Demo Pending" not in page.content.decode()


def test_enterprise_list_counts_chains_and_provinces_as_their_filters_find_them(client):
    solar = Category.objects.filter(level=3, chain__code="PV").first()
    battery = Category.objects.filter(level=3, chain__code="LB").first()
    both = EnterpriseFactory(region=region("330402"))
    for category in (solar, solar, battery):
        CapabilityFactory(enterprise=both).categories.set([category])
    CapabilityFactory(enterprise__region=region("440305")).categories.set([solar])
    CapabilityFactory(enterprise__pending=True).categories.set([solar])
    CapabilityFactory(enterprise=both, status="draft").categories.set([solar])
    filters = EnterpriseFilters(RequestFactory().get("/", {"region": "330400"}))

    shown = {facet.name: {c.value: c.count for c in facet.choices} for facet in filters.facets()}

    assert shown["chain"] == {"PV": 2, "LB": 1}
    assert shown["region"] == {"330000": 1, "440000": 1, "330400": 1}
    for name, value, count in (("chain", "PV", 2), ("region", "330000", 1)):
        page = client.get(reverse("matchmaking:enterprise_list"), {name: value}).content.decode()
        assert f"{count} verified enterprise" in page


def test_country_stands_for_the_place_of_an_enterprise_from_abroad(client):
    abroad = EnterpriseFactory(country="DE", scheme="other", number="HRB 1", region=None)
    EnterpriseFactory(region=region("330402"))

    rows = catalogue.enterprise_rows([abroad.pk])
    page = client.get(reverse("matchmaking:enterprise_list")).content.decode()
    detail = client.get(reverse("matchmaking:enterprise_detail", args=[abroad.public_id]))

    assert rows[0]["place"] in ("Germany", "德国")
    assert page.count(" · Germany") == 1
    assert " · Germany" in detail.content.decode()


def test_requirement_export_holds_every_line_and_no_contact(client):
    requirement = rows(lines=["=1+1", "玻璃"])
    Contact.objects.update(phone="000-0000-7777", name="Canary")

    answer = client.get(reverse("matchmaking:requirement_export", args=["csv"]))
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(body)))

    assert [row[6] for row in table[1:3]] == ["'=1+1", "玻璃"]
    assert requirement.title in body
    assert "000-0000-7777" not in body
    assert "Canary" not in body


def test_requirement_detail_of_a_draft_is_not_there_for_strangers(client):
    draft = rows(draft=True)
    owner = MembershipFactory(enterprise=draft.enterprise).user
    address = reverse("matchmaking:requirement_detail", args=[draft.public_id])

    assert client.get(address).status_code == 404

    client.force_login(owner)

    assert client.get(address).status_code == 200


def test_enterprise_detail_shows_only_verified_titles(client):
    enterprise = EnterpriseFactory()
    for code, status in (("little_giant", "verified"), ("high_tech", "claimed")):
        Qualification.objects.create(
            enterprise=enterprise,
            kind=QualificationKind.objects.get(code=code),
            valid_from=timezone.localdate(),
            status=status,
        )

    page = client.get(
        reverse("matchmaking:enterprise_detail", args=[enterprise.public_id])
    ).content.decode()

    assert QualificationKind.objects.get(code="little_giant").name_en in page
    assert QualificationKind.objects.get(code="high_tech").name_en not in page


def test_chain_map_shows_segments_with_counts_and_the_same_as_a_table(client):
    category = Category.objects.filter(level=3, segment__chain__code="PV")[0]
    CapabilityFactory(categories=[category.code])
    requirement = rows()
    RequirementLineFactory(
        requirement=requirement, number=1, category=category, segment=category.segment
    )

    page = client.get(
        reverse("matchmaking:chain_map", args=["PV"]) + "?region=330400"
    ).content.decode()

    assert page.count(category.segment.name_en) >= 2
    assert "The province shows the supply status to organisers only." in page


def test_inbox_lists_oldest_case_of_each_queue_for_the_nearest_desk(client):
    city = OrganiserRoleFactory()
    county = OrganiserRoleFactory(region=region("330421"))
    EnterpriseFactory(pending=True, name="示例甲")
    EnterpriseFactory(pending=True, name="示例乙", region=region("330402"))

    client.force_login(city.user)
    at_city = client.get(reverse("matchmaking:inbox")).content.decode()
    client.force_login(county.user)
    at_county = client.get(reverse("matchmaking:inbox")).content.decode()

    assert "Enterprises to verify" in at_city
    assert "1 case waits for a decision" in at_city
    assert "1 case waits for a decision" in at_county


def test_inbox_is_for_organisers(client):
    client.force_login(UserFactory())

    assert client.get(reverse("matchmaking:inbox")).status_code == 403


def test_search_finds_an_enterprise_by_any_spelling(client):
    enterprise = EnterpriseFactory(name="示例福莱特玻璃有限公司", name_en="Demo Flat Glass")
    enterprise.search_text = searchtext.document(
        "", names=[enterprise.name, enterprise.name_en, "Follett"]
    )
    enterprise.save()

    for query in ("福莱特", "follett", "flat glass", "fulaite"):
        page = client.get(reverse("matchmaking:search"), {"q": query}).content.decode()
        assert reverse("matchmaking:enterprise_detail", args=[enterprise.public_id]) in page, query


# What was typed → what the page marks of it, and what it says of where else it stands.
MARKED = [
    ("接线盒", "en", "光伏<mark>接线盒</mark> 1500 V", None),
    ("jiexianhe", "en", "光伏<mark>接线盒</mark> 1500 V", None),
    ("1500v", "en", "光伏接线盒 <mark>1500 V</mark>", None),
    ("接线合", "en", "光伏<mark>接线盒</mark> 1500 V", None),
    ("iec62790", "en", "光伏接线盒 1500 V", "Line 1: IP68，<mark>IEC 62790</mark>"),
    ("灌封", "zh-hans", "光伏接线盒 1500 V", "需求说明：<mark>灌封</mark> &lt;b&gt; 工艺"),
    ("junction", "en", "光伏接线盒 1500 V", "Category: PV <mark>junction</mark> boxes"),
    ("接线盒 灌封", "en", "光伏<mark>接线盒</mark> 1500 V", "Description: <mark>灌封</mark> &lt;b&gt; 工艺"),
    ("follett", "zh-hans", "示例福莱特玻璃有限公司", "又名：<mark>Follett</mark>"),
    ("fulaite", "zh-hans", "示例<mark>福莱特</mark>玻璃有限公司", None),
    ("浮法", "zh-hans", "示例福莱特玻璃有限公司", "简介：<mark>浮法</mark>玻璃"),
]  # fmt: skip


@pytest.fixture
def stocked():
    category = Category.objects.get(name_en="PV junction boxes")
    requirement = RequirementFactory(title="光伏接线盒 1500 V", text="灌封 <b> 工艺")
    RequirementLineFactory(
        requirement=requirement,
        number=1,
        text="IP68，IEC 62790",
        category=category,
    )
    texts = "\n".join([requirement.title, requirement.text, requirement.lines.get().text])
    requirement.search_text = searchtext.document(texts, synonyms=[category.name_en])
    requirement.save()
    enterprise = EnterpriseFactory(
        name="示例福莱特玻璃有限公司", name_en="", summary="浮法玻璃", summary_language="zh"
    )
    enterprise.aliases.create(text="Follett", normalised="follett", kind="en")
    enterprise.search_text = searchtext.document("浮法玻璃", names=[enterprise.name, "Follett"])
    enterprise.save()


def test_search_says_by_which_category_a_segment_was_found(client):
    page = client.get(
        reverse("matchmaking:search"), {"q": "灌封胶"}, headers={"accept-language": "zh-hans"}
    ).content.decode()

    chain_map = page[page.index('id="s"') :]
    assert "品类：<mark>灌封胶</mark>" in plain(chain_map)


def plain(html):
    """The text of a page with its marks, one space between words."""
    return re.sub(r"\s+", " ", re.sub(r"<(?!/?mark>)[^>]*>", "", html)).replace(" </", "</")


@pytest.mark.parametrize(("query", "language", "name", "passage"), MARKED)
def test_search_marks_what_was_found_and_says_where_else_it_stands(
    client, stocked, query, language, name, passage
):
    rows = (
        "enterprise_list" if "福莱特" in plain(name).replace("<mark>", "") else "requirement_list"
    )
    for where in ("search", rows):
        page = client.get(
            reverse(f"matchmaking:{where}"), {"q": query}, headers={"accept-language": language}
        ).content.decode()

        assert f">{name}</a>" in page
        rows_found = page.split('id="s"')[0]  # before the segments, which say their own
        said = re.findall(
            r'<span class="small d-block"><span class="muted">.*?</span></span>', rows_found
        )
        assert [plain(one) for one in said] == ([passage] if passage else [])


def test_lists_mark_the_words_in_their_headings_and_escape_the_rest(client):
    rows(title='a"b<i>接线盒')
    EnterpriseFactory(
        name="示例<b>接线盒",
        name_en="",
        search_text=searchtext.document("", names=["示例<b>接线盒"]),
    )
    asked = {"q": "接线盒"}

    requirements = client.get(reverse("matchmaking:requirement_list"), asked).content.decode()
    enterprises = client.get(reverse("matchmaking:enterprise_list"), asked).content.decode()

    assert "a&quot;b&lt;i&gt;<mark>接线盒</mark></a></h3>" in requirements
    assert "示例&lt;b&gt;<mark>接线盒</mark></a></h3>" in enterprises


def test_readyz_names_what_answers(client):
    assert client.get("/readyz").json() == {"database": "ok", "cache": "ok"}


def test_pages_carry_the_policy_and_stay_public(client):
    answer = client.get("/")

    assert "unsafe" not in answer["Content-Security-Policy"]
    assert Requirement.objects.count() == 0


def test_search_box_looks_for_slips_only_where_nothing_is_called_so(client):
    RequirementFactory(title="光伏接线盒", search_text=searchtext.document("光伏接线盒"))
    EnterpriseFactory(
        name="示例接线合有限公司", name_en="", search_text=searchtext.document("示例接线合有限公司")
    )
    address = reverse("matchmaking:search")

    exact = client.get(address, {"q": "接线合"}).content.decode()
    slip = client.get(address, {"q": "接线何"}).content.decode()

    pages = [page.replace("<mark>", "").replace("</mark>", "") for page in (exact, slip)]
    found = [("示例接线合有限公司" in page, "光伏接线盒" in page) for page in pages]
    assert found == [(True, False), (True, True)]


def test_search_box_proposes_at_most_eight_links_of_each_sort_some(client):
    for number in range(5):
        RequirementFactory(
            title=f"光伏接线盒 {number}", search_text=searchtext.document("光伏接线盒")
        )
        EnterpriseFactory(
            name=f"示例光伏{number}有限公司", search_text=searchtext.document(f"示例光伏{number}")
        )
    RequirementFactory(
        approved=True, title="光伏 Qembargo", search_text=searchtext.document("光伏 Qembargo")
    )
    EnterpriseFactory(
        pending=True, name="光伏 Qpending", search_text=searchtext.document("光伏 Qpending")
    )
    address = reverse("matchmaking:search_suggest")

    found = client.get(address, {"q": "光伏"}).content.decode()

    assert found.count('role="option"') == 8
    kinds = re.findall(r'<span class="tag line flex-shrink-0">(\w+)</span>', found)
    assert kinds == ["Chain", "Segment", "Segment", *["Enterprise"] * 3, *["Requirement"] * 2]
    assert "Qembargo" not in found
    assert "Qpending" not in found
    assert client.get(address, {"q": "x"}).content == b""
    assert b"<script" not in client.get(address, {"q": "<script>光伏"}).content


def test_cookie_that_holds_what_the_database_cannot_store_is_refused(client):
    hidden = {"Cookie": 'sessionid="' + "\\000" * 9 + '"'}
    assert client.get("/", headers=hidden).status_code == 400


@pytest.mark.parametrize(
    ("listing", "wrong", "right", "says"),
    [
        ("requirement_list", {"region": "999999"}, {"kind": "rd_collab"}, "Region: “999999”"),
        ("requirement_list", {"chain": "PW"}, {"kind": "rd_collab"}, "Chain: “PW”"),
        ("requirement_list", {"segment": "PV-XX"}, {"kind": "rd_collab"}, "Segment: “PV-XX”"),
        ("enterprise_list", {"region": "999999"}, {"kind": "university"}, "Region: “999999”"),
        (
            "enterprise_list",
            {"qualification": "great"},
            {"kind": "university"},
            "Qualification: “great”",
        ),
    ],
)
def test_list_says_what_filter_it_does_not_know_and_keeps_the_rest(
    client, listing, wrong, right, says
):
    wanted = (
        rows(docking_kind_id="rd_collab", title="Wanted"),
        EnterpriseFactory(kind_id="university"),
    )
    other = rows(title="Other"), EnterpriseFactory()
    shown, hidden = (pair[listing == "enterprise_list"].public_id for pair in (wanted, other))

    found = client.get(reverse(f"matchmaking:{listing}"), {**wrong, **right}).content.decode()

    assert f"{says} is not known here." in found
    assert shown in found
    assert hidden not in found
    known = client.get(reverse(f"matchmaking:{listing}"), right).content.decode()
    assert "is not known here" not in known


def test_list_knows_a_group_of_regions(client):
    row = rows(region=region("320507"))

    found = client.get(reverse("matchmaking:requirement_list"), {"region": "YRD"}).content.decode()

    assert row.public_id in found
    assert "is not known here" not in found


def test_saved_search_sheet_and_feed_leave_out_what_the_page_leaves_out(client):
    row = rows(docking_kind_id="rd_collab")
    asked = {"region": "999999", "kind": "rd_collab"}

    sheet = client.get(reverse("matchmaking:requirement_export", args=["csv"]), asked)
    feed = client.get(reverse("matchmaking:requirement_feed"), asked).content.decode()

    assert sheet.status_code == 200
    assert row.public_id in feed
    assert "999999" not in feed


def test_chain_map_of_a_region_that_is_not_known_says_so_and_shows_the_province(client):
    address = reverse("matchmaking:chain_map", args=["PV"])

    page = client.get(address, {"region": "999999"}).content.decode()

    assert "Region: “999999” is not known here." in page
    assert "is not known here" not in client.get(address, {"region": "330400"}).content.decode()


def test_event_list_says_what_filter_it_does_not_know_and_keeps_the_rest(client):
    wanted, other = EventFactory(chains=["PV"]), EventFactory(chains=["H2"])

    found = client.get("/events/", {"chain": "PV", "level": "galactic"}).content.decode()

    assert "Level: “galactic” is not known here." in found
    assert wanted.public_id in found
    assert other.public_id not in found
