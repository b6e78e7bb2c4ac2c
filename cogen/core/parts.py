"""The subscribers of a publish/subscribe queue on one loop, which only its thread touches."""

from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

from cogen.core.schedulers import Scheduler, Waiter

__all__ = ["COMING", "Part"]

# Fetched messages are dropped when at least this many, and half of all, may have been fetched.
_COMPACT_AT = 64
COMING: Final = 1 << 60
"""The position of a subscriber that another thread has subscribed and the loop has not yet."""


class Part:
    """The subscribers of one loop, and the messages that they have not fetched."""

    __slots__ = (
        "_compact_at",
        "_drop",
        "_left",
        "base",
        "fetchers",
        "messages",
        "positions",
        "scheduler",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        drop: Callable[[Any], None],
        left: Callable[["Part"], None],
    ) -> None:
        self.scheduler = scheduler
        self.messages: list[Any] = []
        self.positions: dict[Any, int] = {}  # subscriber: number of its next message
        self.fetchers: dict[Any, Waiter] = {}  # subscriber: who waits
        self.base = 0  # number of the first kept message
        self._drop = drop
        self._left = left
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
        """Hand `message` to those that wait and keep it for the others; returns how many there
        are."""
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
        """From now on; nothing happens if it is subscribed. Its end drops it."""
        if self.positions.get(subscriber, COMING) == COMING:
            self.positions[subscriber] = self.base + len(self.messages)
            subscriber.add_done_callback(self._drop)

    def subscribe_coming(self, subscriber: Any) -> None:
        """Another thread has subscribed it, and may have dropped it."""
        if subscriber in self.positions:
            self.subscribe(subscriber)

    def compact(self) -> int:
        """Let go of what all have fetched; returns how many messages that were."""
        oldest = min(self.positions.values(), default=self.base + len(self.messages))
        # One that waits for the next message has nothing to come back for.
        fetched = min(max(0, oldest - self.base), len(self.messages))
        del self.messages[:fetched]
        self.base += fetched
        return fetched

    def drop(self, subscriber: Any) -> None:
        """Unsubscribe it; where it waits, LookupError is raised."""
        self.positions.pop(subscriber, None)
        waiter = self.fetchers.pop(subscriber, None)
        if waiter is not None:
            waiter.fail(LookupError(f"{waiter!r} was unsubscribed while it waited for a message"))
        if not self.positions:
            self._left(self)
