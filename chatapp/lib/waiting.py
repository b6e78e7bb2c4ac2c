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

from chatapp.lib.identity import Signer, cookie_value, same
from chatapp.lib.outcomes import cogen_value, directed, log_refusal, logged, refusal
from chatapp.lib.poll_requests import request_in_url
from chatapp.lib.wire import WENT_WRONG, BadInput, accepts_json
from chatapp.live.cursor import Cursor
from chatapp.live.errors import Refused
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant
from chatapp.live.poll import READ_LIMIT, Poll
from chatapp.live.request import PollRequest
from chatapp.model import LogUnavailable
from chatapp.names import folded
from cogen.core.events import OperationTimeout

__all__ = ["Polls", "Steps", "answered", "known", "live_names", "resolve", "token_of"]

log = logging.getLogger(__name__)

Steps = Generator[bytes, None, None]
"""Part of an exchange: each chunk that it yields stands for an operation that was named."""

_PATH = "/chat/pull"
_ALL_KNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def token_of(environ: WSGIEnvironment, signer: Signer) -> str:
    """The signed token that came with the request, empty if none did; not verified."""
    return cookie_value(environ.get("HTTP_COOKIE", ""), signer.cookie) or ""


def known(environ: WSGIEnvironment, hub: Hub, signer: Signer) -> Participant | None:
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
    yield environ["cogen.call"](hub.log.named)(unknown)
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
    yield environ["cogen.call"](hub.directory.canonical_names)(tuple(dict.fromkeys(here.values())))
    called = cogen_value(environ)
    return {room: called.get(name, name) for room, name in here.items()}


def answered(
    environ: WSGIEnvironment,
    hub: Hub,
    participant: Participant,
    wanted: PollRequest,
    json: bool,
    most_hold: float | None = None,
) -> Steps:
    """Answer a poll of `participant`, once there is something to answer with.

    `most_hold`: seconds for which a newcomer is held, where there are too many to be answered at
    once. Raises BadInput.
    """
    tab, visiting = wanted.tab, participant.visiting
    is_known, shared = tab in participant.clients, hub.directory.shared
    forgetful = wanted.since is None and participant.id != ""
    if forgetful and not visiting and (shared or not is_known):
        yield environ["cogen.call"](hub.directory.load_cursor)(participant, tab)
        wanted = wanted._replace(since=_remembered(environ, is_known))
    called = yield from resolve(environ, hub, wanted.rooms, wanted.since)
    try:
        poll = hub.poll(participant, wanted, json, environ, called)
    except Refused as error:
        raise refusal(error) from None
    except LogUnavailable as error:
        raise log_refusal(error, hub.figures) from None
    if forgetful and most_hold is not None:
        poll.joining, poll.hold = False, min(most_hold, poll.hold)
    try:
        yield from _wait(environ, hub, poll)
        if forgetful and (shared or visiting) and not poll.superseded:
            yield environ["cogen.call"](hub.directory.save_cursor)(participant, tab, poll.cursor)
        yield environ["cogen.wsgi"].last(poll.answer())
    finally:
        hub.end(poll)


def _remembered(environ: WSGIEnvironment, known: bool) -> Cursor | None:
    """The cursor that the directory remembered; if it cannot say, a client known here goes on."""
    try:
        cursor = directed(environ)
    except BadInput:
        if known:
            return None
        raise
    return None if cursor is None else Cursor.decode(cursor)


def _wait(environ: WSGIEnvironment, hub: Hub, poll: Poll) -> Steps:
    """Wait until `poll` has its answer, by yielding what names the operations.

    Raises BadInput where the log does not answer.
    """
    call, core = environ["cogen.call"], environ["cogen.core"]
    client, hold = poll.client, poll.hold
    while not poll.interrupted:
        if (room := poll.unwatched()) is not None:
            yield core.events.AddCoro(client.watch, (room,))
            poll.watching(room, cogen_value(environ))
            if not room.known:
                yield call(hub.directory.subscribe)(room.name)
            poll.list_people(room)
        elif (unread := poll.to_read()) is not None:
            yield call(hub.log.read)(*unread, READ_LIMIT)
            poll.read(unread[0], logged(environ, hub.figures))
        elif poll.complete or (not hold and client.messages.empty()):
            break
        else:
            poll.waiting = True
            try:
                yield call(client.messages.get)(timeout=hold)
            except GeneratorExit:
                # A get that was undone has no result; else it was handed something before.
                poll.owes = poll.owes or environ["cogen.wsgi"].result is not None
                raise
            poll.waiting = False
            if isinstance(environ["cogen.wsgi"].result, OperationTimeout):
                break
            poll.take(cogen_value(environ))
    if poll.closing:
        poll.retry = hub.return_delay()


class Polls:
    """Middleware: answers the polls of those who are known, and leaves the rest to `app`.

    `headers` are those of every answer, but for its type.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        hub: Hub,
        signer: Signer,
        headers: Mapping[str, str],
    ) -> None:
        self._app = app
        self._hub = hub
        self._signer = signer
        self._json = [*headers.items(), ("Content-Type", "application/json")]
        self._text = [*headers.items(), ("Content-Type", "text/plain; charset=UTF-8")]

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(_PATH) and environ["REQUEST_METHOD"] == "GET":
            participant = known(environ, self._hub, self._signer)
            wanted = self._wanted(environ, path[len(_PATH) :])
            if participant is not None and wanted is not None:
                return self._answer(environ, start_response, participant, wanted)
        return self._app(environ, start_response)

    def _wanted(self, environ: WSGIEnvironment, rest: str) -> PollRequest | None:
        """What a poll asks for; None: it is none, or one that is to be refused."""
        if (rest and rest[0] != "/") or "text/html" in environ.get("HTTP_ACCEPT", ""):
            return None
        try:
            rooms = _decoded(rest[1:]) if rest else None
            return request_in_url(environ, rooms, self._hub.options.max_rooms_per_poll)
        except BadInput:
            return None

    def _answer(
        self,
        environ: WSGIEnvironment,
        start_response: Any,
        participant: Participant,
        wanted: PollRequest,
    ) -> Steps:
        json = accepts_json(environ)
        # Nothing is sent before the first chunk that is not empty: a refusal replaces this.
        start_response("200 OK", list(self._json if json else self._text))
        try:
            yield from answered(environ, self._hub, participant, wanted, json)
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
    if rooms.isascii():
        return rooms
    try:
        return rooms.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise BadInput(400, "The path of the URL is not UTF-8.") from None
