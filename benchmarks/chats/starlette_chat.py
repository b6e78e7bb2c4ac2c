"""Starlette, with its session in a signed cookie, on uvicorn."""

import secrets

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.chats import news
from benchmarks.chats.room import JSON, PROBED

__all__ = ["application"]


async def pull(request):
    join(request.session)
    since = request.query_params.get("since")
    answer = await news.pull(None if since is None else int(since))
    return Response(answer, media_type=JSON)


async def push(request):
    join(request.session)
    return Response(news.push(await request.body()), media_type=JSON)


async def probe(request):
    return Response(PROBED, media_type=JSON)


def join(session):
    if "id" not in session:
        session["id"] = secrets.token_hex(16)
        session["nick"] = "guest-" + session["id"][:4]


application = Starlette(
    routes=[
        Route("/chat/pull/{room}", pull),
        Route("/chat/push/{room}", push, methods=["POST"]),
        Route("/probe", probe),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=secrets.token_hex(32))],
)
