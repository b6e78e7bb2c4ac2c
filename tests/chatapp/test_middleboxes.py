"""`chatapp.bots` behind what answers in the chat's place, forgets, keeps, strips and cuts."""

import asyncio
import json
from functools import partial

from chatapp.bots import ChatError, Message, NoAnswer, Presence
from chatapp.identity.names import kept_names
from tests.chatapp.clients import ClientCase

# What stands in the way of which no client may take for the chat's: status, type, content.
FOREIGN = {
    "a login page": ("200 OK", "text/html", b"<title>Welcome to the hotel</title>"),
    "a redirect": ("302 Found", "text/html", b""),
    "an empty object": ("200 OK", "application/json", b"{}"),
    "a list": ("200 OK", "application/json", b"[]"),
    "another service": ("200 OK", "application/json", b'{"ok":true}'),
    "no content": ("200 OK", "application/json", b""),
    "a part": ("200 OK", "application/json", b'{"messages":[{"room":"lob'),
    "no seq": ("200 OK", "application/json", b'{"room":"lobby","seq":null}'),
    "no list": ("200 OK", "application/json", b'{"messages":"x","cursor":"y"}'),
    "no message": ("200 OK", "application/json", b'{"messages":[{"text":1}],"cursor":"y"}'),
    "no cursor": ("200 OK", "application/json", b'{"messages":[],"cursor":7}'),
    "deep": ("200 OK", "application/json", b"[" * 100_000),
    **{
        f"a {status}": (f"{status} Of a proxy", "text/html", b"<h1>proxy</h1>")
        for status in (400, 401, 403, 404, 407, 408, 429, 500, 502, 503, 504, 511, 520, 522, 524)
    },
    "a gateway's JSON": ("401 Unauthorized", "application/json", b'{"error":"no key"}'),
    "a gateway's 502": ("502 Bad Gateway", "application/json", b'{"message":"upstream"}'),
}


