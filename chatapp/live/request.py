"""What a poll asks for."""

from collections.abc import Mapping
from typing import NamedTuple

from chatapp.live.cursor import Cursor

__all__ = ["PollRequest"]


class PollRequest(NamedTuple):
    """News of `rooms`, for the client `tab`, which is at `since`; None: where it is known to be.

    `held`: it waits for them; otherwise it is answered at once. `written`: the names of rooms that
    were written otherwise, by how they were.
    """

    rooms: tuple[str, ...]
    tab: str
    since: Cursor | None
    held: bool
    written: Mapping[str, str]
