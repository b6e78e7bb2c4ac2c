"""Why the chat does not take somebody in."""

__all__ = ["ChatFull", "Refused", "TooManyPlaces"]


class Refused(Exception):
    """The message is one line for whom it is about; `retry_after`: seconds to wait before the next
    try."""

    def __init__(self, line: str, retry_after: float) -> None:
        super().__init__(line)
        self.retry_after = retry_after


class ChatFull(Refused):
    """There is no place for anybody."""


class TooManyPlaces(Refused):
    """There is none for this one: the browser, or the address, has its share."""
