"""Who may do what, unless a site says otherwise."""

import unittest

from hypothesis import assume, given
from hypothesis import strategies as st

from chatapp.community.acts import (
    ACTS,
    APPOINT,
    BAN,
    CLEAR,
    CONSOLE,
    EXPEL,
    INVITE,
    MAKE,
    MUTE,
    OVERSEE,
    READ,
    ROLES,
    SEE,
    SETTLE,
    SPEAK,
    is_above,
    may,
)
from chatapp.community.rooms import ANYWHERE, Room, new_private_name, unrecorded
from chatapp.identity.person import Person

IDS = st.sampled_from(["A", "B", "C", ""])
PEOPLE = st.builds(Person, id=IDS, role=st.sampled_from([*ROLES, "", "admin"]))
POLICIES = st.sampled_from(["open", "members", "announce", "closed"])
ROOMS = st.builds(
    Room,
    name=st.one_of(st.just("hall"), st.builds(new_private_name)),
    policy=POLICIES,
    kind=st.sampled_from(["room", "direct"]),
    members=st.dictionaries(IDS, st.just("")),
    was=st.one_of(st.just(""), POLICIES),
    by=IDS,
)
# These are about people, in whichever room.
OF_ROOMS = st.sampled_from([act for act in ACTS if act not in (MUTE, BAN, APPOINT)])


def person(role, identity="A"):
    return Person(identity, role=role)


class AlwaysTests(unittest.TestCase):
    @given(PEOPLE, ROOMS, OF_ROOMS)
    def test_nobody_does_anything_in_a_private_room_but_its_members(self, who, room, act):
        assume(room.is_private and who.id not in room.members)
        self.assertFalse(may(who, room, act))
        self.assertFalse(may(who, unrecorded(new_private_name()), act))

    @given(PEOPLE, ROOMS, OF_ROOMS)
    def test_who_may_do_anything_may_see(self, who, room, act):
        if may(who, room, act):
            self.assertTrue(may(who, room, SEE) and may(who, room, READ))

    @given(PEOPLE, ROOMS)
    def test_nobody_speaks_where_it_is_closed(self, who, room):
        self.assertFalse(may(who, room._replace(policy="closed"), SPEAK))

    @given(PEOPLE, ROOMS)
    def test_nobody_is_expelled_from_a_direct_room(self, who, room):
        room = room._replace(name=new_private_name(), kind="direct")
        self.assertFalse(may(who, room, EXPEL) or may(who, room, INVITE))

    @given(PEOPLE, ROOMS, st.sampled_from(ACTS))
    def test_a_role_that_is_more_may_do_no_less(self, who, room, act):
        allowed = [may(who._replace(role=role), room, act) for role in ROLES]
        self.assertEqual(sorted(allowed), allowed)

    @given(ROOMS, st.sampled_from(ACTS))
    def test_the_console_may_do_everything(self, room, act):
        self.assertTrue(may(CONSOLE, room, act))


class RuleTests(unittest.TestCase):
    def allowed(self, who, room):
        return {act for act in ACTS if may(who, room, act)}

    def test_an_open_room_is_everybodys_and_keepers_are_in_charge(self):
        for role in ("guest", "member"):
            self.assertEqual(
                {SEE, READ, SPEAK, MAKE}, self.allowed(person(role), Room("x", by="A"))
            )
        self.assertEqual(set(ACTS) - {APPOINT, INVITE}, self.allowed(person("keeper"), Room("x")))
        self.assertEqual(set(ACTS) - {INVITE}, self.allowed(person("owner"), Room("x")))

    def test_a_private_room_is_its_members(self):
        room = Room(new_private_name(), "members", members={"A": "", "B": ""}, by="A")
        self.assertEqual(
            {SEE, READ, SPEAK, MAKE, INVITE}, self.allowed(person("member", "B"), room)
        )
        makers = {SEE, READ, SPEAK, MAKE, INVITE, EXPEL, SETTLE, CLEAR}
        self.assertEqual(makers, self.allowed(person("guest", "A"), room))
        self.assertEqual(makers | {OVERSEE, MUTE, BAN}, self.allowed(person("keeper", "B"), room))
        self.assertEqual({MUTE, BAN}, self.allowed(person("keeper", "C"), room))

    def test_in_an_announce_room_its_members_and_keepers_speak(self):
        room = Room("news", "announce", members={"B": ""}, by="A")
        self.assertFalse(may(person("member", "C"), room, SPEAK))
        for who in (person("guest", "B"), person("keeper", "C")):
            self.assertTrue(may(who, room, SPEAK))
        self.assertTrue(may(person("member", "A"), room, INVITE))
        self.assertFalse(may(person("member", "B"), room, INVITE))
        self.assertFalse(may(person("guest", "C"), Room("", "announce"), MAKE))
        self.assertTrue(may(person("member", "C"), Room("", "announce"), MAKE))
        closed = room._replace(policy="closed", was="announce")
        self.assertTrue(may(person("member", "A"), closed, SETTLE))

    def test_keepers_are_in_charge_of_members_and_owners_of_keepers(self):
        above = {
            "guest": [],
            "member": [],
            "keeper": ["guest", "member"],
            "owner": list(ROLES),
            "console": list(ROLES),
        }
        for role, below in above.items():
            self.assertEqual(below, [each for each in ROLES if is_above(person(role), each)])
        self.assertFalse(may(person("member"), ANYWHERE, BAN))
