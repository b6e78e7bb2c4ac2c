"""What is remembered of what strangers send is bounded in bytes."""

import gc
import sys
import tracemalloc
import unittest

import orjson

from chatapp.directory.local import LocalDirectory
from chatapp.lib import wire
from chatapp.lib.wire import checked_rooms
from chatapp.live import cursor
from chatapp.live.cursor import BadCursor, Cursor
from chatapp.live.participant import Participant
from chatapp.options import ChatOptions
from chatapp.remembering import forget
from cogen.web.http import environ, response
from cogen.web.http.parser import RequestParser
from pylons import routing
from tests.chatapp.support import ChatCase

MEBIBYTE = 1 << 20


def kept(action):
    """Bytes that are still there after `action()` was called 1,100 times with numbers."""
    tracemalloc.start()
    try:
        for number in range(1100):
            action(number)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


class RememberedTests(unittest.TestCase):
    def setUp(self):
        for cache in (environ._keys, response._heads, response._lower_names):
            before = dict(cache)
            cache.clear()
            self.addCleanup(cache.update, before)
            self.addCleanup(cache.clear)
        for cached in (cursor._remembered, wire._remembered_rooms):
            cached.cache_clear()
            self.addCleanup(cached.cache_clear)

    def check(self, action):
        self.assertLess(kept(action), MEBIBYTE)

    def test_header_names(self):
        def ask(number):
            for length in (40, 20_000):
                name = f"x-{number:d}".ljust(length, "a")
                head = f"GET / HTTP/1.1\r\nHost: a\r\n{name}: b\r\n\r\n".encode()
                parser = RequestParser()
                environ.header_fields(parser.parse(head, 100))
                parser.close()

        self.check(ask)

    def test_heads_of_responses(self):
        def answer(number):
            for length in (10, 600, 8000):
                location = f"http://a/{number}".ljust(length, "a")
                response.head_of("302 Found", [("Location", location)])

        self.check(answer)

    def test_names_of_response_headers(self):
        self.check(lambda number: response.Head("200 OK", [(f"x-{number}" + "a" * 5000, "b")]))

    def test_cursors(self):
        def decode(number):
            rooms = {f"room-{number}-{each}": each for each in range(number % 200)}
            text = Cursor("epoch", rooms).encode()
            if len(text) > cursor.LONGEST_CURSOR:
                self.assertRaises(BadCursor, Cursor.decode, text)
            else:
                self.assertEqual(rooms, Cursor.decode(text).seqs)

        self.check(decode)

    def test_cursors_of_those_who_have_not_come_back(self):
        directory = LocalDirectory(None, ChatOptions().limits(), lambda: self.now)
        self.now = 0.0
        people = [Participant(f"{number}", "", None) for number in range(1100)]
        self.check(lambda number: directory.save_cursor(people[number], "tab", f"{number}" * 1000))
        self.assertIsNone(directory.load_cursor(people[0], "tab"))
        self.now = 30.0
        directory.trim()
        directory.save_cursor(people[0], "tab", "new")
        directory.trim()
        recalled = [directory.load_cursor(person, "tab") for person in (people[1099], people[0])]
        self.assertEqual([None, "new"], recalled)

    def test_a_crowd_that_has_gone_leaves_none(self):
        names = [f"room{number}" for number in range(3000)]
        read = orjson.loads(orjson.dumps(dict.fromkeys(names, 0)))
        checked_rooms(",".join(names[:20]), 20)
        remembered = [sys.getrefcount(name) for name in read]
        forget()
        left = [sys.getrefcount(name) for name in read]
        self.assertGreater(sum(remembered) - sum(left), 1000)
        self.assertEqual(1, len(set(left)))

    def test_rooms(self):
        self.check(lambda number: checked_rooms(",".join(f"r{number}-{n}" for n in range(99)), 99))


class PathTests(ChatCase):
    def test_paths(self):
        self.start()
        ann = self.joined("ann")
        for number in range(700):
            room = f"{number}".ljust(60, "a")
            ann.ask("GET", f"/chat/history/{room}?limit=1")
            ann.ask("GET", f"/chat/history/{room * 100}?limit=1")
        sizes = [
            sum(sys.getsizeof(path) for _, path in known) for known in routing._matches.values()
        ]
        self.assertLess(sum(sizes), MEBIBYTE // 4)
