"""Pages of people who are known: by a token in a cookie that a site gives, and as members."""

import re
import time

import jwt

from tests.browser.chromium import PageTestCase, close_all, expect
from tests.chatapp.command.program import run

tearDownModule = close_all

KEY = "k" * 40
COOKIE = "chat_jwt"


def token(user, name, seconds=3600):
    claims = {"sub": user, "name": name, "exp": int(time.time()) + seconds}
    return jwt.encode(claims, KEY, algorithm="HS256")


class TokenTests(PageTestCase):
    options = {"chat.identity": "token", "chat.token_key": KEY, "chat.login_url": "/elsewhere"}

    def known(self, user, name, seconds=3600, context=None):
        context = context or self.user()
        value = token(user, name, seconds)
        context.add_cookies([{"name": COOKIE, "value": value, "url": self.server.url}])
        return self.tab(context)

    def test_two_people_talk_and_each_has_the_own_messages_on_every_device(self):
        ann, bob = (
            self.known(*each).open().wait_connected() for each in (("1", "Ann"), ("2", "Bob"))
        )
        expect(ann.page.locator("#nick-dialog")).to_be_hidden()
        expect(ann.page.locator("#me-nick")).to_have_text("Ann")
        expect(ann.page.locator("#nick-change")).to_be_disabled()
        ann.send("hello bob")
        bob.wait_for("hello bob").send("hello ann")
        ann.wait_for("hello ann")
        phone = self.known("1", "Ann").open().wait_connected().wait_for("hello bob")
        for tab, own in ((ann, "hello bob"), (phone, "hello bob"), (bob, "hello ann")):
            expect(tab.page.locator("#log .message.own .text")).to_have_text(own)
        expect(bob.people()).to_have_text(["Bob", "Ann"])

    def test_who_is_not_known_is_told_where_to_sign_in(self):
        stranger = self.tab()
        stranger.page.goto(self.server.url)
        expect(stranger.page.locator("h1")).to_have_text("Sign in to come in.")
        link = stranger.page.get_by_role("link", name="Sign in")
        expect(link).to_have_attribute("href", "/elsewhere")
        stranger.errors.clear()  # of the status 401

    def test_a_token_that_expires_is_told_and_one_that_is_renewed_goes_on(self):
        context = self.user()
        # Long enough for a busy machine to be connected before it has expired.
        ann = self.known("1", "Ann", 15, context).open().wait_connected()
        login = ann.page.locator("#link-login")
        expect(login).to_be_hidden()
        expect(ann.page.locator("#link-line")).to_contain_text("The token has expired.")
        expect(login).to_be_visible()
        self.known("1", "Ann", 3600, context)
        ann.page.click("#link-retry")
        ann.wait_connected().send("here again")
        ann.wait_for("here again")
        expect(login).to_be_hidden()
        ann.errors = [error for error in ann.errors if "status of 401" not in error]


class MembersTests(PageTestCase):
    options = {"chat.identity": "members"}

    def come_in(self, link, name):
        tab = self.tab()
        tab.page.goto(f"{self.server.url}device/{link.rpartition('/')[2]}")
        tab.page.get_by_label("Name").fill(name)
        tab.page.get_by_role("button", name="Come in").click()
        return tab.wait_connected()

    def test_two_members_talk_and_nobody_else_is_in(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        expect(ann.page.locator("#me-nick")).to_have_text("Ann")
        _, link, _ = run("invite", "--ini", self.server.ini)
        bob = self.come_in(link.strip(), "Bob")
        ann.send("hello bob")
        bob.wait_for("hello bob").send("hello ann")
        ann.wait_for("hello ann")
        expect(bob.page.locator("#log .message.own .text")).to_have_text("hello ann")
        stranger = self.tab()
        stranger.page.goto(self.server.url)
        expect(stranger.page.locator("h1")).to_have_text("Sign in to come in.")
        run("sign-out", "Bob", "--ini", self.server.ini)
        expect(bob.page.locator("#link-line")).to_contain_text("Sign in to come in.")
        for tab in (stranger, bob):
            tab.errors = [error for error in tab.errors if "status of 401" not in error]
