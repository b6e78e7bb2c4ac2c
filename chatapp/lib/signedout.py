"""Follows which devices were signed out, by whichever process, and ends what they hold."""

import asyncio
import inspect
import logging

from chatapp.directory import DirectoryUnavailable
from chatapp.identity.members import Members, all_members, gone_devices, invite
from chatapp.lib.badges import Badges
from chatapp.live.hub import Hub
from chatapp.model import LogUnavailable

__all__ = ["SignedOut"]

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5


class SignedOut:
    """Keeps `members.gone` as it is beside the log of `hub`; `url`: where the chat is."""

    def __init__(self, members: Members, badges: Badges, hub: Hub, url: str) -> None:
        self._members = members
        self._badges = badges
        self._hub = hub
        self._url = url
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The log is open. Where nobody is a member yet, the owner's link is written down."""
        try:
            await self._look()
            if not await all_members(self._hub.log.records):
                code = await invite(self._hub.log.records, "owner")
                log.warning(
                    "nobody is a member yet: who opens %s/device/%s is the owner", self._url, code
                )
        except LogUnavailable as error:
            log.error("who is a member is not known yet: %s", error)
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Before the log is closed."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except (LogUnavailable, DirectoryUnavailable) as error:
                log.info("who was signed out is not known now: %s", error)

    async def _look(self) -> None:
        gone = await gone_devices(self._hub.log.records)
        new = gone.keys() - self._members.gone.keys()
        self._members.gone = gone
        for member in {gone[device] for device in new}:
            left = self._hub.leave(self._badges.participant(member))
            if inspect.isawaitable(left):
                await left
