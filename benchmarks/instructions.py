"""Instructions that a server executes for each delivery, outside of the kernel.

    python -m benchmarks.instructions [targets, with commas]

Times vary from run to run, this count by a percent. It takes valgrind, which slows a server down
fifty times: a minute for each target.
"""

import asyncio
import dataclasses
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generator import Generator
from benchmarks.publisher import Publisher
from benchmarks.servers import Server, cores
from benchmarks.targets import TARGETS, Site, Target
from benchmarks.wire import WIRES

__all__ = ["instructions", "main"]

CLIENTS = 50
# The start and the joins are the same in both, and left out by taking the difference.
ROUNDS = (10, 40)
SLOWER = 50
LONGEST_POLL = 300
_BY_DEFAULT = "bare,bare-python,chat,chat-python,asgi,starlette,aiohttp"
_COUNTED = re.compile(r"I +refs: +([0-9,]+)")


def main(arguments: Sequence[str]) -> None:
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed")
    known = {target.name: target for target in TARGETS}
    for name in (arguments[0] if arguments else _BY_DEFAULT).split(","):
        target = known[name]
        if missing := target.missing():
            print(f"left out: {name}: {', '.join(missing)} not found")
        else:
            print(f"{target.title:45} {instructions(target):9,.0f}", flush=True)


def instructions(target: Target) -> float:
    """For each delivery of `target`, a server of one process."""
    fewer, more = (_counted(target, rounds) for rounds in ROUNDS)
    return (more - fewer) / (ROUNDS[1] - ROUNDS[0]) / CLIENTS


def _counted(target: Target, rounds: int) -> int:
    with tempfile.NamedTemporaryFile("r") as log:
        asyncio.run(_delivered(_under_valgrind(target, log.name), rounds))
        counted = _COUNTED.search(Path(log.name).read_text())
    if counted is None:
        raise RuntimeError(f"{target.name} did not stop by itself")
    return int(counted[1].replace(",", ""))


def _under_valgrind(target: Target, log: str) -> Target:
    valgrind = [
        "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
        f"--log-file={log}", sys.executable,
    ]  # fmt: skip

    def commands(site: Site) -> list[list[str]]:
        *engines, server = target.commands(site)
        return [*engines, [*valgrind, *(server[1:] if server[0] == sys.executable else server)]]

    return dataclasses.replace(target, commands=commands)


async def _delivered(target: Target, rounds: int) -> None:
    """Serve the clients so many messages, each when all have had the one before."""
    where, clients = cores()
    # Else a poll without news may end, on a machine that is busy as well, and is counted.
    with Server(target, where, SLOWER, poll_seconds=LONGEST_POLL) as server:
        async with Generator(server.port, target.wire, CLIENTS, clients) as load:
            publisher = Publisher(server.port, WIRES[target.wire]())
            await publisher.get(target.probe)
            await load.connect(CLIENTS, lambda joined: None, 2 * SLOWER)
            for _ in range(rounds):
                await load.all_had(await publisher.push(), SLOWER)
            publisher.close()


if __name__ == "__main__":
    main(sys.argv[1:])
