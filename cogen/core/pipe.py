"""A pipe of one direction: a coroutine produces, by the chunk, what another one asks for.

    @coro
    def consumer():
        values = yield Iterate(producer)
        while (value := (yield values)) is not sentinel:
            print(value)

    @coro
    def producer():
        for number in range(100):
            yield chunk(number)

The names are those of cogen 0.2. The producer runs while the consumer waits for its next value, so
at most one is held. Asyncio code has `async for value in await Iterate(producer)`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Final

from cogen.core.coroutines import Coroutine, call, coro
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter

__all__ = ["Iterate", "Iteration", "IterationStopped", "chunk", "end_sentinel", "sentinel"]

log = logging.getLogger(__name__)


class IterationStopped(Exception):
    """Raised in the producer, where it waits, once the consumer has called `stop`."""


class _Sentinel:
    def __repr__(self) -> str:
        return "sentinel"


sentinel: Final = _Sentinel()
"""What the consumer gets when the producer has ended, if it asks for nothing else."""

end_sentinel: Final = sentinel
"""The same by another name."""

_iteration: ContextVar["Iteration"] = ContextVar("_iteration")


class Iterate(Operation):
    """Iterate over what `source` produces; the result is the `Iteration`, to be yielded for each.

    `source`: a coroutine function, called with `args` and `kwargs`, that yields `chunk`s; an
    asynchronous generator function; or something to iterate over, asynchronous or not. `sentinel`
    is what comes after the last value. The producer ends with the coroutine that iterates.
    """

    __slots__ = ("args", "kwargs", "sentinel", "source")

    def __init__(
        self,
        source: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        sentinel: Any = sentinel,
    ) -> None:
        super().__init__()
        if not callable(source) and not isinstance(source, (AsyncIterator, Iterable)):
            raise TypeError(
                f"Iterate: {source!r} is neither a coroutine function nor to be iterated over"
            )
        self.source = source
        self.args = args
        self.kwargs = kwargs
        self.sentinel = sentinel

    def run(self, waiter: Waiter) -> "Iteration":
        name = getattr(self.source, "__qualname__", None) or type(self.source).__name__
        iteration = Iteration(name, self.sentinel)
        produce = coro(iteration.produce)
        iteration.producer = produce(self.source, self.args, self.kwargs or {})
        iteration.belong_to(waiter.owner)
        return iteration


class Iteration(Operation):
    """Wait for the next value, or what says that there is none; raises what the producer raises."""

    __slots__ = (
        "_error",
        "_offer",
        "_owner",
        "_taker",
        "ended",
        "name",
        "producer",
        "sentinel",
        "stopped",
    )

    by_coroutines: ClassVar[bool] = True

    def __init__(self, name: str, sentinel: Any) -> None:
        super().__init__()
        self.name = name
        self.sentinel = sentinel
        self.producer: Coroutine | None = None
        self.ended = False
        self.stopped = False
        self._error: BaseException | None = None  # that of the producer
        self._offer: chunk | None = None  # that the producer waits with
        self._owner: Any = None  # of the consumer
        self._taker: Waiter | None = None  # the consumer, if it waits

    def run(self, waiter: Waiter) -> Any:
        try:
            if self._taker is not None:
                raise RuntimeError(f"{self!r} is waited for already: let one coroutine iterate")
            if self.ended:
                return self._result()
            offer = self._offer
            if offer is not None and not offer.taken:
                return offer.take()
            self._taker = waiter
            if offer is not None:
                self._offer = None
                offer.go_on()
            elif self.producer is not None and not self.producer.started:
                self.producer.start(waiter.scheduler)
            return PARKED
        finally:
            del self, waiter

    def undo(self, waiter: Waiter) -> None:
        self._taker = None

    def stop(self) -> "Iteration":
        """Have IterationStopped raised in the producer; no more values come.

        May be yielded, as in cogen 0.2: the result is the sentinel.
        """
        producer = self.producer
        if not self.ended and producer is not None:
            self.ended = self.stopped = True
            self._offer = None
            if producer.started:
                producer.leave(IterationStopped)
            if not producer.started:
                self._leave_owner()
        return self

    def belong_to(self, owner: Any) -> None:
        """Its producer ends with `owner`, as of Waiter."""
        self._owner = owner
        owner.add_done_callback(self.abandon)

    def _leave_owner(self) -> None:
        """The producer has ended, and what it died of is told."""
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.remove_done_callback(self.abandon)

    def abandon(self, owner: Any) -> None:
        """Whoever iterates has ended."""
        producer = self.producer
        if self._error is not None:
            error, self._error = self._error, None
            log.error("a producer, with nobody left to tell, died of %r", error, exc_info=error)
        elif producer is not None and producer.started and not self.stopped:
            producer.cancel()
        self.producer = None

    def produce(self, source: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Any]:
        """Run the producer to its end."""
        _iteration.set(self)
        try:
            made = source
            if callable(source):
                made = yield call(source, args, kwargs)
            if isinstance(made, AsyncIterator):
                yield _produce_from(made)
            elif made is source or isinstance(made, Iterator):
                for value in made:
                    yield chunk(value)
        except IterationStopped:
            if not self.stopped:
                raise
        except Exception as error:  # noqa: BLE001 (raised where it is iterated)
            self._error = error
        finally:
            self._end()
            del self

    def offer(self, offered: "chunk") -> None:
        """The producer has a value, and waits until the next one is asked for."""
        if self.stopped:
            raise IterationStopped
        if self._offer is not None:
            raise RuntimeError(f"{self!r} is offered two chunks at a time: one coroutine produces")
        self._offer = offered
        taker, self._taker = self._taker, None
        if taker is not None:
            taker.resume(offered.take())

    def withdraw(self, offered: "chunk") -> None:
        """The producer does not wait with that any more."""
        if self._offer is offered:
            self._offer = None

    def _end(self) -> None:
        self.ended = True
        self.producer = None
        taker, self._taker = self._taker, None
        if taker is None:
            if self._error is None:
                self._leave_owner()
            return
        self._leave_owner()
        error, self._error = self._error, None
        if error is not None:
            taker.fail(error)
        else:
            taker.resume(self.sentinel)

    def _result(self) -> Any:
        self._leave_owner()
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            return self.sentinel
        finally:
            del self, error

    def __aiter__(self) -> "Iteration":
        return self

    async def __anext__(self) -> Any:
        value = await self
        if value is self.sentinel:
            raise StopAsyncIteration
        return value

    def __repr__(self) -> str:
        return f"<Iteration of {self.name}{', ended' if self.ended else ''}>"


class chunk(Operation):
    """Give `value` to the consumer, and wait until it asks for the next one; the result is None."""

    __slots__ = ("_iteration", "_waiter", "taken", "value")

    by_coroutines: ClassVar[bool] = True

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value
        self.taken = False
        self._waiter: Waiter | None = None

    def run(self, waiter: Waiter) -> Any:
        iteration = _iteration.get(None)
        try:
            if iteration is None:
                raise RuntimeError(f"{self!r}: nobody iterates over this coroutine: use Iterate")
            self.taken = False
            self._iteration = iteration
            iteration.offer(self)
            self._waiter = waiter
            return PARKED
        finally:
            del self, waiter, iteration

    def undo(self, waiter: Waiter) -> None:
        self._waiter = None
        self._iteration.withdraw(self)

    def take(self) -> Any:
        """The value; it is the consumer's now."""
        self.taken = True
        return self.value

    def go_on(self) -> None:
        """The next one is asked for."""
        waiter = self._waiter
        if waiter is not None and waiter.withdraw():
            waiter.scheduler.ready_next(waiter)

    def __repr__(self) -> str:
        return f"<chunk {self.value!r:.60}>"


async def _produce_from(values: AsyncIterator[Any]) -> None:
    close: Callable[[], Any] | None = getattr(values, "aclose", None)
    try:
        async for value in values:
            await chunk(value)
    finally:
        if close is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await close()
