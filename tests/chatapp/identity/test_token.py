"""`chat.identity = token`: what a token may be, and what one that is none is told."""

import base64
import hashlib
import hmac
import json
import tempfile
import time
from pathlib import Path
from unittest import mock

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from chatapp.identity.token import keys_of
from chatapp.lib import outcomes
from tests.chatapp.support import ChatCase, texts

KEY, OTHER = "k" * 40, "o" * 40


def token(key=KEY, algorithm="HS256", **claims):
    known = {"sub": "7", "name": "Ann", "exp": int(time.time()) + 3600, **claims}
    known = {name: value for name, value in known.items() if value is not None}
    return jwt.encode(known, key, algorithm=algorithm)


class TokenCase(ChatCase):
    def begin(self, **options):
        self.start(identity="token", **{"token_key": KEY, **options})

    def bearer(self, text, tab="tab"):
        person = self.person(tab)
        person.headers["Authorization"] = f"Bearer {text}"
        return person

    def refusal(self, text):
        """The line that the client of such a token is told."""
        answer = self.bearer(text).ask("GET", "/chat/nick")
        self.assertEqual(401, answer.status, answer.body)
        self.assertEqual('Bearer realm="chat"', answer.header("WWW-Authenticate"))
        return json.loads(answer.body)["error"]


