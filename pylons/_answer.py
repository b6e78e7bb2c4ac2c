"""From what an action gave back to a PEP 3333 response.

A body that is made piece by piece is a `Stream`. It calls `start_response` as late as PEP 3333
allows: right before the first non-empty chunk, or at the end if there is none. Until then status,
headers, cookies and session may change, and an HTTPException still becomes the answer. Chunks pass
one for one, the empty ones too: to a server that runs coroutines an empty chunk is a wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import webob
from webob.exc import HTTPException

from pylons._context import RequestState, current

__all__ = ["Stream", "answer", "drop_traceback"]

_NEVER_COPIED = frozenset({"content-type", "content-length", "content-encoding", "etag"})


def answer(
    state: RequestState, result: Any, after: Callable[[], None] | None = None
) -> Iterable[bytes]:
    """Start the response for `result`, the value of an action, and return its body.

    None stands for `pylons.response`; str and bytes are a whole body; a WebOb response or exception
    answers itself; anything else has to be iterable and is streamed. `after` is called when the
    action is complete, before the headers go out if they have not yet.
    Raises TypeError for a value that is none of these.
    """
    if isinstance(result, str | bytes) or result is None or isinstance(result, webob.Response):
        if after is not None:
            after()
        return _whole(state, result)
    if isinstance(result, Mapping) or not hasattr(result, "__iter__"):
        raise TypeError(
            f"the action returned {type(result).__name__}: return str, bytes, None, a WebOb"
            f" response or an iterable of chunks (for JSON decorate the action with @jsonify;"
            f" instead of `async def` write a generator)"
        )
    stream = Stream(state, result, after)
    if state.config["pylons.early_start"]:
        stream.start_early()
    return stream


def drop_traceback(exc: Exception) -> Exception:
    """Make `exc` an ordinary response object: its traceback would tie the frames into a cycle."""
    exc.__traceback__ = None
    return exc


def _whole(state: RequestState, result: Any) -> Iterable[bytes]:
    response = state.touched_response
    if response is None and isinstance(result, str | bytes):
        return _plain(state, result)
    if result is None or isinstance(result, str | bytes):
        response = state.response
        if result:
            response.write(_encoded(state, result))
        if response.content_length is None and isinstance(response.app_iter, list):
            response.content_length = sum(map(len, response.app_iter))
        _drop_headers_without_body(response)
        result = response
    elif response is not None and result is not response:
        _carry_headers(response, result)
    body: Iterable[bytes] = result(state.environ, state.start)
    if isinstance(body, list | tuple):
        state.release()
        return body
    return Stream(state, body, None)


def _plain(state: RequestState, text: str | bytes) -> list[bytes]:
    """The whole answer of an action that has not touched `response`, without making one."""
    body = _encoded(state, text)
    state.start("200 OK", [*state.config.default_headers, ("Content-Length", str(len(body)))])
    state.release()
    return [] if state.environ["REQUEST_METHOD"] == "HEAD" else [body]


def _encoded(state: RequestState, chunk: str | bytes) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    response = state.touched_response
    charset = None if response is None else response.charset
    return chunk.encode(charset or state.config.response_options["charset"])


def _drop_headers_without_body(response: webob.Response) -> None:
    """RFC 9110 8.6 and 15.3.5: these answers have no content, so nothing that describes one."""
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)


def _carry_headers(source: webob.Response, target: webob.Response) -> None:
    """Cookies set on `pylons.response`, and headers `target` lacks, go with the answer."""
    for name, value in source.headerlist:
        if name.lower() == "set-cookie":
            target.headers.add(name, value)
        elif name.lower() not in _NEVER_COPIED:
            target.headers.setdefault(name, value)


class Stream:
    """The body of a streaming action; the request is current exactly while a step runs."""

    __slots__ = ("_after", "_chunks", "_first", "_source", "_state")

    def __init__(
        self, state: RequestState, source: Iterable[Any], after: Callable[[], None] | None
    ) -> None:
        self._state = state
        self._source: Any = source
        self._chunks: Iterator[Any] = iter(source)
        self._after = after
        self._first: list[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first:
            return self._first.pop()
        token = current.set(self._state)
        try:
            return self._step()
        finally:
            current.reset(token)

    def start_early(self) -> None:
        """Run up to the first chunk now and start the response, even if that chunk is empty."""
        first = next(self, None)
        if first is not None:
            self._first = [first]
            if not self._state.started:
                self._start()

    def close(self) -> None:
        """Close the action, so that its `finally:` runs, with the request current (PEP 3333)."""
        close = getattr(self._source, "close", None)
        self._source = None
        self._after = None
        if close is not None:
            token = current.set(self._state)
            try:
                close()
            finally:
                current.reset(token)
        self._state.release()

    def _step(self) -> bytes:
        try:
            return self._next_chunk()
        except HTTPException as exc:
            if self._state.started:
                raise
            return self._replace(drop_traceback(exc))

    def _next_chunk(self) -> bytes:
        state = self._state
        try:
            chunk = next(self._chunks)
        except StopIteration as stop:
            self._complete(stop.value)
            raise
        if isinstance(chunk, str):
            chunk = _encoded(state, chunk)
        elif not isinstance(chunk, bytes):
            raise TypeError(
                f"the action yielded {type(chunk).__name__}: yield str or bytes (to wait, yield the"
                f" empty chunk that the server's extension in request.environ returned)"
            )
        if chunk and not state.started:
            self._start()
        return chunk

    def _start(self, empty: bool = False) -> None:
        state = self._state
        response = state.touched_response
        if response is None:
            headers = list(state.config.default_headers)
            if empty:
                headers.append(("Content-Length", "0"))
            state.start("200 OK", headers)
        else:
            if empty and response.content_length is None:
                response.content_length = 0
            _drop_headers_without_body(response)
            state.start(response.status, list(response.headerlist))

    def _complete(self, value: Any) -> None:
        """The action has ended: `__after__`, then the headers if no chunk had any content."""
        if value is not None:
            raise TypeError(
                f"the streaming action returned {type(value).__name__}: yield it instead"
            )
        self._run_after()
        if not self._state.started:
            self._start(empty=True)
        self._state.release()

    def _run_after(self) -> None:
        after, self._after = self._after, None
        if after is not None:
            after()

    def _replace(self, response: Exception) -> bytes:
        """Answer with `response`, an HTTPException, in place of what the action would have made."""
        self._run_after()
        body = _whole(self._state, response)
        self._source = body
        self._chunks = iter(body)
        first: bytes = next(self._chunks)
        return first
