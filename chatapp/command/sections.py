"""The sections of an ini that PasteDeploy makes applications and servers of."""

import configparser
import os
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from paste.deploy import loadwsgi

from chatapp.backends import Backend, backend_of
from chatapp.config.environment import chat_options, chat_settings
from chatapp.config.middleware import make_app
from chatapp.options import ChatOptions
from cogen.web.ini import Ini

__all__ = ["IniError", "Section", "chat_of", "missing_sections", "sections"]

_KINDS = {
    **dict.fromkeys(("app", "application", "pipeline", "filter-app"), loadwsgi.APP),
    "server": loadwsgi.SERVER,
}


class IniError(Exception):
    """The file, or a section of it, cannot be read; the message says why, in one line."""


class Section(NamedTuple):
    """`factory` is called with `global_conf`, that of [DEFAULT], and `settings`."""

    name: str
    factory: Any
    global_conf: dict[str, Any]
    settings: dict[str, Any]

    @property
    def is_chat(self) -> bool:
        return self.factory is make_app


def sections(path: str) -> Iterator[Section | IniError]:
    """Those of applications and servers; an error in the place of one that cannot be read.

    Raises IniError if nothing can be read.
    """
    for name in _names(path):
        kind, _, short = name.partition(":")
        if kind in _KINDS:
            try:
                yield _section(path, name, _KINDS[kind], short or "main")
            except (configparser.Error, ImportError, LookupError, ValueError) as error:
                yield IniError(f"[{name}]: {_line(error)}")


def missing_sections(path: str) -> Iterator[str]:
    """Those without which `paster serve` does not start. Raises IniError."""
    names = _names(path)
    for kind, needed in (
        (loadwsgi.SERVER, "[server:main]"),
        (loadwsgi.APP, "[app:main], [pipeline:main] or [composite:main]"),
    ):
        prefixes = [prefix for alternatives in kind.config_prefixes for prefix in alternatives]
        if not any(name in names for each in prefixes for name in (each, f"{each}:main")):
            yield needed


def chat_of(section: Section) -> tuple[ChatOptions, Backend]:
    """The options of a chat, and where it has its log. Raises ValueError, naming what is wrong."""
    options = chat_options(chat_settings(Ini(section.global_conf), section.settings))
    return options, backend_of(options.log)


def _names(path: str) -> list[str]:
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise IniError(str(error.strerror or error)) from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise IniError(_line(error)) from None
    return parser.sections()


def _section(path: str, name: str, kind: Any, short: str) -> Section:
    uri = f"config:{quote(os.path.abspath(path))}"
    context = loadwsgi.loadcontext(kind, uri, name=short)
    while context.object_type is loadwsgi.FILTER_WITH:
        context = context.next_context
    return Section(name, context.object, context.global_conf, context.local_conf)


def _line(error: Exception) -> str:
    # A KeyError would show what its message looks like in Python.
    text = str(error.args[0] if isinstance(error, LookupError) and error.args else error)
    return " ".join(text.split())
