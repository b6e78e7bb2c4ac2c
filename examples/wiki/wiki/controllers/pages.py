"""The pages."""

from pylons import app_globals, request, url
from pylons import tmpl_context as c
from pylons.controllers.util import abort, redirect
from pylons.decorators.secure import authenticate_form
from pylons.i18n import _

from wiki.lib import helpers as h
from wiki.lib.base import BaseController, render, signed_in
from wiki.model import Page, Session

MOST = 100_000


class PagesController(BaseController):
    def home(self):
        redirect(url("show", title="FrontPage"))

    def index(self):
        """All of them, or those that have what is searched for."""
        c.search = request.GET.get("q", "").strip()
        c.pages = Page.all(c.search)
        return render("index.mako")

    def show(self, title):
        c.title = title
        c.page = Page.by_title(title)
        c.editors = app_globals.editing.editors(title)
        if c.page is None:
            abort(404)
        return render("show.mako")

    @signed_in
    def edit(self, title):
        """The form of a page, which may be a new one. Who looks at the page is told."""
        page = Page.by_title(title)
        c.title = title
        c.content = page.content if page else ""
        app_globals.editing.begin(title, c.user)
        form = render("edit.mako")
        yield from app_globals.editing.tell(request.environ, title)
        yield form

    @signed_in
    @authenticate_form
    def save(self, title):
        content = request.POST.get("content", "").strip()
        if not content or len(content) > MOST:
            h.flash(_("A page has some text, and at most %d letters.") % MOST, "error")
            redirect(url("edit", title=title))
        Page.save(title, content, c.user)
        h.flash(_("%s is saved.") % title, "success")
        yield from self._done(title)
        redirect(url("show", title=title))

    @signed_in
    @authenticate_form
    def delete(self, title):
        page = Page.by_title(title)
        if page is None:
            abort(404)
        Session.delete(page)
        Session.commit()
        h.flash(_("%s is deleted.") % title, "success")
        yield from self._done(title)
        redirect(url("pages"))

    def _done(self, title):
        app_globals.editing.end(title, c.user)
        yield from app_globals.editing.tell(request.environ, title)
