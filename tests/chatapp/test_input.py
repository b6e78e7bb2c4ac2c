"""What strangers may send: a clear status, one readable line, and the chat goes on."""

import json
from unicodedata import normalize
from urllib.parse import quote

from chatapp.live.cursor import Cursor
from tests.chatapp.scripts import NAMES
from tests.chatapp.support import ChatCase, texts


class InputCase(ChatCase):
    def setUp(self):
        self.start(max_message=100)
        self.ann = self.joined("ann")

    def tearDown(self):
        self.assertEqual(200, self.ann.say("still here").status)

    def refused(self, status, method, path, body=b"", **headers):
        answer = self.ann.ask(method, path, body, **headers)
        self.assertEqual(status, answer.status, answer.body)
        line = json.loads(answer.body)["error"]
        self.assertRegex(line, r"^[^\n]{5,200}$")
        return answer, line

    def refused_json(self, status, body, room="lobby"):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        path = f"/chat/push/{room}"
        return self.refused(status, "POST", path, content, Content_Type="application/json")[1]


class PushTests(InputCase):
    def test_a_body_that_is_not_json(self):
        for body in (b"{", b"nope", b"", b"\xff", b'{"text": "a"', b"[" * 500):
            self.assertIn("JSON", self.refused_json(400, body))

    def test_json_of_the_wrong_types(self):
        for body in ([], "text", 5, None, {}, {"text": 5}, {"text": None}, {"text": ["a"]}):
            self.refused_json(400, body)

    def test_a_bad_nonce(self):
        for nonce in (5, "", "a b", "x" * 65, ["n"], {"n": 1}, "é"):
            self.assertIn("nonce", self.refused_json(400, {"text": "hi", "nonce": nonce}))

    def test_a_nonce_with_another_text(self):
        self.assertEqual(200, self.ann.say("hi", nonce="n1").status)
        self.assertEqual(b'{"room":"lobby","seq":1}', self.ann.say("hi", nonce="n1").body)
        self.assertIn("n1", self.refused_json(409, {"text": "ho", "nonce": "n1"}))

    def test_an_empty_message(self):
        for text in ("", "   ", "\n\t \r\n"):
            self.assertIn("empty", self.refused_json(400, {"text": text}))
        self.refused(400, "POST", "/chat/push", b"")

    def test_a_body_that_is_not_utf8(self):
        _, line = self.refused(400, "POST", "/chat/push", b"caf\xe9")
        self.assertIn("UTF-8", line)

    def test_lone_surrogates_and_nul(self):
        self.refused_json(400, rb'{"text": "\ud800"}')
        self.refused_json(400, rb'{"text": "a\u0000b"}')

    def test_a_message_in_which_there_is_nothing_to_see(self):
        for text in (
            "",
            " \n",
            "\u3164",
            "\u200b\u2060",
            "\u2800 \u115f",
            "\ufe0f\U000e0100",
            "\x01",
        ):
            line = self.refused_json(400, {"text": text})
            self.assertEqual("The message is empty.", line)
        self.assertEqual(200, self.ann.say("\u200b.").status)

    def test_a_message_over_the_limit(self):
        self.assertEqual(200, self.ann.say("é" * 100).status)
        self.assertIn("101", self.refused_json(413, {"text": "é" * 101}))
        self.refused(413, "POST", "/chat/push", b"x" * 101)

    def test_a_body_of_ten_megabytes(self):
        self.refused(413, "POST", "/chat/push", b"x" * 10_000_000)

    def test_room_names_with_control_characters(self):
        for room in ("a%0Ab", "a%00b", "a%7Fb", "%E2%80%AE", "%C2%85", "a%0D%0AX-Header:%20b"):
            self.assertIn("room", self.refused_json(400, {"text": "hi"}, room).lower())
            self.refused(400, "GET", f"/chat/pull/{room}")

    def test_room_names_with_slashes(self):
        for room in ("a%2Fb", "a/b", "..%2F..%2Fetc%2Fpasswd", "%2F"):
            self.refused_json(404, {"text": "hi"}, room)
            self.refused(404, "GET", f"/chat/pull/{room}")
        self.refused_json(400, {"text": "hi"}, "a%5Cb")

    def test_other_room_names(self):
        for room in ("a%20b", "x" * 65, "a%22", "%3Cb%3E", "a:b"):
            self.assertIn("room", self.refused_json(400, {"text": "hi"}, room).lower())
        self.refused(400, "GET", "/chat/pull/a,,b")
        for path in ("/chat/pull/%FF", "/chat/people/%ff", "/chat/history/%FF", "/%FF"):
            self.assertIn("not UTF-8", self.refused(400, "GET", path)[1])
        for room in ("\u3164", "\u115f\u1160", "\u0301a", "\u093e", "\u200d", "\u2800"):
            self.refused_json(400, {"text": "hi"}, quote(room))
        for room in ("a.b-c_d", "%C3%A9t%C3%A9", "x" * 64, "%E6%97%A5%E6%9C%AC"):
            self.assertEqual(200, self.ann.say("hi", room).status)

    def test_room_names_of_every_script(self):
        for name in NAMES.values():
            composed = normalize("NFC", name)
            pushed = json.loads(self.ann.say("hi", name).body)
            self.assertEqual({"room": composed, "seq": 1}, pushed)
            held = json.loads(self.ann.ask("GET", f"/chat/history/{quote(name)}").body)
            self.assertEqual(["hi"], texts(held))
            ann = self.person("other", quote(name))
            self.assertEqual([composed], list(ann.pull()["people"]))


