from __future__ import annotations

import datetime
import re

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from chains.models import AuditEntry, Notification
from tests.chains.views.conftest import PASSWORD
from tests.factories.chains import MembershipFactory

pytestmark = pytest.mark.django_db
PAGE = "/my/token/"
ASKED = {"access": "write", "nouns": ["requirements", "interests"], "lasts": "90"}


@pytest.fixture
def owner(person):
    return MembershipFactory(user=person).user


def sign_in(client, user):
    """With the password just given: making a token asks for it."""
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def test_key_is_shown_once_and_the_page_knows_its_end_afterwards(client, owner):
    sign_in(client, owner)
    assert Token.objects.count() == 0

    made = client.post(PAGE, ASKED)
    key = Token.objects.get().key
    again = client.get(PAGE)
    reloaded = client.post(PAGE, ASKED, follow=True)

    assert made.content.decode().count(key) == 1
    assert "no-store" in made.headers["Cache-Control"]
    for later in (again, reloaded):
        assert key not in later.content.decode()
        assert key[-4:] in later.content.decode()
        assert "<dd>Requirements and projects · Interests</dd>" in later.content.decode()
    token = Token.objects.get()
    assert token.key == key
    assert (token.limit.may_write, token.limit.nouns) == (True, ASKED["nouns"])
    assert token.limit.ends_on == timezone.localdate() + datetime.timedelta(days=90)


def test_form_proposes_little_and_takes_no_empty_answer(client, owner):
    sign_in(client, owner)

    bound = client.get(PAGE).context["form"]
    answer = client.post(PAGE, {"access": "read", "lasts": "30"})

    assert (bound["access"].value(), bound["lasts"].value()) == ("read", 365)
    assert answer.status_code == 422
    assert not Token.objects.exists()


def test_revoking_asks_first(client, owner):
    sign_in(client, owner)
    client.post(PAGE, ASKED)
    page = client.get(reverse("chains:api_token_revoke")).content.decode()
    assert Token.objects.get().key not in page

    answer = client.post(reverse("chains:api_token_revoke"))

    assert answer.headers["Location"] == PAGE
    assert not Token.objects.exists()


def test_editor_reads_who_may_have_one_and_finds_no_button(client, person):
    sign_in(client, MembershipFactory(role="editor", user=person).user)

    page = client.get(PAGE)

    assert page.context["may_hold"] is False
    assert b'<form method="post">' not in page.content
    assert client.post(PAGE, ASKED).status_code == 403


def test_making_a_token_asks_for_the_password_and_goes_on_where_it_was(client, owner):
    client.force_login(owner)

    asked = client.post(PAGE, ASKED)
    before = Token.objects.count()
    made = client.post(asked.headers["Location"], {"password": PASSWORD})

    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert before == 0
    assert Token.objects.get().key in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert client.get(PAGE).status_code == 200  # reading asks for nothing


def changed(client, _owner):
    typed = {"oldpassword": PASSWORD, "password1": f"{PASSWORD}x", "password2": f"{PASSWORD}x"}
    client.post(reverse("account_change_password"), typed)


def forgotten(client, owner):
    client.logout()
    client.post(reverse("account_reset_password"), {"email": owner.email})
    link = re.search(r"https?://[^/]+(/\S*reset/key/\S+)", mail.outbox[-1].body)[1]
    page = client.get(link, follow=True)
    typed = {"password1": f"{PASSWORD}x", "password2": f"{PASSWORD}x"}
    client.post(page.request["PATH_INFO"], typed)


@pytest.mark.parametrize("way", [changed, forgotten])
def test_token_ends_with_the_password_it_was_made_under(client, owner, way):
    client.force_login(owner)
    key = Token.objects.create(user=owner).key
    program = {"HTTP_AUTHORIZATION": f"Token {key}"}
    before = client.get("/api/v1/interests/", **program).status_code

    way(client, owner)
    client.logout()

    assert (before, client.get("/api/v1/interests/", **program).status_code) == (200, 401)
    assert AuditEntry.objects.filter(action="token.revoked", actor=owner.pk).count() == 1
    assert Notification.objects.filter(to=owner, kind="token_ended").count() == 2
