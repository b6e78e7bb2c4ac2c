"""The command line of `chatapp`: its verbs and their arguments."""

import sys
from collections.abc import Sequence
from importlib.metadata import version

from chatapp.command.check import check
from chatapp.command.config import configuration, settings_of
from chatapp.command.copies import back_up_chat, restore_chat
from chatapp.command.keepers import add_verbs, add_where
from chatapp.command.serve import serve_chat
from chatapp.live import poll
from cogen.web.build import build
from cogen.web.options import OptionError
from cogen.web.settings.arguments import Parser

__all__ = ["run"]


def run(arguments: Sequence[str] | None = None) -> None:
    """Do what the verb in `arguments` says; None: the command line's.

    Ends the program, with one line and status 1, if it cannot.
    """
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except BrokenPipeError:
        raise SystemExit(1) from None


def _parser() -> Parser:
    parser = Parser(prog="chatapp", description="A comet chat")
    ours, cogens = f"{version('ChatApp')}, {build(poll)}", f"{version('cogen')}, {build()}"
    parser.add_argument("--version", action="version", version=f"chatapp {ours}; cogen {cogens}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    serve = verbs.add_parser("serve", help="serve the chat; messages are kept in a folder")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    serve.add_argument("--port", default="5000", help="port to listen on [%(default)s]")
    serve.add_argument("--data", default="data", help="folder of what is kept [%(default)s]")
    serve.set_defaults(run=lambda given: serve_chat(given.host, given.port, given.data))

    config = verbs.add_parser("config", help="print an ini for production, with its comments")
    config.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="what it is to set")
    config.add_argument("--logs", default="", help="folder of the logs [the standard streams]")
    config.set_defaults(run=lambda given: _print_configuration(given.settings, given.logs))

    checked = verbs.add_parser("check", help="say what is wrong with an ini, without a start")
    checked.add_argument("ini", metavar="INI")
    checked.set_defaults(run=lambda given: check(given.ini))

    backup = verbs.add_parser("backup", help="copy the messages to a file, while the chat runs")
    restore = verbs.add_parser("restore", help="go on from such a file, while it does not run")
    for verb, run in ((backup, back_up_chat), (restore, restore_chat)):
        verb.add_argument("copy", metavar="FILE")
        add_where(verb)
        verb.set_defaults(run=lambda given, run=run: run(given.copy, given.ini, given.data))

    add_verbs(verbs)
    return parser


def _print_configuration(words: Sequence[str], logs: str) -> None:
    try:
        sys.stdout.write(configuration(settings_of(words), logs))
    except OptionError as error:
        raise SystemExit(f"chatapp: {error}") from None
