"""A value that Beaker keeps, which is made anew where its file cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from beaker.container import OpenResourceNamespaceManager

__all__ = ["kept_value"]

log = logging.getLogger("pylons.cache")


def kept_value(cache: Any, key: str, create: Callable[[], Any], **options: Any) -> Any:
    """What `cache`, one of Beaker's, has for `key`, or what `create` returns.

    Beaker pickles all values of a namespace into one file. If that is broken, or is of another
    Python, every value of it is forgotten, which one line of the log tells. Other errors of Beaker
    and those of `create` are raised.
    """
    read = False

    def create_after_reading() -> Any:
        nonlocal read
        read = True
        return create()

    def found() -> Any:
        return cache.get_value(key, createfunc=create_after_reading, **options)

    try:
        return found()
    except OSError:  # the file is not broken: it cannot be opened
        raise
    except Exception as error:
        # What a broken pickle raises may be of any kind.
        if read or not isinstance(cache.namespace, OpenResourceNamespaceManager):
            raise
        why = f"{type(error).__name__}: {error}"
        log.warning("the cache %s cannot be read and begins anew: %s", cache.namespace_name, why)
    cache.clear()
    return found()
