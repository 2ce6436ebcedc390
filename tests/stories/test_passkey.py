"""A key of the device: made after signing in, then it signs in alone; under the policy that runs no script of a page."""

from __future__ import annotations

import pytest
from django.urls import reverse

from chains.models import User
from tests.factories.chains import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story, pytest.mark.browser]

PASSWORD = "a long enough pass phrase 7"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_passkey_signs_in_alone_until_the_account_is_closed(live_server, page):
    person = UserFactory(email="keys@millfield.example")
    person.set_password(PASSWORD)
    person.save()
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def click(name):
        with page.expect_event("load"):
            page.locator("main").get_by_role("button", name=name, exact=True).click()

    page.goto(live_server.url + reverse("account_login"))
    page.fill("#id_login", person.email)
    page.fill("#id_password", PASSWORD)
    click("Sign in")
    page.goto(live_server.url + reverse("mfa_add_webauthn"))
    if "reauthenticate" in page.url:
        page.fill("#id_password", PASSWORD)
        click("Confirm")
    page.fill("#id_name", "work computer")
    click("Add a key")
    key = person.authenticator_set.get(type="webauthn")
    page.context.clear_cookies(name="sessionid")

    page.goto(live_server.url + reverse("account_login"))
    click("Sign in with a passkey")
    inside = page.url
    page.context.clear_cookies(name="sessionid")
    User.objects.filter(pk=person.pk).update(is_active=False)
    page.goto(live_server.url + reverse("account_login"))
    click("Sign in with a passkey")

    assert key.data["name"] == "work computer"
    assert inside == live_server.url + reverse("chains:enterprise_join")
    assert page.url == live_server.url + reverse("account_inactive")
    assert page.complaints == []
