"""What a tab shows of the time when nobody could look at it."""

from tests.browser.chromium import OneServerTestCase, close_all, expect

tearDownModule = close_all

LATER = "(({ now }) => (Date.now = () => now() + 3_600_000))({ now: Date.now.bind(Date) })"


class ReturnTests(OneServerTestCase):
    def test_what_came_while_the_network_was_away_is_marked(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        bob.page.context.set_offline(True)
        bob.page.locator("html[data-link=offline]").wait_for(state="attached")
        ann.send("one")
        ann.wait_for("one").send("two")
        ann.wait_for("two")
        bob.page.context.set_offline(False)
        bob.wait_for("two")
        expect(bob.page.locator(".mark.new + .message .text")).to_have_text("one")

    def test_what_comes_first_after_sleep_is_marked_and_what_comes_then_is_not(self):
        ann, user = self.tab().enter("ann"), self.user()
        user.add_init_script("window.setInterval = () => 0")  # timers that do not notice first
        bob = self.tab(user).enter("bob")
        bob.page.evaluate(LATER)
        ann.send("one")
        bob.wait_for("one")
        ann.send("two")
        bob.wait_for("two")
        expect(bob.page.locator(".mark.new + .message .text")).to_have_text("one")

    def test_what_comes_while_somebody_looks_is_not_new(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send("one")
        bob.wait_for("one")
        expect(bob.page.locator(".mark.new")).to_have_count(0)
