"""Rooms, messages and nicks in forty scripts, as the page shows them."""

import json
from unicodedata import normalize
from urllib.parse import quote

from tests.browser.chromium import OneServerTestCase, close_all, expect
from tests.chatapp.scripts import NAMES

tearDownModule = close_all

COMPOSED = [normalize("NFC", name) for name in NAMES.values()]  # as the server calls them


class ScriptTests(OneServerTestCase):
    options = {"chat.push_rate": 0, "chat.address_push_rate": 0}

    def test_rooms_and_messages_are_shown_again_as_they_were_written(self):
        ann = self.tab().enter("ann")
        for name in NAMES.values():
            ann.page.fill("#room-name", name)
            ann.page.press("#room-name", "Enter")
            expect(ann.page.locator("#composer-text")).to_have_value("")
            ann.send(name)
        expect(ann.page.locator("#room-list bdi")).to_have_text([self.room, *COMPOSED])
        ann.page.reload()
        ann.wait_connected()
        for (script, name), room in zip(NAMES.items(), COMPOSED, strict=True):
            with self.subTest(script):
                ann.page.click(f"#room-list a >> nth={1 + COMPOSED.index(room)}")
                expect(ann.page.locator("h1")).to_have_text(room)
                ann.wait_for(name)
                self.assertIn(f"ann: {name}", ann.transcript())

    def test_a_link_opens_the_room_that_it_names_decomposed(self):
        bob = self.tab()
        for room in COMPOSED:
            bob.page.request.post(f"{bob.url}chat/push/{quote(room)}", data=f"in {room}")
        bob.enter("bob")
        for script, name in NAMES.items():
            with self.subTest(script):
                written = quote(normalize("NFD", name))
                bob.page.evaluate(f"location.hash = {json.dumps(written)}")
                room = normalize("NFC", name)
                expect(bob.page.locator("h1")).to_have_text(room)
                bob.wait_for(f"in {room}")

    def test_a_nick_is_shown_to_others_as_it_was_chosen(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        for script, name in NAMES.items():
            with self.subTest(script):
                ann.page.click("#nick-change")
                ann.choose(name)
                nick = normalize("NFC", name)
                expect(ann.page.locator("#me-nick")).to_have_text(nick)
                expect(bob.people()).to_have_text(["bob", nick])
        ann.page.reload()
        expect(ann.page.locator("#me-nick")).to_have_text(COMPOSED[-1])
