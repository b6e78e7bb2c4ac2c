"""The script that comes behind the page."""

from tests.browser.chromium import OneServerTestCase, close_all, expect, show_as

tearDownModule = close_all

SCRIPT = "**/later.js*"


class LaterTests(OneServerTestCase):
    def test_while_it_is_on_its_way_it_is_asked_for_once(self):
        context = self.user()
        self.tab(context).enter("ann")
        follower = self.tab(context)
        held = follower.hold(SCRIPT)
        follower.page.clock.install()
        follower.open().wait_connected()
        follower.wait_held(held)
        for _ in range(3):
            # It hears from its leader each time.
            show_as(follower, "visible")
            follower.wait_connected().page.clock.run_for(1000)
        [route] = held
        route.continue_()
        expect(follower.page.locator("#room-about")).to_be_visible()

    def test_it_is_asked_for_again_while_the_page_stays_connected(self):
        ann = self.tab()
        ann.page.route(SCRIPT, lambda route: route.abort(), times=2)
        ann.enter("ann")
        expect(ann.page.locator("#room-about")).to_be_visible()
