from __future__ import annotations

import datetime
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.forms.requirement_facts import ProjectForm
from chains.models import Category, Contact, Mandate, Project, Requirement
from chains.models.base import new_public_id
from chains.services import requirement_drafts, requirements
from chains.services.requirement_writing import LineDraft
from chains.services.requirements import RemarkDraft
from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

CREATE = "/my/requirements/new/"


@pytest.fixture
def member(client):
    membership = MembershipFactory()
    client.force_login(membership.user)
    return membership


def posted(**changes):
    """What a browser sends for a requirement with one line; `changes` name fields with _ for -."""
    today = timezone.localdate()
    data = {
        "draft": new_public_id(),
        "title": "182 半片组件用接线盒",
        "project": "",
        "chain": "",
        "region": "330421",
        "region_q": "",
        "docking_kind": "supply_sales",
        "seeks": "supplier",
        "closes_on": (today + datetime.timedelta(days=10)).isoformat(),
        "answer_by_on": (today + datetime.timedelta(days=17)).isoformat(),
        "contact_policy": "accepted",
        "contact": "",
        "line": ["0"],
        "line-0-text": "三分体接线盒",
        "line-0-quantity": "1.2万",
        "line-0-unit": "套",
        "line-0-period": "year",
        "condition": [],
    }
    return data | changes


def url(name, requirement):
    return reverse(f"chains:{name}", args=[requirement.public_id])


# --- The form -----------------------------------------------------------------------------------------


def test_create_of_a_person_without_an_enterprise_leads_to_joining_one(client):
    client.force_login(UserFactory())

    response = client.get(CREATE)

    assert (response.status_code, response.url) == (302, "/join/")


def test_create_by_a_stranger_asks_to_sign_in(client):
    assert client.get(CREATE).url.startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("language", "title"), [("zh-hans", "发布需求"), ("en", "Post a requirement")]
)
def test_create_shows_the_ten_docking_kinds_by_family(client, member, language, title):
    client.cookies["django_language"] = language

    response = client.get(CREATE)

    assert response.status_code == 200
    assert f'<h1 class="mb-2">{title}</h1>' in response.text
    groups = response.context["form"].docking_groups()
    assert [len(choices) for _family, choices in groups] == [4, 3, 1, 1, 1]


def test_a_condition_of_a_line_with_a_mistake_is_no_mistake_itself(client, member):
    data = posted(submit="1") | {"line-0-quantity": "abc"}
    data |= {"condition": ["0"], "condition-0-kind": "capacity", "condition-0-strength": "must"}
    data |= {"condition-0-text": "50 万套/年", "condition-0-line": "1"}

    of_the_line = client.post(CREATE, data)
    of_none = client.post(CREATE, data | {"condition-0-line": "2"})

    assert "There are 1 lines." not in of_the_line.text
    assert "There are 1 lines." in of_none.text


def test_create_saves_a_draft_as_typed(client, member):
    leaf = Category.objects.filter(level=3).order_by("code")[0]
    data = posted(save="1") | {"line-0-category": leaf.name_en, "line-0-specification": "IP68"}
    data |= {"condition": ["0"], "condition-0-kind": "capacity", "condition-0-strength": "must"}
    data |= {"condition-0-text": "50 万套/年", "question_1": "Supplied before?"}

    response = client.post(CREATE, data)

    draft = Requirement.objects.get()
    assert response.url == url("requirement_edit", draft)
    assert (draft.status, draft.title, draft.region.code) == ("draft", data["title"], "330421")
    line = draft.lines.get()
    assert (line.quantity, line.unit.code, line.period, line.category, line.specification) == (
        12000,
        "set",
        "year",
        leaf,
        "IP68",
    )
    assert draft.conditions.get().parameter == {"value": 500000, "unit": "set"}
    assert draft.public_id == data["draft"]


def test_create_twice_by_a_double_click_makes_one_draft(client, member):
    data = posted(save="1")

    client.post(CREATE, data)
    second = client.post(CREATE, data)

    assert Requirement.objects.count() == 1
    assert second.url == url("requirement_edit", Requirement.objects.get())


