"""An exchange with another front than a connection: what Front says is all that it needs."""

from __future__ import annotations

import unittest
from collections.abc import Iterable
from typing import Any

from cogen.core.events import Sleep
from cogen.core.schedulers import Scheduler
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.front import Front
from cogen.web.exchanges.greenlets import Runners, Straight
from cogen.web.extensions import Wsgi
from cogen.web.http.parser import RequestParser
from cogen.web.http.request import Request


class Paper(Front):
    """Keeps what is written."""

    close_timeout = 1.0
    expects_continue = False

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended: list[bool] = []

    def write(self, data: bytes | memoryview) -> None:
        self.written += data

    def persists(self, request: Request) -> bool:
        return True

    def exchange_ended(self, exchange: Straight, keep_alive: bool) -> None:
        self.ended.append(keep_alive)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    yield environ["cogen.call"](Sleep)(0.001)
    environ["cogen.wait"](Sleep(0.001))
    start_response("200 OK", [("Content-Length", "5")])
    yield b"hello"


class FrontTest(unittest.TestCase):
    def test_a_request_is_answered_by_way_of_it_alone(self) -> None:
        scheduler = Scheduler(proactor="asyncio")
        self.addCleanup(scheduler.shutdown)
        front, wsgi, runners = Paper(), Wsgi(0), Runners(scheduler)
        request = RequestParser().parse(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 9)
        exchange = Exchange(front, runners, request, wsgi, application)
        told: list[tuple[int, int]] = []

        def done(exchange: Exchange) -> None:
            told.append((exchange.status, exchange.sent))
            scheduler.loop.stop()

        exchange.add_done_callback(done)
        exchange.start({"cogen.call": wsgi.call, "cogen.wait": exchange.wait})
        scheduler.loop.run_forever()
        self.assertTrue(front.written.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"))
        self.assertTrue(front.written.endswith(b"\r\n\r\nhello"))
        self.assertEqual(([True], [(200, 5)]), (front.ended, told))
