"""Passkeys: a member adds one, and signs in with it on another device."""

import time
from collections.abc import Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.identity.devices import label_of
from chatapp.identity.members import find_member
from chatapp.identity.passkeyrecords import (
    MOST_PASSKEYS,
    Passkey,
    passkeys_of,
    remove_passkey,
)
from chatapp.identity.passkeys import PasskeyRefused, Passkeys
from chatapp.lib.holding import WaitingController
from chatapp.lib.outcomes import logged
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import BadInput, body_of, checked_json
from pylons import response

__all__ = ["PasskeysController"]

# A credential with an attestation of some certificates.
_MOST_BODY = 16_384
_NOBODY = "This passkey is of somebody who is no member any more."


class PasskeysController(WaitingController):
    """Each begins with `{}`, which is answered with what the browser needs to go on."""

    def show(self, environ: WSGIEnvironment) -> Steps:
        """Those of who asks."""
        response.content_type = "application/json"
        self._offered()
        identity = yield from self._member(environ)
        yield (yield from self._listed(environ, identity))

    def add(self, environ: WSGIEnvironment) -> Steps:
        """Begin to make one, keep the one that was made, or remove one."""
        response.content_type = "application/json"
        passkeys = self._offered()
        asked = checked_json(body_of(environ, _MOST_BODY))
        yield from self._charge(environ, "address_push_rate")
        identity = yield from self._member(environ)
        if "remove" in asked:
            yield from self._remove(environ, identity, asked["remove"])
        elif "credential" in asked:
            yield from self._add(environ, passkeys, identity, asked)
        else:
            yield (yield from self._offer(environ, passkeys, identity))
            return
        yield (yield from self._listed(environ, identity))

    def sign_in(self, environ: WSGIEnvironment) -> Steps:
        """Ask for one, or let in who answered with one: this browser is a device of theirs then."""
        response.content_type = "application/json"
        passkeys = self._offered()
        asked = checked_json(body_of(environ, _MOST_BODY))
        # Whom nobody knows yet is let through as much as a session is.
        yield from self._charge(environ, "address_push_rate", "push_rate")
        if "credential" not in asked:
            yield passkeys.question().encode()
            return
        records, label = self._hub.log.records, label_of(environ)
        sign_in = environ["cogen.call"](passkeys.sign_in)
        yield sign_in(records, asked["credential"], label, time.time())
        self._sign_in(self._outcome(environ), _NOBODY)
        yield b'{"ok":true}'

    def _offered(self) -> Passkeys:
        """Raises BadInput where there are none."""
        if self._passkeys is None:
            raise BadInput(404, "There are no passkeys in this chat.")
        return self._passkeys

    def _member(self, environ: WSGIEnvironment) -> Generator[bytes, None, str]:
        participant = yield from self._participant(environ)
        assert participant.person is not None
        return participant.person.id

    def _offer(
        self, environ: WSGIEnvironment, passkeys: Passkeys, identity: str
    ) -> Generator[bytes, None, bytes]:
        own = yield from self._own(environ, identity)
        if len(own) >= MOST_PASSKEYS:
            raise BadInput(409, f"You have {MOST_PASSKEYS} passkeys; remove one first.")
        yield environ["cogen.call"](find_member)(self._hub.log.records, identity)
        member = logged(environ, self._hub.figures)
        if member is None:
            raise BadInput(404, _NOBODY)
        return passkeys.offer(member, own).encode()

    def _add(
        self,
        environ: WSGIEnvironment,
        passkeys: Passkeys,
        identity: str,
        asked: Mapping[str, Any],
    ) -> Generator[bytes, None, None]:
        label = label_of(environ)
        add = environ["cogen.call"](passkeys.add)
        device, credential = self._device(environ), asked["credential"]
        yield add(self._hub.log.records, identity, device, credential, label, time.time())
        self._outcome(environ)

    def _remove(
        self, environ: WSGIEnvironment, identity: str, digest: Any
    ) -> Generator[bytes, None, None]:
        yield environ["cogen.call"](remove_passkey)(self._hub.log.records, identity, digest)
        if not logged(environ, self._hub.figures):
            raise BadInput(404, "You have no such passkey.")

    def _own(
        self, environ: WSGIEnvironment, identity: str
    ) -> Generator[bytes, None, list[Passkey]]:
        yield environ["cogen.call"](passkeys_of)(self._hub.log.records, identity)
        own: list[Passkey] = logged(environ, self._hub.figures)
        return own

    def _listed(self, environ: WSGIEnvironment, identity: str) -> Generator[bytes, None, bytes]:
        own = yield from self._own(environ, identity)
        told = [{"passkey": each.id, "label": each.label, "at": each.at} for each in own]
        return orjson.dumps({"passkeys": told})

    def _outcome(self, environ: WSGIEnvironment) -> Any:
        """What the last step gave. Raises BadInput."""
        try:
            return logged(environ, self._hub.figures)
        except PasskeyRefused as error:
            raise BadInput(403, str(error)) from None
