"""Functions of a site, as `chat.identity` names them."""

import asyncio
import threading

from chatapp.identity.person import Person

__all__ = ["blocking", "broken", "counted", "waiting", "wrong"]

counted = []


def blocking(environ):
    """May block: it is not called on the event loop."""
    counted.append(threading.current_thread() is threading.main_thread())
    user = environ.get("HTTP_X_SITE")
    return Person(user, user.title(), ("staff",), "keeper") if user else None


async def waiting(environ):
    await asyncio.sleep(0)
    user = environ.get("HTTP_X_SITE")
    return Person(user) if user else None


def wrong(environ):
    return "ann"


def broken(environ):
    raise RuntimeError("the database is away")
