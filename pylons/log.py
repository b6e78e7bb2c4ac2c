"""Logging into the error stream of the request."""

from __future__ import annotations

import logging
from typing import Any

from pylons._context import OutsideRequest, current_state

__all__ = ["WSGIErrorsHandler"]


class WSGIErrorsHandler(logging.Handler):
    """Writes records to `environ['wsgi.errors']` (PEP 3333) of the request whose code is running.

    Records of other code are left to the other handlers. With `cache` the stream of the first
    request is kept for all that come after, and for code outside of requests.
    """

    def __init__(self, cache: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cache = cache
        self.cached_stream: Any = None

    def get_wsgierrors(self) -> Any:
        """The stream, or None if the server gave none. Raises TypeError outside of requests."""
        if self.cache and self.cached_stream is not None:
            return self.cached_stream
        stream = current_state("request").environ.get("wsgi.errors")
        if self.cache:
            self.cached_stream = stream
        return stream

    def flush(self) -> None:
        """Flush the stream, if there is one."""
        stream = self._stream()
        if stream is not None:
            stream.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, and flush."""
        stream = self._stream()
        if stream is None:
            return
        try:
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - logging tells it, as for each of its handlers
            self.handleError(record)

    def _stream(self) -> Any:
        try:
            return self.get_wsgierrors()
        except OutsideRequest:
            return None
