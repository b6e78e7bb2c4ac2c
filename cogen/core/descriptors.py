"""A socket's two sides: the operations that wait for each, and the loop that watches it.

The loop goes on watching a side that was read until it is ready with nobody waiting: one who reads
again and again pays for that once.
"""

import errno
import socket
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler, Waiter

if TYPE_CHECKING:
    import asyncio

__all__ = ["ConnectionClosed", "Descriptor", "IncompleteRead", "SocketError", "SocketOperation"]

_WOULD_BLOCK = (BlockingIOError, InterruptedError)
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ESHUTDOWN)


class SocketError(OSError):
    """A call of the operating system failed; `errno` and `strerror` say how."""


class ConnectionClosed(SocketError):
    """The peer has closed the connection, or it broke."""


class IncompleteRead(ConnectionClosed):
    """The connection ended before all that was asked for had come; `partial` is what had."""

    def __init__(self, partial: bytes, expected: str) -> None:
        super().__init__(f"the connection ended after {len(partial)} bytes of {expected}")
        self.partial = partial


class Descriptor:
    """A socket of the system that does not block, and who waits for it. It is used on one loop."""

    __slots__ = ("__weakref__", "reading", "rest", "socket", "writing")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.socket.setblocking(False)
        self.rest = b""  # was taken from the system and not handed over
        self.reading: _Side | None = None
        self.writing: _Side | None = None

    def fileno(self) -> int:
        """The file descriptor; -1 if it is closed."""
        return self.socket.fileno()

    def close(self) -> None:
        """Close it; what was sent still arrives. May be called twice, and in any thread."""
        for side in (self.reading, self.writing):
            if side is not None and side.is_elsewhere() and side.scheduler.post(self.close):
                return
        self.leave_loop()
        self.socket.close()

    def leave_loop(self) -> None:
        """Have the loop watch it no longer; SocketError is raised in those who wait."""
        for side in (self.reading, self.writing):
            if side is not None:
                side.close()

    def give_back(self, data: bytes) -> None:
        """What was received and is of no use to who received it: the next `recv` gets it."""
        self.rest = data + self.rest

    def __del__(self) -> None:
        # An __init__ that raised has made neither.
        for side in (getattr(self, "reading", None), getattr(self, "writing", None)):
            if side is not None:
                side.drop(self.socket)

    def __repr__(self) -> str:
        descriptor = self.socket.fileno()
        return "<Socket closed>" if descriptor < 0 else f"<Socket {descriptor}>"

    def side(self, writing: bool, scheduler: Scheduler) -> "_Side":
        """What waits to write, or to read. Raises RuntimeError if another loop has the socket."""
        side = self.writing if writing else self.reading
        if side is None or (side.scheduler is not scheduler and side.is_free()):
            side = _Side(self.socket.fileno(), writing, scheduler)
            if writing:
                self.writing = side
            else:
                self.reading = side
        elif side.scheduler is not scheduler:
            raise RuntimeError(f"{self!r} is used on another loop: a socket belongs to one")
        return side


