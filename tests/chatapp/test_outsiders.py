"""Who is no member of a private room cannot tell it from one that is not there, by any URL.

Generated: every URL of the chat, with what its parts, its query and its body can be, the cursor and
nonce of a member among them, by each kind of outsider. Both answers have to be the same to the byte
but for the name, and nothing of the room may be in any.
"""

import asyncio
import contextlib
import http.client
import json
import math
import re
import tempfile
import unittest
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from benchmarks.harness.chat import ChatServer
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.rooms import MEMBERS, Room
from chatapp.community.standings import Standing
from chatapp.config.middleware import make_chat
from chatapp.config.routing import make_map
from chatapp.lib.identity import Signer
from chatapp.lib.secret import derived_key, load_secret
from chatapp.live.cursor import Cursor
from chatapp.model.message import handle
from cogen.testing.memory import Browser, MemoryServer
from tests.chatapp.identity.test_token import KEY, token
from tests.support.engine import RedisServer

THERE, NOT_THERE = "~" + "abcd" * 4, "~" + "wxyz" * 4
TITLE, TEXTS, MEMBER = "Plans of the board", ["we sell", "we buy", "we wait"], "Ann Arbor"
OPTIONS = {
    "chat.push_rate": 0, "chat.address_sessions": 0, "chat.address_rooms": 0,
    "chat.address_clients": 0, "chat.poll_timeout": 0.2, "chat.lease": 200,
}  # fmt: skip
JSON = {"Content-Type": "application/json"}
# Of URLs whose answer is about no room the two are not compared: each is another person's, or new.
PARTS = {"code": "x" * 22, "seq": "1"}


class Asking:
    """Somebody with a browser, or without cookies; `headers` go with each request."""

    def __init__(self, site, keeps_cookies=True, **headers):
        self.site = site
        self.keeps_cookies = keeps_cookies
        self.headers = {"Accept": "application/json", **headers}
        self.cookies = {}

    def ask(self, method, path, body=b"", headers=None):
        """Status, headers and body of the answer."""
        given = {**self.headers, **(headers or {})}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, told, content = self.site.answer(method, path, body, given)
        for name, value in told if self.keeps_cookies else ():
            if name.lower() == "set-cookie":
                cookie, _, rest = value.partition("=")
                self.cookies[cookie] = rest.partition(";")[0]
        return status, told, content

    def post(self, path, data):
        status, _, body = self.ask("POST", path, json.dumps(data).encode(), JSON)
        assert status == 200, body
        return json.loads(body)


class InMemory:
    """The chat in memory, its log too or in SQLite."""

    def __init__(self, stack, folder, log, options):
        app = make_chat({}, **{**OPTIONS, **options, "chat.log": log, "chat.data": folder})
        self.data = Path(folder)
        self.app = app
        self.server = stack.enter_context(contextlib.closing(MemoryServer(app, lives=[app.life])))

    def answer(self, method, path, body, headers):
        browser = Browser(self.server)
        answer = browser.begin(
            method, path, body, **{k.replace("-", "_"): v for k, v in headers.items()}
        )
        self.server.loop.settle()
        if not answer.look().done:
            self.server.loop.advance(0.3)
            answer.look()
        assert answer.done, path
        answer.transport.close()
        return answer.status, answer.headers, answer.body

    def change(self, **edit):
        book = self.app._app._gate.book
        loop = self.server.loop
        assert loop.run_until_complete(book.change(lambda: Edit(**edit)))


