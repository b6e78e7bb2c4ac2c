"""What stands between people and a server in the world as it is: an HTTP proxy."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

__all__ = [
    "Answer",
    "Middlebox",
    "Request",
    "Way",
    "answering",
    "below",
    "caching",
    "compressing",
    "cutting",
    "mixed",
    "straight",
    "without_cookies_in",
    "without_cookies_out",
]

# Of one connection, not of the message (RFC 9110 section 7.6.1), or made anew here.
_OWN = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
)
_LONGEST = 60.0


class Request(NamedTuple):
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def without(self, name: str) -> Request:
        return self._replace(headers=[each for each in self.headers if each[0].lower() != name])


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def without(self, name: str) -> Answer:
        return self._replace(headers=[each for each in self.headers if each[0].lower() != name])


Forward = Callable[[Request], Answer]
Way = Callable[[Request, Forward], Answer]


class Middlebox:
    """A context manager: a proxy in front of the server at `port`, which goes its `way`.

    Every answer is taken in whole before it is passed on. `seen`: when there was a request for
    which path.
    """

    def __init__(self, port: int, way: Way | None = None) -> None:
        self.way: Way = way or straight
        self.seen: list[tuple[float, str]] = []
        self._upstream = port
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # A poll that nobody waits for any more ends with its server.
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Middlebox:
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05])
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def rate(self, since: float, seconds: float, path: str = "/chat/") -> int:
        """The most requests of any `seconds` from `since` (monotonic) on."""
        times = [at for at, each in self.seen if at >= since and path in each]
        return max((sum(at <= each < at + seconds for each in times) for at in times), default=0)

    def forward(self, request: Request) -> Answer:
        return self._asked(request, _LONGEST)

    def _asked(self, request: Request, timeout: float) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=timeout)
        try:
            connection.putrequest(request.method, request.path, True, True)
            for name, value in request.headers:
                if name.lower() not in _OWN:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.putheader("Connection", "close")
            connection.endheaders(request.body)
            response = connection.getresponse()
            headers = [each for each in response.getheaders() if each[0].lower() not in _OWN]
            return Answer(response.status, headers, response.read())
        except TimeoutError:
            return page(504, "Gateway Time-out")
        except (OSError, http.client.HTTPException):
            return page(502, "Bad Gateway")
        finally:
            connection.close()

    def _handler(box: Middlebox) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                box.seen.append((time.monotonic(), self.path))
                request = Request(self.command, self.path, list(self.headers.items()), body)
                answer = box.way(request, box.forward)
                try:
                    self.send_response_only(answer.status)
                    for name, value in answer.headers:
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(answer.body)
                except ConnectionError:
                    self.close_connection = True  # nobody waits for it any more

            do_GET = do_POST = do_HEAD = answer

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # a browser that goes away
                    super().handle()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: `seen` tells it."""

        return Handler


def page(status: int, title: str) -> Answer:
    """What a box makes itself."""
    body = f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>\n".encode()
    return Answer(status, [("Content-Type", "text/html")], body)


def straight(request: Request, forward: Forward) -> Answer:
    return forward(request)


def without_cookies_in(request: Request, forward: Forward) -> Answer:
    return forward(request.without("cookie"))


def without_cookies_out(request: Request, forward: Forward) -> Answer:
    return forward(request).without("set-cookie")


def caching() -> Way:
    """Keeps the first good answer to each GET for ever, whatever its headers say."""
    kept: dict[str, Answer] = {}

    def way(request: Request, forward: Forward) -> Answer:
        if request.method != "GET":
            return forward(request)
        if request.path not in kept:
            answer = forward(request)
            if answer.status != 200:
                return answer
            kept[request.path] = answer
        # A cookie is of the one whom the answer was made for.
        return kept[request.path]

    return way


def cutting(box: Middlebox, seconds: float) -> Way:
    """Waits no longer for its server."""
    return lambda request, _forward: box._asked(request, seconds)


def compressing(request: Request, forward: Forward) -> Answer:
    """Compresses what is not compressed yet."""
    answer = forward(request)
    if any(name.lower() == "content-encoding" for name, _ in answer.headers) or not answer.body:
        return answer
    headers = [*answer.without("etag").headers, ("Content-Encoding", "gzip")]
    return Answer(answer.status, headers, gzip.compress(answer.body))


def below(prefix: str) -> Way:
    """Has the chat below `prefix`, of which it does not tell it."""

    def way(request: Request, forward: Forward) -> Answer:
        if not request.path.startswith(f"{prefix}/"):
            return page(404, "Not Found")
        return forward(request._replace(path=request.path.removeprefix(prefix)))

    return way


def answering(
    status: int, body: bytes, kind: str = "text/html", headers: Mapping[str, str] | None = None
) -> Way:
    """Answers in the server's place."""
    answer = Answer(status, [("Content-Type", kind), *(headers or {}).items()], body)
    return lambda _request, _forward: answer


def mixed(other: Way, every: int = 2) -> Way:
    """Goes the `other` way with every so-manyth request of the chat."""
    count = 0

    def way(request: Request, forward: Forward) -> Answer:
        nonlocal count
        if "/chat/" not in request.path:
            return forward(request)
        count += 1
        return other(request, forward) if count % every == 0 else forward(request)

    return way
