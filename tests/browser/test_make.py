"""The dialog that makes a room: asked twice, given up, asked anew, and people with commas."""

from tests.browser.chromium import PageTestCase, close_all, expect
from tests.browser.test_community import choose_in, make_room, person, rooms_of

tearDownModule = close_all

MADE = "**/chat/rooms"


def ask_for(tab, kind):
    tab.page.focus("#room-name")
    tab.page.click(f"#{kind}-make")


class MakeTests(PageTestCase):
    def held(self, tab, path=MADE):
        """The requests to make a room, which nobody answers until they go on."""
        held = []

        def hold(route):
            if route.request.method == "POST":
                held.append(route)
            else:
                route.continue_()

        tab.page.route(path, hold)
        return held

    def test_what_is_asked_for_twice_is_made_once(self):
        ann = self.tab().enter("ann")
        held = self.held(ann)
        ask_for(ann, "room")
        ann.page.fill("#make-name", "Planning")
        with ann.page.expect_request(MADE):
            ann.page.press("#make-name", "Enter")
        ann.page.press("#make-name", "Enter")
        held[0].continue_()
        expect(ann.page.locator("#room-title")).to_have_text("Planning")
        self.assertEqual(1, len(held))

    def test_what_was_given_up_takes_nobody_anywhere_and_leaves_the_next_question_alone(self):
        ann = self.tab().enter("ann")
        held = self.held(ann)
        ask_for(ann, "room")
        ann.page.fill("#make-name", "Planning")
        with ann.page.expect_request(MADE):
            ann.page.press("#make-name", "Enter")
        ann.page.click("#make-cancel")
        ask_for(ann, "direct")
        ann.page.fill("#make-people", "bo")
        held.pop().continue_()
        expect(rooms_of(ann)).to_have_text(["lobby", "Planning"])
        expect(ann.page.locator("#make-people")).to_have_value("bo")
        expect(ann.page.locator("#make-error")).to_be_empty()
        self.assertTrue(ann.page.locator("#make-dialog").is_visible())
        expect(ann.page.locator("#room-title")).to_have_text("lobby")

    def test_a_message_that_cannot_be_begun_leaves_what_is_typed_alone(self):
        ann, _ = self.tab().enter("ann"), self.tab().enter("bob")
        held = self.held(ann, "**/chat/direct")
        with ann.page.expect_request("**/chat/direct"):
            choose_in(ann, person(ann, "bob"), "Message")
        ask_for(ann, "room")
        ann.page.fill("#make-name", "Plann")
        held.pop().abort()
        line = "The server does not answer. Try again in a moment."
        expect(ann.page.locator("#notice-line")).to_have_text(line)
        expect(ann.page.locator("#make-name")).to_have_value("Plann")

    def test_a_name_that_is_known_may_have_commas(self):
        ann = self.tab().enter("ann")
        lee, bob = self.tab().enter("Lee, Ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning", "Lee, Ann", "bob")
        for tab in (lee, bob):
            expect(rooms_of(tab)).to_have_text(["lobby", "Planning"])
