"""Tests an application that waits with WebTest: ten seconds without news take none."""

import unittest

from webtest import TestApp

from cogen.core.events import OperationTimeout
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.testing import Browser, WaitingApp
from cogen.web import wait

news = PublishSubscribeQueue()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["REQUEST_METHOD"] == "POST":
        return [b"told %d" % news.publish_nowait(environ["wsgi.input"].read())]
    wait(news.subscribe)
    try:
        return [b"\n".join(wait(news.fetch, timeout=10))]
    except OperationTimeout:
        return [b"no news"]


class NewsTests(unittest.TestCase):
    def setUp(self):
        self.waiting = self.enterContext(WaitingApp(application))
        self.app = TestApp(self.waiting)

    def test_nobody_publishes(self):
        self.assertEqual("no news", self.app.get("/").text)

    def test_one_waits_and_another_publishes(self):
        held = Browser(self.waiting.server).begin("GET", "/")
        self.assertEqual("told 1", self.app.post("/", "it rains").text)
        self.assertEqual(b"it rains", held.look().body)
