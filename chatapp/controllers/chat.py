"""The chat itself: push, pull and what goes with them."""

import logging
from collections.abc import Generator
from typing import Any

import orjson

from chatapp.directory import DirectoryUnavailable, NickTaken
from chatapp.lib.base import BaseController, cogen_value
from chatapp.lib.cursor import BadCursor, Cursor
from chatapp.lib.participant import Participant
from chatapp.lib.poll import READ_LIMIT
from chatapp.lib.wire import (
    LOBBY,
    BadInput,
    accepts_json,
    checked_json,
    checked_nick,
    checked_query,
    checked_room,
    checked_rooms,
    checked_seq,
    checked_text,
    checked_token,
)
from chatapp.model import LogUnavailable, NonceReused, RoomLimit
from cogen.core.events import OperationTimeout
from pylons import request, response, session

__all__ = ["ChatController"]

log = logging.getLogger(__name__)

_HISTORY_LIMIT = 200
_HISTORY_DEFAULT = 50
_RETRY_SECONDS = 2

Steps = Generator[bytes, None, None]


class ChatController(BaseController):
    """Actions that wait yield what environ['cogen.*'] gives them; the server performs it."""

    def push(self, room: str = LOBBY) -> Steps:
        """Store a message; answered when it is durable. The log's observer publishes it."""
        environ = request.environ
        room = checked_room(room)
        as_json = environ.get("CONTENT_TYPE", "").startswith("application/json")
        text, nonce = self._message(environ, as_json)
        participant = yield from self._pusher(environ)
        yield environ["cogen.call"](self._hub.log.append)(
            room, participant.id, participant.nick, text, nonce
        )
        message = _logged(environ)
        if as_json:
            response.content_type = "application/json"
            yield orjson.dumps({"room": room, "seq": message.seq})
        else:
            response.content_type = "text/plain"
            yield str(message.seq).encode()

    def pull(self, rooms: str | None = None) -> Steps:
        """Wait for news; answered as soon as there are any, empty after the poll's time."""
        environ, hub = request.environ, self._hub
        call, core = environ["cogen.call"], environ["cogen.core"]
        names, tab, since = self._asked(environ, rooms)
        participant = self._known(environ) or (yield from self._join(environ))
        shared = since is None and hub.directory.shared
        if shared:
            yield call(hub.directory.recall)(participant, tab)
            since = _remembered(environ, tab in participant.clients)
        poll = hub.poll(participant, tab, names, since, accepts_json(environ))
        client = poll.client
        timeout = hub.options.poll_timeout
        # Before the first wait: a response that changes after it has to be started again.
        response.content_type = "application/json" if poll.json else "text/plain"
        try:
            while not poll.interrupted:
                if (room := poll.unwatched()) is not None:
                    yield core.events.AddCoro(client.watch, (room,))
                    poll.watching(room, cogen_value(environ))
                    if not room.known:
                        yield call(hub.directory.know)(room.name)
                    poll.meet(room)
                elif (unread := poll.to_read()) is not None:
                    yield call(hub.log.read)(*unread, READ_LIMIT)
                    poll.read(unread[0], _logged(environ))
                elif poll.complete:
                    break
                else:
                    poll.waiting = True
                    yield call(client.messages.get)(timeout=timeout)
                    poll.waiting = False
                    result = environ["cogen.wsgi"].result
                    if isinstance(result, OperationTimeout):
                        break
                    poll.take(cogen_value(environ))
            if poll.closing:
                poll.advice = hub.return_delay()
            if shared and not poll.superseded:
                yield call(hub.directory.remember)(participant, tab, poll.cursor)
            yield poll.answer()
        finally:
            hub.end(poll)

    def history(self, room: str) -> Steps:
        """Messages before a seq, or the newest."""
        room = checked_room(room)
        query = checked_query(request.environ.get("QUERY_STRING", ""))
        limit = checked_seq(query.get("limit", str(_HISTORY_DEFAULT)), "limit", 1, _HISTORY_LIMIT)
        seq = checked_seq(query["before"], "before", 1) if "before" in query else None
        yield request.environ["cogen.call"](self._hub.log.before)(room, seq, limit)
        held = _logged(request.environ)
        response.content_type = "application/json"
        oldest = held.messages[0].seq if held.messages else held.first
        yield orjson.dumps(
            {
                "room": room,
                "messages": held.messages,
                "first": held.first,
                "more": oldest > held.first,
            }
        )

    def people(self, room: str) -> Steps:
        """Who is present in a room."""
        room = checked_room(room)
        yield request.environ["cogen.call"](self._hub.people)(room)
        people = _directed(request.environ)
        response.content_type = "application/json"
        yield orjson.dumps({"room": room, "people": people})

    def nick(self) -> Steps:
        """The nick of who asks."""
        environ = request.environ
        participant = self._known(environ) or (yield from self._join(environ))
        response.content_type = "application/json"
        yield orjson.dumps({"nick": participant.nick})

    def rename(self) -> Steps:
        """Choose a nick; it is kept in the session."""
        environ = request.environ
        body = _body(environ, 1024)
        if environ.get("CONTENT_TYPE", "").startswith("application/json"):
            nick = checked_nick(checked_json(body).get("nick"))
        else:
            nick = checked_nick(_decoded(body))
        participant = self._known(environ) or (yield from self._join(environ))
        try:
            yield environ["cogen.call"](self._hub.directory.rename)(participant, nick)
            _directed(environ)
        except NickTaken:
            raise BadInput(409, f"The name {nick} is taken; choose another.") from None
        session["nick"] = nick
        session.save()
        response.content_type = "application/json"
        yield orjson.dumps({"nick": nick})

    def _asked(
        self, environ: dict[str, Any], rooms: str | None
    ) -> tuple[tuple[str, ...], str, Cursor | None]:
        """What a poll is for: rooms, tab, and where the client says it is."""
        names = checked_rooms(rooms, self._hub.options.max_rooms_per_poll)
        query = checked_query(environ.get("QUERY_STRING", ""))
        tab = checked_token(query["client"], "client") if "client" in query else ""
        since = None
        if "since" in query:
            try:
                since = Cursor.decode(query["since"])
            except BadCursor as error:
                raise BadInput(400, f"since: {error}.") from None
        return names, tab, since

    def _pusher(self, environ: dict[str, Any]) -> Generator[bytes, None, Participant]:
        """Who pushes, unless it is too much. One whom nobody knows is counted by address."""
        call, directory = environ["cogen.call"], self._hub.directory
        participant = self._known(environ)
        if participant is None:
            yield call(directory.charge_address)(environ.get("REMOTE_ADDR", ""))
            _allow(environ)
            participant = yield from self._join(environ)
        yield call(directory.charge)(participant)
        _allow(environ)
        return participant

    def _message(self, environ: dict[str, Any], as_json: bool) -> tuple[str, str | None]:
        most = self._hub.options.max_message
        # A character of JSON takes at most twelve bytes: two escapes of a surrogate pair.
        body = _body(environ, 12 * most + 1024)
        if not as_json:
            return checked_text(_decoded(body), most), None
        data = checked_json(body)
        nonce = data.get("nonce")
        if nonce is not None:
            nonce = checked_token(nonce, "nonce")
        return checked_text(data.get("text"), most), nonce


