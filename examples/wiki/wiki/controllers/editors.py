"""Who is editing a page: a long poll."""

import json

from pylons import app_globals, request, response
from pylons.controllers.util import abort

from wiki.lib.base import BaseController

SECONDS = 25


class EditorsController(BaseController):
    def wait(self, title):
        """Answer with their names, once they are others than those that `known` lists."""
        if "cogen.core" not in request.environ:
            abort(501, "To wait for a change takes cogen's server.")
        editing = app_globals.editing
        known = sorted(request.GET.getall("known"))
        yield from editing.wait(request.environ, title, known, SECONDS)
        response.headers["Content-Type"] = "application/json"
        yield json.dumps({"editors": editing.editors(title)})
