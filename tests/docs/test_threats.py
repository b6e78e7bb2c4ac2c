"""Sentences of docs/threats.md that no other test holds to: what does not stop somebody, too."""

import json
import math
import tempfile
from pathlib import Path

from chatapp.community.rooms import MEMBERS, Room
from chatapp.community.standings import Ban, Standing
from chatapp.identity.person import Person
from chatapp.model.message import handle
from pylons import config
from tests.chatapp.identity.test_host import HostCase
from tests.chatapp.support import ChatCase, texts
from tests.chatapp.test_gate import Booked

PRIVATE = "~abcdefghijklmn22"


class OperatorTests(Booked, ChatCase):
    def test_who_can_read_the_file_reads_private_rooms(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.start(log=f"sqlite:///{folder}/chat.db")
        ann = self.joined("ann")
        self.keep(PRIVATE, "ann", title="The board")
        self.assertEqual(200, ann.say("between us", PRIVATE).status)
        found = b"".join(path.read_bytes() for path in folder.glob("chat.db*"))
        for text in (b"between us", b"The board", self.sender("ann").encode()):
            self.assertIn(text, found)

    def test_a_link_is_kept_as_a_digest(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.start(log=f"sqlite:///{folder}/chat.db")
        code = json.loads(self.joined("ann").post("/chat/device", {}).body)["code"]
        found = b"".join(path.read_bytes() for path in folder.glob("chat.db*"))
        self.assertIn(b"code:", found)
        self.assertNotIn(code.encode(), found)


class GuestTests(Booked, ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann")

    def test_who_is_banned_comes_back_with_another_browser(self):
        self.ban("ann")
        self.assertEqual(403, self.ann.say("hello").status)
        self.assertEqual(200, self.joined("anna").say("hello again").status)

    def test_an_owner_who_shares_a_banned_address_is_in_and_takes_it_back(self):
        bob = self.joined("bob")
        self.assertEqual(200, bob.say("spam").status)
        self.change(standings={self.sender("ann"): Standing(role="owner")})
        kim, here = self.sender("bob"), "127.0.0.1"
        standing = Standing(banned_until=math.inf, addresses=(here,))
        self.change(standings={kim: standing}, bans={here: Ban(math.inf, "", kim)})
        self.ann.address = here
        self.assertEqual([200, 403], [each.say("hello").status for each in (self.ann, bob)])
        self.assertEqual(200, self.ann.post("/chat/unban", {"who": handle(kim)}).status)
        self.assertEqual(200, bob.say("hello").status)

    def test_a_cookie_is_the_person_until_a_ban(self):
        thief = self.person(tab="other")
        thief.cookies = dict(self.ann.cookies)
        self.assertEqual(200, thief.say("I am ann").status)
        [message] = self.ann.pull()["messages"]
        self.assertEqual(handle(self.sender("ann")), message["sender"])
        self.ban("ann")
        self.assertEqual([403, 403], [each.say("hello").status for each in (self.ann, thief)])

    def test_the_name_of_a_room_can_look_like_anothers(self):
        self.ann.say("leaves", "tea")
        self.ann.say("not leaves", "t\u0435a")
        other = self.joined("bob", "tea")
        told = json.loads(other.ask("GET", "/chat/history/tea").body)["messages"]
        self.assertEqual(["leaves"], [message["text"] for message in told])

    def test_no_other_origin_reads_an_answer(self):
        elsewhere = {"Origin": "https://evil.example"}
        for method, path in (
            ("GET", "/"),
            ("GET", "/chat/history/lobby"),
            ("OPTIONS", "/chat/push"),
        ):
            answer = self.ann.ask(method, path, **elsewhere)
            told = [name for name, _ in answer.headers if name.lower().startswith("access-control")]
            self.assertEqual([], told, path)

    def test_who_is_let_in_reads_what_was_said_before(self):
        self.keep(PRIVATE, "ann")
        self.ann.say("before", PRIVATE)
        bob = self.joined("bob")
        self.keep(PRIVATE, "ann", "bob")
        told = json.loads(bob.ask("GET", f"/chat/history/{PRIVATE}").body)
        self.assertEqual(["before"], texts(told))

    def test_what_was_said_to_each_other_is_there_when_they_write_again(self):
        bob = self.joined("bob")
        for _ in range(2):
            room = json.loads(self.ann.post("/chat/direct", {"people": ["bob"]}).body)["room"]
            self.assertEqual(200, bob.say("hello", room).status)
            told = json.loads(self.ann.ask("GET", f"/chat/history/{room}").body)
            for person in (self.ann, bob):
                leaving = person.post(f"/chat/rooms/{room}/members", {"leave": True})
                self.assertEqual(200, leaving.status)
                self.assertEqual(404, person.ask("GET", f"/chat/history/{room}").status)
        self.assertEqual(["hello", "hello"], texts(told))

    def test_roles_do_not_lead_into_a_private_room(self):
        self.keep(PRIVATE, "ann")
        bob = self.joined("bob")
        for role in ("keeper", "owner"):
            self.change(standings={self.sender("bob"): Standing(role=role)})
            for path, body in (
                (f"/chat/rooms/{PRIVATE}/members", {"add": "bob"}),
                (f"/chat/rooms/{PRIVATE}", {"title": "mine"}),
                (f"/chat/remove/{PRIVATE}", {"seq": 1}),
                (f"/chat/push/{PRIVATE}", {"text": "hello"}),
            ):
                self.assertEqual(404, bob.post(path, body).status, path)
            self.assertEqual(404, bob.ask("GET", f"/chat/message/{PRIVATE}/1").status)

    def test_two_private_rooms_may_have_one_title(self):
        self.change(rooms=[Room(PRIVATE, MEMBERS, "Lunch", members={self.sender("ann"): "ann"})])
        body = {"title": "Lunch", "policy": "members"}
        self.assertEqual(200, self.ann.post("/chat/rooms", body).status)


class SecretTests(HostCase):
    def test_who_has_the_secret_is_anybody_without_the_proxy(self):
        self.begin()
        badges = config["pylons.app_globals"].badges
        thief = self.user("", address="192.0.2.1")
        _, value = badges.made(Person("ola", "Ola", role="owner"), "")
        thief.cookies[badges.cookie] = value
        told = json.loads(thief.ask("GET", "/chat/me").body)
        self.assertEqual(("Ola", "owner"), (told["nick"], told["role"]))

    def test_a_cookie_alone_is_nobody_where_a_proxy_says_who_asks(self):
        self.begin()
        ann = self.user("ann")
        ann.pull()
        thief = self.user("", address="192.0.2.1")
        thief.cookies = dict(ann.cookies)
        self.refused(thief)
