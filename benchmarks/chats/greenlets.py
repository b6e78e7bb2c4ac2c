"""How the gevent peers wait: a greenlet each, on an event that the next message sets."""

from gevent.event import Event

from benchmarks.chats.room import POLL_SECONDS, Room

__all__ = ["pull", "push"]

room = Room()
_next = [Event()]


def pull(since):
    """The body of a poll's answer."""
    answer = room.after(since)
    if answer is None:
        _next[0].wait(POLL_SECONDS)
        answer = room.after(since)
    return room.nothing() if answer is None else answer


def push(body):
    """The body of a push's answer; all that wait are woken."""
    answer = room.publish(body)
    happened, _next[0] = _next[0], Event()
    happened.set()
    return answer
