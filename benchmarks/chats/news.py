"""How the asyncio peers wait: a future each, woken together. No more than that, in their favour."""

import asyncio

from benchmarks.chats.room import POLL_SECONDS, Room

__all__ = ["pull", "push"]

room = Room()
_waiting: set["asyncio.Future[None]"] = set()


async def pull(since: int | None) -> bytes:
    """The body of a poll's answer."""
    answer = room.after(since)
    if answer is None:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        _waiting.add(woken)
        timer = loop.call_later(POLL_SECONDS, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()
            _waiting.discard(woken)
        answer = room.after(since)
    return room.nothing() if answer is None else answer


def push(body: bytes) -> bytes:
    """The body of a push's answer; all that wait are woken."""
    answer = room.publish(body)
    for woken in _waiting:
        _wake(woken)
    _waiting.clear()
    return answer


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
