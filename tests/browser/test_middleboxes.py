"""The page behind what stands between people and a server: nothing is lost, nothing comes twice,
nothing floods, and what is on the screen is true."""

import itertools
import json
import time

from tests.browser.chromium import OneServerTestCase, close_all, expect
from tests.support.middlebox import (
    Middlebox,
    answering,
    below,
    caching,
    compressing,
    cutting,
    mixed,
    page,
    straight,
    without_cookies_in,
    without_cookies_out,
)

tearDownModule = close_all

BAD = page(502, "Bad Gateway")
JSON = "application/json"
LOGIN = b"<!DOCTYPE html><title>Sign in</title><h1>Welcome to our Wi-Fi</h1>"
SECONDS = 10
MOST = 2 * SECONDS  # requests of a tab in that time
CLAIMS = 10_000  # ms of the page's clock, after which it claims its nick again


class MiddleboxTests(OneServerTestCase):
    options = {"chat.poll_timeout": 3, "chat.lease": 5}

    def setUp(self):
        super().setUp()
        self.box = self.enterContext(Middlebox(self.server.port))
        self.bob = self.tab().enter("bob")

    def behind(self, way=None, path=""):
        """A tab of a new user behind the box, which goes its way."""
        if way is not None:
            self.box.way = way
        tab = self.tab()
        tab.page.clock.install()
        tab.url = self.box.url + path
        self.began = time.monotonic()
        return tab

    def talk(self, ann):
        """Each of ann and bob says something that the other hears, once."""
        for number in range(2):
            self.bob.send(f"{number} from bob")
            ann.wait_for(f"{number} from bob").send(f"{number} from ann")
            self.bob.wait_for(f"{number} from ann")
        ann.wait_for("1 from ann")
        said = [f"{who}: {n} from {who}" for n in range(2) for who in ("bob", "ann")]
        self.assertEqual(said, ann.transcript())
        self.assertEqual(said, self.bob.transcript())
        self.assertLessEqual(self.box.rate(self.began, SECONDS), MOST)
        ann.errors = [line for line in ann.errors if "status of " not in line]

    def say_so(self, ann, way, state, line):
        """What the page says behind a box that goes this way; then the box behaves."""
        expect(ann.page.locator("#room-about")).to_be_visible()  # the page is there as a whole
        self.box.way = way
        self.began = time.monotonic()
        self.bob.send("before")  # ends the poll that is held, which goes the old way
        ann.page.locator(f"html[data-link={state}]").wait_for(state="attached")
        expect(ann.page.locator("#link-line")).to_contain_text(line)
        ann.send("said behind it")
        waiting = ann.page.locator(".message.waiting, .message.sending")
        expect(waiting).to_have_count(1)
        self.bob.send("meanwhile")
        ann.page.clock.run_for(CLAIMS)
        ann.page.wait_for_timeout(300)
        expect(waiting).to_have_count(1)
        self.assertLessEqual(self.box.rate(self.began, SECONDS), MOST)
        self.box.way = straight
        # It may have tried by itself meanwhile, and hidden the button.
        ann.page.evaluate("document.getElementById('link-retry').click()")
        ann.wait_connected()
        # Who was without a cookie for longer than a lease is another one now, and claims the name
        # until the server has forgotten the first.
        deadline = time.monotonic() + 30
        while state == "cookies" and waiting.count() and time.monotonic() < deadline:
            ann.page.clock.run_for(CLAIMS)
            ann.page.wait_for_timeout(200)
        self.bob.send("after")
        ann.wait_for("said behind it").wait_for("meanwhile").wait_for("after")
        self.bob.wait_for("said behind it").wait_for("after")
        said = {"bob: before", "ann: said behind it", "bob: meanwhile", "bob: after"}
        self.assertEqual((said, 4), (set(ann.transcript()), len(ann.transcript())))
        self.assertEqual(ann.transcript(), self.bob.transcript())
        expect(ann.page.locator("#link")).to_be_hidden()
        ann.errors = [line for line in ann.errors if "status of " not in line]

    def test_a_cache_that_heeds_no_header(self):
        self.talk(self.behind(caching()).enter("ann"))

    def test_one_that_compresses(self):
        self.talk(self.behind(compressing).enter("ann"))

    def test_one_that_has_the_chat_below_a_prefix_and_does_not_say_so(self):
        ann = self.behind(below("/team"), "team/").enter("ann", self.room)
        self.talk(ann)
        self.assertEqual([], [path for _, path in self.box.seen if not path.startswith("/team/")])

    def test_one_that_cuts_whatever_waits(self):
        ann = self.behind(cutting(self.box, 1.5)).enter("ann")
        self.talk(ann)

    def test_every_third_answer_is_lost(self):
        ann = self.behind().enter("ann")
        self.box.way = mixed(lambda _request, _forward: BAD, 3)
        self.talk(ann)

    def test_every_third_answer_is_lost_after_it_was_given(self):
        def lose(request, forward):
            forward(request)
            return BAD

        ann = self.behind().enter("ann")
        self.box.way = mixed(lose, 3)
        self.talk(ann)

    def test_a_page_to_sign_in_on(self):
        ann = self.behind().enter("ann")
        self.say_so(ann, answering(200, LOGIN), "waiting", "Something between you and the chat")

    def test_a_way_to_a_page_to_sign_in_on(self):
        def send_away(request, _forward):
            if request.path.startswith("/login"):
                return answering(200, LOGIN)(request, _forward)
            return answering(302, b"", headers={"Location": "/login"})(request, _forward)

        ann = self.behind().enter("ann")
        self.say_so(ann, send_away, "waiting", "Something between you and the chat")

    def test_json_that_is_not_the_chat_s(self):
        ann = self.behind().enter("ann")
        expect(ann.page.locator("#room-about")).to_be_visible()  # the page is there as a whole
        for number, other in enumerate(({}, [], {"ok": True}, {"messages": "x"}, {"seq": None})):
            self.box.way = answering(200, json.dumps(other).encode(), JSON)
            self.bob.send(f"before {number}")
            ann.page.locator("html[data-link=waiting]").wait_for(state="attached")
            ann.send(f"number {number}")
            expect(ann.page.locator(".message.waiting, .message.sending")).to_have_count(1)
            expect(ann.page.locator(".fate")).to_contain_text("Not sent yet.")
            self.box.way = straight
            ann.page.evaluate("document.getElementById('link-retry').click()")
            ann.wait_connected()
            self.bob.wait_for(f"number {number}")
        said = [(f"bob: before {number}", f"ann: number {number}") for number in range(5)]
        self.assertEqual(list(itertools.chain(*said)), self.bob.transcript())

    def test_a_proxy_without_its_server(self):
        ann = self.behind().enter("ann")
        self.say_so(ann, lambda _request, _forward: BAD, "waiting", "Connection lost.")

    def test_what_the_chat_says_of_why_it_cannot_serve_is_shown(self):
        ann = self.behind().enter("ann")
        for status, line in ((503, "The chat is full."), (429, "Too many tabs.")):
            self.box.way = answering(status, json.dumps({"error": line}).encode(), JSON)
            expect(ann.page.locator("#link-line")).to_have_text(line)
        ann.errors = [line for line in ann.errors if "status of " not in line]

    def test_one_that_dislikes_a_text(self):
        def dislike(request, forward):
            if b"DROP TABLE" in request.body:
                return page(403, "Forbidden")
            return forward(request)

        ann = self.behind(dislike).enter("ann")
        ann.send("DROP TABLE people")
        for text in ("one", "two"):
            ann.send(text)
        for _ in range(4):  # tries, and the delays between them
            ann.page.clock.run_for(1000)
            ann.page.wait_for_timeout(200)
        failed = ann.page.locator(".message.failed")
        expect(failed.locator(".fate span")).to_have_text(
            "Not sent. Something between you and the chat refuses it (403)."
        )
        expect(failed.locator(".text")).to_have_text("DROP TABLE people")
        self.bob.wait_for("two")
        pushes = [path for _, path in self.box.seen if "/chat/push" in path]
        self.assertEqual(4 + 2, len(pushes))
        ann.page.locator("html[data-link=connected]").wait_for(state="attached")
        self.box.way = straight
        failed.get_by_role("button", name="Try again").click()
        self.bob.wait_for("DROP TABLE people")
        ann.wait_for("DROP TABLE people")
        expect(failed).to_have_count(0)
        said = ["ann: one", "ann: two", "ann: DROP TABLE people"]
        self.assertEqual((said, said), (ann.transcript(), self.bob.transcript()))
        self.assertLessEqual(self.box.rate(self.began, SECONDS), MOST)
        ann.errors = [line for line in ann.errors if "status of 403" not in line]

    def test_cookies_that_do_not_come_in(self):
        ann = self.behind().enter("ann")
        self.say_so(ann, without_cookies_in, "cookies", "This chat needs cookies")

    def test_cookies_that_never_come(self):
        for nick, way in (("ann", without_cookies_in), ("eve", without_cookies_out)):
            tab = self.behind(way).open()
            tab.choose(nick)
            for number in range(2):
                # The next poll, which is held, shows that no cookie comes.
                tab.wait_connected()
                self.bob.send(f"{number} for {nick}")
                tab.page.locator("html[data-link=cookies]").wait_for(state="attached")
                expect(tab.page.locator("#nick-dialog")).to_be_hidden()
                expect(tab.page.locator("#link-line")).to_contain_text("needs cookies")
                self.assertLessEqual(self.box.rate(self.began, SECONDS), MOST)
                tab.page.reload()
            expect(self.bob.people()).to_have_text(["bob"])
            tab.page.close()
            tab.errors = [line for line in tab.errors if "status of 409" not in line]
