"""What the subscriptions of a publish/subscribe queue have not fetched, and who holds them.

A mailbox is touched in any thread, under the lock of its queue; who waits for one is resumed on
the loop on which it waits. A mailbox with a key outlives who holds it, by its lease. What a
finalizer gives up is put aside where another thread has the lock, for that one may be the very
thread that waits for this one.
"""

from collections import deque
from functools import partial
from itertools import islice
from threading import RLock, get_ident
from typing import Any, Literal, Protocol, TypeAlias

from cogen.core.away import Attempts, Away
from cogen.core.events import PARKED
from cogen.core.leases import Lease, on_loop_of
from cogen.core.queue import Full
from cogen.core.schedulers import Waiter

__all__ = [
    "Mailbox",
    "Mailboxes",
    "Overflow",
    "SlowSubscriber",
    "SubscriptionEnded",
    "TakenOver",
    "Taking",
]

Overflow: TypeAlias = Literal["end", "oldest", "wait"]
"""What happens to a message for which a mailbox has no room."""


class SubscriptionEnded(LookupError):
    """Messages were asked for of a subscription that has ended."""


class SlowSubscriber(SubscriptionEnded):
    """The subscription was ended: its reader was too slow, and its messages are dropped."""


class TakenOver(SubscriptionEnded):
    """A newer holder of the same key has the subscription now."""


class Taking(Protocol):
    """An operation that waits for messages of a mailbox."""

    def taken(self, box: "Mailbox") -> tuple[Any, ...]:
        """Take what there is, on the loop of who waits. Raises SlowSubscriber."""


class Mailbox:
    """Of one subscription. `lost`: dropped since the last fetch; `holder`: None in a lease."""

    def __init__(
        self, boxes: "Mailboxes", key: object, bound: int | None, overflow: Overflow
    ) -> None:
        self.key = key
        self.bound = bound
        self.overflow: Overflow = overflow
        self.messages: deque[Any] = deque()
        self.lost = 0
        self.holder: object = None
        self.ended = False
        self.parked: tuple[Waiter, Taking] | None = None
        self._boxes = boxes
        self._lease: Lease | None = None
        self._failure: str | None = None

    def is_full(self) -> bool:
        """Whether there is no room for another message."""
        return self.bound is not None and len(self.messages) >= self.bound

    def put(self, message: Any) -> None:
        """A message was published."""
        if self._failure is not None:
            return
        if not self.is_full():
            self.messages.append(message)
        elif self.overflow == "oldest":
            while self.is_full():
                self.messages.popleft()
                self.lost += 1
            self.messages.append(message)
        else:
            self.messages.clear()
            self._failure = (
                f"the subscription was ended: {self.bound} messages waited to be fetched when "
                "another one came. Fetch sooner, or subscribe with a higher bound, or with "
                "overflow='oldest' or 'wait'"
            )
        self._wake()

    def take(self, most: int | None = None) -> tuple[Any, ...]:
        """At most so many messages, the oldest first. Raises SlowSubscriber."""
        if self._failure is not None:
            raise SlowSubscriber(self._failure)
        if most is None or most >= len(self.messages):
            taken = tuple(self.messages)
            self.messages.clear()
        else:
            taken = tuple(self.messages.popleft() for _ in range(most))
        self._boxes.tell_room()
        return taken

    def take_or_park(self, operation: Taking, waiter: Waiter) -> Any:
        """What `operation` takes, or PARKED until there is something.

        Raises RuntimeError if another one waits, SlowSubscriber as `take`.
        """
        try:
            with self._boxes.lock:
                if self.messages or self._failure is not None:
                    return operation.taken(self)
                if self.parked is not None:
                    raise RuntimeError(f"{self.parked[0]!r} waits for this subscription already")
                self.parked = (waiter, operation)
                return PARKED
        finally:
            del waiter

    def undo(self, operation: Taking) -> None:
        """`operation` waits no longer."""
        with self._boxes.lock:
            if self.parked is not None and self.parked[1] is operation:
                self.parked = None

    def hold(self, holder: object, lease: Lease | None) -> None:
        """`holder` has it from now on; who had it is told."""
        with self._boxes.lock:
            if self.holder is not None:
                self._refuse(TakenOver(f"{self.key!r} has subscribed anew: that one has it now"))
            if self._lease is not None:
                self._lease.stop()
            self.holder, self._lease = holder, lease

    def release(self, holder: object) -> None:
        """`holder` has it no longer: it ends, or its lease begins."""
        with self._boxes.lock:
            if self.ended or self.holder is not holder:
                return
            self.holder = None
            if self._failure is not None or self._lease is None or not self._lease.start(self):
                self.end()
            else:
                self._refuse(SubscriptionEnded("the subscription was left while it was waited for"))

    def expire(self, lease: Lease) -> None:
        """The lease is over."""
        with self._boxes.lock:
            if self._lease is lease and self.holder is None:
                self.end()

    def end(self) -> None:
        """Forget it, and its messages."""
        with self._boxes.lock:
            if self.ended:
                return
            self.ended = True
            self.messages.clear()
            self._boxes.remove(self)
            if self._lease is not None:
                self._lease.stop()
                self._lease = None
            self._refuse(SubscriptionEnded("the subscription ended while it was waited for"))
            self._boxes.tell_room()

    def _wake(self) -> None:
        if self.parked is not None:
            on_loop_of(self.parked[0].scheduler, self._hand_over)

    def _hand_over(self) -> None:
        """Give who waits here what there is."""
        with self._boxes.lock:
            if self.parked is None or not (self.messages or self._failure):
                return
            waiter, operation = self.parked
            if get_ident() != waiter.scheduler.thread:  # it waits elsewhere by now
                self._wake()
                return
            self.parked = None
            try:
                taken = operation.taken(self)
            except SubscriptionEnded as error:
                waiter.fail(error, crowd=True)
            else:
                waiter.resume(taken, crowd=True)

    def _refuse(self, error: SubscriptionEnded) -> None:
        if self.parked is not None:
            waiter, operation = self.parked
            self.parked = None
            on_loop_of(waiter.scheduler, partial(_fail, waiter, operation, error))