def test_submit_with_a_new_project_and_a_new_contact_in_one_go(client, member):
    data = posted(submit="1", project="new", contact="new") | {
        "project-name": "三期组件产线",
        "project-amount": "3.2亿",
        "project-stage": "under_construction",
        "contact-name": "Purchasing desk",
        "contact-email": "desk@example.com",
    }

    response = client.post(CREATE, data)

    saved = Requirement.objects.get()
    assert response.url == f"/my/requirements/{saved.public_id}/"
    assert saved.status == "submitted"
    assert Project.objects.values_list("name", "amount_cents", "stage").get() == (
        "三期组件产线",
        32_000_000_000,
        "under_construction",
    )
    assert saved.contact == Contact.objects.get()


@pytest.mark.parametrize(
    ("typed", "chosen", "kept"),
    [
        ("EUR 20 million", "CNY", (2_000_000_000, "EUR")),
        ("$5m", "", (500_000_000, "USD")),
        ("3.2 亿元", "USD", (32_000_000_000, "CNY")),
        ("RMB 3.2 亿元", "", (32_000_000_000, "CNY")),
        ("¥320,000,000 元", "", (32_000_000_000, "CNY")),
        ("320 million yuan", "", (32_000_000_000, "CNY")),
        ("5000 万元人民币", "", (5_000_000_000, "CNY")),
        ("2000 万美元", "CNY", (2_000_000_000, "USD")),
        ("４00,000", "JPY", (40_000_000, "JPY")),
        ("", "EUR", (None, "EUR")),
    ],
)
def test_investment_in_the_currency_that_is_named(typed, chosen, kept):
    said = {"name": "P", "amount": typed, "currency": chosen, "stage": "planned"}
    form = ProjectForm(said)

    assert form.is_valid(), form.errors
    fields = form.fields_of_project()
    assert (fields["amount_cents"], fields["currency"]) == kept


def test_submit_with_faults_names_each_and_keeps_what_was_typed(client, member):
    today = timezone.localdate().isoformat()
    data = posted(submit="1", title="", closes_on=today) | {
        "line": ["0", "4"],
        "line-0-quantity": "1-2",
        "line-4-text": "智能接线盒",
        "line-4-category": "no such thing at all",
        "condition": ["1"],
        "condition-1-kind": "certification",
        "condition-1-strength": "must",
        "condition-1-text": "ISO 9001 和 IATF 16949",
    }

    response = client.post(CREATE, data)

    assert response.status_code == 422
    assert [where for where, _sentence in response.context["faults"]] == [
        "id_title",
        "id_closes_on",
        "id_line-0-quantity",
        "id_line-4-category",
        "id_condition-1-text",
        "id_contact-name",
        "id_contact-phone",
    ]
    for value in ("智能接线盒", "no such thing at all", "ISO 9001 和 IATF 16949", "1-2"):
        assert f'value="{value}"' in response.text
    for where, _sentence in response.context["faults"]:
        assert f'id="{where}"' in response.text
    assert not Requirement.objects.exists()


def test_category_that_is_not_known_offers_candidates_to_tick(client, member):
    response = client.post(CREATE, posted(save="1") | {"line-0-category": "接线"})

    offered = re.findall(r'name="line-0-picked" value="([^"]+)"', response.text)
    assert response.status_code == 422
    assert offered
    ticked = posted(save="1") | {"line-0-category": "接线", "line-0-picked": [offered[0]]}
    client.post(CREATE, ticked)
    assert Requirement.objects.get().lines.get().category.code == offered[0]


def test_add_and_remove_rows_without_javascript_keep_everything_typed(client, member):
    data = posted(title="") | {"line": ["0", "7"], "line-7-text": "B"}

    added = client.post(CREATE, data | {"add": "line"})
    removed = client.post(CREATE, data | {"remove": "line-0"})
    condition = client.post(CREATE, data | {"add": "condition"})

    assert re.findall(r'name="line" value="(\d+)"', added.text) == ["0", "7", "8"]
    assert re.findall(r'name="line" value="(\d+)"', removed.text) == ["7"]
    assert 'value="B"' in removed.text
    assert re.findall(r'name="condition" value="(\d+)"', condition.text) == ["0"]
    for response in (added, removed, condition):
        assert response.status_code == 200
        assert "is-invalid" not in response.text
    assert not Requirement.objects.exists()


def test_row_for_htmx_has_the_next_index(client, member):
    response = client.get("/my/requirements/rows/?kind=line&line=0&line=4")

    assert re.findall(r'name="line" value="(\d+)"', response.text) == ["5"]
    assert "Line 3" in response.text
    assert client.get("/my/requirements/rows/?kind=nothing").status_code == 400


