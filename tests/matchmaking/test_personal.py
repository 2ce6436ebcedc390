"""R16: everything kept about a person is known, comes into the person's file, and goes or stays for a reason."""

from __future__ import annotations

import json
import re

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core import mail
from django.core.cache import caches
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from chains import audit, notifications
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Change,
    Consent,
    Contact,
    Membership,
    Notification,
    Reference,
    User,
)
from chains.services import accounts, consents
from matchmaking import personal
from matchmaking.models import Decision
from matchmaking.services import register
from matchmaking.views import own_data
from tests.chains.views.conftest import PASSWORD
from tests.factories.chains import (
    AdministratorFactory,
    ContactFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory
from tests.factories.matchmaking import InterestFactory, MatchFactory

pytestmark = pytest.mark.django_db

NUMBER = "+8613812345678"
CANARIES = (
    "canary.person@quayside.example",
    "Canary.Person@Quayside.example",
    "13812345678",
    "Qcanaryname",
    "Qcanaryjob",
)


# --- The register of fields ---------------------------------------------------------------------------


def suspicious():
    """Every field that could hold something personal: what is typed, what is a file, what leads to a person."""
    typed = (models.CharField, models.TextField, models.JSONField, models.GenericIPAddressField, models.FileField, ArrayField)  # fmt: skip
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, Reference) or model._meta.proxy:
            continue
        for field in model._meta.local_fields:
            leads = field.is_relation and field.related_model is User
            is_typed = isinstance(field, typed) and not field.choices and field.name != "public_id"
            if leads or is_typed:
                yield f"{model._meta.label}.{field.name}"


def registered():
    for table in personal.TABLES:
        first = table.whose.split("__")[0]
        yield from (f"{table.model}.{name}" for name in (*table.fields, *table.secret, first))
    for known in (personal.OTHERS, personal.IMPERSONAL):
        for model, names in known.items():
            yield from (f"{model}.{name}" for name in names.split())
    # Groups grant nothing here; erasing empties them.
    yield from ("chains.User_groups.user", "chains.User_user_permissions.user")


def test_every_field_that_could_be_personal_is_registered():
    """A new one: is it about a person? Then into TABLES of matchmaking/personal.py, with its purpose and its end."""
    assert sorted(set(suspicious()) - set(registered())) == []


def test_register_names_only_fields_that_exist():
    gone = []
    for label in set(registered()):
        model, _, name = label.rpartition(".")
        try:
            apps.get_model(model)._meta.get_field("id" if name == "pk" else name)
        except (LookupError, Exception) as fault:
            gone.append(f"{label}: {fault}")

    assert gone == []


def test_what_stays_says_why():
    assert [t.model for t in personal.TABLES if t.erasing != personal.DELETED and not t.note] == []


# --- One person, everywhere ---------------------------------------------------------------------------


def person_everywhere():
    """Somebody who has left traces in every table that erasing touches."""
    person = UserFactory(email=CANARIES[0])
    person.set_password(PASSWORD)
    person.save()
    person.emailaddress_set.create(email=CANARIES[0], verified=True, primary=True)
    accounts.set_phone(phone=NUMBER, by=person)
    consents.give(purpose="account", by=person)
    membership = MembershipFactory(user=person)
    MembershipFactory(enterprise=membership.enterprise)
    contact = ContactFactory(enterprise=membership.enterprise, name="Qcanaryname", job_title="Qcanaryjob", email=CANARIES[1], phone="13812345678")  # fmt: skip
    requirement = RequirementFactory(
        enterprise=membership.enterprise, contact=contact, status="published"
    )
    OrganiserRoleFactory(user=person)
    Token.objects.create(user=person)
    notifications.post(person, "membership_accepted", membership=membership.public_id)
    interest = InterestFactory(sent_by=person)
    match = MatchFactory()
    Decision.objects.create(match=match, verdict="approved", by=person)
    return person, requirement, interest


def everything_in_the_database():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            for (row,) in cursor.fetchall():
                yield table, row


def traces():
    found = {
        table
        for table, row in everything_in_the_database()
        for word in CANARIES
        if word.lower() in row.lower()
    }
    return sorted(found)


