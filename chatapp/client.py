"""A client of the chat in Python, for bots and tests: joins, sends, follows, resumes.

    async with ChatClient("http://127.0.0.1:5000/", nick="robot") as chat:
        await chat.join()
        await chat.send("hello")
        async for event in chat.follow():
            if isinstance(event, Message):
                print(event.nick, event.text)

Needs aiohttp: `pip install 'aiohttp>=3.13,<4'`.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from chatapp.model.message import Message

__all__ = ["ChatClient", "ChatError", "Event", "Gap", "Message", "Presence", "events_of"]

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
_CALL_SECONDS = 30.0
# A server holds a poll for as long as it says, and for 300 s at most (chat.poll_timeout).
_UNTOLD_SECONDS = 60.0
_MARGIN_SECONDS = 30.0
_MOST_SECONDS = 300 + _MARGIN_SECONDS
_LINE = 200
_TRY_AGAIN = (429, 500, 502, 503, 504)


class ChatError(Exception):
    """The chat refused: `status` and the server's line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(f"{status}: {line}")
        self.status = status
        self.line = line


@dataclass(frozen=True, slots=True)
class Gap:
    """`lost` messages that the log no longer holds; at least so many if it is not `exact`."""

    lost: int
    reason: str
    rooms: Mapping[str, int]
    exact: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody's `event` in `room`: join, leave, or nick (then `was` is the nick before)."""

    room: str
    event: str
    nick: str
    was: str | None = None


Event = Message | Gap | Presence


class ChatClient:
    """One client of a session; with `session` from another client, a second tab of the same one.

    `cursor` is where it is: kept and given to a new client, that one goes on from there.
    """

    def __init__(
        self,
        url: str,
        rooms: Sequence[str] = ("lobby",),
        nick: str | None = None,
        cursor: str | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.rooms = tuple(rooms)
        self.nick = nick
        self.cursor = cursor
        self.people: dict[str, list[str]] = {}
        self.tab = secrets.token_urlsafe(9)
        self._held = _UNTOLD_SECONDS  # how long the server holds a poll
        self._given_up = 0  # polls in a row that got no answer in time
        self._given_session = session
        self.session: aiohttp.ClientSession = session or _new_session()

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._given_session is None:
            await self.session.close()

    async def join(self) -> None:
        """Take the nick, if one was given, and a place in the rooms: from now on, or the cursor.

        Raises ChatError, aiohttp.ClientError.
        """
        if self.nick is not None:
            await self._ask("POST", "/chat/nick", {"nick": self.nick})
        else:
            self.nick = (await self._ask("GET", "/chat/nick"))["nick"]
        if self.cursor is None:
            answer = await self.poll()
            self.nick = answer["you"]["nick"]

    async def send(self, text: str, room: str = "lobby", tries: int = 10) -> int:
        """Send a message; its seq. Tried again, under one nonce, while the server is away.

        Raises ChatError for a message that is refused, TimeoutError or aiohttp.ClientError if the
        last try gets no answer.
        """
        body = {"text": text, "nonce": secrets.token_urlsafe(12)}
        path = f"/chat/push/{quote(room, safe='')}"
        delays = _delays()
        while True:
            tries -= 1
            try:
                answer = await self._ask("POST", path, body)
            except (ChatError, aiohttp.ClientError, TimeoutError) as error:
                if tries <= 0 or getattr(error, "status", 503) not in _TRY_AGAIN:
                    raise
                await asyncio.sleep(next(delays))
            else:
                return int(answer["seq"])

    async def follow(self) -> AsyncIterator[Event]:
        """What happens in the rooms, for ever; the connection may come and go.

        Raises ChatError if the server refuses the poll itself.
        """
        delays = _delays()
        while True:
            try:
                answer = await self.poll()
            except ChatError as error:
                if error.status not in _TRY_AGAIN:
                    raise
                await asyncio.sleep(next(delays))
                continue
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(next(delays))
                continue
            delays = _delays()
            for event in events_of(answer):
                yield event
            retry = answer.get("advice", {}).get("retry")
            if retry:
                await asyncio.sleep(retry)

    async def poll(self) -> dict[str, Any]:
        """One poll from the cursor, which moves on: the answer as docs/wire.md has it.

        Raises ChatError, aiohttp.ClientError, TimeoutError.
        """
        rooms = ",".join(quote(room, safe="") for room in self.rooms)
        query = {"client": self.tab}
        if self.cursor is not None:
            query["since"] = self.cursor
        try:
            answer = await self._ask(
                "GET", f"/chat/pull/{rooms}", query=query, seconds=self._patience
            )
        except TimeoutError:
            self._given_up += 1
            raise
        self._given_up = 0
        self._held = answer.get("advice", {}).get("timeout", self._held)
        self.cursor = answer.get("cursor", self.cursor)
        self.people.update(answer.get("people", {}))
        return answer

    @property
    def _patience(self) -> float:
        """Seconds to wait for a poll: after that the connection is dead and nobody said so.

        A server that was started anew may hold polls longer than it told.
        """
        return float(min(_MOST_SECONDS, (self._held + _MARGIN_SECONDS) * 2**self._given_up))

    async def history(
        self, room: str = "lobby", before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """The `limit` messages before the seq `before`, or the newest, in order."""
        query = {"limit": str(limit)}
        if before is not None:
            query["before"] = str(before)
        answer = await self._ask("GET", f"/chat/history/{quote(room, safe='')}", query=query)
        return [Message(**message) for message in answer["messages"]]

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float = _CALL_SECONDS,
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CALL_SECONDS)
        url = self.url + path
        request = self.session.request(method, url, json=body, params=query, timeout=timeout)
        async with request as answer:
            if answer.content_type != "application/json":
                # A proxy answers for a server that is away.
                raise ChatError(answer.status, (await answer.text())[:_LINE])
            content: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise ChatError(answer.status, content.get("error", ""))
            return content


def events_of(answer: Mapping[str, Any]) -> list[Event]:
    """What an answer tells, in order: what is lost, messages, presence."""
    events: list[Event] = []
    if "gap" in answer:
        events.append(Gap(**answer["gap"]))
    events += [Message(**message) for message in answer["messages"]]
    events += [Presence(**change) for change in answer.get("presence", ())]
    return events


def _new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={"Accept": "application/json"},
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # cookies of plain IP addresses too
    )


def _delays() -> Any:
    """Growing, jittered delays in seconds."""
    delay = _FIRST_DELAY
    while True:
        yield delay * random.uniform(0.5, 1.5)
        delay = min(_LONGEST_DELAY, 2 * delay)
