"""From what an action gave back to a PEP 3333 response.

A body that is made piece by piece is a `Stream`. Its chunks pass one for one, the empty ones too:
to a server that runs coroutines an empty chunk is a wait. PEP 3333 wants `start_response` called
before the first chunk, and middleware that looks at a response (WebOb's, say) wants it before the
call returns. So the action runs up to its first chunk during the call, and the response is started
then.

Headers travel only with the first non-empty chunk. If status, headers, cookies or session have
changed by then, the response is started again, with exc_info, which is how PEP 3333 replaces
headers that are not sent yet. Whoever has sent or copied them raises that exc_info: `HeadersFixed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GeneratorType
from typing import Any

import webob
from webob.exc import HTTPException

from pylons._body import LISTS, close
from pylons._context import RequestState, current
from pylons._head import (
    Headers,
    carry_headers,
    drop_headers_without_body,
    encoded,
    head,
)
from pylons._session import has_changed, mark_saved

__all__ = ["Stream", "answer", "drop_traceback"]

# Tuples, since `str | bytes` in isinstance is built anew each time.
_TEXT = (str, bytes)
_WHOLE = (str, bytes, webob.Response)


def answer(
    state: RequestState, result: Any, after: Callable[[], None] | None = None
) -> Iterable[bytes]:
    """Start the response for `result`, the value of an action, and return its body.

    None stands for `pylons.response`; str and bytes are a whole body; a WebOb response or exception
    answers itself; anything else has to be iterable and is streamed. `after` is called when the
    action is complete, with the answer in `pylons.response`, in time for what it changes to count
    if no content has been sent yet. Raises TypeError for a value that is none of these.
    """
    if type(result) is GeneratorType:
        return Stream(state, result, after).begun()
    if result is None or isinstance(result, _WHOLE):
        if state.started:
            return _handed_over(state, result, after)
        if after is not None:
            _keep(state, result)
            after()
            result = state.take()
        return _whole(state, result)
    if isinstance(result, Mapping) or not hasattr(result, "__iter__"):
        raise TypeError(
            f"the action returned {type(result).__name__}: return str, bytes, None, a WebOb"
            f" response or an iterable of chunks (for JSON decorate the action with @jsonify;"
            f" instead of `async def` write a generator)"
        )
    return Stream(state, result, after).begun()


def drop_traceback(exc: Exception) -> Exception:
    """Make `exc` an ordinary response object: tracebacks would tie the frames into a cycle."""
    exc.__traceback__ = exc.__context__ = exc.__cause__ = None
    return exc


def _handed_over(
    state: RequestState, result: Any, after: Callable[[], None] | None
) -> Iterable[bytes]:
    """The body of an action that has called `start_response` itself. Raises TypeError."""
    if after is not None:
        after()
    if isinstance(result, webob.Response):
        raise TypeError("the action called start_response and then returned another response")
    state.release()
    return [] if result is None else [encoded(state, result)]


def _keep(state: RequestState, result: Any) -> None:
    """Put `result` into `pylons.response`, where it may be changed."""
    if isinstance(result, webob.Response):
        response = state.touched_response
        if response is not None and result is not response:
            carry_headers(response, result)
        state.response = result
    elif state.touched_response is None and result is not None:
        state.keep(encoded(state, result))
    elif result:
        state.response.write(encoded(state, result))


def _whole(state: RequestState, result: Any) -> Iterable[bytes]:
    response = state.touched_response
    if response is None and isinstance(result, _TEXT):
        return _plain(state, result)
    if result is None or isinstance(result, _TEXT):
        response = state.response
        if result:
            response.write(encoded(state, result))
        if response.content_length is None and isinstance(response.app_iter, list):
            response.content_length = sum(map(len, response.app_iter))
        drop_headers_without_body(response)
        result = response
    elif result is not response:
        _keep(state, result)
    body: Iterable[bytes] = result(state.environ, state.start)
    if isinstance(body, LISTS):
        state.release()
        return body
    return Stream(state, body)


def _plain(state: RequestState, text: str | bytes) -> list[bytes]:
    """The whole answer of an action that has not touched `response`, without making one."""
    body = encoded(state, text)
    state.start("200 OK", [*state.config.default_headers, ("Content-Length", str(len(body)))])
    state.release()
    return [] if state.environ["REQUEST_METHOD"] == "HEAD" else [body]


class Stream:
    """The body of a streaming action; the request is current exactly while a step runs."""

    __slots__ = ("_after", "_announced", "_chunks", "_first", "_session", "_settled", "_state")

    def __init__(
        self,
        state: RequestState,
        chunks: Iterable[Any],
        after: Callable[[], None] | None = None,
    ) -> None:
        self._state = state
        self._chunks: Any = chunks if hasattr(chunks, "__next__") else _Closing(chunks)
        self._after = after
        self._first: bytes | None = None
        self._announced: tuple[str, Headers] | None = None
        self._session: object = None
        # True once status and headers can change no more, or were never ours to change.
        self._settled = state.started

    def __iter__(self) -> Iterator[bytes]:
        chunk, self._first = self._first, None
        if chunk is not None:
            yield chunk
        while True:
            token = current.set(self._state)
            try:
                chunk = self._step()
            finally:
                current.reset(token)
            if chunk is None:
                return
            yield chunk

    def begun(self) -> Stream:
        """Itself, with the response started: what runs up to the first chunk, which is kept.

        The request has to be current.
        """
        try:
            self._first = self._step()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close the action, so that its `finally:` runs, with the request current (PEP 3333)."""
        self._after = None
        token = current.set(self._state)
        try:
            close(self._chunks)
        finally:
            current.reset(token)
        self._state.release()

    def _step(self) -> bytes | None:
        """The next chunk; None: there is no more."""
        try:
            return self._next_chunk()
        except HTTPException as exc:
            if self._settled:
                raise
            return self._replace(drop_traceback(exc))

    def _next_chunk(self) -> bytes | None:
        try:
            chunk = next(self._chunks)
        except StopIteration as stop:
            self._complete(stop.value)
            return None
        if isinstance(chunk, str):
            chunk = encoded(self._state, chunk)
        elif not isinstance(chunk, bytes):
            raise TypeError(
                f"the action yielded {type(chunk).__name__}: yield str or bytes (to wait, yield the"
                f" empty chunk that the server's extension in request.environ returned)"
            )
        if not self._state.started:
            self._start()
        elif chunk and not self._settled:
            self._revise()
        if chunk:
            self._settled = True
        return chunk

    def _complete(self, value: Any) -> None:
        """The action has ended: `__after__`, then the headers if no chunk had any content."""
        if value is not None:
            raise TypeError(
                f"the streaming action returned {type(value).__name__}: yield it instead"
            )
        after, self._after = self._after, None
        if after is not None:
            after()
        if not self._state.started:
            self._start()
        elif not self._settled:
            self._revise()
        self._settled = True
        self._state.release()

    def _start(self) -> None:
        self._announced = announced = head(self._state)
        self._state.start(announced[0], list(announced[1]))
        self._session = mark_saved(self._state.environ)

    def _revise(self) -> None:
        """Start the response again if it was ours to start and has changed since."""
        changed = has_changed(self._state.environ, self._session)
        if self._announced is not None and (changed or self._announced != head(self._state)):
            self._start()

    def _replace(self, response: Exception) -> bytes | None:
        """Answer with `response`, an HTTPException, in place of what the action would have made."""
        after, self._after = self._after, None
        if after is not None:
            _keep(self._state, response)
            after()
            response = self._state.response
        self._chunks = _Closing(_whole(self._state, response))
        self._settled = True
        return next(self._chunks, None)


class _Closing:
    """An iterator over an iterable that also passes on `close`."""

    __slots__ = ("_iterator", "_source")

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = source
        self._iterator = iter(source)

    def __next__(self) -> Any:
        return next(self._iterator)

    def close(self) -> None:
        close(self._source)
