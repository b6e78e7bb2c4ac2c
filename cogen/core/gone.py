"""Names of cogen 0.2 that are no more: whoever imports one is told what to write instead.

`docs/from-cogen-0.2.md` has them all, with what the others have become.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "PRIORITY",
    "PROACTORS",
    "SCHEDULER",
    "Gone",
    "priority",
    "proactors",
    "refusal",
    "tell_of",
]


def tell_of(module: str, remedies: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` of `module`, whose names that are gone have these remedies.

    One of them raises ImportError, for an AttributeError would lose its text in an import.
    """

    def missing(name: str) -> Any:
        if name in remedies:
            raise ImportError(f"{module}.{name} of cogen 0.2 is gone: {remedies[name]}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return missing


def refusal(callee: str, keywords: Mapping[str, object], remedies: Mapping[str, str]) -> TypeError:
    """What to raise where `callee` was called with `keywords` that it does not take."""
    name = next(iter(keywords))
    remedy = remedies.get(name)
    told = f" any more: {remedy}" if remedy is not None else ""
    return TypeError(f"{callee} takes no {name}={told}")


class Gone:
    """In the place of something that is gone: its attributes raise AttributeError, and say why."""

    def __init__(self, name: str, remedy: str) -> None:
        self._text = f"{name} of cogen 0.2 is gone: {remedy}"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name}: {self._text}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<{self._text}>"


PRIORITY = (
    "there are no priorities, whoever is ready first runs first. Leave prio= and "
    "default_priority= out"
)
"""What to do without priorities."""

PROACTORS = (
    "the loop is uvloop's or asyncio's, and Scheduler(proactor='any'), or 'uvloop', or 'asyncio', "
    "says whose"
)
"""What to do without proactors."""

SCHEDULER = {
    "default_priority": PRIORITY,
    "ops_greedy": PRIORITY,
    "proactor_default_size": PROACTORS,
    "proactor_greedy": PROACTORS,
    "proactor_multiplex_first": PROACTORS,
    "proactor_resolution": PROACTORS,
}
"""What the arguments of a scheduler have become."""

priority = Gone("priority", PRIORITY)
"""For those that import it and do not use it."""

proactors = Gone("cogen.core.proactors", PROACTORS)
"""For those that import it and do not use it."""
