"""The whole application in memory: real middleware, real server, fake clock."""

from __future__ import annotations

import contextlib
import json
import tempfile
import types
import unittest
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

from chatapp.config.middleware import make_chat
from cogen.testing.memory import Answer, Browser, MemoryServer
from cogen.web.options import Options, parse_options

__all__ = ["ChatCase", "Person", "untold"]


class Person(Browser):
    """A browser that talks JSON; `cursor` goes on as the answers say."""

    def __init__(self, server: MemoryServer, tab: str = "tab", rooms: str = "lobby") -> None:
        super().__init__(server, Accept="application/json")
        self.tab = tab
        self.rooms = rooms
        self.cursor: str | None = None
        self.people: dict[str, list[str]] = {}

    def cookie(self, kind: str) -> str:
        """The name of the cookie of that kind: `token` or `session`."""
        return next(name for name in self.cookies if name.startswith(f"chat_{kind}_"))

    def poll(self, **headers: str) -> Answer:
        """Begin a poll; it may be held."""
        since = "" if self.cursor is None else f"&since={self.cursor}"
        path = f"/chat/pull/{self.rooms}?client={self.tab}{since}"
        return self.begin("GET", path, **headers)

    def take(self, answer: Answer) -> dict[str, Any]:
        """The content of an answered poll."""
        answer.look()
        assert answer.done, "the poll is held"
        assert answer.status == 200, answer.body
        answer.transport.close()
        news: dict[str, Any] = json.loads(answer.body)
        self.cursor = news.get("cursor", self.cursor)
        self.people = news.get("people", self.people)
        return news

    def pull(self) -> dict[str, Any]:
        """Poll and take what is there, without waiting."""
        return self.take(self.poll())

    def say(self, text: str, room: str = "lobby", nonce: str | None = None) -> Answer:
        body = {"text": text} if nonce is None else {"text": text, "nonce": nonce}
        return self.post("/chat/push/" + quote(room, safe="%"), body)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, json.dumps(body).encode(), Content_Type="application/json")


class ChatCase(unittest.TestCase):
    """`self.start(**options)` starts the chat; options as in the ini, without `chat.`."""

    server: MemoryServer
    served: ClassVar[dict[str, str]] = {}
    """Options of the server."""
    wrapped = staticmethod(lambda app: app)
    """Makes of the application what is served."""

    def start(self, **options: Any) -> MemoryServer:
        data = self.enterContext(tempfile.TemporaryDirectory())
        settings = {"log": "memory:", "data": data, "push_rate": 0, **options}
        app_conf = {f"chat.{name}": str(value) for name, value in settings.items()}
        self.app = make_chat({"debug": "false"}, **app_conf)
        options = parse_options({"threads": "0", **self.served}, Options)
        self.server = MemoryServer(self.wrapped(self.app), options, [self.app.life])
        self.addCleanup(self.server.close)
        self.server.loop.settle()  # what it starts has started
        return self.server

    @property
    def hub(self) -> Any:
        return self.app.hub

    def person(self, tab: str = "tab", rooms: str = "lobby") -> Person:
        return Person(self.server, tab, rooms)

    def joined(self, nick: str | None = None, rooms: str = "lobby") -> Person:
        """Somebody who is in the rooms and knows it."""
        person = self.person(rooms=rooms)
        if nick is None:
            assert person.ask("GET", "/chat/nick").status == 200
        else:
            assert person.post("/chat/nick", {"nick": nick}).status == 200
        person.pull()
        return person

    def pass_time(self, seconds: float) -> None:
        self.server.loop.advance(seconds)

    def settle(self) -> None:
        """Let presence be told and everything come to rest."""
        self.pass_time(1.0)


def texts(news: dict[str, Any]) -> list[str]:
    return [message["text"] for message in news["messages"]]


@contextlib.contextmanager
def untold(log: Any) -> Iterator[None]:
    """What is stored in the memory's log meanwhile is not told to its observer."""
    observer = log._observer
    log._observer = types.SimpleNamespace(
        appended=lambda messages: None, occupied=observer.occupied, kept=observer.kept
    )
    try:
        yield
    finally:
        log._observer = observer
