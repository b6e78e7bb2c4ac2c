"""Which name is whose, beside every log: one suite for all of them."""

from chatapp.directory import NickTaken
from chatapp.identity.members import add_device, admit, all_members, gone_devices, sign_out
from chatapp.identity.names import MOST_NAMES, KeptName, KeptNames, free_name, kept_names

DAY = 86_400.0


class NamesContract:
    """For a test of a log; `opened()` returns one whose clock is `self.clock`."""

    async def kept(self, keep=30 * DAY, log=None):
        self.log = log or await self.opened()
        return KeptNames(self.log, keep, self.clock.passed)

    async def refused(self, acting):
        with self.assertRaises(NickTaken) as caught:
            await acting
        return caught.exception.taken

    async def test_a_name_that_was_spoken_under_is_its_owners(self):
        names = await self.kept()
        self.assertFalse(names.is_kept("Ann", "A"))
        await names.check("Ann", "B")
        await names.keep("Ann", "A", "10.0.0.1")
        self.assertTrue(names.is_kept("Ann", "A"))
        self.assertFalse(names.is_kept("Ann", "B"))
        await names.check("Ann", "A")
        for nick in ("Ann", "ann", "\u0430nn", "ANN\u200d"):
            self.assertEqual("Ann", await self.refused(names.check(nick, "B")))
            self.assertEqual("Ann", await self.refused(names.keep(nick, "B", "10.0.0.2")))
        await names.keep("ann", "A", "10.0.0.2")
        both = [KeptName("Ann", "A", "10.0.0.1"), KeptName("ann", "A", "10.0.0.2")]
        self.assertEqual(both, await kept_names(self.log.records))

    async def test_it_is_kept_for_its_time_after_the_last_message(self):
        names = await self.kept()
        await names.keep("ann", "A", None)
        self.clock.advance(29 * DAY)
        self.assertEqual("ann", await self.refused(names.check("ann", "B")))
        self.assertFalse(names.is_kept("ann", "A"))
        await names.keep("ann", "A", None)
        self.clock.advance(29 * DAY)
        self.assertEqual("ann", await self.refused(names.keep("ann", "B", None)))
        self.clock.advance(1.1 * DAY)
        await names.keep("ann", "B", None)
        self.assertEqual("ann", await self.refused(names.check("ann", "A")))

    async def test_each_name_that_one_has_spoken_under_is_kept(self):
        names = await self.kept()
        for nick in ("ann", "anna"):
            await names.keep(nick, "A", None)
        for nick in ("ann", "anna"):
            self.assertEqual(nick, await self.refused(names.check(nick, "B")))

    async def test_another_process_knows_of_it(self):
        names = await self.kept()
        others = KeptNames(self.log, 30 * DAY, self.clock.passed)
        await names.keep("ann", "A", None)
        self.assertEqual("ann", await self.refused(others.keep("ann", "B", None)))

    async def test_of_an_address_the_first_names_are_kept(self):
        names = await self.kept()
        for number in range(MOST_NAMES + 3):
            await names.keep(f"n{number}", "A", "10.0.0.1")
        kept = {name.nick for name in await kept_names(self.log.records)}
        self.assertEqual({f"n{number}" for number in range(MOST_NAMES)}, kept)
        await names.keep("other", "B", "10.0.0.2")
        await names.keep("nowhere", "C", None)
        await free_name(self.log.records, "n7")
        await names.keep("late", "A", "10.0.0.1")
        kept = {name.nick for name in await kept_names(self.log.records)}
        self.assertEqual({"late", "other", "nowhere"}, kept - {f"n{n}" for n in range(MOST_NAMES)})
        self.assertNotIn("n7", kept)

    async def test_a_guests_name_is_nobodys_and_without_time_none_is_kept(self):
        names = await self.kept()
        await names.keep("guest-12ab", "A", None)
        self.assertEqual([], await kept_names(self.log.records))
        names = await self.kept(0.0, self.log)
        self.assertTrue(names.is_kept("ann", "A"))

    async def test_one_that_was_freed_is_anybodys(self):
        names = await self.kept()
        await names.keep("Iris", "A", None)
        self.assertEqual([], await free_name(self.log.records, "ann"))
        freed = await free_name(self.log.records, "lris")  # looks like it
        self.assertEqual([KeptName("Iris", "A", None)], freed)
        self.assertEqual({}, await self.log.records.all("name:"))
        await names.keep("Iris", "B", None)
        self.assertEqual("Iris", await self.refused(names.check("iris", "A")))

    # Members.

    async def test_a_member_who_is_signed_out_has_no_device_any_more(self):
        records = (await self.opened()).records
        await admit(records, "1", "Ann", "owner")
        await admit(records, "2", "Bob", "member")
        self.assertIsNone(await add_device(records, "3"))
        added = [await add_device(records, "1") for _ in range(2)]
        devices = [device for _, device in added]
        _, bobs = await add_device(records, "2")
        ann, _ = await all_members(records)
        self.assertEqual(("Ann", "owner", tuple(devices)), ann[1:])
        self.assertEqual({}, await gone_devices(records))
        self.assertTrue(await sign_out(records, "1"))
        self.assertFalse(await sign_out(records, "3"))
        self.assertEqual(dict.fromkeys(devices, "1"), await gone_devices(records))
        self.assertEqual([(), (bobs,)], [each.devices for each in await all_members(records)])
        self.assertIsNotNone(await add_device(records, "1"))
        self.assertNotIn(bobs, await gone_devices(records))
