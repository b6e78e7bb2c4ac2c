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
        answer = self.person().ask("GET", "/")
        cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
        self.assertEqual(2, len(cookies))
        for cookie in cookies:
            self.assertIn("httponly", cookie.lower())
            self.assertIn("samesite=lax", cookie.lower())

    def test_a_forged_token_or_session_is_a_stranger(self):
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", BeakerWarning)  # it tells of the bad signature
        ann = self.joined("ann")
        for name in ("chat_token", "chat_session"):
            mallory = self.person()
            value = ann.cookies[name]
            mallory.cookies = {name: ("x" if value[0] != "x" else "y") + value[1:]}
            self.assertNotEqual({"nick": "ann"}, mallory.pull()["you"])

    def test_the_session_holds_an_id_and_a_nick(self):
        ann = self.joined("ann")
        self.assertNotIn("Set-Cookie", dict(ann.poll().headers))


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

    def test_whoever_is_known_at_one_server_is_known_at_another_with_the_same(self):
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "shared"
        path.touch(0o600)
        path.write_text("s" * 64)
        self.start(secret_file=path)
        ann = self.joined("ann")
        token = ann.cookies["chat_token"]
        self.start(secret_file=path)
        ann.server = self.server
        self.assertEqual(b'{"nick":"ann"}', ann.ask("GET", "/chat/nick").body)
        self.assertEqual(token, ann.cookies["chat_token"])
