"""Whose share a request takes from."""

import unittest

from chatapp.lib.addresses import Addresses


class AddressTests(unittest.TestCase):
    def whose(self, address, **headers):
        return Addresses().whose({"REMOTE_ADDR": address, **headers})

    def test_an_address_is_itself_and_a_network_of_ipv6_is_one(self):
        self.assertEqual("203.0.113.7", self.whose("203.0.113.7"))
        self.assertEqual("203.0.113.7", self.whose("::ffff:203.0.113.7"))
        self.assertEqual("2001:db8:1:2::/64", self.whose("2001:db8:1:2::1"))
        self.assertEqual("2001:db8:1:2::/64", self.whose("2001:db8:1:2:ffff:ffff:ffff:ffff"))
        self.assertEqual("2001:db8:1:3::/64", self.whose("2001:db8:1:3::1"))
        self.assertEqual("fe80::/64", self.whose("fe80::1%eth0"))

    def test_this_machine_has_addresses_like_others(self):
        self.assertEqual("127.0.0.2", self.whose("127.0.0.2"))
        self.assertEqual("::/64", self.whose("::1"))

    def test_a_proxy_here_that_is_not_trusted_is_warned_of_once(self):
        forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}
        for peer, headers, name in (
            ("127.0.0.1", forwarded, "127.0.0.1"),
            ("::1", {"HTTP_FORWARDED": "for=203.0.113.7"}, "::1"),
            ("", forwarded, "the Unix socket"),
            ("", {}, "the Unix socket"),
        ):
            addresses = Addresses()
            with self.subTest(peer), self.assertLogs("chatapp", "WARNING") as logs:
                for _ in range(3):
                    self.assertIsNone(addresses.whose({"REMOTE_ADDR": peer, **headers}))
            [record] = logs.records
            self.assertEqual(
                f"limits by address do not apply to what comes from {name}: it seems to be a "
                "proxy that trusted_proxies does not name",
                record.getMessage(),
            )

    def test_a_trusted_proxy_may_tell_of_somebody_on_this_machine(self):
        # As trusted_proxies = 127.0.0.1 leaves it.
        forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.7, 127.0.0.1"}
        self.assertEqual("127.0.0.1", self.whose("127.0.0.1", **forwarded))

    def test_elsewhere_nobody_escapes_by_a_header(self):
        forwarded = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_FORWARDED": "for=192.0.2.2"}
        self.assertEqual("203.0.113.7", self.whose("203.0.113.7", **forwarded))