def test_region_search_button_brings_regions_to_choose_from(client, member):
    response = client.post(CREATE, posted(region="", region_q="jiashan", region_find="1"))

    assert response.status_code == 200
    assert 'name="region" value="330421"' in response.text
    assert "is-invalid" not in response.text


def test_two_hundred_lines_are_shown_and_saved(client, member):
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        lines=[LineDraft(text=f"Part {n}") for n in range(1, 201)],
    )
    data = posted(save="1", line=[str(n) for n in range(200)])
    for n in range(200):
        for name, value in (("text", f"Part {n}"), ("quantity", str(n + 1)), ("unit", "piece")):
            data[f"line-{n}-{name}"] = value

    page = client.get(url("requirement_edit", draft))
    response = client.post(url("requirement_edit", draft), data)

    assert page.text.count('data-row><input type="hidden" name="line"') == 200
    assert response.status_code == 302
    assert draft.lines.count() == 200
    assert draft.lines.get(number=200).quantity == 200


@pytest.mark.parametrize("count", [1, 3])
def test_edit_asks_the_same_number_of_queries_for_any_number_of_lines(
    client, member, django_assert_num_queries, count
):
    leaf = Category.objects.filter(level=3)[0]
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        lines=[LineDraft(text=f"Part {n}", category=leaf) for n in range(count)],
    )

    with django_assert_num_queries(22):
        client.get(url("requirement_edit", draft))


def test_edit_keeps_the_identity_of_lines(client, member):
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        lines=[LineDraft(text="A"), LineDraft(text="B")],
    )
    second = draft.lines.get(number=2)

    client.post(
        url("requirement_edit", draft),
        posted(save="1") | {"line-0-public_id": second.public_id, "line-0-text": "B2"},
    )

    assert list(draft.lines.values_list("pk", "text")) == [(second.pk, "B2")]


def test_edit_of_another_enterprise_is_not_found(client, member):
    draft = RequirementFactory(draft=True)

    for name in ("edit", "close", "delete", "history"):
        assert client.get(url(f"requirement_{name}", draft)).status_code == 404
    for name in ("submit", "copy"):
        assert client.post(url(f"requirement_{name}", draft)).status_code == 404


def test_edit_with_a_mandate_posts_for_the_member(client):
    association = MembershipFactory(enterprise__kind_id="association")
    enterprise = EnterpriseFactory()
    Mandate.objects.create(association=association.enterprise, member=enterprise, status="active")
    client.force_login(association.user)
    page = client.get(CREATE)

    client.post(CREATE, posted(save="1") | {"for": enterprise.public_id})

    assert f'<option value="{enterprise.public_id}"' in page.text
    assert Requirement.objects.values_list("enterprise", "posted_by").get() == (
        enterprise.pk,
        association.enterprise.pk,
    )


def test_pending_enterprise_sees_no_submit_button_and_cannot_submit_by_hand(client):
    pending = MembershipFactory(enterprise__pending=True)
    contact = ContactFactory(enterprise=pending.enterprise)
    client.force_login(pending.user)

    page = client.get(CREATE)
    response = client.post(CREATE, posted(submit="1", contact=contact.public_id))

    assert 'name="submit"' not in page.text
    assert response.status_code == 403
    assert not Requirement.objects.exists()


def test_amend_of_a_published_one_takes_effect_at_once(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["A"])
    line = requirement.lines.get()
    data = posted(amend="1", contact=requirement.contact.public_id) | {
        "line-0-public_id": line.public_id,
        "line-0-text": "A amended",
    }

    page = client.get(url("requirement_edit", requirement))
    response = client.post(url("requirement_edit", requirement), data)

    assert "marked as amended" in page.text
    assert response.url == f"/my/requirements/{requirement.public_id}/"
    line.refresh_from_db()
    requirement.refresh_from_db()
    assert (line.text, requirement.status) == ("A amended", "published")
    assert requirement.amended_at is not None


def test_returned_one_shows_the_last_remarks_only(client, member):
    organiser = OrganiserRoleFactory().user
    requirement = RequirementFactory(submitted=True, enterprise=member.enterprise, lines=["A"])
    line = requirement.lines.get()
    for text in ("first round", "second round"):
        requirements.return_(
            requirement=requirement,
            by=organiser,
            remarks=[RemarkDraft(text=text, line=line), RemarkDraft(code="dates")],
        )
        page = client.get(url("requirement_edit", requirement))
        requirements.submit(requirement=requirement, by=member.user)

    assert "second round" in page.text
    assert "first round" not in page.text
    assert "The dates leave suppliers too little time" in page.text


