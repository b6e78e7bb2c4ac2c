"""A client's connection: bytes in, one exchange at a time, bytes out.

Between two callbacks it is in one of these states, by what it has:

    state      _exchange  _intake  _pending  closing   _buffer holds
    reading    -          -        -         no        the beginning of a head, or nothing
    taking     made       yes      yes       no        framing of the body that was not read yet
    streaming  started    yes      -         no        the same
    answering  started    -        -         no        requests that wait
    closing    -          -        -         yes       nothing that counts

A body is `taking` until it is whole or too long to wait for, then the application is called with
what came, and the rest is `streaming`. Requests that come while one is answered wait as bytes and
are parsed when their turn comes, so what a client can make the server hold is bounded; above that
it is not read from. Nothing is read of a head that was refused, nor after `closing`.

`eof` and `write_paused` are beside these. At `eof` what is whole is answered, a request cut short
is refused, and one that waits for news is left, since nobody would read them. While
`write_paused` no request is begun. What ends a connection is in one place each: `_refuse` for a bad
request, `_overdue` for a slow client, `hang_up` for one that is gone, `exchange_ended` after the
last answer. The exchange that is let go of then goes on without it, to its own end.
"""

import logging
import time
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment

from cogen.core.greenlets import Straight
from cogen.web.connections.hosts import Hosts
from cogen.web.connections.intake import Intake
from cogen.web.connections.link import Link
from cogen.web.connections.shared import Shared
from cogen.web.exchanges.body import Body, Input, InputFile, NoSource
from cogen.web.exchanges.exchange import Exchange
from cogen.web.extensions import Core, Wsgi
from cogen.web.http.environ import header_fields, request_environ
from cogen.web.http.errors import BodyError, HTTPError
from cogen.web.http.parser import empty_lines, head_end, repeated_request
from cogen.web.http.request import Request
from cogen.web.http.response import plain_response

__all__ = ["Connection"]

log = logging.getLogger(__name__)

# A body up to this size is taken in before the application is called; a larger one while it runs.
_BODY_AHEAD = 65_536
# Bytes held of requests that wait for their turn.
_PIPELINE_BYTES = 65_536
# The longest head that is remembered while its connection is idle.
_KNOWN_BYTES = 4096


_EMPTY_BODY = Body(NoSource())
_EMPTY_BODY.complete = True


