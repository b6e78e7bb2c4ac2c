"""What the process is at: every thread, every coroutine, and with a server every held request, with
their stacks.

Those at the same place are told together. What belongs to the loop is looked at on the loop, some
at a time, so that ten thousand of them hold nobody up. A loop that is held itself is seen among the
threads, which are told first.
"""

import asyncio
import logging
import sys
import threading
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from cogen.core.alike import Groups, waits
from cogen.core.coroutines import Coroutine
from cogen.core.greenlets import Straight
from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler
from cogen.core.stacks import chain, stack_of

__all__ = ["Coroutines", "Dump", "Part", "owner_of"]

log = logging.getLogger(__name__)

# How many are looked at in one go.
_SLICE: Final = 50
# Seconds between two looks whether a loop that does not answer was closed.
_PATIENCE: Final = 1.0


class Part(Protocol):
    """A kind of what there is; `nouns` are what its number is of, for one and for any other.

    All is called on the loop.
    """

    nouns: tuple[str, str]

    def all(self) -> Iterable[Any]:
        """Those that there are now."""

    def add(
        self, groups: Groups, one: Any, frames: Mapping[int, types.FrameType], now: float
    ) -> None:
        """Add `one` of them, unless it is gone; `frames` are those of the threads."""


class Coroutines:
    """A part of what a Dump tells: the coroutines of `scheduler`. `names` are those of groups."""

    nouns = ("coroutine is there", "coroutines are there")

    def __init__(self, scheduler: Scheduler, names: Mapping[TaskGroup, str]) -> None:
        self._scheduler = scheduler
        self._names = names

    def all(self) -> Iterable[Coroutine]:
        """Those that there are now."""
        return self._scheduler.coroutines

    def add(
        self, groups: Groups, one: Coroutine, frames: Mapping[int, types.FrameType], now: float
    ) -> None:
        """Add `one`, unless it is over."""
        if not one.done:
            _add(groups, one, now, self._names)


def _add(
    groups: Groups, coroutine: Coroutine, now: float, names: Mapping[TaskGroup, str] | None = None
) -> None:
    """What `coroutine` waits for at the time `now` of the loop, where, and whose it is."""
    operation = coroutine.awaited
    stack = chain(coroutine.steps)
    does = "is in asyncio" if coroutine.in_asyncio else "is ready to go on"
    if operation is not None:
        does = waits(operation)
    name = f"{coroutine.name}{owner_of(coroutine.group, names or {})}"
    groups.add("coroutine", name, does, stack, now - coroutine.begun, operation)


def owner_of(group: TaskGroup | None, names: Mapping[TaskGroup, str]) -> str:
    """Whose coroutines those of `group` are, in words."""
    if group is None:
        return ""
    if group in names:
        return f" of {names[group]}"
    owner = group.owner
    if isinstance(owner, Coroutine):
        return f" of {owner.name}"
    return f" of {owner!r:.80}" if isinstance(owner, Straight) else " of a group"


class Dump:
    """Of the threads, the coroutines of `scheduler` and `parts`; for the log, and as a text.

    `names` are those of task groups.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        parts: Sequence[Part] = (),
        names: Mapping[TaskGroup, str] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._parts = (*parts, Coroutines(scheduler, names or {}))
        self._turn = threading.Lock()

    @property
    def tells(self) -> bool:
        """Whether a thread tells it now."""
        return self._turn.locked()

    def begin(self) -> None:
        """Have the log told by a thread of its own; nothing happens while one does. In any thread,
        and in a handler of a signal."""
        if self._turn.acquire(blocking=False):
            try:
                threading.Thread(target=self._tell, name="cogen-dump", daemon=True).start()
            except RuntimeError as error:  # the system has no more
                self._turn.release()
                log.warning("nobody tells what there is: %s", error)

    def text(self) -> str:
        """All of it; empty while it is told already.

        Raises RuntimeError in code that runs on the loop, which would wait for itself.
        """
        if asyncio._get_running_loop() is self._scheduler.loop:
            raise RuntimeError(
                "Dump.text() was called on the loop that it looks at: yield RunInThread(dump.text)"
            )
        if not self._turn.acquire(blocking=False):
            return ""
        try:
            return "".join(f"{section}\n" for section in self._sections())
        finally:
            self._turn.release()

    def _tell(self) -> None:
        try:
            for section in self._sections():
                log.warning("%s", section)
        finally:
            self._turn.release()

    def _sections(self) -> Iterator[str]:
        """In a thread: each part, as soon as it is known."""
        yield _section(_threads(), ("thread", "threads"))
        for part in self._parts:
            look = _Look(self._scheduler, part)
            if not self._scheduler.post(look.begin):
                return
            while not look.over.wait(_PATIENCE):
                if not self._scheduler.loop.is_running():
                    yield f"the loop does not run, nobody can tell what {part.nouns[1]}"
                    return
            yield _section(look.groups, part.nouns)


def _section(groups: Groups, nouns: tuple[str, str]) -> str:
    return "\n".join((f"{groups.count} {nouns[groups.count != 1]}", *groups))


def _threads() -> Groups:
    groups, frames = Groups(), sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is not None and thread is not threading.current_thread():
            groups.add("thread", thread.name, "", stack_of(_below_begin(frame)))
    return groups


def _below_begin(frame: types.FrameType) -> types.FrameType:
    """What `frame` was in before `Dump.begin`, which may still start the thread that tells."""
    at: types.FrameType | None = frame
    while at is not None and at.f_code is not Dump.begin.__code__:
        at = at.f_back
    return frame if at is None else at.f_back or frame


class _Look:
    """At all of `part`, on the loop: they are in `groups` once it is `over`."""

    def __init__(self, scheduler: Scheduler, part: Part) -> None:
        self.groups = Groups()
        self.over = threading.Event()
        self._loop = scheduler.loop
        self._part = part
        self._left: deque[Any] = deque()

    def begin(self) -> None:
        """At those that are there now."""
        self._left.extend(self._part.all())
        self._go_on()

    def _go_on(self) -> None:
        frames, now = sys._current_frames(), self._loop.time()
        for _ in range(min(_SLICE, len(self._left))):
            self._part.add(self.groups, self._left.popleft(), frames, now)
        if self._left:
            self._loop.call_soon(self._go_on)
        else:
            self.over.set()
