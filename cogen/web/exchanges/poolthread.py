"""A thread of the pool. Not compiled: by its frame `stuck` knows where the application ends."""

import logging
import threading
from typing import Protocol

from cogen.core.corolets import StraightThread, Waits
from cogen.web.exchanges.stuck import POOL

__all__ = ["Job", "Jobs", "PoolThread"]

log = logging.getLogger(__name__)


class Job(Waits, Protocol):
    """What a thread does, and may wait for; `work` and `settle` do not raise."""

    def work(self) -> None:
        """Called in a thread."""

    def settle(self) -> None:
        """Called on the loop, when `work` has returned."""


class Jobs(Protocol):
    """Where a thread has its jobs from, the pool."""

    def next_job(self, thread: "PoolThread") -> Job | None:
        """What `thread` is to do next, when there is something; None: end."""

    def finished(self, job: Job) -> None:
        """`job` is done."""


class PoolThread(StraightThread):
    """A daemon, since a job that never returns would hold up the end of the process."""

    def __init__(self, jobs: Jobs, number: int) -> None:
        super().__init__(name=f"{POOL}{number}", daemon=True)
        self.jobs = jobs
        self.job: Job | None = None
        # Held while there is nothing to do.
        self.awake = threading.Lock()
        self.awake.acquire()

    def run(self) -> None:
        """Do job after job."""
        next_job, finished = self.jobs.next_job, self.jobs.finished
        while True:
            job = next_job(self)
            if job is None:
                return
            self.waits = job
            try:
                job.work()
            except BaseException:  # a pool outlives its jobs, whatever they raise
                log.exception("a job of a thread failed")
            self.waits = None
            finished(job)
            # It would keep a request alive until the next.
            del job
