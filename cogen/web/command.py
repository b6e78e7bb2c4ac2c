"""`cogen-serve --host HOST --port PORT APPLICATION`."""

import dataclasses
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn

from cogen.web.build import build
from cogen.web.http.environ import SERVER_SOFTWARE
from cogen.web.life import Application, expect_lives
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.processes.logs import log_accesses, log_lines
from cogen.web.processes.signals import Signals
from cogen.web.processes.streams import open_standard_streams
from cogen.web.serving import serve
from cogen.web.settings.arguments import Parser
from cogen.web.settings.loading import load

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve what the command line names. Ends the program, with one line, if it cannot."""
    open_standard_streams()
    signals = Signals()
    parsed = vars(_parser().parse_args(arguments))
    where = parsed.pop("application")
    log_file, access_log_file = parsed.pop("log_file"), parsed.pop("access_log_file")
    settings = {name: text for name, text in parsed.items() if text is not None}
    if access_log_file is not None:
        settings.setdefault("access_log", "combined")
    try:
        options = parse_options(settings, Options)
        _log(options, log_file, access_log_file)
        sys.path.insert(0, os.getcwd())
        expect_lives()
        serve(lambda: _load(where), options, [sys.executable, *sys.orig_argv[1:]], signals)
    except OptionError as error:
        _fail(str(error))
    except OSError as error:
        place = options.unix_socket or f"{options.host}:{options.port}"
        _fail(f"cannot listen on {place}: {error.strerror or error}")


def _fail(line: str) -> NoReturn:
    raise SystemExit(f"cogen-serve: {line}")


def _load(where: str) -> Application:
    try:
        return load(where)
    except OptionError:
        raise
    except Exception as error:  # noqa: BLE001 (its author gets the traceback)
        found = error.__traceback__
        traceback.print_exception(error.with_traceback(found and _own_frames(found)))
        _fail(f"{where}: it raised {type(error).__name__} while it was imported or made")


def _own_frames(found: TracebackType) -> TracebackType | None:
    """The frames of the application, without those from here to it."""
    following = found.tb_next
    while following is not None:
        package = str(following.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if package not in ("cogen", "importlib"):
            break
        following = following.tb_next
    return following


def _parser() -> Parser:
    parser = Parser(
        prog="cogen-serve",
        description="Serves a WSGI application. All options but those of log files can be in an ini"
        " of paster too.",
    )
    parser.add_argument("--version", action="version", version=f"{SERVER_SOFTWARE}, {build()}")
    parser.add_argument(
        "application",
        help="module:callable, like mysite.wsgi:application; module:factory() is called; a file"
        " in place of the module",
    )
    parser.add_argument("--log-file", metavar="PATH", help="File of the log. [standard error]")
    parser.add_argument(
        "--access-log-file",
        metavar="PATH",
        help="File of the access log, combined unless --access-log says so. [standard output]",
    )
    for field in dataclasses.fields(Options):
        default = field.default if field.default != "" else "empty"
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            metavar=_METAVARS[type(field.default)],
            help=f"{field.metadata['doc']} [{default}]".replace("%", "%%"),
        )
    return parser


_METAVARS: dict[type, str] = {int: "N", float: "SECONDS", str: "TEXT", bool: "true|false"}


def _log(options: Options, path: str | None, access_path: str | None) -> None:
    try:
        log_lines(options.workers > 1, path or "")
        if options.access_log != "off":
            log_accesses(access_path or "")
    except OSError as error:
        _fail(f"the log cannot be written to {error.filename}: {error.strerror or error}")


if __name__ == "__main__":
    main()
