"""What every message log keeps, whatever the engine: one suite for all of them."""

import asyncio
import inspect
import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.model import (
    LOBBY,
    Draft,
    Head,
    Message,
    NonceReused,
    NoSuchMessage,
    NoSuchRoom,
    Record,
    RoomLimit,
    Slice,
    clock,
)
from chatapp.model.rooms import slot

ROOM = "garden"


def store(log, room, sender, nick, text, nonce=None, opens=True):
    """Have the log store a message of the session that is called as its sender is."""
    return log.append(Draft(room, nick, text, sender, nonce), sender, opens)


class Observer:
    """Writes down what the log announces."""

    def __init__(self):
        self.messages = []
        self.epochs = []
        self.heads = []
        self.rooms = set()  # in which somebody is
        self.lasting = set()  # rooms that give way to none

    def appended(self, messages):
        self.messages += messages

    def recreated(self, epoch):
        self.epochs.append(epoch)

    def missed(self, heads):
        self.heads.append(heads)

    def occupied(self, room):
        return room in self.rooms

    def kept(self, room):
        return room in self.lasting


class Clock(clock.Clock):
    """`now` is what it is set to; it goes on as the tests say."""

    def __init__(self, now=1_700_000_000.0):
        self.boot = "once"
        self.now = now
        self._passed = 1000.0

    def wall(self):
        return self.now

    def passed(self):
        return self._passed

    def advance(self, seconds):
        self.now += seconds
        self._passed += seconds


