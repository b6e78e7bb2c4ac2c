"""What has to be Python's own. Not compiled: mypyc never lets go of what a decorated function
holds, and its coroutines do not tell what they await."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["awaiting", "calling"]


def calling(
    function: Callable[..., Any],
    make: Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any],
) -> Callable[..., Any]:
    """A function like `function`, a call of which is `make(function, args, kwargs)`."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return make(function, args, kwargs)

    called.is_coro = True  # type: ignore[attr-defined]
    return called


async def awaiting(awaitable: Any) -> Any:
    """The coroutine of a task that awaits `awaitable`."""
    return await awaitable
