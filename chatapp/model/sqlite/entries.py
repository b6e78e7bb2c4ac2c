"""What the thread that writes is given to store, and how one is known that comes again."""

import sqlite3
from typing import NamedTuple

from chatapp.model.log import NonceReused, Stored
from chatapp.model.message import Draft, digest

__all__ = ["Entry", "keep_nonce", "stored_before"]


class Entry(NamedTuple):
    """A message to be stored, pushed by that session; `opens`: its room may be a new one.

    `retry`: in the place of a nonce where the client gave none; it is not kept with the message.
    `removes`: the message that it is about is removed with it.
    """

    draft: Draft
    session: str
    opens: bool = True
    retry: str | None = None
    removes: bool = False

    @property
    def nonce(self) -> str | None:
        """By which it is known again; None if it is not."""
        return self.draft.nonce or self.retry


def stored_before(db: sqlite3.Connection, room: str, entry: Entry) -> Stored | Exception | None:
    """Where the message is that its nonce was used for, or what is wrong; None: it is new."""
    if entry.nonce is None:
        return None
    row = db.execute(
        "select seq, digest from nonces where room = ? and session = ? and nonce = ?",
        (room, entry.session, entry.nonce),
    ).fetchone()
    if row is None:
        return None
    seq, used_for = row
    if not isinstance(seq, int):
        return None  # damaged
    if used_for != digest(entry.draft.text):
        return NonceReused(f"nonce {entry.nonce!r} was used for another text")
    return Stored(room, seq)


def keep_nonce(db: sqlite3.Connection, entry: Entry, stored: Stored, at: float) -> None:
    """Know `entry`, which was stored at that time, when it comes again."""
    if entry.nonce is not None:
        db.execute(
            "insert or replace into nonces (room, session, nonce, seq, nick, digest, at)"
            " values (?, ?, ?, ?, '', ?, ?)",
            (stored.room, entry.session, entry.nonce, stored.seq, digest(entry.draft.text), at),
        )
