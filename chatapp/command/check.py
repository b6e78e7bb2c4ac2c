"""`chatapp check INI`: what would keep the chat from starting or from being safe, without a start.

Nothing is made and nothing changed. What the user may do who runs this is what is told: run it as
the one who serves.
"""

import errno
import os
import socket
import stat
import sys
from collections.abc import Iterator

from paste.deploy.converters import asbool

from chatapp.command.findings import Finding, folder_findings, mode_findings
from chatapp.command.logs import is_in_use, log_findings
from chatapp.command.sections import IniError, Section, chat_of, sections
from chatapp.lib.options import ChatOptions
from chatapp.lib.secret import known_secret
from chatapp.model.url import LogURL
from cogen.web.factory import server_factory, server_options
from cogen.web.ini import Ini
from cogen.web.listen import listening_socket
from cogen.web.options import OptionError, Options
from cogen.web.serving import check_options

__all__ = ["check"]


def check(path: str) -> None:
    """Print a line for each finding. Ends the program with status 1 if one of them is an error."""
    found = list(dict.fromkeys(_findings(path)))
    for finding in found:
        sys.stdout.write(f"{path}: {finding}\n")
    if not found:
        sys.stdout.write(f"{path}: nothing is wrong\n")
    if any(finding.is_error for finding in found):
        raise SystemExit(1)


def _findings(path: str) -> Iterator[Finding]:
    maybe_chat = False
    servers: list[tuple[Section, Options]] = []
    chats: list[tuple[Section, ChatOptions, LogURL]] = []
    try:
        for section in sections(path):
            if isinstance(section, IniError):
                maybe_chat = True
                yield Finding(f"{section}")
                continue
            maybe_chat |= section.is_chat
            try:
                if section.factory is server_factory:
                    servers.append((section, _server(section)))
                elif section.is_chat:
                    chats.append((section, *chat_of(section)))
                elif section.name.startswith("server"):
                    yield Finding(f"[{section.name}]: the chat needs use = egg:ChatApp#http")
            except ValueError as error:
                yield Finding(f"[{section.name}]: {error}")
    except IniError as error:
        yield Finding(f"{error}")
        return
    if not maybe_chat:
        yield Finding("no section is the chat: use = egg:ChatApp")
    yield from _rights(path, [url for _, _, url in chats])
    for section, options, url in chats:
        yield from _chat_findings(section, options, url)
    for section, server in servers:
        yield from _server_findings(section, server, [url for _, _, url in chats])
        secure = all(asbool(chat.settings.get("session.secure", "false")) for chat, _, _ in chats)
        if server.certificate and not secure:
            yield Finding(
                f"[{section.name}]: with TLS set session.secure = true in the section of the chat",
                is_error=False,
            )


def _server(section: Section) -> Options:
    ini = Ini(section.global_conf)
    ini.check_values()
    return server_options(ini, section.global_conf, section.settings)


def _rights(path: str, logs: list[LogURL]) -> Iterator[Finding]:
    if any("@" in url.place for url in logs if url.kind == "redis"):
        yield from mode_findings(path, stat.S_IROTH, "has a password and can be read by everybody")
    yield from mode_findings(path, stat.S_IWOTH, "can be changed by everybody")


def _chat_findings(section: Section, options: ChatOptions, url: LogURL) -> Iterator[Finding]:
    if asbool(section.global_conf.get("debug", "false")):
        yield Finding("[DEFAULT]: debug = true shows tracebacks", is_error=False)
    try:
        secret = known_secret(os.environ, options.secret_file, options.data)
    except ValueError as error:
        yield Finding(f"[{section.name}]: {error}")
    except OSError as error:
        yield Finding(f"[{section.name}]: the secret {error.filename}: {error.strerror or error}")
    else:
        if secret is None:
            yield from folder_findings(f"[{section.name}]: chat.data", options.data)
    for finding in log_findings(url):
        yield Finding(f"[{section.name}]: chat.log: {finding.line}", finding.is_error)


def _server_findings(section: Section, options: Options, logs: list[LogURL]) -> Iterator[Finding]:
    try:
        check_options(options)
    except OptionError as error:
        yield Finding(f"[{section.name}]: {error}")
    if options.workers > 1 and any(url.kind != "redis" for url in logs):
        yield Finding(f"[{section.name}]: workers = {options.workers} need chat.log in Redis")
    trouble = _unix_trouble(options) if options.unix_socket else _port_trouble(options, logs)
    if trouble:
        yield Finding(f"[{section.name}]: {trouble}")


def _unix_trouble(options: Options) -> str:
    folder = os.path.dirname(os.path.abspath(options.unix_socket))
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"unix_socket = {options.unix_socket}: {folder} is not there or not to be written to"
    return ""


def _port_trouble(options: Options, logs: list[LogURL]) -> str:
    try:
        listening_socket(options).close()
    except socket.gaierror as error:
        return f"host = {options.host}: {error.strerror or error}"
    except OSError as error:
        # The chat that this is the ini of may be running.
        if error.errno == errno.EADDRINUSE and any(is_in_use(url) for url in logs):
            return ""
        return f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"
    return ""
