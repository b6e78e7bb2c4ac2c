"""A deadline over a block of code, however many waits it has.

with Deadline(10) as deadline:
    for line in lines:
        yield stream.write(line)
        deadline.extend(0.1)
"""

from functools import partial
from types import TracebackType

from cogen.core.durations import Duration, span_of
from cogen.core.scopes import Scope, on_loop
from cogen.core.timers import Timers

__all__ = ["Deadline", "DeadlinePassed"]

# A timer may be early by so many seconds.
_EARLY = 0.002


class DeadlinePassed(Exception):
    """The time of a block is up; `deadline` is whose.

    It is no OperationTimeout: who catches that of a single wait, to wait once more, is not to wait
    for ever in a block whose time is up.
    """

    def __init__(self, deadline: "Deadline") -> None:
        super().__init__(f"the {deadline.seconds:g} s of a block are up")
        self.deadline = deadline


class Deadline(Scope):
    """A block, `with Deadline(seconds) as deadline:`, whose waits have to end in time.

    When it is up, what the block waits for is undone and DeadlinePassed is raised at that wait, and
    at once at every later one in the block; who was cancelled in the block leaves it as cancelled.
    Code that does not wait goes on. `passed` tells whether
    it was up. Deadlines may be nested; each raises its own. It may be up to 0.5 % late, at most
    0.05 s, so that many are one timer.

    Raises ValueError for less than 0 seconds.
    """

    __slots__ = ("_armed", "_ends", "passed", "seconds")

    def __init__(self, seconds: Duration) -> None:
        super().__init__()
        self.seconds = span_of(seconds, "Deadline: seconds")
        self.passed = False
        self._ends = 0.0  # by the clock of the loop
        self._armed = 0.0  # the duration that its timer has

    @property
    def left(self) -> float:
        """Seconds that are left, 0 if it is up. Raises RuntimeError outside of its block."""
        return 0.0 if self.passed else max(0.0, self._ends - self._now())

    def extend(self, seconds: Duration) -> None:
        """Put it off by `seconds`. Raises RuntimeError if it is up, or outside of its block."""
        self._put_off(self._ends + span_of(seconds, "Deadline: seconds"))

    def reset(self, seconds: Duration | None = None) -> None:
        """Begin anew, with `seconds` from now, None: as many as before. Raises as `extend`."""
        if seconds is not None:
            self.seconds = span_of(seconds, "Deadline: seconds")
        self._put_off(self._now() + self.seconds)

    def __enter__(self) -> "Deadline":
        scopes = self._enter()
        self.passed = False
        self._ends = scopes.scheduler.loop.time() + self.seconds
        on_loop(scopes.scheduler, self._arm)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            scopes = self._scopes
            owner = None if scopes is None else scopes.owner
            if scopes is not None:
                on_loop(scopes.scheduler, partial(self._disarm, scopes.scheduler.timers))
            if self._leave(error):
                raise DeadlinePassed(self) from error
            ours = isinstance(error, DeadlinePassed) and error.deadline is self
            if ours and owner is not None and self._is_cancelled(owner):
                raise owner.cancelled() from error
        finally:
            del self, error, traceback, scopes, owner

    def has_ended(self) -> bool:
        self.passed = self.passed or self._ends <= self._now()
        return self.passed

    def error(self) -> BaseException:
        return DeadlinePassed(self)

    def expire(self) -> None:
        """Its timer has run out; called by the timers."""
        scopes = self._scopes  # another thread may leave the block meanwhile
        if scopes is None:
            return
        if self._ends - scopes.scheduler.loop.time() > _EARLY:  # it was put off
            self._arm()
        else:
            self.passed = True
            scopes.interrupt(self)

    def _arm(self) -> None:
        """Start its timer; called on the loop."""
        scopes = self._scopes
        if scopes is not None:
            scheduler = scopes.scheduler
            self._disarm(scheduler.timers)
            self._armed = max(0.0, self._ends - scheduler.loop.time())
            scheduler.timers.start(self, self._armed)

    def _disarm(self, timers: Timers) -> None:
        """Stop its timer; called on the loop, where `_armed` is what it has."""
        timers.stop(self, self._armed)

    def _put_off(self, ends: float) -> None:
        self._now()
        if self.passed or self._scopes is None:
            raise RuntimeError(f"{self!r} cannot be put off any more")
        sooner = ends < self._ends
        self._ends = ends
        if sooner:  # else its timer sees to it
            on_loop(self._scopes.scheduler, self._arm)

    def _now(self) -> float:
        if self._scopes is None:
            raise RuntimeError(f"{self!r} is not in use: enter its block with `with`")
        now: float = self._scopes.scheduler.loop.time()
        return now

    def __repr__(self) -> str:
        return f"<Deadline of {self.seconds:g} s{', up' if self.passed else ''}>"
