"""Every operation of the network and of pipes, left in every way: nothing stays, nothing is taken.

`CASES` has what is waited for, `WAYS` how that is left; each pair is a test.
"""

import asyncio
import contextlib
import io
import socket
import tempfile

from cogen.core.coroutines import coro
from cogen.core.deadlines import Deadline, DeadlinePassed
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.groups import TaskGroup
from cogen.core.pipe import Iterate
from cogen.core.processes import start
from cogen.core.sockets import Readable, RecvAll, Socket
from cogen.core.streams import Stream, connect_tcp
from tests.cogen.core.support import CoreCase

BIG = b"x" * 10 * 1024 * 1024


class World:
    """What the operations need; `left()` says what is still waited for."""

    def __init__(self, case):
        self.case = case
        ours, self.far = self.pair()
        self.sock = Socket(sock=ours)
        ours, self.far_stream = self.pair()
        self.stream = Stream(case.scheduler)
        self.run(case.loop.connect_accepted_socket(lambda: self.stream, ours))
        self.listening = Socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(1)
        self.values = None
        for each in (self.sock.close, self.listening.close, self.far.close, self.far_stream.close):
            case.addCleanup(each)
        case.addCleanup(case.loop.settle)
        case.addCleanup(self.stream.abort)

    def pair(self):
        listening = socket.create_server(("127.0.0.1", 0))
        far = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
        listening.close()
        return ours, far

    def run(self, awaitable):
        return self.case.loop.run_until_complete(awaitable)

    def file(self):
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the test)
        self.case.addCleanup(file.close)
        file.write(BIG)
        file.seek(0)
        return file

    @coro
    def next_value(self):
        async def silent():
            await asyncio.sleep(3600)
            yield "late"

        return (yield (yield Iterate(silent)))

    @coro
    def ending_process(self):
        with (yield start(["sleep", "3600"])) as process:
            yield process.wait()

    @coro
    def line_of_file(self):
        return (yield self.sock.makefile().readline())

    def left(self):
        sides = (self.sock.reading, self.sock.writing, self.listening.reading)
        return {
            "sides": [side.waiting for side in sides if side is not None and side.waiting],
            "reader": self.stream._reader,
            "waiting": self.stream._waiting,
            "coroutines": list(self.case.scheduler.coroutines),
            "deadlines": len(self.case.scheduler.timers),
        }


NOTHING = {"sides": [], "reader": None, "waiting": None, "coroutines": [], "deadlines": 0}


def silent_server(world):
    """It takes connections and does not shake hands."""
    return connect_tcp("127.0.0.1", world.listening.getsockname()[1], tls=True)


# Name -> what is waited for.
CASES = {
    "recv": lambda world: world.sock.recv(10),
    "RecvAll": lambda world: RecvAll(world.sock, 10),
    "Readable": lambda world: Readable(world.sock),
    "sendall": lambda world: world.sock.sendall(BIG),
    "sendfile": lambda world: world.sock.sendfile(world.file()),
    "sendfile of memory": lambda world: world.sock.sendfile(io.BytesIO(BIG)),
    "accept": lambda world: world.listening.accept(),
    "readline": lambda world: world.line_of_file(),
    "read": lambda world: world.stream.read(),
    "read_line": lambda world: world.stream.read_line(),
    "read_exactly": lambda world: world.stream.read_exactly(3),
    "read_until": lambda world: world.stream.read_until(b"--"),
    "write": lambda world: world.stream.write(BIG),
    "wait_closed": lambda world: world.stream.wait_closed(),
    "connect_tcp": silent_server,
    "a value of a pipe": lambda world: world.next_value(),
    "the end of a process": lambda world: world.ending_process(),
}


def by_cancel(case, what):
    coroutine = case.start(coro(lambda: (yield what)))
    case.loop.settle()
    case.assertFalse(coroutine.done)
    coroutine.cancel()
    case.loop.settle()
    return coroutine.error


def by_deadline(case, what):
    @coro
    def waiting():
        with Deadline(5):
            yield what

    return ending(case, waiting)


def by_group(case, what):
    @coro
    def failing():
        yield Sleep(1)
        raise ValueError("a slip")

    @coro
    def waiting():
        with TaskGroup() as group:
            group.start(failing)
            yield what

    return ending(case, waiting)


def by_task(case, what):
    async def waiting():
        return await what

    async def cancelling():
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    case.assertTrue(case.loop.run_until_complete(cancelling()))
    return asyncio.CancelledError()


def by_stop(case, what):
    coroutine = case.start(coro(lambda: (yield what)))
    case.loop.call_later(1, case.scheduler.stop)
    case.scheduler.run()
    return coroutine.error


def by_timeout(case, what):
    what.timeout = 5.0
    return ending(case, coro(lambda: (yield what)))


def ending(case, function):
    coroutine = case.start(function)
    coroutine.add_done_callback(lambda coroutine: None)
    with contextlib.ExitStack() as stack:
        stack.enter_context(case.assertLogs("cogen", "ERROR"))
        for _ in range(10):
            case.loop.advance(1)
    case.assertTrue(coroutine.done)
    return coroutine.error


# Name -> (what leaves it, what is raised).
WAYS = {
    "a cancel": (by_cancel, asyncio.CancelledError),
    "a deadline": (by_deadline, DeadlinePassed),
    "a group's failure": (by_group, ExceptionGroup),
    "a cancelled task": (by_task, asyncio.CancelledError),
    "a stop": (by_stop, asyncio.CancelledError),
    "a timeout": (by_timeout, OperationTimeout),
}


class NetworkLeavingTests(CoreCase):
    """A method for each pair."""

    def leave(self, make, way, error):
        world = World(self)
        what = make(world)
        self.assertIsInstance(way(self, what), error)
        # A process is killed, and reaped in real time.
        while self.scheduler.coroutines:
            self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.settle()
        self.assertEqual(NOTHING, world.left())
        world.far.sendall(b"kept")
        world.far_stream.sendall(b"kept")
        received = self.run_(lambda: (yield world.sock.recv(10)))
        self.assertEqual(b"kept", received)
        self.assertEqual(b"kept", self.run_(lambda: (yield world.stream.read(10))))


def _test(name, make, way, error):
    def test(self):
        self.leave(make, way, error)

    test.__name__ = name
    return test


for _case, _make in CASES.items():
    for _way, (_leave, _error) in WAYS.items():
        if _way == "a timeout" and _case in ("RecvAll", "readline", "a value of a pipe",
                                             "the end of a process"):  # fmt: skip
            continue  # a coroutine; what it waits for has the timeout
        _name = f"test_{_case} left by {_way}".replace(" ", "_").replace("'", "")
        setattr(NetworkLeavingTests, _name, _test(_name, _make, _leave, _error))
