from __future__ import annotations

import datetime
import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chains import calendar
from chains.models import (
    AuditEntry,
    CertificationKind,
    Enterprise,
    Evidence,
    Membership,
    Province,
    Qualification,
    QualificationKind,
)
from chains.services import enterprises
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
    uscc,
)

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n%%EOF\n"


def licence(content=PDF, name="licence.pdf"):
    return SimpleUploadedFile(name, content)


def text_of(response):
    return response.content.decode()


def sign_in(client, user, language="en"):
    client.force_login(user)
    client.cookies["django_language"] = {"en": "en", "zh": "zh-hans"}[language]
    return client


@pytest.fixture
def member(client):
    membership = MembershipFactory()
    sign_in(client, membership.user)
    return membership


@pytest.fixture
def waiting():
    """An enterprise that waits, with its owner and its licence."""
    return enterprises.register(
        name="示例麦田智能盒有限公司",
        name_en="Demo Millfield Smart Box",
        number=uscc(7001),
        region=region("330421"),
        licence=licence(),
        by=UserFactory(email="boss@millfield.example"),
    )


# --- Joining ------------------------------------------------------------------------------------------


def test_join_unknown_number_goes_on_to_the_details(client):
    sign_in(client, UserFactory())

    answer = client.post(
        reverse("chains:enterprise_join"), {"scheme": "uscc", "uscc": uscc(7001).lower()}
    )

    assert answer.status_code == 302
    assert answer["Location"] == (
        f"{reverse('chains:enterprise_register')}?scheme=uscc&country=CN&number={uscc(7001)}"
    )


def test_join_known_number_leads_to_a_request(client):
    enterprise = EnterpriseFactory()
    sign_in(client, UserFactory())

    answer = client.post(
        reverse("chains:enterprise_join"), {"scheme": "uscc", "uscc": enterprise.number}
    )

    assert answer["Location"] == reverse("chains:join_request", args=[enterprise.public_id])


def test_join_doubtful_number_is_asked_about_and_kept_on_the_second_try(client):
    sign_in(client, UserFactory())
    number = uscc(7001)[:17] + "0"
    url = reverse("chains:enterprise_join")

    first = client.post(url, {"scheme": "uscc", "uscc": number})
    second = client.post(url, {"scheme": "uscc", "uscc": number, "confirmed": number})
    other = client.post(url, {"scheme": "uscc", "uscc": number[:16] + "00", "confirmed": number})

    assert first.status_code == 200
    assert f'name="confirmed" value="{number}"' in text_of(first)
    assert second["Location"].endswith(f"number={number}&confirmed=1")
    assert other.status_code == 200  # confirmed was another number


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"scheme": "uscc"}, "Enter the number of the body."),
        ({"scheme": "foreign", "local_number": "NO 1"}, "Choose the country or region."),
        ({"scheme": "foreign", "country": "NO"}, "Enter the number of the body."),
        ({"uscc": ""}, "This field is required."),
    ],
)
def test_join_without_an_answer_says_what_to_do(client, data, message):
    sign_in(client, UserFactory())

    answer = client.post(reverse("chains:enterprise_join"), data)

    assert message in text_of(answer)


def test_register_proposes_the_region_of_the_number(client):
    sign_in(client, UserFactory())

    answer = client.get(
        reverse("chains:enterprise_register"), {"scheme": "uscc", "number": uscc(7001, "330421")}
    )

    assert (
        '<input class="form-check-input" type="radio" id="r_region_330421" name="region"'
        ' value="330421" checked>'
    ) in text_of(answer)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"scheme": "uscc", "number": "123"},
        {"scheme": "uscc", "number": uscc(1)[:17] + "0"},
        {"scheme": "other", "country": "NORWAY"},
        {"scheme": "foreign", "country": "CN", "number": "1"},
    ],
)
def test_register_without_a_number_goes_back(client, query):
    sign_in(client, UserFactory())

    answer = client.get(reverse("chains:enterprise_register"), query)

    assert answer["Location"] == reverse("chains:enterprise_join")


def details(**fields):
    return {
        "name": "示例麦田智能盒有限公司",
        "kind": "enterprise",
        "region": "330421",
        "summary": "生产智能接线盒",
        "licence": licence(),
    } | fields


