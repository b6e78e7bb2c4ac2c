"""Functions of a site, as `chat.allow` names them."""

from chatapp.community.acts import READ, SEE, SPEAK, may
from chatapp.community.rooms import OPEN

__all__ = ["answers", "broken", "everybody", "meanwhile", "membered", "replaced", "sealed", "staff"]

answers = {}
"""What `replaced` says, by the person's name, the room and the act; True for all else."""

meanwhile = []


def staff(person, room, act):
    """The room `staff` is there for those of that group alone; else as the chat has it."""
    if room.name == "staff" and "staff" not in person.groups:
        return False
    return may(person, room, act)


def sealed(person, room, act):
    """Everybody knows of the room `sealed`, and nobody reads it."""
    return may(person, room, act) and not (room.name == "sealed" and act == READ)


def everybody(person, room, act):
    return True


async def membered(person, room, act):
    """What is not open is there for its members; meanwhile all of `meanwhile` happens."""
    while meanwhile:
        await meanwhile.pop()()
    return act not in (SEE, READ) or room.policy == OPEN or person.id in room.members


def broken(person, room, act):
    raise RuntimeError("the database\nis away")


async def replaced(person, room, act):
    """Nobody but keepers speaks in `news`; and what `answers` has."""
    if room.name == "news" and act == SPEAK:
        return person.role == "keeper"
    return answers.get((person.name, room.name, act), True)
