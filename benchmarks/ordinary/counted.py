"""Instructions that a server executes for each request, outside of the kernel (valgrind)."""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from pathlib import Path

from benchmarks.ordinary.load import asked
from benchmarks.ordinary.works import Work
from benchmarks.servers import Server
from benchmarks.targets import Site, Target

__all__ = ["Counted", "counted", "has_valgrind"]

# The start is the same in both, and left out by taking the difference.
COUNTS = (100, 400)
FEW = (4, 12)  # of what moves megabytes
_MEGABYTES = ("file", "upload")
_CONNECTIONS = 8
_SLOWER = 50
_REFS = re.compile(r"I +refs: +([0-9,]+)")


@dataclasses.dataclass
class Counted:
    target: str
    work: str
    instructions: float | None = None
    error: str = ""


def has_valgrind() -> bool:
    return shutil.which("valgrind") is not None


def counted(target: Target, work: Work, where: set[int]) -> Counted:
    """Of `target`, all of its processes; it takes a minute or two."""
    counts = FEW if work.name in _MEGABYTES else COUNTS
    work = dataclasses.replace(work, connections=min(work.connections, _CONNECTIONS))
    try:
        fewer, more = (_executed(target, work, count, where) for count in counts)
    except (OSError, RuntimeError) as error:
        return Counted(target.name, work.name, error=f"{type(error).__name__}: {error}")
    return Counted(target.name, work.name, (more - fewer) / (counts[1] - counts[0]))


def _executed(target: Target, work: Work, count: int, where: set[int]) -> int:
    """Instructions from the start to the end of a server that is asked so often."""
    with tempfile.TemporaryDirectory() as folder:
        with Server(_under_valgrind(target, folder), where, _SLOWER) as server:
            done = asked(server.port, work, count=count)
        if done.failed:
            raise RuntimeError(f"{done.failed} of {count} requests failed")
        logs = [_REFS.search(log.read_text()) for log in Path(folder).iterdir()]
    if not all(logs):
        raise RuntimeError(f"{target.name} did not stop by itself")
    return sum(int(log[1].replace(",", "")) for log in logs if log)


def _under_valgrind(target: Target, folder: str) -> Target:
    """A log of each process in `folder`."""
    valgrind = [
        "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
        "--trace-children=yes", f"--log-file={folder}/%p",
    ]  # fmt: skip

    def commands(site: Site) -> list[list[str]]:
        return [[*valgrind, *command] for command in target.commands(site)]

    return dataclasses.replace(target, commands=commands)
