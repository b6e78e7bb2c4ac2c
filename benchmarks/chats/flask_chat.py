"""Flask on gevent's pywsgi: `python -m benchmarks.chats.flask_chat PORT`."""

import sys

from flask import Flask, request
from gevent.pywsgi import WSGIServer

from benchmarks.chats import greenlets
from benchmarks.chats.room import JSON, PROBED

__all__ = ["main"]

app = Flask(__name__)


@app.get("/chat/pull/<room>")
def pull(room):
    answer = greenlets.pull(request.args.get("since", type=int))
    return app.response_class(answer, mimetype=JSON)


@app.post("/chat/push/<room>")
def push(room):
    return app.response_class(greenlets.push(request.get_data()), mimetype=JSON)


@app.get("/probe")
def probe():
    return app.response_class(PROBED, mimetype=JSON)


def main():
    address = ("127.0.0.1", int(sys.argv[1]))
    WSGIServer(address, app, backlog=2048, log=None).serve_forever()


if __name__ == "__main__":
    main()
