"""What commands print: a line for each thing, its parts with tabs between."""

import math
import time
from collections.abc import Iterable, Mapping

from chatapp.community.acts import CONSOLE
from chatapp.community.book import Book
from chatapp.community.deeds import Deed
from chatapp.community.rooms import Room
from chatapp.community.standings import Standing
from chatapp.identity.members import Member
from chatapp.model import Head
from chatapp.model.message import handle

__all__ = ["deed_lines", "member_lines", "room_lines", "standing_lines"]


def room_lines(book: Book, heads: Iterable[Head]) -> list[str]:
    """Name, policy, how many members, number of the last message, title; by name."""
    last = {head.name: head.last for head in heads}
    rooms = {name: book.room(name) for name in last}
    rooms.update((room.name, room) for room in book.rooms())
    return [_room_line(rooms[name], last.get(name, 0)) for name in sorted(rooms)]


def _room_line(room: Room, last: int) -> str:
    title = room.title or ", ".join(room.members.values()) if room.is_private else room.title
    return _line(room.name, room.policy, len(room.members), last, title)


def deed_lines(deeds: Mapping[int, Deed]) -> list[str]:
    """Number, time, who, their handle, what, to whom, their handle, in which room, which message,
    what was said with it, why; the newest first. The console has no handle."""
    return [_deed_line(number, deed) for number, deed in deeds.items()]


def _deed_line(number: int, deed: Deed) -> str:
    at = _moment(deed.at)
    by = "" if deed.by == CONSOLE.id else handle(deed.by)
    whom = handle(deed.whom) if deed.whom else ""
    return _line(
        number, at, deed.name, by, deed.act, deed.whom_name, whom, deed.room, deed.seq or "",
        deed.more, deed.reason,
    )  # fmt: skip


def standing_lines(standings: Mapping[str, Standing], names: Mapping[str, str]) -> list[str]:
    """Number of the last deed, who, their handle, the role that was given here, until when they are
    muted, why, until when they are banned, why, the addresses that are banned with them.

    `names`: by ids, of those who are known.
    """
    return [
        _line(
            each.deed, names.get(person, handle(person)), handle(person), each.role,
            _end(each.muted_until), each.mute_reason, _end(each.banned_until), each.ban_reason,
            ", ".join(each.addresses),
        )
        for person, each in standings.items()
    ]  # fmt: skip


def _end(until: float) -> str:
    if not until:
        return ""
    return "for good" if until == math.inf else _moment(until)


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def member_lines(book: Book, members: Iterable[Member]) -> list[str]:
    """Id, role, how many devices, name."""
    return [
        _line(each.id, book.known(each.person).role, len(each.devices), each.name)
        for each in members
    ]


def _line(*parts: object) -> str:
    return "\t".join(" ".join(str(part).split()) for part in parts)
