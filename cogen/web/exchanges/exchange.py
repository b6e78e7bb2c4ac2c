"""One request and its response: the application's iterator and the operations it names.

The iterator is asked for chunks. An empty one after an operation was named parks the exchange
until the operation has its outcome; any other empty one lets the others run. No header goes out
before the first chunk that is not empty, so what the application sets after a wait still counts.
Each chunk is on its way before the next is asked for (PEP 3333); the head goes with the first.

Between two turns it is in one of these states, by what it has:

    state    _started  _environ  _iterator  closing  ended   may wait
    made     no        -         -          no       no      no
    to call  yes       yes       -          no       no      no
    called   yes       -         maybe      no       no      yes: in a call or for a chunk
    closing  yes       -         -          yes      no      yes: in close(), for `close_timeout`
    ended    either    -         -          either   yes     no

While it waits it has an `operation`, in a call a `runner` too; with `waits` the operation is one
that a chunk named, and there is no runner. One that its client left before it was `started` ends at
once. However else it comes to its end, closing calls the iterable's close(). `left` comes at any
time, `told` after it: what is waited for ends, in the middle of a call with GreenletExit, once;
what the application does then to clean up may wait as close() does. `late`: no wait begins any
more.
Refused are a wait outside of its request, a second operation before the first was yielded, a chunk
in place of an operation's empty one, and a head after content.
"""

import logging
from asyncio import CancelledError, TimerHandle
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from functools import partial
from inspect import isawaitable
from threading import get_ident
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from greenlet import GreenletExit

from cogen.core.corolets import to_wait_for
from cogen.core.coroutines import Coroutine, operation_of
from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.greenlets import Runners, Straight
from cogen.core.schedulers import SLICE
from cogen.web.exchanges.answer import Answer, Drain, fail
from cogen.web.exchanges.files import FileWrapper
from cogen.web.exchanges.front import Front
from cogen.web.exchanges.sendfile import sendfile
from cogen.web.exchanges.slips import generator_in, outside, place, standing, tell_unclosed
from cogen.web.exchanges.stopwatch import Stopwatch
from cogen.web.extensions import Wsgi
from cogen.web.http.errors import BodyError, HTTPError
from cogen.web.http.request import Request
from cogen.web.http.response import early_hints, head_of
from cogen.web.life import Application

__all__ = ["CLIENT_LEFT", "END", "GONE", "GO_ON", "LATE", "LEAVE", "STAY", "Exchange", "close_of"]

log = logging.getLogger(__name__)

# What an iterator that has ended gives.
END: Final = object()
# What follows a chunk: the next; the next, in another turn; nothing, since the exchange is parked.
GO_ON, LEAVE, STAY = 0, 1, 2
# The status of a request whose client left before its answer; no client ever sees it.
CLIENT_LEFT: Final = 499
# What a wait says that is ended, or not begun.
GONE, LATE = "the client is gone", "close_timeout is over"


def _check_returned(application: Application, returned: Any) -> None:
    """PEP 3333: an application returns an iterable of bytes. Raises TypeError."""
    if isinstance(returned, (str, bytes)):
        if not returned:
            return
        remedy = "return [text.encode()]" if isinstance(returned, str) else "return [data]"
    elif hasattr(returned, "__iter__") or hasattr(returned, "__getitem__"):
        return
    else:
        remedy = "its return is missing" if returned is None else "return [b'...']"
    name = getattr(application, "__qualname__", type(application).__qualname__)
    module = getattr(application, "__module__", "")
    raise TypeError(
        f"the application {module}.{name} returned {returned!r:.80}, "
        f"and PEP 3333 asks for an iterable of bytes: {remedy}"
    )


