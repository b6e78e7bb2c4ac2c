"""What `cogen.core.util` had in cogen 0.2, for those that import it."""

from cogen.core.gone import priority, tell_of

__all__ = ["priority"]

__getattr__ = tell_of(
    __name__,
    {
        "debug": "cogen.core.coroutines.debug_coroutine traces a coroutine, pdb the rest",
        "fmt_list": "reprlib.repr(items) shortens a list",
    },
)
