"""What clients may send: names, texts and numbers, checked. BadInput carries status and line."""

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.community.rooms import PRIVATE_NAME
from chatapp.jsons import decode
from chatapp.model import LOBBY
from chatapp.names import is_seen, visible
from chatapp.remembering import remembered

__all__ = [
    "MOST_NICK",
    "MOST_ROOM",
    "NEEDED_SERVER",
    "WENT_WRONG",
    "BadInput",
    "Rooms",
    "accepts_json",
    "body_of",
    "checked_json",
    "checked_label",
    "checked_nick",
    "checked_query",
    "checked_room",
    "checked_room_list",
    "checked_rooms",
    "checked_seq",
    "checked_text",
    "checked_token",
    "is_json",
]

# Of an error that nobody expected; the log has it.
WENT_WRONG = "Something went wrong here; it has been written down."
# Of requests that another server brings.
NEEDED_SERVER = "the chat needs cogen's server: `paster serve` with `use = egg:ChatApp#http`"
MOST_ROOM = 64
"""Characters of a room's name."""
MOST_NICK = 32
"""Characters of a nick."""
_FIELDS = 20
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_SEQ = 2**53
# Format characters that hide or turn text around; a joiner within a word or emoji stays allowed.
_JOINERS = "\u200c\u200d"
# What is no letter, digit or sign of a room's name; a mark, as in many scripts, may be in it.
_STRANGE = re.compile(rf"[^\w.{_JOINERS}-]")
# A parameter of a URL, which has a character at least; it may lack the value.
_PARAMETER = re.compile(r"(?=[^&])([^&=]*)=?([^&]*)")


class BadInput(Exception):
    """What a client sent cannot be taken: `status` and the line to answer with.

    `room`: the name, as the client wrote it, of the one that it is about. `challenge`: of a 401,
    how to be let in; `login`: where, empty if there is no such page; None: it is about no identity.
    """

    def __init__(
        self,
        status: int,
        line: str,
        retry_after: float | None = None,
        room: str | None = None,
        challenge: str = "",
        login: str | None = None,
    ) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.retry_after = retry_after
        self.room = room
        self.challenge = challenge
        self.login = login

    @property
    def json(self) -> bytes:
        """The body of the answer."""
        told = {"error": self.line}
        if self.room is not None:
            told["room"] = self.room
        if self.login is not None:
            told["login"] = self.login
        return orjson.dumps(told)

    @property
    def retry_header(self) -> tuple[str, str]:
        """The header that says after how many seconds to try again."""
        return "Retry-After", str(max(1, math.ceil(self.retry_after or 0)))


_JSON = "application/json"


def accepts_json(environ: Mapping[str, Any]) -> bool:
    """Whether the Accept header names JSON; anything else gets text/plain."""
    return _JSON in environ.get("HTTP_ACCEPT", "").lower()


def is_json(environ: Mapping[str, Any]) -> bool:
    """Whether the body is JSON; types have no case (RFC 9110 section 8.3.1)."""
    kind: str = environ.get("CONTENT_TYPE", "")
    return kind.partition(";")[0].strip().lower() == _JSON


