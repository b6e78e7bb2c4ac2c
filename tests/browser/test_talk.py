from tests.browser.camera import read_code
from tests.browser.chromium import OneServerTestCase, PageTestCase, close_all, expect

tearDownModule = close_all


class TalkTests(OneServerTestCase):
    def test_two_users_talk(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send("hello bob")
        bob.wait_for("hello bob").send("hello ann")
        ann.wait_for("hello ann")
        self.assertEqual(["ann: hello bob", "bob: hello ann"], ann.transcript())
        self.assertEqual(["ann: hello bob", "bob: hello ann"], bob.transcript())
        self.screenshot(bob, "two-users-talk")

    def test_people_come_and_change_their_name(self):
        ann = self.tab().enter("ann")
        bob = self.tab().enter("bob")
        expect(ann.people()).to_have_text(["ann", "bob"])
        expect(bob.people()).to_have_text(["bob", "ann"])
        bob.rename("rob")
        expect(ann.people()).to_have_text(["ann", "rob"])
        expect(ann.page.locator("#news")).to_have_text("bob is now rob.")

    def test_messages_are_their_senders_own_whatever_anybodys_name(self):
        user = self.user()
        ann = self.tab(user).enter("ann")
        ann.send("mine")
        ann.rename("anna")
        other = self.tab().enter("ann")
        other.send("an impostor's")
        ann.wait_for("an impostor's")
        own = ann.page.locator("#log .message.own")
        expect(own).to_have_count(1)
        expect(own).to_contain_text("mine")
        expect(ann.page.locator("#log .message.opens")).to_have_count(2)
        other.page.reload()
        other.wait_for("mine")
        expect(other.page.locator("#log .message.own")).to_contain_text("an impostor's")
        expect(other.page.locator("#log .message.own")).to_have_count(1)

    def test_a_nick_that_is_taken_is_asked_for_again(self):
        self.tab().enter("ann")
        other = self.tab().open()
        other.choose("ann")
        expect(other.page.locator("#nick-error")).to_contain_text("taken")
        other.choose("anna")
        expect(other.people()).to_have_text(["anna", "ann"])
        # The refusal itself is an answer of 409, which Chromium reports.
        other.errors = [error for error in other.errors if "status of 409" not in error]

    def test_a_message_is_shown_as_text(self):
        markup = "<img src=x onerror=\"document.title='owned'\"> <b>&amp;</b>"
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send(markup)
        bob.wait_for(markup)
        self.assertEqual(0, bob.page.locator("#log img, #log b").count())
        self.assertNotIn("owned", bob.page.title())

    def test_only_web_addresses_become_links(self):
        ann = self.tab().enter("ann")
        ann.send("see (https://example.org/a?b=1). not javascript:alert(1)")
        links = ann.page.locator("#log a")
        expect(links).to_have_text(["https://example.org/a?b=1"])
        self.assertEqual("noopener noreferrer nofollow", links.get_attribute("rel"))

    def test_enter_sends_and_shift_enter_makes_a_line(self):
        ann = self.tab().enter("ann")
        box = ann.page.locator("#composer-text")
        box.press_sequentially("one")
        box.press("Shift+Enter")
        box.press_sequentially("two")
        box.press("Enter")
        ann.wait_for("one\ntwo")
        expect(box).to_have_value("")

    def test_reload_keeps_nick_and_history(self):
        ann = self.tab().enter("ann")
        ann.send("before the reload")
        ann.wait_for("before the reload")
        ann.page.reload()
        ann.wait_for("before the reload").wait_connected()
        expect(ann.page.locator("#nick-dialog")).to_be_hidden()
        ann.send("after it")
        ann.wait_for("after it")
        self.assertEqual(["ann: before the reload", "ann: after it"], ann.transcript())

    def test_a_message_of_ones_own_is_read_though_its_room_was_left_before_it_was_stored(self):
        ann = self.tab().enter("ann")
        ann.page.fill("#room-name", "left-early")
        ann.page.press("#room-name", "Enter")
        expect(ann.page.locator("h1")).to_have_text("left-early")
        held = []

        def hold_the_first(route):
            held.append(route)
            if len(held) > 1:
                route.continue_()

        ann.page.route("**/chat/push/**", hold_the_first)
        ann.send("on its way")
        ann.page.locator(".message.sending").wait_for()
        ann.page.locator("#room-list a", has_text=self.room).click()
        expect(ann.page.locator("h1")).to_have_text(self.room)
        held[0].continue_()
        ann.send("after it")
        ann.wait_for("after it")
        expect(ann.page.locator("#room-list .count")).to_have_count(0)

    def test_rooms_are_apart_and_count_what_is_unread(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob", room="garden")
        bob.page.fill("#room-name", self.room)
        bob.page.press("#room-name", "Enter")
        expect(ann.people()).to_have_text(["ann", "bob"])
        for name in ("no/slash", ".."):
            ann.page.fill("#room-name", name)
            ann.page.press("#room-name", "Enter")
            expect(ann.page.locator("#room-error")).to_contain_text("not dots alone")
        bob.page.keyboard.press("Alt+ArrowUp")
        expect(bob.page.locator("h1")).to_have_text("garden")
        ann.send("for the first")
        expect(bob.page.locator("#room-list .count")).to_have_text("1")
        expect(bob.page).to_have_title("(1) garden · " + ann.page.title().split(" · ")[1])
        self.assertEqual([], bob.transcript())
        bob.page.locator("#room-list a", has_text=self.room).click()
        bob.wait_for("for the first")
        expect(bob.page.locator("#room-list .count")).to_have_count(0)

    def test_a_room_is_open_as_soon_as_its_name_is_entered(self):
        ann = self.tab().enter("ann")
        ann.page.evaluate(
            """() => {
                const [room, text] = ['room-name', 'composer-text']
                    .map((id) => document.getElementById(id));
                for (const name of ['soon', 'sooner']) {
                    room.value = name;
                    room.form.requestSubmit();
                    text.value = `in ${name}`;
                    text.form.requestSubmit();
                }
            }"""
        )
        expect(ann.page.locator("#room-list bdi")).to_have_text([self.room, "soon", "sooner"])
        ann.wait_for("in sooner")
        ann.page.locator("#room-list a", has_text="soon").first.click()
        ann.wait_for("in soon")

    def test_a_link_to_a_room_opens_it(self):
        ann = self.tab(self.user(joined=[])).enter("ann", room="garden")
        expect(ann.page.locator("h1")).to_have_text("garden")
        expect(ann.page.locator("#room-list a")).to_have_text(["lobby", "garden"])

    def test_a_room_can_be_left(self):
        ann, bob = self.tab().enter("ann", room="garden"), self.tab().enter("bob", room="garden")
        for tab in (ann, bob):  # a list that still grows moves the button
            expect(tab.people()).to_have_count(2)
        bob.page.click("#room-leave")
        expect(bob.page.locator("h1")).to_have_text(self.room)
        expect(ann.people()).to_have_text(["ann"])

    def test_a_message_over_the_limit_is_not_sent(self):
        ann = self.tab().enter("ann")
        box = ann.page.locator("#composer-text")
        box.fill("x" * 4003)
        expect(ann.page.locator("#composer-left")).to_have_text("3 too many")
        box.press("Enter")
        expect(box).to_have_value("x" * 4003)
        box.fill("x" * 4000)
        box.press("Enter")
        ann.wait_for("x" * 4000)


class HistoryTests(OneServerTestCase):
    options = {"chat.push_rate": 0}

    def test_history_is_loaded_when_scrolling_up(self):
        ann = self.tab().enter("ann")
        for number in range(70):
            ann.page.request.post(f"{ann.url}chat/push/{self.room}", data=f"message {number}")
        ann.wait_for("message 69")
        ann.page.reload()
        ann.wait_for("message 69").wait_connected()
        self.assertEqual(0, ann.message("message 3").count())
        ann.page.hover("#log")
        for _ in range(40):
            if ann.message("message 0").count():
                break
            ann.page.mouse.wheel(0, -2000)
            ann.wait_until("document.getElementById('log').getAttribute('aria-busy') === 'false'")
        ann.wait_for("message 0")
        self.assertEqual([f"ann: message {number}" for number in range(70)], ann.transcript())
        expect(ann.page.locator("#jump")).to_be_visible()


class ImpostorTests(PageTestCase):
    def test_a_name_that_was_spoken_under_stays_its_owners(self):
        ann = self.tab().enter("ann")
        ann.send("it is me")
        ann.wait_for("it is me")
        user = ann.page.context
        ann.page.close()
        other = self.tab().open()
        other.choose("ann")
        expect(other.page.locator("#nick-error")).to_contain_text("taken")
        other.choose("bob")
        other.wait_for("it is me")
        expect(other.page.locator("#log .message.own")).to_have_count(0)
        again = self.tab(user).open()
        again.wait_for("it is me")
        expect(again.page.locator("#log .message.own")).to_have_count(1)
        # The refusal itself is an answer of 409, which Chromium reports.
        other.errors = [error for error in other.errors if "status of 409" not in error]


class DeviceTests(PageTestCase):
    def test_another_device_goes_on_as_the_same_person(self):
        ann = self.tab().enter("ann")
        ann.send("from the desk")
        ann.wait_for("from the desk")
        ann.page.click("#nick-change")
        ann.page.get_by_text("Open on another device").click()
        link = ann.page.locator("#device-link")
        expect(link).to_be_focused()
        code = ann.page.get_by_role("img", name="The link as a QR code")
        self.assertEqual(link.input_value(), read_code(code))
        self.screenshot(ann, "link-for-another-device")
        phone = self.tab()
        phone.page.goto(link.input_value())
        expect(phone.page.locator("h1")).to_have_text("Go on as ann on this device?")
        phone.page.get_by_role("button", name="Open the chat").click()
        phone.wait_connected().wait_for("from the desk")
        expect(phone.page.locator("#nick-dialog")).to_be_hidden()
        expect(phone.page.locator("#log .message.own")).to_have_count(1)
        phone.send("from the phone")
        ann.wait_for("from the phone")
        expect(ann.page.locator("#log .message.own")).to_have_count(2)
