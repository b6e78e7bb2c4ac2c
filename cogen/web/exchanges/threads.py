"""A request whose application blocks: its code runs in threads of the pool.

The exchange stays on the loop. A thread calls the application, takes all chunks from its iterable
and closes it, as what belongs to a thread, a threading.local or a connection to a database, has to
be the same for all of it. Only where a chunk names an operation the thread is left: that is waited
for without one. Chunks are posted to the loop as they come. What a thread needs of the loop, a wait
in the middle of a call or `write()`, it asks for and waits. A request body is taken in before, so
that slow clients occupy no thread; one that the client sends only when asked for (Expect) is taken
in when the application first reads. A client that reads slowly keeps its thread, and the pool has
another one meanwhile; with too many of them the thread is left, and another goes on when the client
has taken what there is.

No thread can be interrupted. When the client leaves, the next wait in it raises GreenletExit, as
on the loop; the exchange ends when the call has returned and the iterable is closed.
"""

import functools
import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Iterable
from contextvars import Context
from types import NoneType
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from greenlet import GreenletExit

from cogen.core.corolets import to_wait_for
from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.greenlets import Runners
from cogen.core.schedulers import running_for
from cogen.web.exchanges.answer import Drain
from cogen.web.exchanges.asked import Asked
from cogen.web.exchanges.body import Input, InputFile
from cogen.web.exchanges.exchange import (
    CLIENT_LEFT,
    END,
    GO_ON,
    GONE,
    LATE,
    LEAVE,
    STAY,
    Exchange,
    close_of,
)
from cogen.web.exchanges.files import FileWrapper
from cogen.web.exchanges.front import Front
from cogen.web.exchanges.pool import InThread, Pool
from cogen.web.exchanges.sendfile import SendFile
from cogen.web.exchanges.slips import generator_in, outside
from cogen.web.exchanges.spool import Spool, SpooledBody, SpooledInput
from cogen.web.extensions import Wsgi
from cogen.web.http.request import Request
from cogen.web.http.response import early_hints
from cogen.web.life import Application, LoopIterable

__all__ = ["ThreadedExchange"]

# What a thread gives for an iterable that it has closed.
_CLOSED: Final = object()
# What it gives when the client has enough and it may not wait for it.
_LATER: Final = object()
# What it gives for one that blocks nobody.
_HERE: Final = object()
# Chunks that may be on their way from a thread to the loop.
_AHEAD: Final = 32
# A chunk above this size is not written at once.
_LARGE: Final = 65_536
# Of the lock that few exchanges need.
_MAKING: Final = threading.Lock()


# It waits for nothing, or for its client, or its thread.
_NO_NEWS: Final = (NoneType, Drain, InThread, SendFile)


