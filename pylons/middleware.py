"""Middleware for `make_app`: the application's files, the route for what is inside, and what a
failed request and an error status look like to the client.

All pass chunks one for one, the empty ones too, and pass `close()` on.
"""

from paste.deploy.converters import asbool as asbool
from paste.urlparser import StaticURLParser as StaticURLParser

from pylons._calling import call_wsgi_application as call_wsgi_application
from pylons._documents import StatusCodeRedirect
from pylons._error_pages import error_document_template, media_path
from pylons._errors import (
    DebugHandler,
    ErrorHandler,
    debugger_filter_app_factory,
    debugger_filter_factory,
    footer_html,
    head_html,
)
from pylons._http import Request as Request
from pylons._http import Response as Response
from pylons._middleware09 import ErrorDocuments, StaticJavascripts, error_mapper
from pylons._routes_middleware import RoutesMiddleware
from pylons._static import StaticFiles
from pylons.error import template_error_formatters as template_error_formatters

report_libs = ("pylons", "genshi", "sqlalchemy")
"""The libraries whose versions WebError reported, which is no more."""

__all__ = [
    "DebugHandler",
    "ErrorDocuments",
    "ErrorHandler",
    "RoutesMiddleware",
    "StaticFiles",
    "StaticJavascripts",
    "StatusCodeRedirect",
    "debugger_filter_app_factory",
    "debugger_filter_factory",
    "error_document_template",
    "error_mapper",
    "footer_html",
    "head_html",
    "media_path",
]
