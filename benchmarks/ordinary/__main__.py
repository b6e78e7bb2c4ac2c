"""Ordinary work of a WSGI server, beside its peers: what each request costs."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.keep import DOCS, between
from benchmarks.machine import described
from benchmarks.ordinary.beside import beside
from benchmarks.ordinary.counted import counted, has_valgrind
from benchmarks.ordinary.criteria import judge
from benchmarks.ordinary.held import HELD, held
from benchmarks.ordinary.load import generator
from benchmarks.ordinary.peers import PEERS, THREADED
from benchmarks.ordinary.report import markdown
from benchmarks.ordinary.turns import in_turns
from benchmarks.ordinary.works import WORKS, Work, file_to_send
from benchmarks.report import verdict_line
from benchmarks.servers import Server, cores, raise_open_files
from benchmarks.targets import Target

__all__ = ["main"]

_PACKAGES = (
    "uvloop", "httptools", "waitress", "gunicorn", "gevent", "cheroot", "granian", "uvicorn",
    "a2wsgi", "hypercorn", "bjoern", "mako",
)  # fmt: skip
_PARTS = ("turns", "beside", "held", "counted")


def main(arguments: Sequence[str] | None = None) -> None:
    """Status 1 if a server did not do what it was asked; the rest is written all the same."""
    options = _parser().parse_args(arguments)
    targets = _named(PEERS, options.targets)
    left_out = [
        f"{target.name}: {', '.join(missing)} not found"
        for target in targets
        if (missing := target.missing())
    ]
    for line in left_out:
        print(f"left out: {line}")
    machine = described(_PACKAGES)
    raise_open_files()
    server_cores, client_cores = cores()
    os.sched_setaffinity(0, client_cores)
    before = os.getloadavg()[0]
    run = _Run(
        [target for target in targets if not target.missing()],
        _named(WORKS, options.works),
        options.rounds or (2 if options.quick else 5),
        server_cores,
    )
    parts = options.parts.split(",")
    if unknown := set(parts) - set(_PARTS):
        raise SystemExit(f"there is no {', '.join(unknown)}; there are: {', '.join(_PARTS)}")
    if "counted" in parts and not has_valgrind():
        run.wrong.append("instructions: valgrind not found")
    with file_to_send():
        report: dict[str, Any] = {part: list(run.part(part)) for part in parts}
    report |= {
        "machine": machine,
        "generator": generator(),
        "rounds": run.rounds,
        "load": (before, os.getloadavg()[0]),
        "left_out": left_out + run.wrong,
    }
    _tell(_with_earlier(report, Path(options.out, "ordinary.json")), options)
    sys.exit(bool(run.wrong))


def _with_earlier(report: dict[str, Any], file: Path) -> dict[str, Any]:
    """`report`, and the parts that it has not as an earlier run has left them in `file`."""
    whole: dict[str, Any] = {part: [] for part in _PARTS}
    if set(_PARTS) - report.keys() and file.exists():
        whole |= json.loads(file.read_text())
    left_out = sorted({*whole.get("left_out", ()), *report["left_out"]})
    if whole["turns"] and "turns" not in report:  # what is said of the run is said of the turns
        report = {part: report[part] for part in _PARTS if part in report}
    return {**whole, **report, "left_out": left_out}


def _tell(report: dict[str, Any], options: argparse.Namespace) -> None:
    _write(report, Path(options.out))
    if options.keep:
        page = DOCS / "performance.md"
        page.write_text(between(page.read_text(), "ordinary", markdown(report)))
    for verdict in judge(report):
        if verdict.value is not None or not options.targets:
            print(verdict_line(verdict))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ordinary", description=__doc__)
    for what, known in (("targets", PEERS), ("works", WORKS)):
        names = ", ".join(each.name for each in known)
        parser.add_argument(f"--{what}", default="", help=f"with commas, of: {names} [all]")
    parser.add_argument(
        "--parts", default="turns,beside,held",
        help="with commas, of: " + ", ".join(_PARTS) + " (instructions); those of "
        "an earlier run stay [%(default)s]",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="turns of each [5; quick: 2]")
    parser.add_argument("--quick", action="store_true", help="fewer turns, rougher figures")
    parser.add_argument("--keep", action="store_true", help="take the tables into the docs")
    parser.add_argument(
        "--out", default="data/benchmark", help="folder of what it writes [%(default)s]"
    )
    return parser


def _named(known: Sequence[Any], names: str) -> list[Any]:
    """Those of `known`; all, without names."""
    by_name = {each.name: each for each in known}
    wanted = names.split(",") if names else list(by_name)
    if unknown := [name for name in wanted if name not in by_name]:
        raise SystemExit(f"there is no {', '.join(unknown)}; there are: {', '.join(by_name)}")
    return [by_name[name] for name in wanted]


class _Run:
    """`wrong`: lines on what could not be measured."""

    def __init__(
        self, targets: Sequence[Target], works: Sequence[Work], rounds: int, where: set[int]
    ) -> None:
        self.rounds = rounds
        self.wrong: list[str] = []
        self._targets = targets
        self._works = works
        self._where = where

    def part(self, name: str) -> Iterator[dict[str, Any]]:
        """One measurement after the other, each told."""
        for each in getattr(self, f"_{name}")():
            line = dataclasses.asdict(each)
            print(json.dumps(line), flush=True)
            if error := line.get("error"):
                self.wrong.append(f"{line['target']}, {line['work']}: {error}")
            if failed := line.get("failed"):
                self.wrong.append(f"{line['target']}, {line['work']}: {failed} requests failed")
            yield line

    def _turns(self) -> Iterator[Any]:
        with contextlib.ExitStack() as stack:
            servers = []
            for target in self._targets:
                with self._said(f"{target.name} does not start"):
                    servers.append(stack.enter_context(Server(target, self._where)))
            yield from in_turns(servers, self._works, self.rounds, _say)

    def _beside(self) -> Iterator[Any]:
        for target in self._targets:
            if target.name in THREADED:
                _say(f"{target.name} beside views that block")
                with self._said(target.name), Server(target, self._where) as server:
                    yield beside(server, self.rounds)

    def _held(self) -> Iterator[Any]:
        if any(target.ours for target in self._targets):
            for target, wait, count in HELD:
                _say(f"{count} requests held, {target.title}")
                with self._said(f"{target.title}, {wait}"):
                    yield held(target, wait, count, self._where)

    def _counted(self) -> Iterator[Any]:
        if has_valgrind():
            for work in self._works:
                for target in self._targets:
                    _say(f"instructions: {work.title}, {target.name}")
                    yield counted(target, work, self._where)

    @contextlib.contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """An error of the block is a line, no end."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            self.wrong.append(f"{what}: {error}")
            print(self.wrong[-1], flush=True)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="\r", file=sys.stderr, flush=True)


def _write(report: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(report, indent=1)
    for name, text in (("ordinary.json", lines + "\n"), ("ordinary-table.md", markdown(report))):
        (folder / name).write_text(text)
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
