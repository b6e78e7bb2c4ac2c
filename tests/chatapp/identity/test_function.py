"""`chat.identity = mysite.chat:who`."""

import asyncio
import json
import time
from unittest import mock

from tests.chatapp.identity import sites
from tests.chatapp.support import ChatCase, texts

HERE = "tests.chatapp.identity.sites"


def at_once(function, *arguments):
    """In the place of asyncio.to_thread, for which a clock that jumps does not wait."""

    async def called():
        return function(*arguments)

    return called()


class FunctionTests(ChatCase):
    def setUp(self):
        self.enterContext(mock.patch.object(asyncio, "to_thread", at_once))
        sites.counted.clear()

    def user(self, user):
        person = self.person()
        if user:
            person.headers["X-Site"] = user
        return person

    def test_both_kinds_of_function_say_who_asks(self):
        for name, nick in (("blocking", "Ann"), ("waiting", "ann")):
            self.start(identity=f"{HERE}:{name}")
            self.assertEqual(nick, self.user("ann").pull()["you"]["nick"])
            self.assertEqual(401, self.user("").ask("GET", "/chat/nick").status)

    def test_who_is_not_known_can_tell_that_it_is_the_chat_who_says_so(self):
        self.start(identity=f"{HERE}:blocking")
        answer = self.user("").ask("GET", "/chat/nick", Accept="application/json")
        self.assertEqual((401, ""), (answer.status, json.loads(answer.body)["login"]))

    def test_it_is_asked_once_and_again_after_a_minute_or_with_other_cookies(self):
        self.start(identity=f"{HERE}:blocking")
        ann = self.user("ann")
        ann.pull()
        for number in range(20):
            held = ann.poll()
            ann.say(f"{number}")
            self.assertEqual([f"{number}"], texts(ann.take(held)))
        self.assertEqual(1, len(sites.counted))
        ann.cookies["site"] = "another session"
        ann.ask("GET", "/chat/nick")
        self.assertEqual(2, len(sites.counted))
        later = time.time() + 61
        with mock.patch("chatapp.lib.badges.time.time", lambda: later):
            self.start(identity=f"{HERE}:blocking")
            ann.server = self.server
            ann.ask("GET", "/chat/nick")
        self.assertEqual(3, len(sites.counted))

    def test_another_user_of_the_same_browser_is_another_person(self):
        self.start(identity=f"{HERE}:blocking")
        ann = self.user("ann")
        for name in ("site", "chat_user", "chat_token_of_the_site"):
            ann.headers["X-Site"] = "ann"
            ann.cookies[name] = "ann's"
            self.assertEqual(b'{"nick":"Ann"}', ann.ask("GET", "/chat/nick").body)
            ann.cookies[name] = "bob's"
            ann.headers["X-Site"] = "bob"
            self.assertEqual(b'{"nick":"Bob"}', ann.ask("GET", "/chat/nick").body, name)

    def test_what_goes_wrong_is_written_down_and_told_in_a_line(self):
        for name, said in (("wrong", "is no chatapp.identity.person.Person"), ("broken", "away")):
            self.start(identity=f"{HERE}:{name}")
            with self.assertLogs("chatapp.lib.people", "ERROR") as logged:
                answer = self.user("ann").ask("GET", "/chat/nick")
            self.assertEqual(503, answer.status)
            self.assertIn("try again soon", json.loads(answer.body)["error"])
            self.assertIn(said, logged.output[0])

    def test_a_name_that_leads_nowhere_ends_the_start(self):
        for name in ("nowhere.at.all:who", f"{HERE}:nobody", f"{HERE}:HERE", "who"):
            with self.assertRaisesRegex(SystemExit, "chat.identity"):
                self.start(identity=name)


class ThreadTests(ChatCase):
    def test_a_plain_function_is_called_in_a_thread(self):
        sites.counted.clear()

        async def asked():
            from chatapp.identity.function import Function

            return await Function(sites.blocking).who({"HTTP_X_SITE": "ann"})

        person = asyncio.run(asked())
        self.assertEqual(("ann", "Ann", "keeper"), (person.id, person.name, person.role))
        self.assertEqual([False], sites.counted)
