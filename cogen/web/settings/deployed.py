"""An ini of PasteDeploy as `cogen-serve` serves it: without paster, and without PasteScript."""

import configparser
import dataclasses
import os
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from urllib.parse import quote

from cogen.web.life import Application
from cogen.web.options import OptionError, Options
from cogen.web.settings.faults import ERRORS, fault_of, line_of
from cogen.web.settings.ini import Ini
from cogen.web.settings.tracebacks import own_frames

__all__ = ["Deployed", "is_ini", "server_settings"]

_NAMES = frozenset(field.name for field in dataclasses.fields(Options))
_SECTIONS = ("server:main", "server")
# In the section of another server these mean the same; of waitress' `listen`, one address does.
_COMMON = ("host", "port")
# Of an ini, where other errors may be of a server that is not installed.
_UNREADABLE = (configparser.Error, OSError)
_LISTEN = re.compile(r"\[?([^\s\[\]]+?)\]?:(\d+)")


def is_ini(where: str) -> bool:
    """Whether `where` names an ini, like `production.ini#admin`."""
    return where.partition("#")[0].endswith(".ini")


def server_settings(
    ini: Ini, global_conf: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Those of a server's section of `ini`, of which PasteDeploy gave these. Raises OptionError."""
    settings = ini.settings("server", given, _NAMES.__contains__)
    if "http_port" in global_conf:
        asked = "http_port" in ini.variables and "port" not in ini.variables
        if asked or "port" not in settings:
            settings["port"] = global_conf["http_port"]
    return settings


class Deployed:
    """The ini that `where` names; behind its `#` is the section of the application, else main.

    `variables` come before its sections, which can use them as `%(name)s`. `ours` is the factory
    of this server. `settings` are what [server:main] says, `files` those that were read, `notes`
    what is to be known of it. Raises OptionError.
    """

    def __init__(self, where: str, variables: Mapping[str, str], ours: object) -> None:
        self._where = where
        self._given, _, name = where.partition("#")
        self._name = name or "main"
        self._variables = dict(variables)
        self.path = os.path.abspath(self._given)
        self.notes: list[str] = []
        if not os.path.isfile(self.path):
            raise OptionError(f"{self._given}: there is no such file")
        try:
            ini = Ini({**self._places, **self._variables})
            ini.check_values()
            self.files = ini.files
            section = next(filter(ini.has_section, _SECTIONS), None)
            self.settings = self._server(section, ours) if section else {}
        except (configparser.Error, UnicodeDecodeError) as error:
            raise OptionError(f"{self._given}: {line_of(error)}") from None

    @property
    def _places(self) -> dict[str, str]:
        return {"here": os.path.dirname(self.path), "__file__": self.path}

    def load(self) -> Application:
        """The application. Raises OptionError, or what its own code does."""
        loader = self._loader()
        try:
            application: Application = self._context(loader, loader.APP, self._name).create()
        except Exception as error:
            line = fault_of(error)
            if line is None:
                raise
            raise OptionError(f"{self._where}: {line}") from None
        if not callable(application):
            raise OptionError(f"{self._where}: it makes {application!r}, which cannot be called")
        return application

    def _server(self, section: str, ours: object) -> dict[str, str]:
        loader = self._loader()
        try:
            context = self._context(loader, loader.SERVER, "main")
        except ERRORS as error:
            if own_frames(error) is not None or isinstance(error, _UNREADABLE):
                raise OptionError(f"{self._given}: [{section}]: {line_of(error)}") from None
            return self._of_another(section)  # which need not be installed
        if context.object is not ours:
            return self._of_another(section)
        return server_settings(Ini(context.global_conf), context.global_conf, context.local_conf)

    def _of_another(self, section: str) -> dict[str, str]:
        """What a section for another server says that means the same here."""
        parser = configparser.ConfigParser({**self._places, **self._variables})
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(self.path, encoding="utf-8")
        said = dict(parser.items(section))
        address = _LISTEN.fullmatch(said.get("listen", ""))
        if address is not None:
            del said["listen"]
            said["host"], said["port"] = address[1].replace("*", "0.0.0.0"), address[2]
        others = sorted(set(said) - set(parser.defaults()) - {"use", *_COMMON})
        note = f"[{section}] is for another server: of its options only host and port are taken"
        self.notes.append(f"{note}, and not {', '.join(others)}" if others else note)
        return {name: said[name] for name in _COMMON if name in said}

    def _context(self, loader: ModuleType, kind: Any, name: str) -> Any:
        uri = f"config:{quote(self.path)}"
        return loader.loadcontext(kind, uri, name=name, global_conf=dict(self._variables))

    def _loader(self) -> ModuleType:
        try:
            from paste.deploy import loadwsgi
        except ModuleNotFoundError:
            raise OptionError(
                f"{self._given}: an ini is read by PasteDeploy: pip install 'PasteDeploy>=3.1,<4'"
            ) from None
        module: ModuleType = loadwsgi
        return module
