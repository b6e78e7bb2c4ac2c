"""axe finds no fault with the page (WCAG 2.2, A and AA) in any of its states, in both themes."""

from axe_playwright_python.sync_playwright import Axe

from tests.browser.chromium import OneServerTestCase, close_all, expect
from tests.chatapp.command.program import run

tearDownModule = close_all

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class AccessibilityTests(OneServerTestCase):
    options = {"chat.push_rate": 0}

    def themed(self, **options):
        for theme in THEMES:
            yield theme, self.user(color_scheme=theme, reduced_motion="reduce", **options)

    def enter(self, theme, user, room=""):
        return self.tab(user).enter(f"ann {theme}", room)

    def accept(self, tab, state):
        options = {"runOnly": RULES, "resultTypes": ["violations"]}
        found = Axe().run(tab.page, options=options).response["violations"]
        faults = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        self.assertEqual([], faults, state)

    def test_the_question_at_the_door(self):
        self.tab().enter("bob")
        for theme, user in self.themed(viewport=PHONE):
            ann = self.tab(user).open()
            self.accept(ann, f"door, {theme}")
            ann.choose("bob")
            expect(ann.page.locator("#nick-error")).not_to_be_empty()
            self.accept(ann, f"refused at the door, {theme}")
            ann.errors = [error for error in ann.errors if "status of 409" not in error]

    def test_a_room_on_a_desk(self):
        self.tab().enter("bob").send("see https://example.org/")
        for theme, user in self.themed(viewport=DESK):
            ann = self.enter(theme, user)
            ann.send(f"hello {theme}")
            ann.wait_for(f"hello {theme}")
            self.accept(ann, f"talk, {theme}")
            ann.page.focus("#room-name")
            self.accept(ann, f"field for a room, {theme}")
            ann.page.fill("#room-name", "no/slash")
            ann.page.press("#room-name", "Enter")
            expect(ann.page.locator("#room-error")).not_to_be_empty()
            self.accept(ann, f"refused room, {theme}")
            ann.page.evaluate("location.hash = 'empty'")
            expect(ann.page.locator(".mark.empty")).to_be_visible()
            self.accept(ann, f"empty room, {theme}")

    def test_the_link_for_another_device(self):
        for theme, user in self.themed(viewport=PHONE):
            ann = self.enter(theme, user)
            ann.page.click(".menu")
            ann.page.click("#nick-change")
            self.accept(ann, f"name, {theme}")
            ann.page.click("#device-make")
            expect(ann.page.locator("#device-link")).to_be_focused()
            self.accept(ann, f"link, {theme}")
            other = self.tab(user)
            other.page.goto(ann.page.locator("#device-link").input_value())
            self.accept(other, f"device, {theme}")

    def test_private_rooms_and_what_is_done_with_messages_and_people(self):
        bob = self.tab().enter("bob")
        for theme, user in self.themed(viewport=DESK):
            ann = self.enter(theme, user)
            page = ann.page
            page.focus("#room-name")
            self.accept(ann, f"rooms to choose from, {theme}")
            page.click("#room-make")
            page.click("#make-do")
            expect(page.locator("#make-error")).not_to_be_empty()
            self.accept(ann, f"a room is made, {theme}")
            page.fill("#make-name", f"Planning {theme}")
            page.fill("#make-people", "bob")
            page.click("#make-do")
            expect(page.locator("#room-title")).to_have_text(f"Planning {theme}")
            self.accept(ann, f"a private room, {theme}")
            page.click("#room-about")
            expect(page.locator("#about-members .nick")).to_have_count(2)
            self.accept(ann, f"about a room, {theme}")
            page.get_by_role("button", name="Remove bob").click()
            self.accept(ann, f"a question, {theme}")
            page.click("#ask-do")
            expect(page.locator("#about-members .nick")).to_have_count(1)
            page.click("#about-close")
            self.accept(ann, f"a notice, {theme}")
            ann.send("a slip")
            ann.wait_for("a slip")
            page.locator(".message .more").hover()
            page.locator(".message .more").click()
            self.accept(ann, f"a menu, {theme}")
            page.get_by_role("menuitem", name="Remove").click()
            page.click("#ask-do")
            page.locator(".message.removed").wait_for()
            self.accept(ann, f"a removed message, {theme}")
            page.click("#room-about")
            page.get_by_role("button", name="Close the room").click()
            page.click("#ask-do")
            page.click("#about-close")
            expect(page.locator("#silence")).to_be_visible()
            self.accept(ann, f"a closed room, {theme}")
        bob.errors = [error for error in bob.errors if "status of 404" not in error]

    def test_who_is_muted_and_banned(self):
        bob = self.tab().enter("bob")
        bob.send("hello")
        self.tab().enter("carl").send("hello")
        for theme, user in self.themed(viewport=PHONE):
            ann = self.enter(theme, user)
            ann.send(f"hello {theme}")
            ann.wait_for(f"hello {theme}")
            run("role", f"ann {theme}", "owner", "--ini", self.server.ini)
            ann.page.click(".menu")
            ann.page.click("#deeds-open")
            if theme == THEMES[0]:
                expect(ann.page.get_by_text("Nobody is muted or banned.")).to_be_visible()
                self.accept(ann, f"nobody is muted, {theme}")
                ann.page.click("#deeds-close")
                run("mute", "carl", "--reason", "too loud", "--ini", self.server.ini)
                run("ban", "bob", "--reason", "spam", "--ini", self.server.ini)
                ann.page.click("#deeds-open")
            expect(ann.page.locator("#standings ul").first.locator("li")).to_have_count(2)
            self.accept(ann, f"muted and banned, {theme}")
            ann.page.get_by_role("button", name="Let in again: bob").click()
            self.accept(ann, f"a question about a ban, {theme}")
        bob.errors = [error for error in bob.errors if "status of 403" not in error]

    def test_the_drawers_on_a_phone(self):
        for theme, user in self.themed(viewport=PHONE, has_touch=True):
            ann = self.enter(theme, user)
            self.accept(ann, f"phone, {theme}")
            for button in (".menu", ".people-button"):
                ann.page.tap(button)
                self.accept(ann, f"{button}, {theme}")
                ann.page.keyboard.press("Escape")

    def test_an_outage(self):
        for theme, user in self.themed(viewport=PHONE):
            ann = self.enter(theme, user)
            ann.page.route("**/chat/push/**", lambda route: route.fulfill(status=413, json={}))
            ann.send("refused")
            ann.page.locator(".message.failed").wait_for()
            user.set_offline(True)
            expect(ann.page.locator("#link")).to_be_visible()
            ann.page.fill("#composer-text", "x" * 4001)
            self.accept(ann, f"offline, {theme}")
            ann.errors = [error for error in ann.errors if "status of 413" not in error]

    def test_an_address_that_leads_nowhere(self):
        for theme, user in self.themed(viewport=PHONE):
            tab = self.tab(user)
            tab.page.goto(f"{tab.url}nowhere")
            expect(tab.page.locator("h1")).to_have_text("There is nothing here.")
            self.accept(tab, f"404, {theme}")
            tab.errors = [error for error in tab.errors if "status of 404" not in error]

    def test_without_scripts(self):
        seen = self.tab(self.user(java_script_enabled=False)).open().page
        expect(seen.locator(".noscript h1")).to_have_text("This page needs JavaScript")
        for theme, user in self.themed(viewport=PHONE):
            tab = self.tab(user)
            # The page's own would go on with elements that are taken away here.
            tab.page.route("**/*.js", lambda route: route.fulfill(content_type="text/javascript"))
            tab.open()
            # axe is a script: what is shown without any is put in its place
            tab.page.evaluate(
                "document.body.innerHTML = document.querySelector('noscript').textContent"
            )
            self.accept(tab, f"no script, {theme}")
