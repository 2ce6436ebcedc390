"""What cannot be read is answered with a sentence, on pages and in the API, in the reader's language."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

LISTS = ("matchmaking:requirement_list", "api-requirements-list")


def _said(answer):
    assert answer.status_code == 400
    if answer["Content-Type"] == "application/problem+json":
        body = answer.json()
        assert (body["status"], body["code"]) == (400, "request.unreadable")
        return body["detail"]
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()


@pytest.fixture
def reader(client):
    client.raise_request_exception = False
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.mark.parametrize("name", LISTS)
def test_nul_in_an_address(reader, name):
    assert "characters that no text has" in _said(reader.get(f"{reverse(name)}?q=%00"))


@pytest.mark.parametrize("name", LISTS)
def test_nul_in_a_cookie(reader, name):
    reader.cookies["theme"] = "a\x00"

    assert "characters that no text has" in _said(reader.get(reverse(name)))


@pytest.mark.parametrize("name", LISTS)
def test_foreign_host(reader, name):
    answer = reader.get(reverse(name), headers={"host": "elsewhere.example"})

    assert "does not answer under that name" in _said(answer)


@pytest.mark.parametrize("address", ["set_theme", "api-requirements-list"])
def test_too_many_fields(reader, settings, address):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3

    answer = reader.post(reverse(address), dict.fromkeys("abcd", "1"))

    assert "at most 3 fields" in _said(answer)


def test_page_is_in_the_language_of_its_reader(reader):
    page = _said(reader.get("/", {"q": "\x00"}, headers={"accept-language": "zh-hans"}))

    assert 'lang="zh-Hans"' in page
