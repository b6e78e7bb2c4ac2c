"""An exchange with another front than a connection: what Front says is all that it needs."""

import unittest

from cogen.core.events import Sleep
from cogen.core.greenlets import Runners
from cogen.core.schedulers import Scheduler
from cogen.web.build import build
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.front import Front
from cogen.web.extensions import Wsgi
from cogen.web.http.parser import RequestParser

COMPILED = build() == "compiled"


class Paper(Front if not COMPILED else object):  # no subclass of a compiled class is interpreted
    """Keeps what is written."""

    close_timeout = 1.0
    expects_continue = False

    def __init__(self):
        super().__init__()
        self.written = b""
        self.ended = []

    def write(self, data):
        self.written += data

    def persists(self, request):
        return True

    def exchange_ended(self, exchange, keep_alive):
        self.ended.append(keep_alive)


def application(environ, start_response):
    yield environ["cogen.call"](Sleep)(0.001)
    environ["cogen.wait"](Sleep(0.001))
    start_response("200 OK", [("Content-Length", "5")])
    yield b"hello"


@unittest.skipIf(COMPILED, "a front is compiled with the exchange")
class FrontTest(unittest.TestCase):
    def test_a_request_is_answered_by_way_of_it_alone(self):
        scheduler = Scheduler(proactor="asyncio")
        self.addCleanup(scheduler.shutdown)
        front, wsgi, runners = Paper(), Wsgi(0), Runners(scheduler)
        request = RequestParser().parse(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 9)
        exchange = Exchange(front, runners, request, wsgi, application)
        told = []

        def done(exchange):
            told.append((exchange.status, exchange.sent))
            scheduler.loop.stop()

        exchange.add_done_callback(done)
        exchange.start({"cogen.call": wsgi.call, "cogen.wait": exchange.wait})
        scheduler.loop.run_forever()
        self.assertTrue(front.written.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"))
        self.assertTrue(front.written.endswith(b"\r\n\r\nhello"))
        self.assertEqual(([True], [(200, 5)]), (front.ended, told))