# --- Endings ------------------------------------------------------------------------------------------


def test_submit_button_of_an_incomplete_draft_leads_back_to_the_form(client, member):
    draft = requirement_drafts.save(enterprise=member.enterprise, by=member.user, title="X")

    response = client.post(url("requirement_submit", draft), follow=True)

    assert response.redirect_chain == [(url("requirement_edit", draft), 302)]
    assert "Enter at least one line." in response.text


def test_close_asks_first_and_withdraws_then(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise)

    client.get(url("requirement_close", requirement))
    requirement.refresh_from_db()
    assert requirement.status == "published"
    unsaid = client.post(url("requirement_close", requirement), {"note": "Found one"})
    requirement.refresh_from_db()
    assert (unsaid.status_code, requirement.status) == (422, "published")
    assert "Say how it ended." in unsaid.text
    assert 'value="Found one"' in unsaid.text
    said = {"note": "Found one", "outcome": "elsewhere"}
    client.post(url("requirement_close", requirement), said)

    requirement.refresh_from_db()
    assert (requirement.close_reason, requirement.close_note) == ("withdrawn", "Found one")
    assert requirement.close_outcome == "elsewhere"


def test_delete_asks_first_and_removes_the_draft_then(client, member):
    draft = requirement_drafts.save(enterprise=member.enterprise, by=member.user, title="X")

    client.get(url("requirement_delete", draft))
    assert Requirement.objects.exists()
    client.post(url("requirement_delete", draft))

    assert not Requirement.objects.exists()


def test_copy_leads_to_the_new_draft(client, member):
    requirement = RequirementFactory(
        enterprise=member.enterprise, lines=["A"], status="closed", close_reason="expired"
    )

    response = client.post(url("requirement_copy", requirement))

    draft = Requirement.objects.get(status="draft")
    assert response.url == url("requirement_edit", draft)


def test_history_names_roles_and_no_person(client, member):
    organiser = OrganiserRoleFactory().user
    requirement = RequirementFactory(submitted=True, enterprise=member.enterprise, lines=["A"])
    requirements.return_(
        requirement=requirement, by=organiser, remarks=[RemarkDraft(text="Say more")]
    )
    requirements.submit(requirement=requirement, by=member.user)
    requirements.approve(requirement=requirement, by=organiser)

    response = client.get(url("requirement_history", requirement))

    assert [(e.what, e.who) for e in response.context["events"]] == [
        ("Published", "the desk"),
        ("Approved", "the desk"),
        ("Submitted", "the enterprise"),
        ("Returned", "the desk"),
    ]
    assert "Say more" in response.text
    assert organiser.email not in response.text
    client.force_login(organiser)
    assert client.get(url("requirement_history", requirement)).status_code == 200


# --- Two tabs -----------------------------------------------------------------------------------------


def as_shown(client, page):
    """What the browser would send back unchanged, hidden fields and all."""
    posting = page.context["posting"]
    data = {"seen": page.context["seen"], "line": [], "condition": []}
    for bound in (bound for form in (posting.form, *posting.lines) for bound in form):
        value = bound.value()
        if bound.name == "region":  # a row, or as it was typed
            value = value["code"] if isinstance(value, dict) else getattr(value, "code", value)
        if value not in (None, False):
            data[bound.html_name] = value
    data["line"] = [str(row.index) for row in posting.lines]
    return data


@pytest.mark.parametrize("state", [{"draft": True}, {}])
def test_a_save_from_a_second_tab_never_undoes_the_first(client, member, state):
    requirement = RequirementFactory(enterprise=member.enterprise, title="接线盒", **state)
    first, second = (
        requirement.lines.create(number=n, text=text) for n, text in ((1, "边框"), (2, "接线盒"))
    )
    address = url("requirement_edit", requirement)
    tab_1 = as_shown(client, client.get(address))
    tab_2 = as_shown(client, client.get(address)) | {"title": "接线盒与边框"}

    saved = client.post(address, tab_1 | {"save": "1", "line-1-specification": "IP68"})
    refused = client.post(address, tab_2 | {"save": "1"})

    second.refresh_from_db()
    requirement.refresh_from_db()
    assert (saved.status_code, refused.status_code) == (302, 422)
    assert (second.specification, requirement.title) == ("IP68", "接线盒")
    assert refused.context["meanwhile"] == ["Line 2 · Specification: “IP68” now"]
    assert 'value="接线盒与边框"' in refused.text  # what was typed is kept

    # Knowing it, the person may save all the same.
    again = client.post(address, tab_2 | {"save": "1", "seen": refused.context["seen"]})
    requirement.refresh_from_db()
    second.refresh_from_db()
    assert (again.status_code, requirement.title, second.specification) == (
        302,
        "接线盒与边框",
        "",
    )
    assert list(requirement.lines.open()) == [first, second]


