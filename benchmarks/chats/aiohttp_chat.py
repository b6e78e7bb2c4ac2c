"""aiohttp on uvloop: `python -m benchmarks.chats.aiohttp_chat PORT`."""

import sys

import uvloop
from aiohttp import web

from benchmarks.chats import news
from benchmarks.chats.room import JSON, PROBED

__all__ = ["main"]


async def pull(request):
    since = request.query.get("since")
    answer = await news.pull(None if since is None else int(since))
    return web.Response(body=answer, content_type=JSON)


async def push(request):
    return web.Response(body=news.push(await request.read()), content_type=JSON)


async def probe(request):
    return web.Response(body=PROBED, content_type=JSON)


def main():
    app = web.Application()
    app.router.add_get("/chat/pull/{room}", pull)
    app.router.add_post("/chat/push/{room}", push)
    app.router.add_get("/probe", probe)
    web.run_app(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, backlog=2048, print=None,
        loop=uvloop.new_event_loop(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
