"""The waiting path: who asks, the wait, and the way that most polls take.

`answered` is what a poll does, whoever calls it. Nearly all requests are polls of somebody who is
known. `Polls` answers those in front of all middleware: they need no session, no route and no error
page, and the price of a delivered message is that of this path. Every other poll takes the way of
all requests, to ChatController.pull, which finds out who asks.
"""

import logging
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from chatapp.lib.addresses import Addresses
from chatapp.lib.badges import Badges
from chatapp.lib.gate import Gate
from chatapp.lib.identity import Signer, cookie_value, same
from chatapp.lib.outcomes import cogen_value, directed, log_refusal, logged, refusal
from chatapp.lib.poll_requests import request_in_url
from chatapp.lib.wire import WENT_WRONG, BadInput, accepts_json
from chatapp.live.cursor import Cursor
from chatapp.live.errors import Refused
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant
from chatapp.live.poll import ANSWER, CLOSING, READ_LIMIT, SUPERSEDED, WAIT, WATCH, Poll, Step
from chatapp.live.request import PollRequest
from chatapp.model import LogUnavailable
from chatapp.names import folded
from cogen.core.events import OperationTimeout

__all__ = ["Polls", "Steps", "answered", "live_names", "participant_of", "resolve", "token_of"]

log = logging.getLogger(__name__)

Steps = Generator[bytes, None, None]
"""Part of an exchange: each chunk that it yields stands for an operation that was named."""

_PATH = "/chat/pull"
_ALL_KNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def token_of(environ: WSGIEnvironment, signer: Signer) -> str:
    """The signed token that came with the request, empty if none did; not verified."""
    return cookie_value(environ.get("HTTP_COOKIE", ""), signer.cookie) or ""


def participant_of(environ: WSGIEnvironment, hub: Hub, signer: Signer) -> Participant | None:
    """Who asks, if the signed token leads to somebody alive; no session is looked at."""
    token = token_of(environ, signer)
    participant = hub.participants.get(token.rpartition(".")[0])
    if participant is None or same(token, participant.token):
        return participant
    if signer.verified(token) is None:
        return None
    participant.token = token
    return participant


def resolve(
    environ: WSGIEnvironment, hub: Hub, rooms: Sequence[str], since: Cursor | None
) -> Generator[bytes, None, Mapping[str, str]]:
    """Before a poll for `rooms`, from `since`: what its client knows is to be known here as well.

    Returns what those rooms are called that are not known here by these names. Raises BadInput
    where the log does not answer.
    """
    if since is not None and since.epoch != hub.log.epoch:
        yield environ["cogen.call"](hub.log.learn_epoch)(since.epoch)
        logged(environ, hub.figures)
    unknown = [name for name in rooms if name not in hub.rooms]
    if not unknown:
        return _ALL_KNOWN
    yield environ["cogen.call"](hub.log.canonical_names)(unknown)
    called: Mapping[str, str] = logged(environ, hub.figures)
    firsts: dict[str, str] = {}
    for name in unknown:
        firsts.setdefault(folded(name), name)
    new = {name: firsts[folded(name)] for name in unknown if name not in called}
    if new:
        live = yield from live_names(environ, hub, tuple(dict.fromkeys(new.values())))
        called = {**called, **{name: live[first] for name, first in new.items()}}
    return called


def live_names(
    environ: WSGIEnvironment, hub: Hub, rooms: Sequence[str]
) -> Generator[bytes, None, Mapping[str, str]]:
    """What `rooms`, of which the log has none, are called by those who are in them, anywhere."""
    here = {room: hub.live_name(room) for room in rooms}
    if not hub.directory.shared:
        return here
    asked = tuple(dict.fromkeys(name for name in here.values() if hub.recorded(name) is None))
    if not asked:
        return here
    yield environ["cogen.call"](hub.directory.canonical_names)(asked)
    called = cogen_value(environ)
    return {room: called.get(name, name) for room, name in here.items()}


