"""`members`: the chat's own door, without mail and passwords.

Who is invited opens a link, picks a name and keeps it. A badge is all that signs a member in, one
for each device, until that is signed out.

    member:ID   name, role and devices, in JSON
    gone        the devices that were signed out, each with its member's id, in JSON
"""

import secrets
from collections.abc import Mapping
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.identity.codes import make_code
from chatapp.identity.person import Identity, Person
from chatapp.model import Record, Records

__all__ = [
    "KEPT_SECONDS",
    "Member",
    "Members",
    "add_device",
    "admit",
    "all_members",
    "gone_devices",
    "invite",
    "invite_again",
    "new_member_id",
    "sign_out",
]

KEPT_SECONDS = 100 * 365 * 86_400.0
"""A member's name is kept as good as for ever."""

_INVITED_SECONDS = 7 * 86_400.0
_GONE = "gone"


class Member(NamedTuple):
    """`devices`: the ids of those on which the member is signed in."""

    id: str
    name: str
    role: str
    devices: tuple[str, ...]

    @property
    def person(self) -> Person:
        """Who that is."""
        return Person(self.id, self.name, (), self.role)


class Members(Identity):
    """`gone`: the devices that were signed out, as far as this process knows by now."""

    def __init__(self) -> None:
        self.gone: Mapping[str, str] = {}

    def who(self, environ: WSGIEnvironment) -> Person | None:
        """Nobody: no request says more than its badge."""
        return None

    def proof(self, environ: WSGIEnvironment) -> str:
        return ""

    def proves(self, environ: WSGIEnvironment, proof: str, person: str) -> bool:
        """`proof` is the device that the badge was given to."""
        return bool(proof) and proof not in self.gone


def new_member_id() -> str:
    """A random id of 72 bits."""
    return secrets.token_urlsafe(9)


async def invite(records: Records, role: str) -> str:
    """A code with which one becomes a member, within seven days. Raises LogUnavailable."""
    return await make_code(records, {"invite": role}, _INVITED_SECONDS)


async def invite_again(records: Records, member: Member) -> str:
    """A code with which that member is in on one device more. Raises LogUnavailable."""
    purpose = {"member": member.id, "nick": member.name}
    return await make_code(records, purpose, _INVITED_SECONDS)


async def admit(records: Records, identity: str, name: str, role: str) -> Member:
    """There is one member more. Raises LogUnavailable."""
    member = Member(identity, name, role, ())
    await records.change({}, {f"member:{identity}": _packed(member)})
    return member


async def add_device(records: Records, identity: str) -> tuple[Member, str] | None:
    """The member, and one device more of theirs; None: there is no such member.

    Raises LogUnavailable.
    """
    key, device = f"member:{identity}", secrets.token_urlsafe(12)
    while True:
        text = (await records.get([key])).get(key)
        if text is None:
            return None
        member = _unpacked(identity, text)
        member = member._replace(devices=(*member.devices, device))
        if await records.change({key: text}, {key: _packed(member)}):
            return member, device


async def sign_out(records: Records, identity: str) -> bool:
    """The member is signed out on every device; False: there is none. Raises LogUnavailable."""
    key = f"member:{identity}"
    while True:
        found = await records.get([key, _GONE])
        if key not in found:
            return False
        member = _unpacked(identity, found[key])
        gone = {**_devices(found.get(_GONE)), **dict.fromkeys(member.devices, identity)}
        changes = {
            key: _packed(member._replace(devices=())),
            _GONE: Record(orjson.dumps(gone).decode()),
        }
        if await records.change({each: found.get(each) for each in changes}, changes):
            return True


async def all_members(records: Records) -> list[Member]:
    """By name. Raises LogUnavailable."""
    found = await records.all("member:")
    members = [_unpacked(key.removeprefix("member:"), text) for key, text in found.items()]
    return sorted(members, key=lambda member: member.name)


async def gone_devices(records: Records) -> dict[str, str]:
    """Those that were signed out, each with its member's id. Raises LogUnavailable."""
    return _devices((await records.get([_GONE])).get(_GONE))


def _devices(text: str | None) -> dict[str, str]:
    devices: dict[str, str] = {} if text is None else orjson.loads(text)
    return devices


def _packed(member: Member) -> Record:
    kept = member._asdict()
    del kept["id"]
    return Record(orjson.dumps(kept).decode())


def _unpacked(identity: str, text: str) -> Member:
    kept = orjson.loads(text)
    return Member(identity, kept["name"], kept["role"], tuple(kept["devices"]))
