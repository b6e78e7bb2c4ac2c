"""Devices: the browsers on which a member is signed in, as the member sees them."""

import secrets
import time
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

__all__ = ["MOST_DEVICES", "MOST_LABEL", "Device", "label_of", "new_device"]

MOST_DEVICES = 50
"""Of one member: one more signs out the one that was not seen for longest."""
MOST_LABEL = 64
"""Characters of what a device is called."""

# What is named first counts: most browsers name those that came before them as well.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


class Device(NamedTuple):
    """`label`: what it is called. `at`: Unix seconds of its first sign-in; None: older than that
    is written down. `seen`: the day, as YYYY-MM-DD in UTC, on which it was here last, or ''."""

    id: str
    label: str = ""
    at: float | None = None
    seen: str = ""

    @property
    def here(self) -> tuple[str, float]:
        """When it was here last, as far as that is written down: the day, and its sign-in."""
        at = self.at or 0.0
        return max(self.seen, time.strftime("%Y-%m-%d", time.gmtime(at))), at


def new_device(label: str, now: float | None) -> Device:
    """One with a random id of 96 bits, signed in at `now`, in Unix seconds."""
    return Device(secrets.token_urlsafe(12), label, now)


def label_of(environ: WSGIEnvironment) -> str:
    """What the browser or program that sent the request is called at first."""
    agent = environ.get("HTTP_USER_AGENT", "")
    program = next((name for sign, name in _PROGRAMS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return " on ".join(name for name in (program, system) if name) or "A device"
