"""Who polls: a session's id in a small signed cookie, so that the waiting path needs no session.

Reading a Beaker session costs tens of microseconds, and one that is read before a wait writes its
old copy back after it. A token is checked in three.
"""

import base64
import hashlib
import hmac
import secrets

__all__ = ["Signer", "cookie_value", "new_id", "same"]


def new_id() -> str:
    """A random id of 128 bits, in base64url."""
    return secrets.token_urlsafe(16)


class Signer:
    """Signs ids with HMAC-SHA256 (RFC 2104) under `key`, for the cookie of that name."""

    def __init__(self, key: bytes, cookie: str) -> None:
        self._key = key
        self.cookie = cookie

    def sign(self, identity: str) -> str:
        """The token for `identity`: the id, a dot, the signature."""
        return f"{identity}.{self._signature(identity)}"

    def verified(self, token: str) -> str | None:
        """The id in `token`, or None if it was not signed here."""
        identity, _, signature = token.rpartition(".")
        return identity if same(signature, self._signature(identity)) else None

    def sender(self, identity: str) -> str:
        """The id that the log has of who has that one: always the same, and it signs nobody in."""
        digest = hmac.digest(self._key, f"sender {identity}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:12]).decode("ascii")

    def participant(self, person: str) -> str:
        """The id of the participant who is the person with that id: always the same."""
        digest = hmac.digest(self._key, f"participant {person}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:12]).decode("ascii")

    def _signature(self, identity: str) -> str:
        digest = hmac.digest(self._key, identity.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode("ascii")


def same(one: str, other: str) -> bool:
    """Whether the texts are equal, in a time that does not tell where they differ."""
    return one.isascii() and other.isascii() and hmac.compare_digest(one, other)


def cookie_value(header: str, name: str) -> str | None:
    """The value of the cookie `name` in a Cookie header (RFC 6265 4.2.1)."""
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return value.strip()
    return None