class UrlTests(InputCase):
    def since(self, text):
        return self.refused(400, "GET", f"/chat/pull?since={text}&client=tab")[1]

    def test_a_since_that_is_no_cursor(self):
        for text in ("x", "%00", "W10", "bnVsbA", "%C3%A9", ""):
            self.assertIn("since", self.since(text))

    def test_a_cursor_of_the_wrong_types(self):
        for seq in ("1", 1.5, None, [1], True):
            self.assertIn("since", self.since(Cursor("e", {"lobby": seq}).encode()))

    def test_huge_and_negative_numbers_in_since(self):
        for seq in (2**53, 2**63, 2**64 - 1, -1):
            self.assertIn("no message", self.since(Cursor("e", {"lobby": seq}).encode()))
        self.since("9" * 20)

    def test_a_url_that_is_too_long(self):
        answer = self.ann.begin("GET", f"/chat/pull?since={'a' * 9000}&client=tab")
        self.assertEqual(414, answer.status)
        self.assertRegex(answer.body, rb"\A[^\n]+8190[^\n]+\n\Z")

    def test_an_unknown_epoch_is_a_gap_and_no_error(self):
        self.ann.cursor = Cursor("gone", {"lobby": 5}).encode()
        self.assertEqual("recreated", self.ann.pull()["gap"]["reason"])

    def test_too_many_rooms_in_a_poll(self):
        rooms = [f"room{n}" for n in range(102)]
        answer, line = self.refused(400, "GET", f"/chat/pull/{','.join(rooms)}")
        self.assertEqual("One poll takes at most 100 rooms.", line)
        self.assertEqual("room100", json.loads(answer.body)["room"])
        answer, again = self.refused(
            400, "POST", "/chat/pull", json.dumps({"rooms": rooms}).encode()
        )
        self.assertEqual(line, again)
        self.assertEqual("room100", json.loads(answer.body)["room"])

    def test_a_refusal_names_the_room_as_it_was_written(self):
        for name in ("a b", "\N{ANGSTROM SIGN} ", "e\u0301!", "\u0958\0", "x" * 65, ""):
            written = quote(name)
            cursor = self.ann.cursor
            answers = [
                self.refused(400, "GET", f"/chat/pull/lobby,{written}?since={cursor}"),
                self.refused(400, "GET", f"/chat/pull/lobby,{written}"),
                self.refused(
                    400, "POST", "/chat/pull", json.dumps({"rooms": ["lobby", name]}).encode()
                ),
            ]
            if name:
                answers.append(self.refused(400, "POST", f"/chat/push/{written}", b"hi"))
            for answer, _ in answers:
                self.assertEqual(name, json.loads(answer.body)["room"])
        answer, _ = self.refused(400, "GET", "/chat/pull?since=bad")
        self.assertNotIn("room", json.loads(answer.body))

    def test_polls_in_a_body_that_cannot_be_taken(self):
        for body in (
            {"rooms": []},
            {"rooms": "lobby"},
            {"rooms": [1]},
            {"rooms": {"lobby": 1}},
            {"since": 5},
            {"since": "bad"},
            {"since": ["a"]},
            {"client": 5},
            {"client": ""},
            {"hold": 1},
            {"hold": True},
            {"hold": "no"},
            [],
            "lobby",
        ):
            self.refused(400, "POST", "/chat/pull", json.dumps(body).encode())
        self.refused(400, "POST", "/chat/pull", b"rooms=lobby")
        self.refused(400, "GET", "/chat/pull?hold=1")
        self.refused(413, "POST", "/chat/pull", b" " * 200_000)
        self.refused(403, "POST", "/chat/pull", b"{}", Sec_Fetch_Site="cross-site")

    def test_client_tokens(self):
        for tab in ("", "a b", "x" * 65, "%E9", "a/b"):
            self.refused(400, "GET", f"/chat/pull?client={tab.replace(' ', '%20')}")

    def test_a_negative_limit(self):
        for limit in (-1, -(2**63)):
            _, line = self.refused(400, "GET", f"/chat/history/lobby?limit={limit}")
            self.assertIn("limit", line)

    def test_other_limits(self):
        for limit in ("0", "x", "201", "%D9%A1", "", "1e2", "9" * 30):
            self.refused(400, "GET", f"/chat/history/lobby?limit={limit}")

    def test_where_history_cannot_begin(self):
        for before in ("-1", "0", "1e3", "9" * 30, ""):
            _, line = self.refused(400, "GET", f"/chat/history/lobby?before={before}")
            self.assertIn("before", line)

    def test_unknown_paths_and_methods(self):
        self.refused(404, "GET", "/chat/nowhere/at/all")
        self.refused(404, "GET", "/nothing")
        answer, _ = self.refused(405, "DELETE", "/chat/push/lobby")
        self.assertEqual("POST", answer.header("Allow"))
        answer, _ = self.refused(405, "PUT", "/chat/pull", b"x")
        self.assertEqual("GET, HEAD, POST", answer.header("Allow"))

    def test_an_error_is_a_line_of_text_where_json_is_not_accepted(self):
        answer = self.ann.ask("GET", "/nothing", Accept="*/*")
        self.assertEqual((404, b"There is nothing here.\n"), (answer.status, answer.body))
        answer = self.ann.ask("GET", "/nothing", Accept="text/html")
        self.assertIn(b"<h1>There is nothing here.</h1>", answer.body)


