"""The wire under a connection: writing, back-pressure, one deadline at a time, closing."""

import logging
from typing import Any

from cogen.web.connections.shared import Shared
from cogen.web.exchanges.front import Front

__all__ = ["Link"]

log = logging.getLogger(__name__)

_WRITE_HIGH, _WRITE_LOW = 65_536, 16_384
# A refused client may still be sending: it is listened to this long, so that it reads the answer.
_LINGER_SECONDS = 2.0


class Link(Front):
    """One accepted connection, without HTTP. `closing`: nothing more is taken from the client."""

    __slots__ = (
        "_deadline",
        "_peer",
        "_reading_paused",
        "_stalled_at",
        "_transport",
        "closing",
        "shared",
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self.shared = shared
        self._transport: Any = None
        self._peer: tuple[str, str] = ("", "")
        self._deadline: float | None = None
        self._stalled_at = 0
        self._reading_paused = False
        self.closing = False

    def introduce(self, peer: tuple[str, str]) -> None:
        """Before `connection_made`: the client has this address and port, as its proxy says."""
        self._peer = peer

    def connection_made(self, transport: Any) -> None:
        """Write to `transport` from now on, which says who the client is if nobody else has."""
        self._transport = transport
        transport.set_write_buffer_limits(_WRITE_HIGH, _WRITE_LOW)
        peer = transport.get_extra_info("peername")
        if type(peer) is tuple and not self._peer[0]:
            self._peer = (peer[0], str(peer[1]))

    @property
    def address(self) -> str:
        """Of the client; empty on a Unix socket."""
        return self._peer[0]

    # Writing.

    def write(self, data: bytes | memoryview) -> None:
        """Hand `data` to the transport; `write_paused` tells when it has enough."""
        if self._transport is not None:
            self._transport.write(data)

    def idle_socket(self) -> int:
        transport = self._transport
        if self.write_paused or self.closing or transport is None:
            return -1
        if transport.get_write_buffer_size() or transport.is_closing():
            return -1
        if transport.get_extra_info("sslcontext") is not None:
            return -1
        socket = transport.get_extra_info("socket")
        if socket is None:  # one in memory
            return -1
        number: int = socket.fileno()
        return number

    def pause_writing(self) -> None:
        """The transport has enough: the client has `write_timeout` to take some of it."""
        self.write_paused = True
        self._stalled_at = self._unwritten()
        self._await(self.shared.options.write_timeout)

    def resume_writing(self) -> None:
        """The client has taken most of it: go on with what waited for that."""
        self.write_paused = False
        self._await(None)
        drainer, self.drainer = self.drainer, None
        if drainer is not None:
            drainer.resume(None)
        else:
            self._drained()

    def _drained(self) -> None:
        """The client has taken most of what was written, and nothing waits for that."""

    def _unwritten(self) -> int:
        return self.unsent or int(self._transport.get_write_buffer_size())

    # Reading.

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()

    # Deadlines: at most one at a time.

    def _await(self, duration: float | None) -> None:
        """Give the client `duration` seconds for what comes next; None: as long as it takes."""
        timers = self.shared.scheduler.timers
        if self._deadline is not None and self._deadline != duration:
            timers.stop(self, self._deadline)
        self._deadline = duration or None
        if duration:
            timers.start(self, duration)

    def expire(self) -> None:
        """The deadline has passed; called by the timers."""
        duration, self._deadline = self._deadline, None
        if self._transport is None:
            return
        if self.write_paused:
            self._check_writing(duration)
        elif self.closing:
            self._transport.abort()
        else:
            self._overdue(duration or 0)

    def _overdue(self, duration: float) -> None:
        """The client did not do within `duration` what it was waited for."""
        raise NotImplementedError

    def _check_writing(self, duration: float | None) -> None:
        left = self._unwritten()
        if left < self._stalled_at:
            self._stalled_at = left
            self._await(duration)
            return
        log.info("%s takes nothing of its answer: its connection is cut", self._peer[0])
        self._transport.abort()

    # Closing.

    def _close(self) -> None:
        """Close when all is written."""
        self.closing = True
        self._await(self.shared.options.write_timeout)
        self._transport.close()

    def _linger(self) -> None:
        """Say that nothing follows, and listen on for a moment (RFC 9112 section 9.6).

        To close at once is rude to a client that still sends: it would not read the answer.
        """
        self.closing = True
        if self.eof or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._resume_reading()
            self._transport.write_eof()
        self._await(_LINGER_SECONDS)
