"""What `cogen.core.proactors` had in cogen 0.2 is the event loop's now."""

from cogen.core.gone import PROACTORS, tell_of

__all__ = []

_NAMES = ("any", "ctypes_iocp", "epoll", "iocp", "kqueue", "poll", "select", "stdlib_epoll")

__getattr__ = tell_of(
    __name__,
    {
        "DefaultProactor": PROACTORS,
        "has_stdlib_kqueue": PROACTORS,
        **{f"has_{name}": PROACTORS for name in _NAMES},
    },
)
