"""The chat itself: push, pull and what goes with them."""

import time
from collections.abc import Generator
from dataclasses import replace
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.community.acts import READ, SPEAK
from chatapp.directory import NickTaken
from chatapp.identity.person import Person
from chatapp.identity.renaming import take_name
from chatapp.jsons import encode
from chatapp.lib.holding import WaitingController
from chatapp.lib.outcomes import directed, logged, of_directory, taken
from chatapp.lib.poll_requests import request_in_body, request_in_url
from chatapp.lib.waiting import Steps, answered, live_names
from chatapp.lib.wire import (
    MOST_NICK,
    MOST_ROOM,
    BadInput,
    accepts_json,
    body_of,
    checked_json,
    checked_nick,
    checked_query,
    checked_room,
    checked_seq,
    checked_text,
    checked_token,
    is_json,
)
from chatapp.live.batch import as_json
from chatapp.live.cursor import LONGEST_CURSOR
from chatapp.live.participant import Participant
from chatapp.live.request import PollRequest
from chatapp.model import LOBBY, Draft, NoSuchRoom, Stored
from pylons import response, session

__all__ = ["ChatController"]

# For which visitors are held, where there are too many to be answered at once.
_MANY_SECONDS = 1.0
_HISTORY_LIMIT = 200
_HISTORY_DEFAULT = 50
# Characters of JSON that a seq has.
_SEQ = 16
# What the log keeps of a message beside its text, about.
_MESSAGE_BYTES = 100


