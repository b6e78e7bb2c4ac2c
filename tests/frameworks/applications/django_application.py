"""The contract's application in Django."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path

from cogen.core.events import WaitForSignal

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="for tests",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.GET.get('name', 'world')}")


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.POST['name']} {request.POST['text']}")


def upload(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    return HttpResponse(f"{file.name} {len(file.read())} {request.POST['note']}")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"line {number}\n" for number in range(1000))


def redirect(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/hello")


def cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(request.COOKIES.get("seen", "never"))
    response.set_cookie("seen", "once", httponly=True)
    return response


def error(request: HttpRequest) -> HttpResponse:
    raise ValueError("secret")


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"x" * 5_000_000)


def blocks(request: HttpRequest) -> HttpResponse:
    time.sleep(1)  # blocks
    return HttpResponse("well")


def held(request: HttpRequest) -> StreamingHttpResponse:
    call = request.environ["cogen.call"]

    def chunks() -> Iterator[bytes]:
        yield b"begun"
        yield call(WaitForSignal)("never")  # held

    return StreamingHttpResponse(chunks())


def waits(request: HttpRequest) -> HttpResponse:
    request.environ["cogen.wait"](WaitForSignal("never"))  # waits
    return HttpResponse("never")


def length(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


urlpatterns = [
    path(view.__name__, view)
    for view in (
        hello,
        form,
        upload,
        stream,
        redirect,
        cookie,
        error,
        large,
        blocks,
        held,
        waits,
        length,
    )
]

application = get_wsgi_application()
