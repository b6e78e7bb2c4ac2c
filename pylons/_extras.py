"""Libraries that a plain install lacks: each is asked for by what needs it, in one line."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

__all__ = ["extra"]

_DISTRIBUTIONS: Final = {
    "backlash": "backlash",
    "formencode": "FormEncode",
    "genshi": "Genshi",
    "IPython": "IPython",
    "fissix": "fissix",
    "jinja2": "Jinja2",
    "webtest": "WebTest",
}


def extra(module: str, wanted_by: str) -> Any:
    """The module of that name. Raises ImportError, with what to install, if it is not there."""
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        name = _DISTRIBUTIONS[package]
        raise ImportError(f"{wanted_by} needs {name}: pip install {name}", name=package) from None