def test_register_creates_the_enterprise_and_shows_that_it_waits(client):
    user = UserFactory()
    sign_in(client, user)
    url = reverse("chains:enterprise_register") + f"?scheme=uscc&country=CN&number={uscc(7001)}"

    answer = client.post(url, details(), follow=True)

    enterprise = Enterprise.objects.get(number=uscc(7001))
    assert answer.redirect_chain == [
        (reverse("chains:enterprise_status", args=[enterprise.public_id]), 302)
    ]
    assert (enterprise.status, enterprise.summary_language) == ("pending", "zh")
    assert "is being checked by the administrator since" in text_of(answer)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"licence": ""}, "This field is required."),
        ({"licence": licence(b"<html>")}, "This file is not one of: PDF, PNG, JPEG."),
        ({"region": "", "region_q": "qqqxqq"}, "No region is called this."),
        ({"region": "", "region_q": "jiaxing"}, ""),
        ({"region": "330000"}, "not the whole province"),
        ({"region": "", "region_q": "chaoyang"}, "Several regions are called this."),
        ({"region_find": "1", "region_q": "jiashan"}, "Choose one of the regions found"),
        ({"website": "not a site"}, "Enter a valid URL."),
    ],
)
def test_register_keeps_what_was_typed_and_says_what_is_wrong(client, fields, message):
    sign_in(client, UserFactory())
    url = reverse("chains:enterprise_register") + f"?scheme=uscc&country=CN&number={uscc(7001)}"

    answer = client.post(url, details(**fields))

    if not message:
        assert Enterprise.objects.get(number=uscc(7001)).region.code == "330400"
        return
    assert message in text_of(answer)
    assert not answer.context["form"].non_field_errors()
    assert not Enterprise.objects.filter(number=uscc(7001)).exists()
    assert "生产智能接线盒" in text_of(answer)


def test_register_in_a_second_tab_leads_to_what_is_ones_own_already(client):
    own = MembershipFactory()
    sign_in(client, own.user)
    number = own.enterprise.number

    typed = client.post(reverse("chains:enterprise_join"), {"scheme": "uscc", "uscc": number})
    sent = client.post(
        reverse("chains:enterprise_register") + f"?scheme=uscc&number={number}",
        {"name": "x", "kind": "enterprise", "region": "330421", "licence": licence()},
    )

    status = reverse("chains:enterprise_status", args=[own.enterprise.public_id])
    assert (typed.url, sent.url) == (status, status)


def test_enter_in_the_form_of_registration_sends_it(client):
    sign_in(client, UserFactory())

    page = client.get(reverse("chains:enterprise_register") + f"?scheme=uscc&number={uscc(7)}").text

    form = page[page.index('enctype="multipart/form-data"') :]
    first = form[form.index("<button") :].partition("</button>")[0]
    assert first.endswith(">Send to the desk")


def test_register_taken_meanwhile_leads_to_the_request(client):
    sign_in(client, UserFactory())
    enterprise = EnterpriseFactory(number=uscc(7001))
    url = reverse("chains:enterprise_register") + f"?scheme=uscc&country=CN&number={uscc(7001)}"

    answer = client.post(url, details())

    assert answer["Location"] == reverse("chains:join_request", args=[enterprise.public_id])
    assert Enterprise.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "where", "shown"),
    [
        ("verified", "330106", True),
        ("pending", "330421", True),
        ("pending", "330106", False),
        ("pending", "320500", False),
        ("unclaimed", "320500", False),
        ("suspended", "320500", False),
    ],
)
def test_name_check_shows_what_the_reader_may_see(client, status, where, shown):
    known = EnterpriseFactory(name="示例麦田智能盒有限公司", status=status, region=region(where))
    enterprises._refresh(known)
    sign_in(client, OrganiserRoleFactory(region=region("330400")).user)

    answer = client.get(reverse("chains:name_check"), {"name": "示例麦田智能盒有限公司"})

    assert len(answer.context["near"]) == shown


def test_similar_names_warn_with_the_reason_and_refuse_nothing(client):
    sign_in(client, UserFactory())
    EnterpriseFactory(name="示例麦田智能盒集团有限公司", name_en="")
    known = Enterprise.objects.get()
    enterprises._refresh(known)

    warned = client.get(reverse("chains:name_check"), {"name": "示例麦田智能盒有限公司"})
    quiet = client.get(reverse("chains:name_check"), {"name": "示例远山轴承有限公司"})

    assert "the same name as a group or a works" in text_of(warned)
    assert text_of(quiet).strip() == ""


