"""Cursors that are kept for who has not come back: each once, the last one, the newest of many."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.directory.saved import SavedCursors

CLIENTS = st.sampled_from("abcd")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), CLIENTS, st.text("xyz", min_size=1, max_size=5)),
        st.tuples(st.just("take"), CLIENTS, st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.just("")),
        st.tuples(st.just("forget"), st.just(""), st.just("")),
    )
)


class SavedCursorsTests(unittest.TestCase):
    now = 1000.0

    def clock(self):
        return self.now

    @given(steps=STEPS)
    def test_each_is_told_once_and_is_there_unless_it_is_old(self, steps):
        saved, expected, old = SavedCursors(1000, self.clock), {}, set()
        for step, client, cursor in [*steps, *(("take", client, "") for client in "abcd")]:
            if step == "save":
                saved.save(client, cursor)
                expected[client] = (cursor, self.now)
                old.discard(client)
            elif step == "take":
                cursor, _ = expected.pop(client, (None, None))
                self.assertIn(saved.take(client), (cursor, None) if client in old else (cursor,))
            elif step == "wait":
                self.now += 15.0
            else:
                saved.forget(20.0)
                old.update(each for each, (_, at) in expected.items() if at <= self.now - 20.0)

    def test_of_many_the_newest_are_there(self):
        saved = SavedCursors(1000, self.clock)
        for number in range(5000):
            saved.save(f"client {number}", f"{number:010}")
        there = [number for number in range(5000) if saved.take(f"client {number}") is not None]
        self.assertEqual(list(range(there[0], 5000)), there)
        self.assertTrue(50 <= len(there) <= 100, len(there))

    def test_one_that_is_saved_again_and_again_takes_no_more_room(self):
        saved = SavedCursors(1000, self.clock)
        saved.save("other", "x" * 10)
        for _ in range(1000):
            saved.save("same", "y" * 100)
        self.assertEqual("x" * 10, saved.take("other"))

    def test_what_is_taken_does_not_come_back_from_the_elder_generation(self):
        saved = SavedCursors(100, self.clock)
        saved.save("ann", "old")
        saved.save("crowd", "x" * 49)
        saved.save("ann", "new")
        self.assertEqual("new", saved.take("ann"))
        self.assertIsNone(saved.take("ann"))

    def test_all_that_are_old_are_forgotten_and_none_that_is_not(self):
        saved = SavedCursors(1000, self.clock)
        saved.save("ann", "1")
        self.now += 15.0
        saved.save("bob", "2")
        self.now += 15.0
        saved.forget(20.0)
        self.assertEqual("2", saved.take("bob"))
        self.now += 15.0
        saved.save("cem", "3")
        self.now += 25.0
        saved.forget(20.0)
        self.assertIsNone(saved.take("cem"))
