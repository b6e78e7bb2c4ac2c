"""The application around the controller, with the middleware people put around theirs."""

import os
from types import SimpleNamespace

from beaker.middleware import CacheMiddleware, SessionMiddleware
from paste.cascade import Cascade
from paste.urlmap import URLMap
from paste.urlparser import StaticURLParser
from routes import Mapper
from webob.dec import wsgify

from pylons.configuration import PylonsConfig
from pylons.wsgiapp import PylonsApp

ROOT = os.path.dirname(__file__)


@wsgify.middleware
def stamped(request, app):
    """A middleware of WebOb's: it looks at the request and passes the application on."""
    request.environ["seed.stamp"] = request.path
    return app


def make_app():
    config = PylonsConfig()
    paths = {
        "root": ROOT,
        "controllers": os.path.join(ROOT, "controllers"),
        "static_files": os.path.join(ROOT, "public"),
        "templates": [],
    }
    config.init_app({}, {}, package="tests.functional.seed", paths=paths)
    mapper = Mapper(directory=paths["controllers"], explicit=True)
    mapper.connect("/{controller}/{action}")
    config["routes.map"] = mapper
    config["pylons.app_globals"] = SimpleNamespace()
    app = PylonsApp(config)
    app = SessionMiddleware(app, {"session.type": "memory", "session.secret": "of the test"})
    app = CacheMiddleware(app, {"cache.type": "memory"})
    app = stamped(app)
    app = Cascade([StaticURLParser(paths["static_files"]), app])
    mapped = URLMap()
    mapped["/site"] = app
    return mapped
