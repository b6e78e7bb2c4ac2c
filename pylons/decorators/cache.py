"""`beaker_cache`: what a function returned is kept by Beaker and returned again."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import GeneratorType
from typing import Any

from paste.deploy.converters import asbool

from pylons._context import RequestState, current_state
from pylons._kept import kept_value
from pylons.decorators.util import get_pylons as get_pylons

__all__ = ["beaker_cache", "create_cache_key"]

Function = Callable[..., Any]

log = logging.getLogger(__name__)


def beaker_cache(
    key: str | Sequence[str] | None = "cache_default",
    expire: float | str | None = "never",
    type: str | None = None,
    query_args: bool = False,
    cache_headers: Sequence[str] = ("content-type", "content-length"),
    invalidate_on_startup: bool = False,
    cache_response: bool = True,
    **b_kwargs: Any,
) -> Callable[[Function], Function]:
    """Keep what an action, or another function, returns, which has to be something to pickle.

    `key` tells apart what the function may return: by all its arguments ('cache_default'), by those
    of one name or of several, or not at all (None); `query_args` adds the query of the request,
    where it does not stand for an argument of the same name.
    `expire` is in seconds, or 'never'. `type` is a backend of Beaker ('memory', 'file', 'dbm' or
    another), and `b_kwargs` go to it. With `cache_response` the status and those headers that
    `cache_headers` names are kept too. `invalidate_on_startup` forgets what was kept before the
    application started.

    The cache is `app_globals.cache`, else that of Beaker's CacheMiddleware. With `cache_enabled =
    false` in the ini nothing is kept. Raises TypeError for a streaming action.
    """
    started = time.time() if invalidate_on_startup else None
    kept = {name.lower() for name in cache_headers}
    options = {**b_kwargs, **({"type": type} if type else {})}
    expires = None if expire == "never" else expire

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            state = current_state("decorators.cache.beaker_cache")
            if not asbool(state.config.get("cache_enabled", True)):
                return function(*args, **kwargs)
            controller = args[0] if args else None
            values = _key_values(function, args, kwargs, key, query_args)
            namespace, cache_key = create_cache_key(function, values, controller)
            manager = getattr(state.app_globals, "cache", None) or state.cache
            cache = manager.get_cache(namespace, **options)

            def create() -> dict[str, Any]:
                log.debug("%s: nothing kept for %s, calling it", namespace, cache_key)
                return _made(function, function(*args, **kwargs), state)

            found = kept_value(cache, cache_key, create, expiretime=expires, starttime=started)
            if cache_response:
                _restore(state, found, kept)
            return found["content"]

        return call

    return decorate


def create_cache_key(
    func: Function, key_dict: Mapping[str, Any] | None = None, self: Any = None
) -> tuple[str, str]:
    """Namespace and key under which `beaker_cache` keeps what `func` returns for these arguments.

    `cache.get_cache(namespace).remove(key)` forgets it. `func` is a method by its class or of an
    instance, or a function; `self` tells the class of a method where `func` does not.
    """
    cache_key = func.__name__
    if key_dict:
        pairs = sorted((_plain(name), _plain(value)) for name, value in key_dict.items())
        cache_key += "".join(f" {name}={value}" for name, value in pairs)
    owner = getattr(func, "__self__", None) or self
    if owner is not None:
        kind = owner.__class__
        # A class that got another name after it was made has that in __name__ alone.
        inside, dot, _ = kind.__qualname__.rpartition(".")
        return f"{kind.__module__}.{inside}{dot}{kind.__name__}", cache_key
    inside, _, _ = func.__qualname__.rpartition(".")
    named = inside and not inside.endswith("<locals>")
    return f"{func.__module__}.{inside}" if named else func.__module__, cache_key


def _key_values(
    function: Function,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    key: str | Sequence[str] | None,
    query_args: bool,
) -> dict[str, Any] | None:
    """The arguments that make the key. Raises KeyError if one that `key` names is not there."""
    if not key:
        return None
    values = _arguments(function, args, kwargs)
    if query_args:
        sent = current_state("decorators.cache.beaker_cache").request.GET.mixed()
        # Who asks for /page/1?id=2 must not be able to replace /page/2.
        own = frozenset(values)
        for name, value in sent.items():
            values[f"?{name}" if name in own or name.startswith("?") else name] = value
    if key == "cache_default":
        return values
    wanted = [key] if isinstance(key, str) else key
    try:
        chosen = {name: values[name] for name in wanted}
        chosen.update((name, values[name]) for name in map("?{}".format, wanted) if name in values)
        return chosen
    except KeyError as error:
        raise KeyError(
            f"beaker_cache: {function.__qualname__} was called without {error.args[0]!r}, its key"
        ) from None


def _arguments(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What `function` is called with by name, but for `self`, and the defaults of the others."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    values: dict[str, Any] = {}
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(bound.arguments[name])
        elif name != "self":
            values[name] = bound.arguments[name]
    return values


def _plain(part: Any) -> str:
    """A name or value in a key, which cannot pass for several: blanks and `=` are quoted."""
    return str(part).replace("%", "%25").replace(" ", "%20").replace("=", "%3D")


def _made(function: Function, result: Any, state: RequestState) -> dict[str, Any]:
    if isinstance(result, GeneratorType):
        result.close()
        raise TypeError(
            f"beaker_cache: {function.__qualname__} is a streaming action, whose chunks cannot be"
            f" kept: return the whole text"
        )
    response = state.response
    body = response.body if result is None else None
    return {
        "headers": list(response.headerlist),
        "status": response.status,
        "content": result,
        "body": body,
    }


def _restore(state: RequestState, found: Mapping[str, Any], kept: set[str]) -> None:
    response = state.response
    response.headerlist = [pair for pair in found["headers"] if pair[0].lower() in kept]
    response.status = found["status"]
    if found["body"] is not None:
        response.body = found["body"]
