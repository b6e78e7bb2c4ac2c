"""What every directory keeps, of one process or of a cluster: one suite for all of them."""

import inspect

from chatapp.directory import NickTaken, folded

LEASE = 20.0


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

    def present(self, room, identity, nick, mark=0):
        if self.people.setdefault(room, {}).get(identity) != nick:
            self.people[room][identity] = nick
            self.told.append((room, identity, nick))

    def absent(self, room, identity, mark=0):
        if self.people.setdefault(room, {}).pop(identity, None) is not None:
            self.told.append((room, identity, None))

    def counted(self, room, people, mark):
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

    `make(observer, rate, burst)` returns a directory, not open; `pass_time(seconds)` has its
    clock go on; `settle()` returns when the observers have been told all that there is to tell.
    """

    def make(self, observer, rate, burst):
        raise NotImplementedError

    async def pass_time(self, seconds):
        raise NotImplementedError

    async def settle(self):
        raise NotImplementedError

    async def opened(self, rate=1.0, burst=3):
        observer = Observer()
        directory = self.make(observer, rate, burst)
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

    async def charged(self, directory, person, count):
        """How many of `count` pushes at once may be."""
        return [await got(directory.charge(person)) for _ in range(count)].count(0.0)


class DirectoryContract(DirectoryCase):
    async def asyncSetUp(self):
        self.directory = await self.opened()
        await got(self.directory.know("lobby"))

    async def news(self):
        await self.settle()
        return self.directory.observer.news()

    # Nicks.

    async def test_a_nick_is_had_by_the_first_who_asks(self):
        self.assertEqual("ann", (await self.joined(self.directory, "1", "ann")).nick)
        self.assertRegex((await self.joined(self.directory, "2", "ann")).nick, "^guest-[0-9a-f]{4}")
        self.assertRegex((await self.joined(self.directory, "3")).nick, "^guest-[0-9a-f]{4}$")

    async def test_look_alikes_are_the_same_nick(self):
        for number, nick in enumerate(
            ["Ann", "ANN", "Å", "A\u030a", "ﬁn", "fin", "a\u200db", "ab"]
        ):
            given = (await self.joined(self.directory, str(number), nick)).nick
            self.assertEqual(number % 2 == 0, given == nick, (nick, folded(nick)))

    async def test_a_taken_nick_is_refused(self):
        await self.joined(self.directory, "1", "ann")
        bob = await self.joined(self.directory, "2", "bob")
        with self.assertRaises(NickTaken):
            await got(self.directory.rename(bob, "Ann"))
        self.assertEqual("bob", bob.nick)

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
        self.directory.part(ann)
        await self.settle()
        await self.pass_time(3 * LEASE)
        self.assertEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    # Rooms.

    async def test_coming_and_going_are_told_once(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        self.assertEqual([("lobby", "1", "ann")], await self.news())
        self.leave(self.directory, ann, "lobby")
        self.assertEqual([("lobby", "1", None)], await self.news())

    async def test_who_has_several_tabs_goes_with_the_last(self):
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
        self.directory.gone(ann, "before", "lobby")
        await self.settle()
        await self.pass_time(3 * LEASE)
        self.assertEqual([], await self.news())

    async def test_who_has_not_polled_for_the_lease_is_gone(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        await self.news()
        self.directory.observer.alive.clear()
        self.directory.gone(ann, "tab", "lobby")
        await self.pass_time(2 * LEASE)
        self.assertEqual([("lobby", "1", None)], await self.news())

    async def test_a_lease_that_is_renewed_lasts(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby")
        await self.pass_time(5 * LEASE)
        self.assertEqual([("lobby", "1", "ann")], await self.news())
        self.assertNotEqual("ann", (await self.joined(self.directory, "2", "ann")).nick)

    async def test_rooms_are_told_apart(self):
        await got(self.directory.know("garden"))
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", "garden")
        self.assertEqual({("lobby", "1", "ann"), ("garden", "1", "ann")}, set(await self.news()))
        self.directory.left(ann, "tab", "garden")
        self.assertEqual([("garden", "1", None)], await self.news())

    async def test_a_rename_is_told_in_every_room(self):
        await got(self.directory.know("garden"))
        ann = await self.joined(self.directory, "1", "ann")
        self.enter(self.directory, ann, "lobby", "garden")
        await self.news()
        await got(self.directory.rename(ann, "anna"))
        self.assertEqual({("lobby", "1", "anna"), ("garden", "1", "anna")}, set(await self.news()))

    async def test_people_of_an_unknown_room_are_nobody(self):
        self.assertEqual([], await got(self.directory.people("nowhere")))

    # Pushes.

    async def test_pushes_are_allowed_up_to_the_burst_and_then_at_the_rate(self):
        ann = await self.joined(self.directory, "1", "ann")
        self.assertEqual(3, await self.charged(self.directory, ann, 5))
        self.assertAlmostEqual(1.0, await got(self.directory.charge(ann)), delta=0.5)
        await self.pass_time(2.0)
        self.assertEqual(2, await self.charged(self.directory, ann, 4))
        await self.pass_time(60.0)
        self.assertEqual(3, await self.charged(self.directory, ann, 5))

    async def test_pushes_are_counted_for_each(self):
        ann = await self.joined(self.directory, "1", "ann")
        bob = await self.joined(self.directory, "2", "bob")
        self.assertEqual(
            (3, 3),
            (
                await self.charged(self.directory, ann, 5),
                await self.charged(self.directory, bob, 5),
            ),
        )

    async def test_a_rate_of_zero_is_no_limit(self):
        directory = await self.opened(rate=0.0)
        ann = await self.joined(directory, "7", "kim")
        self.assertEqual(50, await self.charged(directory, ann, 50))
        self.assertEqual(0.0, await got(directory.charge_address("::1")))

    async def test_strangers_are_counted_by_address(self):
        charge = self.directory.charge_address
        waits = [await got(charge("10.0.0.1")) for _ in range(5)]
        self.assertEqual(3, waits.count(0.0))
        self.assertEqual(0.0, await got(charge("10.0.0.2")))
