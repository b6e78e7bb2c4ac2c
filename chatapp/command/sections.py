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
from chatapp.identity.kinds import identity_of
from chatapp.options import ChatOptions
from cogen.web.settings.ini import Ini

__all__ = ["Chat", "IniError", "Section", "chat_of", "missing_sections", "sections"]

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
        """Whether its factory is the chat's."""
        return self.factory is make_app


class Chat(NamedTuple):
    """What a section of the chat says: `settings` has what [DEFAULT] says for it as well."""

    section: Section
    settings: dict[str, Any]
    options: ChatOptions
    backend: Backend

    def source_of(self, name: str) -> str:
        """The name of the section that has the setting: this one, one that it uses, or DEFAULT."""
        parser = _parser(self.section.global_conf["__file__"])
        own = self.section.name
        used = [own, *(each for each in parser.sections() if each != "DEFAULT")]
        passed_on = used if name in self.section.settings else [own]
        places = [(each, f"set {name}") for each in used] + [(each, name) for each in passed_on]
        return next((each for each, option in places if parser.has_option(each, option)), "DEFAULT")


def sections(path: str) -> Iterator[Section | IniError]:
    """The sections of applications and servers; an error in the place of one that cannot be read.

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
    """The sections that `paster serve` needs and the ini lacks. Raises IniError."""
    names = _names(path)
    for kind, needed in (
        (loadwsgi.SERVER, "[server:main]"),
        (loadwsgi.APP, "[app:main], [pipeline:main] or [composite:main]"),
    ):
        prefixes = [prefix for alternatives in kind.config_prefixes for prefix in alternatives]
        if not any(name in names for each in prefixes for name in (each, f"{each}:main")):
            yield needed


def chat_of(section: Section) -> Chat:
    """The chat that `section` makes. Raises ValueError, naming what is wrong."""
    settings = chat_settings(Ini(section.global_conf), section.settings)
    options = chat_options(settings)
    identity_of(options)
    return Chat(section, settings, options, backend_of(options.log))


def _names(path: str) -> list[str]:
    return [name for name in _parser(path).sections() if name != "DEFAULT"]


def _parser(path: str) -> configparser.RawConfigParser:
    """The file as it is written: an option counts for the section that it is in, and no other."""
    parser = configparser.RawConfigParser(default_section="\0")
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise IniError(str(error.strerror or error)) from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise IniError(_line(error)) from None
    return parser


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
