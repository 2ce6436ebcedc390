from __future__ import annotations

import unicodedata
from typing import Any

from django.core.management.base import BaseCommand

from chains.models import User
from matchmaking.demo.accounts import ACCOUNTS, PASSWORD


class Command(BaseCommand):
    help = "Print the accounts of the demo, one for each role, in Chinese and English."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        known = set(
            User.objects.filter(email__in=[a.email for a in ACCOUNTS]).values_list(
                "email", flat=True
            )
        )
        rows = [account for account in ACCOUNTS if account.email in known]
        if not rows:
            self.stdout.write(
                "  没有演示账号，请先运行 seed_demo。 · There are no demo accounts yet: run seed_demo."
            )
            return
        self.stdout.write(f"  所有账号的密码 · Password of every account:  {PASSWORD}\n")
        email = max(len(account.email) for account in rows) + 2
        who = max(_width(account.who.zh) for account in rows) + 2
        for account in rows:
            self.stdout.write(
                f"  {account.email:<{email}}{_padded(account.who.zh, who)}{account.first.zh}"
            )
            self.stdout.write(f"  {'':<{email}}{_padded(account.who.en, who)}{account.first.en}")


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(2, width - _width(text))