def _logged(environ: dict[str, Any]) -> Any:
    """What the log gave. Raises BadInput for what it refused."""
    try:
        return cogen_value(environ)
    except NonceReused as error:
        raise BadInput(409, f"The {error}.") from None
    except RoomLimit as error:
        raise BadInput(403, f"No room can be opened: {error}.") from None
    except LogUnavailable as error:
        log.error("the message log does not answer: %s", error)
        line = "The message log does not answer; try again soon."
        raise BadInput(503, line, _RETRY_SECONDS) from None


def _directed(environ: dict[str, Any]) -> Any:
    """What the directory gave. Raises BadInput if it does not answer."""
    try:
        return cogen_value(environ)
    except DirectoryUnavailable as error:
        log.error("the directory does not answer: %s", error)
        line = "The directory of who is here does not answer; try again soon."
        raise BadInput(503, line, _RETRY_SECONDS) from None


def _allow(environ: dict[str, Any]) -> None:
    """Raises BadInput for a push that the directory does not allow yet."""
    wait = _directed(environ)
    if wait:
        raise BadInput(429, "Too many messages; wait a moment.", wait)


def _remembered(environ: dict[str, Any], known: bool) -> Cursor | None:
    """The cursor that the directory remembered; if it cannot say, a client known here goes on."""
    try:
        cursor = _directed(environ)
    except BadInput:
        if known:
            return None
        raise
    return None if cursor is None else Cursor.decode(cursor)


def _body(environ: dict[str, Any], most: int) -> bytes:
    """The request's body. Raises BadInput if it has more than `most` bytes."""
    length = environ.get("CONTENT_LENGTH")
    body: bytes = b""
    if not length or int(length) <= most:
        body = environ["wsgi.input"].read(most + 1)
    if len(body) > most or (length and int(length) > most):
        raise BadInput(413, f"The body has more than {most} bytes.")
    return body


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadInput(400, "The body is not UTF-8.") from None
