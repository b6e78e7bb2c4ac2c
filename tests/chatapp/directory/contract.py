"""What every directory keeps, of one process or of a cluster: one suite for all of them."""

import asyncio
import inspect

from chatapp.directory import Cost, Limit, Limits, NickTaken

LEASE = 20.0
LIMITS = Limits(
    Limit(1.0, 3), Limit(2.0, 4), Limit(5 / 3600, 5), Limit(2 / 3600, 2), Limit(1000 / 3600, 1000)
)


class Somebody:
    """A participant as a directory sees one."""

    def __init__(self, identity, nick=""):
        self.id = identity
        self.nick = nick


class Observer:
    """Writes down what it is told that it did not know; `people` is who is where by now."""

    def __init__(self):
        self.people = {}
        self.told = []
        self.somebodies = {}
        self.alive = {}  # seconds left, by id and tab
        self.moves = []

    def present(self, room, identity, nick, version=0):
        if self.people.setdefault(room, {}).get(identity) != nick:
            self.people[room][identity] = nick
            self.told.append((room, identity, nick))

    def absent(self, room, identity, version=0):
        if self.people.setdefault(room, {}).pop(identity, None) is not None:
            self.told.append((room, identity, None))

    def snapshot(self, room, people, version):
        for identity in self.people.setdefault(room, {}).keys() - people.keys():
            self.absent(room, identity)
        for identity, nick in people.items():
            self.present(room, identity, nick)

    def renamed(self, identity, nick):
        if identity in self.somebodies:
            self.somebodies[identity].nick = nick

    def moved(self, identity, tab):
        self.moves.append((identity, tab))

    def lease(self, identity, tab):
        return self.alive.get((identity, tab))

    def news(self):
        told, self.told = self.told, []
        return told


async def got(result):
    return await result if inspect.isawaitable(result) else result


class DirectoryCase:
    """For an AsyncTestCase.

    `make(observer, limits)` returns a directory, not open; `pass_time(seconds)` has its
    clock go on; `settle()` returns when the observers have been told all that there is to tell.
    """

    def make(self, observer, limits):
        raise NotImplementedError

    async def pass_time(self, seconds):
        raise NotImplementedError

    async def settle(self):
        raise NotImplementedError

    async def opened(self, **limits):
        observer = Observer()
        directory = self.make(observer, LIMITS._replace(**limits))
        await directory.open()
        self.addAsyncCleanup(directory.close)
        directory.observer = observer
        return directory

    async def joined(self, directory, identity, nick=None):
        somebody = Somebody(identity, await got(directory.join(identity, nick)))
        directory.observer.somebodies[identity] = somebody
        return somebody

    def enter(self, directory, somebody, *rooms, tab="tab"):
        directory.observer.alive[somebody.id, tab] = LEASE
        for room in rooms:
            directory.entered(somebody, tab, room)

    def leave(self, directory, somebody, *rooms, tab="tab"):
        directory.observer.alive.pop((somebody.id, tab), None)
        for room in rooms:
            directory.left(somebody, tab, room)

    async def allowed(self, directory, person, count):
        """How many of `count` pushes at once may be."""
        cost = Cost("push_rate", person.id)
        return [await got(directory.consume([cost], person)) for _ in range(count)].count(None)


