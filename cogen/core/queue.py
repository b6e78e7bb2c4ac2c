"""A bounded FIFO queue between coroutines.

`x_nowait` holds the logic and never waits; the operation `x` tries it, then parks. The deques are
made when first needed and dropped when empty: an idle queue costs one small object.
"""

from collections import deque
from typing import Any

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter

__all__ = ["Empty", "Full", "Get", "JoinQueue", "Put", "Queue"]


class Full(Exception):
    """`put_nowait` on a queue that holds `maxsize` items."""


class Empty(Exception):
    """`get_nowait` on a queue that holds nothing."""


class Queue:
    """A queue of at most `maxsize` items; 0 is no limit.

    Items leave in the order they came, waiters are served in the order they came.
    """

    __slots__ = ("_getters", "_items", "_joiners", "_putters", "maxsize", "unfinished")

    def __init__(self, maxsize: int = 0) -> None:
        if maxsize < 0:
            raise ValueError(f"Queue: maxsize must be 0 (no limit) or more, not {maxsize!r}")
        self.maxsize = maxsize
        self.unfinished = 0
        self._items: deque[Any] | None = None
        self._getters: dict[Waiter, None] | None = None
        self._putters: dict[Waiter, Any] | None = None
        self._joiners: dict[Waiter, None] | None = None

    def __len__(self) -> int:
        return len(self._items) if self._items else 0

    def empty(self) -> bool:
        return not self._items

    def full(self) -> bool:
        return 0 < self.maxsize <= len(self)

    def put_nowait(self, item: Any) -> None:
        """Put `item` in, or hand it to the first who waits. Raises Full."""
        if self._getters:
            _first(self._getters).resume(item)
        elif self.full():
            raise Full(f"the queue holds {self.maxsize} items already")
        else:
            self._append(item)
        self.unfinished += 1

    def get_nowait(self) -> Any:
        """Take the oldest item out. Raises Empty."""
        if not self._items:
            raise Empty("the queue holds no item")
        item = self._items.popleft()
        if self._putters:
            waiter = next(iter(self._putters))
            self._append(self._putters.pop(waiter))
            self.unfinished += 1
            waiter.resume(None)
        if not self._items:
            self._items = None
        return item

    def get(self, timeout: float | None = None) -> "Get":
        """The operation that takes the oldest item out, waiting for one if there is none."""
        return Get(self, timeout)

    def put(self, item: Any, timeout: float | None = None) -> "Put":
        """The operation that puts `item` in, waiting for room if there is none."""
        return Put(self, item, timeout)

    def task_done(self) -> None:
        """One item that was taken out is dealt with. Raises ValueError if none was left."""
        if self.unfinished == 0:
            raise ValueError("task_done() was called more often than items were put")
        self.unfinished -= 1
        if self.unfinished == 0 and self._joiners:
            joiners, self._joiners = self._joiners, None
            for waiter in joiners:
                waiter.resume(None)

    def join(self, timeout: float | None = None) -> "JoinQueue":
        """The operation that waits until `task_done` was called for every item."""
        return JoinQueue(self, timeout)

    def _append(self, item: Any) -> None:
        if self._items is None:
            self._items = deque()
        self._items.append(item)

    def __repr__(self) -> str:
        return f"<Queue {len(self)}/{self.maxsize or 'no limit'}>"


def _first(waiters: dict[Waiter, None]) -> Waiter:
    waiter = next(iter(waiters))
    del waiters[waiter]
    return waiter


class _QueueOperation(Operation):
    __slots__ = ("queue",)

    def __init__(self, queue: Queue, timeout: float | None = None) -> None:
        super().__init__(timeout)
        self.queue = queue

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.queue!r}>"


class Get(_QueueOperation):
    """Result: the item."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if queue._items:
            return queue.get_nowait()
        if queue._getters is None:
            queue._getters = {}
        queue._getters[waiter] = None
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        assert self.queue._getters is not None
        del self.queue._getters[waiter]


class Put(_QueueOperation):
    """Result: None, once the item is in the queue."""

    __slots__ = ("item",)

    def __init__(self, queue: Queue, item: Any, timeout: float | None = None) -> None:
        super().__init__(queue, timeout)
        self.item = item

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if not queue.full():
            queue.put_nowait(self.item)
            return None
        if queue._putters is None:
            queue._putters = {}
        queue._putters[waiter] = self.item
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        assert self.queue._putters is not None
        del self.queue._putters[waiter]


class JoinQueue(_QueueOperation):
    """Result: None, once every item is dealt with."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        queue = self.queue
        if queue.unfinished == 0:
            return None
        if queue._joiners is None:
            queue._joiners = {}
        queue._joiners[waiter] = None
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        assert self.queue._joiners is not None
        del self.queue._joiners[waiter]
