"""Whether what runs was compiled by mypyc, or is Python."""

from types import ModuleType

from cogen.core import schedulers

__all__ = ["build"]


def build(module: ModuleType = schedulers) -> str:
    """Which of the two `module` is, in words; cogen is one or the other as a whole."""
    return "not compiled" if str(module.__file__).endswith(".py") else "compiled"
