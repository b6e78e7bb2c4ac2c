"""Which room and which person the words of a command mean."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from chatapp.community.book import Book
from chatapp.community.people import Acquaintance, Acquaintances
from chatapp.console.errors import ConsoleError
from chatapp.identity.members import all_members
from chatapp.identity.person import Person
from chatapp.model import MessageLog
from chatapp.model.message import handle

__all__ = ["Finding", "Present"]

Present = Callable[[str], Awaitable[Acquaintance | None]]
"""Finds somebody who is here by their nick, who has not said anything yet."""


async def _nobody(nick: str) -> Acquaintance | None:
    return None


class Finding:
    """In the book and among the acquaintances of a chat with that log."""

    def __init__(
        self,
        log: MessageLog,
        book: Book,
        acquaintances: Acquaintances,
        present: Present = _nobody,
    ) -> None:
        self._log = log
        self._book = book
        self._acquaintances = acquaintances
        self._present = present

    async def room(self, text: str) -> str:
        """The name of the room that is called so, or whose title that is alone.

        Raises ConsoleError, LogUnavailable.
        """
        await self._book.catch_up()
        called = self._book.called(text)
        if called is None:
            names = self._log.canonical_names([text])
            called = (names if isinstance(names, Mapping) else await names).get(text)
        if called is not None:
            return called
        titled = [room.name for room in self._book.rooms() if room.title == text]
        if len(titled) > 1:
            raise ConsoleError(f"{', '.join(sorted(titled))} are all called {text}: name one")
        if not titled:
            raise ConsoleError(f"there is no room called {text}: see `chatapp rooms`")
        return titled[0]

    async def person(self, who: str) -> Acquaintance:
        """Who has that handle, nick or id. Raises ConsoleError, LogUnavailable."""
        await self._book.catch_up()
        found = [
            await self._acquaintances.find(who),
            await self._acquaintances.find(handle(who)),
            await self._present(who),
            self._standing(who),
        ]
        people = _by_id(each for each in found if each is not None)
        for member in await all_members(self._log.records):
            if who in (member.id, member.name, handle(member.id)):
                people.setdefault(member.id, Acquaintance(member.person))
        if len(people) > 1:
            several = ", ".join(f"{handle(each)} ({each})" for each in people)
            raise ConsoleError(f"{who} can be {several}: say which by the first")
        if not people:
            raise ConsoleError(f"nobody who was here is called {who}")
        return next(iter(people.values()))

    async def names(self, identities: Iterable[str]) -> dict[str, str]:
        """What those are called who are known, by their ids. Raises LogUnavailable."""
        ids = {handle(each): each for each in identities}
        known = await self._acquaintances.named(ids)
        return {ids[own]: each.person.name for own, each in known.items() if each.person.name}

    def _standing(self, who: str) -> Acquaintance | None:
        """Somebody who is not known any more, of whom something was decided."""
        identity = who if self._book.standing(who).holds else self._book.decided(who)
        return None if identity is None else Acquaintance(Person(identity))


def _by_id(found: Iterable[Acquaintance]) -> dict[str, Acquaintance]:
    people: dict[str, Acquaintance] = {}
    for each in found:
        people.setdefault(each.person.id, each)
    return people
