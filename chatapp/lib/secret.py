"""The secret that signs cookies: made at the first start, in a file only its owner can read."""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

__all__ = ["derived_key", "load_secret"]

_BYTES = 32


def load_secret(path: Path) -> bytes:
    """The secret in the file `path`, made with mode 0600 if it is not there.

    Raises ValueError for a file that is too short or that others can read, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _make(path)
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} can be read by others: make it `chmod 600`")
    secret = path.read_bytes().strip()
    if len(secret) < _BYTES:
        raise ValueError(f"{path} is too short for a secret: delete it to have a new one made")
    return secret


def _make(path: Path) -> None:
    """Whoever links its draft to `path` first has made it: two starts at once end with one."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
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
