"""An echo server with many connections, beside its peers: python -m benchmarks.echo [--keep]

So many silent connections and what each costs; then round trips of a line of 64 bytes, with
those held. --keep puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.echo.load import Echoed, in_turns
from benchmarks.echo.peers import PEERS
from benchmarks.keep import DOCS, between
from benchmarks.machine import described
from benchmarks.report import machine_line, table
from benchmarks.servers import Server, cores, raise_open_files

__all__ = ["main", "markdown"]

_GOAL = 20_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Status 1 if cogen does fewer than 20,000 round trips a second on one core."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in PEERS if each.name in options.targets.split(",")]
    machine = described(("uvloop", "trio", "gevent"))
    for target in chosen:
        if target.missing():
            print(f"left out: {target.name}: {', '.join(target.missing())} not found")
    raise_open_files()
    server_cores, client_cores = cores()
    os.sched_setaffinity(0, client_cores)
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(Server(each, server_cores)) for each in chosen if not each.missing()
        ]
        found = list(
            in_turns(
                servers, options.silent, options.clients, options.rounds, options.seconds, _say
            )
        )
    text = markdown(machine, found, options.silent, options.clients, load)
    print(text)
    if options.keep:
        page = DOCS / "performance.md"
        page.write_text(between(page.read_text(), "echo", text))
    sys.exit(any(_rate(each) < _GOAL for each in found if each.target == "cogen"))


def markdown(
    machine: Mapping[str, Any], found: Sequence[Echoed], silent: int, clients: int, load: float
) -> str:
    """What was found, as a table; ratios are of the processor's time, to cogen."""
    titles = {each.name: each.title for each in PEERS}
    base = _cpu(found[0])
    rows = [
        (
            titles[each.target],
            f"{each.idle_kib:.1f}",
            f"{_cpu(each):.1f} ({_cpu(each) / base:.2f})",
            f"{_rate(each):,.0f}",
            f"{statistics.median(rate for _, rate in each.turns):,.0f}",
        )
        for each in found
    ]
    head = (
        f"{silent:,} silent connections, then {clients} that ask",
        "memory of a silent one, KiB",
        "CPU of a round trip, µs",
        "round trips a second of a whole core",
        "seen",
    )
    turns = len(found[0].turns)
    line = f"{machine_line(machine)} {turns} turns of each; load of the machine {load:.1f} before."
    return "\n".join([line, "", *table(head, rows)]) + "\n"


def _cpu(echoed: Echoed) -> float:
    return statistics.median(cpu for cpu, _ in echoed.turns)


def _rate(echoed: Echoed) -> float:
    """Round trips a second on a core that does nothing else."""
    return 1e6 / _cpu(echoed)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.echo", description=__doc__)
    parser.add_argument("--targets", default=",".join(each.name for each in PEERS))
    parser.add_argument("--silent", type=int, default=10_000, help="connections of each server")
    parser.add_argument("--clients", type=int, default=64, help="that ask")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--keep", action="store_true", help="put it into docs/performance.md")
    return parser


if __name__ == "__main__":
    main()
