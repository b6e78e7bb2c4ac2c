"""A bare WSGI application on cogen: `cogen-serve benchmarks.chats.bare:application`."""

from benchmarks.chats.room import JSON, POLL_SECONDS, PROBED, Room, since_of
from cogen.core.events import Signal, WaitForSignal

__all__ = ["application"]

room = Room()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/chat/pull/"):
        since = since_of(environ["QUERY_STRING"])
        answer = room.after(since)
        if answer is None:
            yield environ["cogen.call"](WaitForSignal)("news", timeout=POLL_SECONDS)
            answer = room.after(since) or room.nothing()
    elif path.startswith("/chat/push/"):
        answer = room.publish(environ["wsgi.input"].read())
        yield environ["cogen.call"](Signal)("news")
    else:
        answer = PROBED
    headers = [("Content-Type", JSON), ("Content-Length", str(len(answer)))]
    start_response("200 OK", headers)
    yield environ["cogen.wsgi"].last(answer)
