"""Sign-up, sign-in and their limits (R13)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from chains.models import User
from tests.chains.views.conftest import PASSWORD
from tests.factories.chains import AdministratorFactory

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def sign_in(client, password=PASSWORD, email="person@millfield.example", **extra):
    return client.post(reverse("account_login"), {"login": email, "password": password}, **extra)


@pytest.mark.parametrize(("language", "stored"), [("en", "en"), ("zh-hans", "zh")])
def test_sign_up_by_mail_to_the_first_question(client, language, stored):
    client.cookies["django_language"] = language

    sent = client.post(
        reverse("account_signup"),
        {
            "email": "Boss@Millfield.example",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "agreed": "on",
        },
        follow=True,
    )
    user = User.objects.get()
    link = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[0].body)[1]
    confirm = client.get(link)
    client.post(link)
    sign_in(client, email="boss@millfield.example")
    started = client.get(reverse("start"))

    assert sent.redirect_chain[-1][0] == reverse("account_email_verification_sent")
    assert (user.email, user.language) == ("boss@millfield.example", stored)
    assert "boss@millfield.example" in text_of(confirm)
    assert started["Location"] == reverse("chains:enterprise_join")


def test_after_signing_in_one_is_greeted_by_address_and_not_by_an_identifier(client, person):
    answer = client.post(
        reverse("account_login"), {"login": person.email, "password": PASSWORD}, follow=True
    )

    assert [str(message) for message in answer.context["messages"]] == [
        f"Successfully signed in as {person.email}."
    ]
    assert f'href="{reverse("mfa_index")}"' in text_of(answer)


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"Referer": "http://testserver/review/?band=high#top"}, "/review/?band=high"),
        ({"HX-Request": "true", "HX-Current-URL": "http://testserver/review/"}, "/review/"),
        ({"Referer": "https://elsewhere.example/review/"}, "/start/"),
        ({}, "/start/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, headers, back):
    # Its own address takes no visit: the browser would show an empty page.
    answer = client.post(
        reverse("matchmaking:review_decide", args=["aaaaaaaaaaaa"]), headers=headers
    )

    where = answer.headers.get("HX-Redirect") or answer["Location"]
    assert urlsplit(where).path == reverse("account_login")
    assert parse_qs(urlsplit(where).query) == {"next": [back]}


def test_sign_up_with_a_known_address_tells_nobody_but_its_owner(client, person):
    answer = client.post(
        reverse("account_signup"),
        {"email": person.email, "password1": PASSWORD, "password2": PASSWORD, "agreed": "on"},
        follow=True,
    )

    assert answer.redirect_chain[-1][0] == reverse("account_email_verification_sent")
    assert mail.outbox[0].to == [person.email]
    assert "there is one already" in mail.outbox[0].body
    assert User.objects.count() == 1


def test_password_is_reset_by_a_link_that_works_once(client, person):
    client.post(reverse("account_reset_password"), {"email": person.email})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True)
    new = "another long pass phrase 8"

    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})

    assert sign_in(Client(), new).status_code == 302
    assert "This link has expired or was used already." in text_of(Client().get(link, follow=True))


def test_sixth_wrong_password_is_refused_even_when_the_next_is_right(client, person):
    for _turn in range(5):
        assert "are not correct" in text_of(sign_in(client, "wrong"))

    sixth = sign_in(client, "wrong")
    right = sign_in(Client(), PASSWORD)

    assert "Too many failed login attempts" in text_of(sixth)
    assert "Too many failed login attempts" in text_of(right)
    assert "_auth_user_id" not in client.session


def test_five_minutes_later_the_right_password_is_taken(client, person):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        for _turn in range(6):
            sign_in(client, "wrong")
    with time_machine.travel(start.timestamp() + 301, tick=False):
        assert sign_in(client).status_code == 302


def test_eleventh_wrong_password_of_one_address_is_refused_whatever_it_claims(client):
    for turn in range(10):
        sign_in(client, "wrong", f"user{turn}@millfield.example", HTTP_X_FORWARDED_FOR=f"10.0.0.{turn}")  # fmt: skip

    eleventh = sign_in(client, "wrong", "user10@millfield.example", HTTP_X_FORWARDED_FOR="10.9.9.9")

    assert "Too many failed login attempts" in text_of(eleventh) or eleventh.status_code == 429


def test_admin_login_goes_the_same_way(client):
    user = AdministratorFactory(email="root@chaindock.example")
    user.set_password(PASSWORD)
    user.save()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)

    page = client.get("/admin/login/?next=/admin/")
    for _turn in range(6):
        sign_in(client, "wrong", user.email)
    refused = client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    index = client.get("/admin/")

    assert page["Location"].startswith(reverse("account_login"))
    assert refused["Location"].startswith(reverse("account_login"))
    assert index.status_code == 302
    assert "_auth_user_id" not in client.session


def test_sign_in_fails_closed_while_the_cache_is_away(client, person, settings):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/valkey.sock?db=1"}
    }
    client.raise_request_exception = False

    answer = sign_in(client)

    assert answer.status_code != 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_email_verification_sent",
        "account_inactive",
        "account_reset_password_from_key_done",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_before_signing_in_stand_in_our_frame(client, name, language):
    client.cookies["django_language"] = language

    page = text_of(client.get(reverse(name)))

    assert '<header class="band">' in page
    assert "style=" not in page
    assert ("链对接" in page) == (language == "zh-hans")


@pytest.mark.parametrize(
    "name",
    [
        "account_change_password",
        "account_email",
        "account_logout",
        "mfa_index",
        "mfa_list_webauthn",
        "usersessions_list",
    ],
)
def test_pages_after_signing_in_stand_in_our_frame(client, person, name):
    client.force_login(person)

    page = text_of(client.get(reverse(name)))

    assert '<header class="band">' in page
    assert "style=" not in page


@pytest.mark.django_db
def test_what_is_wrong_with_a_sign_up_is_said_in_chinese_without_a_colon_behind_a_sentence(client):
    client.cookies["django_language"] = "zh-hans"
    answer = client.post(
        reverse("account_signup"), {"email": "new@there.example", "password1": "short"}
    )
    assertContains(answer, "密码至少需要 8 个字符。")
    assertContains(answer, "我已阅读隐私说明，同意为我保存账号。不同意则无法保存账号。")
    assertContains(answer, "电子邮箱")
    assertNotContains(answer, "电子邮件")
