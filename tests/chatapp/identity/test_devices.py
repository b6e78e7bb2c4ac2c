"""What a device is called at first."""

import unittest

from chatapp.identity.devices import label_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36"
SAFARI = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT} Version/26 Safari/604.1"
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142"


class LabelTests(unittest.TestCase):
    def test_a_browser_and_its_system(self):
        for label, agent in (
            ("Firefox on Linux", FIREFOX),
            ("Chrome on Android", CHROME),
            ("Safari on iPhone", SAFARI),
            ("Edge on Windows", EDGE),
            ("curl", "curl/8.5.0"),
            ("A device", "\x00<script>" * 1000),
            ("A device", ""),
        ):
            self.assertEqual(label, label_of({"HTTP_USER_AGENT": agent}))
        self.assertEqual("A device", label_of({}))
