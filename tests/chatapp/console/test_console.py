"""What is done from a shell, on every log."""

import json
import time

from chatapp.community.acts import CONSOLE
from chatapp.community.keeping import Keeping
from chatapp.community.people import Acquaintances
from chatapp.console.console import Console
from chatapp.console.errors import ConsoleError
from chatapp.console.finding import Finding
from chatapp.identity.members import add_device, admit
from chatapp.identity.names import KeptNames
from chatapp.identity.person import Person
from chatapp.model.message import handle
from tests.chatapp.community.contract import BookCase, OnMemory, OnRedis, OnSQLite
from tests.chatapp.model.contract import store

ANN, BOB = Person("A", "Ann", role="member"), Person("B", "Bob", role="member")


class ConsoleCases(BookCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.rooms = self.book()
        self.keeping = Keeping(self.log, self.rooms, b"key", wall=self.clock.wall)
        self.known = Acquaintances(self.log, self.clock.wall)
        await self.known.note(ANN, "192.0.2.7")
        await self.known.note(BOB, None)
        self.console = self.made("open")

    def made(self, identity):
        finding = Finding(self.log, self.rooms, self.known)
        return Console(
            self.log, self.rooms, self.keeping, finding, "http://chat", identity, self.clock.wall
        )

    async def run_(self, verb, **given):
        return [line async for line in self.console.run(verb, given)]

    async def refused(self, line, verb, **given):
        with self.assertRaisesRegex(ConsoleError, line):
            await self.run_(verb, **given)

    async def acts(self):
        return [line.split("\t")[4] for line in await self.run_("deeds", limit=100, before=None)]

    async def reasons(self):
        return [line.split("\t")[10] for line in await self.run_("deeds", limit=100, before=None)]

    # Rooms and messages.

    async def test_rooms_are_told_with_and_without_a_record(self):
        await store(self.log, "tea", "ann", "Ann", "hello")
        await self.keeping.make_room(CONSOLE, "The news", "announce", [ANN], "News")
        private = await self.keeping.make_room(ANN, "Lunch", "members", [BOB])
        self.assertEqual(
            ["News\tannounce\t2\t0\tThe news", "tea\topen\t0\t1\t",
             f"{private.name}\tmembers\t2\t0\tLunch"],
            await self.run_("rooms"),
        )  # fmt: skip

    async def test_somebody_who_is_called_console_is_another(self):
        called = Person("console", "console", role="keeper")
        await self.keeping.mute(called, BOB)
        await self.keeping.mute(CONSOLE, called)
        await self.keeping.unmute(CONSOLE, called)
        deeds = await self.run_("deeds", limit=3, before=None)
        whos = [line.split("\t")[2:4] for line in deeds]
        self.assertEqual([["console", ""]] * 2 + [["console", handle("console")]], whos)

    async def test_a_message_is_removed(self):
        await store(self.log, "tea", "ann", "Ann", "hello")
        self.assertEqual(
            ["message 1 of tea is removed"],
            await self.run_("remove", room="TEA", seq=1, reason="rude"),
        )
        await self.refused("no such message", "remove", room="tea", seq=1, reason="")
        held = await self.log.read("tea", 0, 10)
        self.assertEqual(["", "rude"], [message.text for message in held.messages])
        [deed] = await self.run_("deeds", limit=1, before=None)
        self.assertEqual(
            ["console", "", "clear", "Ann", handle("ann"), "tea", "1", "", "rude"],
            deed.split("\t")[2:],
        )

    async def test_a_room_is_closed_opened_again_and_renamed_by_its_title_too(self):
        room = await self.keeping.make_room(ANN, "Lunch", "members")
        await self.run_("close", room="Lunch", reason="over")
        self.assertEqual("closed", self.rooms.room(room.name).policy)
        await self.run_("reopen", room="Lunch", reason="day")
        self.assertEqual("members", self.rooms.room(room.name).policy)
        await self.refused("is not closed", "reopen", room="Lunch", reason="")
        await self.run_("rename", room="Lunch", title="Dinner", reason="later")
        self.assertEqual("Dinner", self.rooms.room(room.name).title)
        await self.refused("no room called Lunch", "rename", room="Lunch", title="x", reason="")
        self.assertEqual(["rename", "members", "closed"], await self.acts())
        self.assertEqual(["later", "day", "over"], await self.reasons())

    async def test_a_title_that_several_rooms_have_names_none(self):
        for _ in range(2):
            await self.keeping.make_room(ANN, "Lunch", "members")
        await self.refused(r"~\w+, ~\w+ are all called Lunch: name one", "close", room="Lunch",
                           reason="")  # fmt: skip

    async def test_a_room_of_that_name_goes_before_a_title(self):
        await store(self.log, "lunch", "ann", "Ann", "hello")
        await self.keeping.make_room(ANN, "Lunch", "members")
        self.assertEqual(["lunch is closed"], await self.run_("close", room="Lunch", reason=""))

    # People.

    async def test_somebody_is_meant_by_nick_handle_and_id(self):
        for who in ("ann", handle("A"), "A"):
            await self.run_("mute", who=who, seconds=60, reason="")
            self.assertTrue(self.rooms.standing("A").muted_until)
            await self.run_("unmute", who=who, reason="sorry")
        await self.refused("nobody who was here is called Kim", "mute", who="Kim", seconds=None,
                           reason="")  # fmt: skip

    async def test_a_name_that_is_anothers_id_means_nobody(self):
        await self.known.note(Person("Ann", "Cat"), None)
        line = rf"Ann can be {handle('A')} \(A\), {handle('Ann')} \(Ann\): say which"
        await self.refused(line, "unban", who="Ann", reason="")

    async def test_a_ban_with_and_without_the_address(self):
        said = await self.run_("ban", who="Ann", seconds=None, address=True, reason="spam")
        self.assertEqual(["Ann is banned, and so is everybody at 192.0.2.7"], said)
        self.assertEqual("spam", self.rooms.banned("B", "192.0.2.7").reason)
        await self.run_("unban", who="Ann", reason="promised")
        self.assertIsNone(self.rooms.banned("A", "192.0.2.7"))
        await self.refused("not banned", "unban", who="Ann", reason="")
        await self.refused("address of Bob is not known", "ban", who="Bob", seconds=None,
                           address=True, reason="")  # fmt: skip
        await self.refused("seconds: 1 to", "ban", who="Bob", seconds=0, address=False, reason="")
        self.assertEqual(["unban", "ban"], await self.acts())
        self.assertEqual(["promised", "spam"], await self.reasons())

    async def test_who_is_banned_and_forgotten_is_meant_by_their_id(self):
        await self.keeping.ban(CONSOLE, Person("gone"))
        said = await self.run_("unban", who="gone", reason="")
        self.assertEqual(["gone may come in again"], said)

    async def test_a_role(self):
        said = await self.run_("role", who="Ann", role="keeper", reason="helps")
        self.assertEqual(["Ann is keeper"], said)
        self.assertEqual(["Ann is member"], await self.run_("role", who="Ann", role="", reason=""))
        await self.refused("A role is", "role", who="Ann", role="king", reason="")
        self.assertEqual(["", "helps"], await self.reasons())

    async def test_who_is_muted_banned_and_was_given_a_role_is_told(self):
        self.assertEqual([], await self.run_("standings", limit=100, before=None))
        await self.run_("mute", who="Ann", seconds=60, reason="loud")
        await self.keeping.ban(CONSOLE, Person("gone"), None, "192.0.2.9", "spam")
        await self.run_("role", who="Bob", role="keeper", reason="")
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.wall() + 60))
        ann, bob, gone = handle("A"), handle("B"), handle("gone")
        lines = [
            f"3\tBob\t{bob}\tkeeper\t\t\t\t\t",
            f"2\t{gone}\t{gone}\t\t\t\tfor good\tspam\t192.0.2.9",
            f"1\tAnn\t{ann}\t\t{end}\tloud\t\t\t",
        ]
        self.assertEqual(lines, await self.run_("standings", limit=100, before=None))
        self.assertEqual(lines[1:2], await self.run_("standings", limit=1, before=3))
        said = await self.run_("unban", who=gone, reason="")
        self.assertEqual(["gone may come in again"], said)

    # Members and names.

    async def test_members_are_invited_told_and_signed_out(self):
        self.console = self.made("members")
        [link] = await self.run_("invite", role="owner", name=None, count=1, reason="")
        self.assertTrue(link.startswith("http://chat/device/"))
        await admit(self.log.records, "M", "Mia", "member")
        await add_device(self.log.records, "M")
        self.assertEqual(["M\tmember\t1\tMia"], await self.run_("members"))
        self.assertEqual(["Mia is signed out on every device"],
                         await self.run_("sign-out", who="Mia", reason="lost"))  # fmt: skip
        self.assertEqual(["M\tmember\t0\tMia"], await self.run_("members"))
        await self.run_("invite", role="member", name="M", count=1, reason="back")
        await self.refused(
            "no member is called Ann", "invite", role="member", name="Ann", count=1, reason=""
        )
        await self.refused("signed in elsewhere", "sign-out", who="Ann", reason="")
        self.assertEqual(["invite", "sign-out", "invite"], await self.acts())
        self.assertEqual(["back", "lost", ""], await self.reasons())

    async def test_a_chat_without_members_has_none(self):
        await self.refused("chat.identity is not members", "members")
        await self.refused(
            "chat.identity is not members", "invite", role="owner", name=None, count=1, reason=""
        )

    async def test_names_are_told_and_freed(self):
        await KeptNames(self.log, 60.0, self.clock.wall).keep("Iris", "i", None)
        self.assertEqual(["Iris"], await self.run_("names"))
        self.assertEqual(
            ["anybody can take Iris now"], await self.run_("free", name="lris", reason="gone")
        )
        await self.refused("the name Iris is not kept", "free", name="Iris", reason="")
        self.assertEqual(["free"], await self.acts())
        self.assertEqual(["gone"], await self.reasons())

    # Everything.

    async def test_an_export_has_rooms_and_messages_and_nothing_that_was_removed(self):
        for number in range(3):
            await store(self.log, "tea", "ann", "Ann", f"tea {number}")
        await store(self.log, "lobby", "bob", "Bob", "secret")
        await self.run_("remove", room="lobby", seq=1, reason="rude")
        room = await self.keeping.make_room(ANN, "Lunch", "members", [BOB])
        lines = await self.run_("export", room=None)
        self.assertNotIn("secret", "".join(lines))
        head, *rest = map(json.loads, lines)
        self.assertEqual(1, head["export"])
        heads = [(each["room"], each["last"]) for each in rest if "last" in each]
        self.assertEqual([("lobby", 2), ("tea", 3), (room.name, 0)], heads)
        self.assertEqual({"A": "Ann", "B": "Bob"}, rest[-1]["record"]["members"])
        said = [(each["room"], each["seq"], each["text"]) for each in rest if "seq" in each]
        self.assertEqual(
            [("lobby", 1, ""), ("lobby", 2, "rude"),
             ("tea", 1, "tea 0"), ("tea", 2, "tea 1"), ("tea", 3, "tea 2")],
            said,
        )  # fmt: skip
        [removed, removal, *_] = [each for each in rest if "seq" in each]
        self.assertEqual(("removed", "bob"), (removed["kind"], removed["sender"]))
        self.assertEqual(("removal", 1, CONSOLE.id),
                         (removal["kind"], removal["about"], removal["sender"]))  # fmt: skip
        tea = await self.run_("export", room="tea")
        self.assertEqual(4, len(tea[1:]))
        await self.refused("no room called x", "export", room="x")

    # What is no request.

    async def test_what_is_not_asked_rightly_is_refused(self):
        await self.refused("knows no 'dance'", "dance")
        for given in ({}, {"room": "tea"}, {"room": "tea", "seq": "1", "reason": ""},
                      {"room": "tea", "seq": True, "reason": ""},
                      {"room": "tea", "seq": 1, "reason": "", "by": "Ann"}):  # fmt: skip
            await self.refused("remove takes room, seq, reason", "remove", **given)


class MemoryTests(OnMemory, ConsoleCases):
    pass


class SQLiteTests(OnSQLite, ConsoleCases):
    pass


class RedisTests(OnRedis, ConsoleCases):
    pass


del ConsoleCases
