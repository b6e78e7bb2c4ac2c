"""The names of `cogen.web.wsgi` of cogen 0.2 that programs serve by."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cogen.core.gone import refusal, tell_of
from cogen.core.schedulers import Scheduler
from cogen.web import embedding, factory
from cogen.web.filters import lazy_sr, sync_input
from cogen.web.life import Application

__all__ = ["WSGIPathInfoDispatcher", "WSGIServer", "lazy_sr", "server_factory", "sync_input"]

_TIMEOUTS = "header_timeout, body_timeout, write_timeout and keep_alive_timeout say how long"
_GONE = {
    "sendfile_timeout": _TIMEOUTS,
    "sockaccept_greedy": "who is ready first runs first",
    "sockoper_timeout": _TIMEOUTS,
}


def server_factory(
    global_conf: dict[str, str],
    host: str = "127.0.0.1",
    port: object = 5000,
    **options: str,
) -> Callable[[Application], None]:
    """`server_factory({}, '127.0.0.1', 9001)(application)` serves until SIGTERM or SIGINT.

    The options are those of the server; those of cogen 0.2 end the program with a line that says
    which they are.
    """
    return factory.server_factory(global_conf, host=host, port=str(port), **options)


class WSGIServer(embedding.WSGIServer):
    """`WSGIServer((host, port), application, scheduler)`, whose `serve` the scheduler runs.

    `application` may be pairs of a prefix and an application. `server_name` is SERVER_NAME of the
    environ, that of the address if none is given; `request_queue_size` is the option `backlog`.
    Raises TypeError for what is gone, and what `cogen.web.embedding.WSGIServer` raises.
    """

    def __init__(
        self,
        bind_addr: "tuple[str, int] | str",
        wsgi_app: "Application | Iterable[tuple[str, Application]]",
        scheduler: Scheduler | None = None,
        server_name: str | None = None,
        request_queue_size: int | None = None,
        **options: Any,
    ) -> None:
        gone = {name: value for name, value in options.items() if name in _GONE}
        if gone:
            raise refusal("WSGIServer", gone, _GONE)
        application = wsgi_app if callable(wsgi_app) else WSGIPathInfoDispatcher(wsgi_app)
        if server_name is not None:
            application = _named(application, server_name)
        if request_queue_size is not None:
            options["backlog"] = request_queue_size
        super().__init__(bind_addr, application, scheduler, **options)


class WSGIPathInfoDispatcher:
    """The application that hands a request to that of the longest prefix of its path, else 404.

    `apps`: pairs of a prefix, as `/wait`, and an application, or a dict of them. A prefix goes from
    PATH_INFO to SCRIPT_NAME (PEP 3333).
    """

    def __init__(
        self, apps: "Mapping[str, Application] | Iterable[tuple[str, Application]]"
    ) -> None:
        pairs = apps.items() if isinstance(apps, Mapping) else apps
        self.apps = sorted(
            ((prefix.rstrip("/"), app) for prefix, app in pairs),
            key=lambda pair: len(pair[0]),
            reverse=True,
        )

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, app in self.apps:
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
                environ["PATH_INFO"] = path[len(prefix) :]
                return app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []


def _named(application: Application, name: str) -> Application:
    def named(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["SERVER_NAME"] = name
        return application(environ, start_response)

    return named


__getattr__ = tell_of(
    __name__,
    {
        "Runner": "server_factory({}, host, port)(application) makes all that it made",
        "WSGIConnection": "the server's connections are its own",
        "WSGIFileWrapper": "environ['wsgi.file_wrapper'](file) is there in every request",
    },
)