class DirectoryContract(DirectoryCase):
    async def asyncSetUp(self):
        self.directory = await self.opened()
        await got(self.directory.subscribe("lobby"))

    async def news(self):
        await self.settle()
        return self.directory.observer.news()

    # Nicks.

    async def test_a_nick_is_had_by_the_first_who_asks(self):
        self.assertEqual("ann", (await self.joined(self.directory, "1", "ann")).nick)
        self.assertRegex((await self.joined(self.directory, "2", "ann")).nick, "^guest-[0-9a-f]{4}")
        self.assertRegex((await self.joined(self.directory, "3")).nick, "^guest-[0-9a-f]{4}$")

    async def test_a_guest_has_the_nick_again_and_no_two_have_one(self):
        guests = [await self.joined(self.directory, f"id{number}") for number in range(1000)]
        nicks = [guest.nick for guest in guests]
        self.assertEqual(1000, len(set(nicks)))
        for guest in guests:
            self.directory.release(guest)
            await got(self.directory.leave(guest.id))
        self.assertEqual(nicks[0], (await self.joined(self.directory, "id0")).nick)
        other = await self.opened()
        await got(other.leave("id0"))
        self.assertEqual(nicks[0], (await self.joined(other, "id0")).nick)

    async def test_look_alikes_are_the_same_nick(self):
        for number, nick in enumerate(
            ["Ann", "\u0430nn", "Å", "A\u030a", "ﬁn", "fin", "a\u200db", "ab", "Iris", "lris"]
        ):
            given = (await self.joined(self.directory, str(number), nick)).nick
            self.assertEqual(number % 2 == 0, given == nick, nick)

    async def test_a_taken_nick_is_refused(self):
        await self.joined(self.directory, "1", "ann")
        bob = await self.joined(self.directory, "2", "bob")
        for nick in ("ann", "Ann", "an\u0578", "ann\u3164"):
            with self.assertRaises(NickTaken) as caught:
                await got(self.directory.rename(bob, nick))
            self.assertEqual("ann", caught.exception.taken)
        self.assertEqual("bob", bob.nick)

    async def test_a_nick_may_be_changed_to_one_that_looks_like_it(self):
        iris = await self.joined(self.directory, "1", "Iris")
        for nick in ("lris", "IRIS", "Iris", "iris"):
            await got(self.directory.rename(iris, nick))
        self.assertEqual("lris", (await self.joined(self.directory, "2", "lris")).nick)

    async def test_how_many_are_in_each_room(self):
        for number in range(2):
            person = await self.joined(self.directory, str(number))
            self.enter(self.directory, person, "lobby")
        self.enter(self.directory, person, "garden")
        await self.settle()
        counts = await got(self.directory.counts(["garden", "lobby", "nowhere"]))
        self.assertEqual({"garden": 1, "lobby": 2, "nowhere": 0}, counts)
        self.assertEqual({}, await got(self.directory.counts([])))

    async def test_whose_a_nick_is(self):
        await self.joined(self.directory, "1", "Ann")
        guest = await self.joined(self.directory, "2")
        for nick in ("Ann", "ANN", "ann\u200d"):
            self.assertEqual("1", await got(self.directory.whose(nick)))
        self.assertEqual("2", await got(self.directory.whose(guest.nick)))
        for nick in ("\u0430nn", "bob", "", "1"):
            self.assertIsNone(await got(self.directory.whose(nick)))

    async def test_a_nick_that_was_given_up_is_free(self):
        ann = await self.joined(self.directory, "1", "ann")
        await got(self.directory.rename(ann, "anna"))
        self.assertEqual("anna", ann.nick)
        self.assertEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    async def test_the_case_of_a_nick_can_be_changed(self):
        ann = await self.joined(self.directory, "1", "ann")
        await got(self.directory.rename(ann, "Ann"))
        self.assertEqual("Ann", ann.nick)
        self.assertNotEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    async def test_the_nick_of_somebody_who_left_is_free_after_a_while(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        self.leave(self.directory, ann, "lobby")
        self.directory.release(ann)
        await self.settle()
        await self.pass_time(3 * LEASE)
        self.assertEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    # Rooms.

    async def test_the_nick_of_somebody_who_goes_is_free_at_once(self):
        ann = await self.joined(self.directory, "a", "Ann")
        self.enter(self.directory, ann, "lobby")
        await self.news()
        self.leave(self.directory, ann, "lobby")
        self.directory.release(ann)
        await got(self.directory.leave("a"))
        self.assertEqual([("lobby", "a", None)], await self.news())
        self.assertEqual("Ann", (await self.joined(self.directory, "b", "Ann")).nick)
        again = await self.joined(self.directory, "a", "Ann")
        self.assertNotEqual("Ann", again.nick)

    async def test_a_leave_of_somebody_who_is_not_here_is_told_to_nobody(self):
        await got(self.directory.leave("nobody"))
        self.assertEqual([], await self.news())

    async def test_coming_and_going_are_told_once(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        self.assertEqual([("lobby", "1", "ann")], await self.news())
        self.leave(self.directory, ann, "lobby")
        self.assertEqual([("lobby", "1", None)], await self.news())

    async def test_a_participant_with_several_tabs_goes_with_the_last(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", tab="one")
        self.enter(self.directory, ann, "lobby", tab="two")
        self.assertEqual([("lobby", "1", "ann")], await self.news())
        self.leave(self.directory, ann, "lobby", tab="one")
        self.assertEqual([], await self.news())
        self.leave(self.directory, ann, "lobby", tab="two")
        self.assertEqual([("lobby", "1", None)], await self.news())

    async def test_a_reload_is_not_told(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", tab="before")
        await self.news()
        self.directory.observer.alive.clear()
        self.enter(self.directory, ann, "lobby", tab="after")
        self.directory.expired(ann, "before", "lobby")
        await self.settle()
        await self.pass_time(3 * LEASE)
        self.assertEqual([], await self.news())

    async def test_a_participant_who_has_not_polled_for_the_lease_is_gone(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        await self.news()
        self.directory.observer.alive.clear()
        self.directory.expired(ann, "tab", "lobby")
        await self.pass_time(2 * LEASE)
        self.assertEqual([("lobby", "1", None)], await self.news())

    async def test_a_lease_that_is_renewed_lasts(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        await self.pass_time(5 * LEASE)
        self.assertEqual([("lobby", "1", "ann")], await self.news())
        self.assertNotEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    async def test_rooms_are_told_apart(self):
        await got(self.directory.subscribe("garden"))
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", "garden")
        self.assertEqual({("lobby", "1", "ann"), ("garden", "1", "ann")}, set(await self.news()))
        self.directory.left(ann, "tab", "garden")
        self.assertEqual([("garden", "1", None)], await self.news())

    async def test_a_rename_is_told_in_every_room(self):
        await got(self.directory.subscribe("garden"))
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", "garden")
        await self.news()
        await got(self.directory.rename(ann, "anna"))
        self.assertEqual({("lobby", "1", "anna"), ("garden", "1", "anna")}, set(await self.news()))

    async def test_people_of_an_unknown_room_are_nobody(self):
        self.assertEqual([], await got(self.directory.people("nowhere")))

    # Limits.

    async def refused(self, *costs, person=None):
        return await got(self.directory.consume([Cost(*each) for each in costs], person))

    async def test_pushes_are_allowed_up_to_the_burst_and_then_at_the_rate(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.assertEqual(3, await self.allowed(self.directory, ann, 5))
        refusal = await self.refused(("push_rate", "1"), person=ann)
        self.assertEqual("push_rate", refusal.limit)
        self.assertAlmostEqual(1.0, refusal.wait, delta=0.5)
        await self.pass_time(2.0)
        self.assertEqual(2, await self.allowed(self.directory, ann, 4))
        await self.pass_time(60.0)
        self.assertEqual(3, await self.allowed(self.directory, ann, 5))

    async def test_of_some_things_many_are_taken_at_once(self):
        self.assertIsNone(await self.refused(("address_bytes", "::1", 700)))
        refusal = await self.refused(("address_push_rate", "::1"), ("address_bytes", "::1", 400))
        self.assertEqual("address_bytes", refusal.limit)
        self.assertAlmostEqual(360.0, refusal.wait, delta=0.5)
        self.assertIsNone(await self.refused(("address_bytes", "::1", 200)))
        await self.pass_time(1100.0)
        self.assertIsNone(await self.refused(("address_bytes", "::1", 400)))
        self.assertEqual("address_bytes", (await self.refused(("address_bytes", "::1", 900))).limit)

    async def test_pushes_are_counted_for_each(self):
        ann = await self.joined(self.directory, "1", "ann")
        bob = await self.joined(self.directory, "2", "bob")
        self.assertEqual(3, await self.allowed(self.directory, ann, 5))
        self.assertEqual(3, await self.allowed(self.directory, bob, 5))

    async def test_a_rate_of_zero_is_no_limit(self):
        self.directory = await self.opened(push_rate=Limit(0.0, 1), address_rooms=Limit(0.0, 0))
        ann = await self.joined(self.directory, "7", "kim")
        self.assertEqual(50, await self.allowed(self.directory, ann, 50))
        for _ in range(9):
            self.assertIsNone(await self.refused(("address_rooms", "::1")))

    async def test_each_limit_and_each_address_has_a_count_of_its_own(self):
        for limit, most in (("address_push_rate", 4), ("address_sessions", 5)):
            for address in ("10.0.0.1", "2001:db8::/64"):
                given = [await self.refused((limit, address)) for _ in range(7)]
                self.assertEqual(most, given.count(None), (limit, address))
                self.assertEqual({None, limit}, {each and each.limit for each in given})

    async def test_what_is_given_back_each_hour_comes_bit_by_bit(self):
        cost = ("address_rooms", "10.0.0.1")
        self.assertEqual([None] * 2, [await self.refused(cost) for _ in range(2)])
        refusal = await self.refused(cost)
        self.assertAlmostEqual(1800.0, refusal.wait, delta=1)
        await self.pass_time(1801)
        self.assertIsNone(await self.refused(cost))
        self.assertIsNotNone(await self.refused(cost))

    async def test_what_is_refused_by_one_limit_is_taken_from_no_other(self):
        ann = await self.joined(self.directory, "1", "ann")
        costs = ("address_push_rate", "10.0.0.1"), ("push_rate", "1")
        for _ in range(3):
            self.assertIsNone(await self.refused(*costs, person=ann))
        for _ in range(9):
            self.assertEqual("push_rate", (await self.refused(*costs, person=ann)).limit)
        self.assertIsNone(await self.refused(costs[0]))
        self.assertEqual("address_push_rate", (await self.refused(costs[0])).limit)

    async def test_nothing_is_refused_where_nothing_is_asked_for(self):
        self.assertIsNone(await self.refused())


class SharedDirectoryCase(DirectoryCase):
    """Two workers that have subscribed to the lobby.

    `workers` are the directories that `make` has made and that have not ended.
    """

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.one, self.two = await self.opened(), await self.opened()
        for worker in self.workers:
            await got(worker.subscribe("lobby"))

    async def news(self):
        """What each worker was told since the last time."""
        await self.settle()
        return [worker.observer.news() for worker in self.workers]

    async def here(self, identity, nick, *workers, tab="tab"):
        """Somebody with a client at the first worker; the others know them as well."""
        somebodies = [await self.joined(worker, identity, nick) for worker in workers]
        self.enter(workers[0], somebodies[0], "lobby", tab=tab)
        await self.news()
        return somebodies

    def move(self, somebody, here, there, tab="tab"):
        """The client polls `there` now; it has not been dropped `here` yet."""
        self.enter(there, somebody, "lobby", tab=tab)

    def drop(self, somebody, here, tab="tab"):
        here.observer.alive.pop((somebody.id, tab), None)
        here.expired(somebody, tab, "lobby")


class SharedDirectoryContract(SharedDirectoryCase):
    """For one that all workers of a cluster share: what they see of each other."""

    async def test_coming_and_going_are_told_once_at_each(self):
        ann = await self.joined(self.one, "1", "ann")
        self.enter(self.one, ann, "lobby")
        self.assertEqual([[("lobby", "1", "ann")]] * 2, await self.news())
        self.leave(self.one, ann, "lobby")
        self.assertEqual([[("lobby", "1", None)]] * 2, await self.news())
        await self.pass_time(2.5 * LEASE)
        self.assertEqual([[], []], await self.news())

    async def test_polls_that_go_from_worker_to_worker_are_not_told(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        for _ in range(3):
            self.move(too, self.one, self.two)
            await self.settle()
            self.assertEqual([("1", "tab")], self.one.observer.moves)
            self.drop(ann, self.one)
            await self.pass_time(LEASE)
            self.move(ann, self.two, self.one)
            await self.settle()
            self.assertEqual([("1", "tab")], self.two.observer.moves)
            self.drop(too, self.two)
            await self.pass_time(LEASE)
            self.one.observer.moves.clear()
            self.two.observer.moves.clear()
        self.assertEqual([[], []], await self.news())

    async def test_a_client_that_is_left_over_ends_without_a_word(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        self.move(too, self.one, self.two)
        await self.pass_time(LEASE / 2)
        self.drop(ann, self.one)
        await self.pass_time(2.5 * LEASE)
        self.assertEqual([[], []], await self.news())
        self.assertEqual(["ann"], await got(self.one.people("lobby")))

    async def test_a_participant_who_leaves_at_one_worker_is_gone_from_each(self):
        await self.here("1", "ann", self.one, self.two)
        await got(self.two.leave("1"))
        await self.settle()
        self.assertEqual([("1", "tab")], self.one.observer.moves)
        self.assertEqual([[("lobby", "1", None)]] * 2, await self.news())
        self.assertEqual("ann", (await self.joined(self.two, "2", "ann")).nick)

    async def test_a_worker_does_not_end_a_registration_that_another_has(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        self.move(too, self.one, self.two)
        await self.settle()
        self.leave(self.one, ann, "lobby")
        self.assertEqual([[], []], await self.news())

    async def test_a_reload_at_another_worker_is_not_told(self):
        ann, too = await self.here("1", "ann", self.one, self.two, tab="before")
        self.enter(self.two, too, "lobby", tab="after")
        self.drop(ann, self.one, tab="before")
        await self.pass_time(2.5 * LEASE)
        self.assertEqual([[], []], await self.news())

    async def test_a_participant_with_tabs_at_both_workers_goes_with_the_last(self):
        ann, too = await self.here("1", "ann", self.one, self.two, tab="a")
        self.enter(self.two, too, "lobby", tab="b")
        await self.settle()
        self.leave(self.one, ann, "lobby", tab="a")
        self.assertEqual([[], []], await self.news())
        self.leave(self.two, too, "lobby", tab="b")
        self.assertEqual([[("lobby", "1", None)]] * 2, await self.news())

    async def test_another_room_is_entered_and_the_one_before_left_at_another_worker(self):
        _, too = await self.here("1", "ann", self.one, self.two)
        await got(self.two.subscribe("garden"))
        self.enter(self.two, too, "garden")
        first, second = await self.news()
        self.assertEqual([("lobby", "1", None)], first)
        self.assertEqual({("garden", "1", "ann"), ("lobby", "1", None)}, set(second))

    async def test_a_dead_worker_leaves_with_its_leases_and_nicks(self):
        await self.here("1", "ann", self.one)
        self.workers.remove(self.one)
        await self.one.close()
        self.assertEqual([[]], await self.news())
        await self.pass_time(1.1 * LEASE)
        self.assertEqual([[("lobby", "1", None)]], await self.news())
        await self.pass_time(LEASE)
        self.assertEqual("ann", (await self.joined(self.two, "2", "ann")).nick)

    async def test_clients_of_a_dead_worker_that_poll_elsewhere_are_not_missed(self):
        _, too = await self.here("1", "ann", self.one, self.two)
        self.workers.remove(self.one)
        await self.one.close()
        self.move(too, self.one, self.two)
        await self.pass_time(2.5 * LEASE)
        self.assertEqual([[]], await self.news())

    async def test_a_worker_that_comes_later_knows_who_is_there(self):
        await self.here("1", "ann", self.one)
        await self.here("2", "bob", self.two)
        three = await self.opened()
        await got(three.subscribe("lobby"))
        self.assertEqual({"1": "ann", "2": "bob"}, three.observer.people["lobby"])
        self.assertEqual(["ann", "bob"], await got(three.people("lobby")))

    async def test_a_nick_is_unique_among_all(self):
        await self.here("1", "ann", self.one)
        self.assertRegex((await self.joined(self.two, "2", "ann")).nick, "guest-")
        bob = await self.joined(self.two, "3", "bob")
        with self.assertRaises(NickTaken):
            await got(self.two.rename(bob, "ANN"))

    async def test_a_rename_is_told_at_each_and_holds_for_the_next_push_anywhere(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        await got(self.one.rename(ann, "anna"))
        self.assertIsNone(await got(self.two.consume([Cost("push_rate", "1")], too)))
        self.assertEqual(("anna", "anna"), (ann.nick, too.nick))
        self.assertEqual([[("lobby", "1", "anna")]] * 2, await self.news())

    async def test_a_participant_has_the_same_nick_at_every_worker(self):
        await self.here("1", "ann", self.one)
        self.assertEqual("ann", (await self.joined(self.two, "1", "as the session has it")).nick)

    async def test_pushes_are_counted_over_all_workers(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        self.assertEqual(2, await self.allowed(self.one, ann, 2))
        self.assertEqual(1, await self.allowed(self.two, too, 3))
        self.assertEqual(0, await self.allowed(self.one, ann, 1))

    async def test_what_an_address_uses_up_is_counted_over_all_workers(self):
        costs = [Cost("address_rooms", "10.0.0.1")]
        for worker in self.workers:
            self.assertIsNone(await got(worker.consume(costs)))
        for worker in self.workers:
            self.assertEqual("address_rooms", (await got(worker.consume(costs))).limit)

    async def test_a_clock_that_goes_back_locks_nobody_out(self):
        ann, _ = await self.here("1", "ann", self.one, self.two)
        await self.allowed(self.one, ann, 3)
        self.now -= 86400
        refusal = await got(self.one.consume([Cost("push_rate", "1")], ann))
        self.assertAlmostEqual(1.0, refusal.wait, 2)

    async def test_where_a_client_without_a_cursor_is_is_known_at_each(self):
        ann, too = await self.here("1", "ann", self.one, self.two)
        self.assertIsNone(await got(self.two.load_cursor(too, "tab")))
        await got(self.one.save_cursor(ann, "tab", "CURSOR"))
        self.assertEqual("CURSOR", await got(self.two.load_cursor(too, "tab")))
        self.assertIsNone(await got(self.two.load_cursor(too, "other")))

    async def test_a_new_room_is_called_as_it_was_asked_for_first_at_any_worker(self):
        asked = await asyncio.gather(
            got(self.one.canonical_names(["Tea", "é"])), got(self.two.canonical_names(["tea"]))
        )
        [name] = {asked[0]["Tea"], asked[1]["tea"]}
        self.assertEqual({"TEA": name, "É": "é"}, await got(self.two.canonical_names(["TEA", "É"])))

    async def test_a_new_room_keeps_its_name_while_somebody_is_in_it(self):
        self.assertEqual({"Tea": "Tea"}, await got(self.one.canonical_names(["Tea"])))
        ann = await self.joined(self.one, "1", "ann")
        self.enter(self.one, ann, "Tea")
        self.one.observer.alive["1", "tab"] = 1000 * LEASE
        await self.settle()
        await self.pass_time(10 * LEASE)
        self.assertEqual({"tea": "Tea"}, await got(self.two.canonical_names(["tea"])))
        self.leave(self.one, ann, "Tea")
        await self.settle()
        self.assertEqual({"tea": "tea"}, await got(self.two.canonical_names(["tea"])))
