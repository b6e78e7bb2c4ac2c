"""Two ends of a connection without a socket: what one writes, the other reads."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cogen.core.schedulers import Scheduler
from cogen.core.streams import Stream

__all__ = ["memory_streams"]


def memory_streams(
    scheduler: Scheduler, at_once: int = sys.maxsize, idle: float | None = None
) -> tuple[Stream, Stream]:
    """Two connected streams on the loop of `scheduler`, for a handler and whom it talks to.

    They wait, push back and end as those over TCP do; `abort` of one resets the other. `at_once`:
    bytes that arrive in one piece at the most, 1 for a handler that has to put together what it
    gets. `idle`: as of Stream.
    """
    ends = Stream(scheduler, idle), Stream(scheduler, idle)
    first, second = (
        _MemoryEnd(scheduler.loop, stream, ("memory", number), at_once)
        for number, stream in enumerate(ends)
    )
    first.peer, second.peer = second, first
    first.begin()
    second.begin()
    return ends


class _MemoryEnd(asyncio.Transport):
    """The transport of one end; `arriving` is what its protocol has not been given yet."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: Stream, address: Any, at_once: int
    ) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._address = address
        self._at_once = at_once
        self.peer: _MemoryEnd | None = None  # None once that has gone
        self.arriving = bytearray()
        self._eof = False  # comes behind what arrives
        self._reading = True
        self._due = False
        self._high, self._low = 65536, 16384
        self._held_up = False
        self._sent_eof = False
        self._lost = False

    def begin(self) -> None:
        """Both ends are there."""
        self._protocol.connection_made(self)

    def write(self, data: Any) -> None:
        peer = self.peer
        if self._lost or self._sent_eof:
            return
        if peer is None:
            self._loop.call_soon(self._lose, ConnectionResetError("the other end has gone"))
            return
        peer.arriving += data
        peer._look()
        if len(peer.arriving) > self._high and not self._held_up:
            self._held_up = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        if self.peer is not None and not self._sent_eof:
            self._sent_eof = self.peer._eof = True
            self.peer._look()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if not self._lost:
            self.write_eof()
            self._leave()
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        peer = self.peer
        if peer is not None and not self._lost:
            peer.arriving.clear()
            self._loop.call_soon(peer._lose, ConnectionResetError("the other end broke it"))
        self._leave()
        self._loop.call_soon(self._lose, None)

    def is_closing(self) -> bool:
        return self._lost

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._look()

    def get_write_buffer_size(self) -> int:
        return 0 if self.peer is None else len(self.peer.arriving)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = 65536 if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._address if name == "peername" else default

    def _look(self) -> None:
        """Have what arrives given to the protocol, in a turn of the loop."""
        if not self._due and not self._lost and (self.arriving or self._eof):
            self._due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._due = False
        if self._lost or not self._reading:
            return
        if self.arriving:
            data = bytes(self.arriving[: self._at_once])
            del self.arriving[: self._at_once]
            self._protocol.data_received(data)
            if self.peer is not None:
                self.peer._drained(len(self.arriving))
            self._look()
        elif self._eof:
            self._eof = False
            if not self._protocol.eof_received():
                self.close()

    def _drained(self, left: int) -> None:
        if self._held_up and left <= self._low:
            self._held_up = False
            self._protocol.resume_writing()

    def _leave(self) -> None:
        """The peer is alone from now on."""
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.peer = None

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self.arriving.clear()
            self._leave()
            self._protocol.connection_lost(error)
