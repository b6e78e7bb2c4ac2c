"""What those in charge do, as a page asks for it."""

import json

from chatapp.community.acts import CONSOLE
from chatapp.identity.person import Person as Known
from chatapp.model.message import handle
from tests.chatapp.controllers.support import CommunityCase
from tests.chatapp.support import texts


class RemovalTests(CommunityCase):
    def test_a_keeper_removes_a_message_whose_text_is_gone(self):
        self.ann.say("a secret")
        self.bob.pull()
        told = self.ask(self.kim, "/chat/remove/lobby", {"seq": 1, "reason": "spam"})
        self.assertEqual({"room": "lobby", "seq": 2}, told)
        [removal] = self.bob.pull()["messages"]
        self.assertEqual(
            ("removal", 1, "Kim", "spam"),
            tuple(removal[k] for k in ("kind", "about", "nick", "text")),
        )
        held = self.ask(self.cat, "/chat/history/lobby")["messages"]
        self.assertEqual(
            [("removed", ""), ("removal", "spam")], [(m["kind"], m["text"]) for m in held]
        )
        self.assertEqual(
            b"", self.cat.ask("GET", "/chat/pull/lobby?client=x&hold=0", Accept="text/plain").body
        )

    def test_ones_own_everybody_removes(self):
        self.ann.say("a slip", "Garden")
        self.assertIn("may not", self.error(self.bob, "/chat/remove/garden", {"seq": 1}, 403))
        self.ask(self.ann, "/chat/remove/garden", {"seq": 1})
        self.assertIn(
            "no such message", self.error(self.ann, "/chat/remove/garden", {"seq": 1}, 404)
        )
        acts = [deed["act"] for deed in self.ask(self.kim, "/chat/deeds")["deeds"]]
        self.assertEqual(["role"], acts)


