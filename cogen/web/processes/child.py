"""A process that a supervisor started: the other end of what a worker has."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cogen.web.peers import Answer, ChannelClosed
from cogen.web.processes.channel import Channel
from cogen.web.processes.members import Member
from cogen.web.processes.worker import worker_environment

__all__ = ["Child", "ChildEnded"]


class ChildEnded(Exception):
    """It ended before it served; the message says how."""


class Child(Member):
    """A worker process, `number` of its kind; it serves once it was spawned, loaded and started.

    `answers` are for its requests. `retired`: it may end, others have taken its place.
    """

    process: asyncio.subprocess.Process

    def __init__(self, number: int, answers: Mapping[str, Answer]) -> None:
        self.number = number
        self.started = time.monotonic()
        self.retired = False
        self._loaded = asyncio.Event()
        self._may_start = asyncio.Event()
        self._serves = asyncio.Event()
        self._channel = Channel(
            {**answers, "loaded": self._has_loaded, "serves": self._has_started}
        )

    async def spawn(self, command: Sequence[str], socks: Sequence[socket.socket]) -> None:
        """Run `command`, which accepts from `socks`. Raises OSError if the system cannot."""
        ours, theirs = socket.socketpair()
        with theirs:
            await self._channel.open(ours)
            try:
                self.process = await asyncio.create_subprocess_exec(
                    *command,
                    pass_fds=[theirs.fileno(), *(sock.fileno() for sock in socks)],
                    env=worker_environment(theirs, socks),
                )
            except BaseException as error:
                await self._channel.close()
                if isinstance(error, RuntimeError):  # no thread to watch it with
                    raise OSError(errno.EAGAIN, str(error)) from error
                raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def status(self) -> int | None:
        """With which it ended, negative for a signal; None while it runs."""
        return self.process.returncode

    def __str__(self) -> str:
        return f"process {self.pid}"

    async def load(self) -> None:
        """Return when the application is made. Raises ChildEnded."""
        await self._until(self._loaded)

    async def start(self) -> None:
        """Let it start; return when it serves. Raises ChildEnded."""
        self._may_start.set()
        await self._until(self._serves)

    @property
    def serves(self) -> bool:
        return self._serves.is_set()

    async def _until(self, event: asyncio.Event) -> None:
        ended = asyncio.ensure_future(self.process.wait())
        happened = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((ended, happened), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            happened.cancel()
        if not event.is_set():
            why = "; its standard error says why" if self.process.returncode in (1, 2) else ""
            raise ChildEnded(f"it ended with status {self.process.returncode}{why}")

    async def _has_loaded(self, _: None) -> None:
        self._loaded.set()
        await self._may_start.wait()

    async def _has_started(self, _: None) -> None:
        self._serves.set()

    # A Member.

    async def hand_over(self) -> None:
        # One that has ended holds nothing.
        with contextlib.suppress(ChannelClosed):
            await self._channel.ask("hand_over")

    async def take_back(self) -> None:
        with contextlib.suppress(ChannelClosed):
            await self._channel.ask("take_back")

    async def request(self, name: str, data: Any) -> Any:
        return await self._channel.ask("request", [name, data])

    def retire(self) -> None:
        self._channel.tell("retire")

    def stop(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    async def beat(self) -> None:
        await self._channel.ask("beat")

    def dump(self) -> None:
        # Not over the channel: its loop may be held.
        self._send(signal.SIGUSR2)

    def reopen_log_files(self) -> None:
        self._channel.tell("reopen_log_files")

    def _send(self, number: signal.Signals) -> None:
        # The send_signal of asyncio takes the status of one that has just ended, which is missed
        # then (CPython issue 87744).
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    async def wait(self) -> None:
        await self.process.wait()

    async def close(self) -> None:
        """Of one that has ended."""
        await self._channel.close()
