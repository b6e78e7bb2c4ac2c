"""The access log: one line for each request, to the logger `cogen.access`."""

import json
import logging
import os
import re
import time
from collections.abc import Callable
from typing import Final, NamedTuple
from wsgiref.types import WSGIEnvironment

__all__ = ["ACCESS_LOGGER", "AccessLog"]

ACCESS_LOGGER: Final = "cogen.access"
"""The name of the logger that gets the lines."""

log = logging.getLogger(ACCESS_LOGGER)

# What would end a quoted part, or a line.
_UNSAFE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class AccessLog:
    """Writes lines of `form`: `common` or `combined`, as other servers do, or `json`.

    The bytes are those of the content; 499 is the status of a request whose client left. After what
    others write there are the seconds that the answer took and, if `several` processes serve, the
    id of this one.
    """

    def __init__(self, form: str, several: bool) -> None:
        self._line = {"common": _common, "combined": _combined, "json": _json}[form]
        self._pid = os.getpid() if several else None

    def began(self, environ: WSGIEnvironment) -> Callable[[int, int], None]:
        """What writes the line of a request when it has ended."""
        start = time.perf_counter()
        return lambda status, sent: self._write(environ, status, sent, time.perf_counter() - start)

    def refused(self, address: str, status: int) -> None:
        """Write the line of what was no request."""
        self._write({"REMOTE_ADDR": address}, status, 0, None)

    def _write(
        self, environ: WSGIEnvironment, status: int, sent: int, seconds: float | None
    ) -> None:
        log.info(self._line(environ, _Outcome(status, sent, seconds, self._pid)))


class _Outcome(NamedTuple):
    """How a request ended; `seconds` is None if there was none."""

    status: int
    sent: int
    seconds: float | None
    pid: int | None

    @property
    def fields(self) -> str:
        """What follows the fields that others write."""
        seconds = "-" if self.seconds is None else f"{self.seconds:.6f}"
        return seconds if self.pid is None else f"{seconds} {self.pid}"


def _request_line(environ: WSGIEnvironment) -> str:
    if "REQUEST_URI" not in environ:
        return "-"
    names = ("REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL")
    return _safe(" ".join(environ[name] for name in names))


def _common(environ: WSGIEnvironment, outcome: _Outcome) -> str:
    return f"{_beginning(environ, outcome)} {outcome.fields}"


def _combined(environ: WSGIEnvironment, outcome: _Outcome) -> str:
    referer = _safe(environ.get("HTTP_REFERER", "")) or "-"
    agent = _safe(environ.get("HTTP_USER_AGENT", "")) or "-"
    return f'{_beginning(environ, outcome)} "{referer}" "{agent}" {outcome.fields}'


def _beginning(environ: WSGIEnvironment, outcome: _Outcome) -> str:
    address = environ["REMOTE_ADDR"] or "-"
    user = _safe(environ.get("REMOTE_USER", "")).replace(" ", "\\x20") or "-"
    when = time.strftime("%d/%b/%Y:%H:%M:%S %z")
    line = _request_line(environ)
    return f'{address} - {user} [{when}] "{line}" {outcome.status} {outcome.sent or "-"}'


def _json(environ: WSGIEnvironment, outcome: _Outcome) -> str:
    entry = {
        "time": time.time(),
        "address": environ["REMOTE_ADDR"],
        "user": environ.get("REMOTE_USER"),
        "method": environ.get("REQUEST_METHOD"),
        "target": environ.get("REQUEST_URI"),
        "protocol": environ.get("SERVER_PROTOCOL"),
        "host": environ.get("HTTP_HOST"),
        "status": outcome.status,
        "bytes": outcome.sent,
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 6),
        "referer": environ.get("HTTP_REFERER"),
        "agent": environ.get("HTTP_USER_AGENT"),
        "process": outcome.pid,
    }
    return json.dumps({name: value for name, value in entry.items() if value is not None})


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
