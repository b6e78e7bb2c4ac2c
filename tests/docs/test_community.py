"""What docs/community.md says of who may do what is what the rule says."""

import re
import unittest
from itertools import product

from chatapp.community.acts import (
    ACTS,
    ANYWHERE_ACTS,
    APPOINT,
    BAN,
    EXPEL,
    GUEST,
    INVITE,
    KEEPER,
    MAKE,
    MEMBER,
    MUTE,
    OVERSEE,
    OWNER,
    ROLES,
    SPEAK,
    is_above,
    may,
)
from chatapp.community.rooms import ANNOUNCE, ANYWHERE, CLOSED, DIRECT, MEMBERS, OPEN, Room
from chatapp.identity.person import Person
from tests.docs.pages import DOCS

PAGE = (DOCS / "community.md").read_text()
# Whom a word of the table means, by role, by whether they are in the room and whether they made it.
WHOM = {
    "all": lambda role, is_in, made: True,
    "all but guests": lambda role, is_in, made: role != GUEST,
    "nobody": lambda role, is_in, made: False,
    "keepers": lambda role, is_in, made: role in (KEEPER, OWNER),
    "its members": lambda role, is_in, made: is_in,
    "its maker": lambda role, is_in, made: made,
    "its keepers": lambda role, is_in, made: is_in and role in (KEEPER, OWNER),
}
# Of each column of the table.
ROOMS = {
    "in an open room": Room("tea", OPEN),
    "`announce`": Room("news", ANNOUNCE),
    "private": Room("~aaaaaaaaaaaaaaaa", MEMBERS),
    "direct messages": Room("~aaaaaaaaaaaaaaaa", MEMBERS, kind=DIRECT),
}
# Who made a room is in it, unless it is one that is made by being spoken in.
PEOPLE = [(role, is_in, made) for role, (is_in, made) in product(ROLES, [(0, 0), (1, 0), (1, 1)])]


def rows():
    """Those of the table: an act, and of each column who may do it."""
    table = PAGE.partition("<!-- acts -->")[2].partition("<!-- end of acts -->")[0]
    cells = [re.split(r" *\| *", line)[1:-1] for line in table.strip().splitlines()]
    for act, _, *columns in cells[2:]:
        yield act.strip("`"), dict(zip(cells[0][2:], columns, strict=True))


def is_told(cell, person):
    """Whether the cell of the table means somebody like that."""
    return any(WHOM[word](*person) for word in cell.split(", "))


def answer(room, act, role, is_in, made):
    """What the rule says of somebody like that."""
    members = {"bob": "Bob", "ann": "Ann"} if is_in else {"bob": "Bob"}
    if act == MAKE:  # nobody is in what is not there yet
        room, members = ANYWHERE._replace(policy=_asked_as(room)), {}
    room = room._replace(members=members, by="ann" if made else "bob")
    return may(Person("ann", "Ann", role=role), room, act)


def _asked_as(room):
    """What is asked of a private room is asked of none in particular."""
    return OPEN if room.policy == MEMBERS else room.policy


class ActsTests(unittest.TestCase):
    def test_the_table_says_who_may_do_what(self):
        for act, columns in rows():
            for column, cell in columns.items():
                for person in PEOPLE:
                    with self.subTest(act=act, column=column, person=person):
                        told = is_told(cell, person)
                        self.assertEqual(told, answer(ROOMS[column], act, *person))

    def test_the_table_has_every_act_that_is_about_a_room(self):
        told = [act for act, _ in rows()]
        self.assertEqual([act for act in ACTS if act not in (MUTE, BAN, APPOINT)], told)

    def test_in_a_closed_room_nobody_speaks_or_is_let_in_and_all_else_is_as_before(self):
        for room in ROOMS.values():
            closed = room._replace(policy=CLOSED, was=room.policy)
            for act, person in product(set(ACTS) - {MAKE}, PEOPLE):
                with self.subTest(act=act, room=room, person=person):
                    before = act not in (SPEAK, INVITE) and answer(room, act, *person)
                    self.assertEqual(before, answer(closed, act, *person))

    def test_where_the_maker_of_a_private_room_has_left_it_is_whoever_is_longest_in_it(self):
        room = ROOMS["private"]._replace(members={"ann": "Ann", "cat": "Cat"}, by="bob")
        for person, is_maker in (("ann", True), ("cat", False), ("bob", False)):
            self.assertEqual(is_maker, may(Person(person, role=MEMBER), room, EXPEL))

    def test_where_it_is_about_no_room_keepers_mute_and_ban_and_owners_appoint(self):
        of_keepers, of_all = {MUTE, BAN, OVERSEE}, {MAKE}
        told = {GUEST: of_all, MEMBER: of_all, KEEPER: of_all | of_keepers}
        told[OWNER] = told[KEEPER] | {APPOINT}
        for role in ROLES:
            person = Person("ann", "Ann", role=role)
            acts = {act for act in ANYWHERE_ACTS if may(person, ANYWHERE, act)}
            self.assertEqual(told[role], acts)

    def test_nobody_does_these_to_an_owner_or_a_keeper_but_an_owner(self):
        for role, other in product((KEEPER, OWNER), ROLES):
            told = role == OWNER or other not in (KEEPER, OWNER)
            self.assertEqual(told, is_above(Person("ann", role=role), other))
