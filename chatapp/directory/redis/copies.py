"""This worker's copies of who is in the rooms that its clients are in.

A room is counted once, and what is heard of it after that changes the copy. Every change has a mark
that grows, so what was heard before the count and what is in it already are told apart. Of a crowd
not everything is told: it is counted again and again.
"""

import asyncio

from chatapp.directory.directory import CROWD, DirectoryObserver, DirectoryUnavailable
from chatapp.directory.redis.calls import Calls
from chatapp.directory.redis.news import Entry
from chatapp.directory.redis.scripts import PEOPLE

__all__ = ["Copies"]


class _Count:
    """A room that is being counted, and what was heard of it meanwhile."""

    task: "asyncio.Task[None]"

    def __init__(self) -> None:
        self.entries: list[Entry] = []


class Copies:
    """The observer has the copies; here is kept which there are and how far each is."""

    def __init__(self, calls: Calls, observer: DirectoryObserver) -> None:
        self._calls = calls
        self._observer = observer
        self._marks: dict[str, int] = {}  # by room: of the last change in its copy
        self._crowds: set[str] = set()
        self._counts: dict[str, _Count] = {}

    async def know(self, room: str) -> None:
        """Have a copy, or, if the engine does not answer, one as soon as it does."""
        self._marks.setdefault(room, 0)
        await asyncio.wait([self._count_soon(room)])

    def forget(self, room: str) -> None:
        self._marks.pop(room, None)
        self._crowds.discard(room)
        self._counts.pop(room, None)

    async def people(self, room: str) -> list[str]:
        """The nicks in a room as the engine has it. Raises DirectoryUnavailable."""
        _, people = await self._people(room)
        return list(people.values())[:CROWD]

    def heard(self, entry: Entry) -> None:
        """Something has changed in a room."""
        room, mark = entry["room"], int(entry["n"])
        if room in self._counts:
            self._counts[room].entries.append(entry)
        elif mark > self._marks.get(room, mark):
            self._marks[room] = mark
            self._tell(entry["what"], room, entry["id"], entry["nick"], mark)
            if int(entry["size"]) > CROWD:
                self._crowds.add(room)

    def count_all(self) -> None:
        for room in list(self._marks):
            self._count_soon(room)

    def count_crowds(self) -> None:
        for room in list(self._crowds):
            self._count_soon(room)

    def under_way(self) -> "list[asyncio.Task[None]]":
        return [count.task for count in self._counts.values()]

    def _tell(self, what: str, room: str, identity: str, nick: str, mark: int) -> None:
        if what == "leave":
            self._observer.absent(room, identity, mark)
        elif what == "count":
            self._count_soon(room)
        else:
            self._observer.present(room, identity, nick, mark)

    def _count_soon(self, room: str) -> "asyncio.Task[None]":
        count = self._counts.get(room)
        if count is None:
            count = self._counts[room] = _Count()
            count.task = asyncio.create_task(self._count(room, count))
        return count.task

    async def _count(self, room: str, count: _Count) -> None:
        """Have the observer know who is there; what is heard meanwhile comes after it."""
        try:
            mark, people = await self._people(room)
        except DirectoryUnavailable:
            people = None
        if self._counts.get(room) is not count:
            return  # the room was forgotten meanwhile
        del self._counts[room]
        if people is not None:
            if len(people) > CROWD:
                self._crowds.add(room)
            else:
                self._crowds.discard(room)
            self._marks[room] = mark
            self._observer.counted(room, people, mark)
        for entry in count.entries:
            self.heard(entry)

    async def _people(self, room: str) -> tuple[int, dict[str, str]]:
        mark, *words = await self._calls.run(PEOPLE, room)
        texts = [str(word, "utf-8", "replace") for word in words]
        return mark, dict(zip(texts[::2], texts[1::2], strict=True))
