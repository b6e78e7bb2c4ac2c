"""Who may do what: the chat's own rule, or that of a site, whose answers hold for a minute.

`chat.allow = mysite.chat:may` names a function of a person, a room and an act. A plain one may
block, and is called in a thread; a coroutine function is awaited on the event loop. The room has
its name as it is folded, in lower case: however somebody writes it, the function sees one name.
"""

import asyncio
import inspect
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from chatapp.community.acts import may
from chatapp.community.rooms import Room
from chatapp.identity.function import function_of
from chatapp.identity.person import Person
from chatapp.names import folded

__all__ = ["HOLDS_SECONDS", "OWN", "CannotTell", "OwnRule", "Question", "Rule", "SiteRule"]
__all__ += ["rule_of"]

log = logging.getLogger(__name__)

HOLDS_SECONDS: Final = 60.0
"""How long a site's answer holds."""

OWN: Final = "chatapp.community.acts:may"
"""The name of the chat's own rule."""

_MOST_ANSWERS = 20_000

_Key = tuple[str, str, tuple[str, ...], str, str, str]


class CannotTell(Exception):
    """A site's function failed; that is written down."""


class Question(NamedTuple):
    """May `person`, with the role that they have here, do `act` in `room`?"""

    person: Person
    room: Room
    act: str


class Rule(ABC):
    """What answers questions. `is_own`: whether all answers are known, and change with the book."""

    is_own = False

    @abstractmethod
    def answer(self, question: Question) -> bool | None:
        """The answer, None: it has to be asked for."""

    @abstractmethod
    async def ask(self, questions: Iterable[Question]) -> None:
        """Find out what `answer` says of these for a while. Raises CannotTell."""

    @abstractmethod
    def seconds_left(self, question: Question) -> float:
        """For how long the answer holds; 0.0: it has to be asked for."""

    @abstractmethod
    def forget(self, person: str | None = None, room: str | None = None) -> None:
        """Answers that concern the person with that id, the room, or both, hold no more."""


class OwnRule(Rule):
    """The chat's own: it knows all answers."""

    is_own = True

    def answer(self, question: Question) -> bool:
        return may(*question)

    async def ask(self, questions: Iterable[Question]) -> None:
        """There is nothing to find out."""

    def seconds_left(self, question: Question) -> float:
        return float("inf")

    def forget(self, person: str | None = None, room: str | None = None) -> None:
        """There is nothing to forget."""


class SiteRule(Rule):
    """That of `function`; `clock`: monotonic seconds."""

    def __init__(self, function: Callable[..., Any], clock: Callable[[], float]) -> None:
        self._function = function
        self._clock = clock
        self._answers: dict[_Key, tuple[bool, float]] = {}  # until when; the oldest first
        self._asking: dict[_Key, asyncio.Task[bool]] = {}

    def answer(self, question: Question) -> bool | None:
        allowed, until = self._answers.get(_key(question), (None, 0.0))
        return allowed if until > self._clock() else None

    def seconds_left(self, question: Question) -> float:
        _, until = self._answers.get(_key(question), (None, 0.0))
        return max(0.0, until - self._clock())

    async def ask(self, questions: Iterable[Question]) -> None:
        tasks = [self._asked(question) for question in questions]
        # Who goes away meanwhile takes the answer from nobody else.
        await asyncio.shield(asyncio.gather(*tasks))

    def forget(self, person: str | None = None, room: str | None = None) -> None:
        name = None if room is None else folded(room)
        for key in {*self._answers, *self._asking}:
            if person in (None, key[0]) and name in (None, key[3]):
                self._answers.pop(key, None)
                self._asking.pop(key, None)

    def _asked(self, question: Question) -> "asyncio.Task[bool]":
        key = _key(question)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._called(question))
            task.add_done_callback(lambda done: self._take(key, done))
        return task

    def _take(self, key: _Key, task: "asyncio.Task[bool]") -> None:
        if self._asking.get(key) is not task:
            return  # forgotten before it was known
        del self._asking[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._answers.pop(key, None)
        while len(self._answers) >= _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = (task.result(), self._clock() + HOLDS_SECONDS)

    async def _called(self, question: Question) -> bool:
        person, room, act = question
        room = room._replace(name=folded(room.name))
        try:
            if inspect.iscoroutinefunction(self._function):
                return bool(await self._function(person, room, act))
            answer = await asyncio.to_thread(self._function, person, room, act)
            return bool(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:
            log.error(
                "chat.allow could not say whether %s may %s in %s: %s",
                person.id, act, room.name or "any room", _told(error),
            )  # fmt: skip
            raise CannotTell from error


def rule_of(name: str, clock: Callable[[], float]) -> Rule:
    """That of the function which `module:function` names. Raises ValueError."""
    return OwnRule() if name == OWN else SiteRule(function_of("chat.allow", name), clock)


def _key(question: Question) -> _Key:
    person, room, act = question
    return person.id, person.role, person.groups, folded(room.name), room.policy, act


def _told(error: Exception) -> str:
    """The error in a line, with where it was raised."""
    line, trace = " ".join(f"{type(error).__name__}: {error}".split()), error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return line
    return f"{line} ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
