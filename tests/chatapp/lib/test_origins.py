"""What counts as a page of the chat itself."""

import unittest

from chatapp.lib.origins import is_ours


def ours(origin, host, **environ):
    return is_ours({"SERVER_PORT": "80", "HTTP_ORIGIN": origin, "HTTP_HOST": host, **environ})


class OriginTests(unittest.TestCase):
    def test_scheme_host_and_port_are_compared(self):
        for origin, host in (
            ("http://example.com", "example.com"),
            ("https://example.com", "example.com"),
            ("http://example.com", "example.com:80"),
            ("https://example.com", "example.com:443"),
            ("http://example.com:80", "example.com"),
            ("http://example.com", "EXAMPLE.com"),
            ("HTTP://Example.COM", "example.com:80"),
            ("http://example.com:8080", "example.com:8080"),
            ("https://example.com:8443", "EXAMPLE.COM:8443"),
            ("http://[::1]:5000", "[::1]:5000"),
            ("http://[::1]", "[::1]:80"),
            ("http://192.168.1.5:5000", "192.168.1.5:5000"),
        ):
            self.assertTrue(ours(origin, host), (origin, host))

    def test_others_are_other_sites(self):
        for origin, host in (
            ("http://evil.example", "example.com"),
            ("http://example.com.evil.example", "example.com"),
            ("http://evil.example", "evil.example@example.com"),
            ("http://example.com:8080", "example.com:8081"),
            ("http://example.com:8080", "example.com:80"),
            ("http://example.com:8080", "example.com"),
            ("http://example.com", "example.com:443"),
            ("https://example.com", "example.com:80"),
            ("http://example.com", "www.example.com"),
            ("null", "example.com"),
            ("", ""),
            ("file://", ""),
            ("http://", ""),
            ("ftp://example.com", "example.com"),
            ("http://example.com:99999", "example.com"),
            ("http://example.com:x", "example.com"),
            ("http://example.com/", "example.com"),
            ("http://a@example.com", "example.com"),
            ("http://[::1", "[::1"),
        ):
            self.assertFalse(ours(origin, host), (origin, host))

    def test_a_proxy_may_pass_on_the_host_without_its_port(self):
        self.assertTrue(ours("http://example.com:8080", "example.com", SERVER_PORT="5000"))
        for name in ("FOR", "PROTO"):
            behind = {f"HTTP_X_FORWARDED_{name}": "http"}
            self.assertTrue(ours("http://example.com:8080", "example.com", **behind))
            self.assertFalse(ours("http://evil.example:8080", "example.com", **behind))
            self.assertFalse(ours("http://example.com:8080", "example.com:8081", **behind))

    def test_the_port_that_a_proxy_tells_counts(self):
        for told, expected in (("8080", True), ("80, 8080", True), ("80", False), ("x", False)):
            found = ours("http://example.com:8080", "example.com", HTTP_X_FORWARDED_PORT=told)
            self.assertIs(expected, found, told)

    def test_what_the_browser_says_by_itself_comes_first(self):
        for site, expected in (
            ("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False),
            ("", False),
        ):  # fmt: skip
            for origin in ("http://example.com", "http://evil.example", "null"):
                found = ours(origin, "example.com", HTTP_SEC_FETCH_SITE=site)
                self.assertIs(expected, found, site)

    def test_programs_say_nothing(self):
        self.assertTrue(is_ours({"HTTP_HOST": "example.com"}))
