"""A queue with many readers: each subscriber gets every message, in order, once.

Messages are kept only for subscribers that have not fetched them yet. One that waits in `fetch`
is handed its messages directly; all that wait get the same tuple.

The subscribers of each loop are a part of their own, which only its thread touches. Another thread
posts what it publishes to every loop that has subscribers.
"""

from functools import partial
from threading import RLock
from typing import Any, ClassVar

from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.mailboxes import Mailbox, Mailboxes, Overflow
from cogen.core.parts import COMING, Part
from cogen.core.queue import Full
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.slips import stays_in_process
from cogen.core.subscriptions import (
    KEPT,
    FetchByKey,
    SubscribeByKey,
    Subscription,
    UnsubscribeByKey,
    hold,
)

__all__ = ["Fetch", "Publish", "PublishSubscribeQueue", "Subscribe", "Unsubscribe"]


class PublishSubscribeQueue:
    """Publish to all who subscribed before. Its methods return operations to yield.

    `keep`: how many messages are kept for subscriptions that ask for the `last` of them. `late`:
    who subscribes gets what is kept first, as in cogen 0.2; that is everything, until `compact`,
    if `keep` says no number.

    `publish_nowait`, `subscribe_nowait` and `drop` may be called in any thread: a message is on
    its way when `publish_nowait` returns. All subscribers get all messages in one order.
    """

    def __init__(self, keep: int = 0, late: bool = False) -> None:
        if keep < 0:
            raise ValueError(f"PublishSubscribeQueue: keep must be 0 or more, not {keep!r}")
        self._parts: dict[Scheduler, Part] = {}
        # Where there is but one, and no mailboxes: these take a lock.
        self._only: Part | None = None
        self._lock = RLock()  # of `_parts`, and of the order in which all of them get a message
        self._late = late
        self._mailboxes: Mailboxes | None = None
        if keep or late:
            self._mailboxes = Mailboxes(self._lock, keep or None)

    def publish(
        self, message: Any, key: object = None, timeout: Duration | None = None
    ) -> "Publish":
        """The operation that publishes `message`; its result is the number of subscribers.

        It waits while a subscription with `overflow="wait"` has no room. `key` counts for nothing,
        as in cogen 0.2.
        """
        return Publish(self, message, timeout)

    def subscribe(self, key: object = None) -> Operation:
        """The operation that subscribes the coroutine that yields it, from now on.

        Its end unsubscribes it. Subscribing again changes nothing. With a `key`, that is
        subscribed, until it is unsubscribed: whoever fetches by it gets the messages.
        """
        if key is None:
            return Subscribe(self)
        return SubscribeByKey(self._with_mailboxes(), key, None if self._late else 0)

    def unsubscribe(self, key: object = None) -> Operation:
        """The operation that unsubscribes the coroutine that yields it, or `key`."""
        if key is None:
            return Unsubscribe(self)
        return UnsubscribeByKey(self._with_mailboxes(), key)

    def fetch(self, key: object = None, timeout: Duration | None = None) -> Operation:
        """The operation that waits for messages; its result is a tuple of all not yet fetched.

        Raises LookupError in a coroutine that has not subscribed, or for a `key` that has not.
        """
        if key is None:
            return Fetch(self, timeout)
        return FetchByKey(self._with_mailboxes(), key, timeout)

    def subscription(
        self,
        last: int = 0,
        bound: int | None = 1000,
        overflow: Overflow = "end",
        key: object = None,
        keep: Duration = KEPT,
    ) -> Subscription:
        """A subscription that begins now and ends with whoever holds it: `with` its block.

        `last`: it begins with so many messages that were published before; the queue has to
        `keep` them. `bound`: of the messages that wait to be fetched, None for no limit. Where
        there are more, `overflow` decides: "end" ends it, and its fetch raises SlowSubscriber;
        "oldest" drops the oldest ones and tells how many were `lost`; "wait" has publishers wait,
        and `publish_nowait` raise Full.

        `key` (hashable): it is kept for `keep` seconds after its holder has left it. Who
        subscribes with the same key within these gets what was published meanwhile, and it is
        `resumed`. While somebody still holds it, the newer one takes over, and the older one's
        fetch raises TakenOver. A key needs a loop: RuntimeError where none runs and the thread
        works for none. Raises ValueError for what makes no sense.
        """
        return hold(self._with_mailboxes(), last, bound, overflow, key, keep)

    def publish_nowait(self, message: Any) -> int:
        """Publish `message` now; returns the number of subscribers.

        Raises Full where a subscription with `overflow="wait"` has no room.
        """
        part = self._only
        if part is None or not part.is_here() or part.scheduler.loop.is_closed():
            return self._publish_everywhere(message)
        part.catch_up()
        return part.publish(message)

    def _publish_everywhere(self, message: Any) -> int:
        told = 0
        with self._lock:
            if self._mailboxes is not None:
                told = self._mailboxes.accept(message)
                if self._mailboxes.idle:
                    self._mailboxes = None
                    self._choose_only()
            for part in self._all():
                # Told at once, they may have gone by the time that this goes on.
                subscribers = len(part.positions)
                if part.scheduler.post(partial(part.publish, message)):
                    told += subscribers
                else:
                    self._remove(part)
        for part in self._all():
            if part.is_here():
                part.catch_up()
        return told

    def subscribe_nowait(self, subscriber: Any) -> None:
        """Subscribe `subscriber`, a coroutine or task, from now on; its end unsubscribes it.

        Raises RuntimeError for a coroutine that has not been started.
        """
        scheduler = _scheduler_of(subscriber)
        if scheduler is None:
            raise RuntimeError(f"{subscriber!r} cannot subscribe: it has not been started")
        if self._late:
            self._subscribe_late(subscriber)
            return
        part = self.part_of(scheduler)
        if part is not None and part.is_here():
            part.catch_up()
            part.subscribe(subscriber)
            return
        with self._lock:
            part = self._parts.get(scheduler)
            if part is None:
                part = self._parts[scheduler] = Part(scheduler, self.drop, self.left)
                self._choose_only()
            if part.is_here():
                part.subscribe(subscriber)
            elif part.positions.setdefault(subscriber, COMING) == COMING:
                scheduler.post(partial(part.subscribe_coming, subscriber))

    def drop(self, subscriber: Any) -> None:
        """Unsubscribe `subscriber`, a coroutine or task; nothing happens if it is none."""
        box = self.late_mailbox_of(subscriber)
        if box is not None:
            box.end()
            return
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
        dropped = 0 if self._mailboxes is None else self._mailboxes.compact()
        for part in self._all():
            if part.is_here():
                dropped += part.compact()
            else:
                part.scheduler.post(part.compact)
        return dropped

    def statistics(self) -> dict[str, int]:
        """Counts: subscribers, those that wait in `fetch`, messages kept for the others."""
        parts = self._all()
        boxes = self._mailboxes
        subscribers, fetchers, messages = (0, 0, 0) if boxes is None else boxes.statistics()
        return {
            "subscribers": subscribers + sum(len(part.positions) for part in parts),
            "fetchers": fetchers + sum(len(part.fetchers) for part in parts),
            "messages": messages + sum(len(part.messages) for part in parts),
        }

    def __reduce__(self) -> Any:
        """Raises TypeError."""
        raise stays_in_process(self)

    def part_of(self, scheduler: Scheduler) -> "Part | None":
        """What those hold who fetch on the loop of `scheduler`; None if nobody does."""
        part = self._only
        if part is not None and part.scheduler is scheduler:
            return part
        return self._parts.get(scheduler)

    def left(self, part: "Part") -> None:
        """The last subscriber of `part` may have gone; called on its loop."""
        with self._lock:
            # Another thread may just be subscribing one.
            if not part.positions:
                self._remove(part)

    def _all(self) -> "list[Part]":
        return list(self._parts.values())

    def _remove(self, part: "Part") -> None:
        self._parts.pop(part.scheduler, None)
        self._choose_only()

    def _choose_only(self) -> None:
        alone = len(self._parts) == 1 and self._mailboxes is None
        self._only = next(iter(self._parts.values())) if alone else None

    def _with_mailboxes(self) -> Mailboxes:
        with self._lock:
            if self._mailboxes is None:
                self._mailboxes = Mailboxes(self._lock, 0)
                self._only = None
            return self._mailboxes

    def _subscribe_late(self, subscriber: Any) -> None:
        _, there = self._with_mailboxes().add(subscriber, None, None, "end")
        if not there:
            subscriber.add_done_callback(self.drop)

    def late_mailbox_of(self, subscriber: Any) -> Mailbox | None:
        """What is kept for `subscriber`, who got what was published before; None if nothing is."""
        return self._with_mailboxes().find(subscriber) if self._late else None

    def wait_for_room(self, publish: "Publish", waiter: Waiter) -> Any:
        """For `publish`, which found none: its result later, and PARKED now."""
        return self._with_mailboxes().wait_for_room(publish, waiter)

    def leave(self, waiter: Waiter) -> None:
        """A publisher waits for room no longer."""
        self._with_mailboxes().leave(waiter)


