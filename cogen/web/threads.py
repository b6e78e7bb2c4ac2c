"""An application that blocks, run in a pool of threads (option `threads`).

The exchange stays on the loop. Where it would run application code, its runner hands the call to a
thread and waits; what the application needs of the loop meanwhile, a wait or `write()`, the thread
asks the runner for. So the extensions work as they do without threads: a thread whose application
yields an operation is free for others until the operation has its outcome, one that waits by
`environ['cogen.wait']` is not. A request body is taken in before a thread is occupied, so that slow
clients occupy none.

The client may hang up while a thread runs. No thread can be interrupted, so the exchange is left
to its end: what the call asks for then raises GreenletExit in it, as a wait does without threads,
and the response is closed when the call has returned.
"""

import contextvars
import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter
from cogen.web.body import Input, InputFile
from cogen.web.files import FileWrapper
from cogen.web.life import Application
from cogen.web.spool import SpooledBody

if TYPE_CHECKING:
    import asyncio

__all__ = ["ThreadWait", "Threaded", "Threads"]

log = logging.getLogger(__name__)

_END = object()


class Threads:
    """`count` daemon threads that run jobs in the order they come.

    Daemons, since a call that never returns would hold up the end of the process.
    """

    def __init__(self, count: int) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"cogen-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, job: Callable[[], None]) -> None:
        """Have `job` called, which does not raise."""
        self._jobs.put(job)

    def stop(self, patience: float) -> None:
        """Let the threads end when all jobs are done; wait at most `patience` seconds for them."""
        for _ in self._threads:
            self._jobs.put(None)
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        left = sum(thread.is_alive() for thread in self._threads)
        if left:
            log.warning("%d threads of the application have not returned; they are left", left)

    def _work(self) -> None:
        for job in iter(self._jobs.get, None):
            job()
            # It would keep a request alive until the next.
            del job


class ThreadWait(Operation):
    """Wait for what a thread posts next: a function to call on the loop."""

    __slots__ = ("_inbox",)

    def __init__(self, inbox: "_Inbox") -> None:
        super().__init__()
        self._inbox = inbox

    def run(self, waiter: Waiter) -> Any:
        if self._inbox.posted:
            return self._inbox.posted.popleft()
        self._inbox.waiter = waiter
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self._inbox.waiter = None

    def __repr__(self) -> str:
        return "<ThreadWait>"


class _Inbox:
    """What threads post to a runner. Lives on the loop, but for `post`."""

    def __init__(self, loop: "asyncio.AbstractEventLoop") -> None:
        self._loop = loop
        self.posted: deque[Callable[[], Any]] = deque()
        self.waiter: Waiter | None = None

    def post(self, function: Callable[[], Any]) -> None:
        """Called in a thread. Raises RuntimeError where the loop is closed."""
        self._loop.call_soon_threadsafe(self._deliver, function)

    def _deliver(self, function: Callable[[], Any]) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter.resume(function)
        else:
            self.posted.append(function)


class Threaded:
    """The WSGI application that runs `application` in `threads`.

    A request body above `spool` bytes waits in a temporary file.
    """

    def __init__(
        self,
        application: "Application",
        threads: Threads,
        loop: "asyncio.AbstractEventLoop",
        spool: int,
    ) -> None:
        self._application = application
        self._threads = threads
        self._loop = loop
        self._spool = spool

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if isinstance(environ["wsgi.input"], InputFile):
            body = SpooledBody(environ["cogen.input"].body, self._spool, environ["cogen.wait"])
            environ["wsgi.input"] = body.file
            # Some frameworks read no further than it says: a chunked body has one now.
            environ["CONTENT_LENGTH"] = str(body.length)
            environ["cogen.input"] = Input(environ["cogen.wsgi"], body)
        response = _Response(self._threads, self._loop, environ["cogen.wait"])
        environ["cogen.wait"] = response.wait

        def start(*args: Any, **kwargs: Any) -> Callable[[bytes], None]:
            write = start_response(*args, **kwargs)
            return lambda data: response.ask(lambda: write(data))

        return response.begin(lambda: self._application(environ, start))


