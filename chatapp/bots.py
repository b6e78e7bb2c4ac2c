"""The chat for programs in Python, bots and tests: join, send, follow, resume.

    async with ChatClient("http://127.0.0.1:5000/", nick="robot") as chat:
        await chat.join()
        await chat.send("hello")
        async for event in chat.follow():
            if isinstance(event, Message):
                print(event.nick, event.text)

Needs aiohttp: `pip install 'aiohttp>=3.13,<4'`.
"""

import asyncio
import json
import logging
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

try:
    import aiohttp
    from yarl import URL
except ModuleNotFoundError as error:
    remedy = "chatapp.bots needs aiohttp: pip install 'aiohttp>=3.13,<4'"
    raise ModuleNotFoundError(remedy, name=error.name) from None

from chatapp.answers import (
    Event,
    Foreign,
    Gap,
    Presence,
    Removal,
    events_of,
    nick_of,
    nobody_of,
    poll_of,
    seq_of,
)
from chatapp.cookiefile import load_cookies, save_cookies
from chatapp.model.message import Message

__all__ = [
    "ChatClient",
    "ChatError",
    "Event",
    "Gap",
    "Message",
    "NoAnswer",
    "Presence",
    "Removal",
    "events_of",
]

# The name that the guide gives, whatever this module is called.
log = logging.getLogger("chatapp.client")

T = TypeVar("T")

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
_CALL_SECONDS = 30.0
_LEAVE_SECONDS = 5.0
# A server holds a poll for as long as it says, and for 300 s at most (chat.poll_timeout).
_DEFAULT_POLL_SECONDS = 60.0
_MARGIN_SECONDS = 30.0
_MOST_SECONDS = 300 + _MARGIN_SECONDS
_LINE = 200
# After so many polls in a row that were each answered at once and never moved the cursor, the next
# ones are POSTs, with delays: the answers may come from a cache, which keeps none to a POST.
_MOST_UNMOVED = 3
_AT_ONCE_SECONDS = 0.5
# What the chat itself refuses with (docs/wire.md); it says 429 and 503 of what passes.
_REFUSALS = (400, 401, 403, 404, 405, 409, 413, 429, 503)
_PASSING = (429, 503)
# A longer URL goes as a body.
_LONGEST_URL = 4096
_JSON = "application/json"


