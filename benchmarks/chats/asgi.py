"""The raw ASGI protocol, no framework: `uvicorn benchmarks.chats.asgi:application`."""

from benchmarks.chats import news
from benchmarks.chats.room import PROBED, since_of

__all__ = ["application"]


async def application(scope, receive, send):
    path = scope["path"]
    if path.startswith("/chat/pull/"):
        answer = await news.pull(since_of(scope["query_string"].decode()))
    elif path.startswith("/chat/push/"):
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = news.push(body)
    else:
        answer = PROBED
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
