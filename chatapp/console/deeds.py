"""What is written down of what was done by whoever has the machine."""

from typing import Any

from chatapp.community.acts import CONSOLE
from chatapp.community.deeds import Deed

__all__ = ["console_deed"]


def console_deed(at: float, act: str, **more: Any) -> Deed:
    """The deed of that act, at that Unix time; `more` as the fields of Deed are called."""
    return Deed(round(at, 3), CONSOLE.id, CONSOLE.name, act, **more)
