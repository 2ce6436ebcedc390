from __future__ import annotations

import datetime

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db.models import F, Value
from django.utils import timezone

from chains.models import Membership, User
from chains.prepared import Prepared, Values, among
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_gives_what_the_query_set_gives_with_related_rows_and_each_time_anew(
    django_assert_num_queries,
):
    ask = Prepared(
        lambda user, role: (
            Membership.objects.active()
            .filter(user=user, role=role)
            .select_related("enterprise__region", "enterprise__group")
            .order_by("-pk")
        ),
        int,
        str,
    )
    user = UserFactory()
    older, newer = (MembershipFactory(user=user, role="owner") for _ in range(2))
    MembershipFactory(user=user, role="viewer")
    ask(user.pk, "viewer")

    with django_assert_num_queries(1):
        rows = ask(user.pk, "owner")
        shown = [(row.enterprise.name, row.enterprise.region, row.enterprise.group) for row in rows]

    assert rows == [newer, older]
    assert shown == [(one.enterprise.name, one.enterprise.region, None) for one in (newer, older)]
    for row, known in zip(rows, (newer, older), strict=True):
        known.refresh_from_db()
        fields = [field.attname for field in Membership._meta.concrete_fields]
        assert {n: getattr(row, n) for n in fields} == {n: getattr(known, n) for n in fields}
    older.delete()
    assert ask(user.pk, "owner") == [newer]
    assert ask.first(user.pk, "editor") is None


def test_rows_are_saved_as_those_of_the_orm_are():
    user = UserFactory(language="zh")

    found = User.objects.get(pk=user.pk)
    found.language = "en"
    found.save()

    assert not found._state.adding
    assert User.objects.filter(pk=user.pk).values_list("language", flat=True)[0] == "en"
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=0)
    group = Group.objects.create(name="of nobody")
    with pytest.raises(User.DoesNotExist):
        group.user_set.get(pk=user.pk)


def test_refuses_what_it_would_leave_out():
    with pytest.raises(AssertionError):  # a value that the statement does not hold
        Prepared(lambda _user: Membership.objects.all(), int)(1)
    with pytest.raises(AssertionError):  # rows that would lack what was added to them
        Prepared(lambda user: Membership.objects.filter(user=user).annotate(n=Value(1)), int)(1)


def test_role_ends_with_its_last_day():
    role = OrganiserRoleFactory(valid_until_on=datetime.date(2031, 6, 30))

    with time_machine.travel(datetime.datetime(2031, 6, 30, 3, tzinfo=datetime.UTC), tick=False):
        assert User.objects.get(pk=role.user_id).active_roles == [role]
    with time_machine.travel(datetime.datetime(2031, 7, 1, 3, tzinfo=datetime.UTC), tick=False):
        assert User.objects.get(pk=role.user_id).active_roles == []


def test_session_that_has_lapsed_signs_nobody_in(client):
    user = UserFactory()
    client.force_login(user)
    page = "/start/"
    assert client.get(page).wsgi_request.user == user

    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(seconds=1))

    assert not client.get(page).wsgi_request.user.is_authenticated


def test_one_statement_serves_any_number_of_ids(django_assert_num_queries):
    members = [MembershipFactory(role="owner") for _ in range(3)]
    models = Prepared(lambda ids: Membership.objects.filter(pk__in=among(ids)).order_by("pk"), list)
    values = Values(
        lambda ids: (
            Membership.objects.filter(pk__in=among(ids))
            .order_by("pk")
            .annotate(one=Value(1))
            .values("one", name=F("enterprise__name"))
        ),
        list,
    )

    for chosen in ([], members[1:2], members):
        with django_assert_num_queries(2):
            assert models([one.pk for one in chosen]) == chosen
            assert values([one.pk for one in chosen]) == [
                {"one": 1, "name": one.enterprise.name} for one in chosen
            ]
