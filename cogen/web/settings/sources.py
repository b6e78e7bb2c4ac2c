"""Where options come from: the command line before the environment, before files.

A place is looked through as a whole: what is unknown or wrong there is told, also where a nearer
place says something else.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from cogen.web.options import OptionError, parse_options, unknown_option
from cogen.web.settings.running import Running

__all__ = ["Settings", "from_environment", "from_file"]

_PREFIX = "COGEN_"
# Between processes of the server, and for its setup.
_OTHERS = ("COGEN_WORKER", "COGEN_COMPILE")


class Settings:
    """The text of each option that is given, and its `origins`: which place said it, in words."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.origins: dict[str, str] = {}

    def add(self, origin: str, texts: Mapping[str, str]) -> None:
        """What a further place says of options that no nearer one has."""
        for name, text in texts.items():
            if name not in self.texts:
                self.texts[name] = text
                self.origins[name] = origin

    def options(self) -> Running:
        """All options, with the default for those that nobody gave. Raises OptionError."""
        return parse_options(self.texts, Running, "option")


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What variables like COGEN_PORT say; an empty one says nothing. Raises OptionError."""
    texts = {}
    for variable, text in sorted(environ.items()):
        if text and variable.startswith(_PREFIX) and variable not in _OTHERS:
            name = variable.removeprefix(_PREFIX).lower()
            _check(variable, {name: text})
            texts[name] = text
    return texts


def from_file(path: str) -> dict[str, str]:
    """What the TOML file at `path` says. Raises OptionError."""
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise OptionError(f"config = {path!r}: {error.strerror or error}") from None
    except ValueError as error:  # of TOML, or of UTF-8
        raise OptionError(f"{path}: {error}") from None
    if "config" in found:
        raise OptionError(f"{path}: one file of options cannot name another")
    texts = dict(_texts(path, found))
    _check(path, texts)
    return texts


def _texts(path: str, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """As they would be on a command line."""
    fields = Running.__dataclass_fields__
    for name, value in found.items():
        if name not in fields:
            raise OptionError(f"{path}: {unknown_option('option', name, fields)}")
        if isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            yield name, ", ".join(value)
        elif isinstance(value, str):
            yield name, value
        elif isinstance(value, int | float) and _is_number(fields[name]):
            yield name, str(value)
        else:
            # 0o660 would be another number by now.
            raise OptionError(f"{path}: {name} = {value!r}: must be text, in quotes")


def _is_number(field: Any) -> bool:
    return not isinstance(field.default, str) or "number_or" in field.metadata


def _check(origin: str, texts: Mapping[str, str]) -> None:
    try:
        parse_options(texts, Running, "option")
    except OptionError as error:
        raise OptionError(f"{origin}: {error}") from None
