"""`make_app`: the application with its middleware."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from beaker.middleware import SessionMiddleware
from whitenoise import WhiteNoise

from chatapp.config.environment import load_environment
from chatapp.directory import OtherSecret
from chatapp.lib.hub import Hub
from chatapp.lib.metrics import HubCollector
from chatapp.lib.waiting import Polls
from chatapp.model import LogUnavailable
from pylons.middleware import ErrorHandler, StatusCodeRedirect
from pylons.wsgiapp import PylonsApp

__all__ = ["ChatApp", "make_app"]

_ERRORS = (400, 403, 404, 405, 409, 413, 429, 500, 503)
_STATIC_SECONDS = 300


def make_app(global_conf: dict[str, Any], **app_conf: Any) -> "ChatApp":
    """The paste.app_factory. Ends the program with one line that names a wrong option."""
    try:
        config = load_environment(global_conf, app_conf)
    except (ValueError, OSError) as error:
        raise SystemExit(f"chatapp: {error}") from None
    app: Any = PylonsApp(config)  # routes, calls the controller
    app = SessionMiddleware(app, config)  # Beaker: environ['beaker.session']
    app = ErrorHandler(app, global_conf)  # an exception: logged, 500
    app = StatusCodeRedirect(app, _ERRORS)  # error documents from /error/document
    app = WhiteNoise(  # the page's files
        app,
        root=config["pylons.paths"]["static_files"],
        max_age=_STATIC_SECONDS,
        allow_all_origins=False,
        add_headers_function=_add_static_headers,
    )
    served = config["pylons.app_globals"]
    headers = config["pylons.response_options"]["headers"]
    app = Polls(app, served.hub, served.signer, headers)  # polls that need nothing of the above
    return ChatApp(app, served.hub)


class ChatApp:
    """The WSGI application, with what the server calls at its start and stop."""

    def __init__(self, app: Callable[..., Iterable[bytes]], hub: Hub) -> None:
        self._app = app
        self.hub = hub
        self.cogen_shutdown: Callable[[], Awaitable[None]] = hub.shutdown
        self.cogen_cleanup: Callable[[], Awaitable[None]] = hub.close

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._app(environ, start_response)

    def cogen_metrics(self) -> list[HubCollector]:
        """What the server adds to its `metrics_path`."""
        return [HubCollector(self.hub)]

    async def cogen_startup(self, environ: dict[str, Any]) -> None:
        """Ends the program with one line if the log cannot be opened or is not for several."""
        if environ["wsgi.multiprocess"] and not self.hub.log.shared:
            raise SystemExit(
                f"chatapp: several workers cannot share chat.log = {self.hub.options.log}: set "
                "workers = 1, or keep the log in Redis, chat.log = redis://HOST[:PORT][/DB]"
            )
        try:
            await self.hub.start()
        except LogUnavailable as error:
            raise SystemExit(f"chatapp: the message log cannot be opened: {error}") from None
        except OtherSecret as error:
            await self.hub.close()
            raise SystemExit(
                f"chatapp: {error}. Give this one the same: chat.secret_file or CHAT_SECRET"
            ) from None


def _add_static_headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
