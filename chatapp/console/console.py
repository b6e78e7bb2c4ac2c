"""The console: what is done from a shell, wherever the log is open.

All of it is done by CONSOLE, through the same Keeping as what the page asks for, and stands among
the deeds. What comes of it are lines to be printed.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

from chatapp.community.acts import CONSOLE
from chatapp.community.asking import Impossible, NoSuch, NotAllowed, Unfit, checked_reason
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.keeping import Keeping
from chatapp.community.people import Acquaintance
from chatapp.community.rooms import CLOSED, Room
from chatapp.console.deeds import console_deed
from chatapp.console.errors import ConsoleError
from chatapp.console.export import exported
from chatapp.console.finding import Finding
from chatapp.console.lines import deed_lines, member_lines, room_lines, standing_lines
from chatapp.identity.invitations import invite, invite_again
from chatapp.identity.members import all_members
from chatapp.identity.names import free_name, kept_names
from chatapp.model import LogUnavailable, MessageLog

__all__ = ["VERBS", "Console"]

_Lines = list[str]

VERBS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "rooms": {},
    "remove": {"room": str, "seq": int, "reason": str},
    "close": {"room": str, "reason": str},
    "reopen": {"room": str, "reason": str},
    "rename": {"room": str, "title": str, "reason": str},
    "ban": {"who": str, "seconds": (int, float, type(None)), "address": bool, "reason": str},
    "unban": {"who": str, "reason": str},
    "mute": {"who": str, "seconds": (int, float, type(None)), "reason": str},
    "unmute": {"who": str, "reason": str},
    "role": {"who": str, "role": str, "reason": str},
    "sign-out": {"who": str, "reason": str},
    "deeds": {"limit": int, "before": (int, type(None))},
    "standings": {"limit": int, "before": (int, type(None))},
    "invite": {"role": str, "name": (str, type(None)), "count": int, "reason": str},
    "members": {},
    "names": {},
    "free": {"name": str, "reason": str},
    "export": {"room": (str, type(None))},
}
"""What can be done, and what each has to be told."""

_Act = Callable[..., Coroutine[Any, Any, _Lines]]
_MOST_LINKS = 1000
_REFUSED = (NotAllowed, NoSuch, Impossible, Unfit)


class Console:
    """Of the chat with that log, which is open. `url`: where it is; `identity`: the option of that
    name. `wall`: Unix seconds."""

    def __init__(
        self,
        log: MessageLog,
        book: Book,
        keeping: Keeping,
        finding: Finding,
        url: str,
        identity: str,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._book = book
        self._keeping = keeping
        self._finding = finding
        self._url = url
        self._identity = identity
        self._wall = wall
        self._acts: Mapping[str, _Act] = {
            "rooms": self._rooms,
            "remove": self._remove,
            "close": self._close,
            "reopen": self._reopen,
            "rename": self._rename,
            "ban": self._ban,
            "unban": self._unban,
            "mute": self._mute,
            "unmute": self._unmute,
            "role": self._role,
            "sign-out": self._sign_out,
            "deeds": self._deeds,
            "standings": self._standings,
            "invite": self._invite,
            "members": self._members,
            "names": self._names,
            "free": self._free,
        }

    async def run(self, verb: str, given: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        """Do what `verb` of VERBS means, with what it has to be told. Raises ConsoleError."""
        _check(verb, given)
        try:
            if verb == "export":
                async for line in self._export(**given):
                    yield line
            else:
                for line in await self._acts[verb](**given):
                    yield line
        except _REFUSED as error:
            raise ConsoleError(f"{error}") from None
        except LogUnavailable as error:
            raise ConsoleError(f"the log cannot be used now: {error}") from None

    # Rooms and messages.

    async def _rooms(self) -> _Lines:
        await self._book.catch_up()
        return room_lines(self._book, await self._log.rooms())

    async def _remove(self, room: str, seq: int, reason: str) -> _Lines:
        stored = await self._keeping.clear(CONSOLE, await self._finding.room(room), seq, reason)
        return [f"message {seq} of {stored.room} is removed"]

    async def _close(self, room: str, reason: str) -> _Lines:
        settled = await self._settle(room, policy=CLOSED, reason=reason)
        return [f"{settled.name} is closed"]

    async def _reopen(self, room: str, reason: str) -> _Lines:
        name = await self._finding.room(room)
        before = self._book.room(name)
        if before.policy != CLOSED:
            raise ConsoleError(f"{name} is not closed")
        settled = await self._settle(name, policy=before.purpose, reason=reason)
        return [f"{settled.name} is open again: {settled.policy}"]

    async def _rename(self, room: str, title: str, reason: str) -> _Lines:
        settled = await self._settle(room, title=title, reason=reason)
        return [f"{settled.name} is called {settled.title}"]

    async def _settle(self, room: str, **settings: Any) -> Room:
        return await self._keeping.settle(CONSOLE, await self._finding.room(room), **settings)

    # People.

    async def _ban(self, who: str, seconds: float | None, address: bool, reason: str) -> _Lines:
        found = await self._finding.person(who)
        if address and not found.address:
            raise ConsoleError(f"the address of {_name(found)} is not known")
        where = found.address if address else None
        await self._keeping.ban(CONSOLE, found.person, seconds, where, reason)
        too = f", and so is everybody at {where}" if where else ""
        return [f"{_name(found)} is banned{too}"]

    async def _unban(self, who: str, reason: str) -> _Lines:
        found = await self._finding.person(who)
        await self._keeping.unban(CONSOLE, found.person, reason)
        return [f"{_name(found)} may come in again"]

    async def _mute(self, who: str, seconds: float | None, reason: str) -> _Lines:
        found = await self._finding.person(who)
        await self._keeping.mute(CONSOLE, found.person, seconds, reason)
        return [f"{_name(found)} is muted"]

    async def _unmute(self, who: str, reason: str) -> _Lines:
        found = await self._finding.person(who)
        await self._keeping.unmute(CONSOLE, found.person, reason)
        return [f"{_name(found)} may speak again"]

    async def _role(self, who: str, role: str, reason: str) -> _Lines:
        found = await self._finding.person(who)
        await self._keeping.give_role(CONSOLE, found.person, role, reason)
        return [f"{_name(found)} is {self._book.known(found.person).role}"]

    async def _sign_out(self, who: str, reason: str) -> _Lines:
        found = await self._finding.person(who)
        await self._keeping.sign_out(CONSOLE, found.person, reason)
        return [f"{_name(found)} is signed out on every device"]

    async def _deeds(self, limit: int, before: int | None) -> _Lines:
        return deed_lines(await self._keeping.deeds(CONSOLE, before, limit))

    async def _standings(self, limit: int, before: int | None) -> _Lines:
        standings = (await self._keeping.standings(CONSOLE, before, limit)).people
        return standing_lines(standings, await self._finding.names(standings))

    # Members, and names that are kept.

    async def _invite(self, role: str, name: str | None, count: int, reason: str) -> _Lines:
        records = self._signing_in()
        if not 1 <= count <= _MOST_LINKS:
            raise ConsoleError(f"--count: 1 to {_MOST_LINKS} links")
        reason = checked_reason(reason)
        if name is None:
            codes = [await invite(records, role) for _ in range(count)]
            await self._tell(
                "invite", more=f"{role}, {count}" if count > 1 else role, reason=reason
            )
        else:
            found = (await self._finding.person(name)).person
            members = {member.id: member for member in await all_members(records)}
            if found.id not in members:
                raise ConsoleError(f"no member is called {name}")
            codes = [await invite_again(records, members[found.id])]
            await self._tell("invite", whom=found.id, whom_name=found.name, reason=reason)
        return [f"{self._url}/device/{code}" for code in codes]

    async def _members(self) -> _Lines:
        records = self._signing_in()
        await self._book.catch_up()
        return member_lines(self._book, await all_members(records))

    def _signing_in(self) -> Any:
        """The records of a chat that has members."""
        if self._identity != "members":
            raise ConsoleError("chat.identity is not members")
        return self._log.records

    async def _names(self) -> _Lines:
        return sorted({name.nick for name in await kept_names(self._log.records)})

    async def _free(self, name: str, reason: str) -> _Lines:
        reason = checked_reason(reason)
        freed = sorted({each.nick for each in await free_name(self._log.records, name)})
        if not freed:
            raise ConsoleError(f"the name {name} is not kept")
        await self._tell("free", more=", ".join(freed), reason=reason)
        return [f"anybody can take {', '.join(freed)} now"]

    async def _tell(self, act: str, **more: Any) -> None:
        """Write down what was done beside the book."""
        deed = console_deed(self._wall(), act, **more)
        await self._book.change(lambda: Edit(deed=deed))

    # Everything.

    async def _export(self, room: str | None) -> AsyncIterator[str]:
        await self._book.catch_up()
        name = None if room is None else await self._finding.room(room)
        heads = [head for head in await self._log.rooms() if name in (None, head.name)]
        rooms = [each for each in self._book.rooms() if name in (None, each.name)]
        async for line in exported(self._log, heads, rooms, self._wall()):
            yield line


def _check(verb: str, given: Mapping[str, Any]) -> None:
    """Raises ConsoleError unless `verb` is known and `given` is what it has to be told."""
    told = VERBS.get(verb)
    if told is None:
        raise ConsoleError(f"the running chat, of another version, knows no {verb!r:.80}")
    if given.keys() != told.keys() or not all(
        isinstance(given[name], kind) and not (kind is int and isinstance(given[name], bool))
        for name, kind in told.items()
    ):
        raise ConsoleError(f"{verb} takes {', '.join(told) or 'nothing'}")


def _name(found: Acquaintance) -> str:
    return found.person.name or found.person.id
