"""Pylons 1.0's public API as glue over WebOb, Routes, Beaker, Mako and Paste.

The names below are context-local: each stands for the object of the request whose code is running.

| name | stands for |
|---|---|
| `request` | `webob.Request` |
| `response` | `webob.Response` that the action's result goes into |
| `session` | Beaker's session (needs its SessionMiddleware) |
| `cache` | Beaker's cache manager (needs its CacheMiddleware) |
| `tmpl_context`, `c` | a namespace handed to the template |
| `url` | Routes' `URLGenerator` |
| `app_globals`, `g` | `config['pylons.app_globals']`; also outside requests |
| `h` | the helpers, `config['pylons.h']` |
| `translator` | gettext's translations into its language (`pylons.i18n`) |
| `config` | the application's `PylonsConfig`; outside requests that of the last one loaded |

What a plain install lacks is asked for where it is used: FormEncode by `decorators.validate`,
Jinja2 and Genshi by their functions of `templating`, backlash by the debugger, IPython by
`paster shell`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pylons import _proxy, configuration
from pylons._http import Request, Response

if TYPE_CHECKING:
    from pylons.configuration import PylonsConfig

__all__ = [
    "Request",
    "Response",
    "app_globals",
    "c",
    "cache",
    "config",
    "g",
    "h",
    "request",
    "response",
    "session",
    "tmpl_context",
    "url",
]

# To a type checker each proxy is the object that it stands for.
request = cast("Request", _proxy.request)
"""The `webob.Request` that is being answered."""
response = cast("Response", _proxy.response)
"""The `webob.Response` that the action's result goes into."""
session: Any = _proxy.session
"""Beaker's session of the request."""
cache: Any = _proxy.cache
"""Beaker's cache manager."""
tmpl_context: Any = _proxy.tmpl_context
"""A namespace of the request, which its template gets."""
c: Any = tmpl_context
"""`tmpl_context` by its short name."""
url: Any = _proxy.url
"""Routes' `URLGenerator` for the request."""
app_globals: Any = configuration.app_globals
"""`config['pylons.app_globals']`; also outside requests."""
g: Any = app_globals
"""`app_globals` by its name of Pylons 0.9."""
h: Any = _proxy.helpers
"""The application's helpers, `config['pylons.h']`."""
translator: Any = _proxy.translator
"""gettext's translations into the language of the request."""
config = cast("PylonsConfig", configuration.config)
"""The application's configuration; outside requests that of the last one loaded."""

__version__: str


def __getattr__(name: str) -> str:
    """`__version__` is what is installed."""
    if name == "__version__":
        from importlib.metadata import version

        return version("Pylons")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
