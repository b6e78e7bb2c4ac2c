"""The thread that writes the SQLite log. Nothing here knows of an event loop."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from chatapp.model.clock import Clock
from chatapp.model.log import LOBBY, NoSuchMessage, NoSuchRoom, RoomLimit, Stored
from chatapp.model.message import Message, values_of
from chatapp.model.names import Names
from chatapp.model.records import Record
from chatapp.model.rooms import AT_ONCE, slot, to_give_way
from chatapp.model.sqlite.ages import Ages
from chatapp.model.sqlite.entries import Entry, keep_nonce, stored_before
from chatapp.model.sqlite.files import Lock
from chatapp.model.sqlite.heads import Place, load_heads, mend_heads
from chatapp.model.sqlite.marks import Marks, counted
from chatapp.model.sqlite.openfiles import OpenFiles
from chatapp.model.sqlite.records import change_records, forget_records
from chatapp.model.sqlite.removing import (
    begin_clean,
    empty,
    erase,
    has_to_erase,
    overwrite_deleted,
    without_text,
)
from chatapp.model.sqlite.schema import INSERT, begin_epoch, count, head_of, is_new, prepare

__all__ = ["Writer"]

log = logging.getLogger(__name__)

# A nonce is remembered this long after its message: far beyond any client's retries.
_NONCE_SECONDS = 7 * 86400.0


class Writer:
    """All methods run in one thread. They raise sqlite3.Error where the engine fails."""

    def __init__(
        self,
        path: str,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Clock,
        occupied: Callable[[str], bool],
        kept: Callable[[str], bool],
    ) -> None:
        self._path = path
        self._history = history
        self._max_age = max_age
        self._max_rooms = max_rooms
        self._clock = clock
        self._ages = Ages(clock)
        self._occupied = occupied
        self._kept = kept
        self._heads: dict[str, Place] = {}  # the longest silent first
        self.names = Names()  # of the rooms; read in any thread
        self._db: sqlite3.Connection

    def open(self, lock: Lock) -> str:
        """Open the file, of which this process has the lock; returns the log's epoch.

        Raises OSError, LogUnavailable.
        """
        self._files = OpenFiles(self._path, lock)
        self._files.refuse_links()
        self._marks = Marks(lock.file)
        self._marks.read()
        db = sqlite3.connect(self._path, isolation_level=None)
        db.text_factory = _readable
        try:
            new = is_new(db)
            epoch = prepare(db, self._path)
            overwrite_deleted(db)
            if new:
                self._miss_the_old_one()
                begin_clean(db)
            self._epoch = self._settled_epoch(db, epoch)
            self._ages.open(db)
            self._files.remember(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        self._load_heads()
        return self._epoch

    def _miss_the_old_one(self) -> None:
        """The file is begun anew: say so if there was one before."""
        epoch, stored = self._marks.newest()
        if stored:
            log.warning(
                "%s is missing or empty, and has stored %s (epoch %s): it begins anew without them",
                self._path, counted(stored), epoch,
            )  # fmt: skip

    def _settled_epoch(self, db: sqlite3.Connection, epoch: str) -> str:
        """Another one if the file went back in time, or does not know any more where it was."""
        if mend_heads(db):
            epoch = begin_epoch(db)
            log.error("%s: where rooms were is damaged, and another epoch begins", self._path)
        stored = count(db, 0)
        lost = self._marks.lost(epoch, stored)
        if lost:
            epoch = begin_epoch(db)
            log.warning(
                "%s went back in time: it lacks %s at its end, and another epoch begins",
                self._path, counted(lost),
            )  # fmt: skip
        self._marks.write(epoch, stored)
        return epoch

    def close(self) -> None:
        """Close the file, if it is open, with everything in the database itself.

        What is in the write-ahead log only is easily forgotten by who copies the database.
        """
        if hasattr(self, "_db"):
            db = self._db
            del self._db
            wal = self._files.wal
            if self._files.wrong():
                wal.discard_rest()
                db.close()
                wal.close()
                return
            try:
                self._ages.keep(db)
                db.execute("pragma wal_checkpoint(truncate)")
            finally:
                wal.close()
                db.close()

    def check(self) -> None:
        """Raises LogUnavailable if the files are not those any more that were opened."""
        self._files.check()

    def commit(self, entries: Sequence[Entry]) -> tuple[list[Stored | Exception], list[Message]]:
        """Store `entries` in one transaction: the outcome of each, and those that are new."""
        outcomes: list[Stored | Exception] = []
        stored: list[Message] = []
        self._files.check()
        with self._transaction():
            self._look_at_the_clock()
            for entry in entries:
                outcome, new = self._store(entry)
                outcomes.append(outcome)
                if new is None:
                    continue
                if entry.removes:
                    stored = without_text(stored, new)
                stored.append(new)
            self._trim({message.room for message in stored})
            ever = count(self._db, len(stored))
        self._files.check_written()
        self._marks.write(self._epoch, ever)
        return outcomes, stored

    def erase(self) -> bool:
        """As chatapp.model.sqlite.removing has it, if that is to be done. Raises LogUnavailable."""
        self._files.check()
        if not has_to_erase(self._db):
            return True
        try:
            done = erase(self._db)
        except BaseException:
            self._files.wal.written()
            raise
        self._files.check_written()
        return done

    def change(self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]) -> bool:
        """Change records, as chatapp.model.records has it. Raises LogUnavailable."""
        self._files.check()
        with self._transaction():
            done = change_records(self._db, found, changes, self._clock.wall())
        self._files.check_written()
        return done

    def forget_old(self) -> None:
        """Delete messages, nonces and records past their age, from the oldest on: no gap is made.

        Raises LogUnavailable.
        """
        self._files.check()
        with self._transaction():
            self._look_at_the_clock()
        try:
            now = self._clock.wall()
            if self._max_age:
                self._ages.forget(self._db, "messages", now - self._max_age)
            self._ages.forget(self._db, "nonces", now - _NONCE_SECONDS)
            forget_records(self._db, now)
            self._ages.forgot(self._db)
            self._ages.keep(self._db)
        except BaseException:
            self._files.wal.written()
            raise
        self._files.check_written()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Of one that fails nothing is left, in the file and here."""
        last = self._ages.last
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            self._files.wal.written()
            self._ages.undo(self._db, last)
            self._load_heads()
            raise

    def _load_heads(self) -> None:
        self._heads = load_heads(self._db)
        self.names = Names(self._heads)

    def _look_at_the_clock(self) -> None:
        step = self._ages.look(self._db)
        if step:
            # A room is no longer silent for that.
            self._db.execute("update heads set at = at + ?", (step,))
            self._heads = {
                room: head._replace(at=head.at + step) for room, head in self._heads.items()
            }

    def _store(self, entry: Entry) -> tuple[Stored | Exception, Message | None]:
        draft = entry.draft
        room = self.names.meant(draft.room)
        known = stored_before(self._db, room, entry)
        if known is not None:
            return known, None
        at = round(self._clock.wall(), 3)
        try:
            if entry.removes:
                empty(self._db, room, draft.about or 0)
            head = self._heads.pop(room, None) or self._opened(room, entry.opens, at)
        except (NoSuchMessage, NoSuchRoom, RoomLimit) as error:
            return error, None
        message = draft.stored(room, head.seq + 1, at)
        self._db.execute(INSERT, values_of(message))
        stored = Stored(room, message.seq)
        keep_nonce(self._db, entry, stored, at)
        self._heads[room] = Place(message.seq, head.start, at)
        return stored, message

    def _opened(self, room: str, opens: bool, now: float) -> Place:
        """Raises NoSuchRoom, RoomLimit."""
        _, start = head_of(self._db, room)
        if room != LOBBY:
            if not opens:
                raise NoSuchRoom(room)
            for _ in range(AT_ONCE):
                if len(self._heads) - (LOBBY in self._heads) < self._max_rooms:
                    break
                self._give_way(now)
        self.names.add(room)
        return Place(start, start, now)

    def _give_way(self, now: float) -> None:
        silences = ((room, head.at) for room, head in self._heads.items())
        room = to_give_way(silences, self._occupied, self._kept, now)
        if room is None:
            raise RoomLimit("all that there may be are in use")
        self._db.execute("delete from messages where room = ?", (room,))
        self._ages.forgot(self._db)
        self._db.execute("delete from heads where room = ?", (room,))
        self.names.discard(room)
        self._db.execute(
            "insert into gone values (?, ?)"
            " on conflict (slot) do update set seq = max(seq, excluded.seq)",
            (slot(room), self._heads.pop(room).seq),
        )

    def _trim(self, rooms: set[str]) -> None:
        """Write the heads of `rooms` and delete what is beyond their history."""
        heads = [(room, *self._heads[room]) for room in rooms if room in self._heads]
        self._db.executemany("insert or replace into heads values (?, ?, ?, ?)", heads)
        self._db.executemany(
            "delete from messages where room = ? and seq <= ?",
            [(room, seq - self._history) for room, seq, *_ in heads if seq > self._history],
        )


def _readable(stored: bytes) -> str:
    """A bad byte in a room's name or in a nonce keeps nobody from pushing."""
    return stored.decode(errors="replace")
