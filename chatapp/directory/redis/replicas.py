"""This worker's replicas of who is present in the rooms that its clients are in.

A room's replica begins as a snapshot, and each event after that changes it. Every change of a room
has a version, which grows: so an event that the snapshot contains already is told apart from one
that came after it. Not every change of a crowded room is published: its snapshot is taken again
from time to time.
"""

import asyncio
from collections.abc import Mapping

from chatapp.directory.directory import PRESENCE_LIMIT, DirectoryObserver, DirectoryUnavailable
from chatapp.directory.redis.events import StreamEntry
from chatapp.directory.redis.runner import ScriptRunner
from chatapp.directory.redis.scripts import PEOPLE

__all__ = ["Replicas"]


class _Snapshot:
    """A snapshot that is being taken, and the events that came meanwhile."""

    task: "asyncio.Task[None]"

    def __init__(self, adds_only: bool) -> None:
        self.adds_only = adds_only
        self.events: list[StreamEntry] = []


class Replicas:
    """The observer holds the replicas; here is kept which there are, and their versions."""

    def __init__(self, runner: ScriptRunner, observer: DirectoryObserver) -> None:
        self._runner = runner
        self._observer = observer
        self._versions: dict[str, int] = {}  # by room
        self._crowded: set[str] = set()
        self._snapshots: dict[str, _Snapshot] = {}

    async def subscribe(self, room: str) -> None:
        """Have a replica, or, if the engine does not answer, one as soon as it does."""
        self._versions.setdefault(room, 0)
        await asyncio.wait([self._take_snapshot(room)])

    def unsubscribe(self, room: str) -> None:
        """The room needs no replica any more."""
        self._versions.pop(room, None)
        self._crowded.discard(room)
        self._snapshots.pop(room, None)

    async def people(self, room: str) -> list[str]:
        """The nicks in a room as the engine has it. Raises DirectoryUnavailable."""
        _, people = await self._people(room)
        return list(people.values())[:PRESENCE_LIMIT]

    def apply(self, event: StreamEntry) -> None:
        """Change the replica of the event's room, if there is one and it lacks the event."""
        room, version = event["room"], int(event["n"])
        if room in self._snapshots:
            self._snapshots[room].events.append(event)
        elif version > self._versions.get(room, version):
            self._versions[room] = version
            self._change(event["what"], room, event["id"], event["nick"], version)
            if int(event["size"]) > PRESENCE_LIMIT:
                self._crowded.add(room)

    def refresh_all(self) -> None:
        """Take a snapshot of every room."""
        for room in list(self._versions):
            self._take_snapshot(room)

    def add_all(self) -> None:
        """Take a snapshot of every room in which somebody may be missing yet: nobody goes by it."""
        for room in list(self._versions):
            self._take_snapshot(room, adds_only=True)

    def refresh_crowded(self) -> None:
        """Take a snapshot of every room of which not each change is published."""
        for room in list(self._crowded):
            self._take_snapshot(room)

    def pending(self) -> "list[asyncio.Task[None]]":
        """The tasks of the snapshots that are being taken."""
        return [snapshot.task for snapshot in self._snapshots.values()]

    def _change(self, what: str, room: str, identity: str, nick: str, version: int) -> None:
        if what == "leave":
            self._observer.absent(room, identity, version)
        elif what == "count":
            self._take_snapshot(room)
        else:
            self._observer.present(room, identity, nick, version)

    def _take_snapshot(self, room: str, adds_only: bool = False) -> "asyncio.Task[None]":
        snapshot = self._snapshots.get(room)
        if snapshot is None:
            snapshot = self._snapshots[room] = _Snapshot(adds_only)
            snapshot.task = asyncio.create_task(self._fill(room, snapshot))
        snapshot.adds_only = snapshot.adds_only and adds_only
        return snapshot.task

    async def _fill(self, room: str, snapshot: _Snapshot) -> None:
        """Give the observer who is present, then the events that came meanwhile."""
        try:
            version, people = await self._people(room)
        except DirectoryUnavailable:
            people = None
        if self._snapshots.get(room) is not snapshot:
            return  # the room was unsubscribed meanwhile
        del self._snapshots[room]
        if people is not None and snapshot.adds_only:
            for identity, nick in people.items():
                self._observer.present(room, identity, nick)
        elif people is not None:
            self._replace(room, people, version)
        for event in snapshot.events:
            self.apply(event)

    def _replace(self, room: str, people: Mapping[str, str], version: int) -> None:
        if len(people) > PRESENCE_LIMIT:
            self._crowded.add(room)
        else:
            self._crowded.discard(room)
        self._versions[room] = version
        self._observer.snapshot(room, people, version)

    async def _people(self, room: str) -> tuple[int, dict[str, str]]:
        version, *words = await self._runner.run(PEOPLE, room)
        texts = [str(word, "utf-8", "replace") for word in words]
        return version, dict(zip(texts[::2], texts[1::2], strict=True))
