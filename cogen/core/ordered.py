"""Queues whose items leave in another order than they came: the last first, or the least first.

They wait as `cogen.core.queue.Queue` does, whose operations they have. Those who wait are served in
the order in which they came.
"""

import heapq
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from cogen.core.away import lock
from cogen.core.queue import Items, Queue

__all__ = ["LifoQueue", "PriorityQueue"]

Item = TypeVar("Item")


class LifoQueue(Queue[Item], Generic[Item]):
    """A queue that gives the item that was put last."""

    __slots__ = ()

    def _new_items(self) -> Items:
        return _Stack()


class PriorityQueue(Queue[Item], Generic[Item]):
    """A queue that gives the least of its items, of equal ones that which was put first.

    Items are compared by `<`: as with `queue.PriorityQueue`, pairs of a number and what it is for
    do. `put_nowait` raises what the comparison does, and the item is not in the queue then.
    """

    __slots__ = ()

    def _new_items(self) -> Items:
        return _Heap()


class _Stack:
    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: list[Any] = []

    def append(self, item: Any) -> None:
        self._items.append(item)

    def popleft(self) -> Any:
        return self._items.pop()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items[::-1])


class _Entry:
    """An item of a heap, and which of all it was."""

    __slots__ = ("item", "number")

    def __init__(self, item: Any, number: int) -> None:
        self.item = item
        self.number = number

    def __lt__(self, other: "_Entry") -> bool:
        if self.item < other.item:
            return True
        return not other.item < self.item and self.number < other.number


class _Heap:
    """The comparisons of items may be Python code, in which other threads run: hence the lock."""

    __slots__ = ("_count", "_entries")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._count = 0

    def append(self, item: Any) -> None:
        with lock:
            self._count += 1
            entry = _Entry(item, self._count)
            try:
                heapq.heappush(self._entries, entry)
            except BaseException:  # it is in, and not at its place
                self._entries = [each for each in self._entries if each is not entry]
                heapq.heapify(self._entries)
                raise

    def popleft(self) -> Any:
        with lock:
            return heapq.heappop(self._entries).item

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        with lock:
            return iter([entry.item for entry in sorted(self._entries)])
