"""The directory of one process: who is present is who is connected to it."""

from collections.abc import Callable, Mapping, Sequence

from chatapp.directory.bucket import TokenBuckets
from chatapp.directory.directory import Directory, DirectoryObserver, NickTaken, Somebody
from chatapp.directory.guests import other_nicks
from chatapp.directory.limits import Cost, Limits, Refusal
from chatapp.directory.saved import SavedCursors
from chatapp.names import folded, looks

__all__ = ["LocalDirectory"]

# Characters of the cursors that are saved, and seconds that one is kept at least once many clients
# have left.
_MOST_SAVED = 1 << 19
_SAVED_SECONDS = 20.0


class LocalDirectory(Directory):
    """A directory whose methods never wait. `clock`: monotonic seconds."""

    def __init__(
        self, observer: DirectoryObserver, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._observer = observer
        self._clock = clock
        self._owners: dict[str, tuple[str, str]] = {}  # by what a nick looks like: id, nick
        self._rooms: dict[str, dict[str, int]] = {}  # by room and id: clients in it
        self._cursors = SavedCursors(_MOST_SAVED, clock)
        self._buckets = {name: TokenBuckets(limit) for name, limit in limits._asdict().items()}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to let go."""

    def join(self, identity: str, nick: str | None, numbered: bool = False) -> str:
        others = other_nicks(identity, nick, numbered)
        while nick is None or self._owner(identity, nick) is not None:
            nick = next(others)
        self._own(identity, nick)
        return nick

    def release(self, person: Somebody) -> None:
        self._disown(person.nick)

    def leave(self, identity: str) -> None:
        """Whoever is not connected to this process has left already."""

    def rename(self, person: Somebody, nick: str) -> None:
        if (taken := self._owner(person.id, nick)) is not None:
            raise NickTaken(taken)
        self._disown(person.nick)
        self._own(person.id, nick)
        self._observer.renamed(person.id, nick)
        for room, counts in self._rooms.items():
            if person.id in counts:
                self._observer.present(room, person.id, nick)

    def whose(self, nick: str) -> str | None:
        owner, owned = self._owners.get(looks(nick)[0], ("", ""))
        return owner if owner and folded(owned) == folded(nick) else None

    def _owner(self, identity: str, nick: str) -> str | None:
        """The nick of somebody else that looks like this one."""
        for look in looks(nick):
            owner, owned = self._owners.get(look, (identity, nick))
            if owner != identity:
                return owned
        return None

    def _own(self, identity: str, nick: str) -> None:
        self._owners.update(dict.fromkeys(looks(nick), (identity, nick)))

    def _disown(self, nick: str) -> None:
        for look in looks(nick):
            del self._owners[look]

    def entered(self, person: Somebody, tab: str, room: str) -> None:
        counts = self._rooms.setdefault(room, {})
        count = counts.get(person.id, 0)
        counts[person.id] = count + 1
        if not count:
            self._observer.present(room, person.id, person.nick)

    def left(self, person: Somebody, tab: str, room: str) -> None:
        counts = self._rooms[room]
        counts[person.id] -= 1
        if not counts[person.id]:
            del counts[person.id]
            self._observer.absent(room, person.id)
        if not counts:
            del self._rooms[room]

    expired = left

    def subscribe(self, room: str) -> None:
        """The observer hears of every room that anybody is in."""

    def unsubscribe(self, room: str) -> None:
        """Nobody is in the room any more."""

    def canonical_names(self, rooms: Sequence[str]) -> Mapping[str, str]:
        return {}

    def people(self, room: str) -> list[str]:
        return []

    def counts(self, rooms: Sequence[str]) -> Mapping[str, int]:
        return {room: len(self._rooms.get(room, ())) for room in rooms}

    def consume(self, costs: Sequence[Cost], person: Somebody | None = None) -> Refusal | None:
        now = self._clock()
        for count, (limit, key, amount) in enumerate(costs):
            if wait := self._buckets[limit].take(key, now, amount):
                for taken in costs[:count]:
                    self._buckets[taken.limit].give_back(taken.key, taken.amount)
                return Refusal(limit, wait)
        return None

    def load_cursor(self, person: Somebody, tab: str) -> str | None:
        return self._cursors.take(f"{person.id} {tab}")

    def save_cursor(self, person: Somebody, tab: str, cursor: str) -> None:
        self._cursors.save(f"{person.id} {tab}", cursor)

    def trim(self) -> None:
        self._cursors.forget(_SAVED_SECONDS)
        for bucket in self._buckets.values():
            bucket.trim(self._clock())
