"""`cogen-serve --host HOST --port PORT APPLICATION`."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence

from cogen.web import connection
from cogen.web.environ import SERVER_SOFTWARE
from cogen.web.life import expect_lives
from cogen.web.loading import load
from cogen.web.logs import log_accesses, log_lines
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.serving import serve
from cogen.web.signals import Signals
from cogen.web.streams import open_standard_streams

__all__ = ["build", "main"]


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
        serve(lambda: load(where), options, [sys.executable, *sys.orig_argv[1:]], signals)
    except OptionError as error:
        _fail(str(error))
    except OSError as error:
        place = options.unix_socket or f"{options.host}:{options.port}"
        _fail(f"cannot listen on {place}: {error.strerror or error}")


def build() -> str:
    """Whether it is the compiled cogen that serves, in words."""
    return "not compiled" if str(connection.__file__).endswith(".py") else "compiled"


def _fail(line: str) -> None:
    raise SystemExit(f"cogen-serve: {line}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