def test_erased_person_is_found_in_no_table_no_file_and_no_cache(
    settings, django_capture_on_commit_callbacks
):
    person, requirement, interest = person_everywhere()
    browser = Client()
    browser.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    before = traces()

    with django_capture_on_commit_callbacks(execute=True):
        register.erase(by=User.objects.get(pk=person.pk))
    person.refresh_from_db()

    # There was something to find, and it is found no more.
    assert before == ["account_emailaddress", "chains_contact", "chains_user"]
    assert traces() == []
    assert not any(
        w in str(caches["default"].get(k, "")) for w in CANARIES for k in ("session", "user")
    )
    assert [p for p in settings.MEDIA_ROOT.rglob("*") if p.is_file()] == []
    # The row stays, empty, and what was done leads to it.
    assert (person.is_active, person.is_staff, person.has_usable_password()) == (
        False,
        False,
        False,
    )
    assert person.email == f"{person.public_id}@erased.invalid"
    assert Decision.objects.get(by=person).verdict == "approved"
    interest.refresh_from_db()
    assert interest.sent_by == person
    assert set(person.memberships.values_list("status", flat=True)) == {"ended"}
    assert person.active_roles == []
    assert Consent.objects.in_force().filter(user=person).count() == 0
    assert not Token.objects.filter(user=person).exists()
    assert not Contact.objects.get(pk=requirement.contact_id).is_active
    # The other owner hears that a contact is to be named anew.
    told = Notification.objects.filter(kind="contact_erased", channel="email")
    assert [row.to.enterprise_ids for row in told] == [{requirement.enterprise_id}]
    # Signed out everywhere, and told.
    assert browser.get(reverse("start"))["Location"].startswith(reverse("account_login"))
    assert (mail.outbox[-1].to, mail.outbox[-1].subject) == (
        [CANARIES[0]],
        "Your account was erased",
    )
    assert AuditEntry.objects.filter(action="user.erased", actor=person.pk).count() == 1
    assert Change.objects.filter(noun="user", target=person.public_id, verb="erased").count() == 1


def test_names_as_a_delegate_are_in_the_file_and_go_with_the_events_that_are_over(client):
    person, requirement, _interest = person_everywhere()
    own = requirement.enterprise
    ahead, over = EventFactory(name_en="Qahead"), EventFactory(name_en="Qover", status="held")
    sent = [RegistrationFactory(event=event, enterprise=own) for event in (ahead, over)]
    other = RegistrationFactory(event=over)  # of another enterprise, a namesake
    for registration in (*sent, other):
        registration.delegates.create(
            event=registration.event, name="Qcanaryname", job_title="Qcanaryjob"
        )
    client.force_login(person)
    confirm(client)

    page = client.get(reverse("matchmaking:account_erase")).content.decode()
    data = personal.file_of(person)
    rows = next(s["rows"] for s in data["sections"] if s["table"] == "events.Delegate")
    goes, stays = page.split('id="st"')
    register.erase(by=User.objects.get(pk=person.pk))

    assert [row["event"]["name_en"] for row in rows] == ["Qahead", "Qover"]
    assert ("Qover" in goes, "Qahead" in goes, "Qahead" in stays) == (True, False, True)
    names = [set(r.delegates.values_list("name", "job_title")) for r in (*sent, other)]
    assert names == [{("Qcanaryname", "Qcanaryjob")}, {("—", "")}, {("Qcanaryname", "Qcanaryjob")}]
    assert AuditEntry.objects.filter(action="delegate.erased").count() == 1


def test_address_that_is_only_typed_opens_and_erases_nobodys_contact(client):
    """Whoever adds somebody else's address to the account has not proven to be that person."""
    contact = ContactFactory(email="victim@quayside.example", name="Qvictim")
    thief = UserFactory(email="victim@quayside.example")
    thief.emailaddress_set.create(email="thief@example.com", verified=True, primary=True)
    thief.emailaddress_set.create(email="victim@quayside.example", verified=False)
    client.force_login(thief)

    page = client.get(reverse("matchmaking:own_data")).content.decode()
    register.erase(by=thief)
    contact.refresh_from_db()

    assert "Qvictim" not in page
    assert (contact.name, contact.email) == ("Qvictim", "victim@quayside.example")


