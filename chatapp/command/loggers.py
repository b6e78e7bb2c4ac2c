"""What keeps Python's `logging` from making what [loggers] and so on say, without making it.

`paster serve` gives the ini to logging.config.fileConfig, whose errors end in tracebacks. No
handler is made here: that would open its file, or its connection.
"""

import configparser
import inspect
import logging
import logging.handlers
import os
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatapp.command.findings import Finding

__all__ = ["logger_findings"]

_Names = Mapping[str, Sequence[str]]

_KINDS = ("formatter", "handler", "logger")


def logger_findings(path: str) -> Iterator[Finding]:
    """What is wrong with the logging of the ini at `path`; nothing where there is no [loggers]."""
    place = os.path.abspath(path)
    parser = configparser.ConfigParser({"here": os.path.dirname(place), "__file__": place})
    parser.read(path, encoding="utf-8")
    if not parser.has_section("loggers"):
        return
    lacking = [f"{kind}s" for kind in _KINDS if not parser.has_option(f"{kind}s", "keys")]
    for section in lacking:
        yield Finding(f"[{section}]: keys is missing; it may be empty")
    if lacking:
        return
    names = {kind: _list(parser[f"{kind}s"]["keys"]) for kind in _KINDS}
    if "root" not in names["logger"]:
        yield Finding("[loggers]: keys is without root")
    for kind, given in names.items():
        for name in given:
            yield from _section_findings(parser, kind, name, names)


def _section_findings(
    parser: configparser.ConfigParser, kind: str, name: str, names: _Names
) -> Iterator[Finding]:
    section = f"{kind}_{name}"
    if not parser.has_section(section):
        yield Finding(f"[{kind}s]: keys has {name!r}, and there is no [{section}]")
        return
    try:
        for line in _LINES[kind](parser[section], names):
            yield Finding(f"[{section}]: {line}")
    except configparser.Error as error:
        yield Finding(" ".join(str(error).split()))


def _formatter_lines(section: configparser.SectionProxy, names: _Names) -> Iterator[str]:
    form, date = (section.get(name, raw=True) for name in ("format", "datefmt"))
    try:
        logging.Formatter(form, date, section.get("style", "%", raw=True))  # type: ignore[arg-type]
    except ValueError as error:
        yield f"format = {form!r}: {error}"


def _handler_lines(section: configparser.SectionProxy, names: _Names) -> Iterator[str]:
    yield from _level_lines(section)
    formatter = section.get("formatter", "")
    if formatter and formatter not in names["formatter"]:
        yield f"formatter = {formatter!r}: not in keys of [formatters]"
    try:
        made_by = _class(section.get("class", ""))
    except (ImportError, AttributeError, ValueError) as error:
        yield f"class = {section.get('class', '')!r}: {error}"
        return
    try:
        given = _arguments(made_by, section)
        path = os.fspath(given["filename"]) if issubclass(made_by, logging.FileHandler) else ""
    except (SyntaxError, NameError, AttributeError, TypeError, ValueError) as error:
        yield f"args = {section.get('args', '()')}: {error}"
        return
    if path:
        yield from _file_lines(path)


def _logger_lines(section: configparser.SectionProxy, names: _Names) -> Iterator[str]:
    yield from _level_lines(section)
    if section.name != "logger_root" and "qualname" not in section:
        yield "qualname is missing"
    if "handlers" not in section:
        yield "handlers is missing; it may be empty"
    for name in _list(section.get("handlers", "")):
        if name not in names["handler"]:
            yield f"handlers: {name!r} is not in keys of [handlers]"


_LINES = {"formatter": _formatter_lines, "handler": _handler_lines, "logger": _logger_lines}


def _list(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _level_lines(section: configparser.SectionProxy) -> Iterator[str]:
    levels = logging.getLevelNamesMapping()
    if section.get("level", "NOTSET") not in levels:
        yield f"level = {section['level']!r}: must be one of {', '.join(levels)}"


def _class(name: str) -> Any:
    """As `logging` looks for it: in itself, and then everywhere."""
    try:
        return pkgutil.resolve_name(f"logging.{name}")
    except (ImportError, AttributeError):
        return pkgutil.resolve_name(name)


def _arguments(made_by: Any, section: configparser.SectionProxy) -> dict[str, Any]:
    """By their names. They are expressions in the names of the module `logging`."""
    arguments, keywords = (
        eval(section.get(name, default), vars(logging))
        for name, default in (("args", "()"), ("kwargs", "{}"))
    )
    return inspect.signature(made_by).bind(*arguments, **keywords).arguments


def _file_lines(path: str) -> Iterator[str]:
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        yield f"{path} is a folder"
    elif not os.path.isdir(folder):
        yield f"{path}: there is no folder {folder}"
    elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
        yield f"{path}: it is not to be written to"
