"""Which name is whose, beside every log: one suite for all of them."""

import asyncio
import json

from chatapp.directory import NickTaken
from chatapp.identity.codes import make_code
from chatapp.identity.devices import MOST_DEVICES, Device
from chatapp.identity.gone import gone_devices
from chatapp.identity.invitations import (
    accept_invitation,
    accept_link,
    invite,
    invite_again,
    invite_owner,
    look_up_link,
)
from chatapp.identity.members import (
    KEPT_SECONDS,
    Member,
    add_device,
    admit,
    all_members,
    find_member,
    label_device,
    note_devices,
    sign_out_devices,
)
from chatapp.identity.names import MOST_NAMES, KeptName, KeptNames, free_name, kept_names
from chatapp.identity.renaming import take_name
from chatapp.identity.signingout import sign_out
from chatapp.model import Record

DAY = 86_400.0


class NamesContract:
    """For a test of a log; `opened()` returns one whose clock is `self.clock`."""

    async def kept(self, keep=30 * DAY, log=None, guests=True):
        self.log = log or await self.opened()
        return KeptNames(self.log, keep, self.clock.passed, guests)

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

    async def test_where_there_are_no_guests_a_name_like_theirs_is_kept_as_any(self):
        names = await self.kept(KEPT_SECONDS, guests=False)
        records = self.log.records
        for identity, name in (("1", "guest-12ab"), ("2", "Bob")):
            await names.keep(name, identity, None)
            await admit(records, identity, name, "member")
        self.assertEqual("guest-12ab", await self.refused(names.keep("Guest-12ab", "3", None)))
        taking = take_name(records, names, "2", "guest-12ab", DAY)
        self.assertEqual("guest-12ab", await self.refused(taking))

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
        self.assertEqual(("Ann", "owner", devices), (*ann[1:3], ids(ann)))
        self.assertEqual({}, await gone_devices(records))
        self.assertTrue(await sign_out(records, "1"))
        self.assertFalse(await sign_out(records, "3"))
        self.assertEqual(dict.fromkeys(devices, "1"), await gone_devices(records))
        self.assertEqual([[], [bobs]], [ids(each) for each in await all_members(records)])
        self.assertIsNotNone(await add_device(records, "1"))
        self.assertNotIn(bobs, await gone_devices(records))

    async def test_one_device_is_signed_out_named_and_seen_by_itself(self):
        records = (await self.opened()).records
        await admit(records, "1", "Ann", "owner")
        desk, phone = [
            (await add_device(records, "1", label, 7.0))[1] for label in ("Firefox", "Safari")
        ]
        self.assertTrue(await label_device(records, "1", desk, "At work"))
        self.assertFalse(await label_device(records, "1", "other", "At work"))
        await note_devices(records, "1", [desk, "other"], "2026-11-27")
        await note_devices(records, "1", [desk], "2026-11-26")
        ann = await find_member(records, "1")
        desk_now = Device(desk, "At work", 7.0, "2026-11-27")
        self.assertEqual((desk_now, Device(phone, "Safari", 7.0)), ann.devices)
        self.assertEqual([], await sign_out_devices(records, "1", {"other"}.__contains__))
        self.assertEqual([phone], await sign_out_devices(records, "1", {phone}.__contains__))
        self.assertIsNone(await sign_out_devices(records, "2", {phone}.__contains__))
        self.assertEqual([desk], ids(await find_member(records, "1")))
        self.assertEqual({phone: "1"}, await gone_devices(records))

    async def test_a_member_has_so_many_devices_and_the_longest_unseen_goes(self):
        records = (await self.opened()).records
        await admit(records, "1", "Ann", "owner")
        devices = [(await add_device(records, "1", "", n))[1] for n in range(MOST_DEVICES)]
        await note_devices(records, "1", devices[:1], "2026-11-27")
        _, late = await add_device(records, "1", "", 99.0)
        expected = [*devices[:1], *devices[2:], late]
        self.assertEqual(expected, ids(await find_member(records, "1")))
        self.assertEqual({devices[1]: "1"}, await gone_devices(records))

    async def test_a_device_that_was_just_signed_in_was_here_that_day(self):
        records = (await self.opened()).records
        await admit(records, "1", "Ann", "owner")
        now = 1_795_790_926.0  # 2026-11-27
        devices = [(await add_device(records, "1", "", now - DAY))[1] for _ in range(MOST_DEVICES)]
        await note_devices(records, "1", devices[1:-1], "2026-11-27")
        await note_devices(records, "1", devices[:1], "2026-11-26")
        _, new = await add_device(records, "1", "", now)
        _, newer = await add_device(records, "1", "", now + 60)
        expected = [*devices[1:-1], new, newer]
        self.assertEqual(expected, ids(await find_member(records, "1")))

    async def test_a_member_of_the_version_before_is_the_same_one(self):
        records = (await self.opened()).records
        before = {"name": "Ann", "role": "owner", "devices": ["d1", "d2"]}
        await records.change({}, {"member:1": Record(json.dumps(before))})
        ann = await find_member(records, "1")
        self.assertEqual(Member("1", "Ann", "owner", (Device("d1"), Device("d2"))), ann)
        self.assertTrue(await label_device(records, "1", "d2", "Phone"))
        kept = json.loads((await records.get(["member:1"]))["member:1"])
        # A worker of the version before goes on with what is kept.
        self.assertEqual(before, {key: kept[key] for key in before})

    async def test_of_the_owners_links_of_all_starts_one_makes_an_owner(self):
        names = await self.kept(KEPT_SECONDS)
        records = self.log.records
        codes = [await invite_owner(records) for _ in range(3)]
        invited = await invite(records, "keeper")
        cat, _ = await accept_invitation(records, names, invited, "Cat", "", 7.0)
        self.assertEqual("keeper", cat.role)
        self.assertTrue((await look_up_link(records, codes[0]))["first"])
        came = await asyncio.gather(
            *(
                accept_invitation(records, names, code, name, "Firefox", 7.0)
                for code, name in zip(codes, ("Ann", "Bob"), strict=False)
            )
        )
        [(owner, device)] = [each for each in came if each is not None]
        self.assertEqual("owner", owner.role)
        self.assertEqual((Device(device, "Firefox", 7.0),), owner.devices)
        self.assertEqual([owner, cat], await all_members(records))
        self.assertEqual([owner.name, "Cat"], [each.nick for each in await kept_names(records)])
        for code in codes:
            self.assertIsNone(await look_up_link(records, code))
        self.assertIsNone(await accept_invitation(records, names, codes[2], "Dan", "", 7.0))
        self.assertIsNone(await invite_owner(records))

    async def test_of_all_who_use_an_invitation_or_a_link_at_once_one_is_in(self):
        names = await self.kept(KEPT_SECONDS)
        records = self.log.records
        code = await invite(records, "member")
        came = await asyncio.gather(
            *(
                accept_invitation(records, names, code, name, "", 7.0)
                for name in ("Ann", "Bob", "Cat")
            )
        )
        [(member, device)] = [each for each in came if each is not None]
        self.assertEqual([member], await all_members(records))
        self.assertEqual([member.name], [each.nick for each in await kept_names(records)])
        code = await invite_again(records, member)
        self.assertIsNone(await accept_invitation(records, names, code, "Dan", "", 7.0))
        came = await asyncio.gather(*(accept_link(records, code, "", 7.0) for _ in range(3)))
        [(member, other)] = [each for each in came if each is not None]
        self.assertEqual([device, other], ids(member))
        self.assertEqual({}, await records.all("code:"))

    async def test_a_link_of_a_device_that_is_signed_out_is_of_no_use(self):
        records = (await self.opened()).records
        ann = await admit(records, "1", "Ann", "owner")
        _, phone = await add_device(records, "1")
        code = await make_code(records, {"member": "1", "nick": "Ann", "device": phone})
        self.assertEqual("Ann", (await look_up_link(records, code))["nick"])
        await sign_out_devices(records, "1", {phone}.__contains__)
        self.assertIsNone(await look_up_link(records, code))
        self.assertIsNone(await accept_link(records, code, "", 7.0))
        again = await invite_again(records, ann)
        self.assertTrue(await sign_out(records, "1"))
        self.assertIsNotNone(await accept_link(records, again, "", 7.0))

    async def test_of_those_that_were_signed_out_the_last_are_kept(self):
        records = (await self.opened()).records
        await admit(records, "1", "Ann", "owner")
        kept = {f"d{n}": "1" for n in range(1000)}
        await records.change({}, {"gone": Record(json.dumps(kept))})
        _, device = await add_device(records, "1")
        await sign_out(records, "1")
        gone = await gone_devices(records)
        self.assertEqual(["d1", device], [next(iter(gone)), list(gone)[-1]])
        self.assertEqual(1000, len(gone))

    async def test_a_member_takes_another_name_and_the_last_one_is_kept_for_a_while(self):
        names = await self.kept(KEPT_SECONDS)
        records = self.log.records
        for identity, name in (("1", "Ann"), ("2", "Bob")):
            await names.keep(name, identity, None)
            await admit(records, identity, name, "member")
        self.assertEqual("Bob", await self.refused(take_name(records, names, "1", "B\u043eb", DAY)))
        self.assertIsNone(await take_name(records, names, "1", "Ann", DAY))
        member = await take_name(records, names, "1", "Anna", DAY)
        self.assertEqual(("1", "Anna", "Ann"), (member.id, member.name, member.was))
        self.assertEqual("Ann", await self.refused(names.check("ann", "2")))
        await take_name(records, names, "1", "Annika", DAY)  # what was two names ago is free
        await names.check("Ann", "2")
        self.assertEqual("Anna", await self.refused(names.check("Anna", "2")))
        self.clock.advance(1.1 * DAY)
        await names.check("Anna", "2")
        self.assertEqual("Annika", await self.refused(names.check("Annika", "2")))

    async def test_a_name_that_is_written_otherwise_or_taken_again_stays_ones_own(self):
        names = await self.kept(KEPT_SECONDS)
        records = self.log.records
        await names.keep("Ann", "1", None)
        await admit(records, "1", "Ann", "member")
        for name in ("ann", "Eve", "Ann", "Ann"):
            await take_name(records, names, "1", name, DAY)
        self.clock.advance(1.1 * DAY)
        self.assertEqual("Ann", await self.refused(names.check("ann", "2")))
        await names.check("Eve", "2")


def ids(member):
    return [device.id for device in member.devices]
