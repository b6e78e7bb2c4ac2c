"""Forms that FormEncode checks, and forms with a token."""

import formencode
from formencode import validators

from pylons import request, response, tmpl_context
from pylons.controllers import WSGIController
from pylons.controllers.util import abort
from pylons.decorators import jsonify, validate
from pylons.decorators.secure import authenticate_form, https
from pylons.pylonslib.secure_form import secure_form

PAGE = '<form><input name="name"><input name="age"><input name="tags-0"></form>'


class Person(formencode.Schema):
    allow_extra_fields = True
    filter_extra_fields = True
    name = validators.String(not_empty=True)
    age = validators.Int(min=18)


class Tagged(formencode.Schema):
    tags = formencode.ForEach(validators.Int())


class Pair(formencode.Schema):
    allow_extra_fields = True
    chained_validators = [validators.FieldsMatch("name", "again")]


class FormsController(WSGIController):
    def edit(self, id=None):
        errors = ",".join(sorted(getattr(tmpl_context, "form_errors", ())))
        return f"<p>{request.method} {id} {errors}</p>{PAGE}"

    def missing(self):
        abort(410, "gone")

    def written(self):
        response.write(PAGE)

    def octets(self):
        return PAGE.encode()

    def streamed(self):
        yield PAGE

    @jsonify
    @validate(schema=Person(), form="edit")
    def save(self, id=None):
        return {"result": self.form_result, "id": id}

    @validate(schema=Person(), form="edit")
    def save_page(self, id=None):
        return f"saved {self.form_result}"

    @validate(validators={"age": validators.Int(), "name": validators.String(min=3)})
    def looks_itself(self):
        errors = getattr(tmpl_context, "form_errors", {})
        return f"{sorted(errors)} {getattr(self, 'form_result', None)}"

    @validate(schema=Tagged(), form="edit", variable_decode=True)
    def tagged(self):
        return repr(self.form_result)

    @validate(schema=Pair(), form="edit")
    def paired(self):
        return "the same"

    @validate(schema=Person(), form="edit", post_only=False, on_get=True)
    def search(self):
        return repr(self.form_result)

    @validate(schema=Person(), form="missing")
    def to_missing(self):
        """Not reached."""

    @validate(schema=Person(), form="written")
    def to_written(self):
        """Not reached."""

    @validate(schema=Person(), form="octets")
    def to_octets(self):
        """Not reached."""

    @validate(schema=Person(), form="streamed")
    def to_streamed(self):
        """Not reached."""

    @validate(schema=Person(), form="nowhere")
    def to_nowhere(self):
        """Not reached."""

    @validate(schema=Person(), form="edit", prefix_error=False, auto_insert_errors=False)
    def quiet(self):
        """Not reached."""

    @validate(schema=Person(), form="edit")
    def streams(self):
        yield ""
        yield f"streamed {self.form_result['name']}"

    def token(self):
        return secure_form("/forms/send")

    @authenticate_form
    def send(self):
        return repr(sorted(request.params.items()))

    def token_page(self):
        return f"{secure_form('/forms/send_checked')}{PAGE[6:]}"

    @authenticate_form
    @validate(schema=Person(), form="token_page")
    def send_checked(self):
        return f"taken {self.form_result}"

    @https()
    def locked(self):
        return "locked"

    @https("/other?x=1")
    def elsewhere(self):
        return "locked"

    @https(lambda: "http://site.example/late")
    def late(self):
        return "locked"
