"""Authenticator app, recovery codes, keys, and the list of devices."""

from __future__ import annotations

import re

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry
from chains.services import accounts
from chains.templatetags.page import device
from tests.chains.views.conftest import PASSWORD
from tests.chains.views.test_sign_in import sign_in, text_of
from tests.factories.chains import AdministratorFactory, OrganiserRoleFactory, UserFactory

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret=SECRET, step=0):
    now = int(timezone.now().timestamp()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, now + step))


@pytest.fixture
def guarded(person):
    totp.TOTP.activate(person, SECRET)
    return person


def second(client, value):
    return client.post(reverse("mfa_authenticate"), {"code": value})


def signed_in(client):
    return "_auth_user_id" in client.session


def test_app_is_set_up_after_the_password_and_its_secret_is_unreadable_in_the_database(
    client, person, django_capture_on_commit_callbacks
):
    client.force_login(person)
    asked = client.get(reverse("mfa_activate_totp"))
    client.post(asked["Location"], {"password": PASSWORD})
    page = text_of(client.get(reverse("mfa_activate_totp")))
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)[1]

    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    codes = re.findall(r"<li><code[^>]*>(\d{8})</code>", text_of(client.get(done["Location"])))
    row = Authenticator.objects.get(user=person, type="totp")

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert "data:image/svg+xml;base64," in page
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    assert len(set(codes)) == 10
    assert secret not in str(row.data)
    assert row.wrap().validate_code(code(secret, 1))
    assert [letter.to for letter in mail.outbox] == [[person.email]]
    assert "Authenticator app activated." in mail.outbox[0].body
    assert "example.com" not in mail.outbox[0].body


def test_password_alone_opens_nothing_once_an_app_is_set_up(client, guarded):
    first = sign_in(client)

    assert first["Location"] == reverse("mfa_authenticate")
    assert not signed_in(client)
    assert client.get(reverse("start"))["Location"].startswith(reverse("account_login"))
    assert second(client, "000000").status_code == 200
    assert not signed_in(client)

    second(client, code())

    assert signed_in(client)


@pytest.mark.parametrize("later", [0, 29, 59])
def test_code_of_the_app_works_once_as_long_as_it_is_valid(client, guarded, later):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        used = code(step=1)  # of a telephone that is half a minute ahead
        sign_in(client)
        second(client, used)
        clock.shift(later)
        other = Client()
        sign_in(other)
        again = second(other, used)

    assert signed_in(client)
    assert not signed_in(other)
    assert "was used already" in text_of(again)


def test_sixth_wrong_code_is_refused_even_when_the_next_is_right(client, guarded):
    sign_in(client)
    for _turn in range(5):
        second(client, "000000")

    second(client, code())

    assert not signed_in(client)


def test_recovery_code_stands_in_for_the_app_once(client, guarded):
    client.force_login(guarded)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_generate_recovery_codes"))
    codes = re.findall(
        r"<code[^>]*>(\d{8})</code>", text_of(client.get(reverse("mfa_view_recovery_codes")))
    )
    first, other = Client(), Client()
    for browser in (first, other):
        sign_in(browser)
        second(browser, codes[0])

    assert signed_in(first)
    assert not signed_in(other)


def test_key_of_another_person_can_neither_be_renamed_nor_removed(client, person):
    other = UserFactory()
    key = Authenticator.objects.create(
        user=other, type="webauthn", data={"name": "theirs", "credential": {}}
    )
    client.force_login(person)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert client.post(reverse(name, args=[key.pk]), {"name": "mine"}).status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "theirs"


