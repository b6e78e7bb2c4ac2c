"""`make_app`: the application with its middleware."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment

from beaker.middleware import SessionMiddleware

from chatapp.config.control import make_control
from chatapp.config.environment import load_environment
from chatapp.console.control import Control
from chatapp.directory import OtherSecret
from chatapp.lib.bundle import bundle
from chatapp.lib.cookies import FormerCookies
from chatapp.lib.following import Following
from chatapp.lib.metrics import HubCollector
from chatapp.lib.refusals import Refusals
from chatapp.lib.signedout import SignedOut
from chatapp.lib.waiting import Polls
from chatapp.lib.wire import NEEDED_SERVER
from chatapp.live.hub import Hub
from chatapp.model import LogUnavailable
from cogen.web.life import Application, Life, register, served
from pylons.middleware import ErrorHandler, StaticFiles, StatusCodeRedirect
from pylons.wsgiapp import PylonsApp

__all__ = ["ChatApp", "make_app", "make_chat"]

log = logging.getLogger(__name__)

_ERRORS = frozenset({400, 401, 403, 404, 405, 409, 413, 429, 500, 501, 503})
_STATIC_SECONDS = 300


def make_app(global_conf: dict[str, Any], **app_conf: Any) -> Application:
    """The paste.app_factory. Ends the program with one line that names a wrong option."""
    chat = make_chat(global_conf, **app_conf)
    if not served():
        log.warning("%s; another serves no more than its page", NEEDED_SERVER)
    return register(chat, chat.life, blocks=False)


def make_chat(global_conf: dict[str, Any], **app_conf: Any) -> "ChatApp":
    """The application with its middleware, not registered with a server."""
    config = load_environment(global_conf, app_conf)
    shared = config["pylons.app_globals"]
    app: Any = PylonsApp(config)  # routes, calls the controller
    app = SessionMiddleware(app, config)  # Beaker: environ['beaker.session']
    app = FormerCookies(app, shared.signer, config["session.key"])  # those of an older version
    app = ErrorHandler(app, **config["pylons.errorware"])  # an exception: logged, 500
    errors = _ERRORS - {500} if config["debug"] else _ERRORS  # a traceback is its own page
    app = StatusCodeRedirect(app, errors)  # error documents from /error/document
    public = config["pylons.paths"]["static_files"]
    app = StaticFiles(  # the page's files
        app,
        public,
        max_age=_STATIC_SECONDS,
        fresh=config["chatapp.fresh"],
        headers=[("X-Content-Type-Options", "nosniff")],
        version=shared.hub.about["version"],
        made={
            "/page.js": lambda: bundle(Path(public), "chat"),
            "/later.js": lambda: bundle(Path(public), "community", "chat"),
        },
    )
    headers = config["pylons.response_options"]["headers"]
    if shared.people is not None and shared.badges is not None:
        # Tokens that nobody believes.
        app = Refusals(app, shared.people, shared.badges, shared.addresses, headers)
    # Polls that need nothing of the above.
    app = Polls(
        app, shared.hub, shared.gate, shared.addresses, shared.signer, headers, shared.badges
    )
    return ChatApp(app, shared.hub, shared.following, shared.signed_out, make_control(shared))


class ChatApp:
    """The WSGI application; `life` is what the server calls at its start and stop."""

    def __init__(
        self,
        app: Application,
        hub: Hub,
        following: Following,
        signed_out: SignedOut | None = None,
        control: Control | None = None,
    ) -> None:
        self._app = app
        self._control = control
        self._following = following
        self._signed_out = signed_out
        self.hub = hub
        self.life = Life(
            start=self._start,
            stopping=hub.shutdown,
            stop=self._stop,
            hand_over=self._hand_over,
            take_back=self._take_back,
            metrics=lambda: [HubCollector(hub)],
            trim=hub.trim,
            ready=hub.ready,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        return self._app(environ, start_response)

    async def _start(self, environ: WSGIEnvironment) -> None:
        """Ends the program with one line if the log cannot be opened or is not for several."""
        if environ["wsgi.multiprocess"] and not self.hub.log.shared:
            raise SystemExit(
                f"chatapp: several workers cannot share chat.log = {self.hub.options.log}: set "
                "workers = 1, or keep the log in Redis, chat.log = redis://HOST[:PORT][/DB]"
            )
        try:
            await self.hub.start(environ["cogen.peers"])
            if self._signed_out is not None:
                await self._signed_out.start()
            await self._following.start()
            if self._control is not None:
                await self._control.start(environ["cogen.server_group"])
        except LogUnavailable as error:
            raise SystemExit(f"chatapp: the message log cannot be opened: {error}") from None
        except OtherSecret as error:
            await self.hub.close()
            raise SystemExit(
                f"chatapp: {error}. Give this one the same: chat.secret_file or CHAT_SECRET"
            ) from None

    async def _hand_over(self) -> None:
        if self._control is not None:
            await self._control.hand_over()
        await self.hub.hand_over()

    async def _take_back(self) -> None:
        await self.hub.take_back()
        if self._control is not None:
            await self._control.take_back()

    async def _stop(self) -> None:
        if self._control is not None:
            self._control.stop()
        await self._following.stop()
        if self._signed_out is not None:
            await self._signed_out.stop()
        await self.hub.close()
