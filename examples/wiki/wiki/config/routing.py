"""What URLs there are."""

from routes import Mapper

# A page's title: letters of any script, digits, _ and -.
TITLE = r"[\w-]{1,80}"


def make_map(config):
    """Return the mapper of the application."""
    mapper = Mapper(directory=config["pylons.paths"]["controllers"])
    mapper.minimization = False
    mapper.explicit = True

    mapper.connect("/error/document", controller="error", action="document")

    mapper.connect("home", "/", controller="pages", action="home")
    mapper.connect("pages", "/pages", controller="pages", action="index")
    for action in ("show", "edit", "save", "delete"):
        path = "/page/{title}" if action == "show" else f"/page/{{title}}/{action}"
        mapper.connect(
            action, path, controller="pages", action=action, requirements={"title": TITLE}
        )
    mapper.connect(
        "editors",
        "/page/{title}/editors",
        controller="editors",
        action="wait",
        requirements={"title": TITLE},
    )
    mapper.connect("login", "/login", controller="account", action="login")
    mapper.connect("logout", "/logout", controller="account", action="logout")
    return mapper
