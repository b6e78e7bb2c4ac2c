"""Values of the running coroutine's own, by attributes."""

from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

__all__ = ["local"]

_NOTHING: MappingProxyType[str, Any] = MappingProxyType({})


class local:
    """An object whose attributes are of the running coroutine, request or thread, as cogen 0.2 had.

    Its values are in the context (PEP 567): a coroutine begins with those of whoever starts it,
    and what it sets the others do not see. A coroutine that it yields has its own ones. A
    `contextvars.ContextVar` does the same for one value.
    """

    def __init__(self) -> None:
        values: ContextVar[MappingProxyType[str, Any]] = ContextVar("local", default=_NOTHING)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values.get()[name]
        except KeyError:
            raise AttributeError(
                f"{name!r} is not set in this coroutine, request or thread", name=name, obj=self
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values.set(MappingProxyType({**self._values.get(), name: value}))

    def __delattr__(self, name: str) -> None:
        values = dict(self._values.get())
        if name not in values:
            raise AttributeError(
                f"{name!r} is not set in this coroutine, request or thread", name=name, obj=self
            )
        del values[name]
        self._values.set(MappingProxyType(values))

    def __repr__(self) -> str:
        return f"<local {dict(self._values.get())!r}>"
