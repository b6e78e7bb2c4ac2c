"""Servers of streams, on both loops: handlers of each kind, limits, ends, TLS."""

import asyncio
import contextlib
import gc
import os
import resource
import socket
import ssl
import tempfile
import unittest

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.chat import free_port
from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.schedulers import Scheduler
from cogen.core.servers import listen_tcp, listen_unix, serve_tcp, serve_unix
from cogen.core.sockets import SocketError
from cogen.core.streams import IdleTimeout, connect_tcp, connect_unix

BIG = 10 * 1024 * 1024


class ServerCase(unittest.TestCase):
    """A scheduler on a real loop; `proactor` says whose."""

    proactor = "asyncio"

    def setUp(self):
        self.scheduler = Scheduler(proactor=self.proactor)
        self.addCleanup(self.scheduler.shutdown)
        self.before = sockets_open()

    def run_(self, function):
        """Run a generator function to its end: nothing is left of it."""
        coroutine = self.scheduler.add(coro(function))
        self.scheduler.loop.call_later(20, self.scheduler.loop.stop)
        self.scheduler.run()
        self.assertEqual(0, self.scheduler.statistics()["deadlines"])
        self.assertEqual(self.before, sockets_open())
        return coroutine.result()

    def serve(self, listener, handler, **options):
        return self.scheduler.add(listener.serve, (handler,), options)


def sockets_open():
    """How many this process has; what a loop opens for itself is of another kind."""
    gc.collect()
    found = 0
    for each in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing
            found += os.readlink(f"/proc/self/fd/{each}").startswith("socket:")
    return found


def echo(stream):
    while line := (yield stream.read_line()):
        yield stream.write(line)


async def async_echo(stream):
    async for line in stream:
        await stream.write(line)


def ended(server):
    """Cancel it and wait for its end."""
    server.cancel()
    try:
        yield server
    except asyncio.CancelledError:
        return "cancelled"