def answered(
    environ: WSGIEnvironment,
    hub: Hub,
    gate: Gate,
    addresses: Addresses,
    participant: Participant,
    request: PollRequest,
    json: bool,
    most_hold: float | None = None,
    known_for: float | None = None,
) -> Steps:
    """Answer a poll of `participant`, once there is something to answer with.

    `most_hold`: seconds for which a visitor is held, where there are too many to be answered at
    once; `known_for`: after which it has to be asked again who this is. Raises BadInput.
    """
    since = request.since
    forgetful = since is None and participant.id != ""
    if (
        since is not None
        and since.epoch == hub.log.epoch
        and _is_in(environ, hub, gate, participant, request)
    ):
        poll = _begun(environ, hub, addresses, participant, request, json, _ALL_KNOWN)
    else:
        poll = yield from _entered(environ, hub, gate, addresses, participant, request, json)
    if forgetful and most_hold is not None:
        poll.joining, poll.hold = False, min(most_hold, poll.hold)
    if gate.asks_again:
        poll.hold = min(poll.hold, gate.seconds_left(participant, request.rooms))
    if known_for is not None and known_for < poll.hold:
        poll.hold = max(known_for, 0.0)
    # All that a poll keeps while it waits is this frame, and what it refers to.
    try:
        wsgi = environ["cogen.wsgi"]
        while (step := poll.step()) is not ANSWER:
            if step is not WAIT:
                yield from _catch_up(environ, hub, poll, step)
                continue
            poll.waiting = True
            try:
                yield wsgi.name(poll.client.messages.get(timeout=poll.hold))
            except GeneratorExit:
                # A get that was undone has no result; else it was handed something before.
                poll.owes = poll.owes or wsgi.result is not None
                raise
            poll.waiting = False
            if isinstance(wsgi.result, OperationTimeout):
                break
            poll.take(cogen_value(environ))
        if poll.ended is CLOSING:
            poll.retry = hub.return_delay()
        is_saved = forgetful and (hub.directory.shared or participant.is_visitor)
        if is_saved and poll.ended is not SUPERSEDED:
            call = environ["cogen.call"]
            yield call(hub.directory.save_cursor)(participant, request.tab, poll.cursor)
        yield wsgi.last(poll.answer())
    finally:
        hub.end(poll)


def _is_in(
    environ: WSGIEnvironment,
    hub: Hub,
    gate: Gate,
    participant: Participant,
    request: PollRequest,
) -> bool:
    """Whether the client has been let into all rooms that it asks for, and may still be there."""
    client = participant.clients.get(request.tab)
    if client is None or (gate.banned_addresses and gate.is_banned_from(environ)):
        return False
    for name in request.rooms:
        subscription = client.subscriptions.get(name)
        if subscription is None or hub.rooms.get(name) is not subscription.room:
            return False
    return not gate.asks_again or gate.seconds_left(participant, request.rooms) > 0


def _entered(
    environ: WSGIEnvironment,
    hub: Hub,
    gate: Gate,
    addresses: Addresses,
    participant: Participant,
    request: PollRequest,
    json: bool,
) -> Generator[bytes, None, Poll]:
    """The poll of a client that is let in first, or of which more has to be known.

    Raises BadInput.
    """
    was_in = _is_in(environ, hub, gate, participant, request)
    if not was_in:
        yield from gate.enter(environ, participant, request.rooms, request.written)
    if request.since is None and participant.id != "":
        request = yield from _with_cursor(environ, hub, participant, request)
    called = yield from resolve(environ, hub, request.rooms, request.since)
    if not _is_in(environ, hub, gate, participant, request):
        yield from gate.check_again(environ, participant, request.rooms, request.written)
    poll = _begun(environ, hub, addresses, participant, request, json, called)
    came = not was_in and request.since is not None
    if came and gate.evictions.concerns(participant, request.tab):
        poll.client.rooms_changed = True  # who came from another worker may not have been told
    return poll


def _with_cursor(
    environ: WSGIEnvironment, hub: Hub, participant: Participant, request: PollRequest
) -> Generator[bytes, None, PollRequest]:
    """The request of a client that carries no cursor, with the one that the directory remembers.

    Raises BadInput if the directory does not answer, and the client is not known here.
    """
    is_here = request.tab in participant.clients
    if participant.is_visitor or (is_here and not hub.directory.shared):
        return request
    yield environ["cogen.call"](hub.directory.load_cursor)(participant, request.tab)
    try:
        cursor = directed(environ)
    except BadInput:
        if is_here:
            return request
        raise
    return request if cursor is None else request._replace(since=Cursor.decode(cursor))


