"""A client's connection: bytes in, one exchange at a time, bytes out.

Requests that come while one is answered wait as bytes and are parsed when their turn comes, so
what a client can make the server hold is bounded. What ends a connection is in one place each:
`_refuse` for a bad request, `expire` for a slow client, `hang_up` for one that is gone.
"""

import asyncio
import logging
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cogen.core.schedulers import Waiter
from cogen.web.answer import Answer
from cogen.web.body import Body, BodyError, Input, InputFile
from cogen.web.environ import header_fields, request_environ
from cogen.web.exchange import Exchange
from cogen.web.extensions import Core, Wsgi
from cogen.web.http import HTTPError, Request, RequestParser, head_end, repeated_request
from cogen.web.response import plain_response

if TYPE_CHECKING:
    from cogen.web.server import Server

__all__ = ["Connection"]

log = logging.getLogger(__name__)

# A body up to this size is taken in before the application is called; a larger one while it runs.
_BODY_AHEAD = 65_536
# Bytes held of requests that wait for their turn.
_PIPELINE_BYTES = 65_536
_WRITE_HIGH, _WRITE_LOW = 65_536, 16_384
# A refused client may still be sending: it is listened to this long, so that it reads the answer.
_LINGER_SECONDS = 2.0


class _NoBody:
    """The source of the body of a request without one."""

    def body_wanted(self) -> None:
        """There is none."""


_EMPTY_BODY = Body(_NoBody())
_EMPTY_BODY.complete = True