@pytest.mark.parametrize("query", ["嘉善", "jiashan", "Jiashan", "330421", "js嘉善"])
def test_region_search_in_every_spelling(client, query):
    sign_in(client, UserFactory())

    found = text_of(
        client.get(reverse("chains:region_search"), {"name": "region", "region_q": query})
    )

    assert ('value="330421"' in found) == (query != "js嘉善")


def test_join_request_waits_for_the_owners(client):
    owner = MembershipFactory()
    user = UserFactory()
    sign_in(client, user)
    url = reverse("chains:join_request", args=[owner.enterprise.public_id])

    client.post(url, {"role": "viewer"})
    answer = client.get(url)

    assert list(Membership.objects.filter(user=user).values_list("role", "status")) == [
        ("viewer", "requested")
    ]
    assert "You asked to join on" in text_of(answer)


# --- One's own page -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "title"), [("en", "What happens next"), ("zh", "接下来")])
def test_status_of_a_waiting_one_says_who_checks_and_until_when(
    client, waiting, language, title, settings
):
    OrganiserRoleFactory(
        region=region("330421"), body__name="示例嘉善经信局", body__name_en="Demo Jiashan Bureau"
    )
    Enterprise.objects.filter(pk=waiting.pk).update(
        submitted_at=datetime.datetime(2026, 11, 27, 2, tzinfo=datetime.UTC)
    )
    sign_in(client, waiting.memberships.get().user, language)

    page = text_of(client.get(reverse("chains:enterprise_status", args=[waiting.public_id])))

    assert title in page
    desk, day = {
        "en": ("Demo Jiashan Bureau", "2 Dec 2026"),
        "zh": ("示例嘉善经信局", "2026 年 12 月 2 日"),
    }[language]
    assert desk in page
    assert day in page


def test_status_of_a_returned_one_shows_the_reason_and_takes_the_correction(client, waiting):
    organiser = OrganiserRoleFactory().user
    enterprises.return_(enterprise=waiting, reason="The photo cuts off the code.", by=organiser)
    owner = waiting.memberships.get().user
    owner.forget_memberships()
    sign_in(client, owner)
    url = reverse("chains:enterprise_status", args=[waiting.public_id])

    shown = client.get(url)
    client.post(url, details(number=uscc(7001), licence=licence(name="again.pdf")))

    assert "The photo cuts off the code." in text_of(shown)
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert waiting.evidence.count() == 2


def test_owner_sees_states_hints_and_no_contact_details(client, member):
    enterprise = member.enterprise
    CapabilityFactory(enterprise=enterprise, status="draft")
    ContactFactory(enterprise=enterprise, phone="000-1111-2222", job_title="Sales director")
    Qualification.objects.create(
        enterprise=enterprise,
        kind=QualificationKind.objects.get(code="little_giant"),
        valid_from=datetime.date(2020, 1, 1),
        valid_until_on=datetime.date(2023, 1, 1),
        status="verified",
    )

    page = text_of(client.get(reverse("chains:enterprise_status", args=[enterprise.public_id])))

    assert "You see your page as its owner." in page
    assert "No capability is published" in page
    assert "Sales director" in page
    assert "000-1111-2222" not in page
    assert '<span class="tag line">Expired</span>' in page


@pytest.mark.parametrize("count", [1, 3])
def test_owner_page_queries_do_not_grow(client, member, count, django_assert_num_queries):
    for _turn in range(count):
        CapabilityFactory(enterprise=member.enterprise, categories=["PV-04-03"])
        ContactFactory(enterprise=member.enterprise)
    url = reverse("chains:enterprise_status", args=[member.enterprise.public_id])

    with django_assert_num_queries(20):
        client.get(url)


@pytest.mark.parametrize(
    "name",
    [
        "enterprise_status",
        "enterprise_edit",
        "member_list",
        "contact_edit",
        "qualification_claim",
        "certification_claim",
        "capability_create",
        "enterprise_case",
    ],
)
def test_stranger_finds_nothing(client, name):
    stranger = MembershipFactory()
    sign_in(client, stranger.user)
    enterprise = MembershipFactory().enterprise

    answer = client.get(reverse(f"chains:{name}", args=[enterprise.public_id]))

    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["contact_edit", "qualification_claim", "capability_create"])
