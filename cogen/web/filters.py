"""The middleware of cogen 0.2, for inis that name it: the server does by itself what it did.

`wsgi.input` is a file that an application reads as it likes, and `start_response` counts until the
first chunk that is not empty.
"""

from wsgiref.types import WSGIApplication

__all__ = [
    "LazyStartResponseMiddleware",
    "SynchronousInputMiddleware",
    "lazy_sr",
    "sync_input",
]


def sync_input(
    app: WSGIApplication, global_conf: object = None, buffer_length: object = 1024
) -> WSGIApplication:
    """`app` itself; `egg:cogen#syncinput`."""
    return app


def lazy_sr(app: WSGIApplication, global_conf: object = None) -> WSGIApplication:
    """`app` itself; `egg:cogen#lazysr`."""
    return app


SynchronousInputMiddleware = sync_input
"""The same by its other name."""

LazyStartResponseMiddleware = lazy_sr
"""The same by its other name."""
