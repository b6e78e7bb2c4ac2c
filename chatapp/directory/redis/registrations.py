"""The clients of this worker, each with its rooms, as they are registered at the engine."""

from collections.abc import Container, Iterable
from itertools import islice

from chatapp.directory.directory import Somebody

__all__ = ["Registration", "Registrations"]


class Registration:
    """A client of this worker and the rooms it is in, in the order it entered them."""

    __slots__ = ("person", "rooms", "tab")

    def __init__(self, person: Somebody, tab: str) -> None:
        self.person = person
        self.tab = tab
        self.rooms: tuple[str, ...] = ()

    def leave(self, room: str) -> None:
        """The client is in that room no more."""
        self.rooms = tuple(each for each in self.rooms if each != room)


class Registrations:
    """Those of all clients of this worker; the engine has yet to learn of the `unsent` ones."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Registration] = {}
        self.unsent: dict[Registration, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, person: Somebody, tab: str, room: str) -> None:
        """The client is in one room more."""
        registration = self._all.get((person.id, tab))
        if registration is None:
            registration = self._all[person.id, tab] = Registration(person, tab)
        registration.rooms += (room,)
        self.unsent[registration] = None

    def leave(self, person: Somebody, tab: str, room: str) -> None:
        """The client is in one room less; without any it stays registered until that is sent."""
        registration = self._all[person.id, tab]
        registration.leave(room)
        self.unsent[registration] = None

    def drop(self, person: Somebody, tab: str, room: str) -> None:
        """The client is in one room less, of which nothing is sent."""
        registration = self._all[person.id, tab]
        registration.leave(room)
        if not registration.rooms:
            del self._all[person.id, tab]
            self.unsent.pop(registration, None)

    def send_again(self, registrations: Iterable[Registration]) -> None:
        """The engine has none of these, or not as they are."""
        for registration in registrations:
            if self._all.get((registration.person.id, registration.tab)) is registration:
                self.unsent[registration] = None

    def take_unsent(self, most: int) -> list[Registration]:
        """Up to `most` that are unsent; they count as sent from now on."""
        registrations = list(islice(self.unsent, most))
        for registration in registrations:
            del self.unsent[registration]
            if not registration.rooms:
                self._all.pop((registration.person.id, registration.tab), None)
        return registrations

    def next(self, most: int) -> list[Registration]:
        """Up to `most` whose turn it is; each has its turn once in a round."""
        keys = list(islice(self._all, most))
        registrations = [self._all.pop(key) for key in keys]
        self._all.update(zip(keys, registrations, strict=True))
        return registrations

    def of(self, identities: Container[str]) -> list[Registration]:
        """Those of the participants with these ids."""
        return [each for each in self._all.values() if each.person.id in identities]