class Exchange(Straight):
    """Runs `application` for the `request` that came by `front`.

    `waits`: it is in an operation that the application named. `left`: its client is gone. `told`:
    the application knows that. `closing`: no more is asked of it. `late`: it may wait no longer.
    `begun`: when it was started, by the clock of the loop. `stopwatch` is for those that are timed.
    """

    __slots__ = (
        "_answer",
        "_application",
        "_at",
        "_callbacks",
        "_closing_ends",
        "_environ",
        "_exhausted",
        "_front",
        "_iterable",
        "_iterator",
        "_request",
        "_sends_file",
        "_started",
        "_whole",
        "_writes",
        "_wsgi",
        "begun",
        "closing",
        "ended",
        "late",
        "left",
        "stopwatch",
        "told",
        "waits",
    )

    def __init__(
        self,
        front: Front,
        runners: Runners,
        request: Request,
        wsgi: Wsgi,
        application: Application,
    ) -> None:
        self.scheduler = runners.scheduler
        self.runners = runners
        self.operation = None
        self.value = None
        self.error = None
        self.runner = None
        self.context: Context = copy_context()
        self._application = application
        self._front = front
        self._request = request
        self._wsgi = wsgi
        self._answer: Answer | None = None
        self._at = ""  # where its error came from, if the iterator could not tell any more
        self._callbacks: list[Callable[[Exchange], None]] | None = None
        self._environ: WSGIEnvironment | None = None
        self._iterable: Any = None
        self._iterator: Iterator[Any] | None = None
        self._exhausted = False
        self._whole = False  # the next chunk is all of the body
        self._sends_file = False
        self._started = False
        self._writes = 0
        self._closing_ends: TimerHandle | None = None
        self.begun = 0.0
        self.stopwatch: Stopwatch | None = None
        self.waits = False
        self.left = False
        self.told = False
        self.closing = False
        self.late = False
        self.ended = False

    @property
    def awaits_news(self) -> bool:
        """It waits for something else than its client, and that has not come."""
        return self.operation is not None and not isinstance(self.operation, Drain)

    @property
    def awaited(self) -> Operation | None:
        """What it waits for."""
        return self.operation

    @property
    def worker(self) -> int:
        """The identifier of the thread that runs its code, 0 if it is that of the loop or none."""
        return 0

    @property
    def suspended(self) -> Any:
        """What is held up by its wait: a greenlet, the application's iterator, or None."""
        return self.runner if self.runner is not None else self._iterator

    @property
    def method(self) -> bytes:
        """Of the request."""
        return self._request.method

    @property
    def path(self) -> bytes:
        """Of the request, as it was sent, without a query."""
        return self._request.path.partition(b"?")[0]

    @property
    def head_sent(self) -> bool:
        """Whether status and headers are on their way: they stand."""
        return self._answer is not None and self._answer.head_sent

    @property
    def status(self) -> int:
        """The status code of the response; 499 if the client left before there was one."""
        answer = self._answer
        if answer is not None and answer.head_sent:
            return answer.head.code
        return self._front.refusal or 500

    @property
    def sent(self) -> int:
        """Bytes of content written."""
        return self._answer.sent if self._answer is not None else 0

    # The life of the exchange, seen from the connection.

    def start(self, environ: WSGIEnvironment) -> None:
        """Have the application called, in its turn."""
        self._started = True
        self.begun = self.scheduler.loop.time()
        self._environ = environ
        self.scheduler.ready(self)

    def hang_up(self) -> None:
        """The client is gone: undo what is waited for, close the iterable."""
        if self.left or self.ended:
            return
        self.left = True
        self._front.refusal = self._front.refusal or CLIENT_LEFT
        if not self._started:
            self._end()
        elif not self.closing:
            self.end_wait(self.cancelled)
            self.limit_leaving(self)

    def hurry(self) -> None:
        """End a wait that has a timeout as if its time were up."""
        if self.operation is not None and self.operation.has_end:
            self.operation.expire(self)

    @property
    def streams_events(self) -> bool:
        """Whether the application answers with a stream of events."""
        return self._answer is not None and self._answer.head.of_events

    def cancelling(self) -> int:
        return int(self.told)

    def cancelled(self) -> BaseException:
        """What tells the application that its client is gone."""
        self.told = True
        gone: BaseException = GreenletExit(GONE)
        return gone

    def limit_leaving(self, waiter: Straight) -> None:
        """What `waiter` waits for may go on when it is left, for as long as closing may take."""
        operation = waiter.operation
        if operation is not None and not operation.shields:
            self._limit_closing()

    def interrupt(self, why: Callable[[], BaseException]) -> None:
        """End what the application waits for: what `why()` makes is raised there."""
        in_code = self.waits or self.runner is not None
        if in_code and self.awaits_news and not (self.left or self.closing):
            self.leave(why, crowd=True)

    def end_stream(self) -> bool:
        """End the response of an application that waits by a chunk: what there is of it is all.

        Whether it does.
        """
        if not self.waits or self.closing or not self.withdraw():
            return False
        self.waits = False
        self.unparked()
        self._finish()
        self.scheduler.ready(self)
        return True

    def give_up(self) -> None:
        """What the application still does to close may wait no longer."""
        self.late = True
        if self.runner is not None:
            self.cut_wait(GreenletExit(LATE))
        elif self.withdraw():
            self.scheduler.ready(self)

    def add_done_callback(self, callback: Callable[["Exchange"], None]) -> None:
        """Have `callback(self)` called at the end, after the iterable's close()."""
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    def remove_done_callback(self, callback: Callable[["Exchange"], None]) -> None:
        """Have `callback`, if it is one, not called at the end."""
        if get_ident() != self.scheduler.thread:
            self.scheduler.post(partial(self.remove_done_callback, callback))
        elif self._callbacks is not None and callback in self._callbacks:
            self._callbacks.remove(callback)

    def wait(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        """environ['cogen.wait'], and `cogen.web.wait` in the request: see `corolets.wait`.

        Raises RuntimeError outside of the request.
        """
        try:
            if not self.runners.runs(self):
                raise outside()
            self.may_wait()
            return self.wait_for(to_wait_for(what, args, kwargs, timeout))
        finally:
            del self, what, args, kwargs  # see Straight.wait_for

    def early_hints(self, headers: Iterable[tuple[str, str]]) -> None:
        """environ['cogen.early_hints']: send the client `headers` ahead of the response (RFC 8297).

        Not to a client of HTTP/1.0, nor once the response has begun. Raises TypeError or
        ValueError for a bad header.
        """
        if get_ident() != self.scheduler.thread:
            raise outside("cogen.early_hints")
        self._hint(early_hints(list(headers)))

    def _hint(self, interim: bytes) -> None:
        over = self.left or self.ended or self.head_sent
        if interim and self._request.http11 and not over:
            self._front.write(interim)

    def may_wait(self) -> None:
        """Raise what a wait of the application raises where it may not begin one."""
        if self.late:
            raise GreenletExit(LATE)
        if self.ended:
            raise outside()
        if self.closing or self.told:
            self._limit_closing()
        elif self.left:
            raise self.cancelled()

    def parked(self) -> None:
        """It begins to wait: see if its client has gone already."""
        if self.stopwatch is not None:
            self.stopwatch.begin()
        if self._front.eof:
            self.scheduler.loop.call_soon(self._front.eof_received)

    def unparked(self) -> None:
        if self.stopwatch is not None:
            self.stopwatch.end()

    # In a runner.

    def drive(self) -> None:
        """Go on until the exchange is parked, ended, or has had its share of the turn."""
        if self.stopwatch is not None:
            self.stopwatch.step()
        try:
            if self._environ is not None:
                if not self.left and self._call(self._environ) == STAY:
                    return
            elif self.waits:
                self.waits = False
                self._deliver()
            self._iterate()
        except BaseException as error:  # noqa: BLE001 (the application's; it becomes a 500)
            self._raised(error)

    def _call(self, environ: WSGIEnvironment) -> int:
        """Call the application; what follows."""
        self._environ = None
        self._take(self._application(environ, self.start_response))
        return GO_ON

    def _take(self, iterable: Any) -> None:
        """Take what the application returned."""
        self._iterable = iterable
        if isinstance(iterable, (list, tuple)):
            if len(iterable) > 1 and not self._wsgi.pending:
                iterable = _joined(iterable)
            self._whole = len(iterable) == 1
        elif isinstance(iterable, FileWrapper):
            self._measure(iterable)
        else:
            _check_returned(self._application, iterable)
        self._iterator = iter(iterable)

    def _measure(self, file: FileWrapper) -> None:
        if self._answer is not None:
            self._answer.length = file.length
            self._sends_file = True
            if self._answer.bodyless:
                file.skip()

    def _deliver(self) -> None:
        self.unparked()
        value, error = self.value, self.error
        self.value = self.error = None
        if error is not None:
            self._wsgi.failed(error)
        else:
            self._wsgi.succeeded(value)

    def _iterate(self) -> None:
        front = self._front
        for _ in range(SLICE):
            answer = self._answer
            if self.left:
                self._close()
                return
            if answer is not None and answer.slices is not None and not self._sent_all():
                return
            if self._exhausted:
                self._close()
                return
            if front.write_paused and self._drain_parks():
                return
            if self._sends_file and self._file_parks():
                return
            chunk = self._next()
            follows = STAY if chunk is PARKED else self._took(chunk)
            if follows == STAY:
                return
            if follows == LEAVE:
                break
        self.scheduler.ready(self)

    def _file_parks(self) -> bool:
        """Send the file that the application returned, if it can be sent as one; True if parked."""
        self._sends_file = False
        assert self._answer is not None
        sending = sendfile(self._front, self._answer, self._iterable)
        return sending is not None and self.perform(sending) is PARKED

    def _next(self) -> Any:
        """The next chunk, or END."""
        assert self._iterator is not None
        return next(self._iterator, END)

    def _took(self, chunk: Any) -> int:
        """Do what `chunk` asks for; what follows."""
        wsgi = self._wsgi
        if chunk is END:
            self._check_performed()
            self._finish()
            self._iterator = None
        elif wsgi.pending:
            if chunk:
                raise wsgi.lost(f"the chunk {chunk[:40]!r} came")
            return STAY if self._performed() is PARKED else GO_ON
        elif not chunk:
            return LEAVE
        else:
            last = self._whole or chunk is wsgi.final
            self._send(chunk, last)
            # It is on its way before what may block.
            return GO_ON if last else LEAVE
        return GO_ON

    def _performed(self) -> Any:
        """Perform what was named: PARKED, or anything else once it has its outcome."""
        wsgi = self._wsgi
        wsgi.pending = False
        operation = wsgi.operation
        try:
            if not isinstance(operation, Operation):
                if not (isinstance(operation, Coroutine) or isawaitable(operation)):
                    wsgi.succeeded(operation)
                    return None
                operation = operation_of(operation, self)
            result = self._perform(operation)
        except (Exception, CancelledError) as error:  # noqa: BLE001 (the application gets it)
            wsgi.failed(error)
            return None
        if result is PARKED:
            self.waits = True
            self.parked()
        else:
            wsgi.succeeded(result)
        return result

    def _perform(self, operation: Operation) -> Any:
        """Perform what the application named, in its context."""
        return self.start_wait(operation)

    def _send(self, chunk: Any, last: bool) -> None:
        answer = self._begun(chunk)
        answer.send(chunk, last)
        # Nobody sees what would follow, which may be without end.
        self._exhausted = answer.bodyless

    def _begun(self, chunk: Any) -> Answer:
        """The answer, for a chunk of it."""
        if type(chunk) is not bytes:
            raise TypeError(f"the application yielded {chunk!r:.80}: chunks must be bytes")
        if self._answer is None:
            raise RuntimeError("the application did not call start_response before its first chunk")
        return self._answer

    def _sent_all(self) -> bool:
        """Write on with a large chunk; False if parked because the client is slow."""
        assert self._answer is not None
        while not self._answer.write_on():
            if self._drain_parks():
                return False
        return True

    def _drain_parks(self) -> bool:
        """Wait until the client has taken what was written; False if it has."""
        if self.perform(Drain(self._front)) is not PARKED:
            return False
        if self.stopwatch is not None:
            self.stopwatch.begin(drains=True)
        return True

    def _check_performed(self) -> None:
        """The iterator has ended. Raises LostOperation if it has named one that was not yielded."""
        if self._wsgi.pending:
            raise self._wsgi.lost("the iteration ended")

    def _finish(self) -> None:
        """No chunk will come."""
        self._exhausted = True
        answer = self._begun(b"")
        if answer.head_sent:
            answer.end(self._wsgi.trailer)
        else:
            answer.send(b"", last=True)
        if answer.left:
            answer.fall_short(self, standing(self._iterator, self._application))

    # What an application hands over is checked here, so that the error tells what is wrong with it.

    def start_response(
        self, status: Any, headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333: `status` a str, `headers` a list of pairs of str; nothing is sent yet.

        An application that waits may replace its head until its first content. It should say so by
        `exc_info`, but there is middleware that does not pass that on (Paste's TransLogger).
        Raises ValueError or TypeError for a bad head.
        """
        if self.ended:
            raise outside("start_response")
        answer = self._answer
        if exc_info is not None:
            try:
                if answer is not None and answer.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif answer is not None and (answer.head_sent or not self._wsgi.named):
            raise RuntimeError("start_response was called twice without exc_info (PEP 3333)")
        head = head_of(status, headers)
        if answer is None:
            self._answer = Answer(self._front, self._request, head)
        else:
            answer.begin(head)
        return self.write

    def write(self, data: Any) -> None:
        """PEP 3333: send `data` before the iterable's chunks; waits while the client is slow.

        Now and then it waits for a turn of the loop: else a client that takes all at once would
        keep the others waiting, and that one has left would never be seen.
        """
        if get_ident() != self.scheduler.thread:
            raise outside("write()")
        self._write(data)
        self._writes += 1
        if self._writes % SLICE == 0:
            self.wait(Drain(self._front, turn=True))
        while not self._may_write_on():
            self.wait(Drain(self._front))

    def _write(self, data: Any) -> None:
        if type(data) is not bytes:
            raise TypeError(f"write() takes bytes, not {data!r:.80}")
        answer = self._begun(data)
        if self.left:
            # It may write for ever otherwise.
            self.may_wait()
        elif data:
            answer.send(data)

    def _may_write_on(self) -> bool:
        """Whether all is written that `write` was given, and the client has not enough."""
        answer = self._begun(b"")
        if self.left or answer.slices is None or answer.write_on():
            return self.left or not self._front.write_paused
        return False

    # The end.

    def _raised(self, error: BaseException) -> None:
        """`error` came out of the application."""
        if self.ended:
            log.error(
                "%s: %r came after its end%s", self, error, self._place(error), exc_info=error
            )
            return
        self._tell(error)
        self._close()

    def _tell(self, error: BaseException) -> None:
        """Tell the client of `error`, if it has not left."""
        if not self.left:
            self._fail(error)
        elif not isinstance(error, GreenletExit):
            at = self._place(error)
            log.error("%s: after the client had left: %r%s", self, error, at, exc_info=error)

    def _place(self, error: BaseException) -> str:
        """Where in the application `error` came from, in words behind it."""
        return self._at or place(error, self._iterator, self._application)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, (BodyError, HTTPError)):
            log.info("%s: %s", self, error)
        else:
            name, at = type(error).__name__, self._place(error)
            log.error("%s: %s: %s%s", self, name, error, at, exc_info=error)
        if self.head_sent:
            assert self._answer is not None
            self._answer.cut()
        else:
            self._answer = None
            fail(self._front, self._request, error)

    def _close(self) -> None:
        """Close the iterable, and end."""
        self.closing = True
        iterable, self._iterable = self._iterable, None
        # Who has asked for all of it has nothing left to close.
        generator = None if self._iterator is None else generator_in(iterable)
        self._iterator = None
        close = close_of(iterable)
        if generator is not None:
            close = self._close_all(generator, close)
        if close is None:
            self._end()
        else:
            self._run_close(iterable, close)

    def _close_all(self, generator: Any, close: Callable[[], Any] | None) -> Callable[[], None]:
        """A `close` that tells if it leaves `generator` open."""

        def closed() -> None:
            if close is not None:
                close()
            tell_unclosed(self, generator)

        return closed

    def _run_close(self, iterable: Any, close: Callable[[], Any]) -> None:
        try:
            close()
        except BaseException as error:  # noqa: BLE001 (the application's)
            self._log_close(error)
        self._end()

    def _log_close(self, error: BaseException) -> None:
        if self.late:
            seconds = self._front.close_timeout
            log.error("%s: close() of the response took more than %g s", self, seconds)
        else:
            at = self._place(error)
            log.error("%s: close() of the response failed: %r%s", self, error, at, exc_info=error)

    def _limit_closing(self) -> None:
        """From now on the application has `close_timeout` seconds to close."""
        if self._closing_ends is None:
            seconds = self._front.close_timeout
            self._closing_ends = self.scheduler.loop.call_later(seconds, self.give_up)

    def _end(self) -> None:
        """All is written and closed: give the connection back."""
        self.ended = True
        if self._closing_ends is not None:
            self._closing_ends.cancel()
        self._wsgi.ended()
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)
        answer, self._answer = self._answer, None
        self._environ = None
        self._front.exchange_ended(self, answer is not None and answer.keep_alive)

    def __repr__(self) -> str:
        request = self._request
        return f"{request.method.decode()} {request.target[:200].decode()}"


def close_of(iterable: Any) -> Any:
    """Its `close`, or None. Most are lists: to look for what is not there costs an exception."""
    return None if type(iterable) is list else getattr(iterable, "close", None)


def _joined(chunks: Any) -> Any:
    """One chunk for the `chunks` of a list; as they are if one is no bytes."""
    return [b"".join(chunks)] if all(type(chunk) is bytes for chunk in chunks) else chunks
