"""Actions of every kind that WSGIController knows."""

from types import SimpleNamespace

import webob

from pylons import app_globals, cache, config, request, response, session, url
from pylons import tmpl_context as c
from pylons.controllers import WSGIController
from pylons.controllers.util import abort, etag_cache, forward, redirect, redirect_to, url_for
from pylons.decorators import jsonify
from pylons.decorators.rest import dispatch_on, restrict
from pylons.templating import render_mako

log = []


def plain_app(environ, start_response):
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    return [b"from ", b"another app"]


class HelloController(WSGIController):
    def __before__(self, action):
        log.append(f"before {action}")
        if request.environ.get("HTTP_X_STOP"):
            abort(403, "stopped before")

    def __after__(self):
        log.append("after")
        if request.environ.get("HTTP_X_AFTER"):
            response.headers["X-After"] = str(len(response.body))
            response.body = response.body.upper()
        if request.environ.get("HTTP_X_STOP_AFTER"):
            abort(403, "stopped after")

    def _private(self):
        return "never"

    attribute = "not an action"

    def index(self):
        return "hällo"

    def octets(self):
        return b"\x00\xff"

    def nothing(self):
        response.status = 201
        response.headers["X-Made"] = "yes"
        response.write("written")

    def no_content(self):
        response.status = 204

    def webob_response(self):
        response.set_cookie("seen", "1")
        return webob.Response("own", content_type="text/plain", charset="utf-8")

    def latin(self):
        response.charset = "latin-1"
        return "ä"

    def args(self, id, kind="none", environ=None):
        return f"{id} {kind} {environ['PATH_INFO']}"

    def everything(self, **values):
        return ",".join(sorted(values))

    def listed(self):
        return [b"a", b"", b"b"]

    def forwarded(self):
        return forward(plain_app)

    def forwarded_with_cookie(self):
        response.set_cookie("seen", "1")
        response.headers["X-Kept"] = "yes"
        return forward(plain_app)

    def forwarded_home(self):
        request.environ["PATH_INFO"] = "/hello/stream"
        return forward(config["app"])

    def stop(self):
        response.set_cookie("seen", "1")
        abort(409, "Nick <ann> is taken")

    def stops_after_an_error(self):
        try:
            raise LookupError
        except LookupError:
            abort(404)

    def away(self):
        redirect(url("item", id=3), code=303)

    def away_to(self):
        redirect_to("item", id=4)

    def where(self):
        return url_for(controller="hello", action="args", id=5) + " " + url("item", id=6)

    def query(self):
        return request.GET["a"] + request.params["a"]

    def tagged(self):
        etag_cache("v1")
        return "content"

    def page(self):
        c.name = "<ann>"
        return render_mako("/hello.mako", {"extra": "&"})

    @jsonify
    def json(self):
        return {"nick": "ä", "n": [1, None]}

    @restrict("GET")
    def only_get(self):
        return "got"

    @dispatch_on(POST="saved")
    def form(self):
        return "form"

    def saved(self):
        return "saved"

    def parts(self):
        return f"{app_globals.title} {config['pylons.package']} {type(cache).__name__}"

    def pushes(self):
        c.mark = "own"
        c._push_object(SimpleNamespace(mark="pushed"))
        marks = [c.mark]
        c._pop_object()
        return ", ".join([*marks, c.mark])

    def lax(self):
        return repr(c.nothing)

    def attached(self, id):
        return c.id

    def keeps(self):
        c.mark = "kept"
        session["n"] = 1
        session.save()
        return c.mark

    def counts(self):
        session["n"] = session.get("n", 0) + 1
        session.save()
        return str(session["n"])

    def registers(self):
        request.environ["paste.registry"].register(url, lambda: "registered")
        return url()

    def objects(self):
        parts = self._py_object
        parts.tmpl_context.seen = parts.request.path
        return f"{c.seen} {type(parts).__mro__[1].__name__} {parts.app_globals.title}"

    def keys(self):
        environ = request.environ
        same = environ["pylons.controller"] is self and environ["pylons.pylons"] is self._py_object
        return (
            f"{same} {environ['pylons.action_method'].__name__} {environ['pylons.environ_config']}"
        )

    def answers_itself(self):
        response.set_cookie("seen", "1")
        response.headers["X-Kept"] = "yes"
        return plain_app(request.environ, self.start_response)

    def answers_itself_in_one(self, start_response):
        start_response("202 Accepted", [("Content-Type", "text/plain")])
        return "whole"

    # Streaming actions

    def stream(self):
        yield ""
        yield "é"
        yield b""
        yield b"!"

    def stream_late(self):
        yield b""
        response.status = 202
        response.headers["X-Late"] = "1"
        response.set_cookie("late", "2")
        yield b""
        yield "done"

    def stream_nothing(self):
        yield b""
        yield b""

    def stream_empty(self):
        yield from ()

    def stream_abort(self):
        try:
            yield b""
            abort(409, "taken")
        finally:
            log.append("closed")

    def stream_abort_at_once(self):
        if request.environ["REQUEST_METHOD"]:
            abort(410, "gone")
        yield b""

    def stream_abort_with_a_stream(self):
        def body():
            try:
                yield b"other"
                yield b"chunks"
            finally:
                log.append("body closed")

        yield b""
        made = body()
        log.append(made)  # so that nothing but `close` ends it
        raise webob.exc.HTTPConflict(app_iter=made)

    def stream_abort_late(self):
        yield b"content"
        abort(409, "too late")

    def stream_fail(self):
        yield b""
        raise ZeroDivisionError("<script>")

    def stream_fail_late(self):
        yield b"content"
        raise ZeroDivisionError

    def stream_wait(self):
        try:
            while True:
                yield b""
        finally:
            log.append(f"closed {request.path}")

    def stream_names(self, id):
        c.id = id
        for _ in range(3):
            yield b""
            yield f"{c.id}={request.path} "

    def stream_session(self):
        session["n"] = session.get("n", 0) + 1
        session.save()
        yield b""
        yield str(session["n"])

    def stream_session_late(self):
        yield b""
        session["n"] = session.get("n", 0) + 1
        session.save()
        yield b""
        yield str(session["n"])

    def stream_session_both(self):
        session["n"] = session.get("n", 0) + 1
        session.save()
        yield b""
        session["n"] += 10
        session.save()
        yield str(session["n"])

    def session_value(self):
        return str(session.get("n"))

    # Slips

    def stream_none(self):
        yield None

    def stream_returns(self):
        yield b""
        return "lost"

    def returns_dict(self):
        return {"a": 1}

    async def coroutine(self):
        return "never"

    def fails(self):
        raise ZeroDivisionError("<script>")
