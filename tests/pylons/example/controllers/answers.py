"""What decorators make of an action's value, and which action answers."""

from pylons.controllers import WSGIController
from pylons.decorators import jsonify
from pylons.decorators.rest import dispatch_on
from pylons.decorators.util import get_pylons


class Person:
    def __json__(self):
        return {"name": "Änn"}


class AnswersController(WSGIController):
    @jsonify
    def person(self):
        return {"person": Person()}

    @jsonify
    def people(self):
        return [Person()]

    @jsonify
    def unsayable(self):
        return {"x": object()}

    @jsonify
    def endless(self):
        return {"x": float("inf")}

    @jsonify
    def streamed(self):
        yield "x"

    @dispatch_on(POST="save", DELETE="nowhere")
    def page(self):
        return "page"

    def save(self, id, environ):
        return f"saved {id} {environ['REQUEST_METHOD']}"

    def pylons(self):
        return get_pylons([self]).request.path + get_pylons(["x"]).request.path
