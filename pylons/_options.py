"""Which values of the ini are refused when an application is loaded, each in one line."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from beaker.cache import clsmap
from beaker.util import coerce_cache_params, coerce_session_params
from paste.deploy.converters import asbool

__all__ = ["OptionError", "check_beaker", "check_folders", "flag"]

log = logging.getLogger("pylons.configuration")


class OptionError(SystemExit, ValueError):
    """An option has a value that it cannot have; the message names both.

    Where nobody handles it, as in `paster serve`, it ends the program with its line and status 1.
    """

    def __str__(self) -> str:
        return str(self.code)


def flag(conf: Mapping[str, Any], option: str) -> bool:
    """Whether an option is on. Raises OptionError if the value says neither."""
    value = conf.get(option)
    try:
        return bool(asbool(value))
    except ValueError:
        raise OptionError(f"{option} = {value}: write true or false") from None


def check_beaker(conf: Mapping[str, Any]) -> None:
    """Raises OptionError for an option of Beaker's, which itself tells some at the first use."""
    for option, value in conf.items():
        if option.startswith("beaker.session."):
            name = option.removeprefix("beaker.session.")
            _check_option(option, name, value, coerce_session_params)
        elif option.startswith("beaker.cache."):
            # Those of a region of caches have its name before them.
            _check_option(option, option.rpartition(".")[2], value, coerce_cache_params)


def _check_option(
    option: str, name: str, value: Any, coerce: Callable[[dict[str, Any]], Any]
) -> None:
    try:
        coerce({name: value})
    except Exception as error:  # noqa: BLE001 (Beaker raises no other)
        raise OptionError(f"{option} = {value}: Beaker does not take it: {error}") from None
    if name != "type" or (option == "beaker.session.type" and value in ("cookie", None)):
        return
    try:
        clsmap[value]
    except KeyError:
        told = "Beaker has no such type, but file, dbm, memory, cookie (sessions) and some ext:NAME"
        raise OptionError(f"{option} = {value}: {told}") from None


def check_folders(conf: Mapping[str, Any]) -> None:
    """Raises OptionError if sessions are to be kept in a folder that cannot be written.

    Caches that cannot be kept are but logged: the application need not use them.
    """
    for kind in ("session", "cache"):
        option = f"beaker.{kind}.data_dir"
        folder = conf.get(option)
        place = _unwritable(folder) if folder else None
        if place is None:
            continue
        below = " (below cache_dir)" if option not in conf.get("app_conf", {}) else ""
        told = f"{option} = {folder}{below}: {place} is not a folder that can be written"
        if kind == "session" and conf.get("beaker.session.type") in (None, "file", "dbm"):
            raise OptionError(told)
        log.error(told)


def _unwritable(folder: str) -> str | None:
    """What is there of the path of `folder`, if nothing can be written below that."""
    place = os.path.abspath(folder)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    writable = os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)
    return None if writable else place
