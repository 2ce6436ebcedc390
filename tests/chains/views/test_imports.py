from __future__ import annotations

import datetime
import io
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chains import tasks
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    CertificationKind,
    Change,
    Contact,
    Enterprise,
    Import,
    Notification,
)
from chains.spreadsheets import read_grids
from tests.chains.views.test_requirement_import import sheet
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    uscc,
)

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[2] / "cases"
HEADS = ["企业名称", "统一社会信用代码", "所在地区", "联系人", "手机", "邮箱"]


def expected(name):
    return json.loads((CASES / "enterprises.expected.json").read_text("utf-8"))[name]


@pytest.fixture
def desk(client):
    role = OrganiserRoleFactory()
    client.force_login(role.user)
    return role


@pytest.fixture
def member(client):
    membership = MembershipFactory()
    client.force_login(membership.user)
    return membership


def upload(client, kind, body, content, name="list.xlsx"):
    data = {"for": f"{kind}:{body.public_id}", "file": SimpleUploadedFile(name, content)}
    return client.post("/imports/", data)


def run(client, answer, **chosen):
    """From the page of the columns to the end, as it is proposed unless told otherwise."""
    assert answer.status_code == 302, answer.context["fault"]
    page = client.get(answer["Location"])
    data = {f"col-{one.place}": field for one, field in page.context["columns"]}
    data |= {"at": page.context["at"], "sheet": page.context["proposal"].layout.sheet, "do": "run"}
    done = client.post(answer["Location"], {**data, **chosen}, follow=True)
    return Import.objects.latest("pk"), done


def figures(job):
    return job.created_count, job.changed_count, job.same_count, job.bad_count


def listed(client, role, *rows, **chosen):
    content = sheet(HEADS, *rows)
    return run(client, upload(client, "enterprises", role.body, content), **chosen)


# --- The cases ----------------------------------------------------------------------------------------


def test_list_in_gbk_becomes_known_enterprises_and_twice_changes_nothing(client, desk):
    wanted = expected("enterprises_gbk.csv")
    content = (CASES / "enterprises_gbk.csv").read_bytes()

    job, _page = run(client, upload(client, "enterprises", desk.body, content, "登记表.csv"))

    assert (job.status, figures(job), bytes(job.content)) == ("done", (4, 0, 0, 0), b"")
    for row in wanted["rows"]:
        made = Enterprise.objects.get(number=row["number"])
        assert (made.name, made.status, made.region.code) == (row["name"], "unclaimed", "330421")
        phones = [p for c in made.contacts.order_by("pk") for p in c.phone.split(" / ")]
        assert phones == row["phones"]
        former = made.aliases.filter(kind="former").values_list("text", flat=True)
        assert list(former) == row.get("former_names", [])
        audited = AuditEntry.objects.get(target=f"chains.Enterprise:{made.public_id}")
        assert (audited.action, audited.data) == ("enterprise.listed", {"import": job.public_id})
        assert Change.objects.get(target=made.public_id).verb == "listed"
    # A number stands with the person of its own heading, not with the one it happens to come after.
    alone = Contact.objects.get(phone="000-0000-0204")
    assert alone.name == "负责人04"

    again, _page = run(client, upload(client, "enterprises", desk.body, content, "登记表.csv"))
    assert figures(again) == (0, 0, 4, 0)
    assert Contact.objects.count() == 5

    moved = content.replace(b"000-0000-0204", b"000-0000-0299")
    last, _page = run(client, upload(client, "enterprises", desk.body, moved, "登记表.csv"))
    assert figures(last) == (0, 1, 3, 0)
    assert Contact.objects.get(pk=alone.pk).phone == "000-0000-0299"


def test_merged_list_keeps_three_rows_and_gives_the_fourth_back_with_its_reason(client, desk):
    content = (CASES / "enterprises_merged.xlsx").read_bytes()

    job, page = run(client, upload(client, "enterprises", desk.body, content))

    assert figures(job) == (3, 0, 0, 1)
    made = Enterprise.objects.get(number="91330421MA26B0A42D")
    assert (made.region.name_zh, made.summary) == ("秀洲区", "光伏边框、支架铝型材")
    reason = "The code stands in a number cell and its last digits may be lost: enter it as text."
    assert [
        (row.number, note["column"], note["sentence"]) for row, note in page.context["bad"]
    ] == [(9, "O", reason)]
    file = b"".join(client.get(f"/imports/{job.public_id}/rows.xlsx").streaming_content)
    _kind, grids = read_grids(file, max_rows=100)
    assert grids[0].rows[0][-1] == "Reason"
    assert grids[0].rows[1][0] == "示例晴川里检测技术有限公司"
    assert reason in grids[0].rows[1][-1]

    # The file that came back is read by its own headers once it has been put right.
    back = sheet(grids[0].rows[0], [*grids[0].rows[1][:-2], "91330402MA2H06LY4K", ""])
    put_right, _page = run(client, upload(client, "enterprises", desk.body, back))
    assert figures(put_right) == (1, 0, 0, 0)


