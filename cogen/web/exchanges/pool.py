"""The pool of threads in which applications run that block.

It begins with the least number of threads. One more starts when a job has waited a moment with no
thread free, up to the most; one without work for long ends. The thread that became free last works
first, so that those that are not needed get nothing to do.

To wake a thread costs more than a short job takes, and threads that are awake take the interpreter
from the loop and from one another. So there are two ways to hand out jobs:

- in a row, which is how it begins: once the loop has taken in what there is, one thread is woken,
  if none is at work, and does job after job;
- at once: each job wakes a thread that is idle. So it is for a second after jobs were seen to wait
  while all threads at work were in the midst of one, that is, where jobs block.

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
from typing import Any

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler
from cogen.web.exchanges.poolthread import Job, PoolThread

__all__ = ["InThread", "Pool"]

log = logging.getLogger(__name__)

# Seconds that a job waits before another thread is started for it.
_WAIT = 0.01
# Seconds between two looks at threads that do jobs in a row, and how many of these have to see
# none begun: a thread may have to wait for the interpreter.
_LOOK = 0.001
_LOOKS = 2
# Seconds for which jobs are handed out at once.
_AT_ONCE = 1.0
# Seconds without work after which a thread ends.
_IDLE = 30.0
# Threads that may be lent at once.
_MOST_LENT = 100
_MOST_JOBS = 1 << 30
# Seconds between two warnings that all threads are busy.
_WARN = 60.0


class InThread(Operation):
    """Wait for the pool's thread that the waiter, a job, is handed to."""

    __slots__ = ("_pool",)

    def __init__(self, pool: "Pool") -> None:
        super().__init__()
        self._pool = pool

    def run(self, waiter: Any) -> Any:
        self._pool.run(waiter)
        return PARKED

    def __repr__(self) -> str:
        return "<a thread>"


class Pool:
    """Threads that run jobs in the order they come: at first `least`, at the most `most` at once.

    `in_thread` is the operation that has a thread do the job that performs it. What is not said to
    be called in a thread is called on the loop of `scheduler`.
    """

    def __init__(self, scheduler: Scheduler, least: int, most: int) -> None:
        self._scheduler = scheduler
        self._loop = scheduler.loop
        self.least = least
        self.most = most
        self.in_thread = InThread(self)
        # Of the next seven and the threads' jobs.
        self._lock = threading.Lock()
        self._idle: list[PoolThread] = []
        self._jobs: deque[tuple[float, Job]] = deque()
        self._given = 0  # jobs, to threads
        self._begun = 0  # and by them
        self._size = 0
        self._lent = 0
        self._returning: deque[threading.Lock] = deque()
        self._made = 0
        self._refused = False  # the last thread, by the system
        self._running = 0
        self._wake_due = False
        self._at_once_until = 0.0
        self._seen = 0  # of those begun, at the last look
        self._looks = 0  # since one was begun
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
        now: float = self._loop.time()
        at_once = now < self._at_once_until
        with self._lock:
            self._jobs.append((now, job))
            if at_once:
                self._pass_on()
            waits = bool(self._jobs)
        if waits and not (at_once or self._wake_due):
            self._wake_due = True
            self._loop.call_soon(self._wake)
        if waits and self._check is None:
            self._look_later()

    def statistics(self) -> dict[str, int]:
        """Counts: threads, those that are busy, jobs that wait for one."""
        waiting = len(self._jobs)
        return {
            "threads": self._size,
            "threads_busy": self._running - waiting,
            "threads_waiting": waiting,
        }

    @property
    def grows(self) -> bool:
        """Whether one more thread may start for jobs that wait. May be asked in any thread."""
        return self._size - self._lent < self.most and not self._refused

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

    @property
    def _at_work(self) -> int:
        """Threads that do a job, but for those that are lent."""
        return self._size - self._lent - len(self._idle)

    def _wake(self) -> None:
        """Have one thread begin, if none is at work that will go on with what waits."""
        self._wake_due = False
        with self._lock:
            if not self._at_work:
                self._pass_on(1)

    def _look_later(self) -> None:
        idle = self._idle and self._at_work < self.most
        self._check = self._loop.call_later(_LOOK if idle else _WAIT, self._look)

    def _look(self) -> None:
        """Have more threads work if jobs wait for long, and look again while any waits."""
        self._check = None
        now: float = self._loop.time()
        with self._lock:
            if self._blocked() and self._jobs and self._idle:
                self._at_once_until = now + _AT_ONCE
                self._pass_on()
            waits = now - self._jobs[0][0] if self._jobs else None
        if waits is None or self._stopping:
            return
        full = self._at_work >= self.most
        if waits > 0.9 * _WAIT and (full or not self._idle):
            error = (
                f"all {self._size} threads of the application are busy" if full else self._grow()
            )
            if error and now - self._warned >= _WARN:
                self._warned = now
                log.warning("%s; %d requests wait", error, len(self._jobs))
        self._look_later()

    def _blocked(self) -> bool:
        """With the lock: whether no job was begun for some looks, and all given ones were."""
        same = self._begun == self._seen and self._begun == self._given
        self._looks = self._looks + 1 if same else 0
        self._seen = self._begun
        return self._looks >= _LOOKS

    def _grow(self) -> str:
        """Start a thread; why it could not be, or an empty string."""
        thread = PoolThread(self, self._made)
        with self._lock:
            self._size += 1
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more
            with self._lock:
                self._size -= 1
            self._refused = True
            return f"no thread could be started beside {self._size}: {error}"
        self._made += 1
        self._refused = False
        return ""

    # Called in threads.

    def next_job(self, thread: PoolThread) -> Job | None:
        """What `thread` is to do next, when there is something; None: end."""
        with self._lock:
            if self._jobs and not self._returning:
                self._given += 1
                self._begun += 1
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
        job: Job | None = thread.job
        thread.job = None
        with self._lock:
            if job is None:
                self._size -= 1
            else:
                self._begun += 1
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

    def _pass_on(self, jobs: int = _MOST_JOBS) -> None:
        """With the lock: let go on who waits, `jobs` at the most, as far as the most allows."""
        while self._at_work < self.most:
            if self._returning:
                self._lent -= 1
                self._returning.popleft().release()
            elif jobs and self._jobs and self._idle:
                jobs -= 1
                thread = self._idle.pop()
                thread.job = self._jobs.popleft()[1]
                self._given += 1
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
