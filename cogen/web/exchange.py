"""One request and its response: the application's iterator and the operations it names.

The iterator is asked for chunks. An empty one after an operation was named parks the exchange
until the operation has its outcome; any other empty one lets the others run. No header goes out
before the first chunk that is not empty, so what the application sets after a wait still counts.

Chunks of an application that never waited are on their way before the next is asked for (PEP
3333). One that waits through the extensions is cooperative, its next chunk comes at once or names
an operation: the server holds its first chunk until it has seen whether another follows, so that
a short answer leaves with its length in one write.
"""

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from greenlet import GreenletExit, greenlet

from cogen.core.coroutines import Coroutine, operation_of
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import SLICE, Waiter
from cogen.web.answer import Answer, Drain, fail
from cogen.web.errors import BodyError
from cogen.web.extensions import Wsgi
from cogen.web.files import FileWrapper
from cogen.web.http import Request
from cogen.web.response import head_of
from cogen.web.threads import ThreadWait

if TYPE_CHECKING:
    from cogen.web.connection import Connection

__all__ = ["Exchange"]

log = logging.getLogger(__name__)

_END: Final = object()
# The status of a request whose client left before its answer; no client ever sees it.
_CLIENT_LEFT: Final = 499


class Exchange(Waiter):
    """Runs the application for one request on `connection`.

    `waits`: it is in an operation that the application named.
    """

    __slots__ = (
        "_answer",
        "_callbacks",
        "_connection",
        "_environ",
        "_exhausted",
        "_held",
        "_iterable",
        "_iterator",
        "_request",
        "_whole",
        "_wsgi",
        "context",
        "ended",
        "runner",
        "waits",
    )

    def __init__(self, connection: "Connection", request: Request, wsgi: Wsgi) -> None:
        self.scheduler = connection.server.scheduler
        self.operation = None
        self.value = None
        self.error = None
        self._connection = connection
        self._request = request
        self._wsgi = wsgi
        self._answer: Answer | None = None
        self._callbacks: list[Callable[[Exchange], None]] | None = None
        self._environ: dict[str, Any] | None = None
        self._iterable: Any = None
        self._iterator: Iterator[bytes] | None = None
        self._exhausted = False
        self._held = b""  # the first chunk, until it is known whether another follows
        self._whole = False  # it is known that no other follows
        self.context: Context = copy_context()
        self.runner: greenlet | None = None
        self.waits = False
        self.ended = False

    @property
    def awaits_news(self) -> bool:
        """It waits for something else than its client or its own thread, and that has not come."""
        return self.operation is not None and type(self.operation) not in (Drain, ThreadWait)

    @property
    def method(self) -> bytes:
        """Of the request."""
        return self._request.method

    @property
    def head_sent(self) -> bool:
        return self._answer is not None and self._answer.head_sent

    @property
    def status(self) -> int:
        """The status code of the response; 499 if the client left before there was one."""
        answer = self._answer
        if answer is not None and answer.head_sent:
            return answer.head.code
        return self._connection.refusal or 500

    @property
    def sent(self) -> int:
        """Bytes of content written."""
        return self._answer.sent if self._answer is not None else 0

    # The life of the exchange, seen from the connection.

    def start(self, environ: dict[str, Any]) -> None:
        """Have the application called, in its turn."""
        self._environ = environ
        self.scheduler.ready(self)

    def step(self) -> None:
        if self.ended:
            return
        runners = self._connection.server.runners
        if self.runner is not None:
            # From the hub: this turn has a runner of its own.
            self.scheduler.loop.call_soon(runners.resume, self)
            return
        runners.current = self
        try:
            self.context.run(self._drive)
        finally:
            runners.current = None

    def hang_up(self) -> None:
        """The client is gone: undo what is waited for and close the iterable."""
        if self.ended:
            return
        self.ended = True
        self._connection.refusal = self._connection.refusal or _CLIENT_LEFT
        self.withdraw()
        self._connection.server.runners.end(self)
        self.context.run(self._close)

    def hurry(self) -> None:
        """End a wait that has a timeout as if its time were up."""
        if self.operation is not None and self.operation.timeout is not None:
            self.operation.expire(self)

    def add_done_callback(self, callback: Callable[["Exchange"], None]) -> None:
        """Have `callback(self)` called at the end, after the iterable's close()."""
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    def wait(self, operation: Any) -> Any:
        """environ['cogen.wait']: perform `operation` and return its result, or raise.

        The request waits; the server goes on. Raises RuntimeError outside of the request.
        """
        if self.ended:
            raise GreenletExit("the client is gone")
        result = self.perform(operation_of(operation, self))
        if result is not PARKED:
            return result
        self._check_client()
        self._connection.server.runners.wait(self)
        value, error = self.value, self.error
        self.value = self.error = None
        if error is not None:
            raise error
        return value

    # In a runner.

    def _drive(self) -> None:
        """Go on until the exchange is parked, ended, or has had its share of the turn."""
        try:
            if self._environ is not None:
                environ, self._environ = self._environ, None
                iterable = self._connection.server.application(environ, self.start_response)
                self._iterable = iterable
                if isinstance(iterable, (list, tuple)):
                    self._whole = len(iterable) == 1
                elif isinstance(iterable, FileWrapper):
                    self._measure(iterable)
                self._iterator = iter(iterable)
            elif self.waits:
                self.waits = False
                self._deliver()
            self._iterate()
        except (GreenletExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 (the application's; it becomes a 500)
            self._fail(error)

    def _measure(self, file: FileWrapper) -> None:
        if self._answer is not None:
            self._answer.length = file.length
            if self._answer.bodyless:
                file.skip()

    def _deliver(self) -> None:
        value, error = self.value, self.error
        self.value = self.error = None
        if error is not None:
            self._wsgi.failed(error)
        else:
            self._wsgi.succeeded(value)

    def _iterate(self) -> None:
        iterator, wsgi, connection = self._iterator, self._wsgi, self._connection
        assert iterator is not None
        for _ in range(SLICE):
            answer = self._answer
            if answer is not None and answer.slices is not None and not self._sent_all():
                return
            if self._exhausted:
                self._complete()
                return
            if connection.write_paused and self.perform(Drain(connection)) is PARKED:
                return
            chunk: Any = next(iterator, _END)
            if chunk is _END:
                self._finish()
            elif wsgi.pending:
                if chunk:
                    raise wsgi.lost(f"the chunk {chunk[:40]!r} came")
                if self._performed() is PARKED:
                    return
            elif not chunk or not self._take(chunk):
                break
        self.scheduler.ready(self)

    def _performed(self) -> Any:
        """Perform what was named: PARKED, or anything else once it has its outcome."""
        wsgi = self._wsgi
        wsgi.pending = False
        if self._held:
            self._send_held()
        operation = wsgi.operation
        try:
            if not isinstance(operation, Operation):
                if not (isinstance(operation, Coroutine) or isawaitable(operation)):
                    wsgi.succeeded(operation)
                    return None
                operation = operation_of(operation, self)
            result = self.perform(operation)
        except (Exception, CancelledError) as error:  # noqa: BLE001 (the application gets it)
            wsgi.failed(error)
            return None
        if result is PARKED:
            self.waits = True
            self._check_client()
        else:
            wsgi.succeeded(result)
        return result

    def _check_client(self) -> None:
        """It begins to wait: see if its client has gone already."""
        if self._connection.eof:
            self.scheduler.loop.call_soon(self._connection.eof_received)

    def _take(self, chunk: Any) -> bool:
        """Take a chunk that is not empty; False if it should leave before the next is made."""
        if type(chunk) is not bytes:
            raise TypeError(f"the application yielded {chunk!r:.80}: chunks must be bytes")
        cooperative = self._whole or self._wsgi.used
        answer = self._begun()
        if cooperative and not answer.head_sent and not self._held:
            self._held = chunk
            return True
        if self._held:
            self._send_held()
        answer.send(chunk)
        return cooperative

    def _begun(self) -> Answer:
        if self._answer is None:
            raise RuntimeError("the application did not call start_response before its first chunk")
        return self._answer

    def _send_held(self) -> None:
        held, self._held = self._held, b""
        self._begun().send(held)

    def _sent_all(self) -> bool:
        """Write on with a large chunk; False if parked because the client is slow."""
        assert self._answer is not None
        while not self._answer.write_on():
            if self.perform(Drain(self._connection)) is PARKED:
                return False
        return True

    def _finish(self) -> None:
        """The iterator has ended."""
        if self._wsgi.pending:
            raise self._wsgi.lost("the iteration ended")
        self._exhausted = True
        answer = self._begun()
        if answer.head_sent:
            answer.end()
        else:
            held, self._held = self._held, b""
            answer.send(held, last=True)
        answer.check_length(self)

    # What an application hands over is checked here, so that the error tells what is wrong with it.

    def start_response(
        self, status: Any, headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333: `status` a str, `headers` a list of pairs of str; nothing is sent yet.

        Raises ValueError or TypeError for a bad head.
        """
        answer = self._answer
        if exc_info is not None:
            try:
                if answer is not None and answer.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif answer is not None:
            raise RuntimeError("start_response was called twice without exc_info (PEP 3333)")
        head = head_of(status, headers)
        if answer is None:
            self._answer = Answer(self._connection, self._request, head)
        else:
            answer.head = head
        return self.write

    def write(self, data: Any) -> None:
        """PEP 3333: send `data` before the iterable's chunks; waits while the client is slow."""
        if type(data) is not bytes:
            raise TypeError(f"write() takes bytes, not {data!r:.80}")
        answer = self._begun()
        if self._held:
            self._send_held()
        if data:
            answer.send(data)
        while answer.slices is not None and not answer.write_on():
            self.wait(Drain(self._connection))
        if self._connection.write_paused:
            self.wait(Drain(self._connection))

    # The end.

    def _fail(self, error: BaseException) -> None:
        if self.ended:
            return
        if isinstance(error, BodyError):
            log.info("%s: %s", self, error)
        else:
            log.error("%s: %s: %s", self, type(error).__name__, error, exc_info=error)
        if self.head_sent:
            assert self._answer is not None
            self._answer.cut()
        else:
            self._answer = None
            fail(self._connection, self._request, error)
        self._complete()

    def _complete(self) -> None:
        """All is written: close the iterable and give the connection back."""
        self.ended = True
        self._close()
        answer, self._answer = self._answer, None
        self._connection.exchange_ended(self, answer)

    def _close(self) -> None:
        iterable, self._iterable = self._iterable, None
        self._iterator = None
        close = getattr(iterable, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                log.exception("%s: close() of the response failed", self)
        # An exception's traceback leads back here.
        self._wsgi.exception = self._wsgi.result = None
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    def __repr__(self) -> str:
        request = self._request
        return f"{request.method.decode()} {request.target[:200].decode()}"
