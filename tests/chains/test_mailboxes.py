"""Mailboxes that refuse for good: at the hand-over, by a mail server of the test's own, and afterwards, by the provider."""

from __future__ import annotations

import socketserver
import threading

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from chains import notifications, tasks
from chains.models import AuditEntry, MailRefusal, Notification
from tests.factories.chains import EnterpriseFactory, UserFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db
BOUNCES = "/api/v1/bounces/"
WORD = "w" * 40


class Answers(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as one letter needs; what it says to the recipient is the server's `said`."""

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = list(iter(self.rfile.readline, b".\r\n"))
                [number] = [one for one in text if one.startswith(b"Message-ID:")]
                self.server.letters.append(number.decode().strip())
                if self.server.cuts:
                    self.server.cuts -= 1
                    return  # it has the letter, and the answer is lost
            if verb == b"RCPT":
                self.server.asked.append(line.decode().strip())
            self.wfile.write(self.server.said if verb == b"RCPT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@pytest.fixture
def server(settings):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as one:
        one.said, one.asked, one.daemon_threads = b"250 ok\r\n", [], True
        one.letters, one.cuts = [], 0
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = one.server_address
        yield one
        one.shutdown()
        thread.join()


def letter(user, **context):
    context = context or {"enterprise": EnterpriseFactory().public_id}
    notifications.post(user, "enterprise_verified", **context)
    return Notification.objects.filter(to=user, channel="email").latest("pk")


def state(row):
    row.refresh_from_db()
    return row.status, row.attempts, row.error


def test_server_that_is_away_and_loses_answers_gets_every_letter_and_none_as_two(server, settings):
    rows = [letter(UserFactory()) for _number in range(4)]
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9  # nobody listens there
    tasks.deliver_notifications()
    assert {state(row)[:2] for row in rows} == {("unsent", 1)}

    settings.EMAIL_PORT, server.cuts = port, 1
    for _turn in range(2):
        Notification.objects.update(due_at=timezone.now())
        tasks.deliver_notifications()

    assert {state(row)[0] for row in rows} == {"sent"}
    # The one whose answer was lost came again under the same number, by which mail servers know it.
    assert len(server.letters) == 5
    assert {number.split("<")[1].split("@")[0] for number in server.letters} == {
        row.public_id for row in rows
    }


def test_no_more_letters_go_to_a_mailbox_that_does_not_exist_until_there_is_another(server):
    user = UserFactory()
    server.said = b"550 5.1.1 <nobody>: no such user here\r\n"
    first = letter(user)
    tasks.deliver_notifications()
    assert state(first) == ("failed", 1, "refused: 5.1.1")
    assert AuditEntry.objects.get(action="user.mail_refused").data == {"status": "5.1.1"}
    # The person reads of it where no letter is needed.
    assert Notification.objects.filter(to=user, kind="mail_refused").count() == 1

    server.said = b"250 ok\r\n"
    second = letter(user)
    tasks.deliver_notifications()
    assert state(second) == ("stopped", 1, "the mailbox refuses letters")
    assert len(server.asked) == 1

    user.email = "other@example.com"
    user.save()
    third = letter(user)
    tasks.deliver_notifications()
    assert state(third)[0] == "sent"
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        (b"550 no such user", "failed", "refused: 550"),
        (b"551-5.1.6 gone\r\n551 5.1.6 really", "failed", "refused: 5.1.6"),
        (b"450 4.2.1 come again", "unsent", "SMTPRecipientsRefused"),
        (b"552 mailbox full", "unsent", "SMTPRecipientsRefused"),
        (b"550 5.2.2 over quota", "unsent", "SMTPRecipientsRefused"),
        (b"554 5.7.1 we do not like you", "unsent", "SMTPRecipientsRefused"),
    ],
)
def test_only_what_is_for_good_is_taken_for_good(server, said, status, error):
    server.said = said + b"\r\n"
    row = letter(UserFactory())

    tasks.deliver_notifications()

    assert state(row) == (status, 1, error)
    assert MailRefusal.objects.count() == (status == "failed")


def test_person_is_told_on_the_own_pages_and_ends_it(client):
    user = UserFactory(language="en")
    MailRefusal.objects.create(
        user=user, digest=MailRefusal.digest_of(user.email.upper()), status="5.1.1"
    )
    client.force_login(user)
    for page in ("account_email", "chains:notification_list"):
        assertContains(client.get(reverse(page)), "Letters to your e-mail address come back")

    client.post(reverse("chains:mailbox_restore"))

    assertNotContains(client.get(reverse("account_email")), "come back")
    assert AuditEntry.objects.filter(action="user.mail_restored").count() == 1
    letter(user)
    assert tasks.deliver_notifications() == 1
    assert len(mail.outbox) == 1


def test_provider_tells_of_letters_that_came_back(client, settings):
    settings.BOUNCE_TOKEN = WORD
    event, user, other = EventFactory(), UserFactory(), UserFactory()
    registration = RegistrationFactory(event=event, enterprise__name_en="Silent Works")
    about = {"event": event.public_id, "registration": registration.public_id}
    notifications.post(user, "registration_confirmed", **about)
    sent = Notification.objects.get(to=user, channel="email")
    Notification.objects.filter(pk=sent.pk).update(status="sent", sent_at=timezone.now())
    told = {
        "bounces": [
            {"address": user.email.upper(), "is_permanent": True, "status": "5.1.1", "message_id": f"<{sent.public_id}@x>"},
            {"address": other.email, "is_permanent": False, "status": "4.2.2"},
            {"address": "nobody@example.com", "is_permanent": True},
        ]
    }  # fmt: skip

    def tell(word):
        headers = {"Authorization": word} if word else {}
        return client.post(BOUNCES, told, content_type="application/json", headers=headers)

    assert [tell(word).status_code for word in ("", WORD, f"Bearer {WORD}x")] == [401, 401, 401]
    assert [tell(f"Bearer {WORD}").json() for _twice in range(2)] == [{"noted": 1}] * 2
    assert [row.user for row in MailRefusal.objects.all()] == [user]
    assert state(sent)[::2] == ("failed", "refused: 5.1.1")
    assert AuditEntry.objects.filter(action="user.mail_refused").count() == 1
    # Whoever wrote it reads why, and nothing of the address.
    client.force_login(organiser_of(event))
    page = client.get(reverse("events:event_letters", args=[event.public_id]))
    assertContains(page, "The mailbox refuses letters.", count=1)
    assertContains(page, "Silent Works")
    assertNotContains(page, user.email)
    settings.BOUNCE_TOKEN = ""
    assert tell("Bearer ").status_code == 404
