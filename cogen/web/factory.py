"""The `paste.server_factory` entry points `http` and `wsgi`."""

import logging
from collections.abc import Callable

from cogen.web.options import OptionError, Options, parse_options
from cogen.web.server import Application
from cogen.web.serving import serve

__all__ = ["server_factory"]

log = logging.getLogger(__name__)


def server_factory(global_conf: dict[str, str], **settings: str) -> Callable[[Application], None]:
    """Read the options of a [server:...] section; returns what serves an application.

    `http_port` on the command line of `paster serve` comes before the section's `port`: PasteDeploy
    lets no variable of the command line override the ini. Ends the program with one line that
    names the option that is unknown or wrong, or the address that cannot be listened on.
    """
    if "http_port" in global_conf:
        settings["port"] = global_conf["http_port"]
    try:
        options = parse_options(settings, Options)
    except OptionError as error:
        raise SystemExit(f"cogen: {error}") from None

    def serve_forever(application: Application) -> None:
        try:
            serve(application, options)
        except OSError as error:
            where = f"{options.host}:{options.port}"
            _fail(f"cogen: cannot listen on {where}: {error.strerror}")
        except SystemExit as stop:
            _fail(str(stop))

    return serve_forever


def _fail(line: str) -> None:
    """paster ends with status 0 after a SystemExit of its server, but not after its own error."""
    from paste.script.command import BadCommand

    raise BadCommand(line, exit_code=1) from None
