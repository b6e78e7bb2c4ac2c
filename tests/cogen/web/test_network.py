"""Requests that talk to another server: by yield and in straight-line code, in both modes."""

import asyncio
import socket
import threading
import unittest

from webtest import TestApp

from cogen.core.processes import run
from cogen.core.sockets import Socket
from cogen.core.streams import connect_tcp
from cogen.testing import WaitingApp
from cogen.web import wait
from cogen.web.options import Options

PLAIN = [("Content-Type", "text/plain")]


def echo_server(listening):
    """Answers one line of each client, until the socket is shut down."""
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        with client, client.makefile("rb") as lines:
            client.sendall(lines.readline().upper())


class NetworkTests(unittest.TestCase):
    threads = "0"

    def setUp(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        answering = threading.Thread(target=echo_server, args=(self.listening,))
        answering.start()
        self.addCleanup(self.listening.close)
        self.addCleanup(answering.join)
        self.addCleanup(self.listening.shutdown, socket.SHUT_RDWR)

    def answer(self, application):
        loop = asyncio.SelectorEventLoop()
        self.addCleanup(loop.close)
        with WaitingApp(application, Options(threads=self.threads), loop=loop) as waiting:
            return TestApp(waiting).get("/").text

    def test_yielded(self):
        def application(environ, start_response):
            call, result = environ["cogen.call"], environ["cogen.wsgi"]
            yield call(connect_tcp)("127.0.0.1", self.port)
            with result.result as stream:
                yield call(stream.write)(b"yielded\n")
                yield call(stream.read_line)()
                line = result.result
            start_response("200 OK", PLAIN)
            yield line

        self.assertEqual("YIELDED\n", self.answer(application))

    def test_in_straight_line(self):
        def application(environ, start_response):
            with wait(connect_tcp("127.0.0.1", self.port)) as stream:
                wait(stream.write(b"straight\n"))
                line = wait(stream.read_line(timeout=10))
            start_response("200 OK", PLAIN)
            return [line]

        self.assertEqual("STRAIGHT\n", self.answer(application))

    def test_a_socket_of_0_2(self):
        def application(environ, start_response):
            with Socket() as sock:
                wait(sock.connect(("127.0.0.1", self.port)))
                wait(sock.sendall(b"socket\n"))
                line = wait(sock.makefile().readline())
            start_response("200 OK", PLAIN)
            return [line]

        self.assertEqual("SOCKET\n", self.answer(application))

    def test_a_program(self):
        def application(environ, start_response):
            done = wait(run(["sort"], input=b"b\na\n"))
            start_response("200 OK", PLAIN)
            return [done.stdout]

        self.assertEqual("a\nb\n", self.answer(application))


class ThreadsTests(NetworkTests):
    """The application runs in threads."""

    threads = "2"
