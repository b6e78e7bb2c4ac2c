"""The pool of threads in which applications run that block.

It begins with the least number of threads. One more starts when a job has waited a moment with no
thread free, up to the most; one without work for long ends. The thread that became free last works
first, so that those that are not needed get nothing to do.

At no time more than the most run application code. One that waits for a slow client is lent:
another may work in its place, and it goes on when one of them has ended its job. With many
lent already, who waits for a client has to leave its thread. So clients that read slowly, however
many, hold up nobody.
"""

import contextlib
import functools
import logging
import threading
from asyncio import Event, TimerHandle
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from cogen.core.schedulers import Scheduler
from cogen.web.exchanges.stuck import POOL

__all__ = ["Job", "Pool"]

log = logging.getLogger(__name__)

# Seconds that a job waits before another thread is started for it.
_WAIT = 0.01
# Seconds without work after which a thread ends.
_IDLE = 30.0
# Threads that may be lent at once.
_MOST_LENT = 100
# Seconds between two warnings that all threads are busy.
_WARN = 60.0


class Job(Protocol):
    """What a thread does; neither raises."""

    def work(self) -> None:
        """Called in a thread."""

    def settle(self) -> None:
        """Called on the loop, when `work` has returned."""


class _Thread(threading.Thread):
    """A daemon, since a job that never returns would hold up the end of the process."""

    def __init__(self, pool: "Pool", number: int) -> None:
        super().__init__(name=f"{POOL}{number}", daemon=True)
        self.pool = pool
        self.job: Job | None = None
        self.stopping = False
        # Held while there is nothing to do.
        self.awake = threading.Lock()
        self.awake.acquire()

    def run(self) -> None:
        while True:
            job = self.pool.next_job(self)
            if job is None:
                return
            try:
                job.work()
            except BaseException:  # a pool outlives its jobs, whatever they raise
                log.exception("a job of a thread failed")
            self.pool.finished(job)
            # It would keep a request alive until the next.
            del job


class Pool:
    """Threads that run jobs in the order they come: at first `least`, at the most `most` at once.

    What is not said to be called in a thread is called on the loop of `scheduler`.
    """

    def __init__(self, scheduler: Scheduler, least: int, most: int) -> None:
        self._scheduler = scheduler
        self._loop = scheduler.loop
        self.least = least
        self.most = most
        # Of the next five and the threads' jobs.
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._jobs: deque[tuple[float, Job]] = deque()
        self._size = 0
        self._lent = 0
        self._returning: deque[threading.Lock] = deque()
        self._made = 0
        self._running = 0
        self._check: TimerHandle | None = None
        self._warned = -_WARN
        self._stopping = False
        self._quiet: Event | None = None

    def start(self) -> None:
        """Start the first threads."""
        for _ in range(self.least):
            error = self._grow()
            if error:
                log.warning("%s", error)
                return

    def run(self, job: Job) -> None:
        """Have a thread do `job`."""
        self._running += 1
        with self._lock:
            self._jobs.append((self._loop.time(), job))
            self._pass_on()
            waits = bool(self._jobs)
        if waits and self._check is None:
            self._check = self._loop.call_later(_WAIT, self._help)

    def statistics(self) -> dict[str, int]:
        """Counts: threads, those that are busy, jobs that wait for one."""
        waiting = len(self._jobs)
        return {
            "threads": self._size,
            "threads_busy": self._running - waiting,
            "threads_waiting": waiting,
        }

    def waiting_since(self) -> float | None:
        """When the job came that has waited longest for a thread, by the loop's clock; None: none
        waits. May be called in any thread."""
        try:
            return self._jobs[0][0]
        except IndexError:
            return None

    async def stop(self, patience: float) -> int:
        """End the threads when their jobs are done; how many were not within `patience` seconds."""
        deadline = self._loop.time() + patience
        self._quiet = Event()
        while self._running and self._loop.time() < deadline:
            self._quiet.clear()
            timer = self._loop.call_at(deadline, self._quiet.set)
            await self._quiet.wait()
            timer.cancel()
        if self._check is not None:
            self._check.cancel()
        with self._lock:
            self._stopping = True
            idle = self._idle.copy()
            self._idle.clear()
        for thread in idle:
            thread.awake.release()
        for thread in idle:
            thread.join()
        return self._running

    def _settle(self, job: Job) -> None:
        self._running -= 1
        if not self._running and self._quiet is not None:
            self._quiet.set()
        job.settle()

    def _help(self) -> None:
        """Start a thread if a job has waited for one too long, and look again while any waits."""
        self._check = None
        with self._lock:
            begun = self._jobs[0][0] if self._jobs else None
        if begun is None or self._stopping:
            return
        now = self._loop.time()
        if now - begun > 0.9 * _WAIT:
            full = self._size - self._lent >= self.most
            error = (
                f"all {self._size} threads of the application are busy" if full else self._grow()
            )
            if error and now - self._warned >= _WARN:
                self._warned = now
                log.warning("%s; %d requests wait", error, len(self._jobs))
        self._check = self._loop.call_later(_WAIT, self._help)

    def _grow(self) -> str:
        """Start a thread; why it could not be, or an empty string."""
        thread = _Thread(self, self._made)
        with self._lock:
            self._size += 1
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more
            with self._lock:
                self._size -= 1
            return f"no thread could be started beside {self._size}: {error}"
        self._made += 1
        return ""

    # Called in threads.

    def next_job(self, thread: _Thread) -> Job | None:
        """What `thread` is to do next, when there is something; None: end."""
        with self._lock:
            if self._jobs and not self._returning:
                return self._jobs.popleft()[1]
            if self._stopping:
                self._size -= 1
                self._pass_on()
                return None
            self._idle.append(thread)
            self._pass_on()
        # More than the least end after a while.
        while not thread.awake.acquire(timeout=_IDLE):
            with self._lock:
                if self._size > self.least and thread in self._idle:
                    self._idle.remove(thread)
                    self._size -= 1
                    return None
        job, thread.job = thread.job, None
        if job is None:
            with self._lock:
                self._size -= 1
        return job

    def may_lend(self) -> bool:
        """Whether one more thread may be `lent`; else a job that waits for a client has to end."""
        return self._lent < _MOST_LENT

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """While the thread that calls it waits for a client, another may work in its place.

        With too many of them none does: a call of `write()` cannot leave its thread.
        """
        if not self.may_lend():
            yield
            return
        with self._lock:
            self._lent += 1
            self._pass_on()
        try:
            yield
        finally:
            turn = threading.Lock()
            turn.acquire()
            with self._lock:
                self._returning.append(turn)
                self._pass_on()
            turn.acquire()

    def _pass_on(self) -> None:
        """With the lock: let go on who waits, as far as the most allows."""
        while self._size - self._lent - len(self._idle) < self.most:
            if self._returning:
                self._lent -= 1
                self._returning.popleft().release()
            elif self._jobs and self._idle:
                thread = self._idle.pop()
                thread.job = self._jobs.popleft()[1]
                thread.awake.release()
            else:
                return

    def finished(self, job: Job) -> None:
        """`job` is done: have it settled."""
        self.post(functools.partial(self._settle, job))

    def post(self, function: Callable[[], None]) -> bool:
        """Have `function()`, which does not raise, called on the loop, in the order of the posts.

        False, and it is not called, where the loop was closed.
        """
        posted = self._scheduler.post(function)
        if not posted:
            log.warning("an application went on after the server had stopped")
        return posted
