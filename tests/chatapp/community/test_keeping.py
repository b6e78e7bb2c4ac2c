"""What people do to rooms and to each other, on every log."""

import asyncio
import math

from chatapp.community.acts import CONSOLE, READ, SEE, SPEAK, may
from chatapp.community.asking import NO_SUCH_ROOM, Impossible, NoSuch, NotAllowed, Unfit
from chatapp.community.keeping import Keeping
from chatapp.community.roomkeeping import MOST_TOGETHER
from chatapp.community.rooms import MOST_MEMBERS, new_private_name
from chatapp.community.standings import Standing
from chatapp.identity.gone import gone_devices
from chatapp.identity.members import add_device, admit
from chatapp.identity.person import Person
from tests.chatapp.community.contract import BookCase, OnMemory, OnRedis, OnSQLite
from tests.chatapp.model.contract import LogContract, Observer, store

ANN, BOB, CAT = (Person(name[0], name, role="member") for name in ("Ann", "Bob", "Cat"))
GUS = Person("G", "Gus", role="guest")
KIM, KAT = (Person(name, name, role="keeper") for name in ("Kim", "Kat"))
OLA = Person("O", "Ola", role="owner")


class KeepingCases(BookCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.rooms = self.book()
        self.keeping = self.made()

    def made(self, **options):
        return Keeping(self.log, self.rooms, b"key", wall=self.clock.wall, **options)

    async def refused(self, error, line, acting):
        with self.assertRaisesRegex(error, line):
            await acting

    async def private(self, *others, by=ANN):
        return await self.keeping.make_room(by, "Lunch", "members", others)

    # Rooms.

    async def test_a_private_room_is_made_with_its_members(self):
        room = await self.private(BOB)
        self.assertEqual({"A": "Ann", "B": "Bob"}, room.members)
        self.assertEqual(("Lunch", "members", "A"), (room.title, room.policy, room.by))
        self.assertEqual(room, self.rooms.room(room.name))
        self.assertEqual([room], self.rooms_of(BOB))

    def rooms_of(self, person):
        return self.rooms.rooms_of(person.id)

    async def test_an_announce_room_is_made_by_no_guest(self):
        make = self.keeping.make_room
        room = await make(ANN, "The news", "announce", [], "The-news")
        self.assertEqual(("The-news", {"A": "Ann"}), (room.name, room.members))
        await self.refused(NotAllowed, "may not", make(GUS, "x", "announce", [], "x"))
        await self.refused(Impossible, "called The-news", make(BOB, "x", "open", [], "the-NEWS"))

    async def test_a_room_that_somebody_has_spoken_in_is_not_made_again(self):
        await store(self.log, "Garden", "ann", "Ann", "hello")
        make = self.keeping.make_room
        for name in ("garden", "lobby"):
            await self.refused(Impossible, "already", make(ANN, "x", "announce", [], name))

    async def test_a_rule_is_asked_about_the_room_as_it_would_be(self):
        await store(self.log, "dev-ops", "ann", "Ann", "hello")
        await self.keeping.make_room(ANN, "Board", "announce", [], "board")
        asked = []

        async def allow(person, room, act):
            asked.append((room.name, room.policy, act))
            hidden = room.name.startswith("dev-") or (room.name, act) == ("Board", SEE)
            return person == ANN or (not hidden and "A" not in room.members)

        make = self.made(allow=allow).make_room
        for policy in ("open", "announce"):
            for name in ("dev-plans", "dev-ops", "board"):
                await self.refused(NotAllowed, "may not", make(BOB, "x", policy, [], name))
            self.assertIn(("dev-plans", policy, "open"), asked)
        self.assertEqual([], self.rooms_of(BOB))
        await self.refused(Impossible, "already", make(ANN, "x", "open", [], "dev-ops"))
        self.assertEqual("plans", (await make(BOB, "x", "announce", [], "plans")).name)
        self.assertTrue((await make(BOB, "x", "members")).is_private)
        self.assertIn(("", "open", "open"), asked)

    async def test_what_a_room_cannot_be(self):
        make = self.keeping.make_room
        await self.refused(Unfit, "policy", make(ANN, "x", "closed", [], "x"))
        for title in ("", " ", "x" * 65, "a\x1bb", "\u200b", "a\u202eb"):
            await self.refused(Unfit, "title", make(ANN, title, "members"))
        self.assertEqual("a b", (await make(ANN, " a \n b ", "members")).title)

    async def test_there_is_a_most_of_rooms_of_members_and_of_rooms_of_one(self):
        self.keeping = self.made(most_private=2, most_rooms=3)
        for _ in range(2):
            await self.private()
        await self.refused(NotAllowed, "made 2 private rooms", self.private())
        await self.private(by=BOB)
        await self.refused(Impossible, "as many rooms", self.private(by=CAT))
        people = [Person(str(number)) for number in range(MOST_MEMBERS)]
        self.keeping = self.made()
        await self.refused(Impossible, "at most 1000", self.private(*people))

    async def test_a_room_that_somebody_has_left_is_of_their_share_and_of_nobody_elses(self):
        self.keeping = self.made(most_private=2)
        made = [await self.private(BOB), await self.keeping.direct(ANN, [BOB])]
        for room in made:
            await self.keeping.leave(ANN, room.name)
        await self.refused(NotAllowed, "made 2 private rooms", self.private(BOB))
        for _ in made:
            await self.private(by=BOB)
        await self.keeping.leave(BOB, made[0].name)
        await self.private()

    async def test_of_guests_the_room_that_is_silent_for_longest_gives_way(self):
        self.keeping = self.made(most_rooms=3)
        make = self.keeping.make_room
        spoken, silent = [await make(GUS, "x", "members", [BOB]) for _ in range(2)]
        await self.keeping.settle(ANN, (await self.private()).name, "kept")
        for acting in (self.private(by=BOB), self.keeping.direct(BOB, [ANN])):
            await self.refused(Impossible, "as many rooms", acting)
        self.clock.advance(200)
        await self.said(spoken.name, GUS)
        self.clock.advance(200)
        made = await self.keeping.direct(BOB, [ANN])
        self.assertFalse(self.rooms.keeps(silent.name))
        self.assertEqual({"G", "B"}, set(self.rooms.room(spoken.name).members))
        held = [self.rooms.holds(each.name) for each in (made, spoken)]
        self.assertEqual([True, False], held)
        await self.refused(Impossible, "as many rooms", self.private(by=BOB))

    async def test_a_room_that_was_kept_meanwhile_gives_way_to_none(self):
        self.keeping = self.made(most_rooms=1)
        room = await self.keeping.make_room(GUS, "x", "members", [KIM])
        self.clock.advance(400)
        other = Keeping(self.log, self.book(), b"key", wall=self.clock.wall)
        change = self.rooms.change

        async def meanwhile(decide):
            await other.settle(KIM, room.name, "kept")
            return await change(decide)

        self.rooms.change = meanwhile
        for making in (self.private(by=BOB), self.keeping.direct(BOB, [ANN])):
            await self.refused(Impossible, "as many rooms", making)
        self.assertTrue(self.rooms.holds(room.name))

    async def test_in_the_log_a_guests_room_gives_way_and_no_other(self):
        await self.log.close()
        options = {**LogContract.OPTIONS, "max_rooms": 2}
        observer = Observer()
        observer.kept = lambda name: self.rooms.holds(name)
        self.log = self.make(observer, **options, clock=self.clock)
        await self.log.open()
        self.addAsyncCleanup(self.log.close)
        self.rooms = self.book()
        make = self.made().make_room
        kept = await make(ANN, '"passing":true}', "members", [BOB])
        passing = await make(GUS, "x", "members", [BOB])
        for name in (kept.name, passing.name, "new"):
            await store(self.log, name, "B", "Bob", "hello")
        there = {head.name for head in await self.log.rooms()}
        self.assertEqual({kept.name, "new"}, there - {"lobby"})

    async def test_direct_leads_those_who_begin_at_once_to_one_room(self):
        rooms = await asyncio.gather(
            self.keeping.direct(ANN, [BOB, CAT]), self.made().direct(CAT, [ANN, BOB])
        )
        self.assertEqual(*rooms)
        self.assertEqual(("direct", {"A", "B", "C"}), (rooms[0].kind, set(rooms[0].members)))
        for others in ([], [ANN], [Person(str(n)) for n in range(MOST_TOGETHER)]):
            await self.refused(Unfit, "1 to 8 people", self.keeping.direct(ANN, others))

    async def test_who_has_left_a_direct_room_is_in_it_again_when_written_to(self):
        room = await self.keeping.direct(ANN, [BOB])
        await self.keeping.leave(BOB, room.name)
        self.assertEqual([], self.rooms_of(BOB))
        self.assertEqual(
            room, (await self.keeping.direct(ANN, [BOB]))._replace(members=room.members)
        )
        self.assertEqual(1, len(self.rooms_of(BOB)))
        await self.refused(NotAllowed, "may not", self.keeping.expel(ANN, room.name, BOB))
        await self.refused(NotAllowed, "may not", self.keeping.invite(ANN, room.name, CAT))

    async def test_members_invite_others_who_see_the_room_from_then_on(self):
        room = await self.private(BOB)
        self.assertFalse(may(CAT, room, SEE))
        invited = await self.keeping.invite(BOB, room.name, CAT)
        self.assertTrue(may(CAT, invited, SEE))
        self.assertEqual(invited, await self.keeping.invite(BOB, room.name, CAT))
        expelled = await self.keeping.expel(ANN, room.name, CAT)
        self.assertFalse(may(CAT, expelled, SEE))
        await self.refused(NoSuch, "not in this room", self.keeping.expel(ANN, room.name, CAT))
        await self.refused(NotAllowed, "may not", self.keeping.expel(BOB, room.name, ANN))

    async def test_a_private_room_is_not_there_for_others(self):
        room = await self.private(BOB)
        for name in (room.name, new_private_name()):
            for acting in (
                self.keeping.invite(KIM, name, KIM),
                self.keeping.expel(OLA, name, ANN),
                self.keeping.settle(OLA, name, policy="closed"),
                self.keeping.leave(CAT, name),
                self.keeping.oversee(KIM, name, 1),
            ):
                await self.refused(NoSuch, f"^{NO_SUCH_ROOM}$", acting)
        self.assertEqual(room, self.rooms.room(room.name))

    async def test_who_leaves_leaves_the_room_to_who_is_longest_in_it(self):
        room = await self.private(BOB, CAT)
        room = await self.keeping.leave(ANN, room.name)
        self.assertEqual(("A", {"B", "C"}), (room.by, set(room.members)))
        await self.refused(NotAllowed, "may not", self.keeping.expel(CAT, room.name, BOB))
        await self.keeping.expel(BOB, room.name, CAT)
        await self.keeping.leave(BOB, room.name)
        self.assertFalse(self.rooms.keeps(room.name))
        await self.refused(NoSuch, NO_SUCH_ROOM, self.keeping.settle(BOB, room.name, "x"))

    async def test_a_room_is_renamed_closed_and_opened_again(self):
        room = await self.private(BOB)
        await self.refused(NotAllowed, "may not", self.keeping.settle(BOB, room.name, "x"))
        closed = await self.keeping.settle(ANN, room.name, "Old", "closed", "moved")
        self.assertEqual(("Old", "closed", "moved"), (closed.title, closed.policy, closed.reason))
        self.assertTrue(may(BOB, closed, READ))
        self.assertFalse(may(BOB, closed, SPEAK))
        await self.refused(NotAllowed, "may not", self.keeping.invite(ANN, room.name, CAT))
        await self.refused(Impossible, "closed", self.keeping.invite(CONSOLE, room.name, CAT))
        again = await self.keeping.settle(ANN, room.name, policy="open")
        self.assertEqual(room._replace(title="Old"), again)

    async def test_a_private_room_never_becomes_public_nor_the_other_way_round(self):
        room = await self.private()
        for policy in ("open", "announce"):
            acting = self.keeping.settle(ANN, room.name, policy=policy)
            await self.refused(Impossible, "stays one", acting)
        await self.keeping.settle(ANN, room.name, policy="closed")
        acting = self.keeping.settle(ANN, room.name, policy="announce")
        await self.refused(Impossible, "stays one", acting)
        acting = self.keeping.settle(KIM, "garden", policy="members")
        await self.refused(Impossible, "known to all", acting)
        await self.refused(Unfit, "policy", self.keeping.settle(KIM, "garden", policy="x"))

    async def test_keepers_settle_public_rooms(self):
        await store(self.log, "Garden", "ann", "Ann", "hello")
        await self.refused(NotAllowed, "may not", self.keeping.settle(ANN, "garden", "x"))
        room = await self.keeping.settle(KIM, "garden", policy="announce")
        self.assertEqual(("Garden", "announce"), (room.name, room.policy))
        await self.refused(NotAllowed, "may not", self.keeping.invite(KIM, "lobby", ANN))
        await self.refused(Impossible, "Everybody", self.keeping.invite(CONSOLE, "lobby", ANN))
        room = await self.keeping.invite(KIM, "garden", ANN)
        self.assertTrue(may(ANN, room, SPEAK))
        room = await self.keeping.settle(KIM, "garden", policy="closed")
        self.assertFalse(may(KIM, room, SPEAK))
        self.assertEqual("announce", room.was)
        room = await self.keeping.settle(KIM, "garden", policy="open")
        self.assertTrue(may(BOB, room, SPEAK))

    async def test_a_room_that_has_changed_meanwhile_is_asked_about_anew(self):
        room = await self.private(BOB)

        async def allow(person, asked, act):
            if act == "invite" and len(asked.members) == 2:
                await self.made().expel(ANN, room.name, BOB)
            return may(person, asked, act)

        acting = self.made(allow=allow).invite(BOB, room.name, CAT)
        await self.refused(NoSuch, NO_SUCH_ROOM, acting)
        self.assertEqual({"A"}, set(self.rooms.room(room.name).members))

    async def test_many_who_change_a_room_at_once_all_have_changed_it(self):
        room = await self.private()
        people = [Person(f"p{number}") for number in range(8)]
        other = Keeping(self.log, self.book(), wall=self.clock.wall)
        keepings = [self.keeping, other] * 4
        await asyncio.gather(
            *(each.invite(ANN, room.name, who) for each, who in zip(keepings, people, strict=True))
        )
        await self.rooms.catch_up()
        self.assertEqual(9, len(self.rooms.room(room.name).members))

    # People.

    async def test_who_is_muted_changes_nothing_that_others_are_told(self):
        room = await self.private(BOB)
        await self.keeping.mute(KIM, ANN, 60, "calm down")
        standing = self.rooms.standing("A")
        self.assertEqual((self.clock.wall() + 60, "calm down"), standing[1:3])
        for acting in (
            self.private(),
            self.keeping.direct(ANN, [CAT]),
            self.keeping.settle(ANN, room.name, "x"),
            self.keeping.invite(ANN, room.name, CAT),
        ):
            await self.refused(NotAllowed, "muted", acting)
        await self.keeping.unmute(KIM, ANN)
        await self.refused(Impossible, "not muted", self.keeping.unmute(KIM, ANN))
        await self.keeping.settle(ANN, room.name, "x")
        await self.keeping.mute(KIM, ANN, 60)
        self.clock.advance(61)
        await self.keeping.settle(ANN, room.name, "y")

    async def test_who_is_banned_is_kept_out_with_their_address_until_it_is_over(self):
        await self.keeping.ban(KIM, ANN, None, "10.0.0.1", "spam")
        self.assertEqual(math.inf, self.rooms.banned("A", None).until)
        self.assertEqual("spam", self.rooms.banned("X", "10.0.0.1").reason)
        await self.refused(NotAllowed, "banned", self.private())
        await self.keeping.unban(KIM, ANN)
        self.assertIsNone(self.rooms.banned("A", "10.0.0.1"))
        await self.refused(Impossible, "not banned", self.keeping.unban(KIM, ANN))
        await self.keeping.ban(KIM, ANN, 5)
        self.clock.advance(6)
        self.assertIsNone(self.rooms.banned("A", None))

    async def test_a_mute_and_a_ban_have_each_a_reason_of_its_own(self):
        await self.keeping.mute(KIM, ANN, 60, "too loud")
        await self.keeping.ban(KIM, ANN, 120, "10.0.0.1", "spam")
        self.assertEqual(("too loud", "spam"), self.reasons())
        for address in (None, "10.0.0.1"):
            self.assertEqual("spam", self.rooms.banned("A", address).reason)
        await self.keeping.unban(KIM, ANN)
        self.assertEqual(("too loud", ""), self.reasons())
        await self.keeping.ban(KIM, ANN, 120, None, "again")
        await self.keeping.unmute(KIM, ANN)
        self.assertEqual(("", "again"), self.reasons())
        await self.keeping.mute(KIM, ANN, 60, "once more")
        self.clock.advance(61)
        self.assertEqual(("", "again"), self.reasons())

    def reasons(self):
        standing = self.rooms.standing("A")
        return standing.mute_reason, standing.ban_reason

    async def test_who_is_banned_anew_is_so_with_their_addresses_for_as_long(self):
        await self.keeping.ban(KIM, ANN, None, "10.0.0.1")
        await self.keeping.ban(KIM, ANN, 60, "10.0.0.2")
        for address in ("10.0.0.1", "10.0.0.2"):
            self.assertEqual(self.clock.wall() + 60, self.rooms.banned("X", address).until)
        self.clock.advance(61)
        for address in ("10.0.0.1", "10.0.0.2"):
            self.assertIsNone(self.rooms.banned("X", address))

    async def test_an_address_is_banned_for_as_long_as_anybody_is_with_it(self):
        await self.keeping.ban(KIM, ANN, None, "10.0.0.1")
        await self.keeping.ban(KIM, BOB, 60, "10.0.0.1")
        self.assertEqual(math.inf, self.rooms.banned("X", "10.0.0.1").until)
        await self.keeping.unban(KIM, BOB)
        self.assertEqual(math.inf, self.rooms.banned("X", "10.0.0.1").until)
        await self.keeping.ban(KIM, BOB, 60, "10.0.0.1")
        await self.keeping.unban(KIM, ANN)
        self.assertEqual(self.clock.wall() + 60, self.rooms.banned("X", "10.0.0.1").until)
        await self.keeping.unban(KIM, BOB)
        self.assertIsNone(self.rooms.banned("X", "10.0.0.1"))

    async def test_a_role_that_was_given_outlives_what_was_done_to_them(self):
        await self.keeping.give_role(OLA, ANN, "keeper")
        await self.keeping.ban(OLA, ANN)
        await self.keeping.unban(OLA, ANN)
        self.assertEqual("keeper", self.rooms.known(ANN).role)
        await self.keeping.give_role(OLA, ANN, "")
        self.assertEqual({}, await self.log.records.all("standing:"))

    async def test_how_people_stand_is_told_and_the_last_decided_first(self):
        await self.keeping.mute(KIM, ANN, 60, "loud")
        await self.keeping.ban(KIM, BOB, None, "10.0.0.1", "spam")
        await self.keeping.give_role(OLA, CAT, "guest")
        until = self.clock.wall() + 60
        people, more = await self.keeping.standings(KIM)
        self.assertEqual(["C", "B", "A"], list(people))
        self.assertFalse(more)
        self.assertEqual(Standing(muted_until=until, mute_reason="loud", deed=1), people["A"])
        self.assertEqual(
            ("", 0.0, "", math.inf, "spam", ("10.0.0.1",), 2), tuple(people["B"])
        )  # fmt: skip
        self.assertEqual(Standing("guest", deed=3), people["C"])
        self.assertEqual((["C"], True), await self.told(limit=1))
        self.assertEqual((["B"], True), await self.told(before=3, limit=1))
        self.assertEqual((["A"], False), await self.told(before=2))
        self.assertEqual(([], True), await self.told(limit=-1))
        self.clock.advance(61)
        self.assertEqual((["C", "B"], False), await self.told())
        await self.keeping.unban(KIM, BOB)
        await self.keeping.give_role(OLA, CAT, "")
        self.assertEqual(([], False), await self.told())

    async def told(self, **options):
        standings = await self.keeping.standings(KIM, **options)
        return list(standings.people), standings.more

    async def test_how_people_stand_is_told_to_who_may_mute_or_ban(self):
        await self.keeping.ban(KIM, BOB, None, "10.0.0.1")
        for by in (ANN, GUS):
            await self.refused(NotAllowed, "may not", self.keeping.standings(by))

        async def allow(person, room, act):
            return act == {"A": "mute", "C": "ban"}.get(person.id)

        keeping = self.made(allow=allow)
        for by in (ANN, CAT):
            [standing] = (await keeping.standings(by)).people.values()
            self.assertEqual((math.inf, ()), (standing.banned_until, standing.addresses))
        await self.keeping.ban(KIM, CAT)
        await self.refused(NotAllowed, "banned", keeping.standings(CAT))

    async def test_who_may_do_what_to_whom(self):
        acts = [self.keeping.mute, self.keeping.ban, self.keeping.sign_out]
        for act in acts:
            for by in (ANN, GUS):
                await self.refused(NotAllowed, "may not", act(by, BOB))
            for whom in (KAT, OLA):
                await self.refused(NotAllowed, "Only an owner", act(KIM, whom))
        for act in acts[:2]:
            await self.refused(NotAllowed, "yourself", act(KIM, KIM))
            await act(OLA, KAT)
            await act(CONSOLE, OLA)
        await self.refused(NotAllowed, "may not", self.keeping.give_role(KIM, ANN, "guest"))
        await self.refused(Unfit, "A role is", self.keeping.give_role(CONSOLE, ANN, "king"))

    async def test_who_was_made_a_keeper_is_one(self):
        await self.keeping.give_role(CONSOLE, ANN, "keeper")
        await self.keeping.mute(self.rooms.known(ANN), BOB)
        await self.refused(NotAllowed, "Only an owner", self.keeping.mute(KIM, ANN))

    async def test_times_and_reasons_that_are_none(self):
        for seconds in (0, -1, 0.5, 1e12, math.nan, math.inf):
            await self.refused(Unfit, "seconds", self.keeping.mute(KIM, ANN, seconds))
            await self.refused(Unfit, "seconds", self.keeping.ban(KIM, ANN, seconds))
        for reason in ("x" * 201, "a\0b"):
            await self.refused(Unfit, "reason", self.keeping.ban(KIM, ANN, None, None, reason))

    async def test_a_member_is_signed_out_and_who_is_known_elsewhere_cannot_be(self):
        await admit(self.log.records, "A", "Ann", "member")
        added = await add_device(self.log.records, "A", "", 0.0)
        await self.keeping.sign_out(KIM, ANN)
        self.assertEqual({added[1]: "A"}, await gone_devices(self.log.records))
        await self.keeping.sign_out(ANN, ANN)
        await self.refused(NoSuch, "elsewhere", self.keeping.sign_out(KIM, BOB))
        self.assertEqual(1, len(await self.keeping.deeds(KIM)))

    # Deeds.

    async def test_what_is_done_to_people_and_public_rooms_is_written_down(self):
        await self.keeping.make_room(ANN, "News", "announce", [], "News")
        await self.keeping.make_room(ANN, "Tea", "open", [], "Tea")
        await self.keeping.settle(KIM, "lobby", "Foyer", "closed", "night")
        await self.keeping.ban(KIM, BOB, 60, None, "spam")
        await self.keeping.give_role(CONSOLE, BOB, "guest")
        deeds = await self.keeping.deeds(KIM)
        self.assertEqual([4, 3, 2, 1], list(deeds))
        told = [(deed.name, deed.act, deed.whom_name, deed.room) for deed in deeds.values()]
        self.assertEqual(("console", "role", "Bob", ""), told[0])
        self.assertEqual(("Kim", "ban", "Bob", ""), told[1])
        self.assertEqual(("Kim", "closed rename", "", "lobby"), told[2])
        self.assertEqual(("Ann", "make", "", "News"), told[3])
        self.assertEqual(("60 s", "spam"), deeds[3][-2:])
        self.assertEqual([1], list(await self.keeping.deeds(KIM, 2)))
        self.assertEqual([4], list(await self.keeping.deeds(KIM, None, 1)))
        await self.refused(NotAllowed, "may not", self.keeping.deeds(ANN))

    async def test_the_reason_of_each_act_stands_in_its_deed(self):
        await admit(self.log.records, "A", "Ann", "member")
        await self.keeping.make_room(KIM, "News", "announce", [], "News")
        acts = [
            self.keeping.invite(KIM, "News", ANN, "writes well"),
            self.keeping.expel(KIM, "News", ANN, "writes ill"),
            self.keeping.settle(KIM, "News", "The news", reason="clearer"),
            self.keeping.settle(KIM, "News", policy="closed", reason="night"),
            self.keeping.settle(KIM, "News", policy="announce", reason="day"),
            self.keeping.mute(KIM, ANN, None, "loud"),
            self.keeping.unmute(KIM, ANN, "sorry"),
            self.keeping.ban(KIM, ANN, None, None, "spam"),
            self.keeping.unban(KIM, ANN, "promised"),
            self.keeping.sign_out(KIM, ANN, "lost a phone"),
            self.keeping.give_role(OLA, ANN, "guest", "new  here"),
        ]
        for act in acts:
            await act
        deeds = (await self.keeping.deeds(KIM, None, len(acts))).values()
        told = [(deed.act, deed.reason) for deed in deeds]
        self.assertEqual(
            [("role", "new here"), ("sign-out", "lost a phone"), ("unban", "promised"),
             ("ban", "spam"), ("unmute", "sorry"), ("mute", "loud"), ("announce", "day"),
             ("closed", "night"), ("rename", "clearer"), ("expel", "writes ill"),
             ("invite", "writes well")],
            told,
        )  # fmt: skip

    async def test_an_act_whose_reason_is_none_is_not_done(self):
        await admit(self.log.records, "A", "Ann", "member")
        added = await add_device(self.log.records, "A", "", 0.0)
        await self.keeping.mute(KIM, ANN)
        await self.keeping.ban(KIM, ANN)
        await self.keeping.make_room(KIM, "News", "announce", [ANN], "News")
        long = "x" * 201
        for acting in (
            self.keeping.invite(KIM, "News", BOB, long),
            self.keeping.expel(KIM, "News", ANN, long),
            self.keeping.settle(KIM, "News", "x", reason=long),
            self.keeping.unmute(KIM, ANN, long),
            self.keeping.unban(KIM, ANN, long),
            self.keeping.sign_out(KIM, ANN, long),
            self.keeping.give_role(OLA, ANN, "guest", long),
        ):
            await self.refused(Unfit, "A reason is at most 200", acting)
        self.assertEqual(3, self.rooms.deeds)
        self.assertNotIn(added[1], await gone_devices(self.log.records))

    async def test_what_happens_in_a_private_room_is_told_there_alone(self):
        room = await self.private(BOB)
        await self.keeping.settle(ANN, room.name, "x")
        await self.keeping.expel(ANN, room.name, BOB)
        self.assertEqual({}, await self.keeping.deeds(OLA))
        await self.keeping.settle(CONSOLE, room.name, policy="closed")
        self.assertEqual({}, await self.keeping.deeds(OLA))
        [deed] = (await self.keeping.deeds(CONSOLE)).values()
        self.assertEqual(("closed", room.name), (deed.act, deed.room))

    # Messages.

    async def said(self, room, by=ANN):
        stored = await store(self.log, room, by.id, by.name, "a secret")
        return stored.seq

    async def held(self, room):
        messages = (await self.log.read(room, 0, 10)).messages
        return [(m.kind, m.nick, m.text, m.about) for m in messages]

    async def test_ones_own_message_everybody_may_remove(self):
        seq = await self.said("garden")
        stored = await self.keeping.clear(ANN, "garden", seq, "a slip")
        self.assertEqual(("garden", 2), stored)
        told = [("removed", "Ann", "", None), ("removal", "Ann", "a slip", seq)]
        self.assertEqual(told, await self.held("garden"))
        self.assertEqual({}, await self.keeping.deeds(OLA))
        await self.refused(NoSuch, "no such message", self.keeping.clear(ANN, "garden", seq))

    async def test_that_of_another_a_keeper_may_and_it_is_written_down(self):
        seq = await self.said("garden")
        await self.refused(NotAllowed, "may not", self.keeping.clear(BOB, "garden", seq))
        await self.keeping.clear(KIM, "GARDEN", seq, "spam")
        self.assertEqual(("removal", "Kim", "spam", seq), (await self.held("garden"))[1])
        [deed] = (await self.keeping.deeds(KIM)).values()
        self.assertEqual(("clear", "Ann", "garden", seq), (deed.act, *deed[5:8]))

    async def test_a_removal_that_comes_too_late_is_not_written_down(self):
        seq = await self.said("garden")
        await self.keeping.clear(KIM, "garden", seq, "spam")
        for number in (seq, seq + 1):
            acting = self.keeping.clear(KAT, "garden", number, "spam")
            await self.refused(NoSuch, "no such message", acting)
        self.assertEqual(["Kim"], [d.name for d in (await self.keeping.deeds(KIM)).values()])

    async def test_in_a_private_room_who_made_it_may(self):
        room = await self.private(BOB)
        seq = await self.said(room.name, BOB)
        await self.refused(NoSuch, NO_SUCH_ROOM, self.keeping.clear(OLA, room.name, seq))
        await self.keeping.clear(ANN, room.name, seq)
        self.assertEqual({}, await self.keeping.deeds(OLA))

    async def test_who_is_muted_removes_nothing(self):
        seq = await self.said("garden")
        await self.keeping.mute(KIM, ANN)
        await self.refused(NotAllowed, "muted", self.keeping.clear(ANN, "garden", seq))
        for number in (0, 2, 2**50):
            acting = self.keeping.clear(KIM, "garden", number)
            await self.refused(NoSuch, "no such message", acting)

    async def test_who_is_behind_a_message_is_for_keepers(self):
        await store(self.log, "garden", "S", "Sue", "hello")
        message = await self.keeping.oversee(KIM, "GARDEN", 1)
        self.assertEqual(("S", "hello"), (message.sender, message.text))
        await self.refused(NoSuch, "no such message", self.keeping.oversee(KIM, "garden", 2))
        await self.refused(NotAllowed, "may not", self.keeping.oversee(ANN, "garden", 1))


class MemoryKeepingTests(OnMemory, KeepingCases):
    pass


class SQLiteKeepingTests(OnSQLite, KeepingCases):
    pass


class RedisKeepingTests(OnRedis, KeepingCases):
    pass


del KeepingCases
