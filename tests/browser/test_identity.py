"""Pages of people who are known: by a token in a cookie that a site gives, and as members."""

import re
import time

import jwt
from axe_playwright_python.sync_playwright import Axe

from benchmarks.harness.chat import ChatServer
from tests.browser.chromium import PageTestCase, close_all, expect
from tests.browser.test_community import make_room, rooms_of
from tests.chatapp.command.program import run

tearDownModule = close_all

KEY = "k" * 40
COOKIE = "chat_jwt"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


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


class HostTests(PageTestCase):
    """A proxy in front says who each browser's user is: here it is the browser that is told."""

    options = {"chat.identity": "host", "chat.user_header": "Remote-User",
               "chat.name_header": "Remote-Name", "chat.login_url": "/elsewhere"}  # fmt: skip

    def serve(self):
        server = {"trusted_proxies": "127.0.0.1"}
        return self.enterContext(ChatServer(app=self.options, server=server))

    def signed_in(self, user, name):
        context = self.user()
        self.sign_in(context, user, name)
        return self.tab(context).open().wait_connected()

    def test_two_people_talk_and_one_who_calls_herself_the_same_is_another(self):
        ann, bob = self.signed_in("a.lee", "Ann"), self.signed_in("bob", "Bob")
        expect(ann.page.locator("#me-nick")).to_have_text("Ann")
        expect(ann.page.locator("#nick-change")).to_be_disabled()
        ann.send("hello bob")
        bob.wait_for("hello bob").send("hello ann")
        ann.wait_for("hello ann")
        self.close(ann.page.context)
        mallory = self.signed_in("mallory", "Ann").wait_for("hello bob")
        mallory.send("I am Ann")
        bob.wait_for("I am Ann")
        expect(mallory.page.locator("#log .message.own .text")).to_have_text("I am Ann")
        ann = self.signed_in("a.lee", "Ann").wait_for("I am Ann")
        expect(ann.page.locator("#log .message.own .text")).to_have_text("hello bob")

    def test_who_the_proxy_does_not_name_is_told_where_to_sign_in(self):
        stranger = self.tab()
        stranger.page.goto(self.server.url)
        expect(stranger.page.locator("h1")).to_have_text("Sign in to come in.")
        expect(stranger.page.get_by_role("link", name="Sign in")).to_be_visible()
        stranger.errors.clear()  # of the status 401

    def test_what_is_written_after_a_reload_is_sent(self):
        ann = self.signed_in("a.lee", "Ann")
        ann.send("before")
        ann.wait_for("before").page.reload()
        ann.wait_connected().send("after")
        ann.wait_for("after")

    def test_another_user_in_the_same_browser_is_nobody_before(self):
        ann = self.signed_in("a.lee", "Ann")
        ann.send("hello")
        ann.wait_for("hello")
        self.sign_in(ann.page.context, "bob", "Bob")
        bob = self.tab(ann.page.context).open().wait_connected()
        expect(bob.page.locator("#me-nick")).to_have_text("Bob")
        expect(bob.wait_for("hello").page.locator("#log .message.own")).to_have_count(0)

    def test_another_user_in_the_same_browser_finds_nothing_that_it_keeps_of_the_first(self):
        ann = self.signed_in("a.lee", "Ann")
        make_room(ann, "Salaries")
        expect(rooms_of(ann)).to_have_text(["lobby", "Salaries"])
        ann.open("lobby")
        ann.page.route("**/chat/push/*", lambda route: route.abort())
        ann.send("on its way")
        expect(ann.page.locator(".message .fate")).to_be_visible()
        ann.page.fill("#composer-text", "half of a line")
        context = ann.page.context
        ann.page.close()
        held = []
        context.route("**/chat/pull*", lambda route: held.append(route))
        self.sign_in(context, "bob", "Bob")
        bob = self.tab(context).open()
        expect(rooms_of(bob)).to_have_text(["lobby"])
        expect(bob.page.locator("#composer-text")).to_have_value("")
        context.unroute("**/chat/pull*")
        for route in held:
            route.continue_()
        bob.wait_connected().send("from Bob")
        self.assertEqual(["Bob: from Bob"], bob.wait_for("from Bob").transcript())
        bob.page.close()
        self.sign_in(context, "a.lee", "Ann")
        ann = self.tab(context).open("lobby").wait_for("on its way")
        self.assertEqual(["Bob: from Bob", "Ann: on its way"], ann.transcript())
        expect(ann.page.locator("#composer-text")).to_have_value("half of a line")

    def test_a_page_that_is_open_as_another_user_signs_in_is_made_anew_for_them(self):
        ann = self.signed_in("a.lee", "Ann")
        context = ann.page.context
        other = self.tab(context).open().wait_connected()
        context.set_offline(True)
        ann.send("on its way")
        expect(ann.page.locator("html")).to_have_attribute("data-link", "offline")
        self.sign_in(context, "bob", "Bob")
        context.set_offline(False)
        for tab in (ann, other):
            expect(tab.page.locator("#me-nick")).to_have_text("Bob")
        ann.wait_connected().send("from Bob")
        self.assertEqual(["Bob: from Bob"], ann.wait_for("from Bob").transcript())

    def test_a_room_that_is_joined_while_nobody_is_signed_in_stays(self):
        ann = self.signed_in("a.lee", "Ann")
        ann.page.context.set_extra_http_headers({})
        ann.open("garden")
        expect(ann.page.locator("#link-login")).to_be_visible()
        expect(rooms_of(ann)).to_have_text(["lobby", "garden"])
        self.sign_in(ann.page.context, "a.lee", "Ann")
        ann.page.click("#link-retry")
        ann.wait_connected().send("in the garden")
        ann.wait_for("in the garden")
        ann.errors = [error for error in ann.errors if "status of 401" not in error]

    def sign_in(self, context, user, name):
        context.set_extra_http_headers({"Remote-User": user, "Remote-Name": name})