# --- Enterprises --------------------------------------------------------------------------------------


def test_who_has_members_is_left_alone_and_who_has_none_is_brought_up_to_date(client, desk):
    claimed = EnterpriseFactory(name="示例有会员有限公司", number=uscc(7000001))
    known = EnterpriseFactory(
        unclaimed=True, name="示例已知有限公司", name_en="", region=claimed.region
    )
    known.aliases.create(text=known.name, normalised="示例已知有限公司", kind="zh")
    elsewhere = EnterpriseFactory(
        status="unclaimed", verified_at=None, number=uscc(7000002, "320505"),
        region=claimed.region.__class__.objects.get(code="320505"),
    )  # fmt: skip
    before = Enterprise.objects.count()

    job, page = listed(
        client,
        desk,
        ["示例有会员改名有限公司", claimed.number, "嘉善县", "", "", ""],
        ["示例已知有限公司", uscc(7000003), "海盐", "甲", "13800000000", ""],
        ["他处的公司", elsewhere.number, "", "", "", ""],
        ["示例无号有限公司", "", "浙江省嘉兴市平湖市", "", "", ""],
        ["示例无号有限公司", "", "平湖市", "", "", ""],
    )

    assert figures(job) == (1, 1, 3, 0)
    claimed.refresh_from_db()
    elsewhere.refresh_from_db()
    known.refresh_from_db()
    assert claimed.name == "示例有会员有限公司"
    assert elsewhere.name != "他处的公司"
    assert (known.number, known.region.name_zh) == (uscc(7000003), "海盐县")
    assert known.contacts.get().name == "甲"
    assert Enterprise.objects.count() == before + 1
    assert Enterprise.objects.get(name="示例无号有限公司").region.code == "330482"
    assert [(row.number, note["sentence"]) for row, note in page.context["doubts"]] == [
        (2, "It is on the register already and looks after its own data: left as it is."),
        (4, "Another desk knows this enterprise: left as it is."),
        (6, "The same name stands in a row above: kept once."),
    ]


def test_list_of_persons_makes_one_enterprise_of_several_rows(client, desk):
    job, _page = listed(
        client,
        desk,
        ["示例甲有限公司", uscc(7100011), "Jiashan", "甲一", "000-0000-0301", ""],
        ["示例甲有限公司", uscc(7100011), "", "甲二", "000-0000-0302", ""],
    )

    made = Enterprise.objects.get(number=uscc(7100011))
    assert figures(job) == (1, 0, 1, 0)
    assert sorted(made.contacts.values_list("name", flat=True)) == ["甲一", "甲二"]
    assert made.region.name_zh == "嘉善县"


def test_rows_that_contradict_each_other_are_both_named(client, desk):
    job, page = listed(
        client,
        desk,
        ["示例甲有限公司", uscc(7100001), "鼓楼区", "甲", "", "One@example.com"],
        ["示例乙有限公司", uscc(7100001), "", "乙", "", ""],
        [
            "示例丙有限公司",
            uscc(7100002),
            "桃花源",
            "丙 000-0000-0303",
            "不详电话",
            "one@EXAMPLE.com",
        ],
        ["", uscc(7100003), "", "", "", ""],
    )

    assert figures(job) == (2, 0, 0, 2)
    assert [(row.number, note["sentence"]) for row, note in page.context["bad"]] == [
        (3, "The same code stands in row 2. Which of rows 2 and 3 is right?"),
        (3, "“乙” has no telephone and no e-mail: not kept as a contact."),
        (5, "企业名称 is missing."),
    ]
    assert [(row.number, note["sentence"]) for row, note in page.context["doubts"]] == [
        (2, "“鼓楼区” is the name of several regions; 嘉善县 is taken until somebody says which."),
        (4, "“桃花源” is no region of the list; 嘉善县 is taken until somebody says which."),
        (4, "“不详电话” is no telephone number: left out."),
        (4, "Rows 2 and 4 name the same e-mail address."),
    ]

    assert Contact.objects.get(phone="000-0000-0303").name == "丙"


