"""What an ini and the variables of the command line say about the options of a section.

PasteDeploy drops an option of a section that has the name of a variable, as in `paster serve INI
port=5080`, or of an entry in [DEFAULT]. The `global_conf` of a factory has both kinds and does not
tell them apart; the file does. The order here is what a reader of the ini expects: a variable comes
before the section, the section before [DEFAULT].
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from configparser import (
    ConfigParser,
    InterpolationError,
    InterpolationSyntaxError,
    RawConfigParser,
)
from typing import TypeVar

from cogen.web.options import OptionError

__all__ = ["Ini"]

_Parser = TypeVar("_Parser", bound=RawConfigParser)

# The sections that it loads.
_LOADED = re.compile(r"(app|application|composite|filter|filter-app|pipeline|server)(:|\Z)")
# What PasteDeploy itself puts into global_conf.
_PLACES = ("here", "__file__")


class Ini:
    """The ini that `global_conf` is of; without a file all of it counts as variables.

    `variables`: those of the command line, or of the caller of PasteDeploy's loadapp.
    """

    def __init__(self, global_conf: Mapping[str, str]) -> None:
        self._global_conf = global_conf
        self.path = global_conf.get("__file__", "")
        self._files = list(_files(self.path, global_conf, set()))
        self.variables = {
            name: value
            for name, value in global_conf.items()
            if name not in _PLACES
            and (f"{name}={value}" in sys.argv or not self._has_default(name, value))
        }

    def settings(
        self, kind: str, given: Mapping[str, str], takes: Callable[[str], bool]
    ) -> dict[str, str]:
        """The settings of a section whose name begins with `kind`, of which `given` were passed on.

        `takes(name)`: whether that is the name of an option. Raises OptionError if it cannot be
        told which value counts, or a value has no meaning.
        """
        settings = dict(given)
        for name, value in self._global_conf.items():
            if name in _PLACES or not takes(name):
                continue
            if name in self.variables:
                settings[name] = value
            elif name not in settings:
                hidden = self._hidden(kind, name)
                settings[name] = value if hidden is None else hidden
        return settings

    def check(self, takes: Callable[[str], bool]) -> None:
        """Raises OptionError for a variable that has no effect; `takes(name)`: it has one."""
        for name in self.variables:
            if takes(name):
                continue
            if not any(file.uses(name) for file in self._files):
                raise OptionError(
                    f"the variable {name!r} of the command line names no option, and nothing in "
                    f"{self.path or 'an ini'} uses it"
                )
            if any(name in file.defaults for file in self._files):
                raise OptionError(
                    f"the variable {name!r} of the command line does not change %({name})s, which "
                    f"[DEFAULT] of {self.path} sets: take it out of there"
                )

    def check_values(self) -> None:
        """Raises OptionError for a value that PasteDeploy cannot read: it has no error for it."""
        for file in self._files:
            file.check_values()

    @property
    def files(self) -> list[str]:
        """The paths of the file and of those that it uses."""
        return [file.path for file in self._files]

    def has_section(self, name: str) -> bool:
        """Whether the file itself has that section, and not only one that it uses."""
        return any(file.has_section(name) for file in self._files[:1])

    def _has_default(self, name: str, value: str) -> bool:
        return any(value in file.values(name) for file in self._files)

    def _hidden(self, kind: str, name: str) -> str | None:
        """What sections of that kind say, if they do: PasteDeploy did not pass it on."""
        for file in self._files:
            found = set(file.in_sections(kind, name))
            if len(found) > 1:
                raise OptionError(
                    f"{name} is in [DEFAULT] of {file.path} and in several sections, of which one "
                    "counts: take it out of [DEFAULT]"
                )
            if found:
                return found.pop()
        return None


class _File:
    """One file: what it says as it stands, and with what `%(name)s` stands for."""

    def __init__(self, path: str, global_conf: Mapping[str, str]) -> None:
        self.path = path
        # Where [DEFAULT] is a section like others, a section has only what is written in it.
        self._written = _parser(RawConfigParser(default_section="\0"), path)
        self._parser = _parser(ConfigParser(), path)
        self.defaults = frozenset(self._parser.defaults())
        known = {**global_conf, "here": os.path.dirname(path), "__file__": path}
        others = {name: value for name, value in known.items() if name not in self.defaults}
        self._parser.read_dict({"DEFAULT": others})

    def has_section(self, name: str) -> bool:
        return self._parser.has_section(name)

    def check_values(self) -> None:
        for section in filter(_LOADED.match, self._parser.sections()):
            for name in self._parser.options(section):
                try:
                    self._parser.get(section, name)
                except InterpolationSyntaxError:
                    raise OptionError(
                        f"{self.path}: {name} in [{section}]: a % in a value has to be written %%"
                    ) from None
                except InterpolationError:
                    # PasteDeploy may know more names than the file.
                    continue

    def values(self, name: str) -> Iterator[str]:
        """Those of `name` for all sections: in [DEFAULT], or by `set` in one of them."""
        if name in self.defaults:
            yield self._get("DEFAULT", name)
        yield from self.in_sections("", f"set {name}")

    def in_sections(self, kind: str, name: str) -> Iterator[str]:
        """The values of `name` in sections whose name begins with `kind`."""
        for section in self._parser.sections():
            if section.startswith(kind) and self._written.has_option(section, name):
                # To a reader `port = %(port)s` refers to [DEFAULT], to the parser to itself.
                default = self._parser.defaults().get(name, "")
                written = self._written.get(section, name)
                self._parser.set(section, name, written.replace(f"%({name})s", default))
                yield self._get(section, name)

    def uses(self, name: str) -> bool:
        """Whether an option refers to `name`."""
        for section in self._written.sections():
            for option, value in self._written.items(section):
                if f"%({name})s" in value or (option.startswith("get ") and value == name):
                    return True
        return False

    def _get(self, section: str, name: str) -> str:
        try:
            return self._parser.get(section, name)
        except InterpolationError as error:
            raise OptionError(f"{self.path}: {error.message}") from None


def _files(path: str, global_conf: Mapping[str, str], seen: set[str]) -> Iterator[_File]:
    """The file at `path` and those that it refers to by `use = config:PATH`."""
    if not os.path.isfile(path) or path in seen:
        return
    seen.add(path)
    file = _File(path, global_conf)
    yield file
    for use in file.in_sections("", "use"):
        scheme, _, rest = use.partition(":")
        if scheme == "config":
            other = os.path.join(os.path.dirname(path), rest.partition("#")[0])
            yield from _files(os.path.abspath(other), global_conf, seen)


def _parser(parser: _Parser, path: str) -> _Parser:
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser
