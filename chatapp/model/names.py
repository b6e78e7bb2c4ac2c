"""Which names of rooms there are, and which of them another name means."""

from collections.abc import Iterable, Mapping

from chatapp.model.log import LOBBY
from chatapp.names import folded

__all__ = ["Names"]


class Names:
    """Of all rooms of a log, and the lobby. Of names that say the same the last added is meant."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: set[str] = {LOBBY}
        self._by_fold: dict[str, str] = {LOBBY: LOBBY}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """There is a room of that name; names that fold to the same mean it."""
        self._names.add(name)
        self._by_fold[folded(name)] = name

    def discard(self, name: str) -> None:
        """There is no room of that name any more."""
        self._names.discard(name)
        if self._by_fold.get(folded(name)) == name:
            del self._by_fold[folded(name)]

    def meant(self, name: str) -> str:
        """The name of the room that is there, or else `name`."""
        return name if name in self._names else self._by_fold.get(folded(name), name)

    def of(self, names: Iterable[str]) -> Mapping[str, str]:
        """What those are called that are there."""
        meant = {name: self.meant(name) for name in names}
        return {name: called for name, called in meant.items() if called in self._names}