class NickTests(InputCase):
    def rename(self, person, nick):
        return person.post("/chat/nick", {"nick": nick})

    def test_bad_nicks(self):
        for nick in (
            "",
            "  ",
            "x" * 33,
            "a\nb",
            "\u202eevil",
            "\u200d",
            5,
            None,
            ["a"],
            "\x7f",
            "--",
            "\u3164",
            "\u2800",
            "\u115f\u1160",
            "\U00013441",
            "\ufe0f\u034f",
        ):
            self.assertEqual(400, self.rename(self.ann, nick).status, repr(nick))

    def test_good_nicks(self):
        for nick in ("ann", "Ann Lee", "日本", "O'Brien", "<b>ann</b>", "x" * 32, *NAMES.values()):
            self.assertEqual(200, self.rename(self.ann, nick).status, repr(nick))
        self.assertEqual("Ann Lee", json.loads(self.rename(self.ann, " Ann   Lee ").body)["nick"])

    def test_a_nick_that_somebody_has_is_refused_whatever_its_form(self):
        bob = self.joined("bob")
        for nick in (
            "ann", "ANN", "\uff41nn", "a\u200dnn", "\u0430nn", "ann\u3164", "an\u0578", "ann\u2800",
            "ann\U000e0100",
        ):  # fmt: skip
            answer = self.rename(bob, nick)
            self.assertEqual(409, answer.status, repr(nick))
            line = json.loads(answer.body)["error"]
            like = "ann" if nick == "ann" else f"{nick} looks like ann, which"
            self.assertEqual(f"The name {like} is taken; choose another.", line)
        self.assertEqual(b'{"nick":"bob"}', bob.ask("GET", "/chat/nick").body)

    def test_a_nick_is_free_again_when_its_owner_has_left(self):
        self.pass_time(100)
        bob = self.joined("bob")
        self.assertEqual(200, self.rename(bob, "ann").status)
        news = self.ann.pull()
        self.assertRegex(news["you"]["nick"], "^guest-[0-9a-f]{4}$")

    def test_a_nick_is_kept_in_the_session(self):
        self.pass_time(100)
        again = self.person()
        again.cookies = dict(self.ann.cookies)
        you = again.pull()["you"]
        self.assertEqual(("ann", True), (you["nick"], you["cookie"]))


class LimitTests(ChatCase):
    def test_pushes_are_limited_and_polls_are_not(self):
        self.start(push_rate=2, push_burst=3)
        ann = self.joined("ann")
        self.assertEqual([200, 200, 200, 429], [ann.say("hi").status for _ in range(4)])
        refused = ann.say("hi")
        self.assertEqual("1", refused.header("Retry-After"))
        for _ in range(20):
            self.assertEqual(200, ann.poll().status or 200)
        self.pass_time(1)
        self.assertEqual([200, 200, 429], [ann.say("hi").status for _ in range(3)])

    def test_a_new_session_for_each_push_is_limited_by_address(self):
        self.start(push_rate=2, push_burst=3)
        statuses = [self.person().say("hi").status for _ in range(5)]
        self.assertEqual([200, 200, 200, 429, 429], statuses)

    def test_clients_of_a_session_are_limited(self):
        self.start(max_clients_per_session=3)
        ann = self.joined("ann")
        held = []
        for number in range(3):
            ann.tab = f"t{number}"
            ann.cursor = None
            ann.pull()
            held.append(ann.poll())
        self.settle()
        for number, answer in enumerate(held):
            ann.tab = f"t{number}"
            ann.take(answer) if answer.look().done else None
            held[number] = ann.poll()
        ann.tab, ann.cursor = "t4", None
        self.assertEqual(429, ann.poll().status)
        held[0].hang_up()
        self.settle()
        self.assertEqual(200, ann.poll().status)

    def test_a_full_chat_says_so(self):
        self.start(max_clients=2)
        self.joined("ann"), self.joined("bob")
        eve = self.person()
        eve.ask("GET", "/chat/nick")
        answer = eve.poll()
        self.assertEqual((503, "5"), (answer.status, answer.header("Retry-After")))
