"""The request path makes no reference cycles: without the collector, memory stays flat."""

import gc
import json
import re

from benchmarks.harness.resident import resident
from tests.chatapp.support import ChatCase

ROUNDS = 3_000  # of a poll and a push


class CycleTests(ChatCase):
    """Each way that a poll can take."""

    def test_polls_from_a_cursor_leave_nothing_for_the_collector(self):
        self.check(lambda cursor: ("GET", f"/chat/pull/lobby?client=tab&since={cursor}", ""))

    def test_polls_without_a_cursor_leave_nothing_for_the_collector(self):
        self.check(lambda cursor: ("GET", "/chat/pull/lobby?client=tab", ""))

    def test_polls_with_a_body_leave_nothing_for_the_collector(self):
        def poll(cursor):
            return "POST", "/chat/pull", json.dumps({"client": "tab", "since": cursor})

        self.check(poll)

    def check(self, poll):
        """`poll(cursor)` is its method, path and body."""
        self.start(history=10)
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        self.cursor = ann.pull()["cursor"]
        self.poller, self.pusher = self.server.connect(), self.server.connect()
        self.poll_of = lambda: _request(ann, *poll(self.cursor))
        self.push_of = _request(bob, "POST", "/chat/push/lobby", '{"text": "cogen"}')
        self.talk(100)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = resident()
        self.talk(ROUNDS)
        # A cycle of one request is 4 KiB, so 12 MiB of each kind.
        self.assertLess(resident() - before, 4 << 20)
        self.assertLess(gc.collect(), 100)

    def talk(self, rounds):
        """A poll that waits and the push that answers it, again and again."""
        for _ in range(rounds):
            self.poller.protocol.data_received(self.poll_of())
            self.server.loop.settle()
            assert not self.poller.written, self.poller.written
            self.pusher.protocol.data_received(self.push_of)
            self.server.loop.settle()
            assert b'"cogen"' in self.poller.written, self.poller.written
            self.cursor = _CURSOR.search(self.poller.written)[1].decode()
            self.poller.written.clear()
            self.pusher.written.clear()


_CURSOR = re.compile(rb'"cursor":"([^"]+)"')


def _request(person, method, path, body):
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    return (
        f"{method} {path} HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n"
        f"Cookie: {cookies}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
