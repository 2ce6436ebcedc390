"""R7: who is shown what is not for everybody – in pages, files, API answers, the workshop, mails and the log."""

from __future__ import annotations

import io
import types

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse

from chains import notifications
from chains.models import AuditEntry, Contact, Notification
from chains.tasks import deliver_notifications
from events.services import registration
from matchmaking import permissions
from matchmaking.services import contacts, interests, review
from tests import routes, walk, world
from tests.test_rights import admin_addresses

pytestmark = pytest.mark.django_db

OWN = ("viewer", "editor", "owner")
DESK = ("organiser", "analyst", "administrator")
ANYONE_SIGNED_IN = (*world.ROLES[1:], *world.BESIDE)

# Who may read a group of texts at all. Where, is held by the table of addresses.
READERS = {
    "buyer contact": (*OWN, "accepted"),
    "supplier contact": ("supplier", *OWN),
    "delegate": ("supplier", "organiser"),
    "answer": ("supplier", "organiser"),
    "interest": ("supplier", *OWN),
    "draft": OWN,
    "embargoed": (*OWN, *DESK, "moderator"),  # listed at the event
    "submitted": (*OWN, *DESK),
    "remark": ("editor", "owner", "organiser", "administrator"),
    "capability draft": OWN,
    "event draft": ("organiser", "administrator"),
    "series being prepared": DESK,
    "licence": ("editor", "owner", "organiser", "administrator"),
    "decision": ("organiser", "moderator"),
    "pending enterprise": ANYONE_SIGNED_IN,  # its name, to ask to join it
    "account": (*OWN, "supplier", "organiser"),
    "phone": ("owner",),  # its own, and nobody else's
    "saved search": ("supplier",),
    "attachment": ("supplier", *OWN),
    "drawing": (*OWN, "organiser", "administrator", "moderator", "accepted"),
    "invited": ("owner",),
    "report": ("newcomer", "organiser", "administrator"),
}
# Shown once when it is made, and never again.
UNREADABLE = {"token"}

# The only addresses at which a contact stands: one's own, and where opening it is an act on record.
CONTACT_PAGES = {
    "buyer contact": {
        "chains:enterprise_status(buyer)",
        "chains:contact_edit(buyer)",
        "chains:requirement_create()",
        "chains:requirement_edit(draft)",
        "chains:requirement_edit(returned)",
        "api-enterprises-contacts(buyer)",
        "api-enterprises-contact(@buyer @contact)",
        # Opened by a supplier whose interest it accepted.
        "matchmaking:contact_reveal(published)",
        "api-requirements-contact(published)",
    },
    "supplier contact": {
        # Its own, to choose from …
        "chains:requirement_create()",
        "matchmaking:requirement_detail(published)",
        "matchmaking:interest_send(published)",
        "matchmaking:open_call(list1)",
        # … and opened by the buyer.
        "matchmaking:interest_contact(interest)",
        "api-interests-contact(interest)",
    },
    "delegate": {
        "events:delegate_list(registration)",
        "events:registration_badges(registration)",
        "events:badge_sheet(event)",
        "events:check_in_roll(event)",
        "events:sign_in_sheet(event)",
        "events:table_cards(event)",
        "events:guest_list(event) export=csv state=all",
        "events:guest_list(event) export=xlsx state=all",
    },
    "account": {
        "chains:member_list(buyer)",
        "api-memberships-list()",  # of whoever asks to join, their own
        "api-memberships-list() limit=200",
        "matchmaking:own_data()",
        # Who does what until when: those who hold the event, and whom they appointed.
        "events:event_checklist(event)",
    },
    "phone": {"matchmaking:own_data()"},
    "licence": {
        "matchmaking:own_data()",  # of whoever uploaded it
        "chains:evidence_download(evidence)",
        "chains:enterprise_case(buyer)",
        "chains:proof_decide(proof)",
        "api-evidence-list() limit=200",
        "api-evidence-detail(evidence)",
        "api-evidence-file(evidence)",
    },
}


@pytest.fixture
def shown(shared, place):
    answers, _log = walk.everything(shared, place)
    return walk.by_group(answers)


def test_every_canary_is_shown_to_somebody_so_that_there_is_something_to_leak(shown):
    assert sorted(shown) == sorted(world.CANARIES.keys() - UNREADABLE)
    assert {group: sorted(roles) for group, roles in shown.items()} == {
        group: sorted(roles) for group, roles in READERS.items()
    }


@pytest.mark.parametrize("group", world.CANARIES)
def test_text_is_shown_to_nobody_who_may_not_read_it(shown, group):
    readers = READERS.get(group, ())
    leaks = {role: pages for role, pages in shown.get(group, {}).items() if role not in readers}

    assert leaks == {}


@pytest.mark.parametrize("group", CONTACT_PAGES)
def test_personal_text_stands_only_where_it_is_opened_or_kept(shown, group):
    pages = set().union(*shown[group].values())

    assert pages == CONTACT_PAGES[group]


