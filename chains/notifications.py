from __future__ import annotations

from typing import Any

from chains.doorbell import ring
from chains.models import Notification, User


def post(to: User, kind: str, *, email: bool = True, **context: Any) -> None:
    """Put a message into the outbox: in the application, and by e-mail too unless told otherwise.

    `kind` names the templates `emails/<kind>.subject.txt` and `.txt`; `context` holds public ids, never personal data.
    """
    channels = [Notification.Channel.IN_APP]
    if email:
        channels.append(Notification.Channel.EMAIL)
    Notification.objects.bulk_create(
        Notification(to=to, kind=kind, context=context, channel=channel) for channel in channels
    )
    if email:
        ring("chains.tasks.deliver_notifications")