class PeopleTests(CommunityCase):
    def test_who_is_muted_is_told_until_when_and_why(self):
        told = self.ask(
            self.kim, "/chat/mute", {"who": handle("ann"), "seconds": 60, "reason": "calm down"}
        )
        self.assertEqual(
            ("Ann", "member", "calm down"), (told["nick"], told["role"], told["muted"]["reason"])
        )
        self.assertIsNone(told["banned"])
        answer = self.ann.say("hello")
        self.assertEqual(403, answer.status)
        self.assertRegex(json.loads(answer.body)["error"], "^You are muted until .*: calm down$")
        self.assertEqual("calm down", self.ask(self.ann, "/chat/me")["muted"]["reason"])
        self.assertIsNone(self.ask(self.kim, "/chat/unmute", {"who": "Ann"})["muted"])
        self.assertEqual(200, self.ann.say("hello").status)
        self.assertIn("not muted", self.error(self.kim, "/chat/unmute", {"who": "Ann"}, 409))

    def test_who_is_asked_for_in_a_line(self):
        for who in ("a\nb", "a\x1b[31mb", "a\u2028b"):
            self.assertIn("who: a sender", self.error(self.kim, "/chat/mute", {"who": who}))

    def test_who_is_banned_is_out_at_once_and_back_when_it_is_over(self):
        self.settle()
        self.ann.pull()
        held = self.ann.poll()
        told = self.ask(self.kim, "/chat/ban", {"who": "Ann", "reason": "spam"})
        self.assertEqual({"until": None, "reason": "spam"}, told["banned"])
        self.server.loop.settle()
        self.assertEqual([], texts(self.ann.take(held)))
        self.assertEqual("You are banned: spam", self.error(self.ann, "/chat/nick", None, 403))
        self.assertEqual("You are banned: spam", self.error(self.ann, "/chat/rooms", None, 403))
        self.ask(self.kim, "/chat/unban", {"who": "Ann"})
        self.assertEqual(200, self.ann.say("back").status)

    def test_an_address_is_banned_with_them_but_not_ones_own(self):
        self.ann.address = self.bob.address = "127.0.0.1"
        body = {"who": "Ann", "address": True}
        self.assertIn("same address", self.error(self.kim, "/chat/ban", body, 409))

    def test_keepers_do_nothing_to_keepers_and_members_nothing_at_all(self):
        for act in ("mute", "ban", "sign-out"):
            self.assertIn("may not", self.error(self.ann, f"/chat/{act}", {"who": "Bob"}, 403))
            self.assertIn(
                "Only an owner", self.error(self.kim, f"/chat/{act}", {"who": "Kat"}, 403)
            )
        for act in ("mute", "ban"):
            self.assertIn("yourself", self.error(self.kim, f"/chat/{act}", {"who": "Kim"}, 403))
        self.ask(self.ola, "/chat/mute", {"who": "Kat"})
        self.assertIn(
            "may not", self.error(self.kim, "/chat/role", {"who": "Ann", "role": "guest"}, 403)
        )

    def test_an_owner_makes_a_keeper_who_is_one_at_once(self):
        self.settle()
        self.ann.pull()
        held = self.ann.poll()
        told = self.ask(self.ola, "/chat/role", {"who": "Ann", "role": "keeper"})
        self.assertEqual("keeper", told["role"])
        self.server.loop.settle()
        self.assertEqual(["rooms"], self.ann.take(held)["changed"])
        self.assertEqual("keeper", self.ask(self.ann, "/chat/me")["role"])
        self.ask(self.ann, "/chat/mute", {"who": "Bob"})
        self.assertEqual(
            "member", self.ask(self.ola, "/chat/role", {"who": "Ann", "role": ""})["role"]
        )
        self.assertIn(
            "A role is", self.error(self.ola, "/chat/role", {"who": "Ann", "role": "king"})
        )

    def test_how_somebody_stood_before_is_told_with_what_was_done(self):
        nothing = {"given": None, "muted": None, "banned": None}
        told = self.ask(self.kim, "/chat/mute", {"who": "Ann", "reason": "loud"})
        self.assertEqual(nothing, told["before"])
        muted = told["muted"]
        told = self.ask(self.kim, "/chat/mute", {"who": "Ann", "seconds": 60})
        self.assertEqual({**nothing, "muted": muted}, told["before"])
        told = self.ask(self.ola, "/chat/role", {"who": "Ann", "role": "guest"})
        self.assertIsNone(told["before"]["given"])
        told = self.ask(self.ola, "/chat/role", {"who": "Ann", "role": ""})
        self.assertEqual("guest", told["before"]["given"])
        self.ask(self.kim, "/chat/unmute", {"who": "Ann"})
        told = self.ask(self.kim, "/chat/ban", {"who": "Ann", "reason": "spam"})
        banned = told["banned"]
        self.assertEqual(nothing, told["before"])
        told = self.ask(self.kim, "/chat/unban", {"who": "Ann"})
        self.assertEqual({**nothing, "banned": banned}, told["before"])

    def test_who_is_known_elsewhere_is_not_signed_out_here(self):
        self.assertIn("elsewhere", self.error(self.kim, "/chat/sign-out", {"who": "Ann"}, 404))

    def test_nobody_learns_who_is_here_by_acts_that_they_may_not_do(self):
        for who in ("Bob", "Nobody"):
            line = self.error(self.ann, "/chat/mute", {"who": who}, 403)
            self.assertEqual("You may not do that here.", line)
        self.assertIn(
            "nobody called Nobody", self.error(self.kim, "/chat/mute", {"who": "Nobody"}, 404)
        )

    def test_bad_input_gets_a_line(self):
        for act in ("mute", "unmute", "ban", "unban", "sign-out", "role"):
            for body in ({}, {"who": 1}, {"who": ""}, {"who": "x" * 65}, {"who": "a\0"}, [], "x"):
                self.error(self.ola, f"/chat/{act}", body)
        for act in ("mute", "ban"):
            for wrong in (
                {"seconds": "1"},
                {"seconds": True},
                {"seconds": 0},
                {"seconds": 1e300},
                {"reason": 1},
                {"reason": "x" * 201},
                {"reason": "a\u0007"},
            ):
                self.error(self.kim, f"/chat/{act}", {"who": "Ann", **wrong})
        self.error(self.kim, "/chat/ban", {"who": "Ann", "address": "yes"})
        for act in ("mute", "unmute", "ban", "unban", "sign-out", "role"):
            for reason in (1, "x" * 201):
                body = {"who": "Ann", "role": "guest", "reason": reason}
                self.assertIn("reason: a text", self.error(self.ola, f"/chat/{act}", body))
        for body in (
            {},
            {"seq": "1"},
            {"seq": 0},
            {"seq": True},
            {"seq": 2**60},
            {"seq": 1, "reason": []},
        ):
            self.error(self.kim, "/chat/remove/lobby", body)
        for path in ("/chat/deeds?before=0", "/chat/deeds?before=x", "/chat/message/lobby/x"):
            self.error(self.kim, path)


