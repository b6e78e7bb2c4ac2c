"""The names of `cogen.web.wsgi` of cogen 0.2 that programs serve by."""

from collections.abc import Callable

from cogen.core.gone import tell_of
from cogen.web import factory
from cogen.web.embedding import WSGIServer
from cogen.web.filters import lazy_sr, sync_input
from cogen.web.life import Application

__all__ = ["WSGIServer", "lazy_sr", "server_factory", "sync_input"]


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


__getattr__ = tell_of(
    __name__,
    {
        "Runner": "server_factory({}, host, port)(application) makes all that it made",
        "WSGIConnection": "the server's connections are its own",
        "WSGIFileWrapper": "environ['wsgi.file_wrapper'](file) is there in every request",
        "WSGIPathInfoDispatcher": "paste.urlmap.URLMap serves applications below prefixes",
    },
)
