"""The contract's application in Flask."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Flask, Response, abort, make_response, redirect, request

from cogen.core.events import WaitForSignal

application = Flask(__name__)


@application.get("/hello")
def hello() -> str:
    return f"hello {request.args.get('name', 'world')}"


@application.post("/form")
def form() -> str:
    return f"{request.form['name']} {request.form['text']}"


@application.post("/upload")
def upload() -> str:
    file = request.files["file"]
    return f"{file.filename} {len(file.read())} {request.form['note']}"


@application.get("/stream")
def stream() -> Response:
    return Response((f"line {number}\n" for number in range(1000)), mimetype="text/plain")


@application.get("/redirect")
def redirects() -> Response:
    return redirect("/hello")


@application.get("/cookie")
def cookie() -> Response:
    response = make_response(request.cookies.get("seen", "never"))
    response.set_cookie("seen", "once", httponly=True)
    return response


@application.get("/missing")
def missing() -> str:
    abort(404)


@application.get("/error")
def error() -> str:
    raise ValueError("secret")


@application.get("/large")
def large() -> Response:
    return Response(b"x" * 5_000_000, mimetype="application/octet-stream")


@application.get("/blocks")
def blocks() -> str:
    time.sleep(1)  # blocks
    return "well"


@application.get("/held")
def held() -> Response:
    call = request.environ["cogen.call"]

    def chunks() -> Iterator[bytes]:
        yield b"begun"
        yield call(WaitForSignal)("never")  # held

    return Response(chunks())


@application.get("/waits")
def waits() -> str:
    request.environ["cogen.wait"](WaitForSignal("never"))  # waits
    return "never"


@application.post("/length")
def length() -> str:
    return str(len(request.get_data()))