def test_country_is_read_in_words_and_letters_and_a_number_is_one_of_its_register(client, desk):
    known = Enterprise.objects.create(name="示例无国籍公司", status="unclaimed", region=desk.region)
    known.aliases.create(text=known.name, normalised=known.name, kind="zh")
    content = sheet(
        ["企业名称", "注册号", "国家/地区", "所在地区"],
        ["Demo Module GmbH", "HRB 12345", "德国", ""],
        ["Demo Cell Inc.", "HRB-12345", "USA", ""],
        ["Demo Glass Ltd", "", "Hong Kong", "嘉善县"],
        ["示例外资有限公司", uscc(7200001), "德国", ""],
        ["示例本地有限公司", uscc(7200002), "", "嘉善县"],
        ["示例某地公司", "", "桃花源", ""],
        ["示例无国籍公司", "A-77", "jp", ""],
    )

    job, page = run(client, upload(client, "enterprises", desk.body, content))
    again, _page = run(client, upload(client, "enterprises", desk.body, content))

    assert figures(job) == (5, 1, 0, 1)
    assert figures(again) == (0, 0, 6, 1)
    kept = Enterprise.objects.filter(status="unclaimed").order_by("pk")
    assert list(kept.values_list("name", "scheme", "country", "number", "region__code")) == [
        ("示例无国籍公司", "foreign", "JP", "A77", None),
        ("Demo Module GmbH", "foreign", "DE", "HRB12345", None),
        ("Demo Cell Inc.", "foreign", "US", "HRB12345", None),
        ("Demo Glass Ltd", "foreign", "HK", None, None),
        ("示例外资有限公司", "uscc", "CN", uscc(7200001), "330421"),
        ("示例本地有限公司", "uscc", "CN", uscc(7200002), "330421"),
    ]
    assert [(row.number, note["sentence"]) for row, note in page.context["bad"]] == [
        (
            7,
            "“桃花源” is no country. Enter its name in Chinese or English, or its two letters.",
        )
    ]
    assert [(row.number, note["sentence"]) for row, note in page.context["doubts"]] == [
        (4, "Regions are those of China: left out."),
        (5, "The number is a Chinese one: taken for an enterprise registered in China."),
    ]


def test_columns_no_header_names_are_known_by_what_stands_in_them(client, desk):
    rows = [[f"示例第{n}号有限公司", uscc(7200000 + n), f"1380000000{n}"] for n in range(4)]
    content = "\n".join("\t".join(row) for row in rows).encode("utf-16")

    answer = upload(client, "enterprises", desk.body, content, "no_header.txt")
    page = client.get(answer["Location"])

    proposal = page.context["proposal"]
    assert (proposal.header_row, proposal.row_count) == (0, 4)
    assert [(one.title, one.field, one.why) for one in proposal.columns] == [
        ("A", "name", "values"),
        ("B", "number", "values"),
        ("C", "phone", "values"),
    ]
    job, _page = run(client, answer)
    assert figures(job) == (4, 0, 0, 0)


def test_choice_of_a_person_is_remembered_for_the_body_and_asked_for_when_it_lacks(client, desk):
    content = sheet(["参加者全名", "说明"], ["示例甲厂商", "膜"], ["示例乙厂商", "板"])
    answer = upload(client, "enterprises", desk.body, content)

    page = client.post(answer["Location"], {"do": "run"})
    assert page.status_code == 422
    assert page.context["faults"] == ["Choose the column that holds “Name”."]
    job, _page = run(client, answer, **{"col-0": "name", "col-1": "summary"})
    assert figures(job) == (2, 0, 0, 0)

    again = client.get(upload(client, "enterprises", desk.body, content)["Location"])
    assert [(o.field, o.why) for o in again.context["proposal"].columns] == [
        ("name", "remembered"),
        ("summary", "remembered"),
    ]
    other = OrganiserRoleFactory()
    client.force_login(other.user)
    strange = client.get(upload(client, "enterprises", other.body, content)["Location"])
    assert [o.why for o in strange.context["proposal"].columns] == ["", ""]


# --- Capabilities -------------------------------------------------------------------------------------


