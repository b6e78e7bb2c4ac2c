"""Real middleware to put between the server and an application that waits."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from typing import Any
from wsgiref.validate import validator

__all__ = ["MIDDLEWARE"]

Application = Callable[..., Any]


def beaker_session(application: Application) -> Application:
    from beaker.middleware import SessionMiddleware

    return SessionMiddleware(application, {"session.type": "memory", "session.auto": True})


def beaker_cache(application: Application) -> Application:
    from beaker.middleware import CacheMiddleware

    return CacheMiddleware(application, {"cache.type": "memory"})


def routes(application: Application) -> Application:
    from routes import Mapper
    from routes.middleware import RoutesMiddleware

    return RoutesMiddleware(application, Mapper())


def paste_registry(application: Application) -> Application:
    from paste.registry import RegistryManager

    return RegistryManager(application, streaming=True)


def paste_registry_plain(application: Application) -> Application:
    from paste.registry import RegistryManager

    return RegistryManager(application)


def paste_recursive(application: Application) -> Application:
    from paste.recursive import RecursiveMiddleware

    return RecursiveMiddleware(application)


def paste_http_exceptions(application: Application) -> Application:
    from paste.httpexceptions import HTTPExceptionHandler

    return HTTPExceptionHandler(application)


def paste_errors(application: Application) -> Application:
    from paste.exceptions.errormiddleware import ErrorMiddleware

    return ErrorMiddleware(application, {}, debug=False)


def paste_error_documents(application: Application) -> Application:
    from paste.errordocument import custom_forward

    return custom_forward(application, lambda *args, **kwargs: None, {})


def paste_cascade(application: Application) -> Application:
    from paste.cascade import Cascade

    return Cascade([application])


def paste_url_map(application: Application) -> Application:
    from paste.urlmap import URLMap

    urls = URLMap()
    urls["/"] = application
    return urls


def paste_prefix(application: Application) -> Application:
    from paste.deploy.config import PrefixMiddleware

    return PrefixMiddleware(application, prefix="/prefix")


def paste_access_log(application: Application) -> Application:
    from paste.translogger import TransLogger

    return TransLogger(application, logger=logging.getLogger("paste"), setup_console_handler=False)


def paste_lint(application: Application) -> Application:
    from paste.lint import middleware

    return middleware(application)


def paste_gzip(application: Application) -> Application:
    from paste.gzipper import middleware

    return middleware(application)


def werkzeug_proxy_fix(application: Application) -> Application:
    from werkzeug.middleware.proxy_fix import ProxyFix

    return ProxyFix(application)


def werkzeug_shared_data(application: Application) -> Application:
    from werkzeug.middleware.shared_data import SharedDataMiddleware

    return SharedDataMiddleware(application, {"/static": tempfile.gettempdir()})


def werkzeug_dispatcher(application: Application) -> Application:
    from prometheus_client import make_wsgi_app
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    return DispatcherMiddleware(application, {"/metrics": make_wsgi_app()})


def werkzeug_lint(application: Application) -> Application:
    from werkzeug.middleware.lint import LintMiddleware

    return LintMiddleware(application)


def werkzeug_profiler(application: Application) -> Application:
    import io

    from werkzeug.middleware.profiler import ProfilerMiddleware

    return ProfilerMiddleware(application, stream=io.StringIO())


def whitenoise(application: Application) -> Application:
    from whitenoise import WhiteNoise

    return WhiteNoise(application)


def opentelemetry(application: Application) -> Application:
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    return OpenTelemetryMiddleware(application)


def sentry(application: Application) -> Application:
    from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

    return SentryWsgiMiddleware(application)


def webob(application: Application) -> Application:
    from webob import Request, Response
    from webob.dec import wsgify

    @wsgify.middleware
    def middleware(request: Request, inner: Application) -> Response:
        return request.get_response(inner)

    return middleware(application)


# What the table in docs/middleware.md calls them.
MIDDLEWARE: dict[str, Callable[[Application], Application]] = {
    "`wsgiref.validate.validator`": validator,
    "Beaker `SessionMiddleware`": beaker_session,
    "Beaker `CacheMiddleware`": beaker_cache,
    "Routes `RoutesMiddleware`": routes,
    "Paste `RegistryManager`, `streaming=True`": paste_registry,
    "Paste `RegistryManager`": paste_registry_plain,
    "Paste `RecursiveMiddleware`": paste_recursive,
    "Paste `HTTPExceptionHandler`": paste_http_exceptions,
    "Paste `ErrorMiddleware`": paste_errors,
    "Paste `errordocument`": paste_error_documents,
    "Paste `Cascade`": paste_cascade,
    "Paste `URLMap`": paste_url_map,
    "PasteDeploy `PrefixMiddleware`": paste_prefix,
    "Paste `TransLogger`": paste_access_log,
    "Paste `lint`": paste_lint,
    "Paste `gzipper`": paste_gzip,
    "Werkzeug `ProxyFix`": werkzeug_proxy_fix,
    "Werkzeug `SharedDataMiddleware`": werkzeug_shared_data,
    "Werkzeug `DispatcherMiddleware` with prometheus_client's `make_wsgi_app`": werkzeug_dispatcher,
    "Werkzeug `LintMiddleware`": werkzeug_lint,
    "Werkzeug `ProfilerMiddleware`": werkzeug_profiler,
    "WhiteNoise": whitenoise,
    "OpenTelemetry `OpenTelemetryMiddleware`": opentelemetry,
    "Sentry `SentryWsgiMiddleware`": sentry,
    "WebOb `Request.get_response` (`wsgify.middleware`)": webob,
}
