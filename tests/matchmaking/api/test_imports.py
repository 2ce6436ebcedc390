"""Lists sent by programs: files and rows, once a key, found again by number."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chains.models import AuditEntry, Capability, Enterprise, Import
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, uscc
from tests.matchmaking.api.test_api import client_of

pytestmark = pytest.mark.django_db

IMPORTS = "/api/v1/imports/"


@pytest.fixture
def role():
    return OrganiserRoleFactory()


def rows_of(number=7200001, name="示例甲有限公司", **more):
    return [{"number": uscc(number), "name": name, "region": "嘉善县", **more}]


def send(client, role, rows, **headers):
    body = {"kind": "enterprises", "enterprise": role.body.public_id, "rows": rows}
    return client.post(IMPORTS, body, headers=headers)


def test_rows_are_found_again_by_number_and_changed(role):
    client = client_of(role.user)
    first = send(client, role, rows_of())
    assert (first.status_code, first.data["status"], first.data["created_count"]) == (
        202,
        "done",
        1,
    )

    second = send(client, role, rows_of(name="示例甲改名有限公司", website="www.example.com"))

    made = Enterprise.objects.get(number=uscc(7200001))
    assert (made.status, made.website) == ("unclaimed", "https://www.example.com")
    assert [second.data[f"{sort}_count"] for sort in ("created", "changed", "same", "bad")] == [
        0,
        1,
        0,
        0,
    ]
    assert client.get(IMPORTS).data["count"] == 2


def test_same_key_answers_with_the_import_there_is_and_never_takes_other_rows(role):
    client = client_of(role.user)
    first = send(client, role, rows_of(), **{"Idempotency-Key": "a-1"})

    again = send(client, role, rows_of(), **{"Idempotency-Key": "a-1"})
    other = send(client, role, rows_of(7200002), **{"Idempotency-Key": "a-1"})

    assert again.data == first.data
    assert (other.status_code, other.data["code"]) == (409, "import.key_taken")
    assert Import.objects.count() == 1
    assert AuditEntry.objects.filter(action="import.uploaded").count() == 1
    assert not Enterprise.objects.filter(number=uscc(7200002)).exists()
    colleague = OrganiserRoleFactory(body=role.body, region=role.region)
    theirs = send(client_of(colleague.user), role, rows_of(), **{"Idempotency-Key": "a-1"})
    assert theirs.status_code == 202
    wrong = send(client, role, rows_of(), **{"Idempotency-Key": "a b"})
    assert (wrong.status_code, list(wrong.data["errors"])) == (422, ["Idempotency-Key"])


def test_file_is_read_with_the_columns_that_are_named(role):
    client = client_of(role.user)
    content = f"甲栏,乙栏,丙栏\n示例乙有限公司,{uscc(7200003)},13800000000\n,{uscc(7200004)},\n"

    def upload(**columns):
        data = {"kind": "enterprises", "enterprise": role.body.public_id}
        data |= {f"columns.{title}": name for title, name in columns.items()}
        file = SimpleUploadedFile("list.csv", content.encode("utf-8-sig"))
        return client.post(IMPORTS, {**data, "file": file}, format="multipart")

    unclear = upload(甲栏="")
    assert unclear.status_code == 422
    assert unclear.data["errors"]["columns"][-1] == "The file has: 甲栏, 乙栏, 丙栏"

    done = upload(甲栏="name", 乙栏="number")

    assert [done.data[f"{sort}_count"] for sort in ("created", "bad")] == [1, 1]
    notes = client.get(f"{IMPORTS}{done.data['public_id']}/rows/").data["results"]
    assert [(row["number"], row["is_kept"]) for row in notes] == [(3, False)]
    assert notes[0]["notes"][0]["sentence"] == "甲栏 is missing."


def test_capabilities_are_drafts_of_ones_own_enterprise():
    member = MembershipFactory(role="editor")
    client = client_of(member.user)
    body = {
        "kind": "capabilities",
        "enterprise": member.enterprise.public_id,
        "rows": [{"title": "三分体接线盒"}],
    }

    for _ in range(2):
        assert client.post(IMPORTS, body).status_code == 202

    [row] = Capability.objects.filter(enterprise=member.enterprise)
    assert (row.title_zh, row.status) == ("三分体接线盒", "draft")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rows": []}, "file"),
        ({"rows": [{"colour": "red"}]}, "rows"),
        ({"kind": "lines"}, "kind"),
        ({"enterprise": "222222222222"}, "enterprise"),
        ({"rows": [{"name": ["x"]}]}, "rows"),
        ({"columns": {"a": "colour"}}, "rows"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_kept(role, change, field):
    body = {"kind": "enterprises", "enterprise": role.body.public_id, "rows": rows_of(), **change}

    answer = client_of(role.user).post(IMPORTS, body)

    assert (answer.status_code, list(answer.data["errors"])) == (422, [field])
    assert Import.objects.count() == 0


def test_nobody_imports_what_is_not_theirs(role):
    member = MembershipFactory(role="viewer")
    theirs = {"kind": "capabilities", "enterprise": member.enterprise.public_id, "rows": [{"title": "x"}]}  # fmt: skip
    assert client_of(member.user).post(IMPORTS, theirs).status_code == 403
    own = {"kind": "enterprises", "enterprise": member.enterprise.public_id, "rows": rows_of()}
    assert client_of(member.user).post(IMPORTS, own).status_code == 403

    done = send(client_of(role.user), role, rows_of())
    address = f"{IMPORTS}{done.data['public_id']}/"
    for path in ("", "rows/"):
        assert client_of(member.user).get(address + path).status_code == 404
    assert client_of(member.user).post(f"{address}discard/").status_code == 404
