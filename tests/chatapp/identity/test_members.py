"""`chat.identity = members`: invited, in, on another device, and signed out."""

import asyncio
import contextlib
import http.client
import json
import re
import time
import unittest
from unittest import mock
from urllib.parse import quote

from benchmarks.harness.chat import ChatServer
from chatapp.identity.codes import make_code
from chatapp.identity.devices import MOST_DEVICES
from chatapp.identity.gone import gone_devices
from chatapp.identity.invitations import invite
from chatapp.identity.members import (
    add_device,
    admit,
    all_members,
)
from chatapp.identity.names import kept_names
from chatapp.identity.renaming import take_name
from chatapp.identity.signingout import sign_out
from chatapp.model import LogUnavailable
from pylons import config
from tests.chatapp.command.program import run
from tests.chatapp.support import ChatCase, texts

FORM = "application/x-www-form-urlencoded"


class MembersCase(ChatCase):
    def invited(self, role="member"):
        return f"/device/{asyncio.run(invite(self.hub.log.records, role))}"

    def come_in(self, path, name, person=None):
        person = person or self.person()
        body = f"name={quote(name)}".encode()
        return person, person.ask("POST", path, body, Content_Type=FORM)

    def member(self, name):
        person, answer = self.come_in(self.invited(), name)
        self.assertEqual(303, answer.status, answer.body)
        return person


