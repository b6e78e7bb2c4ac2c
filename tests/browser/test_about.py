"""The dialog about a room: before it is answered, where that is late, and where it is not."""

from tests.browser.chromium import PageTestCase, close_all, expect
from tests.browser.test_community import make_room, person, rooms_of, without

tearDownModule = close_all

ABOUT = "**/chat/rooms/~*"


class AboutTests(PageTestCase):
    def held(self, tab):
        """The requests about rooms, which nobody answers until they go on."""
        held = []
        tab.page.route(ABOUT, lambda route: held.append(route))
        return held

    def test_what_is_known_is_shown_at_once_and_stays_where_there_is_no_answer(self):
        ann = self.tab().enter("ann")
        make_room(ann, "Planning")
        held = self.held(ann)
        with ann.page.expect_request(ABOUT):
            ann.page.click("#room-about")
        kind, error = ann.page.locator("#about-kind"), ann.page.locator("#about-error")
        expect(ann.page.locator("#about-title")).to_have_text("Planning")
        expect(kind).to_have_text("Private: only who is in it knows of it.")
        ann.page.get_by_role("button", name="Rename").focus()
        held.pop().continue_()
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann"])
        expect(ann.page.get_by_role("button", name="Rename")).to_be_focused()
        ann.page.click("#about-close")
        with ann.page.expect_request(ABOUT):
            ann.page.click("#room-about")
        held.pop().abort()
        expect(error).to_have_text("The server does not answer. Try again in a moment.")
        expect(kind).to_have_text("Private: only who is in it knows of it.")

    def test_a_late_answer_is_not_shown_as_that_of_another_room(self):
        ann = self.tab().enter("ann")
        make_room(ann, "Planning")
        held = self.held(ann)
        with ann.page.expect_request(ABOUT):
            ann.page.click("#room-about")
        ann.page.click("#about-close")
        ann.page.get_by_role("link", name="lobby").click()
        expect(ann.page.locator("#room-title")).to_have_text("lobby")
        with ann.page.expect_response(ABOUT):
            held.pop().continue_()
        ann.page.click("#room-about")
        expect(ann.page.locator("#about-title")).to_have_text("lobby")
        expect(ann.page.locator("#about-members li")).to_have_count(0)

    def test_who_is_removed_is_known_by_the_sender(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning", "bob")
        expect(rooms_of(bob)).to_have_text(["lobby", "Planning"])
        sender = bob.page.request.get(f"{self.server.url}chat/me").json()["sender"]
        ann.page.click("#room-about")
        ann.page.get_by_role("button", name="Remove bob").click()
        with ann.page.expect_request("**/members") as asked:
            ann.page.click("#ask-do")
        self.assertEqual(sender, asked.value.post_data_json["remove"])
        expect(rooms_of(bob)).to_have_text(["lobby"])
        without(bob, 404)
