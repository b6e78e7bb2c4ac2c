"""Who may do what, unless a site says otherwise: one question, asked of a person, a room, an act.

| role | may |
|---|---|
| owner | what a keeper may, of keepers too; say who is a keeper |
| keeper | everything in public rooms; mute and ban members and guests |
| member | see, read and speak, make rooms of each kind |
| guest | the same, but make no room in which others are silent |

In a private room nobody may do anything but its members. Of those whoever made it, or is in it for
longest once they have left it, and keepers have others leave it, rename and close it, and remove
messages.
"""

from typing import Final

from chatapp.community.rooms import ANNOUNCE, CLOSED, DIRECT, OPEN, Room
from chatapp.identity.person import Person

__all__ = [
    "ACTS",
    "ANYWHERE_ACTS",
    "APPOINT",
    "BAN",
    "CLEAR",
    "CONSOLE",
    "EXPEL",
    "GUEST",
    "INVITE",
    "IN_CHARGE",
    "KEEPER",
    "MAKE",
    "MEMBER",
    "MUTE",
    "OVERSEE",
    "OWNER",
    "READ",
    "ROLES",
    "SEE",
    "SETTLE",
    "SPEAK",
    "is_above",
    "may",
]

SEE: Final = "see"
"""To know that a room is there."""
READ: Final = "read"
"""To be told its messages and who is in it."""
SPEAK: Final = "speak"
"""To say something in it."""
MAKE: Final = "open"
"""To make a room: asked of no room in particular, and of a public one as it would be."""
INVITE: Final = "invite"
"""To make somebody a member of it."""
EXPEL: Final = "expel"
"""To make somebody a member no longer."""
SETTLE: Final = "settle"
"""To rename it, to close it, to open it again."""
CLEAR: Final = "clear"
"""To remove a message of somebody else."""
MUTE: Final = "mute"
"""To have somebody be silent for a time."""
BAN: Final = "ban"
"""To keep somebody out, or sign them out."""
APPOINT: Final = "appoint"
"""To say which role somebody has."""
OVERSEE: Final = "oversee"
"""To see the address and id behind a message, and what those in charge did."""

ACTS = (SEE, READ, SPEAK, MAKE, INVITE, EXPEL, SETTLE, CLEAR, MUTE, BAN, APPOINT, OVERSEE)
"""All of them."""
ANYWHERE_ACTS = (MAKE, MUTE, BAN, APPOINT, OVERSEE)
"""Those that can be asked of no room in particular."""

OWNER: Final = "owner"
"""The role of who runs the chat."""
KEEPER: Final = "keeper"
"""The role of who is in charge of rooms and people."""
MEMBER: Final = "member"
"""The role of who is known, where nothing else is said."""
GUEST: Final = "guest"
"""The role of who is not known, or has to be looked after."""

ROLES = (GUEST, MEMBER, KEEPER, OWNER)
"""From the least to the most."""

CONSOLE = Person("\tconsole", "console", role="console")
"""Who has the files of the chat, and may do everything; no other person can have that role, nor an
id that is not printable."""

IN_CHARGE = frozenset({KEEPER, OWNER})
"""The roles of those in charge."""
_OF_ALL = frozenset({SEE, READ})
_OF_MAKERS = frozenset({EXPEL, SETTLE, CLEAR})


def is_above(person: Person, role: str) -> bool:
    """Whether those who have `role` are below the person, or are no owners and that is one."""
    if person.role in (OWNER, CONSOLE.role):
        return True
    return person.role in IN_CHARGE and role not in IN_CHARGE


def may(person: Person, room: Room, act: str) -> bool:
    """The rule of a chat that has no other. `person.role` is the one that they have here."""
    if person.role == CONSOLE.role:
        return True
    if act in (MUTE, BAN, APPOINT):
        return person.role == OWNER or (person.role == KEEPER and act != APPOINT)
    if room.is_private:
        return _may_in_private(person, room, act)
    return _may_in_public(person, room, act)


def _may_in_private(person: Person, room: Room, act: str) -> bool:
    if person.id not in room.members:
        return False
    if act in _OF_ALL or act == MAKE:
        return True
    if act == SPEAK:
        return room.policy != CLOSED
    if act == INVITE:
        return room.kind != DIRECT and room.policy != CLOSED
    if act == OVERSEE:
        return person.role in IN_CHARGE
    if room.kind == DIRECT:  # it is as much the others' as of who began
        return act == CLEAR and person.role in IN_CHARGE
    return act in _OF_MAKERS and (person.role in IN_CHARGE or person.id == _maker(room))


def _maker(room: Room) -> str:
    """The id of whoever made a private room; of who is longest in it, where they have left it."""
    return room.by if room.by in room.members else next(iter(room.members))


def _may_in_public(person: Person, room: Room, act: str) -> bool:
    if act in _OF_ALL:
        return True
    if act == SPEAK:
        return _may_speak(person, room)
    if act == MAKE:
        return person.role != GUEST or room.policy != ANNOUNCE
    if act == INVITE and room.policy != ANNOUNCE:
        return False  # everybody is in, or it is closed
    if act in _OF_MAKERS or act == INVITE:
        return person.role in IN_CHARGE or _has_made(person, room)
    return act == OVERSEE and person.role in IN_CHARGE


def _may_speak(person: Person, room: Room) -> bool:
    if room.policy == ANNOUNCE:
        return person.role in IN_CHARGE or person.id in room.members
    return room.policy == OPEN


def _has_made(person: Person, room: Room) -> bool:
    """A room in which all speak belongs to nobody, whoever made it."""
    return room.purpose == ANNOUNCE and person.id == room.by
