"""What a badge says, and to whom it counts."""

import base64
import json
import time
import unittest

from chatapp.identity.host import Host
from chatapp.identity.person import Person
from chatapp.lib.badges import Badges
from chatapp.lib.identity import Signer

ANN = Person("7", "Ann", ("staff",), "keeper")


class BadgeTests(unittest.TestCase):
    def setUp(self):
        self.signer = Signer(b"k" * 32, "badge")

    def shown(self, value, user="ann"):
        """What another process makes of it."""
        badges = Badges(Host(), self.signer)
        return badges.shown({"HTTP_COOKIE": f"badge={value}", "REMOTE_USER": user})

    def test_it_says_all_that_is_known_of_a_person(self):
        for person in (
            ANN,
            ANN._replace(rooms=("support", "Billing")),
            ANN._replace(rooms=()),
            ANN._replace(expires=time.time() + 60, rooms=("b\u00fcro",)),
        ):
            badge, value = Badges(Host(), self.signer).made(person, "ann")
            self.assertEqual(badge, self.shown(value))
            self.assertEqual(person, badge.person)
            self.assertIsNone(self.shown(value, "bob"))

    def test_one_whose_time_is_over_is_none(self):
        _, value = Badges(Host(), self.signer).made(ANN._replace(expires=time.time() - 1), "ann")
        self.assertIsNone(self.shown(value))

    def test_one_from_before_there_were_rooms_still_counts(self):
        known = base64.urlsafe_b64encode(json.dumps([*ANN[:5], "ann"]).encode()).decode()
        badge = self.shown(self.signer.sign(f"participant.{known}"))
        self.assertEqual((ANN, "ann"), badge[1:])

    def test_a_person_with_other_rights_is_another_participant_whatever_the_badge_says(self):
        badges = Badges(Host(), self.signer)
        plain = Person("7", "Ann")
        others = [
            ANN,
            ANN._replace(groups=()),
            plain._replace(groups=("staff",)),
            plain._replace(role="guest"),
            plain._replace(rooms=()),
            plain._replace(rooms=("",)),
            plain._replace(rooms=("a", "b")),
            plain._replace(rooms=("a\0b",)),
            plain._replace(groups=("a",), rooms=("b",)),
        ]
        made = {badges.participant(each) for each in [plain, *others]}
        self.assertEqual(1 + len(others), len(made))
        for same in (plain._replace(name="Anna", role="member"), plain._replace(expires=1.0)):
            self.assertEqual(badges.participant(plain), badges.participant(same))
        mixed = ANN._replace(groups=("b", "a", "b"), rooms=("y", "x"))
        ordered = ANN._replace(groups=("a", "b"), rooms=("x", "y", "y"))
        self.assertEqual(badges.participant(mixed), badges.participant(ordered))
        _, value = badges.made(ANN, "ann")
        text = value.split(".")[1]
        before = self.signer.sign(f"{badges.participant(plain)}.{text}")
        self.assertEqual(badges.participant(ANN), self.shown(before).participant)

    def test_one_without_rooms_is_read_by_a_worker_of_the_version_before(self):
        _, value = Badges(Host(), self.signer).made(ANN, "ann")
        self.assertEqual(6, len(json.loads(base64.urlsafe_b64decode(value.split(".")[1]))))
