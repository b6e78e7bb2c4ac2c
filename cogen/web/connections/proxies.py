"""What a trusted proxy says of the client: `Forwarded` (RFC 7239) or `X-Forwarded-*`.

A proxy passes on what it does not set, so only headers count that the options say it sets. The
others, which come from strangers through it, are dropped. And a header counts only as far as it was
written by proxies that the options name: from the nearest hop back, the first address that is not
one of theirs is the client's; what stands before it is what the client made up.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Final
from wsgiref.types import WSGIEnvironment

from cogen.web.http.request import is_host
from cogen.web.http.tokens import TOKEN
from cogen.web.options import OptionError, Options

__all__ = ["Proxies"]

# One parameter or what separates them.
_FORWARDED = re.compile(rf'\s*(?:({TOKEN})=(?:({TOKEN})|"((?:[^"\\]|\\.)*)")\s*(?=[;,]|\Z)|([;,]))')
_PREFIX = re.compile(r"(?:/[A-Za-z0-9\-._~%!$&'()*+;=:@]+)+/?")

# Addresses come from strangers: what is remembered of them is bounded, in number and length.
_REMEMBERED: Final = 1024
_ADDRESS_LENGTH: Final = 64

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Hop = dict[str, str]


# The headers by which proxies tell of their clients.
_HEADERS = {
    name.lower(): "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    )
}


class Proxies:
    """Sets an environ right behind the proxies that `trusted` names.

    `trusted` is a list of addresses and networks separated by commas; `unix` is whoever connects to
    a Unix socket, `*` everybody. `headers` are those that the proxies set, `Forwarded` alone or of
    the others (RFC 7239 section 8.1). Raises OptionError.
    """

    def __init__(self, trusted: str, headers: str) -> None:
        self._read = _environ_names(headers)
        self._dropped = [name for name in _HEADERS.values() if name not in self._read]
        self._all = self._unix = False
        self._networks: list[_Network] = []
        self._trusted: dict[str, bool] = {}
        for each in trusted.replace(",", " ").split():
            if each == "*":
                self._all = True
            elif each == "unix":
                self._unix = True
            else:
                try:
                    self._networks.append(ipaddress.ip_network(each, strict=False))
                except ValueError:
                    forms = "an address, a network, `unix` or `*`"
                    raise OptionError(f"trusted_proxies: {each!r} is not {forms}") from None

    @classmethod
    def of(cls, options: Options) -> "Proxies | None":
        """None if none is trusted. Raises OptionError."""
        if options.proxy_protocol and not options.trusted_proxies:
            raise OptionError(
                "proxy_protocol: nobody could connect: name the proxies in trusted_proxies"
            )
        proxies = cls(options.trusted_proxies, options.proxy_headers)
        return proxies if options.trusted_proxies else None

    def apply(self, environ: WSGIEnvironment) -> None:
        """Set REMOTE_ADDR, the scheme, the host and SCRIPT_NAME as the proxies say."""
        if not self.trusts(environ["REMOTE_ADDR"]):
            return
        environ["cogen.proxied"] = True
        for name in self._dropped:
            environ.pop(name, None)
        hops = _forwarded(environ) if "HTTP_FORWARDED" in environ else _x_forwarded(environ)
        last: _Hop = {}
        while hops:
            last = hops.pop()
            address, port = _address(last.get("for", ""))
            if not address:
                break
            environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = address, port
            if not self.trusts(address):
                break
        if last.get("proto", "").lower() in ("http", "https"):
            environ["wsgi.url_scheme"] = last["proto"].lower()
        if is_host(last.get("host", "").encode("latin-1")):
            environ["HTTP_HOST"] = last["host"]
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "")
        if _PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix.rstrip("/")

    def trusts(self, address: str) -> bool:
        """Whether that is the address of one of the proxies; empty: of a Unix socket."""
        if self._all:
            return True
        if not address:
            return self._unix
        trusted = self._trusted.get(address)
        if trusted is None:
            trusted = self._names(address)
            if len(self._trusted) < _REMEMBERED:
                self._trusted[address] = trusted
        return trusted

    def _names(self, address: str) -> bool:
        ip = ipaddress.ip_address(address.partition("%")[0])
        if ip.version == 6 and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._networks)


def _environ_names(headers: str) -> set[str]:
    """The keys of the environ for the header names in `headers`."""
    names = [name.lower() for name in headers.replace(",", " ").split()]
    for name in names:
        if name not in _HEADERS:
            raise OptionError(
                f"proxy_headers: {name!r} is not known; there are: {', '.join(_HEADERS)}"
            )
    if "forwarded" in names and len(names) > 1:
        raise OptionError(
            "proxy_headers: a proxy that sets Forwarded sets none of the others: name one kind"
        )
    return {_HEADERS[name] for name in names}


def _address(text: str) -> tuple[str, str]:
    """The address and port of a hop, empty where it does not tell: `unknown`, `_hidden`."""
    return _told(text) if len(text) <= _ADDRESS_LENGTH else ("", "")


@lru_cache(_REMEMBERED)
def _told(text: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), port
    except ValueError:
        return "", ""


def _x_forwarded(environ: WSGIEnvironment) -> list[_Hop]:
    """The hops in order; a list shorter than that of addresses tells of the nearest ones."""
    values = {
        name: [
            each.strip() for each in environ.get(f"HTTP_X_FORWARDED_{name.upper()}", "").split(",")
        ]
        for name in ("for", "proto", "host")
    }
    hops: list[_Hop] = [{"for": address} for address in values["for"]]
    for name in ("proto", "host"):
        given = values[name]
        for number, hop in enumerate(reversed(hops), 1):
            hop[name] = given[-number] if number <= len(given) else given[0]
    return hops


def _forwarded(environ: WSGIEnvironment) -> list[_Hop]:
    """The hops in order; none at all if the header is malformed."""
    text = environ["HTTP_FORWARDED"]
    hops: list[_Hop] = [{}]
    at = 0
    while at < len(text.rstrip()):
        match = _FORWARDED.match(text, at)
        if match is None:
            return []
        at = match.end()
        name, token, quoted, separator = match.groups()
        if separator == ",":
            hops.append({})
        elif name:
            value = token if token is not None else re.sub(r"\\(.)", r"\1", quoted)
            hops[-1][name.lower()] = value
    return hops