class ChatController(WaitingController):
    """What is said, and who hears it."""

    def push(self, environ: WSGIEnvironment, room: str = LOBBY) -> Steps:
        """Store a message; answered when it is durable. The log's observer publishes it."""
        room = checked_room(room)
        json = is_json(environ)
        response.content_type = "application/json" if json else "text/plain"
        text, nonce = self._message(environ, json)
        participant = yield from self._pusher(environ, _MESSAGE_BYTES + len(text.encode()))
        yield from self._gate.check(environ, participant, room, SPEAK)
        yield from self._keep_nick(environ, participant)
        yield from self._note(environ, participant)
        figures, began = self._hub.figures, time.perf_counter()
        stored = yield from self._stored(environ, room, participant, text, nonce)
        figures.commits.observe(time.perf_counter() - began)
        said = (
            orjson.dumps({"room": stored.room, "seq": stored.seq}) if json else b"%d" % stored.seq
        )
        yield environ["cogen.wsgi"].last(said)

    def pull(self, environ: WSGIEnvironment, rooms: str | None = None) -> Steps:
        """Wait for news; answered as soon as there are any, empty after the poll's time."""
        hub = self._hub
        most = hub.options.max_rooms_per_poll
        if environ["REQUEST_METHOD"] == "POST":
            wanted = request_in_body(checked_json(body_of(environ, _poll_bytes(most))), most)
        else:
            wanted = request_in_url(environ, rooms, most)
        participant = self._known(environ)
        hold = None
        if participant is None and self._people is None and self._is_new(environ):
            if not hub.welcomes(self._addresses.whose(environ)):
                hold = _MANY_SECONDS
            participant = self._visitor(environ, wanted, hold is None)
        elif participant is None:
            participant = yield from self._join(environ)
        json = accepts_json(environ)
        # Before the first wait: a response that changes after it has to be started again.
        response.content_type = "application/json" if json else "text/plain"
        known_for = self._known_for(environ, participant)
        yield from answered(
            environ, hub, self._gate, self._addresses, participant, wanted, json, hold, known_for
        )

    def history(self, environ: WSGIEnvironment, room: str) -> Steps:
        """Messages before a seq, or the newest."""
        room = checked_room(room)
        query = checked_query(environ.get("QUERY_STRING", ""))
        limit = checked_seq(query.get("limit", str(_HISTORY_DEFAULT)), "limit", 1, _HISTORY_LIMIT)
        seq = checked_seq(query["before"], "before", 1) if "before" in query else None
        response.content_type = "application/json"
        reader = yield from self._reader(environ)
        yield from self._gate.check(environ, reader, room, READ)
        room = yield from self._called(environ, room)
        yield environ["cogen.call"](self._hub.log.before)(room, seq, limit)
        held = logged(environ, self._hub.figures)
        yield from self._gate.check_again(environ, reader, (room,))
        seqs = (*(message.seq for message in held.messages[:1]), *held.damaged[:1])
        oldest = min(seqs, default=held.first)
        damaged = {"damaged": held.damaged} if held.damaged else {}
        rest = {"room": room, "first": held.first, "more": oldest > held.first, **damaged}
        told = encode(rest, _SEQ * len(held.damaged))[:-1]
        yield b'%b,"messages":[%b]}' % (told, as_json(held.messages))

    def people(self, environ: WSGIEnvironment, room: str) -> Steps:
        """Who is present in a room."""
        room = checked_room(room)
        response.content_type = "application/json"
        reader = yield from self._reader(environ)
        yield from self._gate.check(environ, reader, room, READ)
        room = yield from self._called(environ, room)
        hub = self._hub
        people = yield from of_directory(environ, hub.directory, hub.people, room)
        yield from self._gate.check_again(environ, reader, (room,))
        yield encode({"room": room, "people": people}, MOST_NICK * len(people))

    def nick(self, environ: WSGIEnvironment) -> Steps:
        """The nick of who asks."""
        participant = yield from self._participant(environ)
        response.content_type = "application/json"
        yield orjson.dumps({"nick": participant.nick})

    def rename(self, environ: WSGIEnvironment) -> Steps:
        """Choose a nick; it is kept in the session."""
        body = body_of(environ, 1024)
        if is_json(environ):
            nick = checked_nick(checked_json(body).get("nick"))
        else:
            nick = checked_nick(_decoded(body))
        # Others are told of it, as of a message.
        yield from self._charge(environ, "address_push_rate")
        participant = yield from self._participant(environ)
        self._gate.let_speak(environ, participant)
        if participant.person is None:
            yield from self._check_nick(environ, nick, participant.sender)
        else:
            yield from self._take_name(environ, participant.person, nick)
        try:
            yield environ["cogen.call"](self._hub.directory.rename)(participant, nick)
            directed(environ)
        except NickTaken as error:
            raise taken(nick, error) from None
        if participant.person is None:
            session["nick"] = nick
            session.save()
        else:
            participant.person = participant.person._replace(name=nick)
            yield from self._note(environ, participant)
        response.content_type = "application/json"
        yield orjson.dumps({"nick": nick})

    def _take_name(
        self, environ: WSGIEnvironment, person: Person, name: str
    ) -> Generator[bytes, None, None]:
        """A member has that name from now on. Raises BadInput for others who are known."""
        if not self._has_door:
            raise BadInput(403, "Your name is the one that you have where you sign in.")
        records, keep = self._hub.log.records, self._hub.options.nick_keep
        yield environ["cogen.call"](take_name)(records, self._names, person.id, name, keep)
        self._unless_taken(environ, name)

    def leave(self, environ: WSGIEnvironment) -> Steps:
        """Who asks is here no more, and the nick is anybody's."""
        identity = self._token_identity(environ)
        if identity is not None:
            yield environ["cogen.call"](self._hub.leave)(identity)
            directed(environ)
        response.content_type = "application/json"
        yield orjson.dumps({"nick": None})

    def _visitor(
        self, environ: WSGIEnvironment, wanted: PollRequest, is_welcome: bool
    ) -> Participant:
        """Who polls without a cookie of this chat: they are given one, and may read without.

        Of too many the others are given one if they have no cursor to go on from.
        """
        identity = self._greet(environ) if is_welcome or wanted.since is None else ""
        return Participant(identity, "", None, is_visitor=True)

    def _pusher(self, environ: WSGIEnvironment, size: int) -> Generator[bytes, None, Participant]:
        """Who pushes so many bytes, unless it is too much."""
        participant = self._known(environ)
        if participant is not None:
            yield from self._charge(environ, "address_push_rate", size=size, person=participant)
            return participant
        # Whom nobody knows yet are together let through as much as a session is.
        yield from self._charge(environ, "address_push_rate", "push_rate", size=size)
        participant = yield from self._join(environ)
        yield from self._charge(environ, person=participant)
        return participant

    def _stored(
        self,
        environ: WSGIEnvironment,
        room: str,
        participant: Participant,
        text: str,
        nonce: str | None,
    ) -> Generator[bytes, None, Stored]:
        """Where the message is stored; a room that it opens is of the address's share."""
        append = environ["cogen.call"](self._hub.log.append)
        address = self._addresses.whose(environ) or ""
        draft = Draft(
            room, participant.nick, text, participant.sender, nonce, address=address
        )  # fmt: skip
        yield append(draft, participant.id, False)
        try:
            stored: Stored = logged(environ, self._hub.figures)
        except NoSuchRoom:
            yield from self._charge(environ, "address_rooms")
            live = yield from live_names(environ, self._hub, (room,))
            yield append(replace(draft, room=live[room]), participant.id, True)
            stored = logged(environ, self._hub.figures)
        return stored

    def _message(self, environ: WSGIEnvironment, json: bool) -> tuple[str, str | None]:
        most = self._hub.options.max_message
        # A character of JSON takes at most twelve bytes: two escapes of a surrogate pair.
        body = body_of(environ, 12 * most + 1024)
        if not json:
            return checked_text(_decoded(body), most), None
        data = checked_json(body)
        nonce = data.get("nonce")
        if nonce is not None:
            nonce = checked_token(nonce, "nonce")
        return checked_text(data.get("text"), most), nonce


def _poll_bytes(rooms: int) -> int:
    """What the body of a poll of so many rooms has at most.

    A character of JSON takes at most twelve bytes: two escapes of a surrogate pair.
    """
    return rooms * (12 * MOST_ROOM + 4) + LONGEST_CURSOR + 1024


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadInput(400, "The body is not UTF-8.") from None
