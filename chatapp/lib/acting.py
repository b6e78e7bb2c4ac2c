"""What the controllers of rooms and of keepers have in common: who acts, and upon whom."""

import math
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import GUEST
from chatapp.community.asking import MOST_REASON, MOST_TITLE
from chatapp.community.keeping import Keeping
from chatapp.community.people import Acquaintance
from chatapp.community.standings import Standing
from chatapp.identity.person import Person
from chatapp.lib.gate import person_of
from chatapp.lib.holding import WaitingController
from chatapp.lib.outcomes import done, logged, of_directory
from chatapp.lib.wire import BadInput, body_of, checked_json
from chatapp.live.participant import Participant
from pylons import config

__all__ = ["ActingController", "checked_line", "checked_reason_of", "ended_wire", "muted_wire"]

_MOST_WHO = 64
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOBODY = "There is nobody called {} here."


class ActingController(WaitingController):
    """Each act costs as much as a message."""

    def __init__(self) -> None:
        super().__init__()
        shared = config["pylons.app_globals"]
        self._keeping: Keeping = shared.keeping

    def _asked(self, environ: WSGIEnvironment, most: int = 4096) -> Mapping[str, Any]:
        """The JSON object that is sent, in which null is as nothing. Raises BadInput."""
        asked = checked_json(body_of(environ, most))
        return {name: value for name, value in asked.items() if value is not None}

    def _actor(self, environ: WSGIEnvironment) -> Generator[bytes, None, Participant]:
        """Who acts. Raises BadInput."""
        yield from self._charge(environ, "address_push_rate")
        participant = yield from self._participant(environ)
        yield from self._charge(environ, person=participant)
        yield from self._note(environ, participant)
        return participant

    def _me(self, participant: Participant) -> Person:
        """Who acts, with the role that they have here, by the name that others see."""
        return self._gate.person(participant)._replace(name=participant.nick)

    def _do(
        self,
        environ: WSGIEnvironment,
        act: Callable[..., Any],
        *arguments: Any,
        room: str | None = None,
    ) -> Generator[bytes, None, Any]:
        """What comes of the act; `room`: the one that it is about. Raises BadInput."""
        yield environ["cogen.call"](act)(*arguments)
        return done(environ, self._hub.figures, room)

    def _whom(self, environ: WSGIEnvironment, who: Any) -> Generator[bytes, None, Acquaintance]:
        """The one with that handle or nick. Raises BadInput if nobody is known by it."""
        who = checked_line(who, "who", _MOST_WHO)
        if _CONTROL.search(who):
            raise BadInput(400, "who: a sender or a nick, which is a line.")
        yield environ["cogen.call"](self._acquaintances.find)(who)
        found: Acquaintance | None = logged(environ, self._hub.figures)
        found = found or (yield from self._present(environ, who))
        if found is None:
            raise BadInput(404, _NOBODY.format(who))
        return found

    def _present(
        self, environ: WSGIEnvironment, nick: str
    ) -> Generator[bytes, None, Acquaintance | None]:
        """Somebody who is here and has not said anything yet; from now on they can be found."""
        directory = self._hub.directory
        identity = yield from of_directory(environ, directory, directory.whose, nick)
        if identity is None:
            return None
        here = self._hub.participants.get(identity)
        if here is not None:
            person, address = person_of(here)._replace(name=here.nick), here.address
        elif self._badges is None:
            person, address = Person(self._signer.sender(identity), nick, role=GUEST), None
        else:
            return None
        yield environ["cogen.call"](self._acquaintances.note)(person, address)
        logged(environ, self._hub.figures)
        return Acquaintance(person, address or "")


def checked_line(text: Any, name: str, most: int = MOST_TITLE, least: int = 1) -> str:
    """A text in a line. Raises BadInput."""
    if isinstance(text, str) and least <= len(text) <= most and "\0" not in text:
        return text
    raise BadInput(400, f"{name}: a text of {least} to {most} characters.")


def checked_reason_of(asked: Mapping[str, Any]) -> str:
    """Why something is asked for; nothing need be said. Raises BadInput."""
    return checked_line(asked.get("reason", ""), "reason", MOST_REASON, 0)


def muted_wire(standing: Standing) -> dict[str, Any] | None:
    """Until when somebody says nothing, and why; None: they may."""
    return ended_wire(standing.muted_until, standing.mute_reason)


def ended_wire(until: float, reason: str) -> dict[str, Any] | None:
    """Until when something holds, and why; None: it does not."""
    if not until:
        return None
    return {"until": None if until == math.inf else until, "reason": reason}
