"""`host`: whoever is in front of the chat knows who asks, and says so.

REMOTE_USER of the environ (RFC 3875 4.1.11) is set by middleware in the same process. A header is
what proxies send that ask somebody first: oauth2-proxy, Authelia, nginx with auth_request. Anybody
can send one, so it is believed from `trusted_proxies` alone.
"""

import hashlib
import logging
import time
from wsgiref.types import WSGIEnvironment

from chatapp.identity.person import Identity, Person

__all__ = ["Host", "environ_key"]

log = logging.getLogger(__name__)

_SILENT_SECONDS = 60.0


def environ_key(header: str) -> str:
    """The key of environ for a header (PEP 3333); empty for none."""
    return f"HTTP_{header.upper().replace('-', '_')}" if header else ""


class Host(Identity):
    """`user`, `name` and `groups`: names of headers; without `user` REMOTE_USER counts."""

    def __init__(self, user: str = "", name: str = "", groups: str = "") -> None:
        self._header = user
        self._user, self._name, self._groups = map(environ_key, (user, name, groups))
        self._told = -_SILENT_SECONDS

    def who(self, environ: WSGIEnvironment) -> Person | None:
        user = self._user_of(environ)
        if not user:
            return None
        groups = _text(_believed(environ, self._groups))
        named = tuple(each.strip() for each in groups.split(",") if each.strip())
        return Person(user, _text(_believed(environ, self._name)), named)

    def proof(self, environ: WSGIEnvironment) -> str:
        """The user, and what stands for name and groups: either may be another since the join."""
        user = self._user_of(environ)
        if not user or not (self._name or self._groups):
            return user
        said = f"{_believed(environ, self._name)}\n{_believed(environ, self._groups)}"
        digest = hashlib.blake2b(said.encode("latin-1", "replace"), digest_size=12)
        return f"{user} {digest.hexdigest()}"

    def _user_of(self, environ: WSGIEnvironment) -> str:
        if not self._user:
            return _text(environ.get("REMOTE_USER", ""))
        user = _text(environ.get(self._user, ""))
        if user and not environ.get("cogen.proxied"):
            self._warn(environ)
            return ""
        return user

    def _warn(self, environ: WSGIEnvironment) -> None:
        now = time.monotonic()
        if now - self._told >= _SILENT_SECONDS:
            self._told = now
            log.warning(
                "%s came from %s, which trusted_proxies does not name: it is not believed",
                self._header, environ.get("REMOTE_ADDR") or "the Unix socket",
            )  # fmt: skip


def _believed(environ: WSGIEnvironment, key: str) -> str:
    """A header as it came, if a proxy that is trusted sent it."""
    value: str = environ.get(key, "") if key and environ.get("cogen.proxied") else ""
    return value


def _text(value: str) -> str:
    """PEP 3333 hands over the bytes of a header as latin-1 characters."""
    if value.isascii():
        return value.strip()
    return value.encode("latin-1", "replace").decode(errors="replace").strip()
