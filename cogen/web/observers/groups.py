"""Requests and threads that are at the same place, told once: ten thousand polls are one line."""

from collections.abc import Iterator
from typing import Final

from cogen.web.exchanges.stacks import Stack

__all__ = ["Groups"]

# Paths of a group that are named, and groups.
_PATHS: Final = 3
_MOST: Final = 50
_LENGTH: Final = 200


class _Group:
    """`count` of one kind; the `oldest` has been there for so many seconds."""

    __slots__ = ("count", "oldest", "paths")

    def __init__(self) -> None:
        self.count = 0
        self.oldest = 0.0
        self.paths: dict[str, None] = {}


class Groups:
    """What is added is kept by what it is, what it does and where that is."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, Stack], _Group] = {}
        self.count = 0

    def add(self, what: str, path: str, does: str, stack: Stack, age: float) -> None:
        """One of `what` (GET) at `path` that `does` something at `stack`, for `age` seconds."""
        group = self._groups.get((what, does, stack))
        if group is None:
            group = self._groups[what, does, stack] = _Group()
        group.count += 1
        self.count += 1
        group.oldest = max(group.oldest, age)
        if len(group.paths) <= _PATHS:
            group.paths[path] = None

    def __iter__(self) -> Iterator[str]:
        """A text of each, the largest first; reads the files that it has lines of."""
        groups = sorted(self._groups.items(), key=lambda item: -item[1].count)
        for (what, does, stack), group in groups[:_MOST]:
            yield _text(what, does, stack, group)
        if groups[_MOST:]:
            left = sum(group.count for _, group in groups[_MOST:])
            yield f"and {left:,} more, in {len(groups) - _MOST:,} kinds"


def _text(what: str, does: str, stack: Stack, group: _Group) -> str:
    paths = [path[:_LENGTH] for path in group.paths]
    named = ", ".join(paths[:_PATHS]) + (", ..." if paths[_PATHS:] else "")
    words = [f"{group.count:,}"] if group.count > 1 else []
    words += [each for each in (what, named, does) if each]
    oldest = "the oldest for" if group.count > 1 else "for"
    text = f"{' '.join(words)}, {oldest} {group.oldest:.1f} s{stack.at}"
    return f"{text}\n{stack}" if stack else text
