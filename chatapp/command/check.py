"""`chatapp check INI`: what would keep the chat from starting or from being safe, without a start.

The check makes no file and changes none. It judges by the permissions of the user who runs it: run
it as the user who serves.
"""

import os
import stat
import sys
from collections.abc import Iterator

from paste.deploy.converters import asbool

from chatapp.backends import Backend, RedisBackend, SQLiteBackend
from chatapp.command.findings import Finding, folder_findings, mode_findings
from chatapp.command.loggers import logger_findings
from chatapp.command.logs import holder_of, log_findings
from chatapp.command.sections import (
    Chat,
    IniError,
    Section,
    chat_of,
    missing_sections,
    sections,
)
from chatapp.config.environment import check_chat
from chatapp.lib.secret import known_secret
from cogen.web.connections.addresses import AddressProblem, address_problem
from cogen.web.factory import server_factory, server_options
from cogen.web.options import OptionError, Options
from cogen.web.serving import check_options
from cogen.web.settings.ini import Ini

__all__ = ["check"]


def check(path: str) -> None:
    """Print a line for each finding of the ini at `path`.

    Ends the program with status 1 if one of them is an error.
    """
    found = list(dict.fromkeys(_findings(path)))
    for finding in found:
        sys.stdout.write(f"{path}: {finding}\n")
    if not found:
        sys.stdout.write(f"{path}: nothing is wrong\n")
    if any(finding.is_error for finding in found):
        raise SystemExit(1)


class _Parts:
    """What an ini makes: servers, each with what is wrong with its address, and chats."""

    def __init__(self) -> None:
        self.maybe_chat = False
        self.servers: list[tuple[Section, Options, AddressProblem | None]] = []
        self.chats: list[Chat] = []

    def take(self, section: Section | IniError) -> Iterator[Finding]:
        """What is wrong with the section by itself."""
        if isinstance(section, IniError):
            self.maybe_chat = True
            yield Finding(f"{section}")
            return
        self.maybe_chat |= section.is_chat
        try:
            self._take(section)
        except OptionError as error:
            for each in (error, *error.others):
                yield Finding(f"[{section.name}]: {each}")
        except ValueError as error:
            yield Finding(f"[{section.name}]: {error}")

    def _take(self, section: Section) -> None:
        if section.factory is server_factory:
            server = _server(section)
            self.servers.append((section, server, address_problem(server)))
        elif section.is_chat:
            chat = chat_of(section)
            check_chat(chat.options)
            self.chats.append(chat)
        elif section.name.startswith("server"):
            raise ValueError("the chat needs use = egg:ChatApp#http")


def _findings(path: str) -> Iterator[Finding]:
    parts = _Parts()
    try:
        for section in sections(path):
            yield from parts.take(section)
    except IniError as error:
        yield Finding(f"{error}")
        return
    if parts.maybe_chat:
        for needed in missing_sections(path):
            yield Finding(f"{needed} is missing, which `paster serve` starts")
    else:
        yield Finding("no section is the chat: use = egg:ChatApp")
    yield from logger_findings(path)
    yield from _serving_findings(path, parts.servers, parts.chats)


def _serving_findings(
    path: str,
    servers: list[tuple[Section, Options, AddressProblem | None]],
    chats: list[Chat],
) -> Iterator[Finding]:
    """What is wrong with servers and chats as they are used together."""
    logs = [chat.backend for chat in chats]
    yield from _database_findings(chats)
    yield from _permission_findings(path, chats)
    is_taken = any(problem and problem.taken for _, _, problem in servers)
    holders = [holder_of(backend) for backend in logs]
    for chat, holder in zip(chats, holders, strict=True):
        yield from _chat_findings(chat)
        yield from _use_findings(chat, holder, is_taken)
    for section, server, problem in servers:
        yield from _server_findings(section, server, problem, logs, any(holders))
        secure = all(asbool(chat.settings.get("session.secure", "false")) for chat in chats)
        if server.certificate and not secure:
            yield Finding(
                f"[{section.name}]: with TLS set session.secure = true in the section of the chat",
                is_error=False,
            )


def _server(section: Section) -> Options:
    ini = Ini(section.global_conf)
    ini.check_values()
    return server_options(ini, section.global_conf, section.settings)


def _permission_findings(path: str, chats: list[Chat]) -> Iterator[Finding]:
    logs = [chat.backend for chat in chats]
    if any(isinstance(backend, RedisBackend) and "@" in backend.url for backend in logs):
        yield from mode_findings(path, stat.S_IROTH, "has a password and can be read by everybody")
    if any(chat.options.token_key for chat in chats):
        yield from mode_findings(path, stat.S_IROTH, "has a key and can be read by everybody")
    yield from mode_findings(path, stat.S_IWOTH, "can be changed by everybody")


def _chat_findings(chat: Chat) -> Iterator[Finding]:
    section, options = chat.section, chat.options
    if asbool(chat.settings.get("debug", "false")):
        line = f"[{chat.source_of('debug')}]: debug = true shows tracebacks"
        yield Finding(line, is_error=False)
    try:
        secret = known_secret(os.environ, options.secret_file, options.data)
    except ValueError as error:
        yield Finding(f"[{section.name}]: {error}")
    except OSError as error:
        yield Finding(f"[{section.name}]: the secret {error.filename}: {error.strerror or error}")
    else:
        if secret is None:
            yield from folder_findings(f"[{section.name}]: chat.data", options.data)
    for finding in log_findings(chat.backend):
        yield Finding(f"[{section.name}]: chat.log: {finding.line}", finding.is_error)


def _database_findings(chats: list[Chat]) -> Iterator[Finding]:
    """Whether two chats have one database, which is no error: one of them may not be served."""
    first: dict[str, str] = {}
    for section, _, _, backend in chats:
        if isinstance(backend, SQLiteBackend):
            owner = first.setdefault(backend.path, section.name)
            if owner != section.name:
                yield Finding(
                    f"[{section.name}]: chat.log: {backend.path} is that of [{owner}] too: "
                    "two chats that are served together have two",
                    is_error=False,
                )


def _use_findings(chat: Chat, holder: str, is_taken: bool) -> Iterator[Finding]:
    """Whether `holder` has the log. If somebody listens there too, it is this chat."""
    section, backend = chat.section, chat.backend
    if holder and is_taken:
        yield Finding(f"[{section.name}]: the chat runs already, as {holder}", is_error=False)
    elif holder and isinstance(backend, SQLiteBackend):
        yield Finding(f"[{section.name}]: chat.log: {backend.path} is in use by {holder}")


def _server_findings(
    section: Section,
    options: Options,
    problem: AddressProblem | None,
    logs: list[Backend],
    is_running: bool,
) -> Iterator[Finding]:
    """`is_running`: a process has one of the logs; who listens at the address is that one."""
    try:
        check_options(options)
    except OptionError as error:
        yield Finding(f"[{section.name}]: {error}")
    if options.workers > 1 and not all(backend.shared for backend in logs):
        yield Finding(f"[{section.name}]: workers = {options.workers} need chat.log in Redis")
    if problem and not (problem.taken and is_running):
        yield Finding(f"[{section.name}]: {problem}")
