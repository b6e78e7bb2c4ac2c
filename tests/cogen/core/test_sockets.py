"""Sockets as operations: what 0.2's tests say of them, and every way in which they end."""

import asyncio
import gc
import io
import os
import socket
import struct
import tempfile
import threading
import unittest

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.schedulers import Scheduler
from cogen.core.sockets import (
    Accept,
    Connect,
    ConnectionClosed,
    IncompleteRead,
    Readable,
    Recv,
    RecvAll,
    Send,
    SendAll,
    SendFile,
    Socket,
    SocketError,
    getdefaulttimeout,
    setdefaulttimeout,
)
from tests.cogen.core.support import CoreCase, LoopThread, OperationCase
from tests.support.cycles import assert_no_cycles

BIG = 10 * 1024 * 1024


def reset(sock):
    """End the connection with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class PairCase(OperationCase):
    """`ours` is a Socket, `theirs` the plain socket at its other end."""

    def setUp(self):
        super().setUp()
        self.ours, self.theirs = self.pair()

    def pair(self):
        listening = socket.create_server(("127.0.0.1", 0))
        theirs = socket.create_connection(listening.getsockname())
        ours = Socket(sock=listening.accept()[0])
        listening.close()
        theirs.setblocking(False)
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        return ours, theirs

    def received(self):
        """What the other end can read by now."""
        data = bytearray()
        while True:
            try:
                block = self.theirs.recv(1 << 20)
            except BlockingIOError:
                return bytes(data)
            if not block:
                return bytes(data)
            data += block


class ReceivingTests(PairCase):
    def test_what_is_there_is_received_at_once(self):
        self.theirs.send(b"hello")
        self.assertEqual(b"he", self.run_(lambda: (yield self.ours.recv(2))))
        self.assertEqual(b"llo", self.run_(lambda: (yield Recv(self.ours))))

    def test_what_comes_later_is_waited_for(self):
        coroutine = self.parked(self.ours.recv(10))
        self.theirs.send(b"later")
        self.assertEqual(b"later", self.ended(coroutine).result())
        self.assert_nothing_is_left()

    def test_a_peer_that_has_closed_is_ConnectionClosed(self):
        coroutine = self.parked(self.ours.recv(10))
        self.theirs.close()
        with self.assertRaisesRegex(ConnectionClosed, "peer has closed"), self.assertLogs():
            self.ended(coroutine).result()

    def test_a_peer_that_resets_is_ConnectionClosed_with_its_errno(self):
        coroutine = self.parked(self.ours.recv(10))
        reset(self.theirs)
        with self.assertRaises(ConnectionClosed) as caught, self.assertLogs():
            self.ended(coroutine).result()
        self.assertEqual("ECONNRESET", errno_name(caught.exception))

    def test_those_who_wait_are_served_in_the_order_they_came(self):
        first, second = self.parked(self.ours.recv(1)), self.parked(self.ours.recv(1))
        self.theirs.send(b"ab")
        self.assertEqual([b"a", b"b"], [self.ended(first).result(), self.ended(second).result()])

    def test_a_timeout_takes_nothing(self):
        @coro
        def impatient():
            try:
                yield self.ours.recv(10, timeout=5)
            except OperationTimeout:
                self.theirs.send(b"kept")
                return (yield self.ours.recv(10))

        self.assertEqual(b"kept", self.run_(impatient))
        self.assert_nothing_is_left()

    def test_settimeout_is_that_of_operations_to_come(self):
        self.assertIsNone(self.ours.gettimeout())
        self.ours.settimeout(3)
        self.assertEqual((3, 7), (self.ours.recv(1).timeout, self.ours.recv(1, timeout=7).timeout))

    def test_setdefaulttimeout_is_that_of_sockets_to_come(self):
        setdefaulttimeout(4)
        self.addCleanup(setdefaulttimeout, None)
        with Socket() as sock:
            self.assertEqual((4, 4), (getdefaulttimeout(), sock.gettimeout()))

    def test_RecvAll_is_exact(self):
        coroutine = self.parked(RecvAll(self.ours, 5))
        for octet in b"hello":
            self.theirs.send(bytes([octet]))
            self.loop.settle()
        self.theirs.send(b"!")
        self.assertEqual(b"hello", self.ended(coroutine).result())

    def test_RecvAll_that_is_left_gives_back_what_has_come(self):
        coroutine = self.parked(RecvAll(self.ours, 5))
        self.theirs.send(b"hell")
        self.loop.settle()
        coroutine.cancel()
        self.ended(coroutine)
        self.theirs.send(b"o")
        self.assertEqual(b"hello", self.run_(lambda: (yield RecvAll(self.ours, 5))))

    def test_RecvAll_whose_peer_ends_tells_what_has_come(self):
        self.theirs.send(b"hell")
        self.theirs.close()
        with self.assertRaises(IncompleteRead) as caught, self.assertLogs():
            self.run_(lambda: (yield RecvAll(self.ours, 5)))
        self.assertEqual(b"hell", caught.exception.partial)

    def test_Readable_takes_nothing(self):
        coroutine = self.parked(Readable(self.ours))
        self.theirs.send(b"x")
        self.assertIsNone(self.ended(coroutine).result())
        self.assertEqual(b"x", self.run_(lambda: (yield self.ours.recv(9))))

    def test_the_loop_watches_no_socket_that_is_ready_and_that_nobody_reads(self):
        coroutine = self.parked(self.ours.recv(1))
        self.theirs.send(b"abc")
        self.ended(coroutine)
        self.assertFalse(self.loop.remove_reader(self.ours.fileno()))


class SendingTests(PairCase):
    def test_all_is_sent_to_one_who_reads_slowly(self):
        data = os.urandom(BIG)
        coroutine = self.parked(self.ours.sendall(data))
        received = bytearray()
        while not coroutine.done:
            received += self.received()
            self.loop.settle()
        received += self.received()
        self.assertEqual(BIG, coroutine.result())
        self.assertEqual(data, bytes(received))
        self.assertFalse(self.loop.remove_writer(self.ours.fileno()))

    def test_send_says_how_many_it_sent(self):
        sent = self.run_(lambda: (yield Send(self.ours, b"x" * BIG)))
        self.assertEqual(sent, len(self.received()))

    def test_two_who_send_do_not_mix(self):
        first, second = (self.parked(SendAll(self.ours, each * BIG)) for each in (b"a", b"b"))
        received = bytearray()
        while not second.done:
            received += self.received()
            self.loop.settle()
        received += self.received()
        self.assertTrue(first.done)
        self.assertEqual(b"a" * BIG + b"b" * BIG, bytes(received))

    def slowly_read(self, **options):
        """Sending to somebody who reads something after four seconds, and again."""
        ours, theirs = socket.socketpair()  # the system takes what is read at once
        self.addCleanup(theirs.close)
        sock = Socket(sock=ours)
        self.addCleanup(sock.close)
        coroutine = self.parked(sock.sendall(b"x" * BIG, timeout=5, **options))
        for _ in range(2):
            self.loop.advance(4)
            theirs.recv(1 << 20)
            self.loop.settle()
        return coroutine

    def test_progress_puts_the_timeout_off(self):
        coroutine = self.slowly_read()
        self.assertFalse(coroutine.done)
        with self.assertLogs(), self.assertRaises(OperationTimeout):
            self.loop.advance(6)
            self.ended(coroutine).result()

    def test_a_strong_timeout_is_not_put_off(self):
        with self.assertLogs(), self.assertRaises(OperationTimeout):
            self.ended(self.slowly_read(weak_timeout=False)).result()

    def test_a_peer_that_is_gone_is_ConnectionClosed(self):
        reset(self.theirs)

        @coro
        def send():
            while True:
                yield self.ours.sendall(b"x")

        with self.assertRaises(ConnectionClosed), self.assertLogs():
            self.run_(send)

    def test_text_is_refused_with_the_remedy(self):
        for method in (self.ours.send, self.ours.sendall):
            with self.assertRaisesRegex(TypeError, r"'hello'\.encode\(\)"):
                method("hello")

    def test_anything_of_bytes_is_sent(self):
        for data in (b"a", bytearray(b"b"), memoryview(b"c")):
            self.assertEqual(1, self.run_(lambda data=data: (yield self.ours.sendall(data))))
        self.assertEqual(b"abc", self.received())


class FileSendingTests(PairCase):
    def sent(self, file, *args, **options):
        coroutine = self.start(coro(lambda: (yield self.ours.sendfile(file, *args, **options))))
        self.loop.settle()
        received = bytearray(self.received())
        while not coroutine.done:
            self.loop.settle()
            received += self.received()
        received += self.received()
        self.assertEqual(len(received), coroutine.result())
        return bytes(received)

    def files(self, data):
        real = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the test)
        self.addCleanup(real.close)
        real.write(data)
        real.seek(0)
        return {"a real file": real, "one in memory": io.BytesIO(data)}

    def test_a_file_is_sent_from_where_it_stands_to_its_end(self):
        data = os.urandom(3 * 1024 * 1024)
        for name, file in self.files(data).items():
            with self.subTest(name):
                file.seek(5)
                self.assertEqual(data[5:], self.sent(file))

    def test_a_part_of_a_file(self):
        for name, file in self.files(b"0123456789").items():
            for blocksize in (0, 1, 3, 4096):
                with self.subTest(name, blocksize=blocksize):
                    self.assertEqual(b"2345", self.sent(file, 2, 4, blocksize))

    def test_a_file_from_its_beginning_wherever_it_stands(self):
        for name, file in self.files(b"0123").items():
            with self.subTest(name):
                file.seek(2)
                self.assertEqual(b"0123", self.sent(file, 0))

    def test_a_file_that_ends_before_its_length(self):
        for name, file in self.files(b"0123").items():
            with self.subTest(name):
                self.assertEqual(b"123", self.sent(file, 1, 100))

    def test_the_operation_by_its_name(self):
        sent = self.run_(lambda: (yield SendFile(io.BytesIO(b"abc"), self.ours)))
        self.assertEqual((3, b"abc"), (sent, self.received()))


class ConnectingTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.listening = Socket()
        self.addCleanup(self.listening.close)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(5)
        self.address = self.listening.getsockname()

    def connected(self, address):
        @coro
        def client():
            sock = Socket()
            connected = yield Connect(sock, address)
            self.assertIs(sock, connected)
            return connected

        @coro
        def server():
            waiting = self.start(client)
            accepted, address = yield Accept(self.listening)
            connected = yield waiting
            self.assertEqual(connected.getsockname(), address)
            yield accepted.sendall(b"hi")
            self.assertEqual(b"hi", (yield connected.recv(2)))
            accepted.close()
            connected.close()
            return "done"

        self.assertEqual("done", self.run_(server))
        self.assert_nothing_is_left()

    def test_accept_and_connect(self):
        self.connected(self.address)

    def test_a_name_is_looked_up(self):
        self.connected(("localhost", self.address[1]))

    def test_nobody_listens(self):
        self.listening.close()
        with Socket() as sock, self.assertLogs(), self.assertRaises(SocketError) as caught:
            self.run_(lambda: (yield sock.connect(self.address)))
        self.assertEqual("ECONNREFUSED", errno_name(caught.exception))
        self.assertIn(str(self.address), str(caught.exception))

    def test_a_name_that_does_not_exist(self):
        with Socket() as sock, self.assertLogs(), self.assertRaisesRegex(SocketError, "nowhere"):
            self.run_(lambda: (yield sock.connect(("nowhere.invalid", 1))))

    def test_a_name_that_cannot_be_one(self):
        for name in ("x" * 70, "a..b"):
            wrong = self.assertRaisesRegex(SocketError, "is no name of a host")
            with self.subTest(name), Socket() as sock, self.assertLogs(), wrong:
                self.run_(lambda name=name, sock=sock: (yield sock.connect((name, 1))))
        with Socket() as sock, self.assertLogs(), self.assertRaises(ValueError):
            self.run_(lambda: (yield sock.connect(("\0", 1))))
        self.assert_nothing_is_left()

    def test_a_name_on_another_loop_than_the_sockets(self):
        other = LoopThread()
        with other, Socket() as sock:
            waiting = other.scheduler.add(coro(lambda: (yield Readable(sock))))
            other.idle()
            sock.writing, sock.reading = sock.reading, None
            with self.assertLogs(), self.assertRaisesRegex(RuntimeError, "another loop"):
                self.run_(lambda: (yield sock.connect(("localhost", self.address[1]))))
            sock.writing, sock.reading = None, sock.writing
            waiting.cancel()
            other.idle()

    def test_a_look_up_that_is_left(self):
        with Socket() as sock:
            coroutine = self.start(coro(lambda: (yield sock.connect(("localhost", 1)))))
            self.loop.call_soon(self.loop.call_soon, coroutine.cancel)
            self.loop.advance(1)
            self.assertIsInstance(coroutine.error, asyncio.CancelledError)
        self.assert_nothing_is_left()

    def test_a_unix_socket(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = folder.name + "/socket"

        @coro
        def both():
            with Socket(socket.AF_UNIX) as listening, Socket(socket.AF_UNIX) as client:
                listening.bind(path)
                listening.listen(1)
                yield client.connect(path)
                accepted, _ = yield listening.accept()
                with accepted:
                    yield client.send(b"x")
                    return (yield accepted.recv(1))

        self.assertEqual(b"x", self.run_(both))

    def test_datagrams(self):
        @coro
        def both():
            with Socket(type=socket.SOCK_DGRAM) as one, Socket(type=socket.SOCK_DGRAM) as other:
                one.bind(("127.0.0.1", 0))
                yield other.connect(one.getsockname())
                yield other.send(b"")
                yield other.send(b"two")
                return [(yield one.recv(10)), (yield one.recv(10))]

        self.assertEqual([b"", b"two"], self.run_(both))


class FileTests(PairCase):
    def setUp(self):
        super().setUp()
        self.file = self.ours.makefile()

    def reads(self, *args, **options):
        return self.run_(lambda: (yield self.file.read(*args, **options)))

    def line(self, *args, **options):
        return self.run_(lambda: (yield self.file.readline(*args, **options)))

    def test_lines_as_0_2_read_them(self):
        self.theirs.send(b"X" * 512 + b"\n" + b"X" * 1024 + b"\n" + (b"X" * 64 + b"\n") * 3)
        self.assertEqual(b"X" * 512 + b"\n", self.line(1024))
        self.assertEqual(b"X" * 512, self.line(512))
        self.assertEqual(b"X" * 512 + b"\n", self.line(1512))
        self.assertEqual([b"X" * 64 + b"\n"] * 3, [self.line(1024) for _ in range(3)])

    def test_a_line_byte_by_byte(self):
        coroutine = self.start(self.file.readline)
        for octet in b"line\nnext":
            self.theirs.send(bytes([octet]))
            self.loop.settle()
        self.assertEqual(b"line\n", self.ended(coroutine).result())
        self.assertEqual(b"next", self.reads(4))

    def test_a_timeout_in_a_line_loses_nothing(self):
        self.theirs.send(b"ha")
        with self.assertRaises(OperationTimeout), self.assertLogs():
            self.line(timeout=1)
        self.theirs.send(b"lf\n")
        self.assertEqual(b"half\n", self.line())

    def test_what_comes_before_the_end_is_read_and_then_it_is_ConnectionClosed(self):
        self.theirs.send(b"a\nb\nc")
        self.theirs.close()
        self.assertEqual([b"a\n", b"b\n", b"c"], self.run_(lambda: (yield self.file.readlines())))
        for read in (self.reads, self.line, lambda: self.reads(3)):
            with self.assertRaises(ConnectionClosed), self.assertLogs():
                read()

    def test_all_until_the_end(self):
        self.theirs.send(b"abc")
        self.theirs.shutdown(socket.SHUT_WR)
        self.assertEqual((b"a", b"bc"), (self.reads(1), self.reads()))

    def test_readlines_up_to_a_hint(self):
        self.theirs.send(b"a\nb\nc\n")
        self.assertEqual([b"a\n", b"b\n"], self.run_(lambda: (yield self.file.readlines(3))))

    def test_iterating_gives_the_lines(self):
        async def lines():
            return [line async for line in self.file]

        self.theirs.send(b"a\nb")
        self.theirs.close()
        self.assertEqual([b"a\n", b"b"], self.run_(lines))

    def test_what_is_written_goes_with_flush(self):
        def write():
            yield self.file.write(b"a")
            yield self.file.writelines([b"b", b"c"])
            before = self.received()
            yield self.file.flush()
            return before, self.received()

        self.assertEqual((b"", b"abc"), self.run_(write))

    def test_unbuffered_and_by_lines(self):
        for bufsize, data, sent in ((0, b"a", b"a"), (1, b"a", b""), (1, b"b\n", b"b\n")):
            file = self.ours.makefile("w", bufsize)
            self.run_(lambda file=file, data=data: (yield file.write(data)))
            self.assertEqual(sent, self.received())

    def test_close_flushes_and_leaves_the_socket_open(self):
        def close():
            yield self.file.write(b"bye")
            yield self.file.close()
            yield self.file.close()

        self.run_(close)
        self.assertTrue(self.file.closed)
        self.assertEqual(b"bye", self.received())
        self.assertGreater(self.ours.fileno(), 0)
        with self.assertRaisesRegex(ValueError, "closed"), self.assertLogs():
            self.reads()


class EndingTests(PairCase):
    def test_closed_while_somebody_waits(self):
        coroutines = [self.parked(self.ours.recv(1)), self.parked(self.ours.sendall(b"x" * BIG))]
        self.ours.close()
        with self.assertLogs():
            self.loop.settle()
        for coroutine in coroutines:
            self.assertIsInstance(coroutine.error, SocketError)
            self.assertIn("the socket was closed", str(coroutine.error))
        self.assert_nothing_is_left()

    def test_used_when_closed(self):
        self.ours.close()
        for operation in (self.ours.recv(1), self.ours.send(b"x"), Readable(self.ours)):
            with self.assertRaisesRegex(SocketError, "is closed"), self.assertLogs():
                self.run_(lambda operation=operation: (yield operation))

    def test_an_operation_says_how_long_it_may_take_and_none_that_may_for_ever(self):
        self.assertRegex(repr(self.ours.recv(1, timeout=3)), "within 3 s>$")
        self.assertNotIn("within", repr(self.ours.recv(1, timeout=-1)))

    def test_detached_it_is_another_ones(self):
        coroutine = self.parked(self.ours.recv(1))
        self.theirs.send(b"x")
        self.ended(coroutine)
        with self.ours.detach() as sock:
            self.assertEqual("<Socket closed>", repr(self.ours))
            self.theirs.send(b"y")
            self.assertEqual(b"y", sock.recv(1))

    def test_one_that_nobody_has_is_closed_though_the_loop_watched_it(self):
        ours, theirs = self.pair()
        coroutine = self.start(coro(lambda sock=ours: (yield sock.recv(1))))
        self.loop.settle()
        theirs.send(b"x")
        self.ended(coroutine)
        descriptor = ours.fileno()
        self._cleanups = [each for each in self._cleanups if each[0] != ours.close]
        with self.assertWarns(ResourceWarning):
            del ours, coroutine
            gc.collect()
        with self.assertRaises(OSError):
            os.fstat(descriptor)

    def test_one_operation_is_for_one_who_waits(self):
        operation = self.ours.recv(1)
        self.parked(operation)
        with self.assertRaisesRegex(RuntimeError, "make one for each"), self.assertLogs():
            self.run_(lambda: (yield operation))

    def test_something_else_than_a_Socket_is_refused(self):
        with self.assertRaisesRegex(TypeError, "is no cogen.core.sockets.Socket"):
            Recv(self.theirs, 1)

    def test_it_never_blocks(self):
        self.ours.setblocking(False)
        with self.assertRaisesRegex(RuntimeError, "never blocks"):
            self.ours.setblocking(True)

    def test_another_loop_is_refused_while_the_first_has_it(self):
        self.parked(self.ours.recv(1))
        with LoopThread() as other, self.assertLogs():
            coroutine = other.start(coro(lambda: (yield self.ours.recv(1))))
            with self.assertRaisesRegex(RuntimeError, "another loop"):
                coroutine.result()

    def test_closed_in_another_thread(self):
        with LoopThread() as other, self.assertLogs():
            coroutine = other.start(coro(lambda: (yield self.ours.recv(1))))
            ended = threading.Event()
            coroutine.add_done_callback(lambda coroutine: ended.set())
            self.ours.close()
            self.assertTrue(ended.wait(10))
            other.idle()
        self.assertEqual(-1, self.ours.fileno())

    def test_what_a_wait_raises_is_freed_at_once(self):
        def wait(operation, act):
            def waiting():
                try:
                    yield operation()
                except (SocketError, OperationTimeout):
                    return "raised"

            def run():
                ours, theirs = socket.socketpair()
                self.sock = Socket(sock=ours)
                coroutine = self.scheduler.add(waiting)
                self.loop.settle()
                act(theirs)
                self.loop.advance(2)
                self.assertEqual("raised", coroutine.result())
                self.sock.close()
                theirs.close()

            return run

        cases = {
            "a timeout": (lambda: self.sock.recv(1, timeout=1), lambda theirs: None),
            "the end": (lambda: self.sock.recv(1), lambda theirs: theirs.close()),
            "closed": (lambda: self.sock.recv(1), lambda theirs: self.sock.close()),
            "a broken pipe": (lambda: self.sock.sendall(b"x" * BIG), lambda theirs: theirs.close()),
        }
        for name, case in cases.items():
            with self.subTest(name):
                assert_no_cycles(self, wait(*case))


class OneDescriptorTests(PairCase):
    """Two Sockets of one socket of the system."""

    def setUp(self):
        super().setUp()
        self.other = Socket(sock=self.ours.socket)

    def receive(self, sock):
        return (yield sock.recv(9))

    def test_the_second_to_wait_is_refused_and_the_first_goes_on(self):
        first = self.start(self.receive, self.ours)
        self.loop.settle()
        with (
            self.assertLogs("cogen.core.coroutines"),
            self.assertRaisesRegex(RuntimeError, r"another Socket of the descriptor \d+ is waited"),
        ):
            self.run_(self.receive, self.other)
        self.theirs.send(b"first")
        self.loop.settle()
        self.assertEqual(b"first", first.result())
        self.assert_nothing_is_left()

    def test_one_that_nobody_waits_for_gives_way(self):
        for sock in (self.ours, self.other, self.ours):
            waiting = self.start(self.receive, sock)
            self.loop.settle()
            self.theirs.send(b"more")
            self.loop.settle()
            self.assertEqual(b"more", waiting.result())
        self.ours.close()
        self.other.close()
        self.assertEqual({}, self.scheduler.watched)


class LoopTests(unittest.TestCase):
    """The same on each of the loops that a scheduler may make."""

    def test_echo(self):
        for proactor in ("asyncio", "uvloop"):
            with self.subTest(proactor):
                self.echo(Scheduler(proactor=proactor))

    def echo(self, scheduler):
        def serve():
            with Socket() as listening:
                listening.bind(("127.0.0.1", 0))
                listening.listen()
                client = scheduler.add(ask, (listening.getsockname(),))
                connection, _ = yield listening.accept()
                with connection:
                    try:
                        while True:
                            yield connection.sendall((yield connection.recv(1 << 16)))
                    except ConnectionClosed:
                        return (yield client)

        def ask(address):
            with Socket() as sock:
                yield sock.connect(address)
                for text in (b"a", b"b" * 70000, b"c"):
                    yield sock.sendall(text)
                    assert (yield RecvAll(sock, len(text))) == text
                try:
                    yield sock.recv(1, timeout=0.01)
                except OperationTimeout:
                    yield Sleep(0)
                return "served"

        server = scheduler.add(serve)
        scheduler.run()
        self.assertEqual("served", server.result())
        scheduler.shutdown()


def errno_name(error):
    import errno

    return errno.errorcode[error.errno]
