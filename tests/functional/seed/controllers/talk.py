"""A controller of 2008's shape: a publish/subscribe queue, a client with a queue, push and pull."""

import uuid

from cogen.core import events, queue
from cogen.core.coroutines import coro
from cogen.core.pubsub import PublishSubscribeQueue
from pylons import request, session
from pylons.controllers import WSGIController

pubsub = PublishSubscribeQueue()
clients = {}


class Client:
    def __init__(self):
        self.messages = queue.Queue(10)
        self.dead = False

    @coro
    def watch(self):
        yield pubsub.subscribe()
        while True:
            messages = yield pubsub.fetch()
            try:
                yield self.messages.put_nowait(messages)
            except queue.Full:
                self.dead = True
                break


class TalkController(WSGIController):
    def push(self):
        who = session.get("id", "nobody")
        text = request.body.decode()
        yield request.environ["cogen.call"](pubsub.publish)(f"{who}: {text}")
        yield str(request.environ["cogen.wsgi"].result)

    def shout(self):
        """Publishes as an ordinary view does, which waits for nothing."""
        return str(pubsub.publish_nowait(f"{session.get('id', 'nobody')}: {request.body.decode()}"))

    def pull(self):
        client = clients.get(session.get("id"))
        if client is None or client.dead:
            client = Client()
            session["id"] = uuid.uuid4().hex
            session.save()
            clients[session["id"]] = client
            yield request.environ["cogen.core"].events.AddCoro(client.watch)
        yield request.environ["cogen.call"](client.messages.get)(timeout=10)
        result = request.environ["cogen.wsgi"].result
        if isinstance(result, events.OperationTimeout):
            return
        if isinstance(result, Exception):
            raise result
        yield "{}\r\n".format("\r\n".join(result))

    def cached(self):
        cache = request.environ["beaker.cache"].get_cache("talk")
        return cache.get("made once", createfunc=lambda: uuid.uuid4().hex)

    def stamp(self):
        return request.environ["seed.stamp"]
