"""Coroutines on an asyncio event loop: operations, scheduler, queues, publish/subscribe."""

from cogen.core import (
    corolets,
    coroutines,
    deadlines,
    events,
    groups,
    locks,
    ordered,
    portal,
    pubsub,
    queue,
    schedulers,
    servers,
    shields,
    sockets,
    streams,
    threads,
)

__all__ = [
    "corolets",
    "coroutines",
    "deadlines",
    "events",
    "groups",
    "locks",
    "ordered",
    "portal",
    "pubsub",
    "queue",
    "schedulers",
    "servers",
    "shields",
    "sockets",
    "streams",
    "threads",
]
