"""Signing in with a code, and the number it goes to."""

from __future__ import annotations

import doctest
import re

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import chains.sms
from chains.errors import DomainError
from chains.models import AuditEntry, Change, Consent, User
from chains.services import accounts
from tests import sms
from tests.chains.views.conftest import PASSWORD
from tests.chains.views.test_second_step import SECRET, code, second, signed_in, totp
from tests.chains.views.test_sign_in import text_of
from tests.factories.chains import UserFactory

pytestmark = pytest.mark.django_db

NUMBER = "+8613800001111"


def test_doctests_hold():
    assert doctest.testmod(chains.sms).failed == 0


class AtOnce:
    """Sends in the request what is sent beside it, so that a test finds it."""

    def submit(self, send, *args):
        send(*args)


@pytest.fixture(autouse=True)
def empty_outbox(monkeypatch):
    sms.outbox.clear()
    monkeypatch.setattr(chains.sms, "_beside", AtOnce())


@pytest.fixture
def known(person):
    accounts.set_phone(phone=NUMBER, by=person)
    return person


def sent():
    number, text = sms.outbox[-1]
    return number, re.search(r"\b\d{6}\b", text)[0]


def ask(client, **typed):
    return client.post(reverse("account_request_login_code"), typed, follow=True)


def enter(client, value):
    return client.post(reverse("account_confirm_login_code"), {"code": value})


def add(client, typed):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.post(reverse("account_change_phone"), {"phone": typed})


def test_number_is_kept_once_its_code_came_back_and_then_signs_in(client, person):
    client.force_login(person)
    asked = client.get(reverse("account_change_phone"))

    add(client, "138 0000-1111")
    person.refresh_from_db()
    before = person.phone
    number, digits = sent()
    client.post(reverse("account_verify_phone"), {"code": digits})
    person.refresh_from_db()
    phone = Client()
    ask(phone, phone="13800001111")
    number_again, digits_again = sent()
    enter(phone, digits_again)

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert (before, number, person.phone, number_again) == ("", NUMBER, NUMBER, NUMBER)
    assert digits_again != digits
    assert signed_in(phone)
    assert Consent.objects.in_force().filter(user=person, purpose="phone").count() == 1
    assert [letter.subject for letter in mail.outbox] == [
        "The mobile number of your account was changed"
    ]
    entry = AuditEntry.objects.get(action="phone.set")
    assert (entry.actor, entry.data) == (person.pk, {})  # the number stands in no trail
    assert Change.objects.filter(noun="user", verb="phone_set").count() == 1


def test_wrong_code_keeps_no_number_and_the_fourth_try_needs_a_new_one(client, person):
    client.force_login(person)
    add(client, NUMBER)
    _number, digits = sent()
    wrong = "000000" if digits != "000000" else "000001"

    for _turn in range(3):
        client.post(reverse("account_verify_phone"), {"code": wrong})
    late = client.post(reverse("account_verify_phone"), {"code": digits})
    person.refresh_from_db()

    assert late["Location"] == reverse("account_change_phone")
    assert person.phone == ""


def test_number_of_another_account_cannot_be_taken_even_with_its_code(client, known):
    thief = UserFactory()
    thief.set_password(PASSWORD)
    thief.save()
    client.force_login(thief)
    add(client, NUMBER)
    _number, digits = sent()

    answer = client.post(reverse("account_verify_phone"), {"code": digits})
    with pytest.raises(DomainError, match="Another account"):
        accounts.set_phone(phone=NUMBER, by=thief)

    assert "already registered" in text_of(answer)
    assert list(User.objects.filter(phone=NUMBER)) == [known]


def test_whoever_asks_for_a_number_without_an_account_learns_and_costs_nothing(client, known):
    told = text_of(ask(client, phone="+8613899990000"))
    answer = enter(client, "")
    other = enter(client, "123456")
    told_known = text_of(ask(Client(), phone=NUMBER))

    assert len(sms.outbox) == 1  # of the known one
    assert "If there is an account, six digits are on their way to +8613899990000." in told
    assert told.replace("+8613899990000", NUMBER).count(NUMBER) == told_known.count(NUMBER)
    assert (answer.status_code, other.status_code) == (200, 200)
    assert not signed_in(client)