@pytest.mark.parametrize("alike", ["victim@quays\u0131de.example", "v\u0131ctim@quayside.example"])
def test_address_that_only_looks_alike_is_somebody_elses(alike):
    """Written large, a dotless i is the I of everybody else; its domain can be had by anybody."""
    contact = ContactFactory(email="Victim@quayside.example")
    thief, owner = UserFactory(email=alike), UserFactory(email="victim@quayside.example")
    for user in (thief, owner):
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)

    assert list(personal.contacts_of(thief)) == []
    assert list(personal.contacts_of(owner)) == [contact]
    assert User.objects.at_address("Victim@Quayside.example").get() == owner
    assert User.objects.get_by_natural_key(alike) == thief


SPELLINGS = ("13812345678", "138 1234 5678", "138-1234-5678", "0086 138 1234 5678", "+86 (138) 1234-5678", "８６１３８１２３４５６７８")  # fmt: skip


def test_number_is_found_however_the_enterprise_wrote_it():
    user = UserFactory(phone=NUMBER)
    own = {ContactFactory(phone=typed) for typed in SPELLINGS}
    for other in ("138 1234 5679", "+1 138 1234 5678", "0571-2345678", "ask for 13812345678", ""):
        ContactFactory(phone=other)

    assert set(personal.contacts_of(user)) == own

    register.erase(by=user)
    assert set(Contact.objects.filter(is_active=False)) == own
    assert not Contact.objects.filter(pk__in=[one.pk for one in own]).exclude(phone="").exists()


def test_address_of_an_erased_account_is_free_again():
    person, *_rest = person_everywhere()
    register.erase(by=person)

    again = UserFactory(email=CANARIES[0])
    accounts.set_phone(phone=NUMBER, by=again)

    assert again.phone == NUMBER


def test_last_owner_stays_and_is_told_what_to_do(client):
    membership = MembershipFactory(enterprise__name="示例独资有限公司")
    MembershipFactory(enterprise=membership.enterprise, role="editor")
    other = MembershipFactory(enterprise=membership.enterprise, user__is_active=False)

    with pytest.raises(DomainError, match="示例独资有限公司") as refused:
        register.erase(by=membership.user)
    other.user.is_active = True
    other.user.save()
    register.erase(by=membership.user)

    assert refused.value.code == "user.last_owner"
    membership.refresh_from_db()
    assert membership.status == Membership.Status.ENDED


def test_owner_of_a_suspended_enterprise_and_the_last_administrator():
    alone = MembershipFactory(enterprise__status="suspended")
    register.erase(by=alone.user)
    administrator = AdministratorFactory()
    with pytest.raises(DomainError, match="only administrator"):
        register.erase(by=administrator)
    AdministratorFactory()

    register.erase(by=administrator)

    assert not User.objects.get(pk=administrator.pk).is_administrator
    with pytest.raises(DomainError, match="already"):
        register.erase(by=administrator)


# --- The pages ----------------------------------------------------------------------------------------


@pytest.fixture
def inside(client):
    person, *_rest = person_everywhere()
    client.force_login(person)
    return person


def confirm(client):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def test_file_holds_everything_and_no_key_to_the_account(client, inside):
    stranger = InterestFactory(message="Qnobodyelse")
    asked = client.get(reverse("matchmaking:own_data_file"))
    confirm(client)

    answer = client.get(reverse("matchmaking:own_data_file"))
    data = json.loads(answer.content)
    rows = {section["table"]: section["rows"] for section in data["sections"]}

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert answer["Content-Disposition"].startswith("attachment")
    assert data["format"] == "chaindock-person-1"
    assert (rows["chains.User"][0]["email"], rows["chains.User"][0]["phone"]) == (
        CANARIES[0],
        NUMBER,
    )
    assert rows["chains.Contact"][0]["name"] == "Qcanaryname"
    assert {row["purpose"] for row in rows["chains.Consent"]} == {"account", "phone"}
    for table in ("chains.Membership", "chains.OrganiserRole", "chains.Notification", "matchmaking.Interest", "matchmaking.Decision", "chains.AuditEntry"):  # fmt: skip
        assert rows[table], table
    text = answer.content.decode()
    inside.refresh_from_db()
    assert stranger.message not in text
    assert inside.password not in text
    assert Token.objects.get(user=inside).key not in text


