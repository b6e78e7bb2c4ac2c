from pylons import request
from pylons.controllers import WSGIController


class ErrorController(WSGIController):
    def document(self):
        original = request.environ["pylons.original_response"]
        path = request.environ["pylons.original_request"].path
        return f"<h1>{original.status_int} at {path}</h1>"
