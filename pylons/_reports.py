"""Reports of failed requests, by mail and in a file: what `email_to` and `error_log` ask for.

Mail is sent by a thread of its own, so that no request waits for the SMTP server. A burst of
failures sends `MOST_MAILS` mails in `PERIOD` seconds; the next mail tells how many were left out.
The file has all of them. Values that may be secrets are not in a report.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from logging.handlers import QueueHandler, QueueListener, SMTPHandler
from queue import SimpleQueue
from typing import Any, Final
from wsgiref.types import WSGIEnvironment
from wsgiref.util import request_uri

__all__ = ["MOST_MAILS", "PERIOD", "Reports", "report_text"]

MOST_MAILS: Final = 10
"""So many mails are sent in a `PERIOD`."""
PERIOD: Final = 600.0
"""Seconds."""

log = logging.getLogger("pylons.middleware")

_SECRET_NAME: Final = re.compile(
    r"pass|pwd|secret|token|auth|cookie|session|credential|csrf|key", re.I
)
_IN_QUERY: Final = re.compile(r"([^?&;=\s]+)=([^&;\s]*)")
_HIDDEN: Final = "[hidden]"


class Reports:
    """Where the reports of an application go; nowhere if neither addresses nor a file are given."""

    def __init__(
        self,
        addresses: Sequence[str] = (),
        file: str | None = None,
        smtp_server: str = "localhost",
        from_address: str = "errors@localhost",
        subject_prefix: str = "",
        credentials: tuple[str, str] | None = None,
        tls: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`smtp_server` is HOST or HOST:PORT; `credentials` are its user and password."""
        self._prefix = subject_prefix
        self._handlers: list[logging.Handler] = []
        if file:
            self._handlers.append(_Lines(file, delay=True, encoding="utf-8"))
        if addresses:
            host, _, port = smtp_server.partition(":")
            if not host or (port and not (port.isascii() and port.isdigit())):
                raise ValueError(f"smtp_server = {smtp_server}: write HOST or HOST:PORT")
            mail = _Mail(
                (host, int(port or 0)),
                from_address,
                list(addresses),
                "",
                credentials,
                () if tls else None,
            )
            self._handlers.append(_InThread(mail, _Limit(clock)))

    def __call__(self, environ: WSGIEnvironment, error: BaseException) -> None:
        """Report that a request failed with `error`."""
        if not self._handlers:
            return
        record = log.makeRecord(log.name, logging.ERROR, "", 0, "%s", (), None)
        record.msg, record.args = report_text(environ, error), None
        kind = " ".join(f"{type(error).__name__}: {_without_secrets(str(error))}".split())
        record.subject = f"{self._prefix}{kind[:200]}"
        for handler in self._handlers:
            handler.handle(record)

    def close(self) -> None:
        """Send what is left and end the thread. At the end of the process this is done anyway."""
        for handler in self._handlers:
            handler.close()


def report_text(environ: WSGIEnvironment, error: BaseException) -> str:
    """The time, the request, the traceback and the variables of the request, without secrets."""
    lines = [
        f"{time.strftime('%Y-%m-%d %H:%M:%S %z')} process {os.getpid()}",
        f"{environ['REQUEST_METHOD']} {_without_secrets(request_uri(environ))}",
        "",
        _without_secrets("".join(traceback.format_exception(error))),
    ]
    for key in sorted(environ):
        value = environ[key]
        if key.isupper() and isinstance(value, str):
            shown = _HIDDEN if _SECRET_NAME.search(key) and value else _without_secrets(value)
            lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


def _without_secrets(text: str) -> str:
    """`text` where `password=x`, as in a query, has lost its value."""

    def hide(match: re.Match[str]) -> str:
        return f"{match[1]}={_HIDDEN}" if _SECRET_NAME.search(match[1]) else match[0]

    return _IN_QUERY.sub(hide, text)


class _Limit(logging.Filter):
    """Lets so many records pass in a period, and tells how many it held back before."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._passed: deque[float] = deque(maxlen=MOST_MAILS)
        self._held = 0

    def filter(self, record: logging.LogRecord) -> bool:
        now = self._clock()
        if len(self._passed) == MOST_MAILS and now - self._passed[0] < PERIOD:
            self._held += 1
            return False
        self._passed.append(now)
        if self._held:
            record.msg = f"{self._held} failures before this one were not mailed.\n\n{record.msg}"
            self._held = 0
        return True


class _InThread(QueueHandler):
    """Hands what its filter lets through to `target`, in a thread that begins with the first."""

    def __init__(self, target: logging.Handler, limit: logging.Filter) -> None:
        self._sent: SimpleQueue[Any] = SimpleQueue()
        super().__init__(self._sent)
        self.addFilter(limit)
        self._target = target
        self._listener: QueueListener | None = None
        self._process = 0

    def emit(self, record: logging.LogRecord) -> None:
        if self._process != os.getpid():  # a thread does not come along into a forked process
            self._process = os.getpid()
            self._listener = QueueListener(self._sent, self._target)
            self._listener.start()
            atexit.register(self.close)
        super().emit(record)

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None and self._process == os.getpid():
            self._process = 0
            listener.stop()
            atexit.unregister(self.close)
        super().close()


class _Mail(SMTPHandler):
    def getSubject(self, record: logging.LogRecord) -> str:
        return str(record.subject)  # type: ignore[attr-defined]

    def handleError(self, record: logging.LogRecord) -> None:
        addresses = ", ".join(self.toaddrs)
        log.exception(
            "the report of a failure was not mailed to %s by %s", addresses, self.mailhost
        )


class _Lines(logging.FileHandler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # of opening the file
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        log.exception("the report of a failure was not written to %s", self.baseFilename)
