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

from routes import URLGenerator
from webob.exc import HTTPException, HTTPNotFound

from pylons._answer import answer, drop_traceback
from pylons._context import OutsideRequest, RequestState, current, current_state
from pylons._http import Request as Request
from pylons._http import Response as Response
from pylons._names import class_name_from_module_name, resolve_dotted
from pylons._namespaces import AttribSafeContextObj as AttribSafeContextObj
from pylons._namespaces import ContextObj as ContextObj
from pylons._namespaces import PylonsContext as PylonsContext
from pylons._options import check_folders
from pylons._restored import keep
from pylons.configuration import PylonsConfig
from pylons.configuration import config as process_config
from pylons.routing import decoded_values, match_route

__all__ = ["PylonsApp"]

log = logging.getLogger(__name__)

_CONTROLLER = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*", re.ASCII | re.IGNORECASE)


class PylonsApp:
    """Answers a request by the controller that its route names.

    Each step may be overridden, and is called in this order with the request current:

    1. `setup_app_env(environ, start_response)` puts this request's objects into
       `environ['pylons.pylons']`; below Paste's RegistryManager it calls
       `register_globals(environ)`, for objects of the application's own.
    2. `load_test_env(environ)` hands them to a test (WebTest's `paste.testing_variables`).
    3. `resolve(environ, start_response)` finds the route, unless a middleware has left one in
       `environ['wsgiorg.routing_args']`, and returns what `find_controller(name)` does for its
       controller: `hello` is `HelloController` of the module `PACKAGE.controllers.hello` (or what
       the module's `__controller__` names), `admin/user` is `UserController` of `...admin.user`;
       `package.module:Name` is that object, if a route names it so.
    4. `dispatch(controller, environ, start_response)` makes one and calls it.

    An HTTPException raised in steps 3 and 4 is the answer (404 for no route or no controller).
    """

    def __init__(self, config: PylonsConfig | None = None, **kwargs: Any) -> None:
        """`config` needs `routes.map`, a routes.Mapper, before the first request.

        Without one it is what `pylons.config` stands for. Other arguments are of older versions and
        do nothing. Raises OptionError, a ValueError, if sessions cannot be kept in their folder.
        """
        self.config: PylonsConfig = process_config._current_obj() if config is None else config
        check_folders(self.config)
        self.config.setdefault("lang", None)
        self.package_name = self.config["pylons.package"]
        self.helpers = self.config["pylons.h"]
        self.globals = self.config.get("pylons.app_globals")
        self.environ_config = self.config["pylons.environ_config"]
        self.request_options = self.config["pylons.request_options"]
        self.response_options = self.config["pylons.response_options"]
        self.log_debug = log.isEnabledFor(logging.DEBUG)
        self.controller_classes: dict[str, Any] = {}
        self._lacking: set[str] = set()  # modules that were told to have no controller

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        state = RequestState(environ, start_response, self.config)
        token = current.set(state)
        try:
            environ["pylons.pylons"] = state
            self.setup_app_env(environ, start_response)
            testing = "paste.testing_variables" in environ
            if testing:
                self.load_test_env(environ)
                if environ["PATH_INFO"] == "/_test_vars":
                    return answer(state, str(keep(state)))
            try:
                controller = self.resolve(environ, start_response)
                body = self.dispatch(controller, environ, start_response)
                if callable(body):
                    body = body(environ, start_response)
                if body is None:
                    raise TypeError(
                        "No content returned by controller (Did you remember to 'return' it?)"
                        f" in: {getattr(controller, '__name__', controller)!r}"
                    )
            except HTTPException as exc:
                body = answer(state, drop_traceback(exc))
            if testing:
                environ["paste.testing_variables"]["response"] = state.response
            return body
        except BaseException:
            state.release()
            raise
        finally:
            current.reset(token)
            for key in _OF_THE_CALL:
                environ.pop(key, None)

    def setup_app_env(self, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        """What actions and middleware find in environ, for as long as the application is called."""
        environ["pylons.environ_config"] = self.environ_config
        environ["pylons.log_debug"] = self.log_debug
        if "paste.registry" in environ:
            self.register_globals(environ)

    def register_globals(self, environ: WSGIEnvironment) -> None:
        """The names of `pylons` need no registering; an override registers its own."""

    def load_test_env(self, environ: WSGIEnvironment) -> None:
        """Let a test see this request's objects, as attributes of WebTest's response."""
        state = environ["pylons.pylons"]
        testing = environ["paste.testing_variables"]
        testing.update(
            req=state.request,
            response=state.response,
            tmpl_context=state.tmpl_context,
            c=state.tmpl_context,
            app_globals=state.app_globals,
            g=state.app_globals,
            h=state.h,
            config=self.config,
        )
        for name in ("session", "cache"):
            try:
                testing[name] = getattr(state, name)
            except OutsideRequest:
                log.debug("this request has no %s for the test", name)

    def resolve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Set `environ['pylons.routes_dict']`, return the controller. Raises HTTPNotFound."""
        routed = environ.get("wsgiorg.routing_args")
        if not routed:
            values = match_route(self.config["routes.map"], environ)
        elif isinstance(routed[0], URLGenerator):  # of Routes' own middleware
            values = decoded_values(routed[1], getattr(environ.get("routes.route"), "defaults", {}))
            environ["wsgiorg.routing_args"] = (routed[0], values)
        else:
            values = routed[1]
        environ["pylons.routes_dict"] = values
        controller = values.get("controller") or values.get("responder")
        if not controller or not self._may_be_named(controller):
            raise HTTPNotFound()
        return self.find_controller(controller)

    def find_controller(self, controller: Any) -> Any:
        """The controller class, or any WSGI application by that name. Raises HTTPNotFound."""
        if not isinstance(controller, str):
            return controller
        found = self.controller_classes.get(controller)
        if found is None:
            # Only what exists is kept: the names of what does not come from the clients.
            found = self.controller_classes[controller] = self._import_controller(controller)
        return found

    def dispatch(
        self, controller: Any, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Make a controller for this request, unless it is a WSGI application, and call it."""
        if "responder" in environ["pylons.routes_dict"]:
            return controller(current_state("request").request)  # type: ignore[no-any-return]
        application: WSGIApplication = controller() if isinstance(controller, type) else controller
        environ["pylons.controller"] = application
        return application(environ, start_response)

    def _import_controller(self, name: str) -> Any:
        if "." in name or ":" in name:
            return resolve_dotted(name)
        path = name.replace("-", "_")
        if not _CONTROLLER.fullmatch(path):
            raise HTTPNotFound()
        parts = path.split("/")
        module = ".".join([self.config["pylons.package"], "controllers", *parts])
        if module not in sys.modules and not _exists(module):
            raise HTTPNotFound()
        imported = import_module(module)
        class_name = class_name_from_module_name(parts[-1]) + "Controller"
        class_name = getattr(imported, "__controller__", class_name)
        found = getattr(imported, class_name, None)
        if found is None:
            if module not in self._lacking:
                self._lacking.add(module)
                log.warning("404 for %s: %s has no class %s", name, _file_of(module), class_name)
            raise HTTPNotFound()
        return found

    def _may_be_named(self, controller: Any) -> bool:
        """Whether the application wrote a dotted name itself: no URL reaches just any module."""
        if not isinstance(controller, str) or not ("." in controller or ":" in controller):
            return True
        routes = self.config["routes.map"].matchlist
        named = (route.defaults.get(key) for route in routes for key in ("controller", "responder"))
        return controller in named


# Keys of environ that refer to what refers to environ.
_OF_THE_CALL = ("pylons.pylons", "pylons.controller", "pylons.action_method")


def _file_of(module: str) -> str:
    return getattr(sys.modules[module], "__file__", None) or module


def _exists(module: str) -> bool:
    """Whether the module is there; an error in importing one of its packages is not hidden."""
    package = module.rpartition(".")[0]
    if package not in sys.modules and package.count(".") > 1 and not _exists(package):
        return False
    return find_spec(module) is not None