class Connection(asyncio.Protocol):
    """The protocol of one accepted connection of `server`."""

    __slots__ = (
        "_body",
        "_body_left",
        "_body_seen",
        "_buffer",
        "_continue",
        "_deadline",
        "_eof",
        "_exchange",
        "_head",
        "_known",
        "_parser",
        "_peer",
        "_pending",
        "_reading_paused",
        "_requests",
        "_stalled_at",
        "_transport",
        "closing",
        "drainer",
        "refusal",
        "server",
        "truncated",
        "write_paused",
    )

    def __init__(self, server: "Server") -> None:
        self.server = server
        self._transport: Any = None
        self._buffer = b""
        self._parser: RequestParser | None = None
        self._body: Body | None = None
        self._body_left = 0  # bytes of the body still to come, -1: chunked
        self._body_seen = 0
        self._exchange: Exchange | None = None
        self._pending: dict[str, Any] | None = None  # environ of an exchange without its body
        self._continue = False  # 100 Continue is due when the body is first read
        self._peer: tuple[str, str] = ("", "")
        self._deadline: float | None = None
        self._stalled_at = 0
        self._requests = 0
        self._head = b""
        # The end of the head before, from the version on, its request and its environ entries.
        self._known: tuple[bytes, Request, dict[str, str]] | None = None
        self._eof = False
        self._reading_paused = False
        self.closing = False  # no further request is taken
        self.refusal = 0  # the status with which the client was refused
        self.truncated = False
        self.write_paused = False
        self.drainer: Waiter | None = None

    # asyncio.Protocol

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(_WRITE_HIGH, _WRITE_LOW)
        peer = transport.get_extra_info("peername")
        if type(peer) is tuple:
            self._peer = (peer[0], str(peer[1]))
        if self.server.connection_made(self):
            self._await(self.server.options.header_timeout)
        else:
            self._refuse(HTTPError(503, "The server has no connection to spare; try again soon."))

    def data_received(self, data: bytes) -> None:
        if self._body is not None:
            self._receive_body(data)
            return
        if self.closing:
            return
        if self._exchange is None:
            if not self._buffer and self._known is not None and self._serve_repeated(data):
                return
            self._buffer += data
            self._serve()
            return
        self._buffer += data
        if len(self._buffer) > _PIPELINE_BYTES:
            self._pause_reading()

    def eof_received(self) -> bool:
        self._eof = True
        if self._body is not None:
            self._break_body(BodyError("the client closed the connection within the body"))
        exchange = self._exchange
        if exchange is None:
            return False
        if exchange.waits or exchange.runner is not None:
            # It waits for news that this client will not read.
            self.hang_up()
            return False
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.hang_up()
        self._await(None)
        self.closing = True
        self._transport = None
        self.server.connection_lost(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        self._stalled_at = self._transport.get_write_buffer_size()
        self._await(self.server.options.write_timeout)

    def resume_writing(self) -> None:
        self.write_paused = False
        self._await(None)
        drainer, self.drainer = self.drainer, None
        if drainer is not None:
            drainer.resume(None)
        elif self._exchange is None:
            self._serve()

    # Deadlines: at most one at a time.

    def _await(self, duration: float | None) -> None:
        """Give the client `duration` seconds for what comes next; None: as long as it takes."""
        timers = self.server.scheduler.timers
        if self._deadline is not None:
            timers.stop(self, self._deadline)
        self._deadline = duration or None
        if duration:
            timers.start(self, duration)

    def expire(self) -> None:
        duration, self._deadline = self._deadline, None
        if self._transport is None:
            return
        if self.write_paused:
            self._check_writing(duration)
        elif self._body is not None and not self.closing:
            self._check_body(duration)
        elif self._buffer and self._exchange is None and not self.closing:
            self._refuse(HTTPError(408, "The request did not arrive in time."))
        else:
            self._transport.abort() if self.closing else self._close()

    def _check_writing(self, duration: float | None) -> None:
        left = self._transport.get_write_buffer_size()
        if left < self._stalled_at:
            self._stalled_at = left
            self._await(duration)
            return
        log.info("%s takes nothing of its answer: its connection is cut", self._peer[0])
        self._transport.abort()

    def _check_body(self, duration: float | None) -> None:
        """The body has to come at `body_rate` bytes a second while it is wanted."""
        due = self.server.options.body_rate * (duration or 0)
        if self._reading_paused or self._body_seen >= due:
            self._body_seen = 0
            self._await(duration)
        elif self._pending is not None or self._exchange is None or not self._exchange.head_sent:
            self._refuse(HTTPError(408, "The request body did not arrive in time."))
        else:
            self._transport.abort()

    # Requests.

    def _serve(self) -> None:
        """Take the next request from the buffer, if it is whole."""
        if not self._buffer or self._exchange is not None or self.closing or self.write_paused:
            return
        try:
            request = self._next_request()
            if request is not None:
                self._begin(request)
        except HTTPError as error:
            self._refuse(error)

    def _serve_repeated(self, data: bytes) -> bool:
        """Serve a request whose head is the one before but for its target; False: it is not."""
        assert self._known is not None
        end, known, fields = self._known
        if not data.endswith(end) or self.write_paused:
            return False
        line = data[: -len(end)]
        if len(line) > self.server.options.max_request_line:
            return False
        request = repeated_request(line, known)
        if request is None:
            return False
        exchange, environ = self._exchange_of(request, fields)
        self._start_without_body(exchange, environ)
        return True

    def _next_request(self) -> Request | None:
        options = self.server.options
        buffer = self._buffer
        end = head_end(buffer, options.max_request_line, options.max_header_bytes)
        if not end:
            # Not started again by each byte: the whole head has this long.
            if self._deadline != options.header_timeout:
                self._await(options.header_timeout)
            return None
        head = buffer[:end]
        self._buffer = buffer[end:]
        self._parser = self.server.take_parser()
        request = self._parser.head(head, options.max_headers)
        self._head = head
        return request

    def _begin(self, request: Request) -> None:
        parser = self._parser
        assert parser is not None
        fields = header_fields(request)
        exchange, environ = self._exchange_of(request, fields)
        head, self._head = self._head, b""
        if parser.complete:
            self._release_parser()
            if request.http11 and request.keep_alive and head.startswith(b"GET /"):
                request.headers = []
                self._known = (head[head.index(b" HTTP/1.1") :], request, fields)
            self._start_without_body(exchange, environ)
            return
        environ["cogen.input"] = Input(environ["cogen.wsgi"], self._expect_body(request))
        self._pending = environ
        data, self._buffer = self._buffer, b""
        self._receive_body(data)

    def _exchange_of(
        self, request: Request, fields: dict[str, str]
    ) -> tuple[Exchange, dict[str, Any]]:
        """The exchange for `request`, now the connection's, and its environ but for the body."""
        self._await(None)
        self._requests += 1
        server = self.server
        length = request.content_length
        wsgi = Wsgi(None if length == -1 else length or 0)
        exchange = self._exchange = Exchange(self, request, wsgi)
        environ = request_environ(server.base_environ, request, fields)
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = self._peer
        environ["cogen.call"] = wsgi.call
        environ["cogen.core"] = Core(wsgi)
        environ["cogen.wsgi"] = wsgi
        environ["cogen.wait"] = exchange.wait
        server.exchange_began(exchange, environ)
        return exchange, environ

    def _start_without_body(self, exchange: Exchange, environ: dict[str, Any]) -> None:
        environ["wsgi.input"] = BytesIO()
        environ["cogen.input"] = Input(environ["cogen.wsgi"], _EMPTY_BODY)
        exchange.start(environ)

    # Bodies.

    def _release_parser(self) -> None:
        parser, self._parser = self._parser, None
        if parser is not None and parser.reusable:
            parser.on_body_data = None
            self.server.parsers.append(parser)

    def _expect_body(self, request: Request) -> Body:
        length = request.content_length
        assert length is not None and self._parser is not None
        if length > self.server.options.max_body:
            raise self._too_large()
        self._body_left = length
        self._body_seen = 0
        self._continue = request.expect_continue
        self._body = body = Body(self)
        self._parser.on_body_data = body.feed
        self._await(self.server.options.body_timeout)
        return body

    def _too_large(self) -> HTTPError:
        limit = self.server.options.max_body
        return HTTPError(413, f"The request body is longer than {limit} bytes.")

    def _receive_body(self, data: bytes) -> None:
        try:
            self._feed_body(data)
        except HTTPError as error:
            self._refuse(error)
            return
        body = self._body
        if body is not None:
            assert self._parser is not None
            if self._parser.complete:
                self._end_body(body)
            else:
                if body.size > _BODY_AHEAD:
                    self._pause_reading()
                body.wake()
        self._start_pending()

    def _feed_body(self, data: bytes) -> None:
        parser = self._parser
        assert parser is not None
        self._body_seen += len(data)
        if data:
            self._continue = False
            used = parser.body_end(data) if self._body_left < 0 else min(len(data), self._body_left)
            if self._body_left >= 0:
                self._body_left -= used
            self._buffer = data[used:]
            parser.body(data[:used] if used < len(data) else data)
        if parser.received > self.server.options.max_body:
            raise self._too_large()

    def _end_body(self, body: Body) -> None:
        self._body = None
        self._release_parser()
        self._await(None)
        body.end()

    def _start_pending(self) -> None:
        """Call the application once its body is there, or too large to wait for."""
        environ, exchange = self._pending, self._exchange
        if environ is None or exchange is None:
            return
        body: Body | None = self._body
        if body is None:
            whole = environ["cogen.input"].whole()
            environ["wsgi.input"] = BytesIO(whole)
        elif body.size > _BODY_AHEAD or self._continue:
            environ["wsgi.input"] = InputFile(body, exchange.wait)
        else:
            return
        self._pending = None
        exchange.start(environ)

    def body_wanted(self) -> None:
        """The application waits for more of the body: `Body` asks."""
        if self._continue:
            # RFC 9110 section 10.1.1: sent when the application first reads.
            self._continue = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._resume_reading()

    def _break_body(self, error: BodyError) -> None:
        body, self._body = self._body, None
        self._parser = self._pending = None
        if body is not None:
            body.end(error)

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._body_seen = 0
            self._transport.resume_reading()

    # Answers.

    def write(self, data: bytes | memoryview) -> None:
        """Hand `data` to the transport; `write_paused` tells when it has enough."""
        if self._transport is not None:
            self._transport.write(data)

    def persists(self, request: Request) -> bool:
        """Whether the connection is kept for another request after this one."""
        limit = self.server.options.max_requests
        return (
            request.keep_alive
            and not self.closing
            and not self.server.stopping
            and not (self._continue and self._body is not None)
            and (not limit or self._requests < limit)
        )

    def exchange_ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """`answer` is written (None: it failed before it began); called by the exchange."""
        if exchange is not self._exchange:
            return
        self._exchange = None
        self.server.exchange_ended(exchange)
        if self._transport is None:
            return
        if self.truncated:
            self._transport.abort()
        elif answer is None or not answer.keep_alive or self.closing or self._body is not None:
            self._close()
        elif self._buffer:
            self._resume_reading()
            self.server.scheduler.loop.call_soon(self._serve)
        elif self._eof:
            self._close()
        else:
            self._resume_reading()
            if not self.write_paused:
                self._await(self.server.idle_timeout)

    def _refuse(self, error: HTTPError) -> None:
        """Answer with `error` and close, unless an answer has begun: then just cut it."""
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
        self.server.refused(error.status)
        self.write(plain_response(error))
        self._linger()

    def _close(self) -> None:
        """Close when all is written; at once is rude to a client that still sends."""
        if self._body is not None or self._buffer:
            self._break_body(BodyError("the request was answered before its body had come"))
            self._linger()
            return
        self.closing = True
        self._await(self.server.options.write_timeout)
        self._transport.close()

    def _linger(self) -> None:
        """Say that nothing follows, and listen on for a moment (RFC 9112 section 9.6)."""
        self.closing = True
        self._buffer = b""
        if self._eof or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._resume_reading()
            self._transport.write_eof()
        self._await(_LINGER_SECONDS)

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
            self.server.exchange_ended(exchange)
        self._break_body(BodyError("the client is gone"))

    def cut(self) -> None:
        """Close at once."""
        self._drop_exchange()
        if self._transport is not None:
            self._transport.abort()

    def stop(self, grace: float) -> None:
        """The server stops: let a wait end now as if its time were up; close when idle.

        A request may be on its way already on an idle connection: it has `grace` seconds.
        """
        if self._exchange is not None:
            self._exchange.hurry()
        elif not self._buffer and not self.closing:
            self._await(grace) if grace else self._close()
