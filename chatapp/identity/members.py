"""`members`: the chat's own door, without mail and passwords.

Who is invited opens a link, picks a name and keeps it. A badge is all that signs a member in, one
for each device, until that is signed out.

    member:ID   name, role and devices, in JSON

Who comes with a badge is looked up, and from then on is in by what this process remembers, until it
sees the device in `gone`, which each process follows.
"""

import secrets
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from chatapp.identity.claims import UNCLAIMED, Claim, Outdated
from chatapp.identity.devices import MOST_DEVICES, Device, new_device
from chatapp.identity.gone import GONE, MOST_GONE, with_gone
from chatapp.identity.person import Identity, Person
from chatapp.jsons import decode, encode
from chatapp.model import Record, Records

__all__ = [
    "KEPT_SECONDS",
    "Member",
    "Members",
    "add_device",
    "admit",
    "all_members",
    "claim_device",
    "find_member",
    "label_device",
    "new_member_id",
    "note_devices",
    "rename_member",
    "sign_out_devices",
]

KEPT_SECONDS = 100 * 365 * 86_400.0
"""A member's name is kept as good as for ever."""

# Characters of JSON that a device has, with what it is called.
_DEVICE = 100
_MOST_REMEMBERED = 100_000


class Member(NamedTuple):
    """`devices`: those on which the member is signed in; `was`: the name before this one."""

    id: str
    name: str
    role: str
    devices: tuple[Device, ...]
    was: str = ""

    @property
    def person(self) -> Person:
        """Who that is."""
        return Person(self.id, self.name, (), self.role)

    @property
    def device_ids(self) -> frozenset[str]:
        """Those of `devices`."""
        return frozenset(device.id for device in self.devices)


class Members(Identity):
    """`gone`: the devices that were signed out last, as far as this process knows by now; `seen`:
    those that were here since that was written down, each with its member's id."""

    def __init__(self) -> None:
        self.gone: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        self._admitted: set[str] = set()

    def who(self, environ: WSGIEnvironment) -> Person | None:
        """Nobody: no request says more than its badge."""
        return None

    def proof(self, environ: WSGIEnvironment) -> str:
        return ""

    def proves(self, environ: WSGIEnvironment, proof: str, person: str) -> bool:
        """`proof` is the device that the badge was given to."""
        if proof not in self._admitted:
            return False
        self.seen[proof] = person
        return True

    async def returning(self, records: Records, person: str, proof: str) -> Person | None:
        """Who comes with a badge of that member on that device; None: they are not in any more.

        Raises LogUnavailable.
        """
        member = await find_member(records, person)
        if member is None or proof not in member.device_ids:
            return None
        self.admitted(proof)
        return member.person

    def admitted(self, device: str) -> None:
        """It was just signed in, or looked up."""
        if len(self._admitted) >= _MOST_REMEMBERED:
            self.forget()
        if device not in self.gone:
            self._admitted.add(device)

    def signed_out(self, gone: dict[str, str]) -> None:
        """Those devices are out, also when the record has room for them no longer."""
        last = next(reversed(self.gone), None)
        if last not in gone and (last is not None or len(gone) >= MOST_GONE):
            self.forget()
        self._admitted.difference_update(gone)
        self.gone = gone

    def forget(self) -> None:
        """Some sign-outs may have been missed: everybody is looked up again."""
        self._admitted.clear()


def new_member_id() -> str:
    """A random id of 72 bits."""
    return secrets.token_urlsafe(9)


async def admit(
    records: Records,
    identity: str,
    name: str,
    role: str,
    devices: tuple[Device, ...] = (),
    by: Claim = UNCLAIMED,
) -> Member:
    """There is one member more, as `by` lets them in. Raises Outdated, LogUnavailable."""
    member = Member(identity, name, role, devices)
    claim = by | Claim({}, {f"member:{identity}": _packed(member)})
    if not await records.change(*claim):
        raise Outdated
    return member


async def find_member(records: Records, identity: str) -> Member | None:
    """The one with that id. Raises LogUnavailable."""
    key = f"member:{identity}"
    text = (await records.get([key])).get(key)
    return None if text is None else _unpacked(identity, text)


async def claim_device(records: Records, identity: str, device: str) -> Claim | None:
    """What is so while the member is in on that device; None: they are not. Raises LogUnavailable.

    It is not so any more either once something else of the member has changed.
    """
    key = f"member:{identity}"
    found = await records.get([key])
    if key not in found or device not in _unpacked(identity, found[key]).device_ids:
        return None
    return Claim(found)