class OpenTests(PageTestCase):
    def test_a_name_that_was_spoken_under_is_refused_to_an_impostor(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        ann.send("from ann")
        bob.wait_for("from ann")
        state = ann.page.context.storage_state()
        self.close(ann.page.context)
        expect(bob.people()).to_have_text(["bob"])
        mallory = self.tab().open()
        for name in ("ann", "\u0430nn"):
            mallory.choose(name)
            expect(mallory.page.locator("#nick-error")).to_contain_text("taken")
        mallory.choose("ann two")
        mallory.wait_connected().wait_for("from ann")
        mallory.send("I am ann")
        bob.wait_for("I am ann")
        expect(mallory.page.locator("#log .message.own .text")).to_have_text("I am ann")
        ann = self.tab(self.user(storage_state=state)).open().wait_connected()
        expect(ann.wait_for("I am ann").page.locator("#log .message.own .text")).to_have_text(
            "from ann"
        )
        mallory.errors = [error for error in mallory.errors if "status of 409" not in error]

    def test_after_a_rename_the_messages_of_before_are_ones_own(self):
        ann = self.tab().enter("ann")
        ann.send("as ann")
        ann.wait_for("as ann").rename("anna")
        expect(ann.page.locator("#me-nick")).to_have_text("anna")
        ann.send("as anna")
        ann.wait_for("as anna")
        again = self.tab(ann.page.context).open().wait_connected().wait_for("as anna")
        for tab in (ann, again):
            expect(tab.page.locator("#log .message.own .text")).to_have_text(["as ann", "as anna"])


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

    def test_the_own_devices_show_though_the_dialog_was_open_before_their_script_came(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.tab()
        held = ann.hold("**/later.js*")
        ann.page.goto(f"{self.server.url}device/{link.rpartition('/')[2]}")
        ann.page.get_by_label("Name").fill("Ann")
        ann.page.get_by_role("button", name="Come in").click()
        ann.wait_connected().page.click("#nick-change")
        script = ann.wait_held(held)
        devices = ann.page.locator("#device-list li")
        expect(devices).to_have_count(0)
        script.continue_()
        expect(devices).to_have_count(1)

    def test_a_member_sees_the_own_devices_and_signs_one_out(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        ann.page.click("#nick-change")
        ann.page.click("#device-make")
        phone = self.tab(self.user(user_agent="Mozilla/5.0 (iPhone) Version/17 Safari/605"))
        phone.page.goto(ann.page.locator("#device-link").input_value())
        phone.page.get_by_role("button", name="Open the chat").click()
        phone.wait_connected()
        ann.page.click("#nick-cancel")
        ann.page.click("#nick-change")
        devices = ann.page.locator("#device-list li")
        expect(devices).to_have_count(2)
        self.screenshot(ann, "devices")
        ann.page.get_by_role("button", name="Sign out Safari on iPhone").press("Enter")
        expect(devices).to_have_count(1)
        expect(ann.page.locator("#nick-cancel")).to_be_focused()
        expect(phone.page.locator("#link-line")).to_contain_text("Sign in to come in.")
        phone.errors = [error for error in phone.errors if "status of 401" not in error]

    def test_that_the_own_devices_cannot_be_told_is_said(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        ann.page.route("**/chat/me?*", lambda route: route.abort())
        ann.page.click("#nick-change")
        error = ann.page.locator("#devices-error")
        expect(error).to_have_text("The server does not answer. Try again in a moment.")
        expect(error).to_be_visible()
        ann.page.click("#nick-cancel")
        ann.page.unroute("**/chat/me?*")
        ann.page.click("#nick-change")
        expect(ann.page.locator("#device-list li")).to_have_count(1)
        expect(error).to_be_empty()

    def test_an_owner_makes_a_keeper_of_somebody_who_sees_at_once_what_they_may(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        _, link, _ = run("invite", "--ini", self.server.ini)
        bob = self.come_in(link.strip(), "Bob")
        expect(bob.page.locator("#deeds-open")).to_be_hidden()
        ann.page.locator(".person-acts").filter(has_text="Bob").click()
        ann.page.get_by_role("menuitem", name="Make keeper").click()
        ann.page.click("#ask-do")
        expect(bob.page.locator("#deeds-open")).to_be_visible()
        ann.page.click("#notice-undo")
        expect(bob.page.locator("#deeds-open")).to_be_hidden()

    def test_who_is_muted_sees_the_own_devices(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        run("mute", "Ann", "--reason", "too loud", "--ini", self.server.ini)
        expect(ann.page.locator("#silence")).to_be_visible()
        ann.page.click("#nick-change")
        expect(ann.page.locator("#device-list li")).to_have_count(1)
        expect(ann.page.locator("#devices-error")).to_be_empty()

    def test_nobody_takes_a_members_name_and_a_rename_is_seen_everywhere(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.come_in(link, "Ann")
        ann.send("as Ann")
        ann.wait_for("as Ann").page.click("#nick-change")
        ann.page.click("#device-make")
        phone = self.tab()
        phone.page.goto(ann.page.locator("#device-link").input_value())
        phone.page.get_by_role("button", name="Open the chat").click()
        phone.wait_connected().wait_for("as Ann")
        _, link, _ = run("invite", "--ini", self.server.ini)
        mallory = self.tab()
        mallory.page.goto(f"{self.server.url}device/{link.strip().rpartition('/')[2]}")
        mallory.page.get_by_label("Name").fill("\u0410nn")
        mallory.page.get_by_role("button", name="Come in").click()
        expect(mallory.page.locator("h1")).to_contain_text("is taken")
        ann.choose("Anna")
        expect(ann.page.locator("#me-nick")).to_have_text("Anna")
        expect(phone.page.locator("#me-nick")).to_have_text("Anna")
        phone.send("as Anna")
        ann.wait_for("as Anna")
        for tab in (ann, phone):
            expect(tab.page.locator("#log .message.own .text")).to_have_text(["as Ann", "as Anna"])
        mallory.errors = [error for error in mallory.errors if "status of 409" not in error]


class PasskeyTests(PageTestCase):
    """An authenticator of Chromium's stands for the one that a device has."""

    def serve(self):
        app = {"chat.identity": "members", "chat.passkeys": "true", "chat.url": "URL"}
        server = ChatServer(app=app)
        server.url = f"http://localhost:{server.port}/"
        ini = server.ini.read_text().replace("= URL", f"= {server.url[:-1]}")
        server.ini.write_text(ini)
        return self.enterContext(server)

    def authenticator(self, tab):
        debugger = tab.page.context.new_cdp_session(tab.page)
        debugger.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        given = debugger.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return debugger, given["authenticatorId"]

    def accept(self, tab):
        """axe finds no fault, in either theme."""
        for theme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=theme)
            options = {"runOnly": RULES, "resultTypes": ["violations"]}
            found = Axe().run(tab.page, options=options).response["violations"]
            self.assertEqual([], [(each["id"], each["nodes"]) for each in found], theme)

    def test_a_member_is_in_on_a_new_device_by_a_passkey_alone(self):
        self.server.logged("nobody is a member yet")
        [link] = re.findall(r"who opens (\S+) is the owner", self.server.log)
        ann = self.tab()
        ann.page.goto(link)
        ann.page.get_by_label("Name").fill("Ann")
        ann.page.get_by_role("button", name="Come in").click()
        ann.wait_connected().send("from the desk")
        ann.wait_for("from the desk")
        desk, own = self.authenticator(ann)
        ann.page.click("#nick-change")
        ann.page.get_by_role("button", name="Add a passkey").click()
        expect(ann.page.locator("#passkey-list li")).to_contain_text(["Chrome on Linux"])
        self.screenshot(ann, "passkeys")
        self.accept(ann)
        [made] = desk.send("WebAuthn.getCredentials", {"authenticatorId": own})["credentials"]

        phone = self.tab()
        phone.page.goto(self.server.url)
        there, other = self.authenticator(phone)
        expect(phone.page.locator("h1")).to_have_text("Sign in to come in.")
        button = phone.page.get_by_role("button", name="Sign in with a passkey")
        there.send("WebAuthn.setUserVerified", {"authenticatorId": other, "isUserVerified": False})
        button.click()
        expect(phone.page.locator("#passkey-error")).to_have_text("No passkey was chosen.")
        there.send("WebAuthn.setUserVerified", {"authenticatorId": other, "isUserVerified": True})
        there.send("WebAuthn.addCredential", {"authenticatorId": other, "credential": made})
        self.screenshot(phone, "sign-in-with-a-passkey")
        self.accept(phone)
        button.click()
        phone.wait_connected().wait_for("from the desk")
        expect(phone.page.locator("#me-nick")).to_have_text("Ann")
        expect(phone.page.locator("#log .message.own .text")).to_have_text("from the desk")

        ann.page.get_by_role("button", name="Remove the passkey").click()
        expect(ann.page.locator("#passkey-list li")).to_have_count(0)
        late = self.tab()
        late.page.goto(self.server.url)
        there, other = self.authenticator(late)
        there.send("WebAuthn.addCredential", {"authenticatorId": other, "credential": made})
        late.page.get_by_role("button", name="Sign in with a passkey").click()
        expect(late.page.locator("#passkey-error")).to_contain_text("no member, or was removed")
        for tab in (phone, late):
            tab.errors = [error for error in tab.errors if "status of 40" not in error]
