"""What a poll asks for: by its URL, or by a JSON body where the URL would be too long."""

from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.lib.wire import (
    BadInput,
    Rooms,
    checked_query,
    checked_room_list,
    checked_rooms,
    checked_token,
)
from chatapp.live.cursor import BadCursor, Cursor
from chatapp.live.request import PollRequest
from chatapp.model import LOBBY

__all__ = ["request_in_body", "request_in_url"]


def request_in_url(environ: WSGIEnvironment, rooms: str | None, most_rooms: int) -> PollRequest:
    """By the URL, of whose path `rooms` is the end. Raises BadInput."""
    asked = checked_rooms(rooms, most_rooms)
    return _request(asked, checked_query(environ.get("QUERY_STRING", "")))


def request_in_body(body: Mapping[str, Any], most_rooms: int) -> PollRequest:
    """By a JSON body, in which null is as nothing. Raises BadInput."""
    given = {name: value for name, value in body.items() if value is not None}
    return _request(checked_room_list(given.get("rooms", [LOBBY]), most_rooms), given)


def _request(rooms: Rooms, given: Mapping[str, Any]) -> PollRequest:
    tab = checked_token(given["client"], "client") if "client" in given else ""
    since = None
    if "since" in given:
        try:
            since = Cursor.decode(given["since"])
        except BadCursor as error:
            raise BadInput(400, f"since: {error}.") from None
    held = "hold" not in given
    if not held and str(given["hold"]) != "0":
        raise BadInput(400, "hold: 0, or nothing.")
    return PollRequest(rooms.names, tab, since, held, rooms.written)
