"""The WSGI application with its middleware."""

from beaker.middleware import SessionMiddleware
from paste.cascade import Cascade
from paste.urlparser import StaticURLParser
from pylons.middleware import ErrorHandler, StatusCodeRedirect
from pylons.wsgiapp import PylonsApp

from wiki.config.environment import load_environment


def make_app(global_conf, **app_conf):
    """Make the application; the ini names this function."""
    config = load_environment(global_conf, app_conf)
    app = PylonsApp(config=config)
    app = SessionMiddleware(app, config)
    app = ErrorHandler(app, global_conf, **config["pylons.errorware"])
    app = StatusCodeRedirect(app, [400, 401, 403, 404])
    app = Cascade([StaticURLParser(config["pylons.paths"]["static_files"]), app])
    app.config = config
    return app