def test_devices_are_listed_and_all_others_signed_out(client, person):
    sign_in(client, HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36")
    phone = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone) Safari/604 MicroMessenger/8.0"})
    sign_in(phone)
    stranger = Client()
    stranger.force_login(UserFactory())

    page = text_of(client.get(reverse("usersessions_list")))
    client.post(reverse("usersessions_list"))

    assert "Chrome · Windows" in page
    assert "WeChat · iPhone" in page
    assert client.get(reverse("account_email")).status_code == 200
    assert phone.get(reverse("start"))["Location"].startswith(reverse("account_login"))
    assert stranger.get(reverse("start")).status_code == 302
    assert signed_in(stranger)


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        ("", "Unknown browser"),
        ("Mozilla/5.0 (X11; Linux) Firefox/140", "Firefox · Linux"),
        ("<script>", "Unknown browser"),
    ],
)
def test_device_is_named_by_what_the_browser_says(agent, named):
    assert device(agent) == named


# --- Who must -----------------------------------------------------------------------------------------


def test_who_decides_for_others_is_urged_at_signing_in(client, person):
    OrganiserRoleFactory(user=person)

    answer = client.post(
        reverse("account_login"), {"login": person.email, "password": PASSWORD}, follow=True
    )

    assert any("Set up a second step" in str(message) for message in answer.context["messages"])


def test_workshop_demands_a_second_step_of_its_administrators(client, settings):
    settings.SECOND_FACTOR = "administrators"
    administrator = AdministratorFactory()
    client.force_login(administrator)

    without = client.get("/admin/")
    elsewhere = client.get(reverse("matchmaking:inbox"))
    totp.TOTP.activate(administrator, SECRET)
    with_one = client.get("/admin/")

    assert without["Location"] == reverse("mfa_index")
    assert elsewhere.status_code == 200
    assert with_one.status_code == 200


def test_organisers_are_led_to_it_from_everywhere_where_it_is_demanded(client, settings):
    settings.SECOND_FACTOR = "organisers"
    organiser = OrganiserRoleFactory().user
    client.force_login(organiser)

    page = client.get(reverse("matchmaking:inbox"))
    api = client.get("/api/v1/requirements/")
    way = client.get(reverse("mfa_index"))
    member = Client()
    member.force_login(UserFactory())

    assert page["Location"] == reverse("mfa_index")
    assert (api.status_code, api["Content-Type"]) == (403, "application/problem+json")
    assert way.status_code == 200
    assert member.get(reverse("chains:notification_list")).status_code == 200


# --- Who has lost it ----------------------------------------------------------------------------------


def test_administrator_takes_a_lost_second_step_off_and_the_person_is_told(client, guarded):
    by = AdministratorFactory()
    client.force_login(by)
    page = reverse("admin:chains_user_changelist")

    client.post(page, {"action": "reset_second_steps", "_selected_action": [guarded.pk]})

    assert not Authenticator.objects.filter(user=guarded).exists()
    assert AuditEntry.objects.get(action="second_step.removed").actor == by.pk
    assert guarded.notifications.filter(kind="second_step_removed").count() == 2
    person = Client()
    sign_in(person)
    assert signed_in(person)


def test_nobody_takes_a_second_step_off_for_oneself_or_without_the_office(guarded):
    by = AdministratorFactory()
    totp.TOTP.activate(by, SECRET)

    for user, who in ((by, by), (guarded, OrganiserRoleFactory().user)):
        with pytest.raises(DomainError) as refused:
            accounts.reset_second_step(user=user, by=who)
        assert refused.value.is_refusal
    with pytest.raises(DomainError, match="no second step"):
        accounts.reset_second_step(user=UserFactory(), by=by)

    assert Authenticator.objects.filter(user__in=[by, guarded]).count() == 2


def test_changes_of_how_one_signs_in_stand_in_the_trail(
    client, guarded, django_capture_on_commit_callbacks
):
    client.force_login(guarded)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_deactivate_totp"))
        client.post(
            reverse("account_change_password"),
            {"oldpassword": PASSWORD, "password1": f"{PASSWORD}x", "password2": f"{PASSWORD}x"},
        )

    actions = set(AuditEntry.objects.filter(actor=guarded.pk).values_list("action", flat=True))
    assert actions == {"second_step.deactivated", "password.changed"}
