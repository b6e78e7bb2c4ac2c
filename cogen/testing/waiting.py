"""An application that waits, for those who test WSGI applications by calling them.

    app = webtest.TestApp(WaitingApp(application))
    app.get("/news")

It is served by cogen's server in memory, which performs what the application waits for: yielded,
or in straight-line code. What the tester has put into the environ reaches the application.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from cogen.core.deadlock import Deadlock
from cogen.testing.clock import FakeClockLoop
from cogen.testing.memory import Answer, MemoryServer, MemoryTransport, nothing
from cogen.web.exchanges.files import FileWrapper
from cogen.web.life import Life, LoopIterable
from cogen.web.options import Options

__all__ = ["WaitingApp"]

# Of the server, whatever a tester says: its body and threads are real.
_SERVERS: Final = frozenset(
    (
        "CONTENT_LENGTH",
        "wsgi.file_wrapper",
        "wsgi.input",
        "wsgi.input_terminated",
        "wsgi.multiprocess",
        "wsgi.multithread",
        "wsgi.run_once",
    )
)
# RFC 9110 section 7.6.1: of the connection, which a WSGI application does not know.
_HOP_BY_HOP: Final = frozenset(("connection", "keep-alive", "transfer-encoding"))
# The server knows these by their types.
_TAKEN_AS_THEY_ARE: Final = (list, tuple, FileWrapper, LoopIterable)


class _Call:
    """One call by the tester: its `environ`, and what the application raised."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.error: Exception | None = None


class WaitingApp:
    """The WSGI application `application`, which waits, for whoever calls it, WebTest's TestApp say.

    It is called as an ordinary application is: a call returns when the answer is there. A wait of
    ten seconds takes none, for the clock is a fake one; Deadlock is raised where an answer can
    never come. What the application raises is raised by the call.

    `loop`: one of asyncio's, for an application that waits for real services; time is real then.
    `options`: those of the server, by default with `threads="0"`: the application runs in the
    thread of the test. `lives`: as of MemoryServer. `server` is the server in memory, whom a
    Browser can ask meanwhile. To be closed at the end, or used as a context manager.
    """

    def __init__(
        self,
        application: Any,
        options: Options | None = None,
        lives: Sequence[Life] = (),
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._application = application
        self._call: _Call | None = None
        self.server = MemoryServer(self._called, options, lives, loop)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """PEP 3333."""
        call = self._call = _Call(environ)
        transport = self.server.connect(environ.get("REMOTE_ADDR") or "127.0.0.1")
        answer = Answer(None, transport, environ["REQUEST_METHOD"] == "HEAD")
        try:
            self._ask(transport, answer, _request(environ))
            if call.error is not None:
                raise call.error
            if not answer.done:
                raise ConnectionError(f"the answer was cut after {len(answer.body)} bytes")
        finally:
            self._call = call.error = None
            transport.close()
            self._settle()
        headers = [each for each in answer.headers if each[0].lower() not in _HOP_BY_HOP]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [answer.body]

    def _ask(self, transport: MemoryTransport, answer: Answer, request: bytes) -> None:
        """Return when the answer is there, or the connection has been closed."""
        over = self.server.loop.create_future()

        def look() -> None:
            if (answer.look().done or transport.closed) and not over.done():
                over.set_result(None)

        transport.changed = look  # undone below, for it leads back to itself
        assert transport.protocol is not None
        transport.protocol.data_received(request)
        try:
            self.server.loop.run_until_complete(over)
        except Deadlock as error:
            exchanges = self.server.server.shared.exchanges
            waiting = [f"{each!r} waits for {each.awaited!r}" for each in exchanges]
            error.args = ("there can be no answer: " + ", ".join(waiting),)
            raise
        finally:
            transport.changed = nothing

    def _settle(self) -> None:
        """Let the others have what this call has done."""
        loop = self.server.loop
        if isinstance(loop, FakeClockLoop):
            loop.settle()
        else:
            loop.run_until_complete(asyncio.sleep(0))

    def _called(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """The application of the server."""
        call, self._call = self._call, None
        if call is None:  # a Browser's
            return self._application(environ, start_response)
        for key, value in call.environ.items():
            if key not in _SERVERS:
                environ[key] = value
        try:
            iterable = self._application(environ, start_response)
        except Exception as error:
            call.error = error
            raise
        if isinstance(iterable, _TAKEN_AS_THEY_ARE):
            return iterable
        return _Watched(iterable, call)

    def close(self) -> None:
        """Stop the server."""
        self.server.close()

    def __enter__(self) -> WaitingApp:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Watched:
    """Passes blocks on, and sees what raises."""

    def __init__(self, iterable: Iterable[bytes], call: _Call) -> None:
        self._iterable = iterable
        self._call = call
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> _Watched:
        return self

    def __next__(self) -> bytes:
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            return next(self._iterator)
        except StopIteration:
            raise
        except Exception as error:
            self._call.error = error
            raise

    def close(self) -> None:
        """PEP 3333."""
        close = getattr(self._iterable, "close", None)
        if close is not None:
            close()


def _request(environ: dict[str, Any]) -> bytes:
    """The bytes of the request that `environ` tells of."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    target = quote(path.encode("latin-1") or "/", safe="/:@!$&'()*+,;=~-._")
    if query := environ.get("QUERY_STRING"):
        target += f"?{query}"
    lines = {
        key.removeprefix("HTTP_").replace("_", "-").title(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and key not in ("HTTP_CONNECTION", "HTTP_EXPECT")
    }
    lines.setdefault("Host", environ.get("SERVER_NAME", "127.0.0.1"))
    if environ.get("CONTENT_TYPE"):
        lines["Content-Type"] = environ["CONTENT_TYPE"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if body or environ.get("CONTENT_LENGTH"):
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    start = f"{environ['REQUEST_METHOD']} {target} HTTP/1.1\r\n"
    return f"{start}{head}\r\n".encode("latin-1") + bytes(body)
