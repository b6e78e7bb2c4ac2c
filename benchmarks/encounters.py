"""What is left of clients that behave at random: python -m benchmarks.encounters [COUNT [SEED]]

They come eight at a time (benchmarks/harness/encounters.py), to an application on the loop and to
one in threads. After each fifth of them: what is open, and the memory of this process, in which
all of it runs.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.harness.encounters import Encounter, application, set_out
from benchmarks.harness.server import ServerThread
from benchmarks.procfs import memory_kib

__all__ = ["Left", "left"]

AT_ONCE = 8
PARTS = 5


class Left(NamedTuple):
    """After `clients`; of a server that is at rest."""

    clients: int
    open_files: int
    threads: int
    exchanges: int
    memory_kib: int


def left(count: int, seed: int, mode: str) -> Iterator[Left]:
    """What is left after each fifth of `count` clients, of which the first has the seed `seed`."""
    options = {"header_timeout": 0.2, "body_timeout": 0.2, "threads_max": AT_ONCE}
    with ServerThread(application, threads=mode, **options) as server:
        came = 0
        for part in range(1, PARTS + 1):
            while came < count * part // PARTS:
                clients = [Encounter(seed + came + each) for each in range(AT_ONCE)]
                with set_out(clients, server.address):
                    pass
                came += AT_ONCE
            server.settled(connections=0, exchanges=0)
            yield Left(
                came,
                len(os.listdir("/proc/self/fd")),
                threading.active_count(),
                server.statistics()["exchanges"],
                memory_kib([os.getpid()]),
            )


def main(count: int, seed: int) -> None:
    logging.disable()
    print(f"seed {seed}")
    for mode in ("0", "auto"):
        print(f"threads = {mode}")
        for each in left(count, seed, mode):
            print(
                f"{each.clients:>8} clients: {each.open_files} open files, {each.threads} threads, "
                f"{each.exchanges} exchanges, {each.memory_kib / 1024:.1f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    given = dict(enumerate(map(int, sys.argv[1:])))
    main(given.get(0, 10_000), given.get(1, random.randrange(1 << 30)))
