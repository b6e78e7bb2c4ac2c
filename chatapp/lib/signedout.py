"""Which devices were signed out, by whichever process, and the end of what they hold.

What it sees on the way goes the other way: on which day a device was here last.
"""

import asyncio
import inspect
import logging
import time

from chatapp.identity.gone import GONE, devices_of
from chatapp.identity.invitations import invite_owner
from chatapp.identity.members import (
    Members,
    find_member,
    note_devices,
)
from chatapp.live.hub import Hub
from chatapp.model import LogUnavailable

__all__ = ["SignedOut"]

log = logging.getLogger(__name__)

_NOTE_SECONDS = 30.0
# Of those, so many members are written down at once.
_MOST_NOTED = 200


class SignedOut:
    """Keeps `members.gone` as it is beside the log of `hub`; `url`: where the chat is."""

    key = GONE

    def __init__(self, members: Members, hub: Hub, url: str) -> None:
        self._members = members
        self._hub = hub
        self._url = url
        self._task: asyncio.Task[None] | None = None
        self._text: str | None = None
        self._day = ""
        self._noted: set[str] = set()  # devices of which it is written down that they were here

    async def start(self) -> None:
        """The log is open. Where nobody is a member yet, the owner's link is written down."""
        try:
            code = await invite_owner(self._hub.log.records)
            if code is not None:
                log.warning(
                    "nobody is a member yet: who opens %s/device/%s is the owner", self._url, code
                )
        except LogUnavailable as error:
            log.error("who is a member is not known yet: %s", error)
        self._task = asyncio.create_task(self._keep_days())

    async def stop(self) -> None:
        """Before the log is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def look(self, text: str | None, missed: bool) -> None:
        """Know by the record which devices are gone."""
        if missed:
            self._members.forget()
        if text == self._text:
            return
        gone = devices_of(text)
        new = gone.keys() - self._members.gone.keys()
        self._members.signed_out(gone)
        for member in {gone[device] for device in new}:
            await self._end(member)
        self._text = text

    async def _end(self, identity: str) -> None:
        """End what the member holds; who is in on another device yet goes on there."""
        member = await find_member(self._hub.log.records, identity)
        for participant in self._hub.by_sender.get(identity, ()):
            if member is not None and member.devices:
                self._hub.ask_again(participant.id)
            elif inspect.isawaitable(left := self._hub.leave(participant.id)):
                await left

    async def _keep_days(self) -> None:
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            try:
                await self._note(time.strftime("%Y-%m-%d", time.gmtime()))
            except LogUnavailable as error:
                log.info("which devices were here is not written down now: %s", error)

    async def _note(self, day: str) -> None:
        if day != self._day:
            self._day, self._noted = day, set()
        seen, self._members.seen = self._members.seen, {}
        devices: dict[str, list[str]] = {}
        for device, member in seen.items():
            if device not in self._noted:
                devices.setdefault(member, []).append(device)
        try:
            for member in list(devices)[:_MOST_NOTED]:
                await note_devices(self._hub.log.records, member, devices[member], day)
                self._noted.update(devices[member])
        finally:
            left = {each: seen[each] for each in seen if each not in self._noted}
            self._members.seen = left | self._members.seen
