"""The servers of ordinary work: each with one process, its threads as it has them by default.

Options are given for a thousand connections that are kept, and where the default is one thread.
"""

import sys
from collections.abc import Callable

from benchmarks.targets import Site, Target

__all__ = ["PEERS", "THREADED", "cogen"]

_APPLICATION = "benchmarks.ordinary.application:application"
_UVICORN = [
    "--interface", "wsgi", "--loop", "uvloop", "--http", "httptools", "--lifespan", "off",
    "--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "75",
]  # fmt: skip


def _of(module: str, *options: str) -> Callable[[Site], list[list[str]]]:
    """`{port}` in an option is the port. -P: what is compiled comes before the sources."""

    def commands(site: Site) -> list[list[str]]:
        words = [option.format(port=site.port) for option in options]
        return [[sys.executable, "-P", "-m", module, *words]]

    return commands


def cogen(*options: str, application: str = _APPLICATION) -> Callable[[Site], list[list[str]]]:
    """The commands of cogen-serve."""
    return _of("cogen.web.command", *options, "--port", "{port}", application)


def _gunicorn(kind: str, *options: str) -> Callable[[Site], list[list[str]]]:
    return _of(
        "gunicorn", "--bind", "127.0.0.1:{port}", "--worker-class", kind, "--keep-alive", "75",
        "--worker-connections", "2000", *options, _APPLICATION,
    )  # fmt: skip


PEERS = [
    Target("cogen", "cogen-serve", cogen(), ours=True),
    Target("cogen-loop", "cogen-serve --threads 0", cogen("--threads", "0"), ours=True),
    Target(
        "waitress", "waitress",
        _of("waitress", "--listen=127.0.0.1:{port}", "--connection-limit=2000", _APPLICATION),
        ("waitress",),
    ),
    Target("gthread", "gunicorn, gthread, 8 threads", _gunicorn("gthread", "--threads", "8"),
           ("gunicorn",)),
    Target("gevent", "gunicorn, gevent", _gunicorn("gevent"), ("gunicorn", "gevent")),
    Target(
        "cheroot", "cheroot",
        _of(
            "cheroot", "--bind", "127.0.0.1:{port}", "--request-queue-size", "1024",
            "--timeout", "75", _APPLICATION,
        ),
        ("cheroot",),
    ),
    Target(
        "granian", "granian",
        _of("granian", "--interface", "wsgi", "--port", "{port}", "--no-log", _APPLICATION),
        ("granian",),
    ),
    Target(
        "uvicorn", "uvicorn's WSGI (a2wsgi)",
        _of("uvicorn", *_UVICORN, "--port", "{port}", _APPLICATION),
        ("uvicorn", "uvloop", "httptools", "a2wsgi"),
    ),
    Target(
        "hypercorn", "hypercorn's WSGI",
        _of(
            "hypercorn", "--worker-class", "uvloop", "--bind", "127.0.0.1:{port}",
            "--backlog", "2000", "--keep-alive", "75", f"wsgi:{_APPLICATION}",
        ),
        ("hypercorn", "uvloop"),
    ),
    Target("bjoern", "bjoern", _of("benchmarks.ordinary.on_bjoern", "{port}"), ("bjoern",)),
]  # fmt: skip
# Those of which a view that blocks holds one thread of several.
THREADED = ("cogen", "waitress", "gthread", "cheroot", "granian")
