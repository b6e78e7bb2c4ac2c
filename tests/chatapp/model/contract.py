"""What every message log keeps, whatever the engine: one suite for all of them."""

import asyncio
import itertools
import random

from chatapp.model import NonceReused, RoomLimit

ROOM = "garden"


class Observer:
    """Writes down what the log announces."""

    def __init__(self):
        self.messages = []
        self.epochs = []
        self.heads = []

    def appended(self, messages):
        self.messages += messages

    def recreated(self, epoch):
        self.epochs.append(epoch)

    def missed(self, heads):
        self.heads.append(heads)


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


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
        return [await log.append(room, sender, sender.title(), text) for text in texts]

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

    async def test_a_message_keeps_what_was_said_and_when(self):
        log = await self.opened()
        self.clock.now = 1_700_000_123.4567
        text = "tab\tline\nend 🌠 é ' \" \\ %s"
        [message] = await self.say(log, text)
        self.assertEqual((ROOM, 1, "Ann", text, 1_700_000_123.457), _row(message))
        self.assertEqual([message], (await log.read(ROOM, 0, 1)).messages)

    async def test_an_unknown_room_is_empty(self):
        log = await self.opened()
        self.assertEqual((1, 0, []), await log.read("nowhere", 0, 10))
        self.assertEqual((1, 0, []), await log.before("nowhere", None, 10))

    async def test_reading_goes_on_after_a_seq_up_to_the_limit(self):
        log = await self.opened()
        await self.say(log, *"abcdef")
        self.assertEqual(["c", "d"], _texts(await log.read(ROOM, 2, 2)))
        self.assertEqual([], _texts(await log.read(ROOM, 6, 2)))
        held = await log.read(ROOM, 2**53, 0)
        self.assertEqual((1, 6, []), held)

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
        self.clock.now += 61
        await self.expire(log)
        self.assertEqual((3, 2, []), await log.read(ROOM, 0, 10))
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
        first = await log.append(ROOM, "ann", "Ann", "hi", "n1")
        again = await log.append(ROOM, "ann", "Annie", "hi", "n1")
        self.assertEqual(first, again)
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))
        await self.told(1)
        self.assertEqual(1, len(self.observer.messages))

    async def test_a_nonce_sent_twice_at_once_is_stored_once(self):
        log = await self.opened()
        sent = [log.append(ROOM, "ann", "Ann", "hi", "n1") for _ in range(10)]
        answers = await asyncio.gather(*sent)
        self.assertEqual({1}, {message.seq for message in answers})
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_belongs_to_sender_and_room(self):
        log = await self.opened()
        await log.append(ROOM, "ann", "Ann", "hi", "n1")
        await log.append(ROOM, "bob", "Bob", "ho", "n1")
        await log.append("other", "ann", "Ann", "ha", "n1")
        self.assertEqual(["hi", "ho"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_with_another_text_is_refused(self):
        log = await self.opened()
        await log.append(ROOM, "ann", "Ann", "hi", "n1")
        with self.assertRaises(NonceReused):
            await log.append(ROOM, "ann", "Ann", "ho", "n1")
        self.assertEqual(["hi"], _texts(await log.read(ROOM, 0, 10)))

    async def test_a_nonce_outlives_its_message(self):
        log = await self.opened(history=2)
        await log.append(ROOM, "ann", "Ann", "hi", "n1")
        await self.say(log, *"abc")
        again = await log.append(ROOM, "ann", "Ann", "hi", "n1")
        self.assertEqual(1, again.seq)

    async def test_there_is_a_limit_of_rooms(self):
        log = await self.opened(max_rooms=2)
        await self.say(log, "a", room="one")
        await self.say(log, "a", room="two")
        with self.assertRaises(RoomLimit):
            await self.say(log, "a", room="three")
        await self.say(log, "b", room="one")

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
        push = asyncio.ensure_future(log.append(ROOM, "ann", "Ann", "hi"))
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

    async def expire(self, log):
        """Have it look at the age of its messages now."""
        raise NotImplementedError


def _row(message):
    return (message.room, message.seq, message.nick, message.text, message.at)


def _texts(held):
    return [message.text for message in held.messages]
