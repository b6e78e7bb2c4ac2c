"""Names of modules, classes and the objects that a configuration names."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

__all__ = ["class_name_from_module_name", "resolve_dotted"]


def class_name_from_module_name(module_name: str) -> str:
    """The name of the class that goes with a module: `with-dashes` is `WithDashes`."""
    return "".join(word.title() for word in module_name.replace("-", "_").split("_"))


def resolve_dotted(name: str) -> Any:
    """The object that `package.module:Name` names, or the module `package.module`.

    Raises ImportError or AttributeError if it is not there.
    """
    return EntryPoint("x", name, "pylons").load()
