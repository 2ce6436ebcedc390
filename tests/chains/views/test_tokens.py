from __future__ import annotations

import pytest
from django.urls import reverse
from rest_framework.authtoken.models import Token

from tests.factories.chains import MembershipFactory

pytestmark = pytest.mark.django_db
PAGE = "/my/token/"


def test_key_is_shown_once_and_the_page_knows_its_end_afterwards(client):
    client.force_login(MembershipFactory().user)
    assert Token.objects.count() == 0

    made = client.post(PAGE)
    key = Token.objects.get().key
    again = client.get(PAGE)
    reloaded = client.post(PAGE, follow=True)

    assert made.content.decode().count(key) == 1
    assert "no-store" in made.headers["Cache-Control"]
    for later in (again, reloaded):
        assert key not in later.content.decode()
        assert key[-4:] in later.content.decode()
    assert Token.objects.get().key == key


def test_revoking_asks_first(client):
    user = MembershipFactory().user
    client.force_login(user)
    client.post(PAGE)
    page = client.get(reverse("chains:api_token_revoke")).content.decode()
    assert Token.objects.get().key not in page

    answer = client.post(reverse("chains:api_token_revoke"))

    assert answer.headers["Location"] == PAGE
    assert not Token.objects.exists()


def test_editor_reads_who_may_have_one_and_finds_no_button(client):
    client.force_login(MembershipFactory(role="editor").user)

    page = client.get(PAGE)

    assert page.context["may_hold"] is False
    assert b'<form method="post">' not in page.content
    assert client.post(PAGE).status_code == 403
