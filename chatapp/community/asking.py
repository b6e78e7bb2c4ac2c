"""What everybody's acts have in common: who may, of which room, and what is refused in a line."""

import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping

from chatapp.community.acts import (
    CLEAR,
    CONSOLE,
    EXPEL,
    INVITE,
    MAKE,
    SEE,
    SETTLE,
    SPEAK,
    is_above,
    may,
)
from chatapp.community.book import Book
from chatapp.community.deeds import Deed
from chatapp.community.edits import Edit
from chatapp.community.rooms import ANYWHERE, Room
from chatapp.identity.person import Person
from chatapp.model import MessageLog
from chatapp.names import is_seen

__all__ = [
    "MOST_REASON",
    "MOST_TITLE",
    "NO_SUCH_ROOM",
    "Allow",
    "Asking",
    "Impossible",
    "NoSuch",
    "NotAllowed",
    "Unfit",
    "checked_reason",
    "checked_title",
    "own_rule",
]

MOST_TITLE = 64
"""Characters of a room's title."""
MOST_REASON = 200
"""Characters of a reason."""
NO_SUCH_ROOM = "There is no such room, or it is not yours to see."
"""What is told of a room that is not there for whoever asks."""

# With these others are told something, and be it a title.
_SPEAKING = frozenset({SPEAK, MAKE, INVITE, EXPEL, SETTLE, CLEAR})

Allow = Callable[[Person, Room, str], Awaitable[bool]]
"""Whether a person may do an act in a room."""


class NotAllowed(Exception):
    """Who asks may not do that; the line says why."""


class NoSuch(Exception):
    """There is no such room, person or message, as far as who asks may know; the line says so."""


class Impossible(Exception):
    """That cannot be done as things are; the line says why."""


class Unfit(Exception):
    """A title, a reason, a time is none that can be taken; the line says what it has to be."""


class _Changed(Exception):
    """The room is another than the one that was asked about."""


async def own_rule(person: Person, room: Room, act: str) -> bool:
    """That of a chat that has no other."""
    return may(person, room, act)


class Asking:
    """`book` beside `log`; `allow` is the rule, the chat's own if there is no other."""

    def __init__(
        self,
        log: MessageLog,
        book: Book,
        allow: Allow = own_rule,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._book = book
        self._allow = allow
        self._wall = wall

    async def _room(self, by: Person, name: str, act: str = SEE) -> Room:
        """The room that is meant, in which they may do that.

        Raises NoSuch, in the same words whether or not it is there; NotAllowed.
        """
        await self._book.catch_up()
        room = self._book.room(await self._called(name) or name)
        is_there = self._book.keeps(room.name) or not room.is_private
        if not is_there or not await self._may(by, room, SEE):
            raise NoSuch(NO_SUCH_ROOM)
        if act != SEE:
            await self._must(by, room, act)
        return room

    async def _called(self, name: str) -> str | None:
        """What the room is called that has a record, or in which somebody has spoken."""
        called = self._book.called(name)
        if called is not None or name.startswith("~"):
            return called
        names = self._log.canonical_names([name])
        return (names if isinstance(names, Mapping) else await names).get(name)

    async def _may(self, by: Person, room: Room, act: str) -> bool:
        return by.role == CONSOLE.role or await self._allow(by, room, act)

    async def _must(self, by: Person, room: Room, act: str) -> None:
        if not await self._may(by, room, act):
            raise NotAllowed("You may not do that here.")
        self._unless_silent(by, act)

    def _unless_silent(self, by: Person, act: str) -> None:
        """Raises NotAllowed if they are banned, or muted and that would tell others something."""
        standing = self._book.standing(by.id)
        if standing.banned_until:
            raise NotAllowed("You are banned.")
        if standing.muted_until and act in _SPEAKING:
            raise NotAllowed("You are muted.")

    async def _may_anywhere(self, by: Person, act: str) -> None:
        await self._book.catch_up()
        await self._must(by, ANYWHERE, act)

    async def _above(self, by: Person, person: Person, act: str) -> None:
        """Raises NotAllowed unless they may do that to the person."""
        await self._may_anywhere(by, act)
        if by.id == person.id:
            raise NotAllowed("You cannot do that to yourself.")
        if not is_above(by, self._book.known(person).role):
            raise NotAllowed("Only an owner does that to a keeper or an owner.")

    async def _change_room(
        self, by: Person, name: str, act: str, edit: Callable[[Room], Edit | None]
    ) -> Room:
        """The room as it is by `edit`; asked anew where somebody else has changed it meanwhile."""
        while True:
            room = await self._room(by, name, act)
            try:
                await self._book.change(_unless_changed(self._book, room, edit))
            except _Changed:
                continue
            return self._book.room(room.name)

    def _deed(
        self,
        by: Person,
        act: str,
        room: Room = ANYWHERE,
        whom: Person | None = None,
        seq: int | None = None,
        more: str = "",
        reason: str = "",
    ) -> Deed | None:
        """What is written down of an act, None: nothing, as it is told in the room alone."""
        if room.is_private and by.role != CONSOLE.role:
            return None
        whom_id, whom_name = ("", "") if whom is None else (whom.id, whom.name or whom.id)
        return Deed(
            round(self._wall(), 3), by.id, by.name or by.id, act, whom_id, whom_name, room.name,
            seq, more, reason,
        )  # fmt: skip


def _unless_changed(
    book: Book, room: Room, edit: Callable[[Room], Edit | None]
) -> Callable[[], Edit | None]:
    def decide() -> Edit | None:
        if book.room(room.name) != room:
            raise _Changed
        return edit(room)

    return decide


def checked_title(title: str) -> str:
    """Some visible characters in a line. Raises Unfit."""
    text = " ".join(unicodedata.normalize("NFC", title).split())
    if 1 <= len(text) <= MOST_TITLE and _is_shown(text):
        return text
    raise Unfit(f"A title is 1 to {MOST_TITLE} printable characters.")


def checked_reason(reason: str) -> str:
    """A line, or nothing. Raises Unfit."""
    text = " ".join(unicodedata.normalize("NFC", reason).split())
    if len(text) <= MOST_REASON and (not text or _is_shown(text)):
        return text
    raise Unfit(f"A reason is at most {MOST_REASON} printable characters.")


def _is_shown(text: str) -> bool:
    return is_seen(text) and all(each.isprintable() or each in "\u200c\u200d" for each in text)
