"""Who asks: what the chat knows of them, and the devices on which a member is signed in."""

from collections.abc import Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.identity.devices import MOST_LABEL, Device
from chatapp.identity.members import find_member, label_device, sign_out_devices
from chatapp.lib.acting import muted_wire
from chatapp.lib.holding import WaitingController
from chatapp.lib.outcomes import logged
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import BadInput, body_of, checked_json, checked_label
from chatapp.live.participant import Participant
from chatapp.model.message import handle
from pylons import response

__all__ = ["MeController"]

_NO_DEVICE = "You have no such device."
_MOST_BODY = 2048


class MeController(WaitingController):
    """What a page shows as one's own profile."""

    def show(self, environ: WSGIEnvironment) -> Steps:
        """Who asks, by name and role; of a member, the devices too."""
        response.content_type = "application/json"
        participant = yield from self._participant(environ)
        told = self._told(participant)
        if self._has_door and participant.person is not None:
            told["devices"] = yield from self._devices(environ, participant.person.id)
        yield orjson.dumps(told)

    def devices(self, environ: WSGIEnvironment) -> Steps:
        """Sign a device out, or all but this one, or call one something else."""
        response.content_type = "application/json"
        if not self._has_door:
            raise BadInput(404, "The chat knows of no devices here.")
        asked = checked_json(body_of(environ, _MOST_BODY))
        yield from self._charge(environ, "address_push_rate")
        participant = yield from self._participant(environ)
        assert participant.person is not None
        identity = participant.person.id
        if "label" in asked:
            yield from self._label(environ, identity, asked)
        else:
            yield from self._remove(environ, identity, asked)
        devices = yield from self._devices(environ, identity)
        yield orjson.dumps({"devices": devices})

    def _told(self, participant: Participant) -> dict[str, Any]:
        person, identity = self._gate.person(participant), self._hub.options.identity
        return {
            "nick": participant.nick,
            "sender": handle(participant.sender),
            "role": person.role,
            "identity": "function" if ":" in identity else identity,
            "muted": muted_wire(self._gate.book.standing(person.id)),
        }

    def _label(
        self, environ: WSGIEnvironment, identity: str, asked: Mapping[str, Any]
    ) -> Generator[bytes, None, None]:
        label = checked_label(asked["label"], MOST_LABEL)
        device = asked.get("device", self._device(environ))
        if not isinstance(device, str):
            raise BadInput(400, "device: the id of one, as text.")
        yield environ["cogen.call"](label_device)(self._hub.log.records, identity, device, label)
        if not logged(environ, self._hub.figures):
            raise BadInput(404, _NO_DEVICE)

    def _remove(
        self, environ: WSGIEnvironment, identity: str, asked: Mapping[str, Any]
    ) -> Generator[bytes, None, None]:
        """The held polls of a device that is signed out end as each process hears of it."""
        wanted, others, own = asked.get("remove"), asked.get("others"), self._device(environ)
        if others is not True and not isinstance(wanted, str):
            raise BadInput(400, 'Say {"remove": DEVICE}, {"others": true} or {"label": TEXT}.')

        def meant(device: str) -> bool:
            return device != own if others is True else device == wanted

        yield environ["cogen.call"](sign_out_devices)(self._hub.log.records, identity, meant)
        if not logged(environ, self._hub.figures) and others is not True:
            raise BadInput(404, _NO_DEVICE)

    def _devices(
        self, environ: WSGIEnvironment, identity: str
    ) -> Generator[bytes, None, list[dict[str, Any]]]:
        yield environ["cogen.call"](find_member)(self._hub.log.records, identity)
        member = logged(environ, self._hub.figures)
        own = self._device(environ)
        return [_wire(device, own) for device in (member.devices if member is not None else ())]


def _wire(device: Device, own: str) -> dict[str, Any]:
    told = {**device._asdict(), "current": device.id == own}
    told["device"] = told.pop("id")
    told["seen"] = device.seen or None
    return told
