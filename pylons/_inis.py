"""What an ini says wrong, in one line, told apart from failures of the application's own code."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Final

__all__ = ["loading", "logging_of", "path_of"]

_FAULTS: Final = (
    *(AttributeError, ImportError, LookupError, OSError, TypeError, ValueError),
    configparser.Error,
)
"""What PasteDeploy raises for an ini that is wrong, or names what is not there."""
_READERS: Final = frozenset(
    {"codecs", "configparser", "contextlib", "importlib", "logging", "paste", "pylons"}
)
_LOADERS: Final = frozenset({"paste.deploy.loadwsgi", "paste.script.command"})
# Its functions, which an application calls with values of the ini.
_CONVERTERS: Final = "paste.deploy.converters"


def path_of(spec: str) -> str:
    """The path of the ini that `spec` names, like `config:site.ini#main`."""
    return spec.removeprefix("config:").partition("#")[0]


@contextmanager
def loading(spec: str) -> Iterator[None]:
    """What is done here reads the ini that `spec` names, and makes what it describes.

    A fault of the ini ends the program with one line, and status 1; what the application's own code
    raises goes on.
    """
    path = path_of(spec)
    try:
        yield
    except _FAULTS as error:
        if not _is_of_the_ini(error):
            raise
        if isinstance(error, FileNotFoundError) and _same(error.filename, path):
            raise SystemExit(f"{path}: there is no such file") from None
        raise SystemExit(f"{path}: {_line_of(error)}") from None


@contextmanager
def logging_of(path: str) -> Iterator[None]:
    """What is done here sets Python's logging up, as the ini at `path` says."""
    with loading(path):
        try:
            yield
        except (configparser.Error, UnicodeDecodeError):
            raise
        except Exception as error:
            # A name that is not there, or an error in Python: handlers have their arguments in it.
            if not _is_of_the_ini(error):
                raise
            told = f"{path}: logging cannot be set up so: {_line_of(error)}"
            raise SystemExit(told) from None


def _is_of_the_ini(error: BaseException) -> bool:
    """Whether it is of what reads an ini or its values, not of the application's own code."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__")) for frame in frames]
    own = [name for name in modules if name.partition(".")[0] not in _READERS]
    return not _LOADERS.isdisjoint(modules) and (not own or modules[-1] == _CONVERTERS)


def _line_of(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _same(first: object, second: str) -> bool:
    return isinstance(first, str) and os.path.abspath(first) == os.path.abspath(second)
