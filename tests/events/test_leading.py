"""Leading enterprises: put in front by the host, read by the public only while they come and agree to be named."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from events.models import Registration
from events.services import leading, registration
from tests.factories.chains import EnterpriseFactory, MembershipFactory, UserFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of
from tests.matchmaking.api.test_api import API, client_of

pytestmark = pytest.mark.django_db


def guest(enterprise, zh="", en=""):
    return {"enterprise": enterprise, "text_zh": zh, "text_en": en}


def test_name_is_public_only_with_a_seat_and_consent_on_page_screen_and_api(client):
    event = EventFactory()
    by = organiser_of(event)
    named, silent, absent = (
        MembershipFactory(enterprise__name=f"示例链主{n}", enterprise__name_en=f"Chain Owner {n}")
        for n in "甲乙丙"
    )
    rows = [guest(named.enterprise, "整机龙头", "Builds whole lines"), guest(silent.enterprise), guest(absent.enterprise)]  # fmt: skip
    leading.set_guests(event=event, guests=rows, by=by)
    row = registration.register(
        event=event, enterprise=named.enterprise, seats=1, by=named.user, may_be_named=True
    )
    registration.register(event=event, enterprise=silent.enterprise, seats=1, by=silent.user)
    pages = {
        name: reverse(name, args=[event.public_id])
        for name in ("events:event_detail", "matchmaking:hall_screen", "events:event_leading")
    }

    def read():
        client.force_login(by)
        screen = client.get(f"{pages['matchmaking:hall_screen']}?at=leading").content.decode()
        client.logout()
        page = client.get(pages["events:event_detail"]).content.decode()
        told = client.get(f"{API}events/{event.public_id}/").json()["leading_guests"]
        return [
            sorted(n for n in "甲乙丙" if f"链主{n}" in text or f"Chain Owner {n}" in text)
            for text in (page, screen, str(told))
        ]

    assert (row.status, row.may_be_named) == ("confirmed", True)
    assert read() == [["甲"]] * 3
    assertContains(client.get(pages["events:event_detail"]), "Builds whole lines")
    client.force_login(by)
    managed = client.get(pages["events:event_leading"])
    for words in ("named in public", "comes, has not agreed", "not confirmed yet"):
        assertContains(managed, words, count=1)

    # Taken back on the page of the registration, it is nowhere any more.
    client.force_login(named.user)
    naming = reverse("events:registration_naming", args=[row.public_id])
    client.post(naming, {"may_be_named": "no"})
    assert read() == [[]] * 3
    client.force_login(named.user)
    client.post(naming, {"may_be_named": "yes"})
    assert read() == [["甲"]] * 3
    told = AuditEntry.objects.filter(action="registration.naming_set").order_by("pk")
    assert [entry.data["may_be_named"] for entry in told] == [True, False, True]
    # Neither does a name stay of somebody who gives up the seat or is suspended.
    named.enterprise.status = "suspended"
    named.enterprise.save()
    assert read() == [[]] * 3
    named.enterprise.status = "verified"
    named.enterprise.save()
    registration.cancel(registration=row, by=named.user)
    assert read() == [[]] * 3
    # Who comes back agrees anew.
    again = registration.register(event=event, enterprise=named.enterprise, seats=1, by=named.user)
    assert (again.status, Registration.objects.get(pk=again.pk).may_be_named) == (
        "confirmed",
        False,
    )


def test_list_is_kept_in_its_order_by_who_organises_the_event(client):
    event = EventFactory()
    by = organiser_of(event)
    first, second = EnterpriseFactory(name="示例一"), EnterpriseFactory(name="示例二")
    pending = EnterpriseFactory(status="pending")
    address = reverse("events:event_leading", args=[event.public_id])

    for guests, told in (
        ([guest(first), guest(first)], "twice"),
        ([guest(pending)], "not verified"),
        ([guest(first)] * 31, "at most 30"),
    ):
        with pytest.raises(DomainError, match=told):
            leading.set_guests(event=event, guests=guests, by=by)
    with pytest.raises(DomainError, match="Only organisers"):
        leading.set_guests(event=event, guests=[], by=UserFactory())

    client.force_login(by)
    form = {
        "l-TOTAL_FORMS": "2", "l-INITIAL_FORMS": "0",
        "l-0-order": "2", "l-0-enterprise": "示例一", "l-0-text_en": "Second of all",
        "l-1-order": "1", "l-1-enterprise": "示例二",
    }  # fmt: skip
    assert client.post(address, {**form, "l-1-enterprise": "无此企业"}).status_code == 422
    assert client.post(address, form).status_code == 302
    kept = event.leading_guests.values_list("enterprise", "order", "text_en")
    assert list(kept) == [(second.pk, 1, ""), (first.pk, 2, "Second of all")]
    change = {
        **form, "l-INITIAL_FORMS": "2", "l-0-enterprise": "示例二", "l-0-text_en": "", "l-0-order": "1",
        "l-0-DELETE": "on", "l-1-enterprise": "示例一", "l-1-order": "1", "l-1-text_en": "Alone",
    }  # fmt: skip
    client.post(address, change)
    assert list(event.leading_guests.values_list("enterprise", "text_en")) == [(first.pk, "Alone")]
    assert Change.objects.filter(noun="event", target=event.public_id, verb="changed").count() == 2


def test_program_keeps_the_list_and_a_member_its_consent():
    event, who = EventFactory(), MembershipFactory()
    row = RegistrationFactory(event=event, enterprise=who.enterprise)
    address = f"{API}events/{event.public_id}/leading/"
    by = client_of(organiser_of(event))
    wanted = {"guests": [{"enterprise": who.enterprise.public_id, "text_en": "x"}]}

    assert client_of(who.user).put(address, wanted).status_code == 403
    assert by.put(address, {"guests": [{"enterprise": "000000000000"}]}).status_code == 422
    # Refused before any of them is looked up: each of thousands was a question to the database.
    many = by.put(address, {"guests": [{"enterprise": "000000000000"}] * 31})
    assert (many.status_code, len(str(many.data["errors"])) < 200) == (422, True)
    assert [one["is_public"] for one in by.put(address, wanted).data["guests"]] == [False]
    naming = f"{API}registrations/{row.public_id}/naming/"
    assert (
        by.post(naming, {"may_be_named": True}).status_code == 403
    )  # nobody agrees for somebody else
    assert client_of(who.user).post(naming, {"may_be_named": True}).data["may_be_named"] is True
    assert [one["is_public"] for one in by.get(address).data["guests"]] == [True]
    assertNotContains(client_of(who.user).get(f"{API}registrations/"), "leading")
