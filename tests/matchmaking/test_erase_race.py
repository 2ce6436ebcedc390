"""Two owners erase themselves in the same moment: one of them stays. Without the lock both would be gone."""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.db import connection

from chains.errors import DomainError
from chains.models import Enterprise, Membership, User
from chains.models.enterprises import EnterpriseQuerySet
from matchmaking.services import register
from tests.factories.chains import EnterpriseFactory, MembershipFactory

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("committed")]


def both_at_once(monkeypatch):
    enterprise = EnterpriseFactory()
    people = [MembershipFactory(enterprise=enterprise).user for _turn in range(2)]
    # Whoever has passed the check waits for the other one to pass it too; with a lock nobody comes.
    met = threading.Barrier(2)
    ends = register._end_what_the_person_was

    def slowly(user):
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(timeout=1)
        ends(user)

    monkeypatch.setattr(register, "_end_what_the_person_was", slowly)
    answers = []

    def erase(pk):
        try:
            register.erase(by=User.objects.get(pk=pk))
            answers.append("erased")
        except DomainError as error:
            answers.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=erase, args=[person.pk]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return enterprise, sorted(answers)


def owners(enterprise):
    return Membership.objects.active().filter(enterprise=enterprise, user__is_active=True).count()


def test_one_of_two_owners_stays(monkeypatch):
    enterprise, answers = both_at_once(monkeypatch)

    assert answers == ["erased", "user.last_owner"]
    assert owners(enterprise) == 1


def test_control_without_the_lock_nobody_would(monkeypatch):
    monkeypatch.setattr(
        EnterpriseQuerySet, "select_for_update", lambda self, **_more: self, raising=False
    )

    enterprise, answers = both_at_once(monkeypatch)

    assert answers == ["erased", "erased"]
    assert owners(enterprise) == 0
    assert Enterprise.objects.filter(pk=enterprise.pk).exists()
