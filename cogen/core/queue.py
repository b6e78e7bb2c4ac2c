"""A bounded FIFO queue between coroutines, and between them and threads.

`x_nowait` holds the logic and never waits; the operation `x` tries it, then parks. The deques are
made when first needed and dropped when somebody waits: an idle queue costs one small object.

Those who wait are touched in the thread of their loop only. The queue is at home on the loop whose
coroutines use it: what happens there takes no lock, and items are handed over in the order in
which they were asked for. Every other thread, that of another loop too, appends items and takes
them out under a lock, and has the loops of those who wait look for themselves. The two meet in
the deque of items, whose `append` and `popleft` are atomic.
"""

from collections import deque
from collections.abc import Iterator
from threading import get_ident
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from cogen.core.away import Away, lock
from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.slips import stays_in_process

__all__ = ["Empty", "Full", "Get", "GetNow", "Items", "JoinQueue", "Put", "PutNow", "Queue"]

Item = TypeVar("Item")


class Items(Protocol):
    """What a queue holds its items in; `append` and `popleft` are atomic for threads."""

    def append(self, item: Any, /) -> None:
        """Put `item` in."""

    def popleft(self) -> Any:
        """Take out the one whose turn it is. Raises IndexError if there is none."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]:
        """In the order in which they leave."""


class Full(Exception):
    """`put_nowait` on a queue that holds `maxsize` items."""


class Empty(Exception):
    """`get_nowait` on a queue that holds nothing."""


class Queue(Generic[Item]):
    """A queue of at most `maxsize` items; 0 is no limit. `Queue[str]` tells mypy what they are.

    Items leave in the order they came, waiters are served in the order they came. `put_nowait`,
    `get_nowait` and `task_done` may be called in any thread. Where threads and a loop put at the
    same moment it may for a while hold an item more; an item that is put for somebody who waits
    counts for nothing, and stays if he leaves before he has it.
    """

    __slots__ = (
        "_away",
        "_elsewhere",
        "_getters",
        "_home",
        "_items",
        "_joiners",
        "_putters",
        "_unfinished",
        "maxsize",
    )

    def __init__(self, maxsize: int = 0) -> None:
        given: object = maxsize  # mypy believes the annotation
        if not isinstance(given, int):
            raise TypeError(f"Queue: maxsize must be an int, 0 (no limit) or more, not {given!r}")
        if maxsize < 0:
            raise ValueError(f"Queue: maxsize must be 0 (no limit) or more, not {maxsize!r}")
        self.maxsize = maxsize
        # The reference changes under the lock; elsewhere the items are touched under it only.
        self._items: Items | None = None
        self._unfinished = 0  # counted at home
        self._elsewhere = 0  # counted in other threads
        self._home: Scheduler | None = None
        self._getters: dict[Waiter, None] | None = None
        self._putters: dict[Waiter, Any] | None = None
        self._joiners: dict[Waiter, None] | None = None
        self._away: Away | None = None

    @property
    def unfinished(self) -> int:
        """Items that were put and not dealt with."""
        return self._unfinished + self._elsewhere

    @property
    def queue(self) -> list[Item]:
        """A copy of what it holds, the oldest first."""
        with lock:
            held = list(self._items or ())
        return held[len(held) - len(self) :] if held else held

    def qsize(self) -> int:
        """How many items can be taken out now; `len(queue)` is the same."""
        return len(self)

    def __len__(self) -> int:
        items, getters = self._items, self._getters
        if not items:
            return 0
        return max(0, len(items) - len(getters)) if getters else len(items)

    def empty(self) -> bool:
        """Whether nothing can be taken out now."""
        return not len(self)

    def full(self) -> bool:
        """Whether nothing can be put in now."""
        return 0 < self.maxsize <= len(self)

    def put_nowait(self, item: Item) -> None:
        """Put `item` in, or hand it to the first who waits. Raises Full."""
        home = self._home
        if home is None or get_ident() != home.thread:
            done = self._put_elsewhere(item)
        elif self._getters and not self._items:
            done = self._hand_over(item)
        else:
            done = self._put_here(item)
        if not done:
            raise Full(f"the queue holds {self.maxsize} items already")

    def get_nowait(self) -> Item:
        """Take the oldest item out. Raises Empty."""
        home = self._home
        here = home is not None and get_ident() == home.thread
        item = self._get_here() if here else self._get_elsewhere()
        if item is PARKED:
            raise Empty("the queue holds no item")
        taken: Item = item
        return taken

    def get(self, block: object = True, timeout: Duration | None = None) -> "Get":
        """The operation that takes the oldest item out, waiting for one if there is none.

        With `block=False` it waits for none: Empty is raised at the yield.
        """
        if block is True:
            return Get(self, timeout)
        _check_not(block)
        return GetNow(self)

    def put(self, item: Item, block: object = True, timeout: Duration | None = None) -> "Put":
        """The operation that puts `item` in, waiting for room if there is none.

        With `block=False` it waits for none: Full is raised at the yield.
        """
        if block is True:
            return Put(self, item, timeout)
        _check_not(block)
        return PutNow(self, item)

    def task_done(self) -> None:
        """One item that was taken out is dealt with. Raises ValueError if none was left."""
        home = self._home
        if home is not None and get_ident() == home.thread:
            self._check_unfinished()
            self._unfinished -= 1
            if self._joiners:
                self._match()
            if self._away is not None:
                self._away.tell()
        else:
            with lock:
                self._check_unfinished()
                self._elsewhere -= 1
            self._tell()

    def join(self, timeout: Duration | None = None) -> "JoinQueue":
        """The operation that waits until `task_done` was called for every item."""
        return JoinQueue(self, timeout)

    # At home.

    def _hand_over(self, item: Any) -> bool:
        """To the first who waits."""
        getters = self._getters
        assert getters is not None
        for waiter in getters:  # for half the price of next(iter(...))
            try:
                waiter.resume(item)
            except RuntimeError:
                if not self._abandoned():
                    raise
                break
            del getters[waiter]
            self._unfinished += 1
            return True
        return self._put_elsewhere(item)

    def _put_here(self, item: Any) -> bool:
        """False if the queue is full."""
        if self._getters or self._putters:
            self._match()  # another thread has made that possible
            if self._getters:
                return self._hand_over(item)
        if self._items and 0 < self.maxsize <= len(self._items):
            return False
        self._append(item)
        self._unfinished += 1
        if self._away is not None:
            self._away.tell()
        return True

    def _get_here(self) -> Any:
        """PARKED if the queue is empty."""
        items = self._items
        if items and self._getters:  # another thread has put them for those
            self._match()
        if not items:
            return PARKED
        try:
            item = items.popleft()
        except IndexError:  # another thread was faster
            return PARKED
        if self._putters:
            self._match()
        if self._away is not None:
            self._away.tell()
        return item

    def _match(self) -> None:
        """Resume those who need not wait any more."""
        getters, putters = self._getters, self._putters
        while True:
            items = self._items
            if items and getters:
                try:
                    item = items.popleft()
                except IndexError:  # another thread was faster
                    continue
                _first(getters).resume(item)
            elif putters and len(items or ()) < self.maxsize:
                waiter = next(iter(putters))
                self._append(putters.pop(waiter))
                self._unfinished += 1
                waiter.resume(None)
            else:
                break
        if self._joiners and self.unfinished <= 0:
            joiners, self._joiners = self._joiners, None
            for waiter in joiners:
                waiter.resume(None)

    def _is_home(self, scheduler: Scheduler) -> bool:
        """Whether it is, after it has become it if there was none."""
        with lock:
            if self._home is None or self._abandoned():
                self._home = scheduler
        return self._home is scheduler

    def _abandoned(self) -> bool:
        """Whether the loop at home is closed: those who waited there are forgotten then."""
        with lock:
            home = self._home
            if home is not None and not home.loop.is_closed():
                return False
            self._home = self._getters = self._putters = self._joiners = None
            return True

    def _check_unfinished(self) -> None:
        if self.unfinished <= 0:
            raise ValueError("task_done() was called more often than items were put")

    def _trim(self) -> None:
        """Somebody waits who has seen no item: the deque can go."""
        with lock:
            if not self._items:
                self._items = None
            elif self._home is not None:
                self._home.post(self._match)

    # In any thread.

    def _put_elsewhere(self, item: Any) -> bool:
        """False if the queue is full."""
        with lock:
            if 0 < self.maxsize <= len(self) + len(self._putters or ()):
                return False
            self._elsewhere += 1  # before somebody takes it
            try:
                self._append(item)
            except BaseException:
                self._elsewhere -= 1
                raise
        self._tell()
        return True

    def _get_elsewhere(self) -> Any:
        """PARKED if the queue is empty."""
        with lock:
            items = self._items
            if not items or not len(self):
                return PARKED
            try:
                item = items.popleft()
            except IndexError:  # the loop was faster
                return PARKED
        self._tell()
        return item

    def _append(self, item: Any) -> None:
        items = self._items
        if items is None:
            items = self._make_items()
        items.append(item)

    def _new_items(self) -> "Items":
        """In the order in which they are to leave; who changes that holds another."""
        return deque()

    def _make_items(self) -> "Items":
        made = self._new_items()
        with lock:
            if self._items is None:
                self._items = made
            return self._items

    def _tell(self) -> None:
        """Have all who wait look whether they need to."""
        home = self._home
        if (
            home is not None
            and (self._getters or self._putters or self._joiners)
            and not home.post(self._match)
        ):
            self._abandoned()
        if self._away is not None:
            self._away.tell()

    # For its operations.

    def run_away(self, operation: "_QueueOperation", waiter: Waiter) -> Any:
        """For one of another loop than that at home."""
        with lock:
            if self._away is None:
                self._away = Away()
        return self._away.run(operation, waiter)

    def undo(self, waiters: dict[Waiter, Any] | None, waiter: Waiter) -> None:
        """Forget `waiter`, one of `waiters` or of another loop."""
        if waiters is not None and waiter in waiters:
            del waiters[waiter]
        elif self._away is not None:
            self._away.undo(waiter)

    def __reduce__(self) -> Any:
        """Raises TypeError."""
        raise stays_in_process(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self)}/{self.maxsize or 'no limit'}>"


def _check_not(block: object) -> None:
    """Raises TypeError where `block` is not False: who writes `get(10)` means the timeout."""
    if block is not False:
        raise TypeError(f"block is True or False, not {block!r}: seconds are timeout={block!r}")


def _first(waiters: dict[Waiter, None]) -> Waiter:
    waiter = next(iter(waiters))
    del waiters[waiter]
    return waiter


class _QueueOperation(Operation):
    __slots__ = ("queue",)

    by_coroutines: ClassVar[bool] = True

    def __init__(self, queue: Queue[Any], timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.queue = queue

    def attempt(self) -> Any:
        """In any thread: the result, or PARKED."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.queue!r}>"


