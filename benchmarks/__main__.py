"""The long-poll benchmark: a chat on cogen, and the same chat on its peers."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import suite
from benchmarks.chart import svg
from benchmarks.criteria import judge
from benchmarks.machine import described
from benchmarks.report import as_json, markdown, verdict_line
from benchmarks.scenario import Run
from benchmarks.servers import raise_open_files
from benchmarks.stats import summarize
from benchmarks.targets import TARGETS, Target

__all__ = ["main"]

_PACKAGES = (
    "uvloop", "httptools", "uvicorn", "starlette", "aiohttp", "tornado", "gevent", "flask",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes what was measured, also if it is stopped; then, or if a run went wrong, status 1."""
    options = _parser().parse_args(arguments)
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell has it ignored
        signal.signal(stop, signal.default_int_handler)
    todo, left_out = _todo(options, raise_open_files())
    for line in left_out:
        print(f"left out: {line}")
    machine = described(_PACKAGES)
    wanted = sum(len(job.targets) for job in todo)
    runs = _measured(todo, wanted)
    if runs:
        _write({"machine": machine, "left_out": left_out, "runs": runs}, Path(options.out))
    for verdict in judge(summarize(runs)):
        if verdict.value is not None or not options.targets:
            print(verdict_line(verdict))
    sys.exit(len(runs) < wanted or any(run["error"] for run in runs))


def _measured(todo: Sequence[suite.Job], wanted: int) -> list[dict[str, Any]]:
    runs = []
    try:
        for run in suite.perform(todo, _Console(len(todo))):
            runs.append(run.as_dict())
    except KeyboardInterrupt:
        print(f"\nstopped after {len(runs)} of {wanted} runs")
    return runs


def _todo(options: argparse.Namespace, open_files: int) -> tuple[list[suite.Job], list[str]]:
    """The runs that can be made, and lines on what cannot."""
    targets, left_out = _chosen(options.targets)
    repeats = options.repeats or (1 if options.quick else 3)
    able: dict[int, list[Target]] = {}
    for clients in options.clients:
        reasons = {each: suite.why_not(each, clients, open_files) for each in targets}
        able[clients] = [target for target, reason in reasons.items() if not reason]
        left_out += [
            f"{target.name} with {clients} clients: {reason}"
            for target, reason in reasons.items()
            if reason
        ]
    todo = [
        job
        for repeat in range(repeats)
        for clients in options.clients
        for job in suite.jobs(able[clients], clients, repeat, options.quick)
    ]
    return todo, left_out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join(target.name for target in TARGETS)
    parser.add_argument("--targets", default="", help=f"with commas, of: {names} [all by default]")
    parser.add_argument("--clients", type=_numbers, default=[100, 10_000], help="[100,10000]")
    parser.add_argument("--repeats", type=int, help="runs of each [3; quick: 1]")
    parser.add_argument("--quick", action="store_true", help="a few minutes, rougher figures")
    parser.add_argument(
        "--out", default="data/benchmark", help="folder of what it writes [%(default)s]"
    )
    return parser


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _chosen(names: str) -> tuple[list[Target], list[str]]:
    """The targets that can run, and lines on those that cannot."""
    known = {target.name: target for target in TARGETS}
    wanted = names.split(",") if names else [each.name for each in TARGETS if each.by_default]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"there is no target {', '.join(unknown)}; there are: {', '.join(known)}")
    missing = {name: known[name].missing() for name in wanted}
    return (
        [known[name] for name in wanted if not missing[name]],
        [f"{name}: {', '.join(needs)} not found" for name, needs in missing.items() if needs],
    )


class _Console:
    """A line for each run, and on a terminal one that changes while it goes on."""

    def __init__(self, total: int) -> None:
        self._total = total

    def progress(self, job: suite.Job, number: int, text: str) -> None:
        if sys.stderr.isatty():
            name = "in turns" if job.in_turns else job.targets[0].name
            line = f"{self._head(job, number, name)}: {text}"
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)

    def done(self, job: suite.Job, number: int, result: Run, seconds: float) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        figures = (
            f"{_figure(result.cpu_us):>6} µs/delivery {_figure(result.rate, 0):>6}/s "
            f"{_figure(result.held_kib):>5} KiB/poll (after: {_figure(result.after_kib)}) "
            f"p50/p99 {_figure(result.p50_ms)}/{_figure(result.p99_ms)} ms"
        )
        if result.reached_ms is not None:
            figures += f" all {_figure(result.reached_ms)} ms"
        if result.push_p50_ms is not None:
            figures += f" push {_figure(result.push_p50_ms, 2)} ms"
        if result.idle_cpu is not None:
            figures += f" idle {result.idle_cpu:.3f} core"
        if result.probe_busy_ms is not None:
            figures += f" GET {_figure(result.probe_idle_ms)}->{_figure(result.probe_busy_ms)} ms"
        lost = f" lost {result.lost}" if result.lost else ""
        error = f" {result.error}" if result.error else ""
        head = self._head(job, number, result.target)
        print(f"{head} {figures}{lost} in {seconds:.0f} s{error}", flush=True)

    def _head(self, job: suite.Job, number: int, name: str) -> str:
        return f"{number:3}/{self._total} {name:13} {job.clients:6}"


def _figure(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _write(report: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "performance.json": as_json(report),
        "performance-table.md": markdown(report),
        "performance.svg": svg(report),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