class LogContract:
    """For an AsyncTestCase; `make(observer, **options)` returns a log, not open."""

    OPTIONS = {"history": 1000, "max_age": 0.0, "max_rooms": 100}

    def make(self, observer, **options):
        raise NotImplementedError

    async def opened(self, **options):
        self.observer = Observer()
        self.clock = Clock()
        log = self.make(self.observer, **{**self.OPTIONS, "clock": self.clock, **options})
        await log.open()
        self.addAsyncCleanup(log.close)
        return log

    async def say(self, log, *texts, room=ROOM, sender="ann"):
        """Returns the messages as they are held."""
        messages = []
        for text in texts:
            stored = await store(log, room, sender, sender.title(), text)
            messages += (await log.read(stored.room, stored.seq - 1, 1)).messages
        return messages

    async def test_numbers_are_contiguous_from_one_in_each_room(self):
        log = await self.opened()
        await self.say(log, "a", "b")
        await self.say(log, "x", room="other")
        await self.say(log, "c")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual((1, 3), (held.first, held.last))
        self.assertEqual([(1, "a"), (2, "b"), (3, "c")], [(m.seq, m.text) for m in held.messages])
        other = await log.read("other", 0, 10)
        self.assertEqual([("other", 1, "Ann", "x")], [m[:4] for m in map(_row, other.messages)])

    # Records.

    async def test_a_record_is_kept_until_it_is_changed_or_taken_away(self):
        records = (await self.opened()).records
        self.assertEqual({}, await records.get(["a", "b"]))
        self.assertTrue(await records.change({}, {"a": Record("one é"), "b": Record("")}))
        self.assertEqual({"a": "one é", "b": ""}, await records.get(["a", "b", "c"]))
        self.assertTrue(await records.change({"a": "one é"}, {"a": Record("two"), "b": None}))
        self.assertEqual({"a": "two"}, await records.get(["a", "b"]))

    async def test_of_changes_made_from_the_same_one_alone_is_made_and_wholly(self):
        records = (await self.opened()).records
        tries = [
            records.change({"a": None, "b": None}, {"a": Record(each), "b": Record(each)})
            for each in "xyz"
        ]
        self.assertEqual(1, sum(await asyncio.gather(*tries)))
        found = await records.get(["a", "b"])
        self.assertEqual(found["a"], found["b"])
        self.assertFalse(await records.change({"a": None}, {"c": Record("c")}))
        self.assertFalse(await records.change({"a": found["a"] + "?"}, {"a": None}))
        self.assertFalse(await records.change({"c": ""}, {"a": None}))
        self.assertEqual(found, await records.get(["a", "b", "c"]))

    async def test_a_record_with_an_end_is_gone_after_it(self):
        records = (await self.opened()).records
        await records.change({}, {"a": Record("a", 86400.0), "b": Record("b")})
        self.clock.advance(86_390.0)
        self.assertEqual({"a": "a", "b": "b"}, await records.get(["a", "b"]))
        self.clock.advance(20.0)
        self.assertEqual({"b": "b"}, await records.get(["a", "b"]))
        self.assertTrue(await records.change({"a": None}, {"a": Record("c", 10.0)}))
        self.assertEqual({"a": "c"}, await records.get(["a"]))

    async def test_records_are_found_by_what_their_keys_begin_with(self):
        records = (await self.opened()).records
        await records.change({}, {f"n*:{each}": Record(each) for each in "abc"})
        await records.change({}, {"nx:a": Record("x")})
        self.assertEqual({"n*:a": "a", "n*:b": "b", "n*:c": "c"}, await records.all("n*:"))
        self.assertEqual(4, len(await records.all("")))
        self.assertEqual({}, await records.all("m"))

    async def test_of_many_records_those_whose_end_has_come_are_forgotten(self):
        records = (await self.opened()).records
        for number in range(300):
            await records.change({}, {f"{number}": Record("", 10.0)})
            self.clock.advance(1.0)
        self.assertLess(len(await records.all("")), 12)

    # Rooms' names.

    async def named(self, log, *names):
        found = log.canonical_names(names)
        return dict(await found if inspect.isawaitable(found) else found)

    async def test_a_name_that_says_the_same_means_the_same_room(self):
        log = await self.opened()
        await self.say(log, "one", room="Tea")
        messages = await self.say(log, "two", "three", room="TEA")
        self.assertEqual([("Tea", 2), ("Tea", 3)], [(m.room, m.seq) for m in messages])
        names = ("Tea", "tea", "\uff34ea", "te", "LOBBY", "lobby")
        called = {"Tea": "Tea", "tea": "Tea", "\uff34ea": "Tea", "LOBBY": "lobby", "lobby": "lobby"}
        self.assertEqual(called, await self.named(log, *names))
        self.assertEqual(["one", "two", "three"], _texts(await log.read("Tea", 0, 10)))
        self.assertEqual([], _texts(await log.read("tea", 0, 10)))
        self.assertEqual("lobby", (await self.say(log, "x", room="Lobby"))[0].room)
        await self.told(4)
        self.assertEqual({"Tea", "lobby"}, {message.room for message in self.observer.messages})

    async def test_two_who_open_a_room_at_once_are_in_one(self):
        log = await self.opened()
        names = ("tea", "Tea", "TEA", "tEA")
        messages = await asyncio.gather(*(store(log, name, "x", "X", "hi") for name in names))
        self.assertEqual(1, len({message.room for message in messages}))
        self.assertEqual([1, 2, 3, 4], sorted(message.seq for message in messages))

    async def test_a_nonce_counts_whatever_the_name(self):
        log = await self.opened()
        first = await store(log, "Tea", "ann", "Ann", "hi", "n1")
        for name in ("tea", "Tea"):
            self.assertEqual(first, await store(log, name, "ann", "Ann", "hi", "n1"))

    async def test_a_reader_that_opens_no_room_finds_the_one_that_is_there(self):
        log = await self.opened()
        with self.assertRaises(NoSuchRoom):
            await store(log, "tea", "x", "X", "hi", None, False)
        await self.say(log, "one", room="Tea")
        self.assertEqual("Tea", (await store(log, "tea", "x", "X", "hi", None, False)).room)

    async def test_a_room_that_gave_way_leaves_its_name_to_another(self):
        log = await self.opened(max_rooms=1)
        await self.say(log, "one", room="Tea")
        await self.say(log, "two", room="other")
        self.assertEqual({"other": "other"}, await self.named(log, "Tea", "tea", "other"))
        [message] = await self.say(log, "three", room="tea")
        self.assertEqual("tea", message.room)

    async def test_a_message_keeps_what_was_said_and_when(self):
        log = await self.opened()
        self.clock.now = 1_700_000_123.4567
        text = "tab\tline\nend 🌠 é ' \" \\ %s"
        [message] = await self.say(log, text)
        self.assertEqual((ROOM, 1, "Ann", text, 1_700_000_123.457), _row(message))
        self.assertEqual([message], (await log.read(ROOM, 0, 1)).messages)

    async def test_a_message_keeps_its_kind_its_sender_and_its_nonce(self):
        log = await self.opened()
        drafts = Draft(ROOM, "Ann", "a", "id of ann", "n1"), Draft(ROOM, "Bob", "b", kind="other")
        for draft in drafts:
            await log.append(draft, "session")
        kept = [("said", "id of ann", "n1"), ("other", "", None)]
        await self.told(2)
        for messages in (
            (await log.read(ROOM, 0, 10)).messages,
            (await log.before(ROOM, None, 10)).messages,
            self.observer.messages,
        ):
            self.assertEqual(kept, [(m.kind, m.sender, m.nonce) for m in messages])

    async def test_a_message_keeps_what_it_is_about_and_the_address_it_came_from(self):
        log = await self.opened()
        await log.append(Draft(ROOM, "Ann", "a", about=7, address="192.0.2.1"), "session")
        await log.append(Draft(ROOM, "Bob", "b"), "session")
        await self.told(2)
        for messages in ((await log.read(ROOM, 0, 10)).messages, self.observer.messages):
            kept = [(message.about, message.address) for message in messages]
            self.assertEqual([(7, "192.0.2.1"), (None, "")], kept)

    # Removing.

    def remove(self, log, seq, room=ROOM, reason="rude"):
        """Have Bob remove a message."""
        return log.remove(room, seq, Draft(room, "Bob", reason, "id of bob", address="192.0.2.2"))

    async def test_a_removed_message_stays_without_its_text_and_another_tells_of_it(self):
        log = await self.opened()
        draft = Draft(ROOM, "Ann", "secret", "id of ann", "n1", address="192.0.2.1")
        await log.append(draft, "session")
        [said] = (await log.read(ROOM, 0, 10)).messages
        await self.say(log, "b")
        self.assertEqual((ROOM, 3), await self.remove(log, 1))
        removed = Message(
            ROOM, 1, "Ann", "", said.at, "removed", "id of ann", None, None, "192.0.2.1"
        )
        for held in (await log.read(ROOM, 0, 10), await log.before(ROOM, None, 10)):
            first, _, removal = held.messages
            self.assertEqual((removed, None), (first, first.nonce))
            self.assertEqual((1, 3, ()), (held.first, held.last, held.damaged))
            self.assertEqual(
                ("Bob", "rude", "removal", "id of bob", 1, "192.0.2.2"),
                (removal.nick, removal.text, removal.kind, removal.sender, removal.about,
                removal.address),
            )  # fmt: skip
        await self.told(3)
        self.assertEqual(["secret", "b", "rude"], [m.text for m in self.observer.messages])
        self.assertEqual(removal, self.observer.messages[-1])

    async def test_one_that_is_not_held_or_was_removed_cannot_be_removed(self):
        log = await self.opened(history=4)
        await self.say(log, *"abcde")
        await self.remove(log, 3)
        for room, seq in (
            (ROOM, 0), (ROOM, 1), (ROOM, 3), (ROOM, 6), (ROOM, 7), ("nowhere", 1), (LOBBY, 1),
        ):  # fmt: skip
            with self.subTest(room=room, seq=seq), self.assertRaises(NoSuchMessage):
                await self.remove(log, seq, room)
        self.assertEqual(["", "d", "e", "rude"], _texts(await log.read(ROOM, 0, 10)))
        self.assertEqual(Slice(1, 0, []), await log.read("nowhere", 0, 10))

    async def test_one_that_is_too_old_cannot_be_removed(self):
        log = await self.opened(max_age=60.0)
        await self.say(log, "a")
        self.clock.advance(61)
        await self.expire(log)
        with self.assertRaises(NoSuchMessage):
            await self.remove(log, 1)

    async def test_a_nonce_of_a_removed_message_means_it_and_brings_nothing_back(self):
        log = await self.opened()
        first = await store(log, ROOM, "ann", "Ann", "secret", "n1")
        await self.remove(log, 1)
        self.assertEqual(first, await store(log, ROOM, "ann", "Ann", "secret", "n1"))
        with self.assertRaises(NonceReused):
            await store(log, ROOM, "ann", "Ann", "", "n1")
        self.assertEqual(["", "rude"], _texts(await log.read(ROOM, 0, 10)))

    async def test_many_that_are_removed_at_once_are_each_removed_once(self):
        log = await self.opened()
        await self.say(log, *"abcde")
        await self.say(log, "x", room="other")
        removals = [self.remove(log, seq) for seq in (1, 2, 2, 4, 9)]
        removals.append(self.remove(log, 1, "other"))
        outcomes = await asyncio.gather(*removals, return_exceptions=True)
        refused = [isinstance(outcome, NoSuchMessage) for outcome in outcomes]
        self.assertEqual([False, False, True, False, True, False], refused)
        self.assertEqual(["", "", "c", "", "e"], _texts(await log.read(ROOM, 0, 5)))
        removals = (await log.read(ROOM, 5, 10)).messages
        self.assertEqual({1, 2, 4}, {removal.about for removal in removals})
        stored = [outcomes[at] for at in (0, 1, 3)]
        self.assertEqual(
            {m.about: m.seq for m in removals},
            dict(zip((1, 2, 4), [s.seq for s in stored], strict=True)),
        )
        self.assertEqual(["", "rude"], _texts(await log.read("other", 0, 5)))

    async def test_a_room_is_meant_by_a_name_that_says_the_same_when_one_is_removed(self):
        log = await self.opened()
        await self.say(log, "a", room="Tea")
        self.assertEqual(("Tea", 2), await self.remove(log, 1, "TEA"))
        self.assertEqual(["", "rude"], _texts(await log.read("Tea", 0, 10)))

    async def test_a_removed_message_gives_way_as_any_other(self):
        log = await self.opened(history=3)
        await self.say(log, "a", "b")
        await self.remove(log, 1)
        await self.say(log, "c")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual((2, 4, ["b", "rude", "c"]), (held.first, held.last, _texts(held)))

    async def test_removals_read_as_they_were_made_however_they_come(self):
        """Whatever is said, removed and read in whatever order."""
        log = await self.opened(history=6, max_age=500.0)
        rooms = iter(f"room-{number}" for number in itertools.count())
        loop = asyncio.get_running_loop()
        acts = st.lists(
            st.one_of(
                st.tuples(st.just("say"), st.text(max_size=3)),
                st.tuples(st.just("remove"), st.integers(0, 12)),
                st.tuples(st.just("wait"), st.sampled_from([1.0, 200.0])),
                st.tuples(st.just("read"), st.integers(0, 12), st.integers(0, 8)),
            ),
            max_size=20,
        )

        @settings(max_examples=self.EXAMPLES, deadline=None, database=None)
        @given(acts)
        def run(acts):
            done = asyncio.run_coroutine_threadsafe(
                self._check_removals(log, next(rooms), acts), loop
            )
            done.result()

        await asyncio.to_thread(run)

    EXAMPLES = 60

    async def _check_removals(self, log, room, acts):
        truth, stamps = [], []
        for act, *given_ in acts:
            now = self.clock.now
            first = max(0, len(truth) - 6)
            while first < len(truth) and stamps[first] < now - 500.0:
                first += 1
            if act == "say":
                await store(log, room, "ann", "Ann", given_[0])
                truth.append(("said", given_[0], None))
                stamps.append(now)
            elif act == "wait":
                self.clock.advance(given_[0])
                await self.expire(log)
            elif act == "remove":
                seq = given_[0]
                if first < seq <= len(truth) and truth[seq - 1][0] == "said":
                    self.assertEqual((room, len(truth) + 1), await self.remove(log, seq, room))
                    truth[seq - 1] = ("removed", "", None)
                    truth.append(("removal", "rude", seq))
                    stamps.append(now)
                else:
                    with self.assertRaises(NoSuchMessage):
                        await self.remove(log, seq, room)
            else:
                at, limit = given_
                held = await log.read(room, at, limit)
                self.assertEqual(truth[max(first, at) :][:limit], _kinds(held))
                self.assertEqual((first + 1, len(truth), ()), (held.first, held.last, held.damaged))
                before = truth[first : max(0, at - 1)]
                expected = before[max(0, len(before) - limit) :]
                self.assertEqual(expected, _kinds(await log.before(room, at, limit)))

    # Which rooms there are.

    async def test_rooms_are_told_with_their_newest_message_the_last_spoken_in_first(self):
        log = await self.opened()
        self.assertEqual([], await log.rooms())
        await self.spoken(log, "one", LOBBY, "two", "one")
        now = self.clock.now
        expected = [Head("one", 2, now), Head("two", 1, now - 1), Head(LOBBY, 1, now - 2)]
        self.assertEqual(expected, await log.rooms())
        self.clock.advance(1)
        await self.remove(log, 1, "two")
        self.assertEqual(Head("two", 2, now + 1), (await log.rooms())[0])

    async def test_an_unknown_room_is_empty(self):
        log = await self.opened()
        self.assertEqual(Slice(1, 0, []), await log.read("nowhere", 0, 10))
        self.assertEqual(Slice(1, 0, []), await log.before("nowhere", None, 10))

    async def test_reading_goes_on_after_a_seq_up_to_the_limit(self):
        log = await self.opened()
        await self.say(log, *"abcdef")
        self.assertEqual(["c", "d"], _texts(await log.read(ROOM, 2, 2)))
        self.assertEqual([], _texts(await log.read(ROOM, 6, 2)))
        held = await log.read(ROOM, 2**53, 0)
        self.assertEqual(Slice(1, 6, []), held)

    async def test_reading_backwards_gives_the_newest_before_a_seq(self):
        log = await self.opened()
        await self.say(log, *"abcdef")
        self.assertEqual(["e", "f"], _texts(await log.before(ROOM, None, 2)))
        self.assertEqual(["b", "c"], _texts(await log.before(ROOM, 4, 2)))
        self.assertEqual(["a"], _texts(await log.before(ROOM, 2, 5)))
        self.assertEqual([], _texts(await log.before(ROOM, 1, 5)))
        self.assertEqual(["e", "f"], _texts(await log.before(ROOM, 2**53, 2)))

    async def test_history_is_bounded_and_says_where_it_begins(self):
        log = await self.opened(history=3)
        await self.say(log, *"abcde")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual((3, 5, ["c", "d", "e"]), (held.first, held.last, _texts(held)))
        self.assertEqual(["c", "d"], _texts(await log.before(ROOM, 5, 10)))

    async def test_what_is_too_old_is_gone_and_the_numbers_go_on(self):
        log = await self.opened(max_age=60.0)
        await self.say(log, "a", "b")
        self.clock.advance(61)
        await self.expire(log)
        self.assertEqual(Slice(3, 2, []), await log.read(ROOM, 0, 10))
        [message] = await self.say(log, "c")
        self.assertEqual(3, message.seq)

    async def test_a_clock_that_is_set_back_loses_nothing(self):
        log = await self.opened(max_age=60.0)
        await self.say(log, "a")
        self.clock.now -= 1000
        await self.say(log, "b")
        await self.expire(log)
        held = await log.read(ROOM, 0, 10)
        self.assertEqual(["a", "b"], _texts(held))

    async def test_a_nonce_sent_twice_is_stored_once(self):
        log = await self.opened()
        first = await store(log, ROOM, "ann", "Ann", "hi", "n1")
        again = await store(log, ROOM, "ann", "Annie", "hi", "n1")
        self.assertEqual(first, again)
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))
        await self.told(1)
        self.assertEqual(1, len(self.observer.messages))

    async def test_a_nonce_sent_twice_at_once_is_stored_once(self):
        log = await self.opened()
        sent = [store(log, ROOM, "ann", "Ann", "hi", "n1") for _ in range(10)]
        answers = await asyncio.gather(*sent)
        self.assertEqual({1}, {message.seq for message in answers})
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_belongs_to_session_and_room(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        await store(log, ROOM, "bob", "Bob", "ho", "n1")
        await store(log, "other", "ann", "Ann", "ha", "n1")
        self.assertEqual(["hi", "ho"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_with_another_text_is_refused(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        with self.assertRaises(NonceReused):
            await store(log, ROOM, "ann", "Ann", "ho", "n1")
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_outlives_its_message(self):
        log = await self.opened(history=2)
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        await self.say(log, *"abc")
        again = await store(log, ROOM, "ann", "Ann", "hi", "n1")
        self.assertEqual(1, again.seq)

    # Rooms that give way.

    async def spoken(self, log, *rooms):
        """One after the other somebody speaks in them."""
        for room in rooms:
            self.clock.advance(1)
            await self.say(log, f"in {room}", room=room)

    async def there(self, log, *rooms):
        """Which of the rooms have messages."""
        return {room for room in rooms if (await log.read(room, 0, 1)).messages}

    async def test_the_longest_silent_room_gives_way(self):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, "one", "two", "one", "three")
        self.assertEqual({"one", "three"}, await self.there(log, "one", "two", "three"))
        await self.spoken(log, "four", "five")
        self.assertEqual({"four", "five"}, await self.there(log, "one", "three", "four", "five"))

    async def test_a_room_that_somebody_is_in_does_not_give_way_to_another(self):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, "one", "two")
        await self.occupy("one")
        await self.spoken(log, "three", "four")
        self.assertEqual({"one", "four"}, await self.there(log, "one", "two", "three", "four"))

    async def test_a_room_that_is_to_be_kept_never_gives_way(self):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, "one", "two")
        await self.keep(log, "one")
        await self.spoken(log, "three", "four")
        self.assertEqual({"one", "four"}, await self.there(log, "one", "two", "three", "four"))
        await self.keep(log, "one", "four")
        self.clock.advance(86400)
        with self.assertRaises(RoomLimit):
            await self.say(log, "a", room="five")
        self.assertEqual({"one", "four"}, await self.there(log, "one", "four", "five"))

    async def test_where_all_are_in_use_the_longest_silent_gives_way_after_a_long_silence(
        self,
    ):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, "one", "two")
        await self.occupy("one", "two")
        self.clock.advance(298)
        with self.assertRaisesRegex(RoomLimit, "all that there may be are in use"):
            await self.say(log, "a", room="three")
        self.assertEqual({"one", "two"}, await self.there(log, "one", "two", "three"))
        await self.spoken(log, "three")
        self.assertEqual({"two", "three"}, await self.there(log, "one", "two", "three"))

    async def test_the_lobby_counts_as_no_room_and_gives_way_to_none(self):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, LOBBY, "one", "two")
        self.assertEqual({LOBBY, "one", "two"}, await self.there(log, LOBBY, "one", "two"))
        await self.spoken(log, "three")
        self.assertEqual({LOBBY, "two", "three"}, await self.there(log, LOBBY, "two", "three"))

    async def test_a_silent_lobby_can_be_spoken_in_where_all_rooms_are_in_use(self):
        log = await self.opened(max_rooms=1)
        await self.spoken(log, "one")
        await self.occupy("one")
        await self.spoken(log, LOBBY)
        self.assertEqual({LOBBY, "one"}, await self.there(log, LOBBY, "one"))

    async def test_numbers_of_a_room_that_gave_way_go_on(self):
        log = await self.opened(max_rooms=1)
        await self.say(log, "a", "b", "c")
        await self.say(log, "x", room="other")
        self.assertEqual(Slice(4, 3, [], 3), await log.read(ROOM, 1, 10))
        self.assertEqual(Slice(4, 3, [], 3), await log.before(ROOM, None, 10))
        [message] = await self.say(log, "d")
        self.assertEqual(4, message.seq)
        self.assertEqual(Slice(4, 4, [message], 3), await log.read(ROOM, 0, 10))
        self.assertEqual(Slice(2, 1, [], 1), await log.read("other", 0, 10))

    async def test_a_nonce_outlives_its_room(self):
        log = await self.opened(max_rooms=1)
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        await self.say(log, "x", room="other")
        again = await store(log, ROOM, "ann", "Ann", "hi", "n1")
        self.assertEqual(1, again.seq)
        self.assertEqual(set(), await self.there(log, ROOM))
        self.assertEqual(2, (await store(log, ROOM, "ann", "Ann", "ho", "n2")).seq)

    async def test_rooms_of_the_same_slot_share_the_higher_number(self):
        one, other = _of_one_slot()
        log = await self.opened(max_rooms=1)
        await self.say(log, "a", "b", "c", room=one)
        await self.say(log, "a", room=other)
        await self.say(log, "x", room="third")
        self.assertEqual(Slice(4, 3, [], 3), await log.read(one, 0, 10))
        self.assertEqual(Slice(4, 3, [], 3), await log.read(other, 0, 10))

    async def test_where_there_may_be_fewer_rooms_than_there_are_they_become_fewer(self):
        log = await self.opened(max_rooms=30)
        rooms = [f"r{number}" for number in range(30)]
        await self.spoken(log, *rooms)
        self.limit(log, 4)
        await self.spoken(log, "one", "two", "three", "four")
        self.assertEqual(set(), await self.there(log, *rooms))
        self.assertEqual(
            {"one", "two", "three", "four"}, await self.there(log, "one", "two", "three", "four")
        )

    async def test_a_room_is_opened_only_where_that_is_wanted(self):
        log = await self.opened()
        with self.assertRaises(NoSuchRoom):
            await store(log, ROOM, "ann", "Ann", "hi", "n1", opens=False)
        self.assertEqual(Slice(1, 0, []), await log.read(ROOM, 0, 10))
        await store(log, LOBBY, "ann", "Ann", "hi", opens=False)
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        again = await store(log, ROOM, "ann", "Ann", "hi", "n1", opens=False)
        other = await store(log, ROOM, "ann", "Ann", "ho", "n2", opens=False)
        self.assertEqual((1, 2), (again.seq, other.seq))

    async def test_no_number_is_given_out_twice_however_rooms_come_and_go(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        log = await self.opened(max_rooms=rng.randrange(1, 4), history=5)
        said = {}
        for number in range(150):
            room = rng.choice([LOBBY, *"abcdef"])
            await self.occupy(*rng.sample("abcdef", 2))
            self.clock.advance(rng.choice([1, 400]))
            try:
                [message] = await self.say(log, f"{number}", room=room)
            except RoomLimit:
                continue
            self.assertNotIn((room, message.seq), said, f"seed {seed}")
            said[room, message.seq] = f"{number}"
            for each in (LOBBY, *"abcdef"):
                held = await log.read(each, 0, 10)
                seqs = [m.seq for m in held.messages]
                self.assertEqual(list(range(held.first, held.last + 1)), seqs, f"seed {seed}")
                self.assertLessEqual(held.start, held.first - 1, f"seed {seed}")
                newest = max((seq for name, seq in said if name == each), default=0)
                self.assertLessEqual(newest, held.last, f"seed {seed}")
                for message in held.messages:
                    self.assertEqual(said[each, message.seq], message.text, f"seed {seed}")

    async def test_the_observer_hears_each_message_once_in_order(self):
        log = await self.opened()
        rooms = ["one", "two", "three"]
        await asyncio.gather(
            *(self.say(log, f"{n}", room=rooms[n % 3], sender=f"s{n}") for n in range(60))
        )
        await self.told(60)
        for room in rooms:
            held = await log.read(room, 0, 100)
            self.assertEqual(20, len(held.messages))
            heard = [m for m in self.observer.messages if m.room == room]
            self.assertEqual(held.messages, heard)

    async def test_a_pusher_that_leaves_takes_nothing_away(self):
        log = await self.opened()
        push = asyncio.ensure_future(store(log, ROOM, "ann", "Ann", "hi"))
        await asyncio.sleep(0)
        push.cancel()
        await asyncio.gather(push, return_exceptions=True)
        await self.say(log, "ho")
        self.assertEqual(["hi", "ho"], _texts(await log.read(ROOM, 0, 10)))
        await self.told(2)
        self.assertEqual(["hi", "ho"], [message.text for message in self.observer.messages])

    async def test_a_random_run_reads_as_it_was_written(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        history = rng.randrange(1, 30)
        log = await self.opened(history=history)
        said = {room: [] for room in ("one", "two")}
        for number in itertools.islice(itertools.count(), 120):
            room = rng.choice(list(said))
            said[room].append(f"{number}")
            await self.say(log, f"{number}", room=room)
            after, limit = rng.randrange(40), rng.randrange(1, 40)
            head = len(said[room])
            kept = range(max(0, head - history), head)
            held = await log.read(room, after, limit)
            expected = [said[room][i] for i in kept if i >= after][:limit]
            self.assertEqual(expected, _texts(held), f"seed {seed}")
            self.assertEqual((kept[0] + 1, head), held[:2], f"seed {seed}")
            before = [said[room][i] for i in kept if i < after - 1][-limit:]
            self.assertEqual(before, _texts(await log.before(room, after, limit)), f"seed {seed}")

    async def told(self, count):
        """Return when the observer has heard of `count` messages; at once where it has by now."""

    async def occupy(self, *rooms):
        """These are the rooms that somebody is in."""
        self.observer.rooms = set(rooms)

    async def keep(self, log, *rooms):
        """These are the rooms that give way to none."""
        self.observer.lasting = set(rooms)

    def limit(self, log, max_rooms):
        """There may be so many rooms from now on."""
        log._max_rooms = max_rooms

    async def expire(self, log):
        """Have it look at the age of its messages now."""
        raise NotImplementedError


class SharedLogContract(LogContract):
    """For one that several processes share: logs that a test makes are those of one place."""

    async def both(self, **options):
        """Logs of two processes, and the observer of the first; `self.observer` is the second's."""
        clock = Clock()
        one = await self.opened(clock=clock, **options)
        first, two = self.observer, await self.opened(clock=clock, **options)
        self.clock = clock
        return one, first, two

    async def heard(self, observer, count):
        """Return when `observer` has heard of `count` messages."""
        async with asyncio.timeout(20):
            while len(observer.messages) < count:
                await asyncio.sleep(0.005)

    async def told(self, count):
        await self.heard(self.observer, count)

    async def test_it_is_shared(self):
        self.assertTrue((await self.opened()).shared)

    async def test_another_process_hears_the_same_and_knows_the_epoch(self):
        one, first, two = await self.both()
        self.assertEqual(one.epoch, two.epoch)
        await asyncio.gather(
            *(self.say(log, f"{n}", sender=f"s{n}") for n in range(50) for log in (one, two))
        )
        await self.told(100)
        await self.heard(first, 100)
        self.assertEqual(first.messages, self.observer.messages)
        self.assertEqual(list(range(1, 101)), [m.seq for m in first.messages])
        held = await one.read(ROOM, 0, 1000)
        self.assertEqual(first.messages, held.messages)

    async def test_a_process_that_comes_later_hears_only_what_is_new(self):
        one = await self.opened()
        await self.say(one, "a", "b")
        await self.told(2)
        two = await self.opened()
        await self.say(one, "c")
        await self.told(1)
        self.assertEqual(["c"], [message.text for message in self.observer.messages])
        self.assertEqual(["a", "b", "c"], _texts(await two.read(ROOM, 0, 10)))

    async def test_a_nonce_counts_at_every_process(self):
        one, _, two = await self.both()
        first = await store(one, ROOM, "ann", "Ann", "hi", "n1")
        self.assertEqual(first, await store(two, ROOM, "ann", "Ann", "hi", "n1"))
        with self.assertRaises(NonceReused):
            await store(two, ROOM, "ann", "Ann", "ho", "n1")

    async def test_a_message_that_one_process_removes_is_removed_for_all(self):
        one, first, two = await self.both()
        await self.say(one, "a", "b")
        await self.told(2)
        await self.remove(two, 1)
        await self.told(3)
        await self.heard(first, 3)
        self.assertEqual(first.messages, self.observer.messages)
        self.assertEqual(["", "b", "rude"], _texts(await one.read(ROOM, 0, 10)))
        with self.assertRaises(NoSuchMessage):
            await self.remove(one, 1)
        await self.say(one, "c")
        await self.told(4)
        await self.heard(first, 4)
        self.assertEqual([[], []], [first.epochs, self.observer.epochs])
        self.assertEqual([[], []], [first.heads, self.observer.heads])

    async def test_a_room_has_one_name_at_every_process(self):
        one, _, two = await self.both()
        await self.say(one, "one", room="Tea")
        self.assertEqual({"TEA": "Tea"}, await self.named(two, "TEA"))
        self.assertEqual("Tea", (await self.say(two, "two", room="TEA"))[0].room)

    async def test_a_room_that_somebody_is_in_at_another_process_does_not_give_way(self):
        """What the observer of one process knows is not enough."""
        one, _, _ = await self.both(max_rooms=2)
        await self.spoken(one, "one", "two")
        await self.occupy("one")
        await self.spoken(one, "three")
        self.assertEqual({"one", "three"}, await self.there(one, "one", "two", "three"))


def _of_one_slot():
    """Names of two rooms that have it in common."""
    rooms = {}
    for number in itertools.count():
        other = rooms.setdefault(slot(f"r{number}"), f"r{number}")
        if other != f"r{number}":
            return other, f"r{number}"


class OwnClockContract(LogContract):
    """Of logs that go by the clock of the machine that they are on."""

    async def test_a_clock_that_is_set_deletes_nothing_that_is_younger(self):
        log = await self.opened(max_age=60.0)
        for step in (86400, -86400):
            with self.subTest(step=step):
                room = f"set-{step}"
                await self.say(log, "a", room=room)
                self.clock.advance(10)
                self.clock.now += step
                await self.expire(log)
                await self.say(log, "b", room=room)
                await self.expire(log)
                self.assertEqual(["a", "b"], _texts(await log.read(room, 0, 10)))
                self.clock.advance(40)
                self.clock.now -= step
                await self.expire(log)
                self.assertEqual(["a", "b"], _texts(await log.read(room, 0, 10)))
                self.clock.advance(11)
                await self.expire(log)
                self.assertEqual(["b"], _texts(await log.read(room, 0, 10)))
                self.clock.advance(40)
                await self.expire(log)
                self.assertEqual([], _texts(await log.read(room, 0, 10)))

    async def test_a_clock_that_is_set_ahead_makes_no_room_silent(self):
        log = await self.opened(max_rooms=1)
        self.observer.rooms = {"one"}
        await self.say(log, "a", room="one")
        self.clock.now += 86400
        with self.assertRaises(RoomLimit):
            await self.say(log, "a", room="two")
        self.clock.advance(301)
        await self.say(log, "a", room="two")


def _row(message):
    return (message.room, message.seq, message.nick, message.text, message.at)


def _kinds(held):
    return [(message.kind, message.text, message.about) for message in held.messages]


def _texts(held):
    return [message.text for message in held.messages]
