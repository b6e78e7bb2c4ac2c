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

# Those that there are catalogs of; the texts themselves are English.
LANGUAGES = ("de", "fr")


class BaseController(WSGIController):
    def __call__(self, environ, start_response):
        # An action that waits goes on in another thread: it uses the database before it waits.
        try:
            return WSGIController.__call__(self, environ, start_response)
        finally:
            Session.remove()

    def __before__(self):
        for tag in request.languages:
            language = tag.lower().partition("-")[0]
            if language in LANGUAGES:
                set_lang(language)
            if language in (*LANGUAGES, "en"):
                break
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
