"""Views that log in, write, block, wait and stream. Each tells whose request it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.contrib.auth import authenticate, get_user_model, login
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from cogen.core.pubsub import PublishSubscribeQueue
from cogen.web import wait
from tests.frameworks.sites.django_site.models import Note
from tests.support.gate import Gate

gate = Gate()
news = PublishSubscribeQueue()
local = threading.local()


def token(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


def register(request: HttpRequest) -> HttpResponse:
    get_user_model().objects.create_user(request.POST["name"], password=request.POST["password"])
    return HttpResponse("registered")


def enter(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.POST["name"], password=request.POST["password"])
    if user is None:
        return HttpResponse("who?", status=403)
    login(request, user)
    return HttpResponse("welcome")


@login_required
def write(request: HttpRequest) -> JsonResponse:
    Note.objects.create(author=request.user, text=request.POST["text"])
    request.session["written"] = request.session.get("written", 0) + 1
    return notes(request)


@login_required
def notes(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "name": request.user.username,
            "written": request.session["written"],
            "notes": [note.text for note in Note.objects.filter(author=request.user)],
        }
    )


@login_required
def blocks(request: HttpRequest) -> JsonResponse:
    gate.wait()
    return notes(request)


@login_required
def waits(request: HttpRequest) -> JsonResponse:
    """Waits for news, with a connection to the database and a name in a threading.local."""
    local.name = request.user.username
    before = _place()
    wait(news.subscribe)
    (said,) = wait(news.fetch)
    same = _place() == before and local.name == request.user.username
    answer = notes(request)
    answer["X-Said"], answer["X-Same"] = said, str(same)
    return answer


def _place() -> tuple[int, int]:
    """The thread, and its connection to the database."""
    connection.ensure_connection()
    return threading.get_ident(), id(connection.connection)


@login_required
def export(request: HttpRequest) -> StreamingHttpResponse:
    """A row for each note, each of which asks the database who wrote it; and where that was."""

    def rows() -> Iterator[str]:
        for note in Note.objects.iterator(chunk_size=2):
            thread, database = _place()
            yield f"{note.author.username},{note.text},{thread},{database}".ljust(row) + "\n"

    row = int(request.GET.get("row", "0"))
    return StreamingHttpResponse(rows(), content_type="text/csv")


# What the test does in between.


def reached(request: HttpRequest, count: int) -> HttpResponse:
    gate.reached(count)
    return HttpResponse("reached")


def opens(request: HttpRequest) -> HttpResponse:
    gate.open()
    return HttpResponse("open")


def waiting(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.environ["cogen.on_loop"](news.statistics)["fetchers"]))


def tell(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(wait(news.publish, "it rains")))


urlpatterns = [
    path("reached/<int:count>", reached),
    *[
        path(view.__name__, view)
        for view in (
            token, register, enter, write, notes, blocks, waits, export, opens, waiting, tell
        )
    ],
]  # fmt: skip
