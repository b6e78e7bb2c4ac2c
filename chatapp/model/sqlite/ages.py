"""How old what is in the file is: by the time that has passed, not by what the clock was set to.

A stamp is what the clock said. Where the clock was set a day ahead, all that is stored would seem a
day older, and what is younger than `max_age` would be deleted. So each step of the clock is kept,
with where the tables ended then: what comes before has its stamp moved by it. A step is noticed
while the file is open, and over a time in which it was not, as long as the machine was not started
anew meanwhile; over that only one back is, which stamps to come show.
"""

import logging
import math
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from chatapp.model.clock import STEP_SECONDS, Clock

__all__ = ["Ages"]

log = logging.getLogger(__name__)

_MOST_STEPS = 100
_FORGET_AT_ONCE = 1000


class _Step(NamedTuple):
    """The clock was moved by `seconds` when these were the last ids of the tables."""

    messages: int
    nonces: int
    seconds: float


class _Look(NamedTuple):
    """What a clock said."""

    boot: str
    wall: float
    passed: float


class Ages:
    """Used in the thread that writes, on an open database. Raises sqlite3.Error."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steps: Sequence[_Step] = ()
        self._last: _Look

    def open(self, db: sqlite3.Connection) -> None:
        """What is known of the clock from before counts."""
        self._load(db)
        now = self._now()
        kept = _kept(db)
        if kept is None or kept.boot != now.boot or not now.boot:
            kept = now._replace(wall=max(now.wall, _newest(db)))
        self._last = kept

    def look(self, db: sqlite3.Connection) -> float:
        """Keep a step of the clock since the last look, whose seconds are returned, 0 for none."""
        now, last = self._now(), self._last
        step = (now.wall - last.wall) - (now.passed - last.passed)
        self._last = now
        if abs(step) < STEP_SECONDS:
            return 0.0
        log.warning("the clock was set %+.0f s: nothing is older or younger for that", step)
        db.execute(
            "insert into steps (messages, nonces, seconds) values"
            " ((select coalesce(max(id), 0) from messages),"
            " (select coalesce(max(id), 0) from nonces), ?)",
            (step,),
        )
        self._load(db)
        return step

    def keep(self, db: sqlite3.Connection) -> None:
        """For the next `open`."""
        last = self._last
        value = f"{last.boot} {last.wall!r} {last.passed!r}"
        db.execute("insert or replace into meta values ('clock', ?)", (value,))

    def stamp(self, table: str, row: int, at: Any) -> float:
        """What `at`, of that row of `messages` or `nonces`, is by the clock as it is set now.

        One that is damaged is as old as can be.
        """
        if not isinstance(at, float | int):
            return -math.inf
        stamp = float(at)
        for step in self._steps:
            if row <= getattr(step, table):
                stamp += step.seconds
        return stamp

    def forget(self, db: sqlite3.Connection, table: str, oldest: float) -> None:
        """Delete from the front of `table` while it is older than `oldest`."""
        while True:
            rows = db.execute(
                f"select id, at from {table} order by id limit {_FORGET_AT_ONCE}"
            ).fetchall()
            old = 0
            while old < len(rows) and self.stamp(table, *rows[old]) < oldest:
                old += 1
            if old:
                db.execute(f"delete from {table} where id <= ?", (rows[old - 1][0],))
            if old < _FORGET_AT_ONCE:
                return

    def forgot(self, db: sqlite3.Connection) -> None:
        """Rows were deleted; their ids may be given out again."""
        if not self._steps:
            return
        for table in ("messages", "nonces"):
            [last] = db.execute(f"select coalesce(max(id), 0) from {table}").fetchone()
            db.execute(f"update steps set {table} = min({table}, ?)", (last,))
        db.execute("delete from steps where messages = 0 and nonces = 0")
        db.execute(
            "delete from steps where id not in (select id from steps order by id desc limit ?)",
            (_MOST_STEPS,),
        )
        self._load(db)

    def undo(self, db: sqlite3.Connection, last: object) -> None:
        """What was looked at since `last` is not in the file."""
        assert isinstance(last, _Look)
        self._last = last
        self._load(db)

    @property
    def last(self) -> object:
        """The last look."""
        return self._last

    def _now(self) -> _Look:
        return _Look(self._clock.boot, self._clock.wall(), self._clock.passed())

    def _load(self, db: sqlite3.Connection) -> None:
        rows = db.execute("select messages, nonces, seconds from steps order by id")
        self._steps = [_Step(*row) for row in rows]


def _newest(db: sqlite3.Connection) -> float:
    """The newest message's stamp."""
    row = db.execute("select at from messages order by id desc limit 1").fetchone()
    return row[0] if row is not None and isinstance(row[0], float) else 0.0


def _kept(db: sqlite3.Connection) -> _Look | None:
    row = db.execute("select value from meta where key = 'clock'").fetchone()
    try:
        boot, wall, passed = row[0].split(" ")
        return _Look(boot, float(wall), float(passed))
    except (TypeError, ValueError):
        return None
