"""Other sites, scripts in messages, cookies, the secret."""

import stat
import tempfile
import warnings
from pathlib import Path

from beaker.exceptions import BeakerWarning

from chatapp.lib.secret import find_secret, load_secret
from tests.chatapp.support import ChatCase


class OriginTests(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann")

    def push(self, **headers):
        return self.ann.ask("POST", "/chat/push", b"hi", **headers).status

    def test_another_sites_page_cannot_push(self):
        self.assertEqual(403, self.push(Origin="http://evil.example"))
        self.assertEqual(403, self.push(Origin="null"))
        self.assertEqual(403, self.push(Origin="http://127.0.0.1.evil.example"))
        self.assertEqual(403, self.push(Sec_Fetch_Site="cross-site"))
        self.assertEqual(403, self.push(Sec_Fetch_Site="same-site"))

    def test_the_page_and_programs_can(self):
        self.assertEqual(200, self.push(Origin="http://127.0.0.1"))
        self.assertEqual(200, self.push(Sec_Fetch_Site="same-origin", Origin="http://127.0.0.1"))
        self.assertEqual(200, self.push())

    def test_a_nick_is_not_changed_from_elsewhere(self):
        headers = {"Origin": "http://evil.example"}
        answer = self.ann.ask("POST", "/chat/nick", b"evil", **headers)
        self.assertEqual(403, answer.status)
        self.assertEqual(b'{"nick":"ann"}', self.ann.ask("GET", "/chat/nick").body)


class CookieTests(ChatCase):
    def setUp(self):
        self.start()

    def test_cookies_are_for_this_site_and_no_script(self):
        ann = self.person()
        answers = [ann.ask("GET", path) for path in ("/", "/chat/nick")]
        headers = [header for answer in answers for header in answer.headers]
        cookies = [value for name, value in headers if name.lower() == "set-cookie"]
        self.assertEqual(3, len(cookies))  # the token of who is greeted, and then both
        for cookie in cookies:
            self.assertIn("httponly", cookie.lower())
            self.assertIn("samesite=lax", cookie.lower())

    def test_a_forged_token_or_session_is_a_stranger(self):
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", BeakerWarning)  # it tells of the bad signature
        ann = self.joined("ann")
        for name in (ann.cookie("token"), ann.cookie("session")):
            mallory = self.person()
            value = ann.cookies[name]
            mallory.cookies = {name: ("x" if value[0] != "x" else "y") + value[1:]}
            self.assertNotEqual({"nick": "ann"}, mallory.pull()["you"])

    def test_the_session_holds_an_id_and_a_nick(self):
        ann = self.joined("ann")
        self.assertNotIn("Set-Cookie", dict(ann.poll().headers))

    def test_cookies_end_long_after_the_page_was_opened_last(self):
        ann = self.joined("ann")
        for _ in range(2):
            answer = ann.ask("GET", "/")
            cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
            self.assertEqual(set(ann.cookies), {cookie.partition("=")[0] for cookie in cookies})
            for cookie in cookies:
                self.assertIn("Max-Age=34560000" if "token" in cookie else "expires=", cookie)
        self.assertEqual(b'{"nick":"ann"}', ann.ask("GET", "/chat/nick").body)

    def test_two_chats_of_one_host_have_cookies_of_their_own(self):
        ann = self.joined("ann")
        first = self.server
        self.start()
        ann.server = self.server
        self.assertEqual(200, ann.post("/chat/nick", {"nick": "anna"}).status)
        self.assertEqual(4, len(ann.cookies))
        self.assertEqual(b'{"nick":"anna"}', ann.ask("GET", "/chat/nick").body)
        ann.server = first
        self.assertEqual(b'{"nick":"ann"}', ann.ask("GET", "/chat/nick").body)
        for name in ann.cookies:
            self.assertRegex(name, "^chat_(token|session)_[0-9a-f]{8}$")


class FormerCookieTests(ChatCase):
    """Those by the names that a version before gave."""

    def setUp(self):
        self.start()
        self.ann = self.joined("ann")
        self.given = dict(self.ann.cookies)
        self.former = {name.rpartition("_")[0]: value for name, value in self.given.items()}

    def test_a_participant_with_former_cookies_is_no_stranger_and_is_given_new_ones(self):
        for path in ("/", "/chat/nick", "/chat/pull?hold=0", f"/chat/pull?since={self.ann.cursor}"):
            self.pass_time(60)  # nobody is known any more
            self.ann.cookies = dict(self.former)
            answer = (
                self.ann.ask("GET", path) if "since" not in path else self.ann.begin("GET", path)
            )
            lines = [value for name, value in answer.headers if name.lower() == "set-cookie"]
            if not answer.done:
                self.pass_time(11)
                lines = [v for name, v in answer.look().headers if name.lower() == "set-cookie"]
            self.assertEqual(4, len({line.partition("=")[0] for line in lines}), lines)
            for name, value in self.given.items():
                # The page gives them once more.
                line, *_ = [line for line in lines if line.startswith(f"{name}={value};")]
                for attribute in ("Max-Age=34560000", "Path=/", "HttpOnly", "SameSite=Lax"):
                    self.assertIn(attribute, line)
                [line] = [line for line in lines if line.startswith(f"{name[:-9]}=;")]
                self.assertIn("Max-Age=0", line)
            self.ann.cookies = dict(self.given)
            self.assertEqual(b'{"nick":"ann"}', self.ann.ask("GET", "/chat/nick").body)

    def test_the_others_come_first(self):
        bob = self.joined("bob")
        bob.cookies = {**self.former, **bob.cookies}
        answer = bob.ask("GET", "/chat/nick")
        self.assertEqual((b'{"nick":"bob"}', None), (answer.body, answer.header("Set-Cookie")))

    def test_cookies_of_another_chat_of_the_host_are_none(self):
        self.start()
        bob = self.person()
        bob.cookies = dict(self.former)
        self.assertIs(False, bob.pull()["you"]["cookie"])
        self.assertEqual(self.former, {name: bob.cookies[name] for name in self.former})


class PageTests(ChatCase):
    def setUp(self):
        self.start(title="<Tea & cake>")

    def test_the_policy_allows_no_inline_code(self):
        answer = self.person().ask("GET", "/")
        policy = answer.header("Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertIn("script-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotRegex(answer.body.decode(), r"<script(?![^>]*src=)|\son[a-z]+=|style=")

    def test_the_title_is_escaped(self):
        self.assertIn(b"&lt;Tea &amp; cake&gt;", self.person().ask("GET", "/").body)

    def test_nothing_is_kept_by_caches_but_the_pages_files(self):
        self.assertEqual("no-store", self.person().ask("GET", "/").header("Cache-Control"))
        self.assertEqual("no-store", self.person().poll().header("Cache-Control"))
        answer = self.person().ask("GET", "/chat.css")
        self.assertIn("max-age", answer.header("Cache-Control"))
        self.assertEqual("nosniff", answer.header("X-Content-Type-Options"))


class SecretTests(ChatCase):
    def test_it_is_made_at_the_first_start_and_kept(self):
        self.start()
        path = Path(self.hub.options.data) / "secret"
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        secret = load_secret(path)
        self.assertEqual(64, len(secret))
        self.assertEqual(secret, find_secret({}, "", self.hub.options.data))

    def test_one_that_others_can_read_is_refused(self):
        self.start()
        path = Path(self.hub.options.data) / "secret"
        path.chmod(0o644)
        with self.assertRaisesRegex(ValueError, "can be read by others"):
            find_secret({}, "", self.hub.options.data)
        path.chmod(0o600)
        path.write_text("short")
        with self.assertRaisesRegex(ValueError, "too short"):
            load_secret(path)

    def test_a_participant_is_known_at_every_server_with_the_same_secret(self):
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "shared"
        path.touch(0o600)
        path.write_text("s" * 64)
        self.start(secret_file=path)
        ann = self.joined("ann")
        token = ann.cookies[ann.cookie("token")]
        self.start(secret_file=path)
        ann.server = self.server
        self.assertEqual(b'{"nick":"ann"}', ann.ask("GET", "/chat/nick").body)
        self.assertEqual(token, ann.cookies[ann.cookie("token")])