def test_code_works_in_the_browser_that_asked_for_it_once_and_for_five_minutes(client, known):
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        ask(client, phone=NUMBER)
        _number, digits = sent()
        stranger = Client()
        ask(stranger, phone="+8613899990000")
        enter(stranger, digits)
        clock.shift(301)
        enter(client, digits)

    assert not signed_in(stranger)
    assert not signed_in(client)


def test_code_is_guessed_five_times_at_most_whatever_the_session_has_counted(client, known):
    ask(client, phone=NUMBER)
    _number, digits = sent()
    wrong = "000000" if digits != "000000" else "000001"
    session = client.session
    kept = dict(session)

    for _turn in range(5):
        enter(client, wrong)
        # Requests at the same moment all find the count of before.
        session = client.session
        session.update(kept)
        session.save()
    enter(client, digits)

    assert not signed_in(client)


def test_third_code_within_a_minute_is_refused(client, known):
    for _turn in range(3):
        told = ask(Client(), phone=NUMBER)

    assert len(sms.outbox) == 2
    assert "Too many failed login attempts" in text_of(told)


def test_number_that_changed_while_its_code_was_under_way_opens_nothing(client, known):
    ask(client, phone=NUMBER)
    _number, digits = sent()
    accounts.set_phone(phone="+8613800002222", by=known)

    answer = enter(client, digits)
    known.refresh_from_db()

    assert answer["Location"] == reverse("account_login")
    assert not signed_in(client)
    assert known.phone == "+8613800002222"


def test_text_message_does_not_go_round_the_second_step(client, known):
    totp.TOTP.activate(known, SECRET)
    ask(client, phone=NUMBER)
    _number, digits = sent()

    first = enter(client, digits)
    inside = signed_in(client)
    second(client, code())

    assert first["Location"] == reverse("mfa_authenticate")
    assert not inside
    assert signed_in(client)


def test_code_by_mail_signs_in_too(client, person):
    ask(client, email=person.email)
    digits = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)[0]

    enter(client, digits)

    assert signed_in(client)


def test_deleting_the_number_takes_the_agreement_back(client, known):
    client.force_login(known)

    client.post(reverse("chains:consent_withdraw"), {"purpose": "phone", "next": "phone"})
    known.refresh_from_db()
    ask(Client(), phone=NUMBER)

    assert known.phone == ""
    assert Consent.objects.in_force().filter(user=known, purpose="phone").count() == 0
    assert sms.outbox == []


def test_broken_sender_is_said_to_whoever_is_signed_in_and_its_log_holds_no_number(
    client, person, settings, caplog
):
    settings.SMS_SENDER = "tests.sms.Broken"
    client.force_login(person)

    add(client, NUMBER)
    told = text_of(client.get(reverse("account_verify_phone")))

    assert "could not be sent" in told
    assert "not taken" in caplog.text
    assert "13800001111" not in caplog.text


@pytest.mark.parametrize("sender", ["tests.sms.Kept", "tests.sms.Broken"])
def test_answer_is_the_same_for_a_number_without_an_account_and_waits_for_no_sender(
    known, settings, monkeypatch, sender
):
    settings.SMS_SENDER = sender
    beside = []
    monkeypatch.setattr(AtOnce, "submit", lambda _self, *work: beside.append(work))

    def answers(number):
        browser = Client()
        pages = [ask(browser, phone=number), enter(browser, "000000"), enter(browser, "000000")]
        texts = [text_of(page).replace(number, "N") for page in pages]
        bare = [re.sub(r'csrfmiddlewaretoken" value="\w+', "", text) for text in texts]
        return [page.status_code for page in pages], bare

    other = "+8613899990000"
    assert answers(NUMBER) == answers(other)
    assert [number for _send, number, _text in beside] == [NUMBER]
    assert sms.outbox == []


@pytest.mark.parametrize("name", ["account_request_login_code", "account_login"])
def test_without_a_sender_nobody_is_asked_for_a_number(client, settings, name):
    settings.SMS_SENDER = ""

    assert 'type="tel"' not in text_of(client.get(reverse(name)))


@pytest.mark.parametrize("typed", ["123", "abc", "+", "+0138000011111"])
def test_what_is_no_number_is_said(client, person, typed):
    told = text_of(ask(client, phone=typed))

    assert "This is no telephone number." in told
    assert sms.outbox == []