class TokenTests(TokenCase):
    def setUp(self):
        self.begin()
        self.enterContext(mock.patch("chatapp.lib.outcomes._written", {}))

    def test_who_is_named_is_in(self):
        ann = self.bearer(token(role="keeper", groups=["staff"]))
        self.assertEqual("Ann", ann.pull()["you"]["nick"])
        self.assertEqual(200, ann.say("hello").status)
        self.assertEqual(["hello"], texts(ann.pull()))
        [participant] = self.hub.participants.values()
        person = participant.person
        self.assertEqual(("7", "keeper", ("staff",)), (person.id, person.role, person.groups))

    def test_a_client_that_keeps_no_cookies_is_the_same_each_time(self):
        ann = self.bearer(token())
        ann.keep_cookies = lambda headers: None
        first = ann.pull()["you"]
        ann.say("hello")
        self.assertEqual(["hello"], texts(ann.pull()))
        other = self.bearer(token(), "other").pull()["you"]
        self.assertEqual(first, other)
        self.assertEqual(1, len(self.hub.participants))

    def test_a_page_brings_it_in_a_cookie(self):
        ann = self.person()
        ann.cookies["chat_jwt"] = token()
        self.assertEqual("Ann", ann.pull()["you"]["nick"])
        self.assertEqual(200, ann.ask("GET", "/", Accept="text/html").status)
        del ann.cookies["chat_jwt"]  # signed out at the site
        self.assertEqual(401, ann.ask("GET", "/chat/nick").status)

    def test_what_is_no_token_is_told_why_in_a_line(self):
        with self.assertLogs("chatapp.lib.outcomes", "WARNING"):
            now = int(time.time())
            for line, text in (
                ("The token has expired.", token(exp=now - 1)),
                ("The token is not valid yet.", token(nbf=now + 60)),
                ("The token is signed with another key.", token(OTHER)),
                ("The token is signed with an algorithm that is not taken here.", unsigned()),
                ("The token is signed with an algorithm that is not taken here.",
                 token(KEY * 2, "HS512")),
                ("The token has no sub.", token(sub=None)),
                ("The token has no sub.", token(sub="")),
                ("The token has no exp.", token(exp=None)),
                ("The token's name is no text.", token(name=["x"])),
                ("The token's groups are no list.", token(groups="x")),
                ("The token's rooms are no list.", token(rooms="x")),
                ("The token cannot be taken: the rooms of '7' are not at most 50 texts.",
                 token(rooms=["x"] * 51)),
                ("The token cannot be taken: the rooms of '7' are not at most 50 texts.",
                 token(rooms=[7])),
                ("The token cannot be taken: the groups of '7' have more than 1000 bytes.",
                 token(groups=["x" * 1001])),
                ("The token is for another audience.", token(aud="elsewhere")),
                ("The token cannot be read.", "x"),
                ("The token cannot be read.", "a.b.c"),
                ("The token cannot be read.", "x" * 5000),
            ):  # fmt: skip
                with self.subTest(line):
                    self.assertIn(line[:-1], self.refusal(text) + ".", text)

    def test_a_refusal_is_the_same_for_who_asks_in_text_or_for_a_page(self):
        with self.assertLogs("chatapp.lib.outcomes", "WARNING"):
            for accept, kind, body in (
                ("*/*", "text/plain", b"The token has expired.\n"),
                ("text/html", "text/html", b"<h1>The token has expired.</h1>"),
            ):
                person = self.bearer(token(exp=1))
                for method, path in (
                    ("GET", "/chat/pull"),
                    ("POST", "/chat/push"),
                    ("GET", "/chat/history/lobby"),
                ):
                    content = b"x" if method == "POST" else b""
                    answer = person.ask(method, path, content, Accept=accept)
                    self.assertEqual(401, answer.status, (path, answer.body))
                    self.assertTrue(answer.header("Content-Type").startswith(kind))
                    self.assertIn(body, answer.body)
                    self.assertEqual("no-store", answer.header("Cache-Control"))
                    self.assertEqual('Bearer realm="chat"', answer.header("WWW-Authenticate"))
        for path in ("/static/x/icon.svg", "/nothing"):
            self.assertNotEqual(401, self.bearer("x").ask("GET", path).status)

    def test_the_log_has_a_line_an_address_and_minute(self):
        with self.assertLogs("chatapp.lib.outcomes", "WARNING") as said:
            for _ in range(50):
                self.refusal(token(OTHER))
            other = self.bearer(token(OTHER))
            other.address = "10.0.0.7"
            self.assertEqual(401, other.ask("GET", "/chat/nick").status)
            for _ in range(3):
                # 21 s later; compiled, the module has no clock that can be set.
                for about, written in outcomes._written.items():
                    outcomes._written[about] = written - 21
                self.refusal(token(OTHER))
        self.assertEqual(
            [f"{each}: refused: The token is signed with another key."
             for each in ("127.0.0.1", "10.0.0.7", "127.0.0.1")],
            [record.getMessage() for record in said.records],
        )  # fmt: skip

    def test_a_held_poll_ends_when_its_token_does_and_the_next_is_refused(self):
        ann = self.bearer(token(exp=int(time.time()) + 5))
        ann.pull()
        self.settle()
        ann.pull()
        held = ann.poll()
        self.pass_time(1)
        self.assertFalse(held.look().done)
        self.pass_time(4)
        self.assertTrue(held.look().done)
        ann.take(held)
        with mock.patch("time.time", lambda: 4e9), self.assertLogs("chatapp.lib.outcomes"):
            for cookies in (ann.cookies, {}):
                ann.cookies = dict(cookies)
                self.assertEqual(401, ann.ask("GET", "/chat/nick").status)

    def test_a_token_is_renewed_without_a_reload(self):
        ann = self.bearer(token(exp=int(time.time()) + 5))
        sender = ann.pull()["you"]["sender"]
        ann.headers["Authorization"] = f"Bearer {token(name='Ann Lee')}"
        ann.say("hello")
        [message] = ann.pull()["messages"]
        self.assertEqual(("Ann Lee", sender), (message["nick"], message["sender"]))
        [participant] = self.hub.participants.values()
        self.assertGreater(participant.person.expires, time.time() + 60)

    def test_the_rooms_of_a_token_travel_with_the_person(self):
        ann = self.bearer(token(rooms=["support", "Billing"]))
        ann.ask("GET", "/chat/nick")
        [participant] = self.hub.participants.values()
        self.assertEqual(("support", "Billing"), participant.person.rooms)
        for rooms, known in ((None, None), ([], ())):
            person = self.bearer(token(sub=f"{rooms}", rooms=rooms))
            person.ask("GET", "/chat/nick")
            self.assertEqual(known, list(self.hub.participants.values())[-1].person.rooms)

    def test_a_token_for_some_rooms_lets_nobody_into_others_while_they_are_in_by_another(self):
        everywhere, widget = self.bearer(token()), self.bearer(token(rooms=["support"]))
        everywhere.say("secret", "staff")
        everywhere.pull()
        self.assertEqual(404, widget.ask("GET", "/chat/history/staff").status)
        self.assertEqual(404, widget.say("hello", "staff").status)
        self.assertEqual(200, widget.say("hello", "support").status)
        self.assertEqual(200, everywhere.ask("GET", "/chat/history/staff").status)
        everywhere.rooms = "support"
        everywhere.cursor = None
        history = json.loads(everywhere.ask("GET", "/chat/history/support").body)["messages"]
        self.assertEqual({everywhere.pull()["you"]["sender"]}, {m["sender"] for m in history})

    def test_a_token_for_no_room_lets_nobody_in_while_they_are_in_by_another(self):
        everywhere, nowhere = self.bearer(token()), self.bearer(token(rooms=[]), "other")
        everywhere.say("secret")
        everywhere.pull()
        self.assertEqual(404, nowhere.ask("GET", "/chat/history/lobby").status)
        self.assertEqual(404, nowhere.poll().look().status)
        self.assertEqual(404, nowhere.say("hello").status)
        self.assertEqual(200, everywhere.say("again").status)

    def test_each_token_has_its_own_rights_whichever_came_last(self):
        for order in ("keeper", "guest"), ("guest", "keeper"):
            self.begin()
            people = {role: self.bearer(token(role=role), role) for role in order}
            for person in people.values():
                person.pull()
            for role, person in people.items():
                me = json.loads(person.ask("GET", "/chat/me").body)
                status = person.ask("GET", "/chat/deeds").status
                self.assertEqual((role, 200 if role == "keeper" else 403), (me["role"], status))

    def test_who_has_another_role_by_now_is_called_as_before_once_the_other_is_gone(self):
        ann = self.bearer(token())
        ann.pull()
        ann.headers["Authorization"] = f"Bearer {token(role='keeper')}"
        self.assertEqual("Ann 2", ann.pull()["you"]["nick"])
        self.pass_time(100.0)
        ann.pull()
        ann.headers["Authorization"] = f"Bearer {token(role='keeper', groups=None, nbf=1)}"
        self.assertEqual(b'{"nick":"Ann"}', ann.ask("GET", "/chat/nick").body)

    def test_a_poll_ends_when_its_own_token_does(self):
        short, long = self.bearer(token(exp=int(time.time()) + 5)), self.bearer(token(), "other")
        short.pull()
        self.settle()
        short.pull()
        self.assertEqual(200, long.ask("GET", "/chat/nick").status)
        body = {"rooms": ["lobby"], "client": "tab", "since": short.cursor}
        held = short.begin(
            "POST", "/chat/pull", json.dumps(body).encode(), Content_Type="application/json"
        )
        self.pass_time(5)
        self.assertTrue(held.look().done)

    def test_another_person_with_the_same_cookies_is_another(self):
        ann = self.bearer(token())
        ann.pull()
        ann.headers["Authorization"] = f"Bearer {token(sub='8', name='Bob')}"
        self.assertEqual(b'{"nick":"Bob"}', ann.ask("GET", "/chat/nick").body)

    def test_a_badge_that_was_tampered_with_is_none(self):
        ann = self.bearer(token())
        ann.pull()
        [(name, value)] = ann.cookies.items()
        identity, text, signature = value.split(".")
        person = json.loads(base64.urlsafe_b64decode(text))
        person[3] = "owner"
        forged = base64.urlsafe_b64encode(json.dumps(person).encode()).decode()
        for other in (f"{identity}.{forged}.{signature}", f"{identity}.{signature}", "", "x"):
            ann.cookies = {name: other}
            self.assertEqual(200, ann.ask("GET", "/chat/nick").status)
            [participant] = self.hub.participants.values()
            self.assertEqual("", participant.person.role)


