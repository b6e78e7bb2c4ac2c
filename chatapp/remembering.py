"""What was made of clients' words, remembered while the same words may come again."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

import orjson

__all__ = ["forget", "remembered"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_caches: list[Any] = []


def remembered(
    most: int,
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """A decorator: the results of a function for the last `most` arguments."""

    def decorated(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        cached: Any = lru_cache(maxsize=most)(function)
        _caches.append(cached)
        return cached  # type: ignore[no-any-return]

    return decorated


# orjson remembers 2,048 names of members of objects. To read that many others, of lengths that are
# not those before, puts these in their place. Few at once: what it needs more memory for than there
# is ends the process (chatapp.jsons).
_OTHER_NAMES = [
    orjson.dumps(dict.fromkeys(f"{number:0{length}}" for number in range(first, first + 16)))
    for length in (60, 20)
    for first in range(0, 8192, 16)
]


def forget() -> None:
    """All of it: strangers' words that are scattered over memory keep what is around them."""
    for cache in _caches:
        cache.cache_clear()
    for names in _OTHER_NAMES:
        orjson.loads(names)
