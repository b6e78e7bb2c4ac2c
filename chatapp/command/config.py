"""`chatapp config`: an ini for production, the one that `paster make-config ChatApp` writes.

What is set on the command line stands in it in the place of the template's line of that name.
"""

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from configparser import ConfigParser, InterpolationError
from importlib.resources import files

from chatapp.backends import backend_of
from chatapp.config.environment import chat_options
from chatapp.options import ChatOptions
from cogen.web.options import OptionError, Options, parse_options, unknown_option
from cogen.web.serving import check_options

__all__ = ["configuration", "settings_of"]

_SERVER = frozenset(field.name for field in dataclasses.fields(Options))
_CHAT = frozenset(f"chat.{field.name}" for field in dataclasses.fields(ChatOptions))
_OTHERS = frozenset(["debug", "session.secure"])
_KNOWN = _SERVER | _CHAT | _OTHERS
# What stands below a section's name: an option that the template does not have goes behind it.
_BEGINS = {True: "use = egg:ChatApp#http", False: "use = egg:ChatApp"}
# The handlers of the ini's [loggers], and the files that they write.
_FILES = {"handler_log": "chat.log", "handler_access": "access.log"}


def settings_of(words: Sequence[str]) -> dict[str, str]:
    """Those that `NAME=VALUE` say. Raises OptionError for what is none, or has no such value."""
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise OptionError(f"{word!r}: not NAME=VALUE")
        if name not in _KNOWN:
            raise unknown_option("option", name, _KNOWN)
        settings[name] = value
    _check(_as_read(settings))
    return settings


def _as_read(settings: Mapping[str, str]) -> dict[str, str]:
    """What an ini with them says, but for those that need a variable. Raises OptionError."""
    ini = ConfigParser({"here": os.curdir})
    ini.add_section("main")
    for name, value in settings.items():
        try:
            ini.set("main", name, value)
        except ValueError:
            raise OptionError(f"{name} = {value!r}: in an ini % is written %%") from None
    read = {}
    for name in settings:
        with contextlib.suppress(InterpolationError):
            read[name] = ini.get("main", name)
    return read


def _check(settings: Mapping[str, str]) -> None:
    """Raises OptionError. Certificates are read where they are: by `chatapp check`."""
    server = {name: value for name, value in settings.items() if name in _SERVER}
    options = parse_options(server, Options, "option")
    check_options(dataclasses.replace(options, certificate="", key=""))
    chat = chat_options({name: settings[name] for name in settings.keys() - _SERVER})
    try:
        backend_of(chat.log)
    except ValueError as error:
        raise OptionError(f"chat.log: {error}") from None


def configuration(settings: Mapping[str, str] | None = None, logs: str = "") -> str:
    """The text of the ini, with `settings` of server and chat.

    `logs`: the folder of its log and its access log; empty: they go to the standard streams.
    """
    text = files("chatapp").joinpath("config/deployment.ini_tmpl").read_text("utf-8")
    given = dict(settings or {})
    if logs:
        given.setdefault("access_log", "combined")
        for handler, name in _FILES.items():
            text = _with_file(text, handler, os.path.join(os.path.abspath(logs), name))
    for name, value in given.items():
        text = _with_setting(text, name, value)
    return text


def _with_setting(text: str, name: str, value: str) -> str:
    """With a line that sets it: the one that does so now, else one that could, else one more."""
    line = f"{name} = {value}"
    for mark in ("", "#"):
        pattern = rf"(?m)^{mark}{re.escape(name)} = .*$"
        if re.search(pattern, text):
            return re.sub(pattern, lambda _: line, text, count=1)
    begins = _BEGINS[name in _SERVER]
    return text.replace(f"{begins}\n", f"{begins}\n{line}\n", 1)


def _with_file(text: str, handler: str, path: str) -> str:
    """With a file for the handler that may be moved away, by logrotate for one."""
    arguments = repr((path,)).replace("%", "%%")
    pattern = rf"(\[{handler}\]\n)class = .*\nargs = .*\n"
    made = f"class = handlers.WatchedFileHandler\nargs = {arguments}\n"
    return re.sub(pattern, lambda match: match[1] + made, text, count=1)
