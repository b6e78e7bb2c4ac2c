"""Status, headers and charset of an answer."""

from __future__ import annotations

import webob

from pylons._context import RequestState

__all__ = ["Headers", "carry_headers", "drop_headers_without_body", "encoded", "head"]

Headers = tuple[tuple[str, str], ...]
"""Names and values, as `start_response` takes them in a list."""

_NEVER_COPIED = frozenset({"content-type", "content-length", "content-encoding", "etag"})


def encoded(state: RequestState, chunk: str | bytes) -> bytes:
    """`chunk` as bytes, text in the response's charset."""
    if isinstance(chunk, bytes):
        return chunk
    response = state.touched_response
    charset = None if response is None else response.charset
    return chunk.encode(charset or state.config.response_options["charset"])


def head(state: RequestState) -> tuple[str, Headers]:
    """Status and headers as they stand."""
    response = state.touched_response
    if response is None:
        return "200 OK", state.config.default_headers
    drop_headers_without_body(response)
    return response.status, tuple(response.headerlist)


def drop_headers_without_body(response: webob.Response) -> None:
    """RFC 9110 8.6 and 15.3.5: these answers have no content, so nothing that describes one."""
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)


def carry_headers(source: webob.Response, target: webob.Response) -> None:
    """Cookies set on `pylons.response`, and headers `target` lacks, go with the answer."""
    for name, value in source.headerlist:
        if name.lower() == "set-cookie":
            target.headers.add(name, value)
        elif name.lower() not in _NEVER_COPIED:
            target.headers.setdefault(name, value)
