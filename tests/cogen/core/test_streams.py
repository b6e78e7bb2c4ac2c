"""Streams: what comes, what goes, and every way in which a connection ends."""

import contextlib
import os
import socket
import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.schedulers import Scheduler
from cogen.core.sockets import ConnectionClosed, IncompleteRead, SocketError
from cogen.core.streams import IdleTimeout, LineTooLong, Stream
from cogen.testing.memory import MemoryTransport
from tests.cogen.core.support import CoreCase, LoopThread, OperationCase
from tests.cogen.core.test_sockets import reset
from tests.support.cycles import assert_no_cycles

BIG = 10 * 1024 * 1024


class StreamCase(OperationCase):
    """`ours` is a Stream on the loop with the fake clock, `theirs` the plain socket opposite."""

    def setUp(self):
        super().setUp()
        self.ours, self.theirs = self.pair()

    def pair(self, idle=None):
        listening = socket.create_server(("127.0.0.1", 0))
        theirs = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
        listening.close()
        theirs.setblocking(False)
        self.addCleanup(theirs.close)
        _, ours = self.loop.run_until_complete(
            self.loop.connect_accepted_socket(lambda: Stream(self.scheduler, idle), accepted)
        )
        self.addCleanup(self.loop.settle)
        self.addCleanup(ours.abort)
        return ours, theirs

    def waits(self, operation):
        return self.run_(lambda: (yield operation))

    @contextlib.contextmanager
    def dying(self, error, text=""):
        with (
            self.assertLogs("cogen.core.coroutines"),
            self.assertRaisesRegex(error, text) as caught,
        ):
            yield caught

    def received(self):
        data = bytearray()
        with contextlib.suppress(BlockingIOError):
            while block := self.theirs.recv(1 << 20):
                data += block
        return bytes(data)


class ReadingTests(StreamCase):
    def test_a_read_says_how_long_it_may_take_and_none_that_may_for_ever(self):
        self.assertRegex(repr(self.ours.read_line(timeout=3)), "within 3 s>$")
        self.assertNotIn("within", repr(self.ours.read_line(timeout=-1)))

    def test_each_read_gets_what_it_is_for(self):
        self.theirs.send(b"ab\ncdefgh--ij\nk")
        self.theirs.shutdown(socket.SHUT_WR)
        self.loop.settle()
        self.assertEqual(b"ab\n", self.waits(self.ours.read_line()))
        self.assertEqual(b"cd", self.waits(self.ours.read_exactly(2)))
        self.assertEqual(b"ef", self.waits(self.ours.read(2)))
        self.assertEqual(b"gh--", self.waits(self.ours.read_until(b"--")))
        self.assertEqual(b"ij\n", self.waits(self.ours.read_line()))
        self.assertEqual(b"k", self.waits(self.ours.read_line()))
        for end in (self.ours.read_line(), self.ours.read()):
            self.assertEqual(b"", self.waits(end))

    def test_byte_by_byte(self):
        for operation, result in (
            (self.ours.read_line(), b"line\r\n"),
            (self.ours.read_exactly(5), b"exact"),
            (self.ours.read_until(b"-=-"), b"un-=til-=-"),
        ):
            coroutine = self.parked(operation)
            for octet in result:
                self.assertFalse(coroutine.done)
                self.theirs.send(bytes([octet]))
                self.loop.settle()
            self.assertEqual(result, self.ended(coroutine).result())

    def test_the_end_within_an_exact_read_tells_what_has_come(self):
        for operation in (self.ours.read_exactly(5), self.ours.read_until(b"\n")):
            ours, theirs = self.pair()
            operation.stream = ours
            coroutine = self.parked(operation)
            theirs.send(b"par")
            self.loop.settle()
            theirs.close()
            with self.dying(IncompleteRead, "after 3 bytes") as caught:
                self.ended(coroutine).result()
            self.assertEqual(b"par", caught.exception.partial)

    def test_a_line_that_is_too_long_stays_unread(self):
        self.theirs.send(b"x" * 11)
        self.loop.settle()
        with self.dying(LineTooLong, "in 10 bytes"):
            self.waits(self.ours.read_line(limit=10))
        self.assertEqual(b"x" * 11, self.waits(self.ours.read()))

    def test_a_line_that_becomes_too_long_while_it_is_waited_for(self):
        coroutine = self.parked(self.ours.read_line(limit=10))
        self.theirs.send(b"x" * 11 + b"\n")
        with self.dying(LineTooLong):
            self.ended(coroutine).result()

    def test_a_line_of_just_the_limit(self):
        self.theirs.send(b"123456789\nx")
        self.assertEqual(b"123456789\n", self.waits(self.ours.read_line(limit=10)))

    def test_what_was_not_handed_over_stays(self):
        def hasty():
            with contextlib.suppress(OperationTimeout):
                yield self.ours.read_line(timeout=1)

        self.theirs.send(b"ha")
        self.run_(hasty)
        cancelled = self.parked(self.ours.read_line())
        cancelled.cancel()
        self.ended(cancelled)
        self.theirs.send(b"lf\n")
        self.assertEqual(b"half\n", self.waits(self.ours.read_line()))

    def test_what_nobody_reads_stays_with_the_peer(self):
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += self.theirs.send(b"x" * 65536)
                self.loop.settle()
        self.assertLess(len(self.ours._buffer), 1 << 20)
        self.theirs.setblocking(True)
        self.theirs.shutdown(socket.SHUT_WR)

        async def count():
            total = 0
            while data := await self.ours.read():
                total += len(data)
            return total

        self.assertEqual(sent, self.run_(count))

    def test_a_peer_that_resets(self):
        for operation in (self.ours.read(), self.ours.read_line(), self.ours.read_exactly(3)):
            ours, theirs = self.pair()
            operation.stream = ours
            coroutine = self.parked(operation)
            theirs.send(b"x\n"[: 1 if operation.__class__.__name__ != "ReadSome" else 0])
            self.loop.settle()
            reset(theirs)
            with self.dying(ConnectionClosed, "reset"):
                self.ended(coroutine).result()

    def test_what_came_before_a_reset_is_read_first(self):
        self.theirs.send(b"line\n")
        self.loop.settle()
        reset(self.theirs)
        self.loop.settle()
        self.assertEqual(b"line\n", self.waits(self.ours.read_line()))
        with self.dying(ConnectionClosed):
            self.waits(self.ours.read_line())

    def test_one_reads_at_a_time(self):
        self.parked(self.ours.read())
        with self.dying(RuntimeError, "let one coroutine read"):
            self.waits(self.ours.read())

    def test_iterating_gives_lines(self):
        async def lines():
            return [line async for line in self.ours]

        self.theirs.send(b"a\nb")
        self.theirs.shutdown(socket.SHUT_WR)
        self.assertEqual([b"a\n", b"b"], self.run_(lines))

    def test_sizes_that_make_no_sense(self):
        for make in (self.ours.read, self.ours.read_exactly, self.ours.read_line):
            with self.assertRaisesRegex(ValueError, "must be 1 or more bytes, not 0"):
                make(0)
        with self.assertRaisesRegex(ValueError, "must not be empty"):
            self.ours.read_until(b"")


