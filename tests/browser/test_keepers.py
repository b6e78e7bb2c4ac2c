"""Pages of those in charge, and of whom they have to do with."""

import json
import re

from benchmarks.harness.chat import ChatServer
from tests.browser.chromium import close_all, expect
from tests.browser.test_community import KeeperCase, choose_in, person, roles_of
from tests.chatapp.command.program import run

tearDownModule = close_all


class OldMessageTests(KeeperCase):
    """An older version did not write down who sent a message."""

    def serve(self):
        server = ChatServer(app=self.options, server={"trusted_proxies": "127.0.0.1"})
        message = {"room": "lobby", "seq": 1, "nick": "Ann", "text": "long ago", "at": 1.6e9,
                   "kind": "said"}  # fmt: skip
        lines = ({"export": 1}, {"room": "lobby"}, message)
        file = server.folder / "old.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(0, run("import", file, "--ini", server.ini)[0])
        return self.enterContext(server)

    def test_it_is_said_that_its_sender_is_not_known(self):
        kim = self.signed_in("Kim").wait_for("long ago")
        choose_in(kim, kim.page.locator(".message .more"), "Who sent it")
        line = "Sent by Ann, no id known, from an unknown address."
        expect(kim.page.locator("#notice-line")).to_have_text(line)


class UndoTests(KeeperCase):
    def test_a_role_is_taken_back_to_what_it_was(self):
        known = self.signed_in("Kim")
        known.send("hello")
        known.wait_for("hello")
        run("role", "Kim", "owner", "--ini", self.server.ini)
        kim, _ = self.signed_in("Kim"), self.signed_in("Ann")
        expect(person(kim, "Ann")).to_be_visible()
        for word in ("Make member", "Make keeper"):
            choose_in(kim, person(kim, "Ann"), word)
            kim.page.click("#ask-do")
            kim.page.click("#notice-undo")
            expect(kim.page.locator("#notice-line")).to_have_text("It is as it was before.")
            kim.page.click("#deeds-open")
            expect(roles_of(kim).locator("p")).to_have_text(["Kim owner"])
            kim.page.click("#deeds-close")

    def test_a_mute_that_took_the_place_of_another_is_not_taken_back(self):
        kim, _ = self.signed_in("Kim"), self.signed_in("Ann")
        expect(person(kim, "Ann")).to_be_visible()
        line, undo = kim.page.locator("#notice-line"), kim.page.locator("#notice-undo")
        choose_in(kim, person(kim, "Ann"), "Mute")
        self.answer(kim, "#ask-field", "too loud")
        undo.click()
        expect(line).to_have_text("It is as it was before.")
        self.assertEqual(0, run("mute", "Ann", "--ini", self.server.ini)[0])
        choose_in(kim, person(kim, "Ann"), "Mute")
        self.answer(kim, "#ask-field", "too loud")
        expect(line).to_have_text("Ann is muted for an hour.")
        self.assertFalse(undo.is_visible())


class MuteTests(KeeperCase):
    def test_who_is_muted_is_told_until_when_and_why_and_speaks_again_when_it_is_over(self):
        kim, ann = self.signed_in("Kim"), self.signed_in("Ann")
        second = self.tab(ann.page.context).open().wait_connected()
        body = {"who": "Ann", "seconds": 8, "reason": "too loud"}
        answer = kim.page.request.post(f"{self.server.url}chat/mute", data=body)
        self.assertEqual(200, answer.status)
        line = re.compile(r"^You are muted until \d\d:\d\d: too loud$")
        for tab in (ann, second):
            expect(tab.page.locator("#silence")).to_have_text(line)
        self.screenshot(ann, "muted")
        for tab in (second, ann):
            expect(tab.page.locator("#silence")).to_be_hidden()
        ann.send("here again")
        kim.wait_for("here again")

    def test_it_is_asked_again_where_the_clock_of_the_browser_is_fast(self):
        kim, user = self.signed_in("Kim"), self.user(extra_http_headers={"Remote-User": "ann"})
        user.add_init_script("(({ now }) => (Date.now = () => now() + 60_000))({ now: Date.now })")
        ann = self.tab(user).open().wait_connected()
        body = {"who": "ann", "seconds": 8}
        self.assertTrue(kim.page.request.post(f"{self.server.url}chat/mute", data=body).ok)
        expect(ann.page.locator("#silence")).to_contain_text("You are muted until")
        expect(ann.page.locator("#silence")).to_be_hidden()
