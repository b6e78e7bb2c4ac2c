"""What is counted of the chat, from its start on."""

from typing import Final

from chatapp.directory import Limits
from cogen.web.observers.histogram import Histogram

__all__ = ["Figures"]

_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PLACES: Final = ("address_clients", "max_clients", "max_clients_per_session")


class Figures:
    """Of one process.

    `published`: messages told to the clients here. `commits`: how long it took until a pushed
    message was durable. `refusals`: what the log refused, by reason. `full_queues`: clients that
    left so many batches that their queue was given up. `gaps`: answers that told of one, and `lost`
    the messages in them. `throttled`: pushes that were too many. `limited`: requests that were
    refused because of a limit, by the option that sets it.
    """

    def __init__(self) -> None:
        self.published = 0
        self.commits = Histogram(_BOUNDS)
        self.refusals = {"nonce": 0, "rooms": 0, "unavailable": 0}
        self.full_queues = 0
        self.gaps = 0
        self.lost = 0
        self.throttled = 0
        self.limited = dict.fromkeys((*Limits._fields, *_PLACES), 0)
