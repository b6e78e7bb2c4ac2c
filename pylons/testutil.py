"""A controller called without an application around it, in a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from pylons._context import RequestState
from pylons._current import current
from pylons._http import Request as Request
from pylons._http import Response as Response
from pylons._namespaces import ContextObj as ContextObj
from pylons._namespaces import PylonsContext as PylonsContext
from pylons.configuration import config
from pylons.configuration import request_defaults as request_defaults
from pylons.configuration import response_defaults as response_defaults

__all__ = ["ControllerWrap", "SetupCacheGlobal"]


class ControllerWrap:
    """A WSGI application that makes a controller of the class for each request."""

    def __init__(self, controller: Any) -> None:
        self.controller = controller

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answered: Iterable[bytes] = self.controller()(environ, start_response)
        return answered


class SetupCacheGlobal:
    """Gives `app` a request of its own, with what `environ` has, such as `pylons.routes_dict`.

    `self.g` is app_globals, with a `message` and a `counter`. Beaker's middleware around it sets
    the session and the cache; `setup_cache` and `setup_session` change nothing.
    """

    def __init__(
        self,
        app: WSGIApplication,
        environ: Mapping[str, Any],
        setup_g: bool = True,
        setup_cache: bool = False,
        setup_session: bool = False,
    ) -> None:
        self.app = app
        self.environ = environ
        self.g = SimpleNamespace(
            message="Hello",
            counter=0,
            pylons_config=SimpleNamespace(app_conf={"cache_enabled": "True"}),
        )
        self.setup_g = setup_g

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.update(self.environ)
        conf = type(config._current_obj())(config._current_obj())
        if self.setup_g:
            conf["pylons.app_globals"] = self.g
        state = environ["pylons.pylons"] = RequestState(environ, start_response, conf)
        token = current.set(state)
        try:
            return self.app(environ, start_response)
        finally:
            current.reset(token)
            del environ["pylons.pylons"]