class MiddleboxTests(ClientCase):
    def setUp(self):
        self.box = None
        self.asked = 0

    def wrapped(self, app):
        def through(environ, start_response):
            self.asked += 1
            if self.box is None:
                return app(environ, start_response)
            return self.box(environ, start_response, app)

        return through

    def run_on_the_server(self, act):
        return self.server.loop.run_until_complete(act())

    def test_what_is_not_the_chats_is_an_outage_for_polls_and_messages(self):
        self.start()

        async def everything():
            async with self.follower(nick="ann") as (client, heard):
                for name, (status, content_type, content) in FOREIGN.items():
                    with self.subTest(name):
                        heard.clear()
                        self.box = _instead(status, content_type, content)
                        sending = asyncio.create_task(client.send(name, tries=100))
                        before = self.asked
                        await asyncio.sleep(60)
                        self.assertLess(self.asked - before, 60)
                        self.box = None
                        await asyncio.sleep(20)
                        self.assertIsInstance(await sending, int)
                        self.assertEqual([name], heard)

        self.run_on_the_server(everything)

    def test_a_message_is_not_stored_twice_when_its_answer_is_lost(self):
        self.start()

        def loses(environ, start_response, app):
            if environ["REQUEST_METHOD"] == "POST" and self.asked % 3:
                for _ in app(environ, lambda *head: None):
                    yield b""
                start_response("502 Bad Gateway", [("Content-Type", "text/html")])
                yield b"lost"
            else:
                yield from app(environ, start_response)

        async def several():
            async with self.follower(nick="ann") as (client, heard):
                self.box = loses
                for number in range(5):
                    await client.send(f"{number}")
                await asyncio.sleep(20)
                self.assertEqual([f"{number}" for number in range(5)], heard)

        self.run_on_the_server(several)

    def test_without_cookies_a_client_is_told_so_and_asks_little(self):
        def stripped(environ, start_response, app):
            environ.pop("HTTP_COOKIE", None)
            return app(environ, start_response)

        def hidden(environ, start_response, app):
            def start(status, headers, *more):
                kept = [pair for pair in headers if pair[0].lower() != "set-cookie"]
                return start_response(status, kept, *more)

            return app(environ, start)

        self.start()

        async def join():
            async with self.client() as client:
                with self.assertRaisesRegex(ChatError, "cookies"):
                    await client.join()

        async def followed(box):
            # Who speaks keeps the name; and is who they were once cookies come through again.
            async with self.follower(nick=box.__name__) as (client, heard):
                await asyncio.sleep(1)
                self.box = box
                before = self.asked
                await asyncio.sleep(60)
                self.assertLess(self.asked - before, 30)
                self.box = None
                await client.send("still here")
                await asyncio.sleep(15)
                self.assertEqual(["still here"], heard)
                names = [each.nick for each in await kept_names(self.hub.log.records)]
                self.assertIn(box.__name__, names)

        for box in (stripped, hidden):
            with self.subTest(box.__name__):
                self.box = box
                self.run_on_the_server(join)
                self.box = None
                self.run_on_the_server(partial(followed, box))

    def test_what_a_cache_keeps_holds_no_message_back(self):
        self.start()
        kept = {}

        def cache(environ, start_response, app):
            key = environ["PATH_INFO"] + "?" + environ["QUERY_STRING"]
            if environ["REQUEST_METHOD"] != "GET":
                yield from app(environ, start_response)
                return
            if key not in kept:
                head = []
                chunks = []
                for chunk in app(environ, lambda *of: head.append(of)):
                    chunks.append(chunk)
                    if not chunk:
                        yield b""
                kept[key] = head[-1][:2], chunks
            head, chunks = kept[key]
            start_response(*head)
            yield from filter(None, chunks)

        async def behind():
            async with self.follower(nick="ann") as (client, heard):
                self.box = cache
                await asyncio.sleep(60)
                before = self.asked
                await client.send("fresh")
                await asyncio.sleep(15)
                await client.send("and again")
                await asyncio.sleep(15)
                self.assertEqual(["fresh", "and again"], heard)
                self.assertLess(self.asked - before, 60)

        self.run_on_the_server(behind)

    def test_a_proxy_that_gives_polls_up_early_costs_no_message(self):
        self.start()

        def impatient(environ, start_response, app):
            began = asyncio.get_running_loop().time()
            for chunk in app(environ, start_response):
                if asyncio.get_running_loop().time() - began > 5:
                    start_response("504 Gateway Timeout", [("Content-Type", "text/html")])
                    yield b"slow"
                    return
                yield chunk

        async def polled():
            async with self.follower(nick="ann") as (client, heard):
                self.box = impatient
                for number in range(10):
                    await client.send(f"{number}")
                    await asyncio.sleep(7)
                await asyncio.sleep(15)
                self.assertEqual([f"{number}" for number in range(10)], heard)

        self.run_on_the_server(polled)

    def test_a_bot_that_is_started_again_at_once_gets_its_name_back(self):
        self.start()

        async def twice():
            for _ in range(2):
                async with self.client(nick="robot") as client:
                    await client.join()
                    self.assertEqual("robot", client.nick)

        self.run_on_the_server(twice)

    def test_a_name_that_stays_taken_is_refused_in_the_end(self):
        self.start()

        async def other():
            async with self.follower(nick="ann"), self.client(nick="ann") as client:
                began = asyncio.get_running_loop().time()
                with self.assertRaises(ChatError) as raised:
                    await client.join(patience=30)
                self.assertEqual(409, raised.exception.status)
                self.assertLess(asyncio.get_running_loop().time() - began, 31)

        self.run_on_the_server(other)

    def test_what_answers_for_the_chat_when_a_client_joins_is_told(self):
        self.start()

        async def join():
            self.box = _instead(*FOREIGN["a login page"])
            async with self.client() as client:
                with self.assertRaisesRegex(NoAnswer, "200: .*hotel"):
                    await client.join()

        self.run_on_the_server(join)

    def test_a_hundred_rooms_with_long_names_are_followed(self):
        self.start(max_rooms_per_poll=100)
        rooms = [f"{'談' * 60}{number}" for number in range(100)]

        async def join():
            async with self.client(rooms=rooms, nick="ann") as client:
                await client.join()
                await client.send("so long", rooms[99])
                async for event in client.follow():
                    if isinstance(event, Message):
                        self.assertEqual(("so long", rooms[99]), (event.text, event.room))
                        return

        self.run_on_the_server(join)

    def test_what_a_later_version_says_besides_is_let_pass(self):
        self.start()
        answer = {
            "messages": [
                {"room": "lobby", "seq": 1, "nick": "a", "text": "b", "at": 1.5, "kind": "said"}
            ],
            "presence": [{"room": "lobby", "event": "join", "nick": "a", "public": "h"}],
            "cursor": "c",
        }

        async def one():
            async with self.client() as client:
                await client.join()
                self.box = _instead("200 OK", "application/json", json.dumps(answer).encode())
                follow = client.follow()
                self.assertEqual(Message("lobby", 1, "a", "b", 1.5), await anext(follow))
                self.assertEqual(Presence("lobby", "join", "a"), await anext(follow))
                await follow.aclose()

        self.run_on_the_server(one)


def _instead(status, content_type, content):
    def answer(environ, start_response, app):
        where = [("Location", "/login")] if status.startswith("302") else []
        start_response(status, [("Content-Type", content_type), *where])
        return [content]

    return answer
