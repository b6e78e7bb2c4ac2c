"""`mysite.chat:who`: a function of the site, from `environ` to a Person or None.

A plain one may block, and is called in a thread; a coroutine function is awaited on the event loop.
Its answer holds for as long as the Person says, or else for a minute, and as long as a request
brings the same cookies of the site, the same Authorization and the same REMOTE_USER.
"""

import asyncio
import hashlib
import importlib
import inspect
import re
import time
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.identity.person import Identity, Person, checked_person

__all__ = ["Function", "function_of"]

_HOLDS_SECONDS = 60.0
# The chat's own cookies say nothing of the site; see chatapp.lib.cookies.
_OWN = re.compile(r"chat_(?:token|session|badge)(?:_[0-9a-f]{8})?=")


def function_of(option: str, name: str) -> Callable[..., Any]:
    """The function that `module:function` names, the value of `option`. Raises ValueError."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{option} = {name}: {error}") from None
    if not callable(found):
        raise ValueError(f"{option} = {name}: that is no function")
    function: Callable[..., Any] = found
    return function


class Function(Identity):
    """`function` gives a Person or None, or an awaitable of that."""

    def __init__(self, function: Callable[[WSGIEnvironment], Any]) -> None:
        self._function = function

    async def who(self, environ: WSGIEnvironment) -> Person | None:
        # A thread of its own goes on where the request has ended: it gets a copy.
        given = dict(environ)
        if inspect.iscoroutinefunction(self._function):
            found = await self._function(given)
        else:
            found = await asyncio.to_thread(self._function, given)
            if inspect.isawaitable(found):
                found = await found
        if found is None:
            return None
        person = checked_person(found)
        if person.expires is None:
            return person._replace(expires=time.time() + _HOLDS_SECONDS)
        return person

    def proof(self, environ: WSGIEnvironment) -> str:
        cookies = [each.strip() for each in environ.get("HTTP_COOKIE", "").split(";")]
        told = [each for each in cookies if each and not _OWN.match(each)]
        told += [environ.get(name, "") for name in ("HTTP_AUTHORIZATION", "REMOTE_USER")]
        return hashlib.blake2b("\0".join(told).encode(), digest_size=12).hexdigest()
