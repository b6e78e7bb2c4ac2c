from tests.browser.chromium import PATIENCE, PageTestCase


class TabsOfOneBrowserTests(PageTestCase):
    def test_ten_tabs_hold_one_request(self):
        context = self.user()
        tabs = [self.tab(context).enter("ann")]
        tabs += [self.tab(context).open().wait_connected() for _ in range(9)]
        other = self.tab().enter("bob")
        other.send("to all of you")
        for tab in tabs:
            tab.wait_for("to all of you")
        self.assertEqual(1, sum(tab.polls for tab in tabs))
        self.assertEqual([["bob: to all of you"]] * 10, [tab.transcript() for tab in tabs])

    def test_two_tabs_and_another_browser_show_the_same(self):
        context = self.user()
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        other = self.tab().enter("bob")
        for number in range(5):
            for tab in (first, second, other):
                tab.send(f"{number} from {self.tabs.index(tab)}")
        for tab in self.tabs:
            for index in range(3):
                tab.wait_for(f"4 from {index}")
        self.assertEqual(15, len(other.transcript()))
        self.assertEqual(other.transcript(), first.transcript())
        self.assertEqual(other.transcript(), second.transcript())

    def test_another_tab_takes_over_without_loss(self):
        context = self.user()
        leader, follower = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        other = self.tab().enter("bob")
        self.assertEqual((1, 0), (leader.polls, follower.polls))
        other.send("one")
        follower.wait_for("one")
        leader.page.close()
        other.send("two")
        follower.wait_for("two").send("three")
        other.wait_for("three")
        self.assertEqual(["bob: one", "bob: two", "ann: three"], follower.transcript())
        self.assertEqual(follower.transcript(), other.transcript())

    def test_a_message_of_a_tab_that_is_gone_is_sent_by_the_next(self):
        context = self.user()
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        self.server.stop()
        first.send("written in the dark")
        second.page.locator(".message.waiting, .message.sending").wait_for()
        first.page.close()
        self.server.start()
        second.wait_for("written in the dark")
        self.assertEqual(["ann: written in the dark"], second.transcript())

    def test_a_nick_and_a_room_chosen_in_one_tab_are_those_of_all(self):
        context = self.user()
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        second.page.click("#nick-change")
        second.choose("anna")
        second.page.fill("#room-name", "garden")
        second.page.press("#room-name", "Enter")
        first.page.locator("#me-nick", has_text="anna").wait_for(timeout=PATIENCE)
        first.page.locator("#room-list a", has_text="garden").wait_for()

    def test_without_web_locks_every_tab_polls(self):
        context = self.user()
        context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        first.send("from the first")
        second.wait_for("from the first").send("from the second")
        first.wait_for("from the second")
        self.assertEqual((1, 1), (first.polls, second.polls))
        self.assertEqual(first.transcript(), second.transcript())
