"""Records: what the chat knows beside its messages, as small texts by key.

Whose a name is, who is a member: what has to outlive a restart and is the same at all workers. It
is kept where the messages are. A change says what it was made from, and is refused where that is
another by now: who makes it reads again and decides again, so no two win.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["MemoryRecords", "Record", "Records"]


class Record(NamedTuple):
    """What is to be kept under a key: for `seconds`, or until it is changed."""

    text: str
    seconds: float | None = None


class Records(ABC):
    """Small texts by key. All methods raise LogUnavailable."""

    @abstractmethod
    async def get(self, keys: Sequence[str]) -> dict[str, str]:
        """Those of `keys` that are there."""

    @abstractmethod
    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        """Keep `changes` under their keys, all of them or none; None: nothing is kept there.

        False, and nothing is changed, if under a key of `found` is no longer what that has; None:
        nothing was there.
        """

    @abstractmethod
    async def all(self, prefix: str) -> dict[str, str]:
        """Those whose key begins with `prefix`: a look at everything, for who keeps the chat."""


_FEW = 64


class MemoryRecords(Records):
    """Those of a chat that forgets everything with its process. `wall`: Unix seconds."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._kept: dict[str, tuple[str, float | None]] = {}
        self._sweep_at = _FEW

    async def get(self, keys: Sequence[str]) -> dict[str, str]:
        found = {key: self._text(key) for key in keys}
        return {key: text for key, text in found.items() if text is not None}

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        if any(self._text(key) != text for key, text in found.items()):
            return False
        for key, record in changes.items():
            self._kept.pop(key, None)
            if record is not None:
                seconds = record.seconds
                expires = None if seconds is None else self._wall() + seconds
                self._kept[key] = record.text, expires
        if len(self._kept) >= self._sweep_at:
            self._kept = {key: self._kept[key] for key in await self.all("")}
            self._sweep_at = max(_FEW, 2 * len(self._kept))
        return True

    async def all(self, prefix: str) -> dict[str, str]:
        return await self.get([key for key in self._kept if key.startswith(prefix)])

    def _text(self, key: str) -> str | None:
        text, expires = self._kept.get(key, (None, None))
        return text if expires is None or self._wall() < expires else None
