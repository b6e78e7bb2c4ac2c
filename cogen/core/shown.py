"""What an object is in a line of a log or an error: its repr, as far as that can be told."""

from threading import local
from typing import Any, Final

__all__ = ["shown"]

_MOST: Final = 200


class _Shown(local):
    """The objects that are being shown by this thread."""

    def __init__(self) -> None:
        self.ids: set[int] = set()


_shown: Final = _Shown()


def shown(value: object, most: int = _MOST) -> str:
    """The repr of `value`, at most `most` characters of it.

    One that is shown within itself, as where coroutines wait for each other, is `...`; of one whose
    repr fails it is told what it is.
    """
    key, ids = id(value), _shown.ids
    if key in ids:
        return "..."
    ids.add(key)
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 (it is the application's)
        return f"<{_kind(value)}>"
    finally:
        ids.discard(key)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _kind(value: Any) -> str:
    return type(value).__name__
