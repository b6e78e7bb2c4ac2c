"""What people do to rooms, to messages and to each other, however they ask for it.

Each asks whether they may, changes the book and the log, and writes down the deed. A site's pages,
the programs and the control socket call the same.
"""

import time
from collections.abc import Callable, Mapping

from chatapp.community.acts import CLEAR, OVERSEE, SEE
from chatapp.community.asking import (
    Allow,
    NoSuch,
    checked_reason,
    own_rule,
)
from chatapp.community.book import Book
from chatapp.community.deeds import MOST_DEEDS, Deed, read_deeds
from chatapp.community.edits import Edit
from chatapp.community.peoplekeeping import PeopleKeeping
from chatapp.community.roomkeeping import RoomKeeping
from chatapp.identity.person import Person
from chatapp.model import Draft, Message, MessageLog, NoSuchMessage, Stored
from chatapp.model.message import LASTING

__all__ = ["Keeping"]

_NO_MESSAGE = "There is no such message, or it was removed before."


class Keeping(RoomKeeping, PeopleKeeping):
    """By `book`, beside `log`. `allow`: the rule; without one the chat's own."""

    def __init__(
        self,
        log: MessageLog,
        book: Book,
        key: bytes = b"",
        most_private: int = 100,
        most_rooms: int = 10_000,
        allow: Allow | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(log, book, allow or own_rule, key, most_private, most_rooms, wall)

    async def clear(
        self, by: Person, name: str, seq: int, reason: str = "", address: str = ""
    ) -> Stored:
        """Remove a message; one's own everybody may. Returns what tells of it.

        Raises NoSuch, NotAllowed, Unfit, LogUnavailable.
        """
        reason = checked_reason(reason)
        room = await self._room(by, name)
        message = await self._message(room.name, seq)
        if message.kind in LASTING:
            raise NoSuch(_NO_MESSAGE)
        if message.sender == by.id:
            self._unless_silent(by, CLEAR)
        else:
            await self._must(by, room, CLEAR)
            whom = Person(message.sender, message.nick)
            deed = self._deed(by, CLEAR, room, whom, seq, reason=reason)
            await self._book.change(lambda: None if deed is None else Edit(deed=deed))
        draft = Draft(room.name, by.name or by.id, reason, by.id, address=address)
        try:
            return await self._log.remove(room.name, seq, draft)
        except NoSuchMessage:
            raise NoSuch(_NO_MESSAGE) from None

    async def oversee(self, by: Person, name: str, seq: int) -> Message:
        """A message with what clients do not see: the id and the address of who sent it.

        Raises NoSuch, NotAllowed, LogUnavailable.
        """
        room = await self._room(by, name, OVERSEE)
        return await self._message(room.name, seq)

    async def deeds(
        self, by: Person, before: int | None = None, limit: int = MOST_DEEDS
    ) -> Mapping[int, Deed]:
        """What was done before the deed of that number, by theirs, the newest first.

        Of private rooms only what they may see. Raises NotAllowed, LogUnavailable.
        """
        await self._may_anywhere(by, OVERSEE)
        found = await read_deeds(self._log.records, self._book.deeds, before, limit)
        seen = {}
        for number, deed in found.items():
            room = self._book.room(deed.room)
            if not room.is_private or await self._may(by, room, SEE):
                seen[number] = deed
        return seen

    async def _message(self, room: str, seq: int) -> Message:
        held = await self._log.read(room, seq - 1, 1)
        if not held.messages or held.messages[0].seq != seq:
            raise NoSuch(_NO_MESSAGE)
        return held.messages[0]
