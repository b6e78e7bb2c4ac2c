"""What those in charge do to people: mute, ban, sign out, say which role somebody has."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from chatapp.community.acts import APPOINT, BAN, MUTE, OVERSEE, ROLES
from chatapp.community.asking import Asking, Impossible, NoSuch, Unfit, checked_reason
from chatapp.community.edits import Edit
from chatapp.community.rooms import ANYWHERE
from chatapp.community.standings import NO_STANDING, Ban, Standing
from chatapp.identity.person import Person
from chatapp.identity.signingout import sign_out

__all__ = ["LONGEST_SECONDS", "MOST_STANDINGS", "PeopleKeeping", "Standings"]

LONGEST_SECONDS = 10 * 365 * 86_400.0
"""The longest that somebody is muted or banned for, unless it is for good."""
MOST_STANDINGS = 100
"""Of how many people it is told at once how they stand."""

_UNBAN = "unban"
_BANNING = frozenset({BAN, _UNBAN})


class Standings(NamedTuple):
    """By ids, the last decided first; `more`: whether there are others, decided before these."""

    people: Mapping[str, Standing]
    more: bool


class PeopleKeeping(Asking):
    """All raise NotAllowed, Impossible, Unfit and LogUnavailable. A reason stands in the deed; that
    of a mute or a ban is told to whom it is done, too. What has them stand in another way returns
    how they stood before."""

    async def mute(
        self, by: Person, person: Person, seconds: float | None = None, reason: str = ""
    ) -> Standing:
        """The person says nothing any more, for so long; None: for good."""
        await self._above(by, person, MUTE)
        until, reason = self._end(seconds), checked_reason(reason)

        def change(standing: Standing) -> Standing:
            return standing._replace(muted_until=until, mute_reason=reason)

        return await self._stand(by, person, MUTE, change, more=_for(seconds), reason=reason)

    async def unmute(self, by: Person, person: Person, reason: str = "") -> Standing:
        """The person may speak again."""
        await self._above(by, person, MUTE)
        reason = checked_reason(reason)

        def change(standing: Standing) -> Standing:
            if not standing.muted_until:
                raise Impossible("They are not muted.")
            return standing._replace(muted_until=0.0, mute_reason="")

        return await self._stand(by, person, "unmute", change, reason=reason)

    async def ban(
        self,
        by: Person,
        person: Person,
        seconds: float | None = None,
        address: str | None = None,
        reason: str = "",
    ) -> Standing:
        """The person is kept out, for so long; None: for good.

        `address`: so is everybody who is at that one, which is theirs.
        """
        await self._above(by, person, BAN)
        until, reason = self._end(seconds), checked_reason(reason)

        def change(standing: Standing) -> Standing:
            addresses = {*standing.addresses, *([address] if address else [])}
            return standing._replace(
                banned_until=until, ban_reason=reason, addresses=tuple(sorted(addresses))
            )

        return await self._stand(by, person, BAN, change, more=_for(seconds), reason=reason)

    async def unban(self, by: Person, person: Person, reason: str = "") -> Standing:
        """The person may come in again, and so may those at the addresses that were banned too,
        unless they were with somebody else as well."""
        await self._above(by, person, BAN)
        reason = checked_reason(reason)

        def change(standing: Standing) -> Standing:
            if not standing.banned_until:
                raise Impossible("They are not banned.")
            return standing._replace(banned_until=0.0, ban_reason="", addresses=())

        return await self._stand(by, person, _UNBAN, change, reason=reason)

    async def sign_out(self, by: Person, person: Person, reason: str = "") -> None:
        """The person is signed out on every device, where the chat signs people in itself."""
        if by.id != person.id:
            await self._above(by, person, BAN)
        reason = checked_reason(reason)
        if not await sign_out(self._log.records, person.id):
            raise NoSuch("They are signed in elsewhere, and can only be banned here.")
        if by.id != person.id:
            deed = self._deed(by, "sign-out", whom=person, reason=reason)
            await self._book.change(lambda: Edit(deed=deed))

    async def give_role(self, by: Person, person: Person, role: str, reason: str = "") -> Standing:
        """The person has that role from now on; empty: the one that their identity says."""
        if role and role not in ROLES:
            raise Unfit(f"A role is {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
        await self._above(by, person, APPOINT)
        reason = checked_reason(reason)

        def change(standing: Standing) -> Standing:
            return standing._replace(role=role)

        return await self._stand(by, person, "role", change, more=role, reason=reason)

    async def standings(
        self, by: Person, before: int | None = None, limit: int = MOST_STANDINGS
    ) -> Standings:
        """Who is muted, banned, or has a role that was given here, the last decided first.

        `before`: those whose last deed has a smaller number. Addresses are told to who may see what
        was done.
        """
        await self._book.catch_up()
        if not await self._may(by, ANYWHERE, MUTE):
            await self._must(by, ANYWHERE, BAN)
        self._unless_silent(by, BAN)
        sees_addresses = await self._may(by, ANYWHERE, OVERSEE)
        found = [each for each in self._book.standings() if before is None or each[1].deed < before]
        told = dict(found[: max(0, min(limit, MOST_STANDINGS))])
        if not sees_addresses:
            told = {person: each._replace(addresses=()) for person, each in told.items()}
        return Standings(told, len(found) > len(told))

    async def _stand(
        self,
        by: Person,
        person: Person,
        act: str,
        change: Callable[[Standing], Standing],
        more: str = "",
        reason: str = "",
    ) -> Standing:
        before = NO_STANDING

        def decide() -> Edit:
            nonlocal before
            before = self._book.standing(person.id)
            standing = change(before)
            number = self._book.deeds + 1  # of the deed that is kept with it
            standing = standing._replace(deed=number) if standing.holds else NO_STANDING
            bans = self._bans(person.id, before, standing) if act in _BANNING else {}
            deed = self._deed(by, act, whom=person, more=more, reason=reason)
            return Edit(standings={person.id: standing}, bans=bans, deed=deed)

        await self._book.change(decide)
        return before

    def _bans(self, person: str, before: Standing, after: Standing) -> dict[str, Ban | None]:
        """Of the person's addresses: each is banned for as long as anybody banned with it is."""
        bans: dict[str, Ban | None] = {}
        for address in {*before.addresses, *after.addresses}:
            found = [ban for ban in self._book.banned_with(address) if ban.person != person]
            if address in after.addresses:
                found.append(Ban(after.banned_until, after.ban_reason, person))
            bans[address] = max(found, key=lambda ban: ban.until, default=None)
        return bans

    def _end(self, seconds: float | None) -> float:
        if seconds is None:
            return math.inf
        if not 1 <= seconds <= LONGEST_SECONDS:
            raise Unfit(f"seconds: 1 to {LONGEST_SECONDS:.0f}, or none at all: for good.")
        return self._wall() + seconds


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"
