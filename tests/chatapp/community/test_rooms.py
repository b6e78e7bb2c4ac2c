"""Names and records of rooms."""

import unittest

from chatapp.community.rooms import (
    PRIVATE_NAME,
    Room,
    direct_name,
    new_private_name,
    packed_room,
    unpacked_room,
    unrecorded,
)
from chatapp.model.redis.rooms import PASSING


class RoomTests(unittest.TestCase):
    def test_a_private_rooms_name_cannot_be_guessed_and_is_no_public_rooms(self):
        names = {new_private_name() for _ in range(100)}
        self.assertEqual(100, len(names))
        for name in names:
            self.assertRegex(name, PRIVATE_NAME)
            self.assertTrue(unrecorded(name).is_private)
        self.assertFalse(unrecorded("garden").is_private)

    def test_the_room_of_some_people_is_the_same_whoever_begins(self):
        name = direct_name(b"key", ["A", "B", "C"])
        self.assertRegex(name, PRIVATE_NAME)
        self.assertEqual(name, direct_name(b"key", ["C", "A", "B", "A"]))
        for key, people in ((b"other", "ABC"), (b"key", "AB"), (b"key", ["AB", "C"])):
            self.assertNotEqual(name, direct_name(key, people))

    def test_a_record_is_read_as_it_was_written(self):
        full = Room("~a", "closed", "Té", "direct", {"A": "Ann"}, "members", "old", "A", 1.5)
        for room in (full, Room("garden", "announce")):
            self.assertEqual(room, unpacked_room(room.name, packed_room(room)))
        passing = packed_room(full._replace(passing=True))
        self.assertTrue(passing.endswith(PASSING))
        titled = Room("x", title=PASSING, members={"passing": "true"}, reason=PASSING)
        self.assertNotIn(PASSING[:-1], packed_room(titled))
        self.assertEqual(("members", "announce"), (full.purpose, Room("x", "announce").purpose))
