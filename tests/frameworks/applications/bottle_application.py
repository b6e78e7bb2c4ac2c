"""The contract's application in Bottle."""

from __future__ import annotations

from collections.abc import Iterator

from bottle import Bottle, abort, redirect, request, response

application = Bottle()


@application.get("/hello")
def hello() -> str:
    return f"hello {request.query.getunicode('name') or 'world'}"


@application.post("/form")
def form() -> str:
    return f"{request.forms.getunicode('name')} {request.forms.getunicode('text')}"


@application.post("/upload")
def upload() -> str:
    file = request.files["file"]
    return f"{file.raw_filename} {len(file.file.read())} {request.forms.getunicode('note')}"


@application.get("/stream")
def stream() -> Iterator[str]:
    response.content_type = "text/plain"
    for number in range(1000):
        yield f"line {number}\n"


@application.get("/redirect")
def redirects() -> None:
    redirect("/hello", 302)


@application.get("/cookie")
def cookie() -> str:
    response.set_cookie("seen", "once", httponly=True)
    return request.get_cookie("seen") or "never"


@application.get("/missing")
def missing() -> None:
    abort(404)


@application.get("/error")
def error() -> str:
    raise ValueError("secret")


@application.get("/large")
def large() -> bytes:
    response.content_type = "application/octet-stream"
    return b"x" * 5_000_000


@application.post("/length")
def length() -> str:
    return str(len(request.body.read()))
