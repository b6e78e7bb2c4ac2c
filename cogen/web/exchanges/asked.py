"""What a thread has done on the loop, and waits for."""

import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from cogen.core.coroutines import operation_of
from cogen.core.durations import Duration
from cogen.core.events import PARKED
from cogen.core.greenlets import Straight
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.slips import outside

__all__ = ["Asked"]


class Asked(Straight):
    """A thread of `exchange` asks to have `function` called on the loop, in `context`.

    It is in `open` until it is answered. `performs`: what that returns is an operation, to be
    performed. `thread` is who asks.
    """

    __slots__ = ("_answered", "_exchange", "_function", "_open", "_performs", "thread")

    def __init__(
        self,
        exchange: Exchange,
        open: "list[Asked]",
        function: Callable[[], Any],
        performs: bool,
        context: Context,
    ) -> None:
        self.scheduler = exchange.scheduler
        self.runners = exchange.runners
        self.operation = None
        self.value = None
        self.error = None
        self.runner = None
        self.context = context
        self.thread = threading.get_ident()
        self._performs = performs
        self._exchange = exchange
        self._open = open
        self._function: Callable[[], Any] | None = function
        self._answered = threading.Lock()
        self._answered.acquire()

    @property
    def owner(self) -> Any:
        return self._exchange

    def answer(self) -> Any:
        """In the thread: wait for the outcome."""
        self._answered.acquire()
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                error = None
        return self.value

    def begin(self) -> None:
        """On the loop: have it done in the next turn."""
        self._open.append(self)
        self.scheduler.ready(self)

    def wait(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        return self._exchange.wait(what, *args, timeout=timeout, **kwargs)

    def parked(self) -> None:
        self._exchange.parked()

    def unparked(self) -> None:
        self._exchange.unparked()

    def drive(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            try:
                self.value = self._called(function)
            except BaseException as error:  # noqa: BLE001 (raised in the thread)
                self.error = error
            if self.value is PARKED:
                return
        else:
            self.unparked()
        self._open.remove(self)
        self._answered.release()

    def _called(self, function: Callable[[], Any]) -> Any:
        if self._exchange.ended:
            raise outside()
        if not self._performs:
            return function()
        self._exchange.may_wait()
        result = self.start_wait(operation_of(function(), self))
        if result is PARKED:
            self.parked()
        return result

    def __repr__(self) -> str:
        return repr(self._exchange)
