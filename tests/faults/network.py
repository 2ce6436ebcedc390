"""A bad network between a browser and the server: a proxy on loopback that loses, doubles and holds up what passes.

Answers are lost after the server has done its work – the case that makes people press a button twice. Pages and their
files pass; only what is posted meets the faults, and during an outage nothing passes at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
import uuid
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_NONCE = re.compile(rb"(?<=nonce=)[0-9a-f-]{36}")


class BadNetwork:
    """`lost` and `doubled` are shares of what is posted, `delay` the longest time in seconds that a request is held up.

    `is_renumbering` is the negative control: each time a scan is sent it gets another number on the way.
    """

    def __init__(self, address, *, lost=0.3, doubled=0.1, delay=0.05, seed=7, is_renumbering=False):
        parts = urlsplit(address)
        self._to = parts.hostname, parts.port
        self._dice = random.Random(seed)
        self._lost, self._doubled, self._delay = lost, doubled, delay
        self._is_renumbering = is_renumbering
        self.is_away = False
        self.cut = self.sent_twice = self.refused = 0
        self._serving = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        serving = asyncio.start_server(self._serve, self._to[0], 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(5)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"http://{self._to[0]}:{port}"
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self):
        """Also what browsers keep open in case they need it."""
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        """One request of one connection: then it is closed, so that the next one meets its own fate."""
        gone = ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        # The loop knows its tasks only weakly, and one whose browser has left may be known to nobody else.
        task = asyncio.current_task()
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with contextlib.suppress(*gone):
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            answer = await self._fate(head, body)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
        await _closed(writer)

    async def _fate(self, head, body):
        if self.is_away:
            self.refused += 1
            return None
        if not head.startswith(b"POST"):
            return await self._pass_on(head, body)
        # Late ones overtake: requests do not arrive in the order they were sent in.
        await asyncio.sleep(self._dice.random() * self._delay)
        answer = await self._pass_on(head, self._renumbered(body))
        if self._dice.random() < self._doubled:
            self.sent_twice += 1
            answer = await self._pass_on(head, self._renumbered(body))
        if self._dice.random() < self._lost:
            self.cut += 1
            return None
        return answer

    def _renumbered(self, body):
        if not self._is_renumbering:
            return body
        return _NONCE.sub(lambda _found: str(uuid.uuid4()).encode(), body)

    async def _pass_on(self, head, body):
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        lines.insert(1, b"Connection: close")
        reader, writer = await asyncio.open_connection(*self._to)
        writer.write(b"\r\n".join(lines) + body)
        await writer.drain()
        try:
            return await reader.read(-1)
        finally:
            await _closed(writer)


async def _closed(writer):
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
