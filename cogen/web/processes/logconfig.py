"""Python's logging as a file sets it up."""

import configparser
import json
import logging.config
import os
import tomllib

from cogen.web.options import OptionError

__all__ = ["configure_logging", "has_loggers", "set_level"]


def configure_logging(path: str) -> None:
    """Set logging up as the file at `path` says. Raises OptionError.

    By its name it is JSON or TOML for logging.config.dictConfig, or an ini for fileConfig, in which
    `%(here)s` is its folder. Loggers that it does not name go on.
    """
    try:
        kind = os.path.splitext(path)[1]
        if kind in _READERS:
            with open(path, "rb") as file:
                settings = _READERS[kind](file)
            settings.setdefault("disable_existing_loggers", False)
            logging.config.dictConfig(settings)
        else:
            _configure_by_ini(path)
    except OSError as error:
        # Of the file itself, or of one that a handler is to write.
        raise OptionError(f"{error.filename or path}: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 (whatever a handler of anybody raises)
        raise OptionError(f"{path}: logging cannot be set up so: {_line(error)}") from None


_READERS = {".json": json.load, ".toml": tomllib.load}


def _configure_by_ini(path: str) -> None:
    place = os.path.abspath(path)
    parser = configparser.ConfigParser({"here": os.path.dirname(place), "__file__": place})
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    logging.config.fileConfig(parser, disable_existing_loggers=False)


def has_loggers(path: str) -> bool:
    """Whether the ini at `path` sets logging up; False too if it cannot be read."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return False
    return parser.has_section("loggers")


def set_level(name: str) -> None:
    """The log has lines from this level on, like `debug`."""
    logging.getLogger().setLevel(name.upper())


def _line(error: BaseException) -> str:
    """All that led to it, in one line: dictConfig says where in its first, why in its last."""
    said = [f"{type(error).__name__}: {error}"]
    while (error := error.__cause__ or error.__context__) is not None:  # type: ignore[assignment]
        said.append(str(error))
    return " ".join("; ".join(said).split())
