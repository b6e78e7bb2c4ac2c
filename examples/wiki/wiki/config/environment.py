"""What the wiki is made of."""

import os

from pylons.configuration import PylonsConfig
from pylons.error import handle_mako_error
from pylons.templating import make_lookup
from sqlalchemy import engine_from_config

from wiki.config.routing import make_map
from wiki.lib import helpers
from wiki.lib.editing import Editing
from wiki.model import init_model


class Globals:
    """What the application has once: `pylons.app_globals`."""

    def __init__(self):
        self.editing = Editing()


def load_environment(global_conf, app_conf):
    """Return the configuration, `pylons.config`."""
    config = PylonsConfig()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = {
        "root": root,
        "controllers": os.path.join(root, "controllers"),
        "static_files": os.path.join(root, "public"),
        "templates": [os.path.join(root, "templates")],
    }
    config.init_app(global_conf, app_conf, package="wiki", paths=paths)
    config["routes.map"] = make_map(config)
    config["pylons.h"] = helpers
    config["pylons.app_globals"] = Globals()
    config["pylons.app_globals"].mako_lookup = make_lookup(
        paths["templates"], error_handler=handle_mako_error
    )
    init_model(engine_from_config(config, "sqlalchemy."))
    return config
