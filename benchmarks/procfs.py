"""What a process and its children have used, as /proc says (proc(5))."""

import os
import time
from pathlib import Path

__all__ = ["cpu_nanoseconds", "cpu_seconds", "descendants", "is_running", "memory_kib"]

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_SCHEDULED = 2  # CPUCLOCK_SCHED of the kernel's posix-timers.h: of the whole process


def descendants(pid: int) -> list[int]:
    """`pid` and all processes under it."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found.extend(int(child) for child in children.read_text().split())
    return found


def is_running(pid: int) -> bool:
    """Whether that process has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of all of `pids`, in ticks of 10 ms as a rule."""
    return sum(_ticks(pid) for pid in pids) * _TICK


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def cpu_nanoseconds(pids: list[int]) -> int:
    """User and system time of all of `pids`, threads that have ended too, to the nanosecond.

    The clocks of clock_getcpuclockid(3); raises OSError: one of them has ended.
    """
    return sum(time.clock_gettime_ns(~pid << 3 | _SCHEDULED) for pid in pids)


def memory_kib(pids: list[int]) -> int:
    """Resident memory but for mapped files, a page that processes share shared out among them."""
    return sum(_own_kib(pid) for pid in pids)


def _own_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = dict(line.split(":") for line in lines[1:])
    return sum(int(sizes[name].removesuffix("kB")) for name in ("Pss_Anon", "Pss_Shmem"))