class ChatError(Exception):
    """The chat refused: the HTTP `status`, and the `line` that the server gave for it."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(f"{status}: {line}")
        self.status = status
        self.line = line


class NoAnswer(ChatError):
    """What answered with `status` is not the chat: a proxy, a login page, a part of an answer."""


class ChatClient:
    """A client of the chat at `url`, in `rooms`; an asynchronous context manager.

    `session` from another client makes it a second tab of the same participant. `keep`: a file in
    which it keeps who it is, so that it is the same, and has its nick, when it runs again: the nick
    is another's for everybody who is not, once it has spoken under it. `cursor` is where
    it is: given to a new client, that one goes on from there. `nick` is its name once it has
    joined; `people` has the nicks of those present, by room. What it waits for longer than for an
    answer is a warning of the logger `chatapp.client`.
    """

    def __init__(
        self,
        url: str,
        rooms: Sequence[str] = ("lobby",),
        nick: str | None = None,
        cursor: str | None = None,
        session: aiohttp.ClientSession | None = None,
        keep: str | Path | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.rooms = tuple(rooms)
        self.nick = nick
        self.cursor = cursor
        self.people: dict[str, list[str]] = {}
        self.tab = secrets.token_urlsafe(9)
        self._poll_seconds = _DEFAULT_POLL_SECONDS  # how long the server holds a poll
        self._unmoved = 0  # polls in a row that were answered at once and did not move the cursor
        self._unanswered = 0  # polls in a row that got no answer in time
        self._warned = False  # whether the log has a line about what is waited for
        self._joined = False
        self._given_session = session
        self._keep = None if keep is None else Path(keep)
        self.session: aiohttp.ClientSession = session or _new_session()

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._given_session is not None:
            return
        try:
            # If nobody hears it the nick is free when the lease is over.
            with suppress(ChatError, aiohttp.ClientError, TimeoutError):
                await self.leave()
        finally:
            await self.session.close()

    async def join(self, patience: float = 60.0) -> None:
        """Take the nick, if one was given, and a place in the rooms: from now on, or the cursor.

        It tries again for `patience` seconds while the server is away or somebody has the nick: a
        client that was killed has it until its lease is over. Raises what the last try raised:
        ChatError, aiohttp.ClientError, TimeoutError. Where the file `keep` is none: ValueError,
        OSError.
        """
        if self._keep is not None:
            load_cookies(self.session.cookie_jar, self.url, self._keep)
        until = asyncio.get_running_loop().time() + patience
        await self._retry_until(self._take_nick, until)
        self._joined = True
        if self.cursor is None:
            await self._retry_until(self._take_place, until)
        if self._keep is not None:
            save_cookies(self.session.cookie_jar, self.url, self._keep)

    async def leave(self) -> None:
        """Go: others are told, and the nick is free. The end of `async with` does it by itself.

        All clients of the session go. Raises ChatError, aiohttp.ClientError, TimeoutError.
        """
        if self._joined:
            self._joined = False
            await self._ask(nobody_of, "DELETE", "/chat/nick", seconds=_LEAVE_SECONDS)

    async def _take_nick(self) -> None:
        if self.nick is not None:
            await self._ask(nick_of, "POST", "/chat/nick", {"nick": self.nick})
        else:
            self.nick = await self._ask(nick_of, "GET", "/chat/nick")

    async def _take_place(self) -> None:
        you = (await self.poll())["you"]
        if you.get("cookie") is False:
            raise ChatError(403, "The cookies that the chat gives do not come back to it.")
        self.nick = you["nick"]

    async def _retry_until(self, act: Callable[[], Awaitable[None]], until: float) -> None:
        """Try `act` again until it succeeds, or the loop's clock says `until`."""
        loop = asyncio.get_running_loop()
        delays = _delays()
        while True:
            try:
                await act()
                return
            except (ChatError, aiohttp.ClientError, TimeoutError) as error:
                delay = next(delays)
                if not (_is_passing(error) or _is_taken(error)) or loop.time() + delay > until:
                    raise
                self._warn(error, f"for up to {until - loop.time():.0f} s")
            await asyncio.sleep(delay)

    def _warn(self, error: Exception, how_long: str) -> None:
        """Write a line about what is waited for, unless there is one since the last answer."""
        if not self._warned:
            self._warned = True
            why = " ".join(str(error).split()) or "no answer"
            log.warning("%s: %s; trying again %s", self.url, why, how_long)

    async def send(self, text: str, room: str = "lobby", tries: int = 10) -> int:
        """Send a message; returns its seq. It is sent up to `tries` times, under one nonce.

        Raises ChatError for a message that is refused; NoAnswer, TimeoutError or
        aiohttp.ClientError if the last try gets no answer.
        """
        body = {"text": text, "nonce": secrets.token_urlsafe(12)}
        path = f"/chat/push/{_quoted(room)}"
        delays = _delays()
        while True:
            tries -= 1
            try:
                return await self._ask(seq_of, "POST", path, body)
            except (ChatError, aiohttp.ClientError, TimeoutError) as error:
                if tries <= 0 or not _is_passing(error):
                    raise
                self._warn(error, f"up to {tries} times")
            await asyncio.sleep(next(delays))

    async def follow(self) -> AsyncIterator[Event]:
        """The events of the rooms, without end; the connection may come and go.

        Raises ChatError if the server refuses the poll itself.
        """
        loop = asyncio.get_running_loop()
        delays = _delays()
        while True:
            began, cursor = loop.time(), self.cursor
            try:
                answer = await self.poll()
            except (ChatError, aiohttp.ClientError, TimeoutError) as error:
                if not _is_passing(error):
                    raise
                self._warn(error, "until there is an answer")
                await asyncio.sleep(next(delays))
                continue
            for event in events_of(answer):
                yield event
            if self.cursor != cursor or loop.time() - began >= _AT_ONCE_SECONDS:
                delays = _delays()
                self._unmoved = 0
            else:
                self._unmoved += 1
            if retry := answer.get("advice", {}).get("retry"):
                await asyncio.sleep(retry)
            elif self._unmoved > _MOST_UNMOVED:
                await asyncio.sleep(next(delays))

    async def poll(self) -> Mapping[str, Any]:
        """One poll from the cursor, which moves on: the answer as docs/wire.md has it.

        Raises ChatError, aiohttp.ClientError, TimeoutError.
        """
        try:
            answer = await self._ask(poll_of, *self._poll_request(), seconds=self._patience)
        except TimeoutError:
            self._unanswered += 1
            raise
        self._unanswered = 0
        self._poll_seconds = answer.get("advice", {}).get("timeout", self._poll_seconds)
        self.cursor = answer.get("cursor", self.cursor)
        self.people.update(answer.get("people", {}))
        return answer

    def _poll_request(self) -> tuple[str, str, Mapping[str, Any] | None]:
        query = {"client": self.tab}
        if self.cursor is not None:
            query["since"] = self.cursor
        path = f"/chat/pull/{','.join(map(_quoted, self.rooms))}?{urlencode(query)}"
        if self._unmoved <= _MOST_UNMOVED and len(self.url) + len(path) <= _LONGEST_URL:
            return "GET", path, None
        return "POST", "/chat/pull", {"rooms": self.rooms, **query}

    @property
    def _patience(self) -> float:
        """Seconds to wait for a poll: after that the connection is dead and nobody said so.

        A server that was started anew may hold polls longer than it told.
        """
        return float(
            min(_MOST_SECONDS, (self._poll_seconds + _MARGIN_SECONDS) * 2**self._unanswered)
        )

    async def history(
        self, room: str = "lobby", before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """At most `limit` messages before the seq `before`, or the newest, in order.

        Those that were removed are not among them; where none is, nothing is held before.
        Raises ChatError, aiohttp.ClientError, TimeoutError.
        """
        query = {"limit": str(limit)}
        while True:
            if before is not None:
                query["before"] = str(before)
            path = f"/chat/history/{_quoted(room)}?{urlencode(query)}"
            messages, before = await self._ask(_page_of, "GET", path)
            if messages or before is None:
                return messages

    async def _ask(
        self,
        read: Callable[[Mapping[str, Any]], T],
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        seconds: float = _CALL_SECONDS,
    ) -> T:
        """What `read` finds in the answer. Raises ChatError, aiohttp.ClientError, TimeoutError."""
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CALL_SECONDS)
        # A URL that is encoded already: aiohttp would write some of it in another way.
        url = URL(self.url + path, encoded=True)
        request = self.session.request(
            method, url, json=body, timeout=timeout, allow_redirects=False
        )
        async with request as answer:
            status, content_type, content = answer.status, answer.content_type, await answer.read()
        if content_type != _JSON:
            raise NoAnswer(status, content.decode(errors="replace")[:_LINE] or "no content")
        try:
            found = json.loads(content)
            if not isinstance(found, dict):
                raise Foreign(f"{found!r:.80} is no object")
            if status == 200:
                value = read(found)
                self._warned = False
                return value
        except (ValueError, RecursionError) as error:
            raise NoAnswer(status, f"not an answer of the chat: {error}") from None
        line = found.get("error")
        # Gateways have a 401 too; that of the chat says where to sign in.
        refuses = status in _REFUSALS and (status != 401 or "login" in found)
        if refuses and isinstance(line, str):
            raise ChatError(status, line)
        raise NoAnswer(status, content.decode(errors="replace")[:_LINE])


