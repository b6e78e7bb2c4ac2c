"""Who came: what a person's handle or nick leads to, whether or not they are here now.

    person:HANDLE   id, name, role, groups and address, in JSON
    called:FOLD     the handle of who was called so last; what the nick folds to (chatapp.names)

Clients see handles and nicks, and never an id.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import orjson

from chatapp.community.acts import GUEST
from chatapp.identity.person import Person
from chatapp.model import MessageLog, Record
from chatapp.model.message import handle
from chatapp.names import folded

__all__ = ["Acquaintance", "Acquaintances"]

_DAY = 86_400.0
_KEPT_SECONDS = 400 * _DAY
# Where a name is all it takes, anybody can be as many as they like.
_GUEST_SECONDS = 30 * _DAY
_MOST_NOTED = 10_000


class Acquaintance(NamedTuple):
    """Somebody who came: `person` with the role that their identity said, whose name is the nick
    that they had; `address`: where they were then, empty if it is not known."""

    person: Person
    address: str = ""


class Acquaintances:
    """Those beside `log`. `wall`: Unix seconds."""

    def __init__(self, log: MessageLog, wall: Callable[[], float] = time.time) -> None:
        self._log = log
        self._wall = wall
        # By id: what is written down, and when it is to be written again.
        self._noted: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def is_noted(self, person: Person, address: str | None) -> bool:
        """Whether that is written down already."""
        text, until = self._noted.get(person.id, ("", 0.0))
        return self._wall() < until and text == _packed(person, address)

    async def note(self, person: Person, address: str | None) -> None:
        """The person came, and is called so now. Raises LogUnavailable."""
        seconds = _GUEST_SECONDS if person.role == GUEST else _KEPT_SECONDS
        text, own = _packed(person, address), handle(person.id)
        changes: dict[str, Record | None] = {
            f"person:{own}": Record(text, seconds),
            _called(person.name): Record(own, seconds),
        }
        await self._change(own, changes)
        self._noted.pop(person.id, None)
        self._noted[person.id] = text, self._wall() + _DAY
        if len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)

    async def _change(self, own: str, changes: dict[str, Record | None]) -> None:
        """And nothing leads there any more by what they were called before: a stranger may be
        called anything, again and again."""
        records = self._log.records
        text = (await records.get([f"person:{own}"])).get(f"person:{own}")
        former = "" if text is None else _called(_unpacked(text).person.name)
        known = former and former not in changes
        if known and await records.change({former: own}, {**changes, former: None}):
            return
        await records.change({}, changes)

    async def find(self, who: str) -> Acquaintance | None:
        """The one with that handle, or who was called so last. Raises LogUnavailable."""
        found = await self._log.records.get([f"person:{who}", _called(who)])
        if f"person:{who}" in found:
            return _unpacked(found[f"person:{who}"])
        own = found.get(_called(who))
        if own is None:
            return None
        [acquaintance] = (await self.named([own])).values() or [None]
        if acquaintance is None or folded(acquaintance.person.name) != folded(who):
            return None
        return acquaintance

    async def named(self, handles: Iterable[str]) -> dict[str, Acquaintance]:
        """Those of `handles` who came, by their handles. Raises LogUnavailable."""
        found = await self._log.records.get([f"person:{each}" for each in handles])
        return {key.removeprefix("person:"): _unpacked(text) for key, text in found.items()}


def _called(nick: str) -> str:
    return f"called:{folded(nick)}"


def _packed(person: Person, address: str | None) -> str:
    kept = [person.id, person.name, person.role, person.groups, address or ""]
    return orjson.dumps(kept).decode()


def _unpacked(text: str) -> Acquaintance:
    identity, name, role, groups, address = orjson.loads(text)
    return Acquaintance(Person(identity, name, tuple(groups), role), address)
