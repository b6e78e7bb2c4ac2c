"""Values in cookies that a client can read and not change, in the form of Pylons 1.0."""

from __future__ import annotations

import binascii
import hmac
import pickle
from base64 import b64decode, b64encode
from hashlib import sha1
from typing import Any

__all__ = ["sign", "unsign"]

_DIGITS = 2 * sha1().digest_size


def sign(value: Any, secret: str | bytes) -> str:
    """The pickle of `value` in base64, behind its HMAC-SHA1 in hexadecimal digits (RFC 2104)."""
    pickled = pickle.dumps(value, protocol=2)
    return _signature(pickled, secret) + b64encode(pickled).decode("ascii")


def unsign(signed: str, secret: str | bytes) -> Any:
    """The value; None if it was not signed with this secret. Only then it is unpickled."""
    try:
        pickled = b64decode(signed[_DIGITS:], validate=True)
        if not hmac.compare_digest(signed[:_DIGITS], _signature(pickled, secret)):
            return None
    except (binascii.Error, TypeError, ValueError):  # no base64, or no ASCII
        return None
    return pickle.loads(pickled)


def _signature(pickled: bytes, secret: str | bytes) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, pickled, sha1).hexdigest()