class _PubSubOperation(Operation):
    __slots__ = ("pubsub",)

    def __init__(self, pubsub: PublishSubscribeQueue, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.pubsub = pubsub


class Publish(_PubSubOperation):
    """Result: the number of subscribers."""

    __slots__ = ("message",)

    def __init__(
        self, pubsub: PublishSubscribeQueue, message: Any, timeout: Duration | None = None
    ) -> None:
        super().__init__(pubsub, timeout)
        self.message = message

    def run(self, waiter: Waiter) -> Any:
        try:
            return self.pubsub.publish_nowait(self.message)
        except Full:
            return self.pubsub.wait_for_room(self, waiter)

    def attempt(self) -> Any:
        """In any thread: the result, or PARKED."""
        try:
            return self.pubsub.publish_nowait(self.message)
        except Full:
            return PARKED

    def undo(self, waiter: Waiter) -> None:
        self.pubsub.leave(waiter)


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
        waiter.owner.remove_done_callback(self.pubsub.drop)


class Fetch(_PubSubOperation):
    """Result: a tuple of messages, at least one."""

    __slots__ = ()

    by_coroutines: ClassVar[bool] = True

    def run(self, waiter: Waiter) -> Any:
        part = self.pubsub._only
        if part is None or part.scheduler is not waiter.scheduler:
            part = self.pubsub.part_of(waiter.scheduler)
        subscriber = waiter.owner
        position = part.positions.get(subscriber) if part is not None else None
        if part is None or position is None:
            box = self.pubsub.late_mailbox_of(subscriber)
            if box is not None:
                return box.take_or_park(self, waiter)
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
        elif (box := self.pubsub.late_mailbox_of(waiter.owner)) is not None:
            box.undo(self)

    def taken(self, box: Mailbox) -> tuple[Any, ...]:
        """For a late subscriber: what there is."""
        return box.take()


def _scheduler_of(subscriber: Any) -> Scheduler | None:
    """None for a coroutine that has not been started."""
    if isinstance(subscriber, Waiter):
        return getattr(subscriber, "scheduler", None)
    return Scheduler.of(subscriber.get_loop())