def test_capabilities_become_drafts_and_published_ones_stay(client, member):
    CapabilityFactory(enterprise=member.enterprise, title_zh="已发布的接线盒")
    content = sheet(
        ["我司产品一览"],
        ["产品名称", "品类", "产能（万套/月）", "交货期", "新产品", "有效期至"],
        ["1500 V 分体接线盒", "接线盒", "７．５", "4周", "是", "2027年3月1日"],
        ["Smart junction box", "没有这个品类", 2, "30天内", "否", "长期"],
        ["已发布的接线盒", "", "", "", "", ""],
        ["坏行", "", "若干", "很快", "", "2027-02-30"],
        ["合计", "", 9.5, "", "", ""],
    )

    job, page = run(client, upload(client, "capabilities", member.enterprise, content))

    assert figures(job) == (2, 0, 1, 1)
    first = Capability.objects.get(title_zh="1500 V 分体接线盒")
    assert (first.status, first.yearly_capacity, first.unit.name_zh) == ("draft", 900_000, "套")
    assert (first.lead_time_days, first.is_new, str(first.valid_until_on)) == (
        28,
        True,
        "2027-03-01",
    )
    assert [c.name_zh for c in first.categories.all()] == ["光伏接线盒"]
    second = Capability.objects.get(title_en="Smart junction box")
    assert (second.yearly_capacity, second.lead_time_days, second.title_zh) == (240_000, 30, "")
    assert [(row.number, note["header"]) for row, note in page.context["bad"]] == [
        (6, "产能（万套/月）"),
        (6, "交货期"),
        (6, "有效期至"),
    ]
    again, _page = run(client, upload(client, "capabilities", member.enterprise, content))
    assert figures(again) == (0, 0, 3, 1)


def test_capabilities_keep_both_texts_kinds_of_cooperation_certificates_and_references(
    client, member
):
    house = member.enterprise
    iso = CertificationKind.objects.get(code="ISO9001")
    held = house.certifications.create(kind=iso, valid_from=datetime.date(2024, 1, 1))
    head = ["产品名称", "说明", "Description", "技术参数", "合作方式", "认证证书", "供货业绩"]
    content = sheet(
        head,
        [
            "分体接线盒", "三分体灌封", "Three-part potted", "电流 25 A", "采购订单、Long-term supply agreement、送货",
            "ISO 9001、质量体系；CE；没有这个", "2023 年供示例电站 40 MW\n示例二期 2024；示例三期 2022 至 2024",
        ],
        ["单页产品", "", "Only in English", "", "", "", ""],
    )  # fmt: skip

    job, page = run(client, upload(client, "capabilities", house, content))

    assert figures(job) == (2, 0, 0, 0)
    first = Capability.objects.get(title_zh="分体接线盒")
    assert (first.text_zh, first.text_en) == ("三分体灌封\n电流 25 A", "Three-part potted")
    assert [kind.code for kind in first.cooperation_kinds.order_by("order")] == [
        "purchase_order", "long_term_supply",
    ]  # fmt: skip
    assert [*first.certifications.all()] == [held]
    assert [*first.references.values_list("text", "year")] == [
        ("2023 年供示例电站 40 MW", 2023), ("示例二期 2024", 2024), ("示例三期 2022 至 2024", None),
    ]  # fmt: skip
    assert "示例电站" in first.search_text
    assert Capability.objects.get(title_zh="单页产品").text_en == "Only in English"
    said = [note["sentence"] for row, note in page.context["doubts"] if row.number == 2]
    assert said.pop(2).startswith("No category is named. Proposed for its text: PV junction boxes")
    assert said == [
        "“送货” is no kind of cooperation of the list: left out.",
        "“没有这个” is no certificate of the list: left out.",
        "CE is not among the certificates the enterprise has stated: left out.",
    ]
    again, _page = run(client, upload(client, "capabilities", house, content))
    assert figures(again) == (0, 0, 2, 0)
    changed = sheet(head, ["分体接线盒", "", "", "", "采购订单", "", "示例四期"])
    more, _page = run(client, upload(client, "capabilities", house, changed))
    assert figures(more) == (0, 1, 0, 0)
    assert [kind.code for kind in first.cooperation_kinds.all()] == ["purchase_order"]
    assert [*first.references.values_list("text", flat=True)] == ["示例四期"]
    assert [*first.certifications.all()] == [held]


# --- Rights, worker, hostile files --------------------------------------------------------------------


def test_each_imports_only_what_is_theirs(client, member):
    other = EnterpriseFactory()
    content = sheet(["产品名称"], ["阀门"])

    assert upload(client, "capabilities", other, content).status_code == 422
    assert upload(client, "enterprises", member.enterprise, content).status_code == 422
    assert not Import.objects.exists()
    mine = upload(client, "capabilities", member.enterprise, content)["Location"]
    client.force_login(MembershipFactory(enterprise=member.enterprise).user)
    assert client.get(mine).status_code == 404
    assert client.get(f"{mine}rows.xlsx").status_code == 404


