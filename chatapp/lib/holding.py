"""The base of controllers whose actions wait."""

import logging
from collections.abc import Generator
from wsgiref.types import WSGIEnvironment

from chatapp.lib.base import BaseController, refuse
from chatapp.lib.waiting import resolve
from chatapp.lib.wire import NEEDED_SERVER, BadInput

__all__ = ["WaitingController"]

log = logging.getLogger(__name__)


class WaitingController(BaseController):
    """Actions that wait yield what environ['cogen.*'] gives them; the server performs it."""

    def __before__(self, environ: WSGIEnvironment) -> None:
        super().__before__(environ)
        if "cogen.call" not in environ:
            log.error("a request came by another server: %s", NEEDED_SERVER)
            refuse(BadInput(501, f"This server cannot hold requests: {NEEDED_SERVER}."))

    def _called(self, environ: WSGIEnvironment, room: str) -> Generator[bytes, None, str]:
        """The name of the room that is meant."""
        called = yield from resolve(environ, self._hub, (room,), None)
        return called.get(room, room)

    def _device(self, environ: WSGIEnvironment) -> str:
        """The one that asks, where the chat knows of devices."""
        badge = None if self._badges is None else self._badges.brought(environ)
        return "" if badge is None else badge.proof
