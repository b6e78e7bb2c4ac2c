from tests.browser.chromium import OneServerTestCase, PageTestCase, close_all, expect, show_as

tearDownModule = close_all


class ServerOutageTests(PageTestCase):
    def test_a_message_sent_while_the_server_is_down_arrives_once(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send("before")
        bob.wait_for("before")
        self.server.stop()
        ann.page.locator("html[data-link=waiting]").wait_for(state="attached")
        ann.send("while it was down")
        ann.page.locator(".message.waiting").wait_for()
        expect(ann.page.locator("#link")).to_be_visible()
        self.screenshot(ann, "server-down")
        self.server.start()
        bob.wait_for("while it was down")
        ann.wait_for("while it was down").wait_connected()
        expect(ann.page.locator("#link")).to_be_hidden()
        ann.send("after")
        ann.wait_for("after")
        bob.wait_for("after")
        expected = ["ann: before", "ann: while it was down", "ann: after"]
        self.assertEqual(expected, ann.transcript())
        self.assertEqual(expected, bob.transcript())
        ann.page.reload()
        ann.wait_for("after")
        self.assertEqual(expected, ann.transcript())


class OutageTests(OneServerTestCase):
    def test_a_message_waits_through_a_reload(self):
        ann = self.tab().enter("ann")
        ann.page.route("**/chat/push/**", lambda route: route.abort())
        ann.send("held back")
        ann.page.locator(".message.waiting").wait_for()
        ann.page.reload()
        ann.page.locator(".message.waiting, .message.sending").wait_for()
        ann.page.unroute("**/chat/push/**")
        ann.wait_for("held back")
        self.assertEqual(["ann: held back"], ann.transcript())

    def test_a_message_that_the_poll_brings_is_sent_whatever_becomes_of_its_push(self):
        ann = self.tab().enter("ann")
        bob = self.tab().enter("bob")
        pushes = []

        def lose(route):
            pushes.append(route.fetch().status)
            route.abort()

        ann.page.route("**/chat/push/**", lose)
        for _ in range(2):
            ann.send("twice the same")
        bob.wait_until("document.querySelectorAll('#log .message').length === 2")
        ann.wait_until("document.querySelectorAll('#log .message.stored').length === 2")
        ann.wait_until("Object.keys(localStorage).every((name) => !name.includes('out.'))")
        self.assertEqual(["ann: twice the same"] * 2, ann.transcript())
        self.assertEqual([200, 200], pushes)
        ann.errors = [error for error in ann.errors if "Failed to load resource" not in error]

    def test_a_push_whose_answer_is_lost_is_stored_once(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        lost = []

        def lose_the_first(route):
            if lost:
                return route.continue_()
            lost.append(route.fetch().status)
            route.abort()

        ann.page.route("**/chat/push/**", lose_the_first)
        ann.send("said once")
        bob.wait_for("said once").send("heard")
        ann.wait_for("heard")
        ann.wait_until("!Object.keys(localStorage).some((key) => key.startsWith('chat.out.'))")
        self.assertEqual([200], lost)
        self.assertEqual(["ann: said once", "bob: heard"], ann.transcript())
        self.assertEqual(ann.transcript(), bob.transcript())
        self.assertEqual(
            0, ann.page.locator(".message.waiting, .message.sending, .message.failed").count()
        )

    def test_offline_is_said_and_ends_at_once(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        bob.page.context.set_offline(True)
        bob.page.locator("html[data-link=offline]").wait_for(state="attached")
        ann.send("missed by nobody")
        ann.wait_for("missed by nobody")
        bob.page.context.set_offline(False)
        bob.wait_for("missed by nobody").wait_connected()
        self.assertEqual(["ann: missed by nobody"], bob.transcript())

    def test_a_refused_message_can_be_edited_or_discarded(self):
        ann = self.tab().enter("ann")
        ann.page.route(
            "**/chat/push/**",
            lambda route: route.fulfill(
                status=413, json={"error": "A message has at most 10 characters."}
            ),
        )
        ann.send("far too long")
        failed = ann.page.locator(".message.failed")
        expect(failed.locator(".fate span")).to_have_text(
            "Not sent. A message has at most 10 characters."
        )
        ann.page.fill("#composer-text", "half of the next")
        failed.get_by_role("button", name="Edit").click()
        expect(ann.page.locator("#composer-text")).to_have_value("far too long\nhalf of the next")
        expect(failed).to_have_count(0)
        ann.send("still too long")
        failed.get_by_role("button", name="Discard").click()
        expect(failed).to_have_count(0)
        ann.page.unroute("**/chat/push/**")
        ann.send("short")
        ann.wait_for("short")
        self.assertEqual(["ann: short"], ann.transcript())
        ann.errors = [error for error in ann.errors if "status of 413" not in error]

    def test_too_fast_waits_as_long_as_the_server_says(self):
        ann = self.tab().enter("ann")
        pushes = []

        def refuse_the_first(route):
            pushes.append(ann.page.evaluate("performance.now()"))
            if len(pushes) > 1:
                return route.continue_()
            route.fulfill(status=429, json={"error": "Slow down."}, headers={"Retry-After": "2"})

        ann.page.route("**/chat/push/**", refuse_the_first)
        ann.send("in a hurry")
        expect(ann.page.locator(".message.waiting .fate")).to_have_text("Slow down.")
        ann.wait_for("in a hurry")
        self.assertGreaterEqual(pushes[1] - pushes[0], 2000)
        ann.errors = [error for error in ann.errors if "status of 429" not in error]

    def test_what_the_server_will_not_take_for_long_keeps_nothing_waiting(self):
        ann = self.tab().enter("ann")
        line = "Too many new rooms from your address; try again later."
        ann.page.route(
            "**/chat/push/**",
            lambda route: route.fulfill(
                status=429, json={"error": line}, headers={"Retry-After": "18"}
            ),
            times=1,
        )
        ann.send("too much")
        expect(ann.page.locator(".message.failed .fate span")).to_have_text(f"Not sent. {line}")
        ann.send("next")
        ann.wait_for("next")
        ann.errors = [error for error in ann.errors if "status of 429" not in error]

    def test_a_hidden_tab_counts_and_a_shown_one_has_read(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        show_as(bob, "hidden")
        ann.send("one")
        ann.send("two")
        bob.wait_for("two")
        bob.wait_until(f"document.title.startsWith('(2) {self.room}')")
        show_as(bob, "visible")
        bob.wait_until(f"document.title.startsWith('{self.room}')")
        expect(bob.page.locator(".mark.new")).to_have_count(1)
        self.assertEqual(["ann: one", "ann: two"], bob.transcript())

    def test_a_frozen_tab_goes_on_where_it_was(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        lifecycle = bob.page.context.new_cdp_session(bob.page)
        lifecycle.send("Page.setWebLifecycleState", {"state": "frozen"})
        ann.send("while you slept")
        ann.send("twice")
        ann.wait_for("twice")
        lifecycle.send("Page.setWebLifecycleState", {"state": "active"})
        bob.wait_for("twice")
        self.assertEqual(["ann: while you slept", "ann: twice"], bob.transcript())