def test_a_second_tab_reads_which_lines_and_fields_changed(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise, title="接线盒")
    for number, text in ((1, "边框"), (2, "接线盒"), (3, "焊带")):
        requirement.lines.create(number=number, text=text)
    address = url("requirement_edit", requirement)
    old = as_shown(client, client.get(address))
    lines = requirement.lines.in_bulk(field_name="pk").values()
    drafts = [LineDraft(public_id=row.public_id, text=row.text) for row in lines if row.number < 3]

    requirements.amend(
        requirement=requirement,
        title="光伏辅材",
        lines=[*drafts, LineDraft(text="背板")],
        by=member.user,
    )
    refused = client.post(address, old | {"amend": "1"})

    assert refused.context["meanwhile"] == [
        "Title: “光伏辅材” now",
        "Line 3, “背板”, is not among yours. Saved again, it is taken out.",
        "“焊带” has ended or was removed. Saved again, it becomes a new line.",
    ]


def test_the_seal_is_kept_while_rows_are_added_and_mistakes_put_right(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise, title="接线盒", draft=True)
    requirement.lines.create(number=1, text="边框")
    address = url("requirement_edit", requirement)
    old = as_shown(client, client.get(address))
    requirement_drafts.save(
        enterprise=member.enterprise, requirement=requirement, title="铝边框", by=member.user
    )

    with_row = client.post(address, old | {"add": "line"})
    with_fault = client.post(address, old | {"submit": "1", "title": ""})

    assert with_row.context["seen"] == with_fault.context["seen"] == old["seen"]


def test_a_desk_that_ticks_an_amendment_off_refuses_nobody(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise, title="接线盒")
    requirement.lines.create(number=1, text="边框")
    address = url("requirement_edit", requirement)
    old = as_shown(client, client.get(address))
    Requirement.objects.filter(pk=requirement.pk).update(updated_at=timezone.now())

    assert client.post(address, old | {"amend": "1"}).status_code == 302


def test_a_draft_published_meanwhile_is_not_amended_unseen(client, member):
    requirement = RequirementFactory(enterprise=member.enterprise, title="接线盒", draft=True)
    requirement.lines.create(number=1, text="边框")
    address = url("requirement_edit", requirement)
    old = as_shown(client, client.get(address))
    Requirement.objects.filter(pk=requirement.pk).update(
        status="published", submitted_at=timezone.now(), published_at=timezone.now()
    )

    refused = client.post(address, old | {"save": "1", "title": "unfinished"})

    assert refused.context["meanwhile"] == [
        "The desk has accepted it: what you save is shown to everybody at once."
    ]
    assert Requirement.objects.get().title == "接线盒"


