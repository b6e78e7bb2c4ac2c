"""TLS: the context that the server listens with, and the certificate in it, which is renewed.

A renewed certificate is taken without a new process: connections are made with the newest that its
files held. It goes into a context of its own, which a handshake is given. Loaded into the live one,
a certificate for another kind of key (RSA, ECDSA) would stand beside the one before, and the client
would choose.
"""

import asyncio
import logging
import os
import ssl
from typing import NoReturn

from cogen.web.options import OptionError, Options

__all__ = ["Certificate"]

log = logging.getLogger(__name__)

# Seconds between looks at the files.
_LOOK_SECONDS = 5.0

# Of each file: device, inode, time of its change, size; None where it cannot be found.
_Stamp = tuple[tuple[int, int, int, int] | None, ...]


class Certificate:
    """What `certificate` and `key` of `options` name. Raises OptionError if it cannot be used.

    `context` is what to listen with.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen = self._taken = self._stamp()
        self.context = self._current = _context(options)
        self.context.sni_callback = self._select
        self._next_look: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, options: Options) -> "Certificate | None":
        """None if there is none. Raises OptionError."""
        if options.certificate:
            return cls(options)
        if options.key:
            raise OptionError("key is given without certificate")
        return None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for renewals from time to time."""
        self.look()
        self._next_look = loop.call_later(_LOOK_SECONDS, self.watch, loop)

    def unwatch(self) -> None:
        """No more connections are taken."""
        if self._next_look is not None:
            self._next_look.cancel()

    def look(self) -> None:
        """Take what the files hold, once they have not changed since the last look.

        Certificate and key are written one after the other. What cannot be used is said once, and
        the one before is served on.
        """
        stamp, seen = self._stamp(), self._seen
        self._seen = stamp
        if stamp != seen or stamp == self._taken:
            return
        self._taken = stamp
        try:
            self._current = _context(self._options)
        except OptionError as error:
            log.warning("the certificate before is served on: %s", error)
        else:
            log.info("the certificate in %s is served from now on", self._options.certificate)

    def _stamp(self) -> _Stamp:
        return tuple(map(_stamp, (self._options.certificate, self._options.key)))

    def _select(self, sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Called at each handshake, also of a client that names no server."""
        sock.context = self._current


def _stamp(path: str) -> tuple[int, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _context(options: Options) -> ssl.SSLContext:
    for name in ("certificate", "key"):
        path = getattr(options, name)
        if path and not os.access(path, os.R_OK):
            raise OptionError(f"{name} = {path!r}: cannot be read")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    what = f"certificate = {options.certificate!r} and key = {options.key!r}"

    def encrypted() -> NoReturn:
        raise OptionError(
            f"{what}: the key is encrypted, and nobody is asked for its pass phrase; "
            "`openssl pkey -in KEY -out NEW` writes it without one"
        )

    try:
        context.load_cert_chain(options.certificate, options.key or None, encrypted)
    except ssl.SSLError as error:
        mismatch = error.reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
        why = "the key is another's" if mismatch else "not a certificate and its key in PEM"
        raise OptionError(f"{what}: {why}") from None
    except OSError as error:
        raise OptionError(f"{what}: {error.strerror or error}") from None
    return context