def test_page_shows_the_same_where_nothing_can_be_downloaded(client, inside):
    page = client.get(reverse("matchmaking:own_data")).content.decode()

    assert CANARIES[0] in page
    assert "An account on this platform" in page
    assert Token.objects.get(user=inside).key not in page


def test_account_is_erased_after_a_look_at_what_goes_and_a_tick(client, inside):
    asked = client.get(reverse("matchmaking:account_erase"))
    confirm(client)
    page = client.get(reverse("matchmaking:account_erase")).content.decode()
    unsure = client.post(reverse("matchmaking:account_erase"))
    inside.refresh_from_db()
    before = inside.erased_at

    done = client.post(reverse("matchmaking:account_erase"), {"sure": "yes"})
    inside.refresh_from_db()

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert re.search(r"Decisions on matches</b> <span class=\"tag line\">1</span>", page)
    assert "Tick this first." in unsure.content.decode()
    assert before is None
    assert inside.erased_at is not None
    assert done["Location"] == reverse("home")
    assert "_auth_user_id" not in client.session


def test_consent_is_withdrawn_by_one_click_and_the_account_by_erasing_it(client, inside):
    client.post(reverse("chains:consent_withdraw"), {"purpose": "phone"})
    client.post(reverse("chains:consent_withdraw"), {"purpose": "account"})
    client.post(reverse("chains:consent_withdraw"), {"purpose": "nothing"})

    assert list(
        Consent.objects.in_force().filter(user=inside).values_list("purpose", flat=True)
    ) == ["account"]
    assert client.get(reverse("chains:consent_withdraw"))["Location"] == reverse(
        "matchmaking:own_data"
    )


def test_words_that_have_changed_are_agreed_to_anew(monkeypatch, inside):
    notice = consents.NOTICES["account"]
    monkeypatch.setitem(
        consents.NOTICES,
        "account",
        type(notice)("2027-01", notice.recipient, notice.text, notice.withdrawing),
    )

    consents.give(purpose="account", by=inside)
    consents.give(purpose="account", by=inside)

    rows = Consent.objects.filter(user=inside, purpose="account").order_by("pk")
    assert [(row.version, row.withdrawn_at is None) for row in rows] == [
        ("2026-11", False),
        ("2027-01", True),
    ]


def test_account_from_before_the_words_agrees_on_the_page(client):
    person = UserFactory()
    client.force_login(person)
    asked = client.get(reverse("matchmaking:own_data")).content.decode()

    client.post(reverse("chains:consent_give"), {"purpose": "account"})
    client.post(reverse("chains:consent_give"), {"purpose": "phone"})
    later = client.get(reverse("matchmaking:own_data")).content.decode()

    assert "I agree" in asked
    assert "I agree" not in later
    rows = Consent.objects.filter(user=person)
    assert [(row.purpose, row.version, row.recipient) for row in rows] == [
        ("account", "2026-11", "the operator of this platform")
    ]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_privacy_notice_is_read_by_everybody(client, language):
    client.cookies["django_language"] = language

    page = client.get(reverse("matchmaking:privacy")).content.decode()

    assert page.count("<tr>") == len(personal.TABLES) + 1


def test_page_shows_the_newest_rows_of_a_long_trail_and_the_file_all(client, monkeypatch):
    monkeypatch.setattr(own_data, "SHOWN", 3)
    person = UserFactory()
    for number in range(5):
        audit.record(person, f"Qact{number}", person)
    client.force_login(person)

    page = client.get(reverse("matchmaking:own_data")).content.decode()
    trail = personal.file_of(person)["sections"][-1]["rows"]

    assert re.findall(r"Qact\d", page) == ["Qact4", "Qact3", "Qact2"]
    assert "the newest 3, all in the file" in page
    assert [row["action"] for row in trail] == [f"Qact{number}" for number in range(5)]