class StandingTests(CommunityCase):
    def test_who_is_muted_and_banned_and_was_given_a_role_is_told_to_keepers(self):
        self.ask(self.kim, "/chat/mute", {"who": "Bob", "seconds": 60, "reason": "loud"})
        self.done(self.globals.keeping.ban(CONSOLE, Known("cat", "Cat"), None, "192.0.2.7", "spam"))
        told = self.ask(self.kim, "/chat/standings")
        self.assertFalse(told["more"])
        cat, bob, ola = told["people"]
        banned = {"until": None, "reason": "spam", "addresses": ["192.0.2.7"]}
        self.assertEqual(
            {"sender": handle("cat"), "nick": "Cat", "role": "member", "muted": None,
             "banned": banned, "given": None, "deed": 3},
            cat,
        )  # fmt: skip
        self.assertEqual(
            ("Bob", "loud", None), (bob["nick"], bob["muted"]["reason"], bob["banned"])
        )
        self.assertGreater(bob["muted"]["until"], 0)
        self.assertEqual(("Ola", "owner", "owner"), (ola["nick"], ola["role"], ola["given"]))
        older = self.ask(self.kim, "/chat/standings?before=3")
        self.assertEqual([bob, ola], older["people"])
        self.ask(self.kim, "/chat/unban", {"who": cat["sender"]})
        self.assertEqual([bob, ola], self.ask(self.kim, "/chat/standings")["people"])

    def test_to_others_nothing_is_told(self):
        self.assertIn("may not", self.error(self.ann, "/chat/standings", None, 403))
        for before in ("0", "x", "-1"):
            self.error(self.kim, f"/chat/standings?before={before}")

    def test_there_are_a_hundred_at_once(self):
        keeping = self.globals.keeping
        for number in range(101):
            self.done(keeping.mute(CONSOLE, Known(f"p{number}")))
        told = self.ask(self.kim, "/chat/standings")
        self.assertEqual((100, True), (len(told["people"]), told["more"]))
        rest = self.ask(self.kim, f"/chat/standings?before={told['people'][-1]['deed']}")
        self.assertEqual([handle("p0"), handle("ola")], [each["sender"] for each in rest["people"]])
        self.assertFalse(rest["more"])

    def test_who_is_not_known_any_more_is_shown_and_let_in_again_by_the_sender(self):
        gone = handle("gone")
        self.done(self.globals.keeping.ban(CONSOLE, Known("gone")))
        self.assertIsNone(self.ask(self.kim, "/chat/standings")["people"][0]["nick"])
        eve = self.user("eve", gone)  # called as the other's sender is
        eve.pull()
        told = self.ask(self.kim, "/chat/unban", {"who": gone})
        self.assertEqual((gone, None, None), (told["sender"], told["nick"], told["banned"]))
        self.assertEqual(handle("eve"), self.ask(self.kim, "/chat/mute", {"who": gone})["sender"])


class DeedTests(CommunityCase):
    def test_what_was_done_is_for_keepers(self):
        self.ann.say("a secret")
        self.ask(self.kim, "/chat/remove/lobby", {"seq": 1, "reason": "spam"})
        self.ask(self.kim, "/chat/ban", {"who": "Bob", "seconds": 60})
        told = self.ask(self.kat, "/chat/deeds")
        acts = [
            (deed["number"], deed["name"], deed["act"], deed["whom_name"]) for deed in told["deeds"]
        ]
        self.assertEqual(
            [(3, "Kim", "ban", "Bob"), (2, "Kim", "clear", "Ann"), (1, "console", "role", "Ola")],
            acts,
        )
        self.assertEqual(
            ("lobby", 1, "spam"), tuple(told["deeds"][1][k] for k in ("room", "seq", "reason"))
        )
        self.assertFalse(told["more"])
        self.assertEqual(handle("bob"), told["deeds"][0]["whom"])
        self.assertEqual(
            [1], [deed["number"] for deed in self.ask(self.kim, "/chat/deeds?before=2")["deeds"]]
        )
        self.assertIn("may not", self.error(self.ann, "/chat/deeds", None, 403))

    def test_the_reason_of_each_act_is_written_down(self):
        self.made(self.kim, "Ann", policy="announce", title="News")
        acts = [
            ("rooms/News/members", {"add": "Bob", "reason": "writes well"}),
            ("rooms/News/members", {"remove": "Bob", "reason": "writes ill"}),
            ("rooms/News", {"title": "The news", "reason": "clearer"}),
            ("mute", {"who": "Ann", "reason": "loud"}),
            ("unmute", {"who": "Ann", "reason": "sorry"}),
            ("ban", {"who": "Ann", "reason": "spam"}),
            ("unban", {"who": "Ann", "reason": "promised"}),
            ("role", {"who": "Ann", "role": "guest", "reason": "new here"}),
        ]
        for path, body in acts:
            self.ask(self.ola, f"/chat/{path}", body)
        deeds = self.ask(self.ola, "/chat/deeds")["deeds"][: len(acts)]
        self.assertEqual([body["reason"] for _, body in acts][::-1], [d["reason"] for d in deeds])

    def test_who_is_behind_a_message_is_for_keepers(self):
        self.ann.say("hello")
        told = self.ask(self.kim, "/chat/message/lobby/1")
        self.assertEqual(("ann", "127.0.0.1", "hello"), (told["id"], told["address"], told["text"]))
        self.assertIn("may not", self.error(self.bob, "/chat/message/lobby/1", None, 403))
        self.assertIn("no such message", self.error(self.kim, "/chat/message/lobby/9", None, 404))
