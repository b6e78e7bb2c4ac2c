"""Members that a checkout before devices had labels has kept: they go on as who they are.

`before/` has a file of SQLite that it made, its secret, and the cookies of two devices of Ann's and
of Bob, who was signed out.
"""

import contextlib
import json
import sqlite3
import threading
import time
import unittest
from pathlib import Path

from benchmarks.harness.chat import ChatServer
from tests.functional.test_workers import Visitor
from tests.support.engine import RedisServer

BEFORE = Path(__file__).parent / "before"
FILE = (BEFORE / "members.sql").read_text()
KNOWN = json.loads((BEFORE / "members.json").read_text())
FORM = "application/x-www-form-urlencoded"
# Of a poll that is held for 30: one that ends sooner was ended.
ENDED_SECONDS = 15.0


class MembersBeforeCase(unittest.TestCase):
    def serve(self, **app):
        server = ChatServer(app={"chat.identity": "members", **app})
        secret = server.folder / "data" / "secret"
        secret.parent.mkdir()
        secret.write_text(KNOWN["secret"])
        secret.chmod(0o600)
        self.prepare(server)
        self.enterContext(server)
        self.ann, self.phone, self.bob = (
            self.device(server, KNOWN[name]) for name in ("ann", "phone", "bob")
        )
        return server

    def device(self, server, cookies):
        device = Visitor([server], "lobby")
        device.cookies = dict(cookies)
        return device

    def me(self, device):
        status, _, content = device.ask("GET", "/chat/me")
        self.assertEqual(200, status, content)
        return json.loads(content)

    def held(self, device):
        """A poll that is."""
        for _ in range(2):  # until all have heard of all
            time.sleep(0.3)
            path = f"/chat/pull/lobby?client={device.tab}&hold=0"
            poll = device.begin("GET", path, Accept="application/json")
            device.cursor = device.take(poll)["cursor"]
        return device.poll()


class SQLiteTests(MembersBeforeCase):
    def prepare(self, server):
        with contextlib.closing(sqlite3.connect(server.folder / "chat.db")) as database:
            database.executescript(FILE)

    def test_everybody_is_who_they_were_on_each_device(self):
        server = self.serve()
        for device in (self.ann, self.phone):
            me = self.me(device)
            self.assertEqual(("Ann", "owner"), (me["nick"], me["role"]))
            self.assertEqual(KNOWN["sender"], me["sender"])
            self.assertEqual([None, None], [each["at"] for each in me["devices"]])
        _, _, content = self.ann.ask("GET", "/chat/history/lobby")
        told = {each["text"]: each["sender"] for each in json.loads(content)["messages"]}
        self.assertEqual(KNOWN["sender"], told["from Ann"])
        self.assertEqual(401, self.bob.ask("GET", "/chat/me")[0])
        self.assertNotIn("nobody is a member yet", server.log)

    def test_one_device_is_signed_out_and_the_name_changes(self):
        self.serve()
        lost = next(each["device"] for each in self.me(self.phone)["devices"] if each["current"])
        poll = self.held(self.phone)
        self.assertEqual(200, self.ann.post("/chat/me/devices", {"remove": lost})[0])
        acted = time.monotonic()
        self.phone.take(poll)
        self.assertLess(time.monotonic() - acted, ENDED_SECONDS)
        self.assertEqual(401, self.phone.ask("GET", "/chat/me")[0])
        self.assertEqual(409, self.ann.post("/chat/nick", {"nick": "Bob"})[0])
        self.assertEqual(200, self.ann.post("/chat/nick", {"nick": "Anna"})[0])
        self.assertEqual(KNOWN["sender"], self.me(self.ann)["sender"])


class RedisTests(MembersBeforeCase):
    """Beside a worker of before, which writes what it always wrote, while people are connected."""

    def setUp(self):
        self.engine = self.enterContext(RedisServer())
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.executescript(FILE)
            records = database.execute("select key, text, coalesce(expires, 0) from records")
            self.records = {key: (text, expires) for key, text, expires in records}
        self.serve(**{"chat.log": self.engine.url})

    def prepare(self, server):
        for key, (text, expires) in self.records.items():
            self.write(key, text, expires)

    def write(self, key, text, expires=0):
        self.engine.command("SET", f"chat:record:{key}", f"{expires:.0f} {text}")

    def test_who_is_connected_stays_while_the_other_worker_adds_and_takes_away_devices(self):
        key = next(
            key for key, (text, _) in self.records.items() if '"Ann"' in text and "member:" in key
        )
        polls = [self.held(device) for device in (self.ann, self.phone)]
        self.assertEqual(200, self.ann.post("/chat/me/devices", {"label": "Desk"})[0])
        before = json.loads(self.records[key][0])
        devices = [*before["devices"], "a-third-device"]
        self.write(key, json.dumps({**before, "devices": devices}))
        self.assertEqual(devices, [each["device"] for each in self.me(self.ann)["devices"]])
        self.assertEqual(200, self.ann.say("still here")[0])
        for device, poll in zip((self.ann, self.phone), polls, strict=True):
            texts = [each["text"] for each in device.take(poll)["messages"]]
            self.assertEqual(["still here"], texts)
        gone = json.loads(self.records["gone"][0])
        identity = key.removeprefix("member:")
        took = []
        polls = [self.held(device) for device in (self.ann, self.phone)]
        waiting = [
            threading.Thread(target=lambda d=d, p=p: took.append((d.take(p), time.monotonic())))
            for d, p in zip((self.ann, self.phone), polls, strict=True)
        ]
        for thread in waiting:
            thread.start()
        self.write("gone", json.dumps({**gone, **dict.fromkeys(devices, identity)}))
        self.write(key, json.dumps({**before, "devices": []}))
        acted = time.monotonic()
        for thread in waiting:
            thread.join()
        self.assertLess(max(at for _, at in took) - acted, ENDED_SECONDS)
        for device in (self.ann, self.phone):
            self.assertEqual(401, device.ask("GET", "/chat/me")[0])
