"""Streams in memory do what those over a socket do: compared with a pair of TCP."""

import unittest

from cogen.core.coroutines import coro
from cogen.core.descriptors import ConnectionClosed, IncompleteRead, SocketError
from cogen.core.events import AddCoro, OperationTimeout
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from cogen.core.servers import listen_tcp
from cogen.core.streams import connect_tcp
from cogen.testing import FakeClock, memory_streams


@coro
def echo(stream):
    while line := (yield stream.read_line()):
        yield stream.write(line.upper())
    stream.close()


class Connected:
    """What holds of two connected streams, whatever they stand on."""

    def test_what_one_writes_the_other_reads(self):
        def both(near, far):
            yield near.write(b"one\ntwo")
            yield near.write(b"\nthree")
            near.send_eof()
            lines = []
            while not lines or lines[-1]:
                lines.append((yield far.read_line()))
            yield far.write(b"answer")
            return lines, (yield near.read_exactly(6))

        lines = [b"one\n", b"two\n", b"three", b""]
        self.assertEqual((lines, b"answer"), self.run_both(both))

    def test_an_end_is_seen_behind_what_was_written(self):
        def both(near, far):
            yield near.write(b"last")
            near.close()
            read = yield far.read_exactly(4)
            end = yield far.read()
            yield near.wait_closed()
            far.close()
            yield far.wait_closed()
            return read, end

        self.assertEqual((b"last", b""), self.run_both(both))

    def test_who_reads_more_than_comes_is_told(self):
        def both(near, far):
            yield near.write(b"la")
            near.close()
            yield far.read_exactly(4)

        with self.assertRaises(IncompleteRead):
            self.run_both(both)

    def test_one_that_was_closed_here_raises(self):
        def both(near, far):
            near.close()
            yield near.write(b"x")

        with self.assertRaisesRegex(SocketError, "closed on this side"):
            self.run_both(both)

    def test_who_writes_waits_while_nobody_reads(self):
        def both(near, far):
            written = 0
            try:
                while written < 1 << 26:
                    yield near.write(bytes(1 << 16), timeout=0.05)
                    written += 1 << 16
            except OperationTimeout:
                pass
            read = 0
            while read < written:
                read += len((yield far.read()))
            return 0 < written < 1 << 26

        self.assertTrue(self.run_both(both))


class MemoryTests(Connected, unittest.TestCase):
    at_once = 1 << 20

    def setUp(self):
        self.clock = self.enterContext(FakeClock())

    def run_both(self, function):
        return self.clock.run(function, *memory_streams(self.clock.scheduler, self.at_once))

    def test_a_handler_is_tested_without_a_socket(self):
        near, far = memory_streams(self.clock.scheduler, self.at_once)
        handler = self.clock.add(echo, far)

        def client():
            with near:
                yield near.write(b"hello\nyou\n")
                return (yield near.read_line()), (yield near.read_line())

        self.assertEqual((b"HELLO\n", b"YOU\n"), self.clock.run(client))
        self.clock.settle()
        self.assertTrue(handler.done)

    def test_one_that_is_aborted_resets_the_other(self):
        def both(near, far):
            yield near.write(b"x")
            yield far.read()
            near.abort()
            yield far.read()

        with self.assertRaises(ConnectionClosed):
            self.run_both(both)

    def test_an_idle_end_is_told_in_no_time(self):
        near, _ = memory_streams(self.clock.scheduler, idle=3600)

        def waits():
            yield near.read()

        with self.assertRaises(OperationTimeout):
            self.clock.run(waits)


class PiecemealTests(MemoryTests):
    at_once = 999


class TcpTests(Connected, unittest.TestCase):
    def run_both(self, function):
        scheduler = Scheduler(proactor="asyncio")
        self.addCleanup(scheduler.shutdown)

        def program():
            accepted = Queue()

            @coro
            def handler(stream):
                yield accepted.put(stream)
                yield stream.wait_closed()

            with listen_tcp("127.0.0.1", 0) as listener:
                serving = yield AddCoro(listener.serve, (handler,))
                near = yield connect_tcp("127.0.0.1", listener.port)
                far = yield accepted.get()
                try:
                    with near, far:
                        return (yield coro(function)(near, far))
                finally:
                    serving.cancel()

        coroutine = scheduler.add(program)
        coroutine.add_done_callback(lambda _: None)
        scheduler.run()
        return coroutine.result()
