"""Rooms and standings as each process knows them, on every log."""

import asyncio
import math
from unittest import mock

from chatapp.community import book as book_module
from chatapp.community.book import CHANGES
from chatapp.community.deeds import Deed, read_deeds
from chatapp.community.edits import Edit
from chatapp.community.rooms import DIRECT, Room
from chatapp.community.standings import NO_STANDING, Ban, Standing
from chatapp.identity.person import Person
from chatapp.model import Record
from chatapp.model.message import handle
from tests.chatapp.community.contract import BookCase, OnMemory, OnRedis, OnSQLite

PRIVATE = "~" + 16 * "a"


class BookCases(BookCase):
    async def keep(self, book, **edit):
        self.assertTrue(await book.change(lambda: Edit(**edit)))

    async def both(self):
        """A book that changes things, and what another one is told."""
        one, other, heard = self.book(), self.book(), []
        other.observers.append(heard.append)
        await other.catch_up()
        return one, other, heard

    async def test_a_room_of_which_there_is_no_record(self):
        book = self.book()
        self.assertFalse(book.is_known)
        await book.catch_up()
        self.assertTrue(book.is_known)
        self.assertEqual(("open", False), (book.room("garden").policy, book.keeps("garden")))
        private = book.room(PRIVATE)
        self.assertEqual(
            ("members", True, {}), (private.policy, private.is_private, private.members)
        )

    async def test_what_one_process_changes_the_others_know_once_they_catch_up(self):
        one, other, heard = await self.both()
        room = Room(PRIVATE, "members", "Lunch é", DIRECT, {"A": "Ann"}, by="A", at=12.5)
        standing = Standing("keeper", 5.0, "loud", math.inf, "why", ("10.0.0.1",), 7)
        bans = {"10.0.0.1": Ban(math.inf, "why", "B")}
        await self.keep(one, rooms=[room], standings={"B": standing}, bans=bans)
        self.assertEqual(room, one.room(PRIVATE))
        self.assertFalse(other.keeps(PRIVATE))
        await other.catch_up()
        self.assertEqual(room, other.room(PRIVATE))
        self.assertEqual([room], other.rooms_of("A"))
        self.assertEqual(standing._replace(muted_until=0.0, mute_reason=""), other.standing("B"))
        self.assertEqual(Ban(math.inf, "why", "B"), other.banned("C", "10.0.0.1"))
        self.assertEqual([{f"room:{PRIVATE}", "standing:B", "ban:10.0.0.1"}], heard)
        await self.keep(
            one, removed=[PRIVATE], standings={"B": NO_STANDING}, bans=dict.fromkeys(bans)
        )
        await other.catch_up()
        self.assertEqual([], other.rooms_of("A"))
        self.assertIsNone(other.banned("B", "10.0.0.1"))
        self.assertEqual({CHANGES}, set(await self.log.records.all("")))

    async def test_all_who_ask_while_it_looks_share_the_next_look(self):
        book, looks = self.book(), []
        get = self.log.records.get

        async def counted(keys):
            looks.append(keys)
            return await get(keys)

        with mock.patch.object(self.log.records, "get", counted):
            await asyncio.gather(*(book.catch_up() for _ in range(100)))
        self.assertEqual(1, len([keys for keys in looks if keys == [CHANGES]]))
        await self.keep(self.book(), rooms=[Room("hall", "announce")])
        left = asyncio.ensure_future(book.catch_up())
        await asyncio.sleep(0)
        left.cancel()
        await book.catch_up()
        self.assertTrue(book.keeps("hall"))

    async def test_who_is_a_member_no_more_is_told_with_the_change(self):
        one, other, _ = await self.both()
        room = Room(PRIVATE, "members", members={"A": "", "B": "", "C": ""})
        heard = []
        other.observers.append(lambda keys: heard.append(other.departed(PRIVATE)))
        for change in (
            {"rooms": [room]},
            {"rooms": [room._replace(members={"A": ""})]},
            {"removed": [PRIVATE]},
        ):
            await self.keep(one, **change)
            await other.catch_up()
        self.assertEqual([set(), {"B", "C"}, {"A"}], heard)

    async def test_a_look_at_what_is_the_same_reads_nothing(self):
        one, other, heard = await self.both()
        await self.keep(one, rooms=[Room("hall", "announce")])
        text = (await self.log.records.get([CHANGES]))[CHANGES]
        await other.look(text)
        await other.look(text)
        self.assertEqual("announce", other.room("hall").policy)
        self.assertEqual([{"room:hall"}], heard)

    async def test_who_has_missed_more_than_is_remembered_reads_everything(self):
        one, other, heard = await self.both()
        await self.keep(one, rooms=[Room("gone"), Room("hall")])
        await other.catch_up()
        await self.keep(one, removed=["gone"])
        for number in range(3 + book_module._RECENT):
            await self.keep(one, standings={"A": Standing(ban_reason=str(number))})
        await other.catch_up()
        self.assertEqual(["hall"], [room.name for room in other.rooms()])
        self.assertEqual({"room:gone", "standing:A"}, heard[-1])
        self.assertEqual(str(number), other.standing("A").ban_reason)

    async def test_records_that_were_lost_or_put_back_are_followed_too(self):
        one, other, _ = await self.both()
        await self.keep(one, rooms=[Room("a"), Room("b")])
        before = await self.log.records.get([CHANGES, "room:a", "room:b"])
        await self.keep(one, removed=["a"])
        await other.catch_up()
        records = self.log.records
        await records.change({}, {key: Record(text) for key, text in before.items()})
        await self.keep(one, removed=["b"])
        await other.catch_up()
        self.assertEqual(["a"], [room.name for room in other.rooms()])
        await records.change({}, dict.fromkeys([CHANGES, "room:a"]))
        await other.catch_up()
        self.assertEqual([], other.rooms())

    async def test_a_record_that_is_damaged_counts_as_none(self):
        book = self.book()
        await self.keep(book, rooms=[Room("hall", "announce"), Room(PRIVATE, members={"A": ""})])
        damaged = {key: Record("{") for key in ("room:hall", f"room:{PRIVATE}", "standing:A")}
        await self.log.records.change({}, {**damaged, "ban:10.0.0.1": Record("[]")})
        again = self.book()
        with self.assertLogs("chatapp.community.book", "ERROR") as said:
            await again.catch_up()
        self.assertEqual(4, len(said.records))
        self.assertEqual(([], []), (again.rooms(), again.rooms_of("A")))
        self.assertIsNone(again.banned("A", "10.0.0.1"))

    async def test_of_two_who_decide_at_once_one_decides_again(self):
        one, other, _ = await self.both()
        await self.keep(one, rooms=[Room("hall", "announce")])

        def join(book, person):
            def decide():
                room = book.room("hall")
                return Edit([room._replace(members={**room.members, person: person})])

            return book.change(decide)

        people = [f"{book}{number}" for book in "ab" for number in range(5)]
        await asyncio.gather(*(join(one if each < "b" else other, each) for each in people))
        await one.catch_up()
        self.assertEqual(set(people), set(one.room("hall").members))

    async def test_what_is_refused_changes_nothing(self):
        book = self.book()
        self.assertFalse(await book.change(lambda: None))

        def refuse():
            raise LookupError

        with self.assertRaises(LookupError):
            await book.change(refuse)
        self.assertEqual({}, await self.log.records.all(""))

    async def test_a_deed_is_kept_with_what_was_done_and_numbered(self):
        one, other, _ = await self.both()
        deeds = [Deed(float(n), "A", "Ann", "ban", "B", "Bob", seq=n or None) for n in range(5)]
        for book, deed in zip([one, other, one, other, one], deeds, strict=True):
            await self.keep(book, deed=deed)
        self.assertEqual(5, one.deeds)
        newest = await read_deeds(self.log.records, one.deeds, None, 2)
        self.assertEqual([(5, deeds[4]), (4, deeds[3])], list(newest.items()))
        rest = await read_deeds(self.log.records, one.deeds, 4, 100)
        self.assertEqual([3, 2, 1], list(rest))

    async def test_times_that_are_over_count_no_more(self):
        book = self.book()
        now = self.clock.wall()
        standing = Standing("", now + 10, "loud", now + 20, "spam", ("10.0.0.1",))
        bans = {"10.0.0.1": Ban(now + 20, "", "B")}
        await self.keep(book, standings={"B": standing}, bans=bans)
        self.assertEqual(now + 20, book.banned("B", None).until)
        self.clock.advance(15)
        self.assertEqual((0.0, "", now + 20, "spam"), book.standing("B")[1:5])
        self.assertEqual(now + 20, book.banned("X", "10.0.0.1").until)
        self.assertIsNone(book.banned("X", "10.0.0.2"))
        self.clock.advance(15)
        self.assertIsNone(book.banned("B", "10.0.0.1"))
        self.assertEqual(NO_STANDING, book.standing("B"))
        again = self.book()
        await again.catch_up()
        self.assertIsNone(again.banned("B", "10.0.0.1"))

    async def test_what_has_ended_is_kept_no_longer(self):
        book, now = self.book(), self.clock.wall()
        standings = {
            "A": Standing(muted_until=now + 10, banned_until=now + 20),
            "B": Standing("guest", muted_until=now + 10),
            "C": Standing(muted_until=now + 10, banned_until=math.inf),
        }
        await self.keep(book, standings=standings)
        for seconds, kept in ((15, "ABC"), (10, "BC")):
            self.clock.advance(seconds)
            found = await self.log.records.all("standing:")
            self.assertEqual({f"standing:{each}" for each in kept}, set(found))

    async def test_who_has_a_handle_is_known_while_something_is_kept_of_them(self):
        one, other, _ = await self.both()
        await self.keep(one, standings={"A": Standing("guest"), "B": Standing(deed=3)})
        await other.catch_up()
        self.assertEqual(("A", None), (other.decided(handle("A")), other.decided("A")))
        self.assertEqual([("A", Standing("guest"))], other.standings())
        await self.keep(one, standings={"A": NO_STANDING})
        await other.catch_up()
        self.assertIsNone(other.decided(handle("A")))

    async def test_a_name_that_says_the_same_is_that_room(self):
        book = self.book()
        await self.keep(book, rooms=[Room("Tea", "announce")])
        self.assertEqual(
            ("Tea", "announce"), (book.called("tea"), book.room("\uff34\uff25\uff21").policy)
        )
        self.assertIsNone(book.called("coffee"))
        await self.keep(book, removed=["Tea"])
        self.assertIsNone(book.called("tea"))

    async def test_the_role_is_what_was_given_here_or_what_the_ini_or_the_identity_says(self):
        book = self.book(keepers=["A", handle("B")], keeper_groups=["staff"])
        roles = {
            "keeper": [Person("A"), Person("B"), Person("C", groups=("x", "staff"))],
            "owner": [Person("A", role="owner")],
            "guest": [Person("D", role="guest")],
            "member": [Person("D"), Person("D", role="console"), Person("D", role="admin")],
        }
        for role, people in roles.items():
            for person in people:
                self.assertEqual(role, book.known(person).role, person)
        await self.keep(book, standings={"A": Standing("guest"), "D": Standing("owner")})
        self.assertEqual("guest", book.known(Person("A", role="owner")).role)
        self.assertEqual("owner", book.known(Person("D")).role)


class MemoryBookTests(OnMemory, BookCases):
    pass


class SQLiteBookTests(OnSQLite, BookCases):
    pass


class RedisBookTests(OnRedis, BookCases):
    pass


del BookCases
