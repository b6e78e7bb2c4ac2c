"""Names that are somebody's: one that was spoken under stays its owner's while they are away.

    name:LOOK       owner, nick and address, in JSON; one for each thing that the nick looks like
    names:ADDRESS   the nicks that are kept for those of an address, in JSON

A guest's nick is given and not chosen: where there are guests it is nobody's.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import orjson

from chatapp.directory import NickTaken
from chatapp.identity.claims import Claim
from chatapp.jsons import decode, encode
from chatapp.model import MessageLog, Record, Records
from chatapp.names import looks

__all__ = ["MOST_NAMES", "KeptName", "KeptNames", "free_name", "kept_names"]

MOST_NAMES = 50
"""Names that are kept for those of one address: who has more of them has the first of them kept."""

_GUEST = re.compile("guest-[0-9a-f]{4}")
# What is kept is renewed when so much of its time is over.
_RENEWED = 1 / 30
_MOST_KNOWN = 10_000


class KeptName(NamedTuple):
    """A nick, the id that the log has of whose it is, and the address from which it was taken."""

    nick: str
    owner: str
    address: str | None


class KeptNames:
    """Those beside `log`; each is kept for `seconds` after it was last spoken under, 0: none is.

    `clock`: monotonic seconds. `guests`: whether there are any.
    """

    def __init__(
        self,
        log: MessageLog,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        guests: bool = True,
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._guests = guests
        self._clock = clock
        # By owner: the nick that is known to be kept, and when it is to be renewed.
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def is_kept(self, nick: str, owner: str) -> bool:
        """Whether nothing has to be done before the owner speaks under that nick."""
        if not self._seconds:
            return True
        known, renewed_at = self._known.get(owner, ("", 0.0))
        return known == nick and self._clock() < renewed_at

    async def check(self, nick: str, owner: str) -> None:
        """Raises NickTaken if the nick, or one that looks like it, is another's; LogUnavailable."""
        if self._seconds:
            _refuse_others((await self._log.records.get(_keys(nick))).values(), owner)

    async def keep(self, nick: str, owner: str, address: str | None) -> None:
        """The owner is about to speak under that nick, which is theirs from then on.

        Raises NickTaken, LogUnavailable.
        """
        while True:
            claim = await self.claim(nick, owner, address)
            if not claim.changes or await self._log.records.change(*claim):
                break
        self._known.pop(owner, None)
        self._known[owner] = nick, self._clock() + self._seconds * _RENEWED
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    async def claim(self, nick: str, owner: str, address: str | None) -> Claim:
        """With what the nick becomes the owner's; without changes, where it is kept for nobody.

        Raises NickTaken, LogUnavailable.
        """
        keys, share = _keys(nick), f"names:{address}"
        found = await self._log.records.get([*keys, share])
        _refuse_others((found[key] for key in keys if key in found), owner)
        if self._guests and _GUEST.fullmatch(nick):
            return Claim()
        record = Record(_packed(KeptName(nick, owner, address)), self._seconds)
        changes = dict.fromkeys(keys, record)
        if address is not None:
            nicks = _nicks(found.get(share))
            if nick not in nicks and len(nicks) >= MOST_NAMES:
                nicks = await self._still_kept(nicks, address)
            if nick not in nicks:
                if len(nicks) >= MOST_NAMES:
                    return Claim()
                nicks = [*nicks, nick]
            changes[share] = Record(encode(nicks, sum(map(len, nicks))).decode(), self._seconds)
        return Claim({key: found.get(key) for key in changes}, changes)

    async def claim_release(self, nick: str, owner: str, seconds: float) -> Claim:
        """With what the nick is kept for so long yet, if it is the owner's.

        Raises LogUnavailable.
        """
        found = await self._log.records.get(_keys(nick))
        own = {key: text for key, text in found.items() if _unpacked(text)[:2] == (nick, owner)}
        kept = {key: Record(text, seconds) if seconds else None for key, text in own.items()}
        return Claim(own, kept)

    async def _still_kept(self, nicks: Iterable[str], address: str) -> list[str]:
        """Those of `nicks` that are kept for somebody of that address."""
        keys = {nick: _keys(nick)[0] for nick in nicks}
        found = await self._log.records.get(list(keys.values()))
        kept = {nick: _unpacked(found[key]) for nick, key in keys.items() if key in found}
        return [nick for nick, name in kept.items() if name[::2] == (nick, address)]


async def kept_names(records: Records) -> list[KeptName]:
    """All that are kept. Raises LogUnavailable."""
    found = await records.all("name:")
    return sorted({_unpacked(text) for text in found.values()})


async def free_name(records: Records, nick: str) -> list[KeptName]:
    """Keep that nick, and what can be taken for it, no longer; returns what was kept.

    Raises LogUnavailable.
    """
    while True:
        found = await records.get(_keys(nick))
        freed = sorted({_unpacked(text) for text in found.values()})
        more = [key for name in freed for key in _keys(name.nick)]
        found = await records.get([*dict.fromkeys([*found, *more])])
        gone = {key: text for key, text in found.items() if _unpacked(text) in freed}
        if await records.change(gone, dict.fromkeys(gone)):
            return freed


def _keys(nick: str) -> list[str]:
    return [f"name:{look}" for look in looks(nick)]


def _refuse_others(texts: Iterable[str], owner: str) -> None:
    for text in texts:
        name = _unpacked(text)
        if name.owner != owner:
            raise NickTaken(name.nick)


def _nicks(text: str | None) -> list[str]:
    nicks: list[str] = decode(text) if text is not None else []
    return nicks


def _packed(name: KeptName) -> str:
    return orjson.dumps(name._asdict()).decode()


def _unpacked(text: str) -> KeptName:
    return KeptName(**decode(text))
