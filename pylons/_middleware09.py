"""Middleware that Pylons 0.9 had, for applications that still name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from wsgiref.types import WSGIApplication, WSGIEnvironment

from paste.deploy.converters import asbool
from paste.errordocument import StatusBasedForward
from paste.recursive import RecursiveMiddleware
from webob.exc import HTTPNotFound

__all__ = ["ErrorDocuments", "StaticJavascripts", "error_mapper"]

_MAPPED = (401, 403, 404)


def error_mapper(
    code: int,
    message: str,
    environ: WSGIEnvironment,
    global_conf: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> str | None:
    """The path of the page for a status, as `paste.errordocument.forward` asks for it, or None.

    With `debug` in
    `global_conf` a 500 is left alone.
    """
    if environ.get("pylons.error_call"):
        return None
    environ["pylons.error_call"] = True
    debug = asbool((global_conf or {}).get("debug", False))
    if code in _MAPPED or (code == 500 and not debug):
        return f"/error/document?{urlencode({'message': message, 'code': code})}"
    return None


def ErrorDocuments(
    app: WSGIApplication,
    global_conf: Mapping[str, Any] | None = None,
    mapper: Any = error_mapper,
    **kwargs: Any,
) -> WSGIApplication:
    """Answers with the page whose path `mapper` returns; `StatusCodeRedirect` came after it."""
    forwarding = StatusBasedForward(app, mapper, dict(global_conf or {}), **kwargs)
    application: WSGIApplication = RecursiveMiddleware(forwarding, dict(global_conf or {}))
    return application


def StaticJavascripts(**kwargs: Any) -> WSGIApplication:
    """404, for Paste's Cascade: it served JavaScript files of WebHelpers, which are no more."""
    application: WSGIApplication = HTTPNotFound()
    return application
