"""The prompt of `paster shell`: IPython's where it is installed, else Python's."""

from __future__ import annotations

import code
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pylons
from pylons import configuration
from pylons._body import close
from pylons._context import RequestState, current
from pylons._extras import extra
from pylons._http import Request
from pylons.controllers import util
from pylons.i18n import translation

__all__ = ["Shell"]


class Shell:
    """A prompt that has the application, and a request for / in progress."""

    def __init__(self, wsgiapp: Any) -> None:
        self._config = configuration.config._current_obj()
        self._wsgiapp = wsgiapp
        # Through the middleware, which puts its objects into environ; nothing answers there.
        environ = Request.blank("/_test_vars").environ
        close(wsgiapp(environ, _ignore))
        environ["PATH_INFO"] = "/"
        self._state = RequestState(environ, _ignore, self._config)

    def run(self, ipython: bool = True) -> None:
        """Read and run lines until there are no more."""
        names, banner = self._names()
        token = current.set(self._state)
        try:
            if ipython and find_spec("IPython") is not None:
                embedded = extra("IPython.terminal.embed", "paster shell").InteractiveShellEmbed
                embedded(banner2=banner)(local_ns=names, global_ns={})
            else:
                version = sys.version.partition("\n")[0]
                head = f"Pylons Interactive Shell\nPython {version}\n\n{banner}"
                code.interact(head, local=names, exitmsg="")
        finally:
            current.reset(token)

    def _names(self) -> tuple[dict[str, Any], str]:
        package = self._config["pylons.package"]
        modules = _present(f"{package}.lib.base"), _present(f"{package}.controllers")
        base = next(each for each in modules if each is not None)
        names = {
            **{name: getattr(pylons, name) for name in pylons.__all__},
            "abort": util.abort,
            "redirect": util.redirect,
            "_": translation.ugettext,
            "N_": translation.gettext_noop,
            "ungettext": translation.ungettext,
            "__name__": "pylons-admin",
            **{name: value for name, value in vars(base).items() if not name.startswith("_")},
            "h": self._config["pylons.h"],
            "mapper": self._config["routes.map"],
            "wsgiapp": self._wsgiapp,
        }
        model = _present(f"{package}.model")
        if model is not None:
            names["model"] = model
        told = ["mapper     -  Routes mapper object", "wsgiapp    -  the WSGI application"]
        if find_spec("webtest") is not None:
            names["app"] = extra("webtest", "paster shell").TestApp(self._wsgiapp)
            told.append("app        -  WebTest's TestApp around it")
        else:
            told.append("app        -  needs WebTest: pip install WebTest")
        lines = "\n".join(f"  {each}" for each in told)
        head = f"  All objects from {base.__name__} are available\n  Additional Objects:\n"
        return names, f"{head}{lines}\n"


def _present(module: str) -> Any:
    """The module of that name, or None if there is none; what fails in it is raised."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return None


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    """The request of a prompt is not answered."""
