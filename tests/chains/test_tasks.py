from __future__ import annotations

import datetime
import threading

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from chains import notifications, tasks
from chains.models import Notification
from tests.factories.chains import CapabilityFactory, EnterpriseFactory, UserFactory

pytestmark = pytest.mark.django_db


def post(language="en", **fields):
    enterprise = EnterpriseFactory(name="示例甲 & 乙有限公司", name_en="Demo A & B")
    user = UserFactory(language=language)
    notifications.post(user, "enterprise_verified", enterprise=enterprise.public_id, **fields)
    return enterprise


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "Demo A & B is verified"), ("zh", "示例甲 & 乙有限公司已通过认证")],
)
def test_mail_goes_out_once_in_the_language_of_the_person(language, subject, settings):
    settings.SITE_URL = "https://chaindock.example"
    enterprise = post(language)

    assert (tasks.deliver_notifications(), tasks.deliver_notifications()) == (1, 0)

    message = mail.outbox[0]
    assert len(mail.outbox) == 1
    assert message.subject == subject
    number = Notification.objects.get(channel="email").public_id
    assert message.message()["Message-ID"] == f"<{number}@chaindock.example>"
    assert message.body.endswith(
        f"https://chaindock.example/my/enterprises/{enterprise.public_id}/\n"
    )
    assert set(Notification.objects.values_list("channel", "status")) == {
        ("in_app", "sent"),
        ("email", "sent"),
    }


def test_without_mail_only_the_notice_is_written(
    silent_doorbell, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        post(email=False)

    assert list(Notification.objects.values_list("channel", flat=True)) == ["in_app"]
    assert silent_doorbell == []


def test_worker_is_woken_after_the_commit(silent_doorbell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post()

    assert ("chains.tasks.deliver_notifications", ()) in silent_doorbell


def test_mail_server_away_is_tried_again_later_and_given_up_in_the_end(monkeypatch):
    def refuse(self, fail_silently=False):
        raise ConnectionRefusedError("smtp of user1@example.com")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    post()
    waits = []

    for _turn in range(tasks.ATTEMPTS):
        Notification.objects.update(due_at=timezone.now())
        before = timezone.now()
        tasks.deliver_notifications()
        row = Notification.objects.get(channel="email")
        waits.append(round((row.due_at - before) / datetime.timedelta(minutes=1)))

    assert waits[:7] == [1, 2, 4, 8, 16, 32, 64]
    assert (row.status, row.attempts, row.error) == ("failed", 8, "ConnectionRefusedError")


def test_one_that_waits_is_not_tried_before_its_time(monkeypatch):
    post()
    Notification.objects.update(due_at=timezone.now() + datetime.timedelta(minutes=1))

    assert tasks.deliver_notifications() == 0
    assert mail.outbox == []


def test_message_about_a_row_that_is_gone_is_stopped():
    capability = CapabilityFactory(status="draft")
    notifications.post(UserFactory(), "capability_expired", capability=capability.public_id)
    capability.delete()

    tasks.deliver_notifications()

    row = Notification.objects.get(channel="email")
    assert (row.status, row.error) == ("stopped", "capability does not stand any more")
    assert mail.outbox == []


def test_closed_account_gets_no_mail():
    post()
    user = Notification.objects.first().to
    user.is_active = False
    user.save()

    tasks.deliver_notifications()

    assert Notification.objects.get(channel="email").status == "stopped"
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_two_workers_send_each_mail_once():
    for _turn in range(6):
        post()
    together = threading.Barrier(2)

    def go():
        together.wait()
        tasks.deliver_notifications()
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tasks.deliver_notifications()

    assert len(mail.outbox) == 6
    assert Notification.objects.filter(channel="email", status="sent").count() == 6


@pytest.mark.parametrize(
    "name", ["publish_due_requirements", "close_due_requirements", "expire_capabilities"]
)
def test_sweepers_find_nothing_to_do_in_an_empty_register(name):
    assert getattr(tasks, name)() == 0


def test_tasks_come_again_when_the_database_was_away():
    for name in ("deliver_notifications", "expire_capabilities"):
        task = getattr(tasks, name)
        assert {error.__name__ for error in task.autoretry_for} == {
            "OperationalError",
            "InterfaceError",
        }
        assert task.max_retries == 8


def test_message_that_cannot_be_made_holds_up_none_behind_it(monkeypatch):
    post()
    post()
    first = Notification.objects.filter(channel="email").order_by("due_at", "pk").first()
    render = notifications.render

    def broken(notice, rows, language):
        if notice.pk == first.pk:
            raise ValueError("a template with a fault")
        return render(notice, rows, language)

    monkeypatch.setattr(notifications, "render", broken)

    tasks.deliver_notifications()

    assert len(mail.outbox) == 1
    first.refresh_from_db()
    assert (first.status, first.attempts, first.error) == ("unsent", 1, "ValueError")
