"""R9 for people's pages: whatever stands in an address, a query, a form or a header, the fault is never ours.

Which pages there are is read from tests/routes.py, which parameters a page reads from the source of its view, and
which fields it sends from the form that it shows. A tenth of `FUZZ_EXAMPLES` is the number of
requests for each page and each form.
"""

from __future__ import annotations

import inspect
import os
import random
import re
from html.parser import HTMLParser
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import resolve, reverse

from matchmaking.views import filters
from tests import routes, walk

pytestmark = pytest.mark.django_db

EXAMPLES = max(2, int(os.environ.get("FUZZ_EXAMPLES") or 0) // 10)
SEED = int(os.environ.get("FUZZ_SEED") or 1)
VALUES = (
    "", " ", "-1", "0", "1e9", "1000000000", "9" * 30, "NaN", "Infinity", "1.5", "１２", "x" * 5_000, "😀𠮷\u202e", "%",
    "\\", "'", "\"><b>", "../..", "null", "[]", "9999-12-31", "0000-00-00", "2026-02-30T25:61", "\ufffe", "\r\nX: 1",
    "PV", "all", "csv", "zh", "en", "--", "(", "*", "AND", ":", "a & | ! b", "http://[", "//x",
)  # fmt: skip
# As they go over the wire: no text, for no decoder.
RAW = ("%00", "a%00b", "%ED%A0%80", "%FF%FE", "%C0%80", "%", "%zz", "%u4e00", "%F0%9F%98%80" * 500)
READS = re.compile(r"""(?:GET|POST|data)(?:\.get|\.getlist)?[(\[]\s*f?["'](\w+)["']""")
UNTOUCHED = walk.Untouched()
NAMED = re.compile(r"""["']([a-z_]+)["']""")


def parameters(address):
    """What the view behind an address may read, by its module's source."""
    module = inspect.getmodule(inspect.unwrap(resolve(address).func))
    found = set(READS.findall(inspect.getsource(module)))
    if "filters" in inspect.getsource(module):
        found |= set(NAMED.findall(inspect.getsource(filters)))
    return sorted(found | {"page", "q", "next", "export", "region", "chain"})


@pytest.fixture(autouse=True)
def many_requests(db):
    UNTOUCHED.kept.clear()
    with walk.many_requests(UNTOUCHED):
        yield


def send(client, method, address, **more):
    """One request whose traces go. An error that reaches the server's edge is what we look for."""
    with UNTOUCHED.request(is_guarded=True):
        answer = client.generic(method, address, **more)
        b"".join(answer) if answer.streaming else answer.content
    return answer


def faults_of(requests):
    """The first of each kind of fault, with what was sent."""
    found = {}
    for client, method, address, more in requests:
        try:
            status = send(client, method, address, **more).status_code
        except Exception as error:  # any: that is the question
            frame = inspect.trace()[-1]
            place = f"{type(error).__name__} in {frame.function} of {frame.filename}:{frame.lineno}"
            found.setdefault(place, f"{method} {address[:300]} {more!r:.600}: {error!s:.200}")
        else:
            if status >= 500:
                found.setdefault(f"{status} {address.split('?')[0]}", f"{method} {address[:300]}")
    return found


def rows_for(role):
    return [row for row in routes.TABLE if role in row.roles and not row.name.startswith("api-")]


def queries(place, role, dice):
    client = walk.client_of(role, place)
    addresses = {walk.address_of(row, place) for row in rows_for(role) if row.method == "get"}
    if role == "administrator":
        addresses |= set(admin_lists())
    for address in sorted(addresses):
        names = parameters(address)
        yield (
            client,
            "GET",
            f"{address}?{urlencode([(n, v) for n in names for v in ('-1', 'x')])}",
            {},
        )
        for _ in range(EXAMPLES):
            asked = [
                (name, dice.choice(VALUES))
                for name in dice.choices(names, k=dice.randint(1, 4))
                for _again in range(dice.choice((1, 1, 2)))
            ]
            raw = f"&{dice.choice(names)}={dice.choice(RAW)}" if dice.random() < 0.4 else ""
            yield client, "GET", f"{address}?{urlencode(asked)}{raw}", {}
        yield client, "GET", address, {"HTTP_HX_REQUEST": "true", "QUERY_STRING": "page=-1&q=%00"}


def admin_lists():
    for model in admin.site._registry:
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def ids(place, role, dice):
    client = walk.client_of(role, place)
    for name, args in routes.patterns():
        if not args or name.startswith("api-"):
            continue
        marked = reverse(name, kwargs=dict.fromkeys(args, "1")) if _takes(name, args) else None
        if marked is None:
            continue
        for value in dice.sample((*map(quote_all, VALUES), *RAW), min(EXAMPLES, 30)):
            wild = re.sub(r"(?<=/)1(?=[/.]|$)", lambda _, value=value: value or "_", marked)
            yield client, dice.choice(("GET", "POST")), wild, {}


def quote_all(value):
    return quote(value, safe="")


def _takes(name, args):
    try:
        reverse(name, kwargs=dict.fromkeys(args, "1"))
    except Exception:  # a pattern that takes something else
        return False
    return True


class Forms(HTMLParser):
    """The forms of a page: where they go and what they would send."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.form = None

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        if tag == "form":
            self.form = {"action": has.get("action") or "", "method": has.get("method", "get"),
                         "files": has.get("enctype") == "multipart/form-data", "fields": []}  # fmt: skip
            self.found.append(self.form)
        elif (
            self.form is not None
            and tag in ("input", "select", "textarea", "button")
            and has.get("name")
        ):
            unchecked = has.get("type") in ("checkbox", "radio") and "checked" not in has
            if has["name"] != "csrfmiddlewaretoken" and not unchecked:
                self.form["fields"].append(
                    (has["name"], has.get("type", tag), has.get("value") or "")
                )

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None


def forms(place, role, dice):
    client, seen = walk.client_of(role, place), set()
    addresses = {walk.address_of(row, place) for row in rows_for(role) if row.method == "get"}
    for address in sorted(addresses):
        answer = send(client, "GET", address)
        if answer.status_code != 200 or answer.streaming:
            continue
        page = Forms()
        page.feed(answer.content.decode("utf-8", "replace"))
        for form in page.found:
            target = urlsplit(form["action"])
            goes = target.path or address
            key = goes, tuple(name for name, _kind, _value in form["fields"])
            if (
                form["method"].lower() != "post"
                or target.netloc
                or key in seen
                or not form["fields"]
            ):
                continue
            seen.add(key)
            for number in range(EXAMPLES):
                yield client, "POST", goes, filled(form, dice, is_raw=number % 5 == 4)


FILES = (
    b"",
    b"%PDF-1.4 \x00\xff",
    b"PK\x03\x04" + b"\x00" * 200,
    b"\x00" * 1_000,
    b'a,b\n"',
    b"\xff\xfe\x00",
    b"<?xml",
)


def filled(form, dice, *, is_raw):
    """The form as it stands, some of its fields replaced."""
    broken = {name for name, _k, _v in dice.choices(form["fields"], k=dice.randint(1, 4))}
    sent, files = [], []
    for name, kind, value in form["fields"]:
        if kind == "file":
            files.append((name, dice.choice(FILES)))
            continue
        times = dice.choice((0, 1, 1, 1, 2)) if name in broken else 1
        sent += [(name, dice.choice(VALUES) if name in broken else value) for _ in range(times)]
    if form["files"] and not is_raw:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode(
                "utf-8", "replace"
            )
            for name, value in sent
        ] + [
            f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{dice.choice(("a.pdf", "a.xlsx", "链" * 300, "..", "a.csv"))}"'
            "\r\nContent-Type: application/pdf\r\n\r\n".encode()
            + content
            + b"\r\n"
            for name, content in files
        ]
        return {
            "data": b"".join(parts) + b"--b--\r\n",
            "content_type": "multipart/form-data; boundary=b",
        }
    body = urlencode(sent)
    if is_raw:
        body += f"&{dice.choice(sorted(broken))}={dice.choice(RAW)}"
    return {"data": body, "content_type": "application/x-www-form-urlencoded"}


# Who gets furthest with each; at each merge one walk of each kind, in the night all.
WALKS = [
    (queries, "visitor"),
    (ids, "organiser"),
    (forms, "owner"),
]
if os.environ.get("FUZZ_EXAMPLES"):
    WALKS = [
        *((queries, role) for role in ("visitor", "owner", "organiser", "administrator")),
        *((ids, role) for role in ("owner", "organiser")),
        *((forms, role) for role in ("newcomer", "owner", "organiser")),
    ]


@pytest.mark.parametrize(("walk_of", "role"), WALKS, ids=lambda one: getattr(one, "__name__", one))
def test_page_survives_hostile(walk_of, role, standing_world, settings):
    place, dice = standing_world, random.Random(f"{SEED}{role}")
    settings.MEDIA_ROOT = place.media

    requests = list(walk_of(place, role, dice))

    assert len(requests) > 15
    assert faults_of(requests) == {}


HEADERS = (
    {"HTTP_COOKIE": r'sessionid="\000abc"'},
    {"HTTP_COOKIE": r'sessionid="a\000"; csrftoken="\000"; theme="\000"; django_language="\000"'},
    {"HTTP_COOKIE": "sessionid=" + "x" * 4_000},
    {"HTTP_COOKIE": "=;;=\xff; a"},
    {"HTTP_ACCEPT_LANGUAGE": "zh-" + "x" * 5_000},
    {"HTTP_ACCEPT_LANGUAGE": "\xff, *;q=9, en;q=nan"},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[", "HTTP_HX_TARGET": "\xff"},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "%ED%A0%80", "HTTP_HX_CURRENT_URL_URI_AUTOENCODED": "true"},
    {"HTTP_HOST": "example.com:99999999"},
    {"HTTP_HOST": "\xff"},
    {"HTTP_REFERER": "http://[::1", "HTTP_ORIGIN": "null"},
    {"HTTP_X_FORWARDED_FOR": "x, ,\xff", "HTTP_X_FORWARDED_PROTO": "\xff"},
    {"HTTP_AUTHORIZATION": "Token \xff"},
    {"HTTP_AUTHORIZATION": "Token"},
    {"HTTP_AUTHORIZATION": "Token a b"},
    {"HTTP_ACCEPT": "\xff/*;q=x"},
    {"HTTP_IF_MODIFIED_SINCE": "Mon, 99 Foo 99999 99:99:99 GMT", "HTTP_IF_NONE_MATCH": "\xff"},
    {"HTTP_RANGE": "bytes=9-1"},
    {"CONTENT_LENGTH": "x"},
)  # fmt: skip


@pytest.mark.parametrize("sent", HEADERS, ids=lambda sent: " ".join(sent)[:60])
def test_page_survives_hostile_headers(sent, standing_world):
    place = standing_world
    addresses = [
        reverse("home"),
        reverse("matchmaking:requirement_list"),
        reverse("matchmaking:requirement_detail", args=[place.published.public_id]),
        reverse("account_login"),
        reverse("set_theme"),
        reverse("set_language"),
        reverse("admin:index"),
        "/api/v1/enterprises/",
        "/api/v1/registrations/",
        "/nowhere/",
    ]
    requests = [
        (Client(), method, address, sent) for address in addresses for method in ("GET", "POST")
    ]

    assert faults_of(requests) == {}


def test_fault_of_ours_would_be_noticed(monkeypatch):
    """The control: a view that breaks is named, with the place where it broke."""

    def fall(*_args, **_fields):
        raise ZeroDivisionError

    monkeypatch.setattr("matchmaking.views.site.statistics.home_figures", fall)

    found = faults_of([(Client(), "GET", reverse("home"), {})])

    assert [place.split(" of ")[0] for place in found] == ["ZeroDivisionError in fall"]