class Mailboxes:
    """Those of one queue, under its `lock`, and the last messages that were published.

    `keep`: how many of those are kept; None: all, until `compact`.
    """

    def __init__(self, lock: RLock, keep: int | None) -> None:
        self.lock = lock
        self._boxes: dict[object, Mailbox] = {}
        self.keep = keep
        self._kept: deque[Any] = deque(maxlen=keep)
        self._away = Away()
        self._given_up: deque[tuple[Mailbox, object]] = deque()

    @property
    def idle(self) -> bool:
        """Whether there are no subscriptions and nothing is kept."""
        return not self._boxes and self.keep == 0

    def accept(self, message: Any) -> int:
        """Put a message into all mailboxes; returns how many. Raises Full if one has no room."""
        with self.lock:
            self._sweep()
            boxes = list(self._boxes.values())
            for box in boxes:
                if box.overflow == "wait" and box.is_full():
                    raise Full(
                        f"a subscriber has {box.bound} messages that it has not fetched, and "
                        "publishers wait for it: yield publish(message)"
                    )
            self._kept.append(message)
            for box in boxes:
                box.put(message)
            return len(boxes)

    def wait_for_room(self, publish: Attempts, waiter: Waiter) -> Any:
        """What `publish` gives, or PARKED: it is tried again when somebody has fetched."""
        return self._away.run(publish, waiter)

    def leave(self, waiter: Waiter) -> None:
        """A publisher waits no longer."""
        self._away.undo(waiter)

    def tell_room(self) -> None:
        """There may be room for what publishers wait with."""
        self._away.tell()

    def add(
        self, key: object, last: int | None, bound: int | None, overflow: Overflow
    ) -> tuple[Mailbox, bool]:
        """The mailbox of `key`, and whether it was there before; None is a key of its own.

        A new one begins with the `last` messages that are kept, None: with all.
        """
        with self.lock:
            self._sweep()
            there = self._boxes.get(key) if key is not None else None
            if there is not None:
                there.bound, there.overflow = bound, overflow
                return there, True
            box = Mailbox(self, object() if key is None else key, bound, overflow)
            skipped = 0 if last is None else max(0, len(self._kept) - last)
            box.messages.extend(islice(self._kept, skipped, None))
            self._boxes[box.key] = box
            return box, False

    def find(self, key: object) -> Mailbox | None:
        """The mailbox of `key`."""
        with self.lock:
            self._sweep()
            return self._boxes.get(key)

    def remove(self, box: Mailbox) -> None:
        """`box` has ended."""
        self._boxes.pop(box.key, None)

    def give_up(self, box: Mailbox, holder: object) -> None:
        """As `box.release(holder)`, for a finalizer: it waits for no lock."""
        if box.ended or box.holder is not holder:
            return
        self._given_up.append((box, holder))
        if self.lock.acquire(blocking=False):
            try:
                self._sweep()
            finally:
                self.lock.release()

    def compact(self) -> int:
        """Drop those of the kept messages that all have fetched, if all are kept; how many."""
        with self.lock:
            if self.keep is not None:
                return 0
            behind = max((len(box.messages) for box in self._boxes.values()), default=0)
            dropped = max(0, len(self._kept) - behind)
            for _ in range(dropped):
                self._kept.popleft()
            return dropped

    def statistics(self) -> tuple[int, int, int]:
        """How many subscriptions, those that are waited for, messages."""
        with self.lock:
            self._sweep()
            boxes = list(self._boxes.values())
            waiting = sum(box.parked is not None for box in boxes)
            return len(boxes), waiting, len(self._kept) + sum(len(box.messages) for box in boxes)

    def _sweep(self) -> None:
        while self._given_up:
            box, holder = self._given_up.popleft()
            box.release(holder)


def _fail(waiter: Waiter, operation: object, error: SubscriptionEnded) -> None:
    if waiter.operation is operation:
        waiter.fail(error)
