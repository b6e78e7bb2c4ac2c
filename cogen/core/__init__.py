"""Coroutines on an asyncio event loop: operations, scheduler, queues, publish/subscribe."""

from cogen.core import (
    corolets,
    coroutines,
    events,
    groups,
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
    "pubsub",
    "queue",
    "schedulers",
    "sockets",
    "threads",
]
