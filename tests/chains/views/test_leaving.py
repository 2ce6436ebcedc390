"""A person's address changes, a person leaves an enterprise: what the other side of an open session then sees."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from chains.models import AuditEntry
from tests.chains.views.conftest import PASSWORD
from tests.chains.views.test_second_step import SECRET, totp
from tests.chains.views.test_sign_in import sign_in
from tests.factories.chains import EnterpriseFactory, MembershipFactory, RequirementFactory

pytestmark = pytest.mark.django_db

NEW = "new@millfield.example"


def test_address_changes_with_the_password_and_a_link_sent_to_the_new_one(client, person):
    client.force_login(person)
    asked = client.post(reverse("account_email"), {"action_add": "", "email": NEW})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"action_add": "", "email": NEW})
    early = client.post(reverse("account_email"), {"action_primary": "", "email": NEW})
    link = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body)[1]
    to = mail.outbox[-1].to
    client.post(link)
    client.post(reverse("account_email"), {"action_primary": "", "email": NEW})
    person.refresh_from_db()
    told = [letter.to for letter in mail.outbox if "e-mail address" in letter.subject.lower() or "email" in letter.subject.lower()]  # fmt: skip
    client.post(
        reverse("account_email"), {"action_remove": "", "email": "person@millfield.example"}
    )

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert early.status_code == 302
    assert to == [NEW]
    assert person.email == NEW
    assert ["person@millfield.example"] in told  # whoever holds the old one hears of it
    assert sign_in(Client(), email=NEW).status_code == 302
    assert "_auth_user_id" not in _after(Client(), "person@millfield.example").session


def _after(client, address):
    sign_in(client, email=address)
    return client


def test_session_that_somebody_else_holds_changes_nothing_of_how_one_signs_in(client, person):
    """An open session without the password: no address, no password, no app, no key, no number, no end."""
    totp.TOTP.activate(person, SECRET)
    client.force_login(person)

    client.post(reverse("account_email"), {"action_add": "", "email": NEW})
    client.post(reverse("mfa_deactivate_totp"))
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("account_change_phone"), {"phone": "13800001111"})
    client.post(reverse("matchmaking:account_erase"), {"sure": "yes"})
    client.post(
        reverse("account_change_password"),
        {"oldpassword": "x", "password1": "y" * 12, "password2": "y" * 12},
    )
    person.refresh_from_db()

    assert list(person.emailaddress_set.values_list("email", flat=True)) == [person.email]
    assert list(person.authenticator_set.values_list("type", flat=True)) == ["totp"]
    assert (person.phone, person.erased_at) == ("", None)
    assert person.check_password(PASSWORD)


def test_who_has_left_stays_signed_in_and_sees_nothing_of_the_enterprise(client):
    enterprise = EnterpriseFactory()
    owner = MembershipFactory(enterprise=enterprise).user
    leaver = MembershipFactory(enterprise=enterprise, role="editor")
    draft = RequirementFactory(enterprise=enterprise, draft=True)
    key = Token.objects.create(user=leaver.user).key
    client.force_login(leaver.user)
    pages = [
        reverse("chains:enterprise_status", args=[enterprise.public_id]),
        reverse("chains:member_list", args=[enterprise.public_id]),
        reverse("chains:contact_edit", args=[enterprise.public_id]),
        reverse("chains:requirement_edit", args=[draft.public_id]),
        f"/api/v1/requirements/{draft.public_id}/",
        f"/api/v1/enterprises/{enterprise.public_id}/contacts/",
    ]
    before = [client.get(page).status_code for page in pages]
    boss = Client()
    boss.force_login(owner)

    boss.post(reverse("chains:membership_decide", args=[leaver.public_id]), {"do": "end"})

    assert before == [200] * 6
    assert [client.get(page).status_code for page in pages] == [404, 404, 404, 404, 404, 403]
    by_token = Client(headers={"Authorization": f"Token {key}"})
    assert by_token.get(pages[4]).status_code == 404
    assert client.get(reverse("matchmaking:own_data")).status_code == 200
    entry = AuditEntry.objects.get(action="membership.ended")
    assert entry.actor == owner.pk
