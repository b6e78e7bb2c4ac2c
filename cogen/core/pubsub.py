"""A queue with many readers: each subscriber gets every message, in order, once.

Messages are kept only for subscribers that have not fetched them yet. One that waits in `fetch`
is handed its messages directly; all that wait get the same tuple.

The subscribers of each loop are a part of their own, which only its thread touches. Another thread
posts what it publishes to every loop that has subscribers.
"""

from functools import partial
from threading import RLock, get_ident
from typing import Any, Final

from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.slips import stays_in_process

__all__ = ["Fetch", "Publish", "PublishSubscribeQueue", "Subscribe", "Unsubscribe"]

# Fetched messages are dropped when at least this many, and half of all, may have been fetched.
_COMPACT_AT = 64
# The position of a subscriber that another thread has subscribed and the loop has not yet.
_COMING: Final = 1 << 60


class PublishSubscribeQueue:
    """Publish to all who subscribed before. Its methods return operations to yield.

    `publish_nowait`, `subscribe_nowait` and `drop` may be called in any thread: a message is on
    its way when `publish_nowait` returns. All subscribers get all messages in one order.
    """

    def __init__(self) -> None:
        self._parts: dict[Scheduler, _Part] = {}
        self._only: _Part | None = None  # where there is but one
        self._lock = RLock()  # of `_parts`, and of the order in which all of them get a message

    def publish(self, message: Any) -> "Publish":
        """The operation that publishes `message`; its result is the number of subscribers."""
        return Publish(self, message)

    def subscribe(self) -> "Subscribe":
        """The operation that subscribes the coroutine that yields it, from now on.

        Its end unsubscribes it. Subscribing again changes nothing.
        """
        return Subscribe(self)

    def unsubscribe(self) -> "Unsubscribe":
        """The operation that unsubscribes the coroutine that yields it."""
        return Unsubscribe(self)

    def fetch(self, timeout: Duration | None = None) -> "Fetch":
        """The operation that waits for messages; its result is a tuple of all not yet fetched.

        Raises LookupError in a coroutine that has not subscribed.
        """
        return Fetch(self, timeout)

    def publish_nowait(self, message: Any) -> int:
        """Publish `message` now; returns the number of subscribers."""
        part = self._only
        if part is None or not part.is_here() or part.scheduler.loop.is_closed():
            return self._publish_everywhere(message)
        part.catch_up()
        return part.publish(message)

    def _publish_everywhere(self, message: Any) -> int:
        told = 0
        with self._lock:
            for part in self._all():
                # Told at once, they may have gone by the time that this goes on.
                subscribers = len(part.positions)
                if part.scheduler.post(partial(part.publish, message)):
                    told += subscribers
                else:
                    self._remove(part)
        return told

    def subscribe_nowait(self, subscriber: Any) -> None:
        """Subscribe `subscriber`, a coroutine or task, from now on; its end unsubscribes it.

        Raises RuntimeError for a coroutine that has not been started.
        """
        scheduler = _scheduler_of(subscriber)
        if scheduler is None:
            raise RuntimeError(f"{subscriber!r} cannot subscribe: it has not been started")
        part = self.part_of(scheduler)
        if part is not None and part.is_here():
            part.catch_up()
            part.subscribe(subscriber)
            return
        with self._lock:
            part = self._parts.get(scheduler)
            if part is None:
                part = self._parts[scheduler] = _Part(scheduler, self)
                self._only = part if len(self._parts) == 1 else None
            if part.is_here():
                part.subscribe(subscriber)
            elif part.positions.setdefault(subscriber, _COMING) == _COMING:
                scheduler.post(partial(part.subscribe_coming, subscriber))

    def drop(self, subscriber: Any) -> None:
        """Unsubscribe `subscriber`, a coroutine or task; nothing happens if it is none."""
        scheduler = _scheduler_of(subscriber)
        part = self.part_of(scheduler) if scheduler is not None else None
        if part is None:
            return
        if part.is_here():
            part.drop(subscriber)
        else:
            part.scheduler.post(partial(part.drop, subscriber))

    def compact(self) -> int:
        """Drop the messages that every subscriber has fetched; returns how many went.

        Those that are kept on the loops of other threads go later and are not counted.
        """
        dropped = 0
        for part in self._all():
            if part.is_here():
                dropped += part.compact()
            else:
                part.scheduler.post(part.compact)
        return dropped

    def statistics(self) -> dict[str, int]:
        """Counts: subscribers, those that wait in `fetch`, messages kept for the others."""
        parts = self._all()
        return {
            "subscribers": sum(len(part.positions) for part in parts),
            "fetchers": sum(len(part.fetchers) for part in parts),
            "messages": sum(len(part.messages) for part in parts),
        }

    def __reduce__(self) -> Any:
        """Raises TypeError."""
        raise stays_in_process(self)

    def part_of(self, scheduler: Scheduler) -> "_Part | None":
        """What those hold who fetch on the loop of `scheduler`; None if nobody does."""
        part = self._only
        if part is not None and part.scheduler is scheduler:
            return part
        return self._parts.get(scheduler)

    def left(self, part: "_Part") -> None:
        """The last subscriber of `part` may have gone; called on its loop."""
        with self._lock:
            # Another thread may just be subscribing one.
            if not part.positions:
                self._remove(part)

    def _all(self) -> "list[_Part]":
        return list(self._parts.values())

    def _remove(self, part: "_Part") -> None:
        self._parts.pop(part.scheduler, None)
        self._only = next(iter(self._parts.values())) if len(self._parts) == 1 else None


