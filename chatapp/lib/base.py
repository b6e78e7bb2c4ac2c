"""The base of the chat's controllers: who asks, from where, and how errors are told."""

import logging
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from webob.exc import status_map

from chatapp.community.acts import GUEST
from chatapp.community.people import Acquaintances
from chatapp.directory import Cost, NickTaken
from chatapp.identity.members import Member, Members
from chatapp.identity.names import KeptNames
from chatapp.identity.passkeys import Passkeys
from chatapp.identity.person import Person
from chatapp.lib.addresses import Addresses
from chatapp.lib.badges import Badges
from chatapp.lib.cookies import COOKIE_SECONDS
from chatapp.lib.gate import Gate, person_of
from chatapp.lib.identity import Signer, new_id
from chatapp.lib.origins import is_ours
from chatapp.lib.outcomes import directed, logged, of_directory, refusal, taken, too_much
from chatapp.lib.people import People
from chatapp.lib.waiting import participant_of, token_of
from chatapp.lib.wire import BadInput
from chatapp.live.errors import Refused
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant
from pylons import config, request, response, session
from pylons import tmpl_context as c
from pylons.controllers import WSGIController
from pylons.templating import render_mako

__all__ = ["BaseController", "refuse"]

log = logging.getLogger(__name__)

# In front of the id in the token of who was greeted.
_GREETED = "new."
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class BaseController(WSGIController):
    """Turns BadInput into the answer it asks for; refuses unsafe requests of other origins."""

    def __init__(self) -> None:
        shared = config["pylons.app_globals"]
        self._hub: Hub = shared.hub
        self._signer: Signer = shared.signer
        self._addresses: Addresses = shared.addresses
        self._names: KeptNames = shared.names
        self._badges: Badges | None = shared.badges
        self._people: People | None = shared.people
        self._gate: Gate = shared.gate
        self._passkeys: Passkeys | None = shared.passkeys
        self._acquaintances: Acquaintances = shared.acquaintances

    def __before__(self, environ: WSGIEnvironment) -> None:
        if environ["REQUEST_METHOD"] not in _SAFE_METHODS and not is_ours(environ):
            refuse(BadInput(403, "This request comes from another site."))

    def _perform_call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        try:
            result = function(**arguments)
        except BadInput as bad:
            refuse(bad)
        return _guarded(result) if isinstance(result, Generator) else result

    def _known(self, environ: WSGIEnvironment) -> Participant | None:
        """Who asks, if that is somebody alive; no session is looked at."""
        if self._badges is None:
            return participant_of(environ, self._hub, self._signer)
        badge = self._badges.shown(environ)
        return None if badge is None else self._hub.participants.get(badge.participant)

    def _known_for(self, environ: WSGIEnvironment, participant: Participant) -> float | None:
        """Seconds until it has to be asked again who that is; None: it has not."""
        if self._badges is None or participant.person is None:
            return None
        badge = self._badges.shown(environ)
        return self._badges.seconds_left(participant.person if badge is None else badge.person)

    @property
    def _has_door(self) -> bool:
        """Whether people are known, and it is the chat itself that lets them in."""
        return self._badges is not None and isinstance(self._badges.identity, Members)

    def _participant(self, environ: WSGIEnvironment) -> Generator[bytes, None, Participant]:
        """Who asks, who has joined then. Raises BadInput, for who is banned as well."""
        participant = self._known(environ) or (yield from self._join(environ))
        self._gate.let_in(environ, person_of(participant))
        return participant

    def _reader(self, environ: WSGIEnvironment) -> Generator[bytes, None, Participant]:
        """Who asks to read, who need not join where a name is all it takes.

        Raises BadInput for who has to be somebody known, and is not.
        """
        if self._people is not None:
            return (yield from self._participant(environ))
        known = self._known(environ)
        if known is not None:
            return known
        sender = self._guest(environ).id
        return Participant(self._own_id(environ), "", None, is_visitor=True, sender=sender)

    def _guest(self, environ: WSGIEnvironment) -> Person:
        """Who asks where a name is all it takes, without an id if they have none yet."""
        identity = self._own_id(environ)
        return Person(self._signer.sender(identity) if identity else "", role=GUEST)

    def _own_id(self, environ: WSGIEnvironment) -> str:
        own: str = session.get("id") or self._token_identity(environ) or ""
        return own

    def _token_identity(self, environ: WSGIEnvironment) -> str | None:
        """The id in the signed token, which need not lead to anybody."""
        if self._badges is not None:
            badge = self._badges.shown(environ)
            return None if badge is None else badge.participant
        said = self._signer.verified(token_of(environ, self._signer))
        return None if said is None else said.removeprefix(_GREETED)

    def _join(self, environ: WSGIEnvironment) -> Generator[bytes, None, Participant]:
        """Who asks, by the session or as `chat.identity` knows them. Raises BadInput."""
        if self._people is not None:
            address = self._addresses.whose(environ)
            participant, badge = yield from self._people.join(environ, address)
            if badge and self._badges is not None:
                self._set_cookie(self._badges.cookie, badge)
            yield from self._note(environ, participant)
            return participant
        self._gate.let_in(environ, self._guest(environ))
        if self._is_new(environ) or self._comes_first(environ):
            yield from self._charge(environ, "address_sessions")
        identity = self._identify(environ)
        address = self._addresses.whose(environ)
        sender = self._signer.sender(identity)
        nick = yield from self._own_nick(environ, sender)
        try:
            yield environ["cogen.call"](self._hub.join)(identity, nick, sender, address)
            participant = directed(environ)
        except Refused as error:
            raise refusal(error) from None
        return participant  # type: ignore[no-any-return]

    def _own_nick(
        self, environ: WSGIEnvironment, sender: str
    ) -> Generator[bytes, None, str | None]:
        """The nick in the session, unless it has become another's."""
        nick: str | None = session.get("nick")
        if nick is None:
            return None
        try:
            yield from self._check_nick(environ, nick, sender)
        except BadInput as bad:
            # While the log is away nobody speaks: before they do, it is asked again.
            return None if bad.status == 409 else nick
        return nick

    def _check_nick(
        self, environ: WSGIEnvironment, nick: str, sender: str
    ) -> Generator[bytes, None, None]:
        """Raises BadInput if that nick is kept for another."""
        yield environ["cogen.call"](self._names.check)(nick, sender)
        self._unless_taken(environ, nick)

    def _keep_nick(
        self, environ: WSGIEnvironment, participant: Participant
    ) -> Generator[bytes, None, None]:
        """Who is about to speak keeps the nick. Raises BadInput if it is kept for another."""
        nick, sender = participant.nick, participant.sender
        if participant.person is None and not self._names.is_kept(nick, sender):
            address = self._addresses.whose(environ)
            yield environ["cogen.call"](self._names.keep)(nick, sender, address)
            self._unless_taken(environ, nick)

    def _note(
        self, environ: WSGIEnvironment, participant: Participant
    ) -> Generator[bytes, None, None]:
        """Who that is can be found from now on, by handle and nick."""
        person = person_of(participant)._replace(name=participant.nick)
        address = self._addresses.whose(environ)
        if participant.sender and not self._acquaintances.is_noted(person, address):
            yield environ["cogen.call"](self._acquaintances.note)(person, address)
            try:
                logged(environ, self._hub.figures)
            except BadInput as bad:
                # They come in while the log is away, and are noted when they do something.
                log.info("%r is not noted now: %s", participant, bad.line)

    def _unless_taken(self, environ: WSGIEnvironment, nick: str) -> Any:
        """What the last step gave. Raises BadInput if the nick is another's."""
        try:
            return logged(environ, self._hub.figures)
        except NickTaken as error:
            raise taken(nick, error) from None

    def _charge(
        self,
        environ: WSGIEnvironment,
        *limits: str,
        size: int = 0,
        person: Participant | None = None,
    ) -> Generator[bytes, None, None]:
        """Take one of each of `limits`, and `size` bytes, from the address's share, and a push from
        the person's.

        Raises BadInput if that is too much.
        """
        address = self._addresses.whose(environ)
        costs = [Cost(limit, address) for limit in limits] if address is not None else []
        if size and address is not None:
            costs.append(Cost("address_bytes", address, size))
        if person is not None:
            costs.append(Cost("push_rate", person.id))
        directory = self._hub.directory
        refusal = yield from of_directory(environ, directory, directory.consume, costs, person)
        if refusal is not None:
            raise too_much(refusal, self._hub.figures)

    def _is_new(self, environ: WSGIEnvironment) -> bool:
        """Whether who asks has no id yet."""
        return not isinstance(session.get("id"), str) and self._token_identity(environ) is None

    def _is_greeted(self, environ: WSGIEnvironment) -> bool:
        """Whether who asks has an id with which nobody has taken part yet."""
        if isinstance(session.get("id"), str):
            return False
        said = self._signer.verified(token_of(environ, self._signer))
        return said is not None and said.startswith(_GREETED)

    def _comes_first(self, environ: WSGIEnvironment) -> bool:
        """Whether who asks is about to take part with the id that they were greeted with."""
        is_here = self._token_identity(environ) in self._hub.participants
        return self._is_greeted(environ) and not is_here

    def _greet(self, environ: WSGIEnvironment) -> str:
        """Give who asks an id in a signed token, and nothing else; returns it.

        What it costs is counted when it is brought back: most who ask once never do.
        """
        own = self._token_identity(environ) or new_id()
        self._set_cookie(self._signer.cookie, self._signer.sign(f"{_GREETED}{own}"))
        return own

    def _identify(self, environ: WSGIEnvironment, renew: bool = False) -> str:
        """Give who asks an id, in the session and in a signed token; returns it.

        `renew`: the cookies of who has one are given again, so that they end later.
        """
        identity = self._token_identity(environ)
        own = session.get("id")
        if not isinstance(own, str):
            own = session["id"] = identity or new_id()
            renew = True
        if renew:
            session.save()
        if renew or own != identity:
            self._set_cookie(self._signer.cookie, self._signer.sign(own))
        return own

    def _sign_in(self, added: tuple[Member, str] | None, nobody: str) -> None:
        """This browser is that device of the member; None: raises BadInput, with that line."""
        if added is None or self._badges is None or not isinstance(self._badges.identity, Members):
            raise BadInput(404, nobody)
        member, device = added
        self._badges.identity.admitted(device)
        self._give_badge(member.person, device)

    def _give_badge(self, person: Person, proof: str) -> None:
        if self._badges is not None:
            self._set_cookie(self._badges.cookie, self._badges.made(person, proof)[1])

    def _set_cookie(self, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.scheme == "https",
        )

    def _page(self, template: str) -> str:
        """What `template` makes of tmpl_context.

        `c.base` is in front of every path of the chat; `c.static(name)` is that of a file, relative
        where it can be: a proxy may put the chat below a prefix and not say so.
        """
        response.headers["Content-Security-Policy"] = _POLICY
        c.base = base = quote(request.script_name)
        folder = "" if request.path_info == "/" else f"{base}/"
        version = self._hub.about["version"]
        c.static = lambda name: f"{folder}static/{version}/{name}"
        return render_mako(template)


def refuse(bad: BadInput) -> None:
    """Raise the HTTPException that tells of `bad`; its page is the error document's."""
    request.environ["chatapp.error"] = bad
    headers = [bad.retry_header] if bad.retry_after is not None else []
    if bad.challenge:
        headers.append(("WWW-Authenticate", bad.challenge))
    raise status_map[bad.status](detail=bad.line, headers=headers) from None


def _guarded(steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    try:
        yield from steps
    except BadInput as bad:
        refuse(bad)
