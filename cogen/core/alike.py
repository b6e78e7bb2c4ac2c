"""What is at the same place is told once: ten thousand polls are one line."""

from collections.abc import Iterator
from typing import Final

from cogen.core.events import Operation
from cogen.core.shown import shown
from cogen.core.stacks import Stack

__all__ = ["Groups", "waits"]

# Paths of a group that are named, and groups.
_PATHS: Final = 3
_MOST: Final = 50
_LENGTH: Final = 200


class _Group:
    """`count` of one kind; the `oldest` has been there for so many seconds."""

    __slots__ = ("count", "example", "oldest", "paths")

    def __init__(self, example: str) -> None:
        self.count = 0
        self.example = example
        self.oldest: float | None = None
        self.paths: dict[str, None] = {}


class Groups:
    """What is added is kept by what it is, what it does and where that is. `count` of all."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, Stack], _Group] = {}
        self.count = 0

    def add(
        self,
        what: str,
        path: str,
        does: str,
        stack: Stack,
        age: float | None = None,
        operation: Operation | None = None,
    ) -> None:
        """One of `what` (GET) at `path` that `does` something at `stack`, for `age` seconds;
        `operation` is an example of what it waits for."""
        group = self._groups.get((what, does, stack))
        if group is None:
            example = "" if operation is None else shown(operation, _LENGTH)
            group = self._groups[what, does, stack] = _Group(example)
        group.count += 1
        self.count += 1
        if age is not None:
            group.oldest = max(group.oldest or 0.0, age)
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


def waits(operation: Operation) -> str:
    """What somebody does who waits for `operation`: its kind."""
    kind = type(operation)
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"


def _text(what: str, does: str, stack: Stack, group: _Group) -> str:
    several = group.count > 1
    paths = [path[:_LENGTH] for path in group.paths]
    named = ", ".join(paths[:_PATHS]) + (", ..." if paths[_PATHS:] else "")
    if group.example:
        kind = does
        does = f"wait for {kind} like {group.example}" if several else f"waits for {group.example}"
    words = [f"{group.count:,}" if several else "", what, named, does]
    text = " ".join(filter(None, words))
    if group.oldest is not None:
        text += f", {'the oldest for' if several else 'for'} {group.oldest:.1f} s"
    text += stack.at
    return f"{text}\n{stack}" if stack else text
