"""Text messages: what a sender has to be, and the one that only prints.

A sender for a provider of text messages is a class of the installation with one method; SMS_SENDER names it.
"""

from __future__ import annotations

import logging
import re
import sys
import unicodedata
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

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


# Where a text goes that nobody waits for.
_beside: Executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sms")


def send_beside(number: str, text: str) -> None:
    """Send without waiting, and without a word when it fails: whoever asks for a code to sign in with reads and measures
    the same whether the number has an account or not."""
    _beside.submit(_send_or_log, number, text)


def _send_or_log(number: str, text: str) -> None:
    try:
        send(number, text)
    except Exception as fault:
        log_refusal(fault)


def log_refusal(fault: Exception) -> None:
    logger.error(
        "A text message was not taken: %s", type(fault).__name__
    )  # its trace would hold the number


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
