"""`PylonsApp`: the WSGI application at the centre of the middleware."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webob.exc import HTTPException, HTTPNotFound

from pylons._answer import answer, drop_traceback
from pylons._context import RequestState, current
from pylons.configuration import PylonsConfig
from pylons.routing import match_route

__all__ = ["PylonsApp"]

log = logging.getLogger(__name__)

_CONTROLLER = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*", re.ASCII | re.IGNORECASE)


class PylonsApp:
    """Answers a request by the controller that its route names.

    Each step may be overridden, and is called in this order with the request current:

    1. `setup_app_env(environ, start_response)` makes the request's state.
    2. `resolve(environ)` finds the route, unless a middleware has left one in
       `environ['wsgiorg.routing_args']`, and returns the controller's name.
    3. `find_controller(name)` returns the class: `hello` is `HelloController` of the module
       `PACKAGE.controllers.hello`, `admin/user` is `UserController` of `...admin.user`.
    4. `dispatch(controller, environ, start_response)` makes one and calls it.

    An HTTPException raised in steps 2 to 4 is the answer (404 for no route or no controller).
    """

    def __init__(self, config: PylonsConfig) -> None:
        """`config` needs `routes.map`, a routes.Mapper, before the first request."""
        self.config = config
        self._controllers: dict[str, Any] = {}
        self._lacking: set[str] = set()  # modules that were told to have no controller

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        state = self.setup_app_env(environ, start_response)
        token = current.set(state)
        try:
            controller = self.find_controller(self.resolve(environ))
            return self.dispatch(controller, environ, start_response)
        except HTTPException as exc:
            return answer(state, drop_traceback(exc))
        finally:
            current.reset(token)

    def setup_app_env(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> RequestState:
        """The state of this request; a test's `paste.testing_variables` get a look at it."""
        state = RequestState(environ, start_response, self.config)
        testing = environ.get("paste.testing_variables")
        if testing is not None:
            testing.update(
                tmpl_context=state.tmpl_context,
                app_globals=self.config["pylons.app_globals"],
                config=self.config,
            )
        return state

    def resolve(self, environ: WSGIEnvironment) -> str:
        """Set `environ['pylons.routes_dict']`, return the controller's name."""
        routed = environ.get("wsgiorg.routing_args")
        values = routed[1] if routed else match_route(self.config["routes.map"], environ)
        environ["pylons.routes_dict"] = values
        if "controller" not in values:
            raise HTTPNotFound()
        return str(values["controller"])

    def find_controller(self, name: str) -> Any:
        """The controller class, or any WSGI application by that name. Raises HTTPNotFound."""
        found = self._controllers.get(name)
        if found is None:
            # Only what exists is kept: the names of what does not come from the clients.
            found = self._controllers[name] = self._import_controller(name)
        return found

    def dispatch(
        self, controller: Any, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Make a controller for this request, unless it is a WSGI application, and call it."""
        application: WSGIApplication = controller() if isinstance(controller, type) else controller
        return application(environ, start_response)

    def _import_controller(self, name: str) -> Any:
        path = name.replace("-", "_")
        if not _CONTROLLER.fullmatch(path):
            raise HTTPNotFound()
        parts = path.split("/")
        module = ".".join([self.config["pylons.package"], "controllers", *parts])
        if module not in sys.modules and not _exists(module):
            raise HTTPNotFound()
        class_name = "".join(part.capitalize() for part in parts[-1].split("_")) + "Controller"
        found = getattr(import_module(module), class_name, None)
        if found is None:
            if module not in self._lacking:
                self._lacking.add(module)
                log.warning("404 for %s: %s has no class %s", name, _file_of(module), class_name)
            raise HTTPNotFound()
        return found


def _file_of(module: str) -> str:
    return getattr(sys.modules[module], "__file__", None) or module


def _exists(module: str) -> bool:
    """Whether the module is there; an error in importing one of its packages is not hidden."""
    package = module.rpartition(".")[0]
    if package not in sys.modules and package.count(".") > 1 and not _exists(package):
        return False
    return find_spec(module) is not None