class _Response:
    """The iterable of a request whose application runs in threads, one call after the other.

    All calls see one context. What they set in it, the exchange adopts: a coroutine that is added
    by an operation sees it.
    """

    def __init__(
        self,
        threads: Threads,
        loop: "asyncio.AbstractEventLoop",
        wait: Callable[[Operation], Any],
    ) -> None:
        self._threads = threads
        self._wait = wait
        self._inbox = _Inbox(loop)
        self._context = contextvars.copy_context()
        self._iterable: Any = None
        self._iterator: Any = None
        self._lock = threading.Lock()  # of `_running`, `_left` and who closes
        self._running = False
        self._left = False
        self._asking = threading.Lock()
        self._reply: Future[Any] | None = None

    # Called in the runner.

    def begin(self, call: Callable[[], Any]) -> Iterable[bytes]:
        """Call the application; what it returned, where asking that for its chunks blocks not."""

        def job() -> None:
            self._iterable = call()

        try:
            self._run(job)
        except GreenletExit:
            self.close()
            raise
        made = self._iterable
        if isinstance(made, (list, tuple)) or (
            isinstance(made, FileWrapper) and made.length is not None
        ):
            self._iterable = None
            whole: Iterable[bytes] = made
            return whole
        return self

    def __iter__(self) -> "_Response":
        return self

    def __next__(self) -> bytes:
        chunk = self._run(self._next)
        if chunk is _END:
            raise StopIteration
        result: bytes = chunk
        return result

    def close(self) -> None:
        """Have the application's iterable closed, when the call that may still run has returned."""
        with self._lock:
            self._left = True
            if self._running:
                return
        if getattr(self._iterable, "close", None) is not None:
            self._threads.run(self._close)

    def _run(self, function: Callable[[], Any]) -> Any:
        """What `function()` gives in a thread; meanwhile, do what the thread asks for."""
        outcome: Future[Any] = Future()
        self._running = True
        self._threads.run(lambda: self._job(function, outcome))
        try:
            while not outcome.done():
                asked = self._wait(ThreadWait(self._inbox))
                self._adopt()
                asked()
        except BaseException:
            self._leave()
            raise
        return outcome.result()

    def _adopt(self) -> None:
        for variable, value in self._context.items():
            if variable.get(_END) is not value:
                variable.set(value)

    def _leave(self) -> None:
        """Nobody is there any more for what the thread asks."""
        with self._lock:
            self._left = True
            reply = self._reply
        if reply is not None and not reply.done():
            reply.set_exception(GreenletExit("the client is gone"))

    # Called in a thread.

    def ask(self, function: Callable[[], Any]) -> Any:
        """The outcome of `function()`, called in the runner."""
        with self._asking:
            reply: Future[Any] = Future()
            with self._lock:
                if self._left:
                    raise GreenletExit("the client is gone")
                if not self._running:
                    raise RuntimeError("cogen.wait was called outside of the request it belongs to")
                self._reply = reply
            self._inbox.post(lambda: _settle(reply, function))
            return reply.result()

    def wait(self, operation: Any) -> Any:
        """environ['cogen.wait'] of a thread."""
        return self.ask(lambda: self._wait(operation))

    def _job(self, function: Callable[[], Any], outcome: "Future[Any]") -> None:
        try:
            value = self._context.run(function)
        except BaseException as error:  # noqa: BLE001 (the application's; raised in the runner)
            self._returned(functools.partial(outcome.set_exception, error))
        else:
            self._returned(functools.partial(outcome.set_result, value))

    def _returned(self, settle: Callable[[], None]) -> None:
        with self._lock:
            self._running = False
            left = self._left
        if left:
            self._close()
            return
        try:
            self._inbox.post(settle)
        except RuntimeError:
            log.warning("a response was made after the server had stopped")

    def _next(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        return next(self._iterator, _END)

    def _close(self) -> None:
        with self._lock:
            iterable, self._iterable, self._iterator = self._iterable, None, None
        close = getattr(iterable, "close", None)
        if close is not None:
            try:
                self._context.run(close)
            except Exception:
                log.exception("close() of the response failed")


def _settle(reply: "Future[Any]", function: Callable[[], Any]) -> None:
    """Give `reply` the outcome of `function()`, unless nobody waits for it any more."""
    try:
        value = function()
    except Exception as error:  # noqa: BLE001 (it is raised in the thread)
        reply.set_exception(error)
    else:
        reply.set_result(value)
