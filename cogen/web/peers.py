"""The processes of one server, as the application in each of them sees them."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

__all__ = [
    "PEERS_TIMEOUT",
    "Answer",
    "ChannelClosed",
    "Peers",
    "RequestError",
    "Router",
    "UnknownRequest",
]

log = logging.getLogger(__name__)

# Seconds that a process has to answer a request to all.
PEERS_TIMEOUT = 5.0

Answer = Callable[[Any], Awaitable[Any]]
"""Awaited with the data of a request; what it returns is the reply, what JSON has."""


class RequestError(Exception):
    """The other process could not do what it was asked for; the message says why."""

    kind = "failed"


class UnknownRequest(RequestError):
    """Nothing in the other process answers requests of that name."""

    kind = "unknown"


class ChannelClosed(RequestError):
    """The other process is gone: whether it has done what it was asked for is not known."""

    kind = "closed"


class Router(Protocol):
    """Passes requests on to the processes that they are for."""

    async def ask_current(self, name: str, data: Any) -> Any:
        """The reply of the one that serves; raises as Peers does."""

    async def ask_all(self, name: str, data: Any) -> dict[int, Any]:
        """The replies of all that serve, by their numbers."""


class Peers:
    """What this process answers to the others, and requests to them. Data is what JSON has.

    By itself it knows of no others; `router` does.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.router: Router | None = None

    def answer(self, name: str, answer: Answer) -> None:
        """Have `await answer(data)` answer requests called `name`. It may raise RequestError."""
        self.answers[name] = answer

    async def ask_current(self, name: str, data: Any = None) -> Any:
        """The reply of the process that serves, of one of them if there are several.

        That may be this process; while a new one takes its place, the request waits for the
        outcome. Raises UnknownRequest if nothing there answers to that name; ChannelClosed if the
        process ended meanwhile, and may have done what it was asked for; RequestError.
        """
        if self.router is not None:
            return await self.router.ask_current(name, data)
        return await self.called(name, data)

    async def ask_all(self, name: str, data: Any = None) -> dict[int, Any]:
        """The replies of all that serve, by their numbers from 1 on.

        Who does not answer, or not within PEERS_TIMEOUT, is left out.
        """
        if self.router is not None:
            return await self.router.ask_all(name, data)
        try:
            return {1: await self.called(name, data)}
        except RequestError:
            return {}

    async def called(self, name: str, data: Any) -> Any:
        """What this process answers. Raises RequestError."""
        answer = self.answers.get(name)
        if answer is None:
            raise UnknownRequest(f"nothing answers requests named {name!r}")
        try:
            return await answer(data)
        except RequestError:
            raise
        except Exception as error:
            log.exception("the request %r of another process failed", name)
            raise RequestError(f"{type(error).__name__}: {error}") from error
