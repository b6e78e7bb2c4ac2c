"""What the chats of the peers have in common: a room that numbers and keeps its messages."""

import json
import os
import time
from collections import deque

__all__ = ["JSON", "POLL_SECONDS", "PROBED", "Room", "since_of"]

JSON = "application/json"
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "10"))
PROBED = b'{"probe":"ok"}'
HISTORY = 1000


class Room:
    """Messages are encoded once; bodies of answers are bytes."""

    def __init__(self) -> None:
        self.seq = 0
        self._messages: deque[bytes] = deque(maxlen=HISTORY)
        self._newest = b""

    def publish(self, body: bytes) -> bytes:
        """Keep the message that the body of a push holds; returns the body of the answer."""
        self.seq += 1
        message = {
            "room": "lobby", "seq": self.seq, "nick": "guest-0001",
            "text": json.loads(body)["text"], "at": time.time(),
        }  # fmt: skip
        self._messages.append(json.dumps(message, separators=(",", ":")).encode())
        self._newest = self._answer(1)
        return b'{"room":"lobby","seq":%d}' % self.seq

    def after(self, since: int | None) -> bytes | None:
        """The body of an answer to one that has seen `since` (None: it just came), None if there
        is no news."""
        if since is None:
            return self.nothing()
        behind = self.seq - since
        if behind <= 0:
            return None
        return self._newest if behind == 1 else self._answer(behind)

    def nothing(self) -> bytes:
        """The body of the answer when there is no news."""
        return b'{"messages":[],"cursor":"%d"}' % self.seq

    def _answer(self, count: int) -> bytes:
        messages = b",".join(list(self._messages)[-count:])
        return b'{"messages":[%b],"cursor":"%d"}' % (messages, self.seq)


def since_of(query: str) -> int | None:
    """`since` of a query string, for those whose framework does not parse it."""
    since = query.rpartition("since=")[2] if "since=" in query else ""
    return int(since) if since else None
