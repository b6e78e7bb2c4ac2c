"""The places that each address has: in the chat, and for sessions."""

__all__ = ["Places"]


class Places:
    """Taken by addresses, at most `most` by each; 0: any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    def __len__(self) -> int:
        """How many addresses have any."""
        return len(self._taken)

    def take(self, address: str | None) -> bool:
        """False if there is none left."""
        if address is not None:
            taken = self._taken.get(address, 0)
            if self._most and taken >= self._most:
                return False
            self._taken[address] = taken + 1
        return True

    def give_back(self, address: str | None) -> None:
        """The address has one place less; None: it has none."""
        if address is not None:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
