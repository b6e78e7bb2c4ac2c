"""Epochs of the log that have ended, and what became of those who were in them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Ended", "Past"]


class Ended(NamedTuple):
    """An epoch: the `heads` of its rooms that the next went on from.

    `lost`: it is known that it had more. Else it ended with the engine's becoming another, and
    whether that lacks anything is not known.
    """

    heads: Mapping[str, int]
    lost: bool


class Past:
    """The epochs that the log goes on from, the oldest first."""

    def __init__(self, ended: Mapping[str, Ended] | None = None) -> None:
        self._ended = dict(ended or {})

    def __contains__(self, epoch: str) -> bool:
        return epoch in self._ended

    def place(self, epoch: str, room: str, seq: int) -> tuple[int, bool]:
        """Where somebody is now who was at `seq`, and whether messages may be missing there."""
        since = self._since(epoch)
        if not since:
            return 0, True
        at = _least(since, room, seq)
        return at, at < seq or any(each.lost for each in since)

    def unnoticed(self, epoch: str, room: str, seq: int) -> bool:
        """Whether `epoch` had that message, it is lost, and no other epoch ended with that."""
        since = self._since(epoch)
        return _least(since, room, seq) < seq and not any(each.lost for each in since)

    def _since(self, epoch: str) -> Sequence[Ended]:
        names = list(self._ended)
        return list(self._ended.values())[names.index(epoch) :] if epoch in names else []


def _least(since: Sequence[Ended], room: str, seq: int) -> int:
    return min([seq, *(each.heads.get(room, 0) for each in since)])
