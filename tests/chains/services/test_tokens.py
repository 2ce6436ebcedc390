from __future__ import annotations

import pytest
from rest_framework.authtoken.models import Token

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from chains.services import tokens
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