def test_viewer_may_change_nothing(client, name):
    viewer = MembershipFactory(role="viewer")
    sign_in(client, viewer.user)
    url = reverse(f"chains:{name}", args=[viewer.enterprise.public_id])
    data = {
        "contact_edit": {"name": "A", "phone": "000-0000-0000"},
        "qualification_claim": {
            "kind": "little_giant",
            "valid_from": "2024-07-01",
            "evidence": licence(),
        },
        "capability_create": {"title_zh": "接线盒"},
    }[name]

    assert client.post(url, data).status_code == 403


def test_contact_is_added_changed_and_retired(client, member):
    url = reverse("chains:contact_edit", args=[member.enterprise.public_id])

    client.post(url, {"name": "Sales", "phone": "000-0000-0001"})
    contact = member.enterprise.contacts.get()
    client.post(f"{url}?contact={contact.public_id}", {"name": "Sales", "email": "s@example.com"})
    contact.refresh_from_db()
    client.post(url, {"retire": contact.public_id})

    assert (contact.phone, contact.email) == ("", "s@example.com")
    contact.refresh_from_db()
    assert contact.is_active is False
    data = AuditEntry.objects.filter(action__startswith="contact.").values_list("data", flat=True)
    assert len(data) == 3
    assert "000-0000-0001" not in str(list(data))


def test_contact_nobody_can_reach_is_refused(client, member):
    url = reverse("chains:contact_edit", args=[member.enterprise.public_id])

    answer = client.post(url, {"name": "Sales"})

    assert "Enter a phone number, an e-mail address or a WeChat name." in text_of(answer)
    assert not member.enterprise.contacts.exists()


def test_profile_of_a_second_tab_does_not_undo_the_first(client, member):
    url = reverse("chains:enterprise_edit", args=[member.enterprise.public_id])
    seen = client.get(url).context["seen"]
    mine = {"name_en": "", "address": "", "summary": "mine", "website": "", "seen": seen}

    client.post(url, mine | {"summary": "theirs"})
    refused = client.post(url, mine)
    member.enterprise.refresh_from_db()
    kept = member.enterprise.summary
    client.post(url, mine | {"seen": refused.context["seen"]})

    member.enterprise.refresh_from_db()
    assert (kept, member.enterprise.summary) == ("theirs", "mine")
    assert [*refused.context["form"].non_field_errors()][1] == "{label}: “theirs” now".format(
        label=refused.context["form"]["summary"].label
    )


def test_profile_is_edited(client, member):
    url = reverse("chains:enterprise_edit", args=[member.enterprise.public_id])

    client.post(url, {"name_en": "Demo Harbour", "summary": "Makes junction boxes."})

    member.enterprise.refresh_from_db()
    assert (member.enterprise.name_en, member.enterprise.summary_language) == ("Demo Harbour", "en")


# --- Files --------------------------------------------------------------------------------------------


def download(client, evidence):
    answer = client.get(reverse("chains:evidence_download", args=[evidence.public_id]))
    if answer.status_code == 200:
        content = b"".join(answer.streaming_content)
        assert content == PDF
    return answer


def test_suspended_enterprise_still_reads_its_own_evidence(client, waiting):
    evidence = waiting.evidence.get()
    Enterprise.objects.filter(pk=waiting.pk).update(status="suspended")

    assert download(sign_in(client, waiting.memberships.get().user), evidence).status_code == 200


def test_evidence_is_served_to_its_owner_and_its_desk_as_an_attachment(client, waiting):
    evidence = waiting.evidence.get()
    organiser = OrganiserRoleFactory().user

    owner = download(sign_in(client, waiting.memberships.get().user), evidence)
    logged_before = AuditEntry.objects.filter(action="evidence.viewed").count()
    desk = download(sign_in(client, organiser), evidence)

    for answer in (owner, desk):
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == 'attachment; filename="licence.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert logged_before == 0
    assert list(
        AuditEntry.objects.filter(action="evidence.viewed").values_list("actor", flat=True)
    ) == [organiser.pk]


