"""A bare WSGI application on gevent's pywsgi: `python -m benchmarks.chats.gevent_chat PORT`."""

import sys

from gevent.pywsgi import WSGIServer

from benchmarks.chats import greenlets
from benchmarks.chats.room import JSON, PROBED, since_of

__all__ = ["application", "main"]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/chat/pull/"):
        answer = greenlets.pull(since_of(environ["QUERY_STRING"]))
    elif path.startswith("/chat/push/"):
        answer = greenlets.push(environ["wsgi.input"].read())
    else:
        answer = PROBED
    headers = [("Content-Type", JSON), ("Content-Length", str(len(answer)))]
    start_response("200 OK", headers)
    return [answer]


def main():
    address = ("127.0.0.1", int(sys.argv[1]))
    WSGIServer(address, application, backlog=2048, log=None).serve_forever()


if __name__ == "__main__":
    main()
