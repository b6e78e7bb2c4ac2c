"""For which hosts a request may be: the option `allowed_hosts`.

A page of a stranger's site can have its name lead to this machine (DNS rebinding). A browser behind
the firewall then hands that page what it reads here, but for this: Host has the stranger's name.
"""

import ipaddress
import re
import socket

from cogen.web.connections.listen import is_loopback
from cogen.web.connections.proxies import Proxies
from cogen.web.http.errors import HTTPError
from cogen.web.options import OptionError

__all__ = ["Hosts"]

# What stands in Host before the port; is_host has judged the rest.
_PORT = re.compile(r":[0-9]*\Z")
_ALLOWED = re.compile(r"(?:\*\.)?[A-Za-z0-9\-._]+|\[[0-9A-Fa-f:.]+\]")
# A name of one label: nobody can register it.
_LABEL = re.compile(r"[a-z0-9\-_]+")


class Hosts:
    """Those that requests may name; port and case do not count.

    `allowed_hosts` has names, addresses, `*.NAME` for those below a name, or `*` for any. Empty,
    requests to a loopback address may name what no stranger can have lead there, those of `proxies`
    and at other addresses anything. Raises OptionError.
    """

    def __init__(self, allowed_hosts: str, proxies: Proxies | None) -> None:
        self._proxies = None if allowed_hosts else proxies
        self._default = not allowed_hosts
        self._any = False
        self._names: set[str] = set()
        self._below: list[str] = []
        for each in allowed_hosts.replace(",", " ").split():
            if each == "*":
                self._any = True
            elif not _ALLOWED.fullmatch(each):
                forms = "a host without a port, `*.NAME` or `*`"
                raise OptionError(f"allowed_hosts: {each!r} is not {forms}")
            elif each.startswith("*."):
                self._below.append(_host(each[1:]))
            else:
                self._names.add(_host(each))
        self._last = ""  # one that is allowed

    def at(self, sock: socket.socket) -> "Hosts | None":
        """Those of requests at `sock`, which listens; None: any."""
        return None if self._any or (self._default and not is_loopback(sock)) else self

    def check(self, host: str | None, peer: str) -> None:
        """Raises HTTPError if a request of `peer` must not name `host`, which HTTP/1.0 need not."""
        if host is None or host == self._last:
            return
        if self._allows(_host(host)):
            self._last = host
        elif self._proxies is None or not self._proxies.trusts(peer):
            raise HTTPError(421, f"This server is not for {host}: see its option allowed_hosts.")

    def _allows(self, host: str) -> bool:
        if self._default:
            label = _LABEL.fullmatch(host) is not None
            return label or host.endswith(".localhost") or _is_address(host)
        return host in self._names or any(map(host.endswith, self._below))


def _host(text: str) -> str:
    """Without its port, in the one way in which it is compared."""
    return _PORT.sub("", text).removesuffix(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