def _quoted(room: str) -> str:
    """The name in the path of a URL, from which one of dots alone would be lost.

    Raises ChatError, as the chat would refuse it.
    """
    if not room.strip("."):
        raise ChatError(400, "A room's name has more than dots.")
    return quote(room, safe="")


def _page_of(answer: Mapping[str, Any]) -> tuple[list[Message], int | None]:
    """What was said in a page of history, and before which seq there is more; None: nowhere."""
    said = [event for event in events_of(answer) if isinstance(event, Message)]
    seqs = [message["seq"] for message in answer["messages"]]
    return said, min(seqs) if seqs and answer.get("more") else None


def _is_passing(error: Exception) -> bool:
    """Whether it is worth trying again after `error`."""
    if isinstance(error, ChatError):
        return isinstance(error, NoAnswer) or error.status in _PASSING
    return not isinstance(error, aiohttp.InvalidURL)


def _is_taken(error: Exception) -> bool:
    """Whether somebody has the nick."""
    return isinstance(error, ChatError) and error.status == 409


def _new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={"Accept": "application/json"},
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # cookies of plain IP addresses too
    )


def _delays() -> Iterator[float]:
    """Growing, jittered delays in seconds."""
    delay = _FIRST_DELAY
    while True:
        yield delay * random.uniform(0.5, 1.5)
        delay = min(_LONGEST_DELAY, 2 * delay)
