"""`chat.identity = members`: invited, in, on another device, and signed out."""

import asyncio
import contextlib
import http.client
import json
import re
import unittest
from urllib.parse import quote

from benchmarks.harness.chat import ChatServer
from chatapp.identity.codes import make_code
from chatapp.identity.members import all_members, invite, sign_out
from tests.chatapp.command.program import run
from tests.chatapp.support import ChatCase, texts

FORM = "application/x-www-form-urlencoded"


class MembersTests(ChatCase):
    def setUp(self):
        with self.assertLogs("chatapp.lib.signedout", "WARNING") as said:
            self.start(identity="members", url="https://chat.example")
        [line] = [record.getMessage() for record in said.records]
        self.assertRegex(line, "^nobody is a member yet: who opens .* is the owner$")
        self.owners = re.search(r"https://chat.example(/device/\S+)", line)[1]

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

    def test_the_first_start_has_the_owners_link(self):
        page = self.person().ask("GET", self.owners, Accept="text/html")
        self.assertIn(b"You are invited. What shall we call you?", page.body)
        ann, answer = self.come_in(self.owners, "Ann")
        self.assertEqual((303, "../"), (answer.status, answer.header("Location")))
        self.assertEqual("Ann", ann.pull()["you"]["nick"])
        [participant] = self.hub.participants.values()
        self.assertEqual("owner", participant.person.role)
        self.assertEqual(404, self.come_in(self.owners, "Bob")[1].status)

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
        for name in ("Ann", "\u0430nn"):
            self.assertEqual(409, self.come_in(path, name)[1].status)
        self.assertEqual(400, self.come_in(path, " ")[1].status)
        bob, answer = self.come_in(path, "Bob")
        self.assertEqual(303, answer.status)
        self.assertEqual(403, bob.post("/chat/nick", {"nick": "Rob"}).status)

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
