"""To log in and out."""

from pylons import request, session, url
from pylons import tmpl_context as c
from pylons.controllers.util import redirect
from pylons.decorators.rest import dispatch_on, restrict
from pylons.decorators.secure import authenticate_form
from pylons.i18n import _

from wiki.lib import helpers as h
from wiki.lib.base import BaseController, render
from wiki.model import User


class AccountController(BaseController):
    @dispatch_on(POST="_log_in")
    def login(self):
        c.name = ""
        return render("login.mako")

    @authenticate_form
    def _log_in(self):
        c.name = request.POST.get("name", "")
        if not User.may_log_in(c.name, request.POST.get("password", "")):
            h.flash(_("There is no account of that name and password."), "error")
            return render("login.mako")
        # Another session from here on, so that nobody has its key who had it before.
        session.invalidate()
        session["user"] = c.name
        session.save()
        redirect(url("home"))

    @restrict("POST")
    @authenticate_form
    def logout(self):
        session.invalidate()
        h.flash(_("You are logged out."))
        redirect(url("home"))
