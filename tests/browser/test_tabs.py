from tests.browser.chromium import (
    PATIENCE,
    OneServerTestCase,
    PageTestCase,
    close_all,
    expect,
    show_as,
)

tearDownModule = close_all


class TabsOfOneBrowserTests(OneServerTestCase):
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

    def test_a_nick_and_a_room_chosen_in_one_tab_are_those_of_all(self):
        context = self.user()
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        second.rename("anna").page.fill("#room-name", "garden")
        second.page.press("#room-name", "Enter")
        first.page.locator("#me-nick", has_text="anna").wait_for(timeout=PATIENCE)
        first.page.locator("#room-list a", has_text="garden").wait_for()

    def test_a_leader_that_the_system_suspended_is_replaced(self):
        context = self.user()
        leader, follower = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        other = self.tab().enter("bob")
        self.assertEqual((1, 0), (leader.polls, follower.polls))
        leader.suspend()
        follower.wait_until("document.documentElement.dataset.link === 'connecting'")
        follower.wait_connected().send("from the one in view")
        other.wait_for("from the one in view").send("heard")
        follower.wait_for("heard")
        leader.resume()
        leader.wait_for("heard").wait_connected()
        leader.wait_until("true")
        other.send("to both")
        for tab in (leader, follower, other):
            tab.wait_for("to both")
        self.assertEqual((0, 1), (leader.polls, follower.polls))
        self.assertEqual(other.transcript(), leader.transcript())
        self.assertEqual(other.transcript(), follower.transcript())


class TabsWithoutServerTests(PageTestCase):
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


NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined })"
NO_LOCKS_THERE = "Object.defineProperty(navigator, 'locks', { get: refuse });"
NO_LOCKS_GIVEN = """navigator.locks.request = () =>
    Promise.reject(new DOMException('No.', 'SecurityError'));"""
BLOCKED = """{
    const refuse = () => {
        throw new DOMException('The user blocked it.', 'SecurityError');
    };
    Object.defineProperty(window, 'localStorage', { get: refuse });
    window.BroadcastChannel = refuse;
    %s
}"""


class RefusedNickTests(PageTestCase):
    def lose_nick(self):
        """Two tabs whose nick became another's while they did not reach the server; and that."""
        user = self.user()
        leader, follower = self.tab(user).enter("ann"), self.tab(user).open().wait_connected()
        user.set_offline(True)
        self.server.stop()
        self.server.start()
        other = self.tab().enter("ann")
        other.send("I am ann now")
        other.wait_for("I am ann now")
        user.set_offline(False)
        return leader, follower, other

    def test_it_is_asked_for_in_every_tab_and_what_is_written_goes_out_under_the_next(self):
        leader, follower, other = self.lose_nick()
        late = self.tab(leader.page.context).open()
        for tab in (leader, follower, late):
            expect(tab.page.locator("#nick-error")).to_contain_text("taken")
        follower.choose("anna")
        for tab in (leader, follower, late):
            tab.wait_chosen()
        follower.send("under my own")
        other.wait_for("under my own")
        for tab in (leader, follower, late):
            tab.errors = [error for error in tab.errors if "status of 409" not in error]


class TabsOfAnotherBrowserTests(OneServerTestCase):
    """Where the page may not use what tabs share."""

    def test_without_web_locks_tabs_take_turns_by_a_lease(self):
        context = self.user()
        context.add_init_script(NO_LOCKS)
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        first.send("from the first")
        second.wait_for("from the first").send("from the second")
        first.wait_for("from the second")
        self.assertEqual((1, 0), (first.polls, second.polls))
        first.page.close()
        second.send("from the one that is left")
        second.wait_for("from the one that is left").wait_connected()
        self.assertEqual(
            ["ann: from the first", "ann: from the second", "ann: from the one that is left"],
            second.transcript(),
        )

    def test_seven_tabs_without_web_locks_hold_one_request(self):
        user = self.user()
        user.add_init_script(NO_LOCKS)
        tabs = [self.tab(user).enter("ann")]
        tabs += [self.tab(user).open().wait_connected() for _ in range(6)]
        tabs[-1].send("from the seventh")
        for tab in tabs:
            tab.wait_for("from the seventh")
        self.assertEqual(1, sum(tab.polls for tab in tabs))

    def test_a_lease_of_a_suspended_leader_is_taken_away(self):
        context = self.user()
        context.add_init_script(NO_LOCKS)
        leader, follower = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        leader.suspend()
        follower.send("from the one in view")
        follower.wait_for("from the one in view")
        leader.resume()
        leader.wait_for("from the one in view").send("from the one that woke")
        follower.wait_for("from the one that woke")
        self.assertEqual(leader.transcript(), follower.transcript())

    def test_a_tab_whose_data_is_blocked_works_alone(self):
        for nick, locks in (("ann", NO_LOCKS_THERE), ("bob", NO_LOCKS_GIVEN)):
            context = self.user()
            context.add_init_script(BLOCKED % locks)
            # The second has the name of the session.
            first = self.tab(context).enter(nick)
            second = self.tab(context).open().wait_connected()
            second.send(f"{nick} in the second")
            first.wait_for(f"{nick} in the second").send(f"{nick} in the first")
            second.wait_for(f"{nick} in the first")
            self.assertEqual((1, 1), (first.polls, second.polls))
            self.close(context)

    def test_a_tab_that_is_alone_and_hidden_holds_no_request(self):
        context = self.user()
        context.add_init_script(BLOCKED % NO_LOCKS_THERE)
        tab = self.tab(context).enter("ann")
        show_as(tab, "hidden")
        tab.wait_idle()
        show_as(tab, "visible")
        tab.wait_connected().send("back")
        tab.wait_for("back")

    def test_locks_that_the_browser_refuses_leave_the_lease(self):
        context = self.user()
        context.add_init_script(NO_LOCKS_GIVEN)
        first, second = self.tab(context).enter("ann"), self.tab(context).open().wait_connected()
        second.send("hello")
        first.wait_for("hello")
        self.assertEqual((1, 0), (first.polls, second.polls))
