"""The console of a command, which opens the log itself."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from chatapp.backends import Backend
from chatapp.community.book import Book
from chatapp.community.keeping import Keeping
from chatapp.community.people import Acquaintances
from chatapp.console.console import Console
from chatapp.console.finding import Finding
from chatapp.model import Message, MessageLog
from chatapp.options import ChatOptions

__all__ = ["Nobody", "run_beside"]


async def run_beside(
    options: ChatOptions,
    backend: Backend,
    verb: str,
    given: Mapping[str, Any],
    tell: Callable[[str], object],
) -> None:
    """Do what the verb means in the log of `backend`. Raises ConsoleError, LogUnavailable."""
    # That it waits for news is nothing to somebody who has asked.
    logging.getLogger("chatapp.model.redis.reader").disabled = True
    async with _console(options, backend) as console, aclosing(console.run(verb, given)) as lines:
        async for line in lines:
            tell(line)


@asynccontextmanager
async def _console(options: ChatOptions, backend: Backend) -> AsyncIterator[Console]:
    observer = Nobody()
    log = backend.log(
        observer, history=options.history, max_age=options.max_age, max_rooms=options.max_rooms
    )
    await log.open()
    try:
        yield _console_of(options, log, observer)
    finally:
        await log.close()


def _console_of(options: ChatOptions, log: MessageLog, observer: "Nobody") -> Console:
    """That of the chat with those options, whose log is open."""
    book = Book(log, options.keepers.split(), options.groups_of_keepers())
    observer.keeps = book.holds
    keeping = Keeping(log, book, most_rooms=options.max_rooms)
    finding = Finding(log, book, Acquaintances(log))
    return Console(log, book, keeping, finding, options.url, options.identity)


class Nobody:
    """Nobody is here who would have to hear of what is stored."""

    def __init__(self) -> None:
        self.keeps: Callable[[str], bool] = lambda room: True

    def appended(self, messages: Sequence[Message]) -> None:
        """Nothing to tell."""

    def recreated(self, epoch: str) -> None:
        """Nothing to tell."""

    def missed(self, heads: Mapping[str, int]) -> None:
        """Nothing to tell."""

    def occupied(self, room: str) -> bool:
        """Nobody is in any."""
        return False

    def kept(self, room: str) -> bool:
        """As the book has it."""
        return self.keeps(room)
