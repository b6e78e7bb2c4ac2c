"""Programs in processes of their own: run to their end, or talked to while they run.

    done = yield run(["git", "log"], timeout=10)          # a subprocess.CompletedProcess

    with (yield start(["tail", "-f", "log"])) as process:
        while line := (yield process.stdout.read_line()):
            yield news.publish(line)                      # a subscription for whoever wants it

A process ends with whoever started it: left, its `with` block has it killed, and so does the end of
the coroutine or request. It is reaped in any case; a program's `Scheduler.run` waits for that.
"""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

from cogen.core.coroutines import coro
from cogen.core.descriptors import ConnectionClosed
from cogen.core.durations import Duration, seconds_of
from cogen.core.events import FOREVER, PARKED, Await, Operation
from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.shields import Shield
from cogen.core.streams import Stream

__all__ = ["Exit", "Process", "StartProcess", "run", "start"]

PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
# The return code that asyncio gives to a process that somebody else has reaped.
_UNKNOWN = 255


class Process(asyncio.SubprocessProtocol):
    """A running program. `stdin`, `stdout`, `stderr`: Streams, None where that is no pipe.

    `returncode` is None while it runs, and -N after signal N.
    """

    def __init__(self, args: Sequence[Any], scheduler: Scheduler) -> None:
        self.args = args
        self.pid = 0
        self.returncode: int | None = None
        self.stdin: Stream | None = None
        self.stdout: Stream | None = None
        self.stderr: Stream | None = None
        self._scheduler = scheduler
        self._transport: Any = None
        self._owner: Any = None
        self._waiting: dict[Waiter, None] = {}

    def wait(self, timeout: Duration | None = None) -> "Exit":
        """The operation: wait for its end; the result is its return code."""
        return Exit(self, timeout)

    def kill(self) -> None:
        """Send SIGKILL, if it still runs."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM, if it still runs."""
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        """Send the signal `number`, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, which is not known yet
                self._transport.send_signal(number)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill it, if it still runs, and close the pipes."""
        self.kill()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self._transport.close()
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.remove_done_callback(self._owner_ended)

    def belong_to(self, owner: Any) -> None:
        """Close it at the end of `owner`, as of Waiter, unless that is done before."""
        self._owner = owner
        owner.add_done_callback(self._owner_ended)

    def _owner_ended(self, owner: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "runs" if self.returncode is None else f"ended with {self.returncode}"
        return f"<Process {self.pid} {self.args[0]!r}: {state}>"

    # Called by the loop.

    def connection_made(self, transport: Any) -> None:
        """It runs."""
        self._transport = transport
        self.pid = transport.get_pid()
        self.stdin, self.stdout, self.stderr = (
            self._stream(transport.get_pipe_transport(number)) for number in range(3)
        )

    def _stream(self, transport: Any) -> Stream | None:
        if transport is None:
            return None
        stream = Stream(self._scheduler)
        stream.connection_made(transport)
        return stream

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It has written `data`."""
        stream = self.stdout if fd == 1 else self.stderr
        if stream is not None:
            stream.data_received(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """A pipe is closed."""
        stream = (self.stdin, self.stdout, self.stderr)[fd]
        if stream is not None:
            stream.connection_lost(exc)

    def pause_writing(self) -> None:
        """It reads nothing."""
        if self.stdin is not None:
            self.stdin.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        if self.stdin is not None:
            self.stdin.resume_writing()

    def _status(self) -> int | None:
        """How it has ended.

        asyncio asks `subprocess` before it sends a signal. If that finds that the process has ended
        it has reaped it, and knows how, while asyncio's watcher comes too late and says _UNKNOWN.
        """
        code: int | None = self._transport.get_returncode()
        reaped = self._transport.get_extra_info("subprocess")
        if code == _UNKNOWN and isinstance(reaped, subprocess.Popen):
            return reaped.returncode
        return code

    def process_exited(self) -> None:
        """It has ended and is reaped."""
        self.returncode = self._status()
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            waiter.resume(self.returncode)


class Exit(Operation):
    """Wait for the end of `process`; the result is its return code."""

    __slots__ = ("process",)

    def __init__(self, process: Process, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.process = process

    def run(self, waiter: Waiter) -> Any:
        if self.process.returncode is not None:
            return self.process.returncode
        self.process._waiting[waiter] = None
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        del self.process._waiting[waiter]

    def __repr__(self) -> str:
        return f"<Exit of {self.process!r}>"


class StartProcess(Await):
    """Start a program; the result is its `Process`."""

    __slots__ = ("_options", "args")

    def __init__(self, args: Sequence[Any], options: dict[str, Any]) -> None:
        Operation.__init__(self)
        if isinstance(args, str | bytes) or not args:
            raise TypeError(f"start: args must be a list, the program first, not {args!r}")
        self.args = args
        self._options = options

    def run(self, waiter: Waiter) -> Any:
        self.awaitable = self._start(waiter.scheduler, waiter.owner)
        return super().run(waiter)

    async def _start(self, scheduler: Scheduler, owner: Any) -> Process:
        process = Process(self.args, scheduler)
        try:
            await scheduler.loop.subprocess_exec(lambda: process, *self.args, **self._options)
        except OSError as error:
            what = f"cannot start the program: {error.strerror}"
            raise OSError(error.errno, what, self.args[0]) from None
        scheduler.add(_reaped, (process,))
        process.belong_to(owner)
        return process

    def undo(self, waiter: Waiter) -> None:
        super().undo(waiter)
        self._future.add_done_callback(_give_up)

    def __repr__(self) -> str:
        return f"<StartProcess {self.args[0]!r}>"


def start(
    args: Sequence[Any],
    *,
    stdin: Any = DEVNULL,
    stdout: Any = PIPE,
    stderr: Any = None,
    **options: Any,
) -> StartProcess:
    """The operation: start the program `args[0]` with the others; the result is its `Process`.

    `stdin`, `stdout`, `stderr` and `options` (`cwd`, `env`, `start_new_session` ...) are those of
    subprocess.Popen. Raises OSError where the program cannot be started.
    """
    return StartProcess(args, {"stdin": stdin, "stdout": stdout, "stderr": stderr, **options})


@coro
def run(
    args: Sequence[Any],
    *,
    input: bytes | None = None,
    timeout: Duration | None = None,
    check: bool = False,
    **options: Any,
) -> Any:
    """Run a program to its end; the result is a subprocess.CompletedProcess with what it wrote.

    `input`: bytes that it reads. After `timeout` seconds it is killed and OperationTimeout raised.
    With `check` a return code that is not 0 raises subprocess.CalledProcessError.
    """
    seconds = None if timeout is None else seconds_of(timeout, "run: timeout")
    loop = asyncio.get_running_loop()
    began = loop.time()
    stdin = DEVNULL if input is None else PIPE
    started = yield start(args, **{"stdin": stdin, "stderr": PIPE, **options})
    with started as process, TaskGroup() as group:
        reading = [group.start(_all_of, each) for each in (process.stdout, process.stderr)]
        if input is not None:
            group.start(_feed, process.stdin, input)
        code = yield process.wait(seconds)
        left = None if seconds is None else max(0.0, began + seconds - loop.time())
        yield group.join(left)
    stdout, stderr = (each.result() for each in reading)
    if check and code:
        raise subprocess.CalledProcessError(code, args, stdout, stderr)
    return subprocess.CompletedProcess(args, code, stdout, stderr)


@coro
def _all_of(stream: Stream | None) -> Any:
    if stream is None:
        return None
    blocks = []
    while block := (yield stream.read()):
        blocks.append(block)
    return b"".join(blocks)


@coro
def _feed(stream: Stream, data: bytes) -> Any:
    try:
        yield stream.write(data)
    except ConnectionClosed:
        return  # it does not want to read all of it
    stream.close()


@coro
def _reaped(process: Process) -> Any:
    """Runs until it has ended: the loop is not to stop before."""
    yield Shield(process.wait(), FOREVER)


def _give_up(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
