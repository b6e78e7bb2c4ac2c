"""Whose share of the limits by address a request takes from."""

import ipaddress
import logging
from wsgiref.types import WSGIEnvironment

from chatapp.remembering import remembered

__all__ = ["Addresses"]

log = logging.getLogger(__name__)

# One customer of a provider is given a network of this length, and any address in it is theirs.
_IPV6_PREFIX = 64


class Addresses:
    """Warns once of requests whose address tells nothing of who sent them."""

    def __init__(self) -> None:
        self._warned = False

    def whose(self, environ: WSGIEnvironment) -> str | None:
        """The client's address, of IPv6 its network; None if it is not known.

        Behind a proxy that `trusted_proxies` names, REMOTE_ADDR is the client's. Another on this
        machine gives itself away by what it adds: then all its clients would be one.
        """
        peer: str = environ.get("REMOTE_ADDR", "")
        address, is_here = _share(peer)
        if is_here and (not address or _tells_of_others(environ, peer)):
            if not self._warned:
                self._warned = True
                log.warning(
                    "limits by address do not apply to what comes from %s: it seems to be a proxy "
                    "that trusted_proxies does not name",
                    peer or "the Unix socket",
                )
            return None
        return address


@remembered(1024)
def _share(peer: str) -> tuple[str, bool]:
    """What is counted of an address, and whether it is of this machine."""
    try:
        ip = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return "", True
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False)), ip.is_loopback
        ip = ip.ipv4_mapped
    return str(ip), ip.is_loopback


def _tells_of_others(environ: WSGIEnvironment, peer: str) -> bool:
    """Whether the last hop that a proxy wrote down is another than `peer`."""
    told = environ.get("HTTP_X_FORWARDED_FOR") or environ.get("HTTP_FORWARDED") or peer
    return bool(told.rpartition(",")[2].strip() != peer)