def test_long_list_is_read_by_the_worker_goes_on_where_it_stopped_and_says_so(
    client, desk, silent_doorbell, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "PIECE", 200)
    rows = [
        [f"示例清单第{n}号有限公司", uscc(7300000 + n), "嘉善县", "", "", ""] for n in range(450)
    ]
    with django_capture_on_commit_callbacks(execute=True):
        job, page = listed(client, desk, *rows)
    assert (job.status, job.rows_total) == ("queued", 450)
    assert 'aria-busy="true"' in page.content.decode()
    assert ("chains.tasks.read_import", (job.pk,)) in silent_doorbell

    turns = iter([0.0, 100.0, 200.0])
    monkeypatch.setattr(tasks.time, "monotonic", lambda: next(turns))
    tasks.read_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.rows_done, job.created_count) == ("running", 200, 200)
    assert job.attempts == 0  # only workers that keep nothing count towards giving up

    # One that was held up past its lease comes with the piece that another one has kept.
    slow = Import.objects.get(pk=job.pk)
    slow.rows_done = 0
    with pytest.raises(DomainError, match="Another worker"):
        tasks.imports.keep(job=slow, rows=[], total=450, lease=tasks.LEASE, by=desk.user)

    # The second worker dies with its piece: nothing of it stands, and the sweeper rings again.
    monkeypatch.setattr("chains.services.import_enterprises.search_document", lambda *_: 1 / 0)
    monkeypatch.setattr(tasks.time, "monotonic", lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        tasks.read_import(job.pk)
    assert Enterprise.objects.filter(status="unclaimed").count() == 200
    monkeypatch.undo()
    assert tasks.imports.sweep() == []  # its lease still runs
    ahead = timezone.now() + datetime.timedelta(hours=2)  # of a clock that was put back since
    Import.objects.filter(pk=job.pk).update(lease_until=ahead)
    assert tasks.imports.sweep() == [job.pk]
    tasks.read_import(job.pk)

    job.refresh_from_db()
    assert (job.status, figures(job), job.rows_done) == ("done", (450, 0, 0, 0), 450)
    assert Enterprise.objects.filter(status="unclaimed").count() == 450
    assert Notification.objects.filter(kind="import_done", to=desk.user).count() == 2
    tasks.read_import(job.pk)  # rung once more
    assert Enterprise.objects.filter(status="unclaimed").count() == 450


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"%PDF-1.7 no sheet", "This is no .xlsx, .xls or .csv file."),
        (b"a" * (10 * 1024 * 1024 + 1), "The file is larger than 10 MB."),
        (b'"' + b"x\n" * 300_000, "cannot be read"),
        (b"," * 100_000 + b"x", "wider than 200 columns"),
    ],
    ids=["empty", "pdf", "big", "open-quote", "wide"],
)
def test_hostile_files_are_refused_with_a_sentence(client, member, content, sentence):
    answer = upload(client, "capabilities", member.enterprise, content)

    assert answer.status_code == 422
    assert not Import.objects.exists()
    assert sentence in answer.context["fault"]


def test_formulas_come_in_as_text_and_go_out_as_text(client, member):
    bad = "=cmd|' /C calc'!A0"
    content = f'产品名称,有效期至\n"{bad}",2027-13-40\n'.encode()

    job, _page = run(client, upload(client, "capabilities", member.enterprise, content, "a.csv"))

    file = b"".join(client.get(f"/imports/{job.public_id}/rows.xlsx").streaming_content)
    _kind, grids = read_grids(file, max_rows=10)
    assert grids[0].rows[1][0] == bad
    assert b"<f>" not in io.BytesIO(file).getvalue()


def test_person_without_a_way_to_reach_them_is_named_by_row_and_column(client, desk):
    job, page = listed(
        client,
        desk,
        ["示例甲有限公司", uscc(7100021), "嘉善县", "甲一", "", ""],
        ["示例乙有限公司", uscc(7100022), "嘉善县", "乙一", "000-0000-0302", ""],
    )

    assert figures(job) == (2, 0, 0, 0)
    assert [(row.number, note["column"], note["sentence"]) for row, note in page.context["doubts"]] == [
        (2, "D", "“甲一” has no telephone and no e-mail: not kept as a contact.")
    ]  # fmt: skip
    assert not Enterprise.objects.get(number=uscc(7100021)).contacts.exists()


def test_list_without_any_way_to_reach_persons_says_so_once(client, desk):
    content = sheet(
        ("企业名称", "统一社会信用代码", "所在地", "法定代表人"),
        ["示例甲有限公司", uscc(7100031), "嘉善县", "甲一"],
        ["示例乙有限公司", uscc(7100032), "嘉善县", "乙一"],
    )

    job, page = run(client, upload(client, "enterprises", desk.body, content))

    assert figures(job) == (2, 0, 0, 0)
    assert [(row.number, note["column"]) for row, note in page.context["doubts"]] == [(2, "D")]
