"""Where each room is, as the file has it, and what of that can be made anew where it is damaged."""

import sqlite3
from typing import NamedTuple

__all__ = ["Place", "load_heads", "mend_heads"]


class Place(NamedTuple):
    """A room's newest seq, the one after which it began, and when somebody last spoke."""

    seq: int
    start: int
    at: float


def load_heads(db: sqlite3.Connection) -> dict[str, Place]:
    """Of each room, the longest silent first; what cannot be read is left out."""
    rows = db.execute("select room, seq, start, at from heads order by at")
    return {room: Place(*head) for room, *head in rows if _is_whole(room, *head)}


def mend_heads(db: sqlite3.Connection) -> bool:
    """Put the messages' own numbers in the place of heads that are damaged; whether any are.

    What a room had whose messages are gone as well is not known any more.
    """
    held = load_heads(db)
    [count] = db.execute("select count(*) from heads").fetchone()
    if count == len(held):
        return False
    found = db.execute("select room, max(seq), min(seq) - 1, max(at) from messages group by room")
    for room, *head in found.fetchall():
        if room not in held and _is_whole(room, *head):
            held[room] = Place(*head)
    rows = [(room, *head) for room, head in held.items()]
    db.execute("begin immediate")
    db.execute("delete from heads")
    db.executemany("insert into heads values (?, ?, ?, ?)", rows)
    db.execute("commit")
    return True


def _is_whole(room: object, seq: object, start: object, at: object) -> bool:
    # A byte that was no UTF-8 is read as this character, which no name of a room has.
    named = isinstance(room, str) and "\N{REPLACEMENT CHARACTER}" not in room
    return named and type(seq) is int and type(start) is int and isinstance(at, float | int)
