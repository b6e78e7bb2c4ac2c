"""What names are kept in: `tmpl_context`, strict or lax, and the objects of a request."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["STACK_METHODS", "AttribSafeContextObj", "ContextObj", "PylonsContext"]

STACK_METHODS: Final = frozenset({"_current_obj", "_object_stack", "_pop_object", "_push_object"})
"""Methods of the context-local names themselves, not of what they stand for (Paste's registry)."""


class PylonsContext:
    """An empty namespace: all objects of a request in one place.

    A controller has its request's as `self._py_object`, with `request`, `response`,
    `tmpl_context`, `app_globals`, `h`, `config`, `translator`, `url`, and `session` and `cache`.
    """


class ContextObj:
    """A strict `tmpl_context`: what an action sets here, its template sees as `c.name`.

    Reading what is not set raises AttributeError.
    """

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"tmpl_context has no {name!r}: the action has to set c.{name} before it renders"
        )

    def __repr__(self) -> str:
        names = sorted(name for name in vars(self) if not name.startswith("_"))
        values = "".join(f", {name}={_short(repr(vars(self)[name]))}" for name in names)
        kind = type(self)
        return f"<{kind.__module__}.{kind.__name__} at {id(self):#x}{values.removeprefix(',')}>"


class AttribSafeContextObj(ContextObj):
    """A lax `tmpl_context`: what is not set is the empty string."""

    def __getattr__(self, name: str) -> Any:
        # Python and libraries ask for __names__ to learn what an object can do.
        if name in STACK_METHODS or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"tmpl_context has no {name!r}")
        return ""


def _short(text: str, most: int = 70) -> str:
    return text if len(text) <= most else f"{text[:60]}...{text[-5:]}"


for _class in (PylonsContext, ContextObj, AttribSafeContextObj):
    _class.__module__ = "pylons.util"  # where applications have them from
