"""Where log lines go when nobody has said, and log files that can be moved away."""

import logging
import sys
from collections.abc import Iterator
from logging.handlers import WatchedFileHandler

from cogen.web.observers.access import ACCESS_LOGGER

__all__ = [
    "log_accesses",
    "log_lines",
    "log_lines_unless_configured",
    "reopen_log_files",
]

_LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_LINE_OF_SEVERAL = "%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s"


def log_lines(several: bool, path: str = "") -> None:
    """All loggers' lines from INFO on go to the file at `path`, to standard error without one.

    `several`: there are other processes, and the lines say which one it is. Raises OSError.
    """
    handler = WatchedFileHandler(path) if path else logging.StreamHandler()
    logging.basicConfig(
        level=logging.INFO,
        format=_LINE_OF_SEVERAL if several else _LINE,
        handlers=[handler],
        force=True,
    )
    # In Python's development mode it tells of each process and socket of ours.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def log_lines_unless_configured(several: bool, ini_has_loggers: bool) -> None:
    """The same to standard error, unless an ini or the application has said where they go."""
    if not ini_has_loggers and (not logging.getLogger().handlers or _has_pasters_handler()):
        log_lines(several)


def _has_pasters_handler() -> bool:
    """`paster serve --log-file` makes a handler by itself, which tells no more than warnings."""
    root = logging.getLogger()
    streams = [getattr(handler, "stream", None) for handler in root.handlers]
    return sys.stdout is sys.stderr and streams == [sys.stderr] and root.level == logging.WARNING


def log_accesses(path: str = "") -> None:
    """The access log goes to the file at `path`, to standard output without one. Raises OSError."""
    logger = logging.getLogger(ACCESS_LOGGER)
    logger.addHandler(WatchedFileHandler(path) if path else logging.StreamHandler(sys.stdout))
    logger.propagate = False


def reopen_log_files() -> None:
    """Let go of log files that were moved away, and open them anew by their names."""
    for logger in _loggers():
        for handler in logger.handlers:
            if isinstance(handler, WatchedFileHandler):
                handler.acquire()
                try:
                    handler.reopenIfNeeded()
                finally:
                    handler.release()


def _loggers() -> Iterator[logging.Logger]:
    yield logging.getLogger()
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger
