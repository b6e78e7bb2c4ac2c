"""The contract's application in Pyramid."""

from __future__ import annotations

from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response


def hello(request: Request) -> Response:
    return Response(f"hello {request.params.get('name', 'world')}")


def form(request: Request) -> Response:
    return Response(f"{request.POST['name']} {request.POST['text']}")


def upload(request: Request) -> Response:
    file = request.POST["file"]
    return Response(f"{file.filename} {len(file.file.read())} {request.POST['note']}")


def stream(request: Request) -> Response:
    return Response(app_iter=(b"line %d\n" % number for number in range(1000)))


def redirect(request: Request) -> Response:
    raise HTTPFound("/hello")


def cookie(request: Request) -> Response:
    response = Response(request.cookies.get("seen", "never"))
    response.set_cookie("seen", "once", httponly=True)
    return response


def error(request: Request) -> Response:
    raise ValueError("secret")


def large(request: Request) -> Response:
    return Response(b"x" * 5_000_000)


def length(request: Request) -> Response:
    return Response(str(len(request.body)))


_VIEWS: tuple[Callable[[Request], Response], ...] = (
    hello, form, upload, stream, redirect, cookie, error, large, length,
)  # fmt: skip

with Configurator() as _config:
    for _view in _VIEWS:
        _config.add_route(_view.__name__, f"/{_view.__name__}")
        _config.add_view(_view, route_name=_view.__name__)
    application = _config.make_wsgi_app()