class MembersTests(MembersCase):
    def setUp(self):
        with self.assertLogs("chatapp.lib.signedout", "WARNING") as said:
            self.start(identity="members", url="https://chat.example")
        [line] = [record.getMessage() for record in said.records]
        self.assertRegex(line, "^nobody is a member yet: who opens .* is the owner$")
        self.owners = re.search(r"https://chat.example(/device/\S+)", line)[1]

    def test_the_first_start_has_the_owners_link(self):
        page = self.person().ask("GET", self.owners, Accept="text/html")
        self.assertIn(b"You are invited. What shall we call you?", page.body)
        ann, answer = self.come_in(self.owners, "Ann")
        self.assertEqual((303, "../"), (answer.status, answer.header("Location")))
        self.assertEqual("Ann", ann.pull()["you"]["nick"])
        [participant] = self.hub.participants.values()
        self.assertEqual("owner", participant.person.role)
        self.assertEqual(404, self.come_in(self.owners, "Bob")[1].status)

    def test_the_owners_links_of_other_starts_are_over_once_there_is_an_owner(self):
        kept = self.hub.log.records._kept
        with self.assertLogs("chatapp.lib.signedout", "WARNING") as said:
            self.start(identity="members", data=self.hub.options.data)
        self.hub.log.records._kept |= kept
        late = re.search(r"http://\S+?(/device/\S+)", said.records[0].getMessage())[1]
        self.assertEqual(200, self.person().ask("GET", late).status)
        self.assertEqual(303, self.come_in(self.owners, "Ann")[1].status)
        self.assertEqual(404, self.person().ask("GET", late).status)
        self.assertEqual(404, self.come_in(late, "Bob")[1].status)
        [ann] = asyncio.run(all_members(self.hub.log.records))
        self.assertEqual("Ann", ann.name)
        self.assertEqual(303, self.come_in(self.invited("owner"), "Bob")[1].status)

    def test_who_is_refused_while_coming_in_has_used_up_nothing(self):
        ann, records = self.member("Ann"), self.hub.log.records
        code = json.loads(ann.post("/chat/device", {}).body)["code"]
        for path, name in ((self.invited(), "Bob"), (f"/device/{code}", "")):
            with self.subTest(path):
                before = dict(records._kept)
                failures = 0
                while self.come_in_with_a_failure(path, name, failures) == 503:
                    self.assertEqual(before, records._kept)
                    failures += 1
                self.assertEqual(1, failures)

    def come_in_with_a_failure(self, path, name, before):
        """The status, where the log fails after it has taken so many changes."""
        records = self.hub.log.records
        taken = [None] * before
        change = records.change

        async def failing(found, changes):
            if not taken:
                raise LogUnavailable("it is away")
            taken.pop()
            return await change(found, changes)

        with mock.patch.object(records, "change", failing):
            return self.come_in(path, name)[1].status

    def test_who_is_not_invited_sees_nothing(self):
        self.member("Ann").say("hello")
        stranger = self.person()
        for path in ("/", "/chat/history/lobby", "/chat/people/lobby", "/chat/nick"):
            self.assertEqual(401, stranger.ask("GET", path).status)
        self.assertEqual(401, stranger.say("hello").status)
        self.assertEqual(401, stranger.ask("POST", "/chat/device", b"{}").status)
        self.assertEqual(404, stranger.ask("GET", "/device/x").status)

    def test_a_name_is_a_members_for_ever(self):
        self.member("Ann")
        path = self.invited()
        self.member("guest-12ab")
        for name in ("Ann", "\u0430nn", "guest-12ab"):
            self.assertEqual(409, self.come_in(path, name)[1].status)
        self.assertEqual(400, self.come_in(path, " ")[1].status)
        self.assertEqual(303, self.come_in(path, "Bob")[1].status)

    def test_a_member_takes_another_name_and_is_who_they_were(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        self.calm(ann, bob)
        ann.say("as Ann")
        for name, taken in (("Bob", "Bob is"), ("B\u043eb", "B\u043eb looks like Bob, which is")):
            answer = ann.post("/chat/nick", {"nick": name})
            self.assertEqual(409, answer.status)
            self.assertIn(f"The name {taken} taken", json.loads(answer.body)["error"])
        answer = ann.post("/chat/nick", {"nick": "Anna"})
        self.assertEqual((200, b'{"nick":"Anna"}'), (answer.status, answer.body))
        ann.say("as Anna")
        history = json.loads(ann.ask("GET", "/chat/history/lobby").body)["messages"]
        self.assertEqual(["Ann", "Anna"], [message["nick"] for message in history])
        [sender] = {message["sender"] for message in history}
        self.assertEqual(sender, json.loads(ann.ask("GET", "/chat/me").body)["sender"])
        self.settle()
        told = bob.pull()
        self.assertIn({"room": "lobby", "event": "nick", "nick": "Anna", "was": "Ann"},
                      told["presence"])  # fmt: skip
        answer = bob.post("/chat/nick", {"nick": "Ann"})  # the name of before is hers yet
        self.assertEqual(409, answer.status)

    def test_a_name_that_cannot_be_taken_now_is_kept_for_nobody(self):
        ann, records = self.member("Ann"), self.hub.log.records
        self.assertEqual(200, ann.post("/chat/nick", {"nick": "Anna"}).status)
        before = dict(records._kept)
        change, refused, failures = records.change, True, 0

        async def failing(found, changes):
            if any(key.startswith(("name:", "member:")) for key in changes):
                if not taken:
                    raise LogUnavailable("it is away")
                taken.pop()
            return await change(found, changes)

        while refused:
            taken = [None] * failures
            with mock.patch.object(records, "change", failing):
                refused = ann.post("/chat/nick", {"nick": "Annika"}).status == 503
            if refused:
                failures += 1
                self.assertEqual(before, records._kept)
        self.assertEqual(1, failures)
        self.assertEqual(b'{"nick":"Annika"}', ann.ask("GET", "/chat/nick").body)
        self.assertEqual(303, self.come_in(self.invited(), "Ann")[1].status)

    def test_two_names_that_are_taken_at_once_leave_one_and_the_one_before(self):
        self.member("Ann")
        records, names = self.hub.log.records, config["pylons.app_globals"].names
        [ann] = asyncio.run(all_members(records))

        async def both():
            taking = (take_name(records, names, ann.id, name, 60.0) for name in ("Eve", "Joy"))
            return await asyncio.gather(*taking)

        with mock.patch.object(records, "get", slowly(records.get)):
            asyncio.run(both())
        [member] = asyncio.run(all_members(records))
        kept = {each.nick for each in asyncio.run(kept_names(records))}
        self.assertEqual({"Eve", "Joy"}, {member.name, member.was})
        self.assertEqual({member.name, member.was}, kept)

    def test_the_new_name_is_that_of_each_device_after_a_restart(self):
        ann = self.member("Ann")
        phone = self.on_another_device(ann)
        ann.post("/chat/nick", {"nick": "Anna"})
        self.start_again()
        for each in (phone, ann):
            each.server = self.server
            self.assertEqual(b'{"nick":"Anna"}', each.ask("GET", "/chat/nick").body)
        self.assertEqual("Anna", phone.pull()["you"]["nick"])

    def start_again(self):
        """Another process with what the first has kept."""
        records, data = self.hub.log.records._kept, self.hub.options.data
        self.start(identity="members", data=data)
        self.hub.log.records._kept = records

    def on_another_device(self, member, **headers):
        code = json.loads(member.post("/chat/device", {}).body)["code"]
        device = self.person("other")
        device.headers |= headers
        self.assertEqual(303, device.ask("POST", f"/device/{code}").status)
        return device

    def calm(self, *people):
        """They have heard of each other."""
        for person in people:
            person.pull()
        self.settle()
        for person in people:
            poll = person.poll()
            if poll.look().done:
                person.take(poll)
            else:
                poll.transport.close()

    def devices(self, person):
        answer = person.ask("GET", "/chat/me")
        self.assertEqual(200, answer.status, answer.body)
        return json.loads(answer.body)["devices"]

    def test_a_member_sees_the_own_devices_and_names_them(self):
        ann = self.member("Ann")
        phone = self.on_another_device(ann, **{"User-Agent": "Mozilla (iPhone) Safari/604.1"})
        me = json.loads(phone.ask("GET", "/chat/me").body)
        self.assertEqual(("Ann", "member", "members"), (me["nick"], me["role"], me["identity"]))
        first, second = me["devices"]
        self.assertEqual((False, True), (first["current"], second["current"]))
        self.assertEqual(("A device", "Safari on iPhone"), (first["label"], second["label"]))
        self.assertAlmostEqual(time.time(), second["at"], delta=60)
        self.assertIsNone(second["seen"])
        self.assertEqual(200, phone.post("/chat/me/devices", {"label": " My  phone "}).status)
        answer = phone.post("/chat/me/devices", {"device": first["device"], "label": "Desk"})
        labels = [each["label"] for each in json.loads(answer.body)["devices"]]
        self.assertEqual(["Desk", "My phone"], labels)
        phone.pull()
        with mock.patch("time.gmtime", lambda: time.struct_time((2031, 5, 6, 7, 8, 9, 0, 0, 0))):
            self.pass_time(31)
        self.assertEqual(["2031-05-06"] * 2, [each["seen"] for each in self.devices(phone)])

    def test_on_which_day_a_device_was_here_is_written_down_however_many_there_are(self):
        records, members = self.hub.log.records, config["pylons.app_globals"].badges.identity

        async def come(number):
            await admit(records, f"m{number}", f"Member {number}", "member")
            _, device = await add_device(records, f"m{number}")
            members.admitted(device)
            self.assertTrue(members.proves({}, device, f"m{number}"))

        def noted():
            found = asyncio.run(all_members(records))
            return sum(device.seen != "" for each in found for device in each.devices)

        for number in range(250):
            asyncio.run(come(number))
        change, failing = records.change, [False] * 7 + [True]

        async def some(found, changes):
            if failing and failing.pop(0):
                raise LogUnavailable("it is away")
            return await change(found, changes)

        with mock.patch.object(records, "change", some):
            told = []
            for _ in range(3):
                self.pass_time(30)
                told.append(noted())
        self.assertEqual([7, 207, 250], told)
        self.assertEqual({}, members.seen)

    def test_what_cannot_be_done_with_a_device_is_a_line(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        [bobs] = self.devices(bob)
        for status, body in (
            (400, {}),
            (400, {"remove": 7}),
            (400, {"others": "yes"}),
            (400, {"label": ""}),
            (400, {"label": "x" * 65}),
            (400, {"label": "a\u202eb"}),
            (400, {"label": 7}),
            (404, {"remove": bobs["device"]}),
            (404, {"device": bobs["device"], "label": "Mine"}),
            (400, {"device": ["x"], "label": "Mine"}),
            (413, {"label": "x" * 5000}),
        ):
            with self.subTest(body):
                self.assertEqual(status, ann.post("/chat/me/devices", body).status)
        self.assertEqual([bobs], self.devices(bob))
        self.assertEqual(401, self.person().post("/chat/me/devices", {"others": True}).status)

    def test_one_device_is_signed_out_and_the_others_go_on(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        phone = self.on_another_device(ann)
        self.calm(ann, phone, bob)
        lost = next(each["device"] for each in self.devices(phone) if each["current"])
        held = phone.poll()
        self.assertEqual(200, ann.post("/chat/me/devices", {"remove": lost}).status)
        self.pass_time(0.6)
        self.assertTrue(held.look().done)
        self.assertEqual([], phone.take(held)["messages"])
        for path in ("/chat/nick", "/chat/me", "/chat/history/lobby", "/chat/pull?client=other"):
            self.assertEqual(401, phone.ask("GET", path).status)
        self.assertEqual(401, phone.say("stolen").status)
        bob.say("still here?")
        self.assertEqual(["still here?"], texts(ann.pull()))
        self.assertNotIn("presence", bob.pull())  # nobody came or went
        self.assertEqual([True], [each["current"] for each in self.devices(ann)])

    def test_the_link_that_a_device_has_made_is_over_once_it_is_signed_out(self):
        ann = self.member("Ann")
        phone = self.on_another_device(ann)
        stolen = json.loads(phone.post("/chat/device", {}).body)["code"]
        good = json.loads(ann.post("/chat/device", {}).body)["code"]
        self.assertEqual(200, ann.post("/chat/me/devices", {"others": True}).status)
        for method in ("GET", "POST"):
            answer = self.person().ask(method, f"/device/{stolen}")
            self.assertEqual(404, answer.status)
            self.assertIn(b"Ask for another", answer.body)
        self.assertEqual(303, self.person().ask("POST", f"/device/{good}").status)
        self.assertEqual(2, len(self.devices(ann)))

    def test_all_other_devices_are_signed_out_at_once(self):
        ann = self.member("Ann")
        others = [self.on_another_device(ann) for _ in range(3)]
        self.assertEqual(200, ann.post("/chat/me/devices", {"others": True}).status)
        self.pass_time(0.6)
        self.assertEqual([401] * 3, [each.ask("GET", "/chat/me").status for each in others])
        self.assertEqual(1, len(self.devices(ann)))

    def test_who_was_signed_out_while_the_process_did_not_know_is_not_let_in(self):
        """A worker that is started, or lags, goes by the member's record."""
        ann = self.member("Ann")
        phone = self.on_another_device(ann)
        lost = next(each["device"] for each in self.devices(phone) if each["current"])
        ann.post("/chat/me/devices", {"remove": lost})
        self.start_again()
        del self.hub.log.records._kept["gone"]
        for each in (ann, phone):
            each.server = self.server
        self.assertEqual(200, ann.ask("GET", "/chat/me").status)
        self.assertEqual(401, phone.ask("GET", "/chat/me").status)

    def test_a_device_that_was_signed_out_stays_out_whoever_is_signed_out_after_it(self):
        """The record has the last of them alone."""
        ann = self.member("Ann")
        phone = self.on_another_device(ann)
        self.calm(ann, phone)
        lost = next(each["device"] for each in self.devices(phone) if each["current"])
        ann.post("/chat/me/devices", {"remove": lost})
        self.pass_time(0.6)
        asyncio.run(self.sign_out_others())
        self.assertNotIn(lost, asyncio.run(gone_devices(self.hub.log.records)))
        self.pass_time(0.6)
        self.assertEqual(200, ann.ask("GET", "/chat/me").status)
        self.assertEqual(401, phone.ask("GET", "/chat/me").status)
        self.assertEqual(401, phone.say("stolen").status)

    def test_more_sign_outs_than_the_record_has_between_two_looks_leave_nobody_in(self):
        ann = self.member("Ann")
        for known in (0, 1000):
            with self.subTest(known=known):
                self.assertEqual(known, len(asyncio.run(gone_devices(self.hub.log.records))))
                phone = self.on_another_device(ann)
                lost = next(each["device"] for each in self.devices(phone) if each["current"])
                ann.post("/chat/me/devices", {"remove": lost})
                asyncio.run(self.sign_out_others())
                self.pass_time(0.6)
                self.assertEqual(200, ann.ask("GET", "/chat/me").status)
                self.assertEqual(401, phone.ask("GET", "/chat/me").status)

    async def sign_out_others(self, members=1000 // MOST_DEVICES):
        """So many, who are in on as many devices as can be."""
        records = self.hub.log.records
        for number in range(members):
            await admit(records, f"other{number}", f"Other {number}", "member")
            for _ in range(MOST_DEVICES):
                await add_device(records, f"other{number}")
            await sign_out(records, f"other{number}")

    def test_another_device_is_the_same_member(self):
        ann = self.member("Ann")
        ann.say("from the desk")
        code = json.loads(ann.post("/chat/device", {}).body)["code"]
        phone = self.person("phone")
        self.assertIn(b"Go on as <bdi>Ann</bdi>", phone.ask("GET", f"/device/{code}").body)
        self.assertEqual(303, phone.ask("POST", f"/device/{code}").status)
        self.assertEqual(ann.pull()["you"], phone.pull()["you"])
        self.assertEqual(404, self.person().ask("POST", f"/device/{code}").status)
        [member] = asyncio.run(all_members(self.hub.log.records))
        self.assertEqual(("Ann", 2), (member.name, len(member.devices)))

    def test_who_is_signed_out_is_out_within_a_second_and_comes_back_by_a_link(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        for each in (ann, bob):
            each.pull()
        self.settle()
        for each in (ann, bob):
            each.pull()
        held = ann.poll()
        members = asyncio.run(all_members(self.hub.log.records))
        asyncio.run(sign_out(self.hub.log.records, members[0].id))
        self.pass_time(0.9)
        self.assertTrue(held.look().done)
        self.assertEqual([], ann.take(held)["messages"])
        self.assertEqual(401, ann.ask("GET", "/chat/nick").status)
        bob.say("she is out")
        self.assertEqual(["she is out"], texts(bob.pull()))
        self.assertEqual(401, ann.ask("GET", "/chat/history/lobby").status)

    def test_a_badge_of_another_kind_is_none(self):
        ann = self.member("Ann")
        data = self.hub.options.data
        self.start(identity="host", data=data)
        ann.server = self.server
        self.assertEqual(401, ann.ask("GET", "/chat/nick").status)

    def test_a_link_of_an_open_chat_makes_nobody_a_member(self):
        code = asyncio.run(make_code(self.hub.log.records, {"id": "x", "nick": "Ann"}))
        self.assertEqual(404, self.person().ask("POST", f"/device/{code}").status)


def slowly(get):
    """Others have their turn while it is waited for."""

    async def slow(keys):
        await asyncio.sleep(0)
        return await get(keys)

    return slow


class CommandTests(unittest.TestCase):
    def test_members_are_invited_listed_and_signed_out_while_the_server_runs(self):
        with ChatServer(app={"chat.identity": "members", "chat.url": "http://chat"}) as server:
            server.logged("nobody is a member yet: who opens http://chat/device/")
            status, link, _ = run("invite", "--ini", server.ini)
            self.assertEqual(0, status)
            self.assertRegex(link, r"^http://chat/device/[\w-]{22}\n$")
            self.assertEqual((0, "", ""), run("members", "--ini", server.ini))
            self.assertEqual(1, run("sign-out", "Ann", "--ini", server.ini)[0])
            self.assertEqual(303, self.opened(server, link, b"name=Ann"))
            listed = run("members", "--ini", server.ini)[1]
            self.assertRegex(listed, r"^[\w-]{12}\tmember\t1\tAnn\n$")
            signed_out = "Ann is signed out on every device\n"
            self.assertEqual((0, signed_out, ""), run("sign-out", "Ann", "--ini", server.ini))
            self.assertIn("\t0\tAnn", run("members", "--ini", server.ini)[1])
            _, link, _ = run("invite", "--as", "Ann", "--ini", server.ini)
            self.assertEqual(303, self.opened(server, link, b""))
            self.assertIn("\t1\tAnn", run("members", "--ini", server.ini)[1])
            self.assertEqual(1, run("invite", "--as", "Kim", "--ini", server.ini)[0])
        status, _, said = run("invite", "--ini", "nowhere.ini")
        self.assertEqual(1, status)
        self.assertIn("nowhere.ini", said)

    def opened(self, server, link, form):
        """The status that who opens the printed link, and sends the form of it, is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        with contextlib.closing(connection):
            path = link.strip().removeprefix("http://chat")
            connection.request("POST", path, form, {"Content-Type": FORM})
            return connection.getresponse().status
