"""A queue with many readers: each subscriber gets every message, in order, once.

Messages are kept only for subscribers that have not fetched them yet. One that waits in `fetch`
is handed its messages directly; all that wait get the same tuple.
"""

from typing import Any

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter

__all__ = ["Fetch", "Publish", "PublishSubscribeQueue", "Subscribe", "Unsubscribe"]

# Fetched messages are dropped when at least this many, and half of all, may have been fetched.
_COMPACT_AT = 64


class PublishSubscribeQueue:
    """Publish to all who subscribed before. Its methods return operations to yield."""

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._base = 0  # number of the first kept message
        self._positions: dict[Any, int] = {}  # subscriber: number of its next message
        self._fetchers: dict[Waiter, None] = {}
        self._compact_at = _COMPACT_AT

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

    def fetch(self, timeout: float | None = None) -> "Fetch":
        """The operation that waits for messages; its result is a tuple of all not yet fetched.

        Raises LookupError in a coroutine that has not subscribed.
        """
        return Fetch(self, timeout)

    def publish_nowait(self, message: Any) -> int:
        """Publish `message` now; returns the number of subscribers."""
        if len(self._positions) > len(self._fetchers):
            self._messages.append(message)
            if len(self._messages) >= self._compact_at:
                self.compact()
                self._compact_at = max(_COMPACT_AT, 2 * len(self._messages))
        else:
            # All are up to date and wait: nobody will come back for this one.
            self._base += len(self._messages) + 1
            self._messages.clear()
        following = self._base + len(self._messages)
        fetchers, self._fetchers = self._fetchers, {}
        messages: tuple[Any, ...] = (message,)
        for waiter in fetchers:
            self._positions[waiter.owner] = following
            waiter.resume(messages, crowd=True)
        return len(self._positions)

    def subscribe_nowait(self, subscriber: Any) -> None:
        """Subscribe `subscriber`, a coroutine or task, from now on; its end unsubscribes it."""
        if subscriber not in self._positions:
            self._positions[subscriber] = self._base + len(self._messages)
            subscriber.add_done_callback(self.drop)

    def compact(self) -> int:
        """Drop the messages that every subscriber has fetched; returns how many went."""
        oldest = min(self._positions.values(), default=self._base + len(self._messages))
        # One that waits for the next message has nothing to come back for.
        fetched = max(0, oldest - self._base)
        del self._messages[:fetched]
        self._base += fetched
        return fetched

    def drop(self, subscriber: Any) -> None:
        """Unsubscribe `subscriber`, a coroutine or task; nothing happens if it is none."""
        self._positions.pop(subscriber, None)
        if not self._positions:
            self._base += len(self._messages)
            self._messages.clear()

    def statistics(self) -> dict[str, int]:
        """Counts: subscribers, those that wait in `fetch`, messages kept for the others."""
        return {
            "subscribers": len(self._positions),
            "fetchers": len(self._fetchers),
            "messages": len(self._messages),
        }


class _PubSubOperation(Operation):
    __slots__ = ("pubsub",)

    def __init__(self, pubsub: PublishSubscribeQueue, timeout: float | None = None) -> None:
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
        pubsub = self.pubsub
        position = pubsub._positions.get(waiter.owner)
        if position is None:
            raise LookupError(f"{waiter!r} fetches without having subscribed: yield subscribe()")
        following = pubsub._base + len(pubsub._messages)
        if position < following:
            pubsub._positions[waiter.owner] = following
            return tuple(pubsub._messages[position - pubsub._base :])
        pubsub._fetchers[waiter] = None
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self.pubsub._fetchers.pop(waiter, None)
