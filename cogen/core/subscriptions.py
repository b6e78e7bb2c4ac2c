"""A subscription as an object: it ends with whoever holds it.

    with news.subscription(last=10, bound=100) as items:
        messages = yield items.fetch(timeout=30)

`PublishSubscribeQueue.subscription` makes one. It is fetched from by `yield` in a coroutine, by
`async for` in asyncio code, by `wait(items.fetch())` in straight-line code. It ends at the end of
the `with` block; without one, at the end of the coroutine or request that fetches from it, or when
nothing refers to it any more. One with a key outlives that: it is kept until nobody has come back
for so many seconds, and who comes with the same key gets what was published meanwhile.
"""

import weakref
from collections.abc import Callable
from typing import Any, ClassVar, Final, Self

from cogen.core.durations import Duration, span_of
from cogen.core.events import Operation
from cogen.core.leases import Lease
from cogen.core.mailboxes import (
    Mailbox,
    Mailboxes,
    Overflow,
    SlowSubscriber,
    SubscriptionEnded,
    TakenOver,
)
from cogen.core.schedulers import Scheduler, Waiter

__all__ = [
    "KEPT",
    "FetchByKey",
    "FetchItems",
    "Overflow",
    "SlowSubscriber",
    "SubscribeByKey",
    "Subscription",
    "SubscriptionEnded",
    "TakenOver",
    "UnsubscribeByKey",
    "hold",
]

KEPT: Final = 30.0
"""Seconds for which a subscription with a key is kept."""

_OVERFLOWS = ("end", "oldest", "wait")


class Subscription:
    """What is published from now on, until it ends.

    `resumed`: whether it goes on where one with the same key stopped; where it does not, what came
    in between is missed. `lost`: how many messages were dropped before those of the last fetch, as
    `overflow="oldest"` has it.
    """

    def __init__(self, boxes: Mailboxes, box: Mailbox, resumed: bool) -> None:
        self.resumed = resumed
        self.lost = 0
        self._boxes = boxes
        self._box = box
        self._token = object()  # holds the mailbox; the mailbox does not hold this
        self._in_block = False
        self._closed = False
        self._owner: Any = None
        self._owner_ended: Callable[[object], None] | None = None

    def fetch(self, timeout: Duration | None = None, most: int | None = None) -> "FetchItems":
        """The operation that waits for messages; its result is a tuple of all not yet fetched.

        `most`: of so many at most. Raises SlowSubscriber where the reader was too slow and
        `overflow` is "end", TakenOver where there is a newer one with the same key,
        SubscriptionEnded after the end, RuntimeError where somebody else waits for it.
        """
        return FetchItems(self, timeout, most)

    def close(self) -> None:
        """As at the end of the `with` block: it ends, or with a key, is kept for a while."""
        self._closed = True
        self._leave_owner()
        self._box.release(self._token)

    def end(self) -> None:
        """It ends for good, if it has a key too."""
        self._leave_owner()
        with self._boxes.lock:
            if self._box.holder is self._token:
                self._box.end()

    def take_or_park(self, operation: "FetchItems", waiter: Waiter) -> Any:
        """For its operation: messages, or PARKED."""
        try:
            with self._boxes.lock:
                box = self._box
                if self._closed or box.ended:
                    raise SubscriptionEnded("the subscription has ended: subscribe anew")
                if box.holder is not self._token:
                    raise TakenOver(f"{box.key!r} has subscribed anew: that one has it now")
                result = box.take_or_park(operation, waiter)
                if not self._in_block:
                    self._end_with(waiter.owner)
                return result
        finally:
            del waiter

    def undo(self, operation: "FetchItems") -> None:
        """For its operation: it waits no longer."""
        self._box.undo(operation)

    def take(self, most: int | None) -> tuple[Any, ...]:
        """For its operation: what there is."""
        taken = self._box.take(most)
        self.lost, self._box.lost = self._box.lost, 0
        return taken

    def hold(self, lease: Lease | None) -> None:
        """For who makes it: it has the mailbox from now on."""
        self._box.hold(self._token, lease)

    def _end_with(self, owner: Any) -> None:
        """`owner` has it, as long as no other one fetches from it."""
        if self._owner is owner:
            return
        self._leave_owner()
        self._owner = owner
        mine = weakref.ref(self)

        def ended(owner: object) -> None:
            subscription = mine()
            if subscription is not None and subscription._owner is owner:
                subscription.close()

        self._owner_ended = ended
        owner.add_done_callback(ended)

    def _leave_owner(self) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.remove_done_callback(self._owner_ended)
            self._owner_ended = None

    def __enter__(self) -> Self:
        self._in_block = True
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """The next message. It ends where `end` or `close` was called meanwhile."""
        try:
            messages = await self.fetch(most=1)
        except SubscriptionEnded as error:
            if type(error) is SubscriptionEnded:
                raise StopAsyncIteration from None
            raise
        return messages[0]

    def __del__(self) -> None:
        self._leave_owner()
        self._boxes.give_up(self._box, self._token)

    def __repr__(self) -> str:
        state = "ended" if self._box.holder is not self._token else f"{len(self._box.messages)}"
        return f"<Subscription: {state}>"