@pytest.mark.parametrize("who", ["stranger", "viewer", "analyst", "elsewhere"])
def test_evidence_is_hidden_from_everybody_else(client, waiting, who):
    user = {
        "stranger": lambda: MembershipFactory().user,
        "viewer": lambda: MembershipFactory(enterprise=waiting, role="viewer").user,
        "analyst": lambda: OrganiserRoleFactory(role="analyst").user,
        "elsewhere": lambda: OrganiserRoleFactory(region=region("330100")).user,
    }[who]()

    assert download(sign_in(client, user), waiting.evidence.get()).status_code == 404


def test_evidence_asks_a_visitor_to_sign_in(client, waiting):
    evidence = waiting.evidence.get()

    answer = client.get(reverse("chains:evidence_download", args=[evidence.public_id]))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


# --- The desk -----------------------------------------------------------------------------------------


def test_case_shows_the_checks_and_verifies(client, waiting):
    organiser = OrganiserRoleFactory().user
    sign_in(client, organiser)
    url = reverse("chains:enterprise_case", args=[waiting.public_id])

    page = text_of(client.get(url))
    answer = client.post(url, {"do": "verify", "seen": waiting.updated_at.isoformat()})

    assert "1 enterprise to verify" in page
    assert "330421, as stated" in page
    assert "millfield.example" in page
    assert "boss@" not in page
    assert answer["Location"] == reverse("matchmaking:inbox")
    waiting.refresh_from_db()
    assert waiting.status == "verified"


def test_case_corrected_while_the_desk_looked_at_it_is_not_verified(client, waiting):
    owner = waiting.memberships.get().user
    sign_in(client, OrganiserRoleFactory().user)
    seen = waiting.updated_at.isoformat()
    enterprises.resubmit(enterprise=waiting, by=owner, name="示例另一家有限公司")

    url = reverse("chains:enterprise_case", args=[waiting.public_id])
    answers = [text_of(client.post(url, {"do": "verify", "seen": at})) for at in (seen, "", "x")]

    assert "has corrected its case meanwhile" in answers[0]
    assert "Load the form again" in answers[1]
    assert "Load the form again" in answers[2]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.name) == ("pending", "示例另一家有限公司")
    # Looked at again, it is.
    client.post(url, {"do": "verify", "seen": waiting.updated_at.isoformat()})
    waiting.refresh_from_db()
    assert waiting.status == "verified"


def test_case_goes_on_to_the_next_oldest(client, waiting):
    later = EnterpriseFactory(pending=True)
    EnterpriseFactory(pending=True, region=region("330106"))
    sign_in(client, OrganiserRoleFactory().user)

    answer = client.post(
        reverse("chains:enterprise_case", args=[waiting.public_id]),
        {"do": "return", "reason": "unreadable", "note": "Page 2 too."},
    )

    assert answer["Location"] == reverse("chains:enterprise_case", args=[later.public_id])
    waiting.refresh_from_db()
    assert waiting.return_reason == (
        "Licence not readable: upload the whole page, sharp and complete. Page 2 too."
    )


def test_case_return_without_a_reason_asks_for_one(client, waiting):
    sign_in(client, OrganiserRoleFactory().user)

    answer = client.post(
        reverse("chains:enterprise_case", args=[waiting.public_id]), {"do": "return"}
    )

    assert "Say what is missing; the enterprise reads it." in text_of(answer)


def test_case_of_ones_own_body_is_for_the_next_desk(client):
    role = OrganiserRoleFactory()
    sign_in(client, role.user)

    answer = client.post(
        reverse("chains:enterprise_case", args=[role.body.public_id]),
        {"do": "suspend", "note": "x"},
    )

    assert answer.status_code == 403
    assert "The next desk up decides." in text_of(answer)


def test_case_suspends_and_reinstates(client):
    enterprise = EnterpriseFactory()
    sign_in(client, AdministratorFactory())
    url = reverse("chains:enterprise_case", args=[enterprise.public_id])

    client.post(url, {"do": "suspend", "note": "Licence withdrawn."})
    enterprise.refresh_from_db()
    suspended = enterprise.status
    client.post(url, {"do": "reinstate"})
    enterprise.refresh_from_db()

    assert (suspended, enterprise.status) == ("suspended", "verified")