class ServerTests(ServerCase):
    def test_handlers_of_each_kind(self):
        @corolet
        def straight_echo(stream):
            while line := wait(stream.read_line()):
                wait(stream.write(line))

        def one_write(stream):
            return stream.write(b"hi\n")

        def main():
            answers = []
            for handler in (echo, async_echo, coro(echo), straight_echo, one_write):
                listener = listen_tcp("127.0.0.1", 0)
                server = self.serve(listener, handler)
                with (yield connect_tcp("127.0.0.1", listener.port)) as stream:
                    yield stream.write(b"hi\n")
                    answers.append((yield stream.read_line()))
                yield from ended(server)
            return answers

        self.assertEqual([b"hi\n"] * 5, self.run_(main))

    def test_serve_tcp_and_serve_unix_listen_themselves(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = folder.name + "/echo"
        port = free_port()

        def main():
            answers = []
            for serve, where, connect in (
                (serve_tcp, ("127.0.0.1", port), connect_tcp),
                (serve_unix, (path,), connect_unix),
            ):
                server = self.scheduler.add(serve, (echo, *where))
                yield Sleep(0.01)
                with (yield connect(*where)) as stream:
                    yield stream.write(b"x")
                    stream.send_eof()
                    answers.append((yield stream.read_exactly(1)))
                yield from ended(server)
            return answers, os.path.exists(path)

        self.assertEqual(([b"x", b"x"], False), self.run_(main))

    def test_a_handler_that_fails_ends_its_own_connection_and_is_logged_once(self):
        def handler(stream):
            if (yield stream.read_line()) == b"fail\n":
                raise ValueError("a slip")
            yield stream.write(b"well\n")

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler)
            answers = []
            for text in (b"fail\n", b"work\n"):
                with (yield connect_tcp("127.0.0.1", listener.port)) as stream:
                    yield stream.write(text)
                    answers.append((yield stream.read()))
                    where = stream.get_extra_info("sockname")[1]
                    if text == b"fail\n":
                        self.failed = f"127.0.0.1:{where}"
            yield from ended(server)
            return answers

        with self.assertLogs("cogen", "ERROR") as logs:
            self.assertEqual([b"", b"well\n"], self.run_(main))
        self.assertEqual(1, len(logs.records), logs.output)
        self.assertIn(f"the handler of {self.failed} failed: ValueError('a slip')", logs.output[0])

    def test_a_peer_that_resets_is_no_error(self):
        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, echo)
            for early in (True, False):
                stream = yield connect_tcp("127.0.0.1", listener.port)
                if not early:
                    yield stream.write(b"x\n")
                    yield stream.read_line()
                sock = stream.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                stream.abort()
                yield stream.wait_closed()
            yield Sleep(0.02)
            yield from ended(server)

        with self.assertNoLogs("cogen", "WARNING"):
            self.run_(main)

    def test_cancelled_every_finally_runs_and_what_it_writes_arrives(self):
        ended_handlers = []

        def handler(stream):
            try:
                yield stream.read()
            finally:
                yield stream.write(b"bye")
                ended_handlers.append(stream)

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler)
            streams = []
            for _ in range(20):
                streams.append((yield connect_tcp("127.0.0.1", listener.port)))
            yield Sleep(0.05)
            how = yield from ended(server)
            count = len(ended_handlers)
            ended_handlers.clear()
            answers = set()
            for stream in streams:
                with stream:
                    answers.add((yield stream.read()))
            return how, count, answers

        self.assertEqual(("cancelled", 20, {b"bye"}), self.run_(main))

    def test_a_peer_that_takes_nothing_does_not_hold_up_the_end(self):
        def handler(stream):
            yield stream.write(b"x" * BIG)

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler)
            with socket.create_connection(("127.0.0.1", listener.port)):
                yield Sleep(0.05)
                return (yield from ended(server))

        self.assertEqual("cancelled", self.run_(main))

    def test_more_than_the_limit_wait_until_somebody_ends(self):
        running = []

        def handler(stream):
            running.append(len(running) + 1)
            yield stream.write(b"hello\n")
            yield stream.read()
            running.pop()

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler, limit=2)
            streams = []
            for _ in range(3):
                streams.append((yield connect_tcp("127.0.0.1", listener.port)))
            for stream in streams[:2]:
                yield stream.read_line()
            with self.assertRaises(OperationTimeout):
                yield streams[2].read_line(timeout=0.02)
            most = max(running)
            streams[0].close()
            line = yield streams[2].read_line()
            for stream in streams:
                stream.close()
            yield from ended(server)
            return most, line

        self.assertEqual((2, b"hello\n"), self.run_(main))

    def test_the_idle_are_told(self):
        def handler(stream):
            try:
                yield stream.read_line()
            except IdleTimeout:
                yield stream.write(b"your time is up\n")

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler, idle=0.02)
            with (yield connect_tcp("127.0.0.1", listener.port)) as stream:
                line = yield stream.read_line()
            yield from ended(server)
            return line

        self.assertEqual(b"your time is up\n", self.run_(main))

    def test_a_schedulers_default_timeout_is_not_that_of_a_server(self):
        self.scheduler = Scheduler(proactor=self.proactor, default_timeout=0.05)
        self.addCleanup(self.scheduler.shutdown)
        self.before = sockets_open()

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, echo, limit=1)
            yield Sleep(0.2)
            with (yield connect_tcp("127.0.0.1", listener.port)) as stream:
                yield stream.write(b"x\n")
                line = yield stream.read_line()
            yield from ended(server)
            return line

        self.assertEqual(b"x\n", self.run_(main))

    def test_without_descriptors_it_waits_and_says_so_once(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, echo)
            yield Sleep(0.01)
            client = socket.socket()
            highest = max(map(int, os.listdir("/proc/self/fd")))
            fillers = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 10, hard))
            with contextlib.suppress(OSError):
                while True:
                    fillers.append(os.open("/dev/null", os.O_RDONLY))
            client.connect(("127.0.0.1", listener.port))
            yield Sleep(0.05)
            for each in fillers:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            client.sendall(b"late\n")
            client.setblocking(False)
            line = yield self.scheduler.loop.sock_recv(client, 10)
            client.close()
            yield from ended(server)
            return line

        with self.assertLogs("cogen.core.servers", "ERROR") as logs:
            self.assertEqual(b"late\n", self.run_(main))
        self.assertEqual(1, len(logs.records))
        self.assertIn("connections at 127.0.0.1", logs.output[0])

    def test_a_listener_that_is_closed_takes_no_more_and_the_others_go_on(self):
        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, echo)
            with (yield connect_tcp("127.0.0.1", listener.port)) as stream:
                yield stream.write(b"a\n")
                yield stream.read_line()
                port = listener.port
                listener.close()
                with self.assertRaisesRegex(SocketError, f"127.0.0.1:{port}"):
                    yield connect_tcp("127.0.0.1", port)
                yield stream.write(b"b\n")
                line = yield stream.read_line()
            yield server
            return line, repr(listener)

        self.assertEqual((b"b\n", "<Listener closed>"), self.run_(main))

    def test_a_Unix_socket_that_lives_is_not_taken_and_a_dead_one_is(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = folder.name + "/socket"
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(path)
        dead.close()
        in_use = self.assertRaisesRegex(SocketError, "cannot listen at .*in use")
        with listen_unix(path), in_use:
            listen_unix(path)
        self.assertFalse(os.path.exists(path))
        with open(path, "w"), self.assertRaisesRegex(SocketError, "no socket"):
            listen_unix(path)

    def test_a_port_that_is_taken(self):
        in_use = self.assertRaisesRegex(SocketError, "cannot listen at 127.0.0.1.*in use")
        with listen_tcp("127.0.0.1", 0) as listener, in_use:
            listen_tcp("127.0.0.1", listener.port)

    def test_a_handler_that_is_no_function(self):
        with listen_tcp("127.0.0.1", 0) as listener, self.assertLogs():
            server = self.serve(listener, "echo")
            self.scheduler.loop.call_later(20, self.scheduler.stop)
            self.scheduler.run()
        with self.assertRaisesRegex(TypeError, "a function that takes a Stream, not 'echo'"):
            server.result()

    def test_a_limit_that_makes_no_sense(self):
        with listen_tcp("127.0.0.1", 0) as listener, self.assertLogs():
            server = self.serve(listener, echo, limit=0)
            self.scheduler.run()
        with self.assertRaisesRegex(ValueError, "limit must be 1 or more"):
            server.result()

    def test_a_connection_that_is_given_up_leaves_nothing(self):
        def main():
            with listen_tcp("127.0.0.1", 0) as listener:
                for turns in range(6):
                    connecting = self.scheduler.add(
                        coro(lambda: (yield connect_tcp("127.0.0.1", listener.port)))
                    )
                    for _ in range(turns):
                        yield
                    connecting.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        (yield connecting).abort()
                    yield Sleep(0.01)

        self.run_(main)


class UvloopTests(ServerTests):
    """All of it on the other loop."""

    proactor = "uvloop"


class TLSTests(ServerCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        cert, key = certificate_files(folder.name)
        self.server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_side.load_cert_chain(cert, key)
        self.client_side = ssl.create_default_context(cafile=cert)
        super().setUp()

    def connected(self, talk, handler=echo):
        def main():
            listener = listen_tcp("127.0.0.1", 0)
            server = self.serve(listener, handler, tls=self.server_side)
            try:
                return (yield talk(listener.port))
            finally:
                yield from ended(server)

        return self.run_(main)

    def test_echo(self):
        @coro
        def talk(port):
            with (yield connect_tcp("localhost", port, tls=self.client_side)) as stream:
                yield stream.write(b"secret\n" * 100000)
                answer = yield stream.read_exactly(700000)
                with self.assertRaisesRegex(RuntimeError, "closed for writing alone"):
                    stream.send_eof()
            yield stream.wait_closed()
            return answer

        self.assertEqual(b"secret\n" * 100000, self.connected(talk))

    def test_a_certificate_that_nobody_trusts(self):
        @coro
        def talk(port):
            with self.assertRaises(ssl.SSLCertVerificationError):
                yield connect_tcp("localhost", port, tls=True)
            return "refused"

        with self.assertNoLogs("cogen", "WARNING"):
            self.assertEqual("refused", self.connected(talk))

    def test_a_peer_that_speaks_no_TLS_or_goes_in_the_handshake(self):
        @coro
        def talk(port):
            for text in (b"GET / HTTP/1.0\r\n\r\n", b""):
                with (yield connect_tcp("localhost", port)) as stream:
                    yield stream.write(text)
                    if text:
                        yield stream.read()
            yield Sleep(0.02)
            with (yield connect_tcp("localhost", port, tls=self.client_side)) as stream:
                yield stream.write(b"fine\n")
                return (yield stream.read_line())

        with self.assertNoLogs("cogen", "WARNING"):
            self.assertEqual(b"fine\n", self.connected(talk))


class UvloopTLSTests(TLSTests):
    """All of it on the other loop."""

    proactor = "uvloop"
