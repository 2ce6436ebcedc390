from __future__ import annotations

import datetime

import pytest
import time_machine
from django.utils import timezone
from rest_framework.authtoken.models import Token

from chains.errors import DomainError
from chains.models import AuditEntry, Change, TokenLimit
from chains.services import tokens
from matchmaking.api import reach, urls
from matchmaking.api.base import ReferenceViewSet
from tests.factories.chains import (
    AdministratorFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def test_key_works_and_stands_in_no_trail_and_no_feed(client):
    owner = MembershipFactory().user

    key = tokens.create(by=owner)

    runs = client.get("/api/v1/runs/", headers={"authorization": f"Token {key}"})
    assert runs.status_code == 200
    assert AuditEntry.objects.get(action="token.created").target == f"chains.User:{owner.public_id}"
    assert Change.objects.get(noun="token").target == owner.public_id
    assert key not in f"{AuditEntry.objects.values_list()}{Change.objects.values_list()}"


@pytest.mark.parametrize(
    "person",
    [
        lambda: MembershipFactory(role="editor").user,
        lambda: MembershipFactory(enterprise__status="submitted").user,
        lambda: MembershipFactory(enterprise__status="suspended").user,
        lambda: OrganiserRoleFactory(role="analyst").user,
        UserFactory,
    ],
)
def test_who_neither_owns_nor_organises_gets_none(person):
    with pytest.raises(DomainError) as refusal:
        tokens.create(by=person())

    assert refusal.value.code == "token.forbidden"
    assert not Token.objects.exists()


@pytest.mark.parametrize("person", [lambda: OrganiserRoleFactory().user, AdministratorFactory])
def test_organiser_and_administrator_get_one(person):
    somebody = person()

    assert tokens.create(by=somebody) == Token.objects.get(user=somebody).key


def test_second_one_is_refused_until_the_first_is_revoked(client):
    owner = MembershipFactory().user
    first = tokens.create(by=owner)

    with pytest.raises(DomainError) as refusal:
        tokens.create(by=owner)
    tokens.revoke(user=owner, by=owner)
    second = tokens.create(by=owner)

    assert refusal.value.code == "token.exists"
    assert second != first
    old = client.get("/api/v1/runs/", headers={"authorization": f"Token {first}"})
    assert old.status_code == 401
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1


def test_key_made_for_less_reaches_no_further(client):
    owner = MembershipFactory().user
    today = timezone.localdate()
    key = tokens.create(by=owner, may_write=False, nouns=["interests"], ends_on=today)
    program = {"authorization": f"Token {key}"}

    def asked(path, method="get"):
        answer = getattr(client, method)(f"/api/v1/{path}", headers=program)
        return answer.status_code, answer.json().get("detail")

    assert asked("interests/")[0] == 200
    assert asked("regions/")[0] == 200
    assert asked("interests/", "post") == (403, "This token may only read.")
    # What everybody reads too: the key says who asks, and it was not made for that.
    said = "This token was not made for “Requirements and projects”."
    assert asked("requirements/") == (403, said)
    assert asked("projects/") == (403, said)
    answer = client.get("/api/v1/token/", headers=program).json()
    assert answer.pop("created_at")
    assert answer == {"may_write": False, "nouns": ["interests"], "ends_on": today.isoformat()}
    trail = AuditEntry.objects.get(action="token.created").data
    assert trail == {"may_write": False, "nouns": ["interests"], "ends_on": today.isoformat()}

    with time_machine.travel(timezone.now() + datetime.timedelta(days=1), tick=False):
        said = "The last day of this token has passed. Make another in your account."
        assert asked("interests/") == (401, said)
        whole = tokens.create(by=owner)  # in the place of one that is over
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1
    program["authorization"] = f"Token {whole}"
    assert asked("requirements/")[0] == 200
    assert client.get("/api/v1/token/", headers=program).json()["nouns"] == TokenLimit.Noun.values


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"nouns": []}, "token.nouns"),
        ({"nouns": ["interests", "everything"]}, "token.nouns"),
        ({"ends_on": datetime.date(2020, 1, 1)}, "token.ends_on"),
    ],
)
def test_key_for_nothing_is_not_made(asked, code):
    with pytest.raises(DomainError) as refusal:
        tokens.create(by=MembershipFactory().user, **asked)

    assert refusal.value.code == code
    assert not Token.objects.exists()


def test_every_noun_of_the_interface_is_one_a_key_is_made_for():
    open_to_every_key = {
        f"api-{prefix}"
        for prefix, viewset, _name in urls.router.registry
        if issubclass(viewset, ReferenceViewSet)
    }
    names = {basename for _prefix, _viewset, basename in urls.router.registry}

    assert names - open_to_every_key == set(reach.NOUN_OF)


def test_only_oneself_and_an_administrator_revoke():
    owner = MembershipFactory().user
    tokens.create(by=owner)

    with pytest.raises(DomainError) as refusal:
        tokens.revoke(user=owner, by=OrganiserRoleFactory().user)
    assert Token.objects.filter(user=owner).exists()
    tokens.revoke(user=owner, by=AdministratorFactory())

    assert refusal.value.code == "token.forbidden"
    assert not Token.objects.filter(user=owner).exists()
    with pytest.raises(DomainError) as nothing:
        tokens.revoke(user=owner, by=owner)
    assert nothing.value.code == "token.none"
