"""The secret that signs cookies: given, or made at the first start in a file of its owner's alone.

All workers of a cluster need the same; its fingerprint tells whether they have.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

__all__ = [
    "VARIABLE",
    "derived_key",
    "find_secret",
    "fingerprint",
    "known_secret",
    "load_secret",
    "secret_path",
]

VARIABLE = "CHAT_SECRET"
"""The variable of the environment that may have the secret."""
_BYTES = 32
_NAME = "secret"


def find_secret(environ: Mapping[str, str], file: str, data: str) -> bytes:
    """The secret: the variable CHAT_SECRET, else of `file`, else of one in the folder `data`.

    Only the last is made if it is not there. Raises ValueError, OSError.
    """
    secret = known_secret(environ, file, data)
    if secret is None:
        path = secret_path(file, data)
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
        secret = load_secret(path)
    return secret


def known_secret(environ: Mapping[str, str], file: str, data: str) -> bytes | None:
    """The same, but None where find_secret would make it."""
    given = environ.get(VARIABLE)
    if given is not None:
        if len(given.encode()) < _BYTES:
            raise ValueError(
                f"{VARIABLE} is too short for a secret: give it {_BYTES} bytes or more"
            )
        return given.encode()
    path = secret_path(file, data)
    return load_secret(path) if file or path.exists() else None


def secret_path(file: str, data: str) -> Path:
    """Where the secret is that no variable has: `file`, or in the folder `data`."""
    return Path(file or Path(data) / _NAME)


def load_secret(path: Path) -> bytes:
    """The secret in the file `path`.

    Raises ValueError for a file that is too short or that others can read, OSError.
    """
    secret = path.read_bytes().strip()
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} can be read by others: make it `chmod 600`")
    if len(secret) < _BYTES:
        raise ValueError(f"{path} is too short for a secret: it has to have {_BYTES} bytes or more")
    return secret


def _make(path: Path) -> None:
    """Whoever links its draft to `path` first has made it: two starts at once end with one."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key of its own for `purpose`."""
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)


def fingerprint(secret: bytes) -> str:
    """Tells secrets apart without giving them away."""
    return derived_key(secret, "fingerprint").hex()[:16]
