"""R8: what every role gets at every address, by the table in tests/routes.py."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from chains.models import Enterprise
from chains.models.enterprises import EnterpriseQuerySet
from tests import routes, walk, world

pytestmark = pytest.mark.django_db

# What a stranger may open or do although an id stands in the address: published rows, and asking to join.
OPEN = {
    "matchmaking:requirement_detail(published)",
    "matchmaking:enterprise_detail(buyer)",
    "matchmaking:enterprise_detail(supplying)",
    "events:event_detail(event)",
    "events:event_calendar(event)",
    "events:document(document)",
    "events:register(event)",
    "events:series_detail(series)",
    "events:series_counties(series)",
    "events:programme_detail(programme)",
    "chains:join_request(pending)",
    "chains:capability_photo(photo)",
    "chains:province_logo(province)",
    "chains:province_style(province)",
    "matchmaking:interest_send(published)",
    "chains:requirement_report(published)",
    "chains:enterprise_report(buyer)",
    "chains:capability_report(capability)",
    "matchmaking:contact_reveal(published)",
    "matchmaking:dismiss(published_line)",
    "matchmaking:pair_why(@published_line @foreign)",  # its own pair
    "api-enterprises-detail(buyer)",
    "api-enterprises-contacts(buyer)",  # a refusal: that the enterprise exists is public
    "api-enterprises-contact(@buyer @contact)",  # likewise
    "api-enterprises-merge(supplying)",  # likewise
    "api-capabilities-detail(capability)",
    "api-capabilities-photos(capability)",
    "api-capabilities-photo(@capability @photo)",
    "api-requirements-detail(published)",
    "api-requirements-contact(published)",
    # Refusals: that it is published is public.
    "api-requirements-asked(published) enterprise=@supplying",
    "api-requirements-wanted(published)",
    "api-requirements-copy(published)",
    "api-requirements-line-end(@published @published_line)",
    "api-requirements-line-dismiss(@published @published_line)",
    "api-requirements-moderate(published)",
    "api-requirements-files(published)",
    "api-events-detail(event)",
    "api-events-documents(event)",
    "api-events-document(@event @document)",
    # Refusals: that the event exists is public.
    "api-events-capacity(event)",
    "api-events-check-ins(event)",
    "api-events-headcount(event)",
    "api-events-invitations(event)",
    "api-events-leading(event)",
    "api-events-listed(event)",
    "api-events-make-copy(event)",
    "api-events-queue(event)",
    "api-events-release(event)",
    "api-programmes-detail(programme)",
    "api-series-detail(series)",
    "api-series-figures(series)",
    "api-series-targets(series)",  # a refusal: that the series exists is public
}


def test_table_has_a_row_for_every_address():
    named = {row.name for row in routes.TABLE}
    known = {name for name, _args in routes.patterns() if not name.startswith("admin:")}

    assert sorted(known - named) == []
    assert sorted(named - known) == []


def test_table_says_something_for_every_role_it_names():
    assert [row.label for row in routes.TABLE if len(row.expected.split()) != len(row.roles)] == []


@pytest.mark.parametrize("role", world.ROLES)
def test_role_gets_what_the_table_says(role, shared, place):
    answers, _log = walk.of_role(role, shared, place)

    assert walk.faults(answers) == []


def test_stranger_finds_nothing_at_an_address_with_an_id_that_is_not_open(shared, place):
    answers, _log = walk.of_role("stranger", shared, place)
    found = {
        answer.row.label: answer.status
        for answer in answers
        if answer.row.on or "public_id" in answer.row.args
    }

    assert {label for label, status in found.items() if status != "404"} == OPEN


def test_visitor_is_sent_to_sign_in_or_reads_what_is_public(shared, place):
    answers, _log = walk.of_role("visitor", shared, place)
    allowed = {"200", "in", "go", "404", "401"}

    odd = [a.row.label for a in answers if a.status not in allowed]

    assert odd == []


def test_page_of_a_404_names_nothing_of_what_was_asked_for(client):
    """So a walk may draw it once for each reader."""
    addresses = (
        "/nowhere/",
        reverse("matchmaking:enterprise_detail", args=["unknown22222"]),
        reverse("events:event_detail", args=["unknown22222"]),
    )

    pages = {
        re.sub(
            r'name="csrfmiddlewaretoken" value="\w+"',
            "",
            client.get(address).content.decode().replace(f'"{address}"', ""),
        )
        for address in addresses
    }

    assert len(pages) == 1


def test_queryset_that_forgets_its_owner_is_noticed(monkeypatch, place):
    """The control: with every enterprise called one's own, the walk must complain."""
    rows = [
        row for row in routes.TABLE if row.name in ("chains:member_list", "chains:contact_edit")
    ]
    assert walk.faults(walk.walk(place, rows, ("stranger",))) == []

    monkeypatch.setattr(EnterpriseQuerySet, "own", lambda self, _user: self)

    assert walk.faults(walk.walk(place, rows, ("stranger",))) == [
        "get chains:member_list(buyer) as stranger: 200, not 404",
        "get chains:contact_edit(buyer) as stranger: 403, not 404",
        "post chains:contact_edit(buyer) as stranger: 403, not 404",
    ]


def test_suspended_enterprise_reads_and_changes_nothing(place):
    Enterprise.objects.filter(pk=place.buyer.pk).update(status="suspended")
    rows = [
        row for row in (*routes.REGISTER, *routes.API) if "buyer" in row.on or row.on == "draft"
    ]

    answers = walk.walk(place, rows, ("owner",))
    done = {a.row.label: a.status for a in answers if a.row.method != "get"}

    assert {answer.status for answer in answers if answer.row.method == "get"} <= {
        "200",
        "403",
        "404",
    }
    assert set(done.values()) <= {"403", "404"}, done


# --- The admin ----------------------------------------------------------------------------------------


def admin_addresses():
    """Every page of the workshop: for each model its list, a new row, and one row with its history."""
    yield from (reverse("admin:index"), reverse("admin:jsi18n"), reverse("admin:password_change"))
    for model in admin.site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from (reverse(f"{stem}_changelist"), reverse(f"{stem}_add"))
        row = model._default_manager.order_by("pk").first()
        if row is not None:
            for page in ("change", "history", "delete"):
                yield reverse(f"{stem}_{page}", args=[row.pk])


@pytest.mark.parametrize("role", ["visitor", "owner", "organiser", "analyst"])
def test_workshop_is_closed_to_all_but_administrators(role, place):
    statuses = walk.opened(
        admin_addresses(), walk.client_of(role, place), lambda answer: answer.status_code
    )

    assert len(statuses) > 100
    assert set(statuses.values()) <= {302, 403}, statuses
