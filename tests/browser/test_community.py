"""Pages of rooms that are private, of messages that are removed, and of those in charge."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from benchmarks.harness.chat import ChatServer
from chatapp.command.beside import Nobody
from chatapp.community.acts import CONSOLE
from chatapp.community.book import Book
from chatapp.community.keeping import Keeping
from chatapp.identity.person import Person
from chatapp.model.message import handle
from chatapp.model.sqlite.log import SQLiteLog
from tests.browser.chromium import OneServerTestCase, PageTestCase, close_all, expect
from tests.chatapp.command.program import run

tearDownModule = close_all

# Two of them: what is scrolled is told before the second.
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def open_menu(tab, button):
    button.hover()
    button.click()
    return tab.page.get_by_role("menu")


def choose_in(tab, button, word):
    open_menu(tab, button).get_by_role("menuitem", name=word, exact=True).click()


def rooms_of(tab):
    return tab.page.locator("#room-list bdi")


def make_room(tab, title, *people):
    tab.page.focus("#room-name")
    tab.page.click("#room-make")
    tab.page.fill("#make-name", title)
    tab.page.fill("#make-people", ", ".join(people))
    tab.page.click("#make-do")
    expect(tab.page.locator("#room-title")).to_have_text(title)


def person(tab, nick):
    return tab.page.locator(".person-acts").filter(has_text=nick)


def roles_of(tab):
    """The rows of those who were given a role."""
    return tab.page.locator("#standings ul").last.locator("li")


def asked_for(tab):
    """What the open question wants to be told."""
    return [label.inner_text() for label in tab.page.locator("#ask-form > label:visible").all()]


def without(tab, *statuses):
    """Those that it is to be answered with; a browser tells of each in its console."""
    words = [f"status of {status}" for status in statuses]
    tab.errors = [line for line in tab.errors if not any(word in line for word in words)]


class RoomTests(PageTestCase):
    def test_who_is_invited_sees_the_room_and_talks_and_who_is_removed_does_not(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning")
        ann.page.click("#room-about")
        ann.page.fill("#about-invite", "bob")
        ann.page.press("#about-invite", "Enter")
        expect(rooms_of(bob)).to_have_text(["lobby", "Planning"])
        self.screenshot(ann, "about")
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann", "bob"])
        ann.page.click("#about-close")
        bob.page.get_by_role("link", name="Planning").click()
        bob.send("hello")
        ann.wait_for("hello")
        self.assertIn("Planning", bob.page.title())
        ann.page.click("#room-about")
        ann.page.get_by_role("button", name="Remove bob").click()
        ann.page.click("#ask-do")
        expect(rooms_of(bob)).to_have_text(["lobby"])
        expect(bob.page.locator("#room-title")).to_have_text("lobby")
        expect(bob.page.locator("#link-line")).not_to_contain_text("~")
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann"])
        without(bob, 404)

    def test_who_was_invited_while_offline_sees_the_room_on_coming_back(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning")
        bob.page.context.set_offline(True)
        expect(bob.page.locator("#link")).to_be_visible()
        ann.page.click("#room-about")
        ann.page.fill("#about-invite", "bob")
        ann.page.press("#about-invite", "Enter")
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann", "bob"])
        bob.page.context.set_offline(False)
        expect(rooms_of(bob)).to_have_text(["lobby", "Planning"])

    def test_what_was_done_to_somebody_can_be_undone(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning", "bob")
        expect(rooms_of(bob)).to_have_text(["lobby", "Planning"])
        ann.page.click("#room-about")
        ann.page.get_by_role("button", name="Remove bob").click()
        self.assertEqual([], asked_for(ann))
        ann.page.click("#ask-do")
        expect(rooms_of(bob)).to_have_text(["lobby"])
        self.screenshot(ann, "undo-in-about")
        ann.page.click("#notice-undo")
        expect(rooms_of(bob)).to_have_text(["lobby", "Planning"])
        expect(ann.page.locator("#notice-line")).to_have_text("It is as it was before.")
        ann.page.click("#about-close")
        expect(ann.page.locator("#notice")).to_be_visible()
        without(bob, 404)

    def test_a_direct_message_is_called_by_the_other_and_is_there_at_once(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        choose_in(ann, person(ann, "bob"), "Message")
        expect(ann.page.locator("#room-title")).to_have_text("bob")
        ann.send("between us")
        expect(rooms_of(bob)).to_have_text(["lobby", "ann"])
        bob.page.get_by_role("link", name="ann").click()
        bob.wait_for("between us").send("yes")
        ann.wait_for("yes")
        choose_in(ann, person(ann, "bob"), "Message")
        expect(rooms_of(ann)).to_have_text(["lobby", "bob"])

    def test_rooms_that_there_are_can_be_chosen(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob", "garden")
        bob.send("flowers")
        bob.wait_for("flowers")
        ann.page.focus("#room-name")
        offered = ann.page.locator("#room-offers bdi")
        expect(offered).to_have_text(["garden"])
        self.screenshot(ann, "choice")
        offered.locator("..").focus()
        bob.open("lobby").send("hello")
        ann.wait_for("hello")
        expect(offered.locator("..")).to_be_focused()
        ann.page.fill("#room-name", "x")
        expect(offered).to_have_count(0)
        ann.page.fill("#room-name", "gard")
        offered.click()
        ann.wait_for("flowers")
        expect(rooms_of(ann)).to_have_text(["lobby", "garden"])

    def test_a_room_that_is_closed_says_so_where_one_would_write_and_keeps_the_draft(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning", "bob")
        bob.page.get_by_role("link", name="Planning").click()
        expect(bob.page.locator("#room-title")).to_have_text("Planning")
        bob.page.fill("#composer-text", "half a thought")
        ann.page.click("#room-about")
        ann.page.get_by_role("button", name="Rename").click()
        self.assertEqual(["Name"], asked_for(ann))
        ann.page.click("#ask-cancel")
        ann.page.get_by_role("button", name="Close the room").click()
        self.assertEqual(["Why (everybody in the room sees that)"], asked_for(ann))
        ann.page.fill("#ask-field", "it is over")
        ann.page.click("#ask-do")
        expect(bob.page.locator("#silence")).to_have_text("This room is closed: it is over")
        expect(bob.page.locator("#composer")).to_be_hidden()
        self.screenshot(bob, "closed")
        ann.page.click("#about-close")
        ann.page.click("#notice-undo")
        expect(bob.page.locator("#composer-text")).to_have_value("half a thought")
        expect(bob.page.locator("#composer")).to_be_visible()

    def test_one_leaves_a_private_room_after_a_question(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(person(ann, "bob")).to_be_visible()
        make_room(ann, "Planning", "bob")
        bob.page.get_by_role("link", name="Planning").click()
        bob.page.click("#room-leave")
        bob.page.click("#ask-do")
        expect(rooms_of(bob)).to_have_text(["lobby"])
        ann.page.click("#room-about")
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann"])

    def test_who_leaves_a_direct_message_is_in_it_again_once_it_is_begun_anew(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        choose_in(ann, person(ann, "bob"), "Message")
        expect(ann.page.locator("#room-title")).to_have_text("bob")
        ann.send("between us")
        bob.page.get_by_role("link", name="ann").click()
        bob.wait_for("between us").page.click("#room-leave")
        expect(bob.page.locator("#ask-help")).to_contain_text("begin it anew")
        self.screenshot(bob, "leave-direct")
        bob.page.click("#ask-do")
        expect(rooms_of(bob)).to_have_text(["lobby"])
        ann.page.click("#room-about")
        expect(ann.page.locator("#about-members .nick")).to_have_text(["ann"])
        ann.page.click("#about-close")
        ann.page.get_by_role("link", name="lobby").click()
        choose_in(ann, person(ann, "bob"), "Message")
        expect(rooms_of(bob)).to_have_text(["lobby", "ann"])
        bob.page.get_by_role("link", name="ann").click()
        bob.wait_for("between us")

    def test_what_is_said_about_a_room_is_gone_with_it_once_one_leaves(self):
        ann = self.tab().enter("ann")
        make_room(ann, "Planning")
        ann.page.click("#room-about")
        ann.page.get_by_role("button", name="Leave the room").click()
        ann.page.click("#ask-do")
        expect(ann.page.locator("#about-dialog")).to_be_hidden()
        expect(ann.page.locator("#room-title")).to_have_text("lobby")


class RemovalTests(OneServerTestCase):
    def test_a_message_that_its_sender_removes_is_gone_from_every_open_page(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send("a slip")
        bob.wait_for("a slip")
        second = self.tab(bob.page.context).open().wait_for("a slip")
        choose_in(ann, ann.page.locator(".message.own .more"), "Remove")
        ann.page.fill("#ask-field", "wrong room")
        ann.page.click("#ask-do")
        for tab in (ann, bob, second, self.tab().enter("carl")):
            gone = tab.page.locator(".message.removed .text")
            expect(gone).to_have_text("Removed by ann: wrong room")
            expect(tab.message("a slip")).to_have_count(0)
        expect(bob.page.locator(".message .more")).to_have_count(0)

    def test_a_menu_is_used_by_the_keyboard_and_gives_the_focus_back(self):
        ann = self.tab().enter("ann")
        ann.send("a slip")
        ann.wait_for("a slip")
        more = ann.page.get_by_role("button", name="More about this message")
        more.focus()
        more.press("Enter")
        expect(ann.page.get_by_role("menuitem", name="Remove")).to_be_focused()
        ann.page.keyboard.press("ArrowDown")
        expect(ann.page.get_by_role("menuitem", name="Remove")).to_be_focused()
        ann.page.keyboard.press("Escape")
        expect(ann.page.get_by_role("menu")).to_have_count(0)
        expect(more).to_be_focused()

    def test_a_menu_goes_with_its_message_and_ends_when_that_is_out_of_view(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        high = "\n".join(map(str, range(60)))
        ann.send(high)
        ann.wait_for(high).send("a slip")
        ann.wait_for("a slip")
        menu = open_menu(ann, ann.page.locator(".message", has_text="a slip").locator(".more"))
        before = menu.bounding_box()["y"]
        bob.send("one\ntwo\nthree")
        ann.wait_for("one\ntwo\nthree")
        ann.wait_until(f"document.querySelector('.menu').getBoundingClientRect().y < {before}")
        expect(menu.get_by_role("menuitem", name="Remove")).to_be_focused()
        self.screenshot(ann, "menu-that-went-with-its-message")
        bob.send(high)
        expect(menu).to_have_count(0)
        more = ann.page.locator(".message", has_text="a slip").locator(".more")
        expect(more).to_be_focused()

    def test_a_menu_stays_while_something_else_is_scrolled(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        high = "\n".join(map(str, range(60)))
        bob.send(high)
        ann.wait_for(high)
        menu = open_menu(ann, person(ann, "bob"))
        bob.send("and this")
        ann.wait_for("and this")
        ann.page.evaluate(FRAMES)
        expect(menu.get_by_role("menuitem", name="Message")).to_be_focused()


class KeeperCase(PageTestCase):
    """Kim is a keeper, by the option."""

    options = {"chat.identity": "host", "chat.user_header": "Remote-User",
               "chat.name_header": "Remote-Name", "chat.keepers": "kim"}  # fmt: skip

    def serve(self):
        server = {"trusted_proxies": "127.0.0.1"}
        return self.enterContext(ChatServer(app=self.options, server=server))

    def signed_in(self, name):
        headers = {"Remote-User": name.lower(), "Remote-Name": name}
        return self.tab(self.user(extra_http_headers=headers)).open().wait_connected()

    def answer(self, tab, field, text):
        tab.page.fill(field, text)
        tab.page.click("#ask-do")
        expect(tab.page.locator("#ask-dialog")).to_be_hidden()


class KeeperTests(KeeperCase):
    def test_who_is_muted_is_told_and_speaks_again_once_that_is_undone(self):
        kim, ann = self.signed_in("Kim"), self.signed_in("Ann")
        choose_in(kim, person(kim, "Ann"), "Mute")
        kim.page.fill("#ask-field", "too loud")
        kim.page.click("#ask-do")
        expect(ann.page.locator("#silence")).to_be_visible()
        kim.page.click("#notice-undo")
        expect(ann.page.locator("#silence")).to_be_hidden()
        ann.send("here again")
        kim.wait_for("here again")

    def test_who_is_banned_is_out_at_once(self):
        kim, ann = self.signed_in("Kim"), self.signed_in("Ann")
        ann.send("hello")
        kim.wait_for("hello")
        choose_in(kim, person(kim, "Ann"), "Ban")
        kim.page.fill("#ask-field", "spam")
        kim.page.check("#ask-choice")
        kim.page.click("#ask-do")
        # Both come from this machine.
        expect(kim.page.locator("#ask-error")).to_contain_text("same address as you")
        kim.page.uncheck("#ask-choice")
        kim.page.click("#ask-do")
        expect(ann.page.locator("#link-line")).to_contain_text("You are banned: spam")
        expect(kim.people()).to_have_text(["Kim"])
        kim.page.click("#notice-undo")
        expect(kim.people()).to_have_text(["Kim", "Ann"])
        without(ann, 403)
        without(kim, 409)

    def test_the_reasons_that_a_keeper_gives_stand_in_the_record(self):
        kim, _ = self.signed_in("Kim"), self.signed_in("Ann")
        expect(person(kim, "Ann")).to_be_visible()
        body = {"title": "News", "policy": "announce", "people": ["Ann"]}
        kim.page.request.post(f"{self.server.url}chat/rooms", data=body)
        kim.page.evaluate("location.hash = 'News'")
        expect(kim.page.locator("#room-title")).to_have_text("News")
        kim.page.click("#room-about")
        kim.page.get_by_role("button", name="Remove Ann").click()
        self.answer(kim, "#ask-field", "writes ill")
        kim.page.get_by_role("button", name="Rename").click()
        self.assertEqual(["Name", "Why (it is written down)"], asked_for(kim))
        kim.page.fill("#ask-field", "The news")
        self.answer(kim, "#ask-reason", "clearer")
        kim.page.get_by_role("button", name="Close the room").click()
        self.answer(kim, "#ask-field", "night")
        kim.page.get_by_role("button", name="Open it again").click()
        self.answer(kim, "#ask-field", "day")
        kim.page.click("#about-close")
        kim.page.click("#deeds-open")
        said = ["“day”", "“night”", "“clearer”", "“writes ill”", "made in"]
        expect(kim.page.locator("#deeds-list li")).to_contain_text(said)

    def test_who_is_muted_and_banned_is_listed_and_taken_back_by_the_keyboard(self):
        kim, ann = self.signed_in("Kim"), self.signed_in("Ann")
        expect(person(kim, "Ann")).to_be_visible()
        page = kim.page
        page.click("#deeds-open")
        nobody = page.get_by_text("Nobody is muted or banned.")
        expect(nobody).to_be_visible()
        expect(page.get_by_role("heading", name="Roles given here")).to_be_hidden()
        page.click("#deeds-close")
        choose_in(kim, person(kim, "Ann"), "Mute")
        self.answer(kim, "#ask-field", "too loud")
        run("ban", "Ann", "--reason", "spam", "--ini", self.server.ini)
        page.click("#deeds-open")
        rows = page.locator("#standings li p")
        muted = re.compile("^Ann muted until .*: “too loud”$")
        expect(rows).to_have_text([muted, "Ann banned for good: “spam”"])
        expect(nobody).to_be_hidden()
        page.get_by_role("button", name="Let speak again: Ann").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#ask-field")).to_be_focused()
        page.keyboard.type("sorry")
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        expect(page.get_by_role("button", name="Let in again: Ann")).to_be_focused()
        newest = page.locator("#deeds-list li").first
        expect(newest).to_contain_text("let speak again Ann “sorry”")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-field")).to_be_focused()
        page.keyboard.press("Enter")
        expect(nobody).to_be_visible()
        expect(page.locator("#deeds-close")).to_be_focused()
        expect(newest).to_contain_text("let in again Ann")
        without(ann, 403)

    def test_a_role_that_was_given_is_listed_and_an_owner_takes_it_back(self):
        kim, _ = self.signed_in("Kim"), self.signed_in("Ann")
        expect(person(kim, "Ann")).to_be_visible()
        choose_in(kim, person(kim, "Ann"), "Mute")  # so that the chat knows them
        kim.page.click("#ask-do")
        run("role", "Ann", "guest", "--ini", self.server.ini)
        kim.page.click("#deeds-open")
        expect(roles_of(kim).locator("p")).to_have_text(["Ann guest"])
        expect(roles_of(kim).get_by_role("button")).to_have_count(0)
        kim.page.click("#deeds-close")
        run("role", "Kim", "owner", "--ini", self.server.ini)
        ola = self.signed_in("Kim")
        ola.page.click("#deeds-open")
        expect(roles_of(ola).locator("p")).to_have_text(["Kim owner", "Ann guest"])
        ola.page.get_by_role("button", name="Take back: Ann").click()
        self.answer(ola, "#ask-field", "grown up")
        expect(roles_of(ola).locator("p")).to_have_text(["Kim owner"])

    def test_a_keeper_removes_what_others_said_and_sees_who_sent_it_and_what_was_done(self):
        kim, ann = self.signed_in("Kim"), self.signed_in("Ann")
        ann.send("buy this")
        kim.wait_for("buy this")
        more = kim.page.locator(".message .more")
        choose_in(kim, more, "Who sent it")
        expect(kim.page.locator("#notice-line")).to_contain_text("id ann, from 127.0.0.1")
        choose_in(kim, more, "Remove")
        kim.page.fill("#ask-field", "spam")
        kim.page.click("#ask-do")
        expect(ann.page.locator(".message.removed .text")).to_have_text("Removed by Kim: spam")
        kim.page.click("#deeds-open")
        expect(kim.page.locator("#deeds-list li").first).to_contain_text("Kim")
        expect(kim.page.locator("#deeds-list li").first).to_contain_text("spam")
        self.screenshot(kim, "deeds")
        expect(ann.page.locator("#deeds-open")).to_be_hidden()


class ForgottenTests(KeeperCase):
    """Somebody was banned so long ago that the chat does not know them any more."""

    def serve(self):
        server = ChatServer(app=self.options, server={"trusted_proxies": "127.0.0.1"})
        with ThreadPoolExecutor(1) as pool:  # the browser's loop runs in this thread
            pool.submit(asyncio.run, self.ban(server.folder / "chat.db")).result()
        return self.enterContext(server)

    async def ban(self, path):
        log = SQLiteLog(Nobody(), path=str(path), history=10, max_age=0.0, max_rooms=10)
        await log.open()
        await Keeping(log, Book(log)).ban(CONSOLE, Person("gone"), reason="spam")
        await log.close()

    def test_they_are_shown_by_the_sender_and_let_in_again(self):
        page = self.signed_in("Kim").page
        gone = handle("gone")
        page.click("#deeds-open")
        rows = page.locator("#standings li p")
        expect(rows).to_have_text([f"{gone} banned for good: “spam”"])
        page.get_by_role("button", name=f"Let in again: {gone}").click()
        page.click("#ask-do")
        expect(rows).to_have_count(0)
