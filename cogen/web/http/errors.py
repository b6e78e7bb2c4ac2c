"""What can go wrong with a request."""

__all__ = ["BodyError", "HTTPError", "LostOperation", "ServerStopping"]


class HTTPError(Exception):
    """The request is refused: `status` is the code, `args[0]` one readable line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class BodyError(OSError):
    """The rest of the body will not come: the client is gone, too slow, or sent too much."""


class LostOperation(RuntimeError):
    """An operation was named, but its empty chunk did not reach the server by itself."""


class ServerStopping(HTTPError):
    """The server stops: raised at what a stream waits for, so that it ends itself.

    Where an application lets it pass before there is a head, the answer is 503.
    """

    def __init__(self) -> None:
        super().__init__(503, "the server stops")
