"""The header of the PROXY protocol, versions 1 and 2, without I/O.

A proxy that passes bytes on as they are says with it, before them, whom it speaks for
(https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
"""

import ipaddress
import re
from typing import Final, NamedTuple

__all__ = ["LONGEST", "ProxyHeader", "proxy_header"]

LONGEST: Final = 4096
"""Bytes of a header: what is longer is refused. Version 2 allows 64 KiB, of extensions."""

# Version 1 (section 2.1): one line of at most 107 bytes.
_BEGINS_1: Final = b"PROXY "
_LINE: Final = 107
_TCP = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) [0-9A-Fa-f:.]+ ([0-9]{1,5}) [0-9]{1,5}\r\n")
_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")

# Version 2 (section 2.2): a signature, then version and command, family, length of the rest.
_BEGINS_2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED: Final = 16
_LOCAL, _PROXY = 0x20, 0x21
# Bytes of an address by address family and protocol; of others nothing is taken.
_SIZES: Final = {0x11: 4, 0x21: 16}


class ProxyHeader(NamedTuple):
    """`length` in bytes; `address` and `port` of the client, empty where none is told."""

    length: int
    address: str
    port: str


def proxy_header(data: bytes) -> ProxyHeader | None:
    """The header that `data` begins with; None: it has not all come. Raises ValueError."""
    if data.startswith(_BEGINS_2[: len(data)]):
        return _version_2(data)
    if data.startswith(_BEGINS_1[: len(data)]):
        return _version_1(data)
    raise ValueError("it does not begin with a PROXY header")


def _version_1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, _LINE) + 1
    if not end:
        if len(data) >= _LINE:
            raise ValueError("its PROXY header does not end")
        return None
    line = data[:end]
    if _UNKNOWN.fullmatch(line):
        return ProxyHeader(end, "", "")
    match = _TCP.fullmatch(line)
    if match is None:
        raise ValueError("its PROXY header is malformed")
    address = ipaddress.ip_address(match[2].decode())
    if address.version != int(match[1]) or int(match[3]) > 65535:
        raise ValueError("its PROXY header is malformed")
    return ProxyHeader(end, str(address), str(int(match[3])))


def _version_2(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13]
    length = _FIXED + int.from_bytes(data[14:16])
    size = _SIZES.get(family, 0)
    if command not in (_LOCAL, _PROXY):
        raise ValueError("its PROXY header is of an unknown version or command")
    if length > LONGEST or (command == _PROXY and length < _FIXED + 2 * size + (4 if size else 0)):
        raise ValueError("its PROXY header has a wrong length")
    if len(data) < length:
        return None
    if command == _LOCAL or not size:
        return ProxyHeader(length, "", "")
    address = ipaddress.ip_address(data[_FIXED : _FIXED + size])
    port = int.from_bytes(data[_FIXED + 2 * size : _FIXED + 2 * size + 2])
    return ProxyHeader(length, str(address), str(port))