class Get(_QueueOperation):
    """Result: the item."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if waiter.scheduler is not queue._home and not queue._is_home(waiter.scheduler):
            return queue.run_away(self, waiter)
        if queue._items:
            item = queue._get_here()
            if item is not PARKED:
                return item
        if queue._getters is None:
            queue._getters = {}
        queue._getters[waiter] = None
        # Who puts an item looks for those who wait afterwards: one of the two sees it.
        if queue._items is not None:
            queue._trim()
        return PARKED

    def attempt(self) -> Any:
        return self.queue._get_elsewhere()

    def undo(self, waiter: Waiter) -> None:
        self.queue.undo(self.queue._getters, waiter)


class Put(_QueueOperation):
    """Result: None, once the item is in the queue."""

    __slots__ = ("item",)

    def __init__(self, queue: Queue[Any], item: Any, timeout: Duration | None = None) -> None:
        super().__init__(queue, timeout)
        self.item = item

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if waiter.scheduler is not queue._home and not queue._is_home(waiter.scheduler):
            return queue.run_away(self, waiter)
        if queue._put_here(self.item):
            return None
        if queue._putters is None:
            queue._putters = {}
        queue._putters[waiter] = self.item
        if not queue.full():
            waiter.scheduler.post(queue._match)
        return PARKED

    def attempt(self) -> Any:
        return None if self.queue._put_elsewhere(self.item) else PARKED

    def undo(self, waiter: Waiter) -> None:
        self.queue.undo(self.queue._putters, waiter)


class GetNow(Get):
    """Result: the item; raises Empty where there is none."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        del waiter  # the error's traceback holds this frame
        return self.queue.get_nowait()


class PutNow(Put):
    """Result: None; raises Full where there is no room."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        del waiter
        self.queue.put_nowait(self.item)


class JoinQueue(_QueueOperation):
    """Result: None, once every item is dealt with."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if queue.unfinished == 0:
            return None
        if waiter.scheduler is not queue._home and not queue._is_home(waiter.scheduler):
            return queue.run_away(self, waiter)
        if queue._joiners is None:
            queue._joiners = {}
        queue._joiners[waiter] = None
        if queue.unfinished <= 0:
            waiter.scheduler.post(queue._match)
        return PARKED

    def attempt(self) -> Any:
        return None if self.queue.unfinished <= 0 else PARKED

    def undo(self, waiter: Waiter) -> None:
        self.queue.undo(self.queue._joiners, waiter)