class IdleTests(StreamCase):
    def setUp(self):
        super().setUp()
        self.ours, self.theirs = self.pair(idle=10)

    def test_bytes_put_it_off(self):
        coroutine = self.parked(self.ours.read_line())
        for _ in range(3):
            self.loop.advance(9)
            self.theirs.send(b"x")
            self.loop.settle()
        self.assertFalse(coroutine.done)
        with self.dying(IdleTimeout, "ReadLine"):
            self.loop.advance(11)
            self.ended(coroutine).result()
        self.assertEqual(b"xxx", self.waits(self.ours.read()))

    def test_a_timeout_of_the_operation_is_for_all_of_it(self):
        coroutine = self.parked(self.ours.read_line(timeout=12))
        self.loop.advance(9)
        self.theirs.send(b"x")
        with self.assertLogs():
            self.loop.advance(4)
        self.assertIs(OperationTimeout, type(coroutine.error))

    def test_a_write_that_goes_on_is_not_idle(self):
        coroutine = self.parked(self.ours.write(b"x" * 4 * BIG))
        for _ in range(3):
            self.loop.advance(9)
            self.assertTrue(self.received())
            self.loop.settle()
        self.assertFalse(coroutine.done)
        with self.dying(IdleTimeout, "Write"):
            self.loop.advance(21)
            self.ended(coroutine).result()


class WritingTests(StreamCase):
    def test_all_arrives_at_one_who_reads_slowly(self):
        data = os.urandom(BIG)
        coroutine = self.parked(self.ours.write(data))
        received = bytearray()
        while len(received) < BIG:
            received += self.received()
            self.loop.settle()
        self.assertEqual(data, bytes(received))
        self.assertIsNone(coroutine.result())

    def test_those_who_write_do_not_mix(self):
        first, second = (self.parked(self.ours.write(each * BIG)) for each in (b"a", b"b"))
        received = bytearray()
        while len(received) < 2 * BIG:
            received += self.received()
            self.loop.settle()
        self.assertTrue(first.done and second.done)
        self.assertEqual(b"a" * BIG + b"b" * BIG, bytes(received))

    def test_a_peer_that_resets_while_somebody_writes(self):
        coroutine = self.parked(self.ours.write(b"x" * BIG))
        reset(self.theirs)
        with self.dying(ConnectionClosed):
            self.ended(coroutine).result()

    def test_a_write_after_a_reset(self):
        reset(self.theirs)
        self.loop.settle()
        with self.dying(ConnectionClosed):
            self.waits(self.ours.write(b"x"))

    def test_a_half_closed_connection_is_still_written_to(self):
        self.theirs.shutdown(socket.SHUT_WR)
        self.assertEqual(b"", self.waits(self.ours.read()))
        self.waits(self.ours.write(b"still"))
        self.assertEqual(b"still", self.received())

    def test_closed_for_writing_it_is_still_read(self):
        self.waits(self.ours.write(b"bye"))
        self.ours.send_eof()
        self.assertEqual(b"bye", self.received())
        self.theirs.send(b"answer")
        self.assertEqual(b"answer", self.waits(self.ours.read()))
        self.theirs.close()
        self.assertIsNone(self.waits(self.ours.wait_closed()))

    def test_text_is_refused(self):
        with self.assertRaisesRegex(TypeError, r"'text'\.encode\(\)"):
            self.ours.write("text")