class _Side:
    """The operations that wait for one side of a socket: the first is tried when it is ready.

    It knows no Descriptor: those that nobody has any more are closed, though the loop watches them.
    """

    __slots__ = ("_fileno", "_watched", "_writing", "scheduler", "waiting")

    def __init__(self, fileno: int, writing: bool, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.waiting: list[SocketOperation] = []
        self._fileno = fileno
        self._writing = writing
        self._watched = False

    def is_free(self) -> bool:
        """Whether another loop may have the socket."""
        if self.scheduler.loop.is_closed():
            return True
        if self.waiting or get_ident() != self.scheduler.thread:
            return False
        self._unwatch()
        return True

    def park(self, operation: "SocketOperation") -> None:
        """Have it wait. Raises RuntimeError if another Socket of the descriptor is waited for."""
        if not self._watched:
            self._be_the_one()
            loop = self.scheduler.loop
            watch = loop.add_writer if self._writing else loop.add_reader
            watch(self._fileno, self._ready)
            self.scheduler.watched[self._fileno, self._writing] = self
            self._watched = True
        self.waiting.append(operation)

    def _be_the_one(self) -> None:
        """The loop calls one for a descriptor: an idle one gives way, who waits would for ever."""
        other: _Side | None = self.scheduler.watched.get((self._fileno, self._writing))
        if other is None:
            return
        if other.waiting and other.waiting[0].sock.fileno() == self._fileno:
            raise RuntimeError(
                f"another Socket of the descriptor {self._fileno} is waited for "
                f"({other.waiting[0]!r}): make one Socket of each socket, and share that"
            )
        other._unwatch()

    def forget(self, operation: "SocketOperation") -> None:
        operation.waiter = None
        self.waiting.remove(operation)
        if not self.waiting and self._writing:
            self._unwatch()  # it is ready most of the time

    def _ready(self) -> None:
        try:
            if not self.waiting:
                self._unwatch()
                return
            operation = self.waiting[0]
            waiter = operation.waiter
            assert waiter is not None
            try:
                result = operation.attempt()
            except Exception as error:  # noqa: BLE001 (raised in the waiter)
                self.forget(operation)
                waiter.fail(error)
            else:
                if result is not PARKED:
                    self.forget(operation)
                    waiter.resume(result)
                elif operation.moved and operation.weak_timeout:
                    operation.moved = False
                    waiter.touch()
        finally:
            operation = waiter = None  # type: ignore[assignment]
            del self

    def is_elsewhere(self) -> bool:
        """Whether its loop is one of another thread."""
        return get_ident() != self.scheduler.thread and bool(self._watched or self.waiting)

    def close(self) -> None:
        self._unwatch()
        while self.waiting:
            operation = self.waiting.pop(0)
            waiter, operation.waiter = operation.waiter, None
            if waiter is not None:
                waiter.fail(SocketError(errno.EBADF, f"the socket was closed: {operation!r}"))

    def drop(self, sock: socket.socket) -> None:
        """Nobody has the socket any more; it stays open until the loop does not watch it."""
        if self.is_elsewhere():
            self.scheduler.post(partial(self._drop, sock))
        else:
            self._unwatch()

    def _drop(self, sock: socket.socket) -> None:
        self._unwatch()

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            del self.scheduler.watched[self._fileno, self._writing]
            loop: asyncio.AbstractEventLoop = self.scheduler.loop
            if not loop.is_closed():
                (loop.remove_writer if self._writing else loop.remove_reader)(self._fileno)


class SocketOperation(Operation):
    """Base of the operations of a socket: `call` is tried until it does not block.

    `timeout`: seconds; with `weak_timeout` what has moved puts it off. OSError becomes SocketError,
    or ConnectionClosed where the peer is gone.
    """

    __slots__ = ("moved", "sock", "waiter", "weak_timeout")

    writing = False
    """Which side of the socket it waits for."""

    def __init__(self, sock: Descriptor, timeout: Any = None, weak_timeout: bool = True) -> None:
        if not isinstance(sock, Descriptor):
            raise TypeError(f"{type(self).__name__}: {sock!r} is no cogen.core.sockets.Socket")
        super().__init__(timeout)
        self.sock = sock
        self.weak_timeout = weak_timeout
        self.moved = False
        self.waiter: Waiter | None = None

    def call(self) -> Any:
        """The call of the system: the result, or PARKED; BlockingIOError is taken for PARKED."""
        raise NotImplementedError

    def begin(self) -> None:
        """Forget what an earlier run has done."""

    def run(self, waiter: Waiter) -> Any:
        try:
            if self.waiter is not None:
                raise RuntimeError(f"{self!r} is being waited for: make one for each who waits")
            if self.sock.fileno() < 0:
                raise SocketError(errno.EBADF, f"the socket is closed: {self!r}")
            self.begin()
            side = self.sock.side(self.writing, waiter.scheduler)
            if not side.waiting:
                result = self.attempt()
                if result is not PARKED:
                    return result
            side.park(self)
            self.waiter = waiter
            return PARKED
        finally:
            del self, waiter

    def undo(self, waiter: Waiter) -> None:
        self.sock.side(self.writing, waiter.scheduler).forget(self)

    def attempt(self) -> Any:
        """The result of `call`, or PARKED."""
        try:
            return self.call()
        except _WOULD_BLOCK:
            return PARKED
        except SocketError:
            raise
        except OSError as error:
            raise self.error_of(error) from None
        finally:
            del self

    def error_of(self, error: OSError) -> SocketError:
        """What is raised for `error`."""
        made = ConnectionClosed if error.errno in _GONE else SocketError
        return made(error.errno, f"{error.strerror}: {self!r}")

    def __repr__(self) -> str:
        within = f" within {self.timeout:g} s" if self.has_end else ""
        return f"<{type(self).__name__} {self.sock!r}{within}>"