@pytest.mark.parametrize(
    ("language", "day", "shown"),
    [
        ("en", "2024-05-06", ["giant”", "ISO 9001 Quality management"]),
        ("zh", "2024-05-06", ["国家专精特新“小巨人”企业", "ISO 9001 质量管理体系"]),
        ("en", "2020-01-01", ["Nothing was held on 1 Jan 2020."]),
        ("en", "soon", ["Enter a valid date."]),
        ("zh", "soon", ["输入一个有效的日期。"]),
    ],
)
def test_case_answers_what_was_held_on_a_day(client, waiting, language, day, shown):
    desk = OrganiserRoleFactory().user
    owner = waiting.memberships.get().user
    term = {"enterprise": waiting, "valid_from": datetime.date(2024, 1, 1), "by": owner}
    title = enterprises.claim_qualification(
        kind=QualificationKind.objects.get(code="little_giant"), **term
    )
    certificate = enterprises.claim_certification(
        kind=CertificationKind.objects.get(code="ISO9001"), **term
    )
    for proof in (title, certificate):
        enterprises.decide_proof(proof=proof, accept=True, by=desk)
    enterprises.revoke_proof(proof=title, reason="Withdrawn by the issuer.", by=desk)
    sign_in(client, desk, language)
    url = reverse("chains:enterprise_case", args=[waiting.public_id])

    answer = client.get(url, {"on": day})

    card = text_of(answer).partition('id="ho"')[2].partition("</section>")[0]
    assert [words for words in shown if words not in html.unescape(card)] == []
    assert (card.count("<li"), f'value="{day}"' in card) == (2 * (day == "2024-05-06"), True)


@pytest.mark.parametrize("count", [1, 3])
def test_case_queries_do_not_grow(client, waiting, count, django_assert_num_queries):
    for _turn in range(count):
        EnterpriseFactory(pending=True)
        Qualification.objects.create(
            enterprise=waiting,
            kind=QualificationKind.objects.get(code="little_giant"),
            valid_from=datetime.date(2020, 1, 1 + _turn),
        )
    sign_in(client, OrganiserRoleFactory().user)

    with django_assert_num_queries(16):
        client.get(reverse("chains:enterprise_case", args=[waiting.public_id]))


def claim(client, member, **fields):
    return client.post(
        reverse("chains:qualification_claim", args=[member.enterprise.public_id]),
        {
            "kind": "little_giant",
            "batch": "2024",
            "valid_from": "2024-07-01",
            "valid_until_on": "2031-06-30",
            "evidence": licence(),
        }
        | fields,
    )


def test_title_is_claimed_and_decided_by_the_desk(client, member):
    claim(client, member)
    row = Qualification.objects.get()
    sign_in(client, OrganiserRoleFactory().user)
    url = reverse("chains:proof_decide", args=[row.public_id])

    page = text_of(client.get(url))
    silent = client.post(url, {"do": "refuse"})
    client.post(url, {"do": "verify", "issuer": "Ministry", "valid_until_on": "2030-06-30"})

    assert row.kind.name_en in page
    assert "Say why; the enterprise reads it." in text_of(silent)
    row.refresh_from_db()
    assert (row.status, row.issuer, row.valid_until_on) == (
        "verified",
        "Ministry",
        datetime.date(2030, 6, 30),
    )


def test_title_with_a_wrong_file_or_term_is_asked_for_again(client, member):
    wrong_file = claim(client, member, evidence=licence(b"<svg>"))
    wrong_term = claim(client, member, valid_until_on="2023-01-01")

    assert "This file is not one of: PDF, PNG, JPEG." in text_of(wrong_file)
    assert "The last day of validity lies before the first." in text_of(wrong_term)
    assert not Qualification.objects.exists()
    assert not Evidence.objects.exists()


def test_proof_is_hidden_from_a_stranger(client, member):
    claim(client, member)
    sign_in(client, MembershipFactory().user)

    answer = client.get(
        reverse("chains:proof_decide", args=[Qualification.objects.get().public_id])
    )

    assert answer.status_code == 404


def test_promise_counts_working_days_less_the_provinces_own(client, waiting):
    Province.objects.update_or_create(
        region=region("330000"),
        defaults={
            "name_zh": "浙江",
            "name_en": "Zhejiang",
            "verification_days": 2,
            "holidays": [datetime.date(2026, 11, 30)],
        },
    )
    waiting.submitted_at = datetime.datetime(
        2026, 11, 27, 15, 30, tzinfo=datetime.UTC
    )  # 23:30 in Shanghai

    assert calendar.promised_on(waiting) == datetime.date(2026, 12, 2)
