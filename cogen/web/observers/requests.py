"""The requests that a process holds, for those who tell what it is at."""

import types
from collections.abc import Iterable, Mapping

from cogen.core.alike import Groups, waits
from cogen.core.stacks import Stack, stack_of, suspended
from cogen.web.connections.shared import Shared
from cogen.web.exchanges.exchange import Exchange

__all__ = ["Requests", "add_request"]


class Requests:
    """A part of what a Dump tells: the requests of `shared`."""

    nouns = ("request is held", "requests are held")

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def all(self) -> Iterable[Exchange]:
        """Those that there are now."""
        return self._shared.exchanges

    def add(
        self, groups: Groups, one: Exchange, frames: Mapping[int, types.FrameType], now: float
    ) -> None:
        """Add `one`, unless it is over."""
        if not one.ended:
            frame = frames.get(one.worker)
            add_request(groups, one, _waiting(one) if frame is None else stack_of(frame), now)


def add_request(groups: Groups, exchange: Exchange, stack: Stack, now: float) -> None:
    """The request of `exchange`, which is at `stack` at the time `now` of the loop."""
    method, path = exchange.method.decode(), exchange.path.decode()
    operation = exchange.awaited
    if not exchange.begun:
        groups.add(method, path, "sends its body", stack)
        return
    does = "runs" if exchange.worker or not stack else "is ready to go on"
    if operation is not None:
        does = waits(operation)
    groups.add(method, path, does, stack, now - exchange.begun, operation)


def _waiting(exchange: Exchange) -> Stack:
    """Where the application of `exchange` waits."""
    held_up = exchange.suspended
    if held_up is None:
        return Stack()
    if hasattr(held_up, "gr_frame"):
        return stack_of(held_up.gr_frame)
    return suspended(held_up)