class KeyTests(TokenCase):
    def setUp(self):
        self.enterContext(mock.patch("chatapp.lib.outcomes._written", {}))

    def public(self, private):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        pem = serialization.Encoding.PEM
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        path = folder / "key.pem"
        path.write_bytes(private.public_key().public_bytes(pem, form))
        return path

    def test_a_key_is_changed_without_signing_anybody_out(self):
        self.begin()
        people = [self.bearer(token(), "old")]
        for keys, new in ((f"{OTHER} {KEY}", OTHER), (OTHER, OTHER)):
            cookies, data = people[0].cookies, self.hub.options.data
            self.begin(token_key=keys, data=data)  # another process, with the secret of before
            people.append(self.bearer(token(new)))
            for person in people[-2:]:
                person.server = self.server
                self.assertEqual(200, person.ask("GET", "/chat/nick").status)
            self.assertEqual(1, len(self.hub.participants))
            people[0].cookies = cookies
        with self.assertLogs("chatapp.lib.outcomes", "WARNING"):
            self.assertIn("another key", self.refusal(token(KEY)))

    def test_public_keys_are_for_their_own_algorithm(self):
        for private, algorithm in (
            (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
            (rsa.generate_private_key(65537, 2048), "RS256"),
        ):
            outcomes._written.clear()
            path = self.public(private)
            self.begin(token_key="", token_public_key=path)
            ann = self.bearer(token(private, algorithm))
            self.assertEqual(b'{"nick":"Ann"}', ann.ask("GET", "/chat/nick").body)
            with self.assertLogs("chatapp.lib.outcomes"):
                self.assertIn("algorithm", self.refusal(forged(path.read_bytes())))

    def test_what_is_wrong_with_a_key_is_said_at_the_start(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "no.pem").write_text("nothing")
        for line, secrets, files in (
            ("needs chat.token_key or", "", ""),
            ("32 bytes or more", "short", ""),
            ("no public key in PEM", "", folder / "no.pem"),
        ):
            with self.assertRaisesRegex(ValueError, line):
                keys_of(secrets, str(files))
        with self.assertRaisesRegex(SystemExit, "missing.pem: No such file"):
            self.begin(token_public_key=folder / "missing.pem")

    def test_an_audience_has_to_be_that_of_the_chat(self):
        self.begin(token_audience="chat")
        good = self.bearer(token(aud=["chat", "other"]))
        self.assertEqual(200, good.ask("GET", "/chat/nick").status)
        with self.assertLogs("chatapp.lib.outcomes"):
            self.assertIn("aud", self.refusal(token(aud="other")))
            self.assertIn("aud", self.refusal(token()))

    def test_without_pyjwt_it_is_asked_for_in_one_line(self):
        self.enterContext(mock.patch.dict("sys.modules", {"jwt": None}))
        with self.assertRaisesRegex(SystemExit, r"needs PyJWT: pip install 'PyJWT\[crypto\]"):
            self.begin()


def unsigned():
    return jwt.encode({"sub": "7", "exp": 4e9}, None, algorithm="none")


def forged(public):
    """Signed by HS256 with the text of a public key, as whoever has that can (CVE-2016-10555)."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(b'{"sub":"7","exp":4000000000}')
    return (head + b"." + part(hmac.digest(public, head, hashlib.sha256))).decode()