class WithRedis:
    """A server in a process of its own, with its log in Redis."""

    def __init__(self, stack, engine, options):
        self.engine = engine
        app = {**OPTIONS, **options, "chat.log": engine.url}
        self.server = stack.enter_context(ChatServer(app=app))
        self.data = self.server.folder / "data"

    def answer(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def change(self, **edit):
        asyncio.run(self._change(Edit(**edit)))

    async def _change(self, edit):
        from chatapp.model.redis.log import RedisLog
        from tests.chatapp.model.contract import Observer

        log = RedisLog(Observer(), url=self.engine.url, history=10, max_age=0.0, max_rooms=10)
        await log.open()
        assert await Book(log).change(lambda: edit)
        await log.close()
        await asyncio.sleep(1.5)  # all workers know it, and that they do


class Scene:
    """A private room with a member who has spoken, and `outsiders` by what they are."""

    def __init__(self, site, is_open):
        self.site = site
        self.is_open = is_open
        self.ann = self.somebody("ann", MEMBER)
        self.outsiders = {kind: self.somebody(kind, kind.title()) for kind in self.kinds()}
        people = {"ann": MEMBER, "former": "Former", "elsewhere": "Elsewhere"}
        self.members = {self.id_of(who): name for who, name in people.items() if self.is_there(who)}
        self.keep(self.members)
        self.speak()
        former = self.outsiders["former"]
        former.ask("GET", f"/chat/pull/{THERE}?client=former&hold=0")
        self.members.pop(self.id_of("former"))
        self.keep(self.members)
        banned = {self.id_of("banned"): Standing(banned_until=math.inf, ban_reason="spam")}
        muted = {self.id_of("muted"): Standing(muted_until=math.inf)}
        site.change(standings={**banned, **muted})

    def kinds(self):
        if self.is_open:
            return ["stranger", "guest", "former", "banned", "muted"]
        return ["known", "former", "banned", "muted", "elsewhere", "keeper", "owner"]

    def is_there(self, who):
        return who == "ann" or who in self.outsiders

    def somebody(self, who, name):
        if not self.is_open:
            claims = {"rooms": ["lobby"]} if who == "elsewhere" else {}
            role = who if who in ("keeper", "owner") else "member"
            told = token(sub=f"id-of-{who}", name=name, role=role, **claims)
            return Asking(self.site, Authorization=f"Bearer {told}")
        person = Asking(self.site, who != "stranger")
        if who != "stranger":
            person.post("/chat/nick", {"nick": name})
        return person

    def id_of(self, who):
        if not self.is_open:
            return f"id-of-{who}"
        person = self.ann if who == "ann" else self.outsiders[who]
        [signed] = [v for name, v in person.cookies.items() if name.startswith("chat_token_")]
        signer = Signer(derived_key(load_secret(self.site.data / "secret"), "token"), "")
        return signer.sender(signed.rpartition(".")[0])

    def keep(self, members):
        room = Room(THERE, MEMBERS, title=TITLE, members=members, by=self.id_of("ann"))
        self.site.change(rooms=[room])

    def speak(self):
        for number, text in enumerate(TEXTS):
            said = {"text": text, "nonce": f"nonce-{number}"}
            assert self.ann.post(f"/chat/push/{THERE}", said)["seq"] == number + 1
        path = f"/chat/pull/{THERE}?client=ann&hold=0"
        for _ in range(2):
            status, _, body = self.ann.ask("GET", path)
            assert status == 200, body
            path = f"/chat/pull/{THERE}?client=ann&hold=0&since={json.loads(body)['cursor']}"
        epoch, seqs, versions = Cursor.decode(json.loads(body)["cursor"])
        self.epoch, self.versions = epoch, versions.get(THERE)
        assert seqs == {THERE: 3}

    def cursor(self, name, seq=3):
        versions = {} if self.versions is None else {name: self.versions}
        return Cursor(self.epoch, {name: seq}, versions).encode()

    def secrets(self):
        texts = [TITLE, *TEXTS, MEMBER, "nonce-", handle(self.id_of("ann"))]
        return [text.encode() for text in texts]


class Wanted:
    """A request about the room `name`, as the generator makes it."""

    def __init__(self, method, path, body=b"", headers=None, tells_of_room=True):
        self.method, self.path, self.body, self.headers = method, path, body, headers or {}
        self.tells_of_room = tells_of_room

    def __repr__(self):
        return f"{self.method} {self.path} {self.body[:200]!r}"


def routes():
    """The path and the methods of each URL."""
    mapper = make_map({"pylons.paths": {"controllers": "chatapp/controllers"}})
    for route in mapper.matchlist:
        path = "/" + route.routepath.lstrip("/")
        if path != "/error/document":
            yield path, (route.conditions or {}).get("method", ["GET"])


def requests(scene, name, tab):
    for path, methods in routes():
        parts = re.findall(r"\{(\w+)\}", path)
        for place in places(parts, name):
            filled = re.sub(r"\{(\w+)\}", lambda m, place=place: place[m[1]], path)
            about = any(part in ("room", "rooms") for part in parts)
            for method in methods:
                # Where the room is not in the path, it is in few of these.
                if method in ("GET", "DELETE"):
                    for query in islice(queries(scene, name, tab), None if about else 3):
                        yield Wanted(method, filled + query, tells_of_room=about)
                else:
                    plain = about and place.get("room", name) == name
                    for body, headers in islice(bodies(scene, name, tab), None if plain else 6):
                        in_body = path == "/chat/pull" and b"rooms" in body and headers == JSON
                        yield Wanted(method, filled, body, headers, about or in_body)


def places(parts, name):
    """What stands in the path for `parts`; the name in each form that it might be taken in."""
    if not parts:
        yield {}
        return
    forms = [name]
    if "seq" not in parts:
        forms += [quote(name, safe="").replace("~", "%7E"), name.upper(), f"{name}%0A", f"{name}."]
    if "rooms" in parts:
        forms += [f"lobby,{name}", f"{name},{name}", f"{name},x/y"]
    for form in forms:
        yield {**PARTS, **dict.fromkeys(parts, form), **{p: PARTS[p] for p in parts if p in PARTS}}


def queries(scene, name, tab):
    since = scene.cursor(name)
    yield f"?client={tab}&hold=0"
    yield f"?since={since}&client={tab}&hold=0"
    yield f"?since={scene.cursor(name, 0)}&client=ann&hold=0"
    yield "?before=2&limit=1"
    yield f"?since={since}&before=3"
    yield "?limit=0"
    yield "?before=x&since=x"
    yield "?client=%00&hold=1"


def bodies(scene, name, tab):
    yield b"hello", {"Content-Type": "text/plain"}
    for data in (
        {"text": TEXTS[0], "nonce": "nonce-0"},
        {"text": "another", "nonce": "nonce-0"},
        {"rooms": [name], "since": scene.cursor(name), "client": tab, "hold": 0},
        {"rooms": ["lobby", name], "client": tab, "hold": 0},
        {"room": name, "seq": 1, "reason": "no reason"},
        {"seq": 1},
        {"add": "nobody-of-that-name"},
        {"remove": handle(scene.id_of("ann"))},
        {"leave": True},
        {"title": "another", "policy": "closed"},
        {"policy": "open"},
        {},
        [],
    ):
        yield json.dumps(data).encode(), JSON
    yield b"{", JSON
    yield b"\xff", {"Content-Type": "text/plain"}


_CHANGING = re.compile(rb'"(cursor|version)":"[^"]*"')


def shown(answer, name):
    """What the answer is but for the name, the time, and what is another in each answer."""
    status, headers, body = answer
    kept = [(k.lower(), v) for k, v in headers if k.lower() not in ("date", "set-cookie")]
    kept += [("set-cookie", v.partition("=")[0]) for k, v in headers if k.lower() == "set-cookie"]
    for form in (name, name.upper(), quote(name, safe="").replace("~", "%7E")):
        body = body.replace(form.encode(), b"NAME")
    return status, sorted(kept), _CHANGING.sub(b"", body)


class OutsidersCase(unittest.TestCase):
    options = {"chat.identity": "open"}
    is_open = True

    def judge(self, site):
        scene = Scene(site, self.is_open)
        secrets = scene.secrets()
        asked = 0
        for kind, person in scene.outsiders.items():
            both = zip(
                requests(scene, THERE, "tab-of-one"), requests(scene, NOT_THERE, "tab-of-two"),
                strict=True,
            )  # fmt: skip
            for one, two in both:
                answers = [person.ask(w.method, w.path, w.body, w.headers) for w in (one, two)]
                note = f"{kind}: {one!r}: {answers[0]}"
                for secret in secrets:
                    sent = secret in one.body
                    self.assertTrue(sent or secret not in answers[0][2], f"{secret!r} {note}")
                if one.tells_of_room:
                    self.assertNotIn(answers[0][0], (200, 500), note)
                    told = [shown(*each) for each in zip(answers, (THERE, NOT_THERE), strict=True)]
                    self.assertEqual(told[1], told[0], note)
                    asked += 1
        self.assertGreater(asked, 100 * len(scene.outsiders))
        self.unharmed(scene)

    def unharmed(self, scene):
        """What was tried has changed nothing for its members."""
        status, _, body = scene.ann.ask("GET", f"/chat/history/{THERE}")
        self.assertEqual(200, status)
        self.assertEqual(TEXTS, [message["text"] for message in json.loads(body)["messages"]])

    def folder(self):
        return self.enterContext(tempfile.TemporaryDirectory())

    def run_on(self, make):
        with contextlib.ExitStack() as stack:
            self.judge(make(stack))

    def test_in_memory(self):
        self.run_on(lambda stack: InMemory(stack, self.folder(), "memory:", self.options))

    def test_in_sqlite(self):
        folder = self.folder()
        log = f"sqlite:///{folder}/chat.db"
        self.run_on(lambda stack: InMemory(stack, folder, log, self.options))

    def test_in_redis(self):
        engine = self.enterContext(RedisServer())
        self.run_on(lambda stack: WithRedis(stack, engine, self.options))


class OpenTests(OutsidersCase):
    """Where a name is all it takes."""


class KnownTests(OutsidersCase):
    """Where people are known; keepers and owners among them who are no members."""

    options = {"chat.identity": "token", "chat.token_key": KEY}
    is_open = False


class RoutesTests(unittest.TestCase):
    def test_each_url_of_the_chat_is_asked(self):
        paths = {path for path, _ in routes()}
        self.assertTrue(
            {"/chat/pull/{rooms}", "/chat/push/{room}", "/", "/chat/nick", "/chat/standings"}
            <= paths
        )
        self.assertGreater(len(paths), 10)


del OutsidersCase
