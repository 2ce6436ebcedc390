"""Text messages: what a sender has to be, and the one that only prints.

A sender for a provider of text messages is a class of the installation with one method; SMS_SENDER names it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")


class Sender(Protocol):
    def send(self, number: str, text: str) -> None:
        """Hands a text to the provider within seconds; an exception says that it was not taken."""


class ConsoleSender:
    def send(self, number: str, text: str) -> None:
        sys.stdout.write(f"\n--- text message to {number} ---\n{text}\n")
        sys.stdout.flush()


def is_on() -> bool:
    return bool(settings.SMS_SENDER)


def send(number: str, text: str) -> None:
    sender: Sender = import_string(settings.SMS_SENDER)()
    sender.send(number, text)


def normalised(typed: str) -> str | None:
    """The number as +8613800000000, or None. People leave the country out, or write it with 00 or without a sign.

    >>> normalised("138 0000-0000"), normalised("008613800000000"), normalised("+44 20 7946 0000")
    ('+8613800000000', '+8613800000000', '+442079460000')
    >>> normalised("１３８００００００００"), normalised("12345"), normalised("not a number")
    ('+8613800000000', None, None)
    """
    number = re.sub(r"[\s().\-–—]", "", unicodedata.normalize("NFKC", typed))
    number = re.sub(r"^00", "+", number)
    if _CHINESE_MOBILE.fullmatch(number):
        number = f"+86{number}"
    elif number.startswith("86") and _CHINESE_MOBILE.fullmatch(number[2:]):
        number = f"+{number}"
    return number if _NUMBER.fullmatch(number) and number.isascii() else None
