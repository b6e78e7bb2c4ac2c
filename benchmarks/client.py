"""A client: a connection that always has a poll under way, and checks what it is given."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.answers import Answers, cookies
from benchmarks.wire import Wire

__all__ = ["LATENCY_UNIT", "Client", "Crowd"]

LATENCY_UNIT = 10_000  # nanoseconds


class Crowd:
    """The clients of one process: what they were given, and whom to tell.

    `held()` is called once all of them wait for news, `delivered(seq, at)` once all have had that
    message and poll again; the last had it at `at`, nanoseconds of CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        wire: Wire,
        size: int,
        held: Callable[[], None],
        delivered: Callable[[int, int], None],
    ) -> None:
        self.wire = wire
        self.size = size
        self.joined = 0
        self.deliveries = 0
        self.empty = 0  # polls that ended without news
        self.repeated = 0  # messages that came again, or after a later one
        self.reconnects = 0
        self.error = ""  # the first, if there was one
        self.latencies: Counter[int] = Counter()  # in units of LATENCY_UNIT
        self._held = held
        self._delivered = delivered
        self._missing: dict[int, int] = {}

    def client_joined(self) -> None:
        self.joined += 1
        if self.joined == self.size:
            self._held()

    def took(self, client: "Client", seqs: list[int], sent: list[int], now: int) -> None:
        """`client` was given the messages `seqs`, sent at these times."""
        for seq, at in zip(seqs, sent, strict=True):
            if client.seq is not None and seq <= client.seq:
                self.repeated += 1
                continue
            client.seq = seq
            self.deliveries += 1
            self.latencies[(now - at) // LATENCY_UNIT] += 1
            missing = self._missing.get(seq, self.size) - 1
            self._missing[seq] = missing
            if not missing:
                del self._missing[seq]
                self._delivered(seq, now)

    def failed(self, what: str) -> None:
        self.error = self.error or what


class Client(asyncio.Protocol):
    """Polls again at once, with what it has had as the cursor; connects again if it is cut off."""

    __slots__ = ("_answers", "_cookie", "_crowd", "_cursor", "_joined", "_transport", "lost", "seq")

    def __init__(self, crowd: Crowd, lost: Callable[["Client"], None]) -> None:
        self._crowd = crowd
        self._answers = Answers()
        self._cookie = b""
        self._cursor = b""
        self._joined = False
        self._transport: Any = None
        self.lost = lost
        self.seq: int | None = None  # of the last message it had

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._answers = Answers()
        self._poll()
        if not self._joined and not self._crowd.wire.joins:
            self._join()

    def _join(self) -> None:
        self._joined = True
        self._crowd.client_joined()

    def _poll(self) -> None:
        self._transport.write(self._crowd.wire.poll(self._cursor, self._cookie))

    def data_received(self, data: bytes) -> None:
        try:
            answer = self._answers.feed(data)
            if answer is None:
                return
            status, head, body = answer
            news = self._crowd.wire.read(status, head, body)
        except ValueError as error:
            self._crowd.failed(str(error))
            self._transport.abort()
            return
        now = time.monotonic_ns()
        if not self._cookie:
            self._cookie = cookies(head)
        self._cursor = news.cursor or self._cursor
        self._poll()
        if not self._joined:
            self._join()
        if news.seqs:
            self._crowd.took(self, news.seqs, news.sent, now)
        else:
            self._crowd.empty += 1

    def connection_lost(self, error: Exception | None) -> None:
        self.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
