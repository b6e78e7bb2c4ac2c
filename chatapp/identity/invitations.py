"""Invitations: links by which one becomes a member, or is in on one device more.

    first-owner   the id of who came in by an owner's link of a start

Who comes in does so in one change: the link is used up, the name is theirs, the device is signed
in; or nothing of that is so, and the link can be used yet.

A link that was made on a device is of no use once that is signed out, an owner's link of a start
once a member is an owner.
"""

from collections.abc import Mapping
from typing import Any

from chatapp.identity.claims import Claim, Outdated
from chatapp.identity.codes import claim_code, make_code
from chatapp.identity.devices import new_device
from chatapp.identity.members import (
    Member,
    add_device,
    admit,
    all_members,
    claim_device,
    new_member_id,
)
from chatapp.identity.names import KeptNames
from chatapp.model import Record, Records

__all__ = [
    "accept_invitation",
    "accept_link",
    "invite",
    "invite_again",
    "invite_owner",
    "look_up_link",
]

_SECONDS = 7 * 86_400.0
_FIRST_OWNER = "first-owner"


async def invite(records: Records, role: str) -> str:
    """A code with which one becomes a member, within seven days. Raises LogUnavailable."""
    return await make_code(records, {"invite": role}, _SECONDS)


async def invite_owner(records: Records) -> str | None:
    """A code with which one is the owner, unless another is by then; None: somebody is a member.

    Raises LogUnavailable.
    """
    if await all_members(records):
        return None
    return await make_code(records, {"invite": "owner", "first": True}, _SECONDS)


async def invite_again(records: Records, member: Member) -> str:
    """A code with which that member is in on one device more. Raises LogUnavailable."""
    return await make_code(records, {"member": member.id, "nick": member.name}, _SECONDS)


async def look_up_link(records: Records, code: str) -> Mapping[str, Any] | None:
    """What the code of a link is for; None: it is of no use. Raises LogUnavailable."""
    claimed = await _claim_link(records, code)
    return None if claimed is None else claimed[0]


async def accept_invitation(
    records: Records, names: KeptNames, code: str, name: str, label: str, now: float
) -> tuple[Member, str] | None:
    """A new member of that name, and the device, which is called `label`.

    `now`: Unix seconds. None: the code invites nobody. Raises NickTaken, LogUnavailable.
    """
    identity, device = new_member_id(), new_device(label, now)
    while True:
        claimed = await _claim_link(records, code)
        if claimed is None or "invite" not in claimed[0]:
            return None
        purpose, claim = claimed
        if "first" in purpose:
            claim |= Claim({}, {_FIRST_OWNER: Record(identity)})
        claim |= await names.claim(name, identity, None)
        try:
            member = await admit(records, identity, name, purpose["invite"], (device,), claim)
        except Outdated:
            continue
        return member, device.id


async def accept_link(
    records: Records, code: str, label: str, now: float
) -> tuple[Member, str] | None:
    """The member whose the link is, and one device more of theirs, which is called `label`.

    `now`: Unix seconds. None: the code leads to no member. Raises LogUnavailable.
    """
    while True:
        claimed = await _claim_link(records, code)
        if claimed is None or "member" not in claimed[0]:
            return None
        purpose, claim = claimed
        try:
            return await add_device(records, purpose["member"], label, now, claim)
        except Outdated:
            continue


async def _claim_link(records: Records, code: str) -> tuple[Mapping[str, Any], Claim] | None:
    """What the code is for, and with what it is used up; None: it is of no use."""
    claimed = await claim_code(records, code)
    if claimed is None:
        return None
    purpose, claim = claimed
    if "first" in purpose:
        found = await records.get([_FIRST_OWNER])
        if any(member.role == "owner" for member in await all_members(records)):
            return None
        claim |= Claim({_FIRST_OWNER: found.get(_FIRST_OWNER)})
    if "device" in purpose:
        signed_in = await claim_device(records, purpose["member"], purpose["device"])
        if signed_in is None:
            return None
        claim |= signed_in
    return purpose, claim
