"""Where calls block until a test lets them go on."""

from __future__ import annotations

import threading

__all__ = ["Gate"]

# A test that would hang fails after this long.
PATIENCE = 20.0


class Gate:
    """Calls block in `wait` until it is opened."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._waited = 0
        self._seen = 0
        self._open = False

    def wait(self) -> None:
        with self._change:
            self._waited += 1
            self._change.notify_all()
            assert self._change.wait_for(lambda: self._open, PATIENCE), "nobody opened the gate"

    def reached(self, count: int = 1) -> None:
        """Return when so many more calls have come to it."""
        with self._change:
            self._seen += count
            assert self._change.wait_for(lambda: self._waited >= self._seen, PATIENCE)

    def open(self) -> None:
        with self._change:
            self._open = True
            self._change.notify_all()
