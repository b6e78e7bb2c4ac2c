"""What this worker has to tell the engine about its clients: which are in which rooms."""

from collections.abc import Container, Iterable
from itertools import islice

from chatapp.directory.directory import Person

__all__ = ["Seat", "Seats"]


class Seat:
    """A client of this worker and the rooms it is in, in the order it entered them."""

    __slots__ = ("person", "rooms", "tab")

    def __init__(self, person: Person, tab: str) -> None:
        self.person = person
        self.tab = tab
        self.rooms: tuple[str, ...] = ()

    def leave(self, room: str) -> None:
        self.rooms = tuple(each for each in self.rooms if each != room)


class Seats:
    """All clients of this worker; `untold` are those whose rooms have changed."""

    def __init__(self) -> None:
        self._seats: dict[tuple[str, str], Seat] = {}
        self.untold: dict[Seat, None] = {}

    def __len__(self) -> int:
        return len(self._seats)

    def enter(self, person: Person, tab: str, room: str) -> None:
        seat = self._seats.get((person.id, tab))
        if seat is None:
            seat = self._seats[person.id, tab] = Seat(person, tab)
        seat.rooms += (room,)
        self.untold[seat] = None

    def leave(self, person: Person, tab: str, room: str) -> None:
        """Without a room it is a seat until that has been told."""
        seat = self._seats[person.id, tab]
        seat.leave(room)
        self.untold[seat] = None

    def drop(self, person: Person, tab: str, room: str) -> None:
        """Nothing is told of it."""
        seat = self._seats[person.id, tab]
        seat.leave(room)
        if not seat.rooms:
            del self._seats[person.id, tab]
            self.untold.pop(seat, None)

    def tell(self, seats: Iterable[Seat]) -> None:
        """The engine does not know of these."""
        for seat in seats:
            if self._seats.get((seat.person.id, seat.tab)) is seat:
                self.untold[seat] = None

    def take(self, most: int) -> list[Seat]:
        """Some that are untold; they are told now."""
        seats = list(islice(self.untold, most))
        for seat in seats:
            del self.untold[seat]
            if not seat.rooms:
                self._seats.pop((seat.person.id, seat.tab), None)
        return seats

    def next(self, most: int) -> list[Seat]:
        """Those whose turn it is; each has its turn once in a round."""
        keys = list(islice(self._seats, most))
        seats = [self._seats.pop(key) for key in keys]
        self._seats.update(zip(keys, seats, strict=True))
        return seats

    def of(self, identities: Container[str]) -> list[Seat]:
        return [seat for seat in self._seats.values() if seat.person.id in identities]
