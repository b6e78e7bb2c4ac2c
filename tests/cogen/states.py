"""The tables of states at the top of coroutines.py, connection.py and exchange.py, as checks.

They hold between two turns of the loop. In production code nothing is checked.
"""

from typing import Any

from cogen.core.coroutines import Coroutine
from cogen.core.events import Operation
from cogen.web.connections.connection import Connection
from cogen.web.exchanges.exchange import Exchange

__all__ = ["check_connection", "check_coroutine", "check_exchange"]


def check_coroutine(coroutine: Coroutine) -> str:
    """The name of its state. Raises AssertionError if it is in none of the table."""
    shape = (
        coroutine.started,
        coroutine.done,
        coroutine._generator is not None,
        coroutine._task is not None,
        coroutine.operation is not None,
    )
    states = {
        (False, False, False, False, False): "made",
        (True, False, False, False, False): "to begin",
        (True, False, True, False, False): "ready",
        (True, False, True, False, True): "parked",
        (True, False, False, True, False): "a task",
        (True, True, False, False, False): "done",
    }
    state = states.get(shape)
    assert state, f"{coroutine!r} is in no state: {shape}"
    if coroutine._callers:
        assert state in ("ready", "parked"), f"{coroutine!r}, {state}, has callers"
    if coroutine.error is not None:
        assert state in ("to begin", "ready", "done"), f"{coroutine!r}, {state}, has an error"
    if coroutine._cancelling:
        assert state != "parked", f"{coroutine!r} waits, and was not cancelled"
    if state in ("made", "done"):
        assert not coroutine.joiners or state == "made", f"{coroutine!r} has not told who waits"
    return state


def check_connection(connection: Connection) -> str:
    """The name of its state, and its exchange's is checked. Raises AssertionError."""
    exchange, intake, pending = connection._exchange, connection._intake, connection._pending
    shape = (exchange is not None, intake is not None, pending is not None, connection.closing)
    states = {
        (False, False, False, False): "reading",
        (True, True, True, False): "taking",
        (True, True, False, False): "streaming",
        (True, False, False, False): "answering",
        (False, False, False, True): "closing",
    }
    state = states.get(shape)
    assert state, f"the connection is in no state: {shape}"
    if connection._transport is None:
        assert state == "closing", f"the transport is gone, and it is {state}"
    if state != "closing":
        assert connection._seen <= len(connection._buffer), "what it has seen is not there"
    if exchange is not None:
        assert not connection._seen, f"it reads a head while it is {state}"
        assert (check_exchange(exchange) == "made") == (state == "taking"), state
    return state


def check_exchange(exchange: Exchange) -> str:
    """The name of its state. Raises AssertionError if it is in none of the table."""
    shape = (exchange._started, exchange._environ is not None, exchange.closing, exchange.ended)
    states = {
        (False, False, False, False): "made",
        (True, True, False, False): "to call",
        (True, False, False, False): "called",
        (True, False, True, False): "closing",
        (True, False, True, True): "ended",
        (False, False, False, True): "ended",
    }
    state = states.get(shape)
    assert state, f"{exchange} is in no state: {shape}"
    operation: Operation | None = exchange.operation
    if operation is not None or exchange.runner is not None:
        assert state in ("called", "closing"), f"{exchange} waits, and is {state}"
    if exchange.waits:
        assert state == "called", f"{exchange} is in an operation of its own, and is {state}"
        assert exchange.runner is None, f"{exchange} waits for a chunk's, in the midst of a call"
    if exchange._iterator is not None:
        assert state == "called", f"{exchange} has an iterator, and is {state}"
    if exchange.told:
        assert exchange.left, f"{exchange} was told that its client is gone, which it is not"
    if state == "ended":
        held: list[Any] = [exchange._iterable, exchange._answer, exchange._callbacks]
        assert held == [None] * 3, f"{exchange} has ended, and holds {held}"
    return state
