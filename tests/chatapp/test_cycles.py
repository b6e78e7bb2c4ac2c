"""The request path makes no reference cycles: without the collector, memory stays flat."""

import gc

from tests.chatapp.support import ChatCase
from tests.support.resident import resident

ROUNDS = 10_000  # of a poll and a push


class CycleTests(ChatCase):
    def test_twenty_thousand_requests_leave_nothing_for_the_collector(self):
        self.start(history=10)
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        self.poller, self.pusher = self.server.connect(), self.server.connect()
        self.poll_of, self.push_of = _poll(ann), _push(bob)
        self.talk(100)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = resident()
        self.talk(ROUNDS)
        # A cycle of one request is 4 KiB, so 80 MiB of all.
        self.assertLess(resident() - before, 4 << 20)
        self.assertLess(gc.collect(), 100)

    def talk(self, rounds):
        """A poll that waits and the push that answers it, again and again."""
        for _ in range(rounds):
            self.poller.protocol.data_received(self.poll_of)
            self.server.loop.settle()
            self.pusher.protocol.data_received(self.push_of)
            self.server.loop.settle()
            assert b'"cogen"' in self.poller.written, self.poller.written
            self.poller.written.clear()
            self.pusher.written.clear()


def _cookies(person):
    return "; ".join(f"{name}={value}" for name, value in person.cookies.items())


def _poll(person):
    # From where the client was last: without a cursor a known one goes on.
    return (
        f"GET /chat/pull/lobby?client=tab HTTP/1.1\r\nHost: a\r\n"
        f"Accept: application/json\r\nCookie: {_cookies(person)}\r\n\r\n"
    ).encode()


def _push(person):
    body = '{"text": "cogen"}'
    return (
        f"POST /chat/push/lobby HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        f"Cookie: {_cookies(person)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
