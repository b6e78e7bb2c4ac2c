"""What applications do wrong, told with the line of their code."""

import logging
import types
from typing import Any, Final, TypeAlias

from cogen.core.stacks import called, inner, raised, suspended

__all__ = ["generator_in", "outside", "place", "standing", "tell_unclosed"]

_Generator: TypeAlias = "types.GeneratorType[Any, Any, Any]"

log = logging.getLogger(__name__)

# Iterators around a generator that are looked into, and places that are told once.
_DEPTH: Final = 12
_MOST: Final = 100
_told: set[str] = set()


def place(error: BaseException, iterator: Any, application: Any) -> str:
    """' at FILE:LINE in NAME': where `error` came out of the application's code.

    One that is the server's, about what it was handed, is placed where `iterator` stands, or where
    the `application` is defined. Empty where nothing is known.
    """
    return raised(error).at or standing(iterator, application)


def standing(iterator: Any, application: Any) -> str:
    """' at FILE:LINE in NAME': where `iterator` stands, or where the `application` is defined."""
    try:
        return suspended(iterator).at or called(application).at
    except Exception:  # an object of theirs answers what it likes, and the error has to be told
        log.debug("where an application is cannot be seen", exc_info=True)
        return ""


def outside(what: str = "cogen.wait") -> RuntimeError:
    """For who calls `what` of a request that is over, or in a thread where that cannot be."""
    return RuntimeError(f"{what} was called outside of the request it belongs to")


def generator_in(iterable: Any) -> "_Generator | None":
    """The generator that the close() of `iterable`, which is none itself, has to close."""
    if type(iterable) in (types.GeneratorType, list, tuple):
        return None
    found = iterable
    for _ in range(_DEPTH):
        found = inner(found)
        if found is None or type(found) is types.GeneratorType:
            break
    return found if type(found) is types.GeneratorType and _is_open(found) else None


def _is_open(generator: _Generator) -> bool:
    return generator.gi_frame is not None and not generator.gi_running


def tell_unclosed(name: object, generator: _Generator) -> None:
    """All of the response of `name` was closed: tell, once for each, of a `generator` that is not.

    Its `finally` runs when the garbage collector finds it, if ever.
    """
    if not _is_open(generator):
        return
    at = suspended(generator).at
    if at in _told or len(_told) >= _MOST:
        return
    _told.add(at)
    log.warning(
        "%s: a generator was not closed, which stands%s: what is around it, like a middleware or "
        "map(), has no close() that calls the generator's (PEP 3333)",
        name,
        at,
    )
