"""Requests and threads that are at the same place, told once: ten thousand polls are one line."""

from collections.abc import Iterator
from typing import Final

from cogen.core.events import Operation
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.stacks import Stack

__all__ = ["Groups"]

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
            example = "" if operation is None else _shown(operation)
            group = self._groups[what, does, stack] = _Group(example)
        group.count += 1
        self.count += 1
        if age is not None:
            group.oldest = max(group.oldest or 0.0, age)
        if len(group.paths) <= _PATHS:
            group.paths[path] = None

    def add_request(self, exchange: Exchange, stack: Stack, now: float) -> None:
        """The request of `exchange`, which is at `stack` at the time `now` of the loop."""
        method, path = exchange.method.decode(), exchange.path.decode()
        operation = exchange.awaited
        if not exchange.begun:
            self.add(method, path, "sends its body", stack)
            return
        does = "runs" if exchange.worker or not stack else "is ready to go on"
        if operation is not None:
            does = _name(operation)
        self.add(method, path, does, stack, now - exchange.begun, operation)

    def __iter__(self) -> Iterator[str]:
        """A text of each, the largest first; reads the files that it has lines of."""
        groups = sorted(self._groups.items(), key=lambda item: -item[1].count)
        for (what, does, stack), group in groups[:_MOST]:
            yield _text(what, does, stack, group)
        if groups[_MOST:]:
            left = sum(group.count for _, group in groups[_MOST:])
            yield f"and {left:,} more, in {len(groups) - _MOST:,} kinds"


def _shown(operation: Operation) -> str:
    try:
        return repr(operation)[:_LENGTH]
    except Exception:  # noqa: BLE001 (it is the application's)
        return f"<{type(operation).__name__}>"


def _name(operation: Operation) -> str:
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
