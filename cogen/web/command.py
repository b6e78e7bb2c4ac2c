"""`cogen-serve --host HOST --port PORT APPLICATION`."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cogen.web.build import build
from cogen.web.checking import check
from cogen.web.http.environ import SERVER_SOFTWARE
from cogen.web.options import OptionError
from cogen.web.processes.signals import Signals
from cogen.web.processes.streams import open_standard_streams
from cogen.web.program import CannotServe, Program
from cogen.web.settings.arguments import Parser
from cogen.web.settings.running import OWN, Running

__all__ = ["main"]

# Exit statuses: what was asked for cannot be; what was asked for failed.
_WRONG, _FAILED = 2, 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve what the command line names. Ends the program, with one line, if it cannot."""
    open_standard_streams()
    signals = Signals()
    parser = _parser()
    parsed = vars(parser.parse_args(arguments))
    checks, named = parsed.pop("check"), parsed.pop("application")
    given = {name: text for name, text in parsed.items() if text is not None}
    try:
        program = Program(given, named)
        if checks:
            check(program)
        else:
            program.serve(signals)
    except OptionError as error:
        _fail(f"{error}", _WRONG)
    except CannotServe as error:
        _fail(f"{error}", _WRONG if checks else _FAILED)


def _fail(line: str, status: int) -> NoReturn:
    sys.stderr.write(f"cogen-serve: {line}\n")
    raise SystemExit(status)


def _parser() -> Parser:
    parser = Parser(
        prog="cogen-serve",
        description="Serves a WSGI application. An option can also be in the environment, like"
        " COGEN_PORT, or in a file that --config names; the command line comes first.",
    )
    parser.add_argument("--version", action="version", version=f"{SERVER_SOFTWARE}, {build()}")
    parser.add_argument(
        "application",
        nargs="*",
        metavar="APPLICATION",
        help="module:callable, like mysite.wsgi:application; module:factory() is called; a file"
        " in place of the module; or an ini of PasteDeploy, like production.ini#section, and"
        " behind it variables for it, like NAME=VALUE",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="Load everything, say what would be served and how, and end: with 0, or 2 if"
        " something is wrong.",
    )
    own = {field.name for field in OWN}
    for field in (*OWN, *dataclasses.fields(Running)[: -len(OWN)]):
        if field.name != "application":
            _add(parser, field, is_flag=field.name in own and isinstance(field.default, bool))
    return parser


def _add(parser: Parser, field: "dataclasses.Field[Any]", is_flag: bool) -> None:
    default = field.default if field.default != "" else "empty"
    text = f"{field.metadata['doc']} [{default}]".replace("%", "%%")
    name = "--" + field.name.replace("_", "-")
    if is_flag:
        parser.add_argument(name, action="store_const", const="true", help=text)
    else:
        parser.add_argument(name, metavar=_METAVARS[type(field.default)], help=text)


_METAVARS: dict[type, str] = {int: "N", float: "SECONDS", str: "TEXT", bool: "true|false"}


if __name__ == "__main__":
    main()
