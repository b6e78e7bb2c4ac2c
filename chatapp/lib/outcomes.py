"""What came of the operation that an action named last; what went wrong becomes BadInput."""

import logging
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar, cast
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import SPEAK
from chatapp.community.asking import NO_SUCH_ROOM, Impossible, NoSuch, NotAllowed, Unfit
from chatapp.community.rooms import ANNOUNCE, CLOSED, Room
from chatapp.directory import Directory, DirectoryUnavailable, MayWait, NickTaken, Refusal
from chatapp.lib.rules import CannotTell
from chatapp.lib.wire import BadInput
from chatapp.live.errors import ChatFull, Refused
from chatapp.live.figures import Figures
from chatapp.model import LogUnavailable, NonceReused, RoomLimit

__all__ = [
    "CANNOT_TELL",
    "cogen_value",
    "directed",
    "done",
    "log_refusal",
    "logged",
    "of_directory",
    "refusal",
    "taken",
    "tell_once",
    "too_much",
    "until",
    "why_not",
]

log = logging.getLogger(__name__)

_Value = TypeVar("_Value")

CANNOT_TELL = "Whether you may do that cannot be found out now; try again soon."
"""What is told where a site's rule fails."""
_RETRY_SECONDS = 2
_ROOMS_SECONDS = 60
# Of a fault that lasts everybody who comes would have the same line written.
_SILENT_SECONDS = 60.0
_MOST_LINES = 100
_written: dict[str, float] = {}
_TOO_MUCH = {
    "push_rate": "Too many messages; wait a moment.",
    "address_push_rate": "Too many messages from your address; wait a moment.",
    "address_sessions": "Too many new sessions from your address; try again later.",
    "address_bytes": "Too much was written from your address; try again later.",
    "address_rooms": "Too many new rooms from your address; try again later.",
}


def cogen_value(environ: WSGIEnvironment) -> Any:
    """What the operation gave that was named last; raises what it raised."""
    wsgi = environ["cogen.wsgi"]
    if wsgi.exception is not None:
        raise wsgi.result
    return wsgi.result


def logged(environ: WSGIEnvironment, figures: Figures) -> Any:
    """What the log gave. Raises BadInput for what it refused, and counts it in `figures`."""
    try:
        return cogen_value(environ)
    except (NonceReused, RoomLimit, LogUnavailable) as error:
        raise log_refusal(error, figures) from None


def done(environ: WSGIEnvironment, figures: Figures, room: str | None = None) -> Any:
    """What came of an act; `room`: the one that it was about, as it was written.

    Raises BadInput for what was refused.
    """
    try:
        return logged(environ, figures)
    except Unfit as error:
        raise BadInput(400, str(error)) from None
    except NotAllowed as error:
        raise BadInput(403, str(error)) from None
    except NoSuch as error:
        raise BadInput(404, str(error), room=room if str(error) == NO_SUCH_ROOM else None) from None
    except Impossible as error:
        raise BadInput(409, str(error)) from None
    except CannotTell:
        raise BadInput(503, CANNOT_TELL, _RETRY_SECONDS) from None


def log_refusal(error: NonceReused | RoomLimit | LogUnavailable, figures: Figures) -> BadInput:
    """What tells of `error`, which is counted in `figures`."""
    if isinstance(error, NonceReused):
        figures.refusals["nonce"] += 1
        return BadInput(409, f"The {error}.")
    if isinstance(error, RoomLimit):
        figures.refusals["rooms"] += 1
        line = f"No room can be opened: {error}; try again soon."
        return BadInput(503, line, _ROOMS_SECONDS)
    figures.refusals["unavailable"] += 1
    if not error.told:
        _tell(f"the message log does not answer: {error}")
    return BadInput(503, "The message log does not answer; try again soon.", _RETRY_SECONDS)


def refusal(error: Refused) -> BadInput:
    """What tells of `error`: 503 where there is no place for anybody, 429 for this one."""
    status = 503 if isinstance(error, ChatFull) else 429
    return BadInput(status, str(error), error.retry_after)


def taken(nick: str, error: NickTaken) -> BadInput:
    """What tells that `nick`, or one that it looks like, is another's."""
    like = nick if nick == error.taken else f"{nick} looks like {error.taken}, which"
    return BadInput(409, f"The name {like} is taken; choose another.")


def directed(environ: WSGIEnvironment) -> Any:
    """What the directory gave. Raises BadInput if it does not answer."""
    try:
        return cogen_value(environ)
    except DirectoryUnavailable as error:
        _tell(f"the directory does not answer: {error}")
        line = "The directory of who is here does not answer; try again soon."
        raise BadInput(503, line, _RETRY_SECONDS) from None


def of_directory(
    environ: WSGIEnvironment,
    directory: Directory,
    function: Callable[..., MayWait[_Value]],
    *arguments: Any,
) -> Generator[bytes, None, _Value]:
    """What `function` of `directory` gives; waited for where that is shared.

    Raises BadInput if the directory does not answer.
    """
    if not directory.shared:
        return cast(_Value, function(*arguments))
    yield environ["cogen.call"](function)(*arguments)
    return cast(_Value, directed(environ))


def too_much(refusal: Refusal, figures: Figures) -> BadInput:
    """What tells of `refusal`, which is counted in `figures`."""
    figures.limited[refusal.limit] += 1
    if refusal.limit.endswith("push_rate"):
        figures.throttled += 1
    return BadInput(429, _TOO_MUCH[refusal.limit], refusal.wait)


def _tell(line: str) -> None:
    if _is_due(line):
        log.error("%s", line)


def tell_once(about: str, line: str) -> None:
    """Write down, once a minute of what it is `about`, that somebody was refused."""
    if _is_due(about):
        log.warning("%s: %s", about, line)


def _is_due(line: str) -> bool:
    now = time.monotonic()
    if now - _written.get(line, -_SILENT_SECONDS) < _SILENT_SECONDS:
        return False
    if len(_written) >= _MOST_LINES:
        _written.clear()
    _written[line] = now
    return True


def why_not(room: Room, act: str) -> str:
    """The line for who may see the room, and may not do that in it."""
    if act == SPEAK and room.policy == CLOSED:
        return f"This room is closed: {room.reason}" if room.reason else "This room is closed."
    if act == SPEAK and room.policy == ANNOUNCE:
        return "Only some speak in this room; you can read it."
    return "You may not speak in this room." if act == SPEAK else "You may not do that here."


def until(end: float, reason: str) -> str:
    """How a line goes on that says what somebody is."""
    when = (
        "" if end == float("inf") else time.strftime(" until %Y-%m-%d %H:%M UTC", time.gmtime(end))
    )
    return f"{when}: {reason}" if reason else f"{when}."
