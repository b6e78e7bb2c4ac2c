"""The pages of errors."""

from pylons import request
from pylons import tmpl_context as c

from wiki.lib.base import BaseController, render


class ErrorController(BaseController):
    """StatusCodeRedirect asks it for the page of an error status."""

    def document(self):
        failed = request.environ["pylons.original_response"]
        # Of a page that is not there yet, the form.
        parts = request.environ["pylons.original_request"].path_info.split("/")
        c.title = parts[2] if failed.status_int == 404 and parts[1:2] == ["page"] else None
        c.status = failed.status
        return render("error.mako")
