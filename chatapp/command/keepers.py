"""The verbs of who is in charge, and their arguments."""

import argparse
from typing import Any

from chatapp.command.community import print_done
from chatapp.command.exports import export_chat
from chatapp.command.imports import import_chat
from chatapp.community.acts import ROLES
from chatapp.community.deeds import MOST_DEEDS
from chatapp.community.peoplekeeping import MOST_STANDINGS

__all__ = ["add_verbs", "add_where"]

_ROLES = f"{', '.join(ROLES)}, or '' for the one that their identity says"


def add_verbs(verbs: Any) -> None:
    """Add them to those of the program: each does what is called so in chatapp.console."""
    _add_rooms(verbs)
    _add_people(verbs)
    _add_members(verbs)
    _add_export(verbs)
    deeds = _verb(verbs, "deeds", "print who in charge did what, the newest first")
    standings = _verb(verbs, "standings", "print who is muted, banned, or was given a role")
    for verb, most in ((deeds, MOST_DEEDS), (standings, MOST_STANDINGS)):
        verb.add_argument("--limit", type=int, default=most, metavar="N", help="[%(default)s]")
        verb.add_argument("--before", type=int, metavar="NUMBER", help="those before that one")
    names = _verb(verbs, "names", "print the names that are kept for who spoke under them")
    free = _verb(verbs, "free", "let anybody take a name that is kept")
    free.add_argument("name", metavar="NAME")
    _add_reason(free)
    for verb in (deeds, standings, names, free):
        add_where(verb)


def _add_rooms(verbs: Any) -> None:
    rooms = _verb(verbs, "rooms", "print name, policy, members, last number and title of each room")
    remove = _verb(verbs, "remove", "remove a message")
    close = _verb(verbs, "close", "have nobody speak in a room any more")
    reopen = _verb(verbs, "reopen", "open a room that was closed")
    rename = _verb(verbs, "rename", "give a room another title")
    for verb in (remove, close, reopen, rename):
        verb.add_argument("room", metavar="ROOM", help="name or title")
    remove.add_argument("seq", metavar="SEQ", type=int, help="number of the message")
    rename.add_argument("title", metavar="TITLE")
    for verb in (remove, close):
        _add_reason(verb, "as others are told")
    for verb in (reopen, rename):
        _add_reason(verb)
    for verb in (rooms, remove, close, reopen, rename):
        add_where(verb)


def _add_people(verbs: Any) -> None:
    ban = _verb(verbs, "ban", "keep somebody out")
    unban = _verb(verbs, "unban", "let somebody come in again")
    mute = _verb(verbs, "mute", "have somebody say nothing any more")
    unmute = _verb(verbs, "unmute", "let somebody speak again")
    role = _verb(verbs, "role", "say which role somebody has")
    signed_out = _verb(verbs, "sign-out", "sign a member out on every device")
    for verb in (ban, unban, mute, unmute, role, signed_out):
        verb.add_argument("who", metavar="WHO", help="name, id, or `sender` of the wire")
    for verb in (ban, mute):
        verb.add_argument("--seconds", type=float, help="for how long [for good]")
        _add_reason(verb, "as they are told")
    for verb in (unban, unmute, role, signed_out):
        _add_reason(verb)
    ban.add_argument("--address", action="store_true", help="everybody at their address too")
    role.add_argument(
        "role", metavar="ROLE", choices=("", *ROLES), help=f"{', '.join(ROLES)} or ''"
    )
    for verb in (ban, unban, mute, unmute, role, signed_out):
        add_where(verb)


def _add_members(verbs: Any) -> None:
    invited = _verb(verbs, "invite", "print a link with which one becomes a member")
    invited.add_argument("--role", default="member", choices=ROLES)
    which = invited.add_mutually_exclusive_group()
    which.add_argument("--as", dest="name", metavar="MEMBER", help="who is to be in again")
    which.add_argument("--count", type=int, default=1, help="how many links [%(default)s]")
    _add_reason(invited)
    members = _verb(verbs, "members", "print who is a member")
    for verb in (invited, members):
        verb.add_argument("--ini", required=True, help="that of the chat")
        verb.set_defaults(data="")


def _add_export(verbs: Any) -> None:
    export = verbs.add_parser("export", help="write rooms and messages to a file, as JSON")
    export.add_argument("file", metavar="FILE", help="- is standard output")
    export.add_argument("--room", metavar="ROOM", help="only that one, by name or title")
    export.set_defaults(
        run=lambda given: export_chat(given.file, given.room, given.ini, given.data)
    )
    taken = verbs.add_parser("import", help="take in the rooms of such a file")
    taken.add_argument("file", metavar="FILE", help="- is standard input")
    _add_reason(taken)
    taken.set_defaults(
        run=lambda given: import_chat(given.file, given.ini, given.data, given.reason)
    )
    for verb in (export, taken):
        add_where(verb)


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    verb.set_defaults(run=lambda given: print_done(name, **_told(given)))
    return verb


def _told(given: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(given).items() if name != "run"}


def _add_reason(verb: argparse.ArgumentParser, told: str = "for the record") -> None:
    verb.add_argument("--reason", default="", help=f"why, {told}")


def add_where(verb: argparse.ArgumentParser) -> None:
    """Which chat is meant."""
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--data", default="data", help="folder of `serve` [%(default)s]")
    where.add_argument("--ini", help="where the chat is not run by `serve`")