def test_lines_are_split_merged_and_changed_at_once_and_nothing_typed_is_lost(client, member):
    """One scene: two products in one line part, the same product adds up, conditions stay with their line."""
    data = posted(
        line=["0", "1", "2"],
        condition=["0"],
        **{
            "line-0-text": "接线盒、连接器",
            "line-1-text": "EVA 胶膜",
            "line-1-quantity": "1,000",
            "line-1-unit": "卷",
            "line-2-text": "eva 胶膜",
            "line-2-quantity": "500",
            "line-2-unit": "卷",
            "line-2-specification": "0.5 mm",
            "condition-0-kind": "lead_time",
            "condition-0-strength": "must",
            "condition-0-text": "20 天",
            "condition-0-line": "3",
        },
    )

    def rows(page):
        posting = page.context["posting"]
        assert not page.context["faults"]
        return [
            [row[name].value() for name in ("text", "quantity", "unit", "specification")]
            for row in posting.lines
        ], [row["line"].value() for row in posting.conditions]

    def typed(page):
        """What the browser would send of the page that came back."""
        posting = page.context["posting"]
        sent = {"line": [str(row.index) for row in posting.lines]}
        for row in posting.lines:
            sent |= {f"{row.prefix}-{n}": row[n].value() or "" for n in names}
        return data | sent | {"condition-0-line": posting.conditions[0]["line"].value()}

    names = ("text", "quantity", "unit", "period", "specification", "needed_by_on", "category")
    parted = client.post(CREATE, data | {"split": "line-0"})
    lines, places = rows(parted)
    assert [line[0] for line in lines] == ["接线盒", "连接器", "EVA 胶膜", "eva 胶膜"]
    assert [line[1] for line in lines[:2]] == ["1.2万", "1.2万"]
    assert places == ["4"]

    merged = client.post(CREATE, typed(parted) | {"merge": "1", "marked": ["1", "2"]})
    lines, places = rows(merged)
    assert lines[2:] == [["EVA 胶膜", "1500", "卷", "0.5 mm"]]
    assert places == ["3"]

    filled = client.post(
        CREATE, typed(merged) | {"bulk": "1", "all-unit": "套", "marked": ["0", "3"]}
    )
    assert [line[2] for line in rows(filled)[0]] == ["套", "套", "卷"]
    all_of_them = client.post(CREATE, typed(filled) | {"bulk": "1", "all-period": "month"})
    assert {row["period"].value() for row in all_of_them.context["posting"].lines} == {"month"}

    client.post(CREATE, typed(all_of_them) | {"save": "1"})
    saved = Requirement.objects.get()
    assert list(saved.lines.order_by("number").values_list("text", "period")) == [
        ("接线盒", "month"),
        ("连接器", "month"),
        ("EVA 胶膜", "month"),
    ]
    assert saved.conditions.get().line.text == "EVA 胶膜"


def test_lines_that_are_published_are_split_and_merged_too(client, member):
    """The first keeps its matches, what is parted from it is a new line, what was taken in is withdrawn."""
    texts = ["接线盒、连接器", "EVA 胶膜", "eva 胶膜"]
    requirement = RequirementFactory(enterprise=member.enterprise, lines=texts)
    first, second, third = requirement.lines.order_by("number")
    address = url("requirement_edit", requirement)

    shown = as_shown(client, client.get(address))
    parted = as_shown(client, client.post(address, shown | {"split": "line-0"}))
    marked = [one for one in parted["line"] if "胶膜" in parted[f"line-{one}-text"]]
    merged = as_shown(client, client.post(address, parted | {"merge": "1", "marked": marked}))
    # Neither of the two said how much: neither does the one.
    assert client.post(address, merged | {"amend": "1"}).status_code == 302

    rows = {row.pk: (row.text, row.status) for row in requirement.lines.all()}
    (fresh,) = rows.keys() - {first.pk, second.pk, third.pk}
    assert rows == {
        first.pk: ("接线盒", "open"),
        fresh: ("连接器", "open"),
        second.pk: ("EVA 胶膜", "open"),
        third.pk: ("eva 胶膜", "withdrawn"),
    }


def test_merging_different_units_keeps_the_other_figure_in_words(client, member):
    data = posted(
        line=["0", "1"],
        marked=["0", "1"],
        merge="1",
        **{"line-1-text": "三分体接线盒", "line-1-quantity": "20", "line-1-unit": "箱"},
    )

    (row,) = client.post(CREATE, data).context["posting"].lines

    assert (row["quantity"].value(), row["unit"].value()) == ("1.2万", "套")
    assert row["specification"].value() == "20 箱"


def test_merging_leaves_figures_that_can_be_read_in_two_ways_as_they_were_typed(client, member):
    """Half a ton and one and a half are no 20."""
    data = posted(
        line=["0", "1"],
        marked=["0", "1"],
        merge="1",
        **{
            "line-0-quantity": "1,5",
            "line-1-text": "三分体接线盒",
            "line-1-quantity": "0,5",
            "line-1-unit": "套",
        },
    )

    (row,) = client.post(CREATE, data).context["posting"].lines

    assert (row["quantity"].value(), row["specification"].value()) == ("1,5", "0,5 套")


@pytest.mark.parametrize("figure", ["sNaN", "1e999999", "9e9999999999", "-1"])
def test_merging_adds_up_nothing_but_plain_figures(client, member, figure):
    big = "9" * 5000  # more digits than Python reads as a number
    data = posted(
        line=["0", "1", big],
        marked=["0", "1"],
        merge="1",
        condition=["0", big],
        **{"line-1-text": "三分体接线盒", "line-1-quantity": figure, "condition-0-line": big},
    )

    (row,) = client.post(CREATE, data).context["posting"].lines

    assert row["quantity"].value() == "1.2万"
    assert row["specification"].value().startswith(figure)