class Connection(Link):
    """The protocol of one accepted connection.

    `base_environ` holds what is the same for all requests of the listening socket; by
    default what is the same for all sockets. `hosts` are those that requests may name; None: any.
    """

    __slots__ = (
        "_base_environ",
        "_begun",
        "_buffer",
        "_empty_lines",
        "_exchange",
        "_hosts",
        "_intake",
        "_known",
        "_pending",
        "_requests",
        "_seen",
    )

    def __init__(
        self,
        shared: Shared,
        base_environ: WSGIEnvironment | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        super().__init__(shared)
        self._base_environ = base_environ or shared.base_environ
        self._hosts = hosts
        self._buffer = b""
        self._begun = 0.0
        self.times = shared.options.server_timing
        self._seen = 0  # bytes of the buffer in which the end of the head is not
        self._empty_lines = 0  # skipped since the last request
        self._intake: Intake | None = None
        self._exchange: Exchange | None = None
        self._pending: WSGIEnvironment | None = None  # environ of an exchange without its body
        self._requests = 0
        # The end of the head before, from the version on, its request and its environ entries.
        self._known: tuple[bytes, Request, dict[str, str]] | None = None

    @property
    def secure(self) -> bool:
        """It is over TLS."""
        scheme: str = self._base_environ["wsgi.url_scheme"]
        return scheme == "https"

    # asyncio.Protocol

    def connection_made(self, transport: Any) -> None:
        """It was accepted: refuse it if there is no place, else wait for a request."""
        super().connection_made(transport)
        error = self.shared.connection_made(self, self.address, placed=self.secure)
        if error is None:
            self._await(self.shared.options.header_timeout)
        else:
            self._refuse(error)

    def data_received(self, data: bytes) -> None:
        """Take `data` for the body that is due, or as requests, now or later."""
        if self._intake is not None:
            self._receive_body(data)
        elif self.closing:
            return
        elif self._exchange is not None or self.write_paused:
            self._buffer += data
            if len(self._buffer) > _PIPELINE_BYTES:
                self._pause_reading()
        elif self._buffer or self._known is None or not self._serve_repeated(data):
            self._buffer += data
            self._serve()

    def eof_received(self) -> bool:
        self.eof = True
        exchange = self._exchange
        if self._intake is not None:
            self._break_body()
        elif exchange is None:
            self._serve()
        elif exchange.awaits_news:
            # News that this client will not read.
            self.hang_up()
        kept = self._exchange is not None or (bool(self._buffer) and not self.closing)
        return kept and self._transport is not None and self._transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport is closed, after `error` or by one of the two ends."""
        self.hang_up()
        self._await(None)
        self._transport = None
        self.shared.connection_lost(self, self.address)

    def _drained(self) -> None:
        if self._exchange is None:
            self._serve()

    def _overdue(self, duration: float) -> None:
        if self._intake is not None:
            self._check_body(self._intake, duration)
        elif self._buffer and self._exchange is None:
            self._refuse(HTTPError(408, "The request did not arrive in time."), self._buffer)
        elif self._exchange is None:
            self._close()

    # Requests.

    def _serve(self) -> None:
        """Take the next request from the buffer, if it is whole."""
        if not self._buffer or self._exchange is not None or self.closing or self.write_paused:
            return
        head = self._buffer
        try:
            head = self._next_head()
            if head:
                self._begin(head)
            elif self.eof and self._buffer:
                raise HTTPError(400, "The connection ended within the request head.")
            elif self.eof:
                self._close()
            if self.eof and self._intake is not None:
                self._break_body()
        except HTTPError as error:
            self._refuse(error, head)

    def _serve_repeated(self, data: bytes) -> bool:
        """Serve a request whose head is the one before but for its target; False: it is not."""
        assert self._known is not None
        end, request, fields = self._known
        if not data.endswith(end) or self.write_paused:
            return False
        line = data[: -len(end)]
        if len(line) > self.shared.options.max_request_line:
            return False
        if not repeated_request(line, request):
            return False
        exchange, environ = self._exchange_of(request, fields)
        self._start_without_body(exchange, environ)
        return True

    def _next_head(self) -> bytes:
        """Take the next whole head from the buffer; empty: it has not all come."""
        options = self.shared.options
        if not self._seen and self._buffer[0] == 13 and not self._skip_empty_lines():
            return b""
        buffer = self._buffer
        end = head_end(buffer, self._seen, options.max_request_line, options.max_header_bytes)
        if not end:
            self._seen = len(buffer)
            # Not started again by each byte: the whole head has this long.
            if self._deadline != options.header_timeout:
                self._await(options.header_timeout)
            return b""
        self._seen = 0
        self._buffer = buffer[end:]
        return buffer[:end]

    def _skip_empty_lines(self) -> bool:
        """Take empty lines from the buffer; whether something else has come."""
        lines = empty_lines(self._buffer, self._empty_lines)
        self._empty_lines += lines
        self._buffer = self._buffer[2 * lines :]
        # Its LF may be on its way.
        if self._buffer not in (b"", b"\r"):
            return True
        # They begin no request, so what time the connection has goes on.
        if self._deadline is None:
            self._rest()
        return False

    def _begin(self, head: bytes) -> None:
        request = self.shared.parse(head)
        fields = header_fields(request)
        fields["REMOTE_ADDR"], fields["REMOTE_PORT"] = self._peer
        exchange, environ = self._exchange_of(request, fields)
        if self._hosts is not None:
            self._hosts.check(environ.get("HTTP_HOST"), self._peer[0])
        if request.content_length is None:
            self._known = None
            if (
                request.http11
                and request.keep_alive
                and head.startswith(b"GET /")
                and len(head) <= _KNOWN_BYTES
            ):
                request.headers = []
                self._known = (head[head.index(b" HTTP/1.") :], request, fields)
            self._start_without_body(exchange, environ)
            return
        body = Body(self)
        intake = Intake(request, body, self.shared.options.max_body)
        environ["cogen.input"] = Input(environ["cogen.wsgi"], body)
        self._intake = intake
        self._pending = environ
        self._await(self.shared.options.body_timeout)
        data, self._buffer = self._buffer, b""
        if data or intake.complete:
            self._receive_body(data)
        else:
            self._start_pending(body)

    def _exchange_of(
        self, request: Request, fields: dict[str, str]
    ) -> tuple[Exchange, dict[str, Any]]:
        """The exchange for `request`, now the connection's, and its environ but for the body."""
        # The deadline of an idle connection may run on: it says nothing of one that is answered.
        if self._deadline != self.shared.options.keep_alive_timeout:
            self._await(None)
        self._requests += 1
        self._empty_lines = 0
        if self.times:
            self._begun = time.monotonic()
        shared = self.shared
        length = request.content_length
        wsgi = Wsgi(None if length == -1 else length or 0)
        environ = request_environ(self._base_environ, request, fields)
        exchange = self._exchange = shared.exchange(self, request, wsgi, environ["PATH_INFO"])
        if shared.proxies is not None:
            shared.proxies.apply(environ)
        environ["cogen.call"] = wsgi.call
        environ["cogen.core"] = Core(wsgi)
        environ["cogen.wsgi"] = wsgi
        environ["cogen.yield"] = wsgi.name
        environ["cogen.wait"] = exchange.wait
        environ["cogen.early_hints"] = exchange.early_hints
        shared.exchange_began(exchange, environ)
        return exchange, environ

    def _start_without_body(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        environ["wsgi.input"] = BytesIO()
        environ["cogen.input"] = Input(environ["cogen.wsgi"], _EMPTY_BODY)
        exchange.start(environ)

    # Bodies.

    def _receive_body(self, data: bytes) -> None:
        intake = self._intake
        assert intake is not None
        try:
            self._buffer = intake.feed(self._buffer + data)
        except HTTPError as error:
            self._refuse(error)
            return
        body = intake.body
        if intake.complete:
            self._intake = None
            self._await(None)
            body.end()
        else:
            if self._buffer:
                self.shared.scheduler.loop.call_soon(self._receive_rest)
            if self._buffer or body.size > _BODY_AHEAD:
                self._pause_reading()
            else:
                # It was paused while this request waited for its turn.
                self._resume_reading()
            body.wake()
        self._start_pending(body)

    def _receive_rest(self) -> None:
        """Go on with what arrived of the body before."""
        intake = self._intake
        if intake is not None and self._buffer:
            intake.seen -= len(self._buffer)
            self._receive_body(b"")
            if not self._buffer and intake.body.size <= _BODY_AHEAD:
                self._resume_reading()

    def _start_pending(self, body: Body) -> None:
        """Call the application once its body is there, or too large to wait for."""
        environ, exchange, intake = self._pending, self._exchange, self._intake
        if environ is None or exchange is None:
            return
        if intake is None:
            environ["wsgi.input"] = BytesIO(body.peek())
            # Of a chunked body too: there are frameworks that read no further than it says.
            environ["CONTENT_LENGTH"] = str(body.size)
        elif body.size > _BODY_AHEAD or intake.continues:
            environ["wsgi.input"] = InputFile(body, exchange.wait)
        else:
            return
        self._pending = None
        exchange.start(environ)

    def body_wanted(self) -> None:
        """The application waits for more of the body: `Body` asks."""
        intake = self._intake
        if intake is None:
            return
        if intake.continues:
            # RFC 9110 section 10.1.1: sent when the application first reads.
            intake.continues = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._reading_paused and not self._buffer:
            intake.seen = 0
            self._resume_reading()

    def _check_body(self, intake: Intake, duration: float) -> None:
        """The body has to come at `body_rate` bytes a second while it is wanted."""
        due = self.shared.options.body_rate * duration
        if self._reading_paused or intake.seen >= due:
            intake.seen = 0
            self._await(duration)
        else:
            self._refuse(HTTPError(408, "The request body did not arrive in time."))

    def _break_body(self) -> None:
        """The client has ended its side within the body."""
        if self._pending is not None or self._exchange is None:
            self._refuse(HTTPError(400, "The connection ended within the request body."))
        else:
            self._drop_body("the client closed the connection within the body")

    def _drop_body(self, why: str) -> None:
        intake, self._intake = self._intake, None
        self._pending = None
        if intake is not None:
            intake.body.end(BodyError(why))

    # Answers: what an exchange asks of its front.

    @property
    def close_timeout(self) -> float:
        return self.shared.options.close_timeout

    @property
    def expects_continue(self) -> bool:
        return self._intake is not None and self._intake.continues

    def timing(self) -> bytes:
        milliseconds = (time.monotonic() - self._begun) * 1000
        return b"Server-Timing: total;dur=%.1f\r\n" % milliseconds

    def persists(self, request: Request) -> bool:
        limit = self.shared.options.max_requests
        return (
            request.keep_alive
            and not self.closing
            and not self.shared.stopping
            and (self._intake is None or not self._intake.continues)
            and (not limit or self._requests < limit)
        )

    def exchange_ended(self, exchange: Straight, keep_alive: bool) -> None:
        assert isinstance(exchange, Exchange)
        self.shared.exchange_ended(exchange)
        if exchange is not self._exchange:
            return
        self._exchange = None
        if self._transport is None:
            return
        if self.truncated:
            self._transport.abort()
        elif self._intake is not None:
            self._drop_body("the request was answered before its body had come")
            self._linger()
        elif not keep_alive or self.closing:
            self._linger() if self._buffer else self._close()
        elif self._buffer:
            if len(self._buffer) <= _PIPELINE_BYTES:
                self._resume_reading()
            self.shared.scheduler.loop.call_soon(self._serve)
        elif self.eof:
            self._close()
        else:
            self._resume_reading()
            self._rest()

    def _rest(self) -> None:
        """Wait for another request."""
        if self.shared.stopping:
            self.stop()
        elif not self.write_paused:
            self._await(self.shared.options.keep_alive_timeout)

    def _refuse(self, error: HTTPError, head: bytes = b"") -> None:
        """Answer with `error` and close, unless an answer has begun: then just cut it.

        `head` is what has come of the request where there is no exchange for it.
        """
        exchange = self._exchange
        begun = exchange is not None and exchange.head_sent
        self.refusal = error.status
        self._drop_exchange()
        if self._transport is None:
            return
        log.info("%s: refused with %d: %s", self._peer[0], error.status, error)
        if begun:
            self._transport.abort()
            return
        self.shared.refused(error.status, self.address, exchange)
        method = exchange.method if exchange is not None else head.partition(b" ")[0]
        self.write(plain_response(error, bodyless=method == b"HEAD"))
        self._buffer = b""
        self._linger()

    def hang_up(self) -> None:
        """The client is gone, or has to go: end what it waited for and close."""
        self._drop_exchange()
        self.closing = True
        if self._transport is not None:
            self._transport.close()

    def _drop_exchange(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._pending = None
        if exchange is not None:
            exchange.hang_up()
        self._drop_body("the client is gone")

    def cut(self) -> None:
        self._drop_exchange()
        if self._transport is not None:
            self._transport.abort()

    def stop(self) -> None:
        """Close when idle: a request may be on its way then, and has `shared.grace` seconds."""
        if self._exchange is not None:
            self._exchange.hurry()
        elif not self._buffer and not self.closing:
            grace = self.shared.grace
            self._await(grace) if grace else self._close()
