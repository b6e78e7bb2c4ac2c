"""From one process to the next: pushes that come to the old one when the new one has the file.

The old one has connections that clients keep, and answers what comes on them: it asks the new one
to store. A request may be made again when the new one ended without an answer; a nonce, the
client's or one of ours, keeps it from being stored twice.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from chatapp.model.log import (
    Ask,
    LogUnavailable,
    NonceReused,
    NoSuchMessage,
    NoSuchRoom,
    RoomLimit,
    Stored,
)
from chatapp.model.message import Draft
from chatapp.model.records import Record, Records
from chatapp.model.sqlite.entries import Entry
from cogen.web.peers import ChannelClosed, RequestError, UnknownRequest

__all__ = ["NoSuccessor", "Successor", "reply_to", "reply_to_change"]

_PATIENCE_SECONDS = 15.0
_RETRY_SECONDS = 0.1
_REFUSALS = {
    each.__name__: each
    for each in (LogUnavailable, NonceReused, NoSuchMessage, NoSuchRoom, RoomLimit)
}


class NoSuccessor(Exception):
    """The process that serves has another log."""


class Successor:
    """The process that has the file at `path` now; `ask` is how to ask it."""

    def __init__(self, ask: Ask, path: str) -> None:
        self._ask = ask
        self._path = path

    async def append(self, entry: Entry) -> Stored:
        """As MessageLog has it. Raises NoSuccessor."""
        if entry.nonce is None:
            # No client's nonce has a space.
            entry = entry._replace(retry=f" {secrets.token_urlsafe(12)}")
        asked = {**entry._asdict(), "draft": asdict(entry.draft)}
        return _stored(await self._reply(f"chat.append {self._path}", asked))

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        """As Records has it. Raises NoSuccessor.

        One that was made, and whose reply was lost, is refused when it is asked for again.
        """
        return bool(await self._reply(f"chat.change {self._path}", [found, changes]))

    async def _reply(self, name: str, asked: Any) -> Any:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._ask(name, asked)
            except UnknownRequest:
                raise NoSuccessor from None
            except ChannelClosed as error:
                if time.monotonic() > deadline:
                    raise LogUnavailable(f"it is in use by another process, and {error}") from None
                await asyncio.sleep(_RETRY_SECONDS)
            except RequestError as error:
                raise LogUnavailable(str(error)) from None


async def reply_to(append: Callable[[Entry], Awaitable[Stored]], asked: Any) -> Any:
    """The reply to a predecessor's request, by `append`."""
    entry = _entry(asked)
    try:
        stored = await append(entry)
    except tuple(_REFUSALS.values()) as error:
        return {"refused": type(error).__name__, "why": str(error)}
    # An older version wants to be told all of the message; what it had itself will do.
    return {**stored._asdict(), "nick": entry.draft.nick, "at": 0.0}


async def reply_to_change(records: Records, asked: Any) -> bool:
    """The reply to a predecessor that changes records."""
    found, changes = asked
    made = {key: None if each is None else Record(*each) for key, each in changes.items()}
    return await records.change(found, made)


def _entry(asked: Any) -> Entry:
    if isinstance(asked, list):
        # As an older version asks.
        room, session, nick, text, nonce = asked[:5]
        entry = Entry(Draft(room, nick, text, nonce=nonce), session, *asked[5:])
        if nonce is not None and nonce.startswith(" "):
            entry = entry._replace(draft=replace(entry.draft, nonce=None), retry=nonce)
        return entry
    return Entry(**{**asked, "draft": Draft(**asked["draft"])})


def _stored(reply: Any) -> Stored:
    if "refused" in reply:
        raise _REFUSALS[reply["refused"]](reply["why"])
    return Stored(reply["room"], reply["seq"])