class FetchItems(Operation):
    """Result: a tuple of messages, at least one."""

    __slots__ = ("_most", "_subscription")

    by_coroutines: ClassVar[bool] = True

    def __init__(
        self, subscription: Subscription, timeout: Duration | None = None, most: int | None = None
    ) -> None:
        super().__init__(timeout)
        if most is not None and most < 1:
            raise ValueError(f"fetch: most must be 1 or more, not {most!r}")
        self._subscription = subscription
        self._most = most

    def run(self, waiter: Waiter) -> Any:
        try:
            return self._subscription.take_or_park(self, waiter)
        finally:
            del waiter

    def undo(self, waiter: Waiter) -> None:
        self._subscription.undo(self)

    def taken(self, box: Mailbox) -> tuple[Any, ...]:
        """For the mailbox: what there is."""
        return self._subscription.take(self._most)


class FetchByKey(Operation):
    """Result: a tuple of messages, at least one, of a subscription that `subscribe(key)` made."""

    __slots__ = ("_box", "_boxes", "_key")

    by_coroutines: ClassVar[bool] = True

    def __init__(self, boxes: Mailboxes, key: object, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self._boxes = boxes
        self._key = key

    def run(self, waiter: Waiter) -> Any:
        try:
            box = self._boxes.find(self._key)
            if box is None:
                raise LookupError(
                    f"{self._key!r} fetches without having subscribed: yield subscribe(key)"
                )
            self._box = box
            return box.take_or_park(self, waiter)
        finally:
            del waiter

    def undo(self, waiter: Waiter) -> None:
        self._box.undo(self)

    def taken(self, box: Mailbox) -> tuple[Any, ...]:
        """For the mailbox: what there is."""
        return box.take()


class SubscribeByKey(Operation):
    """Result: None. It subscribes `key` until it is unsubscribed, whoever fetches."""

    __slots__ = ("_boxes", "_key", "_last")

    def __init__(self, boxes: Mailboxes, key: object, last: int | None) -> None:
        super().__init__()
        self._boxes = boxes
        self._key = key
        self._last = last

    def run(self, waiter: Waiter) -> None:
        self._boxes.add(self._key, self._last, None, "end")


class UnsubscribeByKey(Operation):
    """Result: None."""

    __slots__ = ("_boxes", "_key")

    def __init__(self, boxes: Mailboxes, key: object) -> None:
        super().__init__()
        self._boxes = boxes
        self._key = key

    def run(self, waiter: Waiter) -> None:
        box = self._boxes.find(self._key)
        if box is not None:
            box.end()


def hold(
    boxes: Mailboxes,
    last: int,
    bound: int | None,
    overflow: Overflow,
    key: object,
    keep: Duration,
) -> Subscription:
    """Begin a subscription, as `PublishSubscribeQueue.subscription` tells. Raises ValueError."""
    _check(boxes, last, bound, overflow)
    if key is None and keep != KEPT:
        raise ValueError(f"keep={keep!r} is for a subscription with a key: give it key=...")
    if key is not None and overflow == "wait":
        raise ValueError("overflow='wait' has no key: publishers would wait for who is away")
    lease = None if key is None else Lease(span_of(keep, "keep"), Scheduler.current())
    with boxes.lock:
        box, resumed = boxes.add(key, last, bound, overflow)
        subscription = Subscription(boxes, box, resumed)
        subscription.hold(lease)
    return subscription


def _check(boxes: Mailboxes, last: int, bound: int | None, overflow: str) -> None:
    if overflow not in _OVERFLOWS:
        raise ValueError(f"overflow must be one of {', '.join(_OVERFLOWS)}, not {overflow!r}")
    if bound is not None and bound < 1:
        raise ValueError(f"bound must be 1 or more, or None for no limit, not {bound!r}")
    if last < 0 or (boxes.keep is not None and last > boxes.keep):
        raise ValueError(
            f"last={last!r}, but the queue keeps {boxes.keep} messages: make it by "
            f"PublishSubscribeQueue(keep={max(0, last)})"
        )
    if bound is not None and last > bound:
        raise ValueError(f"last={last!r} is more than bound={bound!r}")
