"""The directory of one process: who is here is who is connected to it."""

import secrets
from collections.abc import Callable

from chatapp.directory.bucket import TokenBucket
from chatapp.directory.directory import Directory, DirectoryObserver, NickTaken, Person, folded

__all__ = ["LocalDirectory"]

# Addresses whose pushes without a session are counted; the oldest is forgotten beyond that.
_ADDRESSES = 10_000


class LocalDirectory(Directory):
    """Nothing waits. `rate`, `burst`: pushes a second and at once; `clock`: monotonic seconds."""

    def __init__(
        self, observer: DirectoryObserver, rate: float, burst: int, clock: Callable[[], float]
    ) -> None:
        self._observer = observer
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._owners: dict[str, str] = {}  # by folded nick: the id of whose it is
        self._rooms: dict[str, dict[str, int]] = {}  # by room and id: clients in it
        self._buckets: dict[str, TokenBucket] = {}
        self._addresses: dict[str, TokenBucket] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to let go."""

    def join(self, identity: str, nick: str | None) -> str:
        while nick is None or self._owners.get(folded(nick), identity) != identity:
            nick = f"guest-{secrets.token_hex(2)}"
        self._owners[folded(nick)] = identity
        return nick

    def part(self, person: Person) -> None:
        del self._owners[folded(person.nick)]
        self._buckets.pop(person.id, None)

    def rename(self, person: Person, nick: str) -> None:
        if self._owners.get(folded(nick), person.id) != person.id:
            raise NickTaken(nick)
        del self._owners[folded(person.nick)]
        self._owners[folded(nick)] = person.id
        self._observer.renamed(person.id, nick)
        for room, counts in self._rooms.items():
            if person.id in counts:
                self._observer.present(room, person.id, nick)

    def entered(self, person: Person, tab: str, room: str) -> None:
        counts = self._rooms.setdefault(room, {})
        count = counts.get(person.id, 0)
        counts[person.id] = count + 1
        if not count:
            self._observer.present(room, person.id, person.nick)

    def left(self, person: Person, tab: str, room: str) -> None:
        counts = self._rooms[room]
        counts[person.id] -= 1
        if not counts[person.id]:
            del counts[person.id]
            self._observer.absent(room, person.id)
        if not counts:
            del self._rooms[room]

    gone = left

    def know(self, room: str) -> None:
        """The observer hears of every room that anybody is in."""

    def forget(self, room: str) -> None:
        """Nobody is in it any more."""

    def people(self, room: str) -> list[str]:
        return []

    def charge(self, person: Person) -> float:
        bucket = self._buckets.get(person.id)
        if bucket is None:
            bucket = self._buckets[person.id] = TokenBucket(self._burst, self._clock())
        return bucket.take(self._rate, self._burst, self._clock())

    def charge_address(self, address: str) -> float:
        bucket = self._addresses.get(address)
        if bucket is None:
            if len(self._addresses) >= _ADDRESSES:
                self._addresses.pop(next(iter(self._addresses)))
            bucket = self._addresses[address] = TokenBucket(self._burst, self._clock())
        return bucket.take(self._rate, self._burst, self._clock())

    def recall(self, person: Person, tab: str) -> None:
        """The client itself knows."""

    def remember(self, person: Person, tab: str, cursor: str) -> None:
        """The client itself knows."""