class ThreadedExchange(Exchange):
    """Runs its application in threads of the server's pool, one call after the other.

    `_job` is what the thread is to do, `_here` tells that the iterable is asked on the loop,
    `_failed` that its error has been told.
    """

    __slots__ = (
        "_arrived",
        "_asked",
        "_called_with",
        "_calling",
        "_failed",
        "_here",
        "_job",
        "_loop_context",
        "_outcome",
        "_pool",
        "_posted",
        "_returned",
        "_spool",
        "_worker",
    )

    def __init__(
        self,
        front: Front,
        runners: Runners,
        request: Request,
        wsgi: Wsgi,
        application: Application,
        pool: Pool,
        spool: Spool,
    ) -> None:
        super().__init__(front, runners, request, wsgi, application)
        if running_for.get(None) is not self.scheduler:
            self.context.run(running_for.set, self.scheduler)
        self._pool = pool
        self._spool = spool
        self._job: Callable[[], Any] | None = None
        self._returned: Callable[[Any], int] | None = None
        self._outcome: tuple[Any, BaseException | None] = (None, None)
        self._here = False
        self._called_with: Any = None  # the environ, until a thread has begun
        self._posted = 0  # chunks, by the thread
        self._arrived = 0  # and on the loop
        self._failed = False
        # Not answered yet. An application may have threads of its own.
        self._asked: list[Asked] = []
        self._worker = 0  # the thread that does the job, while it does
        self._calling: threading.Lock | None = None
        self._loop_context: Context | None = None

    @property
    def awaits_news(self) -> bool:
        waiters = [self, *(asked for asked in self._asked if asked.thread == self._worker)]
        return not all(isinstance(each.operation, _NO_NEWS) for each in waiters)

    @property
    def awaited(self) -> Operation | None:
        for asked in self._asked:
            if asked.operation is not None:
                return asked.operation
        return None if self._worker else self.operation

    @property
    def worker(self) -> int:
        return self._worker

    def hang_up(self) -> None:
        if self.left or self.ended:
            return
        if self._job is None:
            super().hang_up()
        else:
            self.left = True
            self._front.refusal = self._front.refusal or CLIENT_LEFT
        if not self.closing:
            for asked in self._asked.copy():
                ours = asked.thread == self._worker
                asked.leave(self.cancelled if ours else functools.partial(GreenletExit, GONE))
                self.limit_leaving(asked)

    def hurry(self) -> None:
        super().hurry()
        for asked in self._asked.copy():
            if asked.operation is not None and asked.operation.has_end:
                asked.operation.expire(asked)

    def interrupt(self, why: Callable[[], BaseException]) -> None:
        if self._job is None:
            super().interrupt(why)
        if not (self.left or self.closing):
            for asked in self._asked.copy():
                if not isinstance(asked.operation, _NO_NEWS):
                    asked.leave(why, crowd=True)

    def give_up(self) -> None:
        self.late = True
        if self._job is None:
            super().give_up()
        for asked in self._asked.copy():
            asked.cut_wait(GreenletExit(LATE))

    # On the loop.

    def step(self) -> None:
        if self.ended:
            return
        if self.runner is not None:
            self.scheduler.loop.call_soon(self.runners.resume, self)
            return
        # Not in its context: a thread may enter that before this step is over.
        self.scheduler.stepping = self
        try:
            self.drive()
        finally:
            self.scheduler.stepping = None

    def drive(self) -> None:
        if self._returned is None:
            super().drive()
            return
        returned, self._returned, self._job = self._returned, None, None
        value, error = self._outcome
        self._outcome = None, None
        self.value = None
        try:
            if error is not None:
                raise error
            follows = returned(value)
            if follows == LEAVE:
                self.scheduler.ready(self)
            elif follows == GO_ON:
                self._iterate()
        except BaseException as raised:  # noqa: BLE001 (the application's; it becomes a 500)
            self._raised(raised)
        finally:
            # Its traceback leads back here.
            error = None

    def settle(self) -> None:
        """A thread has done the job."""
        self.resume(None)

    def _hand(self, job: Callable[[], Any], returned: Callable[[Any], int]) -> None:
        """Have a thread do `job`; `returned` gets what that gives, and says what follows."""
        self._job = job
        self._returned = returned
        self.perform(self._pool.in_thread)

    def start(self, environ: WSGIEnvironment) -> None:
        if isinstance(environ["wsgi.input"], InputFile):
            super().start(environ)
        else:
            # Nothing that may fail is done before a thread has it.
            self._started = True
            self.begun = self.scheduler.loop.time()
            self._call(environ)

    def _call(self, environ: WSGIEnvironment) -> int:
        self._environ = None
        self._take_body(environ)
        environ["cogen.on_loop"] = self.on_loop
        self._called_with = environ
        self._hand(self._begin, self._made)
        return STAY

    def _take_body(self, environ: WSGIEnvironment) -> None:
        if not isinstance(environ["wsgi.input"], InputFile):
            return
        body = environ["cogen.input"].body
        if self._front.expects_continue:
            environ["wsgi.input"] = SpooledInput(body, self._spool, self)
            return
        spooled = SpooledBody(body, self._spool, self)
        environ["wsgi.input"] = spooled.file
        # Some frameworks read no further than it says: a chunked body has one now.
        environ["CONTENT_LENGTH"] = str(spooled.length)
        environ["cogen.input"] = Input(environ["cogen.wsgi"], spooled)

    def _made(self, chunk: Any) -> int:
        """The application has returned; unless it blocks nobody, all chunks but this came."""
        if chunk is not _HERE:
            return self._took(chunk)
        self._here = True
        iterable = self._iterable
        if type(iterable) is LoopIterable:
            iterable = iterable.iterable
            assert self._loop_context is not None
            self.context = self._loop_context
        self._take(iterable)
        return GO_ON

    def _next(self) -> Any:
        if self._here:
            return self.context.run(next, self._iterator, END)  # type: ignore[arg-type]
        self._hand(self._chunks, self._took)
        return PARKED

    def _took(self, chunk: Any) -> int:
        if chunk is _CLOSED:
            self._end()
            return STAY
        return GO_ON if chunk is _LATER else super()._took(chunk)

    def _arrive(self, chunk: Any, last: bool = False) -> None:
        """A thread has posted `chunk`, `last` if it is all that comes, or END, and goes on."""
        self._arrived += 1
        if self.left or self._failed or self._exhausted:
            return
        try:
            if chunk is END:
                self._finish()
            else:
                self._send(chunk, last)
        except BaseException as error:  # noqa: BLE001 (the application's; it becomes a 500)
            self._tell(error)

    def _tell(self, error: BaseException) -> None:
        if not self._failed:
            self._failed = True
            super()._tell(error)

    def _may_write_on(self) -> bool:
        return self._failed or super()._may_write_on()

    def _perform(self, operation: Operation) -> Any:
        return self.context.run(self.start_wait, operation)

    def _run_close(self, iterable: Any, close: Callable[[], Any]) -> None:
        if self._here:
            super()._run_close(iterable, lambda: self.context.run(close))
        else:
            self._hand(lambda: self._close_in_thread(close), self._took)

    def _end(self) -> None:
        super()._end()
        # Of threads of the application's own.
        for asked in self._asked.copy():
            asked.cut_wait(outside())

    # In a thread.

    def work(self) -> None:
        """Do the job."""
        assert self._job is not None
        self._worker = threading.get_ident()
        try:
            self._outcome = self.context.run(self._job), None
        except BaseException as error:  # noqa: BLE001 (the application's; raised on the loop)
            self._outcome = None, error
        finally:
            self._worker = 0

    def _begin(self) -> Any:
        """Call the application and have its chunks sent.

        Not for a client that has left while it waited for a thread.
        """
        environ, self._called_with = self._called_with, None
        if self.left:
            return _CLOSED
        iterable = self._iterable = self._application(environ, self.start_response)
        if isinstance(iterable, (list, tuple)):
            inline = close_of(iterable) is None
        elif isinstance(iterable, FileWrapper):
            inline = iterable.length is not None
        else:
            inline = type(iterable) is LoopIterable
        if inline:
            return _HERE
        self._take(iterable)
        return self._chunks()

    def _chunks(self) -> Any:
        """Have chunks sent until one names an operation, which is returned; else close."""
        assert self._iterator is not None
        chunk: Any = None
        try:
            while not (self.left or self._failed or self._exhausted):
                chunk = next(self._iterator, END)
                if chunk is not END and self._wsgi.pending:
                    return chunk
                if chunk is END:
                    self._check_performed()
                    self._begun(b"")
                    self._pool.post(functools.partial(self._arrive, END))
                    break
                if not self._post(chunk):
                    return _LATER
        except BaseException as error:  # noqa: BLE001 (the application's; it becomes a 500)
            self._at = self._place(error)
            self._pool.post(functools.partial(self._tell, error))
        iterable, self._iterable = self._iterable, None
        close = close_of(iterable)
        if chunk is not END and (generator := generator_in(iterable)) is not None:
            close = self._close_all(generator, close)
        self._iterator = None
        return _CLOSED if close is None else self._close_in_thread(close)

    def _post(self, chunk: Any) -> bool:
        """Have `chunk` sent, and wait if the loop is behind or the client has enough.

        False if the thread is to be left for that.
        """
        if not chunk:
            return True
        # When it arrives the application may have gone on, to start_response or to its last.
        self._begun(chunk)
        last = self._whole or chunk is self._wsgi.final
        self._posted += 1
        self._pool.post(functools.partial(self._arrive, chunk, last))
        if not (
            len(chunk) > _LARGE
            or self._front.write_paused
            or self._posted - self._arrived >= _AHEAD
        ):
            return True
        written = self._ask(self._may_write_on)
        if written or self._pool.may_lend():
            self._drain(written)
            return True
        return False

    def _drain(self, written: bool) -> None:
        """Wait until all is `written` and the client has not enough."""
        while not written:
            with self._pool.lent():
                self._ask(lambda: Drain(self._front), performs=True)
            written = self._ask(self._may_write_on)

    def _close_in_thread(self, close: Callable[[], Any]) -> Any:
        self.closing = True
        try:
            close()
        except BaseException as error:  # noqa: BLE001 (the application's)
            self._log_close(error)
        return _CLOSED

    # In a thread, or on the loop.

    def wait(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        if not self._on_loop():
            named = functools.partial(to_wait_for, what, args, kwargs, timeout)
            return self._ask(named, performs=True)
        current = self.scheduler.stepping
        if type(current) is not Asked or current.owner is not self:
            return super().wait(what, *args, timeout=timeout, **kwargs)
        self.may_wait()
        return current.wait_for(to_wait_for(what, args, kwargs, timeout))

    def early_hints(self, headers: Iterable[tuple[str, str]]) -> None:
        if self._on_loop():
            super().early_hints(headers)
        else:
            self._pool.post(functools.partial(self._hint, early_hints(list(headers))))

    def on_loop(self, function: Callable[[], Any]) -> Any:
        """environ['cogen.on_loop']: what `function()` gives, called on the loop.

        All that a request has called so see one context, so it is one after the other.
        """
        if self._on_loop():
            return function()
        with _MAKING:
            calling = self._calling = self._calling or threading.Lock()
        with calling:
            if self._loop_context is None:
                self._loop_context = self.context.copy()
            return self._ask(function, context=self._loop_context)

    def start_response(
        self, status: Any, headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        again = exc_info is not None or self._answer is not None
        if again and not self._on_loop():
            # What was posted has arrived then: the head may be sent.
            self._ask(_nothing)
        return super().start_response(status, headers, exc_info)

    def write(self, data: Any) -> None:
        if self._on_loop():
            super().write(data)
            return
        self._drain(self._ask(lambda: self._written(data)))

    def _written(self, data: Any) -> bool:
        self._write(data)
        return self._may_write_on()

    def _on_loop(self) -> bool:
        return _get_running_loop() is self.scheduler.loop

    def _ask(
        self, function: Callable[[], Any], performs: bool = False, context: Context | None = None
    ) -> Any:
        # Its own is entered in a thread.
        asked = Asked(self, self._asked, function, performs, context or self.context.copy())
        if not self._pool.post(asked.begin):
            raise GreenletExit("the server has stopped")
        return asked.answer()


def _nothing() -> None:
    """Asked of the loop, it comes back when all that was posted before has been done."""