def checked_query(query_string: str) -> dict[str, str]:
    """The parameters of a URL, the last of each name. Raises BadInput."""
    if not query_string:
        return {}
    if "%" not in query_string and "+" not in query_string and query_string.count("&") < _FIELDS:
        return dict(_PARAMETER.findall(query_string))
    try:
        pairs = parse_qsl(
            query_string, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError:
        raise BadInput(400, "The query of the URL cannot be read.") from None
    return dict(pairs)


def checked_room(name: str) -> str:
    """A room's name, in Unicode's composed form, NFC; a private one's is kept. Raises BadInput."""
    if name.startswith("~") and PRIVATE_NAME.fullmatch(name):
        return name
    composed = unicodedata.normalize("NFC", name)
    strange = _STRANGE.findall(composed)
    named = 1 <= len(composed) <= MOST_ROOM and composed[0] not in strange and is_seen(composed)
    # Clients take "." and ".." for steps in the path of a URL (RFC 3986 section 5.2.4).
    if named and all(map(_is_mark, strange)) and visible(composed).strip("."):
        return composed
    signs = "letters, digits, dots, dashes or underscores, and not dots alone"
    line = f"A room's name is 1 to {MOST_ROOM} {signs}."
    raise BadInput(400, line, room=name)


def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before, as the vowels of many scripts do."""
    return unicodedata.category(character)[0] == "M"


class Rooms(NamedTuple):
    """The `names` of rooms, each once; those that were `written` otherwise, by how they were."""

    names: tuple[str, ...]
    written: Mapping[str, str]


_LOBBY = Rooms((LOBBY,), {})


def checked_rooms(names: str | None, most: int) -> Rooms:
    """Rooms by their names, joined by commas; None: the lobby. Raises BadInput."""
    if names is None:
        return _LOBBY
    # What is remembered is bounded in length: a stranger may send anything.
    check = _remembered_rooms if len(names) <= 512 else _split_rooms
    return check(names, most)


def checked_room_list(names: Any, most: int) -> Rooms:
    """Rooms by their names, in a JSON array. Raises BadInput."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(400, "rooms: a list of names.")
    if not names:
        raise BadInput(400, "rooms: one name or more.")
    rooms: dict[str, str] = {}
    for name in names:
        rooms[name] = checked_room(name)
        if len(rooms) > most:
            raise BadInput(400, f"One poll takes at most {most} rooms.", room=name)
    written = {name: room for name, room in rooms.items() if name != room}
    return Rooms(tuple(dict.fromkeys(rooms.values())), written)


def _split_rooms(names: str, most: int) -> Rooms:
    return checked_room_list(names.split(","), most)


_remembered_rooms = remembered(256)(_split_rooms)


def checked_nick(nick: Any) -> str:
    """Raises BadInput."""
    if isinstance(nick, str):
        name = unicodedata.normalize("NFC", nick).strip()
        printable = all(c.isprintable() or c in _JOINERS for c in name)
        named = any(c.isalnum() for c in visible(name)) and is_seen(name)
        if 1 <= len(name) <= MOST_NICK and printable and named:
            name = " ".join(name.split())
            if ": " in name:
                # In a line of text the name would end there.
                raise BadInput(400, "A name holds no colon that a space follows.")
            return name
    raise BadInput(
        400, f"A name is 1 to {MOST_NICK} printable characters, a letter or digit among them."
    )


def checked_text(text: Any, most: int) -> str:
    """The text of a message of at most `most` characters. Raises BadInput."""
    if not isinstance(text, str):
        raise BadInput(400, "A message needs a text.")
    if len(text) > most:
        raise BadInput(413, f"A message has at most {most} characters; this one has {len(text)}.")
    if not is_seen(text):
        raise BadInput(400, "The message is empty.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(400, "The message is not valid Unicode.") from None
    if "\0" in text:
        raise BadInput(400, "The message holds a NUL character.")
    return text


def checked_label(label: Any, most: int) -> str:
    """What a thing of one's own is called: some printable characters. Raises BadInput."""
    if isinstance(label, str):
        text = " ".join(unicodedata.normalize("NFC", label).split())
        if 1 <= len(text) <= most and text.isprintable() and is_seen(text):
            return text
    raise BadInput(400, f"A label is 1 to {most} printable characters.")


def checked_token(token: Any, name: str) -> str:
    """A client-made token. Raises BadInput."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise BadInput(400, f"{name}: 1 to 64 letters, digits, dashes or underscores.")
    return token


def checked_seq(text: str, name: str, least: int, most: int = _MOST_SEQ) -> int:
    """A number of a URL. Raises BadInput."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise BadInput(400, f"{name}: a whole number from {least} to {most}.")
    return int(text)


def body_of(environ: WSGIEnvironment, most: int) -> bytes:
    """The request's body. Raises BadInput if it has more than `most` bytes."""
    length = environ.get("CONTENT_LENGTH")
    # No more is asked for than is there, as memory is taken for all of it.
    size = int(length) if length else most + 1
    body: bytes = environ["wsgi.input"].read(size) if not length or size <= most else b""
    if len(body) > most or (length and size > most):
        raise BadInput(413, f"The body has more than {most} bytes.")
    return body


def checked_json(body: bytes) -> Mapping[str, Any]:
    """The object that a JSON body holds. Raises BadInput."""
    try:
        data = decode(body)
    except ValueError:
        raise BadInput(400, "The body is not JSON in UTF-8.") from None
    if not isinstance(data, dict):
        raise BadInput(400, "The body is not a JSON object.")
    return data
