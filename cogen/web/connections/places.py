"""Places for connections: how many there are at once, of all clients and of one address."""

from cogen.web.http.errors import HTTPError
from cogen.web.options import Options

__all__ = ["Places"]


class Places:
    """By the options `max_connections` and `max_connections_per_address`.

    A connection takes its place when it is accepted, before a TLS handshake. An empty address is
    that of a Unix socket and has no limit of its own.
    """

    def __init__(self, options: Options) -> None:
        self._most = options.max_connections
        self._most_per_address = options.max_connections_per_address
        self._by_address: dict[str, int] = {}
        self.taken = 0

    def take(self, address: str) -> HTTPError | None:
        """Take a place in any case; why there should be none, None if there is."""
        error = None
        if 0 < self._most <= self.taken:
            error = HTTPError(503, "The server has no connection to spare; try again soon.")
        self.taken += 1
        if self._most_per_address and address:
            count = self._by_address.get(address, 0)
            if count >= self._most_per_address:
                error = HTTPError(503, "There are too many connections from this address.")
            self._by_address[address] = count + 1
        return error

    def give_back(self, address: str) -> None:
        """A connection from `address` is gone."""
        self.taken -= 1
        if self._most_per_address and address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