def _begun(
    environ: WSGIEnvironment,
    hub: Hub,
    addresses: Addresses,
    participant: Participant,
    request: PollRequest,
    json: bool,
    called: Mapping[str, str],
) -> Poll:
    """The poll, which takes a place if its client is new. Raises BadInput."""
    is_new = request.tab not in participant.clients
    address = addresses.whose(environ) if is_new else None
    try:
        return hub.poll(participant, request, json, address, called)
    except Refused as error:
        raise refusal(error) from None
    except LogUnavailable as error:
        raise log_refusal(error, hub.figures) from None


def _catch_up(environ: WSGIEnvironment, hub: Hub, poll: Poll, step: Step) -> Steps:
    """Watch a room, or read it from the log. Raises BadInput where the log does not answer."""
    call, progress = environ["cogen.call"], poll.at
    assert progress is not None
    if step is WATCH:
        room = progress.room
        yield environ["cogen.core"].events.AddCoro(poll.client.watch, (room,))
        poll.watched(cogen_value(environ))
        if poll.ended is SUPERSEDED:
            return  # the room may have been left meanwhile
        if not room.has_snapshot:
            yield call(hub.directory.subscribe)(room.name)
        poll.know_presence()
    else:
        yield call(hub.log.read)(progress.room.name, progress.after, READ_LIMIT)
        poll.read(logged(environ, hub.figures))


class Polls:
    """Middleware: answers the polls of those who are known, and leaves the rest to `app`.

    `headers` are those of every answer, but for its type; `badges`: where people are known.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        hub: Hub,
        gate: Gate,
        addresses: Addresses,
        signer: Signer,
        headers: Mapping[str, str],
        badges: Badges | None = None,
    ) -> None:
        self._app = app
        self._badges = badges
        self._hub = hub
        self._gate = gate
        self._addresses = addresses
        self._signer = signer
        self._json = [*headers.items(), ("Content-Type", "application/json")]
        self._text = [*headers.items(), ("Content-Type", "text/plain; charset=UTF-8")]

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(_PATH) and environ["REQUEST_METHOD"] == "GET":
            known_for = None
            if self._badges is None:
                participant = participant_of(environ, self._hub, self._signer)
            else:
                participant = None
                badge = self._badges.shown(environ)
                if badge is not None:
                    participant = self._hub.participants.get(badge.participant)
                    known_for = self._badges.seconds_left(badge.person)
            request = self._request(environ, path[len(_PATH) :])
            if participant is not None and request is not None:
                return self._answer(environ, start_response, participant, request, known_for)
        return self._app(environ, start_response)

    def _request(self, environ: WSGIEnvironment, rest: str) -> PollRequest | None:
        """What a poll asks for; None: it is none, or one that is to be refused."""
        if (rest and rest[0] != "/") or "text/html" in environ.get("HTTP_ACCEPT", ""):
            return None
        try:
            rooms = rest[1:] if rest else None
            if rooms is not None and not rooms.isascii():
                rooms = _decoded(rooms)
            return request_in_url(environ, rooms, self._hub.options.max_rooms_per_poll)
        except BadInput:
            return None

    def _answer(
        self,
        environ: WSGIEnvironment,
        start_response: Any,
        participant: Participant,
        request: PollRequest,
        known_for: float | None,
    ) -> Steps:
        json = accepts_json(environ)
        hub, gate, addresses = self._hub, self._gate, self._addresses
        # Nothing is sent before the first chunk that is not empty: a refusal replaces this.
        start_response("200 OK", list(self._json if json else self._text))
        try:
            yield from answered(
                environ, hub, gate, addresses, participant, request, json, None, known_for
            )
        except BadInput as bad:
            yield self._refusal(bad, json, start_response)
        except Exception:
            log.exception("GET %s failed", environ["PATH_INFO"])
            yield self._refusal(BadInput(500, WENT_WRONG), json, start_response)

    def _refusal(self, bad: BadInput, json: bool, start_response: Any) -> bytes:
        headers = list(self._json if json else self._text)
        if bad.retry_after is not None:
            headers.append(bad.retry_header)
        status = f"{bad.status} {HTTPStatus(bad.status).phrase}"
        start_response(status, headers, sys.exc_info())
        return bad.json if json else f"{bad.line}\n".encode()


def _decoded(rooms: str) -> str:
    """PEP 3333 hands over the bytes of the path as latin-1 characters. Raises BadInput."""
    try:
        return rooms.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise BadInput(400, "The path of the URL is not UTF-8.") from None
