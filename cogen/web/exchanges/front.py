"""What an exchange needs of what its request came by."""

from cogen.core.greenlets import Straight
from cogen.core.schedulers import Waiter
from cogen.web.http.request import Request

__all__ = ["Front"]


class Front:
    """A client as its exchange sees it: a connection of HTTP/1.1, another protocol's, or a test.

    `eof`: the client has ended its side; `write_paused`: it has enough for now, and `drainer` is
    resumed when it has taken most of it. The exchange sets `refusal`, the status where there is no
    answer of the application's, `truncated`: the answer was cut, which the client has to see, and
    `unsent`, the bytes that it still has to send itself, to its `idle_socket`. `times`: it tells
    the client how long an answer took, by `timing`.
    """

    __slots__ = ("drainer", "eof", "refusal", "times", "truncated", "unsent", "write_paused")

    def __init__(self) -> None:
        self.drainer: Waiter | None = None
        self.eof = False
        self.refusal = 0
        self.times = False
        self.truncated = False
        self.unsent = 0
        self.write_paused = False

    @property
    def close_timeout(self) -> float:
        """Seconds that an application has to close once its client is gone."""
        raise NotImplementedError

    @property
    def expects_continue(self) -> bool:
        """The client sends the body of its request when it is told to (RFC 9110 section 10.1.1)."""
        raise NotImplementedError

    def write(self, data: bytes | memoryview) -> None:
        """Send `data`, now or later; it may be called when the client is gone."""
        raise NotImplementedError

    def timing(self) -> bytes:
        """A line of the head of an answer that begins now."""
        return b""

    def idle_socket(self) -> int:
        """The number of a socket to which what is not for `write` can be sent now; -1: of none."""
        return -1

    def pause_writing(self) -> None:
        """The client has enough for now of what is sent to the socket."""
        raise NotImplementedError

    def resume_writing(self) -> None:
        """It has taken that."""
        raise NotImplementedError

    def persists(self, request: Request) -> bool:
        """Whether it is there for another request after this one, as the head has to say."""
        raise NotImplementedError

    def eof_received(self) -> bool:
        """Called soon after an exchange has begun to wait at `eof`: who waits then may be left."""
        raise NotImplementedError

    def exchange_ended(self, exchange: Straight, keep_alive: bool) -> None:
        """`exchange` is over; `keep_alive`: its answer said that another may follow."""
        raise NotImplementedError

    # What a server asks of it that stops.

    def stop(self) -> None:
        """End waits as if their time were up, and take no more."""
        raise NotImplementedError

    def cut(self) -> None:
        """Close at once."""
        raise NotImplementedError
