"""`python -m pylons.fixes FOLDER...`: a project for Pylons 1.0 becomes one for Python 3.

That is all of 2to3's fixers (from fissix, since Python 3.13 has no lib2to3), and some more:

| in the project | becomes |
|---|---|
| `webhelpers` | `webhelpers2`; `webhelpers.pylonslib` is `pylons.pylonslib` |
| `webhelpers.html.converters` | `webhelpers2.html.tools` |
| `'from webhelpers.html import escape'`, for a Mako lookup | `'from webhelpers2.html ...'` |
| `from routes.middleware import RoutesMiddleware` | `from pylons.middleware import ...` |
| `cgi.escape(text)`, which Python 3.8 dropped | `html.escape(text, quote=False)` |
| `literal(response.body)`, in the error controller | `literal(response.text)`: a body is bytes |
"""

from __future__ import annotations

from collections.abc import Sequence

from pylons._extras import extra

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Convert the files and folders in place; returns how many files could not be."""
    fissix = extra("fissix.main", "pylons.fixes")
    names = [
        name
        for package in ("fissix.fixes", "pylons.fixes")
        for name in fissix.refactor.get_fixers_from_package(package)
    ]
    tool = fissix.StdoutRefactoringTool(names, {}, [], nobackups=True, show_diffs=False)
    tool.refactor(list(arguments), write=True)
    return len(tool.errors)