async def add_device(
    records: Records,
    identity: str,
    label: str = "",
    now: float | None = None,
    by: Claim = UNCLAIMED,
) -> tuple[Member, str] | None:
    """The member, and one device more of theirs, as `by` lets it in; None: no such member.

    `now`: Unix seconds. Raises Outdated, LogUnavailable.
    """
    device = new_device(label, now)

    def edit(member: Member) -> Member:
        devices = member.devices
        if len(devices) >= MOST_DEVICES:
            longest = min(devices, key=lambda each: each.here)
            devices = tuple(each for each in devices if each is not longest)
        return member._replace(devices=(*devices, device))

    member = await _change(records, identity, edit, by)
    return None if member is None else (member, device.id)


async def label_device(records: Records, identity: str, device: str, label: str) -> bool:
    """The member's device is called so; False: there is none. Raises LogUnavailable."""

    def edit(member: Member) -> Member | None:
        if device not in member.device_ids:
            return None
        return _with(member, {device}, lambda each: each._replace(label=label))

    return await _change(records, identity, edit) is not None


async def note_devices(records: Records, identity: str, devices: Iterable[str], day: str) -> None:
    """The member was here on that day, with those devices. Raises LogUnavailable."""
    here = frozenset(devices)

    def edit(member: Member) -> Member | None:
        noted = _with(member, here, lambda each: each._replace(seen=max(day, each.seen)))
        return None if noted == member else noted

    await _change(records, identity, edit)


async def rename_member(
    records: Records, before: Member, name: str, by: Claim = UNCLAIMED
) -> Member | None:
    """The member with that name, as `by` lets them; None: their name is not that of `before` now.

    Raises Outdated, LogUnavailable.
    """

    def edit(member: Member) -> Member | None:
        is_so_yet = (member.name, member.was) == (before.name, before.was)
        return member._replace(name=name, was=member.name) if is_so_yet else None

    return await _change(records, before.id, edit, by)


async def sign_out_devices(
    records: Records, identity: str, devices: Callable[[str], bool], by: Claim = UNCLAIMED
) -> list[str] | None:
    """The member is signed out on the devices whose id is one of `devices`; returns which they are.

    None: there is no such member. Raises Outdated, LogUnavailable.
    """
    out: list[str] = []

    def edit(member: Member) -> Member:
        out[:] = [each.id for each in member.devices if devices(each.id)]
        staying = tuple(each for each in member.devices if each.id not in out)
        return member._replace(devices=staying)

    return None if await _change(records, identity, edit, by) is None else out


async def all_members(records: Records) -> list[Member]:
    """By name. Raises LogUnavailable."""
    found = await records.all("member:")
    members = [_unpacked(key.removeprefix("member:"), text) for key, text in found.items()]
    return sorted(members, key=lambda member: member.name)


async def _change(
    records: Records,
    identity: str,
    edit: Callable[[Member], Member | None],
    by: Claim = UNCLAIMED,
) -> Member | None:
    """The member as `edit` makes it, if `by` lets them; devices that it has no more are signed out.

    None: there is no such member, or `edit` does not want it. Raises Outdated, LogUnavailable.
    """
    key = f"member:{identity}"
    while True:
        found = await records.get([key, GONE, *by.found])
        by.check(found)
        if key not in found:
            return None
        before = _unpacked(identity, found[key])
        member = edit(before)
        if member is None:
            return None
        changes = {key: _packed(member)}
        out = [each.id for each in before.devices if each.id not in member.device_ids]
        if out:
            changes[GONE] = with_gone(found.get(GONE), identity, out)
        if await records.change(*(by | Claim({key: found.get(key) for key in changes}, changes))):
            return member


def _with(member: Member, devices: Iterable[str], edit: Callable[[Device], Device]) -> Member:
    edited = tuple(edit(each) if each.id in devices else each for each in member.devices)
    return member._replace(devices=edited)


def _packed(member: Member) -> Record:
    # A worker of the version before goes by `devices` alone.
    kept: dict[str, Any] = {
        "name": member.name,
        "role": member.role,
        "devices": [device.id for device in member.devices],
        "about": {device.id: device[1:] for device in member.devices},
    }
    if member.was:
        kept["was"] = member.was
    return Record(encode(kept, _DEVICE * len(member.devices)).decode())


def _unpacked(identity: str, text: str) -> Member:
    kept = decode(text)
    about = kept.get("about", {})
    devices = tuple(Device(each, *about.get(each, ())) for each in kept["devices"])
    return Member(identity, kept["name"], kept["role"], devices, kept.get("was", ""))
