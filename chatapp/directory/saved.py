"""Cursors of clients that were given a cookie and have not come back with it.

Most never do: they are those of strangers who keep no cookie, thousands in a minute. So a cursor is
one text under another, in two generations: a new one is in the younger, which becomes the elder
when it is full, and the elder one is forgotten as a whole.
"""

import math
from collections.abc import Callable

__all__ = ["SavedCursors"]


class SavedCursors:
    """About `most` characters of them. `clock`: monotonic seconds."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}
        self._size = 0  # characters of the younger generation
        self._saved_at = self._aged_at = -math.inf
        self._last = ""

    def save(self, client: str, cursor: str) -> None:
        """The client is there."""
        self.take(client)
        # Those who wait in one room are all at one cursor: they share its text.
        self._last = cursor = self._last if cursor == self._last else cursor
        if self._size + len(cursor) > self._most // 2:
            self._age()
        self._young[client] = cursor
        self._size += len(cursor)
        self._saved_at = self._clock()

    def take(self, client: str) -> str | None:
        """Where the client is, and forget it; None: nobody knows."""
        old = self._old.pop(client, None)
        young = self._young.pop(client, None)
        if young is None:
            return old
        self._size -= len(young)
        return young

    def forget(self, seconds: float) -> None:
        """Forget the generations of which all was saved longer ago than that."""
        long_ago = self._clock() - seconds
        if self._saved_at <= long_ago:
            self._age()
        if self._aged_at <= long_ago:
            self._old = {}

    def _age(self) -> None:
        self._old, self._young, self._size = self._young, {}, 0
        self._aged_at = self._saved_at
