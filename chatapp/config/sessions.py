"""Beaker's options `session.*`: the chat's own defaults, and what an ini may say."""

import inspect
from collections.abc import Mapping
from typing import Any

from beaker.cache import clsmap
from beaker.session import CookieSession, Session
from beaker.util import coerce_session_params

from chatapp.lib.cookies import COOKIE_SECONDS, session_name
from chatapp.lib.secret import derived_key, fingerprint
from cogen.web.options import OptionError, unknown_option

__all__ = ["check_session", "session_options"]

_PREFIX = "session."
# A signed cookie that holds an id and a nick, as JSON, never a live object.
_DEFAULTS = {
    "session.type": "cookie",
    "session.data_serializer": "json",
    "session.httponly": "true",
    "session.samesite": "Lax",
    "session.cookie_expires": str(COOKIE_SECONDS),
    "session.save_accessed_time": "false",
}
# Beaker does not heed what it does not know, since some types take options of their own.
_NAMES = frozenset(
    _PREFIX + name
    for kind in (Session, CookieSession)
    for name in (*list(inspect.signature(kind).parameters)[1:-1], "auto")
)


def session_options(secret: bytes, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the chat sets, as `given` has them or else by its defaults."""
    defaults = {
        **_DEFAULTS,
        "session.key": session_name(fingerprint(secret)),
        "session.validate_key": derived_key(secret, "session").hex(),
    }
    return {name: given.get(name, value) for name, value in defaults.items()}


def check_session(given: Mapping[str, Any]) -> None:
    """Raises OptionError for a name that Beaker does not know, or a value that it does not take."""
    named = ((name.removeprefix("beaker."), value) for name, value in given.items())
    own = {name: value for name, value in named if name.startswith(_PREFIX)}
    settings = {**_DEFAULTS, **own}
    for name, value in own.items():
        if name not in _NAMES and settings["session.type"] == "cookie":
            raise unknown_option("option", name, _NAMES)
        _coerce({name: value}, f"{name} = {value!r}: ")
    _coerce(settings, "session.*: ")
    _check_type(str(settings["session.type"]), settings)


def _check_type(kind: str, settings: Mapping[str, Any]) -> None:
    """Beaker would say so at each request."""
    if kind == "cookie":
        return
    try:
        clsmap[kind]
    except KeyError:
        raise OptionError(f"session.type = {kind!r}: Beaker knows no such type") from None
    if kind in ("file", "dbm") and not settings.get("session.data_dir"):
        raise OptionError(f"session.type = {kind!r} needs session.data_dir")


def _coerce(settings: Mapping[str, Any], what: str) -> None:
    try:
        coerce_session_params(
            {name.removeprefix(_PREFIX): value for name, value in settings.items()}
        )
    except Exception as error:  # noqa: BLE001  Beaker raises no other
        raise OptionError(f"{what}{error}") from None
