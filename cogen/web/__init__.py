"""An HTTP/1.1 WSGI server on `cogen.core` whose applications can wait.

`serving` makes `server`, the server of one process, and `processes` those that serve beside it.
A request meets `connections`, then `http`, which reads it, then `exchanges`, where its application
answers; `observers` look on. `command` and `factory` are the programs, which `settings` helps.
Applications import `wait`, `life`, `peers` and `options`, and find `extensions` in their environ.
"""

from cogen.core.corolets import wait
from cogen.web.http.errors import ServerStopping

__all__ = ["ServerStopping", "wait"]
