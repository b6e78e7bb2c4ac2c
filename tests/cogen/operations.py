"""The operations that park, as a table: who adds one to cogen.core adds it here.

`test_leaving.py` has each of them left in every way, by every kind of code. An operation that is
not in the table makes it fail, unless it is named in `NEVER_PARK` or `ELSEWHERE`, or its module in
`MODULES_ELSEWHERE`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from cogen.core import locks, ordered, queue, subscriptions
from cogen.core.events import Await, Join, Owned, Signal, Sleep, WaitForSignal
from cogen.core.groups import JoinGroup, TaskGroup
from cogen.core.pubsub import Fetch, PublishSubscribeQueue
from cogen.core.schedulers import Scheduler
from cogen.core.scopes import current_owner

__all__ = ["ELSEWHERE", "MODULES_ELSEWHERE", "NEVER_PARK", "OPERATIONS", "Case"]

OPERATIONS: dict[str, type[Case]] = {}
"""The name of each operation with the case of it."""


class Case:
    """An operation that waits for what only the test does.

    `covers` are the classes that it is of, `result` is what it gives.
    """

    covers: ClassVar[tuple[type, ...]] = ()
    result: Any = None
    in_cycles: ClassVar[bool] = False  # what it waits for is, by itself
    stopped = False  # the server is, and all coroutines have ended

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            OPERATIONS[cls.__name__] = cls

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.begin()

    def begin(self) -> None:
        """Make what is waited for."""

    def operation(self, timeout: float | None = None) -> Any:
        """What is waited for, once; it parks."""
        raise NotImplementedError

    def finish(self) -> None:
        """Bring the result about."""
        raise NotImplementedError

    def held(self) -> int:
        """How many wait, as what they wait for counts them."""
        return 0

    def check_untouched(self) -> None:
        """It was left: raises AssertionError if something was taken that was not handed over."""


def _waiting(name: object) -> Any:
    return (yield WaitForSignal(name))


class Sleeping(Case):
    covers = (Sleep,)

    def operation(self, timeout: float | None = None) -> Any:
        return Sleep(100)

    def finish(self) -> None:
        self.scheduler.loop.advance(101)  # type: ignore[attr-defined]


class WaitingForASignal(Case):
    covers = (WaitForSignal,)
    result = "value"

    def operation(self, timeout: float | None = None) -> Any:
        return WaitForSignal(self, timeout)

    def finish(self) -> None:
        self.scheduler.signal(self, "value")

    def check_untouched(self) -> None:
        assert self.scheduler.signal(self) == 0


class SendingASignal(Case):
    covers = (Signal,)
    result = 1

    def operation(self, timeout: float | None = None) -> Any:
        return Signal(self, "value", recipients=1, timeout=timeout)

    def finish(self) -> None:
        self.scheduler.add(_waiting, (self,))

    def check_untouched(self) -> None:
        late = self.scheduler.add(_waiting, (self,))
        self.scheduler.loop.settle()  # type: ignore[attr-defined]
        assert not late.done
        late.cancel()


class Joining(Case):
    covers = (Join,)
    result = "value"

    def begin(self) -> None:
        self.name = object()
        self.joined = self.scheduler.add(_waiting, (self.name,))

    def operation(self, timeout: float | None = None) -> Any:
        return Join(self.joined, timeout)

    def finish(self) -> None:
        self.scheduler.signal(self.name, "value")

    def held(self) -> int:
        return len(self.joined.joiners)

    def check_untouched(self) -> None:
        assert self.stopped or not self.joined.done, "who leaves a join leaves the other alone"
        self.joined.cancel()


class Owning(Joining):
    covers = (Owned,)

    def operation(self, timeout: float | None = None) -> Any:
        return Owned(self.joined, timeout)

    def check_untouched(self) -> None:
        assert self.joined.done


class Awaiting(Case):
    covers = (Await,)
    result = "value"

    def begin(self) -> None:
        self.future = self.scheduler.loop.create_future()

    def operation(self, timeout: float | None = None) -> Any:
        return Await(self.future, timeout)

    def finish(self) -> None:
        self.future.set_result("value")

    def check_untouched(self) -> None:
        assert self.future.cancelled()


class Getting(Case):
    covers = (queue.Get,)
    result = "item"
    make: ClassVar[Callable[[], Any]] = queue.Queue

    def begin(self) -> None:
        self.queue = self.make()

    def operation(self, timeout: float | None = None) -> Any:
        return self.queue.get(timeout=timeout)

    def finish(self) -> None:
        self.queue.put_nowait("item")

    def held(self) -> int:
        return len(self.queue._getters or ())

    def check_untouched(self) -> None:
        self.queue.put_nowait("kept")
        assert self.queue.get_nowait() == "kept"


class GettingTheLast(Getting):
    make = ordered.LifoQueue


class GettingTheLeast(Getting):
    make = ordered.PriorityQueue


class Putting(Case):
    covers = (queue.Put,)

    def begin(self) -> None:
        self.queue = queue.Queue(1)
        self.queue.put_nowait("first")

    def operation(self, timeout: float | None = None) -> Any:
        return self.queue.put("second", timeout=timeout)

    def finish(self) -> None:
        assert self.queue.get_nowait() == "first"

    def held(self) -> int:
        return len(self.queue._putters or ())

    def check_untouched(self) -> None:
        assert self.queue.get_nowait() == "first"
        assert self.queue.empty(), "what was not put is there"


class JoiningAQueue(Case):
    covers = (queue.JoinQueue,)

    def begin(self) -> None:
        self.queue = queue.Queue()
        self.queue.put_nowait("item")

    def operation(self, timeout: float | None = None) -> Any:
        return self.queue.join(timeout)

    def finish(self) -> None:
        self.queue.task_done()

    def held(self) -> int:
        return len(self.queue._joiners or ())


class Fetching(Case):
    covers = (Fetch,)
    result = ("news",)

    def begin(self) -> None:
        self.news = PublishSubscribeQueue()

    def operation(self, timeout: float | None = None) -> Any:
        _, subscriber = current_owner()
        self.news.subscribe_nowait(subscriber)
        return self.news.fetch(timeout=timeout)

    def finish(self) -> None:
        self.news.publish_nowait("news")

    def held(self) -> int:
        return sum(self.news.statistics().values())


class FetchingItems(Case):
    covers = (subscriptions.FetchItems,)
    result = ("news",)

    def begin(self) -> None:
        self.news = PublishSubscribeQueue()
        self.items = self.news.subscription().__enter__()  # else it ends with who has fetched

    def operation(self, timeout: float | None = None) -> Any:
        return self.items.fetch(timeout)

    def finish(self) -> None:
        self.news.publish_nowait("news")

    def held(self) -> int:
        return self.news.statistics()["fetchers"]

    def check_untouched(self) -> None:
        self.news.publish_nowait("kept")
        assert self.items.take(None) == ("kept",)


class FetchingByKey(Case):
    covers = (subscriptions.FetchByKey,)
    in_cycles = True
    result = ("news",)

    def begin(self) -> None:
        self.news = PublishSubscribeQueue()
        self.scheduler.add(lambda: (yield self.news.subscribe("key")))
        self.scheduler.loop.settle()  # type: ignore[attr-defined]

    def operation(self, timeout: float | None = None) -> Any:
        return self.news.fetch("key", timeout=timeout)

    def finish(self) -> None:
        self.news.publish_nowait("news")


class JoiningAGroup(Case):
    covers = (JoinGroup,)

    def begin(self) -> None:
        self.group = TaskGroup(self.scheduler)
        self.name = object()
        self.member = self.group.start(_waiting, self.name)

    def operation(self, timeout: float | None = None) -> Any:
        return self.group.join(timeout)

    def finish(self) -> None:
        self.scheduler.signal(self.name)

    def held(self) -> int:
        return self.group.statistics()["joiners"]

    def check_untouched(self) -> None:
        assert self.member.done, "who leaves a group cancels it"


class WaitingForAnEvent(Case):
    covers = (locks.WaitEvent,)

    def begin(self) -> None:
        self.event = locks.Event()

    def operation(self, timeout: float | None = None) -> Any:
        return self.event.wait(timeout)

    def finish(self) -> None:
        self.event.set()

    def held(self) -> int:
        return self.event.statistics()["waiters"]


class Acquiring(Case):
    covers = (locks.Acquire,)
    result = locks.Permit

    def begin(self) -> None:
        self.semaphore = locks.Semaphore()
        self.permit = self.semaphore.acquire_nowait()

    def operation(self, timeout: float | None = None) -> Any:
        return self.semaphore.acquire(timeout)

    def finish(self) -> None:
        self.permit.release()

    def held(self) -> int:
        return self.semaphore.statistics()["waiters"]

    def check_untouched(self) -> None:
        self.permit.release()
        assert self.semaphore.statistics() == {"free": 1, "waiters": 0}


class WaitingForANotification(Case):
    covers = (locks.WaitNotified,)
    result = True

    def begin(self) -> None:
        self.condition = locks.Condition()

    def operation(self, timeout: float | None = None) -> Any:
        return self.condition.wait(timeout)

    def finish(self) -> None:
        self.condition.notify()

    def held(self) -> int:
        return self.condition.statistics()["waiters"]


NEVER_PARK = {
    "AddCoro", "GetNow", "Publish", "PutNow", "Subscribe", "SubscribeByKey", "Unsubscribe",
    "UnsubscribeByKey", "_Given", "_PubSubOperation", "_QueueOperation",
}  # fmt: skip
"""Operations that have their result at once, and bases."""

ELSEWHERE = {
    "RunInThread": "test_events: a thread cannot be left",
    "Shield": "test_shields: that it is not left",
}
"""Operations whose ways to be left other tests go through, and which."""

MODULES_ELSEWHERE = {
    "descriptors": "test_sockets, in every state of the other end",
    "pipe": "test_pipe",
    "processes": "test_processes",
    "socketops": "test_sockets",
    "sockets": "test_sockets",
    "streamops": "test_streams",
    "streams": "test_streams",
}
"""The same for all of a module."""
