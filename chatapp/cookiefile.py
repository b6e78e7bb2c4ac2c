"""Where a program keeps who it is: the chat's cookies, in a file for its owner alone."""

import json
import os
from http.cookies import Morsel
from pathlib import Path

from aiohttp.abc import AbstractCookieJar
from yarl import URL

__all__ = ["load_cookies", "save_cookies"]

_KIND = "chat_"


def load_cookies(jar: AbstractCookieJar, url: str, path: Path) -> None:
    """Have `jar` send to the chat at `url` what the file has, if it is there.

    Raises OSError; ValueError for a file that is none of these.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise ValueError(f"{path} has no cookies of a chat")
    jar.update_cookies(found, URL(url))


def save_cookies(jar: AbstractCookieJar, url: str, path: Path) -> None:
    """Put the chat's cookies into the file, wholly or not at all. Raises OSError."""
    sent: dict[str, Morsel[str]] = dict(jar.filter_cookies(URL(url)))
    cookies = {name: each.value for name, each in sent.items() if name.startswith(_KIND)}
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(cookies, file)
    draft.replace(path)
