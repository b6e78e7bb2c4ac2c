"""The command line of `chatapp`: its verbs and their arguments."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from chatapp.command.check import check
from chatapp.command.config import configuration, settings_of
from chatapp.command.copies import back_up_chat, restore_chat
from chatapp.command.members import invite_members, print_members, sign_member_out
from chatapp.command.names import free_chat_name, print_names
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
        _add_where(verb)
        verb.set_defaults(run=lambda given, run=run: run(given.copy, given.ini, given.data))

    names = verbs.add_parser("names", help="print the names that are kept for who spoke under them")
    names.set_defaults(run=lambda given: print_names(given.ini, given.data))
    free = verbs.add_parser("free", help="let anybody take a name that is kept")
    free.add_argument("name", metavar="NAME")
    free.set_defaults(run=lambda given: free_chat_name(given.name, given.ini, given.data))

    invited = verbs.add_parser("invite", help="print a link with which one becomes a member")
    invited.add_argument("--role", default="member", choices=("owner", "keeper", "member", "guest"))
    which = invited.add_mutually_exclusive_group()
    which.add_argument("--as", dest="name", metavar="MEMBER", help="who is to be in again")
    which.add_argument("--count", type=int, default=1, help="how many links [%(default)s]")
    invited.set_defaults(
        run=lambda given: invite_members(given.ini, given.role, given.name, given.count)
    )
    members = verbs.add_parser("members", help="print who is a member")
    members.set_defaults(run=lambda given: print_members(given.ini))
    signed_out = verbs.add_parser("sign-out", help="sign a member out on every device")
    signed_out.add_argument("member", metavar="MEMBER", help="name or id")
    signed_out.set_defaults(run=lambda given: sign_member_out(given.ini, given.member))
    for verb in (invited, members, signed_out):
        verb.add_argument("--ini", required=True, help="that of the chat")
    for verb in (names, free):
        _add_where(verb)
    return parser


def _add_where(verb: argparse.ArgumentParser) -> None:
    """Which chat is meant."""
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--data", default="data", help="folder of `serve` [%(default)s]")
    where.add_argument("--ini", help="where the chat is not run by `serve`")


def _print_configuration(words: Sequence[str], logs: str) -> None:
    try:
        sys.stdout.write(configuration(settings_of(words), logs))
    except OptionError as error:
        raise SystemExit(f"chatapp: {error}") from None
