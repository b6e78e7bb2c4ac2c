"""The body of one request on its way in: where it ends, how much it may be, how fast it comes."""

from cogen.web.exchanges.body import Body
from cogen.web.http.chunked import ChunkDecoder
from cogen.web.http.errors import HTTPError
from cogen.web.http.request import Request

__all__ = ["Intake"]


class Intake:
    """Feeds `body` with what arrives of the body of `request`.

    `continues`: the client waits for 100 Continue; `seen` counts bytes since it was last set to 0.
    Raises HTTPError 413 for more than `limit` bytes, as soon as it is known.
    """

    __slots__ = ("_chunks", "_left", "_limit", "body", "complete", "continues", "seen")

    def __init__(self, request: Request, body: Body, limit: int) -> None:
        length = request.content_length or 0
        self.body = body
        self.complete = not length
        self.continues = request.expect_continue and not self.complete
        self.seen = 0
        self._limit = limit
        self._chunks = ChunkDecoder() if length < 0 else None
        self._left = length
        if length > limit:
            raise self._too_large()

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection and return the rest: that behind the body.

        While the body is not complete, a rest is what is to be fed again a moment later. Raises
        HTTPError for malformed chunks and for too many bytes.
        """
        self.seen += len(data)
        self.continues = False
        if self._chunks is None:
            mine = data[: self._left]
            self.body.feed(mine)
            self._left -= len(mine)
            self.complete = not self._left
            return data[len(mine) :]
        used = self._chunks.feed(data, self.body.feed)
        if self._chunks.announced > self._limit:
            raise self._too_large()
        self.complete = self._chunks.complete
        return data[used:]

    def _too_large(self) -> HTTPError:
        return HTTPError(413, f"The request body is longer than {self._limit} bytes.")
