"""The base of the controllers."""

from functools import wraps

from pylons import request, session, url
from pylons import tmpl_context as c
from pylons.controllers import WSGIController
from pylons.controllers.util import redirect
from pylons.i18n import _, set_lang
from pylons.templating import render_mako as render

from wiki.lib import helpers as h
from wiki.model import Session

__all__ = ["LANGUAGES", "BaseController", "render", "signed_in"]

# The texts themselves are English, which is the last that a request takes; there are catalogs of
# the others.
LANGUAGES = ("en", "de", "fr")


class BaseController(WSGIController):
    def __call__(self, environ, start_response):
        # An action that waits goes on in another thread: it uses the database before it waits.
        try:
            return WSGIController.__call__(self, environ, start_response)
        finally:
            Session.remove()

    def __before__(self):
        accepted = (tag.lower().partition("-")[0] for tag in request.languages)
        c.language = next(each for each in accepted if each in LANGUAGES)
        if c.language != "en":
            set_lang(c.language)
        c.user = session.get("user")


def signed_in(action):
    """Let only who is logged in call the action; others are sent to log in."""

    @wraps(action)
    def call(self, *args, **kwargs):
        if c.user is None:
            h.flash(_("Log in to write."), "warning")
            redirect(url("login"))
        return action(self, *args, **kwargs)

    return call
