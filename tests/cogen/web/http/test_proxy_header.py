"""Headers of the PROXY protocol: which are taken, how far, and what is refused."""

import ipaddress
import unittest

from hypothesis import given
from hypothesis import strategies as st

from cogen.web.http.proxy_header import LONGEST, ProxyHeader, proxy_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
ADDRESSES = st.ip_addresses()
PORTS = st.integers(0, 65535)


def version_1(address, port):
    kind = 4 if address.version == 4 else 6
    other = "10.0.0.1" if kind == 4 else "::1"
    return f"PROXY TCP{kind} {address} {other} {port} 443\r\n".encode()


def version_2(address, port, extension=b"", command=0x21):
    family = 0x11 if address.version == 4 else 0x21
    told = 2 * address.packed + 2 * port.to_bytes(2) + extension
    return SIGNATURE + bytes((command, family)) + len(told).to_bytes(2) + told


class ProxyHeaderTest(unittest.TestCase):
    @given(ADDRESSES, PORTS, st.binary(max_size=300), st.binary(max_size=20))
    def test_whole_headers_tell_of_the_client_and_what_follows_is_left(
        self, address, port, extension, rest
    ):
        for header in (version_1(address, port), version_2(address, port, extension)):
            found = proxy_header(header + rest)
            self.assertEqual(found.length, len(header))
            self.assertEqual(ipaddress.ip_address(found.address), address)
            self.assertEqual(found.port, str(port))
            for end in range(len(header)):
                self.assertIsNone(proxy_header(header[:end]))

    @given(st.binary(max_size=600))
    def test_nothing_else_is_taken_for_one(self, data):
        for begins in (b"", SIGNATURE, b"PROXY "):
            try:
                found = proxy_header(begins + data)
            except ValueError:
                continue
            if found is not None:
                self.assertLessEqual(found.length, LONGEST)
                self.assertTrue((begins + data).startswith((SIGNATURE, b"PROXY ")))

    def test_a_proxy_that_speaks_for_itself_tells_of_nobody(self):
        nobody = {
            b"PROXY UNKNOWN\r\n": 15,
            b"PROXY UNKNOWN ::1 ::1 1 2\r\n": 27,
            SIGNATURE + b"\x20\x00\x00\x00": 16,
            SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216): 232,
        }
        for header, length in nobody.items():
            self.assertEqual(proxy_header(header + b"GET"), ProxyHeader(length, "", ""))

    def test_malformed_headers_are_refused(self):
        malformed = (
            b"GET / HTTP/1.1\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
            b"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
            b"PROXY " + b"x" * 110,
            SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
            SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
            SIGNATURE + b"\x21\x11\xff\xff",
        )
        for data in malformed:
            with self.subTest(data[:40]), self.assertRaises(ValueError):
                proxy_header(data)
