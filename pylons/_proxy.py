"""The proxies through which an action reaches its request: `pylons.request` and the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, ClassVar

from pylons._context import (
    OutsideRequest,
    Pushed,
    current,
    current_state,
    pop,
    push,
    pushed_objects,
)
from pylons._namespaces import STACK_METHODS

__all__ = [
    "Proxy",
    "cache",
    "helpers",
    "proxy",
    "request",
    "response",
    "session",
    "tmpl_context",
    "translator",
    "url",
]


class Proxy:
    """Stands for what `_find` returns at the moment; every operation goes to that object.

    `__getattribute__`, not `__getattr__`: the failed look-up before the latter costs five times the
    rest. Special methods are looked up on the type, so they are written out.
    """

    __slots__ = ()
    _name: ClassVar[str]
    _find: ClassVar[Callable[[], Any]]
    _own: ClassVar[frozenset[str]] = STACK_METHODS

    def __getattribute__(self, name: str) -> Any:
        if name in type(self)._own:
            return object.__getattribute__(self, name)
        try:
            found = type(self)._find()
        except OutsideRequest:
            # Tools that look modules over (inspect, test collectors) ask for __names__ any time.
            if name.startswith("__"):
                return object.__getattribute__(self, name)
            raise
        return getattr(found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(type(self)._find(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(type(self)._find(), name)

    def __getitem__(self, key: Any) -> Any:
        return type(self)._find()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        type(self)._find()[key] = value

    def __delitem__(self, key: Any) -> None:
        del type(self)._find()[key]

    def __contains__(self, key: Any) -> bool:
        return key in type(self)._find()

    def __iter__(self) -> Iterator[Any]:
        return iter(type(self)._find())

    def __len__(self) -> int:
        return len(type(self)._find())

    def __bool__(self) -> bool:
        return bool(type(self)._find())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return type(self)._find()(*args, **kwargs)

    def __dir__(self) -> list[str]:
        try:
            return dir(type(self)._find())
        except OutsideRequest:
            return []

    def __str__(self) -> str:
        return str(type(self)._find())

    def __repr__(self) -> str:
        try:
            return repr(type(self)._find())
        except OutsideRequest:
            return f"<pylons.{type(self)._name}, outside a request>"

    def _current_obj(self) -> Any:
        """The object itself. Raises OutsideRequest, a TypeError, if there is none."""
        return type(self)._find()

    def _push_object(self, obj: Any) -> None:
        """Let `obj` be what this stands for, in this context; in a request until its step ends."""
        push(type(self)._name, obj)

    def _pop_object(self, obj: Any = None) -> None:
        """Undo the last `_push_object`. Raises AssertionError if that was not of `obj`."""
        pop(type(self)._name, obj)

    def _object_stack(self) -> list[Any]:
        """What is pushed, the last one last."""
        return pushed_objects(type(self)._name)


def proxy(name: str, find: Callable[[], Any], base: type[Proxy] = Proxy) -> Proxy:
    """A proxy for the result of `find`, which raises OutsideRequest if there is none."""

    def find_pushed() -> Any:
        if isinstance(current.get(None), Pushed) and (pushed := pushed_objects(name)):
            return pushed[-1]
        return find()

    namespace = {"__slots__": (), "_name": name, "_find": staticmethod(find_pushed)}
    made: Proxy = type(f"{name}_proxy", (base,), namespace)()
    return made


def _state_proxy(name: str, at_hand: frozenset[str] = frozenset()) -> Proxy:
    """A proxy for a part of RequestState: 0.1 us an attribute once the part is made.

    `at_hand` are attributes that the state has too, so that reading them does not make the part.
    """
    peek = attrgetter("_" + name)

    class StateProxy(Proxy):
        __slots__ = ()
        _name = name

        @staticmethod
        def _find() -> Any:
            return getattr(current_state(name), name)

        def __getattribute__(self, attribute: str) -> Any:
            state = current.get(None)
            if state is not None:
                found = peek(state)
                if found is not None:
                    try:
                        return getattr(found, attribute)
                    except AttributeError:
                        if attribute in STACK_METHODS:
                            return object.__getattribute__(self, attribute)
                        raise
                if attribute in at_hand:
                    return getattr(state, attribute)
            return super().__getattribute__(attribute)

    return StateProxy()


request = _state_proxy("request", at_hand=frozenset({"environ"}))
"""The Request of the code that is running."""
response = _state_proxy("response")
"""Its Response."""
tmpl_context = _state_proxy("tmpl_context")
"""Its ContextObj."""
url = _state_proxy("url")
"""Its URLGenerator."""
session = proxy("session", lambda: current_state("session").session)
"""Its session, `environ['beaker.session']`."""
cache = proxy("cache", lambda: current_state("cache").cache)
"""Its cache manager, `environ['beaker.cache']` or `app_globals.cache`."""
helpers = proxy("h", lambda: current_state("h").h)
"""The helpers of its application, `config['pylons.h']`."""
translator = proxy("translator", lambda: current_state("translator").translator)
"""gettext's translations into its language."""