def test_pending_enterprise_is_named_to_others_only_where_one_asks_to_join(shown):
    desks = {"organiser", "analyst", "administrator"}
    others = {
        role: pages for role, pages in shown["pending enterprise"].items() if role not in desks
    }

    assert set().union(*others.values()) == {"chains:join_request(pending)"}


def test_who_works_at_the_door_reads_no_contact(shown):
    contacts_of = ("buyer contact", "supplier contact", "account", "phone", "licence")

    assert [group for group in contacts_of if "scanner" in shown[group]] == []


def test_log_holds_nothing_of_it(shared, place):
    _answers, log = walk.everything(shared, place)

    assert log == frozenset()


# --- The controls: a leak must be noticed ----------------------------------------------------------------


def test_page_that_prints_a_contact_is_noticed(settings, place):
    @login_not_required
    def leak(_request):
        return HttpResponse(f"Call {Contact.objects.get(name='Qcontactname').phone}")

    settings.ROOT_URLCONF = types.ModuleType("leaking")
    settings.ROOT_URLCONF.urlpatterns = [path("leak/", leak, name="leak")]

    answers = walk.walk(place, [routes.Row("leak")], ("visitor",))

    assert walk.by_group(answers) == {"buyer contact": {"visitor": {"leak()"}}}


def test_visibility_that_forgets_the_embargo_is_noticed(monkeypatch, place):
    rows = [row for row in routes.TABLE if row.name == "api-requirements-list" and row.query]
    assert walk.by_group(walk.walk(place, rows, ("visitor",))) == {}

    monkeypatch.setattr(
        permissions, "requirements_visible_to", lambda _user: type(place.draft).objects.all()
    )

    assert sorted(walk.by_group(walk.walk(place, rows, ("visitor",)))) == [
        "draft",
        "embargoed",
        "submitted",
    ]


# --- Other ways out --------------------------------------------------------------------------------------


def test_workshop_masks_contacts_and_addresses(place):
    found = walk.opened(
        admin_addresses(),
        walk.client_of("administrator", place),
        lambda answer: walk.canaries_in(walk.text_of(answer)),
    )
    seen = frozenset().union(*found.values())

    assert len(found) > 100
    # What an administrator decides on; never how to reach somebody.
    # Requirements are listed before they are published too: administrators see those anyway, drafts nowhere.
    decided = {"pending enterprise", "event draft", "series being prepared", "embargoed", "submitted"}  # fmt: skip
    assert seen <= decided, found


def test_search_for_a_phone_number_or_an_address_finds_nothing(place):
    client = Client()
    pages = [reverse("matchmaking:enterprise_list"), reverse("api-enterprises-list")]
    pages += [reverse("matchmaking:search"), reverse("matchmaking:requirement_list")]

    for words in (world.CANARIES["buyer contact"], world.CANARIES["supplier contact"]):
        for word in words:
            for address in pages:
                text = client.get(address, {"q": word}).content.decode()
                assert place.buyer.public_id not in text, (word, address)
                assert place.supplying.public_id not in text, (word, address)
                assert place.published.public_id not in text, (word, address)


def test_verbs_put_no_contact_into_trail_feed_outbox_or_mail(silent_doorbell, caplog, place):
    people = place.people
    caplog.set_level("DEBUG")

    interests.accept(interest=place.interest, by=people["owner"])
    contacts.reveal(requirement=place.published, by=people["supplier"])
    contacts.reveal_supplier(interest=place.interest, by=people["owner"])
    contacts.reveal(requirement=place.published, by=people["organiser"], purpose="a call")
    review.take_lease(line=place.published_line, by=people["organiser"])
    review.approve(match=place.proposed, by=people["organiser"])
    registration.cancel(registration=place.registration, by=people["supplier"])
    Notification.objects.filter(channel="in_app").update(channel="email", status="unsent")
    deliver_notifications()

    trail = "\n".join(f"{row.action} {row.target} {row.data}" for row in AuditEntry.objects.all())
    outbox = "\n".join(str(row.context) for row in Notification.objects.all())
    letters = io.StringIO()
    for letter in mail.outbox:
        letters.write(f"{letter.subject}\n{letter.body}\n")
    assert AuditEntry.objects.filter(action="contact.revealed").count() == 3
    assert len(mail.outbox) >= 3
    assert walk.canaries_in(trail + outbox) == frozenset()
    assert walk.canaries_in(letters.getvalue()) == frozenset()
    # The address a letter goes to is logged nowhere either.
    assert walk.canaries_in(caplog.text) == frozenset()


def test_notices_are_drawn_from_ids_and_never_from_persons(place):
    """A template of a letter cannot print a contact: no person's row comes into its context."""
    notice = Notification(
        to=place.people["owner"],
        kind="enterprise_verified",
        context={"enterprise": place.buyer.public_id, "contact": place.contact.public_id},
    )

    rows = notifications.rows_of([notice])

    assert {model for model, _id in rows} == {"enterprise"}
