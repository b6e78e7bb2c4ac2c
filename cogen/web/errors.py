"""What a request is refused with."""

__all__ = ["HTTPError"]


class HTTPError(Exception):
    """The request is refused: `status` is the code, `args[0]` one readable line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
