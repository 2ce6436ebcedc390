"""A sender of text messages that keeps them."""

from __future__ import annotations

outbox: list[tuple[str, str]] = []


class Kept:
    def send(self, number, text):
        outbox.append((number, text))


class Broken:
    def send(self, number, text):
        raise ConnectionError(number)