class _Part:
    """The subscribers of one loop, and the messages that they have not fetched."""

    __slots__ = (
        "_compact_at",
        "_pubsub",
        "base",
        "fetchers",
        "messages",
        "positions",
        "scheduler",
    )

    def __init__(self, scheduler: Scheduler, pubsub: PublishSubscribeQueue) -> None:
        self.scheduler = scheduler
        self.messages: list[Any] = []
        self.positions: dict[Any, int] = {}  # subscriber: number of its next message
        self.fetchers: dict[Any, Waiter] = {}  # subscriber: who waits
        self.base = 0  # number of the first kept message
        self._pubsub = pubsub
        self._compact_at = _COMPACT_AT

    def is_here(self) -> bool:
        """Whether this is the thread of its loop."""
        return get_ident() == self.scheduler.thread

    def catch_up(self) -> None:
        """Do what other threads have done here before."""
        if self.scheduler.posted:
            self.scheduler.do_posted()

    # Called on the loop.

    def publish(self, message: Any) -> int:
        """Returns the number of subscribers."""
        if len(self.positions) > len(self.fetchers):
            self.messages.append(message)
            if len(self.messages) >= self._compact_at:
                self.compact()
                self._compact_at = max(_COMPACT_AT, 2 * len(self.messages))
        else:
            # All are up to date and wait: nobody will come back for this one.
            self.base += len(self.messages) + 1
            self.messages.clear()
        following = self.base + len(self.messages)
        fetchers, self.fetchers = self.fetchers, {}
        messages: tuple[Any, ...] = (message,)
        for subscriber, waiter in fetchers.items():
            self.positions[subscriber] = following
            waiter.resume(messages, crowd=True)
        return len(self.positions)

    def subscribe(self, subscriber: Any) -> None:
        if self.positions.get(subscriber, _COMING) == _COMING:
            self.positions[subscriber] = self.base + len(self.messages)
            subscriber.add_done_callback(self._pubsub.drop)

    def subscribe_coming(self, subscriber: Any) -> None:
        """Another thread has subscribed it, and may have dropped it."""
        if subscriber in self.positions:
            self.subscribe(subscriber)

    def compact(self) -> int:
        oldest = min(self.positions.values(), default=self.base + len(self.messages))
        # One that waits for the next message has nothing to come back for.
        fetched = min(max(0, oldest - self.base), len(self.messages))
        del self.messages[:fetched]
        self.base += fetched
        return fetched

    def drop(self, subscriber: Any) -> None:
        self.positions.pop(subscriber, None)
        waiter = self.fetchers.pop(subscriber, None)
        if waiter is not None:
            waiter.fail(LookupError(f"{waiter!r} was unsubscribed while it waited for a message"))
        if not self.positions:
            self._pubsub.left(self)


class _PubSubOperation(Operation):
    __slots__ = ("pubsub",)

    def __init__(self, pubsub: PublishSubscribeQueue, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.pubsub = pubsub


class Publish(_PubSubOperation):
    """Result: the number of subscribers."""

    __slots__ = ("message",)

    def __init__(self, pubsub: PublishSubscribeQueue, message: Any) -> None:
        super().__init__(pubsub)
        self.message = message

    def run(self, waiter: Waiter) -> int:
        return self.pubsub.publish_nowait(self.message)


class Subscribe(_PubSubOperation):
    """Result: None."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> None:
        self.pubsub.subscribe_nowait(waiter.owner)


class Unsubscribe(_PubSubOperation):
    """Result: None."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> None:
        self.pubsub.drop(waiter.owner)


class Fetch(_PubSubOperation):
    """Result: a tuple of messages, at least one."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        part = self.pubsub._only
        if part is None or part.scheduler is not waiter.scheduler:
            part = self.pubsub.part_of(waiter.scheduler)
        subscriber = waiter.owner
        position = part.positions.get(subscriber) if part is not None else None
        if part is None or position is None:
            who = repr(waiter)
            del waiter, subscriber  # the error's traceback holds this frame
            raise LookupError(f"{who} fetches without having subscribed: yield subscribe()")
        following = part.base + len(part.messages)
        if position < following:
            part.positions[subscriber] = following
            return tuple(part.messages[position - part.base :])
        part.fetchers[subscriber] = waiter
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        part = self.pubsub.part_of(waiter.scheduler)
        if part is not None:
            part.fetchers.pop(waiter.owner, None)


def _scheduler_of(subscriber: Any) -> Scheduler | None:
    """None for a coroutine that has not been started."""
    if isinstance(subscriber, Waiter):
        return getattr(subscriber, "scheduler", None)
    return Scheduler.of(subscriber.get_loop())