class EndingTests(StreamCase):
    def test_closed_here_while_somebody_reads(self):
        coroutine = self.parked(self.ours.read())
        self.ours.close()
        with self.dying(SocketError, "closed on this side"):
            self.ended(coroutine).result()
        self.assert_nothing_is_left()

    def test_used_when_closed(self):
        with self.ours:
            pass
        for operation in (self.ours.read(), self.ours.write(b"x")):
            with self.dying(SocketError, "closed on this side"):
                self.waits(operation)
        self.assertIsNone(self.waits(self.ours.wait_closed()))

    def test_another_loop_is_refused(self):
        with LoopThread() as other, self.assertLogs():
            coroutine = other.start(coro(lambda: (yield self.ours.read())))
            with self.assertRaisesRegex(RuntimeError, "belongs to another loop"):
                coroutine.result()

    def test_what_was_written_is_sent_before_the_close(self):
        self.waits(self.ours.write(b"last"))
        self.ours.close()
        self.loop.settle()
        self.assertEqual(b"last", self.received())


class PiecesTests(CoreCase):
    """What is read depends on the bytes alone, not on the pieces in which they come."""

    READS = st.one_of(
        st.just(("read_line",)),
        st.tuples(st.just("read_exactly"), st.integers(1, 9)),
        st.tuples(st.just("read_until"), st.sampled_from([b"-", b"--", b"-\n-"])),
    )

    @settings(deadline=None)
    @given(
        st.lists(st.sampled_from([b"a", b"-", b"\n", b"-\n-", b"abc--"]), max_size=12),
        st.lists(st.integers(1, 7), max_size=12),
        st.lists(READS, min_size=1, max_size=6),
    )
    def test_reads(self, words, sizes, reads):
        data = b"".join(words)
        stream = Stream(self.scheduler)
        MemoryTransport(self.loop, stream)

        @coro
        def reading():
            got = []
            for name, *args in reads:
                try:
                    got.append((yield getattr(stream, name)(*args)))
                except IncompleteRead as error:
                    got.append(("incomplete", error.partial))
            return got

        coroutine = self.start(reading)
        self.loop.settle()
        rest = data
        for size in sizes:
            if rest:
                stream.data_received(rest[:size])
                self.loop.settle()
            rest = rest[size:]
        if rest:
            stream.data_received(rest)
        stream.eof_received()
        self.loop.settle()
        self.assertEqual(expected(data, reads), coroutine.result())


def expected(data, reads):
    """What the reads give where all is there from the start."""
    got = []
    for name, *args in reads:
        if name == "read_exactly":
            end = args[0] if len(data) >= args[0] else 0
        else:
            separator = args[0] if args else b"\n"
            end = data.find(separator) + len(separator) if separator in data else 0
        taken, data = (data[:end], data[end:]) if end else (data, b"")
        got.append(taken if end or name == "read_line" else ("incomplete", taken))
    return got


class CycleTests(unittest.TestCase):
    """On uvloop's transports: asyncio's are cycles of their own."""

    def test_what_a_wait_raises_is_freed_at_once(self):
        scheduler = Scheduler(proactor="uvloop")
        self.addCleanup(scheduler.shutdown)

        @coro
        def waiting(stream, operation):
            try:
                yield operation(stream)
            except (SocketError, OperationTimeout):
                return "raised"

        def wait(operation, act):
            def main():
                ours, theirs = socket.socketpair()
                stream = Stream(scheduler)
                yield scheduler.loop.connect_accepted_socket(lambda: stream, ours)
                coroutine = scheduler.add(waiting, (stream, operation))
                yield Sleep(0.001)
                act(stream, theirs)
                self.assertEqual("raised", (yield coroutine))
                theirs.close()
                stream.abort()
                yield stream.wait_closed()

            def run():
                coroutine = scheduler.add(main)
                scheduler.run()
                coroutine.result()

            return run

        cases = {
            "a timeout": (lambda ours: ours.read(timeout=0.001), lambda ours, theirs: None),
            "the end": (lambda ours: ours.read_exactly(2), lambda ours, theirs: theirs.close()),
            "closed": (lambda ours: ours.read(), lambda ours, theirs: ours.close()),
            "broken": (lambda ours: ours.write(b"x" * BIG), lambda ours, theirs: theirs.close()),
        }
        for name, case in cases.items():
            with self.subTest(name):
                assert_no_cycles(self, wait(*case))
