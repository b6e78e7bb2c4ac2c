"""What can go wrong with a request."""

__all__ = ["BodyError", "HTTPError", "LostOperation"]


class HTTPError(Exception):
    """The request is refused: `status` is the code, `args[0]` one readable line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class BodyError(OSError):
    """The rest of the body will not come: the client is gone, too slow, or sent too much."""


class LostOperation(RuntimeError):
    """An operation was named, but its empty chunk did not reach the server by itself."""
