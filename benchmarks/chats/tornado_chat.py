"""tornado: `python -m benchmarks.chats.tornado_chat PORT`."""

import asyncio
import sys

from tornado.web import Application, RequestHandler

from benchmarks.chats import news
from benchmarks.chats.room import JSON, PROBED

__all__ = ["main"]


class Pull(RequestHandler):
    async def get(self, room):
        since = self.get_query_argument("since", None)
        answer = await news.pull(None if since is None else int(since))
        self.set_header("Content-Type", JSON)
        self.write(answer)


class Push(RequestHandler):
    def post(self, room):
        self.set_header("Content-Type", JSON)
        self.write(news.push(self.request.body))


class Probe(RequestHandler):
    def get(self):
        self.set_header("Content-Type", JSON)
        self.write(PROBED)


async def serve(port):
    routes = [(r"/chat/pull/(\w+)", Pull), (r"/chat/push/(\w+)", Push), (r"/probe", Probe)]
    application = Application(routes, log_function=lambda handler: None)
    application.listen(port, "127.0.0.1", backlog=2048)
    await asyncio.Event().wait()


def main():
    asyncio.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
