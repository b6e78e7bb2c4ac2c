"""Who came is found by handle and nick, on every log."""

from chatapp.community.people import Acquaintance, Acquaintances
from chatapp.identity.person import Person
from chatapp.model.message import handle
from tests.chatapp.community.contract import BookCase, OnMemory, OnRedis, OnSQLite

DAY = 86_400.0
ANN = Person("A", "Ann", ("staff",), "owner")


class PeopleCases(BookCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.people = Acquaintances(self.log, self.clock.wall)

    async def test_who_came_is_found_by_handle_and_by_nick_at_every_process(self):
        await self.people.note(ANN, "10.0.0.1")
        others = Acquaintances(self.log, self.clock.wall)
        for who in (handle("A"), "Ann", "ANN"):
            self.assertEqual(Acquaintance(ANN, "10.0.0.1"), await others.find(who))
        for who in ("A", "Bob", "", handle("B"), "person:" + handle("A")):
            self.assertIsNone(await others.find(who), who)
        self.assertEqual([handle("A")], list(await others.named([handle("A"), handle("B")])))

    async def test_it_is_written_down_once_a_day_or_when_it_is_another(self):
        self.assertFalse(self.people.is_noted(ANN, None))
        await self.people.note(ANN, None)
        self.assertTrue(self.people.is_noted(ANN, None))
        for other in (ANN._replace(name="Anna"), ANN._replace(role="")):
            self.assertFalse(self.people.is_noted(other, None))
        self.assertFalse(self.people.is_noted(ANN, "10.0.0.1"))
        self.clock.advance(1.1 * DAY)
        self.assertFalse(self.people.is_noted(ANN, None))

    async def test_a_nick_leads_to_who_was_called_so_last(self):
        bob = Person("B", "Ann")
        await self.people.note(ANN, None)
        await self.people.note(bob, None)
        self.assertEqual(bob, (await self.people.find("Ann")).person)
        await self.people.note(bob._replace(name="Bob"), None)
        self.assertIsNone(await self.people.find("Ann"))
        self.assertEqual(ANN, (await self.people.find(handle("A"))).person)

    async def test_what_somebody_was_called_before_is_kept_no_longer(self):
        for number in range(10):
            await self.people.note(ANN._replace(name=f"Ann {number}"), None)
        await Acquaintances(self.log, self.clock.wall).note(ANN, None)
        self.assertEqual({"called:ann"}, set(await self.log.records.all("called:")))
        await self.people.note(Person("B", "Ann"), None)
        await self.people.note(ANN._replace(name="Anna"), None)
        self.assertEqual("B", (await self.people.find("Ann")).person.id)

    async def test_guests_are_kept_for_a_month_and_others_for_a_year(self):
        await self.people.note(ANN, None)
        await self.people.note(Person("B", "Bob", role="guest"), None)
        self.clock.advance(31 * DAY)
        self.assertIsNone(await self.people.find("Bob"))
        self.assertIsNone(await self.people.find(handle("B")))
        self.clock.advance(340 * DAY)
        self.assertIsNotNone(await self.people.find("Ann"))
        self.clock.advance(30 * DAY)
        self.assertIsNone(await self.people.find("Ann"))


class MemoryPeopleTests(OnMemory, PeopleCases):
    pass


class SQLitePeopleTests(OnSQLite, PeopleCases):
    pass


class RedisPeopleTests(OnRedis, PeopleCases):
    pass


del PeopleCases
