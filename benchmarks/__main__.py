"""`python -m benchmarks`: run it all, or what the command line names."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from benchmarks.scenario import Plan, Run, run
from benchmarks.servers import Server, cores, raise_open_files
from benchmarks.targets import TARGETS, Target

__all__ = ["main"]


def main() -> None:
    """Ends with status 1 if a run went wrong."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(1))  # through all `finally`
    raise_open_files()
    targets = _chosen(arguments.targets)
    results = asyncio.run(_run_all(targets, arguments))
    Path(arguments.json).write_text(json.dumps([each.as_dict() for each in results], indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--targets", default="", help="names, with commas; without: all")
    parser.add_argument("--clients", default="100,10000", help="numbers of clients [100,10000]")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each [3]")
    parser.add_argument("--json", default="benchmark.json", help="file of the figures")
    return parser


def _chosen(names: str) -> list[Target]:
    known = {target.name: target for target in TARGETS}
    wanted = names.split(",") if names else list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"there is no target {', '.join(unknown)}; there are: {', '.join(known)}")
    chosen = []
    for name in wanted:
        missing = known[name].missing()
        if missing:
            print(f"left out: {name}: {', '.join(missing)} is not installed")
        else:
            chosen.append(known[name])
    return chosen


async def _run_all(targets: list[Target], arguments: argparse.Namespace) -> list[Run]:
    server_cores, client_cores = cores()
    os.sched_setaffinity(0, client_cores)
    results = []
    for repeat in range(arguments.repeats):
        for clients in map(int, arguments.clients.split(",")):
            plan = Plan() if clients <= 1000 else Plan(rate=0.5, closed=5, fixed=6)
            for target in targets:
                head = f"{repeat + 1}/{arguments.repeats} {target.name} {clients}: "

                def say(what: str, head: str = head) -> None:
                    print(f"\r{head}{what}\x1b[K", end="", file=sys.stderr, flush=True)

                start = time.monotonic()
                with Server(target, server_cores) as server:
                    result = await run(server, clients, plan, client_cores, say)
                results.append(result)
                say("")
                print(_line(result, time.monotonic() - start), flush=True)
    return results


def _line(result: Run, seconds: float) -> str:
    def figure(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return (
        f"{result.target:10} {result.clients:6} {figure(result.cpu_us):>7} us "
        f"{figure(result.held_kib):>6}/{figure(result.after_kib):>6} KiB "
        f"p50 {figure(result.p50_ms)} p99 {figure(result.p99_ms)} ms "
        f"closed p50 {figure(result.closed_p50_ms)} p99 {figure(result.closed_p99_ms)} ms "
        f"lost {result.lost} again {result.reconnects} in {seconds:.0f} s {result.error}"
    )


if __name__ == "__main__":
    main()
