"""Errors of templates, shown with the lines of the template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from mako import exceptions

__all__ = ["handle_mako_error", "mako_html_data", "template_error_formatters"]


def handle_mako_error(context: Any, exc: BaseException) -> NoReturn:
    """For `TemplateLookup(error_handler=handle_mako_error)`: marks what Mako raised, raises it."""
    exc.is_mako_exception = True  # type: ignore[attr-defined]
    raise exc


def mako_html_data(exc_value: BaseException | None) -> str | None:
    """The error of a Mako template as HTML with the lines around it; None for another error.

    It has to be the one that is being handled.
    """
    of_mako = (exceptions.CompileException, exceptions.SyntaxException)
    if isinstance(exc_value, of_mako) or getattr(exc_value, "is_mako_exception", False):
        template = exceptions.html_error_template()
        return str(template.render_unicode(full=False, css=False))
    return None


template_error_formatters: Final[list[Callable[[BaseException | None], str | None]]] = [
    mako_html_data
]
"""What the page with the traceback asks for the lines of a template."""
