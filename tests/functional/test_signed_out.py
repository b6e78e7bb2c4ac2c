"""Members of two workers over one Redis: who is signed out is out at both."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.chatapp.command.program import run
from tests.functional.test_workers import ENDED_SECONDS, Visitor, WorkersCase

FORM = "application/x-www-form-urlencoded"


class SignedOutTests(WorkersCase):
    app = {"chat.identity": "members", "chat.poll_timeout": 30, "chat.push_rate": 0}

    def link(self, *arguments):
        status, link, said = run("invite", *arguments, "--ini", self.one.ini)
        self.assertEqual(0, status, said)
        return re.search(r"/device/\S+", link)[0]

    def come_in(self, link, name="", to=None):
        device = Visitor(self.both, self.room)
        body = f"name={name}".encode()
        self.assertEqual(303, device.ask("POST", link, body, to, Content_Type=FORM)[0])
        return device

    def member(self, name, to=None):
        return self.come_in(self.link(), f"{name}-{self.name}", to)

    def another_device(self, member, to=None):
        _, _, content = member.post("/chat/device", {})
        return self.come_in(f"/device/{json.loads(content)['code']}", to=to)

    def held(self, *where):
        """A poll of each device at that worker, which is held."""
        for _ in range(3):  # until each has heard of all the others
            for device, server in where:
                device.ask("GET", f"/chat/pull/{self.room}?client={device.tab}&hold=0", to=server)
            time.sleep(0.1)
        for device, server in where:
            device.cursor = device.take(
                device.begin("GET", f"/chat/pull/{self.room}?client={device.tab}&hold=0", None,
                             server, Accept="application/json")
            )["cursor"]  # fmt: skip
        return [device.poll(server) for device, server in where]

    def assert_out(self, device, poll, act):
        """`act` ends the held poll, with nothing in it, and then each worker refuses the device
        whatever it asks."""

        def take():
            news = device.take(poll)
            return time.monotonic(), news

        with ThreadPoolExecutor() as pool:
            taken = pool.submit(take)
            time.sleep(0.2)
            self.assertFalse(taken.done(), "the poll is not held")
            act()
            acted = time.monotonic()
            for server in self.both:
                while device.ask("GET", "/chat/nick", None, server)[0] != 401:
                    time.sleep(0.01)
            at, news = taken.result()
        self.assertEqual([], news["messages"])
        self.assertLess(at - acted, ENDED_SECONDS)
        for server in self.both:
            for path in ("/chat/me", f"/chat/history/{self.room}", f"/chat/pull/{self.room}"):
                self.assertEqual(401, device.ask("GET", path, None, server)[0], path)
            self.assertEqual(401, device.post(f"/chat/push/{self.room}", {"text": "x"}, server)[0])

    def test_every_device_of_who_is_signed_out_by_the_command(self):
        for server in self.both:
            with self.subTest(server=server.port):
                name = f"ann{server.port}"
                ann = self.member(name, self.one)
                who = f"{name}-{self.name}"
                out = partial(run, "sign-out", who, "--ini", self.one.ini)
                [poll] = self.held((ann, server))
                self.assert_out(ann, poll, out)
                back = self.come_in(self.link("--as", who), to=server)
                self.assertEqual(who, json.loads(back.ask("GET", "/chat/nick")[2])["nick"])

    def test_one_device_that_is_signed_out_at_the_other_worker(self):
        ann = self.member("ann", self.one)
        phone = self.another_device(ann, self.two)
        polls = self.held((ann, self.one), (phone, self.two))
        devices = json.loads(phone.ask("GET", "/chat/me", to=self.two)[2])["devices"]
        [lost] = [each["device"] for each in devices if each["current"]]
        out = partial(ann.post, "/chat/me/devices", {"remove": lost}, self.one)
        self.assert_out(phone, polls[1], out)
        ann.take(polls[0])  # that one is asked to show who it is, and goes on
        polls = self.held((ann, self.one))
        self.assertEqual(200, ann.say("still here", self.two)[0])
        self.assertEqual(["still here"], [each["text"] for each in ann.take(polls[0])["messages"]])

    def test_a_member_who_is_renamed_at_one_worker_is_at_the_other(self):
        ann = self.member("ann", self.one)
        phone = self.another_device(ann, self.two)
        for poll in self.held((ann, self.one), (phone, self.two)):
            self.addCleanup(poll.close)
        name = f"anna-{self.name}"
        self.assertEqual(200, ann.post("/chat/nick", {"nick": name}, self.one)[0])
        phone.say("from the phone", self.two)
        _, _, content = ann.ask("GET", f"/chat/history/{self.room}", None, self.one)
        [message] = json.loads(content)["messages"]
        self.assertEqual(name, message["nick"])
