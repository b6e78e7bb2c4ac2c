"""Requests that wait: /yielded yields its wait, /waited waits in straight-line code.

/count says how many of them wait.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cogen.core.events import Sleep

__all__ = ["application"]

_SECONDS = 3600
_held = 0


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/count":
        return _answer(start_response, b"%d" % _held)
    _count(1)
    if environ["PATH_INFO"] == "/yielded":
        return _yielded(environ, start_response)
    try:
        environ["cogen.wait"](Sleep(_SECONDS))
    finally:
        _count(-1)
    return _answer(start_response, b"waited")


def _yielded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    try:
        yield environ["cogen.core"].events.Sleep(_SECONDS)
    finally:
        _count(-1)
    yield from _answer(start_response, b"waited")


def _count(change: int) -> None:
    global _held
    _held += change


def _answer(start_response: Callable[..., Any], body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
