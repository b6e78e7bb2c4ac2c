"""The list of rooms: how often it is asked for, and when again."""

import time

from tests.browser.chromium import (
    PATIENCE,
    ModuleTestCase,
    OneServerTestCase,
    close_all,
    expect,
)

tearDownModule = close_all

LISTED = "**/chat/rooms?*"
MADE = """async ({ Listing }) => {
    const { Store } = await import('/store.js');
    const link = { state: 'connected' };
    const store = new Store({ listing: [], may: [], muted: false, leading: true, link });
    window.listing = new Listing(store);
    window.done = Promise.all([1, 2, 3].map(() => listing.refresh()));
}"""


class AskingTests(ModuleTestCase):
    def setUp(self):
        super().setUp()
        self.asked = []
        self.page.route(LISTED, lambda route: self.asked.append(route))
        self.run_in("listing.js", MADE)

    def next(self):
        """The next request, which nobody answers until it goes on."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.asked:
            self.assertLess(time.monotonic(), deadline, "nothing is asked for")
            self.page.wait_for_timeout(20)
        return self.asked.pop(0)

    def test_what_is_asked_for_while_an_answer_is_on_its_way_is_asked_once_after_that(self):
        first = self.next()
        self.assertEqual([], self.asked)
        first.continue_()
        self.next().continue_()
        self.page.evaluate("done")
        self.assertEqual([], self.asked)

    def test_what_had_no_answer_is_asked_for_again(self):
        for _ in range(4):  # the second was asked for anyway
            self.next().abort()
        self.next().continue_()
        self.tabs[0].wait_until("listing.rooms.length > 0")


class ChoiceTests(OneServerTestCase):
    def test_escape_closes_the_rooms_to_choose_from(self):
        ann = self.tab().enter("ann")
        ann.page.focus("#room-name")
        choice = ann.page.locator("#room-choice")
        expect(choice).to_be_visible()
        ann.page.keyboard.press("Escape")
        expect(choice).to_be_hidden()
        expect(ann.page.locator("#room-name")).not_to_be_focused()
        ann.page.focus("#room-name")
        expect(choice).to_be_visible()
