"""Coroutines on an asyncio event loop: operations, scheduler, queues, publish/subscribe."""

from cogen.core import (
    corolets,
    coroutines,
    events,
    groups,
    portal,
    pubsub,
    queue,
    schedulers,
    sockets,
    threads,
)

__all__ = [
    "corolets",
    "coroutines",
    "events",
    "groups",
    "portal",
    "pubsub",
    "queue",
    "schedulers",
    "sockets",
    "threads",
]
